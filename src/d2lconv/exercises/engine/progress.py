"""A reader's progress: one small file on the reader's computer, sent to nobody.

The file is replaced in one step, so it is never half written, and by one process at a time, so none loses
what another has noted. A damaged file is set aside under another name, and the reader is told.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from d2lconv.exercises.engine.result import Result

PATH_VARIABLE = "D2LCONV_PROGRESS"
_VERSION = 1
_WAIT = 2.0  # most seconds for another process, which needs milliseconds


def path() -> Path:
    """Return where progress is kept: what ``D2LCONV_PROGRESS`` names, or a file in the user's data folder."""
    chosen = os.environ.get(PATH_VARIABLE)
    return (
        Path(os.path.expanduser(chosen)).absolute()
        if chosen
        else _data_folder() / "d2lconv" / "progress.json"
    )


def load() -> tuple[dict[str, str], str]:
    """Return the status by exercise, and what the reader must be told, if anything."""
    file = path()
    try:
        return _read(file), ""
    except FileNotFoundError:
        return {}, ""
    except OSError as error:
        return {}, f"Your progress in {file} can't be read: {error.strerror}."
    except (ValueError, RecursionError):
        return {}, _set_aside(file)


def record(result: Result) -> str:
    """Note an attempt; what was correct once stays so. Return what the reader must be told."""
    if result.status == "not attempted":
        return ""
    file = path()
    try:
        with _alone(file):
            known, note = load()
            if known.get(result.exercise) in ("correct", result.status) or (note and file.exists()):
                return note  # a file that can't be read stays as it is
            _replace(file, {"version": _VERSION, "exercises": known | {result.exercise: result.status}})
    except OSError as error:
        return (
            f"Your progress was not saved in {file}: {error.strerror}. Set {PATH_VARIABLE} to another file."
        )
    return note


@contextlib.contextmanager
def _alone(file: Path) -> Iterator[None]:
    """Let one process at a time read and replace the file, where the system can lock files."""
    try:
        import fcntl
    except ImportError:  # Windows
        yield
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    folder = os.open(file.parent, os.O_RDONLY)
    try:
        end = time.monotonic() + _WAIT
        while time.monotonic() < end:
            with contextlib.suppress(BlockingIOError):
                fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            time.sleep(0.005)
        yield
    finally:
        os.close(folder)  # which unlocks it, as the end of the process does


def _read(file: Path) -> dict[str, str]:
    if file.exists() and not file.is_file():  # reading a pipe or a device may never end
        raise OSError(errno.EINVAL, "it is no ordinary file")
    return _checked(json.loads(file.read_text("utf-8")))


def _checked(data: Any) -> dict[str, str]:
    if not isinstance(data, dict) or not isinstance(data.get("exercises"), dict):
        raise ValueError("not a file of progress")
    if data.get("version", _VERSION) != _VERSION:
        raise OSError(errno.EINVAL, "another version of d2lconv wrote it")
    return {str(name): str(status) for name, status in data["exercises"].items()}


def _set_aside(file: Path) -> str:
    number = 1
    while (aside := file.with_name(f"{file.stem}.broken-{number}{file.suffix}")).exists():
        number += 1
    try:
        file.replace(aside)
    except OSError as error:
        return f"The file of your progress, {file}, is damaged and can't be moved: {error.strerror}."
    return f"The file of your progress was damaged. It is now {aside}, and a new one begins."


def _replace(file: Path, data: dict[str, object]) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=f".{file.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as temporary:
            json.dump(data, temporary, indent=1, sort_keys=True)
        os.replace(name, file)
    finally:
        Path(name).unlink(missing_ok=True)


def _data_folder() -> Path:
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    if sys.platform == "darwin":
        return home / "Library" / "Application Support"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share")
