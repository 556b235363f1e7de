"""From a drawing to an image like those that the network knows: the data's own way, in whole numbers."""

from __future__ import annotations

import re

import torch
from torch import Tensor

SIDE = 32  # rows and columns of a drawing
BLOCK = 4  # rows and columns of a block in which ink is counted
WIDEST = 20  # columns of a digit that is brought to its size
MOST_WIDENED = 2  # times as much as it is heightened
DRAWING = re.compile(r"(?:[0-9a-f]{256})?")


def write_drawing(points: Tensor) -> str:
    """Write 32×32 points as 256 hexadecimal digits, row by row, four points in a digit; nothing without ink.

    Examples
    --------
    >>> points = torch.zeros(32, 32, dtype=torch.uint8)
    >>> points[0, :3] = 1
    >>> write_drawing(points)[:10]
    'e000000000'
    >>> torch.equal(read_drawing(write_drawing(points)), points)
    True
    """
    bits = "".join(map(str, points.flatten().tolist()))
    return f"{int(bits, 2):0256x}" if "1" in bits else ""


def read_drawing(text: str) -> Tensor:
    """Return the points of a drawing as `write_drawing` has written it: uint8, (32, 32), ink is 1."""
    bits = f"{int(text or '0', 16):0{SIDE * SIDE}b}"
    return torch.tensor([int(bit) for bit in bits], dtype=torch.uint8).reshape(SIDE, SIDE)


def fit(points: Tensor) -> Tensor:
    """Bring a drawing to the size of the stored digits, and into the middle.

    The ink becomes 32 rows high and 20 columns wide, but a narrow digit is widened at most twice as much as
    it is heightened. Each point is that of the drawing which its centre falls into.

    Parameters
    ----------
    points : Tensor
        Shape (32, 32), ink is 1.

    Returns
    -------
    Tensor
        Shape (32, 32).
    """
    fitted = torch.zeros_like(points)
    rows, columns = points.any(dim=1).nonzero(), points.any(dim=0).nonzero()
    if not len(rows):
        return fitted
    top, left = int(rows[0]), int(columns[0])
    height, width = int(rows[-1]) + 1 - top, int(columns[-1]) + 1 - left
    wide = min(WIDEST, max(1, MOST_WIDENED * SIDE * width // height))
    first = (SIDE - wide) // 2
    down = top + (2 * torch.arange(SIDE) + 1) * height // (2 * SIDE)
    right = left + (2 * torch.arange(wide) + 1) * width // (2 * wide)
    fitted[:, first : first + wide] = points[down][:, right]
    return fitted


def count_ink(points: Tensor) -> Tensor:
    """Count the ink in each block of 4×4 points: (32, 32) to (8, 8), from 0 to 16."""
    blocks = SIDE // BLOCK
    return points.to(torch.int64).reshape(blocks, BLOCK, blocks, BLOCK).sum(dim=(1, 3))
