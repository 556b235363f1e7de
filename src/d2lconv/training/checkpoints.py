"""Files from which a training that was stopped goes on as if nothing had happened."""

from __future__ import annotations

import os
import pickle
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from d2lconv.training.history import Epoch, History

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "d2lconv.training"
VERSION = 1
PARTS = ("last", "best", "optimizer", "scaler", "settings")

Setting = str | int | float | bool | None


@dataclass(frozen=True, eq=False, repr=False)
class Checkpoint:
    """Where a training stands after an epoch.

    Attributes
    ----------
    last : dict
        The model's ``state_dict()`` after the last epoch.
    best : dict
        The same after the epoch with the smallest validation loss.
    optimizer, scaler : dict
        What the optimiser and the gradient scaler of mixed precision remember.
    history : History
        The epochs so far.
    settings : dict
        What the run depends on, text and numbers by name; a run with other settings does not go on from here.

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
    """Write a checkpoint so that the file is always whole: the old one or the new one, never a part.

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
        Gets the weights; it must have been built as the one that was trained.
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
        If the file is cut off or is no checkpoint, a newer version has written it, the model is another one,
        or `weights` is another word.

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
        raise ValueError(f"checkpoint {path} is cut off or is no checkpoint: {reason}") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(f"checkpoint {path} was not written by {FORMAT}")
    if content.get("version") != VERSION:
        raise ValueError(
            f"checkpoint {path} has format version {content.get('version')}, but this d2lconv reads version "
            f"{VERSION}: use the d2lconv that wrote it"
        )
    return content
