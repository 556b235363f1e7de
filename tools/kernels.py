"""Run the code cells of a chapter in a fresh kernel, and say clearly what went wrong where."""

import logging
import os
import re
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from traitlets.config import Config

from tools.notebooks import KERNELSPEC, label

_ANSI_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class ChapterError(Exception):
    """A chapter could not be run to its end."""


def run_cells(nb: NotebookNode, path: Path, *, timeout: float, each: Callable[[], None]) -> None:
    """Run every code cell of a notebook in a fresh Python kernel, and keep the outputs in the notebook.

    The kernel works in the chapter's folder, with one thread: several kernels run at once, and results must
    not depend on how many threads a machine has.

    Parameters
    ----------
    nb : NotebookNode
        The chapter; its old outputs and widget state are dropped.
    path : Path
        Where the chapter lies.
    timeout : float
        Longest time that one cell may run, in seconds.
    each : callable
        Called after each code cell.

    Raises
    ------
    ChapterError
        If a cell raises or runs too long, or if the kernel dies or doesn't start.
    """
    _forget_run(nb)
    reached = [0]

    def starts(cell: NotebookNode, cell_index: int) -> None:
        reached[0] = cell_index

    def ends(**_: Any) -> None:
        each()

    client = NotebookClient(
        nb,
        kernel_name=KERNELSPEC["name"],
        timeout=timeout,
        record_timing=False,
        resources={"metadata": {"path": str(path.parent)}},
        on_cell_execute=starts,
        on_cell_executed=ends,
        shutdown_kernel="immediate",
        log=logging.getLogger("tools.kernels.quiet"),
    )
    client.log.setLevel(logging.CRITICAL + 1)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("MPLBACKEND", None)  # else figures would be missing where it is set
    try:
        with tempfile.TemporaryDirectory(prefix="d2lconv-") as folder:
            client.config = _through_files(folder)
            client.execute(env=environment, stderr=subprocess.DEVNULL)
    except CellExecutionError as error:
        what = f"raised {error.ename}: {error.evalue}\n{error.traceback}"
        raise ChapterError(f"{label(nb, reached[0])} {_ANSI_COLOUR.sub('', what).rstrip()}") from None
    except CellTimeoutError:
        raise ChapterError(f"{label(nb, reached[0])} ran longer than {timeout:g} s") from None
    except DeadKernelError:
        raise ChapterError(
            f"the kernel died in {label(nb, reached[0])}: memory ran out, or compiled code crashed"
        ) from None
    except RuntimeError as error:
        raise ChapterError(f"no kernel could be started: {error}") from None


def _through_files(folder: str) -> Config:
    """Let a kernel talk through files instead of ports, which another kernel may take before it starts."""
    if os.name != "posix":
        return Config()
    return Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})


def _forget_run(nb: NotebookNode) -> None:
    nb.metadata.pop("widgets", None)
    for cell in nb.cells:
        if cell.cell_type == "code":
            cell.execution_count, cell.outputs = None, []
