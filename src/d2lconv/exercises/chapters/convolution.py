"""Exercises of the chapter *Convolution*."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Debug,
    Function,
    Misconception,
    RandomInputs,
    Setting,
    Value,
    tensor_of_shape,
)

__all__ = ["EXERCISES"]

X = torch.tensor([[1.0, 2.0, 0.0], [3.0, 1.0, 0.0], [1.0, 2.0, 4.0]])
K = torch.tensor([[1.0, 2.0], [0.0, 3.0]])


def corr(X: Tensor, K: Tensor) -> Tensor:
    """Cross-correlate with PyTorch, the independent way to each right answer here."""
    return F.conv2d(X[None, None], K[None, None])[0, 0]


def image_and_kernel(draw: RandomInputs, h: int, w: int, k_h: int, k_w: int) -> tuple[Tensor, Tensor] | None:
    """Make an image and a kernel that fits into it."""
    return (draw(h, w), draw(k_h, k_w)) if k_h <= h and k_w <= w else None


IMAGE_AND_KERNEL = Cases(
    image_and_kernel, h=range(1, 7), w=range(1, 7), k_h=range(1, 5), k_w=range(1, 5), small=25, large=25
)


# ---- 1: one output by hand ------------------------------------------------------------

BY_HAND = Value(
    id="convolution.1",
    title="By hand",
    level=1,
    right=lambda: corr(X, K),
    answer_description="four numbers as [[…, …], […, …]]",
    wrong=(
        Misconception(
            "kernel flipped",
            lambda: corr(X, K.flip(0, 1)),
            "You flipped the kernel. A layer's convolution lays it on the window as it is written.",
        ),
        Misconception(
            "kernel transposed", lambda: corr(X, K.T), "Rows and columns of the kernel are swapped."
        ),
        Misconception(
            "windows do not overlap",
            lambda: F.conv2d(F.pad(X, (0, 1, 0, 1))[None, None], K[None, None], stride=2)[0, 0],
            "The window moves by one cell, so neighbouring windows share cells.",
        ),
        Misconception(
            "kernel of ones",
            lambda: corr(X, torch.ones(2, 2)),
            "You added up the window. Multiply each cell by the kernel's number first.",
        ),
        Misconception(
            "border filled with zeros",
            lambda: corr(F.pad(X, (0, 1, 0, 1)), K),
            "The window must not hang over the border, so the output is smaller than the input.",
        ),
        Misconception(
            "one window only",
            lambda: corr(X, K)[0, 0],
            "That is the first window. How many positions are there?",
        ),
        Misconception(
            "products not added",
            lambda: X[:2, :2] * K,
            "These are the four products of the first window. Add them up for one output, then move on.",
        ),
    ),
)


# ---- 2: why the turn does not matter ------------------------------------------------------------

MISNOMER = Choice(
    id="convolution.2",
    title="A harmless misnomer",
    level=1,
    right="d",
    because="training finds the kernel that it needs, in whichever direction it is read.",
    wrong={
        "a": "They give the same only for a kernel that looks the same when it is flipped.",
        "b": "PyTorch flips nothing: try F.conv2d and ops.convolve2d on a kernel without symmetry.",
        "c": "A bias adds the same number everywhere. It can't change which cells a number meets.",
    },
)


# ---- 3: a kernel that moves the image ------------------------------------------------------------

SHIFT = Setting(
    id="convolution.3",
    title="A kernel that moves the image",
    level=2,
    answer_description="a 3×3 kernel as a tensor or a list of lists",
    read=tensor_of_shape(3, 3),
    use=lambda kernel, X: corr(F.pad(X, (1, 1, 1, 1)), kernel),
    right=lambda X: F.pad(X, (1, 0))[:, :-1],
    cases=Cases(lambda draw, h, w: (draw(h, w),), h=range(1, 6), w=range(2, 7), small=10, large=10),
    wrong=(
        Misconception(
            "moved left",
            lambda X: F.pad(X, (0, 1))[:, 1:],
            "The image moves to the left. For it to move right, each output must look at its left neighbour.",
        ),
        Misconception(
            "not moved",
            lambda X: X,
            "This kernel leaves the image where it is: each output looks at the cell in its own position.",
        ),
        Misconception(
            "moved down",
            lambda X: F.pad(X, (0, 0, 1, 0))[:-1],
            "The image moves down. The first number in K[row, column] counts rows.",
        ),
        Misconception(
            "moved up",
            lambda X: F.pad(X, (0, 0, 0, 1))[1:],
            "The image moves up. Which of the kernel's cells lies to the left of its middle?",
        ),
        Misconception(
            "moved diagonally",
            lambda X: F.pad(X, (1, 0, 1, 0))[:-1, :-1],
            "The image also moves down. The middle row of the kernel is row 1.",
        ),
        Misconception(
            "whole column of ones",
            lambda X: corr(F.pad(X, (1, 1, 1, 1)), torch.tensor([[1.0, 0, 0], [1, 0, 0], [1, 0, 0]])),
            "Each output adds up three cells. To move an image, an output must be equal to one cell.",
        ),
        Misconception(
            "difference instead of move",
            lambda X: F.pad(X, (1, 0))[:, :-1] - X,
            "This kernel also subtracts the cell in the middle: it finds edges.",
        ),
    ),
)


# ---- 4: a fault that a square picture hides ------------------------------------------------------------


def swapped_sizes(X: Tensor, K: Tensor) -> Tensor:
    """Cross-correlate with the fault of the notebook: the kernel's height and width are swapped."""
    (h, w), (k_h, k_w) = X.shape, K.shape
    Y = torch.zeros(h - k_w + 1, w - k_h + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            Y[r, c] = (X[r : r + k_h, c : c + k_w] * K).sum()
    return Y


REPAIR = Debug(
    id="convolution.4",
    title="A test that passes by chance",
    level=2,
    right=corr,
    given=swapped_sizes,
    cases=IMAGE_AND_KERNEL,
    wrong=(
        Misconception(
            "last position forgotten",
            lambda X, K: corr(X, K)[:-1, :-1],
            "A kernel of 2 fits into 3 cells at 3 - 2 + 1 positions: the + 1 is missing.",
        ),
        Misconception(
            "kernel flipped",
            lambda X, K: corr(X, K.flip(0, 1)),
            "The sizes are right now, but the kernel is flipped. Lay it on the window as it is.",
        ),
        Misconception(
            "kernel transposed",
            lambda X, K: corr(X, K.T),
            "The kernel's rows and columns are swapped, so each product pairs the wrong cells.",
        ),
        Misconception(
            "output transposed",
            lambda X, K: corr(X, K).T,
            "Rows and columns of the output are swapped. Where does each of the four sizes belong?",
        ),
        Misconception(
            "size of the input",
            lambda X, K: corr(F.pad(X, (0, K.shape[1] - 1, 0, K.shape[0] - 1)), K),
            "The output has the size of the input. A window must not hang over the border.",
        ),
    ),
)


# ---- 5: convolution as mathematicians mean it ------------------------------------------------------------

TRUE_CONVOLUTION = Function(
    id="convolution.5",
    title="True convolution",
    level=2,
    right=lambda X, K: corr(X, K.flip(0, 1)),
    forbidden=("convolve2d",),
    cases=IMAGE_AND_KERNEL,
    wrong=(
        Misconception(
            "kernel not flipped", corr, "This is the cross-correlation: the kernel is not flipped yet."
        ),
        Misconception(
            "flipped top to bottom only",
            lambda X, K: corr(X, K.flip(0)),
            "The kernel is flipped top to bottom. It must also be flipped left to right.",
        ),
        Misconception(
            "flipped left to right only",
            lambda X, K: corr(X, K.flip(1)),
            "The kernel is flipped left to right. It must also be flipped top to bottom.",
        ),
        Misconception(
            "transposed instead of flipped",
            lambda X, K: corr(X, K.T),
            "Transposing swaps rows and columns. Flipping reverses the order along both axes.",
        ),
        Misconception(
            "quarter turn",
            lambda X, K: corr(X, torch.rot90(K)),
            "A quarter turn is not enough: flip both axes, so that the last cell comes first.",
        ),
        Misconception(
            "image or output flipped",
            lambda X, K: corr(X, K).flip(0, 1),
            "Only the kernel is flipped. Flipping the image or the output too is something else.",
        ),
        Misconception(
            "border filled with zeros",
            lambda X, K: F.conv2d(
                F.pad(X, (K.shape[1] - 1,) * 2 + (K.shape[0] - 1,) * 2)[None, None], K.flip(0, 1)[None, None]
            )[0, 0],
            "The kernel hangs over the border. Here it takes only the positions where it fits in.",
        ),
    ),
)


# ---- 6: the matrix of a convolution ------------------------------------------------------------


def matrix_of(kernel: Tensor, n: int) -> Tensor:
    """Return the matrix of a convolution of n numbers: column j is what the unit signal j gives."""
    return F.conv1d(torch.eye(n)[:, None], kernel[None, None])[:, 0].T


def wrapped_around(kernel: Tensor, n: int) -> Tensor:
    """Return the matrix of a kernel that comes in on the left where it leaves on the right."""
    first = F.pad(kernel, (0, n - len(kernel)))
    return torch.stack([first.roll(r) for r in range(n)])


MATRIX = Function(
    id="convolution.6",
    title="Convolution as a matrix",
    level=2,
    right=matrix_of,
    cases=Cases(
        lambda draw, n, k: (draw(k), n) if k <= n else None, n=range(1, 9), k=range(1, 6), small=15, large=15
    ),
    wrong=(
        Misconception(
            "kernel flipped",
            lambda kernel, n: matrix_of(kernel.flip(0), n),
            "The kernel stands in the rows from right to left. A layer does not flip it.",
        ),
        Misconception(
            "matrix transposed",
            lambda kernel, n: matrix_of(kernel, n).T,
            "Each output is a row and each input a column, so that `M @ signal` works.",
        ),
        Misconception(
            "wraps around the end",
            wrapped_around,
            "The lower rows begin again on the left. At how many positions does the kernel fit?",
        ),
        Misconception(
            "cut off at the end",
            lambda kernel, n: torch.stack([F.pad(kernel, (r, n))[:n] for r in range(n)]),
            "In the lower rows a part of the kernel is cut off. Keep the positions where it fits in whole.",
        ),
        Misconception(
            "all rows the same",
            lambda kernel, n: F.pad(kernel, (0, n - len(kernel))).expand(n - len(kernel) + 1, n),
            "Every row begins with the kernel. It moves one position to the right from row to row.",
        ),
        Misconception(
            "one kernel number everywhere",
            lambda kernel, n: torch.stack(
                [F.pad(kernel[:1], (r, n))[:n] for r in range(n - len(kernel) + 1)]
            ),
            "Each row needs all of the kernel's numbers, side by side.",
        ),
        Misconception(
            "moves by the kernel's size",
            lambda kernel, n: matrix_of(kernel, n)[:: len(kernel)],
            "The kernel jumps by its own length from row to row. It moves by one.",
        ),
    ),
)

# ---- 7: equivariance ------------------------------------------------------------

EQUIVARIANT = Choice(
    id="convolution.7",
    title="Which layer moves along",
    level=2,
    right="b",
    because="a convolution with stride 1 does the same at each position, so its output moves with the image.",
    wrong={
        "a": "Each output of this layer has a weight of its own for each pixel: it cares where things lie.",
        "c": "It gives the same number for each position of the pattern: it does not move, it stays.",
        "d": "After one pixel, other windows meet the pattern. Only two pixels move this output by one.",
    },
)

# ---- 8 and 9: the backward pass ------------------------------------------------------------


def signal_kernel_and_gradient(
    draw: RandomInputs, h: int, w: int, k_h: int, k_w: int
) -> tuple[Tensor, ...] | None:
    """Make an input, a kernel, and the gradient of the loss with respect to the output."""
    if k_h > h or k_w > w:
        return None
    return draw(h, w), draw(k_h, k_w), draw(h - k_h + 1, w - k_w + 1)


BACKWARD_CASES = Cases(
    signal_kernel_and_gradient,
    h=range(1, 6),
    w=range(1, 6),
    k_h=range(1, 4),
    k_w=range(1, 4),
    small=25,
    large=15,
)


def gradients(X: Tensor, K: Tensor, G: Tensor) -> tuple[Tensor, Tensor]:
    """Let PyTorch compute the gradients of a loss with respect to the input and the kernel."""
    X, K = X.clone().requires_grad_(), K.clone().requires_grad_()
    by_input, by_kernel = torch.autograd.grad(corr(X, K), (X, K), G)
    return by_input, by_kernel


def spread(G: Tensor, K: Tensor) -> Tensor:
    """Convolve a gradient with a kernel, at all positions where they overlap."""
    padding = (K.shape[1] - 1, K.shape[1] - 1, K.shape[0] - 1, K.shape[0] - 1)
    return corr(F.pad(G, padding), K)


BY_KERNEL = Function(
    id="convolution.8",
    title="The backward pass: the kernel's gradient",
    level=2,
    right=lambda X, K, G: gradients(X, K, G)[1],
    cases=BACKWARD_CASES,
    forbidden=("backward", "grad", "run_backward"),
    wrong=(
        Misconception(
            "gradient of the input",
            lambda X, K, G: gradients(X, K, G)[0],
            "This has a number for each pixel. A kernel's gradient is as large as the kernel.",
        ),
        Misconception(
            "gradient flipped",
            lambda X, K, G: corr(X, G.flip(0, 1)),
            "Which pixels does kernel cell (0, 0) meet, and in which order? Nothing is flipped.",
        ),
        Misconception(
            "kernel flipped",
            lambda X, K, G: corr(X, G).flip(0, 1),
            "The numbers are right. Kernel cell (0, 0) meets the pixels at the top left.",
        ),
        Misconception(
            "mean over the outputs",
            lambda X, K, G: corr(X, G) / G.numel(),
            "The loss depends on a weight through all outputs, and these parts are added up.",
        ),
        Misconception(
            "gradient left out",
            lambda X, K, G: corr(X, torch.ones_like(G)),
            "How much does the loss change with each output? That is what `G` says.",
        ),
    ),
)

BY_INPUT = Function(
    id="convolution.9",
    title="The backward pass: the input's gradient",
    level=3,
    right=lambda X, K, G: gradients(X, K, G)[0],
    cases=BACKWARD_CASES,
    forbidden=("backward", "grad", "run_backward"),
    wrong=(
        Misconception(
            "kernel not flipped",
            lambda X, K, G: spread(G, K),
            "Output (r, c) met pixel (r + a, c + b) with K[a, b]. From a pixel, K runs backwards.",
        ),
        Misconception(
            "flipped top to bottom only",
            lambda X, K, G: spread(G, K.flip(0)),
            "The rows run backwards now. The columns must, too.",
        ),
        Misconception(
            "gradient of the kernel",
            lambda X, K, G: gradients(X, K, G)[1],
            "This has a number for each weight. The input's gradient is as large as the input.",
        ),
        Misconception(
            "overwritten",
            lambda X, K, G: overwritten(X, K, G),
            "A pixel stands in several windows: their parts are added up, none replaces another.",
        ),
        Misconception(
            "padding forgotten",
            lambda X, K, G: F.pad(G, (0, K.shape[1] - 1, 0, K.shape[0] - 1)) * K.flatten()[0],
            "This is one weight's part. Each weight of the kernel adds one.",
        ),
    ),
)


def overwritten(X: Tensor, K: Tensor, G: Tensor) -> Tensor:
    """Let the last window of a pixel replace the others."""
    made = torch.zeros_like(X)
    for r in range(G.shape[0]):
        for c in range(G.shape[1]):
            made[r : r + K.shape[0], c : c + K.shape[1]] = G[r, c] * K
    return made


EXERCISES = (BY_HAND, MISNOMER, SHIFT, REPAIR, TRUE_CONVOLUTION, MATRIX, EQUIVARIANT, BY_KERNEL, BY_INPUT)
