"""Pooling, and how one of its outputs is computed."""

from __future__ import annotations

import itertools
from typing import Literal

import numpy as np
import torch
from matplotlib.axes import Axes

from d2lconv._arguments import IntOrPair, effective_size, integer, pool_arguments
from d2lconv.ops import avg_pool2d, max_pool2d
from d2lconv.plotting._cells import Array, as_array, canvas, draw_cell, draw_cells, short, write, write_below

__all__ = ["draw_pooling"]


def draw_pooling(
    X: Array,
    kernel_size: IntOrPair,
    *,
    mode: Literal["max", "avg"] = "max",
    stride: IntOrPair | None = None,
    padding: IntOrPair = 0,
    dilation: IntOrPair = 1,
    ceil_mode: bool = False,
    cell: tuple[int, int] = (0, 0),
) -> Axes:
    """Draw the pooling of one channel: input and output, and how one output cell is computed.

    Padding is drawn as its value: -∞ for the maximum, 0 for the mean. Cells of a last window that extends
    beyond the end (with `ceil_mode`) are drawn empty; they do not count.

    Parameters
    ----------
    X : array_like
        Input, shape (H, W).
    kernel_size : int or (int, int)
        Size of the window. At least 1.
    mode : {"max", "avg"}
        Keep the largest number of each window, or its mean.
    stride, padding, dilation, ceil_mode
        As in `d2lconv.ops.max_pool2d`; average pooling has no `dilation`.
    cell : (int, int)
        Row and column of the output cell to explain.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell, and the first cell of the padded input has its centre at (0, 0).

    Raises
    ------
    TypeError
        If a setting is not made of integers.
    ValueError
        If `mode` is unknown, a shape or setting is out of range, or `cell` lies outside the output.

    Notes
    -----
    Introduced in: *Pooling*.

    Examples
    --------
    >>> X = torch.arange(16.0).reshape(4, 4)
    >>> ax = draw_pooling(X, 2, cell=(0, 1))
    >>> ax.texts[-1].get_text()
    'max(2, 3, 6, 7) = 7'
    >>> plt.close(ax.figure)
    """
    if mode not in ("max", "avg"):
        raise ValueError(f"mode must be 'max' or 'avg', got {mode!r}")
    image = torch.as_tensor(as_array(X), dtype=torch.float64)
    if image.dim() != 2:
        raise ValueError(f"X must have shape (H, W), got {tuple(image.shape)}")
    kernel, steps, sides, distance = pool_arguments(kernel_size, stride, padding, dilation, 2)
    if mode == "avg" and max(distance) > 1:
        raise ValueError(f"dilation must be 1 for average pooling, got {dilation}")
    if mode == "max":
        output = max_pool2d(image[None], kernel, steps, padding, distance, ceil_mode)[0]
    else:
        output = avg_pool2d(image[None], kernel, steps, padding, ceil_mode)[0]
    row, column = (integer("cell", number, 0) for number in cell)
    rows, columns = output.shape
    if row >= rows or column >= columns:
        raise ValueError(f"cell must lie inside the output of shape {(rows, columns)}, got {cell}")

    (top, bottom), (left, right) = sides
    nothing = -np.inf if mode == "max" else 0.0
    padded = np.pad(as_array(X), sides, constant_values=nothing)
    height, width = (  # with the cells by which the last window extends beyond the end
        max(size, (count - 1) * s + effective_size(k, d))
        for size, count, k, s, d in zip(padded.shape, output.shape, kernel, steps, distance, strict=True)
    )
    window = [
        (row * steps[0] + u * distance[0], column * steps[1] + v * distance[1])
        for u in range(kernel[0])
        for v in range(kernel[1])
    ]

    at_Y = width + 2.3
    ax = canvas(-0.7, at_Y + columns - 0.3, -1.3, max(height, rows) - 0.3)
    middle = (height - 1) / 2
    below = middle - (rows - 1) / 2
    write(ax, -0.9, (width - 1) / 2, "X")
    draw_cells(
        ax, as_array(X), "input", window=window, padding=(top, bottom, left, right), filler=_number(nothing)
    )
    for r, c in itertools.product(range(height), range(width)):
        if r >= padded.shape[0] or c >= padded.shape[1]:
            draw_cell(ax, r, c, "", "padding", marked=(r, c) in window)
    write(ax, middle - 0.6, (width + at_Y - 1) / 2, f"{kernel[0]}×{kernel[1]}", colour="kernel")
    write(ax, middle, (width + at_Y - 1) / 2, "→", size=15)
    write(ax, below - 0.9, at_Y + (columns - 1) / 2, "Y")
    draw_cells(ax, as_array(output), "output", at=(below, at_Y), window=[(row, column)])
    numbers = [_number(padded[r, c]) for r, c in window if r < padded.shape[0] and c < padded.shape[1]]
    name = "max" if mode == "max" else "mean"
    write_below(ax, f"{name}({', '.join(numbers)}) = {short(output[row, column].item())}")
    return ax


def _number(value: float) -> str:
    return "−∞" if value == -np.inf else short(value)
