"""How the learning rate changes over a training."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping

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


def first_rates(optimizer: Optimizer) -> list[float]:
    """Return the learning rates with which a training begins, one for each group of parameters."""
    return [float(group["lr"]) for group in optimizer.param_groups]


def set_rates(optimizer: Optimizer, first: list[float], schedule: str, done: float) -> None:
    """Set the learning rates for the next step."""
    for group, rate in zip(optimizer.param_groups, first, strict=True):
        group["lr"] = rate * SCHEDULES[schedule](done)
