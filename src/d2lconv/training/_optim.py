"""The optimizer of a training, plain momentum or the caller's own, and the schedule of its learning rate."""

from __future__ import annotations

import inspect
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from torch import nn
from torch.optim import SGD, Optimizer

from d2lconv.training.checkpoints import Setting

OptimizerLike = Optimizer | Callable[[Iterator[nn.Parameter]], Optimizer]
"""An optimizer of the model's parameters, or a function that makes one of them."""

MOMENTUM = 0.9

SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}
"""The fraction of the initial learning rate by the fraction of the training that is done, from 0 to 1."""


def choose_optimizer(model: nn.Module, lr: float | None, optimizer: OptimizerLike | None) -> Optimizer:
    """Return stochastic gradient descent for a learning rate, or the optimizer that was given."""
    if (lr is None) == (optimizer is None):
        raise ValueError(f"give lr or optimizer, exactly one of them; got lr={lr!r}, optimizer={optimizer!r}")
    parameters = list(model.parameters())
    if not any(parameter.requires_grad for parameter in parameters):
        number = f"all {len(parameters)} of its parameters are frozen" if parameters else "it has none"
        raise ValueError(f"model must have parameters that can be trained, but {number}")
    if lr is not None:
        if isinstance(lr, bool) or not isinstance(lr, (int, float)):
            raise TypeError(f"lr must be a number, got {lr!r} of type {type(lr).__name__}")
        if not 0 < lr < math.inf:
            raise ValueError(f"lr must be positive and finite, got {lr}")
        return SGD(parameters, lr=lr, momentum=MOMENTUM)
    made = optimizer
    if callable(optimizer) and not isinstance(optimizer, Optimizer):
        made = optimizer(model.parameters())
    if not isinstance(made, Optimizer):
        raise TypeError(
            "optimizer must be a torch.optim.Optimizer, or a function that makes one of the parameters, such "
            f"as lambda parameters: torch.optim.Adam(parameters), got {made!r}"
        )
    closure = inspect.signature(made.step).parameters.get("closure")
    if closure is not None and closure.default is inspect.Parameter.empty:
        raise TypeError(
            f"optimizer must step from the gradients alone, but {type(made).__name__} needs a closure, to "
            "evaluate the loss again in each step"
        )
    return _of_model(made, parameters)


def _of_model(chosen: Optimizer, parameters: list[nn.Parameter]) -> Optimizer:
    """Return an optimizer with its state where the weights are; raise ValueError if it is another model's."""
    own, held = set(parameters), [p for group in chosen.param_groups for p in group["params"]]
    foreign = sum(p not in own for p in held)
    if foreign:
        raise ValueError(
            f"optimizer must hold parameters of the model only, but {foreign} of those it holds are not in it"
        )
    if not any(p.requires_grad for p in held):
        raise ValueError(f"optimizer must hold parameters to train, but all {len(held)} are frozen")
    chosen.load_state_dict(chosen.state_dict())  # moves its state to where the weights are now
    return chosen


def optimizer_settings(optimizer: Optimizer) -> dict[str, Setting]:
    """Return an optimizer's settings by name, such as ``"SGD.lr"``."""
    settings: dict[str, Setting] = {"optimizer": type(optimizer).__name__}
    for number, group in enumerate(optimizer.param_groups):
        index = f"[{number}]" if number else ""
        settings |= {
            f"{settings['optimizer']}{index}.{name}": (
                value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
            )
            for name, value in group.items()
            if name != "params"
        }
    return settings


def require_schedule(schedule: object) -> str:
    """Return the name of a schedule; raise ValueError if there is none of that name."""
    if not isinstance(schedule, str) or schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(map(repr, SCHEDULES))}, got {schedule!r}")
    return schedule


@dataclass(frozen=True)
class LearningRates:
    """The learning rates of an optimizer over a training, one for each group of parameters."""

    schedule: str
    epochs: int
    initial: tuple[float, ...]

    @classmethod
    def of(cls, optimizer: Optimizer, schedule: str, epochs: int) -> LearningRates:
        """Return the rates of a training that begins with those of an optimizer."""
        return cls(schedule, epochs, tuple(float(group["lr"]) for group in optimizer.param_groups))

    def set(self, optimizer: Optimizer, epochs_done: float) -> None:
        """Set the rates for the next step."""
        self._set(optimizer, SCHEDULES[self.schedule](epochs_done / self.epochs))

    def reset(self, optimizer: Optimizer) -> None:
        """Set the initial rates again, so that a caller's optimizer can be used once more."""
        self._set(optimizer, 1.0)

    def _set(self, optimizer: Optimizer, fraction: float) -> None:
        for group, rate in zip(optimizer.param_groups, self.initial, strict=True):
            group["lr"] = rate * fraction
