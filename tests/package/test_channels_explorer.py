"""channels_explorer in Python: traits and their errors, the layer that they stand for, the picture."""

import itertools
import re

import ipywidgets
import pytest
import torch
import traitlets
from torch.nn import functional as F

from d2lconv.widgets import channels_explorer

X = torch.arange(9.0).reshape(1, 3, 3) + torch.arange(2.0).reshape(2, 1, 1)
K = torch.arange(24.0).reshape(3, 2, 2, 2)
BIAS = [0, 10, -20]


@pytest.fixture
def figure():
    return channels_explorer(X, K, BIAS, channel=1)


def test_controls_are_named_and_linked(figure):
    assert isinstance(figure, ipywidgets.VBox)
    assert figure.children[-1] is figure.view
    assert list(figure.controls) == [
        "in_channels",
        "out_channels",
        "kernel_size",
        "groups",
        "channel",
        "use_bias",
    ]
    assert all(control.description for control in figure.controls.values())
    assert len(figure._links) == 7
    assert (figure.controls["channel"].value, figure.controls["channel"].max) == (1, 2)
    assert repr(figure) == "channels_explorer(2 → 3 channels, kernel 2×2, groups 1)"


def test_it_begins_with_what_is_given(figure):
    given = figure.view.tensors()
    for tensor, expected in zip(given, (X, K, torch.tensor(BIAS)), strict=True):
        torch.testing.assert_close(tensor, expected, check_dtype=False)
    assert torch.equal(figure.view.output(), F.conv2d(X, K, torch.tensor(BIAS).float()))
    assert channels_explorer(X, K).view.use_bias is False
    assert channels_explorer().view.use_bias is True


def test_parameters_of_a_layer_can_be_given():
    layer = torch.nn.Conv2d(4, 4, 3, groups=2)
    view = channels_explorer(X.repeat(2, 1, 1), layer.weight, layer.bias, groups=2).view
    torch.testing.assert_close(view.output(), layer(X.repeat(2, 1, 1)).detach())


def test_made_up_numbers_are_small_integers():
    view = channels_explorer().view
    numbers = torch.cat([torch.tensor(getattr(view, name)).flatten() for name in ("input", "kernel", "bias")])
    assert numbers.abs().max() <= 3
    assert torch.equal(numbers, numbers.round())
    K = torch.tensor(view.kernel)
    assert K.shape == (4, 4, 3, 3)
    assert len(K.reshape(16, 9).unique(dim=0)) == 16
    assert (K[:, :, 0, 0] != 0).sum() >= 13  # a 1×1 kernel has something to mix


def test_layer_equals_pytorch_for_every_setting():
    view = channels_explorer().view
    possible = 0
    for c_i, c_o, k, groups in itertools.product((1, 2, 3, 4), (1, 2, 3, 4), (1, 2, 3), (1, 2, 3, 4)):
        view.in_channels, view.out_channels, view.kernel_size, view.groups = c_i, c_o, k, groups
        try:
            layer = torch.nn.Conv2d(c_i, c_o, k, groups=groups)
        except ValueError:
            message = f"groups={groups} must divide in_channels={c_i} and out_channels={c_o}"
            with pytest.raises(ValueError, match=message):
                view.tensors()
            continue
        possible += 1
        image, weight, bias = view.tensors()
        assert weight.shape == layer.weight.shape
        expected = F.conv2d(image, weight, bias, groups=groups)
        assert torch.equal(view.output(), expected)
        assert view.output_size() == tuple(expected.shape[1:])
        dense = torch.zeros(c_o, c_i, k, k)  # the kernels stay at their places, those between groups are 0
        own = torch.block_diag(*[torch.ones(c_o // groups, c_i // groups)] * groups).bool()
        dense[own] = torch.tensor(view.kernel)[:c_o, :c_i, :k, :k][own]
        assert torch.equal(F.conv2d(image, dense, bias), expected)
    assert possible == 3 * (16 + 4 + 1 + 1)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("in_channels", 5, "in_channels must be from 1 to 4, got 5"),
        ("out_channels", 0, "out_channels must be from 1 to 4, got 0"),
        ("kernel_size", 4, "kernel_size must be from 1 to 3, got 4"),
        ("groups", 0, "groups must be from 1 to 4, got 0"),
        ("groups", 1.5, "expected an int"),
        ("channel", 3, "channel must be from 0 to 2, got 3"),
        ("use_bias", "yes", "expected a boolean"),
        ("cell", (0, 2), "cell must lie inside the output of 2×2, got (0, 2)"),
        ("cell", (-1, 0), "cell must lie inside the output of 2×2, got (-1, 0)"),
        ("input", X, "input must be numbers of shape (4, H, W), H and W from 3 to 5, got shape (2, 3, 3)"),
        ("input", torch.zeros(4, 6, 6), "H and W from 3 to 5, got shape (4, 6, 6)"),
        ("input", [[1], [2, 3]], "H and W from 3 to 5, got [[1], [2, 3]]"),
        ("kernel", K, "kernel must be numbers of shape (4, 4, 3, 3), got shape (3, 2, 2, 2)"),
        ("kernel", torch.full((4, 4, 3, 3), float("nan")), "kernel must be finite numbers, got nan in it"),
        ("bias", [1, 2], "bias must be numbers of shape (4,), got shape (2,)"),
        ("bias", "none", "bias must be numbers of shape (4,), got 'none'"),
    ],
)
def test_wrong_values_are_refused(figure, trait, value, message):
    before = getattr(figure.view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(figure.view, trait, value)
    assert getattr(figure.view, trait) == before


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"X": torch.zeros(5, 3, 3)}, ValueError, "1 to 4 channels of 3×3 to 5×5, got shape (5, 3, 3)"),
        ({"X": torch.zeros(2, 6, 3)}, ValueError, "X must be numbers of shape (C_in, H, W)"),
        ({"X": [[[1, 2], [3]]]}, ValueError, "X must be numbers of shape (C_in, H, W)"),
        ({"X": torch.zeros(2, 2)}, ValueError, "got shape (2, 2)"),
        ({"X": torch.full((1, 3, 3), float("inf"))}, ValueError, "X must be finite numbers, got inf in it"),
        ({"X": X, "K": K[:, :1]}, ValueError, "(3, 1, 2, 2) with groups=1 needs an X with 1 channels, got 2"),
        ({"K": torch.zeros(1, 1, 2, 3)}, ValueError, "k from 1 to 3, got shape (1, 1, 2, 3)"),
        ({"K": torch.zeros(1, 1, 4, 4)}, ValueError, "k from 1 to 3, got shape (1, 1, 4, 4)"),
        ({"K": torch.zeros(1, 3, 1, 1), "groups": 2}, ValueError, "in_channels=6"),
        (
            {"K": torch.zeros(2, 3, 1, 1), "groups": 2},
            ValueError,
            "at most 4 input channels, got groups=2 of 3",
        ),
        ({"K": K, "bias": [1]}, ValueError, "bias must be numbers of shape (3,), got shape (1,)"),
        ({"groups": 5}, ValueError, "groups must be at most 4, got 5"),
        ({"groups": 0}, ValueError, "groups must be at least 1, got 0"),
        ({"groups": "2"}, TypeError, "groups must be an integer, got '2'"),
        ({"X": X, "groups": 3}, ValueError, "groups=3 must divide in_channels=2 and out_channels=3"),
        ({"channel": 3}, ValueError, "channel must be from 0 to 2, got 3"),
        ({"channel": -1}, ValueError, "channel must be from 0 to 2, got -1"),
        ({"cell": (3, 0)}, traitlets.TraitError, "cell must lie inside the output of 3×3, got (3, 0)"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        channels_explorer(**arguments)


@pytest.mark.parametrize("groups", [1, 2, 3, 4])
def test_groups_alone_begin_with_a_layer_that_has_them(groups):
    image, weight, _ = channels_explorer(groups=groups).view.tensors()
    assert len(image) == weight.shape[1] * groups
    assert len(weight) % groups == 0


def test_fewer_output_channels_move_the_one_shown(figure):
    figure.view.channel = 2
    figure.view.out_channels = 2
    assert (figure.view.channel, figure.view.last_channel) == (1, 1)


def test_a_state_from_a_browser_arrives_together(figure):
    figure.view.set_state({"out_channels": 4, "channel": 3, "kernel_size": 1, "cell": [2, 2]})
    assert (figure.view.channel, figure.view.cell) == (3, (2, 2))
    figure.view.kernel_size = 3  # only one output cell is left: the nearest is explained
    assert "svg" in figure._repr_mimebundle_()["image/svg+xml"]


def test_picture_shows_the_present_state_also_an_impossible_one(figure):
    picture = lambda: figure._repr_mimebundle_()["image/svg+xml"]  # noqa: E731
    seen = {picture()}
    changes = [("channel", 2), ("cell", (1, 1)), ("use_bias", False), ("in_channels", 3), ("groups", 3)]
    for trait, value in [*changes, ("groups", 2)]:
        setattr(figure.view, trait, value)
        seen.add(picture())
    assert len(seen) == 7
    assert picture() in seen
