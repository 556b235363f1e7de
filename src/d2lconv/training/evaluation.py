"""A model's loss and accuracy on images that it does not learn from."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv._arguments import integer
from d2lconv.data import ImageData, Splits
from d2lconv.data.images import require_tensor
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
        If `model` is not a module, `data` is not an `ImageData`, `batch_size` is not an integer, or the model
        returns something else than scores.
    ValueError
        If there are no images, `batch_size` is less than 1, there is no such device, or the scores have
        another shape.

    Notes
    -----
    Dropout is off and batch normalisation uses its running statistics; afterwards every layer is in the mode
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
    require_model(model)
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
        If `model` is not a module, `images` is not a floating-point tensor, `batch_size` is not an integer,
        or the model returns something else than scores.
    ValueError
        If `images` have another shape or there are none, `batch_size` is less than 1, there is no such
        device, or the scores have another shape.

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
    require_model(model)
    if isinstance(images, ImageData):
        raise TypeError("images must be a torch.Tensor, got ImageData: give its images, data.images")
    require_tensor("images", images)
    if not images.is_floating_point():
        hint = ": complex numbers are not supported" if images.is_complex() else ""
        raise TypeError(f"images must be floating-point, got {images.dtype}{hint}")
    if images.ndim != 4:
        raise ValueError(f"images must have shape (N, C, H, W), got {tuple(images.shape)}")
    if not len(images):  # torch.cat cannot join nothing
        raise ValueError(f"images must hold at least one image, got shape {tuple(images.shape)}")
    size, chosen = integer("batch_size", batch_size, 1), _choose(model, device)
    classes = []
    with eval_mode(model.to(chosen)), autocast(chosen, amp):
        for batch in torch.split(images, size):
            classes.append(scores_of(model, batch.to(chosen)).argmax(1).cpu())
    return torch.cat(classes)


def require_model(model: object) -> None:
    """Raise TypeError unless a model is a module, ValueError unless it has numbers."""
    if isinstance(model, type):
        name = model.__name__
        raise TypeError(f"model must be a torch.nn.Module, got the class {name}: give an object, {name}()")
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {type(model).__name__}")
    if any(tensor.device.type == "meta" for tensor in [*model.parameters(), *model.buffers()]):
        raise ValueError(
            "model is on device 'meta', where it has shapes without numbers: build it on the CPU"
        )


def scores_of(model: nn.Module, images: Tensor, classes: int = 1) -> Tensor:
    """Return a model's scores, in 32 bits or more; raise unless there is one for each image and class."""
    try:
        scores = model(images)
    except RuntimeError as error:
        kinds = {str(p.dtype) for p in model.parameters() if p.is_floating_point()}
        if not kinds or str(images.dtype) in kinds:
            raise
        raise TypeError(
            f"images are {images.dtype}, but the model's weights are {', '.join(sorted(kinds))}: convert one "
            "of them"
        ) from error
    if not isinstance(scores, Tensor):
        raise TypeError(
            f"model must return scores, a tensor of shape ({len(images)}, classes) for {len(images)} images, "
            f"got {type(scores).__name__}"
        )
    if scores.ndim != 2 or len(scores) != len(images) or scores.shape[1] < classes:
        wanted = f"at least {classes}" if classes > 1 else "classes"
        hint = ": flatten them, as nn.Flatten() does" if scores.ndim > 2 else ""
        raise ValueError(
            f"model must return scores of shape ({len(images)}, {wanted}), one for each class, got shape "
            f"{tuple(scores.shape)}{hint}"
        )
    if not scores.is_floating_point():
        raise TypeError(f"model must return floating-point scores, got {scores.dtype}")
    return scores if scores.element_size() > 2 else scores.float()  # sums in 16 bits lose what is small


def require_images(name: str, data: object) -> None:
    """Raise unless data is a non-empty `ImageData`."""
    if not isinstance(data, ImageData):
        hint = f": give one of its sets, such as {name}.test" if isinstance(data, Splits) else ""
        raise TypeError(f"{name} must be ImageData, got {type(data).__name__}{hint}")
    if not len(data):
        raise ValueError(f"{name} must hold at least one image, got {data}")


def evaluate_shards(
    model: nn.Module, data: ImageData, group: ProcessGroup, *, batch_size: int = BATCH, amp: bool = False
) -> Evaluation:
    """Evaluate a model in several processes, each on its own shard of the images."""
    device, rows = group.device, range(len(data))[group.shard(len(data))]
    sums = [torch.zeros(2, device=device)]  # one row a batch, left on the device until the end
    with eval_mode(model), autocast(device, amp):
        for start in rows[::batch_size]:
            batch = slice(start, min(start + batch_size, rows.stop))
            labels = data.labels[batch].to(device)
            scores = scores_of(model, data.images[batch].to(device), len(data.class_names))
            loss = F.cross_entropy(scores, labels, reduction="sum")
            sums.append(torch.stack([loss, (scores.argmax(1) == labels).sum()]))
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
