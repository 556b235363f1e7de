"""Numbers as text: what a page gets of a network's weights and images."""

from __future__ import annotations

import base64
import math
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
    return _spec(whole, scale, values)


def pack_images(images: Tensor) -> Spec:
    """Write images as text: in 8 bits if they are as files store them, multiples of 1/255; else as `pack`.

    Examples
    --------
    >>> pack_images(torch.tensor([[1.0, 0.2]]))["data"], pack_images(torch.tensor([[1.0, -0.5]]))["data"]
    ('/zM=', '/38AwA==')
    """
    pixels = images * 255
    whole = pixels.round().clamp(0, 255)
    if (pixels - whole).abs().max() > 1e-3:
        return pack(images)
    return _spec(whole.numpy().astype("u1"), 1 / 255, images)


def _spec(whole: np.ndarray, scale: float | list[float], values: Tensor) -> Spec:
    data = base64.b64encode(whole.tobytes()).decode("ascii")
    return {"data": data, "scale": scale, "shape": list(values.shape)}


def unpack(packed: Spec) -> Tensor:
    """Return the numbers that one of these functions has written, rounded, in single precision."""
    if isinstance(packed["scale"], list):
        return unpack_rows(packed).float()
    data = base64.b64decode(packed["data"])
    kind = "u1" if len(data) == math.prod(packed["shape"]) else "<i2"
    whole = np.frombuffer(data, dtype=kind).astype(np.float64)
    return torch.from_numpy(whole * packed["scale"]).float().reshape(packed["shape"])


def pack_rows(values: Tensor) -> Spec:
    """Write a tensor as text, in 8 bits: each number as a multiple of the largest in its row, divided by 127.

    A row is what belongs to one index of the first axis; a vector is one row.

    Examples
    --------
    >>> rows = pack_rows(torch.tensor([[1.0, -0.5], [0.127, 0.001]]))
    >>> rows["shape"], rows["scale"]
    ([2, 2], [0.00787402, 0.001])
    >>> unpack_rows(rows).round(decimals=3)
    tensor([[ 1.0000, -0.4960],
            [ 0.1270,  0.0010]], dtype=torch.float64)
    """
    exact = values.detach().to("cpu", torch.float64)
    rows = exact.reshape(len(values) if values.ndim > 1 else 1, -1)
    scales = [float(f"{float(row.abs().max()) / 127:.6g}") or 1.0 for row in rows]
    whole = (rows / torch.tensor(scales, dtype=torch.float64)[:, None]).round().numpy().astype("i1")
    return _spec(whole, scales, values)


def unpack_rows(packed: Spec) -> Tensor:
    """Return the numbers that `pack_rows` has written, rounded, in double precision."""
    whole = np.frombuffer(base64.b64decode(packed["data"]), dtype="i1").astype(np.float64)
    rows = whole.reshape(len(packed["scale"]), -1) * np.array(packed["scale"])[:, None]
    return torch.from_numpy(rows).reshape(packed["shape"])
