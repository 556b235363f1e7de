"""Turn the arguments of convolution and pooling into plain numbers.

PyTorch lets a caller write ``3`` for ``(3, 3)`` and ``"same"`` for a number of zeros. Every function of the
package reads such arguments through this module, so all of them accept and reject the same values.
"""

from __future__ import annotations

import operator
from collections.abc import Sequence

IntOrPair = int | Sequence[int]
"""One number for every axis, or a pair (height, width)."""

Padding = int | Sequence[int] | str
"""Zeros on every side, a pair (height, width), (top, bottom, left, right), or a mode."""

Sides = tuple[tuple[int, int], ...]
"""Zeros (before, after) along each axis."""

PADDING_MODES = ("valid", "same", "full")


def integer(name: str, value: object, minimum: int) -> int:
    """Return ``value`` as an int; raise TypeError or ValueError unless it is one of at least ``minimum``."""
    if isinstance(value, bool):
        raise TypeError(f"{name} must be an integer, got {value!r}")
    try:
        number = operator.index(value)  # type: ignore[arg-type]
    except TypeError:
        raise TypeError(f"{name} must be an integer, got {value!r} of type {type(value).__name__}") from None
    if number < minimum:
        raise ValueError(f"{name} must be at least {minimum}, got {number}")
    return number


def per_axis(name: str, value: object, axes: int, minimum: int) -> tuple[int, ...]:
    """Return one integer for each of ``axes`` axes from an int or a sequence of that length."""
    if not isinstance(value, Sequence) or isinstance(value, str):
        return (integer(name, value, minimum),) * axes
    if len(value) != axes:
        shape = "one integer" if axes == 1 else "an integer or a pair (height, width)"
        raise ValueError(f"{name} must be {shape}, got {value!r}")
    return tuple(integer(name, number, minimum) for number in value)


def effective_size(kernel_size: int, dilation: int) -> int:
    """Return the effective kernel size: the input cells from a dilated kernel's first cell to its last."""
    return dilation * (kernel_size - 1) + 1


def padding_of_mode(mode: str, kernel_size: int, dilation: int) -> tuple[int, int]:
    """Return the zeros (before, after) that a padding mode adds along one axis."""
    overlap = effective_size(kernel_size, dilation) - 1
    if mode == "valid":
        return 0, 0
    if mode == "full":
        return overlap, overlap
    if mode == "same":
        return overlap // 2, overlap - overlap // 2
    raise ValueError(f"padding mode must be one of {', '.join(map(repr, PADDING_MODES))}, got {mode!r}")


def padding_per_axis(
    padding: object, kernel_size: tuple[int, ...], stride: tuple[int, ...], dilation: tuple[int, ...]
) -> Sides:
    """Return the zeros (before, after) along each axis.

    ``padding`` is a mode, an int (every side), one int an axis, or one int a side: ``(before, after)`` along
    a single axis, ``(top, bottom, left, right)`` along two.
    """
    axes = len(kernel_size)
    if isinstance(padding, str):
        sides = tuple(padding_of_mode(padding, k, d) for k, d in zip(kernel_size, dilation, strict=True))
        if padding == "same" and max(stride) > 1:
            raise ValueError(
                f"padding='same' needs stride 1, got stride {_short(stride)}: "
                "with a larger stride give the padding in numbers, for example from padding_for"
            )
        return sides
    if not isinstance(padding, Sequence):
        amount = integer("padding", padding, 0)
        return ((amount, amount),) * axes
    numbers = tuple(integer("padding", number, 0) for number in padding)
    if len(numbers) == 2 * axes:
        return tuple((numbers[2 * axis], numbers[2 * axis + 1]) for axis in range(axes))
    if len(numbers) == axes:
        return tuple((number, number) for number in numbers)
    allowed = "(before, after)" if axes == 1 else "a pair (height, width), (top, bottom, left, right)"
    raise ValueError(
        f"padding must be an integer, {allowed} or one of "
        f"{', '.join(map(repr, PADDING_MODES))}, got {padding!r}"
    )


def pool_arguments(
    kernel_size: object, stride: object, padding: object, dilation: object, axes: int
) -> tuple[tuple[int, ...], tuple[int, ...], Sides, tuple[int, ...]]:
    """Return a pooling window's size, stride (its own size if None), padding and dilation along each axis."""
    kernel = per_axis("kernel_size", kernel_size, axes, 1)
    steps = kernel if stride is None else per_axis("stride", stride, axes, 1)
    zeros = per_axis("padding", padding, axes, 0)
    if any(2 * amount > size for amount, size in zip(zeros, kernel, strict=True)):
        raise ValueError(f"padding must be at most half of kernel_size {_short(kernel)}, got {_short(zeros)}")
    return kernel, steps, tuple((amount, amount) for amount in zeros), per_axis("dilation", dilation, axes, 1)


def channels_seen(channel: int, in_channels: int, out_channels: int, groups: int) -> range:
    """Return the input channels that an output channel sees: those of its group."""
    per_group = in_channels // groups
    first = channel * groups // out_channels * per_group
    return range(first, first + per_group)


def _short(values: tuple[int, ...]) -> str:
    return str(values[0]) if len(set(values)) == 1 else str(values)
