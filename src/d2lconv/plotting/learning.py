"""What training does: scores that become probabilities, and steps down a loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import matplotlib.pyplot as plt
import numpy as np
import torch
from matplotlib.axes import Axes
from torch import Tensor

from d2lconv._arguments import integer
from d2lconv.plotting._cells import Array, as_array, short
from d2lconv.plotting.style import CURVES, PALETTE

__all__ = ["draw_descent", "draw_softmax"]

MARKERS = "osD^v"
GRID = 41
"""Values of each weight at which a loss is computed to draw its contours."""


def draw_softmax(scores: Array, *, label: int | None = None, names: Sequence[str] = ()) -> tuple[Axes, Axes]:
    """Draw the scores of one image and the probabilities that softmax makes of them, class by class.

    Parameters
    ----------
    scores : array_like
        One score for each class, shape (classes,).
    label : int, optional
        The image's own class, which is marked.
    names : sequence of str
        The names of the classes; by default 0, 1, 2 and so on.

    Returns
    -------
    tuple of matplotlib.axes.Axes
        Those of the scores and of the probabilities, with one bar for each class.

    Raises
    ------
    ValueError
        If `scores` is not one-dimensional or empty, `label` is no class, or there is not one name a class.

    Notes
    -----
    Introduced in: *How a network learns*.

    Examples
    --------
    >>> left, right = draw_softmax([2.0, 1.0, -1.0], label=0)
    >>> [text.get_text() for text in right.texts]
    ['0.71', '0.26', '0.04']
    >>> plt.close(left.figure)
    """
    numbers = as_array(scores)
    if numbers.ndim != 1 or not numbers.size:
        raise ValueError(f"scores must have shape (classes,), got {numbers.shape}")
    classes = numbers.size
    if label is not None and integer("label", label, 0) >= classes:
        raise ValueError(f"label must be less than the {classes} classes, got {label}")
    if names and len(names) != classes:
        raise ValueError(f"names must hold one text for each of the {classes} classes, got {len(names)}")
    powers = np.exp(numbers - numbers.max())
    _, axes = plt.subplots(1, 2, sharey=True, figsize=(5, 0.42 * classes + 0.9))
    for ax, values, role, title in zip(
        axes, (numbers, powers / powers.sum()), ("input", "output"), ("score", "probability"), strict=True
    ):
        colours = [PALETTE["highlight" if c == label else role] for c in range(classes)]
        ax.barh(range(classes), values, height=0.6, color=colours)
        low, high = min(values.min(), 0), max(values.max(), 0)
        room = 0.28 * ((high - low) or 1.0)
        ax.set_xlim(low - room * (low < 0), high + room)
        for c, value in enumerate(values):
            side = "right" if value < 0 else "left"
            ax.annotate(
                short(value), (value, c), ((-3 if value < 0 else 3), 0), textcoords="offset points",
                ha=side, va="center", color=PALETTE["ink"],
            )  # fmt: skip
        ax.axvline(0, color=PALETTE["muted"], linewidth=0.8, linestyle="-")
        ax.set_xlabel(title)
        ax.grid(visible=False)
    axes[0].set_yticks(range(classes), names or [str(c) for c in range(classes)])
    axes[0].set_ylabel("class")
    axes[0].invert_yaxis()
    return axes[0], axes[1]


def draw_descent(
    loss: Callable[[Tensor], object],
    paths: Mapping[str, Array],
    *,
    limits: tuple[tuple[float, float], tuple[float, float]],
    labels: tuple[str, str] = ("first weight", "second weight"),
) -> Axes:
    """Draw the contours of a loss of two weights, and the steps of trainings on it.

    Parameters
    ----------
    loss : callable
        From a tensor with the two weights, shape (2,), to their loss, which is positive.
    paths : mapping of str to array_like
        Each training's name and its weights after each step, shape (steps + 1, 2). At most five.
    limits : ((float, float), (float, float))
        Smallest and largest value of the first weight and of the second that are shown.
    labels : (str, str)
        What the axes show.

    Returns
    -------
    matplotlib.axes.Axes
        The axes, with one line for each training; steps that lie outside are cut off.

    Raises
    ------
    ValueError
        If there is no path, there are more than five, or one has another shape.

    Notes
    -----
    Introduced in: *How a network learns*.

    Examples
    --------
    >>> ax = draw_descent(lambda w: (w**2).sum(), {"a": [[1, 1], [0, 0.5]]}, limits=((-1, 1), (-1, 1)))
    >>> ax.lines[0].get_label()
    'a'
    >>> plt.close(ax.figure)
    """
    if not 1 <= len(paths) <= len(CURVES):
        raise ValueError(f"paths must hold 1 to {len(CURVES)} paths, got {len(paths)}")
    steps = {name: as_array(path) for name, path in paths.items()}
    for name, path in steps.items():
        if path.ndim != 2 or path.shape[1] != 2 or not len(path):
            raise ValueError(f"paths[{name!r}] must have shape (steps + 1, 2), got {path.shape}")
    across, up = (np.linspace(low, high, GRID) for low, high in limits)
    heights = [
        [float(torch.as_tensor(loss(torch.tensor([x, y], dtype=torch.float32)))) for x in across] for y in up
    ]
    ax = plt.figure(figsize=(5, 4.2)).add_subplot()
    levels = np.geomspace(np.max(heights) / 400, np.max(heights), 9)
    ax.contour(across, up, heights, levels=levels, colors=PALETTE["padding"], linewidths=0.8)
    for (name, path), look, marker in zip(steps.items(), CURVES, MARKERS, strict=False):
        ax.plot(*path.T, **look, linewidth=1.6, marker=marker, markersize=4.5, label=name)
    ax.set_xlim(*limits[0])
    ax.set_ylim(*limits[1])
    ax.set_xlabel(labels[0])
    ax.set_ylabel(labels[1])
    ax.grid(visible=False)
    if len(steps) > 1:
        ax.legend(loc="upper left", bbox_to_anchor=(0, -0.16), ncols=2)
    return ax
