"""MNIST and Fashion-MNIST: four files in, three sets out, and files that do not fit are refused.

The files are small and come from a web server on this machine; the real ones are described by their sums.
"""

import dataclasses
import gzip
import hashlib
import re
import struct
from importlib import resources

import numpy as np
import pytest
import torch
from PIL import Image
from tests.package.mirrors import Mirror, dead_address

from d2lconv.data import load_fashion_mnist, load_mnist, mnist
from d2lconv.data._download import Source
from d2lconv.data.mnist import load_source

TRAIN_IMAGES, TRAIN_LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"
TEST_IMAGES, TEST_LABELS = "t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"
NAMES = tuple("abcdefghij")
SHEET = (
    "4cd1a4829043c040f51e8600f600ac2290fecae7a87b5b876e43a01da4e92a6a"  # printed by tools/fashion_subset.py
)
FIRST_ROW = [0] * 7 + [115, 226, 145, 170, 155, 165, 161, 159, 125, 175, 140, 174, 236, 95, 0, 2, 2] + [0] * 4


def idx(values, code=0x08):
    return (
        bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape) + values.tobytes()
    )


def small_set(seed=0, train=600, test=50):
    """Make random images with the labels 0 to 9, not equally often."""
    rng = np.random.default_rng(seed)
    return {
        TRAIN_IMAGES: rng.integers(0, 256, (train, 28, 28), dtype=np.uint8),
        TRAIN_LABELS: rng.choice(10, train, p=np.arange(5, 15) / 95).astype(np.uint8),
        TEST_IMAGES: rng.integers(0, 256, (test, 28, 28), dtype=np.uint8),
        TEST_LABELS: rng.integers(0, 10, test, dtype=np.uint8),
    }


def pack(arrays):
    return {name: gzip.compress(idx(values), mtime=0) for name, values in arrays.items()}


@pytest.fixture(autouse=True)
def _straight_to_this_machine(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.delenv("D2LCONV_DATA", raising=False)


def source_of(files, url, name="small"):
    return Source(
        name, {file: hashlib.sha256(content).hexdigest() for file, content in files.items()}, (url,)
    )


def load(files, folder, held_out=12):
    with Mirror(files) as mirror:
        source = source_of(files, mirror.url)
        return load_source(source, NAMES, held_out=held_out, folder=folder, progress=False)


@pytest.fixture(scope="module")
def arrays():
    return small_set()


@pytest.fixture
def splits(arrays, tmp_path):
    return load(pack(arrays), tmp_path)


def test_three_sets(splits):
    assert [len(part) for part in splits] == [480, 120, 50]
    for part in splits:
        assert part.images.shape == (len(part), 1, 28, 28)
        assert part.images.dtype == torch.float32
        assert part.images.is_contiguous()
        assert part.labels.dtype == torch.int64
        assert part.class_names == NAMES


def test_pixels_are_those_of_the_files_divided_by_255(splits, arrays):
    expected = torch.from_numpy(arrays[TEST_IMAGES]).float() / 255
    assert torch.equal(splits.test.images.squeeze(1), expected)
    assert splits.test.labels.tolist() == arrays[TEST_LABELS].tolist()
    assert (splits.test.images.min(), splits.test.images.max()) == (0, 1)


def test_the_split_is_the_documented_rule(splits, arrays):
    images, labels = arrays[TRAIN_IMAGES], arrays[TRAIN_LABELS]
    held_out = set()
    for digit in range(10):
        rows = [row for row in range(600) if labels[row] == digit]
        held_out |= {rows[place * len(rows) // 12] for place in range(12)}
    rest = [row for row in range(600) if row not in held_out]
    for part, rows in ((splits.valid, sorted(held_out)), (splits.train, rest)):
        assert (part.images.squeeze(1) * 255).round().byte().tolist() == images[rows].tolist()
        assert part.labels.tolist() == labels[rows].tolist()


def test_as_many_of_each_class_are_held_out(splits):
    assert splits.valid.labels.bincount().tolist() == [12] * 10


def test_a_second_load_reads_the_cache(arrays, tmp_path, splits):
    source = source_of(pack(arrays), "http://nowhere.invalid/")
    again = load_source(source, NAMES, held_out=12, folder=tmp_path, progress=False)
    assert torch.equal(again.train.images, splits.train.images)
    again.train.images.zero_()
    third = load_source(source, NAMES, held_out=12, folder=tmp_path, progress=False)
    assert torch.equal(third.train.images, splits.train.images)


# ---- files as people have them ------------------------------------------------------------


def contents(arrays):
    return {name: hashlib.sha256(idx(values)).hexdigest() for name, values in arrays.items()}


def plain(name):
    return name.removesuffix(".gz")


def dotted(name):
    return plain(name).replace("-idx", ".idx")


FORMS = {
    "unpacked": (lambda name: f"small/{plain(name)}", idx),
    "with a dot": (lambda name: f"small/{dotted(name)}", idx),
    "in the folder itself": (plain, idx),
    "in folders of their own": (lambda name: f"{plain(name)}/{plain(name)}", idx),
    "torchvision's": (lambda name: f"Small/raw/{plain(name)}", idx),
    "torchvision's, from its own folder": (
        lambda name: f"raw/{name}",
        lambda v: gzip.compress(idx(v), mtime=0),
    ),
    "packed again": (lambda name: f"small/{name}", lambda values: gzip.compress(idx(values), 1, mtime=9)),
    "packed again, with a dot": (
        lambda name: f"{dotted(name)}.gz",
        lambda values: gzip.compress(idx(values), 1),
    ),
}


def offline(arrays):
    source = source_of(pack(arrays), dead_address())
    return dataclasses.replace(source, contents=contents(arrays), raw="Small/raw")


@pytest.mark.parametrize("form", FORMS)
def test_files_that_are_there_are_found(arrays, splits, tmp_path_factory, form):
    folder = tmp_path_factory.mktemp("there")
    name, write = FORMS[form]
    for file, values in arrays.items():
        path = folder / name(file)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(write(values))
    found = load_source(offline(arrays), NAMES, held_out=12, folder=folder, progress=False)
    for part, expected in zip(found, splits, strict=True):
        assert torch.equal(part.images, expected.images)
        assert torch.equal(part.labels, expected.labels)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            idx(np.zeros((2, 2), np.uint8)),
            "not the right file, its SHA-256 is [0-9a-f]{64} and not [0-9a-f]{64}",
        ),
        (gzip.compress(b"cut")[:-4], "damaged gzip data: Compressed file ended"),
        (gzip.compress(bytes(10**6)), "unpacks to more than the limit of 600,000 bytes"),
    ],
    ids=["another file", "cut", "too large"],
)
def test_wrong_files_that_are_there_are_named(arrays, tmp_path, content, message):
    path = tmp_path / "small" / "train-images.idx3-ubyte"
    path.parent.mkdir()
    path.write_bytes(content)
    source = dataclasses.replace(offline(arrays), max_bytes=600_000)
    with pytest.raises(OSError, match=rf"\n- {re.escape(str(path))}: {message}"):
        load_source(source, NAMES, held_out=12, folder=tmp_path, progress=False)


# ---- right sums, wrong files ------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "name", "message"),
    [
        (
            lambda a: {TRAIN_LABELS: a[TRAIN_IMAGES]},
            TRAIN_LABELS,
            "labels must be uint8 with 1 axis, got uint8 of shape (600, 28, 28)",
        ),
        (
            lambda a: {TEST_IMAGES: a[TEST_LABELS]},
            TEST_IMAGES,
            "images must be uint8 with 3 axes, got uint8 of shape (50,)",
        ),
        (
            lambda a: {TEST_LABELS: np.append(a[TEST_LABELS][1:], np.uint8(10))},
            TEST_LABELS,
            "labels must be 0 to 9, got 10",
        ),
        (
            lambda a: {TRAIN_LABELS: np.where(a[TRAIN_LABELS] == 3, 255, a[TRAIN_LABELS]).astype(np.uint8)},
            TRAIN_LABELS,
            "labels must be 0 to 9, got 255",
        ),
    ],
)
def test_refuses(arrays, tmp_path, wrong, name, message):
    path = re.escape(str(tmp_path / "small" / name))
    with pytest.raises(ValueError, match=f"^{path}: {re.escape(message)}$"):
        load(pack({**arrays, **wrong(arrays)}), tmp_path)


def test_refuses_other_types(arrays, tmp_path):
    files = pack(arrays)
    files[TEST_LABELS] = gzip.compress(idx(arrays[TEST_LABELS].view(np.int8), code=0x09))
    with pytest.raises(ValueError, match="labels must be uint8 with 1 axis, got int8 of shape"):
        load(files, tmp_path)


def test_refuses_other_counts(arrays, tmp_path):
    place = re.escape(str(tmp_path / "small"))
    with pytest.raises(
        ValueError, match=f"^{place}.{TEST_IMAGES} has 50 images, but {place}.{TEST_LABELS} has 49 labels$"
    ):
        load(pack({**arrays, TEST_LABELS: arrays[TEST_LABELS][1:]}), tmp_path)


def test_refuses_damaged_files(arrays, tmp_path):
    files = pack(arrays)
    files[TRAIN_IMAGES] = files[TRAIN_IMAGES][:-100]
    with pytest.raises(ValueError, match=f"{TRAIN_IMAGES}: damaged gzip data"):
        load(files, tmp_path)


# ---- the two sets ------------------------------------------------------------


LOADERS = {"mnist": (load_mnist, mnist._MNIST), "fashion-mnist": (load_fashion_mnist, mnist._FASHION_MNIST)}


@pytest.mark.parametrize("name", LOADERS)
def test_sources(name):
    source = LOADERS[name][1]
    assert source.name == name
    assert set(source.files) == {TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS}
    assert len(set(source.files.values())) == 4
    for number in source.files.values():
        assert re.fullmatch(r"[0-9a-f]{64}", number)
    assert len(set(source.mirrors)) >= 2
    for address in source.mirrors:
        assert re.fullmatch(r"https?://\S+/", address)
    assert source.mirrors[0].startswith("https://")
    assert source.contents.keys() == source.files.keys()
    assert len({*source.contents.values(), *source.files.values()}) == 8
    assert source.raw.endswith("MNIST/raw")


@pytest.mark.parametrize(
    ("name", "first", "last"), [("mnist", "0", "9"), ("fashion-mnist", "T-shirt/top", "Ankle boot")]
)
def test_the_loaders_read_their_own_source(name, first, last, tmp_path, monkeypatch):
    loader, real = LOADERS[name]
    arrays = small_set(train=11_000, test=20)
    arrays[TRAIN_LABELS] = (np.arange(11_000) % 10).astype(np.uint8)
    files = pack(arrays)
    variable = {"mnist": "_MNIST", "fashion-mnist": "_FASHION_MNIST"}[name]
    with Mirror(files) as mirror:
        monkeypatch.setattr(mnist, variable, source_of(files, mirror.url, real.name))
        train, valid, test = loader(folder=tmp_path, progress=False)
    assert [len(part) for part in (train, valid, test)] == [1000, 10_000, 20]
    assert valid.labels.bincount().tolist() == [1000] * 10
    assert len(train.class_names) == 10
    assert (train.class_names[0], train.class_names[-1]) == (first, last)
    assert {path.relative_to(tmp_path).parent.name for path in tmp_path.rglob("*.gz")} == {name}


def test_the_two_sets_do_not_share_a_folder():
    first, second = (source for _, source in LOADERS.values())
    assert first.name != second.name
    assert set(first.files.values()).isdisjoint(second.files.values())


# ---- the clothes that come with the package -----------------------------------------------


@pytest.fixture(scope="module")
def clothes():
    return load_fashion_mnist(bundled=True)


def test_bundled_clothes_are_the_pixels_of_the_source(clothes):
    """One known image, and the sum of all, as the script that chose them prints it."""
    stored = np.round(clothes.train.images.numpy() * 255).astype(np.uint8)
    assert stored[0, 0, 14].tolist() == FIRST_ROW
    with resources.as_file(resources.files("d2lconv") / "assets" / "fashion_mnist.png") as path:
        pixels = np.asarray(Image.open(path))
    assert hashlib.sha256(pixels.tobytes()).hexdigest() == SHEET
    every = torch.cat([part.images for part in clothes]).numpy()
    assert sorted(np.round(every * 255).astype(np.uint8).sum(axis=(1, 2, 3))) == sorted(
        pixels.reshape(90, 28, 100, 28).sum(axis=(1, 3)).reshape(-1)
    )


def test_bundled_clothes_are_balanced_and_in_one_set_each(clothes):
    for part, size in zip(clothes, (600, 100, 200), strict=True):
        assert part.labels.bincount().tolist() == [size] * 10
        assert part.labels[:20].tolist() == [*range(10), *range(10)]
        assert part.images.shape == (10 * size, 1, 28, 28)
        assert part.images.dtype == torch.float32
        assert part.images.aminmax() == (0, 1)
        assert part.class_names[9] == "Ankle boot"
    kept = {image.numpy().tobytes() for part in clothes for image in part.images}
    assert len(kept) == 9000


def test_bundled_clothes_are_told_apart_by_their_labels(clothes):
    """The mean image of each class is nearest to most test images of that class."""
    means = torch.stack([clothes.train.images[clothes.train.labels == label].mean(0) for label in range(10)])
    nearest = torch.cdist(clothes.test.images.flatten(1), means.flatten(1)).argmin(1)
    assert (nearest == clothes.test.labels).float().mean() > 0.65


@pytest.mark.parametrize(
    ("given", "error", "message"),
    [
        ({"bundled": 1}, TypeError, "bundled must be True or False, got 1"),
        ({"bundled": True, "folder": "here"}, ValueError, "folder is for downloads; .* got 'here'"),
    ],
)
def test_bundled_clothes_refuse(given, error, message):
    with pytest.raises(error, match=message):
        load_fashion_mnist(**given)
