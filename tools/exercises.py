"""The form of an exercise in a chapter, and the page that lists all of them.

    python -m tools.exercises       write book/exercises.md anew

In a chapter, an exercise is a Markdown cell that begins with its heading, then the cell for the reader, which
ends in ``check("chapter.2", …)``, then a folded cell with the worked solution.
"""

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from nbformat import NotebookNode

from d2lconv.exercises.engine.registry import CHAPTERS, every_exercise
from d2lconv.exercises.kinds import Exercise
from tools import notebooks
from tools.book import Book
from tools.markdown import headings, slug

PAGE = "exercises.md"
SOLUTION_LINE = "# @title Solution"
SOLUTION_METADATA = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "mystnb": {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"},
    "tags": ["hide-cell"],
}

_HEADING = re.compile(r"Exercise (\d+) · ")

_INTRODUCTION = """\
# Exercises

Each chapter of the course ends in exercises. In its notebook, write your answer in place of the dots and
run the cell: it says that the answer is right, or shows the smallest case in which it is not, with a hint.
A worked solution is folded up below each exercise.

★ one step · ★★ several steps · ★★★ think first

`python -m d2lconv.exercises` lists them in a terminal, with your progress. That is kept in a file on your
computer, whose place the command prints, and is never sent anywhere. In Colab it goes when the session
ends.
"""

_FOR_TEACHERS = """\
## For teachers

`python -m d2lconv.exercises grade NOTEBOOK …` runs the exercises of notebooks, each in a process with a
limit of time and memory, and prints a table. Its exit code is 0 only if all answers are correct; `--json`
prints what a program can read. The worked solutions do not count, and of several checks of an exercise the
last one does.

Answers and checks run in the same process: that finds mistakes, not an intent to deceive.
"""


@dataclass(frozen=True)
class Place:
    """An exercise in a chapter: position of its heading's cell, and its number."""

    cell: int
    number: int


def heading_of(exercise: Exercise) -> str:
    """Return an exercise's heading, without the marks.

    Examples
    --------
    >>> heading_of(every_exercise()[0])
    'Exercise 1 · By hand ★'
    """
    number = exercise.id.partition(".")[2]
    return f"Exercise {number} · {exercise.title} {'★' * exercise.level}"


def places(nb: NotebookNode) -> Iterator[Place]:
    """Yield the exercises of a chapter."""
    for heading in headings(nb):
        if heading.level == 3 and (match := _HEADING.match(heading.text)):
            yield Place(heading.cell, int(match[1]))


def page(titles: dict[str, str]) -> str:
    """Return the page that lists all exercises.

    Parameters
    ----------
    titles : dict of str
        The title of each chapter.
    """
    parts = [_INTRODUCTION]
    for chapter, exercises in groupby(every_exercise(), key=lambda exercise: exercise.chapter):
        lines = [f"## {titles[chapter]}", ""]
        for number, exercise in enumerate(exercises, start=1):
            link = f"{chapter}.ipynb#{slug(heading_of(exercise))}"
            lines.append(f"{number}. [{exercise.title}]({link}) {'★' * exercise.level}")
        parts.append("\n".join(lines) + "\n")
    return "\n".join([*parts, _FOR_TEACHERS])


def titles(book: Book) -> dict[str, str]:
    """Return the title of each chapter that has exercises."""
    paths = {path.stem: path for path in book.chapters()}
    return {
        chapter: headings(notebooks.load(paths[chapter]))[0].text for chapter in CHAPTERS if chapter in paths
    }


def main() -> int:
    """Write the page."""
    book = Book.around(Path.cwd())
    (book.root / "book" / PAGE).write_text(page(titles(book)), "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
