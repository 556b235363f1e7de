"""Matrices as grids of numbers, and the correlation of two of them."""

from __future__ import annotations

from collections.abc import Iterable

import matplotlib.pyplot as plt
import torch
from matplotlib.axes import Axes

from d2lconv._arguments import IntOrPair, Padding, effective_size, integer, padding_per_axis, per_axis
from d2lconv.ops import corr2d
from d2lconv.plotting._cells import CELL, Array, Role, as_array, draw_cells, factor, short
from d2lconv.plotting.style import PALETTE

__all__ = ["draw_correlation", "draw_grid"]


def draw_grid(
    values: Array,
    ax: Axes | None = None,
    *,
    role: Role = "input",
    label: str = "",
    window: Iterable[tuple[int, int]] = (),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> Axes:
    """Draw a matrix as cells with their numbers.

    Parameters
    ----------
    values : array_like
        The numbers, shape (H, W).
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure of the right size if not given.
    role : {"input", "kernel", "output"}
        Role of the matrix, which decides its colour.
    label : str
        A short text above the grid.
    window : iterable of (int, int)
        Rows and columns of cells to mark, counted in the padded matrix.
    padding : (int, int, int, int)
        Zeros to draw at the top, bottom, left and right.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell, and cell (0, 0) of the padded matrix has its centre at (0, 0).

    Raises
    ------
    ValueError
        If `values` is not a matrix, `role` is unknown, or a marked cell lies outside.

    Examples
    --------
    >>> ax = draw_grid([[1, 2], [3, 4]], role="kernel", label="K")
    >>> [text.get_text() for text in ax.texts]
    ['1', '2', '3', '4']
    >>> plt.close(ax.figure)
    """
    if role not in ("input", "kernel", "output"):
        raise ValueError(f"role must be 'input', 'kernel' or 'output', got {role!r}")
    matrix = as_array(values)
    if matrix.ndim != 2:
        raise ValueError(f"values must have shape (H, W), got {matrix.shape}")
    top, bottom, left, right = (integer("padding", number, 0) for number in padding)
    height, width = matrix.shape[0] + top + bottom, matrix.shape[1] + left + right
    marked = set(window)
    outside = sorted(cell for cell in marked if not (0 <= cell[0] < height and 0 <= cell[1] < width))
    if outside:
        raise ValueError(f"window must lie inside the {height}×{width} grid, got {outside[0]}")
    if ax is None:
        ax = plt.figure(figsize=(width * CELL + 0.3, height * CELL + 0.5)).add_subplot()

    ax.set_xlim(-0.56, width - 0.44)
    ax.set_ylim(height - 0.44, -0.56)
    ax.set_aspect("equal")
    draw_cells(ax, matrix, role, window=marked, padding=(top, bottom, left, right))
    ax.axis("off")
    ax.set_title(label, color=PALETTE["ink"], fontsize=11)
    return ax


def draw_correlation(
    X: Array,
    K: Array,
    *,
    cell: tuple[int, int] = (0, 0),
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
    labels: tuple[str, str, str] = ("X", "K", "Y"),
) -> tuple[Axes, Axes, Axes]:
    """Draw a cross-correlation: input, kernel and output, and how one output cell is computed.

    Parameters
    ----------
    X : array_like
        Input, shape (H, W).
    K : array_like
        Kernel, shape (k_h, k_w).
    cell : (int, int)
        Row and column of the output cell to explain.
    stride, padding, dilation
        As in `d2lconv.ops.corr2d`.
    labels : (str, str, str)
        What stands above input, kernel and output.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        Those of the input, the kernel and the output.

    Raises
    ------
    TypeError
        If a setting is not an integer.
    ValueError
        If a shape or setting is out of range, or `cell` lies outside the output.

    Examples
    --------
    >>> axes = draw_correlation([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
    >>> axes[0].figure.get_supxlabel()
    '0·0 + 1·1 + 3·2 + 4·3 = 19'
    >>> plt.close(axes[0].figure)
    """
    image, kernel = (torch.as_tensor(as_array(values), dtype=torch.float64) for values in (X, K))
    output = corr2d(image, kernel, stride=stride, padding=padding, dilation=dilation)
    steps, distance = per_axis("stride", stride, 2, 1), per_axis("dilation", dilation, 2, 1)
    (top, bottom), (left, right) = padding_per_axis(padding, tuple(kernel.shape), steps, distance)
    row, column = (integer("cell", number, 0) for number in cell)
    if row >= output.shape[0] or column >= output.shape[1]:
        raise ValueError(f"cell must lie inside the output of shape {tuple(output.shape)}, got {cell}")
    rows = range(row * steps[0], row * steps[0] + effective_size(kernel.shape[0], distance[0]), distance[0])
    columns = range(
        column * steps[1], column * steps[1] + effective_size(kernel.shape[1], distance[1]), distance[1]
    )
    window = [(r, c) for r in rows for c in columns]

    heights = [image.shape[0] + top + bottom, kernel.shape[0], output.shape[0]]
    widths = [image.shape[1] + left + right, kernel.shape[1], output.shape[1]]
    figure, (ax_X, ax_K, ax_Y) = plt.subplots(
        1, 3, figsize=(CELL * (sum(widths) + 3.6), CELL * (max(heights) + 2.2)), width_ratios=widths
    )
    draw_grid(image, ax_X, role="input", label=labels[0], window=window, padding=(top, bottom, left, right))
    draw_grid(kernel, ax_K, role="kernel", label=labels[1])
    draw_grid(output, ax_Y, role="output", label=labels[2], window=[(row, column)])
    for ax, sign in ((ax_K, "⋆"), (ax_Y, "=")):
        ax.text(-0.75, (ax.get_ylim()[0] + ax.get_ylim()[1]) / 2, sign, fontsize=16, ha="right", va="center")
    padded = torch.nn.functional.pad(image, (left, right, top, bottom))
    numbers = [padded[r, c].item() for r, c in window]
    products = [f"{factor(x)}·{factor(k)}" for x, k in zip(numbers, kernel.flatten().tolist(), strict=True)]
    figure.supxlabel(
        f"{' + '.join(products)} = {short(output[row, column].item())}",
        fontsize=11,
        color=PALETTE["ink"],
        wrap=True,
    )
    return ax_X, ax_K, ax_Y
