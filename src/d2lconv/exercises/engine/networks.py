"""Exercises whose answer is a network: it keeps to sizes, costs and rules, and perhaps learns something."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple, cast

from torch import Tensor, nn

from d2lconv.exercises.engine.exercise import Exercise, is_blank
from d2lconv.exercises.engine.numbers import describe
from d2lconv.exercises.engine.result import Result
from d2lconv.exercises.engine.runs import (
    Run,
    changes_with_the_call,
    depends_on_the_batch,
    inputs_for,
    load_recorder,
    run,
    uncompiled,
)
from d2lconv.exercises.engine.sandbox import Outcome, call, is_stub

__all__ = ["Network", "Rule"]


_SECONDS = 30.0  # that training may take
_BATCH = (
    "The first axis counts the inputs of a batch, and must stay: `flatten(1)`, `mean((2, 3))` and "
    "`reshape(len(X), -1)` leave it alone."
)


class Fault(NamedTuple):
    """What is wrong with a network: a name, a clause, a hint."""

    name: str
    what: str
    hint: str


@dataclass(frozen=True)
class Rule:
    """Something that a network must keep to.

    Attributes
    ----------
    name : str
        A few words for the misconception, such as ``"no hidden layer"``.
    breaks : callable
        ``breaks(model, run)`` says in a clause what is wrong, or gives an empty text. `run` has its
        ``rows``, one for each operation, each with its ``kind``, and ``total_params`` and ``total_macs``.
    hint : str
        What helps.

    Examples
    --------
    >>> rule = Rule("bias", lambda model, run: "a layer has a bias" if any(
    ...     name.endswith("bias") for name, _ in model.named_parameters()) else "", "Switch it off.")
    >>> rule.breaks(nn.Linear(2, 3), None)
    'a layer has a bias'
    """

    name: str
    breaks: Callable[[nn.Module, Run], str]
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
        if not isinstance(answer, nn.Module):
            if not callable(answer):
                return self._refused(f"You gave {describe(answer)}.")
            made = call(answer, ())
            if made.end == "unfinished" or (made.end == "value" and is_blank(made.value)):
                return self._unattempted()
            if made.end != "value":
                return self._failed(made.error or "building it did not end", "error")
            if not isinstance(made.value, nn.Module):
                return self._refused(f"Your function gives {describe(made.value)}.")
            answer = made.value
        network: nn.Module = getattr(answer, "_orig_mod", answer)  # of a compiled one
        if is_stub(network.forward):
            return self._unattempted()
        if type(network).forward is nn.Module.forward:
            return self._without_forward(type(network))
        if held := _list_of_layers(network):
            wrong = f"PyTorch does not see the layers in {held}."
            hint = "Put them in nn.Sequential or nn.ModuleList: only those make them part of the network."
            return Result(self.id, "not yet", wrong, misconception="layers in a list", hint=hint)
        with uncompiled():
            return self._check_built(network)

    def _check_built(self, answer: nn.Module) -> Result:
        load_recorder()
        tried = call(self._examine, (answer,))
        if tried.end == "unfinished":
            return self._unattempted()
        if tried.end != "value":
            return self._not_run(answer, tried)
        facts, broken = cast(tuple[str, Fault | None], tried.value)
        if broken is None and self.score is not None:
            scored = call(self.score, (answer,), seconds=_SECONDS)
            if scored.end != "value":
                return self._failed(scored.error or "training took too long", "error")
            reached = cast(float, scored.value)
            facts += f", score {reached:.2f}"
            if not reached >= self.min_score:
                hint = "It learns, but too little. What is too small?"
                broken = Fault("score", f"{self.min_score:g} is asked for", hint)
        if broken is None:
            return Result(self.id, "correct", f"{facts}.")
        details = (("your network", facts),)
        return Result(self.id, "not yet", f"{broken.what}.", details, broken.name, broken.hint)

    def _examine(self, model: nn.Module) -> tuple[str, Fault | None]:
        """Run it on a batch of two; return what it does and costs, and the first thing that is wrong."""
        X = inputs_for(model, (2, *self.input_shape))
        done = run(model, X)
        output = done.output
        if not isinstance(output, Tensor):
            what = f"the output should be one tensor, and is {describe(output)}"
            return "", Fault("no tensor", what, "What does `forward` return?")
        shape = tuple(output.shape)
        costs = f"{done.total_params:,} parameters, {done.total_macs:,} MACs"
        if shape[:1] == (2,):
            facts = f"output {shape[1:]}, {costs}"
        else:
            facts = f"output {shape} for two inputs, {costs}"
        return facts, self._wrong_shape(shape) or self._broken(model, X, done)

    def _wrong_shape(self, shape: tuple[int, ...]) -> Fault | None:
        wanted = (2, *self.output_shape)
        if shape == wanted:
            return None
        if [n for n in shape if n != 1] == [n for n in wanted if n != 1]:
            what = f"for two inputs the output should be {wanted}, and is {shape}"
            return Fault("number of axes", what, "There is an axis of length 1 too many or too few.")
        if shape[:1] != (2,):
            what = f"for two inputs the output should be {wanted}, and is {shape}"
            return Fault("batch axis", what, _BATCH)
        hint = "Follow the shape from layer to layer: `print(summarize(model, input_shape))` shows it."
        return Fault("output shape", f"the output should be {self.output_shape}", hint)

    def _broken(self, model: nn.Module, X: Tensor, done: Run) -> Fault | None:
        """Return the first thing that is wrong with a network whose output has the right shape."""
        if changes_with_the_call(model, X):
            hint = (
                "Layers that `forward` makes have new random weights at each call, and never learn: make "
                "them in `__init__`. And `F.dropout` needs `training=self.training`."
            )
            return Fault("new weights at each call", "the same input gives other numbers each time", hint)
        if depends_on_the_batch(model, X):
            what = "an example gets other numbers in a batch than by itself"
            return Fault("batch axis", what, _BATCH)
        for rule in self.rules:
            if wrong := rule.breaks(model, done):
                return Fault(rule.name, wrong, rule.hint)
        for name, count, most in (
            ("parameters", done.total_params, self.max_params),
            ("MACs", done.total_macs, self.max_macs),
        ):
            if most is not None and count > most:
                hint = "Print its summary. Which row costs most, and what is that cost a product of?"
                return Fault(f"too many {name}", f"at most {most:,} {name} are allowed", hint)
        return None

    def _not_run(self, answer: nn.Module, tried: Outcome) -> Result:
        """Reply to a network that raised an error or did not end."""
        if tried.end == "too long":
            hint = "Look at the loop in `forward`: which value ends it, and does the loop change it?"
            return self._failed("its forward did not end, and was stopped", "endless loop", hint)
        alone = call(lambda model: run(model, inputs_for(model, (1, *self.input_shape))), (answer,))
        if alone.end == "value":
            what = "it takes one input, but not two at once."
            return Result(self.id, "not yet", what, (("what happened", tried.error),), "batch axis", _BATCH)
        shape = f"(2, {', '.join(map(str, self.input_shape))})"
        hint = f"Try it on torch.zeros{shape}, layer by layer, and print the shapes."
        return self._failed(tried.error, "error", hint)

    def _without_forward(self, network: type[nn.Module]) -> Result:
        own = [name for name in vars(network) if not name.startswith("_")]
        if network is nn.Module or not own:
            return self._unattempted()
        hint = "The method that PyTorch calls is named `forward`."
        return self._failed(f"the class has no `forward`, but has {', '.join(own)}", "no forward", hint)

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
