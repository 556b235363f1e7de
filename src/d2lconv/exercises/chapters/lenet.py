"""Exercises of the chapter *LeNet*."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from d2lconv.exercises.kinds import Cases, Choice, Function, Misconception, RandomInputs, Value

__all__ = ["EXERCISES"]


# ---- 1: the shape behind the encoder ------------------------------------------------------------

SHAPE = Value(
    id="lenet.1",
    title="A larger image",
    level=1,
    right=lambda: (16, 8, 8),
    parts=("channels", "height", "width"),
    answer_description="three numbers, (channels, height, width)",
    wrong=(
        Misconception("padding forgotten", (16, 7, 7), "The first convolution is padded by 2 on each side."),
        Misconception("second padded too", (16, 10, 10), "Only the first convolution is padded."),
        Misconception(
            "last pooling forgotten", (16, 16, 16), "A pooling follows the second convolution too."
        ),
        Misconception("size of the chapter", (16, 5, 5), "That is the size for images of 28×28."),
        Misconception("flattened", 1024, "That is how many numbers there are. How are they arranged?"),
        Misconception(
            "channels last", (8, 8, 16), "In PyTorch the channels come first, then height and width."
        ),
    ),
)


# ---- 2: why it stalls ------------------------------------------------------------

STALLED = Choice(
    id="lenet.2",
    title="Why it stalls",
    level=1,
    right="c",
    because="a sigmoid's slope is at most 1/4, and PyTorch's first weights do not make up for it.",
    wrong={
        "a": "The same loop trains the network well as soon as its first weights or its activations change.",
        "b": "With other first weights the same layers, sigmoids included, learn the digits.",
        "d": "Average pooling stays as it is when the activation becomes tanh, and that network learns.",
    },
)


# ---- 3: the parameters ------------------------------------------------------------


def parameters_of(
    c_in: int, n_classes: int, *, flat: int = 400, maps: int = 6, bias: bool = True, pools: int = 0
) -> int:
    """Count the parameters of PyTorch's own layers."""
    layers = (
        nn.Conv2d(c_in, 6, 5, bias=bias, device="meta"),
        nn.Conv2d(maps, 16, 5, bias=bias, device="meta"),
        nn.Linear(flat, 120, bias=bias, device="meta"),
        nn.Linear(120, 84, bias=bias, device="meta"),
        nn.Linear(84, n_classes, bias=bias, device="meta"),
    )
    return pools + sum(parameter.numel() for layer in layers for parameter in layer.parameters())


PARAMETERS = Function(
    id="lenet.3",
    title="Parameters of any LeNet",
    level=2,
    kind="count",
    answer_description="a function",
    right=lambda c_in, n_classes: parameters_of(c_in, n_classes),
    cases=Cases(lambda draw, c_in, n_classes: (c_in, n_classes), c_in=range(1, 5), n_classes=range(2, 12)),
    wrong=(
        Misconception(
            "biases forgotten", lambda c, n: parameters_of(c, n, bias=False), "Each layer has biases too."
        ),
        Misconception(
            "padding forgotten", lambda c, n: parameters_of(c, n, flat=256), "The padding of 2 counts."
        ),
        Misconception(
            "last pooling forgotten",
            lambda c, n: parameters_of(c, n, flat=1600),
            "The maps are pooled once more before they are flattened.",
        ),
        Misconception(
            "one map flattened", lambda c, n: parameters_of(c, n, flat=25), "All maps are flattened."
        ),
        Misconception(
            "kernels see one map",
            lambda c, n: parameters_of(c, n, maps=1),
            "Each kernel of the second convolution sees all maps of the first.",
        ),
        Misconception(
            "grey images only", lambda c, n: parameters_of(1, n), "Images may have several channels."
        ),
        Misconception(
            "ten classes only", lambda c, n: parameters_of(c, 10), "The number of classes may change."
        ),
        Misconception(
            "pooling has parameters",
            lambda c, n: parameters_of(c, n, pools=44),
            "Pooling has nothing to learn in the network of today.",
        ),
    ),
)


# ---- 4: accuracy ------------------------------------------------------------


def scores_and_labels(draw: RandomInputs, n: int, classes: int) -> tuple[Tensor, Tensor]:
    """Make scores without ties in a row, and labels."""
    scores = draw(n, classes) * classes + torch.arange(classes)
    return scores, draw(n, low=0, high=classes - 1).long()


def accuracy_of(scores: Tensor, labels: Tensor) -> float:
    """Take the fraction of rows whose largest score is the label's."""
    rows = zip(scores.tolist(), labels.tolist(), strict=True)
    return float(sum(row.index(max(row)) == label for row, label in rows) / len(labels))


ACCURACY = Function(
    id="lenet.4",
    title="Accuracy from scores",
    level=2,
    right=accuracy_of,
    cases=Cases(scores_and_labels, n=range(1, 7), classes=range(2, 5)),
    wrong=(
        Misconception(
            "count instead of fraction",
            lambda s, y: accuracy_of(s, y) * len(y),
            "This is how many are right. Of how many?",
        ),
        Misconception(
            "errors counted", lambda s, y: 1 - accuracy_of(s, y), "This is the fraction that is wrong."
        ),
        Misconception("percent", lambda s, y: 100 * accuracy_of(s, y), "Give a fraction between 0 and 1."),
        Misconception(
            "divided by classes",
            lambda s, y: accuracy_of(s, y) * len(y) / s.shape[1],
            "Divide by the number of images, not of classes.",
        ),
        Misconception(
            "smallest score",
            lambda s, y: accuracy_of(-s, y),
            "The network's answer is the class with the largest score.",
        ),
    ),
)


# ---- 5: the confusion matrix ------------------------------------------------------------


def labels_and_answers(draw: RandomInputs, n: int, m: int) -> tuple[Tensor, Tensor, int]:
    """Make the labels and answers of m images, of n classes."""
    return draw(m, low=0, high=n - 1).long(), draw(m, low=0, high=n - 1).long(), n


def confusion_of(labels: Tensor, answers: Tensor, n: int) -> Tensor:
    """Count the pairs of label and answer."""
    return torch.bincount(labels * n + answers, minlength=n * n).reshape(n, n)


CONFUSION = Function(
    id="lenet.5",
    title="A confusion matrix",
    level=2,
    right=confusion_of,
    cases=Cases(labels_and_answers, n=range(2, 5), m=range(1, 9)),
    wrong=(
        Misconception(
            "rows and columns exchanged",
            lambda labels, answers, n: confusion_of(answers, labels, n),
            "The rows are what the images are, the columns what the network says.",
        ),
        Misconception(
            "marked instead of counted",
            lambda labels, answers, n: confusion_of(labels, answers, n).clamp(max=1),
            "A pair that occurs twice has to count twice.",
        ),
        Misconception(
            "fractions",
            lambda labels, answers, n: confusion_of(labels, answers, n) / len(labels),
            "Give counts, not fractions.",
        ),
        Misconception(
            "right answers only",
            lambda labels, answers, n: confusion_of(labels, answers, n).diag().diag(),
            "Wrong answers belong into the matrix too.",
        ),
        Misconception(
            "wrong answers only",
            lambda labels, answers, n: confusion_of(labels, answers, n).fill_diagonal_(0),
            "Right answers belong into the matrix too.",
        ),
    ),
)

EXERCISES = (SHAPE, STALLED, PARAMETERS, ACCURACY, CONFUSION)
