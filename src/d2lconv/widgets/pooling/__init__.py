"""An interactive figure of pooling: its settings, window by window, and what a shift of the input changes."""

from __future__ import annotations

from typing import Any, Literal, cast

import torch
import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv.data import load_digits
from d2lconv.plotting import draw_grid, draw_pooling
from d2lconv.shapes import pool_output_size
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles
from d2lconv.widgets.controls import checkbox, dropdown, slider
from d2lconv.widgets.matrix import Matrix, Rows, size, within

__all__ = ["pooling_explorer"]

LARGEST = 8
MODES = ("max", "avg")
LIMITS = {
    "mode_index": (0, 1),
    "kernel_size": (1, LARGEST + 1),
    "stride": (1, 4),
    "padding": (0, 2),
    "shift": (-2, 2),
}


class PoolingView(View):
    """Input and pooled output as grids of numbers; one window is explained.

    Settings that pooling does not allow together, such as a padding above half the window, can be set: the
    view then says why there is no output.

    Attributes
    ----------
    input : list of list of float
        The numbers that are pooled, before the shift.
    mode_index : int
        What a window gives: 0 for its maximum, 1 for its mean.
    kernel_size, stride, padding : int
        The window's size, its steps, and the padding on each side.
    ceil_mode : bool
        Whether a last window may hang over the end.
    shift : int
        By how many columns the input moves to the right; negative, to the left.
    cell : (int, int)
        Row and column of the output cell that is explained. If the output has become too small for it,
        the nearest is.
    """

    _esm = join_scripts("pooling/view.js")
    _css = join_styles("shared/base.css", "pooling/view.css")
    height = (41.0, 70.8)

    input = Matrix([[0.0]], largest=LARGEST).tag(sync=True)
    mode_index = traitlets.Int(0).tag(sync=True)
    kernel_size = traitlets.Int(2).tag(sync=True)
    stride = traitlets.Int(2).tag(sync=True)
    padding = traitlets.Int(0).tag(sync=True)
    ceil_mode = traitlets.Bool(False).tag(sync=True)
    shift = traitlets.Int(0).tag(sync=True)
    cell = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)

    @traitlets.validate(*LIMITS)
    def _in_range(self, proposal: Any) -> int:
        name = proposal["trait"].name
        return int(within(name, proposal["value"], *LIMITS[name]))

    @traitlets.validate("cell")
    def _inside(self, proposal: Any) -> tuple[int, int]:
        row, column = proposal["value"]
        try:
            rows, columns = self.output_size()
        except ValueError:  # there is no output at present
            rows, columns = len(self.input), len(self.input[0])
        if not (0 <= row < rows and 0 <= column < columns):
            raise traitlets.TraitError(
                f"cell must lie inside the output of {rows}×{columns}, got {(row, column)}"
            )
        return row, column

    def output_size(self) -> tuple[int, int]:
        """Return how many rows and columns the output has, or raise a ValueError that says why none."""
        return pool_output_size(
            (len(self.input), len(self.input[0])),
            self.kernel_size,
            stride=self.stride,
            padding=self.padding,
            ceil_mode=self.ceil_mode,
        )

    def shifted(self) -> Rows:
        """Return the input after the shift: zeros come in where it leaves."""
        columns = range(len(self.input[0]))
        return [
            [row[column - self.shift] if column - self.shift in columns else 0.0 for column in columns]
            for row in self.input
        ]


def pooling_explorer(
    X: Any = None,
    kernel_size: int = 2,
    *,
    mode: Literal["max", "avg"] = "max",
    stride: int | None = None,
    padding: int = 0,
    ceil_mode: bool = False,
    shift: int = 0,
    cell: tuple[int, int] = (0, 0),
) -> Figure:
    """Show pooling with any settings, and what it makes of a shift of the input.

    Input and output stand side by side; the window of one output cell is marked in the input, and its maximum
    or mean is written out. Hover, focus or click an output cell to see its window, and an input cell to see
    which outputs see it; the input's numbers can be edited. A slider moves the input by up to two columns:
    outputs and inputs that are not what they were are marked and counted.

    Parameters
    ----------
    X : Tensor, array or nested list, optional
        The input to begin with, shape ``(H, W)``, at most 8×8. A digit if not given.
    kernel_size : int
        Rows and columns of the window, from 1 to 9.
    mode : {"max", "avg"}
        What a window gives: its maximum or its mean.
    stride : int, optional
        Steps of the window, from 1 to 4; the window's size if not given.
    padding : int
        Cells on each side, from 0 to 2 and at most half the window: -∞ for the maximum, 0 for the mean.
    ceil_mode : bool
        Whether a last window may hang over the end.
    shift : int
        By how many columns the input is moved to the right, from -2 to 2.
    cell : (int, int)
        Row and column of the output cell that is explained first, counted from 0.

    Returns
    -------
    ipywidgets.VBox
        The controls and the view. Its ``view`` has what is shown as traits (``input``, ``kernel_size``,
        ``shift``, …): they can be read, set and observed.

    Raises
    ------
    ValueError
        If `mode` is unknown or pooling does not allow the settings together.

    Notes
    -----
    Values that cannot be shown, such as rows of different lengths or a cell outside the output, raise
    `traitlets.TraitError`, here and when a trait is set later.

    Introduced in: *Pooling*.

    Examples
    --------
    >>> figure = pooling_explorer([[0, 1, 2], [3, 4, 5], [6, 7, 8]], 2, stride=1)
    >>> figure
    pooling_explorer(max, input 3×3, window 2)
    >>> figure.view.output_size()
    (2, 2)
    >>> figure.view.shift = 1
    >>> figure.view.shifted()[0]
    [0.0, 0.0, 1.0]
    """
    if mode not in MODES:
        raise ValueError(f"mode must be 'max' or 'avg', got {mode!r}")
    view = PoolingView(
        input=(load_digits(size=8).train.images[0, 0] * 16).round() if X is None else X,
        mode_index=MODES.index(mode),
        kernel_size=kernel_size,
        stride=kernel_size if stride is None else stride,
        padding=padding,
        ceil_mode=ceil_mode,
        shift=shift,
    )
    view.output_size()
    view.cell = cell
    limits = {
        **LIMITS,
        "kernel_size": (1, max(view.kernel_size, len(view.input) + 1, len(view.input[0]) + 1)),
    }
    controls: dict[str, Any] = {
        "mode_index": dropdown("Pooling", ["maximum", "average"], view.mode_index),
        **{
            name: slider(description, getattr(view, name), *limits[name])
            for name, description in {
                "kernel_size": "Window",
                "stride": "Stride",
                "padding": "Padding",
                "shift": "Shift",
            }.items()
        },
    }
    controls["ceil_mode"] = checkbox("Keep last window (ceil_mode)", view.ceil_mode)
    return Figure(
        f"pooling_explorer({mode}, input {size(view.input)}, window {view.kernel_size})",
        view,
        controls,
        picture=lambda: _draw(view),
    )


def _draw(view: PoolingView) -> Drawing:
    """Draw the view's state; where the settings are impossible, the input and the reason."""
    X = torch.tensor(view.shifted())
    try:
        rows, columns = view.output_size()
    except ValueError as problem:
        axes = draw_grid(X)
        axes.figure.text(0, -0.02, f"Not possible: {problem}", va="top")
        return cast(Drawing, axes.figure)
    row, column = view.cell
    mode: Literal["max", "avg"] = "avg" if view.mode_index else "max"
    axes = draw_pooling(
        X,
        view.kernel_size,
        mode=mode,
        stride=view.stride,
        padding=view.padding,
        ceil_mode=view.ceil_mode,
        cell=(min(row, rows - 1), min(column, columns - 1)),
    )
    return cast(Drawing, axes.figure)
