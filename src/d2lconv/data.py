"""Image data sets, held as tensors: the handwritten digits that come with the package.

Every loader returns `Splits`: training, validation and test data, each an `ImageData`. Choose settings on the
validation data, and look at the test data once, at the end.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from d2lconv._arguments import integer

__all__ = ["ImageData", "Splits", "load_digits"]

_DIGITS_SIZE = 8  # pixels on each side of a stored digit
_DIGITS_WHITE = 16  # the largest stored value: each pixel counts the ink in a 4 x 4 block of the scan
_DIGITS_CLASSES = 10
_DIGITS_HELD_OUT = 30  # images of each class for validation, and as many for the test


@dataclass(frozen=True, eq=False, repr=False)
class ImageData:
    """Images and the class of each.

    Parameters
    ----------
    images : Tensor
        Floating-point images, shape ``(N, C, H, W)``.
    labels : Tensor
        The class of each image as an index into `class_names`, int64, shape ``(N,)``.
    class_names : tuple of str
        What the classes are called.

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
            Where the tensors should be, for example ``"cuda"``.

        Returns
        -------
        ImageData
            Shares its tensors with this one where they are on `device` already.
        """
        return ImageData(self.images.to(device), self.labels.to(device), self.class_names)


class Splits(NamedTuple):
    """Data to train with, to choose settings with, and to judge the result with.

    Parameters
    ----------
    train, valid, test : ImageData
        Three sets that have no image in common.
    """

    train: ImageData
    valid: ImageData
    test: ImageData

    def __repr__(self) -> str:
        return "Splits(\n" + "".join(f"  {name}={part},\n" for name, part in self._asdict().items()) + ")"


def load_digits(size: int = 28) -> Splits:
    """Return 1,797 real handwritten digits, split into training, validation and test data.

    The images come with the package, so no network is needed: the test set of "Optical Recognition of
    Handwritten Digits", 0 to 9 in grey, 8 pixels on each side. Ink is bright, paper is 0.

    Parameters
    ----------
    size : int
        Height and width of the images, in pixels. At least 8. At 8 they are the originals; larger ones
        are interpolated bilinearly, which makes them smooth but adds no detail.

    Returns
    -------
    Splits
        1,197 training, 300 validation and 300 test images: float32, shape ``(N, 1, size, size)``, each
        value the stored 0 to 16 divided by 16. New tensors at every call, always the same.

    Raises
    ------
    TypeError
        If `size` is not an integer.
    ValueError
        If `size` is less than 8.

    Notes
    -----
    The split is a fixed rule, with no random numbers: of each class, in the order of the source, 60 images at
    equal distances are held out; they go to validation and test in turn, 30 each, and all others are for
    training. Within a split the images keep their order, so shuffle them for training.

    The source lists the images of its 13 writers, who are not named, one sheet after another: the labels show
    14 sheets of about 130. The rule takes from all of them, so **the three splits share their writers**: a
    score on the test data says how well a model reads new digits of people it knows. New people are harder.
    The nearest neighbour among the originals is wrong for 18 of the 1,797 images when a fourteenth of each
    class, spread over all sheets, is left out in turn, and for 63 when one sheet is.

    Source: Alpaydin and Kaynak, *Optical Recognition of Handwritten Digits*, UCI Machine Learning Repository
    (1998), https://doi.org/10.24432/C50P49, CC BY 4.0, as redistributed with scikit-learn. Introduced in:
    *Convolution*.

    Examples
    --------
    >>> from d2lconv.data import load_digits
    >>> train, valid, test = load_digits()
    >>> train
    ImageData(images=(1197, 1, 28, 28) float32, labels=(1197,) int64, classes=10)
    >>> len(valid), len(test)
    (300, 300)
    >>> (load_digits(size=8).train.images[0, 0, :, 2:6] * 16).int()
    tensor([[ 1,  9, 15, 11],
            [11, 16,  8, 14],
            [16, 10,  0,  9],
            [16,  4,  0,  8],
            [16,  4,  0,  8],
            [16,  5,  1, 11],
            [12, 12, 10, 10],
            [ 1, 10, 13,  3]], dtype=torch.int32)
    """
    size = integer("size", size, _DIGITS_SIZE)
    with (
        resources.as_file(resources.files("d2lconv") / "assets" / "digits.npz") as path,
        np.load(path) as stored,
    ):
        images, labels = stored["images"].astype(np.float32) / _DIGITS_WHITE, stored["labels"]
    names = tuple(str(digit) for digit in range(_DIGITS_CLASSES))
    return Splits(
        *(
            ImageData(
                torch.from_numpy(_enlarge(images[rows], size)).unsqueeze(1),
                torch.from_numpy(labels[rows].astype(np.int64)),
                names,
            )
            for rows in _split_digits(labels)
        )
    )


def _split_digits(labels: NDArray[np.uint8]) -> tuple[NDArray[np.intp], ...]:
    """Return the row numbers for training, validation and test, each in ascending order."""
    part = np.zeros(len(labels), dtype=int)  # 0 for training, 1 for validation, 2 for test
    places = np.arange(2 * _DIGITS_HELD_OUT)
    for digit in range(_DIGITS_CLASSES):
        rows = np.flatnonzero(labels == digit)
        part[rows[places * len(rows) // len(places)]] = 1 + places % 2
    return tuple(np.flatnonzero(part == number) for number in range(3))


def _enlarge(images: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Interpolate images of shape (N, H, H) to (N, size, size).

    The same as `torch.nn.functional.interpolate` with ``mode="bilinear"``, but one plain operation after the
    other, so the last bit is the same on every machine and no value rounds to more than the largest.
    """
    last = images.shape[-1] - 1
    centres = ((np.arange(size) + 0.5) * (last + 1) / size - 0.5).clip(0, last)
    low = centres.astype(int)
    high = (low + 1).clip(max=last)
    share = (centres - low).astype(np.float32)
    rows = images.take(low, axis=1) * (1 - share)[:, None] + images.take(high, axis=1) * share[:, None]
    enlarged: NDArray[np.float32] = rows.take(low, axis=2) * (1 - share) + rows.take(high, axis=2) * share
    return enlarged
