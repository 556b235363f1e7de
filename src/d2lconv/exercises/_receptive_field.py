"""Oracles, cases and rules of the exercises of *Feature maps and the receptive field*."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

from d2lconv.exercises._measured import dependence
from d2lconv.exercises.kinds import Draw, Rule, Wrong
from d2lconv.summary import Summary

Layers = list[tuple[int, int, int, int]]
"""Kernel size, stride, padding and dilation of each layer, the first one first."""

# ---- what one cell sees, along one axis ------------------------------------------------------------


def some_layers(
    draw: Draw, cell: int, number: int, k: int, s: int, p: int, d: int, turn: int
) -> tuple[Layers, int]:
    """Make layers, of which the first has these settings and later ones have settings a little different."""
    layers = [(k, s, p, d)]
    for step in range(1, number):
        layers.append((1 + (k + step + turn) % 3, 1 + (s + turn) % 2, (p + step) % 2, 1 + (d + turn) % 2))
    return layers, cell


def one_cell(layers: Layers, cell: int) -> tuple[int, int]:
    """Follow the cells that are looked at from layer to layer, one by one."""
    cells = {cell}
    for k, s, p, d in reversed(layers):
        cells = {one * s - p + step * d for one in cells for step in range(k)}
    return min(cells), max(cells)


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
    Wrong(
        "dilation forgotten",
        with_each_layer(lambda k, s, p, d: (k, s, p, 1)),
        "The cells of a dilated kernel are d cells apart, so it reaches further than k cells.",
    ),
    Wrong(
        "padding forgotten",
        with_each_layer(lambda k, s, p, d: (k, s, 0, d)),
        "With padding the first window begins before the row below, and so do all others.",
    ),
    Wrong(
        "strides forgotten",
        with_each_layer(lambda k, s, p, d: (k, 1, p, d)),
        "Cell 1 looks s cells further than cell 0. The strides are not used.",
    ),
    Wrong(
        "padding the other way",
        with_each_layer(lambda k, s, p, d: (k, s, -p, d)),
        "Padding moves the windows to lower cells, not to higher ones.",
    ),
    Wrong(
        "kernel size not less one",
        with_each_layer(lambda k, s, p, d: (k + 1, s, p, d)),
        "From the first to the last of k cells there are k - 1 steps.",
    ),
    Wrong(
        "size of a dilated kernel wrong",
        with_each_layer(lambda k, s, p, d: (d * k, s, p, 1)),
        "A kernel of 3 with dilation 2 reaches over 5 cells, not 6: count the steps between its cells.",
    ),
    Wrong(
        "layers in the wrong order",
        lambda layers, cell: one_cell(layers[::-1], cell),
        "The layers are taken from the wrong end. The cell belongs to the last one.",
    ),
    Wrong(
        "own stride too early",
        lambda layers, cell: by_formula(layers, cell, stride_first=True),
        "A layer's own stride is applied too early. It moves windows apart, and makes none of them wider.",
    ),
    Wrong(
        "padding not in input cells",
        lambda layers, cell: by_formula(layers, cell, jump_padding=False),
        "Padding counts cells of the row below. In a later layer one of those is several cells of the input.",
    ),
    Wrong(
        "last cell excluded",
        lambda layers, cell: (one_cell(layers, cell)[0], one_cell(layers, cell)[1] + 1),
        "The first number is right. The second is one too far: it should be the last cell that is seen.",
    ),
    Wrong(
        "size instead of last cell",
        lambda layers, cell: (
            one_cell(layers, cell)[0],
            one_cell(layers, cell)[1] - one_cell(layers, cell)[0] + 1,
        ),
        "The first number is right. The second is the size of the field, not its last cell.",
    ),
    Wrong(
        "cut off at the border",
        lambda layers, cell: tuple(max(0, one) for one in one_cell(layers, cell)),
        "Cells in the padding count here too: they have numbers below 0.",
    ),
    Wrong(
        "last layer only",
        lambda layers, cell: one_cell(layers[-1:], cell),
        "These are cells of the layer below. Follow them down to the input.",
    ),
)


# ---- every cell once ------------------------------------------------------------


def ways(dilations: dict[str, int], cell: int) -> int:
    """Count the ways from an input cell up to output cell 0, through three layers of 3 kernel cells."""
    reached = [0]
    for dilation in dilations.values():
        reached = [below + step * dilation for below in reached for step in range(3)]
    return reached.count(cell)


def dilated(*dilations: int) -> Callable[[int], int]:
    """Make a misconception from its dilations."""
    return lambda cell: ways(dict(zip("abc", dilations, strict=True)), cell)


# ---- a network that sees everything ------------------------------------------------------------

SIZE, WIDE = 32, 31
MIDDLE = SIZE // 2


def convolutions(model: nn.Module) -> list[nn.Conv2d]:
    """Return the convolutions that look around."""
    found = [layer for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    return [layer for layer in found if layer.kernel_size != (1, 1)]


def kernels_too_large(model: nn.Module, summary: Summary) -> str:
    """Say that a kernel is larger than 3×3."""
    largest = max((max(map(int, layer.kernel_size)) for layer in convolutions(model)), default=0)
    return f"a kernel has a side of {largest}, and at most 3 is allowed" if largest > 3 else ""


def too_many_layers(model: nn.Module, summary: Summary) -> str:
    """Say that there are more than four convolutions."""
    number = len(convolutions(model))
    return f"{number} convolutions look around, and at most 4 are allowed" if number > 4 else ""


def seen(model: nn.Module) -> list[list[int]]:
    """Tell which cells of the middle row, the middle column and a diagonal the middle depends on."""
    lines = [[(0, MIDDLE, n), (0, n, MIDDLE), (0, n, n)] for n in range(SIZE)]
    cells = [cell for line in zip(*lines, strict=True) for cell in line]
    found = dependence(model, (1, SIZE, SIZE), cells, (MIDDLE, MIDDLE)).any(1)
    return [line.nonzero().flatten().tolist() for line in found.reshape(3, SIZE)]


def field_too_small(model: nn.Module, summary: Summary) -> str:
    """Say how large the field is, where it is too small."""
    width, height, _ = (places[-1] - places[0] + 1 if places else 0 for places in seen(model))
    wanted = f"{WIDE}×{WIDE} is asked for"
    return "" if min(height, width) >= WIDE else f"the field of the middle cell is {height}×{width}; {wanted}"


def gaps(model: nn.Module, summary: Summary) -> str:
    """Say how many cells of a line through the field are never looked at."""
    for places in seen(model):
        missed = places[-1] - places[0] + 1 - len(places)
        if missed:
            return f"{missed} of the {places[-1] - places[0] + 1} cells in a line are never looked at"
    return ""


NETWORK_RULES = (
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
        "Write down what each layer adds to the field. They must add up to 30 or more.",
    ),
    Rule(
        "gaps in the field",
        gaps,
        "The field is wide enough, but the kernels' cells lie too far apart in the first layers.",
    ),
)
