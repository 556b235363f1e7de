"""pooling_explorer in Python: traits and their errors, sizes, the picture."""

import re

import ipywidgets
import pytest
import torch
import traitlets
from torch.nn import functional as F

from d2lconv.shapes import pool_output_size
from d2lconv.widgets.pooling import pooling_explorer

X = torch.arange(1.0, 26.0).reshape(5, 5)


@pytest.fixture
def figure():
    return pooling_explorer(X, 3, stride=1)


def test_controls_are_named_and_linked(figure):
    assert isinstance(figure, ipywidgets.VBox)
    assert figure.children[-1] is figure.view
    assert list(figure.controls) == [
        "mode_index",
        "kernel_size",
        "stride",
        "padding",
        "shift",
        "ceil_mode",
    ]
    assert all(control.description for control in figure.controls.values())
    assert len(figure._links) == 6
    assert (figure.controls["kernel_size"].min, figure.controls["kernel_size"].max) == (1, 6)


def test_stride_is_the_window_unless_given(figure):
    assert figure.view.stride == 1
    assert pooling_explorer(X, 3).view.stride == 3


def test_default_is_a_digit_of_whole_numbers():
    numbers = [number for row in pooling_explorer().view.input for number in row]
    assert len(numbers) == 64
    assert {number % 1 for number in numbers} == {0}
    assert max(numbers) == 16


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("mode_index", 2, "mode_index must be from 0 to 1, got 2"),
        ("kernel_size", 0, "kernel_size must be from 1 to 9, got 0"),
        ("kernel_size", 10, "kernel_size must be from 1 to 9, got 10"),
        ("stride", 0, "stride must be from 1 to 4, got 0"),
        ("padding", -1, "padding must be from 0 to 2, got -1"),
        ("padding", 1.5, "expected an int"),
        ("shift", 3, "shift must be from -2 to 2, got 3"),
        ("cell", (0, 3), "cell must lie inside the output of 3×3, got (0, 3)"),
        ("cell", (-1, 0), "cell must lie inside the output of 3×3, got (-1, 0)"),
        ("input", torch.zeros(9, 2), "input must be a matrix of at most 8×8 finite numbers, got 9×2"),
        ("input", [[1], [2, 3]], "input must have rows of the same length, got [1, 2]"),
        ("ceil_mode", "yes", "expected a boolean"),
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
        ({"mode": "mean"}, ValueError, "mode must be 'max' or 'avg', got 'mean'"),
        ({"padding": 2}, ValueError, "padding must be at most half of kernel_size 2, got 2"),
        ({"kernel_size": 6, "stride": 1}, ValueError, "6 > 0 + 5 + 0"),
        ({"kernel_size": 5}, traitlets.TraitError, "stride must be from 1 to 4, got 5"),
        ({"cell": (2, 0)}, traitlets.TraitError, "cell must lie inside the output of 2×2, got (2, 0)"),
    ],
)
def test_wrong_arguments_are_refused(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        pooling_explorer(X, **arguments)


def test_sizes_are_those_of_shapes(figure):
    view = figure.view
    for kernel_size in range(1, 7):
        for padding in range(3):
            for ceil_mode in (False, True):
                view.kernel_size, view.padding, view.ceil_mode, view.stride = (
                    kernel_size,
                    padding,
                    ceil_mode,
                    2,
                )
                options = {"stride": 2, "padding": padding, "ceil_mode": ceil_mode}
                try:
                    expected = F.max_pool2d(X[None], kernel_size, **options).shape[1:]
                except RuntimeError:
                    with pytest.raises(ValueError, match=r"padding|spans more"):
                        view.output_size()
                else:
                    assert view.output_size() == tuple(expected)
                    assert view.output_size() == pool_output_size((5, 5), kernel_size, **options)


@pytest.mark.parametrize("shift", [-2, -1, 0, 1, 2])
def test_shift_moves_columns_and_zeros_come_in(figure, shift):
    figure.view.shift = shift
    expected = torch.roll(F.pad(X, (2, 2)), shift, 1)[:, 2:-2]
    assert figure.view.shifted() == expected.tolist()


def test_a_cell_from_a_browser_arrives_with_its_settings(figure):
    figure.view.set_state({"kernel_size": 2, "cell": [3, 3]})
    assert figure.view.cell == (3, 3)
    figure.view.kernel_size = 5  # only one output is left: the nearest is explained
    assert "svg" in figure._repr_mimebundle_()["image/svg+xml"]


def test_picture_shows_the_present_state_also_an_impossible_one(figure):
    picture = lambda: figure._repr_mimebundle_()["image/svg+xml"]  # noqa: E731
    seen = {picture()}
    for trait, value in [("shift", 1), ("mode_index", 1), ("cell", (1, 1)), ("padding", 2)]:
        setattr(figure.view, trait, value)
        seen.add(picture())
    assert len(seen) == 5
    assert picture() in seen
    assert repr(figure) == "pooling_explorer(max, input 5×5, window 3)"
