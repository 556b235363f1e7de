"""Run chapters in fresh kernels and write them in canonical form: the tool behind `make execute`.

    python -m tools.execute                  run every chapter of _toc.yml
    python -m tools.execute convolution      run one
    python -m tools.execute --tidy           don't run: refresh links, install cells and form only
    python -m tools.execute --check          don't run or write: say which chapters --tidy would change

A chapter that raises, runs too long or kills its kernel isn't written. The others are.
"""

import argparse
import difflib
import multiprocessing
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

from tqdm import tqdm  # type: ignore[import-untyped]

from tools import notebooks
from tools.book import Book, BookError
from tools.colab import refresh
from tools.kernels import ChapterError, run_cells

CELL_TIMEOUT = 300.0  # seconds, as pyproject.toml tells nbval
TIDY = "python -m tools.execute --tidy"

_cells_run: "Synchronized[int] | None" = None  # in a worker process: the counter behind the progress bar


@dataclass(frozen=True)
class Result:
    """What became of one chapter.

    Attributes
    ----------
    name : str
        The chapter.
    seconds : float
        How long it ran.
    problem : str
        Why it wasn't written, or empty.
    changed : bool
        Whether its file was changed.
    """

    name: str
    seconds: float
    problem: str = ""
    changed: bool = False

    def __str__(self) -> str:
        outcome = "FAILED" if self.problem else "written" if self.changed else "unchanged"
        return f"{self.name:<24} {self.seconds:6.1f} s  {outcome}"


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code: 0 if all went well, 1 if a chapter or name is wrong."""
    options = _parser().parse_args(arguments)
    try:
        paths = select(Book.around(Path.cwd()), options.chapters)
        if options.check or options.tidy:
            problems = tidy(paths, check=options.check)
        else:
            results = execute(paths, timeout=options.timeout, jobs=options.jobs)
            problems = [result.problem for result in results if result.problem]
    except BookError as error:
        problems = [f"error: {error}"]
    except BrokenProcessPool:
        problems = ["error: a worker process was ended from outside; what it hadn't finished is as it was"]
    except KeyboardInterrupt:
        print("interrupted: chapters that hadn't finished are as they were", file=sys.stderr)
        return 130
    for problem in problems:
        print(f"\n{problem}", file=sys.stderr)
    return 1 if problems else 0


def select(book: Book, names: Sequence[str]) -> list[Path]:
    """Return the chapters with these names, or every chapter in `_toc.yml` if there are no names.

    Parameters
    ----------
    book : Book
        The book.
    names : sequence of str
        Names such as ``convolution``; a file name or path of the chapter does as well. Notebooks beside the
        chapters that `_toc.yml` doesn't list yet are found too.

    Raises
    ------
    BookError
        If there is no such chapter; the message lists those there are, nearest name first.
    """
    missing = [entry for entry in book.entries() if book.page(entry) is None]
    if missing:
        raise BookError(f"_toc.yml names pages that don't exist: {', '.join(missing)}")
    if not names:
        return book.chapters()
    known = {path.stem: path for path in [*book.chapters(), *book.drafts()]}
    for name in names:
        stem = Path(name).stem
        if stem not in known:
            order = sorted(known, key=lambda other: -difflib.SequenceMatcher(None, stem, other).ratio())
            raise BookError(f"no chapter is named {name!r}; there are: {', '.join(order) or 'none'}")
    return [known[stem] for stem in dict.fromkeys(Path(name).stem for name in names)]


def execute(paths: Sequence[Path], *, timeout: float = CELL_TIMEOUT, jobs: int | None = None) -> list[Result]:
    """Run chapters side by side, one process each, and write those that ran to the end.

    Parameters
    ----------
    paths : sequence of Path
        The chapters.
    timeout : float
        Longest time that one cell may run, in seconds.
    jobs : int, optional
        How many chapters run at once: by default one for each core.

    Returns
    -------
    list of Result
        One for each chapter, in the order in which they finished.
    """
    if not paths:
        return []
    context = multiprocessing.get_context("spawn")
    cells_run = context.Value("i", 0)
    results = []
    with (
        tqdm(total=sum(map(_count_cells, paths)), unit="cell", disable=None, leave=False) as bar,
        ProcessPoolExecutor(
            min(len(paths), jobs or _cores()), context, initializer=_start_worker, initargs=(cells_run,)
        ) as pool,
    ):
        running: set[Future[Result]] = {pool.submit(run_chapter, path, timeout) for path in paths}
        try:
            while running:
                finished, running = wait(running, timeout=0.2, return_when="FIRST_COMPLETED")
                bar.n = cells_run.value
                bar.refresh()
                for future in finished:
                    results.append(future.result())
                    bar.write(str(results[-1]))
        except KeyboardInterrupt:
            pool.shutdown(wait=False, cancel_futures=True)
            for worker in multiprocessing.active_children():
                worker.kill()  # and its kernel sees that it is gone, and ends too
            raise
    return results


def run_chapter(path: Path, timeout: float) -> Result:
    """Run one chapter and write it, unless it failed or its file changed meanwhile."""
    start = time.perf_counter()
    changed, problem = False, ""
    try:
        before = path.read_bytes()
        nb = refresh(notebooks.load(path), path)
        run_cells(nb, path, timeout=timeout, each=_count_run)
        if path.read_bytes() != before:
            raise ChapterError("its file changed while it ran, so nothing was written; run it again")
        changed = notebooks.write(notebooks.normalise(nb), path)
    except (ChapterError, BookError, OSError, ValueError) as error:
        problem = f"{path.stem}: {error}"
    return Result(path.stem, time.perf_counter() - start, problem, changed)


def tidy(paths: Sequence[Path], *, check: bool = False) -> list[str]:
    """Bring chapters into canonical form without running them, or only say which aren't.

    Parameters
    ----------
    paths : sequence of Path
        The chapters.
    check : bool
        Write nothing.

    Returns
    -------
    list of str
        Problems: files that aren't notebooks and, with `check`, chapters that aren't in canonical form.
    """
    problems = []
    for path in paths:
        try:
            nb = notebooks.normalise(refresh(notebooks.load(path), path))
        except ValueError as error:
            problems.append(f"{path.stem}: {error}")
            continue
        if check and notebooks.dumps(nb).encode() != path.read_bytes():
            problems.append(f"{path.stem}: not in canonical form; run: {TIDY} {path.stem}")
        elif not check and notebooks.write(nb, path):
            print(f"{path.stem}: tidied")
    return problems


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tools.execute", description="Run and write chapters.")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER", help="name of a chapter (default: all)")
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--tidy", action="store_true", help="don't run: refresh links, install cells and form")
    how.add_argument("--check", action="store_true", help="run and write nothing: name what isn't tidy")
    parser.add_argument("--timeout", type=float, default=CELL_TIMEOUT, metavar="SECONDS", help="of one cell")
    parser.add_argument("--jobs", type=int, metavar="N", help="chapters run at once (default: one a core)")
    return parser


def _cores() -> int:
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _count_cells(path: Path) -> int:
    try:
        return sum(cell.cell_type == "code" for cell in notebooks.load(path).cells)
    except ValueError:
        return 0  # run_chapter says what is wrong


def _start_worker(cells_run: "Synchronized[int]") -> None:
    global _cells_run
    _cells_run = cells_run
    if hasattr(os, "setpgrp"):
        os.setpgrp()  # Ctrl-C is for the main process, which then ends this one


def _count_run() -> None:
    if _cells_run is not None:
        with _cells_run.get_lock():
            _cells_run.value += 1


if __name__ == "__main__":
    sys.exit(main())
