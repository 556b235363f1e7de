"""Guards for stored outputs: they are there, and they are the same on every machine."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.guards.messages import problem
from tools.notebooks import WIDGET_STATE, WIDGET_VIEW

_RUN = "run: make execute CHAPTER="
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{8,}")
_LOCAL_PATH = re.compile(
    r"(?<![\w.:/])/(?:home|mnt|private|root|tmp|Users|var|work)/\w[^\s\"'<>,]*|\b[A-Z]:\\+\w+"
)
_DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
_TIMING = re.compile(r"\b\d+(?:\.\d+)?\s?(?:ns|µs|us|ms|secs?|seconds|minutes|it/s|s/it)\b|\b\d+\.\d+\s?s\b")


def every_cell_was_run(nb: NotebookNode, path: Path) -> list[str]:
    """Require an execution count in every code cell: nbval compares nothing in a cell without one."""
    return [
        problem(
            nb, path, index, f"it was never run; {_RUN}{path.stem}" if cell.source.strip() else "delete it"
        )
        for index, cell in _code_cells(nb)
        if cell.execution_count is None
    ]


def cells_ran_in_order(nb: NotebookNode, path: Path) -> list[str]:
    """Require execution counts 1, 2, … from top to bottom, as a reader runs the chapter."""
    return [
        problem(nb, path, index, f"it was run as number {cell.execution_count}; {_RUN}{path.stem}")
        for number, (index, cell) in enumerate(_code_cells(nb), start=1)
        if cell.execution_count not in (number, None)
    ]


def no_errors(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid errors and stderr; an error that is taught is caught, and its message printed."""
    problems = []
    for index, output in _outputs(nb):
        if output.output_type == "error":
            what = f"it raised {output.ename}; to show an error, catch it and print its message"
            problems.append(problem(nb, path, index, what))
        elif output.get("name") == "stderr":
            line = output.text.strip().splitlines()[0]
            problems.append(problem(nb, path, index, f"it wrote to stderr ({line!r}); remove the cause"))
    return problems


def results_are_shown(nb: NotebookNode, path: Path) -> list[str]:
    """Require an output where a cell prints or ends in a value, even if nbval is told to ignore it."""
    return [
        problem(nb, path, index, f"it shows a result, but none is stored; {_RUN}{path.stem}")
        for index, cell in _code_cells(nb)
        if _shows_result(cell.source) and not cell.outputs
    ]


def widget_state_is_saved(nb: NotebookNode, path: Path) -> list[str]:
    """Require the saved state of every widget shown: without it the page is silently blank."""
    saved = nb.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    return [
        problem(nb, path, index, f"its widget has no saved state; {_RUN}{path.stem}")
        for index, output in _outputs(nb)
        if WIDGET_VIEW in output.get("data", {}) and output.data[WIDGET_VIEW].get("model_id") not in saved
    ]


def no_memory_addresses(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid memory addresses in outputs: they differ in every run."""
    return [
        problem(nb, path, index, f"its output shows the address {match[0]}; give the object a __repr__")
        for index, text in _texts(nb, images=False)
        for match in [_ADDRESS.search(text)]
        if match
    ]


def no_local_paths(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid folders of one machine, in sources and outputs."""
    sources = ((index, cell.source) for index, cell in enumerate(nb.cells))
    return [
        problem(nb, path, index, f"it names {match[0]}, which exists on one machine only")
        for index, text in [*sources, *_texts(nb)]
        for match in [_LOCAL_PATH.search(_DATA_URI.sub("", text))]
        if match
    ]


def no_timings(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid timings in outputs; a cell may show a verdict (`faster: True`)."""
    return [
        problem(nb, path, index, f"its output shows a time ({match[0]}); show a verdict such as faster: True")
        for index, text in _texts(nb, images=False)
        for match in [_TIMING.search(text)]
        if match
    ]


def _code_cells(nb: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((index, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "code")


def _outputs(nb: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((index, output) for index, cell in _code_cells(nb) for output in cell.outputs)


def _texts(nb: NotebookNode, *, images: bool = True) -> Iterator[tuple[int, str]]:
    """Yield the text that outputs hold: streams, plain text, HTML and, if asked for, SVG."""
    for index, output in _outputs(nb):
        if output.output_type == "stream":
            yield index, output.text
        for kind, value in output.get("data", {}).items():
            if isinstance(value, str) and (kind.startswith("text/") or (images and kind == "image/svg+xml")):
                yield index, value


def _shows_result(source: str) -> bool:
    """Tell whether a cell surely shows something: it ends in a value other than a call, or prints.

    A call may return None, and a cell with magics isn't Python: nothing is said about these.
    """
    try:
        body = ast.parse(source).body
    except SyntaxError:
        return False
    values = [statement.value for statement in body if isinstance(statement, ast.Expr)]
    if any(isinstance(value, ast.Call) and _is_plain_print(value) for value in values):
        return True
    if not body or not isinstance(body[-1], ast.Expr) or source.rstrip().endswith(";"):
        return False
    last = body[-1].value
    is_none = isinstance(last, ast.Constant) and last.value is None
    return not is_none and not isinstance(last, ast.Call | ast.Await)


def _is_plain_print(call: ast.Call) -> bool:
    return isinstance(call.func, ast.Name) and call.func.id == "print" and not call.keywords
