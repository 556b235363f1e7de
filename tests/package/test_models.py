"""Blocks and networks compute what their names say, have the papers' parameters, and refuse bad settings."""

import re

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from tests.package.networks import lenet, vgg
from tests.package.oracle import assert_same, distinct
from torch import nn
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.models import VGG, DepthwiseSeparableConv2d, LeNet, nin_block, vgg_block
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


# ---- LeNet ----


def images(*shape):
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def test_lenet_is_the_classic_stack_of_layers():
    """With sigmoid and average pooling, as layer after layer written out in tests.package.networks."""
    model, stack = LeNet(activation="sigmoid", pooling="avg"), lenet()
    stack.load_state_dict(dict(zip(stack.state_dict(), model.state_dict().values(), strict=True)))
    X = images(2, 1, 28, 28)
    torch.testing.assert_close(model(X), stack(X))


@pytest.mark.parametrize(
    ("activation", "layer"), [("relu", nn.ReLU), ("sigmoid", nn.Sigmoid), ("tanh", nn.Tanh)]
)
@pytest.mark.parametrize(("pooling", "pool"), [("max", nn.MaxPool2d), ("avg", nn.AvgPool2d)])
def test_lenet_takes_activation_and_pooling_by_name(activation, layer, pooling, pool):
    model = LeNet(activation=activation, pooling=pooling)
    assert [type(layer) for layer in model.encoder] == [nn.Conv2d, layer, pool] * 2
    assert [type(layer) for layer in model.head] == [
        nn.Flatten,
        *(nn.Linear, layer) * 2,
        nn.Linear,
    ]
    assert model(images(2, 1, 28, 28)).shape == (2, 10)


def test_lenet_has_an_encoder_and_a_head():
    model = LeNet(3, 7)
    X = images(4, 3, 28, 28)
    maps = model.encoder(X)
    assert maps.shape == (4, 16, 5, 5)
    assert model(X).shape == (4, 7)
    torch.testing.assert_close(model(X), model.head(maps))
    assert model(X[:0]).shape == (0, 7)


def test_lenet_has_its_parameters():
    assert count(LeNet()) == 61_706
    assert count(LeNet(3)) == 61_706 + 2 * 6 * 5 * 5
    assert count(LeNet(num_classes=100)) == 61_706 + 90 * (84 + 1)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"in_channels": 0}, ValueError, "in_channels must be at least 1, got 0"),
        ({"in_channels": 1.0}, TypeError, "in_channels must be an integer, got 1.0 of type float"),
        ({"num_classes": 0}, ValueError, "num_classes must be at least 1, got 0"),
        ({"num_classes": True}, TypeError, "num_classes must be an integer, got True"),
        (
            {"activation": "ReLU"},
            ValueError,
            "activation must be one of 'relu', 'sigmoid', 'tanh', got 'ReLU'",
        ),
        ({"activation": nn.ReLU}, ValueError, "activation must be one of 'relu', 'sigmoid', 'tanh', got <cl"),
        ({"pooling": "average"}, ValueError, "pooling must be one of 'max', 'avg', got 'average'"),
        ({"pooling": None}, ValueError, "pooling must be one of 'max', 'avg', got None"),
    ],
)
def test_bad_settings_of_lenet_are_refused(settings, error, message):
    with pytest.raises(error, match=re.escape(message)):
        LeNet(**settings)


@pytest.mark.parametrize("shape", [(2, 1, 32, 32), (2, 1, 28, 27), (2, 3, 28, 28), (1, 28, 28), (28, 28)])
def test_networks_refuse_other_images(shape):
    narrow = VGG([(1, 2), (1, 2)], 1, 10, image_size=28, hidden=4)
    for model in (LeNet(), narrow):
        with pytest.raises(ValueError, match=re.escape(f"X must have shape (N, 1, 28, 28), got {shape}")):
            model(torch.zeros(shape))


# ---- VGG ----


@given(
    st.integers(1, 3),
    st.integers(1, 3),
    st.integers(1, 4),
    st.tuples(st.integers(2, 9), st.integers(2, 9)),
)
def test_vgg_block_is_its_layers(num_convs, in_channels, out_channels, size):
    block = vgg_block(num_convs, in_channels, out_channels)
    assert [type(layer) for layer in block] == [nn.Conv2d, nn.ReLU] * num_convs + [nn.MaxPool2d]
    X = Y = images(2, in_channels, *size)
    for convolution in block[:-1:2]:
        Y = F.relu(F.conv2d(Y, convolution.weight, convolution.bias, padding=1))
        assert convolution.kernel_size == (3, 3)
        assert Y.shape == (2, out_channels, *size)
    assert block(X).shape == (2, out_channels, size[0] // 2, size[1] // 2)
    torch.testing.assert_close(block(X), F.max_pool2d(Y, 2))


def test_vgg_block_normalises_between_each_convolution_and_its_relu():
    block = vgg_block(2, 3, 4, batch_norm=True)
    kinds = [nn.Conv2d, nn.BatchNorm2d, nn.ReLU] * 2 + [nn.MaxPool2d]
    assert [type(layer) for layer in block] == kinds
    X = images(2, 3, 6, 6)
    Y = F.conv2d(X, block[0].weight, block[0].bias, padding=1)
    mean, variance = Y.mean((0, 2, 3), keepdim=True), Y.var((0, 2, 3), correction=0, keepdim=True)
    torch.testing.assert_close(block[:3](X), F.relu((Y - mean) / (variance + 1e-5).sqrt()))


def on_meta(*arguments, **settings):
    """Build a VGG of which only the shapes exist."""
    with torch.device("meta"):
        return VGG(*arguments, **settings)


VGGS = {
    "A": (132_863_336, 1, 1, 2, 2, 2),
    "B": (133_047_848, 2, 2, 2, 2, 2),
    "D": (138_357_544, 2, 2, 3, 3, 3),
    "E": (143_667_240, 2, 2, 4, 4, 4),
}


@pytest.mark.parametrize("letter", VGGS)
def test_vgg_is_the_papers(letter):
    params, *convolutions = VGGS[letter]
    model, stack = on_meta(letter), vgg(*convolutions)
    assert count(model) == params
    assert [p.shape for p in model.parameters()] == [p.shape for p in stack.parameters()]
    kinds = [type(layer) for layer in stack if not isinstance(layer, nn.Flatten)]
    leaves = [type(layer) for layer in model.modules() if not list(layer.children())]
    assert [kind for kind in leaves if kind not in (nn.Flatten, nn.Dropout)] == kinds
    X = torch.zeros(2, 3, 224, 224, device="meta")
    assert model.encoder(X).shape == (2, 512, 7, 7)
    assert model(X).shape == (2, 1000)


@pytest.mark.parametrize(
    ("letter", "params"), {"A": 132_868_840, "B": 133_053_736, "D": 138_365_992, "E": 143_678_248}.items()
)
def test_vgg_with_batch_norm_is_torchvision_s(letter, params):
    """The counts are those that torchvision states for vgg11_bn to vgg19_bn."""
    model = on_meta(letter, batch_norm=True)
    assert count(model) == params
    convolutions = sum(isinstance(layer, nn.Conv2d) for layer in model.modules())
    assert sum(isinstance(layer, nn.BatchNorm2d) for layer in model.modules()) == convolutions


def test_vgg_takes_a_configuration_of_ones_own():
    model = VGG([[1, 4], (2, 8)], 2, 5, image_size=23, hidden=6, dropout=0.25)
    X = images(3, 2, 23, 23)
    maps = model.encoder(X)
    assert maps.shape == (3, 8, 5, 5)
    assert [len(block) for block in model.encoder] == [3, 5]
    assert [layer.out_features for layer in model.head if isinstance(layer, nn.Linear)] == [6, 6, 5]
    assert [layer.p for layer in model.head if isinstance(layer, nn.Dropout)] == [0.25, 0.25]
    model.eval()
    assert model(X).shape == (3, 5)
    torch.testing.assert_close(model(X), model.head(maps))


@pytest.mark.parametrize("blocks", [1, 2, 3, 5])
def test_vgg_takes_images_down_to_a_single_pixel(blocks):
    configuration, size = [(1, 2)] * blocks, 2**blocks
    for image_size in (size, size + 1):
        model = VGG(configuration, 1, 3, image_size=image_size, hidden=4)
        assert model(images(2, 1, image_size, image_size)).shape == (2, 3)
    with pytest.raises(ValueError, match=rf"image_size must be at least 2\*\*{blocks} = {size}, since"):
        VGG(configuration, image_size=size - 1)


def test_dropout_acts_in_training_alone():
    X = images(2, 1, 8, 8)
    torch.manual_seed(0)
    model = VGG([(1, 4)], 1, 3, image_size=8, hidden=32)
    assert not torch.equal(model(X), model(X))
    torch.testing.assert_close(model.eval()(X), model(X))
    for dropout in (0, 1):
        model = VGG([(1, 4)], 1, 3, image_size=8, hidden=32, dropout=dropout)
        assert bool(model(X).any()) == (dropout == 0)


def test_vgg_begins_with_he_s_weights():
    torch.manual_seed(0)
    model = VGG([(2, 64), (2, 64)], 8, 300, image_size=16, hidden=200)
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            wanted = (2 / layer.weight[0].numel()) ** 0.5
            assert layer.weight.std().item() == pytest.approx(wanted, rel=0.05)
            assert abs(layer.weight.mean().item()) < 0.05 * wanted
            assert not layer.bias.any()
    norm = VGG([(1, 4)], 1, 3, image_size=8, hidden=4, batch_norm=True).encoder[0][1]
    assert norm.weight.tolist() == [1] * 4  # its own beginning
    assert norm.bias.tolist() == [0] * 4


def test_he_s_weights_let_scores_depend_on_images_and_the_gradient_reach_the_first_layer():
    """As deep as VGG-19, but narrow; compared with PyTorch's own initialisation."""
    torch.manual_seed(0)
    model = VGG([(2, 16), (2, 32), (4, 64), (4, 64), (4, 64)], 1, 10, image_size=32, hidden=64, dropout=0)

    def look():
        """Return how far images are apart in their scores, relative to these, and the first gradient."""
        model.zero_grad()
        scores = model(images(64, 1, 32, 32))
        F.cross_entropy(scores, torch.arange(64) % 10).backward()
        spread = scores.std(0).mean() / scores.square().mean().sqrt()
        return spread.item(), model.encoder[0][0].weight.grad.norm().item()

    spread, gradient = look()
    for layer in model.modules():
        if isinstance(layer, nn.Conv2d | nn.Linear):
            layer.reset_parameters()
    poor_spread, poor_gradient = look()
    assert spread > 0.05
    assert poor_spread < 1e-4
    assert gradient > 1000 * poor_gradient


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        (
            {"configuration": "C"},
            ValueError,
            "configuration must be one of 'A', 'B', 'D', 'E', got 'C'",
        ),
        ({"configuration": []}, ValueError, "configuration must hold at least one block, got none"),
        (
            {"configuration": 11},
            TypeError,
            "configuration must be one of 'A', 'B', 'D', 'E' or a sequence of pairs (num_convs, "
            "out_channels), got 11",
        ),
        (
            {"configuration": [(1, 8), 16]},
            TypeError,
            "configuration[1] must be a pair (num_convs, out_channels), got 16",
        ),
        (
            {"configuration": (1, 8)},
            TypeError,
            "configuration[0] must be a pair (num_convs, out_channels), got 1",
        ),
        ({"configuration": ["18"]}, TypeError, "configuration[0] must be a pair (num_convs, out_channels)"),
        ({"configuration": [(1, 8, 8)]}, TypeError, "configuration[0] must be a pair (num_convs, out_chan"),
        ({"configuration": [(0, 8)]}, ValueError, "configuration[0][0] must be at least 1, got 0"),
        ({"configuration": [(1, 0)]}, ValueError, "configuration[0][1] must be at least 1, got 0"),
        ({"configuration": [(1, 8.0)]}, TypeError, "configuration[0][1] must be an integer, got 8.0"),
        ({"in_channels": 0}, ValueError, "in_channels must be at least 1, got 0"),
        ({"in_channels": "3"}, TypeError, "in_channels must be an integer, got '3'"),
        ({"num_classes": 0}, ValueError, "num_classes must be at least 1, got 0"),
        ({"num_classes": None}, TypeError, "num_classes must be an integer, got None"),
        ({"image_size": 0}, ValueError, "image_size must be at least 1, got 0"),
        ({"image_size": (28, 28)}, TypeError, "image_size must be an integer, got (28, 28)"),
        (
            {"image_size": 3},
            ValueError,
            "image_size must be at least 2**2 = 4, since each block halves it, got 3",
        ),
        ({"hidden": 0}, ValueError, "hidden must be at least 1, got 0"),
        ({"hidden": 1.5}, TypeError, "hidden must be an integer, got 1.5"),
        ({"dropout": -0.1}, ValueError, "dropout must be from 0 to 1, got -0.1"),
        ({"dropout": 1.5}, ValueError, "dropout must be from 0 to 1, got 1.5"),
        ({"dropout": float("nan")}, ValueError, "dropout must be from 0 to 1, got nan"),
        ({"dropout": "half"}, TypeError, "dropout must be a number, got 'half' of type str"),
        ({"dropout": True}, TypeError, "dropout must be a number, got True of type bool"),
        ({"batch_norm": 1}, TypeError, "batch_norm must be True or False, got 1"),
    ],
)
def test_bad_settings_of_vgg_are_refused(settings, error, message):
    good = {"configuration": [(1, 2), (1, 2)], "image_size": 8, "hidden": 4}
    with pytest.raises(error, match=re.escape(message)):
        VGG(**good | settings)


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ((0, 1, 1), ValueError, "num_convs must be at least 1, got 0"),
        ((1.0, 1, 1), TypeError, "num_convs must be an integer, got 1.0"),
        ((1, 0, 1), ValueError, "in_channels must be at least 1, got 0"),
        ((1, "1", 1), TypeError, "in_channels must be an integer, got '1'"),
        ((1, 1, -1), ValueError, "out_channels must be at least 1, got -1"),
        ((1, 1, False), TypeError, "out_channels must be an integer, got False"),
    ],
)
def test_bad_settings_of_vgg_block_are_refused(settings, error, message):
    with pytest.raises(error, match=message):
        vgg_block(*settings)
    with pytest.raises(TypeError, match="batch_norm must be True or False, got 'yes'"):
        vgg_block(1, 1, 1, batch_norm="yes")
