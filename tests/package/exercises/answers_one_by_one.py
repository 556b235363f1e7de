"""Right and wrong answers to the exercises of *1×1 convolution*, each wrong one with the hint it must get."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops

TURN = [[0, 0, 1], [1, 0, 0], [0, 1, 0]]
WITHOUT, REDUCE, AFTER = 112_896_000, 1_505_280, 3_763_200


def by_movedim(X, K):
    return (X.movedim(1, -1) @ K.T).movedim(-1, 1)


def by_einsum(X, K):
    return torch.einsum("nihw,oi->nohw", X, K)


def by_flat_pixels(X, K):
    n, c_i, h, w = X.shape
    return (K @ X.reshape(n, c_i, h * w)).reshape(n, -1, h, w)


def by_rows(X, K):
    n, c_i, h, w = X.shape
    pixels = X.permute(0, 2, 3, 1).reshape(-1, c_i)
    return (pixels @ K.T).reshape(n, h, w, -1).permute(0, 3, 1, 2)


def by_linear(X, K):
    layer = nn.Linear(K.shape[1], K.shape[0], bias=False)
    with torch.no_grad():
        layer.weight[:] = K
    return layer(X.movedim(1, -1)).movedim(-1, 1)


def out_by_reshape(X, K):
    n, _, h, w = X.shape
    return (X.movedim(1, -1) @ K.T).reshape(n, -1, h, w)


def in_by_reshape(X, K):
    n, c_i, h, w = X.shape
    return (X.reshape(n, h, w, c_i) @ K.T).permute(0, 3, 1, 2)


def batch_behind_channels(X, K):
    n, c_i, h, w = X.shape
    pixels = X.movedim(1, 0).reshape(c_i, -1)
    return (K @ pixels).reshape(n, -1, h, w)


def beside(weight, bias):
    return np.column_stack([weight.numpy(), bias.numpy()])


def merged_by_loops(A, a, B, b):
    (m, c), o = A.shape, B.shape[0]
    M = torch.zeros(o, c + 1)
    for q in range(o):
        M[q, c] = b[q]
        for j in range(m):
            M[q, c] += B[q, j] * a[j]
            for i in range(c):
                M[q, i] += B[q, j] * A[j, i]
    return M


def merged_by_larger_matrices(A, a, B, b):
    """Let a further channel that is always 1 carry the biases."""
    first = torch.cat([torch.cat([A, a[:, None]], 1), torch.eye(A.shape[1] + 1)[-1:]])
    return torch.cat([B, b[:, None]], 1) @ first


def net(first, second, *, relu=True, bias=None):
    """Make a network of two 1×1 layers from their matrices."""
    first, second = torch.tensor(first), torch.tensor(second)
    layers = [nn.Conv2d(2, len(first), 1, bias=bias is not None), nn.Conv2d(len(first), 1, 1, bias=False)]
    with torch.no_grad():
        layers[0].weight[:] = first[:, :, None, None]
        layers[1].weight[:] = second[:, :, None, None]
        if bias is not None:
            layers[0].bias[:] = torch.tensor(bias)
    return nn.Sequential(layers[0], *[nn.ReLU()] * relu, layers[1])


class ByMeanAndDistance(nn.Module):
    """Half of the sum and half of the distance."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(2, 4, 1, bias=False)
        self.second = nn.Conv2d(4, 1, 1, bias=False)
        with torch.no_grad():
            self.first.weight[:, :, 0, 0] = torch.tensor([[1.0, 1.0], [-1.0, -1.0], [1.0, -1.0], [-1.0, 1.0]])
            self.second.weight[0, :, 0, 0] = torch.tensor([0.5, -0.5, 0.5, 0.5])

    def forward(self, x):
        return self.second(F.relu(self.first(x)))


def untrained():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Conv2d(3, 1, 1))


def wide():
    first = [[1.0, 0.0], [-1.0, 0.0], [-1.0, 1.0]] + [[0.0, 0.0]] * 5
    return net(first, [[1.0, -1.0, 1.0] + [0.0] * 5])


def slide(weight, bias, X, *, order=lambda x: x):
    k = round((weight.shape[1] / len(X)) ** 0.5)
    rows, columns = X.shape[1] - k + 1, X.shape[2] - k + 1
    made = torch.zeros(len(weight), rows, columns)
    for r in range(rows):
        for c in range(columns):
            made[:, r, c] = weight @ order(X[:, r : r + k, c : c + k]).reshape(-1) + bias
    return made


def turned(window):
    return window.flip(1, 2)


RIGHT = {
    "one_by_one.1": [
        TURN,
        torch.tensor(TURN),
        np.array(TURN, dtype=float),
        torch.eye(3).roll(1, 0),
        np.eye(3)[[2, 0, 1]],
    ],
    "one_by_one.2": [
        (WITHOUT, REDUCE + AFTER),
        [112_896_000, 5_268_480],
        {"MACs of the direct layer": WITHOUT, "MACs through 16 channels": 5_268_480},
    ],
    "one_by_one.3": [
        by_movedim,
        by_einsum,
        by_flat_pixels,
        by_rows,
        by_linear,
        lambda X, K: torch.stack([ops.corr2d_multi_in_out_1x1(x, K[:, :, None, None]) for x in X]),
    ],
    "one_by_one.4": [
        merged_by_loops,
        merged_by_larger_matrices,
        lambda A, a, B, b: beside(B @ A, B @ a + b),
        lambda A, a, B, b: np.hstack([B.numpy() @ A.numpy(), (B.numpy() @ a.numpy() + b.numpy())[:, None]]),
    ],
    "one_by_one.5": [
        net([[1.0, 0.0], [-1.0, 0.0], [-1.0, 1.0]], [[1.0, -1.0, 1.0]]),
        lambda: net([[0.0, 1.0], [0.0, -1.0], [1.0, -1.0]], [[1.0, -1.0, 1.0]]),
        ByMeanAndDistance,
        ByMeanAndDistance(),
    ],
    "one_by_one.6": [slide, lambda weight, bias, X: slide(weight, bias, X).tolist()],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "one_by_one.1": [
        ("matrix transposed", [[0, 1, 0], [0, 0, 1], [1, 0, 0]]),
        ("nothing changed", torch.eye(3)),
        ("red and blue exchanged", [[0, 0, 1], [0, 1, 0], [1, 0, 0]]),
        ("red and green exchanged", [[0, 1, 0], [1, 0, 0], [0, 0, 1]]),
        ("sum of all channels", torch.ones(3, 3)),
        ("rows with two ones", torch.tensor(TURN) + torch.eye(3)),
        ("all zero", torch.zeros(3, 3)),
        ("wrong sign", -torch.tensor(TURN)),
        ("wrong factor", 2 * torch.tensor(TURN)),
        ("wrong kind", [0, 0, 1]),
        ("wrong kind", torch.tensor(TURN)[:, :, None, None]),
    ],
    "one_by_one.2": [
        ("kernel size forgotten", (480 * 48 * 14 * 14, (480 * 16 + 16 * 48) * 14 * 14)),
        ("order swapped", (5_268_480, WITHOUT)),
        ("output size forgotten", (576_000, 26_880)),
        ("one row of the output", (576_000 * 14, 26_880 * 14)),
        ("reduction for free", (WITHOUT, AFTER)),
        ("channels not reduced", (WITHOUT, 480 * 16 * 196 + 25 * 480 * 48 * 196)),
        ("reduction with 5×5", (WITHOUT, 25 * 480 * 16 * 196 + AFTER)),
        ("channels kept apart", (25 * 48 * 196, (16 + 25 * 48) * 196)),
        ("one row of the kernel", (5 * 480 * 48 * 196, (480 * 16 + 5 * 16 * 48) * 196)),
        ("bias counted", ((25 * 480 + 1) * 48 * 196, 481 * 16 * 196 + (25 * 16 + 1) * 48 * 196)),
        ("FLOPs instead of MACs", (2 * WITHOUT, 10_536_960)),
        ("number of values", 21),
        ("wrong kind", "21 times"),
    ],
    "one_by_one.3": [
        ("output dealt out", out_by_reshape),
        ("input dealt out", in_by_reshape),
        ("matrix transposed", lambda X, K: (X.movedim(1, -1) @ K).movedim(-1, 1)),
        ("height and width swapped", lambda X, K: (X.transpose(1, 3) @ K.T).transpose(1, 3).transpose(2, 3)),
        ("channels left at the end", lambda X, K: torch.einsum("nihw,oi->nhwo", X, K)),
        ("images mixed up", batch_behind_channels),
        ("elementwise product", lambda X, K: X * torch.diag(K).reshape(-1, 1, 1)),
        ("error", lambda X, K: X @ K),
        ("nothing returned", lambda X, K: print(by_einsum(X, K))),
        ("arguments", lambda X: X),
    ],
    "one_by_one.4": [
        ("no bias column", lambda A, a, B, b: B @ A),
        ("second bias forgotten", lambda A, a, B, b: beside(B @ A, B @ a)),
        ("first bias forgotten", lambda A, a, B, b: beside(B @ A, b)),
        ("biases only added", lambda A, a, B, b: beside(B @ A, a + b)),
        ("both biases multiplied", lambda A, a, B, b: beside(B @ A, B @ a + B @ b)),
        ("matrices in the wrong order", lambda A, a, B, b: beside(A @ B, B @ a + b)),
        ("bias in the first column", lambda A, a, B, b: beside(merged_by_loops(A, a, B, b)[:, -1], B @ A)),
        ("matrices added", lambda A, a, B, b: beside(B + A, B @ a + b)),
        ("elementwise product", lambda A, a, B, b: beside(B * A, B @ a + b)),
        ("transposed", lambda A, a, B, b: merged_by_loops(A, a, B, b).T),
        ("nothing returned", lambda A, a, B, b: print(B @ A)),
        ("wrong kind", lambda A, a, B, b: (B @ A, B @ a + b)),
    ],
    "one_by_one.5": [
        ("right for positive numbers only", net([[1.0, 0.0], [-1.0, 1.0]], [[1.0, 1.0]])),
        ("right for positive numbers only", net([[1.0, 0.0], [-1.0, 0.0], [-1.0, 1.0]], [[1.0, 1.0, 1.0]])),
        ("no ReLU", net([[1.0, 0.0], [-1.0, 1.0]], [[1.0, 1.0]], relu=False)),
        ("no ReLU", lambda: net([[0.5, 0.5]], [[1.0]], relu=False)),
        ("one layer only", nn.Conv2d(2, 1, 1)),
        ("sees neighbours", nn.Sequential(nn.Conv2d(2, 1, 3, padding=1), nn.ReLU(), nn.Conv2d(1, 1, 1))),
        ("smaller channel", net([[1.0, 0.0], [-1.0, 0.0], [1.0, -1.0]], [[1.0, -1.0, -1.0]])),
        ("difference only", net([[1.0, -1.0], [-1.0, 1.0]], [[1.0, 1.0]])),
        ("difference only", net([[-1.0, 1.0]], [[1.0]])),
        ("not the larger channel", untrained),
        ("not the larger channel", net([[1.0, 0.0], [-1.0, 0.0], [1.0, -1.0]], [[1.0, -1.0, 1.0]])),
        ("too many parameters", wide),
        ("output shape", nn.Sequential(nn.Conv2d(2, 3, 1), nn.ReLU(), nn.Conv2d(3, 2, 1))),
        ("error", nn.Sequential(nn.Conv2d(1, 3, 1), nn.ReLU(), nn.Conv2d(3, 1, 1))),
        ("wrong kind", [[1.0, 0.0], [-1.0, 1.0]]),
    ],
    "one_by_one.6": [
        (
            "kernel transposed",
            lambda weight, bias, X: slide(weight, bias, X, order=lambda x: x.transpose(1, 2)),
        ),
        ("kernel flipped", lambda weight, bias, X: slide(weight, bias, X, order=turned)),
        ("bias forgotten", lambda weight, bias, X: slide(weight, 0 * bias, X)),
        ("first position only", lambda weight, bias, X: slide(weight, bias, X)[:, :1, :1]),
        ("mean over the positions", lambda weight, bias, X: slide(weight, bias, X).mean((1, 2))),
    ],
}  # fmt: skip
