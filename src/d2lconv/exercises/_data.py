"""Oracles, cases and misconceptions of the exercises of *Image data*."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv.exercises.kinds import Draw, Wrong

# ---- accuracy ------------------------------------------------------------


def scores_and_labels(draw: Draw, n: int, c: int) -> tuple[Tensor, Tensor]:
    """Make scores without ties, as whole numbers that stay as they are when a case shrinks, and labels."""
    scores = draw(n, c).long() * c + torch.arange(c)
    return scores, draw(n, low=0, high=c - 1).long()


def share_of_hits(scores: Tensor, labels: Tensor) -> float:
    """Compare each image's label with the place of its largest score, in NumPy."""
    return float(np.mean(scores.numpy().argmax(axis=1) == labels.numpy()))


ACCURACY_WRONG = (
    Wrong(
        "count instead of fraction",
        lambda scores, labels: share_of_hits(scores, labels) * len(labels),
        "This is how many are right. Accuracy is which fraction.",
    ),
    Wrong(
        "error instead of accuracy",
        lambda scores, labels: 1 - share_of_hits(scores, labels),
        "This is the fraction that is wrong.",
    ),
    Wrong(
        "percent",
        lambda scores, labels: 100 * share_of_hits(scores, labels),
        "This is in percent. A fraction lies between 0 and 1.",
    ),
    Wrong(
        "divided by the classes",
        lambda scores, labels: share_of_hits(scores, labels) * len(labels) / scores.shape[1],
        "You divide by the number of classes. How many images are there?",
    ),
    Wrong(
        "smallest score",
        lambda scores, labels: share_of_hits(-scores, labels),
        "The network's answer is the class with the largest score.",
    ),
    Wrong(
        "cut to a whole number",
        lambda scores, labels: int(share_of_hits(scores, labels)),
        "The fraction is cut to a whole number. Look for `//`, `int` or a tensor of integers.",
    ),
)


# ---- the length of an IDX file ------------------------------------------------------------

TYPES = {8: np.uint8, 9: np.int8, 11: np.int16, 12: np.int32, 13: np.float32, 14: np.float64}


def idx_header(draw: Draw, lengths: tuple[int, ...], kind: int) -> tuple[bytes]:
    """Write the header of an IDX file."""
    return (bytes([0, 0, kind, len(lengths)]) + np.array(lengths, ">u4").tobytes(),)


def file_bytes(
    header: bytes,
    *,
    order: str = "big",
    first_byte: int = 0,
    size: Callable[[int], int] = lambda kind: np.dtype(TYPES[kind]).itemsize,
    join: Callable[[list[int]], int] = prod,
    before: Callable[[bytes], int] = len,
) -> int:
    """Compute how long the file is, with one fault or another."""
    starts = range(4, len(header), 4)
    lengths = [int.from_bytes(header[at + first_byte : at + 4], order) for at in starts]  # type: ignore[arg-type]
    return before(header) + join(lengths) * size(header[2])


def with_fault(**fault: object) -> Callable[[bytes], int]:
    """Make a misconception."""
    return lambda header: file_bytes(header, **fault)  # type: ignore[arg-type]


LENGTH_WRONG = (
    Wrong(
        "last byte first",
        with_fault(order="little"),
        "The lengths are read from the wrong end. The byte with the largest place value comes first.",
    ),
    Wrong(
        "one byte for each value",
        with_fault(size=lambda kind: 1),
        "The third byte tells the type of the values. How many bytes does one value of each type take?",
    ),
    Wrong(
        "type code as size",
        with_fault(size=lambda kind: kind),
        "The third byte is a code for the type, and not a number of bytes.",
    ),
    Wrong(
        "number of values",
        with_fault(size=lambda kind: 1, before=lambda header: 0),
        "This is how many values there are. The file also has a header, and values may be long.",
    ),
    Wrong(
        "header not counted",
        with_fault(before=lambda header: 0),
        "These are the bytes of the values. The header is in the file, too.",
    ),
    Wrong(
        "only four bytes of header",
        with_fault(before=lambda header: 4),
        "After the first four bytes, the header goes on with the lengths of the axes.",
    ),
    Wrong(
        "header of 16 bytes",
        with_fault(before=lambda header: 16),
        "The header has 16 bytes for three axes. How many for one?",
    ),
    Wrong(
        "lengths added",
        with_fault(join=sum),
        "An image of 28×28 pixels has more than 28 + 28 of them.",
    ),
    Wrong(
        "first axis only",
        with_fault(join=lambda lengths: lengths[0]),
        "The first length says how many images there are. Each has several values.",
    ),
    Wrong(
        "only the last byte of a length",
        with_fault(first_byte=3),
        "A length above 255 needs more than one of its four bytes.",
    ),
)


# ---- one mini-batch ------------------------------------------------------------


def data_and_order(
    draw: Draw, n: int, size: int, i: int, d: int
) -> tuple[Tensor, Tensor, Tensor, int, int] | None:
    """Make images as rows, their labels, an order, a batch size and the number of a batch that exists."""
    if i * size >= n:
        return None
    order = (draw(n) + torch.arange(n) / 100).argsort()
    return draw(n, d), draw(n, low=0, high=9), order, size, i


def rows_of(X: Tensor, y: Tensor, rows: Tensor) -> Tensor:
    """Put each label behind its image."""
    return torch.stack([torch.cat([X[row], y[row : row + 1]]) for row in rows.tolist()])


BATCH_WRONG = (
    Wrong(
        "order ignored",
        lambda X, y, order, size, i: rows_of(X, y, torch.arange(len(X))[i * size : (i + 1) * size]),
        "Images and labels fit together, but they come in the order of the data.",
    ),
    Wrong(
        "images stay behind",
        lambda X, y, order, size, i: torch.cat([X.split(size)[i], y[order.split(size)[i]][:, None]], dim=1),
        "Now the labels are in the new order and the images are not.",
    ),
    Wrong(
        "neighbouring batches overlap",
        lambda X, y, order, size, i: rows_of(X, y, order[i : i + size]),
        "Batch 1 begins `size` images after batch 0, and not one.",
    ),
    Wrong(
        "last batch dropped",
        lambda X, y, order, size, i: torch.cat([X, y[:, None]], 1)[
            order[: len(X) // size * size][i * size : (i + 1) * size]
        ],
        "The last batch is missing if it is not full. Here all images count.",
    ),
    Wrong(
        "last batch filled up",
        lambda X, y, order, size, i: rows_of(X, y, order.repeat(size + 1)[i * size : (i + 1) * size]),
        "The last batch is filled up with the first images. It may be smaller than the others.",
    ),
    Wrong(
        "order undone",
        lambda X, y, order, size, i: rows_of(X, y, order.argsort()[i * size : (i + 1) * size]),
        "`order[0]` is the number of the image that comes first. Here it is read the other way round.",
    ),
    Wrong(
        "batches counted from 1",
        lambda X, y, order, size, i: rows_of(X, y, order.split(size)[i - 1]),
        "The first batch has the number 0.",
    ),
)


# ---- shifts ------------------------------------------------------------


def image_and_shift(draw: Draw, h: int, w: int, down: int, right: int) -> tuple[Tensor, int, int] | None:
    """Make an image and a shift after which some of it is left."""
    return (draw(h, w), down, right) if abs(down) < h and abs(right) < w else None


def shifted(image: Tensor, down: int, right: int, mode: str = "constant") -> Tensor:
    """Shift by padding on one side and a negative padding on the other."""
    if mode == "constant":
        return F.pad(image, (right, -right, down, -down))
    h, w = image.shape
    around = F.pad(image[None], (abs(right),) * 2 + (abs(down),) * 2, mode=mode)[0]
    return around[abs(down) - down :, abs(right) - right :][:h, :w]


SHIFT_WRONG = (
    Wrong(
        "wraps around",
        lambda image, down, right: image.roll((down, right), (0, 1)),
        "What leaves on one side comes in on the other. Zeros should come in.",
    ),
    Wrong(
        "other way",
        lambda image, down, right: shifted(image, -down, -right),
        "It moves the other way. Moving the window up moves the image down.",
    ),
    Wrong(
        "rows and columns swapped",
        lambda image, down, right: shifted(image, right, down),
        "It moves down by what it should move to the right. Rows are the first axis.",
    ),
    Wrong(
        "border repeated",
        lambda image, down, right: shifted(image, down, right, "replicate"),
        "The border is repeated. Zeros should come in.",
    ),
    Wrong(
        "mirrored at the border",
        lambda image, down, right: shifted(image, down, right, "reflect"),
        "The image is mirrored at its border. Zeros should come in.",
    ),
    Wrong(
        "negative shifts ignored",
        lambda image, down, right: shifted(image, max(down, 0), max(right, 0)),
        "A shift of -1 down is a shift of 1 up.",
    ),
    Wrong(
        "sign lost",
        lambda image, down, right: shifted(image, abs(down), abs(right)),
        "Negative shifts go up and to the left.",
    ),
    Wrong(
        "moved down only",
        lambda image, down, right: shifted(image, down, 0),
        "It moves down, but not to the right.",
    ),
    Wrong(
        "image grows",
        lambda image, down, right: F.pad(image, (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0))),
        "The zeros are there, but the image has grown. What crosses the border is lost.",
    ),
)
