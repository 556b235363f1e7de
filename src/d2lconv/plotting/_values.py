"""What the drawing functions accept, and how they write numbers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from torch import Tensor

Array = Tensor | npt.NDArray[np.generic] | Sequence[object]


def as_array(values: Array) -> npt.NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def short(value: float) -> str:
    """Write a number briefly: integers as such, others with at most two digits after the point."""
    rounded = round(float(value), 2) or 0.0  # no minus zero
    return f"{rounded:g}".replace("-", "−")
