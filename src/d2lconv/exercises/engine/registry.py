"""Where each exercise is found: a chapter's file loads when one of its exercises is first asked for."""

from __future__ import annotations

import difflib
import linecache
import os
import pkgutil
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from d2lconv.exercises import chapters
from d2lconv.language import fill, translate

if TYPE_CHECKING:
    from d2lconv.exercises.engine.exercise import Exercise


def _in_course_order() -> tuple[str, ...]:
    names = sorted(module.name for module in pkgutil.iter_modules(chapters.__path__))
    known = [name for name in chapters.COURSE if name in names]
    return (*known, *(name for name in names if name not in known))


CHAPTERS = _in_course_order()


def exercises_of(chapter: str) -> tuple[Exercise, ...]:
    """Return a chapter's exercises in order."""
    found: tuple[Exercise, ...] = pkgutil.resolve_name(f"d2lconv.exercises.chapters.{chapter}:EXERCISES")
    return found


def every_exercise() -> tuple[Exercise, ...]:
    """Return the exercises of all chapters in order."""
    return tuple(exercise for chapter in CHAPTERS for exercise in exercises_of(chapter))


_OWN: dict[str, Exercise] = {}


def load(path: str | os.PathLike[str]) -> tuple[str, ...]:
    """Let `check` know the exercises of a file of your own.

    Parameters
    ----------
    path : str or path
        A Python file with a tuple ``EXERCISES`` of exercises, made of `d2lconv.exercises.kinds`. Their names
        are a word that is no chapter of the course, and a number, such as ``"lab.1"``.

    Returns
    -------
    tuple of str
        The names. A name that was loaded before stays what it was: grading loads the teacher's file first.

    Raises
    ------
    ValueError
        If the file has no such exercises, or a name is the course's.

    Examples
    --------
    >>> load("no_such_file.py")
    Traceback (most recent call last):
    ...
    ValueError: no_such_file.py can't be loaded: FileNotFoundError: No such file or directory
    """
    try:
        source = Path(path).read_text("utf-8")
        linecache.cache[str(path)] = (len(source), None, source.splitlines(keepends=True), str(path))
        names: dict[str, Any] = {"__name__": Path(path).stem, "__file__": str(path)}
        exec(compile(source, str(path), "exec"), names)
        exercises = list(names["EXERCISES"])
        found = {str(exercise.id): exercise for exercise in exercises}
    except Exception as error:
        told = error.strerror if isinstance(error, OSError) else error
        raise ValueError(f"{path} can't be loaded: {type(error).__name__}: {told}") from error
    for name in found:
        if name.partition(".")[0] in CHAPTERS:
            raise ValueError(f"{path}: {name!r} is a name of the course; take a word that is no chapter")
    for name, exercise in found.items():
        _OWN.setdefault(name, exercise)
    return tuple(found)


def find(name: object) -> Exercise:
    """Return the exercise of a name such as ``"convolution.2"``, or say which names are near."""
    if not isinstance(name, str):
        told = "first the exercise's name, then your answer, as in {}; got {}"
        raise TypeError(fill(told, _example(), repr(name)))
    if name.strip() in _OWN:
        return _OWN[name.strip()]
    chapter, _, number = name.strip().partition(".")
    if chapter in CHAPTERS:
        known = [exercise.id for exercise in exercises_of(chapter)]
        if name.strip() in known:
            return exercises_of(chapter)[known.index(name.strip())]
        told = "there is no exercise {}; {} has {}"
        raise ValueError(fill(told, repr(name), chapter, ", ".join(known)))
    near = difflib.get_close_matches(chapter.lower(), CHAPTERS, n=3, cutoff=0.6)
    names = [other.id for close in near for other in exercises_of(close)]
    if re.fullmatch(r"\d+", number):
        names = [other for other in names if other.endswith(f".{number}")] or names
    if names:
        meant = translate(" or ").join(names)
        raise ValueError(fill("there is no exercise {}; did you mean {}?", repr(name), meant))
    raise ValueError(fill("there is no exercise {}; the chapters are {}", repr(name), ", ".join(CHAPTERS)))


def _example() -> str:
    return 'check("convolution.2", answer)'
