"""Right and wrong answers to the exercises of *Pooling*, each wrong one with the hint it must get."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.shapes import pool_output_size


def max_by_loops(X, k, padding, fill=-math.inf, stride=None):
    stride = stride or k
    padded = F.pad(X, (padding,) * 4, value=fill)
    rows = range(0, padded.shape[1] - k + 1, stride)
    columns = range(0, padded.shape[2] - k + 1, stride)
    return [[[float(x[r : r + k, c : c + k].max()) for c in columns] for r in rows] for x in padded]


def max_by_unfold(X, k, padding):
    padded = F.pad(X, (padding,) * 4, value=-math.inf)
    return padded.unfold(1, k, k).unfold(2, k, k).amax((3, 4))


def max_by_numpy(X, k, padding):
    padded = np.pad(X.numpy(), ((0, 0), (padding, padding), (padding, padding)), constant_values=-np.inf)
    windows = np.lib.stride_tricks.sliding_window_view(padded, (k, k), axis=(1, 2))
    return windows[:, ::k, ::k].max((3, 4))


def as_tensor(X, k, padding):
    return torch.tensor(max_by_loops(X, k, padding))


def windows_of(X, k, padding):
    """Pad with NaN, so that the padding can be told from zeros."""
    return F.pad(X, (padding,) * 4, value=math.nan).unfold(0, k, 1).unfold(1, k, 1).flatten(2)


def mean_by_loops(X, k, padding):
    (h, w), p = X.shape, padding
    return [
        [float(X[max(r, 0) : r + k, max(c, 0) : c + k].mean()) for c in range(-p, w + p - k + 1)]
        for r in range(-p, h + p - k + 1)
    ]


def mean_by_convolution(X, k, padding):
    ones = torch.ones(1, 1, k, k)
    total = F.conv2d(X[None, None], ones, padding=padding)
    return (total / F.conv2d(torch.ones_like(X)[None, None], ones, padding=padding))[0, 0]


def mean_as_given(X, k, padding):
    return windows_of(X, k, padding).nan_to_num(0).mean(2)


def zeros_not_counted(X, k, padding):
    windows = windows_of(X, k, padding).nan_to_num(0)
    return windows.sum(2) / (windows != 0).sum(2).clamp(min=1)


def border_repeated(X, k, padding):
    padded = np.pad(X.numpy(), padding, mode="edge")
    return np.lib.stride_tricks.sliding_window_view(padded, (k, k)).mean((2, 3))


def size_by_steps(n, kernel_size, stride, padding, ceil_mode):
    """Move the window along and look whether it counts."""
    count, start = 0, -padding
    while start + kernel_size <= n + padding or (
        ceil_mode and start < n and start - stride + kernel_size < n + padding
    ):
        count, start = count + 1, start + stride
    return count


def size_by_formula(n, kernel_size, stride, padding, ceil_mode):
    steps = (n + 2 * padding - kernel_size) / stride
    size = (math.ceil(steps) if ceil_mode else math.floor(steps)) + 1
    return size - 1 if (size - 1) * stride >= n + padding else size


def without_padding(n, kernel_size, stride, padding, ceil_mode):
    size = size_by_formula(n, kernel_size, stride, padding, ceil_mode)
    return size - 1 if ceil_mode and (size - 1) * stride >= n else size


def rounding(round_up, round_down=math.floor, plus=1):
    """Make a formula without the exception, which rounds so with ceil_mode and so without."""

    def size(n, kernel_size, stride, padding, ceil_mode):
        steps = (n + 2 * padding - kernel_size) / stride
        return (round_up if ceil_mode else round_down)(steps) + plus

    return size


def sized(**change):
    """Make a function that takes some setting for another one."""

    def size(n, kernel_size, stride, padding, ceil_mode):
        known = {"k": kernel_size, "n": n}
        settings = {"stride": stride, "padding": padding, "ceil_mode": ceil_mode}
        settings.update({name: known.get(value, value) for name, value in change.items()})
        return pool_output_size(n, kernel_size, **settings)

    return size


def network(*head, channels=8):
    return nn.Sequential(nn.Conv2d(1, channels, 3, padding=1), nn.ReLU(), *head)


class Global(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Conv2d(1, 16, 3, stride=2)
        self.classes = nn.Linear(16, 10)

    def forward(self, X):
        return self.classes(self.features(X).relu().amax(dim=(2, 3)))


def last_as_maps():
    return network(nn.MaxPool2d(2), nn.Conv2d(8, 10, 3), nn.AdaptiveAvgPool2d(1), nn.Flatten())


def max_backward(X, k, G, *, fill=None, last=False):
    made = np.zeros(X.shape)
    for r, c in np.ndindex(*G.shape):
        rows, columns = slice(r * k, r * k + k), slice(c * k, c * k + k)
        window = np.asarray(X[rows, columns])
        if fill is None:
            hits = np.flatnonzero(window == window.max())
            cell = np.unravel_index(hits[-1 if last else 0], window.shape)
            made[rows, columns][cell] = G[r, c]
        else:
            made[rows, columns] = fill(window, float(G[r, c]))
    return made


RIGHT = {
    "pooling.1": [[[-3, -2], [-4, -1]], torch.tensor([[-3.0, -2], [-4, -1]]), np.array([[-3, -2], [-4, -1]])],
    "pooling.2": ["a", "A "],
    "pooling.3": [
        max_by_loops,
        max_by_unfold,
        max_by_numpy,
    ],
    "pooling.4": [
        mean_by_loops,
        mean_by_convolution,
        lambda X, k, padding: windows_of(X, k, padding).nanmean(2),
        lambda X, k, padding: ops.avg_pool2d(X[None], k, 1, padding, count_include_pad=False)[0],
    ],
    "pooling.5": [size_by_steps, size_by_formula, sized()],
    "pooling.6": [
        lambda: network(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(8, 10)),
        network(nn.AdaptiveMaxPool2d((1, 1)), nn.Flatten(), nn.Linear(8, 10)),
        Global, Global(), last_as_maps,
    ],
    "pooling.7": [max_backward, lambda X, k, G: max_backward(X.numpy(), k, G.numpy())],
}  # fmt: skip

WRONG = {
    "pooling.1": [
        ("zeros padded", [[0, 0], [0, 0]]),
        ("stride of one", [[-3, -3, -2, -2], [-3, -3, -2, -2], [-4, -4, -1, -1], [-4, -4, -1, -1]]),
        ("mirrored", [[-4, -1], [-3, -2]]),
        ("padding forgotten", [[-3]]),
        ("mean instead of maximum", [[-5.5, -6], [-6.75, -5.5]]),
        ("largest without its sign", [[-8, -9], [-9, -8]]),
        ("signs dropped", [[3, 2], [4, 1]]),
        ("transposed", [[-3, -4], [-2, -1]]),
        ("wrong kind", "minus 3"),
    ],
    "pooling.2": [("c", "c"), ("b", "B"), ("d", "d"), ("wrong kind", "e"), ("wrong kind", 0.5)],
    "pooling.3": [
        ("forbidden function", lambda X, k, padding: ops.max_pool2d(X, k, padding=padding)),
        ("forbidden function", lambda X, k, padding: nn.MaxPool2d(k, k, padding)(X)),
        ("forbidden function", lambda X, k, padding: F.max_pool2d(X, k, padding=padding)),
        ("zeros padded", lambda X, k, padding: max_by_loops(X, k, padding, fill=0)),
        ("stride of one", lambda X, k, padding: max_by_loops(X, k, padding, stride=1)),
        (
            "mean instead of maximum",
            lambda X, k, padding: F.pad(X, (padding,) * 4).unfold(1, k, k).unfold(2, k, k).mean((3, 4)),
        ),
        ("channels summed", lambda X, k, padding: as_tensor(X, k, padding).sum(0)[None]),
        ("maximum over channels", lambda X, k, padding: as_tensor(X, k, padding).max(0).values[None]),
        ("padding forgotten", lambda X, k, padding: ops.max_pool2d(X, k)),
        (
            "padding on one side",
            lambda X, k, padding: F.max_pool2d(F.pad(X, (padding, 0, padding, 0), value=-math.inf), k),
        ),
        ("last window kept", lambda X, k, padding: ops.max_pool2d(X, k, padding=padding, ceil_mode=True)),
        (
            "smallest number",
            lambda X, k, padding: F.pad(X, (padding,) * 4, value=math.inf).unfold(1, k, k).unfold(2, k, k)
            .amin((3, 4)),
        ),
        ("nothing returned", lambda X, k, padding: print(max_by_loops(X, k, padding))),
        ("argument changed", lambda X, k, padding: max_by_unfold(X, k, padding) + 0 * X.add_(1).sum()),
        ("wrong kind", nn.MaxPool2d),
    ],
    "pooling.4": [
        ("padding not used", lambda X, k, padding: windows_of(X, k, 0).mean(2)),
        ("zeros of the image not counted", zeros_not_counted),
        ("sum instead of mean", lambda X, k, padding: windows_of(X, k, padding).nansum(2)),
        ("border repeated", border_repeated),
        ("maximum instead of mean", lambda X, k, padding: windows_of(X, k, padding).nan_to_num(-1).amax(2)),
        (
            "divided by the corner's count",
            lambda X, k, padding: windows_of(X, k, padding).nansum(2) / (k - padding) ** 2,
        ),
        ("stride of the window", lambda X, k, padding: windows_of(X, k, padding)[::k, ::k].nanmean(2)),
        ("not finite", lambda X, k, padding: windows_of(X, k, padding).mean(2)),
        ("nothing returned", lambda X, k, padding: print(mean_as_given(X, k, padding))),
        ("wrong kind", torch.ones(2, 2)),
    ],
    "pooling.5": [
        (
            "window in the padding behind",
            without_padding,
        ),
        ("window that starts beyond the input", rounding(math.ceil)),
        ("ceil mode ignored", rounding(math.floor)),
        ("always rounded up", sized(ceil_mode=True)),
        ("stride not used", sized(stride=1)),
        ("stride of the window's size", sized(stride="k")),
        ("padding forgotten", sized(padding=0)),
        ("first window not counted", lambda *settings: size_by_formula(*settings) - 1),
        (
            "window's size not subtracted",
            lambda n, kernel_size, stride, padding, ceil_mode: (math.ceil if ceil_mode else math.floor)(
                (n + 2 * padding) / stride
            ),
        ),
        ("nothing returned", lambda *settings: print(size_by_formula(*settings))),
        ("wrong kind", 5),
    ],
    "pooling.6": [
        ("one size only", lambda: network(nn.Flatten(), nn.Linear(8 * 28 * 28, 10))),
        ("one size only", network(nn.MaxPool2d(4), nn.Flatten(), nn.Linear(8 * 49, 10), channels=8)),
        ("one size only", lambda: network(nn.AvgPool2d(28), nn.Flatten(), nn.Linear(8, 10))),
        (
            "no convolution",
            lambda: nn.Sequential(nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(1, 10)),
        ),
        ("too many parameters", network(nn.AdaptiveAvgPool2d(7), nn.Flatten(), nn.Linear(8 * 49, 10))),
        ("number of axes", lambda: network(nn.AdaptiveAvgPool2d(1), nn.Conv2d(8, 10, 1))),
        ("wrong kind", 10),
    ],
    "pooling.7": [
        ("gradient to all cells", lambda X, k, G: max_backward(X, k, G, fill=lambda x, g: 0 * x + g)),
        ("shared among all cells", lambda X, k, G: max_backward(X, k, G, fill=lambda x, g: 0 * x + g / k**2)),
        ("all of the largest", lambda X, k, G: max_backward(X, k, G, fill=lambda x, g: (x == x.max()) * g)),
        ("last of the largest", lambda X, k, G: max_backward(X, k, G, last=True)),
        (
            "maximum instead of gradient",
            lambda X, k, G: max_backward(X, k, G, fill=lambda x, g: (x == x.max()) * x),
        ),
        ("smallest cell", lambda X, k, G: max_backward(-X, k, G)),
    ],
}  # fmt: skip
