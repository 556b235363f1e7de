"""Answers that were once judged wrongly: right ones in other forms, and nearly right ones."""

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.exercises import check


class Of(nn.Module):
    """A network of some layers and a function of them and the input."""

    def __init__(self, function, *layers):
        super().__init__()
        self.layers, self.function = nn.ModuleList(layers), function

    def forward(self, X):
        return self.function(X, *self.layers)


def conv(*settings, **options):
    return nn.Conv2d(*settings, padding=1, **options)


def three(channels=64, last=lambda X: F.max_pool2d(X, 2)):
    def forward(X, a, b, c):
        return last(c(b(a(X).relu()).relu()))

    return Of(forward, conv(3, 8, 3, stride=2), conv(8, 8, 3), conv(8, channels, 3))


class Kernels(nn.Module):
    """Convolutions by functions."""

    def __init__(self):
        super().__init__()
        self.a = nn.Parameter(torch.randn(8, 3, 3, 3))
        self.b = nn.Parameter(torch.randn(16, 8, 3, 3))
        self.c = nn.Parameter(torch.randn(64, 16, 3, 3))

    def forward(self, X):
        X = F.conv2d(X, self.a, stride=2, padding=1).relu()
        return F.conv2d(F.conv2d(X, self.b, padding=1), self.c, stride=2, padding=1)


def odd(activation, bias=False):
    return nn.Sequential(nn.Flatten(), nn.Linear(64, 12, bias=bias), activation, nn.Linear(12, 10))


def deep(end):
    layers = [nn.Conv2d(1, 8, 3, padding=1), nn.ReLU()]
    for number in range(7):
        layers += [nn.MaxPool2d(2)] * (number in (1, 3)) + [nn.Conv2d(8, 8, 3, padding=1), nn.ReLU()]
    return Of(lambda X, encoder, head: end(encoder(X), head), nn.Sequential(*layers), nn.Linear(8 * 64, 10))


def wide():
    layers = []
    for c, d in [(1, 1), (4, 2), (4, 4), (4, 8)]:
        layers += [nn.Conv2d(c, 4, 3, padding=d, dilation=d)]
    return layers


RIGHT = [
    ("pooling.6", lambda: Of(lambda X, a: a(X).mean((2, 3)), nn.Conv2d(1, 10, 3))),
    ("pooling.6", lambda: Of(lambda X, a: a(X).amax((2, 3)), nn.Conv2d(1, 10, 5))),
    ("pooling.6", lambda: Of(lambda X, a: F.adaptive_avg_pool2d(a(X), 1).flatten(1), nn.Conv2d(1, 10, 3))),
    (
        "pooling.6",
        lambda: torch.compile(Of(lambda X, a: a(X).mean((2, 3)), nn.Conv2d(1, 10, 3)), backend="eager"),
    ),
    ("channels.5", three),
    ("channels.5", lambda: Kernels()),
    ("channels.5", lambda: three(32, lambda X: F.max_pool2d(torch.cat([X, X], 1), 2))),
    ("building_blocks.9", lambda: odd(nn.Tanh())),
    ("building_blocks.9", lambda: odd(nn.Softsign())),
    ("building_blocks.9", lambda: odd(nn.Tanh()).double()),
    ("building_blocks.9", lambda: Of(lambda X, net: net(X.float()), odd(nn.ReLU()))),
    ("building_blocks.9", lambda: Of(lambda X, net: net(X) * torch.ones(10), odd(nn.ReLU()))),
    ("building_blocks.9", lambda: nn.Sequential(odd(nn.ReLU()), nn.LogSoftmax(1))),
    ("vgg.6", lambda: deep(lambda X, head: head(X.flatten(1)))),
    (
        "receptive_field.5",
        lambda: Of(lambda X, *all: F.interpolate(nn.Sequential(*all)(X), size=32), *wide()),
    ),
    (
        "depthwise_separable.6",
        lambda: Of(
            lambda X, a, b, c: torch.cat([b(a(X)), c(a(X))], 1),
            nn.Conv2d(16, 16, 5, padding=2, groups=16),
            nn.Conv2d(16, 16, 1, bias=False),
            nn.Conv2d(16, 16, 1),
        ),
    ),
    ("receptive_field.4", torch.tensor([1, 3, 9])),
    ("receptive_field.4", np.array([1, 3, 9])),
    ("padding_stride.3", {"kernel_size": (3, 3), "stride": 2, "padding": 0}),
    ("padding_stride.3", nn.Conv2d(1, 1, 3, stride=2)),
    ("scaling.1", lambda gradients, images: (images / images.sum()) @ gradients),
    ("convolution.2", "d."),
    ("convolution.2", "(d)"),
    (
        "convolution.6",
        lambda kernel, n: torch.stack(
            [F.pad(kernel, (r, n - len(kernel) - r)) for r in range(n - len(kernel) + 1)]
        ).to_sparse(),
    ),
]

WRONG = [
    # right for a batch of one only
    ("pooling.6", "batch axis", lambda: Of(lambda X, a: a(X).mean((2, 3)).view(1, 10), nn.Conv2d(1, 10, 3))),
    ("channels.5", "batch axis", lambda: Of(lambda X, a: a(X[0]), three())),
    ("vgg.6", "batch axis", lambda: deep(lambda X, head: head(X.flatten()))),
    (
        "building_blocks.9",
        "batch axis",
        lambda: Of(lambda X, a, b: b(a(X.flatten()).relu()), nn.Linear(64, 12), nn.Linear(12, 10)),
    ),
    ("pooling.6", "batch axis", lambda: Of(lambda X, a: a(X).mean((0, 2, 3)), nn.Conv2d(1, 10, 3))),
    # rules hold for functions too
    ("channels.5", "pixels left out", lambda: three(64, lambda X: F.max_pool2d(X, 1, 2))),
    (
        "pooling.6",
        "one size only",
        lambda: Of(lambda X, a: F.avg_pool2d(a(X), X.shape[-1] - 2).flatten(1), nn.Conv2d(1, 10, 3)),
    ),
    (
        "building_blocks.9",
        "linear in disguise",
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.LogSoftmax(1)),
    ),
    (
        "building_blocks.9",
        "linear in disguise",
        lambda: nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.Sigmoid()),
    ),
    (
        "building_blocks.9",
        "frozen layer",
        lambda: Of(
            lambda X, a, b: b(a(X).relu().flatten(1).detach()),
            nn.Conv2d(1, 4, 3, stride=2),
            nn.Linear(36, 10),
        ),
    ),
    (
        "building_blocks.9",
        "frozen layer",
        lambda: Of(lambda X, net, idle: net(X), odd(nn.ReLU()), nn.Linear(2, 2)),
    ),
    (
        "building_blocks.9",
        "new weights at each call",
        lambda: Of(lambda X: nn.Linear(12, 10)(nn.Linear(64, 12)(X.flatten(1)).relu())),
    ),
    (
        "receptive_field.5",
        "mixes all cells",
        lambda: nn.Sequential(nn.Conv2d(1, 4, 1), nn.AdaptiveAvgPool2d(1), nn.Upsample(scale_factor=32)),
    ),
    (
        "receptive_field.5",
        "kernels too large",
        lambda: nn.Sequential(nn.MaxPool2d(31, 1, 15), nn.Conv2d(1, 4, 1)),
    ),
    ("pooling.6", "no forward", type("Net", (nn.Module,), {"forwrad": lambda self, X: X})),
    # whole numbers, square kernels, small values
    (
        "convolution.5",
        "rounded",
        lambda X, K: F.conv2d(X[None, None], K.flip(0, 1)[None, None])[0, 0].floor(),
    ),
    (
        "depthwise_separable.4",
        None,
        lambda X, weight, groups: torch.cat(
            [
                F.conv2d(x, w[:, :, :, : w.shape[2]])
                for x, w in zip(X.chunk(groups), weight.chunk(groups), strict=True)
            ]
        ),
    ),
    (
        "pooling.3",
        None,
        lambda X, k, padding: (
            F.pad(X, (padding,) * 4, value=-10.0).unfold(1, k, k).unfold(2, k, k).amax((3, 4))
        ),
    ),
    # PyTorch's NotImplementedError is an error
    (
        "padding_stride.5",
        "error",
        lambda X, kernel_size, stride, dilation: F.pad(X, (1,) * 4, mode="reflect"),
    ),
    # hints say what is, not what it resembles
    ("channels.1", "number of values", (1200, 1228800)),
    ("convolution.4", None, lambda X, K: ops.corr2d(X, K).int()),
]


@pytest.mark.parametrize(("exercise", "answer"), RIGHT)
def test_right_answer_in_another_form(exercise, answer):
    network = callable(answer) and exercise not in ("scaling.1", "convolution.6")
    result = check(exercise, answer() if network and not isinstance(answer, nn.Module) else answer)
    assert result.correct, result


@pytest.mark.parametrize(("exercise", "misconception", "answer"), WRONG)
def test_wrong_answer_that_is_nearly_right(exercise, misconception, answer):
    result = check(exercise, answer)
    assert result.status == "not yet", result
    assert misconception in (None, result.misconception), result


def test_a_loop_in_forward_ends_within_seconds(monkeypatch):
    from d2lconv.exercises.engine import networks

    call = networks.call
    monkeypatch.setattr(networks, "call", lambda *arguments, **options: call(*arguments, seconds=0.3))

    def forever(X):
        while True:
            pass

    assert check("pooling.6", Of(forever)).misconception == "endless loop"


def test_another_default_type_of_numbers_changes_nothing():
    torch.set_default_dtype(torch.float64)
    try:
        assert check("one_by_one.4", lambda A, a, B, b: torch.cat([B @ A, (B @ a + b)[:, None]], 1)).correct
        assert check("building_blocks.9", odd(nn.Tanh())).correct
        assert torch.get_default_dtype() == torch.float64
    finally:
        torch.set_default_dtype(torch.float32)
