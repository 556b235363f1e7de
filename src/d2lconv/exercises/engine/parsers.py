"""Read a reader's setting in the forms that it may have, or say what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeGuard

import numpy as np
from torch import Tensor, nn

from d2lconv.exercises.engine.numbers import NotNumbersError, describe, read

__all__ = ["numbers_named", "tensor_of_shape"]


def tensor_of_shape(*shape: int) -> Callable[[object], Tensor]:
    """Make a reader for a tensor of one shape, given as a tensor, array or nested list.

    Parameters
    ----------
    *shape : int
        The shape.

    Returns
    -------
    callable
        Gives the tensor in float32.

    Raises
    ------
    TypeError, ValueError
        By the reader: if the answer holds no numbers, or has another shape.

    Examples
    --------
    >>> tensor_of_shape(2, 2)([[0, 1], [0, 0]])
    tensor([[0., 1.],
            [0., 0.]])
    """

    def read_tensor(answer: object) -> Tensor:
        try:
            tensor = read(answer)
        except NotNumbersError:
            raise TypeError(f"You gave {describe(answer)}") from None
        if tuple(tensor.shape) != shape:
            raise ValueError(f"Shape {shape} is asked for, you gave shape {tuple(tensor.shape)}")
        return tensor.float()

    return read_tensor


def numbers_named(*names: str, minimum: int = 0) -> Callable[[object], dict[str, int]]:
    """Make a reader for whole numbers with names: a dict, a tuple in this order, or a layer that has them.

    Parameters
    ----------
    *names : str
        Such as ``"kernel_size"``, ``"stride"``.
    minimum : int
        The smallest number allowed.

    Returns
    -------
    callable
        Gives a dict of integers.

    Raises
    ------
    TypeError, ValueError
        By the reader: if names are missing, or a number is not whole or too small.

    Examples
    --------
    >>> numbers_named("stride", "padding")(nn.Conv2d(1, 1, 3, padding=2))
    {'stride': 1, 'padding': 2}
    """

    def read_numbers(answer: object) -> dict[str, int]:
        if isinstance(answer, Mapping):
            if set(answer) != set(names):
                raise ValueError(f"The names {', '.join(names)} are asked for, you gave {', '.join(answer)}")
            values = [answer[name] for name in names]
        elif isinstance(answer, nn.Module) and all(hasattr(answer, name) for name in names):
            values = [getattr(answer, name) for name in names]
        else:
            values = list(answer) if _has_length(answer) else [answer]
        if len(values) != len(names):
            raise ValueError(
                f"{len(names)} numbers are asked for ({', '.join(names)}), you gave {len(values)}"
            )
        return {name: _whole(name, value, minimum) for name, value in zip(names, values, strict=True)}

    return read_numbers


def _has_length(answer: object) -> TypeGuard[Sequence[object]]:
    return isinstance(answer, list | tuple) or (isinstance(answer, Tensor | np.ndarray) and answer.ndim > 0)


def _whole(name: str, value: object, minimum: int) -> int:
    try:
        number = read(value)
    except NotNumbersError:
        raise TypeError(f"{name} should be a whole number, you gave {describe(value)}") from None
    alike = number.numel() > 0 and bool((number == number.flatten()[0]).all())  # a pair of equal ones, too
    if not alike or not bool(number.isfinite().all()) or bool((number != number.round()).any()):
        raise ValueError(f"{name} should be one whole number, you gave {value!r}")
    found = int(number.flatten()[0])
    if found < minimum:
        raise ValueError(f"{name} should be at least {minimum}, you gave {found}")
    return found
