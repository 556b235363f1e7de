"""Images with their classes, the three sets that they are split into, mini-batches, and random shifts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn.functional import pad

from d2lconv._arguments import integer

__all__ = ["ImageData", "Splits", "batches", "random_shifts"]


@dataclass(frozen=True, eq=False, repr=False)
class ImageData:
    """Images and their classes.

    Parameters
    ----------
    images : Tensor
        Floating-point images, shape ``(N, C, H, W)``.
    labels : Tensor
        The class of each image as an index into `class_names`, int64, shape ``(N,)``.
    class_names : tuple of str
        The names of the classes.

    Raises
    ------
    TypeError
        If the images are not floating-point or the labels are not int64.
    ValueError
        If the shapes are not those above, or there are not as many labels as images.

    Examples
    --------
    >>> import torch
    >>> from d2lconv.data import ImageData
    >>> data = ImageData(torch.zeros(2, 3, 4, 5), torch.tensor([0, 1]), ("cat", "dog"))
    >>> data
    ImageData(images=(2, 3, 4, 5) float32, labels=(2,) int64, classes=2)
    >>> len(data)
    2
    >>> data.class_names[data.labels[1]]
    'dog'
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.images.is_floating_point():
            raise TypeError(f"images must be floating-point, got {self.images.dtype}")
        if self.labels.dtype != torch.int64:
            raise TypeError(f"labels must be torch.int64, got {self.labels.dtype}")
        if self.images.ndim != 4:
            raise ValueError(f"images must have shape (N, C, H, W), got {tuple(self.images.shape)}")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"labels must have shape ({len(self.images)},), one for each image of "
                f"{tuple(self.images.shape)}, got {tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        images, labels = (
            f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
            for tensor in (self.images, self.labels)
        )
        device = "" if self.images.device.type == "cpu" else f", device='{self.images.device}'"
        return f"ImageData(images={images}, labels={labels}, classes={len(self.class_names)}{device})"

    def to(self, device: torch.device | str) -> ImageData:
        """Return the same data on another device.

        Parameters
        ----------
        device : torch.device or str
            The device, for example ``"cuda"``.

        Returns
        -------
        ImageData
            Shares its tensors with this one where they are on `device` already.
        """
        return ImageData(self.images.to(device), self.labels.to(device), self.class_names)


class Splits(NamedTuple):
    """Training, validation and test data.

    Parameters
    ----------
    train, valid, test : ImageData
        Three sets with no image in common.
    """

    train: ImageData
    valid: ImageData
    test: ImageData

    def __repr__(self) -> str:
        return "Splits(\n" + "".join(f"  {name}={data},\n" for name, data in self._asdict().items()) + ")"


def batches(
    data: ImageData, batch_size: int, *, generator: torch.Generator | None = None
) -> Iterator[tuple[Tensor, Tensor]]:
    """Split data into mini-batches: every image once, in a new order or in the order of the data.

    The images are held as one tensor, so a mini-batch is one indexing operation: no worker processes, and no
    Python code for each image.

    Parameters
    ----------
    data : ImageData
        The data.
    batch_size : int
        Images in a mini-batch. The last one has the remaining ones.
    generator : torch.Generator, optional
        Draws the order of the images, at the call; pass the same one in every epoch, and each epoch has its
        own order. Without it the order is that of `data`, and the mini-batches share its memory.

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
    slices = [slice(start, start + batch_size) for start in range(0, len(data), batch_size)]
    if generator is None:
        return ((data.images[rows], data.labels[rows]) for rows in slices)
    order = torch.randperm(len(data), generator=generator, device=generator.device).to(data.labels.device)
    return ((data.images[order[rows]], data.labels[order[rows]]) for rows in slices)


def random_shifts(images: Tensor, most: int, generator: torch.Generator) -> Tensor:
    """Move each image by a few pixels, down or up and right or left; zeros fill in at the borders.

    Parameters
    ----------
    images : Tensor
        Shape ``(N, C, H, W)``. All channels of an image move together.
    most : int
        The largest distance, in pixels. Down and right are each any integer from ``-most`` to ``most``,
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
        If `most` is negative, or the images do not have four axes.

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
    # A shift is a position of the window on the padded image: windows[n, :, i, j] starts in row i, column j.
    windows = pad(images, (most, most, most, most)).unfold(2, H, 1).unfold(3, W, 1)
    starts = torch.randint(2 * most + 1, (2, N), generator=generator, device=generator.device)
    top, left = starts.to(images.device)
    return windows[torch.arange(N, device=images.device), :, top, left]


def evenly_spaced(labels: NDArray[np.uint8], classes: int, number: int) -> NDArray[np.intp]:
    """Return ``number`` row indices of each class, evenly spaced among the rows of that class.

    The result has shape ``(classes, number)``, each row ascending. Sources list images in the order in which
    they were collected, so evenly spaced rows come from every part of the collection.
    """
    positions = np.arange(number)
    rows = (np.flatnonzero(labels == label) for label in range(classes))
    return np.stack([of_class[positions * len(of_class) // number] for of_class in rows])
