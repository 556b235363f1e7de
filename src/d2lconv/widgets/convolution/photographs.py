"""The course's photographs as a page gets them: small, grey, and as text."""

from __future__ import annotations

import base64
import functools
import io

import torch
from PIL import Image

from d2lconv.data import load_photograph

NAMES = ("bricks", "coffee", "raccoon", "stairs")
LONGEST = 160  # pixels of a side, as in photograph.js
MOST_PIXELS = 160 * 120
WEIGHTS = torch.tensor([0.299, 0.587, 0.114])  # of red, green and blue


@functools.cache
def small_photographs() -> list[dict[str, str]]:
    """Return each photograph's ``name``, and in ``jpeg`` an image file, written as text.

    Examples
    --------
    >>> [photograph["name"] for photograph in small_photographs()]
    ['bricks', 'coffee', 'raccoon', 'stairs']
    """
    return [{"name": name, "jpeg": _written(name)} for name in NAMES]


def _written(name: str) -> str:
    pixels = load_photograph(name)
    grey = torch.einsum("c,chw->hw", WEIGHTS, pixels) if len(pixels) == 3 else pixels[0]
    height, width = grey.shape
    scale = min(1.0, LONGEST / max(height, width), (MOST_PIXELS / (height * width)) ** 0.5)
    whole = Image.fromarray((grey * 255).round().to(torch.uint8).numpy())
    small = whole.resize((round(width * scale), round(height * scale)), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    small.save(file, "JPEG", quality=75)
    return base64.b64encode(file.getvalue()).decode("ascii")
