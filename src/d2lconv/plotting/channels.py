"""How channels are summed: through kernel slices, and as one matrix product where the kernel is 1×1."""

from __future__ import annotations

import torch
from matplotlib.axes import Axes
from torch import Tensor

from d2lconv._arguments import channels_seen, integer
from d2lconv.ops import conv2d, corr2d, corr2d_multi_in_out_1x1
from d2lconv.plotting._cells import (
    Array,
    as_array,
    canvas,
    draw_cell,
    draw_cells,
    draw_line,
    factor,
    short,
    write,
    write_below,
)

__all__ = ["draw_channels", "draw_one_by_one"]


def draw_channels(
    X: Array,
    K: Array,
    bias: Array | None = None,
    *,
    groups: int = 1,
    channel: int = 0,
    cell: tuple[int, int] = (0, 0),
) -> Axes:
    """Draw how one output channel is computed: a kernel slice for each input channel, and their sum.

    One row for each input channel: the channel, its kernel slice and what they give together; below the line
    the sum of those, with the bias. With groups, input channels that the output channel does not see are
    drawn without colour.

    Parameters
    ----------
    X : array_like
        Input, shape (C_in, H, W).
    K : array_like
        Kernels, shape (C_out, C_in / groups, k_h, k_w).
    bias : array_like, optional
        One number for each output channel, shape (C_out,).
    groups : int
        Number of groups that the channels are divided into.
    channel : int
        The output channel to explain.
    cell : (int, int)
        Row and column of the output cell to mark; the last line adds its numbers up.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell.

    Raises
    ------
    TypeError
        If a setting is not an integer.
    ValueError
        If shapes do not fit together, or `channel` or `cell` lies outside the output.

    Notes
    -----
    Introduced in: *Channels*.

    Examples
    --------
    >>> X = torch.stack([torch.arange(9.0).reshape(3, 3), torch.arange(1.0, 10.0).reshape(3, 3)])
    >>> K = torch.stack([torch.arange(4.0).reshape(2, 2), torch.arange(1.0, 5.0).reshape(2, 2)])
    >>> ax = draw_channels(X, K[None])
    >>> ax.texts[-1].get_text()
    '19 + 37 = 56'
    >>> plt.close(ax.figure)
    """
    image, weight = _tensor(X), _tensor(K)
    offsets = None if bias is None else _tensor(bias)
    if image.dim() != 3:
        raise ValueError(f"X must have shape (C_in, H, W), got {tuple(image.shape)}")
    if weight.dim() != 4 or weight.shape[1] * integer("groups", groups, 1) != len(image):
        raise ValueError(
            f"K must have shape (C_out, {len(image)} / groups, k_h, k_w) for X of shape "
            f"{tuple(image.shape)}, got {tuple(weight.shape)} and groups={groups}"
        )
    output = conv2d(image, weight, offsets, groups=groups)
    output_channel = integer("channel", channel, 0)
    if output_channel >= len(output):
        raise ValueError(f"channel must be less than the {len(output)} output channels, got {channel}")
    row, column = (integer("cell", number, 0) for number in cell)
    h, w = output.shape[1:]
    if row >= h or column >= w:
        raise ValueError(f"cell must lie inside an output channel of shape {(h, w)}, got {cell}")
    k_h, k_w = weight.shape[2:]
    window = [(row + u, column + v) for u in range(k_h) for v in range(k_w)]
    seen = channels_seen(output_channel, len(image), len(weight), groups)
    first = seen.start

    height, width = image.shape[1:]
    band, at_K, at_Y = height + 1.3, width + 1.2, width + k_w + 2.4
    alone = len(seen) == 1 and offsets is None
    end = first * band + (len(seen) - 1) * band + (height + h) / 2 - 0.5  # lower edge of the last product
    line = end + (0.3 if offsets is None else 2.2)
    under = line + 0.8  # first row of the sum
    last = max(len(image) * band - 1.3, 0 if alone else under + h - 0.5)
    ax = canvas(-0.7, at_Y + w - 0.3, -1.3, last + 0.1)
    terms = []
    for i, pixels in enumerate(image):
        top = i * band
        write(ax, top - 0.9, (width - 1) / 2, f"X[{i}]", colour="ink" if i in seen else "muted")
        if i not in seen:
            draw_cells(ax, as_array(pixels), "padding", at=(top, 0))
            continue
        kernel = weight[output_channel, i - first]
        product = corr2d(pixels, kernel)
        terms.append(product[row, column].item())
        middle = top + (height - 1) / 2
        beside_K, beside_Y = middle - (k_h - 1) / 2, middle - (h - 1) / 2
        draw_cells(ax, as_array(pixels), "input", at=(top, 0), window=window)
        write(ax, middle, at_K - 1.1, "⋆", size=22)
        write(ax, beside_K - 0.9, at_K + (k_w - 1) / 2, f"K[{output_channel}, {i - first}]")
        draw_cells(ax, as_array(kernel), "kernel", at=(beside_K, at_K))
        write(ax, middle, at_Y - 1.1, "=", size=15)
        draw_cells(ax, as_array(product), "output", at=(beside_Y, at_Y), window=[(row, column)])
        if i > first:
            write(ax, middle - band / 2, at_Y + (w - 1) / 2, "+", size=15)
    if alone:
        write(ax, beside_Y - 0.9, at_Y + (w - 1) / 2, f"Y[{output_channel}]")
        return ax
    if offsets is not None:
        terms.append(offsets[output_channel].item())
        write(ax, end + 0.45, at_Y + (w - 1) / 2, "+", size=15)
        draw_cell(ax, end + 1.3, at_Y + (w - 1) / 2, short(terms[-1]), "kernel")
        write(ax, end + 1.3, at_Y - 0.8, f"b[{output_channel}]", ha="right")
    draw_line(ax, [line, line], [at_Y - 0.7, at_Y + w - 0.3], colour="ink", width=1.2)
    write(ax, under + (h - 1) / 2, at_Y - 0.8, f"Y[{output_channel}] =", ha="right")
    draw_cells(ax, as_array(output[output_channel]), "output", at=(under, at_Y), window=[(row, column)])
    total = f"{short(terms[0])}{''.join(f' + {factor(term)}' for term in terms[1:])}"
    write_below(ax, f"{total} = {short(output[output_channel, row, column].item())}")
    return ax


def draw_one_by_one(X: Array, K: Array, *, pixel: tuple[int, int] = (0, 0)) -> Axes:
    """Draw a 1×1 convolution as one matrix product, in which every pixel is a column.

    From top to bottom: the channels of the input; the same as a matrix with one row for each channel and one
    column for each pixel; below it the product with the kernel, which stands on the left; and the channels of
    the output. One pixel is marked in all of them; the last line computes its first output channel.

    Parameters
    ----------
    X : array_like
        Input, shape (C_in, H, W).
    K : array_like
        Kernels, shape (C_out, C_in, 1, 1).
    pixel : (int, int)
        Row and column of the pixel to follow.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell, and the first entry of the input matrix has its centre at (0, 0).

    Raises
    ------
    TypeError
        If `pixel` is not made of integers.
    ValueError
        If shapes do not fit together, or `pixel` lies outside the input.

    Notes
    -----
    Introduced in: *1×1 convolution*.

    Examples
    --------
    >>> X = torch.arange(27.0).reshape(3, 3, 3)
    >>> K = torch.tensor([[1.0, 1.0, 0.0], [2.0, 0.0, -1.0]]).reshape(2, 3, 1, 1)
    >>> ax = draw_one_by_one(X, K, pixel=(1, 1))
    >>> ax.texts[-1].get_text()
    '1·4 + 1·13 + 0·22 = 17'
    >>> plt.close(ax.figure)
    """
    image, weight = _tensor(X), _tensor(K)
    output = corr2d_multi_in_out_1x1(image, weight)
    row, column = (integer("pixel", number, 0) for number in pixel)
    c_in, h, w = image.shape
    c_out = len(output)
    if row >= h or column >= w:
        raise ValueError(f"pixel must lie inside a channel of shape {(h, w)}, got {pixel}")
    matrix, product, kernel = (as_array(part.flatten(1)) for part in (image, output, weight))
    index, wide = row * w + column, h * w
    middle = (wide - 1) / 2
    below = c_in + 1.2  # first row of the product

    half = max(wide, max(c_in, c_out) * (w + 0.6) - 0.6) / 2
    ax = canvas(
        min(-c_in - 1.3, -2.8, middle - half - 0.2), middle + half + 0.2, -h - 3.2, below + c_out + h + 2.5
    )
    _draw_row(ax, image, "input", top=-h - 1.8, middle=middle, pixel=(row, column), name="X")
    write(ax, -1.2, middle, "↓", size=14)
    draw_cells(ax, matrix, "input", window=[(r, index) for r in range(c_in)])
    write(ax, (c_in - 1) / 2, -1, f"X\n{c_in}×{wide}", ha="right")
    draw_cells(ax, kernel, "kernel", at=(below, -c_in - 0.6), window=[(0, c) for c in range(c_in)])
    write(ax, below - 0.9, -c_in / 2 - 1.1, f"K  {c_out}×{c_in}")
    draw_cells(ax, product, "output", at=(below, 0), window=[(r, index) for r in range(c_out)])
    write(ax, below + c_out + 0.1, middle, f"Y = K·X  {c_out}×{wide}")
    write(ax, below + c_out + 1, middle, "↓", size=14)
    _draw_row(ax, output, "output", top=below + c_out + 2.6, middle=middle, pixel=(row, column), name="Y")
    terms = [f"{factor(k)}·{factor(x)}" for k, x in zip(kernel[0], matrix[:, index], strict=True)]
    write_below(ax, f"{' + '.join(terms)} = {short(product[0, index])}")
    return ax


def _draw_row(
    ax: Axes, channels: Tensor, role: str, *, top: float, middle: float, pixel: tuple[int, int], name: str
) -> None:
    """Draw channels side by side, with their names above."""
    width = channels.shape[2]
    step = width + 0.6
    left = middle - (len(channels) * step - 1.6) / 2
    for i, values in enumerate(channels):
        draw_cells(ax, as_array(values), role, at=(top, left + i * step), window=[pixel])
        write(ax, top - 0.9, left + i * step + (width - 1) / 2, f"{name}[{i}]")


def _tensor(values: Array) -> Tensor:
    return torch.as_tensor(as_array(values), dtype=torch.float64)
