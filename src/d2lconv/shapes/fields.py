"""The theoretical receptive field of a stack of layers."""

from __future__ import annotations

import reprlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from d2lconv._arguments import IntOrPair, Padding, Sides, effective_size, padding_per_axis, per_axis
from d2lconv.shapes.sizes import output_sizes

__all__ = ["Layer", "ReceptiveField", "receptive_field"]


class Layer(NamedTuple):
    """The settings of a convolution or pooling layer that shape arithmetic needs.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Size of the kernel or window.
    stride : int or (int, int)
        Distance between two of its neighbouring positions.
    padding : int, (int, int), (int, int, int, int) or str
        Zeros on every side; on the sides of each axis; on (top, bottom, left, right); or a mode.
    dilation : int or (int, int)
        Distance between two neighbouring cells of the kernel.

    Examples
    --------
    >>> Layer(kernel_size=3, stride=2, padding=1)
    Layer(kernel_size=3, stride=2, padding=1, dilation=1)
    """

    kernel_size: IntOrPair
    stride: IntOrPair = 1
    padding: Padding = 0
    dilation: IntOrPair = 1


@dataclass(frozen=True)
class ReceptiveField:
    """The part of the input that one output cell depends on.

    Attributes
    ----------
    size : (int, int)
        Height and width in input cells; it can be larger than the input.
    stride : (int, int)
        How far the field moves, in input cells, from one output cell to the next.
    start : (int, int) or None
        Row and column of the first input cell in the field of output cell (0, 0); negative where the field
        begins in the padding. None where it depends on an input size that was not given.

    Examples
    --------
    >>> ReceptiveField(size=(5, 5), stride=(1, 1), start=(0, 0)).size
    (5, 5)
    """

    size: tuple[int, int]
    stride: tuple[int, int]
    start: tuple[int, int] | None


def receptive_field(
    layers: Iterable[Layer | Sequence[IntOrPair]], input_size: IntOrPair | None = None
) -> ReceptiveField:
    r"""Return the theoretical receptive field of a stack of layers.

    Going down the stack, layer :math:`i` widens the field by :math:`d_i(k_i-1)` steps of the strides below
    it, so :math:`r = 1 + \sum_i d_i (k_i - 1) \prod_{j<i} s_j`.

    Parameters
    ----------
    layers : iterable of Layer or tuple
        From input to output. A tuple is read as (kernel_size, stride, padding, dilation), where all but the
        first may be left out. Here, padding ``"same"`` may be strided: the output size is then the input
        size divided by the stride, rounded up, and the zeros are split evenly, the extra one after.
    input_size : int or (int, int), optional
        Size of the input. Only a strided ``"same"`` needs it, to know where its field starts.

    Returns
    -------
    ReceptiveField
        Its size, stride and start, each (height, width).

    Raises
    ------
    TypeError
        If a layer is neither a Layer nor a tuple, or a setting is not made of integers.
    ValueError
        If a number is too small, or with `input_size` given, a kernel is larger than its padded input.

    Notes
    -----
    For a network made of modules, and with branches, see `d2lconv.summary.summarize`.

    Source: Araujo, Norris and Sim, *Computing receptive fields of convolutional neural networks*, Distill
    (2019). Introduced in: *Receptive field*.

    Examples
    --------
    >>> receptive_field([Layer(3), Layer(3)])
    ReceptiveField(size=(5, 5), stride=(1, 1), start=(0, 0))
    >>> receptive_field([(5, 1, 2), (2, 2), (5, 1, 2)]).size
    (14, 14)
    """
    size = None if input_size is None else per_axis("input_size", input_size, 2, 1)
    rows = columns = AxisField()
    known = True
    for layer in layers:
        kernel, stride, padding, dilation = layer_settings(layer, size)
        known = known and padding is not None
        sides = padding or ((0, 0), (0, 0))
        if size is not None:
            size = output_sizes(size, kernel, stride, sides, dilation)
        rows, columns = (
            field.through(k, s, before, d)
            for field, k, s, (before, _), d in zip(
                (rows, columns), kernel, stride, sides, dilation, strict=True
            )
        )
    return ReceptiveField(
        (rows.size, columns.size),
        (rows.stride, columns.stride),
        (rows.start, columns.start) if known else None,
    )


class AxisField(NamedTuple):
    """A receptive field along one axis: of the input itself, unless said otherwise."""

    size: int = 1
    stride: int = 1
    start: int = 0

    def through(self, kernel_size: int, stride: int, before: int, dilation: int) -> AxisField:
        """Return the field after a layer with so much padding before its input."""
        return AxisField(
            self.size + dilation * (kernel_size - 1) * self.stride,
            self.stride * stride,
            self.start - before * self.stride,
        )


def layer_settings(
    layer: Layer | Sequence[IntOrPair], size: tuple[int, ...] | None
) -> tuple[tuple[int, ...], tuple[int, ...], Sides | None, tuple[int, ...]]:
    """Return kernel size, stride, padding and dilation along both axes of an input of some size.

    The padding is None where it depends on a size that is not known: in a strided ``"same"``.
    """
    if not isinstance(layer, Sequence) or isinstance(layer, str) or not 1 <= len(layer) <= 4:
        raise TypeError(
            "each of layers must be a Layer or a tuple of one to four settings (kernel_size, stride, "
            f"padding, dilation), got {reprlib.repr(layer)} of type {type(layer).__name__}; "
            "for a network made of modules, use d2lconv.summary.summarize"
        )
    settings = Layer(*layer)
    kernel = per_axis("kernel_size", settings.kernel_size, 2, 1)
    stride = per_axis("stride", settings.stride, 2, 1)
    dilation = per_axis("dilation", settings.dilation, 2, 1)
    if settings.padding != "same" or max(stride) == 1:
        return kernel, stride, padding_per_axis(settings.padding, kernel, stride, dilation), dilation
    if size is None:
        return kernel, stride, None, dilation
    sides = []
    for n, k, s, d in zip(size, kernel, stride, dilation, strict=True):
        rounded_up = -(-n // s)
        zeros = max((rounded_up - 1) * s + effective_size(k, d) - n, 0)
        sides.append((zeros // 2, zeros - zeros // 2))
    return kernel, stride, tuple(sides), dilation
