"""Exercises of the chapter *Pooling*."""

from __future__ import annotations

from torch.nn import functional as F

from d2lconv.exercises._pooling import (
    LAST_WINDOW_WRONG,
    MAX_WRONG,
    MEAN_WRONG,
    NETWORK_RULES,
    X,
    channels_and_window,
    max_pool,
    mean_of_real,
    output_size,
    padded_mean,
    size_and_window,
)
from d2lconv.exercises.kinds import Cases, Choice, Debug, Function, Network, Value, Wrong

__all__ = ["EXERCISES"]

# ---- 1: by hand ------------------------------------------------------------

BY_HAND = Value(
    id="pooling.1",
    title="By hand, and below zero",
    level=1,
    right=lambda: F.max_pool2d(X, 3, padding=1)[0],
    wants="rows of numbers as [[…, …], […, …]]",
    wrong=(
        Wrong(
            "zeros padded",
            [[0, 0], [0, 0]],
            "Every window reaches into the padding, and a zero is the largest number there. What fills it?",
        ),
        Wrong(
            "stride of one",
            lambda: F.max_pool2d(X, 3, 1, padding=1)[0],
            "The window moves by one cell. What is the stride where none is given?",
        ),
        Wrong(
            "padding forgotten",
            lambda: F.max_pool2d(X, 3)[0],
            "With one cell of padding around it, the input has room for more than one window.",
        ),
        Wrong(
            "mean instead of maximum",
            lambda: F.avg_pool2d(X, 3, padding=1, count_include_pad=False)[0],
            "These are the means of the windows. The largest number is asked for.",
        ),
        Wrong(
            "largest without its sign",
            lambda: -F.max_pool2d(-X, 3, padding=1)[0],
            "These are the smallest numbers of the windows. Of -3 and -5, which one is larger?",
        ),
        Wrong(
            "signs dropped",
            lambda: F.max_pool2d(X, 3, padding=1)[0].abs(),
            "The places are right. The numbers keep their signs.",
        ),
    ),
)


# ---- 2: what a shift does ------------------------------------------------------------

SHIFT = Choice(
    id="pooling.2",
    title="One pixel to the right",
    level=1,
    right="c",
    because="a number that stays within its window changes nothing; one that crosses the border changes two.",
    wrong={
        "a": "Only as long as each large number stays within its window. What if it crosses the border?",
        "b": "The map moves by a cell when the image moves by a whole stride, which is two pixels here.",
        "d": "The mean changes too, whenever something crosses a window's border, and mostly more often.",
    },
)


# ---- 3: maximum pooling ------------------------------------------------------------

MAX_POOL = Function(
    id="pooling.3",
    title="Maximum pooling from scratch",
    level=2,
    right=max_pool,
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

LAST_WINDOW = Function(
    id="pooling.5",
    title="The last window",
    level=3,
    kind="predict",
    right=output_size,
    wants="a function that gives a whole number",
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

ANY_SIZE = Network(
    id="pooling.6",
    title="Images of any size",
    level=3,
    input_shape=(1, 28, 28),
    output_shape=(10,),
    max_params=2_000,
    rules=NETWORK_RULES,
)

EXERCISES = (BY_HAND, SHIFT, MAX_POOL, MEAN, LAST_WINDOW, ANY_SIZE)
