"""Exercises in a chapter are those of the package, not attempted yet, each with a solution that is right."""

import re

from tests.chapters.chapters import each_chapter, none_of
from tests.chapters.exercise_cells import SOLUTION_LINE, heading_of, places
from tests.chapters.markdown import headings

from d2lconv.exercises.engine.registry import CHAPTERS, exercises_of


@each_chapter
def test_exercises_match_the_package(chapter):
    name = chapter.path.stem
    wanted = [heading_of(exercise) for exercise in exercises_of(name)] if name in CHAPTERS else []
    texts = {heading.cell: heading.text for heading in headings(chapter.nb)}
    found = [texts[place.cell] for place in places(chapter.nb)]
    assert found == wanted, (
        f"{name}: its exercises should be {wanted or 'none'}, but are {found or 'missing'}"
    )


@each_chapter
def test_exercises_are_not_attempted(chapter):
    """Below each prompt stands a cell for the reader that ends in its check and says *not attempted yet*."""
    problems = []
    for place in places(chapter.nb):
        name, index = f"{chapter.path.stem}.{place.number}", place.cell + 1
        cell = _code(chapter, index)
        if cell is None or cell.source.startswith(SOLUTION_LINE) or not _ends(cell, f'check("{name}", '):
            what = f'the cell below it must be the reader\'s, and end in check("{name}", …)'
            problems.append(chapter.problem(place.cell, what))
        elif not _says(cell, rf"Not attempted yet \({re.escape(name)}\)"):
            problems.append(chapter.problem(index, "its output must say that it is not attempted yet"))
    none_of(problems)


@each_chapter
def test_solutions_are_right(chapter):
    """Below the reader's cell stands a folded solution that ends in its check and says *correct*."""
    problems = []
    for place in places(chapter.nb):
        name, index = f"{chapter.path.stem}.{place.number}", place.cell + 2
        cell = _code(chapter, index)
        if cell is None or not cell.source.startswith(SOLUTION_LINE):
            what = f"the second cell below it must be its solution, and begin with {SOLUTION_LINE}"
            problems.append(chapter.problem(place.cell, what))
            continue
        if not _ends(cell, f'check("{name}", ') or not cell.source.endswith(", solution=True)"):
            problems.append(chapter.problem(index, f'it must end in check("{name}", …, solution=True)'))
        elif not _says(cell, rf"Correct \({re.escape(name)}, worked solution\)"):
            problems.append(chapter.problem(index, "its output must say that it is correct"))
    none_of(problems)


def _code(chapter, index):
    cells = chapter.nb.cells
    return cells[index] if index < len(cells) and cells[index].cell_type == "code" else None


def _ends(cell, start):
    return cell.source.strip().splitlines()[-1].startswith(start)


def _says(cell, pattern):
    return any(re.match(pattern, output.get("data", {}).get("text/plain", "")) for output in cell.outputs)
