"""Right and wrong answers to the exercises of *Convolution*, each wrong one with the hint it must get."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops

BY_HAND = [[8.0, 2.0], [11.0, 13.0]]


def flipped_by_loops(X, K):
    (h, w), (k_h, k_w) = X.shape, K.shape
    Y = torch.zeros(h - k_h + 1, w - k_w + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            for u in range(k_h):
                for v in range(k_w):
                    Y[r, c] += K[k_h - 1 - u, k_w - 1 - v] * X[r + u, c + v]
    return Y


def by_loops(X, K):
    (h, w), (k_h, k_w) = X.shape, K.shape
    rows = range(h - k_h + 1)
    return [[float((X[r : r + k_h, c : c + k_w] * K).sum()) for c in range(w - k_w + 1)] for r in rows]


def by_einsum(X, K):
    windows = X.unfold(0, K.shape[0], 1).unfold(1, K.shape[1], 1)
    return torch.einsum("rcuv,uv->rc", windows, K)


def by_numpy(X, K):
    windows = np.lib.stride_tricks.sliding_window_view(X.numpy(), tuple(K.shape))
    return (windows * K.numpy()).sum((2, 3))


def by_pytorch(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def by_layer(X, K):
    layer = nn.Conv2d(1, 1, tuple(K.shape), bias=False)
    with torch.no_grad():
        layer.weight[:] = K
    return layer(X[None, None])[0, 0]


def kernel(*ones):
    K = torch.zeros(3, 3)
    for row, column in ones:
        K[row, column] = 1
    return K


def matrix_by_loops(kernel, n):
    k = len(kernel)
    M = torch.zeros(n - k + 1, n)
    for r in range(n - k + 1):
        M[r, r : r + k] = kernel
    return M


def matrix_by_lists(kernel, n):
    k = len(kernel)
    return [[0.0] * r + kernel.tolist() + [0.0] * (n - k - r) for r in range(n - k + 1)]


def matrix_by_numpy(kernel, n):
    k = len(kernel)
    return np.stack([np.roll(np.pad(kernel.numpy(), (0, n - k)), r) for r in range(n - k + 1)])


def matrix_by_unit_signals(kernel, n):
    return torch.stack([F.conv1d(unit[None, None], kernel[None, None])[0, 0] for unit in torch.eye(n)], 1)


def matrix(rows, entry):
    """Make a function of kernel and n from the number of rows and the entry at (r, c)."""

    def make(kernel, n):
        k = len(kernel)
        return torch.tensor(
            [[float(entry(kernel, r, c, k, n)) for c in range(n)] for r in range(rows(n, k))]
        ).reshape(-1, n)

    return make


def banded(kernel, r, c, k, n):
    return kernel[c - r] if 0 <= c - r < k else 0


def turned(kernel, r, c, k, n):
    return kernel[k - 1 - (c - r)] if 0 <= c - r < k else 0


def around(kernel, r, c, k, n):
    return kernel[(c - r) % n] if (c - r) % n < k else 0


def first_number(kernel, r, c, k, n):
    return kernel[0] if c == r else 0


def swapped(X, K):
    (h, w), (k_h, k_w) = X.shape, K.shape
    Y = torch.zeros(h - k_w + 1, w - k_h + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            Y[r, c] = (X[r : r + k_h, c : c + k_w] * K).sum()
    return Y


def kernel_gradient_by_autograd(X, K, G):
    K = K.clone().requires_grad_()
    F.conv2d(X[None, None], K[None, None])[0, 0].backward(G)
    return K.grad


def input_gradient(X, K, G, *, add=True):
    made = torch.zeros_like(X)
    for r, c in np.ndindex(*G.shape):
        window = made[r : r + K.shape[0], c : c + K.shape[1]]
        window.copy_(G[r, c] * K + add * window)
    return made


RIGHT = {
    "convolution.1": [
        BY_HAND,
        tuple(map(tuple, BY_HAND)),
        torch.tensor(BY_HAND),
        np.array(BY_HAND, dtype=int),
        [[8, 2], [11, 13]],
    ],
    "convolution.2": ["d", " D "],
    "convolution.3": [
        kernel((1, 0)),
        [[0, 0, 0], [1, 0, 0], [0, 0, 0]],
        kernel((1, 0)).numpy(),
        kernel((1, 0)).int(),
    ],
    "convolution.4": [by_pytorch, by_loops, by_einsum, by_numpy, by_layer],
    "convolution.5": [
        flipped_by_loops,
        lambda X, K: by_pytorch(X, K.flip(0, 1)),
        lambda X, K: by_einsum(X, torch.flip(K, dims=[0, 1])),
        lambda X, K: by_numpy(X, K.flip(0).flip(1)),
        lambda X, K: by_loops(X, torch.rot90(K, 2)),
        lambda X, K: by_pytorch(X.flip(0, 1), K).flip(0, 1),
        lambda X, K: by_pytorch(X.double(), K.double().flip(0, 1)),
    ],
    "convolution.6": [matrix_by_loops, matrix_by_lists, matrix_by_numpy, matrix_by_unit_signals],
    "convolution.7": ["b", "(b)", "B."],
    "convolution.8": [
        lambda X, K, G: F.conv2d(X[None, None], G[None, None])[0, 0],
        lambda X, K, G: by_loops(X, G),
    ],
    "convolution.9": [input_gradient, lambda X, K, G: F.conv_transpose2d(G[None, None], K[None, None])[0, 0]],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "convolution.1": [
        ("kernel flipped", [[10, 8], [13, 11]]),
        ("kernel transposed", [[10, 4], [11, 17]]),
        ("windows do not overlap", [[8, 0], [5, 4]]),
        ("kernel of ones", [[7, 3], [7, 7]]),
        ("border filled with zeros", [[8, 2, 0], [11, 13, 0], [5, 10, 4]]),
        ("one window only", 8),
        ("products not added", [[1, 4], [0, 3]]),
        ("transposed", [[8, 11], [2, 13]]),
        ("wrong order", [[11, 8], [13, 2]]),
        ("wrong kind", "four numbers"),
    ],
    "convolution.2": [("a", "a"), ("b", "B"), ("c", "c"), ("wrong kind", "e"), ("wrong kind", 3)],
    "convolution.3": [
        ("moved left", kernel((1, 2))),
        ("not moved", kernel((1, 1))),
        ("moved down", kernel((0, 1))),
        ("moved up", kernel((2, 1))),
        ("moved diagonally", kernel((0, 0))),
        ("whole column of ones", kernel((0, 0), (1, 0), (2, 0))),
        ("difference instead of move", kernel((1, 0)) - kernel((1, 1))),
        ("wrong factor", 2 * kernel((1, 0))),
        ("all zero", torch.zeros(3, 3)),
        ("wrong sign", -kernel((1, 0))),
        ("wrong kind", [1, 0, 0]),
        ("wrong kind", by_pytorch),
    ],
    "convolution.4": [
        ("last position forgotten", lambda X, K: by_pytorch(X, K)[:-1, :-1]),
        ("kernel flipped", flipped_by_loops),
        ("kernel transposed", lambda X, K: by_einsum(X, K.T)),
        ("output transposed", lambda X, K: by_numpy(X, K).T),
        ("size of the input", lambda X, K: by_pytorch(F.pad(X, (0, K.shape[1] - 1, 0, K.shape[0] - 1)), K)),
        ("wrong kind", torch.zeros(2, 2)),
        ("nothing returned", lambda X, K: print(by_pytorch(X, K))),
    ],
    "convolution.5": [
        ("forbidden function", lambda X, K: ops.convolve2d(X, K)),
        ("kernel not flipped", by_loops),
        ("flipped top to bottom only", lambda X, K: by_loops(X, K.flip(0))),
        ("flipped left to right only", lambda X, K: by_einsum(X, K.flip(-1))),
        ("transposed instead of flipped", lambda X, K: by_numpy(X, K.T)),
        ("quarter turn", lambda X, K: by_pytorch(X, K.rot90())),
        ("image or output flipped", lambda X, K: by_pytorch(X.flip(0, 1), K.flip(0, 1))),
        ("image or output flipped", lambda X, K: by_pytorch(X, K).flip(0, 1)),
        (
            "border filled with zeros",
            lambda X, K: flipped_by_loops(F.pad(X, (K.shape[1] - 1,) * 2 + (K.shape[0] - 1,) * 2), K),
        ),
        ("wrong sign", lambda X, K: -flipped_by_loops(X, K)),
        ("wrong offset", lambda X, K: flipped_by_loops(X, K) + 2),
        ("argument changed", lambda X, K: by_pytorch(X, K.copy_(K.flip(0, 1)))),
        ("arguments", lambda X: X),
        ("error", lambda X, K: X @ K[7]),
    ],
    "convolution.6": [
        ("kernel flipped", matrix(lambda n, k: n - k + 1, turned)),
        ("matrix transposed", lambda kernel, n: matrix_by_loops(kernel, n).T),
        ("wraps around the end", matrix(lambda n, k: n, around)),
        ("cut off at the end", matrix(lambda n, k: n, banded)),
        ("all rows the same", matrix(lambda n, k: n - k + 1, lambda K, r, c, k, n: K[c] if c < k else 0)),
        ("one kernel number everywhere", matrix(lambda n, k: n - k + 1, first_number)),
        ("moves by the kernel's size", lambda kernel, n: matrix_by_loops(kernel, n)[:: len(kernel)]),
        ("off by one", lambda kernel, n: matrix_by_loops(kernel, n)[:-1]),
    ],
    "convolution.7": [("a", "a"), ("c", "c"), ("d", "D"), ("wrong kind", "e"), ("wrong kind", 2)],
    "convolution.8": [
        ("forbidden function", kernel_gradient_by_autograd),
        ("gradient of the input", input_gradient),
        ("gradient flipped", lambda X, K, G: by_loops(X, G.flip(0, 1))),
        ("kernel flipped", lambda X, K, G: torch.tensor(by_loops(X, G)).flip(0, 1)),
        ("mean over the outputs", lambda X, K, G: torch.tensor(by_loops(X, G)) / G.numel()),
        ("gradient left out", lambda X, K, G: by_loops(X, torch.ones_like(G))),
    ],
    "convolution.9": [
        ("kernel not flipped", lambda X, K, G: input_gradient(X, K.flip(0, 1), G)),
        ("flipped top to bottom only", lambda X, K, G: input_gradient(X, K.flip(1), G)),
        ("gradient of the kernel", lambda X, K, G: by_loops(X, G)),
        ("overwritten", lambda X, K, G: input_gradient(X, K, G, add=False)),
        (
            "padding forgotten",
            lambda X, K, G: F.pad(G, (0, K.shape[1] - 1, 0, K.shape[0] - 1)) * K[0, 0],
        ),
    ],
}  # fmt: skip
