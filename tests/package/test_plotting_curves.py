"""Curves over epochs: their values, their signs, their words."""

import re
from xml.etree import ElementTree

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from tests.package.figures import svg

from d2lconv.plotting import PALETTE, draw_curves, use_course_style


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def five():
    return draw_curves({name: [5, 3, start, 1.5] for start, name in enumerate("abcde")}, ylabel="loss")


def test_one_line_for_each_curve_over_the_numbers_from_1():
    ax = draw_curves({"train": torch.tensor([3.0, 2, 1]), "valid": np.array([2.5, 1.5])}, ylabel="loss")
    train, valid = ax.lines
    assert (train.get_label(), valid.get_label()) == ("train", "valid")
    assert train.get_xdata().tolist() == [1, 2, 3]
    assert train.get_ydata().tolist() == [3, 2, 1]
    assert valid.get_xdata().tolist() == [1, 2]
    assert valid.get_ydata().tolist() == [2.5, 1.5]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("epoch", "loss")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "valid"]


def test_one_curve_needs_no_legend_and_one_point_needs_a_mark():
    ax = draw_curves({"loss": [2.0]}, xlabel="step")
    assert ax.get_legend() is None
    assert ax.get_xlabel() == "step"
    assert ax.lines[0].get_marker() == "o"
    assert draw_curves({"loss": [2.0, 1.0]}).lines[0].get_marker() == ""


def test_a_value_that_is_not_finite_leaves_a_gap():
    (line,) = draw_curves({"loss": [2.0, float("nan"), 1.0]}).lines
    assert np.isnan(line.get_ydata()[1])


@pytest.mark.parametrize("in_course_style", [False, True])
def test_curves_differ_in_more_than_their_colour(in_course_style):
    with plt.rc_context():
        if in_course_style:
            use_course_style()
        ax = five()
    looks = [(line.get_color(), line.get_linestyle(), str(line._unscaled_dash_pattern)) for line in ax.lines]
    assert len({look[0] for look in looks}) == len({look[2] for look in looks}) == 5
    assert looks[0][1] == "-"


def test_ticks_are_whole_epochs():
    ax = draw_curves({"loss": [3.0, 2.0, 1.0]})
    ax.figure.canvas.draw()
    assert all(tick == int(tick) for tick in ax.get_xticks())


def test_draws_where_it_is_told():
    figure, (left, right) = plt.subplots(1, 2)
    assert draw_curves({"loss": [2.0, 1.0]}, ax=right) is right
    assert not left.lines
    assert figure.axes == [left, right]


def test_has_the_palettes_colours_only_on_a_phone_and_is_the_same_byte_for_byte():
    with plt.rc_context():
        use_course_style()
        drawing = svg(five)
        assert drawing == svg(five)
    colours = set(re.findall(r"#[0-9a-f]{6}\b", drawing.decode()))
    assert len(colours) >= 5
    assert colours <= set(PALETTE.values())
    width = float(ElementTree.fromstring(drawing).get("width").removesuffix("pt"))
    assert width <= 5.2 * 72


@pytest.mark.parametrize(
    ("curves", "message"),
    [
        ({}, "curves must hold 1 to 5 curves, got 0"),
        ({str(n): [1] for n in range(6)}, "curves must hold 1 to 5 curves, got 6"),
        ({"loss": []}, "curves['loss'] must have shape (n,) with n at least 1, got (0,)"),
        ({"loss": [[1]]}, "curves['loss'] must have shape (n,) with n at least 1, got (1, 1)"),
    ],
)
def test_refuses(curves, message):
    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        draw_curves(curves)
    assert not plt.get_fignums()
