"""The form of an exercise in a chapter, for the tests of chapters.

An exercise is a Markdown cell that begins with its heading, then the cell for the reader, which ends in
``check("chapter.2", …)``, then a folded cell with the worked solution.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from nbformat import NotebookNode
from tests.chapters.markdown import headings
from tools.notebooks import SOLUTION_LINE, SOLUTION_METADATA

from d2lconv.exercises.engine.registry import every_exercise
from d2lconv.exercises.kinds import Exercise

__all__ = ["SOLUTION_LINE", "SOLUTION_METADATA", "Place", "every_exercise", "heading_of", "places"]

_HEADING = re.compile(r"Exercise (\d+) · ")


class Place(NamedTuple):
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
