"""Guards for code that nbval can't compare, or that it would compare wrongly."""

import ast
import re
from pathlib import Path

from nbformat import NotebookNode
from nbval.plugin import comment_markers, metadata_tags  # type: ignore[import-untyped]

from tools.guards.messages import problem

_UNCOMPARABLE = {
    r"\bclear_output\b": "nbval sees what clear_output clears; don't use it",
    r"\bOut\[": "nbval runs cells without history, so Out[n] is missing; name the value",
    r"(?m)%timeit\b|^\s*%%?(?:time|prun)\b": "a time differs in every run; show a verdict instead",
    r"\bdisplay_id\s*=|\bupdate_display\b": "nbval doesn't follow updates of a display; show the result once",
    r"\bwidgets\.Output\(|\bimport\b.*\bOutput\b": "nbval doesn't see what an Output widget holds; print",
    r"\btqdm\b": "a progress bar differs in every run; leave it out",
}
_SKIPPING = (
    "NBVAL_SKIP",
    "nbval-skip",
    "NBVAL_RAISES_EXCEPTION",
    "nbval-raises-exception",
    "raises-exception",
)


def nbval_can_compare(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid what nbval reports as different although it is the same."""
    problems = []
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        reasons = [reason for pattern, reason in _UNCOMPARABLE.items() if re.search(pattern, cell.source)]
        if _ends_in_silenced_value(cell.source):
            reasons.append("for nbval, a last ';' hides nothing; end the cell in plt.show(), or write _ = …")
        problems += [problem(nb, path, index, reason) for reason in reasons]
    return problems


def nbval_markers_work(nb: NotebookNode, path: Path) -> list[str]:
    """Require markers and tags that nbval knows, written as it reads them, and that hide no cell from it."""
    problems = []
    for index, cell in enumerate(nb.cells):
        if cell.cell_type != "code":
            continue
        tags = [
            tag
            for tag in cell.metadata.get("tags", [])
            if "nbval" in tag.lower() or tag == "raises-exception"
        ]
        lines = [line.strip() for line in cell.source.splitlines() if "NBVAL" in line.upper()]
        markers = [line.lstrip("#").strip() if line.startswith("#") else line for line in lines]
        for name in [*tags, *markers]:
            if name in _SKIPPING:
                problems.append(
                    problem(nb, path, index, f"{name} hides it from nbval; let it run and be compared")
                )
            elif name not in comment_markers and name not in metadata_tags:
                what = f"nbval doesn't know {name!r}; a marker is a whole line, such as # NBVAL_IGNORE_OUTPUT"
                problems.append(problem(nb, path, index, what))
    return problems


def _ends_in_silenced_value(source: str) -> bool:
    if not source.rstrip().endswith(";"):
        return False
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    return bool(body) and isinstance(body[-1], ast.Expr)
