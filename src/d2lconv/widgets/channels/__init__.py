"""An interactive figure of a convolution with channels: each input channel's share, their sum, the kernel."""

from __future__ import annotations

from typing import Any, cast

import torch
import traitlets
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from d2lconv import ops
from d2lconv.plotting import draw_channels, draw_grid
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles, renamed
from d2lconv.widgets.channels.numbers import LARGEST_KERNEL, MOST, SIDES, check_groups, fill, first_seen, read
from d2lconv.widgets.controls import checkbox, slider
from d2lconv.widgets.matrix import within

__all__ = ["channels_explorer"]

LIMITS = {
    "in_channels": (1, MOST),
    "out_channels": (1, MOST),
    "kernel_size": (1, LARGEST_KERNEL),
    "groups": (1, MOST),
}
SHAPES = {
    "input": ("shape (4, H, W), H and W from 3 to 5", [{MOST}, {*SIDES}, {*SIDES}]),
    "kernel": ("shape (4, 4, 3, 3)", [{MOST}, {MOST}, {LARGEST_KERNEL}, {LARGEST_KERNEL}]),
    "bias": ("shape (4,)", [{MOST}]),
}


class ChannelsView(View):
    """The channels of an input, the kernels of a layer, and how one output cell is added up from them.

    It holds numbers for four input and four output channels and shows as many as are set: a kernel smaller
    than 3×3 takes the first rows and columns, and groups leave out kernels. Groups that do not divide both
    numbers of channels can be set: the view then says why there is no output.

    Attributes
    ----------
    input : list
        The input channels, shape (4, H, W), with H and W from 3 to 5.
    kernel : list
        A kernel for each output and input channel, shape (4, 4, 3, 3).
    bias : list of float
        One number for each output channel, shape (4,).
    in_channels, out_channels, kernel_size, groups : int
        The layer that is shown.
    use_bias : bool
        Whether the bias is added.
    channel, last_channel : int
        The output channel that is explained, counted from 0, and the last that can be.
    cell : (int, int)
        Row and column of the output cell that is explained. If the output has become too small for it,
        the nearest is.
    """

    _esm = join_scripts("channels/view.js")
    _css = join_styles("shared/base.css", "channels/view.css")
    height = (51.3, 86.2)

    input = traitlets.Any([[[0.0] * 3] * 3] * MOST).tag(sync=True)
    kernel = traitlets.Any([[[[0.0] * 3] * 3] * MOST] * MOST).tag(sync=True)
    bias = traitlets.Any([0.0] * MOST).tag(sync=True)
    in_channels = traitlets.Int(1).tag(sync=True)
    out_channels = traitlets.Int(1).tag(sync=True)
    kernel_size = traitlets.Int(1).tag(sync=True)
    groups = traitlets.Int(1).tag(sync=True)
    use_bias = traitlets.Bool(True).tag(sync=True)
    channel = traitlets.Int(0).tag(sync=True)
    last_channel = traitlets.Int(0).tag(sync=True)
    cell = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)

    shown = renamed("shown", "channel", offset=1)

    def __init__(self, **traits: Any) -> None:
        super().__init__(**traits)
        self._keep_channel()
        self.observe(self._keep_channel, "out_channels")

    @traitlets.validate(*SHAPES)
    def _numbers(self, proposal: Any) -> Any:
        name = proposal["trait"].name
        allowed, sizes = SHAPES[name]

        def fits(shape: tuple[int, ...]) -> bool:
            return len(shape) == len(sizes) and all(
                size in allowed for size, allowed in zip(shape, sizes, strict=True)
            )

        try:
            return read(name, proposal["value"], allowed, fits).tolist()
        except ValueError as problem:
            raise traitlets.TraitError(str(problem)) from None

    @traitlets.validate(*LIMITS)
    def _in_range(self, proposal: Any) -> int:
        name = proposal["trait"].name
        return int(within(name, proposal["value"], *LIMITS[name]))

    @traitlets.validate("channel")
    def _there(self, proposal: Any) -> int:
        return int(within("channel", proposal["value"], 0, self.out_channels - 1))

    @traitlets.validate("cell")
    def _inside(self, proposal: Any) -> tuple[int, int]:
        row, column = proposal["value"]
        rows, columns = self.output_size()
        if not (0 <= row < rows and 0 <= column < columns):
            raise traitlets.TraitError(
                f"cell must lie inside the output of {rows}×{columns}, got {(row, column)}"
            )
        return row, column

    def output_size(self) -> tuple[int, int]:
        """Return how many rows and columns each output channel has."""
        rows, columns = len(self.input[0]), len(self.input[0][0])
        return rows - self.kernel_size + 1, columns - self.kernel_size + 1

    def tensors(self) -> tuple[Tensor, Tensor, Tensor | None]:
        """Return input, weight and bias of the layer that is shown, in the shapes that PyTorch takes.

        Raises
        ------
        ValueError
            If `groups` does not divide both numbers of channels.
        """
        c_i, c_o, k, groups = self.in_channels, self.out_channels, self.kernel_size, self.groups
        check_groups(c_i, c_o, groups)
        kernel = torch.tensor(self.kernel)[:, :, :k, :k]
        first = [first_seen(o, c_i, c_o, groups) for o in range(c_o)]
        weight = torch.stack([kernel[o, i : i + c_i // groups] for o, i in enumerate(first)])
        bias = torch.tensor(self.bias)[:c_o] if self.use_bias else None
        return torch.tensor(self.input)[:c_i], weight, bias

    def output(self) -> Tensor:
        """Return the output that is shown, shape (C_out, H_out, W_out); raises as `tensors` does."""
        X, weight, bias = self.tensors()
        return ops.conv2d(X, weight, bias, groups=self.groups)

    def _keep_channel(self, _: Any = None) -> None:
        """Go to the last output channel where the one that was shown is gone."""
        self.last_channel = self.out_channels - 1
        self.channel = min(self.channel, self.last_channel)


def channels_explorer(
    X: Any = None,
    K: Any = None,
    bias: Any = None,
    *,
    groups: int = 1,
    channel: int = 0,
    cell: tuple[int, int] = (0, 0),
) -> Figure:
    """Show a convolution with several input and output channels, one output cell after the other.

    Each input channel stands beside its slice of the kernel and what the two give; below, these parts and the
    bias are added up to one output channel. Hover, focus or click an output cell to move the window in all
    channels at once; the sums are written out. The whole kernel is laid out as a matrix of small kernels, a
    row for each output channel and a column for each input channel; another output channel takes another row.
    Groups leave out kernels, down to one for each output channel; with kernel size 1 the matrix is also shown
    at work on the channels of one pixel. All numbers can be edited.

    Parameters
    ----------
    X : Tensor, array or nested list, optional
        The input to begin with, shape ``(C_in, H, W)``: at most 4 channels, of 3×3 to 5×5 numbers. If not
        given, 4×4 numbers for as many channels as `K` and `groups` ask for, else for two.
    K : Tensor, array or nested list, optional
        The kernels to begin with, shape ``(C_out, C_in / groups, k, k)``, for at most 4 output channels and
        with k at most 3. If not given, 2×2 numbers for three output channels, or for one in each group.
    bias : Tensor, array or list, optional
        One number for each output channel, shape ``(C_out,)``. Without it a given `K` has no bias at first.
    groups : int
        Number of groups that the channels are divided into.
    channel : int
        The output channel that is explained first, counted from 0.
    cell : (int, int)
        Row and column of the output cell that is explained first, counted from 0.

    Returns
    -------
    ipywidgets.VBox
        The controls and the view. Its ``view`` has what is shown as traits (``in_channels``, ``groups``,
        ``kernel``, …): they can be read, set and observed.

    Raises
    ------
    ValueError
        If `X`, `K`, `bias` and `groups` are too large or do not fit together, or `channel` lies outside the
        output.

    See Also
    --------
    d2lconv.plotting.draw_channels : The same as a picture.

    Notes
    -----
    Values that cannot be shown, such as five channels or a cell outside the output, raise
    `traitlets.TraitError`, here and when a trait is set later. Channels that the sliders add to those given
    hold made-up numbers.

    Introduced in: *Channels*.

    Examples
    --------
    >>> figure = channels_explorer()
    >>> figure
    channels_explorer(2 → 3 channels, kernel 2×2, groups 1)
    >>> tuple(figure.view.output().shape)
    (3, 3, 3)
    >>> figure.view.in_channels = figure.view.groups = 3  # depthwise
    >>> [tuple(tensor.shape) for tensor in figure.view.tensors()]
    [(3, 4, 4), (3, 1, 2, 2), (3,)]
    """
    layer = fill(X, K, bias, groups)
    if not 0 <= channel < layer.out_channels:
        raise ValueError(f"channel must be from 0 to {layer.out_channels - 1}, got {channel}")
    view = ChannelsView(
        **layer._asdict(), groups=groups, use_bias=K is None or bias is not None, channel=channel
    )
    view.cell = cell

    shown = slider("Output channel shown", view.channel, 0, view.last_channel)
    return Figure(
        f"channels_explorer({view.in_channels} → {view.out_channels} channels, "
        f"kernel {view.kernel_size}×{view.kernel_size}, groups {groups})",
        view,
        {
            "in_channels": slider("Input channels", view.in_channels, *LIMITS["in_channels"]),
            "out_channels": slider("Output channels", view.out_channels, *LIMITS["out_channels"]),
            "kernel_size": slider("Kernel size", view.kernel_size, *LIMITS["kernel_size"]),
            "groups": slider("Groups", view.groups, *LIMITS["groups"]),
            "channel": shown,
            "use_bias": checkbox("Bias", view.use_bias),
        },
        picture=lambda: _draw(view),
        follow=[("last_channel", shown, "max")],
    )


def _draw(view: ChannelsView) -> Drawing:
    """Draw the view's state; where the groups are impossible, the first input channel and the reason."""
    try:
        X, weight, bias = view.tensors()
    except ValueError as problem:
        axes = draw_grid(view.input[0])
        axes.figure.text(0, -0.02, f"Not possible: {problem}", va="top")
        return cast(Drawing, axes.figure)
    row, column = (min(place, size - 1) for place, size in zip(view.cell, view.output_size(), strict=True))
    axes = draw_channels(X, weight, bias, groups=view.groups, channel=view.channel, cell=(row, column))
    return cast(Drawing, axes.figure)
