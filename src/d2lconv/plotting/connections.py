"""Which output channel sees which input channel, and how many weights that takes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from matplotlib.axes import Axes

from d2lconv._arguments import IntOrPair, channels_seen, integer, per_axis
from d2lconv.plotting._cells import canvas, draw_cell, draw_line, write

__all__ = ["draw_connections", "draw_separable"]

PITCH = 1.3
"""Distance between two channels of a column."""

STEP = 3.4
"""Distance between two columns of channels."""

GAP = 1.6
"""Distance between two pictures."""


class Stage(NamedTuple):
    """A convolution, as far as its connections go."""

    in_channels: int
    out_channels: int
    kernel: tuple[int, ...]
    groups: int

    @property
    def size(self) -> str:
        return "×".join(map(str, self.kernel))

    @property
    def product(self) -> str:
        """The number of weights as a product."""
        k_h, k_w = self.kernel
        return f"{k_h}·{k_w}·{self.in_channels // self.groups}·{self.out_channels}"

    @property
    def weights(self) -> int:
        return self.kernel[0] * self.kernel[1] * self.in_channels // self.groups * self.out_channels

    def seen(self, channel: int) -> range:
        """Return the input channels that an output channel sees."""
        return channels_seen(channel, self.in_channels, self.out_channels, self.groups)


def draw_connections(
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair = 3,
    *,
    groups: int | Sequence[int] = 1,
    channel: int = 0,
) -> Axes:
    """Draw which output channel sees which input channel, and count the weights.

    Input channels stand on the left, output channels on the right; each line is one slice of a kernel. The
    lines of one output channel are marked. Below stands the number of weights: the kernel's sides times the
    input channels of a group times the output channels.

    Parameters
    ----------
    in_channels, out_channels : int
        Number of channels. At least 1; more than about eight can't be distinguished.
    kernel_size : int or (int, int)
        Size of the kernel. At least 1.
    groups : int or sequence of int
        Number of groups that the channels are divided into; with several numbers, one picture for each.
    channel : int
        The output channel to mark.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell.

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is too small, `groups` is empty or does not divide both numbers of channels, or there is
        no such `channel`.

    See Also
    --------
    draw_separable : A depthwise and a pointwise convolution, one after the other.

    Notes
    -----
    Introduced in: *Depthwise separable convolution*.

    Examples
    --------
    >>> ax = draw_connections(4, 4, kernel_size=3, groups=(1, 2, 4))
    >>> [text.get_text() for text in ax.texts if "=" in text.get_text()]
    ['groups=1', '3·3·4·4 = 144', 'groups=2', '3·3·2·4 = 72', 'groups=4', '3·3·1·4 = 36']
    >>> plt.close(ax.figure)
    """
    numbers = groups if isinstance(groups, Sequence) else [groups]
    if not numbers:
        raise ValueError(f"groups must hold at least one number, got {groups!r}")
    stages = [_stage(in_channels, out_channels, kernel_size, number) for number in numbers]
    _check_channel(channel, out_channels)
    ax = _canvas([1] * len(stages), max(stages[0][:2]), top=-2.9)
    for i, stage in enumerate(stages):
        left = i * (STEP + 1 + GAP)
        write(ax, -2.3, left + STEP / 2, f"groups={stage.groups}")
        _draw_chain(ax, [stage], left, channel)
    return ax


def draw_separable(
    in_channels: int, out_channels: int, kernel_size: IntOrPair = 3, *, channel: int = 0
) -> Axes:
    """Draw a full convolution beside a depthwise and a pointwise one, and count the weights of both.

    Parameters
    ----------
    in_channels, out_channels : int
        Number of channels. At least 1; more than about eight can't be distinguished.
    kernel_size : int or (int, int)
        Size of the full and of the depthwise kernel. At least 1.
    channel : int
        The output channel to mark, with all that it sees.

    Returns
    -------
    matplotlib.axes.Axes
        The axes; one unit is one cell.

    Raises
    ------
    TypeError
        If an argument is not made of integers.
    ValueError
        If a number is too small, or there is no such `channel`.

    See Also
    --------
    draw_connections : Convolutions with any number of groups.

    Notes
    -----
    Introduced in: *Depthwise separable convolution*.

    Examples
    --------
    >>> ax = draw_separable(4, 6)
    >>> [text.get_text() for text in ax.texts if "=" in text.get_text()]
    ['3·3·4·6 = 216', '3·3·1·4 + 1·1·4·6 = 60']
    >>> plt.close(ax.figure)
    """
    full = _stage(in_channels, out_channels, kernel_size, 1)
    depthwise = _stage(in_channels, in_channels, kernel_size, in_channels)
    pointwise = _stage(in_channels, out_channels, 1, 1)
    _check_channel(channel, out_channels)
    ax = _canvas([1, 2], max(full[:2]), top=-1.8)
    _draw_chain(ax, [full], 0, channel)
    _draw_chain(ax, [depthwise, pointwise], STEP + 1 + GAP, channel)
    return ax


def _stage(in_channels: int, out_channels: int, kernel_size: IntOrPair, groups: int) -> Stage:
    stage = Stage(
        integer("in_channels", in_channels, 1),
        integer("out_channels", out_channels, 1),
        per_axis("kernel_size", kernel_size, 2, 1),
        integer("groups", groups, 1),
    )
    if stage.in_channels % stage.groups or stage.out_channels % stage.groups:
        raise ValueError(
            f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
        )
    return stage


def _check_channel(channel: int, out_channels: int) -> None:
    if integer("channel", channel, 0) >= out_channels:
        raise ValueError(f"channel must be less than out_channels={out_channels}, got {channel}")


def _canvas(stages: Sequence[int], channels: int, top: float) -> Axes:
    """Return axes for pictures with so many stages each, and so many channels at most."""
    right = sum(stages) * STEP + len(stages) + (len(stages) - 1) * GAP - 0.5
    return canvas(-0.7, right + 0.2, top, (channels - 1) * PITCH + 2.3)


def _draw_chain(ax: Axes, stages: Sequence[Stage], left: float, channel: int) -> None:
    """Draw convolutions one after the other, and below them the number of weights."""
    channels = [stages[0].in_channels, *(stage.out_channels for stage in stages)]
    marked = [{channel}]
    for stage in reversed(stages):
        marked.insert(0, {i for o in marked[0] for i in stage.seen(o)})

    bottom = ax.get_ylim()[0] - 2.3
    tops = [(bottom - (count - 1) * PITCH) / 2 for count in channels]
    for column, stage in enumerate(stages):
        x = left + column * STEP
        write(ax, -1.3, x + STEP / 2, stage.size)
        for o in range(stage.out_channels):
            strong = o in marked[column + 1]
            for i in stage.seen(o):
                draw_line(
                    ax,
                    [tops[column] + i * PITCH, tops[column + 1] + o * PITCH],
                    [x + 0.5, x + STEP - 0.5],
                    colour="highlight" if strong else "kernel",
                    width=2.2 if strong else 0.9,
                    above=strong,
                )
    for column, count in enumerate(channels):
        role = "input" if column == 0 else "output"
        for c in range(count):
            draw_cell(
                ax, tops[column] + c * PITCH, left + column * STEP, str(c), role, marked=c in marked[column]
            )
    products = " + ".join(stage.product for stage in stages)
    total = sum(stage.weights for stage in stages)
    write(ax, bottom + 1.6, left + len(stages) * STEP / 2, f"{products} = {total}")
