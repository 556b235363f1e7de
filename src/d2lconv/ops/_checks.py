"""Validation of the tensors that operators get."""

from __future__ import annotations

import torch
from torch import Tensor


def shape(tensor: Tensor) -> str:
    """Write a shape as ``(4, 2, 3, 5)``."""
    return str(tuple(tensor.shape))


def require_floating(**tensors: object) -> None:
    """Raise TypeError or ValueError unless all are floating-point tensors of one dtype on one device.

    PyTorch rejects integers on accelerators, but its CPU convolution accepts some. One rule for every device
    is easier to remember.
    """
    first_name, first = "", None
    for name, tensor in tensors.items():
        if not isinstance(tensor, Tensor):
            raise TypeError(f"{name} must be a tensor, got {type(tensor).__name__}")
        if tensor.is_complex():
            raise TypeError(f"{name} must hold real numbers; complex ones ({tensor.dtype}) are not supported")
        if not tensor.is_floating_point():
            raise TypeError(
                f"{name} must hold floating-point numbers, got {tensor.dtype}; convert it with {name}.float()"
            )
        if first is None:
            first_name, first = name, tensor
        elif tensor.dtype != first.dtype:
            raise TypeError(
                f"{name} and {first_name} must have the same dtype, got {tensor.dtype} and {first.dtype}"
            )
        elif tensor.device != first.device:
            raise ValueError(
                f"{name} and {first_name} must be on the same device, got {tensor.device} and {first.device}"
            )


def require_axes(name: str, tensor: Tensor, *allowed: str) -> None:
    """Raise ValueError unless the number of axes is ``allowed``; shapes are written like ``(N, C, H, W)``."""
    if tensor.dim() not in [text.count(",") + 1 for text in allowed]:
        raise ValueError(f"{name} must have shape {' or '.join(allowed)}, got {shape(tensor)}")


def require_cells(name: str, tensor: Tensor, axes: int) -> None:
    """Raise ValueError if one of the last ``axes`` axes is empty."""
    if 0 in tensor.shape[-axes:]:
        raise ValueError(f"{name} must not be empty except along its batch axis, got shape {shape(tensor)}")


def require_bias(bias: Tensor, out_channels: int) -> None:
    """Raise ValueError unless the bias holds one number for each output channel."""
    if bias.shape != torch.Size([out_channels]):
        raise ValueError(
            f"bias must hold one number for each output channel, shape ({out_channels},), got {shape(bias)}"
        )


def require_groups(X: Tensor, weight: Tensor, groups: int, channel_axis: int) -> None:
    """Raise ValueError unless the numbers of channels fit together."""
    in_channels, (out_channels, per_group) = X.shape[channel_axis], weight.shape[:2]
    if out_channels == 0 or out_channels % groups:
        raise ValueError(
            f"groups={groups} must divide the number of output channels, {out_channels}, "
            f"which must not be 0: weight has shape {shape(weight)}"
        )
    if per_group * groups != in_channels:
        raise ValueError(
            f"weight of shape {shape(weight)} with groups={groups} needs an X with "
            f"{per_group} × {groups} = {per_group * groups} channels, "
            f"got {in_channels} in X of shape {shape(X)}"
        )
