"""The handwritten digits that come with the package."""

from __future__ import annotations

from importlib import resources

import numpy as np
import torch
from numpy.typing import NDArray

from d2lconv._arguments import integer
from d2lconv.data.images import ImageData, Splits, evenly_spaced

__all__ = ["load_digits"]

_SIZE = 8  # pixels on each side of a stored digit
_WHITE = 16  # the largest stored value: each pixel counts the ink in a 4 x 4 block of the scan
_CLASSES = 10
_HELD_OUT = 30  # images of each class for validation, and as many for the test


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
    size = integer("size", size, _SIZE)
    with (
        resources.as_file(resources.files("d2lconv") / "assets" / "digits.npz") as path,
        np.load(path) as stored,
    ):
        images, labels = stored["images"].astype(np.float32) / _WHITE, stored["labels"]
    names = tuple(str(digit) for digit in range(_CLASSES))
    return Splits(
        *(
            ImageData(
                torch.from_numpy(enlarge(images[rows], size)).unsqueeze(1),
                torch.from_numpy(labels[rows].astype(np.int64)),
                names,
            )
            for rows in _split(labels)
        )
    )


def _split(labels: NDArray[np.uint8]) -> tuple[NDArray[np.intp], ...]:
    """Return the row numbers for training, validation and test, each in ascending order."""
    held_out = evenly_spaced(labels, _CLASSES, 2 * _HELD_OUT)
    rest = np.setdiff1d(np.arange(len(labels)), held_out)
    return rest, np.sort(held_out[:, 0::2], axis=None), np.sort(held_out[:, 1::2], axis=None)


def enlarge(images: NDArray[np.float32], size: int) -> NDArray[np.float32]:
    """Interpolate images of shape (N, H, H) to (N, size, size).

    The same as `torch.nn.functional.interpolate` with ``mode="bilinear"``, but one plain operation after the
    other, so the last bit is the same on every machine and no value rounds to more than the largest.
    """
    last = images.shape[-1] - 1
    centers = ((np.arange(size) + 0.5) * (last + 1) / size - 0.5).clip(0, last)
    low = centers.astype(int)
    high = (low + 1).clip(max=last)
    high_weight = (centers - low).astype(np.float32)
    low_weight = 1 - high_weight
    rows = images.take(low, axis=1) * low_weight[:, None] + images.take(high, axis=1) * high_weight[:, None]
    enlarged: NDArray[np.float32] = (
        rows.take(low, axis=2) * low_weight + rows.take(high, axis=2) * high_weight
    )
    return enlarged
