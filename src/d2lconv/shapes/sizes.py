"""The sizes that convolution and pooling give, and the zeros that a padding mode adds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal, overload

from d2lconv._arguments import (
    IntOrPair,
    Padding,
    Sides,
    effective_size,
    padding_of_mode,
    padding_per_axis,
    per_axis,
    pool_arguments,
)

__all__ = ["conv_output_size", "padding_for", "pool_output_size"]


@overload
def conv_output_size(
    size: int, kernel_size: int, *, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> int: ...
@overload
def conv_output_size(
    size: Sequence[int],
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> tuple[int, int]: ...
def conv_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> int | tuple[int, ...]:
    r"""Return the size that a convolution gives.

    Along each axis the kernel spans :math:`d(k-1)+1` cells and is placed at every :math:`s`-th position where
    it fits between the :math:`p_1` zeros before the input and the :math:`p_2` after it:

    .. math:: n_\text{out} = \left\lfloor \frac{n + p_1 + p_2 - d(k-1) - 1}{s} \right\rfloor + 1

    Parameters
    ----------
    size : int or (int, int)
        Size of the input: one axis, or (height, width). At least 1.
    kernel_size : int or (int, int)
        Size of the kernel. At least 1.
    stride : int or (int, int)
        Distance between two neighbouring positions of the kernel. At least 1.
    padding : int, (int, int), (int, int, int, int) or str
        Zeros added on every side; on the sides of each axis; on (top, bottom, left, right); or
        ``"valid"``, ``"same"`` (stride 1 only) or ``"full"``. For an int `size`, two numbers are
        (before, after).
    dilation : int or (int, int)
        Distance between two neighbouring kernel cells. At least 1.

    Returns
    -------
    int or (int, int)
        An int for an int `size`, otherwise (height, width).

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is too small, or the kernel is larger than the padded input.

    See Also
    --------
    solve_conv : The same formula, read backwards.

    Notes
    -----
    Source: Dumoulin and Visin, *A guide to convolution arithmetic for deep learning* (2016), section 2.
    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> conv_output_size(28, 5)
    24
    >>> conv_output_size(28, 5, padding="same")
    28
    >>> conv_output_size((10, 5), (3, 2), stride=(2, 1))
    (4, 4)
    """
    axes = axes_of(size)
    kernel = per_axis("kernel_size", kernel_size, axes, 1)
    steps = per_axis("stride", stride, axes, 1)
    distance = per_axis("dilation", dilation, axes, 1)
    sides = padding_per_axis(padding, kernel, steps, distance)
    out = output_sizes(per_axis("size", size, axes, 1), kernel, steps, sides, distance)
    return out if axes == 2 else out[0]


@overload
def pool_output_size(
    size: int,
    kernel_size: int,
    *,
    stride: int | None = None,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> int: ...
@overload
def pool_output_size(
    size: Sequence[int],
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> tuple[int, int]: ...
def pool_output_size(
    size: IntOrPair,
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> int | tuple[int, ...]:
    """Return the size that pooling gives.

    Parameters
    ----------
    size : int or (int, int)
        Size of the input: one axis, or (height, width). At least 1.
    kernel_size : int or (int, int)
        Size of the pooling window. At least 1.
    stride : int or (int, int), optional
        Distance between two windows; the window's own size if not given.
    padding : int or (int, int)
        Cells added on every side, or on the sides of each axis; at most half of `kernel_size`.
    dilation : int or (int, int)
        Distance between two neighbouring cells of the window. At least 1.
    ceil_mode : bool
        Also count a last window that extends beyond the end, as long as it starts inside the input or the
        padding before it.

    Returns
    -------
    int or (int, int)
        An int for an int `size`, otherwise (height, width).

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is out of its range, or no window fits.

    Notes
    -----
    Source: PyTorch, ``torch.nn.MaxPool2d``. Introduced in: *Pooling*.

    Examples
    --------
    >>> pool_output_size(28, 2)
    14
    >>> pool_output_size((5, 5), 3, ceil_mode=True)
    (2, 2)
    """
    axes = axes_of(size)
    kernel, steps, sides, distance = pool_arguments(kernel_size, stride, padding, dilation, axes)
    out = output_sizes(per_axis("size", size, axes, 1), kernel, steps, sides, distance, ceil_mode)
    return out if axes == 2 else out[0]


def padding_for(
    mode: Literal["valid", "same", "full"], kernel_size: IntOrPair, *, dilation: IntOrPair = 1
) -> tuple[int, int, int, int]:
    """Return the zeros (top, bottom, left, right) that a padding mode stands for.

    Parameters
    ----------
    mode : {"valid", "same", "full"}
        ``"valid"`` adds none: the kernel stays inside. ``"same"`` keeps the size (at stride 1). ``"full"``
        adds enough for every overlap of a single cell.
    kernel_size : int or (int, int)
        Size of the kernel. At least 1.
    dilation : int or (int, int)
        Distance between two neighbouring kernel cells. At least 1.

    Returns
    -------
    (int, int, int, int)
        Zeros at the top, bottom, left and right. An even kernel in mode ``"same"`` needs an odd number of
        zeros along its axis; as in PyTorch, the extra one goes to the bottom or right.

    Raises
    ------
    TypeError
        If `kernel_size` or `dilation` is not made of integers.
    ValueError
        If `mode` is unknown or a number is smaller than 1.

    Notes
    -----
    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> padding_for("same", 3)
    (1, 1, 1, 1)
    >>> padding_for("same", (1, 2))
    (0, 0, 0, 1)
    >>> padding_for("full", 3)
    (2, 2, 2, 2)
    """
    kernel = per_axis("kernel_size", kernel_size, 2, 1)
    distance = per_axis("dilation", dilation, 2, 1)
    (top, bottom), (left, right) = (
        padding_of_mode(mode, k, d) for k, d in zip(kernel, distance, strict=True)
    )
    return top, bottom, left, right


def axes_of(size: object) -> int:
    return 2 if isinstance(size, Sequence) else 1


def output_length(size: int, kernel_size: int, stride: int, sides: tuple[int, int], dilation: int) -> int:
    """Return the number of positions of a kernel along one axis; less than 1 if it does not fit."""
    return (size + sum(sides) - effective_size(kernel_size, dilation)) // stride + 1


def output_sizes(
    size: tuple[int, ...],
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Sides,
    dilation: tuple[int, ...],
    ceil_mode: bool = False,
) -> tuple[int, ...]:
    sizes = []
    for n, k, s, sides, d in zip(size, kernel_size, stride, padding, dilation, strict=True):
        steps = output_length(n, k, s, sides, d)
        if ceil_mode:
            extends = (n + sum(sides) - effective_size(k, d)) % s > 0
            if extends and steps * s < n + sides[0]:
                steps += 1
        if steps < 1:
            raise ValueError(
                f"kernel_size {kernel_size} with dilation {dilation} spans more cells than the padded input: "
                f"{effective_size(k, d)} > {sides[0]} + {n} + {sides[1]} "
                f"(input size {size}, padding {padding})"
            )
        sizes.append(steps)
    return tuple(sizes)
