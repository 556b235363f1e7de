"""MNIST and Fashion-MNIST: two sets of 70,000 grey images in ten classes, in the same four files."""

from __future__ import annotations

import os
from importlib import resources
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from d2lconv.data._download import Source, cache_folder, fetch
from d2lconv.data.idx import parse_idx
from d2lconv.data.images import ImageData, Splits, evenly_spaced

__all__ = ["load_fashion_mnist", "load_mnist"]

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"

_HELD_OUT = 1000  # images of each class for validation

# Two sources state the SHA-256 sums and agree in all eight, both on GitHub: tensorflow/datasets, in
# tensorflow_datasets/url_checksums/{mnist,fashion_mnist}.txt, and pytorch/vision, in
# torchvision/prototype/datasets/_builtin/mnist.py. Beside each mirror stands who downloads from it. Several
# projects each state the sums of what is packed in the files; one of them derived Fashion-MNIST's from files
# whose MD5 sums are those that its authors publish.
_MNIST = Source(
    "mnist",
    {
        TRAIN_IMAGES: "440fcabf73cc546fa21475e81ea370265605f56be210a4024d2ca8f203523609",
        TRAIN_LABELS: "3552534a0a558bbed6aed32b30c495cca23d567ec52cac8be1a0730e8010255c",
        TEST_IMAGES: "8d422c7b0a1c1c79245a5bcf07fe86e33eeafee792b84584aec276f5a2dbc4e6",
        TEST_LABELS: "f7ae60f92e00ec6debd23a6088c31dbd2371eca3ffa0defaefb259924204aec6",
    },
    (
        "https://ossci-datasets.s3.amazonaws.com/mnist/",  # torchvision
        "https://storage.googleapis.com/cvdf-datasets/mnist/",  # tensorflow/datasets
    ),
    contents={
        TRAIN_IMAGES: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
        TRAIN_LABELS: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
        TEST_IMAGES: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
        TEST_LABELS: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
    raw="MNIST/raw",
)
_FASHION_MNIST = Source(
    "fashion-mnist",
    {
        TRAIN_IMAGES: "3aede38d61863908ad78613f6a32ed271626dd12800ba2636569512369268a84",
        TRAIN_LABELS: "a04f17134ac03560a47e3764e11b92fc97de4d1bfaf8ba1a3aa29af54cc90845",
        TEST_IMAGES: "346e55b948d973a97e58d2351dde16a484bd415d4595297633bb08f03db6a073",
        TEST_LABELS: "67da17c76eaffca5446c3361aaab5c3cd6d1c2608764d35dfb1850b086bf8dd5",
    },
    (
        "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",  # its authors
        "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",  # Keras
        "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",  # torchvision, tensorflow/datasets
    ),
    contents={
        TRAIN_IMAGES: "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
        TRAIN_LABELS: "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
        TEST_IMAGES: "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
        TEST_LABELS: "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
    },
    raw="FashionMNIST/raw",
)

_DIGITS = tuple(str(digit) for digit in range(10))
_CLOTHES = (
    "T-shirt/top",
    "Trouser",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
)


def load_mnist(*, folder: str | os.PathLike[str] | None = None, progress: bool = True) -> Splits:
    """Return MNIST, 70,000 handwritten digits, split into training, validation and test data.

    The first call downloads four files, 12 MB together; later calls read them from the cache. Ink is bright,
    paper is 0.

    Parameters
    ----------
    folder : str or path, optional
        The folder of the cache; the files go into its subfolder ``mnist``. Without it, the folder that the
        environment variable ``D2LCONV_DATA`` names, or else ``d2lconv`` in the user's cache folder.
    progress : bool
        Whether to show a progress bar for each file that is downloaded.

    Returns
    -------
    Splits
        50,000 training, 10,000 validation and 10,000 test images: float32, shape ``(N, 1, 28, 28)``, each
        value the stored 0 to 255 divided by 255.

    Raises
    ------
    OSError
        If a file can be had from no mirror, or not be written into the cache. The message says why for each
        mirror, and where the file can be put by hand.

    Notes
    -----
    The split is a fixed rule, with no random numbers. The test data are the source's. Of its 60,000 training
    images, 1,000 of each class are for validation: in the order of the source, those at equal distances among
    the images of the class. The others are for training, in the order of the source.

    By the source, no writer of a training image wrote a test image. The validation images are by the writers
    of the training images.

    A file is used only if its SHA-256 sum is right, be it fresh or from the cache; a wrong one is downloaded
    again. It appears in the cache whole or not at all, so several processes may load at once. A download may
    have 100 MB and take 15 minutes.

    Files that are there already are found unpacked, packed again, with names such as
    ``train-images.idx3-ubyte``, in `folder` itself, and where torchvision puts them, in ``MNIST/raw``.

    Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*; LeCun et al.,
    *Gradient-based learning applied to document recognition*, Proceedings of the IEEE 86(11), 1998.
    Introduced in: *Image data*.

    Examples
    --------
    >>> from d2lconv.data import load_mnist
    >>> train, valid, test = load_mnist()  # doctest: +SKIP
    >>> len(train), len(valid), len(test)  # doctest: +SKIP
    (50000, 10000, 10000)
    """
    return load_source(_MNIST, _DIGITS, held_out=_HELD_OUT, folder=folder, progress=progress)


def load_fashion_mnist(
    *, bundled: bool = False, folder: str | os.PathLike[str] | None = None, progress: bool = True
) -> Splits:
    """Return Fashion-MNIST, photographs of clothes, split into training, validation and test data.

    The first call downloads four files, 31 MB together; later calls read them from the cache. With
    ``bundled=True`` you get 9,000 of the 70,000 images, which come with the package, and nothing is
    downloaded. Clothes are bright, the background is 0.

    Parameters
    ----------
    bundled : bool
        Whether to take the images that come with the package.
    folder : str or path, optional
        The folder of the cache; the files go into its subfolder ``fashion-mnist``. Without it, the folder
        that the environment variable ``D2LCONV_DATA`` names, or else ``d2lconv`` in the user's cache folder.
    progress : bool
        Whether to show a progress bar for each file that is downloaded.

    Returns
    -------
    Splits
        50,000 training, 10,000 validation and 10,000 test images, or if `bundled` 6,000, 1,000 and 2,000:
        float32, shape ``(N, 1, 28, 28)``, each value the stored 0 to 255 divided by 255. Every class is a
        tenth of each. The bundled images take the classes in turn, so the first ten show one of each.

    Raises
    ------
    OSError
        If a file can be had from no mirror, or not be written into the cache. The message says why for each
        mirror, and where the file can be put by hand.
    TypeError
        If `bundled` is not a bool.
    ValueError
        If `bundled` is True and a `folder` is given, from which nothing would be read.

    Notes
    -----
    The bundled images are 900 of each class, at equal distances among its 7,000; of each nine in a row, six
    are for training, one for validation and two for the test. **That is not the official split**: the bundled
    test images come from the official training and test images alike, so compare scores on them only with
    one another. `tools/fashion_subset.py` makes the file.

    The downloaded files have the form of those of MNIST, and are cached, checked and split by the same rules:
    see `load_mnist`.

    Source: Xiao, Rasul and Vollgraf, *Fashion-MNIST: a Novel Image Dataset for Benchmarking Machine Learning
    Algorithms*, https://arxiv.org/abs/1708.07747, MIT licence. Introduced in: *Image data*.

    Examples
    --------
    >>> from d2lconv.data import load_fashion_mnist
    >>> train, valid, test = load_fashion_mnist()  # doctest: +SKIP
    >>> train  # doctest: +SKIP
    ImageData(images=(50000, 1, 28, 28) float32, labels=(50000,) int64, classes=10)
    >>> train, valid, test = load_fashion_mnist(bundled=True)
    >>> len(train), len(valid), len(test)
    (6000, 1000, 2000)
    >>> [train.class_names[label] for label in train.labels[:4]]
    ['T-shirt/top', 'Trouser', 'Pullover', 'Dress']
    """
    if not isinstance(bundled, bool):
        raise TypeError(f"bundled must be True or False, got {bundled!r}")
    if bundled:
        if folder is not None:
            raise ValueError(f"folder is for downloads; leave it out with bundled=True, got {folder!r}")
        return _load_bundled()
    return load_source(_FASHION_MNIST, _CLOTHES, held_out=_HELD_OUT, folder=folder, progress=progress)


def _load_bundled() -> Splits:
    """Return the images of `fashion_mnist.png`: 100 in a row of the picture, class after class."""
    with (
        resources.as_file(resources.files("d2lconv") / "assets" / "fashion_mnist.png") as path,
        Image.open(path) as sheet,
    ):
        pixels = np.asarray(sheet)
    size, classes = 28, len(_CLOTHES)
    images = pixels.reshape(-1, size, 100, size).swapaxes(1, 2).reshape(classes, -1, size, size)
    images = images.swapaxes(0, 1)  # (900, 10, 28, 28): the classes in turn
    turn = np.arange(len(images)) % 9
    labels = np.arange(classes, dtype=np.uint8)
    parts = (~np.isin(turn, [2, 4, 6]), turn == 4, np.isin(turn, [2, 6]))
    return Splits(
        *(
            _as_data(images[part].reshape(-1, size, size), np.tile(labels, part.sum()), _CLOTHES)
            for part in parts
        )
    )


def load_source(
    source: Source,
    class_names: tuple[str, ...],
    *,
    held_out: int,
    folder: str | os.PathLike[str] | None,
    progress: bool,
) -> Splits:
    """Fetch the four files of a source, and hold out a number of training images of each class."""
    files = fetch(source, folder, progress=progress)
    cache = cache_folder(folder) / source.name
    images, labels = _read(files, TRAIN_IMAGES, TRAIN_LABELS, len(class_names), f"{cache}{os.sep}")
    test_images, test_labels = _read(files, TEST_IMAGES, TEST_LABELS, len(class_names), f"{cache}{os.sep}")
    valid = np.sort(evenly_spaced(labels, len(class_names), held_out), axis=None)
    train = np.setdiff1d(np.arange(len(labels)), valid)
    return Splits(
        _as_data(images[train], labels[train], class_names),
        _as_data(images[valid], labels[valid], class_names),
        _as_data(test_images, test_labels, class_names),
    )


def _read(
    files: dict[str, bytes], images: str, labels: str, classes: int, cache: str
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Return images and their labels; raise ValueError unless they belong together."""
    pixels = _parse(files[images], cache + images, "images", 3)
    numbers = _parse(files[labels], cache + labels, "labels", 1)
    if len(pixels) != len(numbers):
        raise ValueError(
            f"{cache}{images} has {len(pixels)} images, but {cache}{labels} has {len(numbers)} labels"
        )
    if numbers.max(initial=0) >= classes:
        raise ValueError(f"{cache}{labels}: labels must be 0 to {classes - 1}, got {numbers.max()}")
    return pixels, numbers


def _parse(content: bytes, name: str, what: str, axes: int) -> NDArray[Any]:
    values = parse_idx(content, name)
    if values.dtype != np.uint8 or values.ndim != axes:
        raise ValueError(
            f"{name}: {what} must be uint8 with {axes} {'axis' if axes == 1 else 'axes'}, "
            f"got {values.dtype} of shape {values.shape}"
        )
    return values


def _as_data(images: NDArray[np.uint8], labels: NDArray[np.uint8], class_names: tuple[str, ...]) -> ImageData:
    return ImageData(
        torch.from_numpy(images / np.float32(255)).unsqueeze(1),
        torch.from_numpy(labels.astype(np.int64)),
        class_names,
    )
