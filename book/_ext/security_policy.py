"""A Content-Security-Policy in every page: the browser asks nobody but the site, and runs only our scripts.

The policy stands in a meta element, since a host such as GitHub Pages lets a site set no headers. What it
lets through beyond the site's own files, and why:

* scripts that stand in the page, each by its hash;
* `blob:` scripts, on pages with figures that move: `_host/host.js` starts the view of a figure from the page;
* styles in the page: drawings, the widths of a table's columns, and figures set them by attribute;
* `data:` images: pictures within drawings, and the small ones of the theme's style sheet.

A handler in an attribute, such as `onclick`, would not run: it is a warning.
"""

import base64
import hashlib
import html
import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

import site_pages

LOGGER = logging.getLogger(__name__)

_SCRIPT = re.compile(r"<script\b([^>]*)>(.*?)</script>", re.DOTALL | re.IGNORECASE)
_DATA = re.compile(r"""\btype=["'](?!text/javascript|module)[^"']+["']""")
_HANDLER = re.compile(r"""<[a-z][^<>]*\s(on[a-z]+)=["']""", re.IGNORECASE)
_CHARSET = re.compile(r"<meta charset=[^>]*>")
_OURS = '<meta http-equiv="Content-Security-Policy"'


def hash_of(script: str) -> str:
    """Return the name that a policy has for a script.

    >>> hash_of("alert(1)")
    "'sha256-bhHHL3z2vDgxUt0W3dWQOrprscmda2Y5pLsLg4GF+pI='"
    """
    digest = hashlib.sha256(script.encode()).digest()
    return f"'sha256-{base64.b64encode(digest).decode('ascii')}'"


def policy(page: str) -> str:
    """Return the strictest policy under which a page works.

    >>> policy("<p>No script.</p>").split("; ")[:2]
    ["default-src 'self'", "script-src 'self'"]
    """
    inline = [
        text for head, text in _SCRIPT.findall(page) if text and "src=" not in head and not _DATA.search(head)
    ]
    scripts = ["'self'", *dict.fromkeys(map(hash_of, inline))]
    if 'class="d2l-live"' in page:
        scripts.append("blob:")
    rules = {
        "default-src": "'self'",
        "script-src": " ".join(scripts),
        "style-src": "'self' 'unsafe-inline'",
        "img-src": "'self' data:",
        "object-src": "'none'",
        "base-uri": "'self'",
        "form-action": "'self'",
    }
    return "; ".join(f"{name} {value}" for name, value in rules.items())


def handlers(page: str) -> list[str]:
    """Return the attributes with scripts in them, which the policy stops.

    >>> handlers('<p on="x" onclick="go()">on load="no"</p>')
    ['onclick']
    """
    return _HANDLER.findall(_SCRIPT.sub("", page))


def protect(page: str) -> str:
    """Put the policy in a page, before anything that it is about."""
    if _OURS in page:
        return page
    meta = f'{_OURS} content="{html.escape(policy(page), quote=False)}">'
    return _CHARSET.sub(lambda found: f"{found[0]}\n    {meta}", page, count=1)


def make(app: Sphinx, error: Exception | None) -> None:
    """Protect the finished pages, when nothing else will change them."""
    for path in site_pages.written(app, error):
        for name in handlers(path.read_text(encoding="utf-8")):
            message = "%s: the page's policy does not let %s= run; use a script"
            page = path.relative_to(Path(app.outdir))
            LOGGER.warning(message, page, name, type="d2lconv", subtype="policy")
        site_pages.change(path, protect)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Work on the finished pages, last of all."""
    app.connect("build-finished", make, priority=990)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
