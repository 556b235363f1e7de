"""Grade notebooks: each is read and run in a process of its own, with a limit of time and memory.

The same checks as in the notebook decide. They guard against mistakes and accidents. Code that sets out to
deceive runs beside the checks and could, with the rights, the files and the network of whoever grades.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

GIB = 2**30
_STARTING = 120.0  # most seconds that loading PyTorch may take
_MOST_BYTES = 2**21  # of results that are kept
_LAST_BYTES = 2**12  # of what goes to stderr that are kept
_MOST_LETTERS = 4_000  # of a text that is told


@dataclass(frozen=True)
class Grade:
    """What became of one exercise in one notebook.

    ``status`` is one of ``"correct"``, ``"not yet"``, ``"not attempted"``, ``"missing"``, ``"error"`` (its
    cell raised), ``"stopped"`` (time or memory ran out). ``level`` is the number of its stars, ``details``
    the case that fails.
    """

    notebook: str
    exercise: str
    status: str
    summary: str = ""
    misconception: str = ""
    hint: str = ""
    level: int = 0
    details: list[list[str]] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return it in a form that JSON holds."""
        return asdict(self)


def notebooks_of(name: str) -> list[Path]:
    """Return the notebook of this name, or those of a folder, at any depth, or of a pattern such as ``*``."""
    path = Path(name)
    if path.is_dir():
        found = sorted(path.rglob("*.ipynb"))
    elif "*" in name and not path.exists():
        found = sorted(Path(path.anchor or ".").glob(name.removeprefix(path.anchor)))
    else:
        return [path]
    return [one for one in found if ".ipynb_checkpoints" not in one.parts]


def grade(
    path: Path,
    *,
    seconds: float,
    memory: float,
    whole: bool = False,
    only: Sequence[str] = (),
    exercises: Sequence[str] = (),
) -> list[Grade]:
    """Grade one notebook; raise a ValueError or OSError if it can't be read, or names no exercise.

    Parameters
    ----------
    path : Path
        The notebook.
    seconds, memory : float
        Most time for the whole notebook, and most memory in GiB.
    whole : bool
        Whether to run all of it, not only its exercises.
    only : sequence of str
        Names of the exercises that count; without any, those of the sheet.
    exercises : sequence of str
        Files with exercises of one's own.
    """
    if path.exists() and not path.is_file():
        raise ValueError(f"{path} is no file")
    with path.open("rb"):  # an OSError that names it
        pass
    job = {
        "notebook": str(path.absolute()),
        "memory": int(memory * GIB),
        "whole": whole,
        "only": list(only),
        "exercises": [str(Path(file).absolute()) for file in exercises],
    }
    events, end = _run(job, path.absolute().parent, seconds)
    sheet = next((one for one in events if one["event"] == "sheet"), None)
    if sheet is None:
        told = next(
            (one.get("text") for one in events if one["event"] == "problem"), end or "nothing came back"
        )
        raise ValueError(f"{path} can't be graded: {told}")
    if not sheet["levels"]:
        raise ValueError(f"{path} checks no exercise")
    return [_grade(str(path), name, level, events, sheet, end) for name, level in sheet["levels"].items()]


def _grade(
    path: str, name: str, level: int, events: list[dict[str, Any]], sheet: dict[str, Any], end: str
) -> Grade:
    """Grade by what the worker told about one exercise; the last check counts, else the last error."""
    grade: Grade | None = None
    running = False  # in a cell that names the exercise
    for one in events:
        if one["event"] == "begin":
            running = name in one["exercises"]
        elif one["event"] == "check" and one["exercise"] == name:
            told = {key: one[key] for key in ("status", "summary", "misconception", "hint", "details")}
            grade = Grade(path, name, level=level, **told)
            running = False
        elif one["event"] == "end":
            if one["error"] and name in one["exercises"]:
                grade = Grade(path, name, "error", one["error"], level=level)
            running = False
    if running:
        return Grade(path, name, "stopped", end or "its cell ended the process", level=level)
    if grade is not None:
        return grade
    reached = any(one["event"] == "end" and name in one["exercises"] for one in events)
    if name in sheet["named"] and not reached:
        why = end or "a cell before ended the process"
        return Grade(path, name, "stopped", f"not reached: {why}", level=level)
    why = "no cell checks it"
    if name in sheet["solved"] or any(
        one["event"] == "solution" and one["exercise"] == name for one in events
    ):
        why = "only a cell that is marked as a solution checks it"
    return Grade(path, name, "missing", why, level=level)


def _run(job: dict[str, Any], folder: Path, seconds: float) -> tuple[list[dict[str, Any]], str]:
    """Run a worker; return what it told, and how it ended if not well."""
    settings = {
        "MPLBACKEND": "agg",
        "OMP_NUM_THREADS": "1",
        "CUDA_VISIBLE_DEVICES": "",
        "PYTHONSAFEPATH": "1",
    }
    process = subprocess.Popen(
        # -P: what lies beside the notebook must not replace Python's or the course's modules
        [sys.executable, "-P", "-m", "d2lconv.exercises.engine.worker", json.dumps(job)],
        cwd=folder,
        env=os.environ | settings | {"PYTHONSAFEPATH": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    results = _Pipe(process.stdout, first=_MOST_BYTES)
    errors = _Pipe(process.stderr, last=_LAST_BYTES)
    try:
        _wait_until_ready(process, results)
        code = process.wait(seconds)
        end = "" if code == 0 else _how_it_ended(code)
    except subprocess.TimeoutExpired:
        end = f"the notebook ran longer than {seconds:g} s"
    finally:
        _kill(process)
    last = errors.text().strip().splitlines()[-1:]
    if end.startswith("the process") and last:
        end = f"{end} ({_text(last[0][:200])})"
    return list(_events(results.text())), end


class _Pipe:
    """Reads a pipe to its end in a thread, and keeps its first or last bytes only."""

    def __init__(self, pipe: IO[bytes], *, first: int = 0, last: int = 0) -> None:
        self._first, self._last = first, last
        self.kept = b""
        self._thread = threading.Thread(target=self._read, args=(pipe,), daemon=True)
        self._thread.start()

    def _read(self, pipe: IO[bytes]) -> None:
        with pipe:
            while block := os.read(pipe.fileno(), 2**16):
                if self._last:
                    self.kept = (self.kept + block)[-self._last :]
                elif len(self.kept) < self._first:
                    self.kept = (self.kept + block)[: self._first]

    def text(self) -> str:
        """Return what was kept; a process that was left behind and holds the pipe open is not waited for."""
        self._thread.join(2.0)
        return self.kept.decode("utf-8", errors="replace")


def _events(text: str) -> Iterator[dict[str, Any]]:
    """Yield the lines that have the form of an event: a student's code may have written others."""
    for line in text.splitlines():
        try:
            event = json.loads(line)
            keys = _KEYS[event["event"]]
            yield {"event": event["event"]} | {key: form(event[key]) for key, form in keys.items()}
        except (ValueError, TypeError, KeyError, RecursionError):
            continue


def _text(value: Any) -> str:
    """Return a text that any terminal can show; raise TypeError if it is none."""
    if not isinstance(value, str):
        raise TypeError("no text")
    return "".join(one if one.isprintable() or one == "\n" else "\ufffd" for one in value[:_MOST_LETTERS])


def _texts(value: Any) -> list[str]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return [_text(one) for one in value]


def _pairs(value: Any) -> list[list[str]]:
    if not isinstance(value, list):
        raise TypeError("no list")
    return [_texts(one) for one in value]


def _levels(value: Any) -> dict[str, int]:
    if not isinstance(value, dict) or any(type(level) is not int for level in value.values()):
        raise TypeError("no levels")
    if any(not 0 <= level <= 3 for level in value.values()):
        raise ValueError("no level")
    return {_text(name): level for name, level in value.items()}


_KEYS: dict[str, dict[str, Callable[[Any], Any]]] = {
    "ready": {},
    "problem": {"text": _text},
    "sheet": {"levels": _levels, "named": _texts, "solved": _texts},
    "begin": {"exercises": _texts},
    "end": {"exercises": _texts, "error": _text},
    "solution": {"exercise": _text},
    "check": {
        "exercise": _text,
        "status": _text,
        "summary": _text,
        "misconception": _text,
        "hint": _text,
        "details": _pairs,
    },
}


def _wait_until_ready(process: subprocess.Popen[bytes], results: _Pipe) -> None:
    """Wait until the worker has loaded PyTorch, which is none of the student's time."""
    end = time.monotonic() + _STARTING
    while process.poll() is None and not results.kept and time.monotonic() < end:
        time.sleep(0.05)


def _how_it_ended(code: int) -> str:
    number = -code if code < 0 else code - 128 if code > 128 else 0
    with contextlib.suppress(ValueError):
        if number:
            return f"the process was ended by {signal.Signals(number).name}"
    return f"the process ended with code {code}"


def _kill(process: subprocess.Popen[bytes]) -> None:
    """End the process and what it started."""
    if hasattr(os, "killpg"):
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
    else:
        process.kill()
    process.wait()


# ---- what a teacher sees ------------------------------------------------------------


def points(grades: Sequence[Grade]) -> tuple[int, int]:
    """Return the points of grades, one for each star of a correct answer, and the most there are."""
    return sum(one.level for one in grades if one.status == "correct"), sum(one.level for one in grades)


def misconceptions(grades: Sequence[Grade]) -> list[tuple[str, str, int]]:
    """Return exercise, misconception and number of notebooks, the most frequent first."""
    counts = Counter((one.exercise, one.misconception) for one in grades if one.misconception)
    return [(exercise, name, count) for (exercise, name), count in counts.most_common()]
