"""Exercises of the chapter *Padding and stride*."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv.exercises._padding_stride import (
    DILATED_WRONG,
    SAME_WRONG,
    UNUSED_WRONG,
    corr,
    same_pad,
    span_too_long,
    unused_cells,
)
from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Debug,
    Draw,
    Function,
    Setting,
    Value,
    Wrong,
    numbers_named,
)

__all__ = ["EXERCISES"]

# ---- 1: a size, where nothing is square ------------------------------------------------------------

PREDICT = Value(
    id="padding_stride.1",
    title="Two sides, two rules",
    level=1,
    right=lambda: F.conv2d(torch.zeros(1, 1, 64, 48), torch.zeros(1, 1, 5, 3), None, (2, 1), (2, 0)).shape[
        2:
    ],
    parts=("height", "width"),
    wants="two whole numbers, (height, width)",
    wrong=(
        Wrong("height and width swapped", (46, 32), "Both numbers are right, but the height comes first."),
        Wrong(
            "padding counted once",
            (31, 46),
            "Padding is counted per side, and the image has both a top and a bottom.",
        ),
        Wrong("padding forgotten", (30, 46), "The kernel may hang over the top and the bottom by two rows."),
        Wrong(
            "padding on all four sides",
            (32, 50),
            "The height is right. Are there zeros at the left and the right?",
        ),
        Wrong("rounded up", (33, 46), "The last step must fit in whole: round down, not up."),
        Wrong(
            "first place not counted",
            (31, 45),
            "You counted the kernel's steps. It has one more place than steps.",
        ),
        Wrong(
            "stride on both axes",
            (32, 23),
            "The height is right. The second number of the stride belongs to the width.",
        ),
        Wrong("stride forgotten", (64, 46), "The kernel moves down by two rows at a time."),
        Wrong(
            "kernel's sides swapped",
            (33, 44),
            "The kernel's first number is its height. It has five rows and three columns.",
        ),
        Wrong("all settings swapped", (60, 25), "The first number of each pair belongs to the height."),
    ),
)


# ---- 2: an even kernel ------------------------------------------------------------

EVEN = Choice(
    id="padding_stride.2",
    title="Keep the size with an even kernel",
    level=1,
    right="c",
    because="an axis needs 3 zeros, and only a lopsided border has an odd number of them.",
    wrong={
        "a": "Two zeros on each side are four along an axis: 28 + 4 - 4 + 1 cells, one too many.",
        "b": "In PyTorch a pair is the height's padding and the width's, each per side. "
        "This gives 27 rows and 29 columns.",
        "d": "One zero on each side makes two along an axis: 28 + 2 - 4 + 1 cells, one too few.",
    },
)


# ---- 3: what a paper leaves out ------------------------------------------------------------

_read_numbers = numbers_named("kernel_size", "stride", "padding")


def read_layer(answer: object) -> dict[str, int]:
    """Read the three numbers of a layer that has a kernel and moves."""
    setting = _read_numbers(answer)
    for name in ("kernel_size", "stride"):
        if setting[name] < 1:
            raise ValueError(f"{name} should be at least 1, you gave {setting[name]}")
    return setting


def size_by_layer(setting: dict[str, int], n: int) -> int:
    """Return the size that PyTorch gives."""
    signal = torch.empty(1, 1, n, device="meta")
    kernel = torch.empty(1, 1, setting["kernel_size"], device="meta")
    return F.conv1d(signal, kernel, stride=setting["stride"], padding=setting["padding"]).shape[-1]


def half(lost: int) -> Callable[[int], int]:
    """Make a function that gives the size under stride 2 if kernel minus all padding is `lost`."""
    return lambda n: (n - lost) // 2 + 1


PAPER = Setting(
    id="padding_stride.3",
    title="What a paper leaves out",
    level=2,
    wants="a dict with kernel_size, stride and padding",
    read=read_layer,
    use=size_by_layer,
    right=lambda n: {97: 48, 112: 55, 224: 111}[n],
    cases=Cases(lambda draw, n: (n,), n=(97, 112, 224)),
    wrong=(
        Wrong(
            "half, rounded up",
            half(1),
            "This halves the sizes, and rounds up. The paper's maps are smaller by one: less padding.",
        ),
        Wrong(
            "half, rounded down",
            half(2),
            "Only the odd size fits. Kernel minus padding at both sides must be larger by one.",
        ),
        Wrong(
            "odd size does not fit",
            half(4),
            "The even sizes fit, the floor hides a difference there. For 97 you lose one cell too many.",
        ),
        Wrong(
            "too little padding",
            half(5),
            "The stride is right, but all maps are too small by one. What makes them larger?",
        ),
        Wrong("stride of one", lambda n: n - 2, "The maps are about half as large. Which number does that?"),
        Wrong(
            "size unchanged",
            lambda n: n,
            "The layer keeps the size. The paper's maps are about half as large.",
        ),
        Wrong(
            "stride too large",
            lambda n: (n - 3) // 3 + 1,
            "The maps are about half as large as the images, yours are only a third.",
        ),
    ),
)


# ---- 4: a fault that shows with dilation only ------------------------------------------------------------


def dilated_case(
    draw: Draw, h: int, w: int, k_h: int, k_w: int, s: int, d: int
) -> tuple[Tensor, Tensor, int, int] | None:
    """Make an image and a kernel that fits into it when it is spread."""
    fits = d * (k_h - 1) < h and d * (k_w - 1) < w
    return (draw(h, w), draw(k_h, k_w), s, d) if fits else None


DILATED = Debug(
    id="padding_stride.4",
    title="Right without dilation",
    level=2,
    right=lambda X, K, s, d: corr(X, K, s, d),
    given=span_too_long,
    cases=Cases(
        dilated_case,
        h=range(1, 9),
        w=range(1, 9),
        k_h=range(1, 4),
        k_w=range(1, 4),
        s=range(1, 4),
        d=range(1, 4),
        small=20,
        large=30,
    ),
    wrong=DILATED_WRONG,
)


# ---- 5: TensorFlow's SAME ------------------------------------------------------------


SAME = Function(
    id="padding_stride.5",
    title="SAME with a stride",
    level=3,
    right=same_pad,
    cases=Cases(
        lambda draw, h, w, k_h, k_w, s_h, s_w, d_h, d_w: (draw(h, w), (k_h, k_w), (s_h, s_w), (d_h, d_w)),
        h=range(1, 9),
        w=range(1, 9),
        k_h=range(1, 6),
        k_w=range(1, 6),
        s_h=range(1, 5),
        s_w=range(1, 5),
        d_h=range(1, 4),
        d_w=range(1, 4),
        small=20,
        large=30,
    ),
    wrong=SAME_WRONG,
)


# ---- 6: cells that no window uses ------------------------------------------------------------


UNUSED = Function(
    id="padding_stride.6",
    title="Cells that no window uses",
    level=3,
    kind="count",
    right=unused_cells,
    cases=Cases(
        lambda draw, n, k, s, p, d: (n, k, s, p, d) if n + 2 * p > d * (k - 1) >= p else None,
        n=range(1, 13),
        k=range(1, 5),
        s=range(1, 5),
        p=range(3),
        d=range(1, 4),
        small=25,
        large=30,
    ),
    wrong=UNUSED_WRONG,
)

EXERCISES = (PREDICT, EVEN, PAPER, DILATED, SAME, UNUSED)
