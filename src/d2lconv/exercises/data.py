"""Exercises of the chapter *Image data*."""

from __future__ import annotations

import torch
from torch import Tensor

from d2lconv.exercises._data import (
    ACCURACY_WRONG,
    BATCH_WRONG,
    FOLD_WRONG,
    LENGTH_WRONG,
    SHIFT_WRONG,
    TYPES,
    data_and_order,
    file_bytes,
    fold_by_counting,
    idx_header,
    image_and_shift,
    labels_and_fold,
    rows_of,
    scores_and_labels,
    share_of_hits,
    shifted,
)
from d2lconv.exercises.kinds import Cases, Choice, Debug, Function

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
