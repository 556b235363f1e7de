"""Oracles, cases and misconceptions of the exercises of *Depthwise separable convolution*."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises._measured import dependence
from d2lconv.exercises.kinds import Draw, Rule, Wrong
from d2lconv.summary import Summary

# ---- what a layer costs ------------------------------------------------------------


def counted(*layers: nn.Conv2d, pixels: int) -> tuple[int, int]:
    """Count the weights of layers without biases, and one MAC for each weight and pixel of the output."""
    weights = sum(layer.weight.numel() for layer in layers)
    return weights, weights * pixels


def conv(c_i: int, c_o: int, k: int, groups: int = 1) -> nn.Conv2d:
    """Make a layer without a bias."""
    return nn.Conv2d(c_i, c_o, k, groups=groups, bias=False)


def separable_cost(c_i: int, c_o: int, k: int, h: int, w: int) -> tuple[int, int]:
    """Count weights and MACs of the two layers as PyTorch builds them."""
    return counted(conv(c_i, c_i, k, groups=c_i), conv(c_i, c_o, 1), pixels=h * w)


COST_WRONG = (
    Wrong(
        "depthwise counted as full",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_i, k), conv(c_i, c_o, 1), pixels=h * w),
        "In the depthwise layer you gave each output channel a slice for every input channel. How many does "
        "it see?",
    ),
    Wrong(
        "full convolution",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_o, k), pixels=h * w),
        "This is the cost of a full convolution, which looks around and mixes in one step.",
    ),
    Wrong(
        "pointwise forgotten",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_i, k, groups=c_i), pixels=h * w),
        "This is the depthwise layer alone. Which layer mixes the channels?",
    ),
    Wrong(
        "depthwise forgotten",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_o, 1), pixels=h * w),
        "This is the pointwise layer alone. Which layer looks around?",
    ),
    Wrong(
        "depthwise with output channels",
        lambda c_i, c_o, k, h, w: (k * k * c_o + c_i * c_o, (k * k * c_o + c_i * c_o) * h * w),
        "The depthwise layer comes first. How many channels does it see, and how many maps does it give?",
    ),
    Wrong(
        "kernel's area forgotten",
        lambda c_i, c_o, k, h, w: (k * c_i + c_i * c_o, (k * c_i + c_i * c_o) * h * w),
        "A kernel of size k has k rows and k columns.",
    ),
    Wrong(
        "costs multiplied",
        lambda c_i, c_o, k, h, w: (k * k * c_i * c_i * c_o, k * k * c_i * c_i * c_o * h * w),
        "One layer comes after the other, so their costs are added up.",
    ),
    Wrong(
        "biases counted",
        lambda c_i, c_o, k, h, w: (
            k * k * c_i + c_i * c_o + c_o,
            (k * k * c_i + c_i * c_o) * h * w,
        ),
        "The MACs are right. The weights are asked for without biases.",
    ),
    Wrong(
        "pixels forgotten",
        lambda c_i, c_o, k, h, w: (k * k * c_i + c_i * c_o,) * 2,
        "The weights are right. How often does each of them take part in a multiplication?",
    ),
)


# ---- groups ------------------------------------------------------------


def grouped_case(
    draw: Draw, groups: int, c_in: int, c_out: int, h: int, k: int
) -> tuple[Tensor, Tensor, int]:
    """Make an image and kernels; `c_in` and `c_out` count the channels of each group."""
    return draw(groups * c_in, h + k, k + 1), draw(groups * c_out, c_in, k, k), groups


def grouped(X: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Convolve in groups with PyTorch."""
    return F.conv2d(X[None], weight, groups=groups)[0]


def interleaved(X: Tensor, groups: int) -> Tensor:
    """Take every `groups`-th channel together."""
    return torch.cat([X[group::groups] for group in range(groups)])


GROUPED_WRONG = (
    Wrong(
        "input channels taken in turn",
        lambda X, weight, groups: grouped(interleaved(X, groups), weight, groups),
        "The input channels are dealt out to the groups in turn. The channels of a group lie side by side.",
    ),
    Wrong(
        "output channels taken in turn",
        lambda X, weight, groups: torch.cat(
            [F.conv2d(part[None], weight[group::groups])[0] for group, part in enumerate(X.chunk(groups))]
        ),
        "Each group of inputs meets every so many-th kernel. The kernels of a group lie side by side.",
    ),
    Wrong(
        "results of the groups added",
        lambda X, weight, groups: torch.stack(grouped(X, weight, groups).chunk(groups)).sum(0),
        "You added the results of the groups up. They are kept apart, side by side.",
    ),
    Wrong(
        "first group for all",
        lambda X, weight, groups: F.conv2d(X[None, : weight.shape[1]], weight)[0],
        "All kernels look at the first group of input channels. Each group has its own.",
    ),
    Wrong(
        "all kernels for each group",
        lambda X, weight, groups: torch.cat([F.conv2d(part[None], weight)[0] for part in X.chunk(groups)]),
        "Every group meets all kernels, so the output has too many channels. The kernels are divided too.",
    ),
    Wrong(
        "first group only",
        lambda X, weight, groups: grouped(X, weight, groups)[: len(weight) // groups],
        "This is the first group's result. Put those of the others after it.",
    ),
    Wrong(
        "channels of a group not summed",
        lambda X, weight, groups: torch.cat(
            [
                F.conv2d(X[None, [channel]], weight[row, place][None, None])[0]
                for row in range(len(weight))
                for place in range(weight.shape[1])
                for channel in [row // (len(weight) // groups) * weight.shape[1] + place]
            ]
        ),
        "Within a group the results of its input channels are added up, as in any convolution.",
    ),
    Wrong(
        "kernels turned around",
        lambda X, weight, groups: grouped(X, weight.flip(2, 3), groups),
        "The groups are right, but the kernels are turned around.",
    ),
)


# ---- the equal full convolution ------------------------------------------------------------


def full_case(draw: Draw, c_i: int, c_o: int, m: int, k: int) -> tuple[Tensor, Tensor, int]:
    """Make the weights of a depthwise layer with m kernels for each channel, and of a pointwise one."""
    return draw(m * c_i, 1, k, k + 1), draw(c_o, m * c_i, 1, 1), c_i


def by_impulses(depthwise: Tensor, pointwise: Tensor, c_i: int) -> Tensor:
    """Send an impulse through each channel: what comes out is the full kernel, turned around."""
    k_h, k_w = depthwise.shape[2:]
    X = torch.zeros(c_i, c_i, 2 * k_h - 1, 2 * k_w - 1)
    X[range(c_i), range(c_i), k_h - 1, k_w - 1] = 1
    return F.conv2d(F.conv2d(X, depthwise, groups=c_i), pointwise).flip(2, 3).transpose(0, 1)


def dealt_out(depthwise: Tensor, pointwise: Tensor, c_i: int) -> Tensor:
    """Take every c_i-th kernel for the same channel."""
    order = [place for channel in range(c_i) for place in range(channel, len(depthwise), c_i)]
    return by_impulses(depthwise[order], pointwise[:, order], c_i)


FULL_WRONG = (
    Wrong(
        "kernels of a channel in another order",
        dealt_out,
        "With several kernels for each channel, those of channel 0 come first, then all of channel 1.",
    ),
    Wrong(
        "first kernel of each channel only",
        lambda depthwise, pointwise, c_i: by_impulses(
            depthwise[:: len(depthwise) // c_i], pointwise[:, :: len(depthwise) // c_i], c_i
        ),
        "A channel may have several kernels. What does an output channel do with their results?",
    ),
    Wrong(
        "a slice for each map",
        lambda depthwise, pointwise, c_i: depthwise[:, 0] * pointwise,
        "There is a slice for each map in between. The full kernel has one for each input channel.",
    ),
    Wrong(
        "pointwise forgotten",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, torch.ones_like(pointwise), c_i),
        "The maps are added up without their factors. What does the pointwise layer multiply them by?",
    ),
    Wrong(
        "channels summed",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, pointwise, c_i).sum(1, keepdim=True),
        "The slices of the input channels are added up. In the weight they stay apart.",
    ),
    Wrong(
        "kernels turned around",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, pointwise, c_i).flip(2, 3),
        "The slices are right, but turned around. A layer lays its kernel on the image as it is.",
    ),
    Wrong(
        "inputs before outputs",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, pointwise, c_i).transpose(0, 1),
        "The first axis of a weight counts the output channels, the second one the inputs.",
    ),
)


# ---- a network that is measured ------------------------------------------------------------

NETWORK_SHAPE = (16, 12, 12)
AROUND = [(channel, row, column) for channel in range(16) for row in range(4, 9) for column in range(4, 9)]


def seen(model: nn.Module) -> Tensor:
    """Tell which of the 5×5 cells around the middle each output channel depends on: (inputs, 25, outputs)."""
    return dependence(model, NETWORK_SHAPE, AROUND, (6, 6)).reshape(16, 25, -1)


def does_not_mix(model: nn.Module, summary: Summary) -> str:
    """Say that an output channel is blind to some input channels."""
    fewest = int(seen(model).any(1).sum(0).min())
    return "" if fewest == 16 else f"an output channel sees {fewest} of the 16 input channels"


def does_not_look_around(model: nn.Module, summary: Summary) -> str:
    """Say that an output cell sees less than 5×5 cells."""
    fewest = int(seen(model).sum(1).min())
    return "" if fewest == 25 else f"an output cell sees {fewest} of the 25 cells around its place"


NETWORK_RULES = (
    Rule(
        "channels not mixed",
        does_not_mix,
        "Groups know nothing of each other. What brings all channels together again, without looking around?",
    ),
    Rule(
        "does not look around",
        does_not_look_around,
        "A 1×1 layer sees no neighbours. Some layer must see 5×5 cells, or several must add up to that.",
    ),
)
