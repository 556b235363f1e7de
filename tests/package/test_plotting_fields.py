"""The figures of receptive fields, against the gradients of real layers."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.patches import Polygon
from tests.package.figures import below, cells, lines
from torch.nn import functional as F

from d2lconv.plotting import draw_effective_field, draw_receptive_field
from d2lconv.shapes import Layer, ReceptiveField, receptive_field


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def rows(ax):
    """Return the cells of each row, the input first."""
    drawn = cells(ax)
    return [
        [cell for cell in drawn if cell.row == row]
        for row in sorted({cell.row for cell in drawn}, reverse=True)
    ]


def table(ax):
    """Return the columns n, r, j for each row, the input first."""
    edge = max(cell.column for cell in cells(ax)) + 0.5
    numbers = [text for text in ax.texts if text.get_position()[0] > edge and text.get_text().isdigit()]
    heights = sorted({text.get_position()[1] for text in numbers}, reverse=True)
    return [[int(text.get_text()) for text in numbers if text.get_position()[1] == row] for row in heights]


def test_a_stack_is_drawn_row_by_row():
    ax = draw_receptive_field([(3,), (3,)], 7)
    numbers = [[int(cell.text) for cell in row] for row in rows(ax)]
    assert numbers == [[*range(7)], [*range(5)], [*range(3)]]
    assert [[int(cell.text) for cell in row if cell.marked] for row in rows(ax)] == [
        [1, 2, 3, 4, 5],
        [1, 2, 3],
        [1],
    ]
    assert [row[0].column for row in rows(ax)] == [0, 1, 2]
    assert table(ax) == [[7, 1], [5, 3], [3, 5]]
    assert below(ax) == "r = 1 + 2·1 + 2·1 = 5"
    assert [text.get_text() for text in ax.texts if "=" in text.get_text()][:-1] == ["k=3", "k=3"]
    assert len([patch for patch in ax.patches if isinstance(patch, Polygon)]) == 2


def test_settings_stand_beside_the_layers():
    ax = draw_receptive_field([(3, 2, 1), ((3, 1), 1, "same", 2), ((2, 9), 1, (1, 0, 5, 5))], 9)
    settings_drawn = [text.get_text() for text in ax.texts if "k=" in text.get_text()]
    assert settings_drawn == ["k=3\ns=2\np=1", "k=3\np=same\nd=2", "k=2\np=1,0"]
    assert table(ax) == [[9, 1, 1], [5, 3, 2], [5, 11, 2], [5, 13, 2]]


def test_the_bracket_spans_the_field_even_beyond_the_input():
    ax = draw_receptive_field([(3, 1, 1)] * 3, 5, cell=1)
    (bracket,) = [line for line in lines(ax, "highlight") if len(line) == 4]
    assert (bracket[0][0] - 0.1, bracket[-1][0] + 0.1) == pytest.approx((-2.5, 4.5))
    assert ax.get_xlim()[0] < -2.5
    assert [cell.text for cell in rows(ax)[0] if cell.marked] == ["−1", "0", "1", "2", "3", "4"]


def test_zeros_of_the_padding_depend_on_nothing():
    ax = draw_receptive_field([(3, 1, 1), (3, 1, 1)], 5, cell=0)
    assert [[cell.text for cell in row if cell.marked] for row in rows(ax)] == [
        ["−1", "0", "1", "2"],
        ["−1", "0", "1"],
        ["0"],
    ]
    assert draw_receptive_field([(1,), (1, 1, 2)], 3, cell=0)  # a window of nothing but zeros


def test_numbers_too_small_to_read_are_left_out():
    assert {cell.text for cell in cells(draw_receptive_field([(3,)], 60))} == {""}


LAYERS = st.builds(Layer, st.integers(1, 4), st.integers(1, 3), st.integers(0, 2), st.integers(1, 2))


@settings(max_examples=12)
@given(layers=st.lists(LAYERS, min_size=1, max_size=3), size=st.integers(12, 18), data=st.data())
def test_the_cone_is_what_the_gradient_reaches(layers, size, data):
    plt.close("all")
    x = torch.zeros(1, 1, size, dtype=torch.float64, requires_grad=True)
    y, maps = x, [x]
    try:
        for k, s, p, d in layers:
            y = F.conv1d(y, torch.ones(1, 1, k, dtype=y.dtype), stride=s, padding=p, dilation=d)
            y.retain_grad()
            maps.append(y)
    except RuntimeError:  # the kernel is larger than its input
        with pytest.raises(ValueError, match="spans more cells"):
            draw_receptive_field(layers, size)
        return
    cell = data.draw(st.integers(0, y.shape[2] - 1))
    y[0, 0, cell].backward()
    ax = draw_receptive_field(layers, size, cell=cell)
    theory = receptive_field(layers)
    total, result = below(ax).removeprefix("r = ").replace("·", "*").split(" = ")
    assert eval(total) == int(result) == theory.size[0]
    assert [row[0] for row in table(ax)] == [values.shape[2] for values in maps]
    for i, (row, values) in enumerate(zip(rows(ax), maps, strict=True)):
        theory = receptive_field(layers[:i])
        assert table(ax)[i][1] == theory.size[0]
        centres = [cell * theory.stride[0] + theory.start[0] + (theory.size[0] - 1) / 2 for cell in range(99)]
        seen = [centres.index(cell.column) for cell in row if cell.marked and cell.column in centres]
        reached = values.grad[0, 0].nonzero().flatten().tolist()
        assert [cell for cell in seen if cell < values.shape[2]] == reached  # others are padding


def test_the_effective_field_is_framed_by_the_theoretical_one():
    layers = [(3, 1, 1), (2, 2), (3,)]
    x = torch.zeros(1, 1, 16, 12, requires_grad=True)
    y = F.conv2d(x, torch.ones(1, 1, 3, 3), padding=1)
    y = F.conv2d(F.avg_pool2d(y, 2), torch.full((1, 1, 3, 3), -1.0))
    y[0, 0, 2, 1].backward()
    ax = draw_effective_field(x.grad[0, 0], receptive_field(layers), (2, 1))
    drawn = np.asarray(ax.images[0].get_array())
    assert drawn.shape == (16, 12)
    assert (drawn.min(), drawn.max()) == (0, 1)
    (frame,) = ax.patches
    rows, columns = drawn.nonzero()
    assert frame.get_bbox().extents == pytest.approx(
        (columns.min() - 0.5, rows.min() - 0.5, columns.max() + 0.5, rows.max() + 0.5)
    )


def test_a_field_beyond_the_input_is_drawn_whole():
    ax = draw_effective_field(torch.zeros(4, 4), receptive_field([(7, 1, 3)]), (0, 3))
    assert ax.get_xlim()[0] <= 0 - 0.5
    assert ax.get_xlim()[1] >= 6.5
    assert ax.get_ylim()[1] <= -3.5
    assert ax.images[0].get_clim() == (0, 1)


def test_an_effective_field_can_stand_among_other_axes():
    _, (left, right) = plt.subplots(1, 2)
    assert draw_effective_field(torch.ones(3, 3), receptive_field([(3,)]), (0, 0), ax=right) is right
    assert not left.images


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw_receptive_field([], 5), ValueError, r"layers must hold at least one layer, got none"),
        (lambda: draw_receptive_field([(3,)], 0), ValueError, r"input_size must be at least 1, got 0"),
        (
            lambda: draw_receptive_field([(3,)], (5, 5)),
            TypeError,
            r"input_size must be an integer, got \(5, 5\)",
        ),
        (lambda: draw_receptive_field([(3,)], 2), ValueError, r"spans more cells than the padded input"),
        (lambda: draw_receptive_field([(3, 0)], 5), ValueError, r"stride must be at least 1, got 0"),
        (
            lambda: draw_receptive_field([(3,)], 5, cell=3),
            ValueError,
            r"cell .* less than the 3 output cells, got 3",
        ),
        (
            lambda: draw_effective_field(torch.ones(3), receptive_field([(3,)]), (0, 0)),
            ValueError,
            r"gradients must have shape \(H, W\), got \(3,\)",
        ),
        (
            lambda: draw_effective_field(torch.ones(3, 3), ReceptiveField((3, 3), (2, 2), None), (0, 0)),
            ValueError,
            r"field must have a known start: give receptive_field the input_size",
        ),
        (
            lambda: draw_effective_field(torch.ones(3, 3), receptive_field([(3,)]), (-1, 0)),
            ValueError,
            r"cell must be at least 0, got -1",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not plt.get_fignums()
