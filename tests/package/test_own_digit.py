"""own_digit in Python: its controls, the way of a drawing, the rounded network, errors, and its picture."""

import json
import re

import ipywidgets
import pytest
import torch
import traitlets
from torch import nn

from d2lconv.data import load_digits
from d2lconv.models import LeNet
from d2lconv.widgets import own_digit
from d2lconv.widgets.feature_maps.packing import pack_rows, unpack_rows
from d2lconv.widgets.own_digit.picture import example
from d2lconv.widgets.own_digit.preparing import count_ink, fit

SIDE = 32


def lenet(**options):
    torch.manual_seed(0)
    return LeNet(**options)


def box(top, bottom, left, right):
    points = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    points[top:bottom, left:right] = 1
    return points


def test_control_is_named_and_linked():
    figure = own_digit(lenet(activation="tanh", pooling="avg"))
    (pen,) = figure.controls.values()
    assert (pen.description, pen.value, pen.min, pen.max) == ("Pen width", 4, 1, 6)
    assert isinstance(figure, ipywidgets.VBox)
    assert figure.children[-1] is figure.view
    assert repr(figure) == "own_digit(LeNet(tanh, avg))"


@pytest.mark.parametrize(
    ("drawn", "columns"),
    [
        (box(4, 28, 4, 28), (6, 26)),  # as wide as the data's
        (box(10, 12, 0, 32), (6, 26)),  # flat
        (box(0, 32, 15, 17), (14, 18)),  # narrow: twice as wide at most
        (box(31, 32, 31, 32), (6, 26)),  # a dot
        (box(4, 28, 2, 7), (9, 22)),  # 13 columns cannot lie in the very middle
    ],
)
def test_ink_is_brought_to_the_data_s_size_and_middle(drawn, columns):
    assert torch.equal(fit(drawn), box(0, SIDE, *columns))


def test_without_ink_there_is_nothing_to_bring_to_its_size():
    empty = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    assert torch.equal(fit(empty), empty)
    assert own_digit(lenet()).view.image().sum() == 0


def test_a_drawing_lies_as_the_stored_digits_do():
    """All of these touch the first and last of the 8 rows, and few the first or last column."""
    stored = load_digits(size=8).train.images[:, 0] * 16
    assert (stored[:, [0, 7]].sum(dim=2) > 0).all()
    counts = count_ink(fit(example()))
    assert (counts[[0, 7]].sum(dim=1) > 0).all()
    assert counts[:, [0, 7]].sum() <= stored[:, :, [0, 7]].sum(dim=(1, 2)).max()
    assert stored.sum(dim=(1, 2)).min() < counts.sum() < stored.sum(dim=(1, 2)).max()


def test_ink_is_counted_in_blocks_and_enlarged_as_the_data_is():
    view = own_digit(lenet(), drawing=example()).view
    assert torch.equal(view.points(), example())
    blocks = fit(example()).unfold(0, 4, 4).unfold(1, 4, 4).sum(dim=(2, 3))
    assert torch.equal(view.counts(), blocks)
    large = nn.functional.interpolate(blocks[None, None].float() / 16, size=28, mode="bilinear")
    assert view.image().shape == (1, 28, 28)
    assert view.image().allclose(large[0], atol=1e-6)


def test_network_is_the_given_one_with_weights_in_8_bits():
    model = lenet(activation="sigmoid", pooling="avg")
    view = own_digit(model, drawing=example()).view
    for given, rounded in zip(model.parameters(), view.model().parameters(), strict=True):
        rows = given.reshape(len(given) if given.ndim > 1 else 1, -1)
        step = rows.abs().amax(dim=1, keepdim=True) / 127
        assert ((rows - rounded.reshape(rows.shape)).abs() <= step * 0.5001).all()
    with torch.no_grad():
        assert view.scores().allclose(model(view.image()[None])[0].double(), atol=0.02)
        assert torch.equal(view.scores(), view.model()(view.image()[None].double())[0])
    assert len(json.dumps(view.weights)) < 90_000


def test_rows_of_zeros_and_vectors_are_packed_too():
    for values in (torch.zeros(3), torch.tensor([[0.0, 0.0], [1.0, -1e-9]]), torch.tensor([5.0])):
        assert unpack_rows(pack_rows(values)).allclose(values.double(), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (nn.Linear(1, 1), TypeError, "model must be a LeNet, got Linear("),
        (LeNet(3), ValueError, "model must have 1 input channel and 10 classes, got 3 and 10"),
        (LeNet(num_classes=2), ValueError, "model must have 1 input channel and 10 classes, got 1 and 2"),
    ],
)
def test_other_networks_are_refused(model, error, message):
    with pytest.raises(error, match=re.escape(message)):
        own_digit(model)


def test_a_network_out_of_bounds_is_refused():
    model = lenet()
    model.head[-1].bias.data[3] = torch.inf
    with pytest.raises(ValueError, match="model must have finite weights, got some that are not"):
        own_digit(model)


@pytest.mark.parametrize(
    ("drawing", "message"),
    [
        (torch.zeros(8, 8), "drawing must have shape (32, 32), got (8, 8)"),
        ([[2] * SIDE] * SIDE, "drawing must hold zeros and ones only"),
    ],
)
def test_other_drawings_are_refused(drawing, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        own_digit(lenet(), drawing=drawing)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("drawing", "f", "drawing must be 256 digits from 0 to f, or empty, got 'f'"),
        ("drawing", "F" * 256, "drawing must be 256 digits from 0 to f, or empty, got 'FFF"),
        ("pen", 0, "pen must be from 1 to 6, got 0"),
        ("network", {}, 'The "network" trait is read-only'),
        ("digits", {}, 'The "digits" trait is read-only'),
    ],
)
def test_wrong_values_are_refused(trait, value, message):
    view = own_digit(lenet()).view
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(view, trait, value)
    assert getattr(view, trait) == before


def test_picture_shows_the_drawing_or_an_example():
    def picture(figure):
        return figure._repr_mimebundle_()["image/svg+xml"]

    figure = own_digit(lenet())
    shown = picture(figure)
    assert shown == picture(own_digit(lenet(), drawing=example()))
    figure.view.drawing = "f" * 256
    assert picture(figure) != shown
