"""The canonical form of a chapter: the same content always gives the same bytes.

    python -m tools.notebooks [CHAPTER ...]           write chapters in canonical form, without running them
    python -m tools.notebooks --check [CHAPTER ...]   only say what is wrong: the form, or a cell never run

A chapter is committed with its outputs, so what differs from run to run without meaning anything is dropped
(timings, editors' metadata) or renumbered (execution counts, widget ids). What need not be written by hand is
added: the Colab link, the install cell, and what folds imports and solutions.
"""

import argparse
import ast
import copy
import functools
import hashlib
import json
import os
import re
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import nbformat
from nbformat import NotebookNode

from tools.book import Book, Repository

KERNELSPEC = {"display_name": "Python 3", "language": "python", "name": "python3"}
LANGUAGE = {"name": "python", "pygments_lexer": "ipython3"}
WIDGET_STATE = "application/vnd.jupyter.widget-state+json"
WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"

# `myst` sets a description, `mystnb` alt texts and prompts; `tags`, `jupyter` and `cellView` say what is
# folded on the page, in Jupyter and in Colab; `d2lconv` by how much a result
# may differ in another run (tests/chapters/compare.py).
_NOTEBOOK_METADATA = ("myst", "mystnb", "widgets")
_CELL_METADATA = ("cellView", "d2lconv", "jupyter", "mystnb", "tags")

SOLUTION_LINE = "# @title Solution"
SOLUTION_METADATA = {
    "cellView": "form",
    "jupyter": {"source_hidden": True},
    "mystnb": {"code_prompt_show": "Show the solution", "code_prompt_hide": "Hide the solution"},
    "tags": ["hide-cell"],
}
INSTALL_PROMPT, IMPORT_PROMPT = "Install d2lconv where it is missing", "Imports"
_SETUP = {"use_course_style", "set_num_threads", "manual_seed", "set_printoptions"}
_COLAB_LINK = re.compile(r"\[([^\]\n]+)\]\((?:https://colab\.research\.google\.com/[^)\s]*|colab)\)")
_VIEW_SOURCE = ("_css", "_esm")  # left out, so that a change of one touches no notebook; a page has its own

_GOOD_ID = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_RANDOM_ID = re.compile(r"[0-9a-f]{8}(-?[0-9a-f]{4}){3}-?[0-9a-f]{12}|[0-9a-f]{8}")
_WIDGET_ID = re.compile(r"[0-9a-f]{32}")


def load(path: Path) -> NotebookNode:
    """Read a notebook of format 4 as it is, without repairing or validating it; else raise ValueError."""
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
    """Replace a notebook's file in one step, if its bytes change; return whether they did."""
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


def canonical(nb: NotebookNode, path: Path) -> NotebookNode:
    """Return the canonical form of the chapter at `path`, with its Colab link and install cell made anew.

    The argument stays as it is. In a new chapter, ``[Open in Colab](colab)`` may hold the link's place.
    """
    book = Book.around(path)
    nb = copy.deepcopy(nb)
    _link_to_colab(nb, book.repository().colab_url(path.resolve().relative_to(book.root).as_posix()))
    index = install_index(nb)
    if index is None:
        code = [position for position, cell in enumerate(nb.cells) if cell.cell_type == "code"]
        index = min([2, len(nb.cells), *code])
        nb.cells.insert(index, nbformat.v4.new_code_cell())
    nb.cells[index] |= {"id": "install", "source": install_source(book.repository())}
    return normalise(nb)


def install_source(repository: Repository) -> str:
    """Return the source of the cell that installs the package where it is missing."""
    return (
        "from importlib.util import find_spec\n"
        "\n"
        'if find_spec("d2lconv") is None:  # in Colab, for example\n'
        f'    %pip install --quiet "d2lconv @ git+{repository.url}@{repository.branch}"'
    )


def install_index(nb: NotebookNode) -> int | None:
    """Return the position of the install cell, or None."""
    found = (i for i, cell in enumerate(nb.cells) if cell.cell_type == "code" and _installs(cell))
    return next(found, None)


def normalise(nb: NotebookNode) -> NotebookNode:
    """Return the canonical form of a notebook wherever it lies; the argument stays as it is.

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
    for widget in _figures(new)[1].values():
        for key in _VIEW_SOURCE:
            widget.get("state", {}).pop(key, None)
    return _renumber_widgets(new)


def label(nb: NotebookNode, index: int) -> str:
    """Name the cell at a position for a message: if it has code by its number, and by its first line.

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
    source = cell.source.replace("\r\n", "\n").strip("\n").rstrip()
    if cell.cell_type == "code":
        metadata = _folded(metadata, cell)
    if "tags" in metadata:
        metadata["tags"] = sorted(set(metadata["tags"]))
    new = {"cell_type": cell.cell_type, "id": cell.get("id"), "metadata": metadata, "source": source}
    if cell.get("attachments"):
        new["attachments"] = cell.attachments
    if cell.cell_type == "code":
        new |= {"execution_count": cell.get("execution_count"), "outputs": _outputs(cell.get("outputs", []))}
    node: NotebookNode = nbformat.from_dict(new)
    return node


def _folded(metadata: dict[str, Any], cell: NotebookNode) -> dict[str, Any]:
    """Add what folds a solution, the install cell or a cell of imports; words of its own are kept."""
    if cell.source.startswith(SOLUTION_LINE):
        added: dict[str, Any] = SOLUTION_METADATA
    elif _installs(cell) or _is_import_cell(cell):
        prompt = INSTALL_PROMPT if _installs(cell) else IMPORT_PROMPT
        added = {"mystnb": {"code_prompt_show": prompt}, "tags": ["hide-input"]}
    else:
        return metadata
    tags = [*metadata.get("tags", []), *added["tags"]]
    return {**metadata, **added, "mystnb": {**added["mystnb"], **metadata.get("mystnb", {})}, "tags": tags}


def _installs(cell: NotebookNode) -> bool:
    return cell.get("id") == "install" or 'find_spec("d2lconv")' in cell.source


def _is_import_cell(cell: NotebookNode) -> bool:
    """Return whether a cell only imports and sets up, and shows nothing."""
    try:
        body = ast.parse(cell.source).body
    except SyntaxError:  # magics
        return False
    imports = [isinstance(node, ast.Import | ast.ImportFrom) for node in body]
    others = [node for node, is_import in zip(body, imports, strict=True) if not is_import]
    return any(imports) and not cell.get("outputs") and all(map(_sets_up, others))


def _sets_up(node: ast.stmt) -> bool:
    if not isinstance(node, ast.Expr) or not isinstance(node.value, ast.Call):
        return False
    return ast.unparse(node.value.func).split(".")[-1] in _SETUP


def _link_to_colab(nb: NotebookNode, url: str) -> None:
    """Put the link below the title. It is text, because Colab's picture comes from a third party."""
    cell = nb.cells[0]
    if cell.cell_type != "markdown":
        return
    cell.source, found = _COLAB_LINK.subn(lambda match: f"[{match[1]}]({url})", cell.source, count=1)
    if not found:
        title, _, rest = cell.source.strip().partition("\n")
        parts = [title, f"[Open in Colab]({url})", rest.strip()]
        cell.source = "\n\n".join(part for part in parts if part)


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


def _figures(nb: NotebookNode) -> tuple[list[str], dict[str, Any]]:
    """Return the ids of the widgets that a notebook shows, and the saved widgets by their ids."""
    outputs = [output for cell in nb.cells for output in cell.get("outputs", [])]
    views = [output.data[WIDGET_VIEW] for output in outputs if WIDGET_VIEW in output.get("data", {})]
    saved = nb.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {})
    return [view.get("model_id", "") for view in views], saved


def _renumber_widgets(nb: NotebookNode) -> NotebookNode:
    """Replace random widget ids by 1, 2, … (32 digits): first the widgets shown, then the others as created.

    Only ids of known widgets are replaced, wherever they stand in the outputs and the saved widget state.
    """
    shown, saved = _figures(nb)
    order = dict.fromkeys([*shown, *saved])
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


def tidy(path: Path, *, check: bool = False) -> list[str]:
    """Write a chapter in canonical form, or only say what is wrong with it: a list of messages."""
    try:
        before = load(path)
        nb = canonical(before, path)
        if not check:
            if write(nb, path):
                print(f"{path.stem}: tidied")
            return []
    except ValueError as error:
        return [f"{path.stem}: {error}"]
    problems = []
    if dumps(nb).encode() != path.read_bytes():
        problems.append(f"{path.stem}: not in canonical form; run: make tidy CHAPTER={path.stem}")
    never = [
        i for i, cell in enumerate(before.cells) if cell.cell_type == "code" and not cell.execution_count
    ]
    if never:
        where = label(before, never[0]) + (f" and {len(never) - 1} more" if len(never) > 1 else "")
        problems.append(f"{path.stem}: {where} never ran; run: make execute CHAPTER={path.stem}")
    return problems


def without_figures(path: Path) -> list[str]:
    """Say whether a chapter shows figures whose state isn't saved in it, as after a run in Jupyter."""
    shown, saved = _figures(load(path))
    if all(name in saved for name in shown):
        return []
    return [
        f"{path.stem}: it was run in Jupyter, which left the state of its figures out. Run: make execute "
        f"CHAPTER={path.stem}; or, to drop all changes in it: git checkout {path.relative_to(Path.cwd())}"
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 1 if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m tools.notebooks", description="Tidy chapters.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="name of a chapter (default: all)")
    parser.add_argument("--check", action="store_true", help="write nothing, name what is wrong")
    parser.add_argument("--figures", action="store_true", help="only say where figures can't be shown")
    options = parser.parse_args(arguments)
    try:
        paths = Book.around(Path.cwd()).select(options.chapters)
        check = without_figures if options.figures else functools.partial(tidy, check=options.check)
        problems = [problem for path in paths for problem in check(path)]
    except ValueError as error:
        problems = [f"error: {error}"]
    print(*problems, sep="\n", end="\n" if problems else "", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
