"""Images and feature maps side by side."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import matplotlib.pyplot as plt
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import Colormap
from numpy.typing import NDArray

from d2lconv._arguments import integer
from d2lconv.plotting._cells import Array, as_array, short
from d2lconv.plotting.style import SIGNED, frame_picture

__all__ = ["draw_feature_maps", "draw_images", "draw_responses"]

Pixels = NDArray[np.float64]


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
    pictures = _as_images(images)
    axes = _gallery(len(pictures), labels, columns, size)
    for ax, picture in zip(axes, pictures, strict=True):
        _show_image(ax, picture)
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
    pictures = _as_maps(maps)
    limit = float(np.abs(pictures).max()) or 1.0
    axes = _gallery(len(pictures), labels, columns, size)
    _show_maps(axes, pictures, limit, beside=axes, cmap=cmap)
    return axes


def draw_responses(
    images: Array,
    maps: Sequence[Array],
    *,
    labels: Sequence[str] = (),
    columns: int = 2,
    size: float = 3.2,
    limit: float | None = None,
) -> list[Axes]:
    """Draw images and, after them, what kernels respond to in them, as signed maps on one scale.

    Parameters
    ----------
    images : array_like
        Numbers from 0 (black) to 1 (white), shape (N, H, W), (N, 1, H, W) or, in colour, (N, 3, H, W).
    maps : sequence of array_like
        The maps, each of shape (H, W). Their sizes may differ.
    labels : sequence of str
        A text above each image and each map.
    columns : int
        Pictures in a row. At least 1.
    size : float
        Largest side of a picture in inches; less where the row would be wider than 7.
    limit : float, optional
        The number that gets the strongest colour, as do all that are further from 0. The largest of all maps
        if not given.

    Returns
    -------
    list of matplotlib.axes.Axes
        One for each image and each map, without that of the colour bar.

    Raises
    ------
    ValueError
        If the images or a map have another shape or none, there are not as many labels as pictures, or
        `limit` is not positive.

    See Also
    --------
    draw_feature_maps : The maps alone.

    Notes
    -----
    Introduced in: *Convolution*.

    Examples
    --------
    >>> image = torch.eye(4)
    >>> axes = draw_responses(image[None], [image[:, :-1] - image[:, 1:]], labels=["image", "edges"])
    >>> axes[0].images[0].get_clim(), axes[1].images[0].get_clim()
    ((0.0, 1.0), (-1.0, 1.0))
    >>> plt.close(axes[0].figure)
    """
    pictures = _as_images(images)
    responses = [_as_maps(as_array(one)[None])[0] for one in maps]
    if not responses:
        raise ValueError("maps must hold at least one map of shape (H, W)")
    if limit is None:
        limit = max(float(np.abs(one).max()) for one in responses) or 1.0
    if not limit > 0:
        raise ValueError(f"limit must be positive, got {limit}")
    step = limit / 16  # coarser than float32, which nobody sees and which makes files a third smaller
    responses = [np.round(one / step) * step for one in responses]
    axes = _gallery(len(pictures) + len(responses), labels, columns, size)
    for ax, picture in zip(axes, pictures, strict=False):
        _show_image(ax, picture)
    _show_maps(axes[len(pictures) :], responses, limit, beside=axes)
    return axes


def _as_images(images: Array) -> Pixels:
    """Return images as an array of shape (N, 1, H, W) or (N, 3, H, W)."""
    pictures = as_array(images)
    shape = pictures.shape
    if pictures.ndim == 3:
        pictures = pictures[:, None]
    if pictures.ndim != 4 or pictures.shape[1] not in (1, 3) or 0 in shape:
        raise ValueError(f"images must have shape (N, H, W), (N, 1, H, W) or (N, 3, H, W), got {shape}")
    return pictures


def _as_maps(maps: Array) -> Pixels:
    pictures = as_array(maps)
    if pictures.ndim != 3 or 0 in pictures.shape:
        raise ValueError(f"maps must have shape (N, H, W), got {pictures.shape}")
    return pictures


def _show_image(ax: Axes, picture: Pixels) -> None:
    pixels = picture[0] if len(picture) == 1 else np.moveaxis(picture, 0, -1)
    ax.imshow(pixels, cmap="gray", vmin=0, vmax=1)


def _show_maps(
    axes: list[Axes],
    maps: Iterable[Pixels],
    limit: float,
    *,
    beside: list[Axes],
    cmap: Colormap | str = SIGNED,
) -> None:
    """Show each map on its axes, and one colour bar for all of them to the right of ``beside``."""
    for ax, picture in zip(axes, maps, strict=True):
        image = ax.imshow(picture, cmap=cmap, vmin=-limit, vmax=limit)
    bar = axes[0].figure.colorbar(image, ax=beside, shrink=0.8, pad=0.02, ticks=[-limit, 0, limit])
    bar.ax.set_yticklabels([short(-limit), "0", short(limit)])
    bar.outline.set_visible(False)


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
        frame_picture(ax)
    return axes[:count]
