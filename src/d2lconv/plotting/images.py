"""Images and feature maps side by side."""

from __future__ import annotations

from collections.abc import Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap

from d2lconv._arguments import integer
from d2lconv.plotting._cells import Array, as_array, short
from d2lconv.plotting.style import PALETTE, SIGNED

__all__ = ["draw_feature_maps", "draw_images"]


def draw_images(
    images: Array, *, labels: Sequence[str] = (), columns: int = 8, size: float = 1.6
) -> list[Axes]:
    """Draw grey or colour images side by side, each pixel a sharp square.

    Parameters
    ----------
    images : array_like
        Numbers from 0 (black) to 1 (white), shape (N, H, W), (N, 1, H, W) or, in colour, (N, 3, H, W).
    labels : sequence of str
        A text above each image.
    columns : int
        Images in a row. At least 1.
    size : float
        Largest side of an image in inches; less where the row would be wider than 7.

    Returns
    -------
    list of matplotlib.axes.Axes
        One for each image.

    Raises
    ------
    ValueError
        If `images` has another shape or none, or there are not as many labels as images.

    Examples
    --------
    >>> axes = draw_images(torch.rand(2, 8, 8), labels=["a", "b"])
    >>> [ax.get_title() for ax in axes]
    ['a', 'b']
    >>> plt.close(axes[0].figure)
    """
    pictures = as_array(images)
    if pictures.ndim == 3:
        pictures = pictures[:, None]
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or 0 in pictures.shape:
        raise ValueError(
            f"images must have shape (N, H, W), (N, 1, H, W) or (N, 3, H, W), got {as_array(images).shape}"
        )
    axes = _gallery(len(pictures), labels, columns, size)
    for ax, picture in zip(axes, pictures, strict=True):
        ax.imshow(
            picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1), cmap="gray", vmin=0, vmax=1
        )
    return axes


def draw_feature_maps(
    maps: Array,
    *,
    labels: Sequence[str] = (),
    columns: int = 8,
    size: float = 1.6,
    cmap: str | Colormap = SIGNED,
) -> list[Axes]:
    """Draw signed maps side by side on one scale: green above zero, purple below, white at zero.

    Parameters
    ----------
    maps : array_like
        Numbers of any size, shape (N, H, W).
    labels : sequence of str
        A text above each map.
    columns : int
        Maps in a row. At least 1.
    size : float
        Largest side of a map in inches; less where the row would be wider than 7.
    cmap : str or matplotlib.colors.Colormap
        Other colours, for maps that are colours themselves: ``"RdBu_r"`` draws red above zero, blue below.

    Returns
    -------
    list of matplotlib.axes.Axes
        One for each map, without that of the colour bar.

    Raises
    ------
    ValueError
        If `maps` has another shape or none, or there are not as many labels as maps.

    Examples
    --------
    >>> axes = draw_feature_maps(torch.tensor([[[-2.0, 1.0]]]))
    >>> axes[0].images[0].get_clim()
    (-2.0, 2.0)
    >>> plt.close(axes[0].figure)
    """
    pictures = as_array(maps)
    if pictures.ndim != 3 or 0 in pictures.shape:
        raise ValueError(f"maps must have shape (N, H, W), got {pictures.shape}")
    limit = float(np.abs(pictures).max()) or 1.0
    axes = _gallery(len(pictures), labels, columns, size)
    for ax, picture in zip(axes, pictures, strict=True):
        image = ax.imshow(picture, cmap=cmap, vmin=-limit, vmax=limit)
    bar = axes[0].figure.colorbar(image, ax=axes, shrink=0.8, pad=0.02, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([short(-limit), "0", short(limit)])
    bar.outline.set_visible(False)
    return axes


def _gallery(count: int, labels: Sequence[str], columns: int, size: float) -> list[Axes]:
    """Return ``count`` empty axes in rows, with their labels and thin frames."""
    if labels and len(labels) != count:
        raise ValueError(f"labels must hold one text for each of the {count} images, got {len(labels)}")
    across = min(integer("columns", columns, 1), count)
    down = -(-count // across)
    side = min(size, 7.0 / across)
    _, grid = plt.subplots(down, across, squeeze=False, figsize=(across * side, down * (side + 0.3)))
    axes = list(grid.flat)
    for ax in axes[count:]:
        ax.remove()
    for ax, label in zip(axes[:count], labels or [""] * count, strict=True):
        ax.set_title(label, fontsize=10)
        ax.set_xticks([])
        ax.set_yticks([])
        ax.spines[:].set_visible(True)
        ax.spines[:].set_color(PALETTE["grid"])
    return axes[:count]
