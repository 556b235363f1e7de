"""Trait types for what the views show: numbers and matrices, with errors that say what is allowed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import traitlets
from torch import Tensor

Rows = list[list[float]]

if TYPE_CHECKING:
    Trait = traitlets.TraitType[Rows, Any]
else:
    Trait = traitlets.TraitType  # takes no types in Colab, whose traitlets is older


class Matrix(Trait):
    """A matrix of finite numbers, held as a list of rows so that it can be sent to a browser.

    Tensors, arrays and nested sequences of numbers are accepted.

    Parameters
    ----------
    largest : int
        The most rows and columns that it may have.
    """

    info_text = "a matrix of numbers"

    def __init__(self, default: Rows, *, largest: int, **arguments: Any) -> None:
        super().__init__(default, **arguments)
        self.largest = largest

    def validate(self, obj: Any, value: Any) -> Rows:
        """Return the rows, or say what is wrong with them."""
        rows = value.tolist() if hasattr(value, "tolist") else value
        allowed = f"a matrix of at most {self.largest}×{self.largest} finite numbers"
        if not _is_sequence(rows) or not rows or not all(_is_sequence(row) and row for row in rows):
            self._refuse(allowed, value)
        if len({len(row) for row in rows}) > 1:
            raise traitlets.TraitError(
                f"{self.name} must have rows of the same length, got {[len(row) for row in rows]}"
            )
        if max(len(rows), len(rows[0])) > self.largest:
            raise traitlets.TraitError(f"{self.name} must be {allowed}, got {len(rows)}×{len(rows[0])}")
        for number in (number for row in rows for number in row):
            if isinstance(number, bool) or not isinstance(number, int | float) or not math.isfinite(number):
                raise traitlets.TraitError(f"{self.name} must be {allowed}, got {number!r} in it")
        return [[float(number) for number in row] for row in rows]

    def _refuse(self, allowed: str, value: Any) -> None:
        what = f"shape {tuple(value.shape)}" if isinstance(value, Tensor) else repr(value)
        raise traitlets.TraitError(f"{self.name} must be {allowed}, got {what}")


def within(name: str, value: float, low: float, high: float) -> float:
    """Return a number that lies between two others, or raise a TraitError that says so."""
    if not low <= value <= high:
        raise traitlets.TraitError(f"{name} must be from {low} to {high}, got {value}")
    return value


def size(matrix: Rows) -> str:
    """Write how many rows and columns a matrix has, such as 3×3."""
    return f"{len(matrix)}×{len(matrix[0])}"


def _is_sequence(value: object) -> bool:
    return isinstance(value, Sequence) and not isinstance(value, str | bytes)
