"""From four IDX files to training, validation and test data."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from d2lconv.data._download import Source, fetch
from d2lconv.data._splitting import evenly_spaced
from d2lconv.data.idx import read_idx
from d2lconv.data.images import ImageData, Splits

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"


def load_source(
    source: Source,
    class_names: tuple[str, ...],
    *,
    held_out: int,
    folder: str | os.PathLike[str] | None,
    progress: bool,
) -> Splits:
    """Fetch the four files of a source, and hold out a number of training images of each class."""
    paths = fetch(source, folder, progress=progress)
    images, labels = _read(paths[TRAIN_IMAGES], paths[TRAIN_LABELS], len(class_names))
    test_images, test_labels = _read(paths[TEST_IMAGES], paths[TEST_LABELS], len(class_names))
    valid = np.sort(evenly_spaced(labels, len(class_names), held_out), axis=None)
    train = np.setdiff1d(np.arange(len(labels)), valid)
    return Splits(
        _as_data(images[train], labels[train], class_names),
        _as_data(images[valid], labels[valid], class_names),
        _as_data(test_images, test_labels, class_names),
    )


def _read(images: Path, labels: Path, classes: int) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Read images and their labels, and check that they belong together."""
    pixels, numbers = _read_bytes(images, "images", 3), _read_bytes(labels, "labels", 1)
    if len(pixels) != len(numbers):
        raise ValueError(f"{images} has {len(pixels)} images, but {labels} has {len(numbers)} labels")
    if numbers.max(initial=0) >= classes:
        raise ValueError(f"{labels}: labels must be 0 to {classes - 1}, got {numbers.max()}")
    return pixels, numbers


def _read_bytes(path: Path, what: str, axes: int) -> NDArray[Any]:
    values = read_idx(path)
    if values.dtype != np.uint8 or values.ndim != axes:
        raise ValueError(
            f"{path}: {what} must be uint8 with {axes} {'axis' if axes == 1 else 'axes'}, "
            f"got {values.dtype} of shape {values.shape}"
        )
    return values


def _as_data(images: NDArray[np.uint8], labels: NDArray[np.uint8], class_names: tuple[str, ...]) -> ImageData:
    return ImageData(
        torch.from_numpy(images / np.float32(255)).unsqueeze(1),
        torch.from_numpy(labels.astype(np.int64)),
        class_names,
    )
