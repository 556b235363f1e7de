"""gradient_explorer in Python: what it takes, and the picture for readers without scripts."""

import re

import pytest
import torch
import traitlets

from d2lconv.widgets import gradient_explorer

X = [[1, 2, 0], [0, 1, 3]]


def test_state_follows_the_arguments():
    view = gradient_explorer(torch.tensor(X), [[1, -1]], layer="ReLU", target=[[0, 0]], lr=0.5, steps=3).view
    assert view.input == [[1, 2, 0], [0, 1, 3]]
    assert (view.layer_index, view.target, view.rate, view.steps) == (1, [[0, 0]], 0.5, 3)


def test_controls_follow_the_view():
    figure = gradient_explorer(X, [[1, -1]], target=[[0, 0]])
    assert list(figure.controls) == ["layer_index", "rate", "steps"]
    assert list(gradient_explorer(X, [[1, -1]]).controls) == ["layer_index"]


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"K": [[1, 2, 3, 4]]}, traitlets.TraitError, "kernel of 1×4 cells must fit into the input of 2×3"),
        ({"layer": "tanh"}, ValueError, "layer must be None, 'ReLU' or 'max pooling', got 'tanh'"),
        ({"K": [[1, 1, 1]], "layer": "max pooling"}, ValueError, "at least 2×2 cells, got 2×1"),
        ({"K": [[1]], "lr": -1}, traitlets.TraitError, "rate must be from 0 to 10, got -1"),
        ({"K": [[1]], "steps": 61}, traitlets.TraitError, "steps must be from 0 to 60, got 61"),
        ({"K": [[1]], "G": [[float("nan")]]}, traitlets.TraitError, "above must be a matrix of at most 8×8"),
    ],
)
def test_what_cannot_be_shown_is_refused(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        gradient_explorer(X, **arguments)


def test_cell_that_no_grid_has_is_refused():
    view = gradient_explorer(X, [[1]]).view
    with pytest.raises(traitlets.TraitError, match="cell must be a row and a column from 0 to 7"):
        view.cell = [0, 8]


def test_picture_has_the_gradients():
    figure = gradient_explorer([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]], layer="max pooling")
    axes = figure._picture().axes
    texts = {ax.get_title() or ax.texts[-1].get_text(): [text.get_text() for text in ax.texts] for ax in axes}
    assert [text for text in texts["K.grad"] if text != "K.grad"] == ["4", "5", "7", "8"]
    assert "43" in texts["Z"]


def test_picture_is_after_the_steps():
    figure = gradient_explorer([[1, 0]], [[3]], target=[[0, 0]], lr=1.0, steps=1)
    assert "0" in [text.get_text() for text in figure._picture().axes[1].texts]
