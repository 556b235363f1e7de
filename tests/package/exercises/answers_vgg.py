"""Right and wrong answers to the exercises of *VGG*, each wrong one with the hint it must get."""

import copy
import math

import torch
from torch import nn
from torch.nn import functional as F

from d2lconv.data import load_digits
from d2lconv.exercises.chapters.vgg import in_colours
from d2lconv.models import VGG, vgg_block
from d2lconv.shapes import receptive_field


def by_sum(n, c_in, c_out):
    total = 0
    for i in range(n):
        total += 9 * (c_in if i == 0 else c_out) * c_out + c_out
    return total


def by_block(n, c_in, c_out):
    return sum(p.numel() for p in vgg_block(n, c_in, c_out).parameters())


def by_formula(n, c_in, c_out):
    return c_out * (9 * (c_in + (n - 1) * c_out) + n)


def weights(n, c_in, c_out):
    return 9 * c_out * (c_in + (n - 1) * c_out)


def by_steps(blocks):
    field = step = 1
    for n in blocks:
        for _ in range(n):
            field += 2 * step
        field += step
        step *= 2
    return field


def by_shapes(blocks):
    return receptive_field([layer for n in blocks for layer in n * [(3, 1)] + [(2, 2)]]).size[0]


def backwards(blocks):
    """From the end: how many cells of each map one output cell needs."""
    cells = 1
    for n in reversed(blocks):
        cells = 2 * cells + 2 * n
    return cells


def by_fan_in(c_in, c_out, k):
    fan, _ = nn.init._calculate_fan_in_and_fan_out(torch.empty(c_out, c_in, k, k))
    return math.sqrt(2 / fan)


def deep(blocks, classes=10, images=1, kernel=3, relu=True, pools=None):
    """Make a network of blocks and one linear layer."""
    layers, channels, size = [], images, 32
    for i, (n, width) in enumerate(blocks):
        for _ in range(n):
            layers.append(nn.Conv2d(channels, width, kernel, padding=kernel // 2))
            layers += [nn.ReLU()] * relu
            channels = width
        if pools is None or i < pools:
            layers.append(nn.MaxPool2d(2))
            size //= 2
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(channels * size * size, classes))


class Deep(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = deep([(2, 8), (2, 16), (2, 16), (2, 32)])

    def forward(self, X):
        return self.body(X)


def strided():
    layers = []
    for c_in, c_out, step in ((1, 8, 2), (8, 8, 2), *[(8, 8, 1)] * 6):
        layers += [nn.Conv2d(c_in, c_out, 3, step, 1), nn.ReLU()]
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(8 * 8 * 8, 10))


def predict(net, X, *, mode=False, back=True, grad=False):
    net.train(mode)
    with torch.set_grad_enabled(grad):
        made = net(X)
    net.train(back)
    return made


def for_colours(widths=(8, 16, 32, 32)):
    """Make a network of blocks with batch normalisation for 3×32×32, untrained."""
    layers, c_in = [], 3
    for c_out in widths:
        layers += vgg_block(1, c_in, c_out, batch_norm=True)
        c_in = c_out
    return nn.Sequential(*layers, nn.Flatten(), nn.Linear(4 * c_in, 10))


class Fitted(nn.Module):
    """A linear layer on 8×8 cells, fitted by least squares; it takes the corner's colour for the paper's."""

    def __init__(self, *, paper=True):
        super().__init__()
        self.paper, self.norm, self.score = paper, nn.BatchNorm2d(1, momentum=1.0), nn.Linear(64, 10)
        train = load_digits(32).train
        images = in_colours(train.images, seed=0) if paper else train.images.expand(-1, 3, -1, -1)
        self(images)  # for the running statistics
        ones = torch.ones(len(images), 1)
        with torch.no_grad():
            cells = torch.cat([self.eval().cells(images), ones], dim=1).double()
            ridge = cells.T @ cells + torch.eye(65).double()  # keeps the weights small
            found = torch.linalg.solve(ridge, cells.T @ F.one_hot(train.labels).double())
            self.score.weight.copy_(found[:-1].T)
            self.score.bias.copy_(found[-1])

    def cells(self, X):
        ink = (X - X[..., :1, :1]).abs() if self.paper else X
        return self.norm(F.avg_pool2d(ink.mean(dim=1, keepdim=True), 4)).flatten(1)

    def forward(self, X):
        return self.score(self.cells(X))


FITTED = Fitted()


def without_statistics():
    net = copy.deepcopy(FITTED)
    net.norm.running_mean += 3
    return net


def without_two_classes():
    net = copy.deepcopy(FITTED)
    with torch.no_grad():
        net.score.bias[:2] = -1000
    return net


class Costly(nn.Module):
    """The fitted network, and beside it one that only costs."""

    def __init__(self, beside):
        super().__init__()
        self.net, self.beside = copy.deepcopy(FITTED), beside

    def forward(self, X):
        return self.net(X) + 0 * self.beside(X).sum()


def in_a_line(depth):
    """Make a deep and narrow network without normalisation."""
    layers, c_in = [], 3
    for _ in range(depth):
        layers += [nn.Conv2d(c_in, 4, 3, padding=1), nn.ReLU()]
        c_in = 4
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 10))


RIGHT = {
    "vgg.1": [(512, 3, 3), [512, 3, 3], torch.Size([512, 3, 3]), torch.tensor([512, 3, 3])],
    "vgg.2": [by_fan_in, lambda c_in, c_out, k: (2 / (c_in * k**2)) ** 0.5],
    "vgg.3": [by_sum, by_block, by_formula],
    "vgg.4": [by_steps, backwards],
    "vgg.5": [predict, lambda net, X: predict(net, X).detach()],
    "vgg.6": [
        Deep,
        lambda: deep([(2, 8), (2, 16), (2, 16), (2, 32)]),
        deep([(2, 8), (2, 8), (4, 16)]),
        VGG([(2, 8), (2, 12), (2, 16), (2, 24)], 1, 10, image_size=32, hidden=32),
    ],
    "vgg.7": [FITTED, copy.deepcopy(FITTED).train(), lambda: copy.deepcopy(FITTED).double()],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "vgg.1": [
        ("one pooling too few", (512, 6, 6)),
        ("size of the paper", (512, 7, 7)),
        ("poolings forgotten", (512, 96, 96)),
        ("convolutions shrink the map", (512, 1, 1)),
        ("flattened", 4608),
        ("channels last", (3, 3, 512)),
        ("channels of the image", (3, 3, 3)),
    ],
    "vgg.2": [
        ("both counted", lambda c_in, c_out, k: math.sqrt(2 / (c_in * c_out)) / k),
        ("window forgotten", lambda c_in, c_out, k: math.sqrt(2 / c_in)),
        ("one side of the window", lambda c_in, c_out, k: math.sqrt(2 / c_in / k)),
        ("variance instead of standard deviation", lambda c_in, c_out, k: by_fan_in(c_in, c_out, k) ** 2),
        ("halving forgotten", lambda c_in, c_out, k: 1 / math.sqrt(c_in) / k),
        ("mean of inputs and outputs", lambda c_in, c_out, k: 2 / math.sqrt(c_in + c_out) / k),
        ("wrong sign", lambda c_in, c_out, k: -by_fan_in(c_in, c_out, k)),
    ],
    "vgg.3": [
        (
            "one convolution too many",
            lambda n, c_in, c_out: 9 * c_in * c_out + 9 * n * c_out**2 + (n + 1) * c_out,
        ),
        (
            "weights of one convolution too many",
            lambda n, c_in, c_out: 9 * c_in * c_out + 9 * n * c_out**2 + n * c_out,
        ),
        ("biases forgotten", weights),
        ("one bias for the block", lambda n, c_in, c_out: weights(n, c_in, c_out) + c_out),
        ("every convolution sees the input", lambda n, c_in, c_out: n * by_sum(1, c_in, c_out)),
        ("one convolution only", lambda n, c_in, c_out: by_block(1, c_in, c_out)),
        ("kernel of three numbers", lambda n, c_in, c_out: c_out * (3 * (c_in + (n - 1) * c_out) + n)),
        ("input channels not counted", lambda n, c_in, c_out: n * (9 * c_out + c_out)),
        ("nothing returned", lambda n, c_in, c_out: print(by_sum(n, c_in, c_out))),
        ("arguments", lambda n: n),
    ],
    "vgg.4": [
        ("forbidden function", by_shapes),
        ("poolings see nothing", lambda blocks: 1 + sum(n * 2 ** (i + 1) for i, n in enumerate(blocks))),
        ("steps stay single", lambda blocks: 1 + 2 * sum(blocks) + len(blocks)),
        ("last pooling left out", lambda blocks: by_steps(blocks) - 2 ** (len(blocks) - 1)),
        ("poolings left out", lambda blocks: 2 * sum(blocks) + 1),
        ("fields added up", lambda blocks: 3 * sum(blocks) + 2 * len(blocks)),
        ("pooling before the convolutions", lambda blocks: by_steps([0, *blocks]) - 2 ** len(blocks)),
        ("steps instead of field", lambda blocks: 1 << len(blocks)),
        ("off by one", lambda blocks: by_steps(blocks) - 1),
        ("wrong kind", 150),
    ],
    "vgg.5": [
        ("training mode", lambda net, X: predict(net, X, mode=True)),
        ("training mode, with gradients", lambda net, X: net(X)),
        ("mode not put back", lambda net, X: predict(net, X, back=False)),
        ("gradients kept", lambda net, X: predict(net, X, grad=True)),
        ("left as it was evaluated, with gradients", lambda net, X: net.eval()(X)),
        ("wrong kind", nn.Linear(2, 3)),
    ],
    "vgg.6": [
        ("too few convolutions", lambda: deep([(1, 8), (1, 16)])),
        ("other kernels", lambda: deep([(2, 4), (2, 4), (2, 8), (2, 8)], kernel=5)),
        ("strided convolution", strided),
        ("no ReLU after a convolution", lambda: deep([(2, 8), (2, 16), (2, 16), (2, 32)], relu=False)),
        ("too many parameters", lambda: deep([(2, 16), (2, 32), (2, 64), (2, 64)])),
        ("too many MACs", lambda: deep([(8, 8)])),
        ("output shape", lambda: deep([(2, 8), (2, 16), (2, 16), (2, 32)], classes=5)),
        ("error", lambda: deep([(2, 8), (2, 16), (2, 16), (2, 32)], images=3)),
    ],
    "vgg.7": [
        ("same scores for all images", lambda: in_a_line(12)),
        ("no better than a guess", for_colours),
        ("running statistics", without_statistics),
        ("grey only", Fitted(paper=False)),
        ("score", without_two_classes),
        ("too many parameters", lambda: Costly(nn.Sequential(nn.Flatten(), nn.Linear(3072, 14)))),
        ("too many MACs", lambda: Costly(nn.Conv2d(3, 99, 3))),
        ("output shape", lambda: nn.Sequential(FITTED, nn.Linear(10, 9))),
        ("error", lambda: nn.Sequential(FITTED, nn.Linear(9, 10))),
    ],
}  # fmt: skip
