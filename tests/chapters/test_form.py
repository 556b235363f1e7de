"""What all chapters have in common: form, place in the book, opening and closing."""

import re

from tests.chapters.chapters import BOOK, each_chapter, none_of
from tests.chapters.markdown import headings
from tools.book import Book
from tools.notebooks import canonical, dumps

LABEL = re.compile(r"\*\*(.+?)[.:]?\*\*")
OPENING = 6  # cells, among them the installation and the imports


@each_chapter
def test_canonical_form(chapter):
    """The file is what `make tidy` writes, byte for byte: with Colab link, install cell and counts."""
    tidied = dumps(canonical(chapter.nb, chapter.path))
    assert tidied.encode() == chapter.path.read_bytes(), (
        f"{chapter.path.stem}: not in canonical form; run: make tidy CHAPTER={chapter.path.stem}"
    )


@each_chapter
def test_listed_in_the_table_of_contents(chapter):
    assert chapter.path in Book.around(chapter.path).chapters(), (
        f"{chapter.path.stem}: add it to _toc.yml, or move it out of the book"
    )


def test_the_table_of_contents_names_pages_that_exist():
    assert [entry for entry in BOOK.entries() if BOOK.page(entry) is None] == []
    assert BOOK.chapters()


@each_chapter
def test_one_title_at_the_top(chapter):
    titles = [(heading.cell, heading.text) for heading in headings(chapter.nb) if heading.level == 1]
    assert [cell for cell, _ in titles] == [0], (
        f"{chapter.path.stem}: its first cell, and no other, must hold a title (# Title); there are {titles}"
    )


@each_chapter
def test_opening_says_what_to_learn_and_need_and_how_long_it_takes(chapter):
    opening = chapter.nb.cells[:OPENING]
    labels = [label for cell in opening for label in LABEL.findall(cell.source)]
    none_of(
        chapter.problem(0, f"one of the first {OPENING} cells needs the bold words **{words}**")
        for words in ("You will learn", "You need", "Time")
        if words not in labels
    )


@each_chapter
def test_closing(chapter):
    sections = [heading.text for heading in headings(chapter.nb) if heading.level == 2]
    end = sections[sections.index("Summary") :] if "Summary" in sections else sections[-3:]
    assert end in (["Summary", "Further reading"], ["Summary", "Exercises", "Further reading"]), (
        f"{chapter.path.stem}: the last sections must be Summary, Exercises (if any) and Further reading, "
        f"but are {', '.join(end) or 'missing'}"
    )
