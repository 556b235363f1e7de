"""Curves over the epochs of a training."""

from __future__ import annotations

from collections.abc import Mapping

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from d2lconv.plotting._cells import Array, as_array
from d2lconv.plotting.style import CURVES

__all__ = ["draw_curves"]


def draw_curves(
    curves: Mapping[str, Array], *, xlabel: str = "epoch", ylabel: str = "", ax: Axes | None = None
) -> Axes:
    """Draw named curves over the numbers 1, 2, 3 and so on.

    Parameters
    ----------
    curves : mapping of str to array_like
        Each curve's name and its values, one-dimensional. At most five; they may differ in length. A
        value that is not finite leaves a gap.
    xlabel, ylabel : str
        What the axes show, with its unit.
    ax : matplotlib.axes.Axes, optional
        Where to draw; a new figure if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with one line for each curve and a legend if there are several.

    Raises
    ------
    ValueError
        If there is no curve, there are more than five, or one is empty or not one-dimensional.

    Notes
    -----
    Introduced in: *How a network learns*.

    Examples
    --------
    >>> ax = draw_curves({"train": [2.1, 0.9, 0.4], "valid": [1.5, 0.8, 0.5]}, ylabel="loss")
    >>> [line.get_label() for line in ax.lines]
    ['train', 'valid']
    >>> ax.lines[0].get_xdata()
    array([1, 2, 3])
    >>> plt.close(ax.figure)
    """
    if not 1 <= len(curves) <= len(CURVES):
        raise ValueError(f"curves must hold 1 to {len(CURVES)} curves, got {len(curves)}")
    lines = {name: as_array(values) for name, values in curves.items()}
    for name, values in lines.items():
        if values.ndim != 1 or not values.size:
            raise ValueError(f"curves[{name!r}] must have shape (n,) with n at least 1, got {values.shape}")
    if ax is None:
        ax = plt.figure(figsize=(5, 3.2)).add_subplot()
    for (name, values), look in zip(lines.items(), CURVES, strict=False):
        ax.plot(
            np.arange(1, values.size + 1),
            values,
            **look,
            linewidth=2,
            marker="o" if values.size == 1 else "",  # a line needs two points
            label=name,
        )
    ax.xaxis.set_major_locator(MaxNLocator(integer=True))
    ax.set_xlabel(xlabel)
    ax.set_ylabel(ylabel)
    if len(lines) > 1:
        ax.legend()
    return ax
