"""What all kinds of exercises have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass

from d2lconv.exercises._result import Result

__all__ = ["Exercise", "Wrong"]


@dataclass(frozen=True)
class Wrong:
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
    >>> Wrong("bias forgotten", 150, "A layer also has a bias for each output channel.").name
    'bias forgotten'
    """

    name: str
    gives: object
    hint: str


@dataclass(frozen=True, kw_only=True)
class Exercise(ABC):
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
    wants : str
        What the answer is, in words that complete "it should be …".
    """

    id: str
    title: str
    level: int
    kind: str
    wants: str

    @property
    def chapter(self) -> str:
        """Name of the chapter."""
        return self.id.partition(".")[0]

    def judge(self, answer: object) -> Result:
        """Say whether an answer is right.

        Parameters
        ----------
        answer : object
            What the reader has written.

        Returns
        -------
        Result
            The reply.
        """
        return self._unattempted() if is_blank(answer) else self._judge(answer)

    @abstractmethod
    def _judge(self, answer: object) -> Result:
        """Judge an answer that is not blank."""

    def _unattempted(self) -> Result:
        text = "write your answer in place of the dots, then run the cell again."
        return Result(self.id, "not attempted", text)

    def _refused(self, what: str) -> Result:
        """Reply to an answer of the wrong kind."""
        hint = f"The answer should be {self.wants}."
        return Result(self.id, "not yet", what, misconception="wrong kind", hint=hint)


def is_blank(answer: object) -> bool:
    """Tell whether an answer holds a place only."""
    if answer is None or answer is ... or answer is NotImplemented:
        return True
    if isinstance(answer, NotImplementedError) or answer is NotImplementedError:
        return True
    if isinstance(answer, dict):
        return any(map(is_blank, answer.values()))
    return isinstance(answer, list | tuple) and any(map(is_blank, answer))
