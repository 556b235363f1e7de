"""Grade notebooks: each runs in a process of its own, with a limit of time and memory.

The same checks as in the notebook decide. They guard against mistakes and accidents; code that sets out to
deceive runs beside the checks and could, so look at surprising results yourself.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from d2lconv.exercises.engine.notebooks import Cell, cells_to_run
from d2lconv.exercises.engine.registry import CHAPTERS, exercises_of

GIB = 2**30
_STARTING = 120.0  # most seconds that loading PyTorch may take


@dataclass(frozen=True)
class Grade:
    """What became of one exercise in one notebook.

    ``status`` is one of ``"correct"``, ``"not yet"``, ``"not attempted"``, ``"missing"``, ``"error"`` (its
    cell raised), ``"stopped"`` (time or memory ran out).
    """

    notebook: str
    exercise: str
    status: str
    summary: str = ""
    misconception: str = ""
    hint: str = ""

    def as_dict(self) -> dict[str, str]:
        """Return it in a form that JSON holds."""
        return asdict(self)


def grade(path: Path, *, seconds: float, memory: float, whole: bool = False) -> list[Grade]:
    """Grade one notebook; raise a ValueError if it is none, or checks no exercise.

    Parameters
    ----------
    path : Path
        The notebook.
    seconds, memory : float
        Most time for the whole notebook, and most memory in GiB.
    whole : bool
        Whether to run all of it, not only its exercises.
    """
    cells = cells_to_run(path, whole=whole)
    named = [exercise for cell in cells for exercise in cell.exercises]
    chapters = [chapter for chapter in CHAPTERS if any(name.startswith(f"{chapter}.") for name in named)]
    if not chapters:
        raise ValueError(f"{path} checks no exercise")
    lines, end = _run(cells, path.parent, seconds, memory)
    wanted = [exercise.id for chapter in chapters for exercise in exercises_of(chapter)]
    own = {name: [line for line in lines if line["exercise"] == name] for name in wanted}
    return [_grade(str(path), name, own[name], end, name in named) for name in wanted]


def _grade(path: str, exercise: str, lines: list[dict[str, Any]], end: str, named: bool) -> Grade:
    """Grade by the lines that the worker wrote about one exercise; the last check counts."""
    if lines and lines[-1]["status"] != "ended":
        return Grade(path, exercise, "stopped", end or "its cell ended the process")
    if not lines and named:
        return Grade(path, exercise, "stopped", f"not reached: {end or 'a cell before ended the process'}")
    checks = [line for line in lines if line["status"] not in ("begun", "ended")]
    return Grade(path, **checks[-1]) if checks else Grade(path, exercise, "missing", "no cell checks it")


def _run(cells: list[Cell], folder: Path, seconds: float, memory: float) -> tuple[list[dict[str, Any]], str]:
    """Run cells in another process; return what it noted, and how it ended if not well."""
    with tempfile.TemporaryDirectory(prefix="d2lconv-") as scratch:
        job, results, errors = (Path(scratch, name) for name in ("job.json", "results", "errors"))
        job.write_text(
            json.dumps({"memory": int(memory * GIB), "cells": [cell.as_dict() for cell in cells]}), "utf-8"
        )
        results.touch()
        with errors.open("w") as stderr:
            process = subprocess.Popen(
                [sys.executable, "-m", "d2lconv.exercises.engine.worker", str(job), str(results)],
                cwd=folder,
                env=os.environ | {"MPLBACKEND": "agg", "OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""},
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=stderr,
                start_new_session=True,
            )
            try:
                _wait_until_ready(process, results)
                code = process.wait(seconds)
                end = "" if code == 0 else _how_it_ended(code)
            except subprocess.TimeoutExpired:
                end = f"the notebook ran longer than {seconds:g} s"
            finally:
                _kill(process)
        last = errors.read_text("utf-8", errors="replace").strip().splitlines()[-1:]
        lines = [json.loads(line) for line in results.read_text("utf-8").splitlines()]
    return lines, f"{end} ({last[0]})" if end.startswith("the process") and last else end


def _wait_until_ready(process: subprocess.Popen[bytes], results: Path) -> None:
    """Wait until the worker has loaded PyTorch, which is none of the student's time."""
    end = time.monotonic() + _STARTING
    while process.poll() is None and not results.stat().st_size and time.monotonic() < end:
        time.sleep(0.05)


def _how_it_ended(code: int) -> str:
    if code < 0:
        return f"the process was ended by {signal.Signals(-code).name}"
    return f"the process ended with code {code}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()
