"""Sums of 16-bit numbers: taken in 32 bits and rounded once, as PyTorch takes them."""

from __future__ import annotations

from torch import Tensor


def widened(X: Tensor) -> Tensor:
    """Return 16-bit numbers in 32 bits, in which sums neither overflow nor stall; others as they are."""
    return X.float() if X.element_size() < 4 else X


def rounded(Y: Tensor, like: Tensor) -> Tensor:
    """Return a result that was computed from ``widened(like)`` in the type of ``like``."""
    return Y.to(like.dtype) if like.element_size() < 4 else Y
