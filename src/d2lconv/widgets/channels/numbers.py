"""The numbers that channels_explorer holds: those of its caller, and made-up ones where none are given."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from torch import Tensor

from d2lconv._arguments import channels_seen, integer

MOST = 4  # channels
LARGEST_KERNEL = 3
SIDES = range(3, 6)  # rows or columns of the input

INPUTS = [  # one channel each, 5×5
    [1, 2, 0, 1, 3, 0, 1, 3, 2, 0, 2, 0, 1, 0, 1, 1, 3, 0, 2, 1, 0, 1, 2, 1, 3],
    [2, 0, 1, 3, 1, 1, 2, 0, 1, 2, 0, 3, 2, 1, 0, 1, 0, 1, 2, 3, 3, 1, 0, 2, 1],
    [0, 1, 1, 2, 0, 3, 0, 2, 1, 1, 1, 2, 0, 3, 2, 2, 1, 1, 0, 1, 0, 2, 3, 1, 0],
    [3, 1, 2, 0, 1, 0, 2, 1, 1, 3, 1, 0, 3, 2, 1, 2, 1, 0, 1, 0, 1, 3, 2, 0, 2],
]
KERNELS = [  # 3×3; four for each output channel, one for each input channel
    [1, 0, 2, 0, 1, -1, 1, 0, 0],
    [2, -1, 0, 1, 0, 1, 0, 0, -1],
    [-1, 1, 0, 0, 2, 0, 1, -1, 0],
    [1, 1, 0, -1, 0, 0, 0, 2, 1],
    [0, 1, 0, 1, -2, 1, 0, 1, 0],
    [1, 2, 0, 0, -1, 1, 0, 0, 1],
    [-2, 0, 1, 1, 1, 0, 0, 0, 1],
    [2, 0, -1, 0, 1, 0, 1, 0, 0],
    [-1, 2, 0, 1, 0, 0, 0, 1, 0],
    [1, 0, 1, -1, 1, 0, 2, 0, 0],
    [2, 1, -1, 0, 0, 1, 0, 0, 0],
    [0, -1, 1, 1, 0, 1, 0, 1, 0],
    [2, 0, 0, -1, 1, 0, 0, 1, 1],
    [-1, 1, 0, 2, 0, 1, 0, 0, 0],
    [1, 0, 0, 1, -1, 2, 0, 1, 0],
    [1, -2, 0, 0, 1, 0, 1, 0, 1],
]
BIASES = [1, -2, 3, 0]


class Layer(NamedTuple):
    """Numbers for four input and four output channels, and how many of them are shown."""

    input: Tensor
    kernel: Tensor
    bias: Tensor
    in_channels: int
    out_channels: int
    kernel_size: int


def first_seen(channel: int, in_channels: int, out_channels: int, groups: int) -> int:
    """Return the first input channel that an output channel sees; the others of its group follow."""
    return channels_seen(channel, in_channels, out_channels, groups).start


def check_groups(in_channels: int, out_channels: int, groups: int) -> None:
    """Raise a ValueError unless the channels can be divided into groups."""
    if in_channels % groups or out_channels % groups:
        raise ValueError(
            f"groups={groups} must divide in_channels={in_channels} and out_channels={out_channels}"
        )


def fill(X: Any, K: Any, bias: Any, groups: int) -> Layer:
    """Check the numbers of a caller, and make up those that are missing."""
    if integer("groups", groups, 1) > MOST:
        raise ValueError(f"groups must be at most {MOST}, got {groups}")
    image = (
        None if X is None else read("X", X, f"shape (C_in, H, W), 1 to {MOST} channels of 3×3 to 5×5", _image)
    )
    weight = None if K is None else read("K", K, "shape (C_out, C_in / groups, k, k), k from 1 to 3", _weight)
    per_group = max(1, 2 // groups) if weight is None else weight.shape[1]
    c_i = per_group * groups if image is None else len(image)
    c_o = (3 if groups == 1 else groups) if weight is None else len(weight)
    check_groups(c_i, c_o, groups)
    if c_i > MOST:
        raise ValueError(f"there can be at most {MOST} input channels, got groups={groups} of {per_group}")
    if weight is not None and weight.shape[1] * groups != c_i:
        raise ValueError(
            f"K of shape {tuple(weight.shape)} with groups={groups} needs an X with "
            f"{weight.shape[1] * groups} channels, got {c_i}"
        )

    h, w = (4, 4) if image is None else image.shape[1:]
    inputs = torch.tensor(INPUTS, dtype=torch.float64).reshape(MOST, 5, 5)[:, :h, :w]
    kernels = torch.tensor(KERNELS, dtype=torch.float64).reshape(MOST, MOST, LARGEST_KERNEL, LARGEST_KERNEL)
    biases = torch.tensor(BIASES, dtype=torch.float64)
    k = 2
    if image is not None:
        inputs[:c_i] = image
    if weight is not None:
        k = weight.shape[-1]
        for o, slices in enumerate(weight):
            first = first_seen(o, c_i, c_o, groups)
            kernels[o, first : first + len(slices), :k, :k] = slices
    if bias is not None:
        biases[:c_o] = read("bias", bias, f"shape ({c_o},)", lambda shape: shape == (c_o,))
    return Layer(inputs, kernels, biases, c_i, c_o, k)


def read(name: str, value: Any, allowed: str, fits: Callable[[tuple[int, ...]], bool]) -> Tensor:
    """Return finite numbers of a fitting shape, or raise a ValueError that says what is allowed."""
    try:
        numbers = torch.as_tensor(value, dtype=torch.float64)
    except (TypeError, ValueError, RuntimeError):
        raise ValueError(f"{name} must be numbers of {allowed}, got {value!r}") from None
    if not fits(tuple(numbers.shape)):
        raise ValueError(f"{name} must be numbers of {allowed}, got shape {tuple(numbers.shape)}")
    if not numbers.isfinite().all():
        wrong = numbers[~numbers.isfinite()][0].item()
        raise ValueError(f"{name} must be finite numbers, got {wrong} in it")
    return numbers.detach()


def _image(shape: tuple[int, ...]) -> bool:
    return len(shape) == 3 and 1 <= shape[0] <= MOST and all(side in SIDES for side in shape[1:])


def _weight(shape: tuple[int, ...]) -> bool:
    return (
        len(shape) == 4
        and all(1 <= channels <= MOST for channels in shape[:2])
        and shape[2] == shape[3]
        and 1 <= shape[2] <= LARGEST_KERNEL
    )
