"""What right and wrong answers to the exercises of *Channels* give, and the rules of its network."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.kinds import Rule, Wrong
from d2lconv.summary import Summary

# ---- 3: a whole layer ------------------------------------------------------------


def corr(X: Tensor, K: Tensor, b: Tensor | None = None) -> Tensor:
    """Apply PyTorch's layer to one image."""
    return F.conv2d(X[None], K, b)[0]


def apart(X: Tensor, K: Tensor, b: Tensor) -> Tensor:
    """Convolve each input channel with its slice of each kernel, without adding up."""
    parts = [F.conv2d(x[None, None], K[:, j : j + 1], b)[0] for j, x in enumerate(X)]
    return torch.stack(parts, dim=1)


LAYER_WRONG = (
    Wrong(
        "channels not summed",
        apart,
        "The input channels are still apart. Each output channel is the sum of their results.",
    ),
    Wrong(
        "mean over the channels",
        lambda X, K, b: corr(X, K) / len(X) + b[:, None, None],
        "The results of the input channels are added up, not averaged.",
    ),
    Wrong(
        "first channel only",
        lambda X, K, b: corr(X[:1], K[:, :1], b),
        "Only the first input channel counts. The others need their slices too.",
    ),
    Wrong(
        "first slice for all channels",
        lambda X, K, b: corr(X.sum(0, keepdim=True), K[:, :1], b),
        "All channels meet the first slice. Channel j meets slice j.",
    ),
    Wrong(
        "channels summed too early",
        lambda X, K, b: corr(X.sum(0, keepdim=True), K.sum(1, keepdim=True), b),
        "Every channel meets every slice. Convolve pair by pair first, and then add up.",
    ),
    Wrong(
        "kernel axes swapped",
        lambda X, K, b: corr(X, K.transpose(0, 1), b),
        "The first axis of K counts the output channels, the second the input channels.",
    ),
    Wrong("bias forgotten", lambda X, K, b: corr(X, K), "The sums are right. The bias is missing."),
    Wrong(
        "bias for each input channel",
        lambda X, K, b: corr(X, K, b * len(X)),
        "The bias is added once for each input channel. It comes after the sum, and only once.",
    ),
    Wrong(
        "bias along the columns",
        lambda X, K, b: corr(X, K) + b,
        "`+ b` lays the biases along the last axis, the columns. They belong to the first axis.",
    ),
    Wrong(
        "output channels added up",
        lambda X, K, b: corr(X, K, b).sum(0),
        "The outputs of the kernels are not added up: each is a channel of its own.",
    ),
)


# ---- 5: many channels for little ------------------------------------------------------------


def convolutions(model: nn.Module) -> list[nn.Conv2d]:
    """List a network's convolutions."""
    return [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]


def other_kernels(model: nn.Module, summary: Summary) -> str:
    """Say that kernels are not 3×3."""
    sizes = {layer.kernel_size for layer in convolutions(model)} - {(3, 3)}
    return f"a kernel has the size {min(sizes)}" if sizes else ""


def too_few(model: nn.Module, summary: Summary) -> str:
    """Say that there are fewer than three convolutions."""
    found = len(convolutions(model))
    return f"at least 3 convolutions are asked for, and there are {found}" if found < 3 else ""


def begins_otherwise(model: nn.Module, summary: Summary) -> str:
    """Say that the network does not begin with a convolution."""
    kind = summary.rows[0].kind
    return "" if kind == "Conv2d" else f"the first layer is of the kind {kind}"


def skips_pixels(model: nn.Module, summary: Summary) -> str:
    """Say that windows leave gaps."""
    sizes = [pair for one in convolutions(model) for pair in zip(one.stride, one.kernel_size, strict=True)]
    return "a layer's stride is larger than its kernel" if any(s > k for s, k in sizes) else ""


def keeps_apart(model: nn.Module, summary: Summary) -> str:
    """Say that a layer does not see all input channels."""
    return "a layer has groups" if any(layer.groups > 1 for layer in convolutions(model)) else ""


RULES = (
    Rule("too few convolutions", too_few, "One layer for edges, one for parts, one for larger parts."),
    Rule(
        "other kernels",
        other_kernels,
        "All kernels are to be 3×3. Which other factors of the cost can you change?",
    ),
    Rule("channels kept apart", keeps_apart, "Each kernel is to see all input channels: leave groups at 1."),
    Rule("pixels left out", skips_pixels, "Such a layer never looks at the pixels between its windows."),
    Rule(
        "shrunk before looking",
        begins_otherwise,
        "Begin with a convolution. What is made smaller first can no longer be looked at.",
    ),
)
