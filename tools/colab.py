"""The two places of a chapter that name the repository: its Colab link and its install cell.

Both are made from `_config.yml` by `refresh`, so the address stands once. The link is text, not the usual
picture: that comes from Google's server, which no page of the book may ask for anything, and a picture
of our own would be broken in Colab, which sees the notebook but not the files beside it.
"""

import copy
import re
from pathlib import Path

import nbformat
from nbformat import NotebookNode

from tools.book import Book, Repository

LINK_TEXT = "Open in Colab"
INSTALL_ID = "install"
INSTALL_TAG = "hide-input"
INSTALL_PROMPT = "Install d2lconv where it is missing"

_LINK = re.compile(r"\[([^\]\n]+)\]\((?:https://colab\.research\.google\.com/[^)\s]*|colab)\)")


def install_source(repository: Repository) -> str:
    """Source of the cell that installs the package where it is missing, and elsewhere prints nothing."""
    return (
        "from importlib.util import find_spec\n"
        "\n"
        'if find_spec("d2lconv") is None:  # in Colab, for example\n'
        f'    %pip install --quiet "d2lconv @ git+{repository.url}@{repository.branch}"'
    )


def refresh(nb: NotebookNode, path: Path) -> NotebookNode:
    """Return a notebook with its Colab link and install cell made anew, or added where they are missing.

    Parameters
    ----------
    nb : NotebookNode
        A chapter; it stays as it is. The link is looked for in the first cell and keeps its text; in a new
        chapter, ``[Open in Colab](colab)`` may hold its place. The install cell is the one with the id
        ``install`` or the words ``find_spec("d2lconv")``; a new one is put third, or before all code.
    path : Path
        Where the chapter lies in its book.

    Raises
    ------
    BookError
        If `_config.yml` doesn't name a repository on GitHub.
    """
    book = Book.around(path)
    repository = book.repository()
    nb = copy.deepcopy(nb)
    _refresh_link(nb, repository.colab_url(path.resolve().relative_to(book.root).as_posix()))
    _refresh_install(nb, install_source(repository))
    return nb


def install_index(nb: NotebookNode) -> int | None:
    """Position of the install cell, or None."""
    for index, cell in enumerate(nb.cells):
        if cell.get("id") == INSTALL_ID or (
            cell.cell_type == "code" and 'find_spec("d2lconv")' in cell.source
        ):
            return index
    return None


def _refresh_link(nb: NotebookNode, url: str) -> None:
    if not nb.cells or nb.cells[0].cell_type != "markdown":
        return
    cell = nb.cells[0]
    cell.source, found = _LINK.subn(lambda match: f"[{match[1]}]({url})", cell.source, count=1)
    if not found:
        title, _, rest = cell.source.strip().partition("\n")
        parts = [title, f"[{LINK_TEXT}]({url})", rest.strip()]
        cell.source = "\n\n".join(part for part in parts if part)


def _refresh_install(nb: NotebookNode, source: str) -> None:
    index = install_index(nb)
    if index is None:
        code = [place for place, cell in enumerate(nb.cells) if cell.cell_type == "code"]
        index = min([2, len(nb.cells), *code])
        nb.cells.insert(index, nbformat.v4.new_code_cell())
    cell = nb.cells[index]
    cell.id = INSTALL_ID
    cell.source = source
    cell.metadata.tags = sorted({*cell.metadata.get("tags", []), INSTALL_TAG})
    prompts = cell.metadata.setdefault("mystnb", NotebookNode())
    prompts.setdefault("code_prompt_show", INSTALL_PROMPT)
