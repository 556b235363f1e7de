"""Where each exercise is found: a chapter's file loads when one of its exercises is first asked for."""

from __future__ import annotations

import difflib
import pkgutil
import re
from typing import TYPE_CHECKING

from d2lconv.exercises import chapters

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


def find(name: object) -> Exercise:
    """Return the exercise of a name such as ``"convolution.2"``, or say which names are near."""
    if not isinstance(name, str):
        raise TypeError(f"first the exercise's name, then your answer, as in {_example()}; got {name!r}")
    chapter, _, number = name.strip().partition(".")
    if chapter in CHAPTERS:
        known = [exercise.id for exercise in exercises_of(chapter)]
        if name.strip() in known:
            return exercises_of(chapter)[known.index(name.strip())]
        raise ValueError(f"there is no exercise {name!r}; {chapter} has {', '.join(known)}")
    near = difflib.get_close_matches(chapter.lower(), CHAPTERS, n=3, cutoff=0.6)
    names = [other.id for close in near for other in exercises_of(close)]
    if re.fullmatch(r"\d+", number):
        names = [other for other in names if other.endswith(f".{number}")] or names
    hint = f"did you mean {' or '.join(names)}?" if names else f"the chapters are {', '.join(CHAPTERS)}"
    raise ValueError(f"there is no exercise {name!r}; {hint}")


def _example() -> str:
    return 'check("convolution.2", answer)'
