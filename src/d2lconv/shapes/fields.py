"""The theoretical receptive field of a stack of layers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from d2lconv._arguments import Padding, Sides, Size, padding_per_axis, per_axis, span
from d2lconv.shapes.sizes import output_sizes

__all__ = ["Layer", "ReceptiveField", "receptive_field"]


class Layer(NamedTuple):
    """What shape arithmetic needs to know of a convolution or pooling layer.

    Parameters
    ----------
    kernel_size : int or (int, int)
        Size of the kernel or window.
    stride : int or (int, int)
        Distance between two of its places.
    padding : int, (int, int), (int, int, int, int) or str
        Zeros on every side; on the sides of each axis; on (top, bottom, left, right); or a mode.
    dilation : int or (int, int)
        Distance between two neighbouring cells of the kernel.

    Examples
    --------
    >>> Layer(kernel_size=3, stride=2, padding=1)
    Layer(kernel_size=3, stride=2, padding=1, dilation=1)
    """

    kernel_size: Size
    stride: Size = 1
    padding: Padding = 0
    dilation: Size = 1


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
    layers: Iterable[Layer | Sequence[Size]], input_size: Size | None = None
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
        If a setting is not made of integers.
    ValueError
        If a number is too small, or with `input_size` given, a kernel is larger than its padded input.

    Notes
    -----
    Source: Araujo, Norris and Sim, *Computing receptive fields of convolutional neural networks*, Distill
    (2019). Introduced in: *Receptive field*.

    Examples
    --------
    >>> receptive_field([Layer(3), Layer(3)])
    ReceptiveField(size=(5, 5), stride=(1, 1), start=(0, 0))
    >>> receptive_field([(5, 1, 2), (2, 2), (5, 1, 2)]).size
    (14, 14)
    """
    field, jump, start = [1, 1], [1, 1], [0, 0]
    known = True
    size = None if input_size is None else per_axis("input_size", input_size, 2, 1)
    for layer in layers:
        spec = Layer(*layer)
        kernel = per_axis("kernel_size", spec.kernel_size, 2, 1)
        stride = per_axis("stride", spec.stride, 2, 1)
        dilation = per_axis("dilation", spec.dilation, 2, 1)
        padding = _layer_padding(spec.padding, kernel, stride, dilation, size)
        if padding is None:
            known, padding = False, ((0, 0), (0, 0))
        if size is not None:
            size = output_sizes(size, kernel, stride, padding, dilation)
        for axis in range(2):
            field[axis] += (span(kernel[axis], dilation[axis]) - 1) * jump[axis]
            start[axis] -= padding[axis][0] * jump[axis]
            jump[axis] *= stride[axis]
    return ReceptiveField((field[0], field[1]), (jump[0], jump[1]), (start[0], start[1]) if known else None)


def _layer_padding(
    padding: Padding,
    kernel_size: tuple[int, ...],
    stride: tuple[int, ...],
    dilation: tuple[int, ...],
    size: tuple[int, ...] | None,
) -> Sides | None:
    """Return the zeros (before, after) along each axis, or None where they depend on an unknown size."""
    if padding != "same" or max(stride) == 1:
        return padding_per_axis(padding, kernel_size, stride, dilation)
    if size is None:
        return None
    sides = []
    for n, k, s, d in zip(size, kernel_size, stride, dilation, strict=True):
        rounded_up = -(-n // s)
        zeros = max((rounded_up - 1) * s + span(k, d) - n, 0)
        sides.append((zeros // 2, zeros - zeros // 2))
    return tuple(sides)
