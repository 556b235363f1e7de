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
        self.unseen: list[tuple[Tensor, Tensor, float]] = []
        self.seen = 0
        self.loss_sum = self.correct = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time to look."""
        return len(self.unseen) >= LOOK_EVERY

    def add(self, loss: Tensor, right: Tensor, part: float) -> None:
        """Note a step: the mean loss and the right answers of this process's part of the batch."""
        self.unseen.append((loss, right, part))

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
        if not self.unseen:
            return []
        losses, rights, parts = zip(*self.unseen, strict=True)
        self.unseen = []
        weights = torch.tensor(parts, dtype=torch.float64)
        mean_losses = torch.stack(losses).cpu().double() * weights
        right_answers = torch.stack(rights).cpu().double() * (weights > 0)
        return self.processes.total(torch.stack([mean_losses, right_answers], dim=1))
