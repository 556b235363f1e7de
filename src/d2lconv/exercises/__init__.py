"""Exercises that answer back: give `check` an exercise's name and what you have written.

``python -m d2lconv.exercises`` lists all exercises and your progress, which stays on your computer;
``python -m d2lconv.exercises grade NOTEBOOK`` is for teachers. The exercises of a chapter load when one of
them is first checked; `load` adds those of a file of your own.
"""

from d2lconv.exercises.engine.checking import check
from d2lconv.exercises.engine.registry import load
from d2lconv.exercises.engine.result import Result

__all__ = ["Result", "check", "load"]
