"""Right and wrong answers to the exercises of *Feature maps and the receptive field*, and their hints."""

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv.shapes import receptive_field


def downwards(k_less=1, use=lambda k, s, p, d: (k, s, p, d), last=0):
    """Make a function that walks down from the cell, with one fault or another."""

    def pixels(layers, cell):
        first, end = cell, cell
        for layer in reversed(layers):
            k, s, p, d = use(*layer)
            first, end = first * s - p, end * s - p + d * (k - k_less)
        return first, end + last

    return pixels


def by_package(layers, cell):
    field = receptive_field(layers)
    first = field.start[0] + cell * field.stride[0]
    return [first, first + field.size[0] - 1]


def by_gradient(layers, cell):
    """Ask PyTorch on a long signal without padding, and move the answer back by the padding."""
    X = torch.ones(1, 1, 300, dtype=torch.double, requires_grad=True)
    Y = X
    for k, s, _, d in layers:
        Y = F.conv1d(Y, torch.ones(1, 1, k, dtype=torch.double), stride=s, dilation=d)
    Y[0, 0, cell].backward()
    seen = X.grad[0, 0].nonzero()
    before = 0
    for _, s, p, _ in reversed(layers):
        before = before * s + p
    return seen[0].item() - before, seen[-1].item() - before


def too_early(layers, cell):
    r, j, start = 1, 1, 0
    for k, s, p, d in layers:
        j *= s
        r, start = r + (k - 1) * d * j, start - p * j
    return start + j * cell, start + j * cell + r - 1


def padding_in_own_cells(layers, cell):
    first, end = by_package([(k, s, 0, d) for k, s, _, d in layers], cell)
    padding = sum(p for _, _, p, _ in layers)
    return first - padding, end - padding


def changed(change):
    return lambda layers, cell: change(*downwards()(layers, cell))


def stack(*dilations, channels=4, k=3, padding=None):
    """Build 3×3 layers with these dilations that keep the size."""
    layers = []
    for place, d in enumerate(dilations):
        p = d * (k // 2) if padding is None else padding
        layers += [nn.Conv2d(channels if place else 1, channels, k, padding=p, dilation=d), nn.ReLU()]
    return nn.Sequential(*layers)


def zeroed(model):
    """Set all weights to 0: what a cell sees does not depend on them."""
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    return model


class Branches(nn.Module):
    """Dilated layers whose results are added up to that of the layer below."""

    def __init__(self):
        super().__init__()
        self.first = nn.Conv2d(1, 4, 3, padding=1)
        self.rest = nn.ModuleList(nn.Conv2d(4, 4, 3, padding=d, dilation=d) for d in (2, 4, 8))

    def forward(self, X):
        X = self.first(X)
        for layer in self.rest:
            X = X + torch.relu(layer(X))
        return X


def down_and_up():
    """Pooling between the layers, and the size restored at the end: an hourglass."""
    return nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 4, 3, padding=1), nn.Upsample(scale_factor=8),
    )  # fmt: skip


RIGHT = {
    "receptive_field.1": [
        (11, 19),
        [11, 19],
        {"field after the pooling": 11, "field after the last layer": 19},
        tuple(receptive_field([(7, 2, 3), (3, 2, 1), (3,)][:n]).size[0] for n in (2, 3)),
    ],
    "receptive_field.2": ["d", "D"],
    "receptive_field.3": [
        downwards(),
        by_package,
        by_gradient,
        lambda layers, cell: np.array(by_package(layers, cell)),
    ],
    "receptive_field.4": [
        (1, 3, 9),
        [9, 3, 1],
        {"first": 3, "second": 9, "third": 1},
        torch.tensor([1, 3, 9]).tolist(),
    ],
    "receptive_field.5": [
        lambda: stack(1, 2, 4, 8),
        stack(8, 4, 2, 1),
        stack(1, 2, 4, 9),
        zeroed(stack(1, 2, 4, 8)),
        Branches,
        Branches(),
        down_and_up,
    ],
}

WRONG = {
    "receptive_field.1": [
        ("kernel sizes added", (13, 25)),
        ("own stride too early", [21, 29]),
        ("strides forgotten", (9, 11)),
        ("pooling not counted", (7, 11)),
        ("only the stride of pooling counted", (7, 15)),
        ("stride of the layer below only", torch.tensor([11, 15])),
        ("jump instead of size", (4, 4)),
        ("sizes multiplied", (21, 63)),
        ("cells of the layer below", (3, 3)),
        ("numbers swapped", (19, 11)),
        ("wrong kind", "11 and 19"),
    ],
    "receptive_field.2": [
        ("a", "a"), ("b", "b"), ("c", "C"), ("e", "e"), ("wrong kind", "f"), ("wrong kind", True),
    ],
    "receptive_field.3": [
        (
            "first cell cut off at the border",
            lambda layers, cell: (max(by_package(layers, cell)[0], 0), by_package(layers, cell)[1]),
        ),
        ("numbers swapped", lambda layers, cell: by_package(layers, cell)[::-1]),
        ("dilation forgotten", downwards(use=lambda k, s, p, d: (k, s, p, 1))),
        ("padding forgotten", downwards(use=lambda k, s, p, d: (k, s, 0, d))),
        ("strides forgotten", downwards(use=lambda k, s, p, d: (k, 1, p, d))),
        ("padding in the wrong direction", downwards(use=lambda k, s, p, d: (k, s, -p, d))),
        ("kernel size not less one", downwards(k_less=0)),
        ("size of a dilated kernel wrong", downwards(use=lambda k, s, p, d: (k * d, s, p, 1))),
        ("layers in the wrong order", lambda layers, cell: downwards()(layers[::-1], cell)),
        ("own stride too early", too_early),
        ("padding not in input cells", padding_in_own_cells),
        ("last cell excluded", downwards(last=1)),
        ("size instead of last cell", changed(lambda first, last: (first, last - first + 1))),
        ("cut off at the border", changed(lambda first, last: (max(first, 0), max(last, 0)))),
        ("last layer only", lambda layers, cell: by_package(layers[-1:], cell)),
        ("wrong offset", changed(lambda first, last: (first + 1, last + 1))),
        ("wrong offset", changed(lambda first, last: (first + 2, last + 2))),
        ("argument changed", lambda layers, cell: by_package([*layers[:-1], layers.pop()], cell)),
        ("arguments", lambda layers: by_package(layers, 0)),
        ("wrong kind", (0, 4)),
    ],
    "receptive_field.4": [
        ("nothing side by side", (2, 6, 18)),
        ("third layer too far", [1, 3, 27]),
        ("second layer too far", (1, 4, 9)),
        ("second layer too close", (1, 2, 5)),
        ("doubled dilations", (1, 2, 4)),
        ("no dilation", [1, 1, 1]),
        ("the same dilation", (3, 3, 3)),
        ("dilations counted up", (1, 2, 3)),
        ("third layer too close", {"first": 1, "second": 3, "third": 6}),
        ("dilations tripled from 3", (3, 9, 27)),
        ("effective size instead of dilation", (3, 5, 7)),
        ("wrong kind", (0, 1, 2)),
        ("wrong kind", 27),
    ],
    "receptive_field.5": [
        ("field too small", lambda: stack(1, 1, 1, 1)),
        ("field too small", stack(1, 2, 3, 4)),
        ("gaps in the field", lambda: stack(8, 8, 1, 1)),
        ("gaps in the field", stack(2, 4, 4, 5)),
        ("kernels too large", lambda: nn.Conv2d(1, 4, 31, padding=15)),
        ("kernels too large", stack(1, 1, 1, 1, k=9)),
        ("too many layers", lambda: stack(*[1] * 15)),
        ("too many parameters", nn.Sequential(*stack(1, 2, 4, 8, channels=16), nn.Conv2d(16, 4, 1))),
        ("output shape", lambda: stack(1, 2, 4, 8, padding=1)),
        ("output shape", stack(1, 2, 4, 8, channels=1)),
        ("wrong kind", 31),
    ],
}  # fmt: skip
