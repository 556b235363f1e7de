"""How a guard names the place of a problem."""

from pathlib import Path

from nbformat import NotebookNode

from tools.notebooks import label


def problem(nb: NotebookNode, path: Path, index: int, what: str) -> str:
    """Return a message that names chapter, cell and problem.

    Parameters
    ----------
    nb, path
        The chapter.
    index : int
        Position of the cell, from 0.
    what : str
        The problem, and what to do about it.
    """
    return f"{path.stem}, {label(nb, index)}: {what}"
