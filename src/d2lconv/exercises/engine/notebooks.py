"""The cells of a notebook that are graded: a student's, not the worked solutions."""

from __future__ import annotations

import ast
import copy
import json
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from d2lconv.language import LANGUAGES, fill, translate


def _said(text: str) -> dict[str, str]:
    """Return what a text is in the notebooks of each edition, and the edition's language."""
    return {translate(text, name, "grading"): name for name in ("en", *LANGUAGES)}


def _any_of(text: str) -> str:
    """Return a pattern for a text in any of the languages."""
    return f"(?:{'|'.join(map(re.escape, _said(text)))})"


_FOLDED = re.compile(_any_of("; a worked solution is folded up below"))
_SOLUTION = re.compile(rf"\s*#\s*(?:@title\s+)?{_any_of('Solution')}\b", re.IGNORECASE)
_SECTION = re.compile(rf"^##[ \t]+({_any_of('Exercises')})[ \t]*$", re.MULTILINE)
_EXERCISE = re.compile(rf"^###[ \t]+{_any_of('Exercise')}(?![A-Za-z])", re.MULTILINE)
_HAND_IN = re.compile(rf"^\W{{0,10}}{_any_of('Exercises to hand in')}(.*)$", re.IGNORECASE | re.MULTILINE)
# Chinese has no spaces between words: in "channels.1和channels.3" the second name begins after "和"
_NAME = re.compile(r"(?:[^\W\u3400-\u9fff]+|[\u3400-\u9fff]+)\.\d+")
_MAGIC = re.compile(r"^([ \t]*)[%!?].*$", re.MULTILINE)
_CHECKED = re.compile(r"""\bcheck\(\s*(?:exercise\s*=\s*)?["']([\w.]{1,100})["']""")


@dataclass(frozen=True)
class Cell:
    """A code cell: its position among the code cells, from 1, its source, the exercises that it names."""

    number: int
    source: str
    exercises: tuple[str, ...] = ()


@dataclass(frozen=True)
class Sheet:
    """A notebook that is graded.

    ``above`` are the cells before the section *Exercises*, ``cells`` those from there on but for worked
    solutions, which check ``solved``; ``set_exercises`` is what the sheet says that is to be handed in.
    """

    above: tuple[Cell, ...]
    cells: tuple[Cell, ...]
    solved: tuple[str, ...]
    set_exercises: tuple[str, ...]

    @property
    def named(self) -> tuple[str, ...]:
        """The exercises that its cells name, each once."""
        return tuple(dict.fromkeys(name for cell in self.cells for name in cell.exercises))


def read_cells(path: Path) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """Return a notebook, and kind and text of its cells; raise a ValueError if the file is none."""
    try:
        notebook = json.loads(path.read_text("utf-8-sig"))
        return notebook, [(cell["cell_type"], "".join(cell["source"])) for cell in notebook["cells"]]
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise ValueError(f"not a notebook: {type(error).__name__}: {str(error)[:200]}") from None


def read_sheet(path: Path, *, whole: bool) -> Sheet:
    """Read what is to be graded; raise a ValueError if the file is no notebook.

    Worked solutions are left out: cells that begin with ``# Solution`` or ``# @title Solution``, or with the
    same in another language of the course.
    """
    _, texts = read_cells(path)
    starts = [n for n, (kind, text) in enumerate(texts) if kind == "markdown" and _SECTION.search(text)]
    first = starts[0] if starts and not whole else 0
    above: list[Cell] = []
    found: list[Cell] = []
    solved: list[str] = []
    set_exercises: list[str] = []
    number = 0
    for position, (kind, text) in enumerate(texts):
        if kind == "markdown":
            for line in _HAND_IN.findall(text):
                set_exercises += _NAME.findall(line)
        if kind != "code":
            continue
        number += 1
        names = tuple(_CHECKED.findall(text))
        if _SOLUTION.match(text):
            solved += names
        elif text.strip():
            (above if position < first else found).append(Cell(number, text, names))
    return Sheet(tuple(above), tuple(found), tuple(solved), tuple(dict.fromkeys(set_exercises)))


def as_python(source: str) -> str:
    """Turn what only IPython understands, such as ``%pip install`` and ``!ls``, into Python."""
    try:
        ast.parse(source)
    except SyntaxError:
        try:
            from IPython.core.inputtransformer2 import TransformerManager
        except ImportError:
            return _MAGIC.sub(r"\1pass", source)
        manager: Any = TransformerManager
        transform: Callable[[str], str] = manager().transform_cell
        return transform(source)
    return source


def imports_and_definitions(source: str) -> str:
    """Keep the imports, functions, classes and constants of a cell."""
    try:
        body = ast.parse(as_python(source)).body
    except SyntaxError:
        return ""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return "\n\n".join(
        ast.unparse(statement) for statement in body if isinstance(statement, kept) or _is_constant(statement)
    )


def _is_constant(statement: ast.stmt) -> bool:
    if not isinstance(statement, ast.Assign):
        return False
    allowed = (ast.Constant, ast.Tuple, ast.List, ast.Dict, ast.Set, ast.UnaryOp, ast.USub, ast.Load)
    return all(isinstance(node, allowed) for node in ast.walk(statement.value))


def without_solutions(path: Path, only: Sequence[str] = ()) -> dict[str, Any]:
    """Return a notebook without its worked solutions, and perhaps with some of its exercises only.

    Parameters
    ----------
    path : Path
        The notebook; it stays as it is.
    only : sequence of str
        Names of the exercises that are kept; all, if there are none.
    """
    notebook, texts = read_cells(path)
    kept: list[dict[str, Any]] = []
    group: list[int] = []

    def close() -> None:
        names = [name for n in group for name in _CHECKED.findall(texts[n][1])]
        if not only or not names or any(name in only for name in names):
            kept.extend(copy.deepcopy(notebook["cells"][n]) for n in group)
        group.clear()

    for position, (kind, text) in enumerate(texts):
        if kind == "markdown" and (_EXERCISE.search(text) or text.lstrip().startswith("## ")):
            close()
        if not (kind == "code" and _SOLUTION.match(text)):
            group.append(position)
    close()
    for cell in kept:
        text = "".join(cell["source"])
        if cell["cell_type"] == "markdown" and (section := _SECTION.search(text)):
            text = _FOLDED.sub("", text)
            if only:
                line = fill("Exercises to hand in: {}", ", ".join(only), name=_said("Exercises")[section[1]])
                text += f"\n\n{line}"
        cell["source"] = text.splitlines(keepends=True)
    return notebook | {"cells": kept}
