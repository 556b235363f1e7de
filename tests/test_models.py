"""Blocks compute what their names say, have the parameters of the papers, and refuse bad settings."""

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.oracle import assert_same, distinct
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.models import DepthwiseSeparableConv2d, nin_block
from d2lconv.shapes import conv_output_size

int_or_pair = st.one_of(st.integers(1, 3), st.tuples(st.integers(1, 3), st.integers(1, 3)))


@given(
    channels=st.tuples(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3)),
    kernel=int_or_pair,
    stride=int_or_pair,
    padding=st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2))),
    dilation=int_or_pair,
    bias=st.booleans(),
)
def test_depthwise_separable_is_the_function_and_two_layers(
    channels, kernel, stride, padding, dilation, bias
):
    c_in, c_out, m = channels
    setting = {"stride": stride, "padding": padding, "dilation": dilation}
    layer = DepthwiseSeparableConv2d(c_in, c_out, kernel, **setting, multiplier=m, bias=bias).double()
    weights = [p.detach() for p in layer.parameters()]
    assert len(weights) == 2 + bias

    def ours(X, *weights):
        return torch.func.functional_call(
            layer, dict(zip(dict(layer.named_parameters()), weights, strict=True)), X
        )

    def two_layers(X, depthwise, *pointwise):
        return F.conv2d(F.conv2d(X, depthwise, **setting, groups=c_in), *pointwise)

    X = distinct(2, c_in, 9, 8)
    assert_same(ours, two_layers, X, *weights)
    assert_same(ours, lambda *tensors: ops.depthwise_separable_conv2d(*tensors, **setting), X, *weights)


@pytest.mark.parametrize("padding", ["same", "valid"])
def test_depthwise_separable_takes_padding_modes(padding):
    layer = DepthwiseSeparableConv2d(2, 3, (3, 5), padding=padding, dilation=2)
    assert layer(torch.ones(2, 8, 9)).shape == (
        3,
        *conv_output_size((8, 9), (3, 5), padding=padding, dilation=2),
    )


def test_depthwise_separable_is_a_product_of_two_smaller_kernels():
    """With one channel, it is an ordinary convolution whose kernel is the product of both weights."""
    layer = DepthwiseSeparableConv2d(1, 4, 3)
    X = torch.randn(2, 1, 6, 6, generator=torch.Generator().manual_seed(0))
    kernels = layer.pointwise.weight * layer.depthwise.weight
    torch.testing.assert_close(layer(X), F.conv2d(X, kernels, layer.pointwise.bias))


def count(model):
    return sum(p.numel() for p in model.parameters())


def test_parameters_of_the_papers():
    assert count(DepthwiseSeparableConv2d(512, 512, 3, bias=False)) == 512 * 9 + 512 * 512  # 0.27 M
    assert count(DepthwiseSeparableConv2d(32, 128, 3, multiplier=2)) == 64 * 9 + 64 * 128 + 128
    assert count(nin_block(1, 96, 11)) == 96 * 121 + 96 + 2 * (96 * 96 + 96)


@given(kernel=int_or_pair, stride=int_or_pair, padding=st.one_of(st.integers(0, 2), st.just("valid")))
def test_nin_block_is_its_layers(kernel, stride, padding):
    block = nin_block(3, 4, kernel, stride, padding)
    assert [type(layer) for layer in block] == [nn.Conv2d, nn.ReLU] * 3
    X = torch.randn(2, 3, 9, 8, generator=torch.Generator().manual_seed(0))
    first = F.relu(F.conv2d(X, block[0].weight, block[0].bias, stride, padding))
    assert first.shape[2:] == conv_output_size((9, 8), kernel, stride=stride, padding=padding)
    # Each pixel's channels, alone, go through two fully connected layers.
    pixels = first.movedim(1, 3)
    for layer in (block[2], block[4]):
        pixels = F.relu(F.linear(pixels, layer.weight.flatten(1), layer.bias))
    torch.testing.assert_close(block(X), pixels.movedim(3, 1))


def test_nin_block_keeps_the_size_under_same():
    assert nin_block(1, 2, 5, padding="same")(torch.ones(1, 1, 7, 6)).shape == (1, 2, 7, 6)


@pytest.mark.parametrize("make", [nin_block, DepthwiseSeparableConv2d])
@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"in_channels": 0}, ValueError, r"in_channels must be at least 1, got 0"),
        ({"in_channels": 2.0}, TypeError, r"in_channels must be an integer, got 2.0 of type float"),
        ({"out_channels": -1}, ValueError, r"out_channels must be at least 1, got -1"),
        ({"out_channels": True}, TypeError, r"out_channels must be an integer, got True"),
        ({"kernel_size": 0}, ValueError, r"kernel_size must be at least 1, got 0"),
        ({"kernel_size": (3, 3, 3)}, ValueError, r"kernel_size must be an integer or a pair .*\(3, 3, 3\)"),
        ({"stride": 0}, ValueError, r"stride must be at least 1, got 0"),
        ({"padding": -1}, ValueError, r"padding must be at least 0, got -1"),
        ({"padding": (1, 1, 1, 1)}, ValueError, r"padding must be an integer or a pair \(height, width\)"),
        ({"padding": "SAME"}, ValueError, r"padding must be 'valid' or 'same', or .* got 'SAME'"),
        ({"padding": "full"}, ValueError, r"padding must be 'valid' or 'same', or .* got 'full'"),
        ({"padding": "same", "stride": 2}, ValueError, r"padding='same' needs stride 1, got stride 2"),
    ],
)
def test_bad_settings_are_refused(make, settings, error, message):
    good = {"in_channels": 2, "out_channels": 3, "kernel_size": 3}
    with pytest.raises(error, match=message):
        make(**good | settings)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"multiplier": 0}, ValueError, r"multiplier must be at least 1, got 0"),
        ({"dilation": 0}, ValueError, r"dilation must be at least 1, got 0"),
        ({"dilation": 1.5}, TypeError, r"dilation must be an integer, got 1.5"),
    ],
)
def test_bad_settings_of_depthwise_separable_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        DepthwiseSeparableConv2d(2, 3, 3, **settings)
