"""List the exercises and your progress, or grade notebooks: ``python -m d2lconv.exercises --help``."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path

from d2lconv.exercises.engine import progress
from d2lconv.exercises.engine.grading import Grade, grade
from d2lconv.exercises.engine.registry import every_exercise

__all__ = ["main"]


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : sequence of str, optional
        Instead of the command line's own.

    Returns
    -------
    int
        0; for ``grade``, 1 if an exercise is not correct, and 2 if a notebook can't be graded.

    Raises
    ------
    SystemExit
        If the command line can't be understood, or only its help is asked for.

    Examples
    --------
    >>> main(["list"])  # doctest: +ELLIPSIS
    Exercise         Level  Yours     Title
    convolution.1    ★      ...       By hand
    ...
    """
    options = _parser().parse_args(arguments)
    if getattr(options, "notebooks", None):
        return _grade_all(options)
    return _list()


def _list() -> int:
    known, note = progress.load()
    words = {"correct": "correct", "not yet": "not yet"}
    rows = [("Exercise", "Level", "Yours", "Title")]
    exercises = every_exercise()
    rows += [(one.id, "★" * one.level, words.get(known.get(one.id, ""), "–"), one.title) for one in exercises]
    _print_table(rows)
    solved = sum(known.get(one.id) == "correct" for one in exercises)
    print(f"\n{len(exercises)} exercises, {solved} correct.")
    print(f"Your progress is kept on this computer only, in {progress.path()}")
    print(f"(another file: set {progress.PATH_VARIABLE}).")
    if note:
        print(note)
    return 0


def _grade_all(options: argparse.Namespace) -> int:
    grades: list[Grade] = []
    problems = []
    for name in options.notebooks:
        try:
            grades += grade(
                Path(name), seconds=options.time_limit, memory=options.memory_limit, whole=options.whole
            )
        except (OSError, ValueError) as error:
            problems.append(str(error))
    if options.json:
        print(json.dumps([one.as_dict() for one in grades], indent=1, ensure_ascii=False))
    elif grades:
        remarks = [one.misconception or one.summary.split(". ")[0] for one in grades]
        rows = [
            (one.notebook, one.exercise, one.status, "" if one.status == "correct" else remark)
            for one, remark in zip(grades, remarks, strict=True)
        ]
        _print_table([("Notebook", "Exercise", "Result", "Remark"), *rows])
        right = sum(one.status == "correct" for one in grades)
        print(f"\n{right} of {len(grades)} correct.")
    for problem in problems:
        print(problem, file=sys.stderr)
    if problems:
        return 2
    return int(any(one.status != "correct" for one in grades))


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        print("  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip())


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m d2lconv.exercises", description="The course's exercises."
    )
    commands = parser.add_subparsers(metavar="COMMAND")
    commands.add_parser("list", help="list the exercises and your progress (the same without a command)")
    grading = commands.add_parser(
        "grade",
        help="grade notebooks: for teachers",
        description="Run the exercises of notebooks and print a table. Exit code 0: all are correct. "
        "The last check of an exercise counts; worked solutions do not.",
    )
    grading.add_argument("notebooks", nargs="+", metavar="NOTEBOOK")
    grading.add_argument(
        "--time-limit", type=float, default=120.0, metavar="S", help="seconds a notebook (120)"
    )
    grading.add_argument(
        "--memory-limit", type=float, default=8.0, metavar="GIB", help="memory (8; Linux only)"
    )
    grading.add_argument("--whole", action="store_true", help="run whole notebooks, not their exercises only")
    grading.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser


if __name__ == "__main__":
    sys.exit(main())
