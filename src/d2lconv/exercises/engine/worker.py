"""Read and run one student's notebook in this process, and tell each step in a line of JSON.

Started by `d2lconv.exercises.engine.grading`, which sets the time limit. Whatever ends this process, the
lines that it wrote stay. The student's code runs in a child of it, so that ending its parent ends only this.
"""

from __future__ import annotations

import ast
import asyncio
import json
import linecache
import os
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import d2lconv.exercises
from d2lconv.exercises.engine.notebooks import Cell, Sheet, as_python, imports_and_definitions, read_sheet
from d2lconv.exercises.engine.registry import CHAPTERS, exercises_of, find, load
from d2lconv.exercises.engine.result import Result

_MOST = 2_000  # characters of a text that are told


class Magics:
    """Stands for IPython where a cell has magics: they do nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: [] if name == "getoutput" else None


class Runner:
    """Runs the cells of a sheet in one namespace, and tells what becomes of them."""

    def __init__(self, sheet: Sheet, channel: TextIO) -> None:
        self.sheet, self.channel = sheet, channel
        self.names: dict[str, Any] = {
            "__name__": "__main__",
            "display": lambda *values: None,
            "get_ipython": Magics,
        }
        self.ran_above = False

    def tell(self, event: str, **facts: object) -> None:
        """Write a line."""
        self.channel.write(json.dumps({"event": event} | facts) + "\n")
        self.channel.flush()

    def check(self, exercise: str, answer: object = ..., *, solution: bool = False) -> Result:
        """Check as in a notebook, and tell the result."""
        result = find(exercise).check(answer)
        facts: dict[str, Any] = {
            "exercise": result.exercise,
            "status": result.status,
            "summary": result.summary[:_MOST],
            "misconception": result.misconception,
            "hint": result.hint,
            "details": [[name, text[:_MOST]] for name, text in result.details],
        }
        self.tell("solution" if solution else "check", **facts)
        return result

    def run(self) -> None:
        """Run the definitions above the exercises, then the exercises."""
        d2lconv.exercises.check = self.check
        for cell in self.sheet.above:
            self._run(Cell(cell.number, imports_and_definitions(cell.source)))
        for cell in self.sheet.cells:
            self.tell("begin", exercises=cell.exercises)
            error = self._run(cell)
            if error.startswith("NameError") and self.sheet.above and not self.ran_above:
                self.ran_above = True  # it needs something that the chapter computes
                for other in self.sheet.above:
                    self._run(other)
                error = self._run(cell)
            told = f"code cell {cell.number} raised {error}" if error else ""
            self.tell("end", exercises=cell.exercises, error=told[:_MOST])

    def _run(self, cell: Cell) -> str:
        """Run a cell; return its error. A cell that raises does not keep the next ones from running."""
        file = f"<cell {cell.number}>"
        try:
            source = as_python(cell.source)
            linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
            code = compile(source, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            made = eval(code, self.names)
            if made is not None:
                asyncio.run(made)
        except (Exception, SystemExit) as error:
            return traceback.format_exception_only(error)[-1].strip() or type(error).__name__
        return ""


def limit_memory(size: int) -> None:
    """Let this process take at most ``size`` bytes, where the system can limit that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if sys.platform == "linux":  # macOS has the limit, but does not keep to it
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def wanted(sheet: Sheet, only: list[str]) -> list[str]:
    """Return the names of the exercises that count.

    They are those asked for; else those that the sheet says are to be handed in; else all of the chapter that
    the sheet's cells name exercises of; if these are several or none, the ones that are named.
    """
    if only or sheet.set_exercises:
        return only or list(sheet.set_exercises)
    chapters = {name.partition(".")[0] for name in sheet.named}
    if len(chapters) == 1 and chapters <= set(CHAPTERS):
        return [exercise.id for exercise in exercises_of(chapters.pop())]
    return list(sheet.named)


def level_of(name: str) -> int:
    """Return the number of an exercise's stars."""
    try:
        return find(name).level
    except ValueError:
        return 0


def grade(job: dict[str, Any], channel: TextIO) -> None:
    """Read the notebook and run it."""
    path = Path(job["notebook"])
    try:
        for file in job["exercises"]:
            load(file)
        sheet = read_sheet(path, whole=job["whole"])
        names = wanted(sheet, job["only"])
        levels = {name: level_of(name) for name in names}
    except (Exception, RecursionError) as error:
        told = (
            str(error) if isinstance(error, ValueError | OSError) else f"{type(error).__name__} in reading it"
        )
        print(json.dumps({"event": "problem", "text": told[:_MOST]}), file=channel, flush=True)
        return
    runner = Runner(sheet, channel)
    runner.tell("sheet", levels=levels, named=sheet.named, solved=sheet.solved)
    runner.run()


def main() -> None:
    """Part from the process that waits, set the limits, run."""
    job = json.loads(sys.argv[1])
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        if hasattr(os, "fork") and (child := os.fork()):
            _, status = os.waitpid(child, 0)
            code = os.waitstatus_to_exitcode(status)
            os._exit(code if code >= 0 else 128 - code)
        import torch

        torch.set_num_threads(1)
        limit_memory(job["memory"])
        print(json.dumps({"event": "ready"}), file=channel, flush=True)
        grade(job, channel)


if __name__ == "__main__":
    main()
