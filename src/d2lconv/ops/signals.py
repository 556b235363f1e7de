"""Convolution and pooling of signals: a signal is an image of height 1."""

from __future__ import annotations

from torch import Tensor

from d2lconv._arguments import Padding, padding_per_axis, per_axis, pool_arguments
from d2lconv.ops.convolution import check_tensors, conv2d
from d2lconv.ops.pooling import avg_pool2d, checked_size, max_pool2d
from d2lconv.shapes.sizes import output_sizes

__all__ = ["avg_pool1d", "conv1d", "max_pool1d"]


def conv1d(
    X: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: int = 1,
    padding: Padding = 0,
    dilation: int = 1,
    groups: int = 1,
) -> Tensor:
    """Convolve signals with kernels: a convolution of height 1.

    Parameters
    ----------
    X : Tensor
        Signals, shape (N, C_in, L), or one signal, shape (C_in, L).
    weight : Tensor
        Kernels, shape (C_out, C_in / groups, k); dtype and device of `X`.
    bias, stride, padding, dilation, groups
        As in `conv2d`, along one axis; a pair as `padding` is (before, after).

    Returns
    -------
    Tensor
        Shape (N, C_out, L_out), without N for one signal.

    Raises
    ------
    TypeError, ValueError
        As `conv2d`.

    Notes
    -----
    Introduced in: *Convolution*.

    Examples
    --------
    >>> X = torch.arange(5.0).reshape(1, 5)
    >>> conv1d(X, torch.tensor([[[1.0, 2.0]]]))
    tensor([[ 2.,  5.,  8., 11.]])
    """
    check_tensors(X, weight, bias, groups, "(C_in, L)", "(N, C_in, L)")
    kernel = tuple(weight.shape[2:])
    (step,), (distance,) = per_axis("stride", stride, 1, 1), per_axis("dilation", dilation, 1, 1)
    sides = padding_per_axis(padding, kernel, (step,), (distance,))
    output_sizes(tuple(X.shape[-1:]), kernel, (step,), sides, (distance,))
    Y = conv2d(
        X[..., None, :],
        weight[..., None, :],
        bias,
        stride=(1, step),
        padding=(0, 0, *sides[0]),
        dilation=(1, distance),
        groups=groups,
    )
    return Y[..., 0, :]


def max_pool1d(
    X: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    dilation: int = 1,
    ceil_mode: bool = False,
) -> Tensor:
    """Return the largest number in each window of a signal, channel by channel.

    Parameters
    ----------
    X : Tensor
        Signals, shape (N, C, L), or one signal, shape (C, L).
    kernel_size, stride, padding, dilation, ceil_mode
        As in `max_pool2d`, along one axis.

    Returns
    -------
    Tensor
        Shape (N, C, L_out), without N for one signal.

    Raises
    ------
    TypeError, ValueError
        As `max_pool2d`.

    Notes
    -----
    Introduced in: *Pooling*.

    Examples
    --------
    >>> max_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[3., 2.]])
    """
    (kernel,), (step,), (sides,), (distance,) = pool_arguments(kernel_size, stride, padding, dilation, 1)
    checked_size(X, (kernel,), (step,), (sides,), (distance,), ceil_mode, "(C, L)", "(N, C, L)")
    Y = max_pool2d(X[..., None, :], (1, kernel), (1, step), (0, sides[0]), (1, distance), ceil_mode)
    return Y[..., 0, :]


def avg_pool1d(
    X: Tensor,
    kernel_size: int,
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
    count_include_pad: bool = True,
) -> Tensor:
    """Return the mean of each window of a signal, channel by channel.

    Parameters
    ----------
    X : Tensor
        Signals, shape (N, C, L), or one signal, shape (C, L).
    kernel_size, stride, padding, ceil_mode, count_include_pad
        As in `avg_pool2d`, along one axis.

    Returns
    -------
    Tensor
        Shape (N, C, L_out), without N for one signal.

    Raises
    ------
    TypeError, ValueError
        As `avg_pool2d`.

    Notes
    -----
    Introduced in: *Pooling*.

    Examples
    --------
    >>> avg_pool1d(torch.tensor([[1.0, 3.0, 2.0, 0.0]]), 2)
    tensor([[2., 1.]])
    """
    (kernel,), (step,), (sides,), (distance,) = pool_arguments(kernel_size, stride, padding, 1, 1)
    checked_size(X, (kernel,), (step,), (sides,), (distance,), ceil_mode, "(C, L)", "(N, C, L)")
    Y = avg_pool2d(X[..., None, :], (1, kernel), (1, step), (0, sides[0]), ceil_mode, count_include_pad)
    return Y[..., 0, :]
