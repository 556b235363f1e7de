"""Validation of the networks' settings and images."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from torch import Tensor

Thing = TypeVar("Thing")


def choose(name: str, value: object, things: Mapping[str, Thing]) -> Thing:
    """Return ``things[value]``; raise ValueError unless there is one."""
    if not isinstance(value, str) or value not in things:
        raise ValueError(f"{name} must be one of {', '.join(map(repr, things))}, got {value!r}")
    return things[value]


def fraction(name: str, value: object) -> float:
    """Return ``value`` as a float; raise unless it is a number from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}")
    if not 0 <= value <= 1:
        raise ValueError(f"{name} must be from 0 to 1, got {value}")
    return float(value)


def require_images(X: Tensor, in_channels: int, size: int) -> None:
    """Raise ValueError unless ``X`` is a batch of square images of the given size."""
    if X.shape[1:] != (in_channels, size, size):
        raise ValueError(f"X must have shape (N, {in_channels}, {size}, {size}), got {tuple(X.shape)}")
