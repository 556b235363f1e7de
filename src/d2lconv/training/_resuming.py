"""What a run depends on, and the checkpoint from which it may go on."""

from __future__ import annotations

import functools
import os
import zlib
from collections.abc import Mapping
from pathlib import Path

from torch import nn

from d2lconv.data import ImageData, Splits
from d2lconv.training._learning import Learner
from d2lconv.training._optimizers import optimizer_settings
from d2lconv.training.checkpoints import Checkpoint, Setting, load_checkpoint


def settings_of(model: nn.Module, learner: Learner, data: Splits) -> dict[str, Setting]:
    """Return what the weights after each epoch depend on, by name."""
    rates = learner.rates
    return {
        "model": str(model),
        "train": _fingerprint(data.train),
        "valid": _fingerprint(data.valid),
        **optimizer_settings(learner.optimizer),
        "batch_size": learner.batch_size,
        "seed": learner.seed,
        "augment": _name(learner.augment),
        "amp": learner.amp,
        "schedule": rates.schedule,
        "epochs": rates.epochs if rates.schedule != "constant" else None,  # a longer run has other rates
    }


def find_checkpoint(
    path: str | os.PathLike[str], settings: Mapping[str, Setting], epochs: int
) -> Checkpoint | None:
    """Return the checkpoint to go on from, None if there is none yet; refuse one of another run."""
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
    """Return two settings, long texts cut down to the first line in which they differ."""
    if isinstance(old, str) and isinstance(new, str) and old != new:
        olds, news = old.splitlines(), new.splitlines()
        for before, after in zip(olds, news, strict=False):
            if before != after:
                return before.strip(), after.strip()
        return f"{len(olds)} lines long", f"{len(news)} lines long"
    return old, new


def _fingerprint(data: ImageData) -> str:
    """Return a short text that changes with any image or label."""
    checksum = 0
    for tensor in (data.images, data.labels):
        checksum = zlib.crc32(tensor.cpu().contiguous().numpy().tobytes(), checksum)
    return f"{'×'.join(map(str, data.images.shape))} with checksum {checksum:08x}"


def _name(function: object) -> str | None:
    """Return how a function is called and what it has been given, the same text in every run."""
    if function is None:
        return None
    if isinstance(function, functools.partial):
        given = [
            *map(repr, function.args),
            *(f"{name}={value!r}" for name, value in function.keywords.items()),
        ]
        return f"{_name(function.func)}({', '.join(given)})"
    return str(getattr(function, "__qualname__", type(function).__qualname__))
