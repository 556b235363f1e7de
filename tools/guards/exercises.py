"""Guards for exercises: those of the registry, with a cell not attempted and a solution that is right."""

import re
from pathlib import Path

from nbformat import NotebookNode

from d2lconv.exercises.engine.registry import CHAPTERS, exercises_of
from d2lconv.exercises.kinds import Exercise
from tools.exercises import SOLUTION_LINE, SOLUTION_METADATA, heading_of, places
from tools.guards.messages import problem
from tools.markdown import headings


def exercises_match_registry(nb: NotebookNode, path: Path) -> list[str]:
    """Require the headings of the chapter's exercises, as `d2lconv.exercises` has them, in order."""
    known = _exercises(path)
    wanted = [heading_of(exercise) for exercise in known.values()]
    cells = [place.cell for place in places(nb)]
    found = [next(one.text for one in headings(nb) if one.cell == cell) for cell in cells]
    if wanted == found:
        return []
    return [f"{path.stem}: its exercises should be {wanted or 'none'}, but are {found or 'missing'}"]


def exercises_are_not_attempted(nb: NotebookNode, path: Path) -> list[str]:
    """Require below each prompt a cell for the reader that ends in its check: *not attempted yet*."""
    problems = []
    for place in places(nb):
        name = f"{path.stem}.{place.number}"
        index = place.cell + 1
        cell = nb.cells[index] if index < len(nb.cells) else None
        if cell is None or cell.cell_type != "code" or cell.source.startswith(SOLUTION_LINE):
            last = ""
        else:
            last = cell.source.splitlines()[-1]
        if cell is None or not last.startswith(f'check("{name}", '):
            what = f'the cell below it must be the reader\'s, and end in check("{name}", …)'
            problems.append(problem(nb, path, place.cell, what))
        elif not _says(cell, rf"Not attempted yet \({re.escape(name)}\)"):
            problems.append(problem(nb, path, index, "its output must say that it is not attempted yet"))
    return problems


def solutions_are_right(nb: NotebookNode, path: Path) -> list[str]:
    """Require below the reader's cell a folded solution that ends in its check, and says *correct*."""
    problems = []
    for place in places(nb):
        name = f"{path.stem}.{place.number}"
        index = place.cell + 2
        cell = nb.cells[index] if index < len(nb.cells) else None
        if cell is None or cell.cell_type != "code" or not cell.source.startswith(SOLUTION_LINE):
            what = f"the second cell below it must be its solution, and begin with {SOLUTION_LINE}"
            problems.append(problem(nb, path, place.cell, what))
            continue
        last = cell.source.strip().splitlines()[-1]
        if not re.match(rf'check\("{re.escape(name)}", .+, solution=True\)$', last):
            what = f'it must end in check("{name}", …, solution=True)'
            problems.append(problem(nb, path, index, what))
        elif not _says(cell, rf"Correct \({re.escape(name)}, worked solution\)"):
            problems.append(problem(nb, path, index, "its output must say that it is correct"))
        if any(cell.metadata.get(key) != value for key, value in SOLUTION_METADATA.items()):
            what = "a solution needs the metadata SOLUTION_METADATA of tools/exercises.py, which folds it"
            problems.append(problem(nb, path, index, what))
    return problems


def _exercises(path: Path) -> dict[str, Exercise]:
    return {one.id: one for one in exercises_of(path.stem)} if path.stem in CHAPTERS else {}


def _says(cell: NotebookNode, pattern: str) -> bool:
    return any(re.match(pattern, output.get("data", {}).get("text/plain", "")) for output in cell.outputs)
