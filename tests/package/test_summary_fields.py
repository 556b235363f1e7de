"""Receptive fields agree with shape arithmetic and with gradients, and are unknown rather than wrong."""

import copy

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.package.networks import Model, counted_by_pytorch, shapes_of_calls, stacks
from torch import nn
from torch.nn import functional as F

from d2lconv.shapes import Layer, receptive_field
from d2lconv.summary import summarize

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


@given(stack=stacks())
@settings(max_examples=30)
def test_receptive_fields_of_stacks_are_those_of_shape_arithmetic(stack):
    layers, specs = stack
    rows = summarize(nn.Sequential(*layers), (2, 24, 23)).rows
    for number, row in enumerate(rows):
        field = receptive_field([spec for spec in specs[: number + 1] if spec is not None])
        assert (row.field_size, row.field_stride) == (field.size, field.stride)


@given(
    size=st.integers(1, 4),
    stride=st.integers(1, 3),
    dilation=st.integers(1, 2),
    groups=st.sampled_from([1, 2]),
)
def test_signals(size, stride, dilation, groups):
    layers = (
        *(nn.Conv1d(2, 4, size, stride, size // 2, dilation, groups), nn.ReLU()),
        *(nn.MaxPool1d(2), nn.AvgPool1d(3, 2, 1), nn.ConstantPad1d((2, 1), 0.0)),
    )
    rows = summarize(nn.Sequential(*layers), (2, 40)).rows
    specs = [Layer((1, k), (1, s), 0, (1, d)) for k, s, d in [(size, stride, dilation), (2, 2, 1), (3, 2, 1)]]
    field = receptive_field(specs)
    assert rows[-1].field_size == field.size[1:]
    assert rows[-1].field_stride == field.stride[1:]
    assert rows[0].macs == counted_by_pytorch(layers[0], (2, 40))
    assert [row.output_shape for row in rows] == shapes_of_calls(nn.Sequential(*layers), (2, 40))


# ---- branches against gradients ------------------------------------------------------------


def seen_by_one_cell(model, shape):
    """Return height and width of the part of the input that an inner output cell depends on."""
    X = torch.ones(1, *shape, dtype=torch.float64, requires_grad=True)
    Y = copy.deepcopy(model).double()(X)
    Y[0, :, Y.shape[2] // 2, Y.shape[3] // 2].sum().backward()
    rows, columns = X.grad[0].abs().sum(0).nonzero(as_tuple=True)
    return tuple((cells.max() - cells.min() + 1).item() for cells in (rows, columns))


def ones(layer):
    """Set weights so that no path cancels another."""
    for parameter in layer.parameters():
        nn.init.ones_(parameter)
    return layer


STEPS = [
    lambda self, X: X + self.f(X),
    lambda self, X: torch.add(self.f(self.f(X)), X, alpha=2),
    lambda self, X: torch.cat([X[:, :1], self.f(X)[:, 1:]], dim=1),
    lambda self, X: self.f(X).relu_(),
    lambda self, X: F.avg_pool2d(self.f(X), 3, stride=2),
    lambda self, X: self.f(X)[:, :, 1::2, :-2],
    lambda self, X: F.pad(self.f(X), (0, 2, 1, 0)) + F.pad(X, (2, 0, 0, 1)),
    lambda self, X: self.f(X.view(2, 1, *X.shape[2:]).transpose(0, 1)),
    lambda self, X: self.f(X) * X.mean(1, keepdim=True),
    lambda self, X: self.f(X) + F.pad(X[:, :, 3:], (0, 0, 1, 2)),
    lambda self, X: self.f(X) + F.adaptive_avg_pool2d(X, X.shape[2:]),
]


@st.composite
def networks(draw):
    """Draw a network with branches, shifts and detours, from 2 channels to 2."""
    network = nn.Sequential()
    for step in draw(st.lists(st.sampled_from(STEPS), min_size=1, max_size=4)):
        kernel = draw(st.tuples(st.sampled_from([1, 3, 5]), st.sampled_from([1, 3])))
        layer = nn.Conv2d(2, 2, kernel, padding="same", bias=False)
        nn.init.ones_(layer.weight)  # so that no path cancels another
        network.append(Model(step, f=layer))
    return network.append(nn.Identity())


@given(model=networks())
@settings(max_examples=30)
def test_receptive_fields_through_branches_are_what_a_gradient_sees(model):
    assert summarize(model, (2, 121, 121)).rows[-1].field_size == seen_by_one_cell(model, (2, 121, 121))


KNOWN = {
    "transformed by hand": (lambda self, X: (X.sigmoid() * 2 + 1).clamp(0, 1), (1, 1), (1, 1)),
    "a constant added": (lambda self, X: X + torch.ones(4, 8, 8), (1, 1), (1, 1)),
    "global pooling": (lambda self, X: F.adaptive_avg_pool2d(X, 1), (8, 8), (8, 8)),
    "adaptive pooling that divides": (lambda self, X: F.adaptive_max_pool2d(X, (4, 2)), (2, 4), (2, 4)),
    "adaptive pooling that doesn't": (lambda self, X: F.adaptive_avg_pool2d(X, 3), None, None),
    "adaptive pooling with windows that overlap alike": (
        lambda self, X: F.adaptive_avg_pool2d(X[:, :, :7, :5], (3, 2)),
        (3, 3),
        (2, 2),
    ),
    "zeros of the same shape": (lambda self, X: X + torch.zeros_like(X), (1, 1), (1, 1)),
    "shuffled channels": (lambda self, X: nn.ChannelShuffle(2)(X), (1, 1), (1, 1)),
    "activated through a view": (lambda self, X: activate_a_view(self.f(X)), (1, 1), (1, 1)),
    "mean over positions": (lambda self, X: X.mean((2, 3)), (8, 8), None),
    "deviation over positions": (lambda self, X: X.std((2, 3), keepdim=True), (8, 8), (8, 8)),
    "mean over rows": (lambda self, X: X.mean(2, keepdim=True), (8, 1), (8, 1)),
    "mean over rows, moved": (lambda self, X: X.mean(2), None, None),
    "mean over all": (lambda self, X: X.mean(), (8, 8), None),
    "sum over channels": (lambda self, X: X.sum(1), (1, 1), (1, 1)),
    "squeeze and excite": (lambda self, X: X * self.f(X.mean((2, 3), keepdim=True)), (8, 8), None),
    "padding": (lambda self, X: F.max_pool2d(F.pad(X, (1, 1, 1, 1), "reflect"), 3), (3, 3), (3, 3)),
    "circular padding": (lambda self, X: self.g(X), None, None),
    "flattened": (lambda self, X: F.max_pool2d(X, 2).flatten(1), (2, 2), None),
    "two flattened, one after the other": (
        lambda self, X: torch.cat([X.flatten(1), F.avg_pool2d(X, 2).flatten(1)], 1),
        (2, 2),
        None,
    ),
    "two flattened, added": (lambda self, X: X.flatten(1) + F.pad(X, (1, -1)).flatten(1), None, None),
    "fully connected": (lambda self, X: self.h(X.flatten(1)), (8, 8), None),
    "fully connected, and on": (
        lambda self, X: self.h(X.flatten(1)).log_softmax(1).view(1, 1, 2, 2).mT,
        (8, 8),
        None,
    ),
    "fully connected, channels only": (lambda self, X: self.k(X.permute(0, 2, 3, 1)), None, None),
    "fully connected, rows only": (lambda self, X: nn.Linear(8, 2)(X), None, None),
    "rows and columns swapped": (lambda self, X: F.max_pool2d(X, (2, 1)).mT, (2, 1), None),
    "swapped and convolved": (lambda self, X: self.f(X.mT), None, None),
    "channels last and back": (lambda self, X: X.movedim(1, 3).movedim(3, 1), (1, 1), None),
    "rolled": (lambda self, X: X.roll(1, 2), None, None),
    "enlarged": (lambda self, X: F.interpolate(X, scale_factor=2), None, None),
    "transposed convolution": (lambda self, X: self.t(X), None, None),
    "normalised by its own mean": (lambda self, X: F.instance_norm(X), None, None),
    "softmax over channels": (lambda self, X: X.softmax(1), (1, 1), (1, 1)),
    "softmax over positions": (lambda self, X: X.softmax(2), None, None),
    "strides that differ": (lambda self, X: X[:, :, :4, :4] + X[:, :, ::2, ::2], None, None),
    "joined rows": (lambda self, X: torch.cat([X, X], 2), None, None),
    "cut and padded back": (
        lambda self, X: X + F.pad(X[:, :, 1:, 2:], (2, 0, 1, 0)),
        (1, 1),
        (1, 1),
    ),
    "one corner for all": (lambda self, X: X * X[:, :, :1, :1], None, None),
    "known and unknown": (lambda self, X: X + X.roll(1, 2), None, None),
    "sum of the flattened": (lambda self, X: X.flatten(1).sum(), (8, 8), None),
    "added to a product": (
        lambda self, X: torch.addmm(X[0, 0], torch.ones(8, 64), torch.ones(64, 8)),
        None,
        None,
    ),
    "product of two parts": (
        lambda self, X: X[:, :, :4].flatten(1) @ X[:, :, 4:].flatten(1).mT,
        None,
        None,
    ),
    "weights": (lambda self, X: F.conv2d(torch.ones(1, 4, 9, 9), X), None, None),
    "its own weights": (lambda self, X: F.conv2d(X, X), None, None),
    "written to in part": (lambda self, X: write(X + 0, self.f(X)), None, None),
    "written into zeros": (lambda self, X: write(torch.zeros(1, 4, 8, 8), X), None, None),
    "changed through a view": (lambda self, X: relu_a_view(self.f(X)), None, None),
    "no input at all": (lambda self, X: torch.ones(1, 4, 8, 8), None, None),
}


def write(Y, X):
    Y[:, :2] = X[:, :2]
    return Y


def relu_a_view(Y):
    Y[:, :2].add_(F.max_pool2d(Y[:, 2:], 3, 1, 1))
    return Y


def activate_a_view(Y):
    Y.view(4, 64).relu_()
    return Y


@pytest.mark.parametrize("name", KNOWN)
def test_receptive_field_is_known_or_unknown_but_not_wrong(name):
    function, size, stride = KNOWN[name]
    model = nn.Sequential(
        Model(
            function,
            f=nn.Conv2d(4, 4, 1),
            g=nn.Conv2d(4, 4, 3, padding=1, padding_mode="circular"),
            h=nn.Linear(256, 4),
            k=nn.Linear(4, 4),
            t=nn.ConvTranspose2d(4, 4, 2),
        ),
        nn.Identity(),
    )
    (row,) = (row for row in summarize(model, (4, 8, 8)).rows if row.kind == "Identity")
    assert (row.field_size, row.field_stride) == (size, stride)


def test_without_spatial_axes_there_is_no_field():
    assert {row.field_size for row in summarize(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), (4,)).rows} == {
        None
    }


@pytest.mark.parametrize(
    ("n", "m"), [(7, 3), (5, 2), (7, 2), (9, 4), (10, 3), (11, 5), (13, 6), (12, 4), (9, 1)]
)
def test_adaptive_pooling_has_a_field_where_its_windows_are_alike(n, m):
    X = torch.zeros(1, 1, n, n, requires_grad=True)
    Y = F.adaptive_avg_pool2d(X, m)
    seen = [
        torch.autograd.grad(Y[0, 0, i, i], X, retain_graph=True)[0][0, 0].any(0).nonzero() for i in range(m)
    ]
    (row,) = summarize(nn.AdaptiveAvgPool2d(m), (1, n, n)).rows
    assert row.field_size == (len(seen[0]),) * 2
    assert row.field_stride == ((seen[1].min().item() if m > 1 else n),) * 2


LAYERS = [
    *(
        nn.ReLU,
        nn.ReLU6,
        nn.Hardtanh,
        nn.ELU,
        nn.CELU,
        nn.SELU,
        nn.SiLU,
        nn.Mish,
        nn.Hardswish,
        nn.Hardsigmoid,
    ),
    *(nn.LeakyReLU, nn.RReLU, nn.Dropout, nn.Dropout2d, nn.AlphaDropout),
]
TWINS = {
    **{kind.__name__: (kind(inplace=True), kind()) for kind in LAYERS},
    "squeeze": (lambda X: X.squeeze_(0), lambda X: X.squeeze(0)),
    "unsqueeze": (lambda X: X.unsqueeze_(1), lambda X: X.unsqueeze(1)),
    "transpose": (lambda X: X.transpose_(0, 1), lambda X: X.transpose(0, 1)),
    "cumsum": (lambda X: X.cumsum_(2), lambda X: X.cumsum(2)),
    "masked_fill": (lambda X: X.masked_fill_(X > 0, 1), lambda X: X.masked_fill(X > 0, 1)),
    "threshold": (lambda X: F.threshold_(X, 0, 0), lambda X: F.threshold(X, 0, 0)),
    "add": (lambda X: X.add_(X), lambda X: X + X),
    "out": (lambda X: torch.add(X, X, out=torch.empty_like(X)), lambda X: X + X),
    "addmm": (lambda X: X[0, 0].addmm_(X[0, 0], X[0, 0]), lambda X: X[0, 0].addmm(X[0, 0], X[0, 0])),
    "baddbmm": (lambda X: X[0].baddbmm_(X[0], X[0]), lambda X: X[0].baddbmm(X[0], X[0])),
}


@pytest.mark.parametrize("name", TWINS)
def test_in_place_twins_have_the_same_field_and_costs(name):
    rows = [
        summarize(
            nn.Sequential(nn.Conv2d(1, 2, 3), Model(lambda self, X, f=twin: f(X)), nn.Identity()), (1, 9, 9)
        ).rows
        for twin in TWINS[name]
    ]
    assert rows[0] == rows[1]
    assert name in {"cumsum", "addmm", "baddbmm"} or rows[0][-1].field_size == (3, 3)
