"""Exercises whose answer is a network: it keeps to sizes, costs and rules, and perhaps learns something."""

from __future__ import annotations

import copy
from collections.abc import Callable
from dataclasses import dataclass
from typing import cast

from torch import nn

from d2lconv.exercises.engine.exercise import Exercise, is_blank
from d2lconv.exercises.engine.numbers import describe
from d2lconv.exercises.engine.result import Result
from d2lconv.exercises.engine.sandbox import call, is_stub
from d2lconv.summary import Summary, summarize

__all__ = ["Network", "Rule"]


_SECONDS = 30.0  # that summarising or training may take; the first time, PyTorch loads much for it


@dataclass(frozen=True)
class Rule:
    """Something that a network must keep to.

    Attributes
    ----------
    name : str
        A few words for the misconception, such as ``"no hidden layer"``.
    breaks : callable
        ``breaks(model, summary)`` says in a clause what is wrong, or gives an empty text.
    hint : str
        What helps.

    Examples
    --------
    >>> rule = Rule("bias", lambda model, summary: "a layer has a bias" if any(
    ...     name.endswith("bias") for name, _ in model.named_parameters()) else "", "Switch it off.")
    >>> rule.breaks(nn.Linear(2, 3), None)
    'a layer has a bias'
    """

    name: str
    breaks: Callable[[nn.Module, Summary], str]
    hint: str


@dataclass(frozen=True, kw_only=True)
class Network(Exercise):
    """Design a network. The answer is a module, or a class or function that makes one without arguments.

    Attributes
    ----------
    input_shape, output_shape : tuple of int
        Shapes for one example, without the batch axis.
    max_params, max_macs : int or None
        Most parameters, and most multiply-adds for one example. None: any number.
    rules : tuple of Rule
        Further rules; the first that is broken is told.
    score, min_score : callable, float
        ``score(model)`` trains a copy briefly, from a fixed random state, and gives a number that must be at
        least `min_score`. It must take clearly less than two seconds.
    kind, answer_description : str
        As in `Exercise`.

    Examples
    --------
    >>> exercise = Network(
    ...     id="example.6", title="Small", level=1, input_shape=(8,), output_shape=(2,), max_params=20
    ... )
    >>> exercise.check(nn.Linear(8, 2))
    Correct (example.6): output (2,), 18 parameters, 16 MACs.
    """

    input_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    max_params: int | None = None
    max_macs: int | None = None
    rules: tuple[Rule, ...] = ()
    score: Callable[[nn.Module], float] | None = None
    min_score: float = 0.0
    kind: str = "network"
    answer_description: str = "a module, or a class or function that makes one"

    def _check(self, answer: object) -> Result:
        if isinstance(answer, nn.Module):
            model = copy.deepcopy(answer)
        elif callable(answer):
            made = call(answer, ())
            if made.end == "unfinished" or (made.end == "value" and is_blank(made.value)):
                return self._unattempted()
            if made.end != "value":
                return self._failed(made.error or "building it did not end", "error")
            if not isinstance(made.value, nn.Module):
                return self._refused(f"Your function gives {describe(made.value)}.")
            model = made.value
        else:
            return self._refused(f"You gave {describe(answer)}.")
        if is_stub(model.forward) or type(model).forward is nn.Module.forward:
            return self._unattempted()
        if held := _list_of_layers(model):
            wrong = f"PyTorch does not see the layers in {held}."
            hint = "Put them in nn.Sequential or nn.ModuleList: only those make them part of the network."
            return Result(self.id, "not yet", wrong, misconception="layers in a list", hint=hint)
        tried = call(self._summarize, (model,), seconds=_SECONDS)
        if tried.end == "unfinished":
            return self._unattempted()
        if tried.end != "value":
            shape = f"(1, {', '.join(map(str, self.input_shape))})"
            hint = f"Try it on torch.zeros{shape}, layer by layer, and print the shapes."
            return self._failed(tried.error or "its forward did not end", "error", hint)
        return self._check_built(model, cast(Summary, tried.value))

    def _summarize(self, model: nn.Module) -> Summary:
        return summarize(model, self.input_shape)

    def _check_built(self, model: nn.Module, summary: Summary) -> Result:
        output = summary.rows[-1].output_shape if summary.rows else None
        output = next((row.output_shape for row in reversed(summary.rows) if row.output_shape), output)
        facts = f"output {output}, {summary.total_params:,} parameters, {summary.total_macs:,} MACs"
        broken = self._broken(model, summary, output)
        if broken is None and self.score is not None:
            scored = call(self.score, (model,), seconds=_SECONDS)
            if scored.end != "value":
                return self._failed(scored.error or "training took too long", "error")
            reached = cast(float, scored.value)
            facts += f", score {reached:.2f}"
            if reached < self.min_score:
                broken = (
                    "score",
                    f"{self.min_score:g} is asked for",
                    "It learns, but too little. What is too small?",
                )
        if broken is None:
            return Result(self.id, "correct", f"{facts}.")
        name, wrong, hint = broken
        return Result(self.id, "not yet", f"{wrong}.", (("your network", facts),), name, hint)

    def _broken(
        self, model: nn.Module, summary: Summary, output: tuple[int, ...] | None
    ) -> tuple[str, str, str] | None:
        """Return name, sentence and hint of the first thing that is wrong."""
        if output != self.output_shape:
            hint = "Follow the shape from layer to layer: `print(summarize(model, input_shape))` shows it."
            return "output shape", f"the output should be {self.output_shape}", hint
        for rule in self.rules:
            if wrong := rule.breaks(model, summary):
                return rule.name, wrong, rule.hint
        for name, count, most in (
            ("parameters", summary.total_params, self.max_params),
            ("MACs", summary.total_macs, self.max_macs),
        ):
            if most is not None and count > most:
                hint = "Print its summary. Which row costs most, and what is that cost a product of?"
                return f"too many {name}", f"at most {most:,} {name} are allowed", hint
        return None

    def _failed(self, what: str, name: str, hint: str = "") -> Result:
        return Result(self.id, "not yet", "it can't be run.", (("what happened", what),), name, hint)


def _list_of_layers(model: nn.Module) -> str:
    """Name a list, tuple or dictionary that holds layers which are no part of the model."""
    known = set(model.modules())
    for module in known:
        for name, value in vars(module).items():
            if name.startswith("_") or not isinstance(value, dict | list | tuple):
                continue
            held = value.values() if isinstance(value, dict) else value
            if any(isinstance(one, nn.Module) and one not in known for one in held):
                return f"the {type(value).__name__} `{name}`"
    return ""
