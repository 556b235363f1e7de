"""The size formula read backwards: which settings turn one size into another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from d2lconv._arguments import Size, integer, per_axis, span
from d2lconv.shapes.sizes import axes_of, steps_along

__all__ = ["ConvSetting", "solve_conv"]


class ConvSetting(NamedTuple):
    """One way to set a convolution, the same for height and width.

    Parameters
    ----------
    kernel_size, stride : int
        Size of the kernel, and the distance between two of its places.
    padding : int
        Zeros on every side.
    dilation : int
        Distance between two neighbouring cells of the kernel.

    Examples
    --------
    >>> ConvSetting(kernel_size=3, stride=1, padding=1, dilation=1)
    ConvSetting(kernel_size=3, stride=1, padding=1, dilation=1)
    """

    kernel_size: int
    stride: int
    padding: int
    dilation: int


def solve_conv(
    size_in: Size,
    size_out: Size,
    *,
    kernel_size: int | None = None,
    stride: int | None = None,
    padding: int | None = None,
    dilation: int = 1,
) -> list[ConvSetting]:
    """Find every setting that turns one size into another, as when a paper gives only the sizes.

    What is not given is searched: kernels up to 11, strides up to the kernel's size or 4, whichever is
    larger, and padding per side up to "full", that is ``dilation * (kernel_size - 1)``.

    Parameters
    ----------
    size_in, size_out : int or (int, int)
        Sizes before and after: one axis, or (height, width). At least 1.
    kernel_size, stride, padding : int, optional
        What is known already; padding is per side.
    dilation : int
        Distance between two neighbouring kernel cells. At least 1.

    Returns
    -------
    list of ConvSetting
        The conventional ones first: padding 0 or half the kernel, odd kernels, strides up to the kernel's
        size; then by stride, padding and kernel size. Never empty.

    Raises
    ------
    TypeError
        If an argument is not made of integers, or one size is a pair and the other is not.
    ValueError
        If a number is too small, or no setting within the bounds gives these sizes.

    See Also
    --------
    conv_output_size : The same formula, read forwards.

    Notes
    -----
    Introduced in: *Padding and stride*.

    Examples
    --------
    >>> solve_conv(224, 112, kernel_size=7, stride=2)
    [ConvSetting(kernel_size=7, stride=2, padding=3, dilation=1)]
    >>> solve_conv(32, 28)[0]
    ConvSetting(kernel_size=5, stride=1, padding=0, dilation=1)
    """
    axes = axes_of(size_in)
    if axes_of(size_out) != axes:
        raise TypeError(
            f"size_in and size_out must both be integers or both be pairs, got {size_in!r} and {size_out!r}"
        )
    before = per_axis("size_in", size_in, axes, 1)
    after = per_axis("size_out", size_out, axes, 1)
    found = [
        setting
        for setting in _settings(kernel_size, stride, padding, integer("dilation", dilation, 1))
        if all(
            steps_along(n, setting.kernel_size, setting.stride, (setting.padding, setting.padding), dilation)
            == m
            for n, m in zip(before, after, strict=True)
        )
    ]
    if not found:
        given = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
        known = [f"{name}={value}" for name, value in given.items() if value is not None]
        if dilation > 1:
            known.append(f"dilation={dilation}")
        setting = f" with {', '.join(known)}" if known else ""
        raise ValueError(f"no convolution{setting} turns size {size_in} into {size_out}")
    return sorted(found, key=_unconventional)


def _settings(
    kernel_size: int | None, stride: int | None, padding: int | None, dilation: int
) -> Iterator[ConvSetting]:
    kernels = range(1, 12) if kernel_size is None else [integer("kernel_size", kernel_size, 1)]
    for k in kernels:
        strides = range(1, max(k, 4) + 1) if stride is None else [integer("stride", stride, 1)]
        paddings = range(span(k, dilation)) if padding is None else [integer("padding", padding, 0)]
        for s, p in product(strides, paddings):
            yield ConvSetting(k, s, p, dilation)


def _unconventional(setting: ConvSetting) -> tuple[bool | int, ...]:
    k, s, p, d = setting
    return p not in (0, (span(k, d) - 1) // 2), k % 2 == 0 and p > 0, s > k, s, p, k
