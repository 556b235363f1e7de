"""The picture of a walk through a network: an image, what one cell sees of it, and the maps of a layer."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Drawing
from matplotlib.patches import Rectangle
from torch import Tensor

from d2lconv.plotting import PALETTE
from d2lconv.plotting.style import SIGNED, frame_picture

COLUMNS = 8  # maps in a row
LEVELS = 16  # that are told apart above and below zero

Pair = tuple[int, int]


def draw_walk(image: Tensor, field: tuple[Pair, Pair], maps: Tensor, channel: int, name: str) -> Drawing:
    """Draw an image beside the maps of a layer.

    Nothing but pixels depends on the numbers in the maps, and these are drawn in steps of a sixteenth of the
    scale, so that hardly a pixel differs where two machines compute their last digits differently.

    Parameters
    ----------
    image : Tensor
        Shape (C, H, W), grey or in colour.
    field : ((int, int), (int, int))
        First pixel, which may lie outside, and size of what one cell sees.
    maps : Tensor
        Shape (C, H, W).
    channel : int
        The one to mark; the last if there are fewer.
    name : str
        That of the layer.
    """
    limit = float(maps.abs().max()) or 1.0
    steps = ((maps / limit * LEVELS).round() / LEVELS).numpy()
    count = len(maps)
    across = min(count, COLUMNS)
    down = -(-count // across)
    figure = plt.figure(figsize=(7, max(1.9, 0.72 * down + 0.4)))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1, 2.6))[0]
    _draw_image(left.subplots(), image, field)
    grid = list(right.subplots(down, across, squeeze=False).flat)
    for ax in grid[count:]:
        ax.remove()
    for ax, step in zip(grid, steps, strict=False):
        frame_picture(ax)
        shown = ax.imshow(step, cmap=SIGNED, vmin=-1, vmax=1, interpolation="none")
    marked = grid[min(channel, count - 1)]
    marked.spines[:].set_color(PALETTE["highlight"])
    marked.spines[:].set_linewidth(2.5)
    right.suptitle(f"{name}: {'×'.join(map(str, maps.shape))}", fontsize=10)
    bar = right.colorbar(shown, ax=grid[:count], shrink=0.8, pad=0.02, ticks=[-1, 0, 1])
    bar.ax.set_yticklabels(["−max", "0", "max"])
    bar.outline.set_visible(False)
    return figure


def _draw_image(ax: Axes, image: Tensor, field: tuple[Pair, Pair]) -> None:
    frame_picture(ax)
    if len(image) == 3:
        ax.imshow(image.clamp(0, 1).movedim(0, -1).numpy(), interpolation="none")
    else:
        ax.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=float(image.max()) or 1, interpolation="none")
    (row, column), (height, width) = field
    corner = (column - 0.5, row - 0.5)
    ax.add_patch(Rectangle(corner, width, height, fill=False, ec=PALETTE["highlight"], lw=2.2))
    ax.set_title("×".join(map(str, image.shape)), fontsize=10)
