"""Exercises of the chapter *How a network learns*."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.engine.runs import digits_read_after
from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Debug,
    Function,
    Misconception,
    Network,
    RandomInputs,
    Rule,
    Run,
    Value,
)

__all__ = ["EXERCISES"]


# ---- 1: the loss of three images ------------------------------------------------------------

OWN = (1 / 2, 1 / 4, 1 / 8)
"""The probabilities that a network gives to the images' own classes."""

LOSS = Value(
    id="learning.1",
    title="The loss of three images",
    level=1,
    right=lambda: F.nll_loss(torch.tensor(OWN)[:, None].log(), torch.zeros(3, dtype=torch.int64)),
    answer_description="one number, the loss",
    wrong=(
        Misconception(
            "logarithm to base 2",
            sum(-math.log2(p) for p in OWN) / 3,
            "That is in bits. Cross-entropy takes the natural logarithm, `math.log`.",
        ),
        Misconception(
            "added up",
            sum(-math.log(p) for p in OWN),
            "The loss of a batch is a mean, so that it does not grow with the batch.",
        ),
        Misconception(
            "sign forgotten", sum(math.log(p) for p in OWN) / 3, "A loss is to be small where all is well."
        ),
        Misconception(
            "logarithm of the mean",
            -math.log(sum(OWN) / 3),
            "First the logarithm of each image, then the mean.",
        ),
        Misconception(
            "distance from 1",
            sum(1 - p for p in OWN) / 3,
            "Where is the logarithm? It makes sure mistakes expensive.",
        ),
    ),
)


# ---- 2: what the curves say ------------------------------------------------------------

CURVES = Choice(
    id="learning.2",
    title="What the curves say",
    level=1,
    right="c",
    because="the training loss goes to 0 while the validation loss rises: it learns its images by heart.",
    wrong={
        "a": "With a smaller rate the same things happen later. The training loss is as low as it can get.",
        "b": "More channels would make it still easier to know the training images by heart.",
        "d": "A training loss below the validation loss is usual: the weights were made for these images.",
    },
)


# ---- 3: the gradient by the scores ------------------------------------------------------------


def scores_and_labels(draw: RandomInputs, n: int, c: int) -> tuple[Tensor, Tensor]:
    """Make scores of n images and their classes."""
    return draw(n, c) / 2, draw(n, low=0, high=c - 1).long()


def gradient_of_scores(scores: Tensor, labels: Tensor, reduction: str = "mean") -> Tensor:
    """Let PyTorch compute the gradient of the cross-entropy."""
    scores = scores.clone().requires_grad_()
    loss = F.cross_entropy(scores, labels, reduction=reduction)
    return torch.autograd.grad(loss, scores)[0]


def own_class(scores: Tensor, labels: Tensor) -> Tensor:
    """Return 1 at each image's own class, 0 elsewhere."""
    return F.one_hot(labels, scores.shape[1]).to(scores.dtype)


BY_SCORES = Function(
    id="learning.3",
    title="The gradient of the scores",
    level=2,
    right=lambda scores, labels: gradient_of_scores(scores, labels),
    cases=Cases(scores_and_labels, n=range(1, 6), c=range(2, 6)),
    forbidden=("backward", "grad", "run_backward"),
    wrong=(
        Misconception(
            "added up instead of a mean",
            lambda scores, labels: gradient_of_scores(scores, labels, "sum"),
            "The loss is the mean over the images. What does that make of the gradient?",
        ),
        Misconception(
            "uphill",
            lambda scores, labels: -gradient_of_scores(scores, labels),
            "This is the direction of the step. The gradient points to where the loss grows.",
        ),
        Misconception(
            "own class forgotten",
            lambda scores, labels: F.softmax(scores, dim=1) / len(labels),
            "The probability of the own class should grow. Where are the labels?",
        ),
        Misconception(
            "softmax over the images",
            lambda scores, labels: (F.softmax(scores, dim=0) - own_class(scores, labels)) / len(labels),
            "The probabilities of one image add up to 1. Along which axis are its classes?",
        ),
        Misconception(
            "scores instead of probabilities",
            lambda scores, labels: (scores - own_class(scores, labels)) / len(labels),
            "Scores are no probabilities yet.",
        ),
    ),
)


# ---- 4: momentum ------------------------------------------------------------


def weights_and_gradients(
    draw: RandomInputs, n: int, steps: int, lr: float, momentum: float
) -> tuple[Tensor, Tensor, float, float]:
    """Make weights, the gradients of some steps, and settings."""
    return draw(n), draw(steps, n), lr, momentum


def by_sgd(
    w: Tensor, gradients: Tensor, lr: float, momentum: float, *, dampening: float = 0, nesterov: bool = False
) -> Tensor:
    """Take the steps by PyTorch's optimizer."""
    w = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], lr, momentum, dampening, nesterov=nesterov)
    for gradient in gradients:
        w.grad = gradient.clone()
        optimizer.step()
    return w.detach()


def by_velocity(
    w: Tensor, gradients: Tensor, step: Callable[[Tensor, Tensor], Tensor], lr: float, *, late: bool = False
) -> Tensor:
    """Take the steps with another rule for the velocity, perhaps one step behind."""
    velocity = torch.zeros_like(w)
    for gradient in gradients:
        before, velocity = velocity, step(velocity, gradient)
        w = w - lr * (before if late else velocity)
    return w


MOMENTUM = Function(
    id="learning.4",
    title="Momentum",
    level=2,
    right=lambda w, gradients, lr, momentum: by_sgd(w, gradients, lr, momentum),
    cases=Cases(
        weights_and_gradients, n=range(1, 4), steps=range(1, 6), lr=(0.5, 0.25), momentum=(0.5, 0.75)
    ),
    wrong=(
        Misconception(
            "no momentum",
            lambda w, gradients, lr, momentum: by_sgd(w, gradients, lr, 0),
            "Each step uses its own gradient only. What is kept from one step to the next?",
        ),
        Misconception(
            "a mean of gradients",
            lambda w, gradients, lr, momentum: by_velocity(
                w, gradients, lambda v, g: momentum * v + (1 - momentum) * g, lr
            ),
            "The new gradient counts in full here; this is a running mean, as in Adam.",
        ),
        Misconception(
            "one step late",
            lambda w, gradients, lr, momentum: by_velocity(
                w, gradients, lambda v, g: momentum * v + g, lr, late=True
            ),
            "The weights move by the velocity of the step before. Which line comes first?",
        ),
        Misconception(
            "nothing fades",
            lambda w, gradients, lr, momentum: by_velocity(w, gradients, lambda v, g: v + g, lr),
            "All gradients count alike. Older ones are to fade, by the factor `momentum` in each step.",
        ),
        Misconception(
            "uphill",
            lambda w, gradients, lr, momentum: by_sgd(w, -gradients, lr, momentum),
            "The weights move so that the loss grows.",
        ),
    ),
)


# ---- 5: stopping early ------------------------------------------------------------


def losses_and_patience(draw: RandomInputs, n: int, patience: int) -> tuple[Tensor, int]:
    """Make validation losses, falling first, and a patience."""
    return draw(n, low=0, high=9) / 4 + torch.linspace(1, 0, n), patience


def stop_at(losses: Tensor, patience: int) -> int:
    """Return the first epoch whose last `patience` losses are none below the best one before them."""
    for epoch in range(patience + 1, len(losses) + 1):
        if losses[epoch - patience : epoch].min() >= losses[: epoch - patience].min():
            return epoch
    return len(losses)


def stop_counting(losses: Tensor, patience: int, *, reset: bool = True, best: bool = False) -> int:
    """Count the epochs that are worse than the one before, or than the best, since a good one or ever."""
    count = 0
    for i in range(1, len(losses)):
        bar = losses[:i].min() if best else losses[i - 1]
        count = count + 1 if losses[i] >= bar else count * (not reset)
        if count == patience:
            return i + 1
    return len(losses)


STOPPING = Debug(
    id="learning.5",
    title="Stopping too late",
    level=2,
    right=lambda losses, patience: stop_at(losses, patience),
    given=stop_counting,
    cases=Cases(losses_and_patience, n=range(1, 9), patience=range(1, 4), small=20, large=25),
    wrong=(
        Misconception(
            "no new start after a better epoch",
            lambda losses, patience: stop_counting(losses, patience, reset=False, best=True),
            "After a new best epoch, counting begins again.",
        ),
        Misconception(
            "the best epoch",
            lambda losses, patience: int(losses[: stop_at(losses, patience)].argmin()) + 1,
            "That is the epoch whose weights are kept. When does training stop?",
        ),
        Misconception(
            "one epoch too late",
            lambda losses, patience: stop_at(losses, patience + 1),
            "It waits one epoch longer than `patience` says.",
        ),
        Misconception(
            "counted from 0",
            lambda losses, patience: stop_at(losses, patience) - 1,
            "The first epoch has the number 1.",
        ),
        Misconception(
            "never stops",
            lambda losses, patience: len(losses),
            "It goes on to the last epoch in every case.",
        ),
    ),
)


# ---- 6: backwards through three layers ------------------------------------------------------------


def image_and_kernel(draw: RandomInputs, h: int, w: int, k_h: int, k_w: int) -> tuple[Tensor, Tensor] | None:
    """Make an image, and a kernel that fits into it."""
    return (draw(h, w, high=4), draw(k_h, k_w, high=4)) if k_h <= h and k_w <= w else None


def corr(X: Tensor, K: Tensor) -> Tensor:
    """Correlate two matrices by PyTorch."""
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def through_three_layers(X: Tensor, K: Tensor) -> Tensor:
    """Let PyTorch find the kernel's gradient of the mean of the ReLU of a convolution."""
    K = K.clone().requires_grad_()
    return torch.autograd.grad(F.relu(corr(X, K)).mean(), K)[0]


THREE_LAYERS = Function(
    id="learning.6",
    title="Backwards through three layers",
    level=3,
    right=through_three_layers,
    cases=Cases(
        image_and_kernel,
        h=range(1, 6),
        w=range(1, 6),
        k_h=range(1, 4),
        k_w=range(1, 4),
        small=25,
        large=15,
    ),
    forbidden=("backward", "grad", "run_backward"),
    wrong=(
        Misconception(
            "ReLU passed by",
            lambda X, K: corr(X, torch.ones_like(corr(X, K))) / corr(X, K).numel(),
            "Where the ReLU gives 0, a small change of its input changes nothing.",
        ),
        Misconception(
            "added up instead of a mean",
            lambda X, K: through_three_layers(X, K) * corr(X, K).numel(),
            "The last layer takes a mean. How much does one cell count in it?",
        ),
        Misconception(
            "ReLU's output instead of its slope",
            lambda X, K: corr(X, F.relu(corr(X, K))) / corr(X, K).numel(),
            "Going back, the ReLU multiplies by its slope, which is 0 or 1.",
        ),
        Misconception(
            "gradient flipped",
            lambda X, K: through_three_layers(X.flip(0, 1), K.flip(0, 1)),
            "Kernel cell (0, 0) meets the upper left pixel of each window. Nothing is flipped here.",
        ),
        Misconception(
            "ReLU of the gradient",
            lambda X, K: F.relu(corr(X, torch.ones_like(corr(X, K)))) / corr(X, K).numel(),
            "Going back, the ReLU asks for the sign of what it got on the way forward.",
        ),
        Misconception(
            "the output",
            lambda X, K: F.relu(corr(X, K)).mean(),
            "That is the way forward. A gradient has one number for each weight of the kernel.",
        ),
    ),
)


# ---- 7: an experiment ------------------------------------------------------------

STEPS, BATCH, RATE = 60, 32, 0.02
DEPTH = 8


def too_shallow(model: nn.Module, done: Run) -> str:
    """Return whether there are too few convolutions."""
    count = sum(row.kind == "Conv2d" for row in done.rows)
    return f"it has {count} convolutions, and {DEPTH} are asked for" if count < DEPTH else ""


def without_relus(model: nn.Module, done: Run) -> str:
    """Return whether there are too few ReLUs."""
    count = sum(row.kind == "ReLU" for row in done.rows)
    return f"it has {count} ReLUs, and {DEPTH} are asked for" if count < DEPTH else ""


def accuracy_after_steps(model: nn.Module) -> float:
    """Take a few steps of SGD on digits of 8×8 pixels; return the fraction of validation digits it reads."""
    optimizer = torch.optim.SGD(model.parameters(), lr=RATE, momentum=0.9)
    return digits_read_after(model, optimizer, steps=STEPS, batch=BATCH)


DEEP = Network(
    id="learning.7",
    title="Eight convolutions that learn",
    level=3,
    input_shape=(1, 8, 8),
    output_shape=(10,),
    max_macs=500_000,
    rules=(
        Rule("too shallow", too_shallow, "Keep the eight convolutions. It is their depth that has to learn."),
        Rule("too few ReLUs", without_relus, "Use `nn.ReLU` after each convolution; `F.relu` isn't counted."),
    ),
    score=accuracy_after_steps,
    min_score=0.6,
)


EXERCISES = (LOSS, CURVES, BY_SCORES, MOMENTUM, STOPPING, THREE_LAYERS, DEEP)
