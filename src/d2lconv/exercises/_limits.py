"""Stop code that does not end."""

from __future__ import annotations

import ctypes
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class TooLongError(BaseException):
    """Code ran longer than it may. No `Exception`: a reader's ``except Exception`` lets it through."""


@contextmanager
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


@contextmanager
def _by_signal(seconds: float) -> Iterator[None]:
    running = True

    def stop(number: int, frame: FrameType | None) -> None:
        if running:
            raise TooLongError

    handler = signal.signal(signal.SIGALRM, stop)
    # every 0.1 s again, in case a bare `except:` has swallowed the first one
    left, interval = signal.setitimer(signal.ITIMER_REAL, seconds, 0.1)
    try:
        yield
    finally:
        running = False
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)
        if left:
            signal.setitimer(signal.ITIMER_REAL, left, interval)


@contextmanager
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
        with lock:
            running = False
            ctypes.pythonapi.PyThreadState_SetAsyncExc(target, None)  # withdraw what was not yet raised
        timer.cancel()
