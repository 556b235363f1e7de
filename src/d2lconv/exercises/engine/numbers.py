"""Numbers in whatever form a reader gives them: read, compared and written out."""

from __future__ import annotations

import reprlib
from numbers import Number

import numpy as np
import torch
from torch import Tensor

CLOSE = 1e-4  # relative to the largest number expected, where that is no whole number
_MANY = 100  # numbers of a tensor that are written out


class NotNumbersError(TypeError):
    """What was given can't be read as numbers; the message says what it is."""


def read(value: object) -> Tensor:
    """Return a tensor of float64 from a tensor, array, list, tuple or number, of any type of numbers."""
    try:
        if isinstance(value, Tensor):
            return _from_tensor(value)
        if isinstance(value, list | tuple) and any(isinstance(item, Tensor) for item in value):
            return torch.stack([read(item) for item in value])
        array = np.asarray(value)
        if array.dtype.kind in "biuf":
            return torch.from_numpy(array.astype(np.float64))
        if array.dtype.kind == "O" and all(isinstance(one, Number) for one in array.flat):  # fractions, say
            return torch.from_numpy(array.astype(np.float64))
    except (TypeError, ValueError, RuntimeError):
        pass
    raise NotNumbersError(describe(value))


def _from_tensor(value: Tensor) -> Tensor:
    if value.is_complex() or value.is_nested or value.device.type == "meta":
        raise NotNumbersError(describe(value))
    value = value.detach()
    if value.is_quantized:
        value = value.dequantize()
    if value.layout != torch.strided:
        value = value.to_dense()
    return value.cpu().to(torch.float64)


def same(given: Tensor, expected: Tensor) -> bool:
    """Return whether numbers agree: whole ones exactly, others to 1e-4 of the largest one expected."""
    given = _as_number(given, expected)
    return given.shape == expected.shape and bool(_near(given, expected).all())


def where_they_differ(given: Tensor, expected: Tensor) -> str:
    """Return in words where numbers of the same shape differ, and by what at the first position."""
    given = _as_number(given, expected)
    if given.shape != expected.shape:
        return f"expected shape {tuple(expected.shape)}, given shape {tuple(given.shape)}"
    apart = ~_near(given, expected)
    first = tuple(apart.nonzero()[0].tolist())
    values = f"expected {show(expected[first])}, given {show(given[first])}"
    if expected.ndim == 0:
        return values
    return f"{int(apart.sum())} of {apart.numel()} numbers, first at {list(first)}: {values}"


def differing_positions(given: Tensor, expected: Tensor) -> list[int]:
    """Return the flat positions at which numbers of the same shape differ."""
    found: list[int] = (~_near(given, expected)).flatten().nonzero().flatten().tolist()
    return found


def show(value: object) -> str:
    """Write a value out: tensors as rows of numbers, whole numbers without a point, large ones in words."""
    if isinstance(value, Tensor | np.ndarray):
        try:
            numbers = read(value).numpy()
        except NotNumbersError:
            return describe(value)
        if numbers.size > _MANY:
            return f"{describe(value)} from {numbers.min():.4g} to {numbers.max():.4g}"
        if numbers.size == 0:
            return describe(value)
        if np.isfinite(numbers).all() and (numbers == numbers.round()).all() and abs(numbers).max() < 1e15:
            numbers = numbers.astype(np.int64)
        return np.array2string(numbers, separator=", ", precision=4, suppress_small=True, max_line_width=75)
    short = reprlib.Repr()
    short.maxlist = short.maxtuple = short.maxdict = 20
    short.maxstring, short.maxother = 100, 200
    return short.repr(value)


def describe(value: object) -> str:
    """Name what a value is: ``the number 3``, ``a list``, ``a tensor of shape (2, 3)``."""
    if isinstance(value, Tensor | np.ndarray):
        what = "a tensor" if isinstance(value, Tensor) else "an array"
        return f"{what} of shape {tuple(value.shape)}"
    if isinstance(value, bool | str | dict):
        return show(value)
    if isinstance(value, int | float):
        return f"the number {value}"
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if callable(value) and hasattr(value, "__code__"):
        return "a function"
    kind = type(value).__name__
    return f"a {kind}" if isinstance(value, list | tuple | set) else f"an object of the class {kind}"


def _as_number(given: Tensor, expected: Tensor) -> Tensor:
    """Let a tensor with one entry stand for a number."""
    return given.reshape(()) if expected.ndim == 0 and given.numel() == 1 else given


def _near(given: Tensor, expected: Tensor) -> Tensor:
    finite = expected[expected.isfinite()].abs()
    whole = bool((finite == finite.round()).all())
    largest = float(finite.max()) if finite.numel() else 0.0
    tolerance = min(CLOSE * max(largest, 1.0), 0.01) if whole else CLOSE * largest
    return torch.isclose(given, expected, rtol=0.0, atol=tolerance, equal_nan=True)
