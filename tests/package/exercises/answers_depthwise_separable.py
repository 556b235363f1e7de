"""Right and wrong answers to the exercises of *Depthwise separable convolution*, and their hints."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.models import DepthwiseSeparableConv2d


def cost_by_layer(c_i, c_o, k, h, w):
    layer = DepthwiseSeparableConv2d(c_i, c_o, k, bias=False)
    weights = sum(parameter.numel() for parameter in layer.parameters())
    return weights, weights * h * w


def cost(weights_of):
    """Make a cost function of which only the weights are wrong."""

    def both(c_i, c_o, k, h, w):
        weights = weights_of(c_i, c_o, k)
        return [weights, weights * h * w]

    return both


def grouped_by_loop(X, weight, groups):
    c_o, c_i = len(weight) // groups, weight.shape[1]
    parts = [ops.conv2d(X[g * c_i : (g + 1) * c_i], weight[g * c_o : (g + 1) * c_o]) for g in range(groups)]
    return torch.cat(parts)


def grouped_by_einsum(X, weight, groups):
    k_h, k_w = weight.shape[2:]
    windows = X.unfold(1, k_h, 1).unfold(2, k_w, 1).unflatten(0, (groups, -1))
    return torch.einsum("gihwuv,goiuv->gohw", windows, weight.unflatten(0, (groups, -1))).flatten(0, 1)


def grouped_by_full_weight(X, weight, groups):
    """Fill a full weight with zeros where a kernel sees nothing."""
    c_o, c_i = len(weight) // groups, weight.shape[1]
    full = torch.zeros(len(weight), len(X), *weight.shape[2:])
    for o in range(len(weight)):
        g = o // c_o
        full[o, g * c_i : (g + 1) * c_i] = weight[o]
    return ops.conv2d(X, full).numpy()


def grouped_with(pick):
    """Put the results of groups side by side, each of the input and kernels that are picked."""

    def convolve(X, weight, groups):
        return torch.cat([ops.conv2d(*pick(X, weight, groups, g)) for g in range(groups)])

    return convolve


def part(tensor, groups, g):
    return tensor.chunk(groups)[g]


def each_slice(X, weight, groups):
    """Forget the sum over the channels of a group."""
    maps = []
    for g in range(groups):
        for kernel in part(weight, groups, g):
            maps += [ops.corr2d(x, k) for x, k in zip(part(X, groups, g), kernel, strict=True)]
    return torch.stack(maps)


def full_by_einsum(depthwise, pointwise, c_i):
    D = depthwise[:, 0].unflatten(0, (c_i, -1))
    return torch.einsum("oim,imuv->oiuv", pointwise[:, :, 0, 0].unflatten(1, (c_i, -1)), D)


def full_by_loops(depthwise, pointwise, c_i):
    m = len(depthwise) // c_i
    K = torch.zeros(len(pointwise), c_i, *depthwise.shape[2:])
    for o in range(len(pointwise)):
        for i in range(c_i):
            for j in range(m):
                K[o, i] += pointwise[o, i * m + j, 0, 0] * depthwise[i * m + j, 0]
    return K


def full_by_numpy(depthwise, pointwise, c_i):
    slices = pointwise.numpy() * depthwise.numpy()[:, 0]
    return slices.reshape(len(pointwise), c_i, -1, *depthwise.shape[2:]).sum(2)


def full_dealt_out(depthwise, pointwise, c_i):
    D = depthwise[:, 0].unflatten(0, (-1, c_i))
    return torch.einsum("omi,miuv->oiuv", pointwise[:, :, 0, 0].unflatten(1, (-1, c_i)), D)


def full_first(depthwise, pointwise, c_i):
    m = len(depthwise) // c_i
    return pointwise[:, ::m] * depthwise[::m, 0]


def layers(*some):
    return nn.Sequential(*some)


def separable(k, **settings):
    return layers(nn.Conv2d(16, 16, k, padding=k // 2, groups=16, **settings), nn.Conv2d(16, 32, 1))


class Separable(nn.Module):
    def __init__(self):
        super().__init__()
        self.around = nn.Conv2d(16, 16, 5, padding="same", groups=16, bias=False)
        self.mix = nn.Conv2d(16, 32, 1)

    def forward(self, X):
        return self.mix(torch.relu(self.around(X)))


def bottleneck():
    return layers(
        nn.Conv2d(16, 4, 1), nn.ReLU(), nn.Conv2d(4, 4, 5, padding=2), nn.ReLU(), nn.Conv2d(4, 32, 1)
    )


def two_small():
    """Two depthwise layers of 3×3 see 5×5, too."""
    small = [nn.Conv2d(16, 16, 3, padding=1, groups=16) for _ in range(2)]
    return layers(*small, nn.Conv2d(16, 32, 1))


def one_row_decides(K):
    """Compare all products of two rows crosswise."""
    return all(
        float(K[a, i] * K[b, j]) == float(K[a, j] * K[b, i])
        for a in range(K.shape[0])
        for b in range(K.shape[0])
        for i in range(K.shape[1])
        for j in range(K.shape[1])
    )


RIGHT = {
    "depthwise_separable.1": [(24, 3, 3, 5), torch.Size((24, 3, 3, 5)), np.array([24, 3, 3, 5])],
    "depthwise_separable.2": ["c", "C"],
    "depthwise_separable.3": [
        cost_by_layer,
        cost(lambda c_i, c_o, k: c_i * (k**2 + c_o)),
        lambda c_i, c_o, k, h, w: torch.tensor([1, h * w]) * c_i * (k * k + c_o),
    ],
    "depthwise_separable.4": [
        grouped_by_loop,
        grouped_by_einsum,
        grouped_by_full_weight,
        grouped_with(lambda X, weight, groups, g: (part(X, groups, g), part(weight, groups, g))),
    ],
    "depthwise_separable.5": [full_by_einsum, full_by_loops, full_by_numpy],
    "depthwise_separable.6": [
        lambda: separable(5), separable(5, bias=False), Separable, Separable(), bottleneck, two_small,
        DepthwiseSeparableConv2d(16, 32, 5, padding=2),
        lambda: layers(nn.MaxPool2d(5, stride=1, padding=2), nn.Conv2d(16, 32, 1)),
    ],
    "depthwise_separable.7": [one_row_decides, lambda K: torch.linalg.matrix_rank(K) <= 1],
}  # fmt: skip

WRONG = {
    "depthwise_separable.1": [
        ("inputs and outputs swapped", (12, 6, 3, 5)),
        ("groups ignored", (24, 12, 3, 5)),
        ("output channels divided too", [6, 3, 3, 5]),
        ("output channels divided instead", (6, 12, 3, 5)),
        ("one input channel a kernel", (24, 1, 3, 5)),
        ("number of groups as slices", (24, 4, 3, 5)),
        ("inputs before outputs", torch.Size([3, 24, 3, 5])),
        ("an axis for the groups", (4, 6, 3, 3, 5)),
        ("height and width swapped", (24, 3, 5, 3)),
        ("wrong kind", "24 × 3"),
    ],
    "depthwise_separable.2": [("a", "a"), ("b", "b"), ("d", "D"), ("wrong kind", "e"), ("wrong kind", 0.115)],
    "depthwise_separable.3": [
        ("numbers swapped", lambda c_i, c_o, k, h, w: cost_by_layer(c_i, c_o, k, h, w)[::-1]),
        ("depthwise counted as full", cost(lambda c_i, c_o, k: k**2 * c_i**2 + c_i * c_o)),
        ("full convolution", cost(lambda c_i, c_o, k: k**2 * c_i * c_o)),
        ("pointwise forgotten", cost(lambda c_i, c_o, k: k**2 * c_i)),
        ("depthwise forgotten", cost(lambda c_i, c_o, k: c_i * c_o)),
        ("depthwise with output channels", cost(lambda c_i, c_o, k: c_o * (k**2 + c_i))),
        ("kernel's area forgotten", cost(lambda c_i, c_o, k: c_i * (k + c_o))),
        ("costs multiplied", cost(lambda c_i, c_o, k: (k**2 * c_i) * (c_i * c_o))),
        (
            "biases counted",
            lambda c_i, c_o, k, h, w: (c_i * (k**2 + c_o) + c_o, c_i * (k**2 + c_o) * h * w),
        ),
        ("pixels forgotten", lambda c_i, c_o, k, h, w: [c_i * (k**2 + c_o), c_i * (k**2 + c_o)]),
        ("wrong shape", lambda c_i, c_o, k, h, w: c_i * (k**2 + c_o)),
        ("nothing returned", lambda c_i, c_o, k, h, w: print(c_i * (k**2 + c_o))),
        ("wrong kind", (4_384, 3_437_056)),
    ],
    "depthwise_separable.4": [
        ("forbidden function", lambda X, weight, groups: ops.conv2d(X, weight, groups=groups)),
        ("forbidden function", lambda X, weight, groups: F.conv2d(X, weight, groups=groups)),
        (
            "input channels taken in turn",
            grouped_with(lambda X, weight, groups, g: (X[g::groups], part(weight, groups, g))),
        ),
        (
            "output channels taken in turn",
            grouped_with(lambda X, weight, groups, g: (part(X, groups, g), weight[g::groups])),
        ),
        (
            "results of the groups added",
            lambda X, weight, groups: sum(
                ops.conv2d(part(X, groups, g), part(weight, groups, g)) for g in range(groups)
            ),
        ),
        (
            "first group for all",
            grouped_with(lambda X, weight, groups, g: (part(X, groups, 0), part(weight, groups, g))),
        ),
        (
            "all kernels for each group",
            grouped_with(lambda X, weight, groups, g: (part(X, groups, g), weight)),
        ),
        (
            "first group only",
            lambda X, weight, groups: ops.conv2d(part(X, groups, 0), part(weight, groups, 0)),
        ),
        ("channels of a group not summed", each_slice),
        ("kernels flipped", lambda X, weight, groups: grouped_by_loop(X, weight.flip(-1, -2), groups)),
        ("number of axes", lambda X, weight, groups: grouped_by_loop(X, weight, groups)[None]),
        ("error", lambda X, weight, groups: F.conv2d(X[None], weight)[0]),
        ("wrong kind", nn.Conv2d),
    ],
    "depthwise_separable.5": [
        ("kernels of a channel in another order", full_dealt_out),
        ("first kernel of each channel only", full_first),
        ("a slice for each map", lambda depthwise, pointwise, c_i: depthwise.flatten(0, 1) * pointwise),
        (
            "pointwise forgotten",
            lambda depthwise, pointwise, c_i: full_by_loops(depthwise, torch.ones_like(pointwise), c_i),
        ),
        (
            "channels summed",
            lambda depthwise, pointwise, c_i: full_by_numpy(depthwise, pointwise, c_i).sum(1, keepdims=True),
        ),
        (
            "kernels flipped",
            lambda depthwise, pointwise, c_i: full_by_einsum(depthwise.rot90(2, (2, 3)), pointwise, c_i),
        ),
        (
            "inputs before outputs",
            lambda depthwise, pointwise, c_i: full_by_einsum(depthwise, pointwise, c_i).permute(1, 0, 2, 3),
        ),
        ("wrong sign", lambda depthwise, pointwise, c_i: -full_by_einsum(depthwise, pointwise, c_i)),
        ("argument changed", lambda depthwise, pointwise, c_i: full_by_loops(depthwise, pointwise, c_i)
         + 0 * depthwise.add_(1).sum()),
    ],
    "depthwise_separable.6": [
        ("channels not mixed", nn.Conv2d(16, 32, 5, padding=2, groups=16)),
        ("channels not mixed", lambda: layers(nn.Conv2d(16, 16, 5, padding=2, groups=16),
                                              nn.Conv2d(16, 32, 1, groups=2))),
        ("sees no neighbours", lambda: nn.Conv2d(16, 32, 1)),
        ("sees no neighbours", separable(3)),
        ("sees no neighbours", nn.Sequential(nn.Conv2d(16, 16, 3, padding=2, dilation=2, groups=16),
                                               nn.Conv2d(16, 32, 1))),
        ("too many parameters", lambda: nn.Conv2d(16, 32, 5, padding=2)),
        ("too many parameters", layers(nn.Conv2d(16, 32, 1), nn.Conv2d(32, 32, 5, padding=2, groups=32))),
        ("output shape", lambda: layers(nn.Conv2d(16, 16, 5, groups=16), nn.Conv2d(16, 32, 1))),
        ("output shape", lambda: nn.Conv2d(16, 16, 5, padding=2, groups=16)),
        ("error", lambda: layers(nn.Conv2d(16, 16, 5, padding=2, groups=16), nn.Conv2d(32, 32, 1))),
        ("wrong kind", 912),
    ],
    "depthwise_separable.7": [
        ("always", lambda K: True),
        ("never", lambda K: False),
        ("full rank", lambda K: torch.linalg.matrix_rank(K) == min(K.shape)),
        ("zero kernel left out", lambda K: torch.linalg.matrix_rank(K) == 1),
        ("only rows or columns that are equal", lambda K: bool((K[0] == K).all() or (K.T[0] == K.T).all())),
        ("square and symmetric", lambda K: K.shape[0] == K.shape[1] and torch.equal(K, K.T)),
    ],
}  # fmt: skip
