"""One epoch of learning: the loop over mini-batches."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from tqdm import tqdm  # type: ignore[import-untyped]

from d2lconv.data import ImageData
from d2lconv.training._devices import precision
from d2lconv.training._processes import Processes
from d2lconv.training._random import seed_for, seed_global
from d2lconv.training._schedules import Rates
from d2lconv.training._tally import Tally


class Augment(Protocol):
    """Changes the images of a batch at random; all its random numbers come from ``generator``."""

    def __call__(self, images: Tensor, /, *, generator: torch.Generator) -> Tensor: ...


@dataclass(frozen=True)
class Learner:
    """What learns, and how.

    ``model`` is the model as `Processes.joined` returns it: its gradients are means over all processes.
    """

    model: nn.Module
    optimizer: Optimizer
    scaler: torch.amp.GradScaler
    processes: Processes
    batch_size: int
    seed: int
    augment: Augment | None
    amp: bool
    rates: Rates

    def learn(self, data: ImageData, epoch: int, bar: tqdm) -> tuple[float, float]:
        """Go over the data once, in a new order, and return the mean loss and the accuracy on the way."""
        own_seed = seed_for(self.seed, epoch, 1 + self.processes.rank)
        seed_global(own_seed, self.processes.device)  # for dropout
        noise = torch.Generator().manual_seed(own_seed)  # for augment
        shuffle = torch.Generator().manual_seed(seed_for(self.seed, epoch))  # the same in all processes
        order = torch.randperm(len(data), generator=shuffle).to(data.labels.device)
        tally = Tally(len(data), self.batch_size, epoch, self.processes)
        self.model.train()
        for number, batch in enumerate(torch.split(order, self.batch_size)):
            self.rates.set(self.optimizer, epoch - 1 + number / tally.steps)
            own = batch[self.processes.share(len(batch))]
            rows = own if len(own) else batch[:1]  # fewer images than processes: take part, but count nothing
            images, labels = data.images.index_select(0, rows), data.labels.index_select(0, rows)
            if self.augment is not None:
                images = self.augment(images, generator=noise)
            part = len(own) / len(batch)
            tally.add(*self.step(images, labels, part), part)
            bar.update()
            if tally.is_due:
                loss, accuracy = tally.look()
                bar.set_postfix_str(f"epoch {epoch}, loss {loss:.3f}, accuracy {accuracy:.3f}", refresh=False)
        return tally.look()

    def step(self, images: Tensor, labels: Tensor, part: float) -> tuple[Tensor, Tensor]:
        """Learn from a process's part of a batch; return the part's mean loss, and its right answers."""
        self.optimizer.zero_grad()
        with precision(self.processes.device, self.amp):
            scores = self.model(images)
            loss = F.cross_entropy(scores, labels)
        # The gradient is the mean over the processes, so each has to weigh as much as its part of the batch.
        weight = part * self.processes.count
        weighted = loss if weight == 1 else loss * weight
        self.scaler.scale(weighted).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach(), (scores.argmax(1) == labels).sum()
