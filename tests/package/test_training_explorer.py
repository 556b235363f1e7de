"""training_explorer in Python: its controls, its traits and their errors, its arguments, and its picture."""

import json
import re

import ipywidgets
import pytest
import torch
import traitlets
from torch import nn

from d2lconv.data import load_digits
from d2lconv.models import LeNet
from d2lconv.widgets import training_explorer


def picture(figure):
    return figure._repr_mimebundle_()["image/svg+xml"]


def test_controls_are_named_and_linked():
    figure = training_explorer(activation="tanh", pooling="avg", lr=0.03, momentum=0.5, seed=40, shifts=True)
    *lists, shifts, seed, digit = figure.controls.values()
    assert [(one.description, one.options[one.index]) for one in lists] == [
        ("Activation", "tanh"),
        ("Pooling", "average"),
        ("Learning rate", "0.03"),
        ("Momentum", "0.5"),
        ("Batch size", "32"),
        ("Weight decay", "0"),
    ]
    assert (shifts.description, shifts.value) == ("Shifts", True)
    assert (seed.description, seed.value, seed.min, seed.max) == ("Seed", 40, 0, 40)
    assert (digit.description, digit.value, digit.min, digit.max) == ("Digit shown", 0, 0, 9)
    assert isinstance(figure, ipywidgets.VBox)
    assert figure.children[-1] is figure.view
    assert len(figure._links) == 9
    assert repr(figure) == "training_explorer(tanh, avg, lr 0.03, momentum 0.5, batch 32, shifts, seed 40)"


def test_a_setting_of_one_s_own_is_added_to_the_choices_in_order():
    view = training_explorer(lr=0.3, momentum=0.95, batch_size=50, weight_decay=0.1).view
    assert view.choices["lr"][-4:] == [0.2, 0.3, 0.5, 1.0]
    assert view.choices["batch_size"] == [8, 16, 32, 50, 64, 128, 256]
    settings = {"activation": "relu", "pooling": "max", "lr": 0.3, "momentum": 0.95, "batch_size": 50}
    assert view.settings() == {**settings, "weight_decay": 0.1, "shifts": False, "seed": 0}
    view.lr_index = 0
    assert view.settings()["lr"] == 0.001
    assert training_explorer().view.choices["lr"] == [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0]


def test_model_is_lenet_before_its_first_step_and_leaves_the_generator_alone():
    view = training_explorer(activation="sigmoid", pooling="avg", seed=7).view
    torch.manual_seed(7)
    expected = LeNet(activation="sigmoid", pooling="avg").double()
    torch.manual_seed(1)
    before = torch.get_rng_state()
    assert str(view.model()) == str(expected)
    assert torch.equal(torch.get_rng_state(), before)
    vectors = [nn.utils.parameters_to_vector(model.parameters()) for model in (view.model(), expected)]
    assert torch.equal(*vectors)


def test_digits_are_those_of_load_digits():
    digits, stored = training_explorer().view.digits, load_digits(size=8)
    for name in ("train", "valid"):
        data = getattr(stored, name)
        letters = re.sub("[B-Z]", lambda capital: "a" * (ord(capital[0]) - ord("@")), digits[name]["pixels"])
        pixels = [(ord(letter) - ord("a")) / 16 for letter in letters]
        assert pixels == data.images.flatten().tolist()
        assert digits[name]["labels"] == "".join(map(str, data.labels.tolist()))
    assert len(json.dumps(digits)) < 70_000


@pytest.mark.parametrize(
    ("name", "value", "error", "message"),
    [
        ("activation", "gelu", ValueError, "activation must be one of 'relu', 'sigmoid', 'tanh', got 'gelu'"),
        ("pooling", 2, ValueError, "pooling must be one of 'max', 'avg', got 2"),
        ("lr", 0, ValueError, "lr must be from 1e-06 to 10, got 0"),
        ("lr", float("nan"), ValueError, "lr must be from 1e-06 to 10, got nan"),
        ("lr", "0.1", TypeError, "lr must be a number, got '0.1' of type str"),
        ("lr", [], TypeError, "lr must be a number, got [] of type list"),
        ("momentum", 1, ValueError, "momentum must be from 0 to 0.999, got 1"),
        ("momentum", True, TypeError, "momentum must be a number, got True of type bool"),
        ("weight_decay", -0.1, ValueError, "weight_decay must be from 0 to 1, got -0.1"),
        ("batch_size", 0, ValueError, "batch_size must be at least 1, got 0"),
        ("batch_size", 513, ValueError, "batch_size must be at most 512, got 513"),
        ("batch_size", 8.5, TypeError, "batch_size must be an integer, got 8.5"),
        ("seed", -1, ValueError, "seed must be at least 0, got -1"),
        ("seed", 2**32, ValueError, "seed must be at most 4294967295, got 4294967296"),
        ("shifts", 1.5, traitlets.TraitError, "shifts"),
    ],
)
def test_arguments_that_cannot_be_are_refused(name, value, error, message):
    with pytest.raises(error, match=re.escape(message)):
        training_explorer(**{name: value})


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("lr_index", 9, "lr_index must be from 0 to 8, got 9"),
        ("activation_index", -1, "activation_index must be from 0 to 2, got -1"),
        ("seed", -1, "seed must be from 0 to 4294967295, got -1"),
        ("digit", 10, "digit must be from 0 to 9, got 10"),
        ("digits", {}, 'The "digits" trait is read-only'),
        ("choices", {}, 'The "choices" trait is read-only'),
        ("shifts", 2, "shifts"),
    ],
)
def test_wrong_values_are_refused(trait, value, message):
    view = training_explorer().view
    before = getattr(view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(view, trait, value)
    assert getattr(view, trait) == before


def test_picture_shows_digit_and_initial_weights_of_the_present_state():
    figure = training_explorer()
    seen = {picture(figure)}
    for trait, value in [("seed", 1), ("digit", 7), ("activation_index", 1), ("pooling_index", 1)]:
        setattr(figure.view, trait, value)
        seen.add(picture(figure))
    assert len(seen) == 5
    assert picture(figure) in seen
    figure.view.lr_index = 0  # of which the start knows nothing
    assert picture(figure) in seen
