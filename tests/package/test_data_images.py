"""Images and labels go together, and what does not is refused."""

import math
from dataclasses import FrozenInstanceError

import pytest
import torch

from d2lconv.data import ImageData, Splits

IMAGES = torch.zeros(2, 1, 4, 4)


def spoiled(value):
    images = IMAGES.clone()
    images[1, 0, 2, 3] = value
    return images


@pytest.fixture
def data():
    return ImageData(torch.zeros(2, 3, 4, 5), torch.tensor([1, 0]), ("cat", "dog"))


def test_repr_is_short_and_has_no_address(data):
    assert repr(data) == "ImageData(images=(2, 3, 4, 5) float32, labels=(2,) int64, classes=2)"
    assert repr(Splits(data, data, data)) == (
        f"Splits(\n  train={data!r},\n  valid={data!r},\n  test={data!r},\n)"
    )


def test_length(data):
    assert len(data) == 2


def test_frozen(data):
    with pytest.raises(FrozenInstanceError):
        data.labels = data.labels


def test_compares_by_identity(data):
    assert data == data
    assert data != ImageData(data.images, data.labels, data.class_names)
    assert len({data, data}) == 1


def test_to(data):
    there = data.to("meta")
    assert there.images.device == there.labels.device == torch.device("meta")
    assert there.class_names == data.class_names
    assert repr(there).endswith("classes=2, device='meta')")
    assert data.to("cpu").images is data.images


@pytest.mark.parametrize(
    ("images", "labels", "error", "message"),
    [
        (
            torch.zeros(2, 1, 4, 4).byte(),
            [0, 1],
            TypeError,
            "images must be floating-point, got torch.uint8: divide bytes by 255, images / 255",
        ),
        (torch.zeros(2, 1, 4, 4), [0.0, 1.0], TypeError, "labels must be torch.int64, got torch.float32"),
        (
            torch.zeros(2, 4, 4),
            [0, 1],
            ValueError,
            r"images must have shape \(N, C, H, W\), got \(2, 4, 4\)",
        ),
        (
            torch.zeros(2, 1, 4, 4),
            [0, 1, 1],
            ValueError,
            r"labels must have shape \(2,\), one for each image of \(2, 1, 4, 4\), got \(3,\)",
        ),
        (
            IMAGES + 0j,
            [0, 1],
            TypeError,
            "images must be .*, got torch.complex64: complex numbers are not supported",
        ),
        (IMAGES, [0, 2], ValueError, "labels must be 0 to 1, one for each of class_names, got 2"),
        (IMAGES, [-100, 1], ValueError, "labels must be 0 to 1, one for each of class_names, got -100"),
        (IMAGES + math.nan, [0, 1], ValueError, "images must be finite numbers, got nan or inf in image 0"),
        (spoiled(math.nan), [0, 1], ValueError, "images must be finite numbers, got nan or inf in image 1"),
        (spoiled(-math.inf), [0, 1], ValueError, "images must be finite numbers, got nan or inf in image 1"),
        (IMAGES, [[0], [1]], ValueError, r"labels must have shape .*, got \(2, 1\)"),
    ],
)
def test_refuses(images, labels, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        ImageData(images, torch.tensor(labels), ("a", "b"))


LABELS = torch.tensor([0, 1])


@pytest.mark.parametrize(
    ("images", "labels", "names", "message"),
    [
        (
            IMAGES.numpy(),
            LABELS,
            ("a", "b"),
            r"images must be a torch.Tensor, got ndarray: torch.from_numpy\(images\)",
        ),
        (
            IMAGES,
            LABELS.numpy(),
            ("a", "b"),
            r"labels must be a torch.Tensor, got ndarray: torch.from_numpy\(labels\)",
        ),
        (IMAGES, [0, 1], ("a", "b"), "labels must be a torch.Tensor, got list$"),
        (None, LABELS, ("a", "b"), "images must be a torch.Tensor, got NoneType$"),
        (IMAGES, LABELS, "ab", "class_names must be a tuple of strings, got 'ab'$"),
        (IMAGES, LABELS, 2, "class_names must be a tuple of strings, got 2$"),
    ],
)
def test_refuses_other_kinds(images, labels, names, message):
    with pytest.raises(TypeError, match=f"^{message}"):
        ImageData(images, labels, names)


def test_a_list_of_names_becomes_a_tuple():
    assert ImageData(IMAGES, LABELS, ["a", "b"]).class_names == ("a", "b")


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_precisions(dtype):
    assert ImageData(IMAGES.to(dtype), LABELS, ("a", "b")).images.dtype == dtype
    with pytest.raises(ValueError, match="images must be finite numbers"):
        ImageData(spoiled(math.nan).to(dtype), LABELS, ("a", "b"))
