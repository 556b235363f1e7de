"""List the exercises and your progress, or grade notebooks: ``python -m d2lconv.exercises --help``."""

from __future__ import annotations

import argparse
import csv
import json
import sys
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path

from d2lconv.exercises.engine import progress
from d2lconv.exercises.engine.grading import Grade, grade, misconceptions, notebooks_of, points
from d2lconv.exercises.engine.notebooks import read_sheet, without_solutions
from d2lconv.exercises.engine.registry import every_exercise
from d2lconv.language import fill, translate

__all__ = ["main"]

_WARNING = """\
Students' code runs with YOUR rights: it can read and write your files and use your network, and code
that sets out to deceive can report what it likes. For strangers' notebooks use a container without a
network, such as

  docker run --rm --network none --read-only --tmpfs /tmp -v "$PWD/handed-in:/in:ro" \\
    IMAGE python -m d2lconv.exercises grade /in --csv

with an IMAGE in which d2lconv is installed."""


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
    if options.command == "grade":
        return _grade_all(options)
    return _write_blank(options) if options.command == "blank" else _list()


def _list() -> int:
    known, note = progress.load()
    rows = [tuple(map(translate, ("Exercise", "Level", "Yours", "Title")))]
    exercises = every_exercise()
    for one in exercises:
        yours = known.get(one.id) if known.get(one.id) in ("correct", "not yet") else "–"
        rows.append((one.id, "★" * one.level, translate(str(yours)), translate(one.title)))
    _print_table(rows)
    solved = sum(known.get(one.id) == "correct" for one in exercises)
    print("\n" + translate(f"{len(exercises)} exercises, {solved} correct."))
    print(translate(f"Your progress is kept on this computer only, in {progress.path()}"))
    print(translate(f"(another file: set {progress.PATH_VARIABLE})."))
    if note:
        print(translate(note))
    return 0


def _grade_all(options: argparse.Namespace) -> int:
    grades: list[Grade] = []
    problems = []
    paths = [path for name in options.notebooks for path in notebooks_of(name)]
    if not paths:
        problems.append("there are no notebooks in " + ", ".join(options.notebooks))
        print(problems[-1], file=sys.stderr)
    table = not (options.json or options.csv)
    try:
        for path in paths:
            try:
                found = grade(
                    path,
                    seconds=options.time_limit,
                    memory=options.memory_limit,
                    whole=options.whole,
                    only=_names(options.only),
                    exercises=options.exercises or (),
                )
            except Exception as error:  # whatever one notebook does, the others are graded
                told = str(error) if isinstance(error, OSError | ValueError) else f"{path}: {error!r}"
                problems.append(told)
                print(told, file=sys.stderr, flush=True)
                continue
            grades += found
            if table:
                _print_one(found)
            else:
                print(f"{path}: graded", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        problems.append("interrupted: what follows is what was graded before")
        print(problems[-1], file=sys.stderr)
    if options.json:
        print(json.dumps([one.as_dict() for one in grades], indent=1, ensure_ascii=False))
    elif options.csv:
        _print_csv(grades)
    elif grades:
        _print_summary(grades)
    if problems:
        return 2
    return int(any(one.status != "correct" for one in grades))


def _names(only: Sequence[str] | None) -> list[str]:
    return [name for text in only or () for name in text.replace(",", " ").split()]


def _print_one(grades: Sequence[Grade]) -> None:
    """Print a notebook's table as soon as it is graded."""
    rows = [
        (
            one.notebook,
            one.exercise,
            translate(one.status),
            "" if one.status == "correct" else translate(one.misconception or one.summary.split(". ")[0]),
        )
        for one in grades
    ]
    _print_table(rows)
    print(f"{grades[0].notebook}: {_total(grades)}\n", flush=True)


def _total(grades: Sequence[Grade]) -> str:
    right, (reached, most) = sum(one.status == "correct" for one in grades), points(grades)
    return translate(f"{right} of {len(grades)} correct, {reached} of {most} points (★)")


def _print_summary(grades: Sequence[Grade]) -> None:
    by_notebook = list(_by_notebook(grades))
    if len(by_notebook) == 1:
        return
    heads = (translate("Notebook"), translate("Total"))
    _print_table([heads, *((rows[0].notebook, _total(rows)) for rows in by_notebook)])
    frequent = misconceptions(grades)[:10]
    if frequent:
        print("\n" + translate("What was misunderstood most often:"))
        _print_table([(exercise, translate(name), f"{count}×") for exercise, name, count in frequent])


def _by_notebook(grades: Sequence[Grade]) -> Iterator[list[Grade]]:
    for notebook in dict.fromkeys(one.notebook for one in grades):
        yield [one for one in grades if one.notebook == notebook]


def _print_csv(grades: Sequence[Grade]) -> None:
    """Print a row for each notebook: points by stars, and what became of each exercise."""
    exercises = list(dict.fromkeys(one.exercise for one in grades))
    writer = csv.writer(sys.stdout, lineterminator="\n")
    writer.writerow(["notebook", "points", "of", "correct", *exercises])
    for rows in _by_notebook(grades):
        status = {one.exercise: one.status for one in rows}
        right = sum(one.status == "correct" for one in rows)
        writer.writerow(
            [rows[0].notebook, *points(rows), right, *(status.get(name, "") for name in exercises)]
        )


def _write_blank(options: argparse.Namespace) -> int:
    source = Path(options.notebook)
    target = Path(options.output) if options.output else source.with_name(f"{source.stem}-blank.ipynb")
    if target.exists():
        print(f"{target} exists: name another file by --output", file=sys.stderr)
        return 2
    try:
        notebook = without_solutions(source, _names(options.only))
        target.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", "utf-8")
    except (OSError, ValueError) as error:
        print(f"{source}: {error}", file=sys.stderr)
        return 2
    if read_sheet(source, whole=True).solved:
        print(fill("{}: without the worked solutions", str(target)))
    else:
        print(fill("{}: there are no worked solutions in {}", str(target), str(source)))
    return 0


def _print_table(rows: Sequence[tuple[str, ...]]) -> None:
    widths = [max(map(_width, column)) for column in zip(*rows, strict=True)]
    for row in rows:
        cells = (cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True))
        print("  ".join(cells).rstrip())


def _width(text: str) -> int:
    """Return how many places of a terminal a text takes: a Chinese character takes two."""
    return sum(1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def _positive(text: str) -> float:
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"{text} is not a positive number")
    return number


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m d2lconv.exercises", description="The course's exercises."
    )
    parser.set_defaults(command="list")
    commands = parser.add_subparsers(metavar="COMMAND", dest="command")
    commands.add_parser("list", help="list the exercises and your progress (the same without a command)")
    grading = commands.add_parser(
        "grade",
        help="grade notebooks: for teachers",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        description="Run the exercises of notebooks, each in a process of its own, and print a table.\n"
        "Exit code 0: all are correct; 1: some are not; 2: a notebook can't be graded. The last\n"
        "check of an exercise counts; worked solutions do not.",
        epilog=_WARNING,
    )
    grading.add_argument("notebooks", nargs="+", metavar="NOTEBOOK", help="notebooks, or folders of them")
    grading.add_argument(
        "--only", nargs="+", metavar="NAME", help="the exercises that were set, such as channels.1 pooling.3"
    )
    grading.add_argument(
        "--exercises", action="append", metavar="FILE", help="a Python file with exercises of your own"
    )
    grading.add_argument(
        "--time-limit", type=_positive, default=120.0, metavar="S", help="seconds a notebook (120)"
    )
    grading.add_argument(
        "--memory-limit", type=_positive, default=8.0, metavar="GIB", help="memory (8; Linux only)"
    )
    grading.add_argument("--whole", action="store_true", help="run whole notebooks, not their exercises only")
    forms = grading.add_mutually_exclusive_group()
    forms.add_argument("--json", action="store_true", help="print JSON, with the cases that fail")
    forms.add_argument("--csv", action="store_true", help="print a row for each notebook: points by stars")
    blank = commands.add_parser("blank", help="write a notebook without its solutions, for handing out")
    blank.add_argument("notebook", metavar="NOTEBOOK")
    blank.add_argument("--only", nargs="+", metavar="NAME", help="the exercises to keep; all without it")
    blank.add_argument("--output", metavar="FILE", help="the new file (NOTEBOOK-blank.ipynb)")
    return parser


if __name__ == "__main__":
    sys.exit(main())
