"""The figure of pooling, against PyTorch's own pooling."""

from statistics import fmean

import matplotlib.pyplot as plt
import pytest
import torch
from tests.package.figures import below, cells, marked, texts_of
from torch.nn import functional as F

from d2lconv.plotting import draw_pooling

X = torch.tensor([[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1.0]])


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def test_pooling_shows_input_output_and_one_window():
    ax = draw_pooling(torch.arange(16.0).reshape(4, 4), 2, cell=(0, 1))
    assert [cell.text for cell in cells(ax)] == [*map(str, range(16)), "5", "7", "13", "15"]
    assert marked(ax) == ["2", "3", "6", "7", "7"]
    assert below(ax) == "max(2, 3, 6, 7) = 7"
    assert "2×2" in [text.get_text() for text in ax.texts]


def test_average_pooling_shows_the_mean():
    ax = draw_pooling(X, (2, 3), mode="avg")
    assert below(ax) == "mean(1, 2, 0, 0, 1, 2) = 1"


def test_padding_is_drawn_as_what_it_counts_for():
    assert set(texts_of(draw_pooling(X, 3, padding=1, cell=(1, 1)), "padding")) == {"−∞"}
    assert set(texts_of(draw_pooling(X, 3, mode="avg", padding=1, cell=(1, 1)), "padding")) == {"0"}


def test_ceil_mode_draws_cells_that_count_for_nothing():
    ax = draw_pooling(X, 3, ceil_mode=True, cell=(1, 1))
    assert marked(ax) == ["1", "1", "1", "1", "", "", "", "", "", "1"]
    assert below(ax) == "max(1, 1, 1, 1) = 1"
    assert texts_of(ax, "padding") == [""] * (3 + 3)


@pytest.mark.parametrize("mode", ["max", "avg"])
@pytest.mark.parametrize(
    "setting",
    [
        {"kernel_size": 2},
        {"kernel_size": (3, 2), "stride": 1},
        {"kernel_size": 3, "stride": (2, 1), "padding": 1},
        {"kernel_size": 2, "padding": (1, 0), "ceil_mode": True},
        {"kernel_size": 3, "stride": 2, "padding": 1, "ceil_mode": True},
        {"kernel_size": (2, 3), "stride": 3, "dilation": (3, 1)},
    ],
)
def test_cells_agree_with_pytorch(mode, setting):
    if mode == "avg" and "dilation" in setting:
        pytest.skip("average pooling has no dilation")
    Y = (F.max_pool2d if mode == "max" else F.avg_pool2d)(X[None], **setting)[0]
    rows, columns = Y.shape
    for cell in {(0, 0), (0, columns - 1), (rows - 1, 0), (rows // 2, columns // 2), (rows - 1, columns - 1)}:
        ax = draw_pooling(X, mode=mode, cell=cell, **setting)
        list_of_numbers, result = below(ax).replace("−", "-").replace("∞", "inf").split(" = ")
        numbers = [float(number) for number in list_of_numbers[:-1].split("(")[1].split(", ")]
        assert (max if mode == "max" else fmean)(numbers) == pytest.approx(Y[cell].item())
        assert float(result) == pytest.approx(Y[cell].item(), abs=0.005)
        assert [text for text in marked(ax)[:-1] if text] == [f"{n:g}".replace("-inf", "−∞") for n in numbers]
        plt.close()


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw_pooling(X[0], 2), ValueError, r"X must have shape \(H, W\), got \(5,\)"),
        (lambda: draw_pooling(X, 2, mode="min"), ValueError, r"mode must be 'max' or 'avg', got 'min'"),
        (lambda: draw_pooling(X, 2, padding=2), ValueError, r"padding must be at most half of kernel_size 2"),
        (lambda: draw_pooling(X, 6), ValueError, r"spans more cells than the padded input"),
        (
            lambda: draw_pooling(X, 2, cell=(2, 0)),
            ValueError,
            r"cell must lie inside .* \(2, 2\), got \(2, 0\)",
        ),
        (
            lambda: draw_pooling(X, 2, mode="avg", dilation=2),
            ValueError,
            r"dilation must be 1 for average .* 2",
        ),
        (lambda: draw_pooling(X, 2.0), TypeError, r"kernel_size must be an integer, got 2.0"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not plt.get_fignums()
