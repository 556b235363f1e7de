"""Exercises of the chapter *Feature maps and the receptive field*."""

from __future__ import annotations

from d2lconv.exercises._receptive_field import (
    NETWORK_RULES,
    SEEN_WRONG,
    SIZE,
    dilated,
    one_cell,
    some_layers,
    ways,
)
from d2lconv.exercises.kinds import Cases, Choice, Function, Network, Setting, Value, Wrong, numbers_named

__all__ = ["EXERCISES"]

# ---- 1: by hand, layer by layer ------------------------------------------------------------

BY_HAND = Value(
    id="receptive_field.1",
    title="The first layers of a large network",
    level=1,
    right=lambda: [
        last - first + 1
        for layers in ([(7, 2, 3, 1), (3, 2, 1, 1)], [(7, 2, 3, 1), (3, 2, 1, 1), (3, 1, 1, 1)])
        for first, last in [one_cell(layers, 0)]
    ],
    parts=("field after the pooling", "field after the last layer"),
    wants="two whole numbers",
    wrong=(
        Wrong(
            "kernel sizes added",
            (13, 25),
            "From the first to the last of 3 cells there are 2 steps: a layer adds (k - 1) times the jump.",
        ),
        Wrong(
            "own stride too early",
            (21, 29),
            "A stride does not widen the field of its own layer. Let the field grow first, then the jump.",
        ),
        Wrong(
            "strides forgotten",
            (9, 11),
            "A step in the second layer is two pixels of the image, since the first has stride 2.",
        ),
        Wrong(
            "pooling not counted",
            (7, 11),
            "A pooling layer looks at a window and moves with a stride, so it counts like a convolution.",
        ),
        Wrong(
            "only the stride of pooling counted",
            (7, 15),
            "The pooling layer also looks at 3 cells before it moves on.",
        ),
        Wrong(
            "stride of the layer below only",
            (11, 15),
            "The first number is right. Later the jump is the product of all strides below, not the last.",
        ),
        Wrong(
            "jump instead of size",
            (4, 4),
            "This is the jump, the distance between two neighbouring fields. How large is each field?",
        ),
        Wrong(
            "sizes multiplied",
            (21, 63),
            "Neighbouring windows overlap, so the field grows by a sum and not by a product.",
        ),
        Wrong(
            "cells of the layer below",
            (3, 3),
            "This is what a cell sees of the layer below. How many pixels of the image is that?",
        ),
    ),
)


# ---- 2: what makes a field larger ------------------------------------------------------------

LARGER = Choice(
    id="receptive_field.2",
    title="What widens the view",
    level=1,
    right="d",
    because="a stride multiplies what all later layers add: the field grows from 7 to 1 + 2 + 4 + 4 = 11.",
    wrong={
        "a": "Padding moves the field, into the zeros around the image. Its size stays the same.",
        "b": "A cell sees all channels anyway. More of them make it cleverer, but it sees no further.",
        "c": "The last layer's own cells see what they saw before; they only lie further apart.",
        "e": "A 1×1 layer adds d·(k - 1) = 0 cells, wherever it stands.",
    },
)


# ---- 3: first and last pixel ------------------------------------------------------------

SEEN = Function(
    id="receptive_field.3",
    title="From the first pixel to the last",
    level=2,
    kind="predict",
    right=one_cell,
    wants="a function that gives two whole numbers",
    cases=Cases(
        some_layers,
        cell=range(5),
        number=range(1, 4),
        k=range(1, 5),
        s=range(1, 4),
        p=range(3),
        d=range(1, 4),
        turn=range(3),
        small=25,
        large=25,
    ),
    wrong=SEEN_WRONG,
)


# ---- 4: no gaps, nothing twice ------------------------------------------------------------

ONCE = Setting(
    id="receptive_field.4",
    title="Every cell once",
    level=2,
    wants="three dilations, whole numbers of at least 1",
    read=numbers_named("first", "second", "third", minimum=1),
    use=ways,
    right=lambda cell: 1 if cell < 27 else 0,
    cases=Cases(lambda draw, cell: (cell,), cell=range(40), small=40, large=0),
    wrong=(
        Wrong(
            "doubled dilations",
            dilated(1, 2, 4),
            "With doubling there are no gaps, but some cells are reached by two ways: the field has 15 cells "
            "for 27 ways.",
        ),
        Wrong(
            "no dilation",
            dilated(1, 1, 1),
            "The 27 ways share 7 cells. Let the layers reach further apart.",
        ),
        Wrong(
            "the same dilation",
            dilated(3, 3, 3),
            "The same dilation in all layers leaves gaps, and in between cells are reached by several ways.",
        ),
        Wrong(
            "dilations counted up",
            dilated(1, 2, 3),
            "After the first layer a cell stands for 3 cells side by side. How far away do the next 3 begin?",
        ),
        Wrong(
            "third layer too close",
            dilated(1, 3, 6),
            "Two layers are right: they see 9 cells, each once. How far away must the next 9 begin?",
        ),
        Wrong(
            "dilations tripled from 3",
            dilated(3, 9, 27),
            "Each way leads to another cell, but there are gaps. Which cells does the first layer leave out?",
        ),
        Wrong(
            "reach instead of dilation",
            dilated(3, 5, 7),
            "These look like sizes. A dilation is the distance from one cell of the kernel to the next.",
        ),
    ),
)


# ---- 5: all of the image ------------------------------------------------------------

WIDE_VIEW = Network(
    id="receptive_field.5",
    title="Nearly the whole image in four layers",
    level=3,
    input_shape=(1, SIZE, SIZE),
    output_shape=(4, SIZE, SIZE),
    max_params=500,
    rules=NETWORK_RULES,
)

EXERCISES = (BY_HAND, LARGER, SEEN, ONCE, WIDE_VIEW)
