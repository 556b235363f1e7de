"""Only our own scripts run: what refuses others, and the one pass over finished pages.

A `<script>` or an event handler in a notebook's output or in a Markdown page fails the build, by file and
line (in a notebook, line 50002 is the fifth cell's second). What the theme or an extension brings, the tests
find, which open every page.

Finished pages get a Content-Security-Policy, in a meta element, since a host such as GitHub Pages lets a site
set no headers, and corrections of what axe-core finds in them. What the policy lets through beyond the site's
own files, and why:

* by its hash, the one script that stands in pages: it chooses light or dark before the first paint, and
  loads the formulas' font;
* styles in the page: drawings, the widths of a table's columns, and figures set them by attribute;
* `data:` images: pictures within drawings, and the small ones of the theme's style sheet.
"""

import base64
import hashlib
import html
import re
from html.parser import HTMLParser
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging

LOGGER = logging.getLogger(__name__)

# In the frame of another site, storage may be forbidden; then it lasts as long as the page. What needs
# scripts is there from the first paint: a button that comes later moves the title. Formulas' font is asked
# for before the text that needs it, but not from a disk, where browsers refuse to preload.
SCRIPT = """\
try { localStorage; } catch {
  const kept = new Map();
  Object.defineProperty(window, "localStorage", { value: {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, value) => kept.set(key, String(value)),
    removeItem: (key) => kept.delete(key),
  } });
}
document.documentElement.classList.remove("no-js");
document.body.dataset.theme = localStorage.getItem("theme") || "auto";
document.body.dataset.code = localStorage.getItem("code") || "some";
const font = document.querySelector("meta[name=early-font]")?.content;
if (font && location.protocol !== "file:") {
  const link = document.createElement("link");
  document.head.append(Object.assign(link, { rel: "preload", as: "font", crossOrigin: "", href: font }));
}
"""
_ACTIVE = ("script", "iframe", "object", "embed", "base", "meta", "link")
_CHARSET = re.compile(r"<meta charset=[^>]*>")
_OURS = '<meta http-equiv="Content-Security-Policy"'

#: Each rule but the last names a finding of axe-core, which the tests run on every kind of page.
RULES: tuple[tuple[re.Pattern[str], str], ...] = (
    # label-content-name-mismatch: what is spoken must hold what is shown, as it does without a label
    (re.compile(r'(<summary) aria-label="Toggle hidden content"'), r"\1"),
    # aria-required-attr: the parts' names in the side bar
    (re.compile(r'(<p class="caption") role="heading"'), r'\1 role="heading" aria-level="2"'),
    # landmark-unique
    (re.compile(r'(<aside class="sidebar-drawer")'), r'\1 aria-label="Course"'),
    (re.compile(r'(<aside class="toc-drawer[^"]*")'), r'\1 aria-label="This page"'),
    # definition-list: arguments below each other are written as definitions of nothing, for their looks
    (re.compile(r'<dl>(?=\s*<dd><em class="sig-param")'), '<dl role="presentation">'),
    # Names, operators, brackets and spaces in code look like text, and were half of all elements of a page.
    (re.compile(r'<span class="(?:n|nn|o|p|w)">([^<]*)</span>'), r"\1"),
)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.active: list[str] = []

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        if tag.rpartition(":")[2] in _ACTIVE:
            self.active.append(f"<{tag}>")
        for name, value in attributes:
            if name.startswith("on"):
                self.active.append(f"{name}=")
            elif re.match(r"\s*(javascript|vbscript):|\s*data:(?!image/)", value or "", re.IGNORECASE):
                self.active.append(f"{name}={(value or '').strip()[:30]}")


def active_parts(text: str) -> list[str]:
    """Return what in a piece of HTML or SVG could run or load something.

    >>> active_parts('<svg/onload=go()><p on="x">on load="no"</p><a href=" JavaScript:go()">a</a><script>')
    ['onload=', 'on=', 'href=JavaScript:go()', '<script>']
    >>> active_parts('<p style="color: red">a < b <img src="data:image/png;base64,AA"></p>')
    []
    """
    reader = _Reader()
    reader.feed(text)
    reader.close()
    return reader.active


def place_of(node: nodes.Element) -> nodes.Element:
    """Return the nearest node that knows its line."""
    while not node.line and node.parent is not None:
        node = node.parent
    return node


def refuse_scripts(app: Sphinx, doctree: nodes.document) -> None:
    """Warn of whatever a page brings along that could run."""
    for raw in doctree.findall(nodes.raw):
        if found := active_parts(raw.astext()):
            message = f"{', '.join(found)} may not stand in a page: only the site's own scripts run"
            LOGGER.warning(message, location=place_of(raw), type="d2lconv", subtype="script")


def policy() -> str:
    """Return the strictest policy under which the pages work."""
    digest = hashlib.sha256(SCRIPT.encode()).digest()
    return (
        f"default-src 'self'; script-src 'self' 'sha256-{base64.b64encode(digest).decode('ascii')}'; "
        "style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'self'; "
        "form-action 'self'"
    )


def finished(page: str) -> str:
    """Return a page with its policy and without axe-core's findings; one that is finished stays as it is."""
    if _OURS in page:
        return page
    for found, better in RULES:
        page = found.sub(better, page)
    page = re.sub(r'(?<=\baria-label=")[^"&]+(?=")', lambda label: html.escape(str(_(label[0]))), page)
    meta = f'{_OURS} content="{html.escape(policy(), quote=False)}">'
    return _CHARSET.sub(lambda charset: f"{charset[0]}\n    {meta}", page, count=1)


def finish_pages(app: Sphinx, error: Exception | None) -> None:
    """Finish the pages when nothing else will change them."""
    if error or app.builder.name != "html":
        return
    for path in Path(app.outdir).rglob("*.html"):
        path.write_text(finished(path.read_text(encoding="utf-8")), encoding="utf-8")


def setup(app: Sphinx) -> None:
    """Read pages first and last."""
    app.connect("doctree-read", refuse_scripts, priority=950)
    app.connect("build-finished", finish_pages, priority=990)
