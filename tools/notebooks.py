"""The canonical form of a chapter: the same content always gives the same bytes.

A chapter is committed with its outputs, so what differs from run to run without meaning anything is dropped
(timings, editors' metadata) or renumbered (execution counts, widget ids). What a reader would see stays as it
is: an output that shows a memory address isn't repaired here, but reported by `tests/chapters`.
"""

import copy
import hashlib
import json
import os
import re
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# `myst` sets a description, `mystnb` alt texts and prompts; `tags`, `jupyter` and `cellView` say what is
# folded on the page, in Jupyter and in Colab; `d2lconv` by how much a result
# may differ in another run (tests/chapters/compare.py).
_NOTEBOOK_METADATA = ("myst", "mystnb", "widgets")
_CELL_METADATA = ("cellView", "d2lconv", "jupyter", "mystnb", "tags")

_GOOD_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-9a-f]{8}")
_WIDGET_ID = re.compile(r"[0-9a-f]{32}")


def load(path: Path) -> NotebookNode:
    """Read a notebook as it is, without repairing or validating it.

    Raises
    ------
    ValueError
        If the file isn't a notebook of format 4.
    """
    try:
        data = json.loads(path.read_text("utf-8"))
    except ValueError as error:
        raise ValueError(f"{path.name} isn't a notebook: {error}") from error
    if not isinstance(data, dict) or data.get("nbformat") != 4 or not data.get("cells"):
        raise ValueError(f"{path.name} isn't a notebook of format 4 with cells")
    nb: NotebookNode = nbformat.v4.to_notebook(data)
    return nb


def dumps(nb: NotebookNode) -> str:
    """Text of a notebook: sorted keys, one space of indentation, one newline at the end."""
    text: str = nbformat.v4.writes(nb)
    return text + "\n"


def write(nb: NotebookNode, path: Path) -> bool:
    """Replace a notebook's file in one step, if its bytes change; return whether they did.

    Raises
    ------
    ValueError
        If it isn't a valid notebook.
    """
    try:
        nbformat.validate(nb)
    except nbformat.ValidationError as error:
        raise ValueError(f"not a valid notebook: {error}") from error
    content = dumps(nb).encode()
    if path.exists() and path.read_bytes() == content:
        return False
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
    return True


def normalise(nb: NotebookNode) -> NotebookNode:
    """Return the canonical form of a notebook; the argument stays as it is.

    `normalise` of a canonical notebook changes nothing.
    """
    nb = copy.deepcopy(nb)
    cells = [_cell(cell) for cell in nb.cells]
    _number_executed([cell for cell in cells if cell.cell_type == "code"])
    _name_cells(cells)
    metadata = {key: nb.metadata[key] for key in _NOTEBOOK_METADATA if nb.metadata.get(key)}
    metadata |= {"kernelspec": KERNELSPEC, "language_info": LANGUAGE}
    new: NotebookNode = nbformat.from_dict(
        {"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}
    )
    return _renumber_widgets(new)


def label(nb: NotebookNode, index: int) -> str:
    """Name a cell for a message: a code cell by its execution count, and every cell by its first line.

    Parameters
    ----------
    nb : NotebookNode
        The notebook.
    index : int
        Position of the cell, from 0, text cells included.

    Examples
    --------
    >>> nb = nbformat.v4.new_notebook()
    >>> nb.cells = [nbformat.v4.new_markdown_cell("# Pooling"), nbformat.v4.new_code_cell("x = 1")]
    >>> print(label(nb, 0), label(nb, 1), sep="; ")
    cell 1 (# Pooling); code cell [1] (x = 1)
    """
    cell = nb.cells[index]
    lines = cell.source.strip().splitlines() or ["empty"]
    first = lines[0] if len(lines[0]) <= 60 else lines[0][:59] + "…"
    if cell.cell_type != "code":
        return f"cell {index + 1} ({first})"
    count = sum(before.cell_type == "code" for before in nb.cells[: index + 1])
    return f"code cell [{count}] ({first})"


def _cell(cell: NotebookNode) -> NotebookNode:
    """Keep of a cell what readers, Jupyter Book and Colab use."""
    metadata = {key: cell.metadata[key] for key in _CELL_METADATA if cell.get("metadata", {}).get(key)}
    if "tags" in metadata:
        metadata["tags"] = sorted(set(metadata["tags"]))
    source = cell.source.replace("\r\n", "\n").strip("\n").rstrip()
    new = {"cell_type": cell.cell_type, "id": cell.get("id"), "metadata": metadata, "source": source}
    if cell.get("attachments"):
        new["attachments"] = cell.attachments
    if cell.cell_type == "code":
        new |= {"execution_count": cell.get("execution_count"), "outputs": _outputs(cell.get("outputs", []))}
    node: NotebookNode = nbformat.from_dict(new)
    return node


def _outputs(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join pieces of the same stream: where one piece ends is a matter of timing."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined


def _number_executed(cells: list[NotebookNode]) -> None:
    """Give executed cells the number of their place; cells that never ran stay without one."""
    for number, cell in enumerate(cells, start=1):
        if cell.execution_count is None:
            continue
        cell.execution_count = number
        for output in cell.outputs:
            if output.output_type == "execute_result":
                output.execution_count = number


def _name_cells(cells: list[NotebookNode]) -> None:
    """Give every cell a unique id, keeping those that someone chose.

    Random ids (Jupyter's and Colab's) are replaced by a digest of the cell, so that a chapter generated twice
    from the same text has the same ids. An id given once is kept when the cell changes.
    """
    taken: set[str] = set()
    for cell in cells:
        if not _is_chosen(cell.id) or cell.id in taken:
            cell.id = None
        else:
            taken.add(cell.id)
    for cell in cells:
        if cell.id is None:
            digest = hashlib.sha256(f"{cell.cell_type}\n{cell.source}".encode()).hexdigest()[:8]
            name, copies = f"cell-{digest}", 1
            while name in taken:
                copies += 1
                name = f"cell-{digest}-{copies}"
            taken.add(name)
            cell.id = name


def _is_chosen(name: str | None) -> bool:
    if not name or len(name) > 64:
        return False
    return bool(_GOOD_ID.fullmatch(name)) and not _RANDOM_ID.fullmatch(name)


def _renumber_widgets(nb: NotebookNode) -> NotebookNode:
    """Replace random widget ids by 1, 2, … (32 digits): first the widgets shown, then the others as created.

    Only ids of known widgets are replaced, wherever they stand in the outputs and the saved widget state.
    """
    saved = nb.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    views = [
        output.data[WIDGET_VIEW]
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if WIDGET_VIEW in output.get("data", {})
    ]
    order = dict.fromkeys([*(view.get("model_id", "") for view in views), *saved])
    known = [name for name in order if _WIDGET_ID.fullmatch(name)]
    if not known:
        return nb
    numbers = {name: f"{number:032x}" for number, name in enumerate(known, start=1)}
    pattern = re.compile("|".join(known))

    def replace(value: Any) -> Any:
        if isinstance(value, str):
            return pattern.sub(lambda match: numbers[match[0]], value)
        if isinstance(value, list):
            return [replace(item) for item in value]
        if isinstance(value, dict):
            return NotebookNode({replace(key): replace(item) for key, item in value.items()})
        return value

    if saved:
        nb.metadata.widgets = replace(nb.metadata.widgets)
    for cell in nb.cells:
        if "outputs" in cell:
            cell.outputs = replace(cell.outputs)
    return nb
