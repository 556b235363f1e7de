"""One style sheet for all pages, with what they use.

The theme, its parts and this book bring a dozen style sheets, most of them written for every page that anyone
might make. Here they become one, `_static/styles.css`, in the same order, without the rules that no page and
no script can use, and with icon fonts that hold the icons in use. A style sheet that not all pages have stays
on its own.
"""

import hashlib
import re
import shutil
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import site_pages
from css_prune import prune
from icon_fonts import cut_icons

NAME = "styles.css"
#: Classes that scripts put together from parts: the theme's tooltips.
MADE_BY_SCRIPTS = frozenset(["bs-tooltip-auto", "bs-tooltip-top", "bs-tooltip-bottom"]) | frozenset(
    ["bs-tooltip-start", "bs-tooltip-end"]
)
#: What only the icon script of the theme and debuggers need.
SPARE = ("vendor/fontawesome", "scripts/fontawesome.js", "scripts/fontawesome.js.LICENSE.txt")

_LINK = re.compile(r'\s*<link\b(?=[^>]*rel="stylesheet")[^>]*href="((?:\.\./)*)_static/([^"?]+)[^"]*"[^>]*>')
_URL = re.compile(r"""url\(\s*(["']?)(?!data:|#|[a-z]+:|/)([^"')]+)\1\s*\)""")
_IMPORT = re.compile(r"""@import\s+(?:url\()?["']([^"']+)["']\)?\s*;""")
_CHARSET = re.compile(r'@charset\s+"[^"]*"\s*;')
_WORD = re.compile(r"[\w-]+")
_SCRIPT = re.compile(r"<script\b[^>]*>(.*?)</script>", re.DOTALL)


def sheets_of(page: str) -> list[str]:
    """Return the style sheets of a page, as files of `_static`.

    >>> sheets_of('<link href="../_static/a/b.css?v=1" rel="stylesheet" /><link href="c.svg" rel="icon">')
    ['a/b.css']
    """
    return [found[2] for found in _LINK.finditer(page)]


def shared(lists: Iterable[list[str]]) -> list[str]:
    """Return what all lists have, in the order of the first.

    >>> shared([["a", "b", "c"], ["a", "c"]])
    ['a', 'c']
    """
    first, *others = lists
    return [name for name in first if all(name in other for other in others)]


def joined(static: Path, names: Iterable[str]) -> str:
    """Join style sheets as if they stood in the folder itself: with what they import, and their addresses."""

    def read(name: str) -> str:
        folder = PurePosixPath(name).parent
        css = _CHARSET.sub("", (static / name).read_text(encoding="utf-8-sig"))
        css = _URL.sub(lambda found: f'url("{_normal(folder / found[2])}")', css)
        return _IMPORT.sub(lambda found: read(_normal(folder / found[1])), css)

    return "\n".join(map(read, names))


def made_of(names: list[str]) -> str:
    r"""Return the comment that begins the style sheet: what it is made of.

    >>> made_of(["a.css", "b/c.css"])
    '/* Made of a.css b/c.css */\n'
    """
    return f"/* Made of {' '.join(names)} */\n"


def _normal(path: PurePosixPath) -> str:
    """Resolve the dots in a path."""
    parts: list[str] = []
    for part in path.parts:
        if part == ".." and parts:
            parts.pop()
        else:
            parts.append(part)
    return "/".join(parts)


def words_of_scripts(static: Path, pages: Iterable[str]) -> set[str]:
    """Return every word in scripts, of files and in pages: each may be a class that a script gives."""
    texts = [found for page in pages for found in _SCRIPT.findall(page)]
    texts += [
        path.read_text(encoding="utf-8") for path in static.rglob("*.js") if "fontawesome" not in path.name
    ]
    return {word for text in texts for word in _WORD.findall(text.replace("\\n", " "))}


def use(page: str, names: Iterable[str], version: str) -> str:
    """Put the one style sheet in the place of the first of those that it is made of."""
    there = set(names)
    first = True

    def replaced(found: re.Match[str]) -> str:
        nonlocal first
        if found[2] not in there:
            return found[0]
        link = f'\n  <link rel="stylesheet" href="{found[1]}_static/{NAME}?v={version}" />' if first else ""
        first = False
        return link

    return _LINK.sub(replaced, page)


def make(app: Sphinx, error: Exception | None) -> None:
    """Write the style sheet, and use it on every page."""
    pages = {path: path.read_text(encoding="utf-8") for path in site_pages.written(app, error)}
    fresh = {path: sheets for path, page in pages.items() if len(sheets := sheets_of(page)) > 2}
    if not fresh:
        return
    static = Path(app.outdir, "_static")
    names = shared(fresh.values())
    used = words_of_scripts(static, pages.values()) | MADE_BY_SCRIPTS
    for page in pages.values():
        used |= site_pages.words_in_attributes(page)
    css = made_of(names) + cut_icons(prune(joined(static, names), used), static)
    (static / NAME).write_text(css, encoding="utf-8")
    version = hashlib.sha256(css.encode()).hexdigest()[:8]
    for path in fresh:
        site_pages.change(path, lambda page: use(page, names, version))
    for name in SPARE:
        spare = static / name
        shutil.rmtree(spare) if spare.is_dir() else spare.unlink(missing_ok=True)
    for path in static.rglob("*.map"):
        path.unlink()


def setup(app: Sphinx) -> ExtensionMetadata:
    """Work on the finished pages."""
    app.connect("build-finished", make, priority=700)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
