"""Exercises of the chapter *1×1 convolution*."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises._one_by_one import MERGED_WRONG, RULES, merged
from d2lconv.exercises.kinds import (
    Cases,
    Debug,
    Draw,
    Function,
    Network,
    Setting,
    Value,
    Wrong,
    tensor_of_shape,
)

__all__ = ["EXERCISES"]


def mix(X: Tensor, K: Tensor) -> Tensor:
    """Apply a 1×1 convolution, given as a matrix, with PyTorch's convolution."""
    return F.conv2d(X, K[:, :, None, None])


# ---- 1: a matrix that turns colours ------------------------------------------------------------


def by_matrix(*rows: tuple[float, ...]) -> Callable[[Tensor], Tensor]:
    """Make a function that mixes the channels of an image with a matrix."""
    return lambda X: mix(X[None], torch.tensor(rows, dtype=X.dtype))[0]


COLOURS = Setting(
    id="one_by_one.1",
    title="Turn the colours",
    level=1,
    wants="a matrix of 3×3 numbers",
    read=tensor_of_shape(3, 3),
    use=lambda matrix, X: mix(X[None], matrix)[0],
    right=lambda X: X.roll(1, 0),
    cases=Cases(lambda draw, h, w: (draw(3, h, w, low=0),), h=range(1, 4), w=range(1, 5), small=6, large=4),
    wrong=(
        Wrong(
            "matrix transposed",
            by_matrix((0, 1, 0), (0, 0, 1), (1, 0, 0)),
            "The colours turn the other way round. A row belongs to an output, a column to an input.",
        ),
        Wrong("nothing changed", lambda X: X, "Each output is the input of the same colour."),
        Wrong(
            "red and blue exchanged",
            lambda X: X.flip(0),
            "Two colours are exchanged and the third stays. All three are to change.",
        ),
        Wrong(
            "red and green exchanged",
            lambda X: X[[1, 0, 2]],
            "Red is now green, but green is red. Where is it to go?",
        ),
        Wrong(
            "sum of all channels",
            lambda X: X.sum(0, keepdim=True).expand_as(X),
            "Each output is a mixture of all three inputs. It should be one of them, unchanged.",
        ),
        Wrong(
            "rows with two ones",
            lambda X: X + X.roll(1, 0),
            "The right colour is there, but the old one stays with it.",
        ),
    ),
)


# ---- 2: a reduction before a large kernel ------------------------------------------------------------

DIRECT, REDUCE, AFTER = 5 * 5 * 480 * 48 * 196, 480 * 16 * 196, 5 * 5 * 16 * 48 * 196


def cost(*layers: nn.Conv2d) -> int:
    """Count multiply-adds: each weight is used once for each pixel of the output."""
    X, total = torch.empty(1, 480, 14, 14, device="meta"), 0
    for layer in layers:
        X = layer.to("meta")(X)
        total += layer.weight.numel() * X[0, 0].numel()
    return total


REDUCTION = Value(
    id="one_by_one.2",
    title="A reduction before a large kernel",
    level=2,
    kind="count",
    right=lambda: (
        cost(nn.Conv2d(480, 48, 5, padding=2, device="meta")),
        cost(nn.Conv2d(480, 16, 1, device="meta"), nn.Conv2d(16, 48, 5, padding=2, device="meta")),
    ),
    parts=("MACs of the direct way", "MACs through 16 channels"),
    wants="two whole numbers, (direct, reduced)",
    wrong=(
        Wrong("two ways swapped", (REDUCE + AFTER, DIRECT), "The direct way comes first."),
        Wrong(
            "output size forgotten",
            (DIRECT // 196, (REDUCE + AFTER) // 196),
            "These are the weights. Each is used once for every pixel of the output.",
        ),
        Wrong(
            "one row of the output",
            (DIRECT // 14, (REDUCE + AFTER) // 14),
            "There are 14 rows and 14 columns of pixels.",
        ),
        Wrong(
            "reduction for free",
            (DIRECT, AFTER),
            "The direct way is right. Does the reduction itself cost nothing?",
        ),
        Wrong(
            "channels not reduced",
            (DIRECT, REDUCE + DIRECT),
            "How many channels does the 5×5 kernel still see after the reduction?",
        ),
        Wrong(
            "reduction with 5×5",
            (DIRECT, 25 * REDUCE + AFTER),
            "The reduction has kernels of a single cell.",
        ),
        Wrong(
            "channels kept apart",
            (DIRECT // 480, (REDUCE // 480 + AFTER // 16)),
            "Each output channel looks at all input channels: they are a factor, too.",
        ),
        Wrong(
            "one row of the kernel",
            (DIRECT // 5, REDUCE + AFTER // 5),
            "A 5×5 kernel has 25 weights for each pair of channels.",
        ),
        Wrong(
            "bias counted",
            (DIRECT + 48 * 196, REDUCE + AFTER + (16 + 48) * 196),
            "By our convention the bias is left out of the MACs.",
        ),
        Wrong(
            "FLOPs instead of MACs",
            (2 * DIRECT, 2 * (REDUCE + AFTER)),
            "One MAC is a multiplication and an addition together.",
        ),
    ),
)


# ---- 3: axes dealt out anew ------------------------------------------------------------


def dealt_out(X: Tensor, K: Tensor) -> Tensor:
    """Mix channels with the fault of the notebook: `reshape` in place of moving axes."""
    n, c_i, h, w = X.shape
    return (X.reshape(n * h * w, c_i) @ K.T).reshape(n, len(K), h, w)


def images_and_matrix(draw: Draw, n: int, c_i: int, c_o: int, h: int, w: int) -> tuple[Tensor, Tensor]:
    """Make a batch of images and a matrix."""
    return draw(n, c_i, h, w), draw(c_o, c_i)


PIXELS = Debug(
    id="one_by_one.3",
    title="The right shape, the wrong pixels",
    level=2,
    right=mix,
    given=dealt_out,
    cases=Cases(
        images_and_matrix,
        n=(1, 2, 3),
        c_i=range(1, 5),
        c_o=range(1, 5),
        h=range(1, 4),
        w=range(1, 4),
        small=25,
        large=25,
    ),
    wrong=(
        Wrong(
            "output dealt out",
            lambda X, K: mix(X, K).movedim(1, -1).reshape(len(X), len(K), *X.shape[2:]),
            "The pixels go in right, but before the last `reshape` the channels are the last axis.",
        ),
        Wrong(
            "input dealt out",
            lambda X, K: (X.reshape(len(X), *X.shape[2:], -1) @ K.T).movedim(-1, 1),
            "The output is put in order now. But does a row of `pixels` hold the channels of one pixel?",
        ),
        Wrong(
            "matrix transposed",
            lambda X, K: mix(X, K.T),
            "Rows of the matrix are output channels. With the pixels in rows, which way round must it stand?",
        ),
        Wrong(
            "height and width swapped",
            lambda X, K: mix(X, K).transpose(2, 3),
            "The channels are mixed right, but rows and columns of the image are swapped.",
        ),
        Wrong(
            "channels left at the end",
            lambda X, K: mix(X, K).movedim(1, -1),
            "The numbers are right. Bring the channels back to where they were.",
        ),
        Wrong(
            "images mixed up",
            lambda X, K: mix(X, K).movedim(0, 1).reshape(len(X), len(K), *X.shape[2:]),
            "One image is right, several are not: the axis of the batch must come first again.",
        ),
        Wrong(
            "elementwise product",
            lambda X, K: X * K.diagonal()[:, None, None],
            "Each channel is multiplied by a number of its own. Each output needs all inputs.",
        ),
    ),
)


# ---- 4: two layers in one ------------------------------------------------------------


def two_layers(draw: Draw, c: int, m: int, o: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Make weights and biases of two layers: c channels to m, and m to o."""
    return draw(m, c), draw(m), draw(o, m), draw(o)


MERGE = Function(
    id="one_by_one.4",
    title="Two layers in one",
    level=2,
    right=merged,
    cases=Cases(two_layers, c=range(1, 5), m=range(1, 5), o=range(1, 5), small=20, large=20),
    wrong=MERGED_WRONG,
)


# ---- 5: the larger of two channels ------------------------------------------------------------

MAXIMUM = Network(
    id="one_by_one.5",
    title="The larger of two channels",
    level=3,
    input_shape=(2, 6, 6),
    output_shape=(1, 6, 6),
    max_params=20,
    rules=RULES,
)

EXERCISES = (COLOURS, REDUCTION, PIXELS, MERGE, MAXIMUM)
