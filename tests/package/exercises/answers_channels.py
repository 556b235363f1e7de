"""Right and wrong answers to the exercises of *Channels*, each wrong one with the hint it must get."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops

MACS = 5 * 5 * 3 * 16 * 32 * 32


def by_loops(X, K, b):
    c_o, c_i, k_h, k_w = K.shape
    rows, columns = X.shape[1] - k_h + 1, X.shape[2] - k_w + 1
    Y = torch.zeros(c_o, rows, columns)
    for q in range(c_o):
        for r in range(rows):
            for c in range(columns):
                Y[q, r, c] = b[q]
                for j in range(c_i):
                    Y[q, r, c] += (X[j, r : r + k_h, c : c + k_w] * K[q, j]).sum()
    return Y


def by_einsum(X, K, b):
    windows = X.unfold(1, K.shape[2], 1).unfold(2, K.shape[3], 1)
    return torch.einsum("jrcuv,qjuv->qrc", windows, K) + b.reshape(-1, 1, 1)


def by_numpy(X, K, b):
    windows = np.lib.stride_tricks.sliding_window_view(X.numpy(), K.shape[2:], axis=(1, 2))
    return np.tensordot(K.numpy(), windows, axes=([1, 2, 3], [0, 3, 4])) + b.numpy()[:, None, None]


def by_layer(X, K, b):
    layer = nn.Conv2d(K.shape[1], K.shape[0], tuple(K.shape[2:]))
    with torch.no_grad():
        layer.weight[:] = K
        layer.bias[:] = b
    return layer(X[None])[0]


def pair_by_pair(X, K, combine):
    """Convolve every pair of channel and slice, and combine the results of a kernel."""
    return torch.stack([combine([ops.corr2d(x, k) for x, k in zip(X, kernel, strict=True)]) for kernel in K])


def averaged(X, K, b):
    return pair_by_pair(X, K, lambda parts: sum(parts) / len(parts)) + b[:, None, None]


def one_slice_for_all(X, K, b):
    outputs = [sum(ops.corr2d(x, kernel[0]) for x in X) for kernel in K]
    return torch.stack(outputs) + b[:, None, None]


def every_pair(X, K, b):
    outputs = [sum(ops.corr2d(x, k) for x in X for k in kernel) for kernel in K]
    return torch.stack(outputs) + b[:, None, None]


def swapped_axes(X, K, b):
    c_o, c_i = K.shape[:2]
    outputs = [sum(ops.corr2d(X[j], K[j, q]) for j in range(c_i)) for q in range(c_o)]
    return torch.stack(outputs) + b[:, None, None]


def bias_inside_the_sum(X, K, b):
    outputs = [
        sum(ops.corr2d(x, k) + bias for x, k in zip(X, kernel, strict=True))
        for kernel, bias in zip(K, b, strict=True)
    ]
    return torch.stack(outputs)


EDGE = [[1.0, 0.0, -1.0]] * 3
ACROSS = [[1.0] * 3, [0.0] * 3, [-1.0] * 3]
SOBEL = [[1.0, 0.0, -1.0], [2.0, 0.0, -2.0], [1.0, 0.0, -1.0]]
LAPLACE = [[0.0, 1.0, 0.0], [1.0, -4.0, 1.0], [0.0, 1.0, 0.0]]


def slices(slice_, *mix):
    return torch.stack([factor * torch.tensor(slice_) for factor in mix])


def net(*channels, strides=(2, 2, 1), **settings):
    layers = []
    for c_i, c_o, stride in zip((3, *channels), channels, strides, strict=False):
        layers += [nn.Conv2d(c_i, c_o, 3, stride=stride, padding=1, **settings), nn.ReLU()]
    return nn.Sequential(*layers)


class WithPooling(nn.Module):
    def __init__(self):
        super().__init__()
        self.features = nn.Sequential(
            nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(8, 16, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
            nn.Conv2d(16, 64, 3, padding=1), nn.ReLU(),
        )  # fmt: skip

    def forward(self, x):
        return self.features(x)


def pooled_first():
    return nn.Sequential(nn.MaxPool2d(4), *net(16, 32, 64, strides=(1, 1, 1)))


RIGHT = {
    "channels.1": [
        (1200, 16, MACS),
        [1200, 16, 1_228_800],
        {"weights": 1200, "biases": 16, "MACs": MACS},
        torch.tensor([1200, 16, MACS]),
    ],
    "channels.2": ["b", "B "],
    "channels.3": [
        by_loops,
        by_einsum,
        by_numpy,
        lambda X, K, b: pair_by_pair(X, K, sum) + b[:, None, None],
        lambda X, K, b: list(by_loops(X, K, b)),
    ],
    "channels.4": [
        slices(EDGE, 1, 0, -1),
        slices(SOBEL, -1, 0, 1).tolist(),
        slices(EDGE, 1, -1, 0),
        slices(SOBEL, 1, -0.5, -0.5).numpy(),
        slices([[0.0, 0.0, 0.0], [1.0, -1.0, 0.0], [0.0, 0.0, 0.0]], 0.3, -0.1, -0.2),
    ],
    "channels.5": [
        net(16, 32, 64),
        lambda: net(8, 16, 64),
        WithPooling,
        WithPooling(),
        net(8, 16, 16, 64, strides=(2, 1, 1, 2)),
    ],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "channels.1": [
        ("biases among the weights", (1216, 16, 1228800)),
        ("biases among the weights and MACs", (1216, 16, 1216 * 1024)),
        ("one bias", (1200, 1, 1228800)),
        ("bias for each input channel", (1200, 3, 1228800)),
        ("output channels forgotten, MACs too", (75, 16, 76800)),
        ("output channels forgotten, biases too", (75, 3, 76800)),
        ("output channels forgotten, in the weights", (75, 16, 1228800)),
        ("one slice for all channels", (5 * 5 * 16, 16, 5 * 5 * 16 * 1024)),
        ("one kernel only", (5 * 5 * 3, 1, 5 * 5 * 3 * 1024)),
        ("kernel not square", (5 * 3 * 16, 16, 5 * 3 * 16 * 1024)),
        ("bias for each pixel", (1200, 16_384, MACS)),
        ("bias for each slice", (1200, 3 * 16, MACS)),
        ("output size forgotten", (1200, 16, 1200)),
        ("one row of the output", (1200, 16, 38_400)),
        ("padding forgotten", (1200, 16, 940_800)),
        ("FLOPs instead of MACs", (1200, 16, 2_457_600)),
        ("bias counted in the MACs", (1200, 16, (1200 + 16) * 1024)),
        ("wrong order", (16, 1200, MACS)),
        ("number of values", 1200),
        ("wrong kind", {"weights": 1200}),
    ],
    "channels.2": [("a", "a"), ("c", "c"), ("d", "d"), ("wrong kind", "c or d"), ("wrong kind", 3)],
    "channels.3": [
        ("bias along the height", lambda X, K, b: by_einsum(X, K, torch.zeros(len(K))) + b.reshape(-1, 1)),
        ("last channel only", lambda X, K, b: by_loops(X[-1:], K[:, -1:], b)),
        ("kernels flipped", lambda X, K, b: by_numpy(X, K.flip(-1, -2), b)),
        ("forbidden function", by_layer),
        ("forbidden function", lambda X, K, b: F.conv2d(X[None], K, b)[0]),
        ("forbidden function", lambda X, K, b: ops.corr2d_multi_in_out(X, K) + b.reshape(-1, 1, 1)),
        ("channels not summed", lambda X, K, b: pair_by_pair(X, K, torch.stack) + b[:, None, None, None]),
        ("mean over the channels", averaged),
        ("first channel only", lambda X, K, b: by_loops(X[:1], K[:, :1], b)),
        ("first slice for all channels", one_slice_for_all),
        ("channels summed too early", every_pair),
        ("kernel axes swapped", swapped_axes),
        ("bias forgotten", lambda X, K, b: ops.corr2d_multi_in_out(X, K)),
        ("bias for each input channel", bias_inside_the_sum),
        ("bias along the columns", lambda X, K, b: pair_by_pair(X, K, sum) + b),
        ("output channels added up", lambda X, K, b: by_einsum(X, K, b).sum(0)),
        ("transposed", lambda X, K, b: by_einsum(X, K, b).transpose(1, 2)),
        ("number of axes", lambda X, K, b: by_einsum(X, K, b)[None]),
        ("nothing returned", lambda X, K, b: print(by_loops(X, K, b))),
        ("arguments", lambda X, K: by_einsum(X, K, torch.zeros(len(K)))),
        ("argument changed", lambda X, K, b: by_einsum(X, K, b).add_(0 * b.neg_()[0])),
    ],
    "channels.4": [
        ("same edge in every slice", slices(SOBEL, 1, 1, 1)),
        ("channels do not cancel", slices(EDGE, 1, 0, 0)),
        ("channels do not cancel", slices(SOBEL, 1, 1, -1)),
        ("colour without an edge", slices([[1.0] * 3] * 3, 1, 0, -1)),
        ("horizontal edge", slices(ACROSS, 1, 0, -1)),
        ("edges in every direction", slices(LAPLACE, 1, -1, 0)),
        ("responds to nothing", torch.zeros(3, 3, 3)),
        ("responds to nothing", slices(EDGE, 1, -2, 1)),
        ("responds to everything", torch.ones(3, 3, 3)),
        ("wrong kind", EDGE),
        ("wrong kind", "EDGE"),
    ],
    "channels.5": [
        ("too few convolutions", net(16, 64, strides=(2, 2))),
        ("other kernels", nn.Sequential(*net(16, 32, 32), nn.Conv2d(32, 64, 1))),
        ("channels kept apart", nn.Sequential(*net(16, 32), nn.Conv2d(32, 64, 3, padding=1, groups=32))),
        ("pixels left out", net(16, 32, 64, strides=(4, 1, 1))),
        ("shrunk before looking", pooled_first),
        ("too many MACs", net(64, 64, 64)),
        ("too many MACs", net(16, 32, 64, strides=(1, 2, 2))),
        ("output shape", net(16, 32, 64, strides=(2, 2, 2))),
        ("output shape", net(16, 32, 32)),
        ("error", lambda: nn.Sequential(*net(16, 32), nn.Conv2d(64, 64, 3, padding=1))),
        ("wrong kind", (64, 8, 8)),
    ],
}  # fmt: skip
