"""Numbers as text: what a page gets of a network's weights and images."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np
import torch
from torch import Tensor

ROUND = 2**15 - 1

Spec = dict[str, Any]
"""A layer or a tensor as it is written into a page."""


def pack(values: Tensor) -> Spec:
    """Write a tensor as text: each number as a 16-bit multiple of the largest one, divided by 32,767.

    Examples
    --------
    >>> packed = pack(torch.tensor([[1.0, -0.5]]))
    >>> packed["shape"], packed["data"]
    ([1, 2], '/38AwA==')
    >>> unpack(packed).round(decimals=4)
    tensor([[ 1.0000, -0.5000]])
    """
    exact = values.detach().to("cpu", torch.float64)
    scale = float(exact.abs().max()) / ROUND or 1.0
    whole = (exact / scale).round().numpy().astype("<i2")
    return {
        "data": base64.b64encode(whole.tobytes()).decode("ascii"),
        "scale": scale,
        "shape": list(values.shape),
    }


def unpack(packed: Spec) -> Tensor:
    """Return the numbers that `pack` has written, rounded, in single precision."""
    whole = np.frombuffer(base64.b64decode(packed["data"]), dtype="<i2").astype(np.float64)
    return torch.from_numpy(whole * packed["scale"]).float().reshape(packed["shape"])
