"""Right and wrong answers to the exercises of *Padding and stride*, each wrong one with its hint."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.shapes import conv_output_size


def layer(kernel_size, stride, padding):
    return {"kernel_size": kernel_size, "stride": stride, "padding": padding}


def by_loops(X, K, s, d, *, step=None, size=None):
    """Cross-correlate by loops; `step` apart are the cells that a window takes."""
    step = d if step is None else step
    (h, w), (k_h, k_w) = X.shape, K.shape
    rows, columns = size or ((h - d * (k_h - 1) - 1) // s + 1, (w - d * (k_w - 1) - 1) // s + 1)
    Y = torch.zeros(rows, columns)
    for r in range(rows):
        for c in range(columns):
            for u in range(k_h):
                for v in range(k_w):
                    row, column = r * s + u * step, c * s + v * step
                    if row < h and column < w:
                        Y[r, c] += K[u, v] * X[row, column]
    return Y


def by_spread_kernel(X, K, s, d):
    k_h, k_w = K.shape
    spread = torch.zeros(d * (k_h - 1) + 1, d * (k_w - 1) + 1)
    spread[::d, ::d] = K
    return F.conv2d(X[None, None], spread[None, None])[0, 0][::s, ::s]


def by_numpy(X, K, s, d):
    (k_h, k_w), X = K.shape, X.numpy()
    windows = np.lib.stride_tricks.sliding_window_view(X, (d * (k_h - 1) + 1, d * (k_w - 1) + 1))
    return (windows[::s, ::s, ::d, ::d] * K.numpy()).sum((2, 3))


def rounded_up(X, K, s, d):
    sides = zip(X.shape, K.shape, strict=True)
    return by_loops(X, K, s, d, size=tuple(-(-(n - d * (k - 1) - 1) // s) + 1 for n, k in sides))


def span_without_one(X, K, s, d):
    (h, w), (k_h, k_w) = X.shape, K.shape
    Y = torch.zeros((h - d * (k_h - 1)) // s + 1, (w - d * (k_w - 1)) // s + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            Y[r, c] = (X[r * s :: d, c * s :: d][:k_h, :k_w] * K).sum()
    return Y


def zeros_along(n, k, s, d):
    m = -(-n // s)
    total = max((m - 1) * s + d * (k - 1) + 1 - n, 0)
    return total // 2, total - total // 2


def padded(along):
    """Make an answer from the zeros along an axis, written into a larger image."""

    def same_pad(X, kernel_size, stride, dilation):
        (h, w) = X.shape
        top, bottom = along(h, kernel_size[0], stride[0], dilation[0])
        left, right = along(w, kernel_size[1], stride[1], dilation[1])
        Y = torch.zeros(top + h + bottom, left + w + right)
        Y[top : top + h, left : left + w] = X
        return Y

    return same_pad


def same_by_f_pad(X, kernel_size, stride, dilation):
    sides = []
    for axis in (1, 0):
        sides += zeros_along(X.shape[axis], kernel_size[axis], stride[axis], dilation[axis])
    return F.pad(X, sides)


def same_by_numpy(X, kernel_size, stride, dilation):
    axes = zip(X.shape, kernel_size, stride, dilation, strict=True)
    return np.pad(X.numpy(), [zeros_along(*axis) for axis in axes])


def same_cropped(X, kernel_size, stride, dilation):
    sides = []
    for n, k, s, d in list(zip(X.shape, kernel_size, stride, dilation, strict=True))[::-1]:
        total = (-(-n // s) - 1) * s + d * (k - 1) + 1 - n
        sides += [total // 2, total - total // 2]
    return F.pad(X, sides)


def same_in_wrong_order(X, kernel_size, stride, dilation):
    axes = zip(X.shape, kernel_size, stride, dilation, strict=True)
    (top, bottom), (left, right) = (zeros_along(*axis) for axis in axes)
    return F.pad(X, (top, bottom, left, right))


def swapped_halves(n, k, s, d):
    return zeros_along(n, k, s, d)[::-1]


def floor_of_outputs(n, k, s, d):
    total = max((n // s - 1) * s + d * (k - 1) + 1 - n, 0)
    return total // 2, total - total // 2


def span_of_d_k(n, k, s, d):
    total = max((-(-n // s) - 1) * s + d * k - n, 0)
    return total // 2, total - total // 2


def stride_one(n, k, s, d):
    return d * (k - 1) // 2, d * (k - 1) - d * (k - 1) // 2


def used_places(n, k, s, p, d):
    """Return the set of input cells, from 0, that windows use; places in the padding are negative or >= n."""
    windows = (n + 2 * p - d * (k - 1) - 1) // s + 1
    return {i * s + j * d - p for i in range(windows) for j in range(k)}


def unused_by_sets(n, k, s, p, d):
    return len(set(range(n)) - used_places(n, k, s, p, d))


def unused_by_marks(n, k, s, p, d):
    marks = torch.zeros(n + 2 * p)
    start = 0
    while start + d * (k - 1) < len(marks):
        marks[start : start + d * (k - 1) + 1 : d] = 1
        start += s
    return (marks[p : p + n] == 0).sum()


def unused_by_numbered_cells(n, k, s, p, d):
    cells = F.pad(torch.arange(1.0, n + 1), (p, p))[None, None]
    windows = F.unfold(cells[:, :, None], (1, k), dilation=(1, d), stride=(1, s))
    return n - len(set(windows.flatten().tolist()) - {0.0})


def filled_windows(n, k, s, p, d):
    span = d * (k - 1) + 1
    covered = {i - p + j for i in range(0, n + 2 * p - span + 1, s) for j in range(span)}
    return len(set(range(n)) - covered)


def rest(n, k, s, p, d):
    windows = conv_output_size(n, k, stride=s, padding=p, dilation=d)
    return n + 2 * p - ((windows - 1) * s + d * (k - 1) + 1)


RIGHT = {
    "padding_stride.1": [
        (32, 46),
        [32, 46],
        torch.tensor([32, 46]),
        torch.Size([32, 46]),
        {"height": 32, "width": 46},
    ],
    "padding_stride.2": ["c", " C"],
    "padding_stride.3": [
        layer(3, 2, 0),
        layer(5, 2, 1),
        (7, 2, 2),
        nn.Conv2d(1, 1, 3, stride=2),
        nn.Conv1d(1, 1, 9, stride=2, padding=3),
    ],
    "padding_stride.4": [
        by_loops,
        by_spread_kernel,
        by_numpy,
        lambda X, K, s, d: ops.corr2d(X, K, stride=s, dilation=d),
        lambda X, K, s, d: F.conv2d(X[None, None].double(), K[None, None].double(), None, s, 0, d)[0, 0],
    ],
    "padding_stride.5": [padded(zeros_along), same_by_f_pad, same_by_numpy],
    "padding_stride.6": [
        unused_by_sets,
        unused_by_marks,
        unused_by_numbered_cells,
        lambda n, k, s, p, d: float(unused_by_sets(n, k, s, p, d)),
    ],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "padding_stride.1": [
        ("not rounded", ((64 + 4 - 5) / 2 + 1, 46)),
        ("stride swapped", [64, 23]),
        ("height and width swapped", (46, 32)),
        ("padding counted once", ((64 + 2 - 5) // 2 + 1, 46)),
        ("padding forgotten", ((64 - 5) // 2 + 1, 46)),
        ("padding on all four sides", (32, 48 + 4 - 3 + 1)),
        ("rounded up", (-(-(64 + 4 - 5) // 2) + 1, 46)),
        ("first position not counted", ((64 + 4 - 5) // 2, 48 - 3)),
        ("stride on both axes", (32, (48 - 3) // 2 + 1)),
        ("stride forgotten", (64 + 4 - 5 + 1, 46)),
        ("kernel's sides swapped", ((64 + 4 - 3) // 2 + 1, 48 - 5 + 1)),
        ("all settings swapped", (64 - 5 + 1, (48 + 4 - 3) // 2 + 1)),
        ("number of axes", [[32, 46]]),
        ("wrong kind", "32 × 46"),
    ],
    "padding_stride.2": [("a", "a"), ("b", "b"), ("d", "D"), ("wrong kind", "e"), ("wrong kind", (1, 2))],
    "padding_stride.3": [
        ("half, rounded up", layer(3, 2, 1)),
        ("half, rounded up", nn.Conv2d(1, 1, 5, stride=2, padding=2)),
        ("half, rounded down", layer(2, 2, 0)),
        ("half, rounded down", layer(4, 2, 1)),
        ("odd size does not fit", layer(4, 2, 0)),
        ("too little padding", layer(5, 2, 0)),
        ("too little padding", layer(7, 2, 1)),
        ("stride of one", layer(3, 1, 0)),
        ("size unchanged", layer(3, 1, 1)),
        ("stride too large", layer(3, 3, 0)),
        ("error", layer(300, 2, 0)),
        ("wrong kind", layer(3, 0, 0)),
        ("wrong kind", (3, 2)),
        ("wrong kind", {"kernel": 3, "stride": 2, "padding": 0}),
    ],
    "padding_stride.4": [
        ("dilation in the size only", lambda X, K, s, d: by_loops(X, K, s, d, step=1)),
        ("dilation left out", lambda X, K, s, d: by_loops(X, K, s, 1)),
        ("last position left out", lambda X, K, s, d: by_spread_kernel(X, K, s, d)[:-1, :-1]),
        ("floor forgotten", rounded_up),
        ("stride left out", lambda X, K, s, d: by_spread_kernel(X, K, 1, d)),
        ("stride applied to the input", lambda X, K, s, d: by_loops(X[::s, ::s], K, 1, d)),
        ("stride and dilation swapped", lambda X, K, s, d: by_numpy(X, K, d, s)),
        ("off by one", span_without_one),
        ("transposed", lambda X, K, s, d: by_numpy(X, K, s, d).T),
        ("nothing returned", lambda X, K, s, d: print(by_numpy(X, K, s, d))),
        ("arguments", lambda X, K, s: by_numpy(X, K, s, 1)),
    ],
    "padding_stride.5": [
        ("stride ignored", padded(stride_one)),
        ("dilation ignored", padded(lambda n, k, s, d: zeros_along(n, k, s, 1))),
        ("effective size off by one", padded(span_of_d_k)),
        ("odd zero before", padded(swapped_halves)),
        ("all zeros at the end", padded(lambda n, k, s, d: (0, sum(zeros_along(n, k, s, d))))),
        ("total on each side", padded(lambda n, k, s, d: (sum(zeros_along(n, k, s, d)),) * 2)),
        ("outputs rounded down", padded(floor_of_outputs)),
        ("image cropped", same_cropped),
        ("rows and columns swapped", same_in_wrong_order),
        ("wrong kind", torch.zeros(3, 3)),
        ("nothing returned", lambda X, kernel_size, stride, dilation: print(X)),
    ],
    "padding_stride.6": [
        (
            "zeros counted as used",
            lambda n, k, s, p, d: (
                n - len({w + d * j for w in range(0, n + 2 * p - d * (k - 1), s) for j in range(k)})
            ),
        ),
        ("only the rest at the end", rest),
        ("gaps forgotten", lambda n, k, s, p, d: max(0, rest(n, k, s, p, d) - p)),
        ("zeros counted as well", lambda n, k, s, p, d: unused_by_sets(n + 2 * p, k, s, 0, d)),
        ("gaps inside a kernel forgotten", filled_windows),
        ("dilation ignored", lambda n, k, s, p, d: unused_by_marks(n, k, s, p, 1)),
        ("padding ignored", lambda n, k, s, p, d: unused_by_marks(n, k, s, 0, d)),
        ("used cells counted", lambda n, k, s, p, d: len(used_places(n, k, s, p, d) & set(range(n)))),
        ("nothing lost", lambda n, k, s, p, d: 0),
        ("wrong kind", 2),
    ],
}  # fmt: skip
