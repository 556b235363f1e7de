"""Files from which an interrupted training resumes exactly."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import re
import secrets
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

try:
    import fcntl
except ImportError:  # Windows, where nobody can delete a file that is open
    fcntl = None  # type: ignore[assignment]

import torch
from torch import Tensor, nn

from d2lconv.data import ImageData
from d2lconv.training.history import Epoch, History

__all__ = ["Checkpoint", "load_checkpoint", "save_checkpoint"]

FORMAT = "d2lconv.training"
VERSION = 2
READABLE = (1, 2)  # version 1 had no seal
SEAL = b"d2lconv.training sha256 "
"""Precedes the SHA-256 digest of all before it; both are the comment at the end of the archive."""

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

    The new one is written to a temporary file in the same folder first, and takes the old one's place when
    all of it is on the disk. So a run can be killed at any moment, also while it writes; what it leaves is
    deleted when the next checkpoint is written. Several runs may write at once: the last one wins.

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
    The file ends in a SHA-256 digest of its content, which `load_checkpoint` checks. `fit` calls this after
    every epoch if given a path. Introduced in: *Scaling*.

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
    target = Path(os.path.realpath(path))  # where a link leads to, so that it stays a link
    try:
        with _temporary(target, replace=True) as file:
            torch.save(content, file)
            _seal(file)
            file.flush()
            os.fsync(file.fileno())
    except (OSError, RuntimeError) as error:
        cause = error.__context__ if isinstance(error, RuntimeError) else error  # torch.save may hide it
        if not isinstance(cause, OSError):
            raise
        raise OSError(cause.errno, f"cannot write checkpoint {path}: {cause.strerror}") from error


@contextlib.contextmanager
def _temporary(target: Path, *, replace: bool) -> Iterator[IO[bytes]]:
    """Open a new file beside another one, to replace it if the block succeeds; delete it if not.

    A writer locks its file as long as it lives. So a file that nobody locks was left by one that was killed.
    """
    _delete_abandoned(target)
    while True:
        path = target.with_name(f"{target.name}.{secrets.token_hex(4)}.tmp")
        file = path.open("x+b")
        with contextlib.suppress(OSError):  # a network drive without locks
            _lock(file, wait=True)
        if os.fstat(file.fileno()).st_nlink:  # else another writer has just deleted it as above
            break
        file.close()
    try:
        with file:
            yield file
            if replace and fcntl:
                path.replace(target)  # while it is locked
        if replace and not fcntl:
            path.replace(target)
    finally:
        path.unlink(missing_ok=True)


def _delete_abandoned(target: Path) -> None:
    """Delete the temporary files of writers that were killed."""
    pattern = re.compile(re.escape(target.name) + r"(\.\w{8})?\.tmp")
    with contextlib.suppress(OSError):
        for path in target.parent.iterdir():
            if pattern.fullmatch(path.name) and path.is_file():
                with contextlib.suppress(OSError), path.open("rb") as left:
                    _lock(left)  # fails if its writer is alive
                    path.unlink()


def _lock(file: IO[bytes], *, wait: bool = False) -> None:
    """Lock a file until it is closed or its process ends; raise OSError, or wait, if it is locked."""
    if fcntl:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)


def _seal(file: IO[bytes]) -> None:
    """Append the digest of a zip archive to it, as the archive's comment."""
    end = file.seek(0, os.SEEK_END)
    file.seek(end - 2)
    file.write((len(SEAL) + 64).to_bytes(2, "little") + SEAL)  # an archive ends in the length of its comment
    file.write(_digest(file, end + len(SEAL)))


def _digest(file: IO[bytes], size: int) -> bytes:
    """Return the SHA-256 digest of the first ``size`` bytes of a file, and stand behind them."""
    digest = hashlib.sha256()
    file.seek(0)
    while size > 0 and (block := file.read(min(size, 2**20))):
        digest.update(block)
        size -= len(block)
    return digest.hexdigest().encode()


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
        If the file is damaged, truncated or not a checkpoint, a newer version has written it, the model is
        another one, or `weights` is another word.

    Notes
    -----
    The file is read as data (``torch.load`` with ``weights_only=True``), so no code in it runs. Names of
    weights may differ in what ``torch.compile`` and ``torch.nn.DataParallel`` put before them. Introduced in:
    *Scaling*.

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
    if Path(path).exists() and not Path(path).is_file():  # reading a pipe or a device would never end
        raise ValueError(f"checkpoint {path} is not a file")
    with Path(path).open("rb") as file:
        try:
            checkpoint = _read(file)
        except ValueError as fault:
            raise ValueError(f"checkpoint {path} {fault}") from fault.__cause__
    if model is not None:
        load_weights(model, getattr(checkpoint, weights), path)
    return checkpoint


def load_weights(model: nn.Module, weights: Mapping[str, Tensor], path: str | os.PathLike[str]) -> None:
    """Put the weights of a checkpoint into a model, which may be wrapped in another way."""
    own = {_plain(name): name for name in model.state_dict()}
    renamed = {own.get(_plain(name), name): tensor for name, tensor in weights.items()}
    try:
        model.load_state_dict(renamed if len(renamed) == len(weights) else weights)
    except RuntimeError as error:
        reason = " ".join(str(error).split())
        raise ValueError(f"checkpoint {path} is of another model: {reason}") from None


def unwrapped(model: nn.Module) -> nn.Module:
    """Return a model without what DataParallel and torch.compile put around it."""
    while True:
        inner = getattr(model, "_orig_mod", None)
        if isinstance(model, (nn.DataParallel, nn.parallel.DistributedDataParallel)):
            inner = model.module
        if not isinstance(inner, nn.Module):
            return model
        model = inner


def _plain(name: str) -> str:
    """Return a weight's name without what DataParallel and torch.compile add to it."""
    return ".".join(part for part in name.split(".") if part not in ("module", "_orig_mod"))


def _read(file: IO[bytes]) -> Checkpoint:
    """Return what is in a file; raise ValueError that says what is wrong with it, as a predicate."""
    sealed = _require_intact(file)
    file.seek(0)
    try:
        content = torch.load(file, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError:
        raise ValueError(
            "holds other Python objects than a checkpoint does, such as a whole model: they could run code, "
            "so they are not read. Only what fit or save_checkpoint wrote is"
        ) from None
    except Exception as error:  # of the many kinds that damaged data lead to
        raise ValueError(f"is damaged: {type(error).__name__} while reading it") from error
    if not isinstance(content, dict) or content.get("format") != FORMAT:
        raise ValueError(
            f"was not written by {FORMAT}: it holds {_kind(content)}. What torch.save wrote, torch.load reads"
        )
    version = content.get("version")
    if version not in READABLE:
        raise ValueError(
            f"has format version {version!r}, but this d2lconv reads {READABLE}: "
            "use the d2lconv that wrote it"
        )
    if version > 1 and not sealed:
        raise ValueError("is damaged: its SHA-256 digest is missing")
    try:
        history = History(Epoch(**row) for row in content["history"])
        return Checkpoint(history=history, **{name: dict(content[name]) for name in PARTS})
    except (KeyError, TypeError, ValueError) as error:
        raise ValueError(f"is incomplete: {type(error).__name__} {error}") from error


def _require_intact(file: IO[bytes]) -> bool:
    """Return whether a file has a digest; raise ValueError unless it is whole, as far as can be told."""
    size, length = file.seek(0, os.SEEK_END), len(SEAL) + 64
    if not size:
        raise ValueError("is empty")
    file.seek(max(0, size - length))
    tail = file.read(length)
    sealed = tail.startswith(SEAL)
    if sealed and _digest(file, size - 64) != tail[len(SEAL) :]:
        raise ValueError("is damaged: its SHA-256 digest is not that of its content")
    file.seek(0)
    head = file.read(4)
    if not b"PK\x03\x04".startswith(head):
        raise ValueError(f"is not a checkpoint: it begins with the bytes {head.hex(' ')}")
    try:
        with zipfile.ZipFile(file) as archive:
            names = {entry.filename.rpartition("/")[2] for entry in archive.infolist()}
            packed = any(entry.compress_type != zipfile.ZIP_STORED for entry in archive.infolist())
            if "data.pkl" not in names or "constants.pkl" in names or packed:
                raise ValueError("is not a checkpoint, but another kind of archive")
            damaged = None if sealed else archive.testzip()
    except (zipfile.BadZipFile, EOFError, NotImplementedError, OSError, UnicodeError, RuntimeError):
        raise ValueError("is truncated or damaged") from None
    if damaged:
        raise ValueError("is damaged: the checksum of a part of it is wrong")
    return sealed


def _kind(content: object) -> str:
    """Return in words what a file of PyTorch's holds."""
    if isinstance(content, dict) and content and all(isinstance(value, Tensor) for value in content.values()):
        return "the weights of a model, a state_dict"
    return f"a {type(content).__name__}"


def find_checkpoint(
    path: str | os.PathLike[str], settings: Mapping[str, Setting], epochs: int
) -> Checkpoint | None:
    """Return the checkpoint to resume from, None if there is none yet; raise ValueError for another run's."""
    require_path(path)
    if not Path(path).exists():
        if not Path(path).absolute().parent.is_dir():
            raise FileNotFoundError(f"checkpoint {path} cannot be written: its folder does not exist")
        _require_writable(path)
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
    if len(saved.history) < epochs:
        _require_writable(path)
    return saved


def require_path(path: object) -> None:
    """Raise unless a checkpoint's path can be that of a file."""
    if not isinstance(path, (str, os.PathLike)):
        raise TypeError(f"checkpoint must be the path of a file, got {path!r} of type {type(path).__name__}")
    if not os.fspath(path):
        raise ValueError(f"checkpoint must be the path of a file, got {path!r}")
    if Path(path).is_dir():
        raise IsADirectoryError(f"checkpoint must be the path of a file, but {path} is a folder")


def _require_writable(path: str | os.PathLike[str]) -> None:
    """Raise OSError now, not after an epoch, if a checkpoint cannot be written."""
    try:
        with _temporary(Path(os.path.realpath(path)), replace=False):
            pass
    except OSError as error:
        raise OSError(error.errno, f"checkpoint {path} cannot be written: {error.strerror}") from error


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
        checksum = zlib.crc32(tensor.cpu().contiguous().view(torch.uint8).numpy().data, checksum)
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
