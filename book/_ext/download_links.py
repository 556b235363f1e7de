"""Links to files that are made with the book say how large a file is, or how to make it.

A page has such a link as `<a class="d2l-download" href="../_downloads/a.pdf" data-made-by="make pdf">`, in
this order. A file may be made after the pages; then `refresh` brings the links up to date.
"""

import re
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import site_pages

_LINK = re.compile(
    r'<a class="d2l-download" (?:data-)?href="([^"]+)" data-made-by="([^"]+)">(.*?)</a>'
    r'(?:<span class="d2l-size">.*?</span>)?',
    re.DOTALL,
)


def refresh(page: Path) -> None:
    """Bring the links of a built page up to date."""
    site_pages.change(page, lambda text: _LINK.sub(lambda found: _link(page.parent, *found.groups()), text))


def size(count: int) -> str:
    """Say how large a file is.

    Examples
    --------
    >>> size(1_234_567), size(45_600)
    ('1.2 MB', '46 KB')
    """
    return f"{count / 1e6:.1f} MB" if count >= 1e6 else f"{count / 1e3:.0f} KB"


def _link(folder: Path, target: str, made_by: str, text: str) -> str:
    file = folder / target
    kind, said = ("href", size(file.stat().st_size)) if file.is_file() else ("data-href", _missing(made_by))
    return (
        f'<a class="d2l-download" {kind}="{target}" data-made-by="{made_by}">{text}</a>'
        f'<span class="d2l-size"> ({said})</span>'
    )


def _missing(made_by: str) -> str:
    return f"not part of this copy of the site; <code>{made_by}</code> makes it"


def make(app: Sphinx, error: Exception | None) -> None:
    """Work on the finished pages."""
    for path in site_pages.written(app, error):
        refresh(path)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Work on the finished pages, after the files are made."""
    app.connect("build-finished", make, priority=900)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
