"""An interactive figure of a training: LeNet learns to read digits in the page, with PyTorch's numbers."""

from __future__ import annotations

import math
import re
from typing import Any, Literal

import torch
import traitlets
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from d2lconv._arguments import integer
from d2lconv.data import ImageData, load_digits
from d2lconv.models import LeNet
from d2lconv.models.lenet import ACTIVATIONS, POOLINGS
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles
from d2lconv.widgets.controls import checkbox, dropdown, slider
from d2lconv.widgets.matrix import within
from d2lconv.widgets.training.picture import draw_start

__all__ = ["training_explorer"]

CHOICES: dict[str, list[Any]] = {
    "activation": list(ACTIVATIONS),
    "pooling": list(POOLINGS),
    "lr": [0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0],
    "momentum": [0.0, 0.5, 0.9, 0.99],
    "batch_size": [8, 16, 32, 64, 128, 256],
    "weight_decay": [0.0, 0.0001, 0.001, 0.01],
}
NAMES = {
    "activation": "Activation",
    "pooling": "Pooling",
    "lr": "Learning rate",
    "momentum": "Momentum",
    "batch_size": "Batch size",
    "weight_decay": "Weight decay",
}
INDICES = tuple(f"{name}_index" for name in CHOICES)
LIMITS = {"lr": (1e-6, 10.0), "momentum": (0.0, 0.999), "weight_decay": (0.0, 1.0)}
LARGEST_BATCH = 512
LARGEST_SEED = 2**32 - 1
SHIFT = 2  # pixels, as in sgd.js


class TrainingView(View):
    """LeNet, the digits that it learns from, and the settings of its training.

    Attributes
    ----------
    digits : dict
        The images of 8×8 pixels to learn from, ``train``, and to validate with, ``valid``. Read-only.
    examples : dict
        The first validation image of each digit, from 0 to 9. Read-only.
    count : int
        How many images there are to learn from. Read-only.
    choices : dict
        What can be chosen for each of ``activation``, ``pooling``, ``lr``, ``momentum``, ``batch_size`` and
        ``weight_decay``. Read-only.
    activation_index, pooling_index, lr_index, momentum_index, batch_size_index, weight_decay_index : int
        Which of these is chosen, counted from 0. Any change begins the training anew.
    shifts : bool
        Whether each image of a batch is moved by up to 2 pixels.
    seed : int
        Of initial weights, order and shifts.
    digit : int
        Which digit is shown on its way through the network.
    history : list of list of float
        Training loss, training accuracy, validation loss and validation accuracy of each epoch so far;
        written by the view.
    """

    _esm = join_scripts("training/view.js")
    _css = join_styles("shared/base.css", "training/view.css")
    height = (67.8, 106.7)
    late = ("digits",)

    examples = traitlets.Dict(read_only=True).tag(sync=True)
    count = traitlets.Int(read_only=True).tag(sync=True)
    digits = traitlets.Dict(read_only=True).tag(sync=True)
    choices = traitlets.Dict(read_only=True).tag(sync=True)
    activation_index = traitlets.Int(0).tag(sync=True)
    pooling_index = traitlets.Int(0).tag(sync=True)
    lr_index = traitlets.Int(0).tag(sync=True)
    momentum_index = traitlets.Int(0).tag(sync=True)
    batch_size_index = traitlets.Int(0).tag(sync=True)
    weight_decay_index = traitlets.Int(0).tag(sync=True)
    shifts = traitlets.Bool(False).tag(sync=True)
    seed = traitlets.Int(0).tag(sync=True)
    digit = traitlets.Int(0).tag(sync=True)
    history = traitlets.List(traitlets.List(traitlets.Float())).tag(sync=True)

    def __init__(self, settings: dict[str, Any], *, shifts: bool, seed: int) -> None:
        super().__init__()
        self.set_trait("digits", packed_digits())
        data = load_digits(size=8)
        self.set_trait("examples", packed(_examples(data.valid)))
        self.set_trait("count", len(data.train))
        lists = {name: _with(CHOICES[name], value) for name, value in settings.items()}
        self.set_trait("choices", lists)
        for name, value in settings.items():
            setattr(self, f"{name}_index", lists[name].index(value))
        self.shifts, self.seed = shifts, seed

    def settings(self) -> dict[str, Any]:
        """Return the settings that are chosen, under the names that LeNet, SGD and `fit` give them."""
        chosen = {name: self.choices[name][getattr(self, f"{name}_index")] for name in CHOICES}
        return {**chosen, "shifts": self.shifts, "seed": self.seed}

    def model(self) -> LeNet:
        """Return the network before its first step, in 64 bits; PyTorch's own generator stays as it is."""
        chosen = self.settings()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(chosen["seed"])
            return LeNet(activation=chosen["activation"], pooling=chosen["pooling"]).double()

    def image(self) -> Tensor:
        """Return the digit that is shown, the first of its class among the validation images, (1, 28, 28)."""
        valid = load_digits().valid
        return valid.images[int((valid.labels == self.digit).nonzero()[0])].double()

    @traitlets.validate(*INDICES)
    def _listed(self, proposal: Any) -> int:
        name = proposal["trait"].name
        return int(within(name, proposal["value"], 0, len(self.choices[name.removesuffix("_index")]) - 1))

    @traitlets.validate("seed")
    def _seed(self, proposal: Any) -> int:
        return int(within("seed", proposal["value"], 0, LARGEST_SEED))

    @traitlets.validate("digit")
    def _digit(self, proposal: Any) -> int:
        return int(within("digit", proposal["value"], 0, 9))


def training_explorer(
    *,
    activation: Literal["relu", "sigmoid", "tanh"] = "relu",
    pooling: Literal["max", "avg"] = "max",
    lr: float = 0.02,
    momentum: float = 0.9,
    batch_size: int = 32,
    weight_decay: float = 0.0,
    shifts: bool = False,
    seed: int = 0,
) -> Figure:
    """Train LeNet on the handwritten digits, in the page, with the numbers that PyTorch gives.

    The reader trains and pauses, takes a single step or an epoch, and changes any setting, which begins the
    training anew; the curves of the settings before stay for comparison. Losses and accuracies come as curves
    and as a table; kernels, maps and probabilities of a digit change as the network learns, and a slider goes
    back through the training.

    The page computes all of it itself, in 64 bits: with the same settings, `d2lconv.training.fit` gives a
    ``LeNet().double()`` the same losses, up to rounding in the last digits of 16.

    Parameters
    ----------
    activation : {"relu", "sigmoid", "tanh"}
        LeNet's nonlinearity.
    pooling : {"max", "avg"}
        LeNet's pooling.
    lr : float
        Learning rate of SGD, from 1e-6 to 10.
    momentum : float
        Momentum of SGD, from 0 to 0.999.
    batch_size : int
        Images in a step, from 1 to 512.
    weight_decay : float
        Weight decay of SGD, from 0 to 1.
    shifts : bool
        Whether the images of a batch are moved at random by up to 2 pixels, as by
        ``d2lconv.data.random_shifts(most=2)``.
    seed : int
        Of the initial weights, the order of the images and the shifts, from 0 to 2³² − 1.

    Returns
    -------
    Figure
        The controls and the view, to be shown as the last line of a cell. What is chosen can be read, set and
        observed as traits of its ``view`` (``lr_index``, ``seed``, …); its ``history`` holds what a training
        has given so far.

    Raises
    ------
    TypeError
        If a number is no number, or `batch_size` or `seed` no integer.
    ValueError
        If `activation` or `pooling` is none of the words above, or a number is out of range.

    Notes
    -----
    A setting that is not among the choices is added to them. The digits are those of
    `d2lconv.data.load_digits`: 1,197 to learn from, 300 to validate with. Readers without scripts see a
    picture of the network before its first step: a digit, the kernels, and the maps that they make of it.

    Introduced in: *How a network learns*.

    Examples
    --------
    >>> figure = training_explorer(activation="tanh", lr=0.03)
    >>> figure
    training_explorer(tanh, max, lr 0.03, momentum 0.9, batch 32, seed 0)
    >>> figure.view.choices["lr"]
    [0.001, 0.005, 0.01, 0.02, 0.03, 0.05, 0.1, 0.2, 0.5, 1.0]
    >>> figure.view.settings()["lr"]
    0.03
    >>> figure.view.model().encoder[0].weight.dtype
    torch.float64
    """
    for name, word in (("activation", activation), ("pooling", pooling)):
        if word not in CHOICES[name]:
            allowed = ", ".join(map(repr, CHOICES[name]))
            raise ValueError(f"{name} must be one of {allowed}, got {word!r}")
    numbers = {"lr": lr, "momentum": momentum, "weight_decay": weight_decay}
    settings: dict[str, Any] = {
        "activation": activation,
        "pooling": pooling,
        **{name: _number(name, value) for name, value in numbers.items()},
        "batch_size": _whole("batch_size", batch_size, 1, LARGEST_BATCH),
    }
    seed = _whole("seed", seed, 0, LARGEST_SEED)
    view = TrainingView({name: settings[name] for name in CHOICES}, shifts=shifts, seed=seed)
    return Figure(
        _name(view),
        view,
        {
            **{
                f"{name}_index": dropdown(
                    text, list(map(_written, view.choices[name])), getattr(view, f"{name}_index")
                )
                for name, text in NAMES.items()
            },
            "shifts": checkbox("Shifts", view.shifts),
            "seed": slider("Seed", view.seed, 0, max(20, view.seed)),
            "digit": slider("Digit shown", view.digit, 0, 9),
        },
        picture=lambda: _draw(view),
    )


def _draw(view: TrainingView) -> Drawing:
    """Draw the network before its first step."""
    encoder, image = view.model().encoder, view.image()
    with torch.no_grad():
        maps = encoder[:3](image[None])[0]
    return draw_start(image, next(encoder.parameters()).detach()[:, 0], maps)


def _name(view: TrainingView) -> str:
    chosen = view.settings()
    parts = [chosen["activation"], chosen["pooling"], f"lr {_written(chosen['lr'])}"]
    parts += [f"momentum {_written(chosen['momentum'])}", f"batch {chosen['batch_size']}"]
    parts += [f"weight decay {_written(chosen['weight_decay'])}"] if chosen["weight_decay"] else []
    parts += ["shifts"] if chosen["shifts"] else []
    return f"training_explorer({', '.join(parts)}, seed {chosen['seed']})"


def _written(choice: str | float) -> str:
    """Write a choice as it stands in a list."""
    words = {"relu": "ReLU", "avg": "average", "max": "maximum"}
    return words.get(choice, choice) if isinstance(choice, str) else f"{choice:.10g}"


def _examples(data: ImageData) -> ImageData:
    """Return the first image of each class."""
    first = [int((data.labels == label).nonzero()[0]) for label in range(len(data.class_names))]
    return ImageData(data.images[first], data.labels[first], data.class_names)


def packed_digits() -> dict[str, dict[str, str]]:
    """Write the course's digits, to learn from and to validate with, as text."""
    data = load_digits(size=8)
    return {"train": packed(data.train), "valid": packed(data.valid)}


def packed(data: ImageData) -> dict[str, str]:
    """Write images as text: a letter for each pixel, a for 0 to q for 16, or a capital for 2 to 26 zeros."""
    pixels = (data.images * 16).round().int().flatten().tolist()
    letters = "".join(chr(ord("a") + pixel) for pixel in pixels)
    return {
        "pixels": re.sub("a{2,26}", lambda run: chr(ord("@") + len(run[0])), letters),
        "labels": "".join(map(str, data.labels.tolist())),
    }


def _with(choices: list[Any], value: Any) -> list[Any]:
    """Return the choices with a value among them."""
    return list(choices) if value in choices else sorted([*choices, value])


def _number(name: str, value: Any) -> float:
    """Return a number within its limits."""
    low, high = LIMITS[name]
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"{name} must be a number, got {value!r} of type {type(value).__name__}")
    if not (math.isfinite(value) and low <= value <= high):
        raise ValueError(f"{name} must be from {low:g} to {high:g}, got {value}")
    return float(value)


def _whole(name: str, value: Any, low: int, high: int) -> int:
    """Return an integer within its limits."""
    whole = integer(name, value, low)
    if whole > high:
        raise ValueError(f"{name} must be at most {high}, got {whole}")
    return whole
