"""A fully connected layer, as neurons with their lines and as a matrix product."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes

from d2lconv._arguments import integer
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
from d2lconv.plotting.style import PALETTE

__all__ = ["draw_linear"]

PITCH = 1.4
"""Distance between two neurons of a column."""

STEP = 3.6
"""Distance between the inputs and the neurons."""

GAP = 1.2
"""Distance between the two pictures."""

SIGN = 0.8
"""Room for a sign between two matrices."""


class Linear(NamedTuple):
    """A layer y = W x + b with its numbers."""

    x: npt.NDArray[np.float64]
    W: npt.NDArray[np.float64]
    b: npt.NDArray[np.float64] | None

    @property
    def y(self) -> npt.NDArray[np.float64]:
        product: npt.NDArray[np.float64] = self.W @ self.x
        return product if self.b is None else product + self.b

    def total(self, neuron: int) -> str:
        """Write out the sum that gives one output."""
        terms = [f"{factor(w)}·{factor(x)}" for w, x in zip(self.W[neuron], self.x, strict=True)]
        if self.b is not None:
            terms.append(factor(self.b[neuron]))
        return f"{' + '.join(terms)} = {short(self.y[neuron])}"


def draw_linear(x: Array, W: Array, b: Array | None = None, *, neuron: int = 0) -> Axes:
    """Draw a fully connected layer twice: as neurons, and as a weight matrix times the inputs.

    On the left stand the inputs, then the neurons with their outputs; each line is one weight. The lines of
    one neuron are marked and carry their weights. On the right the same layer is a product, in which each
    neuron is a row of the matrix. Below stands the sum that gives the marked output.

    Parameters
    ----------
    x : array_like
        Inputs, shape (n,).
    W : array_like
        Weights, one row for each neuron, shape (m, n).
    b : array_like, optional
        One bias for each neuron, shape (m,).
    neuron : int
        The neuron to mark.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell.

    Raises
    ------
    TypeError
        If `neuron` is not an integer.
    ValueError
        If a shape is wrong, or there is no such `neuron`.

    See Also
    --------
    draw_one_by_one : A 1×1 convolution, which is such a layer at every pixel.

    Notes
    -----
    Introduced in: *Building blocks*.

    Examples
    --------
    >>> ax = draw_linear([1, 2, 3], [[1, 0, -1], [2, 1, 0]], [5, -4], neuron=1)
    >>> ax.texts[-1].get_text()
    '2·1 + 1·2 + 0·3 + (−4) = 0'
    >>> plt.close(ax.figure)
    """
    layer = _layer(x, W, b)
    neurons, inputs = layer.W.shape
    if integer("neuron", neuron, 0) >= neurons:
        raise ValueError(f"neuron must be less than the {neurons} rows of W, got {neuron}")

    width = STEP + GAP + inputs + 2 * (SIGN + 1) + (0 if layer.b is None else SIGN + 1)
    middle = max((inputs - 1) * PITCH, (neurons - 1) * PITCH, inputs - 1, neurons - 1) / 2
    ax = canvas(-0.7, width + 0.7, -1.5, 2 * middle + 0.8)
    _draw_neurons(ax, layer, middle, neuron)
    _draw_product(ax, layer, middle, neuron)
    write_below(ax, layer.total(neuron))
    return ax


def _layer(x: Array, W: Array, b: Array | None) -> Linear:
    weights, inputs = as_array(W), as_array(x)
    if weights.ndim != 2 or 0 in weights.shape:
        raise ValueError(f"W must have shape (m, n), got {weights.shape}")
    neurons, columns = weights.shape
    if inputs.shape != (columns,):
        raise ValueError(f"x must have shape ({columns},) for W of {weights.shape}, got {inputs.shape}")
    biases = None if b is None else as_array(b)
    if biases is not None and biases.shape != (neurons,):
        raise ValueError(f"b must have shape ({neurons},) for W of {weights.shape}, got {biases.shape}")
    return Linear(inputs, weights, biases)


def _draw_neurons(ax: Axes, layer: Linear, middle: float, neuron: int) -> None:
    """Draw inputs, lines and neurons, in columns around a row."""
    neurons, inputs = layer.W.shape
    left, right = (
        [middle + (i - (count - 1) / 2) * PITCH for i in range(count)] for count in (inputs, neurons)
    )
    for o, row in enumerate(right):
        strong = o == neuron
        for i, start in enumerate(left):
            draw_line(
                ax,
                [start, row],
                [0.5, STEP - 0.5],
                colour="highlight" if strong else "kernel",
                width=2.2 if strong else 0.9,
                above=strong,
            )
            if strong:
                _label_line(ax, short(layer.W[o, i]), start, row)
    for i, row in enumerate(left):
        draw_cell(ax, row, 0, short(layer.x[i]), "input")
    for o, row in enumerate(right):
        draw_cell(ax, row, STEP, short(layer.y[o]), "output", marked=o == neuron)
    write(ax, left[0] - 0.9, 0, "x")
    write(ax, right[0] - 0.9, STEP, "y")


def _label_line(ax: Axes, text: str, start: float, end: float) -> None:
    """Write a weight on its line, nearer to the input, where lines of one neuron are apart."""
    fraction = 0.3
    row, column = start + fraction * (end - start), 0.5 + fraction * (STEP - 1)
    write(ax, row, column, text, size=9)
    ax.texts[-1].set_bbox({"facecolor": PALETTE["paper"], "edgecolor": "none", "pad": 1})


def _draw_product(ax: Axes, layer: Linear, middle: float, neuron: int) -> None:
    """Draw W x + b = y, with the row of one neuron marked."""
    parts = [("W", "", layer.W, "kernel"), ("x", "·", layer.x[:, None], "input")]
    if layer.b is not None:
        parts.append(("b", "+", layer.b[:, None], "kernel"))
    parts.append(("y", "=", layer.y[:, None], "output"))
    column = STEP + 1 + GAP
    for name, sign, matrix, role in parts:
        if sign:
            write(ax, middle, column + SIGN / 2 - 0.5, sign, size=13)
            column += SIGN
        height, width = matrix.shape
        top = middle - (height - 1) / 2
        row = [(neuron, i) for i in range(width)] if name != "x" else []
        draw_cells(ax, matrix, role, at=(top, column), window=row)
        write(ax, top - 0.9, column + (width - 1) / 2, name)
        column += width
