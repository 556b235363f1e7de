"""Parameters and multiply-adds are the columns' sums, PyTorch's own counts, and those of the papers."""

import copy

import pytest
import torch
from hypothesis import given, settings
from tests.package.networks import Model, counted_by_pytorch, lenet, stacks, vgg
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.models import DepthwiseSeparableConv2d
from d2lconv.summary import summarize

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


def with_head(layers):
    """Add a fully connected layer on all outputs of others."""
    features = nn.Sequential(*copy.deepcopy(layers), nn.Flatten())(torch.ones(2, 2, 24, 23)).shape[1]
    return nn.Sequential(nn.Sequential(*layers), nn.Flatten(), nn.Linear(features, 3), nn.ReLU())


@given(stack=stacks())
@settings(max_examples=30)
def test_totals_of_random_stacks_are_pytorchs(stack):
    model = with_head(stack[0])
    summary = summarize(model, (2, 24, 23))
    assert summary.total_macs == sum(row.macs for row in summary.rows)
    assert summary.total_macs == counted_by_pytorch(model, (2, 24, 23))
    assert summary.total_params == sum(row.params for row in summary.rows)
    assert summary.total_params == sum(p.numel() for p in model.parameters())


@pytest.mark.parametrize(
    "function",
    [
        lambda self, X: F.conv2d(X, self.weight, padding=1),
        lambda self, X: ops.conv2d(X, self.weight, padding=1),
        lambda self, X: F.conv2d(F.pad(X, (1, 1, 1, 1)), self.weight),
        lambda self, X: (self.weight.flatten(1) @ F.unfold(X, 3, padding=1)).view(1, 6, 8, 8),
        lambda self, X: torch.einsum("oif,nifp->nop", self.weight.flatten(2), windows(X)),
    ],
)
def test_multiply_adds_are_the_same_however_a_convolution_is_written(function):
    written = Model(function, weight=nn.Parameter(torch.ones(6, 4, 3, 3)))
    (row,) = summarize(written, (4, 8, 8)).rows
    (layer,) = summarize(nn.Conv2d(4, 6, 3, padding=1, bias=False), (4, 8, 8)).rows
    assert (row.macs, row.params) == (layer.macs, layer.params)


def windows(X):
    return F.unfold(X, 3, padding=1).view(1, 4, 9, 64)


@pytest.mark.parametrize(
    ("function", "macs"),
    [
        (lambda self, X: X @ X.mT, 3 * 5 * 3),
        (lambda self, X: torch.baddbmm(torch.ones(3, 3), X, X.mT), 3 * 5 * 3),
        (lambda self, X: torch.addbmm(torch.ones(3, 3), X, X.mT), 3 * 5 * 3),
        (lambda self, X: torch.addbmm(torch.ones(5, 5), X[0, :, :, None], X[0, :, None]), 3 * 5 * 5),
        (lambda self, X: X @ torch.ones(5), 3 * 5),
        (lambda self, X: torch.addmv(torch.ones(3), X[0], torch.ones(5)), 3 * 5),
        (lambda self, X: X[0, 0] @ X[0, 1], 5),
        (lambda self, X: F.linear(X, torch.ones(2, 5), torch.ones(2)), 3 * 5 * 2),
        (lambda self, X: F.conv_transpose1d(X, torch.ones(3, 2, 4), stride=2), 5 * 3 * 2 * 4),
        (lambda self, X: F.scaled_dot_product_attention(X, X, X), 2 * 3 * 5 * 3),
        (lambda self, X: X * X + X.sum(), 0),
    ],
)
def test_multiply_adds_of_functions(function, macs):
    (row,) = summarize(Model(function), (3, 5)).rows
    assert row.macs == macs


def test_functions_of_a_block_have_a_row_of_their_own():
    block = Model(lambda self, X: self.f(X) @ X.mT, f=nn.Linear(5, 5))
    rows = summarize(nn.Sequential(block), (3, 5)).rows
    assert [(row.name, row.kind, row.macs) for row in rows] == [
        ("0.f", "Linear", 75),
        ("0", "(functional)", 45),
    ]


def test_parameters_of_a_block_have_a_row_of_their_own():
    block = Model(lambda self, X: self.f(X) * self.scale, f=nn.ReLU(), scale=nn.Parameter(torch.ones(7)))
    rows = summarize(block, (7,)).rows
    assert [(row.name, row.kind, row.params) for row in rows] == [("f", "ReLU", 0), ("", "(functional)", 7)]


def test_tied_parameters_are_counted_once():
    first, second = nn.Linear(5, 5), nn.Linear(5, 5)
    second.weight = first.weight
    summary = summarize(nn.Sequential(first, first, second), (5,))
    assert [(row.name, row.params, row.shared_params, row.macs) for row in summary.rows] == [
        ("0", 30, 0, 25),
        ("0", 0, 30, 25),
        ("2", 5, 25, 25),
    ]
    assert summary.total_params == 35


@pytest.mark.parametrize(
    ("blocks", "params"),
    [
        ((1, 1, 2, 2, 2), 132_863_336),
        ((2, 2, 2, 2, 2), 133_047_848),
        ((2, 2, 3, 3, 3), 138_357_544),
        ((2, 2, 4, 4, 4), 143_667_240),
    ],
    ids="ABDE",
)
def test_vgg(blocks, params):
    summary = summarize(vgg(*blocks), (3, 224, 224))
    assert summary.total_params == params
    pooled = [row for row in summary.rows if row.kind == "MaxPool2d"][-1]
    assert pooled.output_shape == (512, 7, 7)
    assert pooled.field_stride == (32, 32)


def test_mobilenet():
    full = summarize(nn.Conv2d(512, 512, 3, padding=1, bias=False), (512, 14, 14))
    light = summarize(DepthwiseSeparableConv2d(512, 512, 3, padding=1, bias=False), (512, 14, 14))
    assert (full.total_macs, full.total_params) == (462_422_016, 2_359_296)
    assert (light.total_macs, light.total_params) == (52_283_392, 266_752)


def test_lenet():
    assert summarize(lenet(), (1, 28, 28)).total_params == 61_706


class Convolver(nn.Module):
    """Has "Conv" in its name, but is not a convolution."""

    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(1))

    def forward(self, X):
        return X * self.weight


tied = nn.Sequential(nn.Linear(8, 8, bias=False), nn.Linear(8, 8, bias=False))
tied[1].weight = tied[0].weight

# Parameters and MACs where other tools miscount.
COUNTED = {
    "biases are parameters, not multiply-adds": (nn.Conv2d(2, 3, 3), (2, 8, 8), 57, 1944),
    "a normalisation has no multiply-adds": (nn.BatchNorm2d(4), (4, 8, 8), 8, 0),
    "a fully connected layer on 5 rows": (nn.Linear(8, 3, bias=False), (5, 8), 24, 120),
    "a transposed convolution": (nn.ConvTranspose2d(2, 3, 3, stride=2, bias=False), (2, 8, 8), 54, 3456),
    "functions": (
        Model(lambda self, X: F.conv2d(X, self.w), w=nn.Parameter(torch.ones(3, 2, 3, 3))),
        (2, 8, 8),
        54,
        1944,
    ),
    "weights computed from others": (
        nn.utils.parametrizations.spectral_norm(nn.Conv2d(2, 3, 3)),
        (2, 8, 8),
        57,
        1944,
    ),
    "tied parameters": (tied, (8,), 64, 128),
    "a class's name": (Convolver(), (4, 8, 8), 1, 0),
}


@pytest.mark.parametrize("name", COUNTED)
def test_what_others_miscount(name):
    model, shape, params, macs = COUNTED[name]
    summary = summarize(model, shape)
    assert (summary.total_params, summary.total_macs) == (params, macs)
    assert sum(p.numel() for p in model.parameters()) == params
    if name != "weights computed from others":
        assert counted_by_pytorch(model, shape) == macs


def test_a_bilinear_layer_has_a_product_for_each_weight():
    assert (
        summarize(nn.Bilinear(20, 20, 5), example=(torch.ones(3, 20), torch.ones(3, 20))).total_macs == 2000
    )


def test_models_of_one_class_name_are_not_taken_for_one():
    network = type("Network", (nn.Sequential,), {})
    narrow, wide = network(nn.Linear(8, 3, False)), network(nn.Linear(8, 30, False))
    assert [summarize(model, (8,)).total_params for model in (narrow, wide)] == [24, 240]
