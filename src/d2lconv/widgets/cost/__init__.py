"""An interactive figure of costs: one convolution built in three ways, and networks layer by layer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv._arguments import integer
from d2lconv.plotting import PALETTE
from d2lconv.summary import Summary
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles, renamed
from d2lconv.widgets.controls import checkbox, dropdown, slider
from d2lconv.widgets.cost.networks import NETWORKS, describe, summarize_network, three_ways
from d2lconv.widgets.matrix import within

__all__ = ["cost_explorer"]

CHANNELS = (1, 3, 8, 16, 32, 64, 128, 256, 512)
MOST_CHANNELS = 4096
MOST_ROWS = 40
LIMITS = {"kernel_size": (1, 7), "size": (4, 224), "picked": (0, MOST_ROWS - 1)}
INDICES = ("in_index", "out_index", "bottleneck_index")


class CostView(View):
    """Parameters and multiply-adds in a table, and the formula of one of its rows.

    Attributes
    ----------
    channels : list of int
        The numbers of channels to choose from.
    in_index, out_index, bottleneck_index : int
        Which of them the input, the output and the bottleneck have, counted from 0.
    kernel_size : int
        Rows and columns of the kernel.
    size : int
        Rows and columns of the image.
    bias : bool
        Whether convolutions have biases.
    networks : list of dict
        The networks to choose from, as described by `d2lconv.widgets.cost.networks`; without any, one layer
        is shown.
    network : int
        Which of them is shown, counted from 0.
    picked : int
        The row whose formula is written out, counted from 0; if there are fewer, the last.
    """

    _esm = join_scripts("cost/view.js")
    _css = join_styles("shared/base.css", "cost/view.css")
    height = (40.3, 54.8)

    channels = traitlets.List(traitlets.Int(), list(CHANNELS)).tag(sync=True)
    in_index = traitlets.Int(0).tag(sync=True)
    out_index = traitlets.Int(0).tag(sync=True)
    bottleneck_index = traitlets.Int(0).tag(sync=True)
    kernel_size = traitlets.Int(3).tag(sync=True)
    size = traitlets.Int(28).tag(sync=True)
    bias = traitlets.Bool(True).tag(sync=True)
    networks = traitlets.List(traitlets.Dict()).tag(sync=True)
    network = traitlets.Int(0).tag(sync=True)
    picked = traitlets.Int(0).tag(sync=True)

    inside_index = renamed("inside_index", "bottleneck_index")

    @classmethod
    def height_of(cls, state: Mapping[str, Any]) -> tuple[float, float]:
        """Return the height of the figure: a network has more rows than a layer."""
        return (57.4, 81.0) if state.get("networks") else cls.height

    @traitlets.validate(*LIMITS)
    def _in_range(self, proposal: Any) -> int:
        name = proposal["trait"].name
        return int(within(name, proposal["value"], *LIMITS[name]))

    @traitlets.validate("channels")
    def _countable(self, proposal: Any) -> list[int]:
        least = 1 + max(getattr(self, name) for name in INDICES)
        if len(proposal["value"]) < least:
            raise traitlets.TraitError(
                f"channels must hold at least {least} numbers, got {len(proposal['value'])}"
            )
        return [int(within("each of channels", number, 1, MOST_CHANNELS)) for number in proposal["value"]]

    @traitlets.validate(*INDICES)
    def _listed(self, proposal: Any) -> int:
        return int(within(proposal["trait"].name, proposal["value"], 0, len(self.channels) - 1))

    @traitlets.validate("network")
    def _known(self, proposal: Any) -> int:
        return int(within("network", proposal["value"], 0, max(0, len(self.networks) - 1)))

    def summaries(self) -> dict[str, Summary]:
        """Return the summary of each way to build the layer, or of the network.

        Returns
        -------
        dict of str to Summary
            By name.

        Raises
        ------
        ValueError
            If the network does not take images of this size.
        """
        if self.networks:
            name = self.networks[self.network]["name"]
            return {name: summarize_network(name, self.size)}
        inputs, outputs, bottleneck = (self.channels[getattr(self, name)] for name in INDICES)
        return three_ways(inputs, outputs, bottleneck, self.kernel_size, self.size, self.bias)


def cost_explorer(
    in_channels: int = 32,
    out_channels: int = 128,
    kernel_size: int = 3,
    size: int | None = None,
    *,
    bottleneck: int | None = None,
    bias: bool = True,
    show: str = "layer",
) -> Figure:
    """Show what a layer or a network costs: parameters and multiply-adds, with the formulas filled in.

    One layer is shown three ways: as a full convolution, as a bottleneck (a 1×1 convolution to fewer
    channels, the k×k convolution, a 1×1 convolution back) and as a depthwise separable convolution. The
    stride is 1, and padding keeps the size of the image. Beside each number stands its ratio to that of the
    full convolution. A network is shown layer by layer, with the share of each in the whole. Point at a row,
    or pick it, to see how its numbers come about.

    Parameters
    ----------
    in_channels, out_channels : int
        Channels of the layer's input and output, from 1 to 4096. Of no use to a network.
    kernel_size : int
        Rows and columns of the layer's kernel, from 1 to 7. Of no use to a network.
    size : int, optional
        Rows and columns of the image, from 4 to 224. If not given, 28 for a layer, and what a network was
        made for.
    bottleneck : int, optional
        Channels inside the bottleneck; a quarter of the input's if not given. Of no use to a network.
    bias : bool
        Whether the layer's convolutions have biases. A depthwise convolution has none. Of no use to a
        network.
    show : {"layer", "LeNet", "VGG A", "VGG B", "VGG D", "VGG E"}
        One layer, or the network to begin with.

    Returns
    -------
    ipywidgets.VBox
        The controls and the view. Its ``view`` has what is shown as traits (``kernel_size``, ``size``, …):
        they can be read, set and observed.

    Raises
    ------
    TypeError
        If a number of channels is not an integer.
    ValueError
        If `show` is unknown, a number of channels is out of range, or the network does not take images of
        this size.

    Notes
    -----
    A multiply-add (MAC) is one product that is added to a sum; biases are counted in parameters and not in
    MACs, as in `d2lconv.summary.summarize`. Values that cannot be shown, such as a kernel size of 8, raise
    `traitlets.TraitError`, here and when a trait is set later. In the figure, a network that is chosen from
    the list brings its own image size along if it does not take the present one; any other size that it does
    not take is explained.

    Introduced in: *Depthwise separable convolution*.

    Examples
    --------
    >>> figure = cost_explorer(512, 512, kernel_size=3, size=14, bias=False)
    >>> figure
    cost_explorer(512 to 512 channels, 3×3, 14×14)
    >>> {name: summary.total_macs for name, summary in figure.view.summaries().items()}
    {'full 3×3': 462422016, 'bottleneck': 54591488, 'depthwise separable': 52283392}
    >>> cost_explorer(show="LeNet").view.summaries()["LeNet"].total_params
    61706
    """
    if show == "layer":
        return _layer_figure(in_channels, out_channels, kernel_size, size, bottleneck, bias)
    if show not in NETWORKS:
        raise ValueError(f"show must be 'layer' or one of {', '.join(map(repr, NETWORKS))}, got {show!r}")
    view = CostView(
        size=NETWORKS[show].size if size is None else size,
        networks=[describe(name) for name in NETWORKS],
        network=list(NETWORKS).index(show),
    )
    view.summaries()  # refuses images that the network does not take
    controls = {
        "network": dropdown("Network", list(NETWORKS), view.network),
        "size": slider("Image size", view.size, *LIMITS["size"]),
    }
    name = f"cost_explorer({show}, {view.size}×{view.size})"
    return Figure(name, view, controls, picture=lambda: _draw(view))


def _layer_figure(
    in_channels: int,
    out_channels: int,
    kernel_size: int,
    size: int | None,
    bottleneck: int | None,
    bias: bool,
) -> Figure:
    given = {"in_channels": in_channels, "out_channels": out_channels}
    given["bottleneck"] = (
        max(1, integer("in_channels", in_channels, 1) // 4) if bottleneck is None else bottleneck
    )
    wanted = [integer(name, number, 1) for name, number in given.items()]
    for name, number in zip(given, wanted, strict=True):
        if number > MOST_CHANNELS:
            raise ValueError(f"{name} must be at most {MOST_CHANNELS}, got {number}")
    channels = sorted({*CHANNELS, *wanted})
    indices = dict(zip(INDICES, map(channels.index, wanted), strict=True))
    view = CostView(
        channels=channels, kernel_size=kernel_size, size=28 if size is None else size, bias=bias, **indices
    )
    options = [str(number) for number in channels]
    names = ("Input channels", "Output channels", "Bottleneck channels")
    controls = {
        **{
            trait: dropdown(name, options, indices[trait]) for trait, name in zip(INDICES, names, strict=True)
        },
        "kernel_size": slider("Kernel size", view.kernel_size, *LIMITS["kernel_size"]),
        "size": slider("Image size", view.size, *LIMITS["size"]),
        "bias": checkbox("Bias", view.bias),
    }
    square = f"{kernel_size}×{kernel_size}, {view.size}×{view.size}"
    name = f"cost_explorer({in_channels} to {out_channels} channels, {square})"
    return Figure(name, view, controls, picture=lambda: _draw(view))


COSTS = {"Parameters": "kernel", "MACs": "output"}


def _draw(view: CostView) -> Drawing:
    """Draw the view's state: a bar and a number for each cost of each way or layer."""
    try:
        summaries = view.summaries()
    except ValueError as problem:
        figure = plt.figure(figsize=(5, 0.4))
        figure.text(0, 0.5, f"Not possible: {problem}", wrap=True)
        return figure
    if view.networks:
        (summary,) = summaries.values()
        rows = [row for row in summary.rows if row.kind.endswith(("Conv2d", "Pool2d", "Linear"))]
        names = [f"{i} {row.kind} {_times(row.output_shape)}" for i, row in enumerate(rows, start=1)]
        costs = {"Parameters": [row.params for row in rows], "MACs": [row.macs for row in rows]}
        whole = {"Parameters": summary.total_params, "MACs": summary.total_macs}
        title = f"{next(iter(summaries))}, {view.size}×{view.size}"
    else:
        names = list(summaries)
        costs = {
            "Parameters": [summary.total_params for summary in summaries.values()],
            "MACs": [summary.total_macs for summary in summaries.values()],
        }
        whole = {}
        inputs, outputs = (view.channels[index] for index in (view.in_index, view.out_index))
        title = f"{inputs} to {outputs} channels, {view.size}×{view.size}"
    figure = _draw_bars(title, names, costs, whole)
    picked = figure.axes[0].get_yticklabels()[min(view.picked, len(names) - 1)]
    picked.set(color=PALETTE["highlight"], fontweight="bold")
    return figure


def _draw_bars(title: str, names: list[str], costs: dict[str, list[int]], whole: dict[str, int]) -> Drawing:
    """Draw two columns, in each the numbers and to their right the bars."""
    figure, panels = plt.subplots(1, 2, sharey=True, figsize=(6.4, 0.7 + 0.27 * len(names)))
    for ax, (what, values) in zip(panels, costs.items(), strict=True):
        most = max(values)
        ax.barh(names, values, height=0.7, color=PALETTE[COSTS[what]])
        for row, value in enumerate(values):
            ax.text(-0.04 * most, row, f"{value:,}", ha="right", va="center", fontsize=9)
        total = f": {whole[what]:,}" if whole else ""
        ax.set_title(f"{what}{total}", fontsize=10, loc="left", color=PALETTE["ink"])
        ax.set_xlim(-most, most)
        ax.set_xticks([])
        ax.grid(visible=False)  # its lines would cross the numbers
        ax.spines[:].set_visible(False)
        ax.tick_params(length=0, labelsize=9, labelcolor=PALETTE["ink"])
    panels[0].set_ylim(len(names) - 0.5, -0.5)
    figure.suptitle(title, fontsize=10)
    return figure


def _times(shape: tuple[int, ...] | None) -> str:
    return "×".join(map(str, shape or ()))
