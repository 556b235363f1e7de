"""Images with their classes, the three sets that they are split into, mini-batches, and random shifts."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Sequence
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
        If the images are not a floating-point tensor, the labels not an int64 tensor, or the names not a
        sequence of strings.
    ValueError
        If the shapes are not those above, there are not as many labels as images, a label is no index into
        `class_names`, or a pixel is nan or infinite.

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
        images, labels = self.images, self.labels
        require_tensor("images", images)
        require_tensor("labels", labels)
        if not images.is_floating_point():
            hint = ": complex numbers are not supported" if images.is_complex() else ""
            hint = ": divide bytes by 255, images / 255" if images.dtype == torch.uint8 else hint
            raise TypeError(f"images must be floating-point, got {images.dtype}{hint}")
        if labels.dtype != torch.int64:
            raise TypeError(f"labels must be torch.int64, got {labels.dtype}")
        if images.ndim != 4:
            raise ValueError(f"images must have shape (N, C, H, W), got {tuple(images.shape)}")
        if labels.shape != images.shape[:1]:
            raise ValueError(
                f"labels must have shape ({len(images)},), one for each image of {tuple(images.shape)}, got "
                f"{tuple(labels.shape)}"
            )
        if labels.device != images.device:
            raise ValueError(f"labels must be on the images' device {images.device}, got {labels.device}")
        names: object = self.class_names
        if isinstance(names, str) or not isinstance(names, Sequence):
            raise TypeError(f"class_names must be a tuple of strings, got {names!r}")
        object.__setattr__(self, "class_names", tuple(names))
        self._require_values()

    def _require_values(self) -> None:
        """Raise ValueError unless the pixels are finite and the labels are indices into the class names."""
        if not len(self) or self.images.device.type == "meta" or not self.images.numel():
            return
        low, high = self.labels.aminmax()
        if low < 0 or high >= len(self.class_names):
            raise ValueError(
                f"labels must be 0 to {len(self.class_names) - 1}, one for each of class_names, got "
                f"{int(low if low < 0 else high)}"
            )
        if not all(extreme.isfinite() for extreme in self.images.detach().aminmax()):
            wrong = self.images.detach().flatten(1).isfinite().all(1).logical_not().nonzero()[0]
            raise ValueError(f"images must be finite numbers, got nan or inf in image {int(wrong)}")

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
        moved = copy.copy(self)  # whose values need no second look
        object.__setattr__(moved, "images", self.images.to(device))
        object.__setattr__(moved, "labels", self.labels.to(device))
        return moved


class Splits(NamedTuple):
    """Training, validation and test data.

    Parameters
    ----------
    train, valid, test : ImageData
        Three sets with no image in common.

    Examples
    --------
    >>> from d2lconv.data import load_digits
    >>> train, valid, test = load_digits()
    >>> len(train), len(valid), len(test)
    (1197, 300, 300)
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
        If `data` is not `ImageData`, `batch_size` not an integer, or `generator` not a generator.
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
    if not isinstance(data, ImageData):
        raise TypeError(f"data must be ImageData, got {type(data).__name__}")
    if generator is not None:
        _require_generator(generator)
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
        If `images` is not a tensor, `most` not an integer, or `generator` not a generator.
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
    require_tensor("images", images)
    most = integer("most", most, 0)
    _require_generator(generator)
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


def require_tensor(name: str, value: object) -> None:
    """Raise TypeError unless a value is a tensor."""
    if not isinstance(value, Tensor):
        hint = f": torch.from_numpy({name}) makes one" if isinstance(value, np.ndarray) else ""
        raise TypeError(f"{name} must be a torch.Tensor, got {type(value).__name__}{hint}")


def _require_generator(value: object) -> None:
    """Raise TypeError unless a value draws random numbers."""
    if not isinstance(value, torch.Generator):
        hint = f": torch.Generator().manual_seed({value}) makes one" if isinstance(value, int) else ""
        raise TypeError(f"generator must be a torch.Generator, got {type(value).__name__}{hint}")
