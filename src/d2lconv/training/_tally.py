"""The loss and the accuracy of an epoch while it goes on."""

from __future__ import annotations

import math

import torch
from torch import Tensor

from d2lconv.training._processes import Processes

LOOK_EVERY = 50
"""Steps between two looks at the numbers. Each look makes the program wait for an accelerator to catch up."""


class Tally:
    """The loss and the right answers of each step of an epoch.

    They stay on the device until they are looked at: to look is to wait for the accelerator.
    """

    def __init__(self, size: int, batch_size: int, epoch: int, processes: Processes) -> None:
        self.steps = math.ceil(size / batch_size)
        self.size, self.batch_size, self.epoch, self.processes = size, batch_size, epoch, processes
        self.losses, self.rights, self.parts = list[Tensor](), list[Tensor](), list[float]()
        self.seen = 0
        self.loss_sum = self.correct = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return len(self.losses) >= LOOK_EVERY

    def add(self, loss: Tensor, right: Tensor, part: float) -> None:
        """Note a step: the mean loss and the right answers of this process's part of the batch."""
        self.losses.append(loss)
        self.rights.append(right)
        self.parts.append(part)

    def look(self) -> tuple[float, float]:
        """Return the mean loss and the accuracy so far, over all processes; refuse a loss out of bounds."""
        for loss, right in self._take():
            self.seen += 1
            if not math.isfinite(loss):
                raise FloatingPointError(
                    f"the loss is {loss} at epoch {self.epoch}, step {self.seen} of {self.steps}: the "
                    "weights have grown out of bounds; try a smaller learning rate"
                )
            self.loss_sum += loss * min(self.batch_size, self.size - (self.seen - 1) * self.batch_size)
            self.correct += right
        count = min(self.seen * self.batch_size, self.size)
        return self.loss_sum / count, self.correct / count

    def _take(self) -> list[list[float]]:
        """Return the loss and the right answers of each step since the last look, over all processes."""
        if not self.losses:
            return []
        parts = torch.tensor(self.parts, dtype=torch.float64)
        losses = torch.stack(self.losses).cpu().double() * parts
        rights = torch.stack(self.rights).cpu().double() * (parts > 0)
        self.losses, self.rights, self.parts = [], [], []
        return self.processes.total(torch.stack([losses, rights], dim=1))
