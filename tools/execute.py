"""Run chapters in fresh kernels and write them in canonical form: the tool behind `make execute`.

A chapter that raises, runs too long or kills its kernel isn't written. The others are. Ctrl-C, SIGTERM and a
closed terminal end the kernels, and leave chapters that hadn't finished as they were.
"""

import argparse
import asyncio
import contextlib
import logging
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import psutil  # type: ignore[import-untyped]
from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode
from tqdm import tqdm  # type: ignore[import-untyped]
from traitlets.config import Config

from tools.book import Book
from tools.notebooks import canonical, label, load, write

CELL_TIMEOUT = 300.0  # seconds, as pyproject.toml tells nbval
_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_SIGNALS = [getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)]
_CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
Each = Callable[[], object] | None


def run_cells(nb: NotebookNode, path: Path, *, timeout: float = CELL_TIMEOUT, each: Each = None) -> None:
    """Run a notebook's code cells in a fresh kernel with one thread, and keep the outputs in it.

    The kernel works in the folder of `path`. `timeout` is that of a cell, in seconds; `each` is called after
    each cell. A ValueError names a cell that raises, runs too long or ends its kernel.
    """
    nb.metadata.pop("widgets", None)
    for cell in (cell for cell in nb.cells if cell.cell_type == "code"):
        cell.execution_count, cell.outputs = None, []
    reached = [0]
    client = NotebookClient(nb, kernel_name="python3", timeout=timeout, iopub_timeout=60, record_timing=False)
    client.on_cell_execute = lambda cell, cell_index: reached.append(cell_index)
    client.on_cell_executed = lambda **_: each and each()
    client.shutdown_kernel = "immediate"
    client.log = logging.Logger("quiet", logging.CRITICAL + 1)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    environment.pop("MPLBACKEND", None)  # else figures would be missing where it is set
    try:
        with tempfile.TemporaryDirectory(prefix="d2lconv-") as folder:
            if os.name == "posix":  # through files: another kernel may take a port before this one does
                client.config = Config(KernelManager={"transport": "ipc", "ip": f"{folder}/kernel"})
            run = client.async_execute(cwd=path.parent, env=environment, stderr=subprocess.DEVNULL)
            with ThreadPoolExecutor(1) as own_loop:  # the caller's thread may run one already
                own_loop.submit(asyncio.run, run).result()
        return
    except CellExecutionError as error:
        why = _ANSI.sub("", f"raised {error.ename}: {error.evalue}\n{error.traceback}").rstrip()
    except CellTimeoutError:
        why = f"ran longer than {timeout:g} s"
    except DeadKernelError:
        why = "ended its kernel: memory ran out, or compiled code crashed"
    except RuntimeError as error:
        why = f"could not be run: {error}"
    raise ValueError(f"{label(nb, reached[-1])} {why}")


def run_chapter(path: Path, timeout: float = CELL_TIMEOUT, each: Each = None) -> str:
    """Run a chapter and write it, unless it failed or its file changed meanwhile; return what is wrong."""
    start, outcome, problem = time.perf_counter(), "FAILED", ""
    try:
        before = path.read_bytes()
        nb = canonical(load(path), path)
        run_cells(nb, path, timeout=timeout, each=each)
        if path.read_bytes() != before:
            raise ValueError("its file changed while it ran, so nothing was written; run it again")
        outcome = "written" if write(canonical(nb, path), path) else "unchanged"
    except (OSError, ValueError) as error:
        problem = f"{path.stem}: {error}"
    tqdm.write(f"{path.stem:<24} {time.perf_counter() - start:6.1f} s  {outcome}")
    return problem


def execute(paths: Sequence[Path], timeout: float = CELL_TIMEOUT) -> list[str]:
    """Run chapters side by side, one for each core, and return what went wrong."""
    cells = sum(path.read_text("utf-8").count('"cell_type": "code"') for path in paths)
    with tqdm(total=cells, unit="cell", disable=None, leave=False) as bar, ThreadPoolExecutor(_CORES) as pool:
        futures = [pool.submit(run_chapter, path, timeout, bar.update) for path in paths]
        try:
            return [problem for future in futures if (problem := future.result())]
        except KeyboardInterrupt:
            for number in _SIGNALS:
                signal.signal(number, signal.SIG_IGN)
            pool.shutdown(wait=False, cancel_futures=True)
            while not all(future.done() for future in futures):  # again and again: one may just be starting
                with contextlib.suppress(psutil.NoSuchProcess):
                    for process in psutil.Process().children(recursive=True):
                        process.kill()
                time.sleep(0.1)
            raise


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; return 0 if all went well, 1 if something is wrong, 130 if interrupted."""
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description="Run and write chapters.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="name of a chapter (default: all)")
    parser.add_argument("--timeout", type=float, default=CELL_TIMEOUT, help="of one cell, in seconds")
    options = parser.parse_args(arguments)
    for number in _SIGNALS:
        if signal.getsignal(number) is signal.SIG_DFL:  # nohup ignores a closed terminal
            signal.signal(number, signal.default_int_handler)
    try:
        problems = execute(Book.around(Path.cwd()).select(options.chapters), options.timeout)
    except ValueError as error:
        problems = [f"error: {error}"]
    except KeyboardInterrupt:
        print("interrupted: chapters that hadn't finished are as they were", file=sys.stderr, flush=True)
        return 130
    print("".join(f"\n{problem}\n" for problem in problems), end="", file=sys.stderr)
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
