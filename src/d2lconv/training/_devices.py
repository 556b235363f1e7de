"""Where a model computes and in which precision, and the random numbers that it draws there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext

import numpy as np
import torch
from torch import nn

Device = torch.device | str | None
"""A device, its name, or None to choose."""


def choose_device(device: Device) -> torch.device:
    """Return the device asked for; for None an accelerator where the machine has one, else the CPU."""
    if device is None:
        found = torch.accelerator.current_accelerator() if torch.accelerator.is_available() else None
        return torch.device("cpu") if found is None else found
    try:
        chosen = torch.device(device)
    except (RuntimeError, TypeError) as error:
        allowed = "a torch.device or a name such as 'cpu' or 'cuda'"
        raise ValueError(f"device must be {allowed}, got {device!r}") from error
    if chosen.type == "meta":
        raise ValueError("device 'meta' holds shapes without numbers, so nothing can be computed there")
    try:
        torch.empty(0, device=chosen)
    except (AssertionError, NotImplementedError, RuntimeError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"device {str(chosen)!r} cannot be used on this machine: {reason}") from error
    return chosen


def device_of(model: nn.Module) -> torch.device:
    """Return where a model's weights are: the CPU if it has none."""
    tensor = next(iter([*model.parameters(), *model.buffers()]), None)
    return torch.device("cpu") if tensor is None else tensor.device


def to_device(model: nn.Module, device: torch.device) -> None:
    """Move a model to a device, with the channels last in memory where PyTorch's kernels are faster so.

    They are on NVIDIA's tensor cores, and on CPUs too (``make bench`` compares). Sums are then taken in
    another order, so the last digits of a result may differ.
    """
    model.to(device)
    if device.type in ("cpu", "cuda"):
        nn.utils.convert_conv2d_weight_memory_format(model, torch.channels_last)


def autocast_dtype(device: torch.device) -> torch.dtype:
    """Return the 16-bit type for mixed precision: bfloat16, float16 on NVIDIA cards too old for it."""
    if device.type == "cuda" and not torch.cuda.is_bf16_supported(including_emulation=False):
        return torch.float16
    return torch.bfloat16


def gradient_scaler(device: torch.device, amp: bool) -> torch.amp.GradScaler:
    """Return what keeps small gradients from vanishing in float16; it does nothing where that is not used."""
    return torch.amp.GradScaler(device.type, enabled=amp and autocast_dtype(device) == torch.float16)


def autocast(device: torch.device, amp: bool) -> AbstractContextManager[object]:
    """Return a block in which layers compute in 16 bits where that is safe, if asked for."""
    return torch.autocast(device.type, autocast_dtype(device)) if amp else nullcontext()


def seed_for(*numbers: int) -> int:
    """Mix integers into one seed, so that neighbours such as (0, 1) and (1, 0) have nothing in common.

    The CPU's generator uses 32 bits of its seed, so sums and products of the numbers would collide.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def seed_global(seed: int, device: torch.device) -> None:
    """Seed the generators that layers such as dropout draw from, on the CPU and on the device in use."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


@contextmanager
def fork_rng(device: torch.device) -> Iterator[None]:
    """Restore PyTorch's global generators at the end of the block, so that the caller's numbers continue."""
    kind = device.type if device.type in ("cuda", "xpu") else "cuda"
    indices = [device.index or 0] if device.type == kind else []  # others keep no state by number
    with torch.random.fork_rng(indices, device_type=kind):
        yield
