"""Sums of 16-bit numbers: taken in 32 bits and rounded once, as PyTorch takes them."""

from __future__ import annotations

import torch
from torch import Tensor


def widened(X: Tensor) -> Tensor:
    """Return 16-bit numbers in 32 bits, in which sums neither overflow nor stall; others as they are."""
    return X.float() if X.element_size() < 4 else X


def rounded(Y: Tensor, like: Tensor) -> Tensor:
    """Return a result that was computed from ``widened(like)`` in the type of ``like``."""
    return Y.to(like.dtype) if like.element_size() < 4 else Y


def autocast_type(X: Tensor) -> torch.dtype | None:
    """Return the 16-bit type in which PyTorch's layers would compute with ``X`` here; None: its own."""
    if not isinstance(X, Tensor) or X.dtype == torch.float64 or X.device.type == "meta":
        return None
    kind = X.device.type
    return torch.get_autocast_dtype(kind) if torch.is_autocast_enabled(kind) else None
