"""What right and wrong answers to the exercises of *Padding and stride* give."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv.exercises.kinds import Wrong

Pair = tuple[int, int]


# ---- 4: a fault that shows with dilation only ------------------------------------------------------------


def corr(X: Tensor, K: Tensor, s: int = 1, d: int = 1) -> Tensor:
    """Cross-correlate with PyTorch."""
    return F.conv2d(X[None, None], K[None, None], stride=s, dilation=d)[0, 0]


def span_too_long(X: Tensor, K: Tensor, s: int, d: int) -> Tensor:
    """Cross-correlate with the fault of the notebook: the kernel's span is d times its size."""
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
    Wrong(
        "dilation in the size only",
        neighbours_only,
        "The size is right now, but the window takes neighbouring cells. They should be d apart.",
    ),
    Wrong(
        "dilation left out",
        lambda X, K, s, d: corr(X, K, s),
        "The kernel is not spread at all: d has no effect any more.",
    ),
    Wrong(
        "last place left out",
        lambda X, K, s, d: corr(X, K, s, d)[:-1, :-1],
        "The last row and the last column of the output are missing. Count the places for n = 3, k = 3.",
    ),
    Wrong(
        "floor forgotten",
        lambda X, K, s, d: corr(F.pad(X, (0, s - 1, 0, s - 1)), K, s, d),
        "The last window hangs over the border. Steps that do not fit in whole are left out.",
    ),
    Wrong(
        "stride left out",
        lambda X, K, s, d: corr(X, K, 1, d),
        "The kernel moves by one cell now, and no longer by s.",
    ),
    Wrong(
        "stride applied to the input",
        stride_first,
        "You took every s-th cell of the image first. The stride moves the kernel, which sees all cells.",
    ),
    Wrong(
        "stride and dilation swapped",
        lambda X, K, s, d: corr(X, K, d, s),
        "The stride s lies between two places of the kernel, the dilation d between two of its cells.",
    ),
)


# ---- 5: TensorFlow's SAME ------------------------------------------------------------


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
    Wrong(
        "stride ignored",
        pads(lambda n, k, s, d: d * (k - 1)),
        "These are the zeros for stride 1. How many does the last window need with a larger one?",
    ),
    Wrong(
        "dilation ignored",
        pads(lambda n, k, s, d: total_zeros(n, k, s, 1)),
        "A kernel with dilation spans more cells than it has.",
    ),
    Wrong(
        "span off by one",
        pads(lambda n, k, s, d: max((math.ceil(n / s) - 1) * s + d * k - n, 0)),
        "A kernel of k cells has k - 1 distances of d between them. How many cells does that span?",
    ),
    Wrong(
        "odd zero before",
        pads(total_zeros, lambda total: (total - total // 2, total // 2)),
        "Where the number of zeros is odd, TensorFlow puts one more at the bottom and the right.",
    ),
    Wrong(
        "all zeros at the end",
        pads(total_zeros, lambda total: (0, total)),
        "There are as many zeros as needed, but half of them belong before the image.",
    ),
    Wrong(
        "total on each side",
        pads(total_zeros, lambda total: (total, total)),
        "The formula gives the total of both sides of an axis, and you added it on each.",
    ),
    Wrong(
        "outputs rounded down",
        pads(lambda n, k, s, d: max((n // s - 1) * s + d * (k - 1) + 1 - n, 0)),
        "The number of outputs is n / s rounded up, not down.",
    ),
    Wrong(
        "image cropped",
        pads(lambda n, k, s, d: (math.ceil(n / s) - 1) * s + d * (k - 1) + 1 - n),
        "With a large stride the number of zeros came out negative, and `F.pad` then cuts off cells.",
    ),
    Wrong(
        "rows and columns swapped",
        rows_and_columns_swapped,
        "`F.pad` begins with the last axis: left, right, top, bottom.",
    ),
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
    Wrong(
        "only the rest at the end",
        remainder,
        "This is what the floor drops, zeros included. Count cells of the input only; and are there gaps?",
    ),
    Wrong(
        "gaps forgotten",
        lambda n, k, s, p, d: max(remainder(n, k, s, p, d) - p, 0),
        "These are the cells after the last window. A large stride or a dilation also leaves gaps.",
    ),
    Wrong(
        "zeros counted as well",
        lambda n, k, s, p, d: unused_cells(n + 2 * p, k, s, 0, d),
        "You also counted zeros of the padding that are not used. Count the n cells of the input only.",
    ),
    Wrong(
        "gaps inside a kernel forgotten",
        lambda n, k, s, p, d: unused_cells(n, d * (k - 1) + 1, s, p, 1),
        "A kernel with dilation skips cells. Is each of them used by another window?",
    ),
    Wrong(
        "dilation ignored",
        lambda n, k, s, p, d: unused_cells(n, k, s, p, 1),
        "With dilation the kernel's cells are d apart, and fewer windows fit.",
    ),
    Wrong(
        "padding ignored",
        lambda n, k, s, p, d: unused_cells(n, k, s, 0, d) if n > d * (k - 1) else n,
        "The first window begins in the padding, p cells before the input.",
    ),
    Wrong(
        "used cells counted",
        lambda n, k, s, p, d: n - unused_cells(n, k, s, p, d),
        "These are the cells that are used. How many are left?",
    ),
)
