"""Exercises of the chapter *Channels*."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Function,
    Misconception,
    Network,
    RandomInputs,
    Rule,
    Run,
    Setting,
    Value,
    tensor_of_shape,
)

__all__ = ["EXERCISES"]


# ---- 1: what a layer has, and what it costs ------------------------------------------------------------


MACS = 1_228_800


def cost_of_layer() -> tuple[int, int, int]:
    """Count with PyTorch's shapes: each weight is used once for each cell of an output channel."""
    layer = nn.Conv2d(3, 16, kernel_size=5, padding=2, device="meta")
    cells = layer(torch.empty(1, 3, 32, 32, device="meta"))[0, 0].numel()
    assert layer.bias is not None
    return layer.weight.numel(), layer.bias.numel(), layer.weight.numel() * cells


COST = Value(
    id="channels.1",
    title="What a layer costs",
    level=1,
    kind="count",
    right=cost_of_layer,
    parts=("weights", "biases", "MACs"),
    answer_description="three whole numbers, (weights, biases, MACs)",
    wrong=(
        Misconception(
            "one slice for all channels",
            (400, 16, 400 * 32 * 32),
            "A kernel has a slice of its own for each input channel.",
        ),
        Misconception(
            "one kernel only",
            (75, 1, 75 * 32 * 32),
            "That is one kernel. The layer has one for each output channel.",
        ),
        Misconception(
            "kernel not square",
            (240, 16, 240 * 32 * 32),
            "`kernel_size=5` means five rows and five columns.",
        ),
        Misconception(
            "bias for each pixel",
            (1200, 16 * 32 * 32, MACS),
            "All pixels of an output channel share one bias.",
        ),
        Misconception(
            "bias for each slice",
            (1200, 48, MACS),
            "The bias is added after the sum over the input channels, once for each output channel.",
        ),
        Misconception(
            "output size forgotten",
            (1200, 16, 1200),
            "Each weight is used many times: once for every cell of its output channel.",
        ),
        Misconception(
            "one row of the output",
            (1200, 16, 1200 * 32),
            "The output has 32 rows and 32 columns, and each weight is used at all of its cells.",
        ),
        Misconception(
            "padding forgotten",
            (1200, 16, 1200 * 28 * 28),
            "With padding the output is larger than 28×28.",
        ),
        Misconception(
            "FLOPs instead of MACs",
            (1200, 16, 2 * MACS),
            "You counted multiplications and additions. A MAC is one of each.",
        ),
        Misconception(
            "bias counted in the MACs",
            (1200, 16, MACS + 16 * 32 * 32),
            "Weights and biases are right. By our convention the bias is left out of the MACs.",
        ),
        Misconception(
            "biases among the weights",
            (1216, 16, MACS),
            "You added the 16 biases to the weights. They are counted by themselves, in the second number.",
        ),
        Misconception(
            "biases among the weights and MACs",
            (1216, 16, 1216 * 32 * 32),
            "You added the 16 biases to the weights. They are counted apart, and left out of the MACs.",
        ),
        Misconception(
            "one bias",
            (1200, 1, MACS),
            "That is the bias of one kernel. There is one for each output channel.",
        ),
        Misconception(
            "bias for each input channel",
            (1200, 3, MACS),
            "You counted a bias for each input channel. There is one for each output channel.",
        ),
        Misconception(
            "output channels forgotten, MACs too",
            (75, 16, 75 * 32 * 32),
            "These are the 75 weights of a single kernel. The layer has a kernel for each output channel.",
        ),
        Misconception(
            "output channels forgotten, biases too",
            (75, 3, 75 * 32 * 32),
            "These are the 75 weights of a single kernel. The layer has a kernel for each output channel.",
        ),
        Misconception(
            "output channels forgotten, in the weights",
            (75, 16, MACS),
            "These are the 75 weights of a single kernel. The layer has a kernel for each output channel.",
        ),
    ),
)


# ---- 2: a kernel of equal slices ------------------------------------------------------------


EQUAL_SLICES = Choice(
    id="channels.2",
    title="What equal slices cannot see",
    level=1,
    right="b",
    because="equal slices see nothing but the sum of the channels, and that is the same on both sides.",
    wrong={
        "a": "There the sum of the channels changes, and the kernel responds to that.",
        "c": "No channel is left out: each meets its slice, and all slices are the same.",
        "d": "Each channel does meet a slice of its own. But what happens to the three results?",
    },
)


# ---- 3: a whole layer ------------------------------------------------------------


def image_kernels_biases(
    draw: RandomInputs, c_i: int, c_o: int, h: int, w: int, k_h: int, k_w: int
) -> tuple[Tensor, Tensor, Tensor] | None:
    """Make an image, kernels that fit into it, and biases."""
    return (draw(c_i, h, w), draw(c_o, c_i, k_h, k_w), draw(c_o)) if k_h <= h and k_w <= w else None


def corr(X: Tensor, K: Tensor, b: Tensor | None = None) -> Tensor:
    """Apply PyTorch's layer to one image."""
    return F.conv2d(X[None], K, b)[0]


def apart(X: Tensor, K: Tensor, b: Tensor) -> Tensor:
    """Convolve each input channel with its slice of each kernel, without adding up."""
    parts = [F.conv2d(x[None, None], K[:, j : j + 1], b)[0] for j, x in enumerate(X)]
    return torch.stack(parts, dim=1)


LAYER_WRONG = (
    Misconception(
        "channels not summed",
        apart,
        "The input channels are still apart. Each output channel is the sum of their results.",
    ),
    Misconception(
        "mean over the channels",
        lambda X, K, b: corr(X, K) / len(X) + b[:, None, None],
        "The results of the input channels are added up, not averaged.",
    ),
    Misconception(
        "first channel only",
        lambda X, K, b: corr(X[:1], K[:, :1], b),
        "Only the first input channel counts. The others need their slices too.",
    ),
    Misconception(
        "first slice for all channels",
        lambda X, K, b: corr(X.sum(0, keepdim=True), K[:, :1], b),
        "All channels meet the first slice. Channel j meets slice j.",
    ),
    Misconception(
        "channels summed too early",
        lambda X, K, b: corr(X.sum(0, keepdim=True), K.sum(1, keepdim=True), b),
        "Every channel meets every slice. Convolve pair by pair first, and then add up.",
    ),
    Misconception(
        "kernel axes swapped",
        lambda X, K, b: corr(X, K.transpose(0, 1), b),
        "The first axis of K counts the output channels, the second the input channels.",
    ),
    Misconception("bias forgotten", lambda X, K, b: corr(X, K), "The sums are right. The bias is missing."),
    Misconception(
        "bias for each input channel",
        lambda X, K, b: corr(X, K, b * len(X)),
        "The bias is added once for each input channel. It comes after the sum, and only once.",
    ),
    Misconception(
        "bias along the columns",
        lambda X, K, b: corr(X, K) + b,
        "`+ b` lays the biases along the last axis, the columns. They belong to the first axis.",
    ),
    Misconception(
        "bias along the height",
        lambda X, K, b: corr(X, K) + b[:, None],
        "`b[:, None]` lays the biases along the height. They belong to the first axis, so two axes follow.",
    ),
    Misconception(
        "last channel only",
        lambda X, K, b: corr(X[-1:], K[:, -1:], b),
        "Only the last input channel is left. Add each channel's result to those before: `+=`, not `=`.",
    ),
    Misconception(
        "kernels flipped",
        lambda X, K, b: corr(X, K.flip(2, 3), b),
        "The kernels are flipped. A layer lays them on as they are: that is cross-correlation.",
    ),
    Misconception(
        "output channels added up",
        lambda X, K, b: corr(X, K, b).sum(0),
        "The outputs of the kernels are not added up: each is a channel of its own.",
    ),
)


LAYER = Function(
    id="channels.3",
    title="A whole layer",
    level=2,
    right=corr,
    forbidden=("conv1d", "conv2d", "conv3d", "conv_transpose2d", "corr2d_multi_in_out", "convolve2d"),
    cases=Cases(
        image_kernels_biases,
        c_i=range(1, 4),
        c_o=range(1, 4),
        h=range(1, 5),
        w=range(1, 5),
        k_h=range(1, 4),
        k_w=range(1, 4),
        small=25,
        large=25,
    ),
    wrong=LAYER_WRONG,
)


# ---- 4: an edge of colour ------------------------------------------------------------


def side_by_side(left: tuple[float, ...], right: tuple[float, ...]) -> Tensor:
    """Paint the left and the right half of an image with a colour each."""
    halves = [torch.tensor(colour)[:, None, None].expand(3, 6, 3) for colour in (left, right)]
    return torch.cat(halves, dim=2)


RED, BLUE, DARK, BRIGHT = (1.0, 0.0, 0.0), (0.0, 0.0, 1.0), (0.25,) * 3, (1.0,) * 3


PICTURES = {
    "all dark grey": side_by_side(DARK, DARK),
    "all red": side_by_side(RED, RED),
    "all blue": side_by_side(BLUE, BLUE),
    "red beside blue": side_by_side(RED, BLUE),
    "blue beside red": side_by_side(BLUE, RED),
    "dark grey beside white": side_by_side(DARK, BRIGHT),
    "white beside dark grey": side_by_side(BRIGHT, DARK),
    "dark grey above white": side_by_side(DARK, BRIGHT).transpose(1, 2),
    "red above blue": side_by_side(RED, BLUE).transpose(1, 2),
    "blue above red": side_by_side(BLUE, RED).transpose(1, 2),
}


def responds(kernel: Tensor, picture: str) -> int:
    """Return 1 if a kernel gives anything but zeros on a picture, else 0."""
    return int(F.conv2d(PICTURES[picture][None], kernel[None]).abs().max() > 1e-4)


def kernel_like(mix: tuple[float, ...], slice_: Tensor) -> Callable[[str], int]:
    """Make a function that says how a kernel responds whose slices are multiples of one slice."""
    return lambda picture: responds(torch.tensor(mix)[:, None, None] * slice_, picture)


EDGE = torch.tensor([[1.0, 0.0, -1.0]]).expand(3, 3)


COLOUR_EDGE = Setting(
    id="channels.4",
    title="An edge of colour",
    level=2,
    answer_description="a kernel of 3×3×3 numbers, as a tensor or nested lists",
    read=tensor_of_shape(3, 3, 3),
    use=responds,
    right=lambda picture: int(picture in ("red beside blue", "blue beside red")),
    cases=Cases(lambda draw, picture: (picture,), picture=tuple(PICTURES)),
    wrong=(
        Misconception(
            "same edge in every slice",
            kernel_like((1, 1, 1), EDGE),
            "Equal slices see only the sum of the channels, and it is the same for red and blue.",
        ),
        Misconception(
            "channels do not cancel",
            kernel_like((1, 0, 0), EDGE),
            "It also responds to grey pictures. There all channels are equal: when do their results cancel?",
        ),
        Misconception(
            "colour without an edge",
            kernel_like((1, 0, -1), torch.ones(3, 3)),
            "It finds colour wherever there is any. An edge is a difference between left and right.",
        ),
        Misconception(
            "horizontal edge",
            kernel_like((1, 0, -1), EDGE.T),
            "It responds where colours lie above each other. A vertical edge has them side by side.",
        ),
        Misconception(
            "edges in every direction",
            kernel_like((1, 0, -1), torch.tensor([[0.0, 1, 0], [1, -4, 1], [0, 1, 0]])),
            "It finds edges of colour, but horizontal ones too.",
        ),
        Misconception(
            "responds to nothing", lambda picture: 0, "It responds to no picture. Do all numbers cancel?"
        ),
        Misconception(
            "responds to everything",
            lambda picture: 1,
            "It responds to all pictures. Where nothing changes, an edge detector gives 0.",
        ),
    ),
)


# ---- 5: many channels for little ------------------------------------------------------------


def other_kernels(model: nn.Module, done: Run) -> str:
    """Return the fault that kernels are not 3×3."""
    sizes = {step.kernel_size for step in done.steps("Conv2d")} - {(3, 3)}
    return f"a kernel has the size {min(map(str, sizes))}" if sizes else ""


def too_few(model: nn.Module, done: Run) -> str:
    """Return the fault that there are fewer than three convolutions."""
    found = len(done.steps("Conv2d"))
    return f"at least 3 convolutions are asked for, and there are {found}" if found < 3 else ""


def begins_otherwise(model: nn.Module, done: Run) -> str:
    """Return the fault that the maps are made smaller before the first convolution."""
    before = done.rows[: next(n for n, step in enumerate(done.rows) if step.kind == "Conv2d")]
    smaller = [step.kind for step in before if step.output_shape[-2:] != (32, 32)]
    return f"the first layer is of the kind {smaller[0]}" if smaller else ""


def skips_pixels(model: nn.Module, done: Run) -> str:
    """Return the fault that windows leave gaps."""
    for step in done.rows:
        if step.kernel_size and step.stride and any(map(int.__gt__, step.stride, step.kernel_size)):
            return "a layer's stride is larger than its kernel"
    return ""


def keeps_apart(model: nn.Module, done: Run) -> str:
    """Return the fault that a layer does not see all input channels."""
    return "a layer has groups" if any(step.groups > 1 for step in done.rows) else ""


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


MANY_CHANNELS = Network(
    id="channels.5",
    title="Sixty-four channels for two million MACs",
    level=3,
    input_shape=(3, 32, 32),
    output_shape=(64, 8, 8),
    max_macs=2_000_000,
    rules=RULES,
)


EXERCISES = (COST, EQUAL_SLICES, LAYER, COLOUR_EDGE, MANY_CHANNELS)
