"""How well a model does on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv._arguments import integer
from d2lconv.data import ImageData, batches
from d2lconv.training._devices import Device, choose_device, device_of, precision
from d2lconv.training._processes import Processes

__all__ = ["Evaluation", "evaluate", "predict"]

BATCH = 256  # images at a time: larger ones are no faster on a CPU, and take more memory


@dataclass(frozen=True)
class Evaluation:
    """How well a model did.

    Attributes
    ----------
    loss : float
        Cross-entropy in nats, the mean over all images.
    correct : int
        How many images got their own class.
    count : int
        How many images there were.

    Examples
    --------
    >>> Evaluation(loss=0.25, correct=291, count=300)
    Evaluation(loss=0.25, correct=291, count=300)
    >>> _.accuracy
    0.97
    """

    loss: float
    correct: int
    count: int

    @property
    def accuracy(self) -> float:
        """The fraction of correct answers, from 0 to 1."""
        return self.correct / self.count


def evaluate(
    model: nn.Module, data: ImageData, *, batch_size: int = BATCH, device: Device = None, amp: bool = False
) -> Evaluation:
    """Return a model's loss and accuracy.

    Parameters
    ----------
    model : torch.nn.Module
        From images (N, C, H, W) to one score for each class, (N, classes), before the softmax.
    data : ImageData
        The images and the right answers.
    batch_size : int
        How many images to look at in one go. The result does not depend on it, but for rounding.
    device : torch.device or str, optional
        Where to compute; the model is moved there. By default where it is.
    amp : bool
        Whether to compute in mixed precision, as in `fit`.

    Returns
    -------
    Evaluation
        Its `accuracy` is a fraction, its `correct` a count.

    Raises
    ------
    TypeError
        If `data` is not an `ImageData`, or `batch_size` is not an integer.
    ValueError
        If there are no images, `batch_size` is less than 1, or there is no such device.

    Notes
    -----
    Dropout is off and batch normalisation uses what it has stored; afterwards every layer is in the mode
    that it had. No gradients are kept. Introduced in: *LeNet*.

    Examples
    --------
    >>> from d2lconv.data import load_digits
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 10))
    >>> _ = torch.nn.init.zeros_(model[1].weight), torch.nn.init.zeros_(model[1].bias)
    >>> result = evaluate(model, load_digits().test)
    >>> result.correct, result.count, round(result.loss, 3)  # all scores equal: always 0, and log 10
    (30, 300, 2.303)
    """
    check_images("data", data)
    size = integer("batch_size", batch_size, 1)
    place = _place(model, device)
    return evaluate_together(model.to(place), data, Processes(place), batch_size=size, amp=amp)


def predict(
    model: nn.Module, images: Tensor, *, batch_size: int = BATCH, device: Device = None, amp: bool = False
) -> Tensor:
    """Return the class that a model gives to each image.

    Parameters
    ----------
    model : torch.nn.Module
        From images (N, C, H, W) to one score for each class, (N, classes).
    images : Tensor
        Shape (N, C, H, W).
    batch_size, device, amp
        As in `evaluate`.

    Returns
    -------
    Tensor
        The class with the highest score, int64, shape (N,), on the CPU.

    Raises
    ------
    TypeError
        If `batch_size` is not an integer.
    ValueError
        If there are no images, `batch_size` is less than 1, or there is no such device.

    Notes
    -----
    Introduced in: *LeNet*.

    Examples
    --------
    >>> from d2lconv.data import load_digits
    >>> test = load_digits().test
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 10))
    >>> bool((predict(model, test.images) == test.labels).sum() == evaluate(model, test).correct)
    True
    """
    if not len(images):  # torch.cat cannot join nothing
        raise ValueError(f"images must hold at least one image, got shape {tuple(images.shape)}")
    size, place = integer("batch_size", batch_size, 1), _place(model, device)
    with judging(model.to(place)), precision(place, amp):
        return torch.cat([model(part.to(place)).argmax(1).cpu() for part in torch.split(images, size)])


def check_images(name: str, data: object) -> None:
    """Refuse what is no `ImageData`, and data with no image in it."""
    if not isinstance(data, ImageData):
        raise TypeError(f"{name} must be ImageData, got {type(data).__name__}")
    if not len(data):
        raise ValueError(f"{name} must hold at least one image, got {data}")


def evaluate_together(
    model: nn.Module, data: ImageData, processes: Processes, *, batch_size: int = BATCH, amp: bool = False
) -> Evaluation:
    """Evaluate a model with several processes, each on its own share of the images."""
    own, place = processes.share(len(data)), processes.device
    part = ImageData(data.images[own], data.labels[own], data.class_names)
    sums = [torch.zeros(2, device=place)]  # one row a batch, left on the device until the end
    with judging(model), precision(place, amp):
        for images, labels in batches(part, batch_size):
            scores, answers = model(images.to(place)), labels.to(place)
            loss = F.cross_entropy(scores, answers, reduction="sum")
            sums.append(torch.stack([loss, (scores.argmax(1) == answers).sum()]))
    ((loss_sum, correct),) = processes.total(torch.stack(sums).cpu().double().sum(0, keepdim=True))
    return Evaluation(loss_sum / len(data), int(correct), len(data))


@contextmanager
def judging(model: nn.Module) -> Iterator[None]:
    """Switch a model to evaluation, without gradients, for the length of the block."""
    with keep_modes(model), torch.no_grad():
        model.eval()
        yield


@contextmanager
def keep_modes(model: nn.Module) -> Iterator[None]:
    """Put every layer back into the mode that it has now, training or evaluation, at the end of the block."""
    modes = {module: module.training for module in model.modules()}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _place(model: nn.Module, device: Device) -> torch.device:
    return device_of(model) if device is None else choose_device(device)
