"""A network as the shapes of its layers' outputs, and its confusion matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.patches import Rectangle

from d2lconv._arguments import integer
from d2lconv.plotting._cells import Array, as_array, canvas, draw_cell, draw_line, write
from d2lconv.plotting.style import PALETTE

__all__ = ["draw_confusion", "draw_shapes"]

TALLEST = 4.0
"""Height of the tallest map or column of numbers."""

STEP = 0.11
"""Offset of a map from the one before it."""

SLOT = 2.75
"""Minimum width of a layer, which leaves room for its size."""


def draw_shapes(shapes: Sequence[Sequence[int]], *, labels: Sequence[str] = ()) -> Axes:
    r"""Draw the data in a network, from left to right: stacks of feature maps, then columns of numbers.

    All maps are on one scale, and all columns are on another. Below each stand its sizes.

    Parameters
    ----------
    shapes : sequence of sequence of int
        Of the input, then of each layer's output: (C, H, W), or (n,) for plain numbers.
    labels : sequence of str
        A short text above each, such as the name of the layer that gives it.

    Returns
    -------
    matplotlib.axes.Axes
        The axes.

    Raises
    ------
    TypeError
        If a size is not an integer.
    ValueError
        If there is no shape, one has neither one nor three sizes, a size is less than 1, or there are not as
        many labels as shapes.

    Notes
    -----
    Introduced in: *LeNet*.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = draw_shapes([(1, 28, 28), (6, 14, 14), (10,)], labels=["X", "encoder", "head"])
    >>> [text.get_text() for text in ax.texts]
    ['1\n28×28', 'X', '6\n14×14', 'encoder', '10', 'head']
    >>> plt.close(ax.figure)
    """
    sizes = [tuple(integer("shapes", size, 1) for size in shape) for shape in shapes]
    if not sizes or any(len(shape) not in (1, 3) for shape in sizes):
        raise ValueError(f"shapes must hold (C, H, W) or (n,), at least one, got {list(shapes)}")
    if labels and len(labels) != len(sizes):
        raise ValueError(f"labels must hold one text for each of the {len(sizes)} shapes, got {len(labels)}")
    side = TALLEST / max((max(shape[1:]) for shape in sizes if len(shape) == 3), default=1)
    rise = TALLEST / max((shape[0] for shape in sizes if len(shape) == 1), default=1)
    boxes = [
        (shape[1] * side, shape[2] * side, shape[0]) if len(shape) == 3 else (shape[0] * rise, 0.3, 1)
        for shape in sizes
    ]
    slots = [max(SLOT, width + (count - 1) * STEP + 0.4) for _, width, count in boxes]
    tallest = max(height + (count - 1) * STEP for height, _, count in boxes)
    ax = canvas(0, sum(slots), -1.7, tallest + 2.4)
    left = 0.0
    for number, (shape, (height, width, count), slot) in enumerate(zip(sizes, boxes, slots, strict=True)):
        role = "input" if number == 0 else "output"
        middle = left + slot / 2
        first = middle - (width + (count - 1) * STEP) / 2
        top = (tallest - height - (count - 1) * STEP) / 2
        for i in range(count):
            ax.add_patch(
                Rectangle(
                    (first + i * STEP, top + i * STEP),
                    width,
                    height,
                    facecolor=PALETTE[f"{role}_tint"],
                    edgecolor=PALETTE[role],
                    linewidth=0.7,
                    zorder=1 + i / count,
                )
            )
        if number:
            draw_line(ax, [tallest / 2] * 2, [left - 0.15, left + 0.15], colour="muted", width=1.5)
        size = "\n".join([str(shape[0]), "×".join(map(str, shape[1:]))]) if len(shape) == 3 else str(shape[0])
        write(ax, tallest + 0.4, middle, size, size=9, va="top")
        if labels:
            write(ax, -0.7, middle, labels[number], size=9)
        left += slot
    return ax


def draw_confusion(counts: Array, *, names: Sequence[str] = ()) -> Axes:
    """Draw a confusion matrix: how many images of each class got which prediction.

    Correct predictions are on the diagonal, in green. Errors are marked. A count of 0 is left out.

    Parameters
    ----------
    counts : array_like
        Whole numbers, shape (classes, classes): one row for each true class, one column for each prediction.
    names : sequence of str
        Names of the classes; the numbers from 0 if not given. With names of more than two letters,
        the columns have numbers, which stand before the names of the rows.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell, and the cell of row 0 and column 0 has its centre at (0, 0).

    Raises
    ------
    ValueError
        If `counts` is not a square matrix of whole numbers from 0, or there are not as many names as rows.

    Notes
    -----
    Introduced in: *LeNet*.

    Examples
    --------
    >>> import matplotlib.pyplot as plt
    >>> ax = draw_confusion([[8, 0], [1, 9]], names=["cat", "dog"])
    >>> [text.get_text() for text in ax.texts]
    ['0 cat', '0', '8', '1 dog', '1', '1', '9', 'class', 'predicted']
    >>> plt.close(ax.figure)
    """
    matrix = as_array(counts)
    if matrix.ndim != 2 or matrix.shape[0] != matrix.shape[1] or not matrix.size:
        raise ValueError(f"counts must have shape (classes, classes), got {matrix.shape}")
    if (matrix < 0).any() or (matrix != np.round(matrix)).any():
        raise ValueError("counts must be whole numbers from 0")
    classes = len(matrix)
    if names and len(names) != classes:
        raise ValueError(f"names must hold one for each of the {classes} classes, got {len(names)}")
    numbers = [str(number) for number in range(classes)]
    rows = columns = list(names) or numbers
    if max(map(len, columns)) > 2:
        rows, columns = [f"{number} {name}" for number, name in enumerate(names)], numbers
    widest = 0.22 * max(map(len, rows))
    ax = canvas(-1.6 - widest, classes - 0.3, -2.2, classes - 0.3)
    for r in range(classes):
        write(ax, r, -0.8, rows[r], size=10, ha="right")
        write(ax, -0.9, r, columns[r], size=10)
        for c in range(classes):
            count = int(matrix[r, c])
            draw_cell(ax, r, c, str(count) if count else "", _role(r, c), marked=r != c and count > 0)
    write(ax, -0.9, -0.8, "class", size=10, ha="right")
    write(ax, -1.7, (classes - 1) / 2, "predicted", size=10)
    return ax


def _role(row: int, column: int) -> str:
    return "output" if row == column else "padding"
