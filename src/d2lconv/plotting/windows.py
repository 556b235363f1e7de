"""Where a kernel goes: its positions, the cells it misses, and what the padding modes do."""

from __future__ import annotations

from typing import Literal

import numpy as np
from matplotlib.axes import Axes

from d2lconv._arguments import IntOrPair, Padding, effective_size, integer, padding_per_axis, per_axis
from d2lconv.plotting._cells import (
    canvas,
    draw_cell,
    draw_frame,
    draw_hatching,
    draw_line,
    subscript,
    write,
    write_below,
)
from d2lconv.shapes import conv_output_size, padding_for
from d2lconv.shapes.sizes import output_sizes

MODES: tuple[Literal["full", "valid", "same"], ...] = ("full", "valid", "same")

__all__ = ["draw_coverage", "draw_padding_modes", "draw_windows"]


def draw_windows(
    size: int, kernel_size: int, *, stride: int = 1, padding: Padding = 0, dilation: int = 1
) -> Axes:
    """Draw every position of a kernel along one axis, and the cells that none of them covers.

    The first row is the input with its zeros. Below it, one row for each position of the kernel, with the
    output that it gives on the right. Cells that no position covers are hatched and have a ``×`` above them.
    The last line computes the number of positions.

    Parameters
    ----------
    size : int
        Number of input cells. At least 1.
    kernel_size : int
        Number of kernel cells. At least 1.
    stride : int
        Distance between two neighbouring positions of the kernel. At least 1.
    padding : int, (int, int) or str
        Zeros on both sides; (before, after); or ``"valid"``, ``"same"`` (stride 1 only) or ``"full"``.
    dilation : int
        Distance between two neighbouring kernel cells. At least 1.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell, and the first cell of the padded input has its centre at (0, 0).

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is too small, or the kernel is larger than the padded input.

    See Also
    --------
    draw_coverage : The same for two axes.

    Notes
    -----
    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> ax = draw_windows(6, 3, stride=2)
    >>> ax.texts[-1].get_text()
    '⌊(6 − 3) / 2⌋ + 1 = 2'
    >>> plt.close(ax.figure)
    """
    n = integer("size", size, 1)
    k, s, d = (
        per_axis(name, value, 1, 1)[0]
        for name, value in (("kernel_size", kernel_size), ("stride", stride), ("dilation", dilation))
    )
    ((before, after),) = sides = padding_per_axis(padding, (k,), (s,), (d,))
    (count,) = output_sizes((n,), (k,), (s,), sides, (d,))
    covered = {position * s + u * d for position in range(count) for u in range(k)}
    total = before + n + after

    ax = canvas(-0.7, total + 1.5, -0.7 if len(covered) == total else -1.4, count + 0.7)
    for column in range(total):
        inner = before <= column < before + n
        text = f"x{subscript(column - before)}" if inner else "0"
        draw_cell(ax, 0, column, text, "input" if inner else "padding")
        if column not in covered:
            draw_hatching(ax, 0, column)
            write(ax, -1, column, "×", colour="bad", size=16)
    for position in range(count):
        row, first = position + 1, position * s
        draw_line(ax, [row, row], [first, total + 0.4], colour="grid", width=1)
        last = first + effective_size(k, d) - 1
        draw_line(ax, [row, row], [first, last], colour="kernel", width=2, above=True)
        for u in range(k):
            draw_cell(ax, row, first + u * d, f"w{subscript(u)}", "kernel")
        draw_cell(ax, row, total + 0.8, f"y{subscript(position)}", "output")
    zeros = "".join(f" + {number}" for number in (before, after) if number)
    write_below(ax, f"⌊({n}{zeros} − {effective_size(k, d)}) / {s}⌋ + 1 = {count}")
    return ax


def draw_coverage(
    size: IntOrPair,
    kernel_size: IntOrPair,
    *,
    stride: IntOrPair = 1,
    padding: Padding = 0,
    dilation: IntOrPair = 1,
) -> Axes:
    """Draw how many positions of a kernel cover each cell of an image.

    Frames show the first position (solid) and the last one (dashed). Cells that no position covers are
    hatched and have a ``×``.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the input. At least 1.
    kernel_size : int or (int, int)
        Size of the kernel. At least 1.
    stride : int or (int, int)
        Distance between two neighbouring positions of the kernel. At least 1.
    padding : int, (int, int), (int, int, int, int) or str
        Zeros on every side; on the sides of each axis; on (top, bottom, left, right); or ``"valid"``,
        ``"same"`` (stride 1 only) or ``"full"``.
    dilation : int or (int, int)
        Distance between two neighbouring kernel cells. At least 1.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell, and the first cell of the padded input has its centre at (0, 0).

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is too small, or the kernel is larger than the padded input.

    See Also
    --------
    draw_windows : The positions themselves, along one axis.

    Notes
    -----
    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> ax = draw_coverage((2, 4), 2)
    >>> [text.get_text() for text in ax.texts]
    ['1', '2', '2', '1', '1', '2', '2', '1', '2×4 → 1×3']
    >>> plt.close(ax.figure)
    """
    (h, w), kernel, steps, distance = (
        per_axis(name, value, 2, 1)
        for name, value in (
            ("size", size),
            ("kernel_size", kernel_size),
            ("stride", stride),
            ("dilation", dilation),
        )
    )
    (top, bottom), (left, right) = sides = padding_per_axis(padding, kernel, steps, distance)
    rows, columns = output_sizes((h, w), kernel, steps, sides, distance)
    counts = np.zeros((top + h + bottom, left + w + right), dtype=int)
    for u in range(kernel[0]):
        for v in range(kernel[1]):
            counts[u * distance[0] :: steps[0], v * distance[1] :: steps[1]][:rows, :columns] += 1

    height, width = counts.shape
    ax = canvas(-0.7, width - 0.3, -0.7, height - 0.3)
    for (row, column), number in np.ndenumerate(counts):
        inner = top <= row < top + h and left <= column < left + w
        draw_cell(ax, row, column, str(number) if number else "", "input" if inner else "padding")
        if not number:
            draw_hatching(ax, row, column)
            write(ax, row, column, "×", colour="bad", size=16)
    covers = [effective_size(k, d) for k, d in zip(kernel, distance, strict=True)]
    draw_frame(ax, 0, 0, *covers)
    draw_frame(ax, (rows - 1) * steps[0], (columns - 1) * steps[1], *covers, dashed=True)
    write_below(ax, f"{h}×{w} → {rows}×{columns}")
    return ax


def draw_padding_modes(size: IntOrPair = 5, kernel_size: IntOrPair = 3) -> Axes:
    """Draw the padding modes "full", "valid" and "same" side by side.

    For each mode: the input with its zeros and, below the arrow, the output and its size. The kernel is at
    its first position (solid frame) and at its last one (dashed frame); the same frames mark the output
    cells that it gives there.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the input. At least 1.
    kernel_size : int or (int, int)
        Size of the kernel. At least 1.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell.

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is too small, or the kernel is larger than the input.

    See Also
    --------
    d2lconv.shapes.padding_for : The zeros that a mode stands for.

    Notes
    -----
    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> ax = draw_padding_modes(5, 3)
    >>> [text.get_text() for text in ax.texts if "×" in text.get_text()]
    ['7×7', '3×3', '5×5']
    >>> plt.close(ax.figure)
    """
    h, w = per_axis("size", size, 2, 1)
    k_h, k_w = per_axis("kernel_size", kernel_size, 2, 1)
    zeros = [padding_for(mode, (k_h, k_w)) for mode in MODES]
    sizes = [conv_output_size((h, w), (k_h, k_w), padding=padding) for padding in zeros]
    tall, height = h + 2 * (k_h - 1), h + k_h - 1  # of the padded input and of the output in mode "full"
    widths, gap = [max(w + before + after, 3) for _, _, before, after in zeros], 1.6
    ax = canvas(-0.7, sum(widths) + 2 * gap - 0.3, -2, tall + height + 3.2)
    edge = 0.0
    for mode, padding, (rows, columns), width in zip(MODES, zeros, sizes, widths, strict=True):
        middle = edge + (width - 1) / 2
        top = (tall - (h + padding[0] + padding[1])) / 2
        left = middle - (w + padding[2] + padding[3] - 1) / 2
        below, start = tall + 2 + (height - rows) / 2, middle - (columns - 1) / 2
        write(ax, -1.4, middle, mode.upper())
        _draw_blank(ax, top, left, (h, w), "input", padding)
        draw_frame(ax, top, left, k_h, k_w)
        draw_frame(ax, top + rows - 1, left + columns - 1, k_h, k_w, dashed=True)
        write(ax, tall + 0.5, middle, "↓")
        _draw_blank(ax, below, start, (rows, columns), "output")
        draw_frame(ax, below, start, 1, 1)
        draw_frame(ax, below + rows - 1, start + columns - 1, 1, 1, dashed=True)
        write(ax, tall + 2 + height + 0.3, middle, f"{rows}×{columns}")
        edge += width + gap
    return ax


def _draw_blank(
    ax: Axes,
    row: float,
    column: float,
    size: tuple[int, int],
    role: str,
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
) -> None:
    """Draw a matrix from (row, column) on, of which only the padding is known."""
    top, bottom, left, right = padding
    for r in range(top + size[0] + bottom):
        for c in range(left + size[1] + right):
            inner = top <= r < top + size[0] and left <= c < left + size[1]
            draw_cell(ax, row + r, column + c, "" if inner else "0", role if inner else "padding", size=9)
