"""The digits are the originals, the split is fixed and fair, and wrong arguments are refused."""

import hashlib
from importlib import resources

import numpy as np
import pytest
import torch
from torch.nn.functional import interpolate

from d2lconv.data import load_digits

COUNTS = [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]  # images of each digit, as UCI states them
SHEETS = [0, 130, 256, 386, 516, 646, 776, 905, 1029, 1157, 1287, 1415, 1545, 1667]  # the first image of each


@pytest.fixture(scope="module")
def stored():
    with (
        resources.as_file(resources.files("d2lconv") / "assets" / "digits.npz") as path,
        np.load(path) as archive,
    ):
        return archive["images"], archive["labels"]


@pytest.fixture(scope="module")
def originals():
    return load_digits(size=8)


def counts(data):
    return data.labels.bincount(minlength=10)


def pixels(data):
    return (data.images * 16).to(torch.uint8).flatten(1)


class TestAsset:
    def test_bytes(self, stored):
        images, labels = stored
        assert images.shape == (1797, 8, 8)
        assert images.dtype == labels.dtype == np.uint8
        assert hashlib.sha256(images.tobytes()).hexdigest() == (
            "8f26b2bd9d135c256808f68f14fdabddde6d9c7f869ae419704b051f0f14b3b3"
        )
        assert hashlib.sha256(labels.tobytes()).hexdigest() == (
            "8ba4f891220f5e4c9c819638d1602d74b83618f167043c6da52a2a247841ddf0"
        )

    def test_licence_stands_beside_it(self):
        licence = (resources.files("d2lconv") / "assets" / "LICENSE-digits").read_text(encoding="utf-8")
        for words in (
            "Alpaydin",
            "Kaynak",
            "10.24432/C50P49",
            "CC BY 4.0",
            "scikit-learn",
            "What was changed",
        ):
            assert words in licence

    def test_values_are_those_of_the_source(self, stored):
        images, labels = stored
        assert np.bincount(labels).tolist() == COUNTS
        assert images.sum(dtype=int) == 561718
        assert (images.min(), images.max()) == (0, 16)
        assert images[0].tolist() == [
            [0, 0, 5, 13, 9, 1, 0, 0],
            [0, 0, 13, 15, 10, 15, 5, 0],
            [0, 3, 15, 2, 0, 11, 8, 0],
            [0, 4, 12, 0, 0, 8, 8, 0],
            [0, 5, 8, 0, 0, 9, 8, 0],
            [0, 4, 11, 0, 1, 12, 7, 0],
            [0, 2, 14, 5, 10, 12, 0, 0],
            [0, 0, 6, 13, 10, 0, 0, 0],
        ]


class TestSplit:
    def test_at_8_pixels_the_splits_hold_every_original_once(self, originals, stored):
        images, labels = stored
        rows = torch.cat([torch.cat([pixels(part), part.labels[:, None].byte()], 1) for part in originals])
        expected = np.concatenate([images.reshape(len(images), -1), labels[:, None]], axis=1)
        assert (
            len(np.unique(expected, axis=0)) == 1797
        )  # no image is there twice, so equal sets mean disjoint
        assert sorted(rows.tolist()) == sorted(expected.tolist())

    def test_sizes(self, originals):
        assert [len(part) for part in originals] == [1197, 300, 300]

    def test_stratified(self, originals):
        for part, within in zip(originals, (2, 1, 1), strict=True):
            fair = torch.tensor(COUNTS) * len(part) / 1797
            assert (counts(part) - fair).abs().max() < within
        assert counts(originals.valid).tolist() == counts(originals.test).tolist() == [30] * 10

    def test_is_the_documented_rule(self, originals, stored):
        images, labels = stored
        held_out = [[row[j * len(row) // 60] for j in range(60)] for row in map(list, rows_by_digit(labels))]
        for part, first in ((originals.valid, 0), (originals.test, 1)):
            rows = sorted(row for digit in held_out for row in digit[first::2])
            assert pixels(part).tolist() == images[rows].reshape(300, -1).tolist()
            assert part.labels.tolist() == labels[rows].tolist()

    def test_every_writer_is_in_every_split(self, originals, stored):
        images, _ = stored
        row_of = {tuple(image): row for row, image in enumerate(images.reshape(len(images), -1).tolist())}
        for part in originals:
            rows = [row_of[tuple(image)] for image in pixels(part).tolist()]
            assert rows == sorted(rows)
            per_sheet = np.bincount(np.searchsorted(SHEETS, rows, side="right") - 1, minlength=len(SHEETS))
            assert per_sheet.min() >= len(part) / 20

    def test_new_writers_are_harder_as_the_docstring_says(self, stored):
        images, labels = stored
        digit, sheet = np.zeros(1797, int), np.searchsorted(SHEETS, np.arange(1797), side="right") - 1
        for rows in rows_by_digit(labels):
            digit[rows] = np.arange(len(rows)) % len(SHEETS)
        X = images.reshape(1797, -1).astype(int)
        squares = (X**2).sum(1)
        distances = squares[:, None] + squares - 2 * X @ X.T

        def wrong(groups):
            seen = np.where(groups[:, None] == groups, distances.max() + 1, distances)
            return int((labels[seen.argmin(1)] != labels).sum())

        errors = wrong(digit), wrong(sheet)
        assert errors == (18, 63)
        documented = " ".join((load_digits.__doc__ or "").split())
        assert f"wrong for {errors[0]} of the 1,797 images" in documented
        assert f"and for {errors[1]} when one sheet is" in documented


def rows_by_digit(labels):
    return [np.flatnonzero(labels == digit) for digit in range(10)]


class TestLoadDigits:
    @pytest.mark.parametrize("size", [8, 9, 16, 22, 28, 32])
    def test_shape_dtype_range(self, size):
        for part in load_digits(size):
            assert part.images.shape == (len(part), 1, size, size)
            assert part.images.dtype == torch.float32
            assert part.images.is_contiguous()
            assert part.labels.shape == (len(part),)
            assert part.labels.dtype == torch.int64
            assert part.class_names == tuple("0123456789")
            assert part.images.min() == 0
            assert 0.9 < part.images.max() <= 1

    def test_default_size(self):
        assert load_digits().train.images.shape[2:] == (28, 28)

    @pytest.mark.parametrize("size", [9, 20, 28, 32])
    def test_larger_images_are_those_of_pytorch(self, originals, size):
        for small, large in zip(originals, load_digits(size), strict=True):
            expected = interpolate(small.images, (size, size), mode="bilinear", align_corners=False)
            torch.testing.assert_close(large.images, expected, rtol=0, atol=1e-6)

    def test_no_value_leaves_the_range(self):
        for size in range(8, 65):
            values = load_digits(size).train.images
            assert values.min() == 0
            assert values.max() <= 1

    def test_same_bits_on_every_machine(self):
        values = load_digits().test.images.numpy().astype("<f4").tobytes()
        assert hashlib.sha256(values).hexdigest() == (
            "3003c20dd7af765c1a03d760a76f286846567d779ff69eb69016b76ed56393f7"
        )

    def test_brightness_is_kept(self, originals):
        torch.testing.assert_close(
            load_digits(32).train.images.mean((2, 3)), originals.train.images.mean((2, 3)), rtol=0, atol=0.02
        )

    def test_every_call_gives_the_same_in_new_tensors(self):
        first, second = load_digits(), load_digits()
        expected = second.train.images.clone(), second.train.labels.clone()
        first.train.images.zero_()
        first.train.labels.zero_()
        third = load_digits()
        for data in (second, third):
            assert torch.equal(data.train.images, expected[0])
            assert torch.equal(data.train.labels, expected[1])

    def test_takes_no_random_numbers(self):
        torch.manual_seed(0)
        state = torch.get_rng_state()
        load_digits()
        assert torch.equal(torch.get_rng_state(), state)

    def test_numpy_integer(self):
        assert load_digits(np.int64(8)).test.images.shape == (300, 1, 8, 8)

    @pytest.mark.parametrize(
        ("size", "error", "message"),
        [
            (7, ValueError, "size must be at least 8, got 7"),
            (0, ValueError, "size must be at least 8, got 0"),
            (-28, ValueError, "size must be at least 8, got -28"),
            (28.0, TypeError, "size must be an integer, got 28.0 of type float"),
            ("28", TypeError, "size must be an integer, got '28' of type str"),
            ((28, 28), TypeError, r"size must be an integer, got \(28, 28\) of type tuple"),
            (None, TypeError, "size must be an integer, got None of type NoneType"),
            (True, TypeError, "size must be an integer, got True"),
        ],
    )
    def test_refuses(self, size, error, message):
        with pytest.raises(error, match=f"^{message}$"):
            load_digits(size)
