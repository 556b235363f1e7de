"""Changing images at random in ways that leave their class as it is."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from d2lconv._arguments import integer

__all__ = ["random_shifts"]


def random_shifts(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each image by a few pixels, down or up and right or left; zeros come in at the borders.

    Parameters
    ----------
    images : Tensor
        Shape ``(N, C, H, W)``. All channels of an image move together.
    most : int
        The largest distance, in pixels. Down and right are each any whole number from ``-most`` to ``most``,
        all equally likely.
    generator : torch.Generator
        Draws the distances; on the same seed they are the same.

    Returns
    -------
    Tensor
        New images of the same shape, type and device.

    Raises
    ------
    TypeError
        If `most` is not an integer.
    ValueError
        If `most` is negative, or the images have not four axes.

    Notes
    -----
    All images move in one indexing operation. Introduced in: *Image data*.

    Examples
    --------
    >>> import torch
    >>> from d2lconv.data import random_shifts
    >>> dot = torch.zeros(2, 1, 3, 3)
    >>> dot[:, :, 1, 1] = 1
    >>> random_shifts(dot, 1, torch.Generator().manual_seed(0)).squeeze(1)
    tensor([[[1., 0., 0.],
             [0., 0., 0.],
             [0., 0., 0.]],
            [[0., 0., 0.],
             [0., 0., 0.],
             [0., 0., 1.]]])
    """
    most = integer("most", most, 0)
    if images.ndim != 4:
        raise ValueError(f"images must have shape (N, C, H, W), got {tuple(images.shape)}")
    N, _, H, W = images.shape
    # A shift is a place of the window on the padded image: windows[n, :, i, j] starts in row i, column j.
    windows = pad(images, (most, most, most, most)).unfold(2, H, 1).unfold(3, W, 1)
    starts = torch.randint(2 * most + 1, (2, N), generator=generator, device=generator.device)
    top, left = starts.to(images.device)
    return windows[torch.arange(N, device=images.device), :, top, left]
