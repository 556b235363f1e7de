"""The effective receptive field: how much each input cell contributes."""

from __future__ import annotations

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, to_rgba
from matplotlib.patches import Rectangle
from matplotlib.ticker import MaxNLocator

from d2lconv._arguments import integer
from d2lconv.plotting._cells import Array, as_array
from d2lconv.plotting.style import PALETTE
from d2lconv.shapes import ReceptiveField

__all__ = ["draw_effective_field"]

STRENGTH = LinearSegmentedColormap.from_list(
    "strength", [to_rgba(PALETTE["input"], 0.0), to_rgba(PALETTE["input"], 1.0)]
)
"""From nothing, where the page shines through, to blue."""


def draw_effective_field(
    gradients: Array, field: ReceptiveField, cell: tuple[int, int], ax: Axes | None = None
) -> Axes:
    """Draw how strongly each input cell influences an output cell, and frame its theoretical field.

    Parameters
    ----------
    gradients : array_like
        The output cell's derivative by each input cell, shape (H, W); its absolute value is drawn, as
        a fraction of the largest one.
    field : d2lconv.shapes.ReceptiveField
        The theoretical field; its `start` must be known.
    cell : (int, int)
        Row and column of the output cell.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one input cell.

    Raises
    ------
    TypeError
        If `cell` is not made of integers.
    ValueError
        If `gradients` has another shape, or the field's start is not known.

    See Also
    --------
    draw_receptive_field : The cone of cells along one axis.

    Notes
    -----
    Source: Luo et al., *Understanding the effective receptive field in deep convolutional neural networks*
    (2016). Introduced in: *Receptive field*.

    Examples
    --------
    >>> field = ReceptiveField(size=(3, 3), stride=(1, 1), start=(0, 0))  # of one 3×3 layer
    >>> ax = draw_effective_field(torch.ones(5, 5), field, cell=(1, 1))
    >>> ax.patches[0].get_xy(), ax.patches[0].get_width()
    ((0.5, 0.5), 3)
    >>> plt.close(ax.figure)
    """
    strength = np.abs(as_array(gradients))
    if strength.ndim != 2 or 0 in strength.shape:
        raise ValueError(f"gradients must have shape (H, W), got {strength.shape}")
    if field.start is None:
        raise ValueError(
            "field must have a known start: give receptive_field the input_size that it depends on"
        )
    row, column = (integer("cell", number, 0) for number in cell)
    if ax is None:
        ax = plt.figure(figsize=(4.2, 3.6)).add_subplot()
    image = ax.imshow(strength / (strength.max() or 1.0), cmap=STRENGTH, vmin=0, vmax=1)
    ax.grid(False)
    ax.patch.set_visible(False)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))
    top, left = (s + c * j for s, c, j in zip(field.start, (row, column), field.stride, strict=True))
    height, width = field.size
    outline = Rectangle(
        (left - 0.5, top - 0.5),
        width,
        height,
        facecolor="none",
        edgecolor=PALETTE["ink"],
        linewidth=1.6,
        linestyle=(0, (4, 3)),
    )
    ax.add_patch(outline)
    h, w = strength.shape
    ax.set_xlim(min(left, 0) - 1, max(left + width, w))
    ax.set_ylim(max(top + height, h), min(top, 0) - 1)
    bar = ax.figure.colorbar(image, ax=ax, shrink=0.8, pad=0.03, ticks=[0, 0.5, 1], label="|∂y/∂x| / max")
    bar.ax.patch.set_visible(False)
    bar.outline.set_visible(False)
    return ax
