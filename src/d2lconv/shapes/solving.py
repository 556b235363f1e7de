"""The size formula solved for its settings: which of them turn one size into another."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import NamedTuple

from d2lconv._arguments import IntOrPair, effective_size, integer, per_axis
from d2lconv.shapes.sizes import axes_of, output_length

__all__ = ["ConvSetting", "solve_conv"]


class ConvSetting(NamedTuple):
    """One way to set a convolution, the same for height and width.

    Parameters
    ----------
    kernel_size, stride : int
        Size of the kernel, and the distance between two of its positions.
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
    size_in: IntOrPair,
    size_out: IntOrPair,
    *,
    kernel_size: int | None = None,
    stride: int | None = None,
    padding: int | None = None,
    dilation: int = 1,
) -> list[ConvSetting]:
    """Find every setting that turns one size into another, as when a paper gives only the sizes.

    The search is bounded. What is not given is searched: kernels up to 11, strides up to the kernel's size or
    4, whichever is larger, and padding per side up to "full", that is ``dilation * (kernel_size - 1)``; and
    beyond that, windows of any size that tile the input without overlap, as the patches of a vision
    transformer do.

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
        size; then by stride, padding and kernel size. But if there is one that uses the whole padded input,
        so that no row or column is left over at the end, the first of those comes before all others. Never
        empty.

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
    >>> solve_conv(224, 14)  # patches of a vision transformer
    [ConvSetting(kernel_size=16, stride=16, padding=0, dilation=1)]
    """
    axes = axes_of(size_in)
    if axes_of(size_out) != axes:
        raise TypeError(
            f"size_in and size_out must both be integers or both be pairs, got {size_in!r} and {size_out!r}"
        )
    before = per_axis("size_in", size_in, axes, 1)
    after = per_axis("size_out", size_out, axes, 1)
    spacing = integer("dilation", dilation, 1)
    searched = [*_within_bounds(kernel_size, stride, padding, spacing)]
    searched += _patches(before[0], after[0], kernel_size, stride, padding, spacing)
    found = [
        setting
        for setting in dict.fromkeys(searched)
        if all(_length(n, setting) == m for n, m in zip(before, after, strict=True))
    ]
    if not found:
        raise ValueError(_not_found(size_in, size_out, kernel_size, stride, padding, spacing))
    found.sort(key=_unconventional)
    whole = [setting for setting in found if not any(_left_over(n, setting) for n in before)][:1]
    return whole + [setting for setting in found if setting not in whole]


def _length(size: int, setting: ConvSetting) -> int:
    k, s, p, d = setting
    return output_length(size, k, s, (p, p), d)


def _left_over(size: int, setting: ConvSetting) -> int:
    """Return how many cells at the end of the padded input no position of the kernel covers."""
    k, s, p, d = setting
    return (size + 2 * p - effective_size(k, d)) % s


def _within_bounds(
    kernel_size: int | None, stride: int | None, padding: int | None, dilation: int
) -> Iterator[ConvSetting]:
    kernels = range(1, 12) if kernel_size is None else [integer("kernel_size", kernel_size, 1)]
    for k in kernels:
        strides = range(1, max(k, 4) + 1) if stride is None else [integer("stride", stride, 1)]
        paddings = range(effective_size(k, dilation)) if padding is None else [integer("padding", padding, 0)]
        for s, p in product(strides, paddings):
            yield ConvSetting(k, s, p, dilation)


def _patches(
    size_in: int,
    size_out: int,
    kernel_size: int | None,
    stride: int | None,
    padding: int | None,
    dilation: int,
) -> Iterator[ConvSetting]:
    """Yield the setting whose windows tile the padded input side by side, if there is one."""
    zeros = padding or 0
    side, rest = divmod(size_in + 2 * zeros, size_out)
    distances, between = divmod(side - 1, dilation)
    if rest == between == 0 and kernel_size in (None, distances + 1):
        yield ConvSetting(distances + 1, side if stride is None else stride, zeros, dilation)


def _not_found(
    size_in: IntOrPair,
    size_out: IntOrPair,
    kernel_size: int | None,
    stride: int | None,
    padding: int | None,
    dilation: int,
) -> str:
    given = {"kernel_size": kernel_size, "stride": stride, "padding": padding}
    known = [f"{name}={value}" for name, value in given.items() if value is not None]
    known += [f"dilation={dilation}"] * (dilation > 1)
    bounds = {
        "kernel_size": "kernel_size up to 11 (or one whose windows tile the input)",
        "stride": "stride up to kernel_size or 4",
        "padding": "padding up to dilation * (kernel_size - 1)",
    }
    searched = ", ".join(text for name, text in bounds.items() if given[name] is None)
    return (
        f"no convolution{' with ' * bool(known)}{', '.join(known)} turns size {size_in} into {size_out}"
        + f" within the bounds of the search: {searched}" * bool(searched)
    )


def _unconventional(setting: ConvSetting) -> tuple[bool | int, ...]:
    k, s, p, d = setting
    return p not in (0, (effective_size(k, d) - 1) // 2), k % 2 == 0 and p > 0, s > k, s, p, k
