"""Cutting data into mini-batches, by index."""

from __future__ import annotations

from collections.abc import Iterator

import torch
from torch import Tensor

from d2lconv._arguments import integer
from d2lconv.data.images import ImageData

__all__ = ["batches"]


def batches(
    data: ImageData, batch_size: int, *, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Cut data into mini-batches: every image once, in a new order or in the order of the data.

    The images are held as one tensor, so a mini-batch is one indexing operation: no worker processes, and no
    Python code for each image.

    Parameters
    ----------
    data : ImageData
        What to cut.
    batch_size : int
        Images in a mini-batch. The last one has what remains.
    generator : torch.Generator, optional
        Draws the order of the images, at the call; pass the same one in every epoch, and each has an order of
        its own. Without it the order is that of `data`, and the mini-batches share its memory.

    Returns
    -------
    iterator
        Pairs ``(images, labels)`` of shape ``(batch_size, C, H, W)`` and ``(batch_size,)``, on the device of
        `data`.

    Raises
    ------
    TypeError
        If `batch_size` is not an integer.
    ValueError
        If `batch_size` is less than 1.

    Notes
    -----
    Introduced in: *Image data*.

    Examples
    --------
    >>> import torch
    >>> from d2lconv.data import batches, load_digits
    >>> train = load_digits().train
    >>> [len(labels) for _, labels in batches(train, 500)]
    [500, 500, 197]
    >>> shuffle = torch.Generator().manual_seed(0)
    >>> images, labels = next(batches(train, 500, generator=shuffle))
    >>> images.shape, labels.shape
    (torch.Size([500, 1, 28, 28]), torch.Size([500]))
    """
    batch_size = integer("batch_size", batch_size, 1)
    cuts = [slice(start, start + batch_size) for start in range(0, len(data), batch_size)]
    if generator is None:
        return ((data.images[cut], data.labels[cut]) for cut in cuts)
    order = torch.randperm(len(data), generator=generator, device=generator.device).to(data.labels.device)
    return ((data.images[order[cut]], data.labels[order[cut]]) for cut in cuts)
