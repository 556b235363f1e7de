"""Exercises whose answer is tried on cases: functions, settings, and repaired functions."""

from __future__ import annotations

import copy
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal

from torch import Tensor, nn

from d2lconv.exercises.engine.cases import Case, Cases
from d2lconv.exercises.engine.exercise import Exercise, Misconception
from d2lconv.exercises.engine.hints import general_hint
from d2lconv.exercises.engine.numbers import NotNumbersError, describe, read, same, show, where_they_differ
from d2lconv.exercises.engine.result import Result
from d2lconv.exercises.engine.sandbox import Outcome, call, is_stub

__all__ = ["Debug", "Function", "Setting"]

Fault = Literal["", "shape", "values", "kind", "nothing", "changed", "error", "too long", "unfinished"]

_DIFFERENCES = ("shape", "values")


@dataclass(frozen=True)
class _Trial:
    """One case, and what the answer made of it."""

    case: Case
    expected: Tensor
    outcome: Outcome
    given: Tensor | None
    fault: Fault


@dataclass(frozen=True, kw_only=True)
class Function(Exercise):
    """Write a function. Any that gives the right numbers is right.

    Attributes
    ----------
    right : callable
        An independent way to the right result: PyTorch's, not the solution's. The names of its arguments are
        those that the reader sees.
    cases : Cases
        What both are tried on.
    wrong : tuple of Misconception
        Each `Misconception.gives` is a function of the same arguments. The first that agrees with the answer
        on every case, or else wherever the answer is wrong, gives its hint.
    forbidden : tuple of str
        Names of functions that the answer must not call; ``"groups"``: no convolution in groups.
    kind, answer_description : str
        As in `Exercise`.

    Examples
    --------
    >>> exercise = Function(
    ...     id="example.1", title="Double", level=1, right=lambda X: 2 * X,
    ...     cases=Cases(lambda draw, n: (draw(n),), n=range(1, 4)),
    ...     wrong=(Misconception("squared", lambda X: X * X, "Twice a number is not its square."),),
    ... )
    >>> exercise.check(lambda X: X + X)
    Correct (example.1): 3 cases.
    >>> exercise.check(lambda X: X**2).misconception
    'squared'
    """

    right: Callable[..., object]
    cases: Cases
    wrong: tuple[Misconception, ...] = ()
    forbidden: tuple[str, ...] = ()
    kind: str = "operator"
    answer_description: str = "a function"

    _raised: ClassVar[str] = "your code raised"

    def __post_init__(self) -> None:
        """Raise ValueError unless `right` has the arguments of the cases: both are shown side by side."""
        signature = inspect.signature(self.right)
        count = len(next(iter(self.cases)).arguments)
        kinds = [argument.kind for argument in signature.parameters.values()]
        if len(kinds) != count or inspect.Parameter.VAR_POSITIONAL in kinds:
            raise ValueError(f"{self.id}: right{signature} must have the arguments of a case, {count} here")

    def _check(self, answer: object) -> Result:
        if is_stub(answer):
            return self._unattempted()
        try:
            ready = self._prepare(answer)
        except (TypeError, ValueError) as error:
            return self._refused(f"{error}.")
        trials: list[_Trial] = []
        for case in self.cases:
            trials.append(self._try(ready, case))
            if trials[-1].fault == "too long":
                break
        first = trials[0].outcome
        if first.end == "unfinished" or first.value is ...:
            return self._unattempted()
        used = sorted({name for trial in trials for name in trial.outcome.used})
        if used and not any(trial.fault for trial in trials):
            what = f"your code uses {' and '.join(f'`{name}`' for name in used)}, which is not allowed here."
            hint = "The exercise is to do it in smaller steps; its text says with what."
            return Result(self.id, "not yet", what, misconception="forbidden function", hint=hint)
        if not any(trial.fault for trial in trials):
            return Result(self.id, "correct", f"{len(trials)} cases.")
        return self._not_yet(ready, trials)

    def _prepare(self, answer: object) -> Callable[..., object]:
        """Turn the answer into a function of a case, or say what is wrong with it."""
        if isinstance(answer, type):
            raise TypeError(f"You gave {describe(answer)}, which still has to be called to make a function")
        if not callable(answer):
            raise TypeError(f"You gave {describe(answer)}. Give the function itself, without calling it")
        return (
            copy.deepcopy(answer) if isinstance(answer, nn.Module) else answer
        )  # a call may change a module

    def _try(self, answer: Callable[..., object], case: Case) -> _Trial:
        expected = read(self.right(*_fresh(case)))
        outcome = call(answer, case.arguments, forbidden=self.forbidden)
        given, fault = None, _fault_of(outcome)
        if not fault:
            try:
                given = read(outcome.value)
                fault = "" if same(given, expected) else _kind_of_difference(given, expected)
            except NotNumbersError:
                fault = "kind"
            if not fault and outcome.changed:
                fault = "changed"
        return _Trial(case, expected, outcome, given, fault)

    def _not_yet(self, answer: Callable[..., object], trials: Sequence[_Trial]) -> Result:
        failing = [trial for trial in trials if trial.fault]
        name, hint = self._misconception(trials)
        smallest = failing[0]
        if smallest.fault != "too long":  # each further try would take as long

            def fails(case: Case) -> bool:
                return self._try(answer, case).fault == smallest.fault

            smallest = self._try(answer, self.cases.shrink(smallest.case, fails))
        stopped = smallest.fault == "too long"
        how_many = (
            "the code did not end, and was stopped"
            if stopped
            else f"{len(failing)} of {len(trials)} cases fail"
        )
        return Result(
            self.id,
            "not yet",
            f"{how_many}. The smallest case that shows it:",
            self._details(smallest),
            name,
            hint,
        )

    def _details(self, trial: _Trial) -> tuple[tuple[str, str], ...]:
        names = list(inspect.signature(self.right).parameters)
        details = [(name, show(value)) for name, value in zip(names, trial.case.arguments, strict=True)]
        details.append(("expected", show(trial.expected)))
        if trial.given is not None:
            details.append(("given", show(trial.given)))
            if trial.fault in _DIFFERENCES and trial.expected.ndim > 0:
                details.append(("they differ", where_they_differ(trial.given, trial.expected)))
        elif trial.outcome.end == "value":
            details.append(("given", show(trial.outcome.value)))
        elif trial.outcome.error:
            details.append((self._raised, trial.outcome.error))
        changed = [names[position] for position in trial.outcome.changed]
        if changed:
            details.append(("your code changed", " and ".join(changed)))
        if trial.outcome.printed:
            details.append(("your code printed", trial.outcome.printed))
        return tuple(details)

    def _misconception(self, trials: Sequence[_Trial]) -> tuple[str, str]:
        """Return name and hint of what the answer probably gets wrong."""
        failing = [trial for trial in trials if trial.fault]
        wrong_values = [trial for trial in failing if trial.fault in _DIFFERENCES]
        if wrong_values:
            for group in (trials, wrong_values):
                for wrong in self.wrong:
                    if all(_agrees(wrong, trial) for trial in group):
                        return wrong.name, wrong.hint
        if failing[0].fault in _DIFFERENCES:
            return self._general_hint(wrong_values)
        return self._hint_for(failing[0].fault, failing[0].outcome)

    def _general_hint(self, wrong_values: Sequence[_Trial]) -> tuple[str, str]:
        """Return the hint that fits results of the wrong size or numbers, whatever was computed."""
        return general_hint([(t.given, t.expected) for t in wrong_values if t.given is not None])

    def _hint_for(self, fault: Fault, outcome: Outcome) -> tuple[str, str]:
        names = ", ".join(inspect.signature(self.right).parameters)
        if fault == "error" and "argument" in outcome.error and outcome.error.startswith("TypeError"):
            return "arguments", f"It is called with {names}, in this order."
        return {
            "error": ("error", "Run your code on this case by itself, and look at the line that is named."),
            "too long": (
                "endless loop",
                "Which value ends the loop, and does the loop change it? Or does it take too many steps?",
            ),
            "nothing": ("nothing returned", "The function gives None. Does it end in `return`?"),
            "kind": ("wrong kind", "The result must be a tensor, an array, a list or a number."),
            "changed": (
                "argument changed",
                "The result is right, but the caller's data changed. Work on a copy.",
            ),
            "unfinished": ("unfinished", "A part of the function still raises NotImplementedError."),
        }.get(fault, ("", ""))


@dataclass(frozen=True, kw_only=True)
class Debug(Function):
    """Repair a given function. As long as it behaves as it was given, it counts as not attempted.

    Attributes
    ----------
    given : callable
        The function with its fault, as in the notebook.
    kind, answer_description : str
        As in `Exercise`.

    Examples
    --------
    >>> exercise = Debug(
    ...     id="example.2", title="Mean", level=1, right=lambda X: X.mean(), given=lambda X: X.sum(),
    ...     cases=Cases(lambda draw, n: (draw(n),), n=range(1, 4)),
    ... )
    >>> exercise.check(lambda X: sum(X)).status
    'not attempted'
    """

    given: Callable[..., object]
    kind: str = "debug"
    answer_description: str = "the function, repaired"

    def _not_yet(self, answer: Callable[..., object], trials: Sequence[_Trial]) -> Result:
        result = super()._not_yet(answer, trials)
        if not all(self._behaves_as_given(trial) for trial in trials):
            return result
        text = "it still behaves as it was given. The smallest case that shows the fault:"
        return Result(self.id, "not attempted", text, result.details)

    def _behaves_as_given(self, trial: _Trial) -> bool:
        outcome = call(self.given, trial.case.arguments)
        if outcome.end != "value" or trial.outcome.end != "value":
            return outcome.end == trial.outcome.end
        return trial.given is not None and same(trial.given, read(outcome.value))


@dataclass(frozen=True, kw_only=True)
class Setting(Function):
    """Find numbers that do something: a kernel, a padding, a stride. Any that do it are right.

    Attributes
    ----------
    read : callable
        Turns the answer into what `use` takes, or raises a TypeError or ValueError that says what is wrong
        with it, such as ``"A kernel of shape (3, 3) is asked for, you gave …"``.
    use : callable
        ``use(setting, *case)`` is what the setting does with a case.
    kind, answer_description : str
        As in `Exercise`.

    Examples
    --------
    >>> exercise = Setting(
    ...     id="example.3", title="Triple", level=1, answer_description="a number", read=float,
    ...     use=lambda factor, X: factor * X, right=lambda X: X + X + X,
    ...     cases=Cases(lambda draw, n: (draw(n),), n=range(1, 4)),
    ... )
    >>> exercise.check(3)
    Correct (example.3): 3 cases.
    """

    read: Callable[..., object]
    use: Callable[..., object]
    kind: str = "setting"
    answer_description: str

    _raised: ClassVar[str] = "error"

    def _prepare(self, answer: object) -> Callable[..., object]:
        setting = self.read(answer)
        return lambda *case: self.use(setting, *case)

    def _general_hint(self, wrong_values: Sequence[_Trial]) -> tuple[str, str]:
        """Return no hint for counts: what a setting does can be off by one without the setting being so."""
        if wrong_values[0].expected.ndim == 0:
            return "", ""
        return super()._general_hint(wrong_values)

    def _hint_for(self, fault: Fault, outcome: Outcome) -> tuple[str, str]:
        """Return a hint to a reader who wrote no code."""
        if fault == "error":
            return "error", "Your answer can't be used in this case: the message says what does not fit."
        return super()._hint_for(fault, outcome)


def _fresh(case: Case) -> list[object]:
    return [value.clone() if isinstance(value, Tensor) else value for value in case.arguments]


def _kind_of_difference(given: Tensor, expected: Tensor) -> Fault:
    return "values" if given.shape == expected.shape else "shape"


def _fault_of(outcome: Outcome) -> Fault:
    if outcome.end != "value":
        return outcome.end
    return "nothing" if outcome.value is None else ""


def _agrees(wrong: Misconception, trial: _Trial) -> bool:
    """Return whether a misconception gives on a case what the answer gave."""
    if trial.given is None or not callable(wrong.gives):
        return False
    try:  # the course's own code: no limits are needed
        return same(trial.given, read(wrong.gives(*copy.deepcopy(trial.case.arguments))))
    except Exception:  # a misconception need not be defined everywhere
        return False
