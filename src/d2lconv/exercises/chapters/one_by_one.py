"""Exercises of the chapter *1×1 convolution*."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.engine.runs import dtype_of
from d2lconv.exercises.kinds import (
    Cases,
    Debug,
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
    answer_description="a matrix of 3×3 numbers",
    read=tensor_of_shape(3, 3),
    use=lambda matrix, X: mix(X[None], matrix)[0],
    right=lambda X: X.roll(1, 0),
    cases=Cases(lambda draw, h, w: (draw(3, h, w, low=0),), h=range(1, 4), w=range(1, 5), small=6, large=4),
    wrong=(
        Misconception(
            "matrix transposed",
            by_matrix((0, 1, 0), (0, 0, 1), (1, 0, 0)),
            "The colours turn in the other direction. A row belongs to an output, a column to an input.",
        ),
        Misconception("nothing changed", lambda X: X, "Each output is the input of the same colour."),
        Misconception(
            "red and blue exchanged",
            lambda X: X.flip(0),
            "Two colours are exchanged and the third stays. All three are to change.",
        ),
        Misconception(
            "red and green exchanged",
            lambda X: X[[1, 0, 2]],
            "Red is now green, but green is red. Where is it to go?",
        ),
        Misconception(
            "sum of all channels",
            lambda X: X.sum(0, keepdim=True).expand_as(X),
            "Each output is a mixture of all three inputs. It should be one of them, unchanged.",
        ),
        Misconception(
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
    parts=("MACs of the direct layer", "MACs through 16 channels"),
    answer_description="two whole numbers, (direct, reduced)",
    wrong=(
        Misconception("order swapped", (REDUCE + AFTER, DIRECT), "The direct layer comes first."),
        Misconception(
            "output size forgotten",
            (DIRECT // 196, (REDUCE + AFTER) // 196),
            "These are the weights. Each is used once for every pixel of the output.",
        ),
        Misconception(
            "one row of the output",
            (DIRECT // 14, (REDUCE + AFTER) // 14),
            "There are 14 rows and 14 columns of pixels.",
        ),
        Misconception(
            "reduction for free",
            (DIRECT, AFTER),
            "The direct layer is right. Does the reduction itself cost nothing?",
        ),
        Misconception(
            "channels not reduced",
            (DIRECT, REDUCE + DIRECT),
            "How many channels does the 5×5 kernel still see after the reduction?",
        ),
        Misconception(
            "reduction with 5×5",
            (DIRECT, 25 * REDUCE + AFTER),
            "The reduction has kernels of a single cell.",
        ),
        Misconception(
            "channels kept apart",
            (DIRECT // 480, (REDUCE // 480 + AFTER // 16)),
            "Each output channel looks at all input channels: they are a factor, too.",
        ),
        Misconception(
            "one row of the kernel",
            (DIRECT // 5, REDUCE + AFTER // 5),
            "A 5×5 kernel has 25 weights for each pair of channels.",
        ),
        Misconception(
            "kernel size forgotten",
            (DIRECT // 25, REDUCE + AFTER // 25),
            "You counted one weight for each pair of channels. The 5×5 kernels have 25.",
        ),
        Misconception(
            "bias counted",
            (DIRECT + 48 * 196, REDUCE + AFTER + (16 + 48) * 196),
            "By our convention the bias is left out of the MACs.",
        ),
        Misconception(
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


def images_and_matrix(
    draw: RandomInputs, n: int, c_i: int, c_o: int, h: int, w: int
) -> tuple[Tensor, Tensor]:
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
        Misconception(
            "output dealt out",
            lambda X, K: mix(X, K).movedim(1, -1).reshape(len(X), len(K), *X.shape[2:]),
            "The pixels go in right, but before the last `reshape` the channels are the last axis.",
        ),
        Misconception(
            "input dealt out",
            lambda X, K: (X.reshape(len(X), *X.shape[2:], -1) @ K.T).movedim(-1, 1),
            "The output is put in order now. But does a row of `pixels` hold the channels of one pixel?",
        ),
        Misconception(
            "matrix transposed",
            lambda X, K: mix(X, K.T),
            "Rows of the matrix are output channels. With the pixels in rows, must it be transposed?",
        ),
        Misconception(
            "height and width swapped",
            lambda X, K: mix(X, K).transpose(2, 3),
            "The channels are mixed right, but rows and columns of the image are swapped.",
        ),
        Misconception(
            "channels left at the end",
            lambda X, K: mix(X, K).movedim(1, -1),
            "The numbers are right. Bring the channels back to where they were.",
        ),
        Misconception(
            "images mixed up",
            lambda X, K: mix(X, K).movedim(0, 1).reshape(len(X), len(K), *X.shape[2:]),
            "One image is right, several are not: the axis of the batch must come first again.",
        ),
        Misconception(
            "elementwise product",
            lambda X, K: X * K.diagonal()[:, None, None],
            "Each channel is multiplied by a number of its own. Each output needs all inputs.",
        ),
    ),
)


# ---- 4: two layers in one ------------------------------------------------------------


def two_layers(draw: RandomInputs, c: int, m: int, o: int) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Make weights and biases of two layers: c channels to m, and m to o."""
    return draw(m, c), draw(m), draw(o, m), draw(o)


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
    Misconception(
        "second bias forgotten",
        lambda A, a, B, b: joined(B @ A, B @ a),
        "The weight is right. The second layer also adds a bias of its own.",
    ),
    Misconception(
        "no bias column",
        lambda A, a, B, b: B @ A,
        "This is the matrix of the single layer. Its bias is missing: it is the last column.",
    ),
    Misconception(
        "first bias forgotten",
        lambda A, a, B, b: joined(B @ A, b),
        "The weight is right. What happens to the first layer's bias on its way through the second?",
    ),
    Misconception(
        "biases only added",
        lambda A, a, B, b: joined(B @ A, a + b),
        "The weight is right. The first bias goes through the second layer before anything is added to it.",
    ),
    Misconception(
        "both biases multiplied",
        lambda A, a, B, b: joined(B @ A, B @ (a + b)),
        "The weight is right. The second bias is added at the very end: nothing multiplies it any more.",
    ),
    Misconception(
        "matrices in the wrong order",
        lambda A, a, B, b: joined(A @ B, B @ a + b),
        "The pixel meets A first, so A must stand next to it: on the right.",
    ),
    Misconception(
        "bias in the first column",
        lambda A, a, B, b: torch.cat([(B @ a + b)[:, None], B @ A], dim=1),
        "All numbers are right. The bias was to be the last column.",
    ),
    Misconception(
        "matrices added",
        lambda A, a, B, b: joined(A + B, B @ a + b),
        "One layer after another means to multiply the matrices, not to add them.",
    ),
    Misconception(
        "elementwise product",
        lambda A, a, B, b: joined(A * B, B @ a + b),
        "`*` multiplies entry by entry. What is wanted is the matrix product.",
    ),
)


MERGE = Function(
    id="one_by_one.4",
    title="Two layers in one",
    level=2,
    right=merged,
    cases=Cases(two_layers, c=range(1, 5), m=range(1, 5), o=range(1, 5), small=20, large=20),
    wrong=MERGED_WRONG,
)


# ---- 5: the larger of two channels ------------------------------------------------------------


STEPS = torch.tensor([-1000.0, -60.5, -3, -2, -1, -0.5, 0, 1, 2, 2.5, 70, 1000])
GRID = torch.stack(torch.meshgrid(STEPS, STEPS - 0.25, indexing="ij"))


def outputs(model: nn.Module, pixels: Tensor = GRID) -> Tensor:
    """Return what a network makes of an image with many pairs of numbers."""
    with torch.no_grad():
        made: Tensor = model.eval()(pixels[None].to(dtype_of(model)))
    return made[0, 0].double()


def near(given: Tensor, expected: Tensor) -> Tensor:
    """Return where numbers agree."""
    return (given - expected).abs() < 1e-2


def sees_neighbours(model: nn.Module, done: Run) -> str:
    """Return the fault that a window is larger than one cell."""
    sizes = [step.kernel_size for step in done.rows if step.looks_around]
    return f"a kernel has the size {sizes[0]}" if sizes else ""


def one_layer(model: nn.Module, done: Run) -> str:
    """Return the fault that there are fewer than two convolutions."""
    found = len(done.steps("Conv2d", "Linear"))
    return f"two convolutions are asked for, and there are {found}" if found < 2 else ""


def is_linear(model: nn.Module, done: Run) -> str:
    """Return the fault that the network does no more than a single layer could."""
    bias = outputs(model, torch.zeros_like(GRID))
    linear = near(outputs(model) + outputs(model, -GRID), 2 * bias).all()
    return "all it does could be done by one layer" if linear else ""


def smaller_one(model: nn.Module, done: Run) -> str:
    """Return the fault that it gives the minimum."""
    return "it gives the smaller channel" if near(outputs(model), GRID.amin(0)).all() else ""


def difference(model: nn.Module, done: Run) -> str:
    """Return the fault that it gives the distance, or only the positive part of the difference."""
    apart = GRID[0] - GRID[1]
    shapes = (apart.abs(), apart.clamp(min=0), (-apart).clamp(min=0))
    return "it gives a difference" if any(near(outputs(model), one).all() for one in shapes) else ""


def no_negatives(model: nn.Module, done: Run) -> str:
    """Return the fault that it is right except where a channel is negative."""
    right, positive = near(outputs(model), GRID.amax(0)), GRID.amin(0) >= 0
    wrong = bool(right[positive].all() and not right.all())
    return "it is right where both channels are positive, but not everywhere else" if wrong else ""


def not_the_larger(model: nn.Module, done: Run) -> str:
    """Return at how many of the pixels it is right."""
    right = near(outputs(model), GRID.amax(0))
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


MAXIMUM = Network(
    id="one_by_one.5",
    title="The larger of two channels",
    level=3,
    input_shape=(2, 6, 6),
    output_shape=(1, 6, 6),
    max_params=20,
    rules=RULES,
)


# ---- 6: a fully connected layer that slides ------------------------------------------------------------


def layer_and_maps(
    draw: RandomInputs, o: int, c: int, k: int, more: int, wider: int
) -> tuple[Tensor, Tensor, Tensor]:
    """Make a layer for c maps of k×k cells, and maps that are at least as large."""
    return draw(o, c * k * k), draw(o), draw(c, k + more, k + wider)


def slid(
    weight: Tensor, bias: Tensor, X: Tensor, *, order: Callable[[Tensor], Tensor] = lambda kernel: kernel
) -> Tensor:
    """Let PyTorch slide a layer over maps."""
    k = round((weight.shape[1] / len(X)) ** 0.5)
    return F.conv2d(X[None], order(weight.reshape(len(weight), len(X), k, k)), bias)[0]


SLIDING = Function(
    id="one_by_one.6",
    title="A fully connected layer for larger images",
    level=3,
    right=lambda weight, bias, X: slid(weight, bias, X),
    cases=Cases(
        layer_and_maps,
        o=range(1, 4),
        c=range(1, 4),
        k=range(1, 4),
        more=range(3),
        wider=range(3),
        small=25,
        large=15,
    ),
    wrong=(
        Misconception(
            "kernel transposed",
            lambda weight, bias, X: slid(weight, bias, X, order=lambda kernel: kernel.transpose(2, 3)),
            "Flattening puts the rows of a map one after another. In which order must the weights come back?",
        ),
        Misconception(
            "kernel flipped",
            lambda weight, bias, X: slid(weight, bias, X, order=lambda kernel: kernel.flip(2, 3)),
            "The first weight belongs to the cell at the top left.",
        ),
        Misconception(
            "bias forgotten",
            lambda weight, bias, X: slid(weight, 0 * bias, X),
            "The fully connected layer has a bias, too.",
        ),
        Misconception(
            "first position only",
            lambda weight, bias, X: slid(weight, bias, X)[:, :1, :1],
            "The layer is to give scores at all positions where its k×k cells fit.",
        ),
        Misconception(
            "mean over the positions",
            lambda weight, bias, X: slid(weight, bias, X).mean((1, 2)),
            "Keep the scores of each position: the result is a map.",
        ),
    ),
)


EXERCISES = (COLOURS, REDUCTION, PIXELS, MERGE, MAXIMUM, SLIDING)
