"""Exercises of the chapter *Feature maps and the receptive field*."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

from torch import nn

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
    Setting,
    Value,
    numbers_named,
)

__all__ = ["EXERCISES"]


# ---- 1: by hand, layer by layer ------------------------------------------------------------


Layers = list[tuple[int, int, int, int]]


def one_cell(layers: Layers, cell: int) -> tuple[int, int]:
    """Follow the cells that are looked at from layer to layer, one by one."""
    cells = {cell}
    for k, s, p, d in reversed(layers):
        cells = {one * s - p + step * d for one in cells for step in range(k)}
    return min(cells), max(cells)


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
    answer_description="two whole numbers",
    wrong=(
        Misconception(
            "kernel sizes added",
            (13, 25),
            "From the first to the last of 3 cells there are 2 steps: a layer adds (k - 1) times the jump.",
        ),
        Misconception(
            "own stride too early",
            (21, 29),
            "A stride does not widen the field of its own layer. Let the field grow first, then the jump.",
        ),
        Misconception(
            "strides forgotten",
            (9, 11),
            "A step in the second layer is two pixels of the image, since the first has stride 2.",
        ),
        Misconception(
            "pooling not counted",
            (7, 11),
            "A pooling layer looks at a window and moves with a stride, so it counts like a convolution.",
        ),
        Misconception(
            "only the stride of pooling counted",
            (7, 15),
            "The pooling layer also looks at 3 cells before it moves on.",
        ),
        Misconception(
            "stride of the layer below only",
            (11, 15),
            "The first number is right. Later the jump is the product of all strides below, not the last.",
        ),
        Misconception(
            "jump instead of size",
            (4, 4),
            "This is the jump, the distance between two neighbouring fields. How large is each field?",
        ),
        Misconception(
            "sizes multiplied",
            (21, 63),
            "Neighbouring windows overlap, so the field grows by a sum and not by a product.",
        ),
        Misconception(
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
        "b": "A cell sees all channels anyway. More of them let it recognise more, but it sees no further.",
        "c": "The last layer's own cells see what they saw before; they only lie further apart.",
        "e": "A 1×1 layer adds d·(k - 1) = 0 cells, wherever it stands.",
    },
)


# ---- 3: first and last pixel ------------------------------------------------------------


def some_layers(
    draw: RandomInputs, cell: int, number: int, k: int, s: int, p: int, d: int, turn: int
) -> tuple[Layers, int]:
    """Make layers, of which the first has these settings and later ones have settings a little different."""
    layers = [(k, s, p, d)]
    for step in range(1, number):
        layers.append((1 + (k + step + turn) % 3, 1 + (s + turn) % 2, (p + step) % 2, 1 + (d + turn) % 2))
    return layers, cell


def with_each_layer(change: Callable[..., tuple[int, int, int, int]]) -> Callable[..., object]:
    """Make a misconception that takes each layer for another one."""
    return lambda layers, cell: one_cell([change(*layer) for layer in layers], cell)


def by_formula(layers: Layers, cell: int, *, stride_first: bool = False, jump_padding: bool = True) -> object:
    """Compute first and last cell from size, jump and start, with one fault or another."""
    r, j, start = 1, 1, 0
    for k, s, p, d in layers:
        if stride_first:
            j *= s
        r += d * (k - 1) * j
        start -= p * j if jump_padding else p
        if not stride_first:
            j *= s
    return start + cell * j, start + cell * j + r - 1


SEEN_WRONG = (
    Misconception(
        "dilation forgotten",
        with_each_layer(lambda k, s, p, d: (k, s, p, 1)),
        "The cells of a dilated kernel are d cells apart, so it covers more than k cells.",
    ),
    Misconception(
        "padding forgotten",
        with_each_layer(lambda k, s, p, d: (k, s, 0, d)),
        "With padding the first window begins before the row below, and so do all others.",
    ),
    Misconception(
        "strides forgotten",
        with_each_layer(lambda k, s, p, d: (k, 1, p, d)),
        "Cell 1 looks s cells further than cell 0. The strides are not used.",
    ),
    Misconception(
        "padding in the wrong direction",
        with_each_layer(lambda k, s, p, d: (k, s, -p, d)),
        "Padding moves the windows to lower cells, not to higher ones.",
    ),
    Misconception(
        "kernel size not less one",
        with_each_layer(lambda k, s, p, d: (k + 1, s, p, d)),
        "From the first to the last of k cells there are k - 1 steps.",
    ),
    Misconception(
        "size of a dilated kernel wrong",
        with_each_layer(lambda k, s, p, d: (d * k, s, p, 1)),
        "A kernel of 3 with dilation 2 covers 5 cells, not 6: count the steps between its cells.",
    ),
    Misconception(
        "layers in the wrong order",
        lambda layers, cell: one_cell(layers[::-1], cell),
        "The layers are taken from the wrong end. The cell belongs to the last one.",
    ),
    Misconception(
        "own stride too early",
        lambda layers, cell: by_formula(layers, cell, stride_first=True),
        "A layer's own stride is applied too early. It moves windows apart, and makes none of them wider.",
    ),
    Misconception(
        "padding not in input cells",
        lambda layers, cell: by_formula(layers, cell, jump_padding=False),
        "Padding counts cells of the row below. In a later layer one of those is several cells of the input.",
    ),
    Misconception(
        "last cell excluded",
        lambda layers, cell: (one_cell(layers, cell)[0], one_cell(layers, cell)[1] + 1),
        "The first number is right. The second is one too far: it should be the last cell that is seen.",
    ),
    Misconception(
        "size instead of last cell",
        lambda layers, cell: (
            one_cell(layers, cell)[0],
            one_cell(layers, cell)[1] - one_cell(layers, cell)[0] + 1,
        ),
        "The first number is right. The second is the size of the field, not its last cell.",
    ),
    Misconception(
        "cut off at the border",
        lambda layers, cell: tuple(max(0, one) for one in one_cell(layers, cell)),
        "Cells in the padding count here too: they have numbers below 0.",
    ),
    Misconception(
        "first cell cut off at the border",
        lambda layers, cell: (max(0, one_cell(layers, cell)[0]), one_cell(layers, cell)[1]),
        "The second number is right. Cells in the padding count, so the first one may be below 0.",
    ),
    Misconception(
        "last layer only",
        lambda layers, cell: one_cell(layers[-1:], cell),
        "These are cells of the layer below. Follow them down to the input.",
    ),
)


SEEN = Function(
    id="receptive_field.3",
    title="From the first pixel to the last",
    level=2,
    kind="predict",
    right=one_cell,
    answer_description="a function that gives two whole numbers",
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
        large=24,
    ),
    wrong=SEEN_WRONG,
)


# ---- 4: no gaps, nothing twice ------------------------------------------------------------


def paths(dilations: dict[str, int], cell: int) -> int:
    """Count the paths from an input cell up to output cell 0, through three layers of 3 kernel cells."""
    reached = [0]
    for dilation in dilations.values():
        reached = [below + step * dilation for below in reached for step in range(3)]
    return reached.count(cell)


def dilated(*dilations: int) -> Callable[[int], int]:
    """Make a misconception from its dilations."""
    return lambda cell: paths(dict(zip("abc", dilations, strict=True)), cell)


ONCE = Setting(
    id="receptive_field.4",
    title="Every cell once",
    level=2,
    answer_description="three dilations, whole numbers of at least 1",
    read=numbers_named("first", "second", "third", minimum=1),
    use=paths,
    right=lambda cell: 1 if cell < 27 else 0,
    cases=Cases(lambda draw, cell: (cell,), cell=range(40), small=40, large=0),
    wrong=(
        Misconception(
            "doubled dilations",
            dilated(1, 2, 4),
            "With doubling there are no gaps, but some cells are reached by two paths: the field has 15 "
            "cells for 27 paths.",
        ),
        Misconception(
            "no dilation",
            dilated(1, 1, 1),
            "The 27 paths share 7 cells. Let the layers reach further apart.",
        ),
        Misconception(
            "the same dilation",
            dilated(3, 3, 3),
            "The same dilation in all layers leaves gaps, and in between cells are reached by several paths.",
        ),
        Misconception(
            "dilations counted up",
            dilated(1, 2, 3),
            "After the first layer a cell stands for 3 cells side by side. How far away do the next 3 begin?",
        ),
        Misconception(
            "third layer too close",
            dilated(1, 3, 6),
            "Two layers are right: they see 9 cells, each once. How far away must the next 9 begin?",
        ),
        Misconception(
            "dilations tripled from 3",
            dilated(3, 9, 27),
            "Each path leads to another cell, but with gaps. Which cells does the first layer leave out?",
        ),
        Misconception(
            "effective size instead of dilation",
            dilated(3, 5, 7),
            "These look like sizes. A dilation is the distance from one cell of the kernel to the next.",
        ),
        Misconception(
            "nothing side by side",
            dilated(2, 6, 18),
            "Each path leads to a cell of its own, but only every other cell is reached.",
        ),
        Misconception(
            "third layer too far",
            dilated(1, 3, 27),
            "The first two layers reach 9 cells side by side. The third one's next 9 begin too far away.",
        ),
        Misconception(
            "second layer too far",
            dilated(1, 4, 9),
            "The first layer reaches 3 cells side by side. The second one leaves a gap behind each 3.",
        ),
        Misconception(
            "second layer too close",
            dilated(1, 2, 5),
            "The first layer reaches 3 cells side by side. The second one's next 3 begin before these end.",
        ),
    ),
)


# ---- 5: all of the image ------------------------------------------------------------


SIZE, WIDE = 32, 31


MIDDLE = SIZE // 2


def kernels_too_large(model: nn.Module, done: Run) -> str:
    """Return the fault that a kernel or a pooling window is larger than 3×3."""
    largest = max((max(step.kernel_size) for step in done.rows if step.kernel_size), default=0)
    return f"a kernel has a side of {largest}, and at most 3 is allowed" if largest > 3 else ""


def too_many_layers(model: nn.Module, done: Run) -> str:
    """Return the fault that there are more than four convolutions."""
    number = sum(step.looks_around for step in done.steps("Conv2d", "ConvTranspose2d"))
    return f"{number} convolutions see neighbouring cells, and at most 4 are allowed" if number > 4 else ""


MIXING = ("mean", "sum", "amax", "amin", "max", "cumsum", "AdaptiveAvgPool2d", "AdaptiveMaxPool2d", "Linear")


def mixes_all(model: nn.Module, done: Run) -> str:
    """Return the fault that an operation mixes all cells of a map at once."""
    for before, step in pairwise(done.rows):
        if step.kind in MIXING and step.output_shape[2:] != before.output_shape[2:]:
            return f"an operation of the kind {step.kind} mixes all cells of a map"
    return ""


def seen(model: nn.Module) -> list[list[int]]:
    """Return which cells of the middle row, the middle column and a diagonal the middle depends on."""
    lines = [[(0, MIDDLE, n), (0, n, MIDDLE), (0, n, n)] for n in range(SIZE)]
    cells = [cell for line in zip(*lines, strict=True) for cell in line]
    found = dependence(model, (1, SIZE, SIZE), cells, (MIDDLE, MIDDLE)).any(1)
    return [line.nonzero().flatten().tolist() for line in found.reshape(3, SIZE)]


def field_too_small(model: nn.Module, done: Run) -> str:
    """Return how large the field is, where it is too small."""
    width, height, _ = (places[-1] - places[0] + 1 if places else 0 for places in seen(model))
    wanted = f"{WIDE}×{WIDE} is asked for"
    return "" if min(height, width) >= WIDE else f"the field of the middle cell is {height}×{width}; {wanted}"


def gaps(model: nn.Module, done: Run) -> str:
    """Return how many cells of a line through the field are never looked at."""
    for places in seen(model):
        missed = places[-1] - places[0] + 1 - len(places)
        if missed:
            return f"{missed} of the {places[-1] - places[0] + 1} cells in a line are never looked at"
    return ""


NETWORK_RULES = (
    Rule(
        "mixes all cells",
        mixes_all,
        "Only convolutions, and poolings up to 3×3, may look at other cells: widen the view layer by layer.",
    ),
    Rule(
        "kernels too large",
        kernels_too_large,
        "It must come from how the layers are stacked. What else widens a layer's view?",
    ),
    Rule(
        "too many layers",
        too_many_layers,
        "Plain layers of 3×3 add 2 cells each. Let the later layers add more.",
    ),
    Rule(
        "field too small",
        field_too_small,
        "Write down what each layer adds to the field: 30 or more in all. And no dilation may be so large "
        "that kernels fall into the padding of the maps in between.",
    ),
    Rule(
        "gaps in the field",
        gaps,
        "The field is wide enough, but the kernels' cells lie too far apart in the first layers.",
    ),
)


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
