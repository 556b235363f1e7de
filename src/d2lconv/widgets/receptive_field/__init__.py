"""An interactive figure of receptive fields: what one output cell sees of the input, by how many paths."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, cast

import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv.plotting import draw_receptive_field
from d2lconv.shapes import Layer, conv_output_size
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles
from d2lconv.widgets.controls import slider
from d2lconv.widgets.matrix import within

__all__ = ["receptive_field_explorer"]

LARGEST_INPUT = 40
MOST_LAYERS = 6
LIMITS = {"kernel_size": 7, "stride": 4, "dilation": 8}
LAYERS = ((3,), (3, 2), (3,))
PLAIN = [3, 1, 1]

Settings = list[list[int]]


class ReceptiveFieldView(View):
    """Rows of cells along one axis, from the input up, and the cone below one output cell.

    Attributes
    ----------
    input_size : int
        Number of input cells.
    layers : list of list of int
        Kernel size, stride and dilation of six layers, from the input up. Where fewer are given, the others
        have kernel size 3.
    depth : int
        How many of them are used.
    cell, last : int
        The output cell whose cone is shown, and the number of the last one; the first is 0.
    """

    _esm = join_scripts("receptive_field/view.js")
    _css = join_styles("shared/base.css", "receptive_field/view.css")
    height = (54.7, 62.4)

    input_size = traitlets.Int(24).tag(sync=True)
    layers = traitlets.Any([PLAIN] * MOST_LAYERS).tag(sync=True)
    depth = traitlets.Int(1).tag(sync=True)
    cell = traitlets.Int(0).tag(sync=True)
    last = traitlets.Int(LARGEST_INPUT).tag(sync=True)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._count()
        self.observe(self._count, ["input_size", "layers", "depth"])

    @property
    def stack(self) -> list[Layer]:
        """The layers in use."""
        return [Layer(k, s, 0, d) for k, s, d in self.layers[: self.depth]]

    @property
    def fitting(self) -> list[Layer]:
        """The layers in use up to the first that does not fit on the row below it."""
        return self._climb()[0]

    @traitlets.validate("input_size")
    def _drawable(self, proposal: Any) -> int:
        return int(within("input_size", proposal["value"], 1, LARGEST_INPUT))

    @traitlets.validate("depth")
    def _some(self, proposal: Any) -> int:
        return int(within("depth", proposal["value"], 1, MOST_LAYERS))

    @traitlets.validate("cell")
    def _inside(self, proposal: Any) -> int:
        return int(within("cell", proposal["value"], 0, self.last))

    @traitlets.validate("layers")
    def _settings(self, proposal: Any) -> Settings:
        value = proposal["value"]
        if not _is_sequence(value) or not 1 <= len(value) <= MOST_LAYERS:
            raise traitlets.TraitError(f"layers must hold from 1 to {MOST_LAYERS} layers, got {value!r}")
        given = [_three(number, layer) for number, layer in enumerate(value, start=1)]
        return given + [list(PLAIN)] * (MOST_LAYERS - len(given))

    def _climb(self) -> tuple[list[Layer], int]:
        """Return the layers that fit, and the number of cells of the last of them."""
        fitting: list[Layer] = []
        cells = self.input_size
        for k, s, d in self.layers[: self.depth]:
            try:
                cells = conv_output_size(cells, k, stride=s, dilation=d)
            except ValueError:
                break
            fitting.append(Layer(k, s, 0, d))
        return fitting, cells

    def _count(self, _: Any = None) -> None:
        fitting, cells = self._climb()
        if len(fitting) == self.depth:
            self.cell = min(self.cell, cells - 1)
            self.last = cells - 1


def receptive_field_explorer(
    layers: Iterable[Layer | Sequence[int]] = LAYERS, input_size: int = 24, *, cell: int | None = None
) -> Figure:
    """Show what one output cell of a stack of layers sees of the input, along one axis.

    The input is the row at the bottom, each layer's row stands above it; lines connect a cell to those that
    it is computed from. Point at an output cell to see its cone, or walk the output with the arrow keys. In
    the table, kernel size, stride and dilation of each layer can be changed; beside them stand what the layer
    adds to the receptive field, the size r of the field, the jump j from one field to the next and the number
    n of cells. The bars below show the effective field: which fraction of all paths from the output cell down
    to the input leads to each input cell.

    Parameters
    ----------
    layers : iterable of Layer or tuple
        From input to output, one to six of them, as in `d2lconv.shapes.receptive_field`: kernel size (at most
        7), stride (at most 4), padding (only 0) and dilation (at most 8).
    input_size : int
        Number of input cells, at most 40.
    cell : int, optional
        The output cell; the middle one if not given.

    Returns
    -------
    Figure
        Sliders and the view, to be shown as the last line of a cell.

    Raises
    ------
    ValueError
        If there are no layers or more than six, a layer has padding or does not fit, or `cell` lies outside
        the output.

    See Also
    --------
    d2lconv.plotting.draw_receptive_field : The same as a picture, with padding too.

    Notes
    -----
    Settings that cannot be shown, such as a stride of 5, raise `traitlets.TraitError`, here and when a trait
    is set later. A layer that does not fit on the row below it is explained in the figure.

    Introduced in: *Feature maps and the receptive field*.

    Examples
    --------
    >>> figure = receptive_field_explorer([(3, 2), (3,)], input_size=11)
    >>> figure
    receptive_field_explorer(2 layers, 11 input cells)
    >>> figure.view.last
    2
    >>> figure.view.depth = 1
    >>> figure.view.stack, figure.view.last
    ([Layer(kernel_size=3, stride=2, padding=0, dilation=1)], 4)
    """
    stack = [Layer(*layer) for layer in layers]
    if not 1 <= len(stack) <= MOST_LAYERS:
        raise ValueError(f"layers must hold from 1 to {MOST_LAYERS} layers, got {len(stack)}")
    for number, layer in enumerate(stack, start=1):
        if layer.padding != 0:
            raise ValueError(f"padding must be 0, got {layer.padding!r} in layer {number}")
    view = ReceptiveFieldView(
        input_size=input_size,
        layers=[[layer.kernel_size, layer.stride, layer.dilation] for layer in stack],
        depth=len(stack),
    )
    fitting, cells = view._climb()
    if len(fitting) < len(stack):
        k, s, d = view.layers[len(fitting)]
        conv_output_size(cells, k, stride=s, dilation=d)  # says why it does not fit
    if cell is not None and not 0 <= cell < cells:
        raise ValueError(f"cell must be from 0 to {cells - 1}, got {cell}")
    view.cell = cells // 2 if cell is None else cell

    chosen = slider("Output cell", view.cell, 0, view.last)
    return Figure(
        f"receptive_field_explorer({len(stack)} layers, {input_size} input cells)",
        view,
        {
            "depth": slider("Layers", view.depth, 1, MOST_LAYERS),
            "input_size": slider("Input cells", view.input_size, 1, LARGEST_INPUT),
            "cell": chosen,
        },
        picture=lambda: _draw(view),
        follow=[("last", chosen, "max")],
    )


def _three(number: int, layer: Any) -> list[int]:
    """Return kernel size, stride and dilation of a layer, or say what is wrong with them."""
    given = list(layer) if _is_sequence(layer) else []
    if len(given) != len(LIMITS):
        raise traitlets.TraitError(f"layer {number} must be [kernel_size, stride, dilation], got {layer!r}")
    for (name, most), value in zip(LIMITS.items(), given, strict=True):
        if isinstance(value, bool) or not isinstance(value, int):
            raise traitlets.TraitError(f"{name} of layer {number} must be an integer, got {value!r}")
        within(f"{name} of layer {number}", value, 1, most)
    return given


def _is_sequence(value: object) -> bool:
    return isinstance(value, list | tuple)


def _draw(view: ReceptiveFieldView) -> Drawing:
    """Draw the view's state; where a layer does not fit, what is below it."""
    fitting = view.fitting
    cell = view.cell if len(fitting) == view.depth else None
    axes = draw_receptive_field(fitting or [Layer(1)], view.input_size, cell=cell)
    return cast(Drawing, axes.figure)
