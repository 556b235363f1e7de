"""Right and wrong answers to the exercises of *Building blocks*, each wrong one with the hint it must get."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

FIVE = [4, 6, 4, 5, 4]


def count(c, k, size, classes):
    cells = ((size - k + 1) // 2) ** 2
    return c * k * k + c + c * cells * classes + classes


def count_changed(*, conv_bias=1, cells=None, extra=lambda c, m: 0):
    """Count with a fault; `m` is the height and width of the map before pooling."""

    def counted(c, k, size, classes):
        m = size - k + 1
        inputs = c * (m // 2) ** 2 if cells is None else cells(c, m, size)
        return c * k * k + conv_bias * c + inputs * classes + classes + extra(c, m)

    return counted


def count_by_modules(c, k, size, classes):
    net = nn.Sequential(nn.Conv2d(1, c, k), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.LazyLinear(classes))
    net(torch.zeros(1, 1, size, size))
    return sum(p.numel() for p in net.parameters())


def slope_loop(X, slopes, *, index=lambda c, h, w: (c,), change=lambda x, slope: x if x > 0 else slope * x):
    Y = torch.zeros_like(X)
    for place in np.ndindex(*X.shape):
        Y[place] = change(X[place], slopes[index(*place)])
    return Y


def slope_with(change):
    return lambda X, slopes: slope_loop(X, slopes, change=change)


def slopes_in_place(X, slopes):
    X[X < 0] = (X * slopes.view(-1, 1, 1))[X < 0]
    return X


def merged(a, W, b):
    return b + torch.einsum("omuv,m->o", W, a)


def merged_by_loops(a, W, b):
    return [
        float(b[o] + sum(float(a[m]) * float(W[o, m].sum()) for m in range(len(a)))) for o in range(len(b))
    ]


def merged_by_numpy(a, W, b):
    return W.numpy().sum(axis=(2, 3)) @ a.numpy() + b.numpy()


def digits_net(*middle, hidden=32):
    return nn.Sequential(
        nn.Conv2d(1, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Conv2d(8, 8, 3, padding=1),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        *middle,
        nn.Linear(hidden, 10),
    )


def two_layers():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.ReLU(), nn.Linear(12, 10))


def without_relu():
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12), nn.Linear(12, 10))


def frozen():
    net = two_layers()
    net[1].requires_grad_(False)
    return net


class Strided(nn.Module):
    """A strided convolution, written with functions."""

    def __init__(self):
        super().__init__()
        self.conv = nn.Conv2d(1, 4, 3, stride=2, padding=1)
        self.head = nn.Linear(64, 10)

    def forward(self, X):
        return self.head(F.relu(self.conv(X)).flatten(1))


def descend(W, X, y, rate, steps, *, momentum=0, new=False):
    W = W.clone().requires_grad_()
    optimizer = torch.optim.SGD([W], abs(rate), momentum, maximize=rate < 0)
    for _ in range(steps):
        if new:
            optimizer = torch.optim.SGD([W], rate)
        loss = F.cross_entropy(X @ W.T, y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return W


def give_head(net, classes, *, freeze=True, in_place=False):
    if freeze:
        net.requires_grad_(False)
    head = nn.Linear(net[2].in_features, classes)
    if in_place:
        net[2] = head
        return net
    return nn.Sequential(net[0], net[1], head)


RIGHT = {
    "building_blocks.1": [FIVE, tuple(FIVE), torch.tensor(FIVE), np.array(FIVE)],
    "building_blocks.2": ["b", "B"],
    "building_blocks.3": ["d", "D)"],
    "building_blocks.4": [count, count_by_modules, count_changed(), lambda *sizes: float(count(*sizes))],
    "building_blocks.5": [
        lambda X, slopes: F.prelu(X[None], slopes)[0],
        slope_loop,
        lambda X, slopes: torch.where(X > 0, X, slopes[:, None, None] * X),
        lambda X, slopes: F.relu(X) - slopes.view(-1, 1, 1) * F.relu(-X),
        lambda X, slopes: X.clamp(min=0) + torch.einsum("c,chw->chw", slopes, X.clamp(max=0)),
        lambda X, slopes: np.where(X.numpy() > 0, X.numpy(), slopes.numpy().reshape(-1, 1, 1) * X.numpy()),
    ],
    "building_blocks.6": [descend, lambda W, X, y, rate, steps: descend(W, X, y, rate, steps, new=True)],
    "building_blocks.7": [give_head, lambda net, classes: give_head(net, classes, in_place=True)],
    "building_blocks.8": [
        merged,
        merged_by_loops,
        merged_by_numpy,
        lambda a, W, b: b + (W * a[:, None, None]).sum((1, 2, 3)),
    ],
    "building_blocks.9": [digits_net, digits_net(), two_layers, Strided, Strided()],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "building_blocks.1": [
        ("one bias", (4, 6, 1, 5, 4)),
        ("weight transposed", [6, 4, 4, 5, 4]),
        ("bias for each input", (4, 6, 6, 5, 4)),
        ("bias for each example", (4, 6, 5, 5, 4)),
        ("output transposed", torch.tensor([4, 6, 4, 4, 5])),
        ("output as wide as the input", (4, 6, 4, 5, 6)),
        ("examples added up", (4, 6, 4, 1, 4)),
        ("biases left out", (4, 6, 5, 4)),
        ("number of values", (4, 6)),
        ("wrong kind", "(4, 6)"),
    ],
    "building_blocks.2": [("a", "a"), ("c", " C"), ("d", "d"), ("wrong kind", "e"), ("wrong kind", 2)],
    "building_blocks.3": [("a", "a"), ("b", "b"), ("c", "c"), ("wrong kind", "e"), ("wrong kind", 4)],
    "building_blocks.4": [
        (
            "one position forgotten",
            lambda c, k, size, classes: c * k * k + c + ((size - k) // 2) ** 2 * c * classes + classes,
        ),
        (
            "area halved",
            lambda c, k, size, classes: c * k * k + c + (size - k + 1) ** 2 // 2 * c * classes + classes,
        ),
        (
            "area rounded",
            lambda c, k, size, classes: c * k * k + c + (size - k + 1) ** 2 // 4 * c * classes + classes,
        ),
        ("biases forgotten", lambda c, k, size, classes: count(c, k, size, classes) - c - classes),
        ("convolution without bias", count_changed(conv_bias=0)),
        ("bias for each cell", count_changed(conv_bias=0, extra=lambda c, m: c * m * m)),
        ("pooling forgotten", count_changed(cells=lambda c, m, size: c * m * m)),
        ("maps as large as the image", count_changed(cells=lambda c, m, size: c * (size // 2) ** 2)),
        ("pooling rounded up", count_changed(cells=lambda c, m, size: c * (-(-m // 2)) ** 2)),
        ("one channel into the head", count_changed(cells=lambda c, m, size: (m // 2) ** 2)),
        ("parameters of the ReLU", count_changed(conv_bias=2)),
        ("head forgotten", lambda c, k, size, classes: c * k**2 + c),
        ("nothing returned", lambda c, k, size, classes: print(c)),
        ("arguments", lambda c, k, size: 0),
        ("wrong kind", 3),
    ],
    "building_blocks.5": [
        ("slopes along the height", lambda X, slopes: F.relu(X) - slopes.view(-1, 1) * F.relu(-X)),
        ("positive numbers changed too", slope_with(lambda x, slope: slope * x)),
        ("negative numbers cut off", lambda X, slopes: F.relu(X)),
        ("larger of the two", slope_with(lambda x, slope: max(x, slope * x))),
        ("clipped at 1", slope_with(lambda x, slope: min(x, 1) if x > 0 else slope * x)),
        ("slope added", slope_with(lambda x, slope: x if x > 0 else x + slope)),
        ("sign lost", slope_with(lambda x, slope: x if x > 0 else -slope * x)),
        ("first slope for all", lambda X, slopes: slope_loop(X, slopes, index=lambda c, h, w: (0,))),
        ("argument changed", slopes_in_place),
        ("nothing returned", lambda X, slopes: print(X)),
        ("error", lambda X, slopes: slopes[9] * X),
    ],
    "building_blocks.6": [
        ("nothing learned", lambda W, X, y, rate, steps: W),
        ("first step only", lambda W, X, y, rate, steps: descend(W, X, y, rate, min(1, steps))),
        ("last step left out", lambda W, X, y, rate, steps: descend(W, X, y, rate, max(steps - 1, 0))),
        ("uphill", lambda W, X, y, rate, steps: descend(W, X, y, -rate, steps)),
        ("loss added up", lambda W, X, y, rate, steps: descend(W, X, y, rate * len(X), steps)),
        (
            "half of the old gradient",
            lambda W, X, y, rate, steps: descend(W, X, y, rate, steps, momentum=0.5),
        ),
    ],
    "building_blocks.7": [
        ("body not frozen", lambda net, classes: give_head(net, classes, freeze=False)),
        ("head frozen, too", lambda net, classes: give_head(net, classes).requires_grad_(False)),
        ("old head", lambda net, classes: nn.Sequential(net[0].requires_grad_(False), net[1], net[2])),
        ("old head frozen", lambda net, classes: net.requires_grad_(False)),
        (
            "body not kept",
            lambda net, classes: nn.Sequential(
                nn.Linear(net[0].in_features, net[0].out_features).requires_grad_(False),
                nn.ReLU(),
                nn.Linear(net[2].in_features, classes),
            ),
        ),
        ("nothing returned", lambda net, classes: print(give_head(net, classes))),
        ("wrong kind", 3),
    ],
    "building_blocks.8": [
        ("second bias only", lambda a, W, b: b.clone()),
        ("second bias forgotten", lambda a, W, b: merged(a, W, 0 * b)),
        ("biases added", lambda a, W, b: b + a),
        ("one cell of each kernel", lambda a, W, b: torch.einsum("om,m->o", W[..., 0, 0], a) + b),
        ("mean of each kernel", lambda a, W, b: (merged(a, W, 0 * b) / W.shape[2] ** 2) + b),
        ("first bias taken as 1", lambda a, W, b: merged(torch.ones_like(a), W, b)),
        ("channels swapped", lambda a, W, b: torch.mv(W.flatten(2).sum(2).T, a) + b),
        ("second bias multiplied too", lambda a, W, b: merged(a, W, 0 * b) + b * W.flatten(1).sum(1)),
        ("wrong sign", lambda a, W, b: -merged(a, W, b)),
        ("wrong kind", 3),
    ],
    "building_blocks.9": [
        ("output shape", nn.Sequential(nn.Flatten(), nn.Linear(64, 9))),
        ("frozen layer", frozen),
        ("linear in disguise", without_relu),
        ("linear in disguise", nn.Sequential(nn.Flatten(), nn.Linear(64, 10))),
        ("too many parameters", lambda: digits_net(nn.Linear(32, 32), nn.ReLU())),
        (
            "too many MACs",
            lambda: nn.Sequential(
                nn.Conv2d(1, 8, 3, padding=1),
                nn.ReLU(),
                nn.Conv2d(8, 8, 3, padding=1),
                nn.ReLU(),
                nn.AdaptiveMaxPool2d(2),
                nn.Flatten(),
                nn.Linear(32, 10),
            ),
        ),
        ("linear in disguise", nn.Sequential(nn.Flatten(), nn.Linear(64, 1), nn.ReLU(), nn.Linear(1, 10))),
        ("score", nn.Sequential(nn.AvgPool2d(4), nn.Flatten(), nn.Linear(4, 3), nn.ReLU(), nn.Linear(3, 10))),
        ("error", nn.Sequential(nn.Linear(64, 10))),
        ("wrong kind", 3),
    ],
}
