"""The operations of the first chapters, one image at a time, under the names that textbooks use."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv._arguments import IntOrPair, Padding, padding_per_axis, per_axis
from d2lconv.ops._checks import require_axes, require_cells, require_floating, shape
from d2lconv.ops._precision import rounded, widened
from d2lconv.ops.convolution import strided_slice
from d2lconv.ops.pooling import avg_pool2d, max_pool2d
from d2lconv.shapes.sizes import output_sizes

__all__ = [
    "convolve2d",
    "corr2d",
    "corr2d_multi_in",
    "corr2d_multi_in_out",
    "corr2d_multi_in_out_1x1",
    "pool2d",
]


def corr2d(
    X: Tensor, K: Tensor, *, stride: IntOrPair = 1, padding: Padding = 0, dilation: IntOrPair = 1
) -> Tensor:
    """Cross-correlate one channel with one kernel.

    Each kernel cell is multiplied with a whole shifted copy of the input, so Python loops over the kernel and
    not over the image.

    Parameters
    ----------
    X : Tensor
        Input, shape (H, W).
    K : Tensor
        Kernel, shape (k_h, k_w); dtype and device of `X`.
    stride : int or (int, int)
        Distance between two neighbouring positions of the kernel. At least 1.
    padding : int, (int, int), (int, int, int, int) or str
        Zeros on every side; on the sides of each axis; on (top, bottom, left, right); or ``"valid"``,
        ``"same"`` (stride 1 only) or ``"full"``.
    dilation : int or (int, int)
        Distance between two neighbouring kernel cells. At least 1.

    Returns
    -------
    Tensor
        Shape (H_out, W_out), by `d2lconv.shapes.conv_output_size`.

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, dtypes differ, or a setting is not an integer.
    ValueError
        If a shape or setting is out of range, or the kernel is larger than the padded input.

    See Also
    --------
    convolve2d : The same with the kernel flipped.

    Notes
    -----
    Introduced in: *Convolution*.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> K = torch.arange(4.0).reshape(2, 2)
    >>> corr2d(X, K)
    tensor([[19., 25.],
            [37., 43.]])
    """
    require_floating(X=X, K=K)
    require_axes("X", X, "(H, W)")
    require_axes("K", K, "(k_h, k_w)")
    require_cells("X", X, 2)
    require_cells("K", K, 2)
    kernel = tuple(K.shape)
    steps = per_axis("stride", stride, 2, 1)
    distance = per_axis("dilation", dilation, 2, 1)
    sides = padding_per_axis(padding, kernel, steps, distance)
    h, w = output_sizes(tuple(X.shape), kernel, steps, sides, distance)
    (top, bottom), (left, right) = sides
    padded, kernel_cells = F.pad(widened(X), (left, right, top, bottom)), widened(K)
    Y = padded.new_zeros(h, w)
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            rows = strided_slice(u, h, steps[0], distance[0])
            columns = strided_slice(v, w, steps[1], distance[1])
            Y = Y + kernel_cells[u, v] * padded[rows, columns]
    return rounded(Y, like=X)


def convolve2d(
    X: Tensor, K: Tensor, *, stride: IntOrPair = 1, padding: Padding = 0, dilation: IntOrPair = 1
) -> Tensor:
    """Convolve one channel with one kernel in the mathematical sense: flip the kernel, then `corr2d`.

    Parameters
    ----------
    X : Tensor
        Input, shape (H, W).
    K : Tensor
        Kernel, shape (k_h, k_w); dtype and device of `X`.
    stride, padding, dilation
        As in `corr2d`.

    Returns
    -------
    Tensor
        Shape (H_out, W_out).

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, dtypes differ, or a setting is not an integer.
    ValueError
        If a shape or setting is out of range, or the kernel is larger than the padded input.

    Notes
    -----
    Introduced in: *Convolution*.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> K = torch.arange(4.0).reshape(2, 2)
    >>> convolve2d(X, K)
    tensor([[ 5., 11.],
            [23., 29.]])
    """
    require_floating(X=X, K=K)
    require_axes("K", K, "(k_h, k_w)")
    return corr2d(X, K.flip(0, 1), stride=stride, padding=padding, dilation=dilation)


def corr2d_multi_in(X: Tensor, K: Tensor) -> Tensor:
    """Cross-correlate every input channel with its own slice of the kernel, and add the results.

    Parameters
    ----------
    X : Tensor
        Input, shape (C_in, H, W).
    K : Tensor
        Kernel, shape (C_in, k_h, k_w).

    Returns
    -------
    Tensor
        Shape (H_out, W_out).

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, or dtypes differ.
    ValueError
        If shapes do not fit together.

    Notes
    -----
    Introduced in: *Channels*.

    Examples
    --------
    >>> X = torch.stack([torch.arange(9.0).reshape(3, 3), torch.arange(1.0, 10.0).reshape(3, 3)])
    >>> K = torch.stack([torch.arange(4.0).reshape(2, 2), torch.arange(1.0, 5.0).reshape(2, 2)])
    >>> corr2d_multi_in(X, K)
    tensor([[ 56.,  72.],
            [104., 120.]])
    """
    require_floating(X=X, K=K)
    require_axes("X", X, "(C_in, H, W)")
    require_axes("K", K, "(C_in, k_h, k_w)")
    if len(X) != len(K) or len(X) == 0:
        raise ValueError(
            f"X and K must have the same number of channels, at least one, got {len(X)} in X of shape "
            f"{shape(X)} and {len(K)} in K of shape {shape(K)}"
        )
    channels = [corr2d(x, k) for x, k in zip(widened(X), widened(K), strict=True)]
    return rounded(sum(channels[1:], start=channels[0]), like=X)


def corr2d_multi_in_out(X: Tensor, K: Tensor) -> Tensor:
    """Compute every output channel with a kernel of its own, and stack them.

    Parameters
    ----------
    X : Tensor
        Input, shape (C_in, H, W).
    K : Tensor
        Kernels, shape (C_out, C_in, k_h, k_w).

    Returns
    -------
    Tensor
        Shape (C_out, H_out, W_out).

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, or dtypes differ.
    ValueError
        If shapes do not fit together.

    Notes
    -----
    Introduced in: *Channels*.

    Examples
    --------
    >>> X = torch.ones(2, 3, 3)
    >>> corr2d_multi_in_out(X, torch.ones(4, 2, 2, 2)).shape
    torch.Size([4, 2, 2])
    """
    require_floating(X=X, K=K)
    require_axes("K", K, "(C_out, C_in, k_h, k_w)")
    if len(K) == 0:
        raise ValueError(f"K must hold at least one output channel, got shape {shape(K)}")
    return torch.stack([corr2d_multi_in(X, kernel) for kernel in K])


def corr2d_multi_in_out_1x1(X: Tensor, K: Tensor) -> Tensor:
    """Mix the channels of every pixel: a 1×1 convolution as one matrix product.

    Parameters
    ----------
    X : Tensor
        Input, shape (C_in, H, W).
    K : Tensor
        Kernels, shape (C_out, C_in, 1, 1).

    Returns
    -------
    Tensor
        Shape (C_out, H, W).

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, or dtypes differ.
    ValueError
        If shapes do not fit together.

    Notes
    -----
    Introduced in: *1×1 convolution*.

    Examples
    --------
    >>> X = torch.arange(8.0).reshape(2, 2, 2)
    >>> K = torch.tensor([[1.0, 1.0], [0.0, 2.0], [1.0, -1.0]]).reshape(3, 2, 1, 1)
    >>> corr2d_multi_in_out_1x1(X, K)[0]
    tensor([[ 4.,  6.],
            [ 8., 10.]])
    """
    require_floating(X=X, K=K)
    require_axes("X", X, "(C_in, H, W)")
    require_axes("K", K, "(C_out, C_in, 1, 1)")
    if K.shape[1:] != (len(X), 1, 1) or len(K) == 0:
        raise ValueError(
            f"K must have shape (C_out, {len(X)}, 1, 1) for X of shape {shape(X)}, got {shape(K)}"
        )
    require_cells("X", X, 2)
    pixels = widened(X).flatten(1)
    return rounded((widened(K).flatten(1) @ pixels).reshape(len(K), *X.shape[1:]), like=X)


def pool2d(X: Tensor, pool_size: IntOrPair, mode: Literal["max", "avg"] = "max") -> Tensor:
    """Pool one channel with a window that moves by one cell.

    Parameters
    ----------
    X : Tensor
        Input, shape (H, W).
    pool_size : int or (int, int)
        Size of the window. At least 1.
    mode : {"max", "avg"}
        Keep the largest number of each window, or its mean.

    Returns
    -------
    Tensor
        Shape (H - p_h + 1, W - p_w + 1).

    Raises
    ------
    TypeError
        If `X` does not hold floating-point numbers, or `pool_size` is not made of integers.
    ValueError
        If `mode` is unknown, a shape is out of range, or the window is larger than the input.

    Notes
    -----
    Introduced in: *Pooling*.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(3, 3)
    >>> pool2d(X, (2, 2))
    tensor([[4., 5.],
            [7., 8.]])
    >>> pool2d(X, (2, 2), "avg")
    tensor([[2., 3.],
            [5., 6.]])
    """
    if mode not in ("max", "avg"):
        raise ValueError(f"mode must be 'max' or 'avg', got {mode!r}")
    require_floating(X=X)
    require_axes("X", X, "(H, W)")
    pool = max_pool2d if mode == "max" else avg_pool2d
    return pool(X[None], pool_size, stride=1)[0]
