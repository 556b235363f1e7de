"""Exercises of the chapter *Depthwise separable convolution*."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.engine.dependence import dependence
from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Function,
    Misconception,
    Network,
    RandomInputs,
    Rule,
    Run,
    Value,
)

__all__ = ["EXERCISES"]


# ---- 1: a weight's shape ------------------------------------------------------------


SHAPE = Value(
    id="depthwise_separable.1",
    title="The weight of a grouped layer",
    level=1,
    right=lambda: nn.Conv2d(12, 24, (3, 5), groups=4).weight.shape,
    answer_description="four whole numbers",
    wrong=(
        Misconception(
            "groups ignored",
            (24, 12, 3, 5),
            "This is the weight of a full layer. How many input channels does one kernel see?",
        ),
        Misconception(
            "output channels divided too",
            (6, 3, 3, 5),
            "These are the kernels of one group. The weight holds those of all groups.",
        ),
        Misconception(
            "output channels divided instead",
            (6, 12, 3, 5),
            "No kernel gets lost: there is one for each output channel. But a kernel has fewer slices.",
        ),
        Misconception(
            "one input channel a kernel",
            (24, 1, 3, 5),
            "That would be a depthwise layer, with a group for each input channel. Here are 4 groups of 12.",
        ),
        Misconception(
            "number of groups as slices",
            (24, 4, 3, 5),
            "There are 4 groups. How many input channels are in each of them?",
        ),
        Misconception(
            "inputs before outputs",
            (3, 24, 3, 5),
            "The first axis of a weight counts the output channels.",
        ),
        Misconception(
            "inputs and outputs swapped",
            (12, 6, 3, 5),
            "That is the weight of a layer from 24 channels to 12. Output channels come first.",
        ),
        Misconception(
            "an axis for the groups",
            (4, 6, 3, 3, 5),
            "That is how to think of it, but PyTorch has no axis for the groups: all kernels lie behind each "
            "other.",
        ),
        Misconception("height and width swapped", (24, 3, 5, 3), "A kernel's height comes before its width."),
    ),
)


# ---- 2: what the ratio depends on ------------------------------------------------------------


SAVING = Choice(
    id="depthwise_separable.2",
    title="Where it saves most",
    level=1,
    right="c",
    because="the ratio is 1/256 + 1/9, about 0.115; with 5×5 kernels it is 1/256 + 1/25, about 0.044.",
    wrong={
        "a": "Both costs double with the input channels, so they cancel: the ratio stays as it is.",
        "b": "Only 1/c_o gets smaller, and it was small already: 1/512 + 1/9 is hardly below 1/256 + 1/9.",
        "d": "Both layers work at four times as many pixels. That cancels, and the ratio stays as it is.",
    },
)


# ---- 3: weights and MACs ------------------------------------------------------------


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
    Misconception(
        "depthwise counted as full",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_i, k), conv(c_i, c_o, 1), pixels=h * w),
        "In the depthwise layer you gave each output channel a slice for every input channel. How many does "
        "it see?",
    ),
    Misconception(
        "full convolution",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_o, k), pixels=h * w),
        "This is the cost of a full convolution, which filters in space and mixes channels in one step.",
    ),
    Misconception(
        "pointwise forgotten",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_i, k, groups=c_i), pixels=h * w),
        "This is the depthwise layer alone. Which layer mixes the channels?",
    ),
    Misconception(
        "depthwise forgotten",
        lambda c_i, c_o, k, h, w: counted(conv(c_i, c_o, 1), pixels=h * w),
        "This is the pointwise layer alone. Which layer filters in space?",
    ),
    Misconception(
        "depthwise with output channels",
        lambda c_i, c_o, k, h, w: (k * k * c_o + c_i * c_o, (k * k * c_o + c_i * c_o) * h * w),
        "The depthwise layer comes first. How many channels does it see, and how many maps does it give?",
    ),
    Misconception(
        "kernel's area forgotten",
        lambda c_i, c_o, k, h, w: (k * c_i + c_i * c_o, (k * c_i + c_i * c_o) * h * w),
        "A kernel of size k has k rows and k columns.",
    ),
    Misconception(
        "costs multiplied",
        lambda c_i, c_o, k, h, w: (k * k * c_i * c_i * c_o, k * k * c_i * c_i * c_o * h * w),
        "One layer comes after the other, so their costs are added up.",
    ),
    Misconception(
        "biases counted",
        lambda c_i, c_o, k, h, w: (
            k * k * c_i + c_i * c_o + c_o,
            (k * k * c_i + c_i * c_o) * h * w,
        ),
        "The MACs are right. The weights are asked for without biases.",
    ),
    Misconception(
        "pixels forgotten",
        lambda c_i, c_o, k, h, w: (k * k * c_i + c_i * c_o,) * 2,
        "The weights are right. How often does each of them take part in a multiplication?",
    ),
)


COST = Function(
    id="depthwise_separable.3",
    title="What a separable layer costs",
    level=2,
    kind="count",
    right=separable_cost,
    answer_description="a function that gives two whole numbers",
    cases=Cases(
        lambda draw, c_i, c_o, k, h, w: (c_i, c_o, k, h, w),
        c_i=range(1, 9),
        c_o=range(1, 9),
        k=range(1, 6),
        h=range(1, 9),
        w=range(1, 9),
        small=20,
        large=20,
    ),
    wrong=COST_WRONG,
)


# ---- 4: groups by hand ------------------------------------------------------------


def grouped_case(
    draw: RandomInputs, groups: int, c_in: int, c_out: int, h: int, k: int, wider: int
) -> tuple[Tensor, Tensor, int]:
    """Make an image and kernels; `c_in` and `c_out` count the channels of each group."""
    return draw(groups * c_in, h + k, k + wider + 1), draw(groups * c_out, c_in, k, k + wider), groups


def grouped(X: Tensor, weight: Tensor, groups: int) -> Tensor:
    """Convolve in groups with PyTorch."""
    return F.conv2d(X[None], weight, groups=groups)[0]


def interleaved(X: Tensor, groups: int) -> Tensor:
    """Take every `groups`-th channel together."""
    return torch.cat([X[group::groups] for group in range(groups)])


GROUPED_WRONG = (
    Misconception(
        "input channels taken in turn",
        lambda X, weight, groups: grouped(interleaved(X, groups), weight, groups),
        "The input channels are dealt out to the groups in turn. The channels of a group lie side by side.",
    ),
    Misconception(
        "output channels taken in turn",
        lambda X, weight, groups: torch.cat(
            [F.conv2d(part[None], weight[group::groups])[0] for group, part in enumerate(X.chunk(groups))]
        ),
        "The kernels are dealt out to the groups in turn. The kernels of a group lie side by side.",
    ),
    Misconception(
        "results of the groups added",
        lambda X, weight, groups: torch.stack(grouped(X, weight, groups).chunk(groups)).sum(0),
        "You added the results of the groups up. They are kept apart, side by side.",
    ),
    Misconception(
        "first group for all",
        lambda X, weight, groups: F.conv2d(X[None, : weight.shape[1]], weight)[0],
        "All kernels look at the first group of input channels. Each group has its own.",
    ),
    Misconception(
        "all kernels for each group",
        lambda X, weight, groups: torch.cat([F.conv2d(part[None], weight)[0] for part in X.chunk(groups)]),
        "Every group meets all kernels, so the output has too many channels. The kernels are divided too.",
    ),
    Misconception(
        "first group only",
        lambda X, weight, groups: grouped(X, weight, groups)[: len(weight) // groups],
        "This is the first group's result. Put those of the others after it.",
    ),
    Misconception(
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
    Misconception(
        "kernels flipped",
        lambda X, weight, groups: grouped(X, weight.flip(2, 3), groups),
        "The groups are right, but the kernels are flipped.",
    ),
)


GROUPED = Function(
    id="depthwise_separable.4",
    title="Groups by hand",
    level=2,
    right=grouped,
    forbidden=("groups",),
    cases=Cases(
        grouped_case,
        groups=range(1, 4),
        c_in=range(1, 4),
        c_out=range(1, 4),
        h=range(3),
        k=range(1, 4),
        wider=range(3),
        small=20,
        large=20,
    ),
    wrong=GROUPED_WRONG,
)


# ---- 5: one kernel for both steps ------------------------------------------------------------


def full_case(draw: RandomInputs, c_i: int, c_o: int, m: int, k: int) -> tuple[Tensor, Tensor, int]:
    """Make the weights of a depthwise layer with m kernels for each channel, and of a pointwise one."""
    return draw(m * c_i, 1, k, k + 1), draw(c_o, m * c_i, 1, 1), c_i


def by_impulses(depthwise: Tensor, pointwise: Tensor, c_i: int) -> Tensor:
    """Send an impulse through each channel: what comes out is the full kernel, flipped."""
    k_h, k_w = depthwise.shape[2:]
    X = torch.zeros(c_i, c_i, 2 * k_h - 1, 2 * k_w - 1)
    X[range(c_i), range(c_i), k_h - 1, k_w - 1] = 1
    return F.conv2d(F.conv2d(X, depthwise, groups=c_i), pointwise).flip(2, 3).transpose(0, 1)


def dealt_out(depthwise: Tensor, pointwise: Tensor, c_i: int) -> Tensor:
    """Take every c_i-th kernel for the same channel."""
    order = [place for channel in range(c_i) for place in range(channel, len(depthwise), c_i)]
    return by_impulses(depthwise[order], pointwise[:, order], c_i)


FULL_WRONG = (
    Misconception(
        "kernels of a channel in another order",
        dealt_out,
        "With several kernels for each channel, those of channel 0 come first, then all of channel 1.",
    ),
    Misconception(
        "first kernel of each channel only",
        lambda depthwise, pointwise, c_i: by_impulses(
            depthwise[:: len(depthwise) // c_i], pointwise[:, :: len(depthwise) // c_i], c_i
        ),
        "A channel may have several kernels. What does an output channel do with their results?",
    ),
    Misconception(
        "a slice for each map",
        lambda depthwise, pointwise, c_i: depthwise[:, 0] * pointwise,
        "There is a slice for each map in between. The full kernel has one for each input channel.",
    ),
    Misconception(
        "pointwise forgotten",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, torch.ones_like(pointwise), c_i),
        "The maps are added up without their factors. What does the pointwise layer multiply them by?",
    ),
    Misconception(
        "channels summed",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, pointwise, c_i).sum(1, keepdim=True),
        "The slices of the input channels are added up. In the weight they stay apart.",
    ),
    Misconception(
        "kernels flipped",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, pointwise, c_i).flip(2, 3),
        "The slices are right, but flipped. A layer lays its kernel on the image as it is.",
    ),
    Misconception(
        "inputs before outputs",
        lambda depthwise, pointwise, c_i: by_impulses(depthwise, pointwise, c_i).transpose(0, 1),
        "The first axis of a weight counts the output channels, the second one the inputs.",
    ),
)


FULL_KERNEL = Function(
    id="depthwise_separable.5",
    title="One kernel for both steps",
    level=3,
    right=by_impulses,
    cases=Cases(
        full_case,
        c_i=range(1, 4),
        c_o=range(1, 4),
        m=range(1, 4),
        k=range(1, 4),
        small=20,
        large=20,
    ),
    wrong=FULL_WRONG,
)


# ---- 6: a wide view for little ------------------------------------------------------------


NETWORK_SHAPE = (16, 12, 12)


AROUND = [(channel, row, column) for channel in range(16) for row in range(4, 9) for column in range(4, 9)]


def seen(model: nn.Module) -> Tensor:
    """Return which of the 5×5 cells around the middle each output depends on: (inputs, 25, outputs)."""
    return dependence(model, NETWORK_SHAPE, AROUND, (6, 6)).reshape(16, 25, -1)


def does_not_mix(model: nn.Module, done: Run) -> str:
    """Return the fault that an output channel is blind to some input channels."""
    fewest = int(seen(model).any(1).sum(0).min())
    return "" if fewest == 16 else f"an output channel sees {fewest} of the 16 input channels"


def does_not_look_around(model: nn.Module, done: Run) -> str:
    """Return the fault that an output cell sees less than 5×5 cells."""
    fewest = int(seen(model).sum(1).min())
    return "" if fewest == 25 else f"an output cell sees {fewest} of the 25 cells around its position"


NETWORK_RULES = (
    Rule(
        "channels not mixed",
        does_not_mix,
        "Groups know nothing of each other. What brings all channels together again, at one position?",
    ),
    Rule(
        "sees no neighbours",
        does_not_look_around,
        "A 1×1 layer sees no neighbours. Some layer must see 5×5 cells, or several must add up to that.",
    ),
)


BUDGET = Network(
    id="depthwise_separable.6",
    title="A wide view for few weights",
    level=3,
    input_shape=NETWORK_SHAPE,
    output_shape=(32, 12, 12),
    max_params=1_000,
    rules=NETWORK_RULES,
)


# ---- 7: kernels of rank 1 ------------------------------------------------------------


def kernel_of_rank(draw: RandomInputs, h: int, w: int, rank: int) -> tuple[Tensor] | None:
    """Make a kernel that is a sum of products of a column and a row."""
    return (draw(h, rank) @ draw(rank, w) / 4,) if rank <= min(h, w) else None


RANK = Function(
    id="depthwise_separable.7",
    title="Which kernels split into a column and a row",
    level=3,
    kind="operator",
    answer_description="a function",
    right=lambda K: float(torch.linalg.matrix_rank(K.double()) <= 1),
    cases=Cases(kernel_of_rank, rank=(1, 0, 2, 3), h=range(1, 5), w=range(1, 5), small=25, large=15),
    wrong=(
        Misconception(
            "always", lambda K: 1.0, "Try [[1, 0], [0, 1]]: is there a column and a row that multiply to it?"
        ),
        Misconception("never", lambda K: 0.0, "Try [[2, 4], [1, 2]]: each row is a multiple of one row."),
        Misconception(
            "full rank",
            lambda K: float(torch.linalg.matrix_rank(K.double()) == min(K.shape)),
            "A product of a column and a row has rank 1, or 0.",
        ),
        Misconception(
            "zero kernel left out",
            lambda K: float(torch.linalg.matrix_rank(K.double()) == 1),
            "A kernel of zeros splits, too.",
        ),
        Misconception(
            "only rows or columns that are equal",
            lambda K: float(bool((K[:1] == K).all()) or bool((K[:, :1] == K).all())),
            "The rows need not be equal: each is a *multiple* of one row.",
        ),
        Misconception(
            "square and symmetric",
            lambda K: float(K.shape == K.T.shape and bool((K == K.T).all())),
            "Symmetry is not needed, and not enough.",
        ),
    ),
)


EXERCISES = (SHAPE, SAVING, COST, GROUPED, FULL_KERNEL, BUDGET, RANK)
