"""Exercises of the chapter *LeNet*."""

from __future__ import annotations

from collections.abc import Callable

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
            "channels of the first convolution",
            (6, 8, 8),
            "Height and width are right. Six channels come out of the first convolution, not the second.",
        ),
        Misconception(
            "first half only",
            (6, 20, 20),
            "That is the output of the first pooling. A second convolution and pooling follow.",
        ),
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
    right="d",
    because="a sigmoid's slope is at most 1/4, and PyTorch's initial weights do not make up for it.",
    wrong={
        "a": "The same loop trains the network well once its initial weights or its activations change.",
        "b": "With other initial weights the same layers, sigmoids included, learn the digits.",
        "c": "Average pooling stays as it is when the activation becomes tanh, and that network learns.",
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
            "first biases forgotten",
            lambda c, n: parameters_of(c, n) - 6,
            "The 6 biases of the first convolution are missing.",
        ),
        Misconception(
            "last biases forgotten",
            lambda c, n: parameters_of(c, n) - n,
            "The biases of the last layer are missing, one for each class.",
        ),
        Misconception(
            "biases of the convolutions forgotten",
            lambda c, n: parameters_of(c, n) - 22,
            "The fully connected layers are right. The two convolutions have biases, too.",
        ),
        Misconception(
            "first biases by input channel",
            lambda c, n: parameters_of(c, n) - 6 + c,
            "The first convolution has a bias for each of its 6 output channels, not for each input.",
        ),
        Misconception(
            "padding forgotten", lambda c, n: parameters_of(c, n, flat=256), "The padding of 2 counts."
        ),
        Misconception(
            "second convolution padded",
            lambda c, n: parameters_of(c, n, flat=16 * 49),
            "You flattened maps of 7×7. The second convolution has no padding, so 14 rows become 10.",
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


# ---- 4: among the best k ------------------------------------------------------------


def scores_labels_and_k(
    draw: RandomInputs, n: int, classes: int, k: int
) -> tuple[Tensor, Tensor, int] | None:
    """Make scores without ties in a row, labels, and a number of ranks."""
    scores = draw(n, classes) * 2 * classes + torch.arange(classes)
    return (scores, draw(n, low=0, high=classes - 1).long(), k) if k <= classes else None


def among_the_best(scores: Tensor, labels: Tensor, k: int) -> float:
    """Take the fraction of rows in which fewer than k scores exceed the label's."""
    own = scores.gather(1, labels[:, None])
    return float(((scores > own).sum(1) < k).double().mean())


TOP_K = Function(
    id="lenet.4",
    title="Among the best k",
    level=2,
    right=among_the_best,
    cases=Cases(scores_labels_and_k, n=range(1, 7), classes=range(2, 5), k=range(1, 4), small=20, large=20),
    wrong=(
        Misconception(
            "first rank only",
            lambda s, y, k: among_the_best(s, y, 1),
            "This counts the images whose own class comes first. It may be among the first `k`.",
        ),
        Misconception(
            "count instead of fraction",
            lambda s, y, k: among_the_best(s, y, k) * len(y),
            "This is how many are right. Of how many?",
        ),
        Misconception(
            "errors counted",
            lambda s, y, k: 1 - among_the_best(s, y, k),
            "This is the fraction that is wrong.",
        ),
        Misconception(
            "percent", lambda s, y, k: 100 * among_the_best(s, y, k), "Give a fraction between 0 and 1."
        ),
        Misconception(
            "divided by k",
            lambda s, y, k: among_the_best(s, y, k) / k,
            "At most one of an image's `k` classes is its own: divide by the number of images.",
        ),
        Misconception(
            "smallest scores",
            lambda s, y, k: among_the_best(-s, y, k),
            "The best classes are those with the largest scores.",
        ),
        Misconception(
            "values instead of classes",
            lambda s, y, k: float((s.topk(k).values == y[:, None]).any(1).double().mean()),
            "The largest scores are compared with the labels. Which classes do they belong to?",
        ),
    ),
)


# ---- 5: the confusion matrix ------------------------------------------------------------


def labels_and_predictions(draw: RandomInputs, n: int, m: int) -> tuple[Tensor, Tensor, int]:
    """Make the labels and predictions of m images, of n classes, of which the last may not occur."""
    last = n - 1 - (m % 2 == 0)
    return draw(m, low=0, high=last).long(), draw(m, low=0, high=last).long(), n


def confusion_of(labels: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Count the pairs of label and prediction."""
    return torch.bincount(labels * n + predicted, minlength=n * n).reshape(n, n)


def fractions_of_rows(labels: Tensor, predicted: Tensor, n: int) -> Tensor:
    """Divide each row of the matrix by its sum."""
    counts = confusion_of(labels, predicted, n)
    return counts / counts.sum(1, keepdim=True)


CONFUSION = Function(
    id="lenet.5",
    title="A confusion matrix",
    level=2,
    right=confusion_of,
    cases=Cases(labels_and_predictions, n=range(2, 5), m=range(1, 9)),
    wrong=(
        Misconception(
            "rows and columns exchanged",
            lambda labels, predicted, n: confusion_of(predicted, labels, n),
            "The rows are what the images are, the columns what the network says.",
        ),
        Misconception(
            "marked instead of counted",
            lambda labels, predicted, n: confusion_of(labels, predicted, n).clamp(max=1),
            "A pair that occurs twice has to count twice.",
        ),
        Misconception(
            "fractions",
            lambda labels, predicted, n: confusion_of(labels, predicted, n) / len(labels),
            "Give counts, not fractions.",
        ),
        Misconception(
            "fractions of a row",
            lambda labels, predicted, n: fractions_of_rows(labels, predicted, n),
            "You divided each row by its sum. Give counts, not fractions.",
        ),
        Misconception(
            "fractions of a row, 0/0 left out",
            lambda labels, predicted, n: fractions_of_rows(labels, predicted, n).nan_to_num(0),
            "You divided each row by its sum. Give counts, not fractions.",
        ),
        Misconception(
            "marked, rows and columns exchanged",
            lambda labels, predicted, n: confusion_of(predicted, labels, n).clamp(max=1),
            "Rows and columns are exchanged, and a pair that occurs twice has to count twice.",
        ),
        Misconception(
            "right predictions only",
            lambda labels, predicted, n: confusion_of(labels, predicted, n).diag().diag(),
            "Wrong predictions belong in the matrix, too.",
        ),
        Misconception(
            "wrong predictions only",
            lambda labels, predicted, n: confusion_of(labels, predicted, n).fill_diagonal_(0),
            "Right predictions belong in the matrix, too.",
        ),
    ),
)

# ---- 6: an experiment, judged ------------------------------------------------------------


def difference_and_error(a: Tensor, b: Tensor) -> Tensor:
    """Return by how much the mean of b exceeds that of a, and the standard error of this difference."""
    error = (a.var() / len(a) + b.var() / len(b)) ** 0.5
    return torch.stack([b.mean() - a.mean(), error])


def changed(
    difference: float = 1, error: Callable[[Tensor, Tensor], Tensor] | None = None
) -> Callable[[Tensor, Tensor], Tensor]:
    """Make a misconception: the difference multiplied by a number, or another error."""

    def gives(a: Tensor, b: Tensor) -> Tensor:
        right = difference_and_error(a, b)
        return torch.stack([difference * right[0], right[1] if error is None else error(a, b)])

    return gives


EXPERIMENT = Function(
    id="lenet.6",
    title="Is the change an improvement?",
    level=3,
    answer_description="a function that returns two numbers",
    right=difference_and_error,
    cases=Cases(
        lambda draw, n, m: (0.5 + draw(n) / 32, 0.5 + draw(m) / 32),
        n=range(2, 7),
        m=range(2, 7),
        small=15,
        large=10,
    ),
    wrong=(
        Misconception(
            "first minus second", changed(-1), "The difference is to be positive where `b` is better."
        ),
        Misconception(
            "standard deviation instead of standard error",
            changed(error=lambda a, b: (a.var() + b.var()) ** 0.5),
            "That is how far single runs scatter. The mean of n runs scatters less.",
        ),
        Misconception(
            "variance of the difference",
            changed(error=lambda a, b: a.var() / len(a) + b.var() / len(b)),
            "That is the variance. The standard error is its square root.",
        ),
        Misconception(
            "errors added up",
            changed(error=lambda a, b: (a.var() / len(a)) ** 0.5 + (b.var() / len(b)) ** 0.5),
            "Variances of independent means add up, not their square roots.",
        ),
        Misconception(
            "divided by n",
            changed(error=lambda a, b: (a.var(correction=0) / len(a) + b.var(correction=0) / len(b)) ** 0.5),
            "The mean comes from the same runs: divide the squares by n - 1.",
        ),
        Misconception(
            "one variant only",
            changed(error=lambda a, b: (b.var() / len(b)) ** 0.5),
            "The runs of the other variant scatter, too.",
        ),
    ),
)


EXERCISES = (SHAPE, STALLED, PARAMETERS, TOP_K, CONFUSION, EXPERIMENT)
