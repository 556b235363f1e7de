"""Exercises with one answer: numbers worked out by hand, a shape foretold, a choice."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch import Tensor

from d2lconv.exercises.engine.exercise import Exercise, Misconception
from d2lconv.exercises.engine.hints import general_hint
from d2lconv.exercises.engine.numbers import NotNumbersError, describe, differing_positions, read, same, show
from d2lconv.exercises.engine.result import Result

__all__ = ["Choice", "Value"]


@dataclass(frozen=True, kw_only=True)
class Value(Exercise):
    """Give numbers: a result, a shape, a count. The reply says which are right, never what they should be.

    Attributes
    ----------
    right : callable
        Computes the right numbers, without arguments.
    wrong : tuple of Misconception
        Misconceptions; each `Misconception.gives` is the wrong numbers, or a function without arguments.
    parts : tuple of str
        What each number is, such as ``("height", "width")``; then a dict by these names is an answer too.
    kind, answer_description : str
        As in `Exercise`.

    Examples
    --------
    >>> exercise = Value(
    ...     id="example.4", title="Size", level=1, right=lambda: (2, 3), parts=("height", "width"),
    ...     wrong=(Misconception("swapped", (3, 2), "Height comes first."),),
    ... )
    >>> exercise.check((2, 7))
    Not yet (example.4): right: height; not right: width.
      given: [2, 7]
    """

    right: Callable[[], object]
    wrong: tuple[Misconception, ...] = ()
    parts: tuple[str, ...] = ()
    kind: str = "predict"
    answer_description: str = "a number, or numbers in a list, tuple or tensor"

    def _check(self, answer: object) -> Result:
        if isinstance(answer, Mapping):
            if set(answer) != set(self.parts):
                return self._refused(f"You gave a dict with the keys {', '.join(map(str, answer))}.")
            answer = [answer[part] for part in self.parts]
        try:
            given = read(answer)
        except NotNumbersError:
            return self._refused(f"You gave {describe(answer)}.")
        expected = read(self.right())
        if same(given, expected):
            count = expected.numel()
            return Result(self.id, "correct", f"{count} number{'s' * (count > 1)}.")
        name, hint = self._misconception(given, expected)
        return Result(
            self.id, "not yet", self._verdict(given, expected), (("given", show(given)),), name, hint
        )

    def _verdict(self, given: Tensor, expected: Tensor) -> str:
        if given.shape != expected.shape:
            verb = "is" if expected.ndim == 0 else "are"
            return f"you gave {_counted(given)}, but {_counted(expected)} {verb} asked for."
        if expected.numel() == 1:
            return "the number is another one."
        apart = differing_positions(given, expected)
        if self.parts:
            names = {True: [], False: []}  # type: dict[bool, list[str]]
            for position, part in enumerate(self.parts):
                names[position not in apart].append(part)
            told = ((names[True], "right"), (names[False], "not right"))
            return "; ".join(f"{word}: {', '.join(some)}" for some, word in told if some) + "."
        count = f"{expected.numel() - len(apart)} of {expected.numel()} numbers are right"
        if expected.ndim == 2 and len(apart) == 1:
            row, column = divmod(apart[0], expected.shape[1])
            return f"{count}. Look again at row {row}, column {column}, counted from 0."
        return f"{count}."

    def _misconception(self, given: Tensor, expected: Tensor) -> tuple[str, str]:
        for wrong in self.wrong:
            numbers = read(wrong.gives() if callable(wrong.gives) else wrong.gives)
            if same(given, numbers):
                return wrong.name, wrong.hint
        if given.numel() != expected.numel():
            return "number of values", f"Asked for: {self.answer_description}."
        if given.numel() == 2 and self.parts and same(given.flip(0), expected):
            return "numbers swapped", f"The numbers are right. Which comes first: {' or '.join(self.parts)}?"
        name, hint = general_hint([(given, expected)])
        return (
            ("", "")
            if given.numel() > 1 and name in ("mirrored", "rounded") and given.ndim == 1
            else (name, hint)
        )


@dataclass(frozen=True, kw_only=True)
class Choice(Exercise):
    """Choose one of several statements. Each wrong one is explained.

    Attributes
    ----------
    right : str
        Letter of the right one.
    because : str
        Why it is right; shown when it was chosen.
    wrong : Mapping of str to str
        For each other letter, why it is wrong, without saying which one is right.
    kind, answer_description : str
        As in `Exercise`.

    Examples
    --------
    >>> exercise = Choice(
    ...     id="example.5", title="Largest", level=1, right="b", because="3 exceeds 2.",
    ...     wrong={"a": "2 is smaller than another one."},
    ... )
    >>> exercise.check("a")
    Not yet (example.5): a is wrong.
      Hint: 2 is smaller than another one.
    """

    right: str
    because: str
    wrong: Mapping[str, str]
    kind: str = "choice"
    answer_description: str = "one letter in quotes"

    def _check(self, answer: object) -> Result:
        letter = answer.strip(" \n.:;()[]{}*'\"").lower() if isinstance(answer, str) else ""
        if letter == self.right:
            return Result(self.id, "correct", self.because)
        if letter not in self.wrong:
            letters = ", ".join(sorted([self.right, *self.wrong]))
            return self._refused(f"You gave {describe(answer)}; the letters are {letters}.")
        return Result(
            self.id, "not yet", f"{letter} is wrong.", misconception=letter, hint=self.wrong[letter]
        )


def _counted(given: Tensor) -> str:
    if given.ndim < 2 and given.numel() == 1:
        return "one number"
    return f"{given.numel()} numbers" if given.ndim == 1 else f"numbers of shape {tuple(given.shape)}"
