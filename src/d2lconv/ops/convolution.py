"""Convolution layers as matrix products, one for each row of the kernel."""

from __future__ import annotations

from functools import reduce

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv._arguments import IntOrPair, Padding, integer, padding_per_axis, per_axis
from d2lconv.ops._checks import (
    require_axes,
    require_bias,
    require_cells,
    require_floating,
    require_groups,
    shape,
)
from d2lconv.ops._precision import autocast_type, rounded, widened
from d2lconv.shapes.sizes import output_sizes

__all__ = ["conv2d", "depthwise_separable_conv2d"]

BLOCK = 2**20
"""How many numbers to copy at a time: few enough to stay in a processor's cache."""


def conv2d(
    X: Tensor,
    weight: Tensor,
    bias: Tensor | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    groups: int = 1,
) -> Tensor:
    r"""Convolve images with kernels, as a convolutional layer does.

    Output channel :math:`o` at row :math:`r` and column :math:`c` is

    .. math:: Y_{o,r,c} = b_o + \sum_{i,u,v} K_{o,i,u,v} \, X_{i,\, s_h r + d_h u,\, s_w c + d_w v}

    where :math:`X` is padded already and :math:`i` runs over the input channels of the group of :math:`o`.

    Parameters
    ----------
    X : Tensor
        Images, shape (N, C_in, H, W), or one image, shape (C_in, H, W).
    weight : Tensor
        Kernels, shape (C_out, C_in / groups, k_h, k_w); dtype and device of `X`.
    bias : Tensor, optional
        One number for each output channel, shape (C_out,).
    stride : int or (int, int)
        Distance between two neighbouring positions of the kernel. At least 1.
    padding : int, (int, int), (int, int, int, int) or str
        Zeros on every side; on the sides of each axis; on (top, bottom, left, right); or ``"valid"``,
        ``"same"`` (stride 1 only) or ``"full"``.
    dilation : int or (int, int)
        Distance between two neighbouring kernel cells. At least 1.
    groups : int
        Number of groups that the channels are divided into; each output channel sees one group only.

    Returns
    -------
    Tensor
        Shape (N, C_out, H_out, W_out), without N for one image; sizes by `d2lconv.shapes.conv_output_size`.

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, dtypes differ, or a setting is not an integer.
    ValueError
        If shapes do not fit together, a setting is out of range, or the kernel is larger than the padded
        input.

    See Also
    --------
    torch.nn.functional.conv2d : The same, without ``"full"`` and four-sided padding.

    Notes
    -----
    Source: Dumoulin and Visin, *A guide to convolution arithmetic for deep learning* (2016).
    Introduced in: *Convolution*.

    Examples
    --------
    >>> X = torch.arange(9.0).reshape(1, 3, 3)
    >>> conv2d(X, torch.ones(2, 1, 2, 2))
    tensor([[[ 8., 12.],
             [20., 24.]],
    <BLANKLINE>
            [[ 8., 12.],
             [20., 24.]]])
    >>> conv2d(torch.ones(4, 2, 3, 5), torch.ones(3, 2, 3, 5), padding=(1, 2)).shape
    torch.Size([4, 3, 3, 5])
    """
    if (dtype := autocast_type(X)) is not None:
        with torch.autocast(X.device.type, enabled=False):  # cast once, as PyTorch does; sums need 32 bits
            X, weight, bias = X.to(dtype), weight.to(dtype), None if bias is None else bias.to(dtype)
            return conv2d(X, weight, bias, stride=stride, padding=padding, dilation=dilation, groups=groups)
    check_tensors(X, weight, bias, groups, "(C_in, H, W)", "(N, C_in, H, W)")
    kernel = tuple(weight.shape[2:])
    steps = per_axis("stride", stride, 2, 1)
    distance = per_axis("dilation", dilation, 2, 1)
    sides = padding_per_axis(padding, kernel, steps, distance)
    size = output_sizes(tuple(X.shape[-2:]), kernel, steps, sides, distance)

    (top, bottom), (left, right) = sides
    images, kernels = widened(X if X.dim() == 4 else X[None]), widened(weight)
    if top or bottom or left or right:
        images = F.pad(images, (left, right, top, bottom))
    copied = images[:1].numel() * kernel[1] // steps[1]
    blocks = torch.split(images, max(1, BLOCK // max(1, copied)))
    Y = torch.cat([_correlate(block, kernels, size, steps, distance, groups) for block in blocks])
    if bias is not None:
        Y = Y + bias[:, None, None]
    return rounded(Y if X.dim() == 4 else Y[0], like=X)


def _correlate(
    X: Tensor,
    weight: Tensor,
    size: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    groups: int,
) -> Tensor:
    """Return the outputs for a few images, shape (n, C_out, h, w): one matrix product for each kernel row."""
    n, out_channels = len(X), len(weight)
    per_group, k_h, k_w = weight.shape[1:]
    h, w = size
    # For each kernel column a copy of the images, shifted to lie under it: (n, C_in, k_w, H, w).
    shifted = torch.stack([X[..., strided_slice(v, w, stride[1], dilation[1])] for v in range(k_w)], dim=2)
    shifted = shifted.reshape(n, groups, per_group * k_w, X.shape[2], w)
    kernels = weight.reshape(groups, out_channels // groups, per_group, k_h, k_w)
    products = []
    for u in range(k_h):
        rows = shifted[..., strided_slice(u, h, stride[0], dilation[0]), :]
        products.append(kernels[..., u, :].flatten(-2) @ rows.reshape(n, groups, per_group * k_w, h * w))
    return reduce(torch.add, products).reshape(n, out_channels, h, w)


def strided_slice(cell: int, count: int, stride: int, dilation: int) -> slice:
    """Return the indices along one axis that kernel cell number ``cell`` is multiplied with."""
    first = cell * dilation
    return slice(first, first + (count - 1) * stride + 1, stride)


def depthwise_separable_conv2d(
    X: Tensor,
    depthwise: Tensor,
    pointwise: Tensor,
    bias: Tensor | None = None,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> Tensor:
    """Convolve each channel by itself, then mix the channels at every pixel.

    Parameters
    ----------
    X : Tensor
        Images, shape (N, C_in, H, W), or one image, shape (C_in, H, W).
    depthwise : Tensor
        One or more kernels for each input channel, shape (C_in · m, 1, k_h, k_w).
    pointwise : Tensor
        The weights that mix the channels, shape (C_out, C_in · m, 1, 1).
    bias : Tensor, optional
        One number for each output channel, shape (C_out,), added at the end.
    stride, padding, dilation
        Of the depthwise step, as in `conv2d`.

    Returns
    -------
    Tensor
        Shape (N, C_out, H_out, W_out), without N for one image.

    Raises
    ------
    TypeError
        If a tensor does not hold floating-point numbers, dtypes differ, or a setting is not an integer.
    ValueError
        If shapes do not fit together or a setting is out of range.

    Notes
    -----
    Source: Howard et al., *MobileNets* (2017), section 3.1. Introduced in: *Depthwise separable convolution*.

    Examples
    --------
    >>> X = torch.ones(2, 3, 8, 8)
    >>> depthwise_separable_conv2d(X, torch.ones(3, 1, 3, 3), torch.ones(5, 3, 1, 1)).shape
    torch.Size([2, 5, 6, 6])
    """
    require_floating(X=X, depthwise=depthwise, pointwise=pointwise)
    require_axes("X", X, "(C_in, H, W)", "(N, C_in, H, W)")
    require_axes("pointwise", pointwise, "(C_out, C_in, 1, 1)")
    if pointwise.shape[2:] != (1, 1):
        raise ValueError(f"pointwise must have shape (C_out, C_in, 1, 1), got {shape(pointwise)}")
    each = conv2d(X, depthwise, stride=stride, padding=padding, dilation=dilation, groups=X.shape[-3])
    return conv2d(each, pointwise, bias)


def check_tensors(X: Tensor, weight: Tensor, bias: Tensor | None, groups: int, one: str, many: str) -> None:
    """Raise unless the tensors fit together; ``one`` and ``many`` are the shapes that `X` may have."""
    require_floating(X=X, weight=weight, **({} if bias is None else {"bias": bias}))
    require_axes("X", X, one, many)
    sizes = "k" if "L" in one else "k_h, k_w"
    require_axes("weight", weight, f"(C_out, C_in / groups, {sizes})")
    axes = weight.dim() - 2
    require_cells("X", X, axes)
    require_cells("weight", weight, axes)
    require_groups(X, weight, integer("groups", groups, 1), channel_axis=-axes - 1)
    if bias is not None:
        require_bias(bias, len(weight))
