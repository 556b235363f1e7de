"""The training loop: learn from the training data, evaluate on the validation data, epoch by epoch."""

from __future__ import annotations

import math
import os
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.optim import Optimizer
from torch.utils.data import DataLoader
from tqdm import tqdm  # type: ignore[import-untyped]

from d2lconv._arguments import integer
from d2lconv.data import ImageData, Splits
from d2lconv.training._devices import (
    Device,
    autocast,
    fork_rng,
    gradient_scaler,
    seed_for,
    seed_global,
    to_device,
)
from d2lconv.training._distributed import ProcessGroup, process_group
from d2lconv.training._optim import (
    LearningRates,
    OptimizerLike,
    choose_optimizer,
    optimizer_settings,
    require_schedule,
)
from d2lconv.training.checkpoints import (
    Checkpoint,
    Setting,
    describe,
    find_checkpoint,
    fingerprint,
    load_weights,
    save_checkpoint,
    unwrapped,
)
from d2lconv.training.evaluation import (
    evaluate_shards,
    keep_modes,
    require_images,
    require_model,
    scores_of,
)
from d2lconv.training.history import Epoch, History

__all__ = ["fit"]

REPORT_EVERY = 50
"""Steps between two reports of loss and accuracy. Each makes the program wait for the accelerator."""


_ONE_IMAGE = (
    "batch_size={} leaves a batch of one image (in one of the processes), and batch normalisation needs more "
    "than one value per channel: choose another batch_size"
)


class Augment(Protocol):
    """Changes the images of a batch at random; all its random numbers come from ``generator``."""

    def __call__(self, images: Tensor, /, *, generator: torch.Generator) -> Tensor: ...


def fit(
    model: nn.Module,
    data: Splits,
    *,
    epochs: int,
    lr: float | None = None,
    optimizer: OptimizerLike | None = None,
    schedule: str = "constant",
    batch_size: int = 64,
    device: Device = None,
    seed: int = 0,
    augment: Augment | None = None,
    patience: int | None = None,
    restore_best: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    amp: bool = False,
    progress: bool | None = None,
    each_epoch: Callable[[History], object] | None = None,
) -> History:
    """Train an image classifier.

    Every epoch goes once over ``data.train`` in a new order, batch by batch: scores, cross-entropy,
    gradients, a step of the optimizer. Then it evaluates loss and accuracy on ``data.valid``. It never uses
    ``data.test``.

    Parameters
    ----------
    model : torch.nn.Module
        From images (N, C, H, W) to one score for each class, (N, classes), before the softmax. It is changed
        in place, and stays on the device on which it was trained.
    data : Splits
        Training and validation data. Both are moved to the device in full.
    epochs : int
        Total number of epochs, including those already in the checkpoint.
    lr : float, optional
        Learning rate of stochastic gradient descent with momentum 0.9. Give this or `optimizer`.
    optimizer : torch.optim.Optimizer or callable, optional
        An optimizer of the model's parameters, or a function that makes one of them:
        ``lambda parameters: torch.optim.Adam(parameters, lr=1e-3)``.
    schedule : {"constant", "linear", "cosine"}
        How the learning rate changes, step by step: not at all, or down to 0 at the end of the last epoch,
        along a line or half a cosine wave.
    batch_size : int
        Images in one step, over all processes. The last batch of an epoch may be smaller.
    device : torch.device or str, optional
        Where to train. By default on an accelerator, such as a GPU, if there is one, else on the CPU.
    seed : int
        The order of the images, `augment` and dropout depend on this number and the epoch's alone. The
        model's initial weights are the caller's: call ``torch.manual_seed`` before building it.
    augment : callable, optional
        Changes each training batch: ``augment(images, generator=generator)``, for example
        ``functools.partial(d2lconv.data.random_shifts, most=2)``. It must draw all its random numbers
        from `generator`, a CPU generator.
    patience : int, optional
        Stop once the validation loss has not been smaller than its best for so many epochs.
    restore_best : bool
        Whether the model ends with the weights of the epoch with the smallest validation loss. Otherwise it
        ends with those of the last epoch.
    checkpoint : str or path-like, optional
        A file that holds the state after each epoch. If it exists, training resumes from it: a run that was
        killed ends with the same weights as one that was not. Its folder must exist.
    amp : bool
        Whether layers compute in 16 bits where that is safe. Faster on GPUs, less exact.
    progress : bool, optional
        Whether to draw a progress bar on stderr. By default only if that is a terminal.
    each_epoch : callable, optional
        Called after each epoch with the history so far, for example to print its last line. Rank 0 calls it.

    Returns
    -------
    History
        Loss and accuracy after each epoch.

    Raises
    ------
    TypeError
        If an argument has the wrong type, or the model returns something else than scores.
    ValueError
        If an argument is out of range, a set has no image, the model has nothing to train or its scores
        another shape, the optimizer holds another model's parameters, or the checkpoint is damaged or of a
        run with other settings.
    OSError
        If the checkpoint cannot be written, or another process has died.
    FloatingPointError
        If the loss is no longer a finite number; it names the epoch and the step. The weights are then lost.

    Notes
    -----
    After the call PyTorch's global random numbers continue as if it had not happened, and every layer is in
    the mode, training or evaluation, that it had. Resuming is exact to the last bit on the same CPU with
    the same number of threads; some GPU kernels differ in the last bits from run to run.

    Started by ``torchrun``, every process calls ``fit`` with the same arguments; all begin with the weights
    of rank 0. Each learns from its own shard of every batch, and all end with the same weights, those of one
    process up to rounding. (Rounding grows in a long training, most where the loss falls steeply, so the
    numbers of two such runs may differ visibly in the end, as they do between two kinds of CPU.) Only two
    things differ from one process: each process draws its own random numbers for `augment` and dropout, and
    batch normalisation sees a shard, not the whole batch. Only rank 0 writes checkpoints and draws the
    bar. The processes stay joined until the program ends.

    On CPUs and NVIDIA's GPUs the weights of convolutions are laid out with the channels last, which is
    faster. Shapes and values stay the same, but ``weight.view(...)`` may have to be ``weight.reshape(...)``.

    Introduced in: *How a network learns*; checkpoints, mixed precision and processes in *Scaling*.

    Examples
    --------
    >>> from d2lconv.data import load_digits
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 10))
    >>> data = load_digits()
    >>> history = fit(model, data, epochs=3, lr=0.03)
    >>> len(history), history.best.valid_accuracy >= 0.9
    (3, True)
    """
    epochs, batch_size = integer("epochs", epochs, 1), integer("batch_size", batch_size, 1)
    seed, schedule = integer("seed", seed, 0), require_schedule(schedule)
    patience = epochs if patience is None else integer("patience", patience, 1)
    _require_arguments(model, data, augment)
    if each_epoch is not None and not callable(each_epoch):
        raise TypeError(f"each_epoch must be a function of the history, got {each_epoch!r}")
    with keep_modes(model), process_group(device) as group, fork_rng(group.device):
        to_device(model, group.device)
        chosen = choose_optimizer(model, lr, optimizer)
        learner = Learner(
            model,
            group.wrap(model),
            chosen,
            LearningRates.of(chosen, schedule, epochs),
            gradient_scaler(group.device, amp),
            group,
            batch_size,
            seed,
            augment,
            amp,
            len(data.train.class_names),
        )
        history, best, settings = History(), dict[str, Tensor](), dict[str, Setting]()
        if checkpoint is not None:
            settings = learner.settings(data)
            saved = group.broadcast(lambda: find_checkpoint(checkpoint, settings, epochs))
            if saved is not None:
                learner.resume(saved, checkpoint)
                history, best = saved.history, saved.best
        train, valid = data.train.to(group.device), data.valid.to(group.device)
        steps = math.ceil(len(train) / batch_size)
        with _bar(epochs * steps, len(history) * steps, progress if group.is_main else False) as bar:
            while len(history) < epochs and len(history) - history.best_epoch < patience:
                history.epochs.append(learner.epoch(train, valid, len(history) + 1, bar))
                if (restore_best or checkpoint is not None) and history.best_epoch == len(history):
                    best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
                if checkpoint is not None and group.is_main:
                    save_checkpoint(checkpoint, learner.checkpoint(best, history, settings))
                if each_epoch is not None and group.is_main:
                    each_epoch(history)
        learner.rates.reset(chosen)
        if restore_best:
            load_weights(model, best, checkpoint or "")
    return history


def _require_arguments(model: object, data: object, augment: object) -> None:
    """Raise unless there is a model to train, data to train it with, and a function to change them."""
    require_model(model)
    if not isinstance(data, Splits):
        hint = ": Splits(train, valid, test) are three of them" if isinstance(data, ImageData) else ""
        hint = ": its images and labels make ImageData" if isinstance(data, DataLoader) else hint
        raise TypeError(f"data must be Splits, got {type(data).__name__}{hint}")
    require_images("data.train", data.train)
    require_images("data.valid", data.valid)
    if augment is not None and not callable(augment):
        raise TypeError(f"augment must be a function of images and generator, got {augment!r}")


def _bar(total: int, done: int, shown: bool | None) -> tqdm:
    """Return a progress bar of steps on stderr; for None only if that is a terminal."""
    return tqdm(total=total, initial=done, unit=" steps", disable=None if shown is None else not shown)


@dataclass(frozen=True)
class Learner:
    """A model, what trains it, and the settings of its training.

    ``network`` is the model as `ProcessGroup.wrap` returns it: its gradients are means over all processes.
    """

    model: nn.Module
    network: nn.Module
    optimizer: Optimizer
    rates: LearningRates
    scaler: torch.amp.GradScaler
    group: ProcessGroup
    batch_size: int
    seed: int
    augment: Augment | None
    amp: bool
    classes: int

    def epoch(self, train: ImageData, valid: ImageData, number: int, bar: tqdm) -> Epoch:
        """Learn from the training data once, and evaluate on the validation data."""
        began = time.perf_counter()
        loss, accuracy = self.train_epoch(train, number, bar)
        self.group.broadcast_buffers(self.model)
        result = evaluate_shards(self.model, valid, self.group, amp=self.amp)
        if not math.isfinite(result.loss):
            cause = _cause("data.valid", valid)
            raise FloatingPointError(f"the validation loss is {result.loss} after epoch {number}: {cause}")
        return Epoch(loss, accuracy, result.loss, result.accuracy, time.perf_counter() - began)

    def train_epoch(self, data: ImageData, number: int, bar: tqdm) -> tuple[float, float]:
        """Go over the data once, in a new order, and return the mean loss and the accuracy on the way."""
        own_seed = seed_for(self.seed, number, 1 + self.group.rank)
        seed_global(own_seed, self.group.device)  # for dropout
        noise = torch.Generator().manual_seed(own_seed)  # for augment
        shuffle = torch.Generator().manual_seed(seed_for(self.seed, number))  # the same in all processes
        order = torch.randperm(len(data), generator=shuffle).to(data.labels.device)
        metrics = RunningMetrics(data, self.batch_size, number, self.group)
        self.model.train()
        for step, batch in enumerate(torch.split(order, self.batch_size)):
            self.rates.set(self.optimizer, number - 1 + step / metrics.steps)
            own = batch[self.group.shard(len(batch))]
            rows = own if len(own) else batch[:1]  # fewer images than processes: take part, but count nothing
            images, labels = data.images.index_select(0, rows), data.labels.index_select(0, rows)
            if self.augment is not None:
                images = _augmented(self.augment(images, generator=noise), images)
            fraction = len(own) / len(batch)
            metrics.add(*self.step(images, labels, fraction), fraction)
            bar.update()
            if metrics.is_due:
                loss, accuracy = metrics.compute()
                text = f"epoch {number}, loss {loss:.3f}, accuracy {accuracy:.3f}"
                bar.set_postfix_str(text, refresh=False)
        return metrics.compute()

    def step(self, images: Tensor, labels: Tensor, fraction: float) -> tuple[Tensor, Tensor]:
        """Learn from a process's fraction of a batch; return its mean loss and number of correct answers."""
        self.optimizer.zero_grad()
        with autocast(self.group.device, self.amp):
            try:
                scores = scores_of(self.network, images, self.classes)
            except ValueError as error:
                if "more than 1 value per channel" in str(error):
                    raise ValueError(_ONE_IMAGE.format(self.batch_size)) from error
                raise
            if not scores.requires_grad:
                raise ValueError("model must return scores that depend on its trained parameters")
            loss = F.cross_entropy(scores, labels)
        # The gradient is the mean over the processes, so each weighs as much as its fraction of the batch.
        weight = fraction * self.group.world_size
        weighted = loss if weight == 1 else loss * weight
        self.scaler.scale(weighted).backward()  # type: ignore[no-untyped-call]
        self.scaler.step(self.optimizer)
        self.scaler.update()
        return loss.detach(), (scores.argmax(1) == labels).sum()

    def settings(self, data: Splits) -> dict[str, Setting]:
        """Return what the weights after each epoch depend on, by name."""
        model, constant = unwrapped(self.model), self.rates.schedule == "constant"
        return {
            "model": str(model),
            "frozen": ", ".join(n for n, p in model.named_parameters() if not p.requires_grad) or None,
            "train": fingerprint(data.train),
            "valid": fingerprint(data.valid),
            **optimizer_settings(self.optimizer),
            "batch_size": self.batch_size,
            "seed": self.seed,
            "augment": describe(self.augment),
            "amp": self.amp,
            "schedule": self.rates.schedule,
            "epochs": None if constant else self.rates.epochs,  # a longer run has other rates
        }

    def checkpoint(
        self, best: dict[str, Tensor], history: History, settings: dict[str, Setting]
    ) -> Checkpoint:
        """Return the state after an epoch."""
        states = self.model.state_dict(), best, self.optimizer.state_dict(), self.scaler.state_dict()
        return Checkpoint(*states, history, settings)

    def resume(self, saved: Checkpoint, path: str | os.PathLike[str]) -> None:
        """Take up the state of a checkpoint."""
        load_weights(self.model, saved.last, path)
        self.optimizer.load_state_dict(saved.optimizer)
        self.scaler.load_state_dict(saved.scaler)


class RunningMetrics:
    """The loss and the number of correct answers of each step of an epoch so far.

    They stay on the device until `compute`, which waits for an accelerator to catch up.
    """

    def __init__(self, data: ImageData, batch_size: int, epoch: int, group: ProcessGroup) -> None:
        self.data, self.size, self.steps = data, len(data), math.ceil(len(data) / batch_size)
        self.batch_size, self.epoch, self.group = batch_size, epoch, group
        self.pending: list[tuple[Tensor, Tensor, float]] = []
        self.seen = 0
        self.loss_sum = self.correct = 0.0

    @property
    def is_due(self) -> bool:
        """Whether it is time for a report."""
        return len(self.pending) >= REPORT_EVERY

    def add(self, loss: Tensor, correct: Tensor, fraction: float) -> None:
        """Add a step: mean loss and number of correct answers of this process's fraction of the batch."""
        self.pending.append((loss, correct, fraction))

    def compute(self) -> tuple[float, float]:
        """Return mean loss and accuracy so far, over all processes; raise if the loss is not finite."""
        for loss, correct in self._take():
            self.seen += 1
            if not math.isfinite(loss):
                cause = _cause("data.train", self.data)
                raise FloatingPointError(
                    f"the loss is {loss} at epoch {self.epoch}, step {self.seen} of {self.steps}: {cause}"
                )
            self.loss_sum += loss * min(self.batch_size, self.size - (self.seen - 1) * self.batch_size)
            self.correct += correct
        count = min(self.seen * self.batch_size, self.size)
        return self.loss_sum / count, self.correct / count

    def _take(self) -> list[list[float]]:
        """Return loss and correct answers of each step since the last report, over all processes."""
        if not self.pending:
            return []
        losses, correct, fractions = zip(*self.pending, strict=True)
        self.pending = []
        weights = torch.tensor(fractions, dtype=torch.float64)
        mean_losses = torch.stack(losses).cpu().double() * weights
        counts = torch.stack(correct).cpu().double() * (weights > 0)
        return self.group.all_reduce(torch.stack([mean_losses, counts], dim=1))


def _augmented(images: object, given: Tensor) -> Tensor:
    """Return what augment made of a batch; raise unless these are as many images."""
    if not isinstance(images, Tensor):
        raise TypeError(f"augment must return the images, a torch.Tensor, got {type(images).__name__}")
    if len(images) != len(given):
        raise ValueError(f"augment must return {len(given)} images, as many as it got, got {len(images)}")
    return images


def _cause(name: str, data: ImageData) -> str:
    """Return why a loss is not finite."""
    if not all(extreme.isfinite() for extreme in data.images.aminmax()):
        return f"{name} holds nan or inf, so its images have been changed since ImageData was made of them"
    return "the weights have grown out of bounds; try a smaller learning rate"
