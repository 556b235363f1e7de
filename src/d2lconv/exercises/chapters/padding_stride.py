"""Exercises of the chapter *Padding and stride*."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Debug,
    Function,
    Misconception,
    RandomInputs,
    Setting,
    Value,
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
    answer_description="two whole numbers, (height, width)",
    wrong=(
        Misconception(
            "height and width swapped", (46, 32), "Both numbers are right, but the height comes first."
        ),
        Misconception(
            "padding counted once",
            (31, 46),
            "Padding is counted per side, and the image has both a top and a bottom.",
        ),
        Misconception(
            "padding forgotten", (30, 46), "The kernel may hang over the top and the bottom by two rows."
        ),
        Misconception(
            "padding on all four sides",
            (32, 50),
            "The height is right. Are there zeros at the left and the right?",
        ),
        Misconception("rounded up", (33, 46), "The last step must fit in whole: round down, not up."),
        Misconception(
            "first position not counted",
            (31, 45),
            "You counted the kernel's steps. It has one more position than steps.",
        ),
        Misconception(
            "stride on both axes",
            (32, 23),
            "The height is right. The second number of the stride belongs to the width.",
        ),
        Misconception("stride forgotten", (64, 46), "The kernel moves down by two rows at a time."),
        Misconception(
            "kernel's sides swapped",
            (33, 44),
            "The kernel's first number is its height. It has five rows and three columns.",
        ),
        Misconception(
            "all settings swapped", (60, 25), "The first number of each pair belongs to the height."
        ),
        Misconception(
            "not rounded",
            (32.5, 46),
            "An output has whole rows. The last step must fit in whole: round down.",
        ),
        Misconception(
            "stride swapped",
            (64, 23),
            "The stride's first number belongs to the height: two rows at a time, and one column.",
        ),
    ),
)


# ---- 2: an even kernel ------------------------------------------------------------


EVEN = Choice(
    id="padding_stride.2",
    title="Keep the size with an even kernel",
    level=1,
    right="c",
    because="an axis needs 3 zeros, and only an asymmetric border has an odd number of them.",
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
    answer_description="a dict with kernel_size, stride and padding",
    read=read_layer,
    use=size_by_layer,
    right=lambda n: {97: 48, 112: 55, 224: 111}[n],
    cases=Cases(lambda draw, n: (n,), n=(97, 112, 224)),
    wrong=(
        Misconception(
            "half, rounded up",
            half(1),
            "This halves the sizes, and rounds up. The paper's maps are smaller by one: less padding.",
        ),
        Misconception(
            "half, rounded down",
            half(2),
            "Only 97 fits. Kernel minus padding at both sides must be larger by one.",
        ),
        Misconception(
            "odd size does not fit",
            half(4),
            "The even sizes fit, the floor hides a difference there. For 97 you lose one cell too many.",
        ),
        Misconception(
            "too little padding",
            half(5),
            "The stride is right, but all maps are too small by one. What makes them larger?",
        ),
        Misconception(
            "stride of one", lambda n: n - 2, "The maps are about half as large. Which number does that?"
        ),
        Misconception(
            "size unchanged",
            lambda n: n,
            "The layer keeps the size. The paper's maps are about half as large.",
        ),
        Misconception(
            "stride too large",
            lambda n: (n - 3) // 3 + 1,
            "The maps are about half as large as the images, yours are only a third.",
        ),
    ),
)


# ---- 4: a fault that shows with dilation only ------------------------------------------------------------


def dilated_case(
    draw: RandomInputs, h: int, w: int, k_h: int, k_w: int, s: int, d: int
) -> tuple[Tensor, Tensor, int, int] | None:
    """Make an image and a kernel that fits into it when it is spread."""
    fits = d * (k_h - 1) < h and d * (k_w - 1) < w
    return (draw(h, w), draw(k_h, k_w), s, d) if fits else None


def corr(X: Tensor, K: Tensor, s: int = 1, d: int = 1) -> Tensor:
    """Cross-correlate with PyTorch."""
    return F.conv2d(X[None, None], K[None, None], stride=s, dilation=d)[0, 0]


def too_large(X: Tensor, K: Tensor, s: int, d: int) -> Tensor:
    """Cross-correlate with the fault of the notebook: an effective kernel size of d times k."""
    (h, w), (k_h, k_w) = X.shape, K.shape
    Y = torch.zeros((h - d * k_h) // s + 1, (w - d * k_w) // s + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            window = X[r * s : r * s + d * k_h : d, c * s : c * s + d * k_w : d]
            Y[r, c] = (window * K).sum()
    return Y


def neighbours_only(X: Tensor, K: Tensor, s: int, d: int) -> Tensor:
    """Cross-correlate with a kernel that is not spread, in an output of the right size."""
    rows, columns = corr(X, K, s, d).shape
    return corr(X, K, s)[:rows, :columns]


def stride_first(X: Tensor, K: Tensor, s: int, d: int) -> Tensor:
    """Cross-correlate every s-th cell of the image; nothing where the kernel does not fit into those."""
    X = X[::s, ::s]
    sizes = [max(n - d * (k - 1), 0) for n, k in zip(X.shape, K.shape, strict=True)]
    return corr(X, K, 1, d) if all(sizes) else torch.zeros(sizes)


DILATED_WRONG = (
    Misconception(
        "dilation in the size only",
        neighbours_only,
        "The size is right now, but the window takes neighbouring cells. They should be d apart.",
    ),
    Misconception(
        "dilation left out",
        lambda X, K, s, d: corr(X, K, s),
        "The kernel is not spread at all: d has no effect any more.",
    ),
    Misconception(
        "last position left out",
        lambda X, K, s, d: corr(X, K, s, d)[:-1, :-1],
        "The last row and the last column of the output are missing. Count the positions for n = 3, k = 3.",
    ),
    Misconception(
        "floor forgotten",
        lambda X, K, s, d: corr(F.pad(X, (0, s - 1, 0, s - 1)), K, s, d),
        "The last window hangs over the border. Steps that do not fit in whole are left out.",
    ),
    Misconception(
        "stride left out",
        lambda X, K, s, d: corr(X, K, 1, d),
        "The kernel moves by one cell now, and no longer by s.",
    ),
    Misconception(
        "stride applied to the input",
        stride_first,
        "You took every s-th cell of the image first. The stride moves the kernel, which sees all cells.",
    ),
    Misconception(
        "stride and dilation swapped",
        lambda X, K, s, d: corr(X, K, d, s),
        "The stride s lies between two positions of the kernel, the dilation d between two of its cells.",
    ),
)


DILATED = Debug(
    id="padding_stride.4",
    title="Right without dilation",
    level=2,
    right=lambda X, K, s, d: corr(X, K, s, d),
    given=too_large,
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


Pair = tuple[int, int]


def total_zeros(n: int, k: int, s: int, d: int) -> int:
    """Search for the fewest zeros along an axis with which there are n / s outputs, rounded up."""
    total = 0
    while len(range(0, n + total - d * (k - 1), s)) < math.ceil(n / s):
        total += 1
    return total


def two_halves(total: int) -> Pair:
    """Give the odd zero to the end."""
    return total // 2, total - total // 2


def pads(
    count: Callable[[int, int, int, int], int], split: Callable[[int], Pair] = two_halves
) -> Callable[..., Tensor]:
    """Make a function that pads an image, from the zeros along an axis and how they are split."""

    def pad(X: Tensor, kernel_size: Pair, stride: Pair, dilation: Pair) -> Tensor:
        rows, columns = (
            split(count(*axis)) for axis in zip(X.shape, kernel_size, stride, dilation, strict=True)
        )
        return F.pad(X, (*columns, *rows))

    return pad


def rows_and_columns_swapped(X: Tensor, kernel_size: Pair, stride: Pair, dilation: Pair) -> Tensor:
    """Pad with the zeros of the rows at the left and right."""
    rows, columns = (
        two_halves(total_zeros(*axis)) for axis in zip(X.shape, kernel_size, stride, dilation, strict=True)
    )
    return F.pad(X, (*rows, *columns))


same_pad = pads(total_zeros)


SAME_WRONG = (
    Misconception(
        "stride ignored",
        pads(lambda n, k, s, d: d * (k - 1)),
        "These are the zeros for stride 1. How many does the last window need with a larger one?",
    ),
    Misconception(
        "dilation ignored",
        pads(lambda n, k, s, d: total_zeros(n, k, s, 1)),
        "A kernel with dilation covers more cells than it has.",
    ),
    Misconception(
        "effective size off by one",
        pads(lambda n, k, s, d: max((math.ceil(n / s) - 1) * s + d * k - n, 0)),
        "A kernel of k cells has k - 1 distances of d between them. How many cells does it cover?",
    ),
    Misconception(
        "odd zero before",
        pads(total_zeros, lambda total: (total - total // 2, total // 2)),
        "Where the number of zeros is odd, TensorFlow puts one more at the bottom and the right.",
    ),
    Misconception(
        "all zeros at the end",
        pads(total_zeros, lambda total: (0, total)),
        "There are as many zeros as needed, but half of them belong before the image.",
    ),
    Misconception(
        "total on each side",
        pads(total_zeros, lambda total: (total, total)),
        "The formula gives the total of both sides of an axis, and you added it on each.",
    ),
    Misconception(
        "outputs rounded down",
        pads(lambda n, k, s, d: max((n // s - 1) * s + d * (k - 1) + 1 - n, 0)),
        "The number of outputs is n / s rounded up, not down.",
    ),
    Misconception(
        "image cropped",
        pads(lambda n, k, s, d: (math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n),
        "With a large stride the number of zeros came out negative, and `F.pad` then cuts off cells.",
    ),
    Misconception(
        "rows and columns swapped",
        rows_and_columns_swapped,
        "`F.pad` begins with the last axis: left, right, top, bottom.",
    ),
)


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


def unused_cells(n: int, k: int, s: int, p: int, d: int) -> int:
    """Count the cells by which the outputs have no gradient."""
    signal = torch.zeros(1, 1, n, requires_grad=True)
    outputs = F.conv1d(signal, torch.ones(1, 1, k), stride=s, padding=p, dilation=d)
    (gradient,) = torch.autograd.grad(outputs.sum(), signal)
    return int((gradient == 0).sum())


def remainder(n: int, k: int, s: int, p: int, d: int) -> int:
    """Count the cells after the last window, zeros included."""
    return (n + 2 * p - d * (k - 1) - 1) % s


UNUSED_WRONG = (
    Misconception(
        "nothing lost",
        lambda n, k, s, p, d: 0,
        "Some cells are lost: between windows, between the kernel's cells, and behind the last window.",
    ),
    Misconception(
        "only the rest at the end",
        remainder,
        "This is what the floor drops, zeros included. Count cells of the input only; and are there gaps?",
    ),
    Misconception(
        "gaps forgotten",
        lambda n, k, s, p, d: max(remainder(n, k, s, p, d) - p, 0),
        "These are the cells after the last window. A large stride or a dilation also leaves gaps.",
    ),
    Misconception(
        "zeros counted as well",
        lambda n, k, s, p, d: unused_cells(n + 2 * p, k, s, 0, d),
        "You also counted zeros of the padding that are not used. Count the n cells of the input only.",
    ),
    Misconception(
        "gaps inside a kernel forgotten",
        lambda n, k, s, p, d: unused_cells(n, d * (k - 1) + 1, s, p, 1),
        "A kernel with dilation skips cells. Is each of them used by another window?",
    ),
    Misconception(
        "dilation ignored",
        lambda n, k, s, p, d: unused_cells(n, k, s, p, 1),
        "With dilation the kernel's cells are d apart, and fewer windows fit.",
    ),
    Misconception(
        "padding ignored",
        lambda n, k, s, p, d: unused_cells(n, k, s, 0, d) if n > d * (k - 1) else n,
        "The first window begins in the padding, p cells before the input.",
    ),
    Misconception(
        "zeros counted as used",
        lambda n, k, s, p, d: unused_cells(n + 2 * p, k, s, 0, d) - 2 * p,
        "You took the used zeros of the padding away from the `n` cells, too. Only cells of the input count.",
    ),
    Misconception(
        "used cells counted",
        lambda n, k, s, p, d: n - unused_cells(n, k, s, p, d),
        "These are the cells that are used. How many are left?",
    ),
)


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
