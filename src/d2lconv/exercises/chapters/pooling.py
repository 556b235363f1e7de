"""Exercises of the chapter *Pooling*."""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.engine.runs import dtype_of
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


# ---- 1: by hand ------------------------------------------------------------


# All below zero, so that a zero of the padding would win.
X = torch.tensor([[[-5.0, -3, -7, -2], [-6, -8, -9, -6], [-4, -9, -8, -7], [-9, -5, -6, -1]]])


BY_HAND = Value(
    id="pooling.1",
    title="By hand, and below zero",
    level=1,
    right=lambda: F.max_pool2d(X, 3, padding=1)[0],
    answer_description="rows of numbers as [[…, …], […, …]]",
    wrong=(
        Misconception(
            "zeros padded",
            [[0, 0], [0, 0]],
            "Every window reaches into the padding, and a zero is the largest number there. What fills it?",
        ),
        Misconception(
            "stride of one",
            lambda: F.max_pool2d(X, 3, 1, padding=1)[0],
            "The window moves by one cell. What is the stride where none is given?",
        ),
        Misconception(
            "padding forgotten",
            lambda: F.max_pool2d(X, 3)[0],
            "With one cell of padding around it, the input has room for more than one window.",
        ),
        Misconception(
            "mean instead of maximum",
            lambda: F.avg_pool2d(X, 3, padding=1, count_include_pad=False)[0],
            "These are the means of the windows. The largest number is asked for.",
        ),
        Misconception(
            "largest without its sign",
            lambda: -F.max_pool2d(-X, 3, padding=1)[0],
            "These are the smallest numbers of the windows. Of -3 and -5, which one is larger?",
        ),
        Misconception(
            "signs dropped",
            lambda: F.max_pool2d(X, 3, padding=1)[0].abs(),
            "The positions are right. The numbers keep their signs.",
        ),
    ),
)


# ---- 2: what a shift does ------------------------------------------------------------


SHIFT = Choice(
    id="pooling.2",
    title="One pixel to the right",
    level=1,
    right="a",
    because="a number that stays within its window changes nothing; one that crosses the border changes two.",
    wrong={
        "c": "Only as long as each large number stays within its window. What if it crosses the border?",
        "b": "The map moves by a cell when the image moves by a whole stride, which is two pixels here.",
        "d": "The mean changes too, whenever something crosses a window's border, and mostly more often.",
    },
)


# ---- 3: maximum pooling ------------------------------------------------------------


def channels_and_window(
    draw: RandomInputs, c: int, h: int, w: int, k: int, padding: int
) -> tuple[Tensor, int, int] | None:
    """Make maps, most of them below zero, and a window that fits in."""
    fits = 2 * padding <= k <= min(h, w) + 2 * padding
    return (draw(c, h, w, low=-9, high=2) * 150.5, k, padding) if fits else None


def max_pool(X: Tensor, k: int, padding: int) -> Tensor:
    """Pool with PyTorch."""
    return F.max_pool2d(X, k, padding=padding)


MAX_WRONG = (
    Misconception(
        "zeros padded",
        lambda X, k, padding: F.max_pool2d(F.pad(X, (padding,) * 4), k),
        "A zero of the padding is the largest number of its window. Which number never is?",
    ),
    Misconception(
        "stride of one",
        lambda X, k, padding: F.max_pool2d(X, k, 1, padding),
        "The window moves by one cell. It should move by its own size.",
    ),
    Misconception(
        "mean instead of maximum",
        lambda X, k, padding: F.avg_pool2d(X, k, padding=padding),
        "This is the mean of each window. The largest number is asked for.",
    ),
    Misconception(
        "channels summed",
        lambda X, k, padding: max_pool(X, k, padding).sum(0, keepdim=True),
        "The channels are added up, as in a convolution. Pooling keeps them apart.",
    ),
    Misconception(
        "maximum over channels",
        lambda X, k, padding: max_pool(X, k, padding).amax(0, keepdim=True),
        "The maximum is taken over the channels, too. Each channel keeps its own.",
    ),
    Misconception(
        "padding forgotten",
        lambda X, k, padding: F.max_pool2d(X, k),
        "The windows begin inside the image. With padding the first one begins before it.",
    ),
    Misconception(
        "padding on one side",
        lambda X, k, padding: F.max_pool2d(F.pad(X, (padding, 0, padding, 0), value=-math.inf), k),
        "There is padding above and on the left only. It belongs on all four sides.",
    ),
    Misconception(
        "last window kept",
        lambda X, k, padding: F.max_pool2d(X, k, padding=padding, ceil_mode=True),
        "A last window hangs over the end. Rows and columns that fill no whole window are left out here.",
    ),
    Misconception(
        "smallest number",
        lambda X, k, padding: -max_pool(-X, k, padding),
        "This is the smallest number of each window.",
    ),
)


MAX_POOL = Function(
    id="pooling.3",
    title="Maximum pooling from scratch",
    level=2,
    right=max_pool,
    forbidden=("max_pool1d", "max_pool2d", "max_pool3d", "adaptive_max_pool2d", "adaptive_max_pool3d"),
    cases=Cases(
        channels_and_window,
        c=range(1, 4),
        h=range(1, 7),
        w=range(1, 7),
        k=range(1, 4),
        padding=range(2),
        small=25,
        large=20,
    ),
    wrong=MAX_WRONG,
)


# ---- 4: a mean with dark corners ------------------------------------------------------------


def mean_of_real(X: Tensor, k: int, padding: int) -> Tensor:
    """Pool with PyTorch, without counting the padding."""
    return F.avg_pool2d(X[None], k, 1, padding, count_include_pad=False)[0]


def padded_mean(X: Tensor, k: int, padding: int) -> Tensor:
    """Pool with the fault of the notebook: the zeros of the padding count."""
    padded = F.pad(X, (padding, padding, padding, padding))
    windows = padded.unfold(0, k, 1).unfold(1, k, 1)
    return windows.sum(dim=(2, 3)) / k**2


def sums(X: Tensor, k: int, padding: int) -> Tensor:
    """Add up each window."""
    return F.avg_pool2d(X[None], k, 1, padding, divisor_override=1)[0]


MEAN_WRONG = (
    Misconception(
        "padding not used",
        lambda X, k, padding: F.avg_pool2d(X[None], k, 1)[0],
        "Now the corners are right because they are gone. The windows should still hang over the border.",
    ),
    Misconception(
        "zeros of the image not counted",
        lambda X, k, padding: sums(X, k, padding) / sums((X != 0).float(), k, padding).clamp(min=1),
        "A zero in the image is a number like any other and counts. Only the padding does not.",
    ),
    Misconception(
        "sum instead of mean",
        sums,
        "These are sums. How many real numbers does each window hold?",
    ),
    Misconception(
        "border repeated",
        lambda X, k, padding: F.avg_pool2d(F.pad(X[None, None], (padding,) * 4, mode="replicate"), k, 1)[
            0, 0
        ],
        "The padding is filled with copies of the border, and these count. Leave them out of the mean.",
    ),
    Misconception(
        "maximum instead of mean",
        lambda X, k, padding: F.max_pool2d(X[None], k, 1, padding)[0],
        "This is the maximum of each window.",
    ),
    Misconception(
        "divided by the corner's count",
        lambda X, k, padding: sums(X, k, padding) / (k - padding) ** 2,
        "Now all windows are divided as in the corners. How many real numbers has a window in the middle?",
    ),
    Misconception(
        "stride of the window",
        lambda X, k, padding: F.avg_pool2d(X[None], k, padding=padding, count_include_pad=False)[0],
        "The means are right, but the window moved by its own size. Here it moves by one cell.",
    ),
)


MEAN = Debug(
    id="pooling.4",
    title="Dark corners",
    level=2,
    right=mean_of_real,
    given=padded_mean,
    cases=Cases(
        lambda draw, h, w, k, padding: (
            (draw(h, w, low=0), k, padding) if k <= min(h, w) + 2 * padding else None
        ),
        padding=(1, 0),
        h=range(2, 6),
        w=range(2, 6),
        k=(2, 3, 4),
        small=25,
        large=20,
    ),
    wrong=MEAN_WRONG,
)


# ---- 5: how many windows ------------------------------------------------------------


def size_and_window(
    draw: RandomInputs, n: int, kernel_size: int, stride: int, padding: int, ceil_mode: bool
) -> tuple[int, int, int, int, bool] | None:
    """Make settings that PyTorch allows."""
    fits = 2 * padding <= kernel_size <= n + 2 * padding
    return (n, kernel_size, stride, padding, ceil_mode) if fits else None


def output_size(n: int, kernel_size: int, stride: int, padding: int, ceil_mode: bool) -> int:
    """Pool n numbers with PyTorch and count what comes out."""
    return F.max_pool1d(torch.zeros(1, n), kernel_size, stride, padding, ceil_mode=ceil_mode).shape[1]


def exception_too_early(n: int, kernel_size: int, stride: int, padding: int) -> int:
    """Leave out a last window that begins n or more cells after the first, whatever the padding."""
    count = math.ceil((n + 2 * padding - kernel_size) / stride) + 1
    return count - 1 if (count - 1) * stride >= n else count


LAST_WINDOW_WRONG = (
    Misconception(
        "window that starts beyond the input",
        lambda n, kernel_size, stride, padding, ceil_mode: (
            math.ceil((n + 2 * padding - kernel_size) / stride) + 1
            if ceil_mode
            else output_size(n, kernel_size, stride, padding, False)
        ),
        "Nearly. A last window must hold a real number: it is left out if it begins in the padding or later.",
    ),
    Misconception(
        "window in the padding behind",
        lambda n, kernel_size, stride, padding, ceil_mode: (
            exception_too_early(n, kernel_size, stride, padding)
            if ceil_mode
            else output_size(n, kernel_size, stride, padding, False)
        ),
        "Your exception leaves out too many windows: one may begin less than n + padding cells after the "
        "first.",
    ),
    Misconception(
        "ceil mode ignored",
        lambda n, kernel_size, stride, padding, ceil_mode: output_size(
            n, kernel_size, stride, padding, False
        ),
        "With `ceil_mode` a last window is kept although it hangs over the end.",
    ),
    Misconception(
        "always rounded up",
        lambda n, kernel_size, stride, padding, ceil_mode: output_size(n, kernel_size, stride, padding, True),
        "Without `ceil_mode`, a window that hangs over the end is left out.",
    ),
    Misconception(
        "stride not used",
        lambda n, kernel_size, stride, padding, ceil_mode: n + 2 * padding - kernel_size + 1,
        "That is the number of positions for a window that moves by one cell.",
    ),
    Misconception(
        "stride of the window's size",
        lambda n, kernel_size, stride, padding, ceil_mode: output_size(
            n, kernel_size, kernel_size, padding, ceil_mode
        ),
        "The window moves by its own size only where no other stride is given.",
    ),
    Misconception(
        "padding forgotten",
        lambda n, kernel_size, stride, padding, ceil_mode: output_size(n, kernel_size, stride, 0, ceil_mode),
        "There are `padding` more cells before the input, and as many behind it.",
    ),
    Misconception(
        "first window not counted",
        lambda n, kernel_size, stride, padding, ceil_mode: (
            output_size(n, kernel_size, stride, padding, ceil_mode) - 1
        ),
        "The quotient counts the steps. The first window needs none.",
    ),
    Misconception(
        "window's size not subtracted",
        lambda n, kernel_size, stride, padding, ceil_mode: (
            math.ceil((n + 2 * padding) / stride) if ceil_mode else (n + 2 * padding) // stride
        ),
        "This counts steps over the whole input. The last window begins a window's size before the end.",
    ),
)


LAST_WINDOW = Function(
    id="pooling.5",
    title="The last window",
    level=3,
    kind="predict",
    right=output_size,
    answer_description="a function that gives a whole number",
    cases=Cases(
        size_and_window,
        n=range(1, 12),
        kernel_size=range(1, 5),
        stride=range(1, 6),
        padding=range(3),
        ceil_mode=(False, True),
        small=30,
        large=40,
    ),
    wrong=LAST_WINDOW_WRONG,
)


# ---- 6: images of any size ------------------------------------------------------------


def one_size_only(model: nn.Module, done: Run) -> str:
    """Return which size of image does not fit."""
    for height, width in ((20, 20), (40, 40), (24, 36)):
        try:
            with torch.no_grad():
                shape = tuple(model(torch.zeros(2, 1, height, width, dtype=dtype_of(model))).shape)
        except RuntimeError:
            return f"an image of {height}×{width} pixels does not go through"
        if shape != (2, 10):
            return f"two images of {height}×{width} pixels give {shape} instead of (2, 10)"
    return ""


def no_convolution(model: nn.Module, done: Run) -> str:
    """Return the fault that no convolution sees neighbouring cells."""
    found = any(step.looks_around for step in done.steps("Conv2d"))
    return "" if found else "no convolution has a kernel larger than 1×1"


NETWORK_RULES = (
    Rule(
        "one size only",
        one_size_only,
        "A fully connected layer needs a fixed number of inputs. What makes one number of a map of any size?",
    ),
    Rule(
        "no convolution",
        no_convolution,
        "Without a kernel there is nothing but the mean of the ink. Find features before you pool them.",
    ),
)


ANY_SIZE = Network(
    id="pooling.6",
    title="Images of any size",
    level=3,
    input_shape=(1, 28, 28),
    output_shape=(10,),
    max_params=2_000,
    rules=NETWORK_RULES,
)


# ---- 7: the backward pass ------------------------------------------------------------


def max_gradient(X: Tensor, k: int, G: Tensor) -> Tensor:
    """Let PyTorch compute the gradient with respect to the input."""
    X = X.clone().requires_grad_()
    (made,) = torch.autograd.grad(F.max_pool2d(X[None], k)[0], X, G)
    return made


def to_windows(X: Tensor, k: int, fill: Callable[[Tensor, Tensor], Tensor], G: Tensor) -> Tensor:
    """Fill each window of a gradient by a function of the window and of its number in `G`."""
    made = torch.zeros_like(X)
    for r in range(G.shape[0]):
        for c in range(G.shape[1]):
            rows, columns = slice(r * k, r * k + k), slice(c * k, c * k + k)
            made[rows, columns] = fill(X[rows, columns], G[r, c])
    return made


BACKWARD = Function(
    id="pooling.7",
    title="The backward pass of maximum pooling",
    level=3,
    right=max_gradient,
    cases=Cases(
        lambda draw, h, w, k: (draw(h, w), k, draw(h // k, w // k)) if k <= min(h, w) else None,
        h=range(1, 7),
        w=range(1, 7),
        k=range(1, 4),
        small=25,
        large=15,
    ),
    forbidden=("backward", "grad", "run_backward", "max_unpool2d"),
    wrong=(
        Misconception(
            "gradient to all cells",
            lambda X, k, G: to_windows(X, k, lambda x, g: torch.full_like(x, float(g)), G),
            "Only one cell of a window decides the maximum. What does the loss change with the others?",
        ),
        Misconception(
            "shared among all cells",
            lambda X, k, G: to_windows(X, k, lambda x, g: torch.full_like(x, float(g) / k**2), G),
            "That is the backward pass of *average* pooling.",
        ),
        Misconception(
            "all of the largest",
            lambda X, k, G: to_windows(X, k, lambda x, g: (x == x.max()) * g, G),
            "Where several cells are largest, only the first one of the window gets the gradient.",
        ),
        Misconception(
            "last of the largest",
            lambda X, k, G: to_windows(X, k, lambda x, g: last_largest(x) * g, G),
            "Where several cells are largest, the first one, row by row, gets it.",
        ),
        Misconception(
            "maximum instead of gradient",
            lambda X, k, G: to_windows(X, k, lambda x, g: (x == x.max()) * x, G),
            "The cell is right. It does not get its own number, but that of `G`.",
        ),
        Misconception(
            "smallest cell",
            lambda X, k, G: max_gradient(-X, k, G),
            "The gradient goes to the largest cell of a window.",
        ),
    ),
)


def last_largest(x: Tensor) -> Tensor:
    """Mark the last of the largest cells of a window."""
    marked = torch.zeros(x.numel())
    marked[int((x.flatten() == x.max()).nonzero()[-1])] = 1
    return marked.reshape(x.shape)


EXERCISES = (BY_HAND, SHIFT, MAX_POOL, MEAN, LAST_WINDOW, ANY_SIZE, BACKWARD)
