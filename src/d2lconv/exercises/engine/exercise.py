"""What all kinds of exercises have in common."""

from __future__ import annotations

import contextlib
import warnings
from abc import ABCMeta, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import nn

from d2lconv.exercises.engine.result import Result
from d2lconv.exercises.engine.runs import dtype_of
from d2lconv.exercises.engine.sandbox import call

__all__ = ["Exercise", "Misconception"]


@dataclass(frozen=True)
class Misconception:
    """A misconception: what an answer that has it would give, and the hint that helps.

    Attributes
    ----------
    name : str
        A few words, such as ``"kernel flipped"``.
    gives : object
        For a function: another function of the same arguments. For a value: the wrong value.
    hint : str
        One or two sentences that lead the reader on without giving the solution away.

    Examples
    --------
    >>> Misconception("bias forgotten", 150, "A layer also has a bias for each output channel.").name
    'bias forgotten'
    """

    name: str
    gives: object
    hint: str


class _WithFormerNames(ABCMeta):
    """Lets exercises be made with the arguments' former names, with a DeprecationWarning."""

    def __call__(cls, *args: Any, **options: Any) -> Any:
        if "wants" in options:
            warnings.warn("wants is now called answer_description", DeprecationWarning, stacklevel=2)
            options["answer_description"] = options.pop("wants")
        return super().__call__(*args, **options)


@dataclass(frozen=True, kw_only=True)
class Exercise(metaclass=_WithFormerNames):
    """One exercise.

    Attributes
    ----------
    id : str
        Chapter and number, such as ``"convolution.2"``.
    title : str
        A few words, as in the chapter's heading.
    level : int
        1 (one step), 2 (several steps) or 3 (think first).
    kind : str
        What the reader does: operator, predict, setting, count, debug, network or choice.
    answer_description : str
        What the answer is, in words that complete "it should be …".
    """

    id: str
    title: str
    level: int
    kind: str
    answer_description: str

    @property
    def chapter(self) -> str:
        """Name of the chapter."""
        return self.id.partition(".")[0]

    def check(self, answer: object) -> Result:
        """Return whether an answer is right.

        Parameters
        ----------
        answer : object
            What the reader has written.

        Returns
        -------
        Result
            The reply.
        """
        with usual_dtype(answer), torch.random.fork_rng(devices=[]):
            if isinstance(answer, Iterator):  # a generator of numbers, say
                made = call(lambda: answer, ())
                if made.end != "value":
                    return self._refused(f"Your generator gives no numbers: {made.error or 'it has no end'}.")
                answer = made.value
            return self._unattempted() if is_blank(answer) else self._check(answer)

    def judge(self, answer: object) -> Result:
        """Do what `check` does, under its former name; deprecated.

        Parameters
        ----------
        answer : object
            What the reader has written.

        Returns
        -------
        Result
            The reply.
        """
        warnings.warn("judge is now called check", DeprecationWarning, stacklevel=2)
        return self.check(answer)

    @abstractmethod
    def _check(self, answer: object) -> Result:
        """Judge an answer that is not blank."""

    def _unattempted(self) -> Result:
        text = "write your answer in place of the dots, then run the cell again."
        return Result(self.id, "not attempted", text)

    def _refused(self, what: str) -> Result:
        """Reply to an answer of the wrong kind."""
        hint = f"Asked for: {self.answer_description}."
        return Result(self.id, "not yet", what, misconception="wrong kind", hint=hint)


@contextlib.contextmanager
def usual_dtype(answer: object) -> Iterator[None]:
    """Let new tensors have the type of an answer's weights, else float32, whatever the notebook has set."""
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float32)
    if isinstance(answer, nn.Module):
        torch.set_default_dtype(dtype_of(answer))
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def is_blank(answer: object) -> bool:
    """Return whether an answer is only a placeholder."""
    if answer is None or answer is ... or answer is NotImplemented:
        return True
    if isinstance(answer, NotImplementedError) or answer is NotImplementedError:
        return True
    if isinstance(answer, dict):
        return any(map(is_blank, answer.values()))
    return isinstance(answer, list | tuple) and any(map(is_blank, answer))
