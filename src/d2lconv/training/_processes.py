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
class Processes:
    """What one of several processes has to know about them. A process alone is the first of one."""

    device: torch.device
    rank: int = 0
    count: int = 1

    @property
    def is_first(self) -> bool:
        """Whether this process is the one that writes and prints."""
        return self.rank == 0

    def share(self, size: int) -> slice:
        """Return which rows of ``size`` are this process's own; shares differ by one row at most."""
        return slice(size * self.rank // self.count, size * (self.rank + 1) // self.count)

    def total(self, numbers: Tensor) -> list[list[float]]:
        """Return the sum of a table of numbers over all processes."""
        summed = numbers.cpu().double()
        if self.count > 1:
            summed = summed.to(self.device)
            dist.all_reduce(summed)
        table: list[list[float]] = summed.tolist()
        return table

    def joined(self, model: nn.Module) -> nn.Module:
        """Return the model so that its backward pass averages the gradients over all processes."""
        if self.count == 1:
            return model
        return DistributedDataParallel(model, None if self.device.type == "cpu" else [self.device])

    def share_buffers(self, model: nn.Module) -> None:
        """Give all processes the first one's stored numbers, such as the means of batch normalisation."""
        if self.count > 1:
            for buffer in model.buffers():
                dist.broadcast(buffer, 0)

    def from_first(self, call: Callable[[], Result]) -> Result:
        """Call a function in the first process only; all get its result, or fail as it did."""
        if self.count == 1:
            return call()
        message: list[Any] = [None, None]
        if self.is_first:
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
def take_part(device: Device) -> Iterator[Processes]:
    """Join the processes that torchrun has started, if it has; they stay joined until the program ends."""
    chosen = choose_device(device)
    if not dist.is_initialized() and int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield Processes(chosen)
        return
    if chosen.type != "cpu" and chosen.index is None:
        chosen = _own_accelerator(chosen)
    if not dist.is_initialized():
        _join(dist.get_default_backend_for_device(chosen))
    try:
        yield Processes(chosen, dist.get_rank(), dist.get_world_size())
    except RuntimeError as error:
        if isinstance(error, dist.DistError) or "/gloo/" in str(error):
            raise ConnectionError(
                "another process has died or does not answer: look for its message, or for what killed it, "
                "such as a lack of memory"
            ) from error
        raise


def _join(backend: str) -> None:
    """Meet the other processes where torchrun says.

    After a restart that place still holds the addresses of the processes before, so on one machine each start
    gets a part of its own. Machines count restarts each for itself, so with several of them torchrun needs
    ``TORCH_DISABLE_SHARE_RDZV_TCP_STORE=1`` in its environment (pytorch/pytorch#135712).
    """
    store, rank, count = next(rendezvous("env://", timeout=TIMEOUT))
    if os.environ.get("LOCAL_WORLD_SIZE") == str(count):
        start = os.environ.get("TORCHELASTIC_RESTART_COUNT", "0")
        store = dist.PrefixStore(f"start {start}", store)  # type: ignore[attr-defined]
    dist.init_process_group(backend, store=store, rank=rank, world_size=count, timeout=TIMEOUT)
    atexit.register(_leave)
    # When Gloo's group is freed, Python waits for its threads, and those may wait for Python, for ever. So it
    # is never freed: this reference stays.
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(dist.group.WORLD))


def _leave() -> None:
    """Leave the group, if nobody has done so already."""
    if dist.is_initialized():
        dist.destroy_process_group()


def _own_accelerator(device: torch.device) -> torch.device:
    """Return the accelerator with this process's number among those on its machine, and make it current."""
    number, there = int(os.environ.get("LOCAL_RANK", "0")), torch.accelerator.device_count()
    if number >= there:
        raise ValueError(
            f"each process needs a {device.type} device of its own: there are {there} for process {number}; "
            "start fewer processes, or use device='cpu'"
        )
    torch.accelerator.set_device_index(number)
    return torch.device(device.type, number)
