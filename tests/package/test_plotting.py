"""Figures are tested by what they hold: cells, numbers and colours, not pixels."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from IPython.core.interactiveshell import InteractiveShell
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle
from tests.site.contrast import contrast

from d2lconv.plotting import (
    PALETTE,
    draw_correlation,
    draw_feature_maps,
    draw_grid,
    draw_images,
    draw_responses,
    use_course_style,
)

X = torch.arange(9.0).reshape(3, 3)
K = torch.arange(4.0).reshape(2, 2)
HIGHLIGHT = PALETTE["highlight_tint"] + "ff"


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def numbers(ax):
    """Return the text of each cell by its row and column."""
    return {
        (round(text.get_position()[1]), round(text.get_position()[0])): text.get_text()
        for text in ax.texts
        if text.get_text() not in "⋆="
    }


def faces(ax):
    """Return the colour of each cell by its row and column."""
    return {
        (round(patch.get_y() + 0.5), round(patch.get_x() + 0.5)): to_hex(
            patch.get_facecolor(), keep_alpha=True
        )
        for patch in ax.patches
        if isinstance(patch, Rectangle)
    }


def marked(ax):
    return sorted(cell for cell, face in faces(ax).items() if face == HIGHLIGHT)


@pytest.mark.parametrize("role", ["input", "kernel", "output"])
def test_a_grid_shows_each_number_in_the_colour_of_its_role(role):
    ax = draw_grid([[1, -2], [0.5, 1 / 3]], role=role, label="A")
    assert numbers(ax) == {(0, 0): "1", (0, 1): "−2", (1, 0): "0.5", (1, 1): "0.33"}
    assert set(faces(ax).values()) == {PALETTE[f"{role}_tint"] + "ff"}
    assert ax.get_title() == "A"


def test_padding_is_drawn_around_and_marked_cells_stand_out():
    ax = draw_grid([[7]], padding=(0, 1, 2, 0), window=[(0, 2), (1, 2)])
    assert numbers(ax) == {(0, 0): "0", (0, 1): "0", (0, 2): "7", (1, 0): "0", (1, 1): "0", (1, 2): "0"}
    assert marked(ax) == [(0, 2), (1, 2)]
    assert faces(ax)[0, 0].endswith("00")  # transparent


@pytest.mark.parametrize(
    ("values", "setting", "message"),
    [
        ([1, 2], {}, r"values must have shape \(H, W\), got \(2,\)"),
        ([[1]], {"role": "filter"}, r"role must be 'input', 'kernel' or 'output', got 'filter'"),
        ([[1]], {"window": [(0, 1)]}, r"window must lie inside the 1×1 grid, got \(0, 1\)"),
        ([[1]], {"padding": (-1, 0, 0, 0)}, r"padding must be at least 0, got -1"),
    ],
)
def test_draw_grid_refuses_bad_input(values, setting, message):
    with pytest.raises(ValueError, match=message):
        draw_grid(values, **setting)


def test_a_correlation_shows_input_kernel_output_and_the_sum_of_one_cell():
    ax_X, ax_K, ax_Y = draw_correlation(X, K, cell=(1, 0))
    assert list(numbers(ax_X).values()) == [str(n) for n in range(9)]
    assert list(numbers(ax_K).values()) == ["0", "1", "2", "3"]
    assert list(numbers(ax_Y).values()) == ["19", "25", "37", "43"]
    assert marked(ax_X) == [(1, 0), (1, 1), (2, 0), (2, 1)]
    assert marked(ax_Y) == [(1, 0)]
    assert ax_X.figure.get_supxlabel() == "3·0 + 4·1 + 6·2 + 7·3 = 37"


def test_a_correlation_with_stride_padding_and_dilation_marks_the_cells_it_uses():
    ax_X, _, _ = draw_correlation(X, K, cell=(0, 1), stride=2, padding=1, dilation=(1, 2))
    assert marked(ax_X) == [(0, 2), (0, 4), (1, 2), (1, 4)]
    assert ax_X.figure.get_supxlabel() == "0·0 + 0·1 + 1·2 + 0·3 = 2"


def test_negative_factors_stand_in_brackets():
    ax = draw_correlation([[-1.0, 2.0]], [[1.0, -3.0]])[0]
    assert ax.figure.get_supxlabel() == "(−1)·1 + 2·(−3) = −7"


@pytest.mark.parametrize("cell", [(2, 0), (0, 2)])
def test_a_cell_outside_the_output_is_refused(cell):
    with pytest.raises(ValueError, match=r"cell must lie inside the output of shape \(2, 2\), got"):
        draw_correlation(X, K, cell=cell)


@pytest.mark.parametrize("shape", [(3, 4, 5), (3, 1, 4, 5), (3, 3, 4, 5)])
def test_images_keep_their_pixels_and_a_fixed_scale(shape):
    images = torch.rand(shape)
    axes = draw_images(images, labels=["a", "b", "c"], columns=2)
    assert [ax.get_title() for ax in axes] == ["a", "b", "c"]
    assert len(axes[0].figure.axes) == 3
    assert axes[0].figure.get_figwidth() == 3.2
    for ax, image in zip(axes, images, strict=True):
        expected = image if image.ndim == 2 else image[0] if len(image) == 1 else image.permute(1, 2, 0)
        np.testing.assert_allclose(np.asarray(ax.images[0].get_array()), expected)
        assert ax.images[0].get_clim() == (0, 1)


@pytest.mark.parametrize(("count", "size", "width"), [(2, 3.0, 6.0), (8, 3.0, 7.0)])
def test_pictures_can_be_larger_but_the_row_stays_within_seven_inches(count, size, width):
    assert draw_images(torch.rand(count, 4, 5), size=size)[0].figure.get_figwidth() == width


def test_feature_maps_share_one_scale_with_zero_in_the_middle():
    axes = draw_feature_maps(torch.tensor([[[0.0, 1.0]], [[-4.0, 2.0]]]))
    assert {ax.images[0].get_clim() for ax in axes} == {(-4.0, 4.0)}
    assert min(axes[0].images[0].cmap(0.5)[:3]) > 0.98
    assert draw_feature_maps(torch.zeros(1, 2, 2))[0].images[0].get_clim() == (-1.0, 1.0)


def test_feature_maps_in_other_colours_are_white_at_zero_and_red_above():
    image = draw_feature_maps(torch.tensor([[[-3.0, 0.0, 2.0]]]), cmap="RdBu_r")[0].images[0]
    low, zero, high = image.to_rgba(image.get_array())[0, :, :3]
    assert low[2] > low[0]
    assert high[0] > high[2]
    assert min(zero) > 0.95


def test_responses_stand_behind_their_images_on_one_scale():
    image = torch.tensor([[0.0, 1.0, 1.0], [0.0, 0.0, 1.0]])
    maps = [image[:, :-1] - image[:, 1:], 3 * (image[:-1] - image[1:])]
    axes = draw_responses(image[None], maps, labels=["image", "across", "down"], columns=3)
    assert [ax.get_title() for ax in axes] == ["image", "across", "down"]
    for ax, picture in zip(axes, [image, *maps], strict=True):
        assert abs(ax.images[0].get_array() - picture.numpy()).max() <= 3 / 32
    assert [ax.images[0].get_clim() for ax in axes] == [(0.0, 1.0), (-3.0, 3.0), (-3.0, 3.0)]
    assert len(axes[0].figure.axes) == 4  # and one colour bar

    colour = torch.rand(1, 3, 4, 5)
    axes = draw_responses(colour, [torch.zeros(2, 2)], limit=0.5)
    assert axes[0].images[0].get_array().shape == (4, 5, 3)
    assert axes[1].images[0].get_clim() == (-0.5, 0.5)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (
            lambda: draw_responses(torch.rand(4, 5), [torch.rand(4, 4)]),
            r"images must have shape .* got \(4, 5\)",
        ),
        (lambda: draw_responses(torch.rand(1, 4, 5), []), r"maps must hold at least one map"),
        (
            lambda: draw_responses(torch.rand(1, 4, 5), [torch.rand(4)]),
            r"maps must have shape .* got \(1, 4\)",
        ),
        (
            lambda: draw_responses(torch.rand(1, 4, 5), [torch.rand(4, 4)], limit=0),
            r"limit must be positive, got 0",
        ),
        (lambda: draw_images(torch.rand(3, 2, 4, 5)), r"images must have shape .* got \(3, 2, 4, 5\)"),
        (lambda: draw_images(torch.rand(0, 4, 5)), r"images must have shape .* got \(0, 4, 5\)"),
        (lambda: draw_images(torch.rand(2, 4, 5), labels=["a"]), r"one text for each of the 2 images, got 1"),
        (lambda: draw_images(torch.rand(2, 4, 5), columns=0), r"columns must be at least 1, got 0"),
        (lambda: draw_feature_maps(torch.rand(4, 5)), r"maps must have shape \(N, H, W\), got \(4, 5\)"),
    ],
)
def test_pictures_refuse_bad_input(call, message):
    with pytest.raises(ValueError, match=message):
        call()


def test_a_notebook_gets_svg_without_a_date():
    shell = InteractiveShell.instance()
    try:
        with plt.rc_context():
            use_course_style()
            shown, _ = shell.display_formatter.format(draw_grid([[1]]).figure)
    finally:
        InteractiveShell.clear_instance()
    assert "<svg" in shown["image/svg+xml"]
    assert "<dc:date>" not in shown["image/svg+xml"]


@pytest.mark.parametrize("surface", [name for name in PALETTE if name.endswith("tint") or name == "paper"])
@pytest.mark.parametrize("text", ["ink", "muted"])
def test_text_can_be_read_on_every_surface(surface, text):
    assert contrast(PALETTE[text], PALETTE[surface]) >= 4.5
