"""Four sharp photographs that come with the package."""

from __future__ import annotations

from importlib import resources

import numpy as np
import torch
from PIL import Image
from torch import Tensor

__all__ = ["load_photograph"]

_NAMES = ("bricks", "coffee", "raccoon", "stairs")


def load_photograph(name: str) -> Tensor:
    """Return one of four sharp photographs as a tensor.

    The photographs come with the package, so no network is needed, and they are in the public domain.

    ==============  =================  ================================================================
    name            shape (C, H, W)    what it shows
    ==============  =================  ================================================================
    ``"bricks"``    ``(1, 256, 256)``  grey: a wall of bricks, most edges nearly horizontal
    ``"coffee"``    ``(3, 200, 300)``  colour: a white and red cup on a wooden table
    ``"raccoon"``   ``(3, 240, 320)``  colour: grey fur among green leaves
    ``"stairs"``    ``(1, 256, 256)``  grey: the stairs of a steel tower, edges and stripes in all directions
    ==============  =================  ================================================================

    Parameters
    ----------
    name : {"bricks", "coffee", "raccoon", "stairs"}
        Which photograph.

    Returns
    -------
    Tensor
        The pixels, float32, shape ``(C, H, W)``: one channel (grey) or three (red, green, blue), each value
        the stored 0 to 255 divided by 255. A new tensor at every call, always the same.

    Raises
    ------
    TypeError
        If `name` is not a string.
    ValueError
        If there is no photograph of that name.

    Notes
    -----
    Sources: "bricks" from CC0Textures and "coffee" by Rachel Michetti, both CC0, as redistributed with
    scikit-image; "raccoon" and "stairs" from public-domain-image.com (now pixnio.com), as redistributed with
    SciPy. Introduced in: *Convolution*.

    Examples
    --------
    >>> from d2lconv.data import load_photograph
    >>> load_photograph("coffee").shape
    torch.Size([3, 200, 300])
    >>> (load_photograph("stairs")[0, 150:153, 40:46] * 255).round().int()
    tensor([[36, 37, 28, 43, 76, 50],
            [38, 34, 30, 49, 71, 49],
            [39, 32, 29, 52, 73, 52]], dtype=torch.int32)
    """
    if not isinstance(name, str):
        raise TypeError(f"name must be a string, got {name!r} of type {type(name).__name__}")
    if name not in _NAMES:
        raise ValueError(f"name must be one of {', '.join(map(repr, _NAMES))}, got {name!r}")
    with (
        resources.as_file(resources.files("d2lconv") / "assets" / f"{name}.jpg") as path,
        Image.open(path) as stored,
    ):
        pixels = np.asarray(stored, dtype=np.float32) / 255
    channels_last = pixels.reshape(*pixels.shape[:2], -1)  # a grey picture is stored without its one channel
    return torch.from_numpy(np.ascontiguousarray(channels_last.transpose(2, 0, 1)))
