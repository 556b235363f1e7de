"""cost_explorer in Python: what it counts, its traits and their errors, its arguments, and its picture."""

import json
import re

import ipywidgets
import matplotlib.pyplot as plt
import pytest
import torch
import traitlets
from tests.package.networks import counted_by_pytorch
from torch import nn

from d2lconv.models import VGG, DepthwiseSeparableConv2d, LeNet
from d2lconv.summary import summarize
from d2lconv.widgets import cost_explorer
from d2lconv.widgets.cost.networks import NETWORKS, three_ways


def picture(figure):
    return figure._repr_mimebundle_()["image/svg+xml"]


def test_controls_of_a_layer_are_named_and_linked():
    figure = cost_explorer(12, 64, kernel_size=5, size=20, bottleneck=4, bias=False)
    lists = list(figure.controls.values())[:3]
    assert [(one.description, one.options[one.index]) for one in lists] == [
        ("Input channels", "12"),
        ("Output channels", "64"),
        ("Bottleneck channels", "4"),
    ]
    assert lists[0].options == ("1", "3", "4", "8", "12", "16", "32", "64", "128", "256", "512")
    kernel, size, bias = list(figure.controls.values())[3:]
    assert (kernel.description, kernel.value, kernel.min, kernel.max) == ("Kernel size", 5, 1, 7)
    assert (size.description, size.value, size.min, size.max) == ("Image size", 20, 4, 224)
    assert (bias.description, bias.value) == ("Bias", False)
    assert len(figure._links) == 6
    assert figure.children[-1] is figure.view
    assert repr(figure) == "cost_explorer(12 to 64 channels, 5×5, 20×20)"


def test_controls_of_a_network():
    figure = cost_explorer(show="VGG D", size=64)
    networks, size = figure.controls.values()
    assert networks.options == ("LeNet", "VGG A", "VGG B", "VGG D", "VGG E")
    assert (networks.index, size.value, size.step, size.min, size.max) == (3, 64, 1, 4, 224)
    assert isinstance(size, ipywidgets.IntSlider)
    assert repr(figure) == "cost_explorer(VGG D, 64×64)"


def test_bottleneck_is_a_quarter_of_the_input_unless_given():
    def inside(figure):
        return figure.view.channels[figure.view.bottleneck_index]

    assert inside(cost_explorer(256)) == 64
    assert inside(cost_explorer(3)) == 1
    assert inside(cost_explorer(256, bottleneck=300)) == 300


@pytest.mark.parametrize("bias", [False, True])
@pytest.mark.parametrize("kernel_size", [1, 2, 3, 6])
def test_three_ways_are_pytorch_s_layers(kernel_size, bias):
    """Even kernels need another zero on one side, for which PyTorch warns: here they get it by hand."""
    summaries = three_ways(6, 10, 4, kernel_size, 9, bias)
    before = (kernel_size - 1) // 2
    zeros = nn.ZeroPad2d((before, kernel_size - 1 - before) * 2)
    ways = [
        nn.Sequential(zeros, nn.Conv2d(6, 10, kernel_size, bias=bias)),
        nn.Sequential(
            nn.Conv2d(6, 4, 1, bias=bias),
            *(zeros, nn.Conv2d(4, 4, kernel_size, bias=bias), nn.Conv2d(4, 10, 1, bias=bias)),
        ),
        nn.Sequential(zeros, DepthwiseSeparableConv2d(6, 10, kernel_size, bias=bias)),
    ]
    for summary, way in zip(summaries.values(), ways, strict=True):
        assert way(torch.ones(1, 6, 9, 9)).shape[1:] == summary.rows[-1].output_shape == (10, 9, 9)
        assert summary.total_params == sum(p.numel() for p in way.parameters())
        assert summary.total_macs == counted_by_pytorch(way, (6, 9, 9))


def test_numbers_are_those_of_the_mobilenet_paper():
    full, _, separable = cost_explorer(512, 512, size=14, bias=False).view.summaries().values()
    assert [f"{one.total_macs / 1e6:.3g}" for one in (full, separable)] == ["462", "52.3"]
    assert [f"{one.total_params / 1e6:.2f}" for one in (full, separable)] == ["2.36", "0.27"]


@pytest.mark.parametrize(
    ("name", "model", "shape", "millions"),
    [
        ("LeNet", LeNet, (1, 28, 28), 0.061706),
        *[
            (f"VGG {letter}", lambda letter=letter: VGG(letter), (3, 224, 224), millions)
            for letter, millions in {"A": 133, "B": 133, "D": 138, "E": 144}.items()
        ],
    ],
)
def test_networks_are_those_of_the_package(name, model, shape, millions):
    summary = cost_explorer(show=name).view.summaries()[name]
    with torch.device("meta"):
        assert summary.rows == summarize(model(), shape).rows
    assert round(summary.total_params / 1e6, 0 if millions > 1 else 6) == millions


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("kernel_size", 0, "kernel_size must be from 1 to 7, got 0"),
        ("kernel_size", 8, "kernel_size must be from 1 to 7, got 8"),
        ("kernel_size", 2.5, "expected an int"),
        ("size", 3, "size must be from 4 to 224, got 3"),
        ("size", 225, "size must be from 4 to 224, got 225"),
        ("in_index", 9, "in_index must be from 0 to 8, got 9"),
        ("out_index", -1, "out_index must be from 0 to 8, got -1"),
        ("bottleneck_index", 9, "bottleneck_index must be from 0 to 8, got 9"),
        ("channels", [*range(1, 9), 0], "each of channels must be from 1 to 4096, got 0"),
        ("channels", [4097] * 9, "each of channels must be from 1 to 4096, got 4097"),
        ("channels", [1, 2], "channels must hold at least 7 numbers, got 2"),
        ("network", 1, "network must be from 0 to 0, got 1"),
        ("picked", 40, "picked must be from 0 to 39, got 40"),
        ("bias", "yes", "expected a boolean"),
    ],
)
def test_wrong_values_are_refused(trait, value, message):
    view = cost_explorer().view
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(view, trait, value)
    assert getattr(view, trait) == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"in_channels": 0}, ValueError, "in_channels must be at least 1, got 0"),
        ({"in_channels": 2.5}, TypeError, "in_channels must be an integer, got 2.5"),
        ({"out_channels": 4097}, ValueError, "out_channels must be at most 4096, got 4097"),
        ({"bottleneck": 0}, ValueError, "bottleneck must be at least 1, got 0"),
        ({"kernel_size": 9}, traitlets.TraitError, "kernel_size must be from 1 to 7, got 9"),
        ({"show": "VGG C"}, ValueError, "show must be 'layer' or one of 'LeNet', 'VGG A', 'VGG B', "),
        (
            {"show": "VGG A", "size": 31},
            ValueError,
            "VGG A does not take images of 31×31: image_size must be at least 2**5 = 32, since",
        ),
        ({"show": "VGG A", "size": 225}, traitlets.TraitError, "size must be from 4 to 224, got 225"),
        ({"show": "LeNet", "size": 30}, ValueError, "size must be 28 for LeNet, got 30"),
        ({"show": "LeNet", "size": 3}, traitlets.TraitError, "size must be from 4 to 224, got 3"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        cost_explorer(**arguments)


def test_picture_shows_the_present_state():
    figure = cost_explorer(8, 16)
    seen = [picture(figure)]
    for trait, value in {"size": 7, "kernel_size": 5, "bias": False, "in_index": 0, "picked": 2}.items():
        setattr(figure.view, trait, value)
        seen.append(picture(figure))
    assert len(set(seen)) == 6
    assert picture(figure) == seen[-1]


def test_picture_has_no_lines_through_its_numbers():
    figure = cost_explorer()
    seen = picture(figure)
    with plt.rc_context({"axes.grid": True}):  # as in the course's style
        assert picture(figure) == seen


def test_picture_of_a_network_also_where_there_is_none():
    figure = cost_explorer(show="LeNet")
    seen = [picture(figure)]
    for trait, value in [("picked", 39), ("size", 30), ("network", 1), ("size", 100)]:
        setattr(figure.view, trait, value)
        seen.append(picture(figure))
    assert len(set(seen)) == 5


def test_description_leaves_open_what_follows_from_the_image_size():
    lenet, vgg, *_ = cost_explorer(show="VGG A").view.networks
    assert lenet["layers"][2:5] == [
        ["conv", 16, 5, 1, 0, True],
        ["pool", 2, 2],
        ["linear", 120, 400, True],
    ]
    assert [layer[2] for layer in vgg["layers"] if layer[0] == "linear"] == [None, 4096, 4096]
    assert (lenet["size"], lenet["fixed"], vgg["size"], vgg["fixed"]) == (28, True, 224, False)
    assert [network["name"] for network in cost_explorer(show="VGG A").view.networks] == list(NETWORKS)


def test_module_and_state_are_light():
    view = cost_explorer(show="VGG E").view
    assert len(json.dumps(view.networks)) < 3 * 1024
    assert cost_explorer().view.networks == []
