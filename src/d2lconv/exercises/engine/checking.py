"""The one function that a reader calls."""

from __future__ import annotations

from d2lconv.exercises.engine import progress
from d2lconv.exercises.engine.registry import find
from d2lconv.exercises.engine.result import Result
from d2lconv.language import translate

__all__ = ["check"]

_MISSING = object()


def check(exercise: str, answer: object = _MISSING, *, solution: bool = False) -> Result:
    """Check an answer to an exercise, and say what to look at where it is wrong.

    The answer runs on small cases first, then on larger ones; the same on every run. A failing case is made
    smaller step by step while it still fails in the same way, and shown. Your answer and its data stay as
    they are, an endless loop is stopped, and the solution is never printed.

    Parameters
    ----------
    exercise : str
        Its name, such as ``"convolution.2"``.
    answer : object
        What the exercise asks for: a function, a number, a tensor, a list, a module, a letter. Where numbers
        are asked for, tensors, arrays, lists and numbers are all fine, whole or not.
    solution : bool
        Whether this is the course's own solution, which does not count as your progress.

    Returns
    -------
    Result
        *Not attempted yet*, *correct*, or *not yet* with the smallest failing case and a hint.

    Raises
    ------
    TypeError
        If the answer is missing, or the first argument is not a name.
    ValueError
        If there is no such exercise.

    Examples
    --------
    >>> check("convolution.1", ...)
    Not attempted yet (convolution.1): write your answer in place of the dots, then run the cell again.
    """
    found = find(exercise)
    if answer is _MISSING:
        told = f'check("{found.id}", answer): the answer is missing; it should be {found.answer_description}'
        raise TypeError(translate(told))
    result = found.check(answer)
    if solution:
        return result._with(solution=True)
    note = progress.record(result)
    return result._with(notes=(note,)) if note else result
