"""Scores and probabilities as bars, and steps on the contours of a loss."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from tests.package.figures import svg

from d2lconv.plotting import PALETTE, draw_correlation, draw_descent, draw_softmax


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def bowl(w):
    return (w - 1).square().sum()


def descent(**options):
    paths = {"a": [[0, 0], [0.5, 0.5]], "b": torch.tensor([[-1.0, 0.0], [5.0, 5.0], [0.0, 1.0]])}
    return draw_descent(bowl, paths, limits=((-2, 2), (-1, 3)), **options)


def test_bars_are_the_scores_and_their_softmax():
    scores = torch.tensor([2.0, 1.0, -1.0, 0.0])
    left, right = draw_softmax(scores, label=1)
    for ax, values in ((left, scores), (right, scores.softmax(0))):
        bars = ax.patches
        assert [bar.get_width() for bar in bars] == pytest.approx(values.tolist())
        marked = [to_hex(bar.get_facecolor()) == PALETTE["highlight"] for bar in bars]
        assert marked == [False, True, False, False]
        low, high = ax.get_xlim()
        assert low < min(values.min(), 1e-9)
        assert high > values.max()
    assert [text.get_text() for text in left.texts] == ["2", "1", "−1", "0"]
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["0", "1", "2", "3"]


def test_huge_scores_give_probabilities_too():
    left, right = draw_softmax([1000.0, 0.0], names=("cat", "dog"))
    assert [bar.get_width() for bar in right.patches] == [1, 0]
    assert [tick.get_text() for tick in left.get_yticklabels()] == ["cat", "dog"]


def test_paths_are_drawn_as_they_are_on_the_contours_of_the_loss():
    ax = descent(labels=("u", "v"))
    first, second = ax.lines
    assert first.get_xydata().tolist() == [[0, 0], [0.5, 0.5]]
    assert second.get_xydata().tolist() == [[-1, 0], [5, 5], [0, 1]]
    assert (ax.get_xlim(), ax.get_ylim()) == ((-2, 2), (-1, 3))
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("u", "v")
    contours = ax.collections[0]
    inner = next(path for path in contours.get_paths() if len(path.vertices))
    heights = [float(bowl(torch.tensor(point))) for point in inner.vertices]
    assert heights == pytest.approx([np.mean(heights)] * len(heights), rel=0.2)


def test_paths_differ_in_more_than_their_colour_and_bytes_are_the_same():
    looks = {(line.get_marker(), str(line._unscaled_dash_pattern)) for line in descent().lines}
    assert len(looks) == 2
    assert svg(descent) == svg(descent)


def test_a_correlation_has_the_labels_asked_for():
    axes = draw_correlation([[1, 2]], [[3]], labels=("G", "K flipped", "X.grad"))
    assert [ax.get_title() for ax in axes] == ["G", "K flipped", "X.grad"]


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: draw_softmax([[1.0]]), r"scores must have shape \(classes,\), got \(1, 1\)"),
        (lambda: draw_softmax([1.0, 2.0], label=2), "label must be less than the 2 classes, got 2"),
        (lambda: draw_softmax([1.0, 2.0], names=["a"]), "names must hold one text for each of the 2 classes"),
        (lambda: draw_descent(bowl, {}, limits=((0, 1), (0, 1))), "paths must hold 1 to 5 paths, got 0"),
        (
            lambda: draw_descent(bowl, {"a": [1, 2]}, limits=((0, 1), (0, 1))),
            r"paths\['a'\] must have shape \(steps \+ 1, 2\), got \(2,\)",
        ),
    ],
)
def test_what_cannot_be_drawn_is_refused(draw, message):
    with pytest.raises(ValueError, match=message):
        draw()
