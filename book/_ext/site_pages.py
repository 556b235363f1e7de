"""The pages that a build has written, for extensions that work on them when it is finished.

No extension itself. A page that was not written anew was worked on before: every change must leave a page
alone that has it already.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path

from sphinx.application import Sphinx

Change = Callable[[str], str]


def is_book(app: Sphinx, error: Exception | None) -> bool:
    """Tell whether a finished build made the book: it did not fail, and made nothing else."""
    return error is None and app.builder.name == "html"


def written(app: Sphinx, error: Exception | None) -> Iterator[Path]:
    """Yield the pages of a finished build of the book, none of one that failed or made something else."""
    if is_book(app, error):
        for path in sorted(Path(app.outdir).rglob("*.html")):
            if "_static" not in path.relative_to(app.outdir).parts:  # templates that the theme leaves there
                yield path


def change(path: Path, *changes: Change) -> None:
    """Rewrite a page."""
    before = after = path.read_text(encoding="utf-8")
    for one in changes:
        after = one(after)
    if after != before:
        path.write_text(after, encoding="utf-8")


def words_in_attributes(page: str) -> set[str]:
    r"""Return the classes and ids of a page.

    >>> sorted(words_in_attributes('<p class="a b-c" id="d"><i class=\'e\'>class of its own</i>'))
    ['a', 'b-c', 'd', 'e']
    """
    values = re.findall(r"""\s(?:class|id)=(?:"([^"]*)"|'([^']*)')""", page)
    return {word for pair in values for value in pair for word in value.split()}
