"""Exercises of the chapter *Image data*."""

from __future__ import annotations

import torch
from torch import Tensor

from d2lconv.exercises._data import (
    ACCURACY_WRONG,
    BATCH_WRONG,
    LENGTH_WRONG,
    SHIFT_WRONG,
    TYPES,
    data_and_order,
    file_bytes,
    idx_header,
    image_and_shift,
    rows_of,
    scores_and_labels,
    share_of_hits,
    shifted,
)
from d2lconv.exercises.kinds import Cases, Choice, Debug, Draw, Function, Wrong

__all__ = ["EXERCISES"]


# ---- 1: which number to report ------------------------------------------------------------

HONEST = Choice(
    id="data.1",
    title="The best of twenty",
    level=1,
    right="c",
    because="the test images had no part in the choice, so no luck on them was picked.",
    wrong={
        "a": "This network was chosen for doing well on these very images, so its luck is in the number.",
        "b": "A mean of a number that is too good and an honest one is still too good.",
        "d": "Then the test images choose the network. What would be left to judge it by?",
    },
)


# ---- 2: accuracy ------------------------------------------------------------

ACCURACY = Function(
    id="data.2",
    title="Accuracy from scores",
    level=1,
    right=share_of_hits,
    wants="a function that gives a number from 0 to 1",
    cases=Cases(scores_and_labels, n=range(1, 9), c=range(2, 6), small=20, large=12),
    wrong=ACCURACY_WRONG,
)


# ---- 3: what a header tells ------------------------------------------------------------

LENGTH = Function(
    id="data.3",
    title="The length of a file from its header",
    level=2,
    right=lambda header: file_bytes(header),
    wants="a function that gives a whole number",
    cases=Cases(
        idx_header,
        lengths=[(1,), (2,), (2, 3), (3, 1, 2), (2, 28, 28), (300,), (1000, 3), (300, 28, 28), (60_000,)],
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


# ---- 6: folds with their share of each class ------------------------------------------------------------


def labels_and_fold(draw: Draw, length: int, classes: int, n: int, k: int) -> tuple[Tensor, int, int] | None:
    """Make labels in no order, and the number of a fold that exists."""
    return (draw(length, low=0, high=classes - 1).long(), k, n) if k < n else None


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
    Wrong(
        "not stratified",
        lambda labels, k, n: torch.arange(len(labels))[k::n],
        "Every n-th image is taken, whatever its class. Take every n-th of each class.",
    ),
    Wrong(
        "one piece instead of every n-th",
        in_blocks,
        "One piece of each class is taken. Take every n-th image of the class, beginning with its k-th.",
    ),
    Wrong(
        "training part",
        lambda labels, k, n: sorted(set(range(len(labels))) - set(fold_by_counting(labels, k, n))),
        "These are the images that are left for training.",
    ),
    Wrong(
        "class by class",
        lambda labels, k, n: [
            row for c in labels.unique().tolist() for row in (labels == c).nonzero()[k::n, 0].tolist()
        ],
        "The right images, but class by class. Give their numbers in rising order.",
    ),
    Wrong(
        "counted from 1",
        lambda labels, k, n: fold_by_counting(labels, k, n, first=1),
        "The first image of each class has the number 0, so it belongs to part 0.",
    ),
    Wrong(
        "one image of each class",
        lambda labels, k, n: sorted(
            row for c in labels.unique().tolist() for row in (labels == c).nonzero()[k : k + 1, 0].tolist()
        ),
        "Only one image of each class is taken. Go on with every n-th after it.",
    ),
    Wrong(
        "labels instead of numbers",
        lambda labels, k, n: labels[fold_by_counting(labels, k, n)],
        "These are the labels of the chosen images. Give the numbers of the images.",
    ),
    Wrong(
        "places within a class",
        lambda labels, k, n: sorted(
            place for c in labels.unique().tolist() for place in range(k, int((labels == c).sum()), n)
        ),
        "These numbers count within each class. Where do the images stand among all of them?",
    ),
)


FOLD = Function(
    id="data.6",
    title="Stratified folds",
    level=3,
    right=lambda labels, k, n: fold_by_counting(labels, k, n),
    wants="a function that gives whole numbers",
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

EXERCISES = (HONEST, ACCURACY, LENGTH, BATCH, SHIFT, FOLD)
