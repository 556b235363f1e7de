"""How the learning rate changes over a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from torch.optim import Optimizer

SCHEDULES: Mapping[str, Callable[[float], float]] = {
    "constant": lambda done: 1.0,
    "linear": lambda done: 1 - done,
    "cosine": lambda done: (1 + math.cos(math.pi * done)) / 2,
}
"""The part of the first learning rate that is used, by the part of the training that is done, from 0 to 1."""


def require_schedule(schedule: object) -> str:
    """Return the name of a schedule, or say which there are."""
    if not isinstance(schedule, str) or schedule not in SCHEDULES:
        raise ValueError(f"schedule must be one of {', '.join(map(repr, SCHEDULES))}, got {schedule!r}")
    return schedule


@dataclass(frozen=True)
class Rates:
    """The learning rates of an optimiser, one for each group of parameters, over a training."""

    schedule: str
    epochs: int
    first: tuple[float, ...]

    @classmethod
    def of(cls, optimizer: Optimizer, schedule: str, epochs: int) -> Rates:
        """Return the rates of a training that begins with those of an optimiser."""
        return cls(schedule, epochs, tuple(float(group["lr"]) for group in optimizer.param_groups))

    def set(self, optimizer: Optimizer, epochs_done: float) -> None:
        """Set the rates for the next step."""
        self._set(optimizer, SCHEDULES[self.schedule](epochs_done / self.epochs))

    def reset(self, optimizer: Optimizer) -> None:
        """Set the first rates again, so that a caller's optimiser can be used once more."""
        self._set(optimizer, 1.0)

    def _set(self, optimizer: Optimizer, part: float) -> None:
        for group, rate in zip(optimizer.param_groups, self.first, strict=True):
            group["lr"] = rate * part
