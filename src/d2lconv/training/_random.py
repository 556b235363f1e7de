"""Random numbers that depend on a seed and an epoch alone, and leave the caller's as they were."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np
import torch


def seed_for(*numbers: int) -> int:
    """Mix whole numbers into one seed, so that neighbours such as (0, 1) and (1, 0) have nothing in common.

    The CPU's generator looks at 32 bits of its seed, so sums and products of the numbers would collide.
    """
    return int(np.random.SeedSequence(numbers).generate_state(1)[0])


def seed_global(seed: int, device: torch.device) -> None:
    """Seed the generators that layers such as dropout draw from, on the CPU and on the device in use."""
    torch.default_generator.manual_seed(seed)
    if device.type != "cpu":
        torch.get_device_module(device).manual_seed(seed)


@contextmanager
def own_random_numbers(device: torch.device) -> Iterator[None]:
    """Put PyTorch's global generators back at the end of the block, so that the caller's numbers go on."""
    kind = device.type if device.type in ("cuda", "xpu") else "cuda"
    places = [device.index or 0] if device.type == kind else []  # others keep no state by number
    with torch.random.fork_rng(places, device_type=kind):
        yield
