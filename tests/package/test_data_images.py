"""Images and labels go together, and what does not is refused."""

from dataclasses import FrozenInstanceError

import pytest
import torch

from d2lconv.data import ImageData, Splits

IMAGES = torch.zeros(2, 1, 4, 4)


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
            "images must be floating-point, got torch.uint8",
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
        (IMAGES, [[0], [1]], ValueError, r"labels must have shape .*, got \(2, 1\)"),
    ],
)
def test_refuses(images, labels, error, message):
    with pytest.raises(error, match=f"^{message}$"):
        ImageData(images, torch.tensor(labels), ("a", "b"))
