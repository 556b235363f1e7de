"""A model's loss and accuracy on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv._arguments import integer
from d2lconv.data import ImageData, batches
from d2lconv.training._devices import Device, autocast, choose_device, device_of
from d2lconv.training._distributed import ProcessGroup

__all__ = ["Evaluation", "evaluate", "predict"]

BATCH = 256  # images at a time: larger ones are no faster on a CPU, and take more memory


@dataclass(frozen=True)
class Evaluation:
    """The result of `evaluate`.

    Attributes
    ----------
    loss : float
        Cross-entropy in nats, the mean over all images.
    correct : int
        Number of images classified correctly.
    count : int
        Number of images.

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
        """The fraction of images classified correctly, from 0 to 1."""
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
        The images and their classes.
    batch_size : int
        Images in one forward pass. The result does not depend on it, except for rounding.
    device : torch.device or str, optional
        Where to compute; the model is moved there. By default where the model is.
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
    Dropout is off and batch normalization uses its running statistics; afterwards every layer is in the mode
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
    require_images("data", data)
    size = integer("batch_size", batch_size, 1)
    chosen = _choose(model, device)
    return evaluate_shards(model.to(chosen), data, ProcessGroup(chosen), batch_size=size, amp=amp)


def predict(
    model: nn.Module, images: Tensor, *, batch_size: int = BATCH, device: Device = None, amp: bool = False
) -> Tensor:
    """Return the class that a model predicts for each image.

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
    size, chosen = integer("batch_size", batch_size, 1), _choose(model, device)
    with eval_mode(model.to(chosen)), autocast(chosen, amp):
        return torch.cat([model(batch.to(chosen)).argmax(1).cpu() for batch in torch.split(images, size)])


def require_images(name: str, data: object) -> None:
    """Raise unless data is a non-empty `ImageData`."""
    if not isinstance(data, ImageData):
        raise TypeError(f"{name} must be ImageData, got {type(data).__name__}")
    if not len(data):
        raise ValueError(f"{name} must hold at least one image, got {data}")


def evaluate_shards(
    model: nn.Module, data: ImageData, group: ProcessGroup, *, batch_size: int = BATCH, amp: bool = False
) -> Evaluation:
    """Evaluate a model in several processes, each on its own shard of the images."""
    own, device = group.shard(len(data)), group.device
    shard = ImageData(data.images[own], data.labels[own], data.class_names)
    sums = [torch.zeros(2, device=device)]  # one row a batch, left on the device until the end
    with eval_mode(model), autocast(device, amp):
        for images, labels in batches(shard, batch_size):
            scores, classes = model(images.to(device)), labels.to(device)
            loss = F.cross_entropy(scores, classes, reduction="sum")
            sums.append(torch.stack([loss, (scores.argmax(1) == classes).sum()]))
    ((loss_sum, correct),) = group.all_reduce(torch.stack(sums).cpu().double().sum(0, keepdim=True))
    return Evaluation(loss_sum / len(data), int(correct), len(data))


@contextmanager
def eval_mode(model: nn.Module) -> Iterator[None]:
    """Switch a model to evaluation, without gradients, for the length of the block."""
    with keep_modes(model), torch.no_grad():
        model.eval()
        yield


@contextmanager
def keep_modes(model: nn.Module) -> Iterator[None]:
    """Restore every layer's mode, training or evaluation, at the end of the block."""
    modes = {module: module.training for module in model.modules()}
    try:
        yield
    finally:
        for module, mode in modes.items():
            module.training = mode


def _choose(model: nn.Module, device: Device) -> torch.device:
    return device_of(model) if device is None else choose_device(device)
