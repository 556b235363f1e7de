"""Maximum and average pooling: shifted slices of the input, combined along one axis and then the other."""

from __future__ import annotations

from collections.abc import Callable
from functools import reduce

import torch
from torch import Tensor
from torch.autograd.forward_ad import unpack_dual
from torch.nn import functional as F

from d2lconv._arguments import IntOrPair, Sides, integer, pool_arguments
from d2lconv.ops._checks import require_axes, require_cells, require_floating
from d2lconv.ops._precision import rounded, widened
from d2lconv.ops.convolution import strided_slice
from d2lconv.shapes.sizes import output_sizes

__all__ = ["avg_pool2d", "max_pool2d"]


def max_pool2d(
    X: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest number in each window, channel by channel.

    Parameters
    ----------
    X : Tensor
        Images, shape (N, C, H, W), or one image, shape (C, H, W).
    kernel_size : int or (int, int)
        Size of the window. At least 1.
    stride : int or (int, int), optional
        Distance between two windows; the window's own size if not given.
    padding : int or (int, int)
        Cells of -∞ on the sides of each axis, never chosen; at most half of `kernel_size`.
    dilation : int or (int, int)
        Distance between two neighbouring cells of the window. At least 1.
    ceil_mode : bool
        Also keep a last window that extends beyond the end.

    Returns
    -------
    Tensor
        Shape (N, C, H_out, W_out), without N for one image; sizes by `d2lconv.shapes.pool_output_size`.

    Raises
    ------
    TypeError
        If `X` does not hold floating-point numbers, or a setting is not an integer.
    ValueError
        If a shape or setting is out of range, or no window fits.

    Notes
    -----
    As in PyTorch, a NaN in a window is its maximum. Of equal maxima the first one, row by row, gets the
    gradient; of several NaN the last one. Introduced in: *Pooling*.

    Examples
    --------
    >>> X = torch.arange(16.0).reshape(1, 4, 4)
    >>> max_pool2d(X, 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    kernel, steps, sides, distance = pool_arguments(kernel_size, stride, padding, dilation, 2)
    size = checked_size(X, kernel, steps, sides, distance, ceil_mode, "(C, H, W)", "(N, C, H, W)")
    images = _pad(widened(X), kernel, steps, sides, distance, size, -torch.inf)
    if _is_differentiated(X):
        at = _find_maxima(images.detach(), kernel, size, steps, sides, distance)
        Y = images.flatten(-2).gather(-1, at.flatten(-2)).reshape(at.shape)
    else:
        Y = images  # the same numbers, several times faster
        for axis in (-1, -2):
            Y = _combine(torch.maximum, Y, axis, kernel[axis], size[axis], steps[axis], distance[axis])
    return rounded(Y, like=X)


def avg_pool2d(
    X: Tensor,
    kernel_size: IntOrPair,
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
    divisor_override: int | None = None,
) -> Tensor:
    """Return the mean of each window, channel by channel.

    Parameters
    ----------
    X : Tensor
        Images, shape (N, C, H, W), or one image, shape (C, H, W).
    kernel_size : int or (int, int)
        Size of the window. At least 1.
    stride : int or (int, int), optional
        Distance between two windows; the window's own size if not given.
    padding : int or (int, int)
        Zeros on the sides of each axis; at most half of `kernel_size`.
    ceil_mode : bool
        Also keep a last window that extends beyond the end. Its cells beyond the padding are not counted.
    count_include_pad : bool
        Count the zeros of the padding as numbers of the window.
    divisor_override : int, optional
        Divide every sum by this instead of the count.

    Returns
    -------
    Tensor
        Shape (N, C, H_out, W_out), without N for one image; sizes by `d2lconv.shapes.pool_output_size`.

    Raises
    ------
    TypeError
        If `X` does not hold floating-point numbers, or a setting is not an integer.
    ValueError
        If a shape or setting is out of range, or no window fits.

    Notes
    -----
    Introduced in: *Pooling*.

    Examples
    --------
    >>> X = torch.arange(16.0).reshape(1, 4, 4)
    >>> avg_pool2d(X, 2)
    tensor([[[ 2.5000,  4.5000],
             [10.5000, 12.5000]]])
    """
    kernel, steps, sides, distance = pool_arguments(kernel_size, stride, padding, 1, 2)
    size = checked_size(X, kernel, steps, sides, distance, ceil_mode, "(C, H, W)", "(N, C, H, W)")
    if divisor_override is not None and integer("divisor_override", divisor_override, -(2**63)) == 0:
        raise ValueError("divisor_override must not be 0")
    counts = [
        _counts(*numbers, count_include_pad)
        for numbers in zip(X.shape[-2:], kernel, steps, sides, size, strict=True)
    ]
    Y = _pad(widened(X), kernel, steps, sides, distance, size, 0.0)
    for axis in (-1, -2):
        Y = _combine(torch.add, Y, axis, kernel[axis], size[axis], steps[axis], 1)
    if divisor_override is None:
        rows, columns = (Y.new_tensor(count) for count in counts)
        Y = Y / (rows[:, None] * columns)
    else:
        Y = Y / divisor_override
    return rounded(Y, like=X)


def checked_size(
    X: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Sides,
    dilation: tuple[int, ...],
    ceil_mode: bool,
    one: str,
    many: str,
) -> tuple[int, ...]:
    """Return the output's size along each axis; raise unless the input can be pooled."""
    require_floating(X=X)
    require_axes("X", X, one, many)
    axes = len(kernel)
    require_cells("X", X, axes + 1)
    return output_sizes(tuple(X.shape[-axes:]), kernel, stride, padding, dilation, ceil_mode)


def _pad(
    X: Tensor,
    kernel: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Sides,
    dilation: tuple[int, ...],
    size: tuple[int, ...],
    value: float,
) -> Tensor:
    """Put ``value`` around the images, after the end also as far as the last window extends."""
    amounts = []
    for n, k, s, (before, after), d, m in zip(
        X.shape[-2:], kernel, stride, padding, dilation, size, strict=True
    ):
        last = (m - 1) * s + d * (k - 1) + 1
        amounts.append((before, max(after, last - n - before)))
    (top, bottom), (left, right) = amounts
    return F.pad(X, (left, right, top, bottom), value=value)


def _combine(
    two: Callable[[Tensor, Tensor], Tensor],
    X: Tensor,
    axis: int,
    kernel: int,
    size: int,
    stride: int,
    dilation: int,
) -> Tensor:
    """Combine the cells of each window along one axis."""
    return reduce(two, _cells(X, axis, kernel, size, stride, dilation))


def _cells(X: Tensor, axis: int, kernel: int, size: int, stride: int, dilation: int) -> list[Tensor]:
    """Return the first cells of all windows along one axis, then their second cells, and so on."""
    X = X.movedim(axis, -1)
    return [X[..., strided_slice(cell, size, stride, dilation)].movedim(-1, axis) for cell in range(kernel)]


def _is_differentiated(X: Tensor) -> bool:
    """Return whether somebody asks for derivatives by X, in reverse or in forward mode."""
    in_reverse = X.requires_grad and torch.is_grad_enabled()
    return in_reverse or unpack_dual(X).tangent is not None  # type: ignore[no-untyped-call]


def _find_maxima(
    images: Tensor,
    kernel: tuple[int, ...],
    size: tuple[int, ...],
    stride: tuple[int, ...],
    padding: Sides,
    dilation: tuple[int, ...],
) -> Tensor:
    """Return where in the padded images the maximum of each window is, counted row by row."""
    height, width = images.shape[-2:]
    rows, columns = (
        # Padding stands for the first cell of the image that its window meets, and never wins over it.
        torch.tensor([before + (i - before) % d if i < before else i for i in range(n)], device=images.device)
        for n, (before, _), d in zip((height, width), padding, dilation, strict=True)
    )
    best, at = images, rows[:, None] * width + columns
    if height * width < 2**31:
        at = at.int()  # half the memory to move
    for axis in (-1, -2):
        settings = axis, kernel[axis], size[axis], stride[axis], dilation[axis]
        (best, *others), (at, *positions) = _cells(best, *settings), _cells(at, *settings)
        for cells, there in zip(others, positions, strict=True):
            larger = (cells > best) | cells.isnan()
            best = torch.maximum(best, cells)
            at = at + larger * (there - at)
    return at.long().expand(best.shape)


def _counts(
    n: int, kernel: int, stride: int, sides: tuple[int, int], size: int, include_padding: bool
) -> list[int]:
    """Count the numbers in each window along one axis."""
    before, after = sides
    first, end = (-before, n + after) if include_padding else (0, n)
    starts = [position * stride - before for position in range(size)]
    return [min(start + kernel, end) - max(start, first) for start in starts]
