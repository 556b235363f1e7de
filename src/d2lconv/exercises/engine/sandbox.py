"""Call a reader's code safely: on copies, within a time limit, with what it prints kept."""

from __future__ import annotations

import contextlib
import copy
import ctypes
import dis
import functools
import inspect
import io
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from types import FrameType
from typing import Any, Literal

import numpy as np
import torch
from torch import Tensor, nn

from d2lconv.exercises.engine.runs import Recorder, load_recorder
from d2lconv.summary import summarize

SECONDS = 6.0  # that one call may take; milliseconds are usual, but a first import may be slow
_MOST_NUMBERS = 10_000  # that are taken from a generator
_PRINTED = 600  # characters of what the code printed that are shown

# Where code lies that the reader has not written: this package, PyTorch and its neighbours, Python's library.
_OTHERS = tuple(str(Path(file).parent) for file in (Path(__file__).parent, torch.__path__[0], os.__file__))

_CONVOLUTION = str(Path(__file__).parents[2] / "ops" / "convolution.py")

_EMPTY = {
    "RESUME", "NOP", "LOAD_CONST", "RETURN_VALUE", "RETURN_CONST", "POP_TOP", "COPY_FREE_VARS", "MAKE_CELL",
    "LOAD_SMALL_INT", "CACHE",
}  # fmt: skip


@dataclass(frozen=True)
class Outcome:
    """What one call gave.

    ``end`` says how it ended; ``error`` is the exception as text, with the reader's line that raised it;
    ``changed`` are positions of arguments that it changed, ``used`` forbidden functions that it called.
    """

    end: Literal["value", "error", "too long", "unfinished"]
    value: object = None
    error: str = ""
    changed: tuple[int, ...] = ()
    printed: str = ""
    used: tuple[str, ...] = ()


def call(
    function: Callable[..., object],
    arguments: Sequence[object],
    *,
    seconds: float = SECONDS,
    forbidden: Sequence[str] = (),
) -> Outcome:
    """Call a function on copies of its arguments, from the same random state each time."""
    watch = _Watch(forbidden)
    if "summarize" in getattr(getattr(function, "__code__", None), "co_names", ()):
        _load_for_summaries()
    printed = io.StringIO()
    try:
        copies = copy.deepcopy(list(arguments))
        with (
            torch.random.fork_rng(devices=[]),
            contextlib.redirect_stdout(printed),
            time_limit(seconds),
            watch,
        ):
            torch.default_generator.manual_seed(0)  # the CPU's alone: many times faster than all devices'
            value = function(*copies)
            if isinstance(value, Iterator):  # a generator of numbers, say; it may be endless
                value = list(islice(value, _MOST_NUMBERS))
    except TooLongError:
        return Outcome("too long", printed=_short(printed))
    except (Exception, SystemExit) as error:
        end: Literal["unfinished", "error"] = "unfinished" if _is_unfinished(error) else "error"
        return Outcome(end, error=_told(error), printed=_short(printed))
    changed = [
        position
        for position, (before, after) in enumerate(zip(arguments, copies, strict=True))
        if not _identical(before, after)
    ]
    used = tuple(sorted(watch.used))
    return Outcome("value", value, changed=tuple(changed), printed=_short(printed), used=used)


class _Watch(contextlib.AbstractContextManager["_Watch"]):
    """Notes which forbidden functions are called, whatever name the reader calls them by.

    A name stands for all functions of this name that the reader has not written; ``"groups"`` for any
    convolution in several groups.
    """

    def __init__(self, forbidden: Sequence[str]) -> None:
        self.forbidden = frozenset(forbidden)
        self.used: set[str] = set()
        self._recorder = _OwnSteps() if "groups" in self.forbidden else None
        if self._recorder:
            load_recorder()

    def __enter__(self) -> _Watch:
        if self._recorder:
            self._recorder.__enter__()  # type: ignore[no-untyped-call]
        if self.forbidden:
            self._before = sys.getprofile()
            sys.setprofile(self._look)
        return self

    def __exit__(self, *error: Any) -> None:
        if self.forbidden:
            sys.setprofile(self._before)
        if self._recorder:
            self._recorder.__exit__(*error)  # type: ignore[no-untyped-call]
            if any(step.groups > 1 for step in self._recorder.steps):
                self.used.add("groups")

    def _look(self, frame: FrameType, event: str, called: object) -> None:
        if event == "call":
            name = frame.f_code.co_name
            if name in self.forbidden and _is_library(frame.f_code.co_filename):
                self.used.add(name)
            elif name == "conv2d" and "groups" in self.forbidden and frame.f_locals.get("groups", 1) != 1:
                self.used.add("groups")
        elif event == "c_call" and (name := getattr(called, "__name__", "")) in self.forbidden:
            self.used.add(name)


class _OwnSteps(Recorder):  # type: ignore[no-untyped-call]
    """Leaves out what the course's operators do inside."""

    def __torch_dispatch__(self, function: Any, types: Any, arguments: Any = (), options: Any = None) -> Any:
        count = len(self.steps)
        made = super().__torch_dispatch__(function, types, arguments, options)
        frame: FrameType | None = sys._getframe()
        while frame is not None and frame.f_code.co_filename != _CONVOLUTION:
            frame = frame.f_back
        if frame is not None:
            del self.steps[count:]
        return made


def _is_library(file: str) -> bool:
    return file.startswith((*_OTHERS, str(Path(__file__).parents[2]))) or "site-packages" in file


@functools.cache
def _load_for_summaries() -> None:
    """Let PyTorch load what its first run without numbers needs: seconds that are not the reader's."""
    summarize(nn.Conv2d(1, 1, 1), (1, 1, 1))


def is_stub(function: object) -> bool:
    """Return whether a function has no body yet: a docstring, ``...``, ``pass`` or ``return None`` only."""
    code = getattr(inspect.unwrap(function), "__code__", None) if callable(function) else None
    if code is None or any(step.opname not in _EMPTY for step in dis.get_instructions(code)):
        return False
    returned = [
        step.argval for step in dis.get_instructions(code) if step.opname in ("LOAD_CONST", "RETURN_CONST")
    ]
    return all(value is None or value is ... for value in returned)


def _identical(before: object, after: object) -> bool:
    if isinstance(before, Tensor) and isinstance(after, Tensor):
        return before.shape == after.shape and bool(torch.isclose(before, after, equal_nan=True).all())
    if isinstance(before, np.ndarray):
        return np.array_equal(before, after)  # type: ignore[arg-type]
    if isinstance(before, list | tuple) and isinstance(after, list | tuple):
        return len(before) == len(after) and all(map(_identical, before, after))
    if isinstance(before, bool | int | float | str | dict):
        return before == after
    return True  # modules and other objects: nothing is said about them


def _is_unfinished(error: BaseException | None) -> bool:
    """Return whether an error is, or was caused by, a NotImplementedError from the reader's own line."""
    if error is None:
        return False
    return (isinstance(error, NotImplementedError) and _raised_by_hand(error)) or _is_unfinished(
        error.__cause__
    )


def _raised_by_hand(error: BaseException) -> bool:
    """Return whether a `raise` of the reader made an error, and not PyTorch, called in the reader's line."""
    step = error.__traceback__
    while step is not None and step.tb_next is not None:
        step = step.tb_next
    if step is None or step.tb_frame.f_code.co_filename.startswith(_OTHERS):
        return False
    return step.tb_frame.f_code.co_code[step.tb_lasti] == dis.opmap["RAISE_VARARGS"]


def _told(error: BaseException) -> str:
    """Write an exception with the deepest line of the code that is the reader's own."""
    text = f"{type(error).__name__}: {error}" if str(error) else type(error).__name__
    steps = traceback.extract_tb(error.__traceback__)
    own = [step for step in steps if step.line and not step.filename.startswith(_OTHERS)]
    return f"{text}\nin the line: {own[-1].line}" if own else text


def _short(printed: io.StringIO) -> str:
    text = printed.getvalue().rstrip()
    return text if len(text) <= _PRINTED else text[:_PRINTED] + " …"


# ---- time ------------------------------------------------------------


_BUSY = 0.7  # of the limit that must have been spent computing; a busy computer gives code less
_PATIENCE = 4  # times the limit, after which code that only waits is stopped too


class TooLongError(BaseException):
    """Code ran longer than it may. No `Exception`: a reader's ``except Exception`` lets it through."""


@contextlib.contextmanager
def time_limit(seconds: float) -> Iterator[None]:
    """Raise `TooLongError` in the code within that runs longer.

    In the main thread of Linux and macOS, where notebooks run their cells, the system's timer interrupts
    anything that Python can be interrupted in. Elsewhere, in Windows and in other threads, a second thread
    asks Python to raise the error; that stops loops, but not a single long call into compiled code.
    """
    if hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread():
        with _by_signal(seconds):
            yield
    else:
        with _by_thread(seconds):
            yield


@contextlib.contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    running = True
    begun, used = time.monotonic(), time.thread_time()  # the process's own takes 200 times as long

    def stop(number: int, frame: FrameType | None) -> None:
        if not running:
            return
        # again in 0.1 s: a bare `except:` may swallow the error, and a busy computer gives code less; by no
        # interval, which on a very busy computer would interrupt this function before it is done
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        waited = time.monotonic() - begun > _PATIENCE * seconds
        if waited or time.thread_time() - used > _BUSY * seconds:
            raise TooLongError

    handler = signal.signal(signal.SIGALRM, stop)
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@contextlib.contextmanager
def _by_thread(seconds: float) -> Iterator[None]:
    target, lock, running = ctypes.c_ulong(threading.get_ident()), threading.Lock(), True

    def stop() -> None:
        with lock:
            if running:
                ctypes.pythonapi.PyThreadState_SetAsyncExc(target, ctypes.py_object(TooLongError))

    timer = threading.Timer(seconds, stop)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        try:
            with lock:
                running = False
            for _ in range(3):  # an error that was sent while the code ended is raised here, and not later
                pass
        except TooLongError:
            running = False
        timer.cancel()
