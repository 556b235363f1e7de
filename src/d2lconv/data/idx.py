"""IDX, the file format of MNIST: a header that gives a type and a shape, then the values."""

from __future__ import annotations

import gzip
import io
import math
import os
import stat
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

MAX_BYTES = 2**30
"""The most that the values may take: twice the largest data set in this format (EMNIST)."""

_GZIP = b"\x1f\x8b"  # how compressed data begins
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(source: str | os.PathLike[str] | bytes) -> NDArray[Any]:
    """Read an array from IDX data, plain or compressed with gzip.

    The first two bytes are 0, the third is the type of the values, the fourth the number of axes. Then come
    the length of each axis, four bytes each, and the values. All numbers are big-endian.

    Parameters
    ----------
    source : str, path or bytes
        Path of the file, or its content.

    Returns
    -------
    ndarray
        The values in the shape that the header gives, in the byte order of this machine.

    Raises
    ------
    TypeError
        If `source` is neither a path nor bytes.
    ValueError
        If the data are damaged, do not begin like IDX, are shorter or longer than the header says, or would
        take more than 1 GiB.
    FileNotFoundError
        If there is no such file.

    Notes
    -----
    Source: LeCun, Cortes and Burges, *The MNIST database of handwritten digits*, section "File formats for
    the MNIST database". Introduced in: *Image data*.

    Examples
    --------
    >>> from d2lconv.data import read_idx
    >>> header = bytes([0, 0, 8, 2, 0, 0, 0, 2, 0, 0, 0, 3])  # bytes, 2 axes, 2 rows, 3 columns
    >>> read_idx(header + bytes([1, 2, 3, 4, 5, 6]))
    array([[1, 2, 3],
           [4, 5, 6]], dtype=uint8)
    """
    if isinstance(source, (bytes, bytearray, memoryview)):
        return parse_idx(bytes(source), "IDX data")
    if not isinstance(source, (str, os.PathLike)):
        raise TypeError(f"source must be a path or bytes, got {type(source).__name__}")
    path = Path(source)
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError(f"{path}: not a regular file")
    with path.open("rb") as file:
        return parse_idx(file.read(2 * MAX_BYTES), str(path))


def parse_idx(data: bytes, name: str) -> NDArray[Any]:
    """Return the array in IDX data; ``name`` is what messages call them."""
    file = gzip.GzipFile(fileobj=io.BytesIO(data)) if data.startswith(_GZIP) else io.BytesIO(data)
    try:
        return _parse(file, name)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"{name}: damaged gzip data: {error}") from error


def _parse(file: gzip.GzipFile | io.BytesIO, name: str) -> NDArray[Any]:
    """Read the header, then as many bytes as it announces: what is packed may unpack to anything."""
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0" or head[2] not in _TYPES:
        known = ", ".join(f"{number:02x}" for number in _TYPES)
        raise ValueError(
            f"{name}: IDX begins with the bytes 00 00, a type (one of {known}) and the number of axes, "
            f"this with {head.hex(' ') or 'nothing'}"
        )
    lengths = file.read(4 * head[3])
    if len(lengths) < 4 * head[3]:
        raise ValueError(
            f"{name}: cut off in its header, which takes {4 + 4 * head[3]} bytes, got {4 + len(lengths)}"
        )
    shape, kind = tuple(np.frombuffer(lengths, ">u4").tolist()), np.dtype(_TYPES[head[2]])
    expected = math.prod(shape) * kind.itemsize
    if expected > MAX_BYTES:
        raise ValueError(f"{name}: values of shape {shape} take {expected} bytes, the limit is {MAX_BYTES}")
    values, left = bytearray(), expected + 1
    while left and (block := file.read(min(left, 2**20))):  # one large read would take all the memory at once
        values += block
        left -= len(block)
    if len(values) < expected:
        raise ValueError(f"{name}: cut off: values of shape {shape} take {expected} bytes, got {len(values)}")
    if len(values) > expected:
        raise ValueError(f"{name}: too long: values of shape {shape} take {expected} bytes, more follow")
    return np.frombuffer(values, kind).reshape(shape).astype(kind.newbyteorder("="))
