"""The cells of a notebook that are graded: a student's, not the worked solutions."""

from __future__ import annotations

import ast
import json
import re
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

_SOLUTION = re.compile(r"\s*#\s*(?:@title\s+)?Solution\b", re.IGNORECASE)
_SECTION = re.compile(r"^##\s+Exercises\s*$", re.MULTILINE)
_MAGIC = re.compile(r"^(\s*)[%!?].*$", re.MULTILINE)
_CHECKED = re.compile(r"""\bcheck\(\s*["']([\w.]+)["']""")


@dataclass(frozen=True)
class Cell:
    """A code cell to run: its position among the code cells, from 1, its source, the exercises it checks."""

    number: int
    source: str
    exercises: tuple[str, ...]

    def as_dict(self) -> dict[str, Any]:
        """Return it in a form that JSON holds."""
        return asdict(self)


def cells_to_run(path: Path, *, whole: bool) -> list[Cell]:
    """Return the cells to run in order; raise a ValueError if the file is no notebook.

    Of the cells before the section *Exercises* only imports and definitions are kept, unless the whole
    notebook is asked for. Worked solutions are left out: cells that begin with ``# Solution`` or
    ``# @title Solution``.
    """
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
        texts = [(cell["cell_type"], "".join(cell["source"])) for cell in cells]
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"{path} is not a notebook: {error!r}") from error
    starts = [
        position
        for position, (kind, text) in enumerate(texts)
        if kind == "markdown" and _SECTION.search(text)
    ]
    first = starts[0] if starts and not whole else 0
    found, number = [], 0
    for position, (kind, text) in enumerate(texts):
        if kind != "code":
            continue
        number += 1
        if _SOLUTION.match(text):
            continue
        source = without_magics(text)
        if position < first:
            source = _imports_and_definitions(source)
        if source.strip():
            found.append(Cell(number, source, tuple(_CHECKED.findall(source))))
    return found


def without_magics(source: str) -> str:
    """Replace lines for IPython alone, such as ``%pip install``, by ``pass``, where a cell has any."""
    try:
        ast.parse(source)
    except SyntaxError:
        return _MAGIC.sub(r"\1pass", source)
    return source


def _imports_and_definitions(source: str) -> str:
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return ""
    kept = (ast.Import, ast.ImportFrom, ast.FunctionDef, ast.ClassDef)
    return "\n\n".join(ast.unparse(statement) for statement in body if isinstance(statement, kept))
