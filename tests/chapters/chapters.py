"""The chapters of the book, each read once, and what the tests of their form share."""

import functools
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

import pytest
from nbformat import NotebookNode
from tools.book import Book
from tools.notebooks import label, load

BOOK = Book.around(Path(__file__))
PATHS = [*BOOK.chapters(), *BOOK.drafts()]


class Chapter(NamedTuple):
    """A notebook and its file."""

    nb: NotebookNode
    path: Path

    def problem(self, index: int, what: str) -> str:
        """Return a message that names chapter, cell (as JupyterLab numbers it) and problem."""
        return f"{self.path.stem}, {label(self.nb, index)}: {what}"

    def code(self) -> Iterator[tuple[int, NotebookNode]]:
        """Yield the code cells and their positions."""
        return ((index, cell) for index, cell in enumerate(self.nb.cells) if cell.cell_type == "code")

    def prose(self) -> Iterator[tuple[int, NotebookNode]]:
        """Yield the Markdown cells and their positions."""
        return ((index, cell) for index, cell in enumerate(self.nb.cells) if cell.cell_type == "markdown")

    def outputs(self) -> Iterator[tuple[int, NotebookNode]]:
        """Yield the outputs and the positions of their cells."""
        return ((index, output) for index, cell in self.code() for output in cell.outputs)


@functools.cache
def read(path: Path) -> Chapter:
    """Read a chapter; tests leave it as it is."""
    return Chapter(load(path), path)


each_chapter = pytest.mark.parametrize("chapter", PATHS, ids=[path.stem for path in PATHS], indirect=True)


def none_of(problems: Iterable[str]) -> None:
    """Fail with all problems at once."""
    found = list(problems)
    assert not found, "\n".join(found)


def strings(value: object) -> Iterator[str]:
    """Yield all strings in nested lists and dictionaries, keys included."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from strings(key)
            yield from strings(item)
    elif isinstance(value, list):
        for item in value:
            yield from strings(item)
