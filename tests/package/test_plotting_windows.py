"""The figures of padding and stride, against PyTorch's own convolution."""

import re

import matplotlib.pyplot as plt
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.package.figures import below, cells, frames, hatched, lines, texts_of
from torch.nn import functional as F

from d2lconv.plotting import draw_coverage, draw_padding_modes, draw_windows


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def coverage(size, kernel_size, stride, padding, dilation):
    """Count by PyTorch's gradient how many positions cover each cell of the padded input."""
    X = torch.zeros(1, 1, size[0] + 2 * padding[0], size[1] + 2 * padding[1], requires_grad=True)
    Y = F.conv2d(X, torch.ones(1, 1, *kernel_size), stride=stride, dilation=dilation)
    Y.sum().backward()
    return X.grad[0, 0].int(), tuple(Y.shape[2:])


PAIRS = st.tuples(st.integers(1, 3), st.integers(1, 3))
SETTINGS = {
    "size": st.tuples(st.integers(5, 6), st.integers(5, 6)),
    "kernel_size": PAIRS,
    "stride": PAIRS,
    "padding": st.tuples(st.integers(0, 2), st.integers(0, 2)),
    "dilation": st.tuples(st.integers(1, 2), st.integers(1, 2)),
}


def test_windows_shows_the_cell_that_the_floor_drops():
    ax = draw_windows(6, 3, stride=2)
    drawn = cells(ax)
    assert [cell.text for cell in drawn if cell.row == 0] == ["x₀", "x₁", "x₂", "x₃", "x₄", "x₅"]
    assert [(cell.column, cell.text) for cell in drawn if cell.row == 1] == [
        (0, "w₀"), (1, "w₁"), (2, "w₂"), (6.8, "y₀"),
    ]  # fmt: skip
    assert [(cell.column, cell.text) for cell in drawn if cell.row == 2] == [
        (2, "w₀"), (3, "w₁"), (4, "w₂"), (6.8, "y₁"),
    ]  # fmt: skip
    assert hatched(ax) == [(0, 5)]
    assert [text.get_position() for text in ax.texts if text.get_text() == "×"] == [(5, -1)]
    assert below(ax) == "⌊(6 − 3) / 2⌋ + 1 = 2"


def test_windows_shows_zeros_and_dilation():
    ax = draw_windows(4, 2, padding=(1, 2), dilation=3)
    assert texts_of(ax, "padding") == ["0", "0", "0"]
    assert [cell.column for cell in cells(ax) if cell.role == "kernel"] == [0, 3, 1, 4, 2, 5, 3, 6]
    assert lines(ax, "kernel") == [((i, i + 1), (i + 3, i + 1)) for i in range(4)]
    assert hatched(ax) == []
    assert below(ax) == "⌊(4 + 1 + 2 − 4) / 1⌋ + 1 = 4"


@settings(max_examples=8)
@given(**SETTINGS)
def test_windows_agrees_with_pytorch(size, kernel_size, stride, padding, dilation):
    one = [pair[0] for pair in (size, kernel_size, stride, padding, dilation)]
    counts, (steps, _) = coverage(*[(number, 1) for number in one[:3]], (one[3], 0), (one[4], 1))
    n, k, s, p, d = one
    ax = draw_windows(n, k, stride=s, padding=p, dilation=d)
    assert hatched(ax) == [(0, i) for i, count in enumerate(counts[:, 0]) if count == 0]
    assert len(texts_of(ax, "output")) == steps
    columns = [cell.column for cell in cells(ax) if cell.role == "kernel"]
    assert [columns.count(i) for i in range(len(counts))] == counts[:, 0].tolist()
    formula, result = below(ax).split(" = ")
    assert eval(re.sub("⌊(.*) / (.*)⌋", r"(\1) // \2", formula).replace("−", "-")) == int(result) == steps
    plt.close()


def test_coverage_counts_and_frames_the_positions():
    ax = draw_coverage((5, 4), 3, stride=2, padding=(0, 0, 1, 0))
    assert [cell.text for cell in cells(ax)][:5] == ["1", "1", "2", "1", "1"]
    assert [cell.role for cell in cells(ax)][:5] == ["padding", "input", "input", "input", "input"]
    assert frames(ax) == [(0, 0, 3, 3, False), (2, 2, 3, 3, True)]
    assert hatched(ax) == []
    assert below(ax) == "5×4 → 2×2"


@settings(max_examples=8)
@given(**SETTINGS)
def test_coverage_agrees_with_pytorch(size, kernel_size, stride, padding, dilation):
    counts, steps = coverage(size, kernel_size, stride, padding, dilation)
    ax = draw_coverage(size, kernel_size, stride=stride, padding=padding, dilation=dilation)
    assert [cell.text for cell in cells(ax)] == [
        str(number) if number else "×" for number in counts.flatten().tolist()
    ]
    assert hatched(ax) == [tuple(cell) for cell in (counts == 0).nonzero().tolist()]
    (_, _, height, width, _), (row, column, *_) = frames(ax)
    assert (row, column) == tuple((n - 1) * s for n, s in zip(steps, stride, strict=True))
    assert (height, width) == tuple(d * (k - 1) + 1 for k, d in zip(kernel_size, dilation, strict=True))
    assert below(ax).endswith(f"→ {steps[0]}×{steps[1]}")
    plt.close()


@pytest.mark.parametrize(
    ("size", "kernel_size"), [(5, 3), (4, 2), ((3, 4), (2, 4)), ((5, 2), (3, 1)), (1, 1)]
)
def test_padding_modes_show_zeros_places_and_sizes(size, kernel_size):
    ax = draw_padding_modes(size, kernel_size)
    (h, w), (k_h, k_w) = (pair if isinstance(pair, tuple) else (pair, pair) for pair in (size, kernel_size))
    sizes = [(h + k_h - 1, w + k_w - 1), (h - k_h + 1, w - k_w + 1), (h, w)]
    texts = [text.get_text() for text in ax.texts if text.get_text() not in "0↓"]
    names = [text for text in texts if "×" not in text]
    assert names == ["FULL", "VALID", "SAME"]
    assert [text for text in texts if "×" in text] == [f"{rows}×{columns}" for rows, columns in sizes]
    assert len(texts_of(ax, "input")) == 3 * h * w
    assert len(texts_of(ax, "output")) == sum(rows * columns for rows, columns in sizes)
    padded = [(rows + k_h - 1) * (columns + k_w - 1) for rows, columns in sizes]
    assert texts_of(ax, "padding") == ["0"] * (sum(padded) - 3 * h * w)
    for i, (rows, columns) in enumerate(sizes):
        first, last, first_out, last_out = frames(ax)[4 * i : 4 * i + 4]
        assert first[2:] == (k_h, k_w, False)
        assert last[2:] == (k_h, k_w, True)
        assert (last[0] - first[0], last[1] - first[1]) == pytest.approx((rows - 1, columns - 1))
        assert (last_out[0] - first_out[0], last_out[1] - first_out[1]) == pytest.approx(
            (rows - 1, columns - 1)
        )
    corner = next(cell for cell in cells(ax) if cell.role == "padding") if len(padded) and k_h > 1 else None
    assert corner is None or (corner.row, corner.column) == frames(ax)[0][:2]


def test_same_with_an_even_kernel_is_not_symmetric():
    ax = draw_padding_modes(4, 2)
    first, last = frames(ax)[8:10]
    inside = [cell for cell in cells(ax) if cell.role == "input"][32:]
    assert first[:2] == (inside[0].row, inside[0].column)  # no zeros above and on the left
    assert last[:2] == (inside[-1].row, inside[-1].column)  # one row and column of them below and right


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw_windows(0, 1), ValueError, r"size must be at least 1, got 0"),
        (lambda: draw_windows(4, 3, stride=0), ValueError, r"stride must be at least 1, got 0"),
        (lambda: draw_windows(4, (3, 3)), ValueError, r"kernel_size must be one integer, got \(3, 3\)"),
        (lambda: draw_windows(4.0, 3), TypeError, r"size must be an integer, got 4.0"),
        (lambda: draw_windows(2, 3), ValueError, r"spans more cells than the padded input: 3 > 0 \+ 2 \+ 0"),
        (
            lambda: draw_windows(5, 3, padding="some"),
            ValueError,
            r"padding mode must be one of .* got 'some'",
        ),
        (
            lambda: draw_coverage((3, 3, 3), 3),
            ValueError,
            r"size must be an integer or a pair .* \(3, 3, 3\)",
        ),
        (lambda: draw_coverage(5, 3, padding="same", stride=2), ValueError, r"'same' needs stride 1, got"),
        (lambda: draw_coverage(2, 3), ValueError, r"spans more cells than the padded input"),
        (lambda: draw_padding_modes(2, 3), ValueError, r"spans more cells than the padded input"),
        (lambda: draw_padding_modes(5, "3"), TypeError, r"kernel_size must be an integer, got '3'"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not plt.get_fignums()
