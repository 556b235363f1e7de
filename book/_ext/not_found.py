"""`404.html`, the page for addresses that lead nowhere; hosts such as GitHub Pages show it by this name.

It is shown at any address, however deep, so a `<base>` element says what its links begin with: the path of
`html: baseurl:` in `_config.yml`.
"""

import html
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import site_pages

PAGE = "404"
_CHARSET = re.compile(r"<meta charset=[^>]*>")
_TO_ITSELF = re.compile(r'href="#')


def collect(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Tell Sphinx of the page."""
    links = []
    for page in app.env.toctree_includes.get(app.config.root_doc, []):
        title = html.escape(app.env.titles[page].astext())
        links.append(f'<li><a href="{app.builder.get_target_uri(page)}">{title}</a></li>')
    start = app.builder.get_target_uri(app.config.root_doc)
    body = (
        "<h1>Page not found</h1>"
        "<p>There is no page at this address. It may have moved, or the link may be wrong.</p>"
        f'<p>Go to the <a href="{start}">start of the course</a>, <a href="search.html">search</a> it, '
        "or open a page:</p>"
        f"<ul>{''.join(links)}</ul>"
    )
    yield PAGE, {"title": "Page not found", "body": body}, "page.html"


def anchored(page: str, base: str) -> str:
    """Let a page's links begin with a path, and those to itself lead to it.

    >>> anchored('<meta charset="utf-8" /><a href="#main">', "/d2lconv/")
    '<meta charset="utf-8" /><base href="/d2lconv/"><a href="404.html#main">'
    """
    if "<base " in page:
        return page
    page = _TO_ITSELF.sub(f'href="{PAGE}.html#', page)
    return _CHARSET.sub(lambda found: f'{found[0]}<base href="{html.escape(base)}">', page, count=1)


def make(app: Sphinx, error: Exception | None) -> None:
    """Work on the finished page."""
    for path in site_pages.written(app, error):
        if path == Path(app.outdir, f"{PAGE}.html"):
            base = urlsplit(app.config.html_baseurl).path.rstrip("/") + "/"
            site_pages.change(path, lambda page, base=base: anchored(page, base))  # type: ignore[misc]


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the page, and work on it when it is written."""
    app.connect("html-collect-pages", collect)
    app.connect("build-finished", make)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
