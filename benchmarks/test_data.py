"""How fast mini-batches are cut from tensors, beside PyTorch's ``DataLoader`` over single images.

Each group holds two ways through the same images, on one thread; the number in brackets after a time is its
ratio to the fastest. Run with ``make bench``. Machines differ: read the ratios, not the times.
"""

import pytest
import torch
from torch.utils.data import DataLoader, Dataset

from d2lconv.data import ImageData, batches, random_shifts

IMAGES, BATCH_SIZE = 10_000, 128


class SingleImages(Dataset):
    """Images as their files hold them, each turned into numbers from 0 to 1 when it is asked for."""

    def __init__(self, pixels, labels):
        self.pixels, self.labels = pixels, labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.pixels[index].float().div(255), self.labels[index]


def as_bytes():
    generator = torch.Generator().manual_seed(0)
    pixels = torch.randint(256, (IMAGES, 1, 28, 28), dtype=torch.uint8, generator=generator)
    return pixels, torch.randint(10, (IMAGES,), generator=generator)


def through_batches(shuffle):
    pixels, labels = as_bytes()
    data = ImageData(pixels.float() / 255, labels, tuple("0123456789"))
    generator = torch.Generator().manual_seed(0) if shuffle else None
    return lambda: sum(len(labels) for _, labels in batches(data, BATCH_SIZE, generator=generator))


def through_loader(shuffle):
    generator = torch.Generator().manual_seed(0)
    loader = DataLoader(SingleImages(*as_bytes()), BATCH_SIZE, shuffle=shuffle, generator=generator)
    return lambda: sum(len(labels) for _, labels in loader)


@pytest.mark.parametrize("who", [through_batches, through_loader])
@pytest.mark.parametrize("shuffle", [False, True])
def test_one_epoch(benchmark, shuffle, who):
    benchmark.group = f"{IMAGES} images in batches of {BATCH_SIZE}, {'shuffled' if shuffle else 'in order'}"
    epoch = who(shuffle)
    rounds = 15 if who is through_batches else 5
    assert benchmark.pedantic(epoch, rounds=rounds, warmup_rounds=1) == IMAGES
    benchmark.extra_info["images per second"] = round(IMAGES / benchmark.stats.stats.median)


def shift_one_by_one(images, most, generator):
    """Move each image by itself, as a transform of single images does."""
    moved = torch.zeros_like(images)
    _, _, H, W = images.shape
    for before, after in zip(images, moved, strict=True):
        down, right = torch.randint(-most, most + 1, (2,), generator=generator).tolist()
        rows, columns = slice(max(down, 0), H + min(down, 0)), slice(max(right, 0), W + min(right, 0))
        from_rows = slice(max(-down, 0), H + min(-down, 0))
        from_columns = slice(max(-right, 0), W + min(-right, 0))
        after[:, rows, columns] = before[:, from_rows, from_columns]
    return moved


@pytest.mark.parametrize("who", [random_shifts, shift_one_by_one])
def test_shifts(benchmark, who):
    benchmark.group = f"shift {BATCH_SIZE} images by up to 2 pixels"
    images, generator = as_bytes()[0][:BATCH_SIZE].float(), torch.Generator().manual_seed(0)
    benchmark.pedantic(who, (images, 2, generator), rounds=15, warmup_rounds=1)
