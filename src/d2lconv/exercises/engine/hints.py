"""Hints by the kind of difference, for answers that show no misconception that the exercise knows."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

from d2lconv.exercises.engine.numbers import same

Pair = tuple[Tensor, Tensor]
"""What was given, and what was expected."""


def general_hint(pairs: Sequence[Pair]) -> tuple[str, str]:
    """Return name and text of the first hint that fits every wrong result; both empty if none does."""
    for name, fits, hint in _HINTS:
        if all(fits(given, expected) for given, expected in pairs):
            return name, hint
    if len(pairs) > 2:
        counts = all(_is_whole(given) and _is_whole(expected) for given, expected in pairs)
        most = 1e-9 if counts else 1e-4  # a factor of 0.9999 may be a term that is missing
        for name, ratio_of, hint in _SAME_IN_ALL_CASES:
            found = [ratio_of(given, expected) for given, expected in pairs]
            first = found[0]
            if first is not None and all(one is not None and abs(one - first) < most for one in found):
                return name, hint
    return "", ""


def _transposed(given: Tensor, expected: Tensor) -> bool:
    return given.ndim > 1 and same(given.transpose(-1, -2), expected)


def _axes_swapped(given: Tensor, expected: Tensor) -> bool:
    wanted = tuple(expected.shape)
    return len(wanted) > 1 and tuple(given.shape) == (*wanted[:-2], wanted[-1], wanted[-2]) != wanted


def _extra_axes(given: Tensor, expected: Tensor) -> bool:
    return given.ndim != expected.ndim and given.squeeze().shape == expected.squeeze().shape


def _size_off_by_one(given: Tensor, expected: Tensor) -> bool:
    if given.ndim != expected.ndim or given.shape == expected.shape:
        return False
    return all(abs(a - b) <= 1 for a, b in zip(given.shape, expected.shape, strict=True))


def _other_shape(given: Tensor, expected: Tensor) -> bool:
    return given.shape != expected.shape


def _not_finite(given: Tensor, expected: Tensor) -> bool:
    return not bool(given.isfinite().all()) and bool(expected.isfinite().all())


def _all_zero(given: Tensor, expected: Tensor) -> bool:
    return given.ndim > 0 and given.shape == expected.shape and given.numel() > 0 and not bool(given.any())


def _negated(given: Tensor, expected: Tensor) -> bool:
    return same(-given, expected)


def _mirrored(given: Tensor, expected: Tensor) -> bool:
    axes = [tuple(range(given.ndim)), (-1,), (-2,), (-2, -1)]
    return (
        given.numel() > 2
        and given.shape == expected.shape
        and any(
            same(given.flip(*flipped), expected)
            for flipped in axes
            if flipped and len(flipped) <= given.ndim and given.ndim >= -min(flipped)
        )
    )


def _swapped(given: Tensor, expected: Tensor) -> bool:
    return given.shape == expected.shape == (2,) and same(given.flip(0), expected)


def _reordered(given: Tensor, expected: Tensor) -> bool:
    return given.shape == expected.shape and same(given.flatten().sort()[0], expected.flatten().sort()[0])


def _rounded(given: Tensor, expected: Tensor) -> bool:
    return not _is_whole(expected) and any(
        same(given, cut(expected)) for cut in (torch.round, torch.floor, torch.ceil)
    )


def _counts_off_by_one(given: Tensor, expected: Tensor) -> bool:
    return given.numel() == 1 and _is_whole(expected) and float((given - expected).abs().max()) == 1


def _nearly(given: Tensor, expected: Tensor) -> bool:
    """Return whether measured numbers agree but for a hundredth; a count is right or wrong."""
    if given.shape != expected.shape or not expected.numel() or _is_whole(expected):
        return False
    return float((given - expected).abs().max()) < 0.01 * float(expected.abs().max())


def _is_whole(numbers: Tensor) -> bool:
    return bool((numbers == numbers.round()).all())


def _factor(given: Tensor, expected: Tensor) -> float | None:
    """Return the number that all results are too large by, if there is one."""
    if given.shape != expected.shape or not expected.any():
        return None
    factor = float(given.flatten() @ expected.flatten() / (expected.flatten() @ expected.flatten()))
    return factor if factor and same(given, factor * expected) else None


def _added(given: Tensor, expected: Tensor) -> float | None:
    """Return the number that was added to all results, if there is one."""
    if given.shape != expected.shape or not expected.numel():
        return None
    added = float((given - expected).flatten()[0])
    return added if same(given - added, expected) else None


_HINTS: tuple[tuple[str, Callable[[Tensor, Tensor], bool], str], ...] = (
    ("not finite", _not_finite, "Some results are infinite or no numbers. Is something divided by zero?"),
    ("transposed", _transposed, "The numbers are right, but rows and columns are swapped."),
    ("axes swapped", _axes_swapped, "Height and width are swapped in the shape of the result."),
    ("number of axes", _extra_axes, "The result has too many or too few axes of length 1."),
    ("off by one", _size_off_by_one, "The result has one row, column or number too many or too few."),
    ("wrong shape", _other_shape, "Before the numbers, look at the shape: how large must the result be?"),
    ("all zero", _all_zero, "The result is zero everywhere. Is it filled in, and added to, and returned?"),
    ("wrong sign", _negated, "The sign is the wrong way round."),
    ("mirrored", _mirrored, "The numbers are right, but run the other way along an axis."),
    ("numbers swapped", _swapped, "The two numbers are right, but the other one comes first."),
    ("wrong order", _reordered, "The numbers are right, but stand in another order."),
    ("rounded", _rounded, "The numbers were rounded on the way. Look for `//`, `int` and integer tensors."),
    ("off by one", _counts_off_by_one, "The number is off by one. Count again on a small example."),
    ("precision", _nearly, "The numbers are nearly right. Were they rounded, or averaged over too few?"),
)

_SAME_IN_ALL_CASES: tuple[tuple[str, Callable[[Tensor, Tensor], float | None], str], ...] = (
    ("wrong factor", _factor, "All numbers are too large or too small by the same factor."),
    ("wrong offset", _added, "All numbers are too large or too small by the same amount."),
)
