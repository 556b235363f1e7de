"""Maximum and average pooling: shifted slices of the input, combined along one axis and then the other."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv._arguments import IntOrPair, Sides, integer, pool_arguments
from d2lconv.ops._checks import require_axes, require_cells, require_floating
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
    As in PyTorch, a NaN in a window is its maximum, and of equal maxima the first one, row by row, takes the
    gradient. Introduced in: *Pooling*.

    Examples
    --------
    >>> X = torch.arange(16.0).reshape(1, 4, 4)
    >>> max_pool2d(X, 2)
    tensor([[[ 5.,  7.],
             [13., 15.]]])
    """
    kernel, steps, sides, distance = pool_arguments(kernel_size, stride, padding, dilation, 2)
    size = checked_size(X, kernel, steps, sides, distance, ceil_mode, "(C, H, W)", "(N, C, H, W)")
    X = _pad(X, kernel, steps, sides, distance, size, -torch.inf)
    for axis in (-1, -2):
        X = _combine(_larger, X, axis, kernel[axis], size[axis], steps[axis], distance[axis])
    return X


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
    X = _pad(X, kernel, steps, sides, distance, size, 0.0)
    for axis in (-1, -2):
        X = _combine(torch.add, X, axis, kernel[axis], size[axis], steps[axis], 1)
    if divisor_override is not None:
        return X / divisor_override
    rows, columns = (X.new_tensor(count) for count in counts)
    return X / (rows[:, None] * columns)


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
    X = X.movedim(axis, -1)
    slices = [X[..., strided_slice(cell, size, stride, dilation)] for cell in range(kernel)]
    best = slices[0]
    for cells in slices[1:]:
        best = two(best, cells)
    return best.movedim(-1, axis)


def _larger(best: Tensor, cells: Tensor) -> Tensor:
    """Return the larger numbers: of two equal ones the first takes the gradient, and NaN wins."""
    if not (best.requires_grad and torch.is_grad_enabled()):
        return torch.maximum(best, cells)  # the same numbers, several times faster
    return torch.where((cells > best) | cells.isnan(), cells, best)


def _counts(
    n: int, kernel: int, stride: int, sides: tuple[int, int], size: int, include_padding: bool
) -> list[int]:
    """Count the numbers in each window along one axis."""
    before, after = sides
    first, end = (-before, n + after) if include_padding else (0, n)
    starts = [position * stride - before for position in range(size)]
    return [min(start + kernel, end) - max(start, first) for start in starts]
