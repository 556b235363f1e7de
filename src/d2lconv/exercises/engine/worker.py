"""Run a student's cells in this process, and write a line for each exercise that they check.

Started by `d2lconv.exercises.engine.grading`, which sets the time limit. Whatever ends this process, the
lines already written stay.
"""

from __future__ import annotations

import json
import linecache
import sys
import traceback
from pathlib import Path
from typing import Any, TextIO

import torch

import d2lconv.exercises
from d2lconv.exercises.engine.registry import find
from d2lconv.exercises.engine.result import Result


def limit_memory(size: int) -> None:
    """Let this process take at most ``size`` bytes, where the system can limit that."""
    try:
        import resource
    except ImportError:  # Windows
        return
    if sys.platform == "linux":  # macOS has the limit, but does not keep to it
        resource.setrlimit(resource.RLIMIT_AS, (size, size))


def run(cells: list[dict[str, Any]], results: TextIO) -> None:
    """Run cells in one namespace. A cell that raises does not keep the next ones from running."""

    def note(exercise: str, status: str, summary: str, misconception: str = "", hint: str = "") -> None:
        line = {
            "exercise": exercise,
            "status": status,
            "summary": summary,
            "misconception": misconception,
            "hint": hint,
        }
        results.write(json.dumps(line) + "\n")
        results.flush()

    def check(exercise: str, answer: object = ..., *, solution: bool = False) -> Result:
        result = find(exercise).check(answer)
        if not solution:
            note(result.exercise, result.status, result.summary, result.misconception, result.hint)
        return result

    d2lconv.exercises.check = check
    names: dict[str, Any] = {"__name__": "__main__", "display": lambda *values: None}
    for cell in cells:
        for exercise in cell["exercises"]:
            note(exercise, "begun", "")
        file = f"<cell {cell['number']}>"
        source = cell["source"]
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            exec(compile(source, file, "exec"), names)
        except (Exception, SystemExit) as error:
            told = traceback.format_exception_only(error)[-1].strip()
            for exercise in cell["exercises"]:
                note(exercise, "error", f"code cell {cell['number']} raised {told}")
        for exercise in cell["exercises"]:
            note(exercise, "ended", "")


def main() -> None:
    """Read the job, set the limit, run."""
    job = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    torch.set_num_threads(1)
    limit_memory(job["memory"])
    with open(sys.argv[2], "a", encoding="utf-8") as results:
        print(json.dumps({"exercise": "", "status": "ready"}), file=results, flush=True)
        run(job["cells"], results)


if __name__ == "__main__":
    main()
