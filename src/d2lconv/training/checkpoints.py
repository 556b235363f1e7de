"""Files from which an interrupted training resumes exactly."""

from __future__ import annotations

import functools
import os
import pickle
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from d2lconv.data import ImageData
from d2lconv.training.history import Epoch, History

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "d2lconv.training"
VERSION = 1
PARTS = ("last", "best", "optimizer", "scaler", "settings")

Setting = str | int | float | bool | None


@dataclass(frozen=True, eq=False, repr=False)
class Checkpoint:
    """The state of a training after an epoch.

    Attributes
    ----------
    last : dict
        The model's ``state_dict()`` after the last epoch.
    best : dict
        The same after the epoch with the smallest validation loss.
    optimizer, scaler : dict
        The state of the optimizer and of the gradient scaler of mixed precision.
    history : History
        The epochs so far.
    settings : dict
        What the run depends on, text and numbers by name; a run with other settings does not resume from it.

    Examples
    --------
    >>> weights = torch.nn.Linear(2, 1).state_dict()
    >>> Checkpoint(weights, weights, history=History([Epoch(0.5, 0.8, 0.25, 0.9)]))
    Checkpoint(epochs=1, best_epoch=1)
    """

    last: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizer: dict[str, Any] = field(default_factory=dict)
    scaler: dict[str, Any] = field(default_factory=dict)
    history: History = field(default_factory=History)
    settings: dict[str, Setting] = field(default_factory=dict)

    def __repr__(self) -> str:
        return f"Checkpoint(epochs={len(self.history)}, best_epoch={self.history.best_epoch})"


def save_checkpoint(path: str | os.PathLike[str], checkpoint: Checkpoint) -> None:
    """Write a checkpoint so that the file is always whole: the old one or the new one, never half of one.

    The new one is written to ``path + ".tmp"`` in the same folder first, and takes the old one's place when
    all of it is on the disk. So a run can be killed at any moment, also while it writes.

    Parameters
    ----------
    path : str or path-like
        The file; its folder must exist.
    checkpoint : Checkpoint
        What to write.

    Raises
    ------
    OSError
        If the file cannot be written.

    Notes
    -----
    `fit` calls this after every epoch if given a path. Introduced in: *Scaling*.

    Examples
    --------
    >>> import tempfile
    >>> model = torch.nn.Linear(2, 1)
    >>> weights = model.state_dict()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/run.pt", Checkpoint(weights, weights))
    ...     load_checkpoint(f"{folder}/run.pt").last["weight"].shape
    torch.Size([1, 2])
    """
    content = {
        "format": FORMAT,
        "version": VERSION,
        **{name: getattr(checkpoint, name) for name in PARTS},
        "history": [asdict(epoch) for epoch in checkpoint.history],
    }
    target = Path(path)
    unfinished = target.with_name(target.name + ".tmp")
    try:
        with unfinished.open("wb") as file:
            torch.save(content, file)
            file.flush()
            os.fsync(file.fileno())
        unfinished.replace(target)
    except (OSError, RuntimeError) as error:
        unfinished.unlink(missing_ok=True)
        cause = error.__context__ if isinstance(error, RuntimeError) else error  # torch.save may hide it
        if not isinstance(cause, OSError):
            raise
        raise OSError(cause.errno, f"cannot write checkpoint {target}: {cause.strerror}") from error


def load_checkpoint(
    path: str | os.PathLike[str], model: nn.Module | None = None, *, weights: str = "best"
) -> Checkpoint:
    """Read a checkpoint, and put its weights into a model if one is given.

    Parameters
    ----------
    path : str or path-like
        A file that `fit` or `save_checkpoint` has written.
    model : torch.nn.Module, optional
        Receives the weights; it must have been built as the one that was trained.
    weights : {"best", "last"}
        Those with the smallest validation loss, or those of the last epoch.

    Returns
    -------
    Checkpoint
        With its tensors on the CPU.

    Raises
    ------
    FileNotFoundError
        If there is no such file.
    ValueError
        If the file is truncated or not a checkpoint, another version has written it, the model is another
        one, or `weights` is another word.

    Notes
    -----
    The file is read as data (``torch.load`` with ``weights_only=True``), so no code in it runs. Introduced
    in: *Scaling*.

    Examples
    --------
    >>> import tempfile
    >>> model, copy = torch.nn.Linear(2, 1), torch.nn.Linear(2, 1)
    >>> weights = model.state_dict()
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_checkpoint(f"{folder}/run.pt", Checkpoint(weights, weights))
    ...     load_checkpoint(f"{folder}/run.pt", copy)
    Checkpoint(epochs=0, best_epoch=0)
    >>> torch.equal(model.weight, copy.weight)
    True
    """
    if weights not in ("best", "last"):
        raise ValueError(f"weights must be 'best' or 'last', got {weights!r}")
    content = _read(Path(path))
    history = History(Epoch(**row) for row in content["history"])
    checkpoint = Checkpoint(history=history, **{name: content[name] for name in PARTS})
    if model is not None:
        try:
            model.load_state_dict(getattr(checkpoint, weights))
        except RuntimeError as error:
            raise ValueError(f"checkpoint {path} is of another model: {error}") from None
    return checkpoint


def _read(path: Path) -> dict[str, Any]:
    try:
        content = torch.load(path, map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, KeyError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise ValueError(f"checkpoint {path} is truncated or not a checkpoint: {reason}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"checkpoint {path} was not written by {FORMAT}")
    if content.get("version") != VERSION:
        raise ValueError(
            f"checkpoint {path} has format version {content.get('version')}, but this d2lconv reads version "
            f"{VERSION}: use the d2lconv that wrote it"
        )
    return content


def find_checkpoint(
    path: str | os.PathLike[str], settings: Mapping[str, Setting], epochs: int
) -> Checkpoint | None:
    """Return the checkpoint to resume from, None if there is none yet; raise ValueError for another run's."""
    if not Path(path).exists():
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"checkpoint {path} cannot be written: its folder does not exist")
        return None
    saved = load_checkpoint(path)
    faults = [
        f"{name} was {old}, now it is {new}"
        for name in sorted(settings.keys() | saved.settings.keys())
        for old, new in [_difference(saved.settings.get(name), settings.get(name))]
        if old != new
    ]
    if faults:
        raise ValueError(
            f"checkpoint {path} is of a run with other settings: {'; '.join(faults)}. Give the same ones, or "
            "another file"
        )
    if len(saved.history) > epochs:
        raise ValueError(
            f"checkpoint {path} has {len(saved.history)} epochs already, more than epochs={epochs}"
        )
    return saved


def _difference(old: Setting, new: Setting) -> tuple[Setting, Setting]:
    """Return two settings, long texts shortened to the first line in which they differ."""
    if isinstance(old, str) and isinstance(new, str) and old != new:
        olds, news = old.splitlines(), new.splitlines()
        for before, after in zip(olds, news, strict=False):
            if before != after:
                return before.strip(), after.strip()
        return f"{len(olds)} lines long", f"{len(news)} lines long"
    return old, new


def fingerprint(data: ImageData) -> str:
    """Return a short text that changes with any image or label."""
    checksum = 0
    for tensor in (data.images, data.labels):
        checksum = zlib.crc32(tensor.cpu().contiguous().numpy().tobytes(), checksum)
    return f"{'×'.join(map(str, data.images.shape))} with checksum {checksum:08x}"


def describe(function: object) -> str | None:
    """Return a function's name and the arguments bound to it, the same text in every run."""
    if function is None:
        return None
    if isinstance(function, functools.partial):
        given = [
            *map(repr, function.args),
            *(f"{name}={value!r}" for name, value in function.keywords.items()),
        ]
        return f"{describe(function.func)}({', '.join(given)})"
    return str(getattr(function, "__qualname__", type(function).__qualname__))
