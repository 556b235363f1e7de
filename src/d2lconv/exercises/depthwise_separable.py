"""Exercises of the chapter *Depthwise separable convolution*."""

from __future__ import annotations

from torch import nn

from d2lconv.exercises._depthwise_separable import (
    COST_WRONG,
    FULL_WRONG,
    GROUPED_WRONG,
    NETWORK_RULES,
    NETWORK_SHAPE,
    by_impulses,
    full_case,
    grouped,
    grouped_case,
    separable_cost,
)
from d2lconv.exercises.kinds import Cases, Choice, Function, Network, Value, Wrong

__all__ = ["EXERCISES"]

# ---- 1: a weight's shape ------------------------------------------------------------

SHAPE = Value(
    id="depthwise_separable.1",
    title="The weight of a grouped layer",
    level=1,
    right=lambda: nn.Conv2d(12, 24, (3, 5), groups=4).weight.shape,
    wants="four whole numbers",
    wrong=(
        Wrong(
            "groups ignored",
            (24, 12, 3, 5),
            "This is the weight of a full layer. How many input channels does one kernel see?",
        ),
        Wrong(
            "output channels divided too",
            (6, 3, 3, 5),
            "These are the kernels of one group. The weight holds those of all groups.",
        ),
        Wrong(
            "output channels divided instead",
            (6, 12, 3, 5),
            "No kernel gets lost: there is one for each output channel. But a kernel has fewer slices.",
        ),
        Wrong(
            "one input channel a kernel",
            (24, 1, 3, 5),
            "That would be a depthwise layer, with a group for each input channel. Here are 4 groups of 12.",
        ),
        Wrong(
            "number of groups as slices",
            (24, 4, 3, 5),
            "There are 4 groups. How many input channels are in each of them?",
        ),
        Wrong(
            "inputs before outputs",
            (3, 24, 3, 5),
            "The first axis of a weight counts the output channels.",
        ),
        Wrong(
            "an axis for the groups",
            (4, 6, 3, 3, 5),
            "That is how to think of it, but PyTorch has no axis for the groups: all kernels lie behind each "
            "other.",
        ),
        Wrong("height and width swapped", (24, 3, 5, 3), "A kernel's height comes before its width."),
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

COST = Function(
    id="depthwise_separable.3",
    title="What a separable layer costs",
    level=2,
    kind="count",
    right=separable_cost,
    wants="a function that gives two whole numbers",
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

GROUPED = Function(
    id="depthwise_separable.4",
    title="Groups by hand",
    level=2,
    right=grouped,
    cases=Cases(
        grouped_case,
        groups=range(1, 4),
        c_in=range(1, 4),
        c_out=range(1, 4),
        h=range(3),
        k=range(1, 4),
        small=20,
        large=20,
    ),
    wrong=GROUPED_WRONG,
)


# ---- 5: one kernel for both steps ------------------------------------------------------------

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

BUDGET = Network(
    id="depthwise_separable.6",
    title="A wide view for few weights",
    level=3,
    input_shape=NETWORK_SHAPE,
    output_shape=(32, 12, 12),
    max_params=1_000,
    rules=NETWORK_RULES,
)

EXERCISES = (SHAPE, SAVING, COST, GROUPED, FULL_KERNEL, BUDGET)
