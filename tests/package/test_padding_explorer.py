"""padding_explorer in Python: its traits and their errors, its arguments, and its picture."""

import random
import re

import ipywidgets
import pytest
import torch
import traitlets
from ipywidgets.embed import dependency_state
from torch.nn.functional import conv2d

from d2lconv.shapes import conv_output_size
from d2lconv.widgets.padding import LIMITS, padding_explorer


def size_in(figure):
    return tuple(map(int, re.search(r"to (\d+)×(\d+)\)", repr(figure)).groups()))


def test_controls_are_real_widgets_within_the_limits():
    figure = padding_explorer((4, 7), (2, 3), stride=(1, 2), padding=(0, 1), dilation=(3, 1))
    sliders = [one for one in figure.controls.values() if isinstance(one, ipywidgets.IntSlider)]
    assert [(one.description, one.value) for one in sliders] == [
        ("Input height", 4),
        ("Input width", 7),
        ("Kernel height", 2),
        ("Kernel width", 3),
        ("Padding height", 0),
        ("Padding width", 1),
        ("Stride height", 1),
        ("Stride width", 2),
        ("Dilation height", 3),
        ("Dilation width", 1),
    ]
    assert [(one.min, one.max) for one in sliders[::2]] == list(LIMITS.values())
    assert figure.controls["mode"].index == 0
    assert figure.controls["lock_aspect"].value is False
    names = {state["model_name"] for state in dependency_state([figure]).values()}
    assert {name for name in names if not name.endswith(("LayoutModel", "StyleModel"))} == {
        *(
            "AnyModel",
            "CheckboxModel",
            "DropdownModel",
            "HBoxModel",
            "IntSliderModel",
            "LinkModel",
            "VBoxModel",
        )
    }


def test_sizes_are_pytorchs():
    choose = random.Random(0)
    done = 0
    while done < 100:
        size, kernel, padding, stride, dilation = (
            (choose.randint(low, high), choose.randint(low, high)) for low, high in LIMITS.values()
        )
        if any(n + 2 * p <= d * (k - 1) for n, k, p, d in zip(size, kernel, padding, dilation, strict=True)):
            continue
        figure = padding_explorer(size, kernel, stride=stride, padding=padding, dilation=dilation)
        X, K = torch.zeros(1, 1, *size), torch.zeros(1, 1, *kernel)
        Y = conv2d(X, K, stride=stride, padding=padding, dilation=dilation)
        assert size_in(figure) == Y.shape[2:]
        view = figure.view
        assert conv_output_size(view.pair("size"), view.pair("kernel"), **view.arguments()) == Y.shape[2:]
        done += 1


@pytest.mark.parametrize(
    ("mode", "kernel", "zeros", "size"),
    [
        ("valid", (3, 3), (0, 0), (3, 3)),
        ("same", (3, 3), (1, 1), (5, 5)),
        ("same", (2, 4), (0, 1), (5, 5)),
        ("full", (3, 5), (2, 4), (7, 9)),
    ],
)
def test_modes(mode, kernel, zeros, size):
    figure = padding_explorer(5, kernel, padding=mode)
    assert size_in(figure) == size
    assert figure.view.pair("padding") == zeros
    assert figure.controls["mode"].label == mode.upper()


def test_full_never_needs_more_zeros_than_there_are():
    largest, dilation = LIMITS["kernel"][1], LIMITS["dilation"][1]
    view = padding_explorer(10, largest, padding="full", dilation=dilation).view
    assert view.padding_h == LIMITS["padding"][1]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (
            {"size": 4, "kernel_size": 5},
            ValueError,
            "spans more cells than the padded input: 5 > 0 + 4 + 0",
        ),
        ({"padding": "same", "stride": 2}, ValueError, "padding='same' needs stride 1, got stride 2"),
        ({"padding": "some"}, ValueError, "padding mode must be one of"),
        ({"stride": 0}, ValueError, "stride must be at least 1, got 0"),
        ({"size": 2.5}, TypeError, "size must be"),
        ({"padding": (1, 1, 0, 0)}, ValueError, "padding must be"),
        ({"size": (11, 5)}, traitlets.TraitError, "size_h must be from 1 to 10, got 11"),
        ({"size": 7, "kernel_size": (3, 6)}, traitlets.TraitError, "kernel_w must be from 1 to 5, got 6"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        padding_explorer(**arguments)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("size_w", 0, "size_w must be from 1 to 10, got 0"),
        ("kernel_h", 6, "kernel_h must be from 1 to 5, got 6"),
        ("padding_h", -1, "padding_h must be from 0 to 12, got -1"),
        ("stride_w", 5, "stride_w must be from 1 to 4, got 5"),
        ("dilation_w", 4, "dilation_w must be from 1 to 3, got 4"),
        ("stride_h", 1.5, "expected an int"),
        ("mode", 4, "mode must be from 0 to 3, got 4"),
        ("lock_aspect", 2, "expected a boolean"),
    ],
)
def test_wrong_settings_are_refused(trait, value, message):
    view = padding_explorer().view
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(view, trait, value)
    assert getattr(view, trait) == before


def test_picture_shows_the_present_state_even_without_an_output():
    figure = padding_explorer()
    pictures = {figure._repr_mimebundle_()["image/svg+xml"]}
    figure.view.mode = 2
    pictures.add(figure._repr_mimebundle_()["image/svg+xml"])
    figure.view.stride_h = 2  # which "same" cannot have
    pictures.add(figure._repr_mimebundle_()["image/svg+xml"])
    assert len(pictures) == 3
    assert figure._repr_mimebundle_()["image/svg+xml"] in pictures
