"""IDX, the file format of MNIST: a header that gives a type and a shape, then the values."""

from __future__ import annotations

import gzip
import math
import os
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

__all__ = ["read_idx"]

_GZIP = b"\x1f\x8b"  # how compressed data begins
_TYPES = {0x08: "u1", 0x09: "i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}


def read_idx(source: str | os.PathLike[str] | bytes) -> NDArray[Any]:
    """Read an array from IDX data, plain or compressed with gzip.

    The first two bytes are 0, the third is the type of the values, the fourth the number of axes. Then come
    the length of each axis, four bytes each, and the values. All numbers are big-endian.

    Parameters
    ----------
    source : str, path or bytes
        Where the file is, or what is in it.

    Returns
    -------
    ndarray
        The values in the shape that the header gives, in the byte order of this machine.

    Raises
    ------
    ValueError
        If the data are damaged, do not begin like IDX, or are shorter or longer than the header says.
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
    if isinstance(source, bytes):
        name, data = "IDX data", source
    else:
        name, data = str(source), Path(source).read_bytes()
    if data.startswith(_GZIP):
        try:
            data = gzip.decompress(data)
        except (EOFError, gzip.BadGzipFile, zlib.error) as error:
            raise ValueError(f"{name}: damaged gzip data: {error}") from error
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in _TYPES:
        known = ", ".join(f"{number:02x}" for number in _TYPES)
        raise ValueError(
            f"{name}: IDX begins with the bytes 00 00, a type (one of {known}) and the number of axes, "
            f"this with {data[:4].hex(' ') or 'nothing'}"
        )
    start = 4 + 4 * data[3]
    if len(data) < start:
        raise ValueError(f"{name}: cut off in its header, which takes {start} bytes, got {len(data)}")
    shape = tuple(np.frombuffer(data[4:start], ">u4").tolist())
    kind = np.dtype(_TYPES[data[2]])
    expected, found = math.prod(shape) * kind.itemsize, len(data) - start
    if found != expected:
        what = "cut off" if found < expected else "too long"
        raise ValueError(f"{name}: {what}: values of shape {shape} take {expected} bytes, got {found}")
    return np.frombuffer(data, kind, offset=start).reshape(shape).astype(kind.newbyteorder("="))
