"""What right and wrong answers to the exercises of *1×1 convolution* give, and the rules of its network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.kinds import Rule, Wrong
from d2lconv.summary import Summary

# ---- 4: two layers in one ------------------------------------------------------------


def merged(A: Tensor, a: Tensor, B: Tensor, b: Tensor) -> Tensor:
    """Find the single layer by what PyTorch's two layers make of a zero and of each unit pixel."""
    c = A.shape[1]
    pixels = torch.cat([torch.zeros(c, 1), torch.eye(c)], dim=1)[None, :, None]
    Y = F.conv2d(F.conv2d(pixels, A[:, :, None, None], a), B[:, :, None, None], b)[0, :, 0]
    return torch.cat([Y[:, 1:] - Y[:, :1], Y[:, :1]], dim=1)


def joined(weight: Tensor, bias: Tensor) -> Tensor:
    """Put the bias beside the weight, as its last column."""
    return torch.cat([weight, bias[:, None]], dim=1)


MERGED_WRONG = (
    Wrong(
        "second bias forgotten",
        lambda A, a, B, b: joined(B @ A, B @ a),
        "The weight is right. The second layer also adds a bias of its own.",
    ),
    Wrong(
        "first bias forgotten",
        lambda A, a, B, b: joined(B @ A, b),
        "The weight is right. What happens to the first layer's bias on its way through the second?",
    ),
    Wrong(
        "biases only added",
        lambda A, a, B, b: joined(B @ A, a + b),
        "The weight is right. The first bias goes through the second layer before anything is added to it.",
    ),
    Wrong(
        "both biases multiplied",
        lambda A, a, B, b: joined(B @ A, B @ (a + b)),
        "The weight is right. The second bias is added at the very end: nothing multiplies it any more.",
    ),
    Wrong(
        "matrices in the wrong order",
        lambda A, a, B, b: joined(A @ B, B @ a + b),
        "The pixel meets A first, so A must stand next to it: on the right.",
    ),
    Wrong(
        "bias in the first column",
        lambda A, a, B, b: torch.cat([(B @ a + b)[:, None], B @ A], dim=1),
        "All numbers are right. The bias was to be the last column.",
    ),
    Wrong(
        "matrices added",
        lambda A, a, B, b: joined(A + B, B @ a + b),
        "One layer after another means to multiply the matrices, not to add them.",
    ),
    Wrong(
        "elementwise product",
        lambda A, a, B, b: joined(A * B, B @ a + b),
        "`*` multiplies entry by entry. What is wanted is the matrix product.",
    ),
)


# ---- 5: the larger of two channels ------------------------------------------------------------

PIXELS = torch.stack(torch.meshgrid(torch.arange(-3.0, 3), torch.arange(-2.5, 3), indexing="ij"))


def outputs(model: nn.Module, pixels: Tensor = PIXELS) -> Tensor:
    """Return what a network makes of an image with many pairs of numbers."""
    with torch.no_grad():
        made: Tensor = model.eval()(pixels[None])
    return made[0, 0]


def near(given: Tensor, expected: Tensor) -> Tensor:
    """Tell where numbers agree."""
    return (given - expected).abs() < 1e-3


def sees_neighbours(model: nn.Module, summary: Summary) -> str:
    """Say that a kernel is larger than one cell."""
    sizes = {layer.kernel_size for layer in model.modules() if isinstance(layer, nn.Conv2d)} - {(1, 1)}
    return f"a kernel has the size {min(sizes)}" if sizes else ""


def one_layer(model: nn.Module, summary: Summary) -> str:
    """Say that there are fewer than two convolutions."""
    found = sum(isinstance(layer, nn.Conv2d) for layer in model.modules())
    return f"two convolutions are asked for, and there are {found}" if found < 2 else ""


def is_linear(model: nn.Module, summary: Summary) -> str:
    """Say that the network does no more than a single layer could."""
    bias = outputs(model, torch.zeros_like(PIXELS))
    linear = near(outputs(model) + outputs(model, -PIXELS), 2 * bias).all()
    return "all it does could be done by one layer" if linear else ""


def smaller_one(model: nn.Module, summary: Summary) -> str:
    """Say that it gives the minimum."""
    return "it gives the smaller channel" if near(outputs(model), PIXELS.amin(0)).all() else ""


def difference(model: nn.Module, summary: Summary) -> str:
    """Say that it gives the distance, or only the positive part of the difference."""
    apart = PIXELS[0] - PIXELS[1]
    shapes = (apart.abs(), apart.clamp(min=0), (-apart).clamp(min=0))
    return "it gives a difference" if any(near(outputs(model), one).all() for one in shapes) else ""


def no_negatives(model: nn.Module, summary: Summary) -> str:
    """Say that it is right except where a channel is negative."""
    right, positive = near(outputs(model), PIXELS.amax(0)), PIXELS.amin(0) >= 0
    wrong = bool(right[positive].all() and not right.all())
    return "it is right where both channels are positive, but not everywhere else" if wrong else ""


def not_the_larger(model: nn.Module, summary: Summary) -> str:
    """Say at how many of the pixels it is right."""
    right = near(outputs(model), PIXELS.amax(0))
    return f"it is right at {int(right.sum())} of {right.numel()} pixels" if not right.all() else ""


RULES = (
    Rule(
        "sees neighbours", sees_neighbours, "Only 1×1 kernels: a pixel is compared with nothing but itself."
    ),
    Rule(
        "one layer only", one_layer, "A single layer gives weighted sums, and the larger one is no such sum."
    ),
    Rule("no ReLU", is_linear, "Two layers without a ReLU between them are one. Where does it belong?"),
    Rule(
        "smaller channel",
        smaller_one,
        "Look at the signs: when is something to be added to the first channel?",
    ),
    Rule(
        "difference only",
        difference,
        "That is by how much one channel exceeds the other. What must it be added to?",
    ),
    Rule(
        "right for positive numbers only",
        no_negatives,
        "The ReLU also cuts off a channel that is only to pass through. How can a negative number pass?",
    ),
    Rule(
        "not the larger channel",
        not_the_larger,
        "Nothing is trained here: set the weights, and the biases too. Try the pixel (0, 1) by hand.",
    ),
)
