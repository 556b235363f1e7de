"""Image data sets, held as tensors: digits that come with the package, MNIST and Fashion-MNIST by download.

Every loader of a data set returns `Splits`: training, validation and test data, each an `ImageData`. Choose
settings on the validation data, and look at the test data once, at the end. `load_photograph` returns one
sharp photograph.
"""

from d2lconv.data.digits import load_digits
from d2lconv.data.idx import read_idx
from d2lconv.data.images import ImageData, Splits, batches, random_shifts
from d2lconv.data.mnist import load_fashion_mnist, load_mnist
from d2lconv.data.photographs import load_photograph

__all__ = [
    "ImageData",
    "Splits",
    "batches",
    "load_digits",
    "load_fashion_mnist",
    "load_mnist",
    "load_photograph",
    "random_shifts",
    "read_idx",
]
