"""An interactive figure of padding, stride and dilation: where a kernel fits, and in how many positions."""

from __future__ import annotations

from typing import Any, cast

import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv._arguments import IntOrPair, per_axis
from d2lconv.plotting import PALETTE, draw_coverage
from d2lconv.shapes import conv_output_size, padding_for
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles, renamed
from d2lconv.widgets.controls import checkbox, dropdown, slider
from d2lconv.widgets.matrix import within

__all__ = ["padding_explorer"]

MODES = ("numbers", "valid", "same", "full")
LIMITS = {"size": (1, 10), "kernel": (1, 5), "padding": (0, 12), "stride": (1, 4), "dilation": (1, 3)}
"""The least and most of each setting. FULL with the largest kernel and dilation needs all of the padding."""

_PAIRS = [f"{name}_{axis}" for name in LIMITS for axis in "hw"]


class PaddingView(View):
    """A padded input, the first and the last position of the kernel, and the output size as a formula.

    Attributes
    ----------
    size_h, size_w : int
        Height and width of the input.
    kernel_h, kernel_w, stride_h, stride_w, dilation_h, dilation_w : int
        The settings of the convolution along both axes.
    padding_h, padding_w : int
        Zeros per side. While a mode is chosen, the view writes here what it adds at the top and the left.
    mode : int
        0 for the numbers above; 1 to 3 for "valid", "same" and "full". In the view, a number that is changed
        ends the mode.
    lock_aspect : bool
        Whether, in the view, a change of the height also changes the width and the reverse.
    """

    _esm = join_scripts("padding/view.js")
    _css = join_styles("shared/base.css", "padding/view.css")
    height = (46.6, 70.5)

    size_h = traitlets.Int(5).tag(sync=True)
    size_w = traitlets.Int(5).tag(sync=True)
    kernel_h = traitlets.Int(3).tag(sync=True)
    kernel_w = traitlets.Int(3).tag(sync=True)
    padding_h = traitlets.Int(0).tag(sync=True)
    padding_w = traitlets.Int(0).tag(sync=True)
    stride_h = traitlets.Int(1).tag(sync=True)
    stride_w = traitlets.Int(1).tag(sync=True)
    dilation_h = traitlets.Int(1).tag(sync=True)
    dilation_w = traitlets.Int(1).tag(sync=True)
    mode = traitlets.Int(0).tag(sync=True)
    lock_aspect = traitlets.Bool(True).tag(sync=True)
    alike = renamed("alike", "lock_aspect")

    @traitlets.validate(*_PAIRS)
    def _in_range(self, proposal: Any) -> int:
        name = proposal["trait"].name
        return int(within(name, proposal["value"], *LIMITS[name.rpartition("_")[0]]))

    @traitlets.validate("mode")
    def _known(self, proposal: Any) -> int:
        return int(within("mode", proposal["value"], 0, len(MODES) - 1))

    def pair(self, name: str) -> tuple[int, int]:
        """Return a setting for height and width."""
        return getattr(self, f"{name}_h"), getattr(self, f"{name}_w")

    def arguments(self) -> dict[str, Any]:
        """Return the settings as `d2lconv.shapes.conv_output_size` takes them."""
        padding = MODES[self.mode] if self.mode else self.pair("padding")
        return {"stride": self.pair("stride"), "padding": padding, "dilation": self.pair("dilation")}


def padding_explorer(
    size: IntOrPair = 5,
    kernel_size: IntOrPair = 3,
    *,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
    dilation: IntOrPair = 1,
) -> Figure:
    """Show where a kernel fits on a padded input, and compute the size of the output.

    Each cell of the padded input says how many windows hold it; zeros have dotted borders, cells that no
    window reaches are hatched and have a ``×``. Frames show the first and the last position of the kernel.
    Hover or focus an output cell to see its window, and an input cell to see which outputs use it. The
    formula stands above with its numbers, for height and width. Where no output is possible, a message says
    why.

    Parameters
    ----------
    size : int or (int, int)
        Height and width of the input to begin with, from 1 to 10.
    kernel_size : int or (int, int)
        Size of the kernel, from 1 to 5.
    stride : int or (int, int)
        Distance between two neighbouring positions of the kernel, from 1 to 4.
    padding : int, (int, int) or str
        Zeros on every side or on the sides of each axis, from 0 to 12; or ``"valid"``, ``"same"`` (stride 1
        only) or ``"full"``.
    dilation : int or (int, int)
        Distance between two neighbouring kernel cells, from 1 to 3.

    Returns
    -------
    ipywidgets.VBox
        The controls and the view. Its ``view`` has what is shown as traits (``size_h``, ``size_w``,
        ``kernel_h``, …): they can be read, set and observed.

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If the padding mode is unknown, or the kernel is larger than the padded input.

    Notes
    -----
    Numbers out of the ranges above raise `traitlets.TraitError`, here and when a trait is set later.

    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> figure = padding_explorer(8, 3, stride=2, padding=1)
    >>> figure
    padding_explorer(8×8 to 4×4)
    >>> figure.view.kernel_h, figure.view.stride_w
    (3, 2)
    """
    pairs = {
        "size": per_axis("size", size, 2, 1),
        "kernel": per_axis("kernel_size", kernel_size, 2, 1),
        "stride": per_axis("stride", stride, 2, 1),
        "dilation": per_axis("dilation", dilation, 2, 1),
    }
    settings: dict[str, Any] = {"stride": pairs["stride"], "padding": padding, "dilation": pairs["dilation"]}
    rows, columns = conv_output_size(pairs["size"], pairs["kernel"], **settings)
    if isinstance(padding, str):
        top, _, left, _ = padding_for(cast(Any, padding), pairs["kernel"], dilation=pairs["dilation"])
        pairs["padding"] = top, left
    else:
        pairs["padding"] = per_axis("padding", padding, 2, 0)
    numbers = {f"{name}_{axis}": pair[i] for name, pair in pairs.items() for i, axis in enumerate("hw")}
    view = PaddingView(
        **numbers,
        mode=MODES.index(padding) if isinstance(padding, str) else 0,
        lock_aspect=all(h == w for h, w in pairs.values()),
    )
    controls = {
        trait: slider(
            f"{name.capitalize()} {'height' if axis == 'h' else 'width'}".replace("Size", "Input"),
            getattr(view, trait),
            *LIMITS[name],
        )
        for trait in _PAIRS
        for name, _, axis in [trait.partition("_")]
    }
    h, w = view.pair("size")
    return Figure(
        f"padding_explorer({h}×{w} to {rows}×{columns})",
        view,
        {
            "mode": dropdown("Padding", ["in numbers", "VALID", "SAME", "FULL"], view.mode),
            "lock_aspect": checkbox("Width as height", view.lock_aspect),
            **controls,
        },
        picture=lambda: _draw(view),
    )


def _draw(view: PaddingView) -> Drawing:
    """Draw the view's state, or why there is no output."""
    try:
        axes = draw_coverage(view.pair("size"), view.pair("kernel"), **view.arguments())
    except ValueError as error:
        figure = plt.figure(figsize=(5, 1.2))
        figure.text(0.5, 0.5, str(error), color=PALETTE["ink"], ha="center", va="center", wrap=True)
        return figure
    return cast(Drawing, axes.figure)
