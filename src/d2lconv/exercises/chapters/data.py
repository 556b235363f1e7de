"""Exercises of the chapter *Image data*."""

from __future__ import annotations

from collections.abc import Callable
from math import prod

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv.exercises.kinds import Cases, Choice, Debug, Function, Misconception, RandomInputs

__all__ = ["EXERCISES"]


# ---- 1: which number to report ------------------------------------------------------------


HONEST = Choice(
    id="data.1",
    title="The best of twenty",
    level=1,
    right="a",
    because="the test images had no part in the choice, so no luck on them was picked.",
    wrong={
        "c": "This network was chosen for doing well on these very images, so its luck is in the number.",
        "b": "A mean of a number that is too good and an honest one is still too good.",
        "d": "Then the test images choose the network. What would be left to judge it by?",
    },
)


# ---- 2: accuracy ------------------------------------------------------------


def scores_and_labels(draw: RandomInputs, n: int, c: int) -> tuple[Tensor, Tensor]:
    """Make scores without ties, as whole numbers that stay as they are when a case shrinks, and labels."""
    scores = draw(n, c).long() * c + torch.arange(c)
    return scores, draw(n, low=0, high=c - 1).long()


def share_of_hits(scores: Tensor, labels: Tensor) -> float:
    """Compare each image's label with the position of its largest score, in NumPy."""
    return float(np.mean(scores.numpy().argmax(axis=1) == labels.numpy()))


ACCURACY_WRONG = (
    Misconception(
        "count instead of fraction",
        lambda scores, labels: share_of_hits(scores, labels) * len(labels),
        "This is how many are right. Accuracy is which fraction.",
    ),
    Misconception(
        "error instead of accuracy",
        lambda scores, labels: 1 - share_of_hits(scores, labels),
        "This is the fraction that is wrong.",
    ),
    Misconception(
        "percent",
        lambda scores, labels: 100 * share_of_hits(scores, labels),
        "This is in percent. A fraction lies between 0 and 1.",
    ),
    Misconception(
        "divided by the classes",
        lambda scores, labels: share_of_hits(scores, labels) * len(labels) / scores.shape[1],
        "You divide by the number of classes. How many images are there?",
    ),
    Misconception(
        "smallest score",
        lambda scores, labels: share_of_hits(-scores, labels),
        "The network predicts the class with the largest score.",
    ),
    Misconception(
        "values instead of classes",
        lambda scores, labels: float((scores.max(1).values == labels).double().mean()),
        "The largest scores are compared with the labels. Which classes do they belong to?",
    ),
    Misconception(
        "cut to a whole number",
        lambda scores, labels: int(share_of_hits(scores, labels)),
        "The fraction is cut to a whole number. Look for `//`, `int` or a tensor of integers.",
    ),
)


ACCURACY = Function(
    id="data.2",
    title="Accuracy from scores",
    level=1,
    right=share_of_hits,
    answer_description="a function that gives a number from 0 to 1",
    cases=Cases(scores_and_labels, n=range(1, 9), c=range(2, 6), small=20, large=12),
    wrong=ACCURACY_WRONG,
)


# ---- 3: what a header tells ------------------------------------------------------------


TYPES = {8: np.uint8, 9: np.int8, 11: np.int16, 12: np.int32, 13: np.float32, 14: np.float64}


def idx_header(draw: RandomInputs, lengths: tuple[int, ...], kind: int) -> tuple[bytes]:
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
    Misconception(
        "last byte first",
        with_fault(order="little"),
        "The lengths are read from the wrong end. The most significant byte comes first.",
    ),
    Misconception(
        "one byte for each value",
        with_fault(size=lambda kind: 1),
        "The third byte tells the type of the values. How many bytes does one value of each type take?",
    ),
    Misconception(
        "type code as size",
        with_fault(size=lambda kind: kind),
        "The third byte is a code for the type, and not a number of bytes.",
    ),
    Misconception(
        "number of values",
        with_fault(size=lambda kind: 1, before=lambda header: 0),
        "This is how many values there are. The file also has a header, and values may be long.",
    ),
    Misconception(
        "header not counted",
        with_fault(before=lambda header: 0),
        "These are the bytes of the values. The header is in the file, too.",
    ),
    Misconception(
        "only four bytes of header",
        with_fault(before=lambda header: 4),
        "After the first four bytes, the header goes on with the lengths of the axes.",
    ),
    Misconception(
        "header of 16 bytes",
        with_fault(before=lambda header: 16),
        "The header has 16 bytes for three axes. How many for one?",
    ),
    Misconception(
        "lengths added",
        with_fault(join=sum),
        "An image of 28×28 pixels has more than 28 + 28 of them.",
    ),
    Misconception(
        "first axis only",
        with_fault(join=lambda lengths: lengths[0]),
        "The first length says how many images there are. Each has several values.",
    ),
    Misconception(
        "only the last byte of a length",
        with_fault(first_byte=3),
        "A length above 255 needs more than one of its four bytes.",
    ),
)


LENGTH = Function(
    id="data.3",
    title="The length of a file from its header",
    level=2,
    right=lambda header: file_bytes(header),
    answer_description="a function that gives a whole number",
    cases=Cases(
        idx_header,
        lengths=[
            (1,),
            (2,),
            (2, 3),
            (3, 1, 2),
            (2, 28, 28),
            (300,),
            (1000, 3),
            (300, 28, 28),
            (60_000,),
            (70_000, 2),
            (3, 65_537),
        ],
        kind=list(TYPES),
        small=20,
        large=20,
    ),
    wrong=LENGTH_WRONG,
)


# ---- 4: labels that stay behind ------------------------------------------------------------


def labels_stay_behind(X: Tensor, y: Tensor, order: Tensor, size: int, i: int) -> Tensor:
    """Cut a batch with the fault of the notebook: the labels are not in the new order."""
    start = i * size
    rows = order[start : start + size]
    return torch.cat([X[rows], y[start : start + size, None]], dim=1)


def data_and_order(
    draw: RandomInputs, n: int, size: int, i: int, d: int
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
    Misconception(
        "order ignored",
        lambda X, y, order, size, i: rows_of(X, y, torch.arange(len(X))[i * size : (i + 1) * size]),
        "Images and labels fit together, but they come in the order of the data.",
    ),
    Misconception(
        "images stay behind",
        lambda X, y, order, size, i: torch.cat([X.split(size)[i], y[order.split(size)[i]][:, None]], dim=1),
        "Now the labels are in the new order and the images are not.",
    ),
    Misconception(
        "labels left out",
        lambda X, y, order, size, i: X[order.split(size)[i]],
        "The images are there, in the new order. Their labels are missing: they are the last column.",
    ),
    Misconception(
        "neighbouring batches overlap",
        lambda X, y, order, size, i: rows_of(X, y, order[i : i + size]),
        "Batch 1 begins `size` images after batch 0, and not one.",
    ),
    Misconception(
        "last batch dropped",
        lambda X, y, order, size, i: torch.cat([X, y[:, None]], 1)[
            order[: len(X) // size * size][i * size : (i + 1) * size]
        ],
        "The last batch is missing if it is not full. Here all images count.",
    ),
    Misconception(
        "last batch filled up",
        lambda X, y, order, size, i: rows_of(X, y, order.repeat(size + 1)[i * size : (i + 1) * size]),
        "The last batch is filled up with the first images. It may be smaller than the others.",
    ),
    Misconception(
        "order undone",
        lambda X, y, order, size, i: rows_of(X, y, order.argsort()[i * size : (i + 1) * size]),
        "`order[0]` is the number of the image that comes first. Here the two are exchanged.",
    ),
    Misconception(
        "batches counted from 1",
        lambda X, y, order, size, i: rows_of(X, y, order.split(size)[i - 1]),
        "The first batch has the number 0.",
    ),
)


BATCH = Debug(
    id="data.4",
    title="A batch that learns nothing",
    level=2,
    right=lambda X, y, order, size, i: rows_of(X, y, order[i * size : (i + 1) * size]),
    given=labels_stay_behind,
    cases=Cases(
        data_and_order, n=range(1, 9), size=range(1, 5), i=range(4), d=range(1, 4), small=25, large=25
    ),
    wrong=BATCH_WRONG,
)


# ---- 5: shifting an image ------------------------------------------------------------


def image_and_shift(
    draw: RandomInputs, h: int, w: int, down: int, right: int
) -> tuple[Tensor, int, int] | None:
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
    Misconception(
        "wraps around",
        lambda image, down, right: image.roll((down, right), (0, 1)),
        "What leaves on one side comes in on the other. Zeros should come in.",
    ),
    Misconception(
        "opposite direction",
        lambda image, down, right: shifted(image, -down, -right),
        "It moves in the opposite direction. Moving the window up moves the image down.",
    ),
    Misconception(
        "up instead of down",
        lambda image, down, right: shifted(image, -down, right),
        "Columns are right, but rows move in the opposite direction: a positive `down` moves it down.",
    ),
    Misconception(
        "left instead of right",
        lambda image, down, right: shifted(image, down, -right),
        "Rows are right, but columns move in the opposite direction: a positive `right` moves it right.",
    ),
    Misconception(
        "ones come in",
        lambda image, down, right: shifted(image - 1, down, right) + 1,
        "The image moves as it should, but ones come in. They should be zeros.",
    ),
    Misconception(
        "rows and columns swapped",
        lambda image, down, right: shifted(image, right, down),
        "It moves down by what it should move to the right. Rows are the first axis.",
    ),
    Misconception(
        "border repeated",
        lambda image, down, right: shifted(image, down, right, "replicate"),
        "The border is repeated. Zeros should come in.",
    ),
    Misconception(
        "mirrored at the border",
        lambda image, down, right: shifted(image, down, right, "reflect"),
        "The image is mirrored at its border. Zeros should come in.",
    ),
    Misconception(
        "negative shifts ignored",
        lambda image, down, right: shifted(image, max(down, 0), max(right, 0)),
        "A shift of -1 down is a shift of 1 up.",
    ),
    Misconception(
        "sign lost",
        lambda image, down, right: shifted(image, abs(down), abs(right)),
        "Negative shifts go up and to the left.",
    ),
    Misconception(
        "moved down only",
        lambda image, down, right: shifted(image, down, 0),
        "It moves down, but not to the right.",
    ),
    Misconception(
        "image grows",
        lambda image, down, right: F.pad(image, (max(right, 0), max(-right, 0), max(down, 0), max(-down, 0))),
        "The zeros are there, but the image has grown. What crosses the border is lost.",
    ),
)


SHIFT = Function(
    id="data.5",
    title="Shifting an image",
    level=2,
    right=lambda image, down, right: shifted(image, down, right),
    cases=Cases(
        image_and_shift,
        h=range(1, 6),
        w=range(1, 6),
        down=(0, 1, -1, 2, -2),
        right=(0, 1, -1, 2, -2),
        small=25,
        large=20,
    ),
    wrong=SHIFT_WRONG,
)


# ---- 6: normalised with the training images ------------------------------------------------------------


def normalised(
    train: Tensor,
    valid: Tensor,
    *,
    by: Callable[[Tensor, Tensor], Tensor] = lambda train, valid: train,
    dims: tuple[int, ...] = (0, 2, 3),
) -> Tensor:
    """Subtract a mean and divide by a standard deviation, each of one channel of what `by` chooses."""
    chosen = by(train, valid)
    mean, std = chosen.mean(dims, keepdim=True), chosen.std(dims, keepdim=True, correction=0)
    return (valid - mean) / std


NORMALISE = Function(
    id="data.6",
    title="Normalised by the training images",
    level=2,
    right=lambda train, valid: normalised(train, valid),
    cases=Cases(
        lambda draw, n, m, c, s: (
            draw(n, c, s, s) + torch.linspace(0, 1, n * c * s * s).reshape(n, c, s, s),
            draw(m, c, s, s),
        ),
        n=range(2, 5),
        m=range(1, 4),
        c=range(1, 4),
        s=range(2, 4),
        small=15,
        large=10,
    ),
    wrong=(
        Misconception(
            "statistics of the validation images",
            lambda train, valid: normalised(train, valid, by=lambda train, valid: valid),
            "The network was trained on numbers shifted by the *training* mean. Use the same one here.",
        ),
        Misconception(
            "statistics of all images",
            lambda train, valid: normalised(train, valid, by=lambda train, valid: torch.cat([train, valid])),
            "The validation images must not have a say in what the network is trained on.",
        ),
        Misconception(
            "channels together",
            lambda train, valid: normalised(train, valid, dims=(0, 1, 2, 3)),
            "Each channel has a mean and a standard deviation of its own.",
        ),
        Misconception(
            "each pixel by itself",
            lambda train, valid: normalised(train, valid, dims=(0,)),
            "One mean for each channel: over all images, rows and columns.",
        ),
        Misconception(
            "mean only",
            lambda train, valid: valid - train.mean((0, 2, 3), keepdim=True),
            "The mean is right. Divide by the standard deviation, too.",
        ),
        Misconception(
            "variance instead of standard deviation",
            lambda train, valid: (
                (valid - train.mean((0, 2, 3), keepdim=True))
                / train.var((0, 2, 3), keepdim=True, correction=0)
            ),
            "Divide by the standard deviation, the square root of the variance.",
        ),
    ),
)


# ---- 7: folds with their share of each class ------------------------------------------------------------


def labels_and_fold(
    draw: RandomInputs, length: int, classes: int, n: int, k: int
) -> tuple[Tensor, int, int] | None:
    """Make labels in no order, and the number of a fold that exists."""
    return (4 * draw(length, low=0, high=classes - 1).long(), k, n) if k < n else None


def fold_by_counting(labels: Tensor, k: int, n: int, *, first: int = 0) -> list[int]:
    """Go through the images once, and count in each class."""
    seen: dict[int, int] = {}
    chosen = []
    for row, label in enumerate(labels.tolist()):
        if (seen.get(label, first) - k) % n == 0:
            chosen.append(row)
        seen[label] = seen.get(label, first) + 1
    return chosen


def in_blocks(labels: Tensor, k: int, n: int) -> list[int]:
    """Take the k-th of n neighbouring pieces of each class."""
    rows = [(labels == c).nonzero()[:, 0].tensor_split(n)[k] for c in set(labels.tolist())]
    return sorted(torch.cat(rows).tolist())


FOLD_WRONG = (
    Misconception(
        "not stratified",
        lambda labels, k, n: torch.arange(len(labels))[k::n],
        "Every n-th image is taken, whatever its class. Take every n-th of each class.",
    ),
    Misconception(
        "one piece instead of every n-th",
        in_blocks,
        "One piece of each class is taken. Take every n-th image of the class, beginning with its k-th.",
    ),
    Misconception(
        "ten classes only",
        lambda labels, k, n: [row for row in fold_by_counting(labels, k, n) if labels[row] < 10],
        "Images of some classes are missing: labels need not lie between 0 and 9.",
    ),
    Misconception(
        "training part",
        lambda labels, k, n: sorted(set(range(len(labels))) - set(fold_by_counting(labels, k, n))),
        "These are the images that are left for training.",
    ),
    Misconception(
        "class by class",
        lambda labels, k, n: [
            row for c in labels.unique().tolist() for row in (labels == c).nonzero()[k::n, 0].tolist()
        ],
        "The right images, but class by class. Give their numbers in rising order.",
    ),
    Misconception(
        "counted from 1",
        lambda labels, k, n: fold_by_counting(labels, k, n, first=1),
        "The first image of each class has the number 0, so it belongs to part 0.",
    ),
    Misconception(
        "one image of each class",
        lambda labels, k, n: sorted(
            row for c in labels.unique().tolist() for row in (labels == c).nonzero()[k : k + 1, 0].tolist()
        ),
        "Only one image of each class is taken. Go on with every n-th after it.",
    ),
    Misconception(
        "labels instead of numbers",
        lambda labels, k, n: labels[fold_by_counting(labels, k, n)],
        "These are the labels of the chosen images. Give the numbers of the images.",
    ),
    Misconception(
        "positions within a class",
        lambda labels, k, n: sorted(
            place for c in labels.unique().tolist() for place in range(k, int((labels == c).sum()), n)
        ),
        "These numbers count within each class. Where do the images stand among all of them?",
    ),
)


FOLD = Function(
    id="data.7",
    title="Stratified folds",
    level=3,
    right=lambda labels, k, n: fold_by_counting(labels, k, n),
    answer_description="a function that gives whole numbers",
    cases=Cases(
        labels_and_fold,
        length=range(1, 16),
        classes=range(1, 5),
        n=range(1, 5),
        k=range(4),
        small=20,
        large=30,
    ),
    wrong=FOLD_WRONG,
)


EXERCISES = (HONEST, ACCURACY, LENGTH, BATCH, SHIFT, NORMALISE, FOLD)
