"""The receptive field: the cone of cells that an output cell depends on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import pairwise
from typing import NamedTuple, cast

from matplotlib.axes import Axes
from matplotlib.patches import Polygon

from d2lconv._arguments import IntOrPair, Sides, effective_size, integer
from d2lconv.plotting._cells import CELL, WIDTH, canvas, draw_cell, draw_line, short, write, write_below
from d2lconv.plotting.style import PALETTE
from d2lconv.shapes import Layer
from d2lconv.shapes.fields import AxisField, layer_settings
from d2lconv.shapes.sizes import output_sizes

__all__ = ["draw_receptive_field"]


class Step(NamedTuple):
    """A layer along one axis, the row of cells that it gives, and their receptive fields."""

    kernel: int
    stride: int
    dilation: int
    padding: str
    before: int
    cells: int
    field: AxisField

    def window(self, cell: int) -> range:
        """Return the cells of the row below that a cell sees; those outside are padding."""
        first = cell * self.stride - self.before
        return range(first, first + effective_size(self.kernel, self.dilation), self.dilation)

    def real(self, cells: set[int]) -> set[int]:
        """Return the cells that are not padding; the zeros of the padding depend on nothing."""
        return {cell for cell in cells if 0 <= cell < self.cells}

    def centre(self, cell: int) -> float:
        """Return the middle of what a cell sees of the input."""
        return self.field.start + cell * self.field.stride + (self.field.size - 1) / 2

    @property
    def settings(self) -> str:
        """The settings that differ from PyTorch's defaults, one on each line."""
        lines = [f"k={self.kernel}"]
        lines += [f"s={self.stride}"] * (self.stride > 1)
        lines += [f"p={self.padding}"] * (self.padding != "0")
        lines += [f"d={self.dilation}"] * (self.dilation > 1)
        return "\n".join(lines)


def draw_receptive_field(
    layers: Iterable[Layer | Sequence[IntOrPair]], input_size: int, *, cell: int | None = None
) -> Axes:
    """Draw the cone of cells that one output cell depends on, along one axis.

    The input is the row at the bottom. Above it stands one row for each layer, each cell over the middle of
    what it sees of the input; the bracket below spans the receptive field of the output cell, which may
    extend beyond the input. On the left are the settings of the layer between two rows: kernel size k,
    stride s, padding p and dilation d. On the right are the number n of cells in a row, the size r of their
    receptive fields and, if there are strides, the distance j from one field to the next. The last line
    computes the size of the field.

    Parameters
    ----------
    layers : iterable of Layer or tuple
        From input to output, as in `d2lconv.shapes.receptive_field`. Of a pair, the height is used.
    input_size : int
        Number of input cells. At least 1.
    cell : int, optional
        The output cell; the middle one if not given.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; input cell i has its centre at (i, 0).

    Raises
    ------
    TypeError
        If a setting is not made of integers.
    ValueError
        If there are no layers, a number is out of range, a kernel is larger than its padded input, or `cell`
        lies outside the output.

    See Also
    --------
    draw_effective_field : How strongly each input cell counts.

    Notes
    -----
    Introduced in: *Receptive field*.

    Examples
    --------
    >>> ax = draw_receptive_field([(3, 2), (3,)], input_size=11)
    >>> ax.texts[-1].get_text()
    'r = 1 + 2·1 + 2·2 = 7'
    >>> plt.close(ax.figure)
    """
    size = integer("input_size", input_size, 1)
    steps = _steps(layers, size)
    number = steps[-1].cells // 2 if cell is None else integer("cell", cell, 0)
    if number >= steps[-1].cells:
        raise ValueError(f"cell must be less than the {steps[-1].cells} output cells, got {cell}")
    seen = [{number}]
    for step in reversed(steps[1:]):
        seen.insert(0, {below for above in step.real(seen[0]) for below in step.window(above)})
    padded = [_padded(below, above) for below, above in pairwise(steps)]
    padded.append(range(steps[-1].cells))

    field = steps[-1].field
    first_cell = field.start + number * field.stride  # of the field
    strided = field.stride > 1
    ends = [step.centre(cell) for step, cells in zip(steps, padded, strict=True) for cell in cells]
    left, right = min(*ends, first_cell) - 0.5, max(*ends, first_cell + field.size - 1) + 0.5
    margin, column = 0.6, 0.34  # inches
    numbers = 3 if strided else 2
    side = min(CELL, (WIDTH - margin - column * numbers - 0.1) / (right - left))
    pitch = max(2.2, 0.8 / side)  # from one row to the next
    top = -pitch * (len(steps) - 1)
    ax = canvas(
        left - margin / side,
        right + (column * numbers + 0.1) / side,
        top - 0.5 - 0.35 / side,
        0.5 + 0.2 / side,
        cell=side,
    )
    columns = [right + (column * (i + 0.5) + 0.05) / side for i in range(numbers)]
    for x, name in zip(columns, "nrj", strict=False):
        write(ax, top - 0.5 - 0.15 / side, x, name, colour="muted")
    for i, (step, cells) in enumerate(zip(steps, padded, strict=True)):
        row = -i * pitch
        for c in cells:
            role = "padding" if not 0 <= c < step.cells else "input" if i == 0 else "output"
            name = short(c) if side > 0.18 else ""  # too small to read
            draw_cell(ax, row, step.centre(c), name, role, marked=c in seen[i], size=10)
        for x, value in zip(columns, (step.cells, step.field.size, step.field.stride), strict=False):
            write(ax, row, x, str(value))
        if i:
            write(ax, row + pitch / 2, left - 0.2 / side, step.settings, size=10, ha="right")
            _draw_cone(ax, steps[i - 1], step, seen[i - 1], seen[i], row + pitch, row)
    near, far = 0.5 + 0.06 / side, 0.5 + 0.13 / side
    first, last = first_cell - 0.4, first_cell + field.size - 0.6
    draw_line(ax, [near, far, far, near], [first, first, last, last], colour="highlight", width=1.6)
    terms = "".join(
        f" + {above.dilation * (above.kernel - 1)}·{below.field.stride}" for below, above in pairwise(steps)
    )
    write_below(ax, f"r = 1{terms} = {field.size}")
    return ax


def _steps(layers: Iterable[Layer | Sequence[IntOrPair]], size: int) -> list[Step]:
    """Return the layers along the first axis; the input comes first, as a layer that changes nothing."""
    steps = [Step(1, 1, 1, "0", 0, size, AxisField())]
    for layer in layers:
        below = steps[-1]
        (k, _), (s, _), sides, (d, _) = layer_settings(layer, (below.cells,) * 2)
        before, after = cast(Sides, sides)[0]  # known, for the size is
        padding = Layer(*layer).padding
        if not isinstance(padding, str):
            padding = str(before) if before == after else f"{before},{after}"
        (cells,) = output_sizes((below.cells,), (k,), (s,), ((before, after),), (d,))
        steps.append(Step(k, s, d, padding, before, cells, below.field.through(k, s, before, d)))
    if len(steps) == 1:
        raise ValueError("layers must hold at least one layer, got none")
    return steps


def _padded(below: Step, above: Step) -> range:
    """Return the cells of a row with the padding that the next layer's windows reach."""
    return range(-above.before, max(below.cells, above.window(above.cells - 1)[-1] + 1))


def _draw_cone(
    ax: Axes, below: Step, above: Step, wide: set[int], narrow: set[int], row_below: float, row_above: float
) -> None:
    """Connect the marked cells of two rows."""
    narrow = above.real(narrow)
    if not narrow:
        return
    corners = [
        (above.centre(min(narrow)) - 0.5, row_above + 0.5),
        (above.centre(max(narrow)) + 0.5, row_above + 0.5),
        (below.centre(max(wide)) + 0.5, row_below - 0.5),
        (below.centre(min(wide)) - 0.5, row_below - 0.5),
    ]
    ax.add_patch(Polygon(corners, facecolor=PALETTE["highlight_tint"], linewidth=0, zorder=0))
    for cell in narrow:
        for seen in above.window(cell):
            columns = [above.centre(cell), below.centre(seen)]
            draw_line(ax, [row_above + 0.5, row_below - 0.5], columns, colour="highlight", width=0.8)
