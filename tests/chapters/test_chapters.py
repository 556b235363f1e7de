"""Every chapter satisfies every guard. What they print is compared by nbval (see pyproject.toml)."""

from pathlib import Path

import pytest
from tools.book import Book
from tools.guards import GUARDS
from tools.notebooks import load

BOOK = Book.around(Path(__file__))
CHAPTERS = [*BOOK.chapters(), *BOOK.drafts()]


@pytest.mark.parametrize("guard", GUARDS.values(), ids=GUARDS.keys())
@pytest.mark.parametrize("path", CHAPTERS, ids=[path.stem for path in CHAPTERS])
def test_chapter(path, guard):
    problems = guard(load(path), path)
    assert not problems, "\n".join(problems)


def test_the_table_of_contents_names_pages_that_exist():
    assert [entry for entry in BOOK.entries() if BOOK.page(entry) is None] == []
    assert BOOK.chapters()
