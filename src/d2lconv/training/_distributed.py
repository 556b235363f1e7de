"""The processes that train one model together: one, or as many as ``torchrun`` has started."""

from __future__ import annotations

import atexit
import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeVar

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel

from d2lconv.training._devices import Device, choose_device

Result = TypeVar("Result")

TIMEOUT = timedelta(minutes=10)
"""How long a process waits for the others: longer than a download or an evaluation takes, not for ever.

On one machine torchrun sees at once that a process has died. This is for the loss of a whole machine.
"""


@dataclass(frozen=True)
class ProcessGroup:
    """The processes of a training as one of them sees them. A process alone has rank 0 of world size 1."""

    device: torch.device
    rank: int = 0
    world_size: int = 1

    @property
    def is_main(self) -> bool:
        """Whether this process has rank 0: the one that writes and prints."""
        return self.rank == 0

    def shard(self, size: int) -> slice:
        """Return which rows of ``size`` are this process's own; shards differ by one row at most."""
        return slice(size * self.rank // self.world_size, size * (self.rank + 1) // self.world_size)

    def all_reduce(self, numbers: Tensor) -> list[list[float]]:
        """Return the sum of a table of numbers over all processes."""
        summed = numbers.cpu().double()
        if self.world_size > 1:
            summed = summed.to(self.device)
            dist.all_reduce(summed)
        table: list[list[float]] = summed.tolist()
        return table

    def wrap(self, model: nn.Module) -> nn.Module:
        """Return the model so that its backward pass averages the gradients over all processes."""
        if self.world_size == 1:
            return model
        return DistributedDataParallel(model, None if self.device.type == "cpu" else [self.device])

    def broadcast_buffers(self, model: nn.Module) -> None:
        """Send rank 0's buffers, such as the running means of batch normalisation, to all processes."""
        if self.world_size > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, 0)

    def broadcast(self, call: Callable[[], Result]) -> Result:
        """Call a function in rank 0 only, and return its result, or raise its error, in all processes."""
        if self.world_size == 1:
            return call()
        message: list[Any] = [None, None]
        if self.is_main:
            try:
                message[0] = call()
            except Exception as failure:
                message[1] = failure
        dist.broadcast_object_list(message)
        result: Result = message[0]
        if message[1] is not None:
            raise message[1]
        return result


@contextmanager
def process_group(device: Device) -> Iterator[ProcessGroup]:
    """Join the processes that torchrun has started, if it has; they stay joined until the program ends."""
    chosen = choose_device(device)
    if not dist.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ProcessGroup(chosen)
        return
    if chosen.type != "cpu" and chosen.index is None:
        chosen = _own_accelerator(chosen)
    if not dist.is_initialized():
        _init_process_group(dist.get_default_backend_for_device(chosen))
    try:
        yield ProcessGroup(chosen, dist.get_rank(), dist.get_world_size())
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "/gloo/" in str(error):
            raise ConnectionError(
                "another process has died or does not answer: look for its message, or for what killed it, "
                "such as a lack of memory"
            ) from error
        raise


def _init_process_group(backend: str) -> None:
    """Meet the other processes where torchrun says.

    After a restart that store still holds the addresses of the processes before, so on one machine each start
    gets a prefix of its own. Machines count restarts each for itself, so with several of them torchrun needs
    ``TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1`` in its environment (pytorch/pytorch#135712).
    """
    store, rank, world_size = next(rendezvous("env://", timeout=TIMEOUT))
    if os.environ.get("LOCAL_WORLD_SIZE") == str(world_size):
        start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = dist.PrefixStore(f"start {start}", store)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=rank, world_size=world_size, timeout=TIMEOUT)
    atexit.register(_destroy_process_group)
    # When Gloo's group is freed, Python waits for its threads, and those may wait for Python, for ever. So it
    # is never freed: this reference stays.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(dist.group.WORLD))


def _destroy_process_group() -> None:
    """Leave the group, if that has not happened already."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _own_accelerator(device: torch.device) -> torch.device:
    """Return the accelerator with this process's local rank as its index, and make it current."""
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.accelerator.device_count()
    if number >= there:
        raise ValueError(
            f"each process needs a {device.type} device of its own: there are {there} for process {number}; "
            "start fewer processes, or use device='cpu'"
        )
    torch.accelerator.set_device_index(number)
    return torch.device(device.type, number)
