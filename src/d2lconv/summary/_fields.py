"""The windows of the input that tensors depend on."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Field:
    """The windows of the input that the numbers of a tensor depend on, along each spatial axis.

    The window of cell 0 begins at ``start`` and has ``size`` cells; the next one begins ``stride`` further.
    All numbers together depend on ``extent`` cells from ``start``. Where the numbers no longer lie in rows
    and columns, as in a flattened tensor, ``stride`` is None, and each sees some ``size`` of those cells.
    """

    start: tuple[int, ...]
    size: tuple[int, ...]
    stride: tuple[int, ...] | None
    extent: tuple[int, ...]

    @property
    def end(self) -> tuple[int, ...]:
        return tuple(first + length for first, length in zip(self.start, self.extent, strict=True))

    @property
    def is_the_same_for_all(self) -> bool:
        return self.size == self.extent

    def unordered(self) -> Field:
        """Return the field of the same numbers without rows and columns."""
        return replace(self, stride=None)

    def united(self) -> Field:
        """Return the field of numbers that each depend on all of these numbers."""
        return Field(self.start, self.extent, None, self.extent)


def pixels(axes: int, sizes: Sequence[int]) -> Field:
    """Return the field of the input itself: each cell sees itself."""
    return grid((0,) * axes, (1,) * axes, (1,) * axes, sizes)


def grid(start: Sequence[int], size: Sequence[int], stride: Sequence[int], cells: Sequence[int]) -> Field:
    """Return the field of a tensor with that many cells along each spatial axis."""
    extent = ((n - 1) * move + length for n, move, length in zip(cells, stride, size, strict=True))
    return Field(tuple(start), tuple(size), tuple(stride), tuple(extent))


def hull(fields: Sequence[Field]) -> Field:
    """Return the smallest window around some fields, and the size of the largest."""
    start = tuple(map(min, zip(*(field.start for field in fields), strict=True)))
    end = map(max, zip(*(field.end for field in fields), strict=True))
    size = tuple(map(max, zip(*(field.size for field in fields), strict=True)))
    return Field(start, size, None, tuple(last - first for first, last in zip(start, end, strict=True)))
