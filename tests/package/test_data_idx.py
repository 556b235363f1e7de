"""IDX files are read in every type and shape, and a damaged one is refused with what is wrong."""

import gzip
import io
import os
import re
import struct
import tracemalloc

import numpy as np
import pytest

from d2lconv.data import read_idx

CODES = {"u1": 0x08, "i1": 0x09, "i2": 0x0B, "i4": 0x0C, "f4": 0x0D, "f8": 0x0E}


def idx(values):
    """Write an array in IDX, by the description of the format."""
    code = CODES[values.dtype.str[1:]]
    header = bytes([0, 0, code, values.ndim]) + struct.pack(f">{values.ndim}I", *values.shape)
    return header + values.astype(values.dtype.newbyteorder(">")).tobytes()


def pack(data):
    return gzip.compress(data, mtime=0)  # the same bytes at any time


PIXELS = np.arange(24, dtype=np.uint8).reshape(2, 3, 4)
DATA = idx(PIXELS)


def test_by_hand():
    data = bytes.fromhex("00 00 08 03  00000002 00000001 00000003  01 02 03 fd fe ff")
    assert read_idx(data).tolist() == [[[1, 2, 3]], [[253, 254, 255]]]


@pytest.mark.parametrize("kind", CODES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (2, 3, 4), (1, 2, 2, 3), (0,), (0, 28, 28), ()])
def test_every_type_and_shape(kind, shape):
    lowest = 0 if kind == "u1" else -100
    values = np.asarray(np.random.default_rng(0).integers(lowest, 100, shape)).astype(kind)
    found = read_idx(idx(values))
    assert found.dtype == values.dtype
    assert found.dtype.isnative
    np.testing.assert_array_equal(found, values, strict=True)


@pytest.mark.parametrize("form", [bytes, pack])
def test_from_a_file_or_from_bytes_plain_or_compressed(tmp_path, form):
    path = tmp_path / "values"
    path.write_bytes(form(DATA))
    for source in (path, str(path), form(DATA)):
        np.testing.assert_array_equal(read_idx(source), PIXELS, strict=True)


def test_the_result_can_be_written_to():
    read_idx(DATA)[0, 0, 0] = 7
    assert idx(PIXELS) == DATA


DAMAGED = [
    (b"", "a type (one of 08, 09, 0b, 0c, 0d, 0e) and the number of axes, this with nothing"),
    (b"\0\0\x08", "this with 00 00 08"),
    (b"<html>404</html>", "this with 3c 68 74 6d"),
    (b"\x01" + DATA[1:], "this with 01 00 08 03"),
    (b"\0\0\x0a" + DATA[3:], "this with 00 00 0a 03"),
    (DATA[:4], "cut off in its header, which takes 16 bytes, got 4"),
    (DATA[:15], "cut off in its header, which takes 16 bytes, got 15"),
    (DATA[:16], "cut off: values of shape (2, 3, 4) take 24 bytes, got 0"),
    (DATA[:-1], "cut off: values of shape (2, 3, 4) take 24 bytes, got 23"),
    (DATA + b"\0", "too long: values of shape (2, 3, 4) take 24 bytes, more follow"),
    (idx(PIXELS.astype("i2"))[:-1], "cut off: values of shape (2, 3, 4) take 48 bytes, got 47"),
    (
        idx(np.zeros(3, "u1"))[:4] + b"\xff" * 8,
        "values of shape (4294967295,) take 4294967295 bytes, the limit is 107",
    ),
    (pack(DATA)[:-9], "damaged gzip data: Compressed file ended"),
    (pack(DATA) + b"more", "damaged gzip data: Not a gzipped file"),
    (b"\x1f\x8b" + b"\0" * 30, "damaged gzip data: Unknown compression method"),
    (pack(DATA)[:-8] + b"\1\2\3\4" + pack(DATA)[-4:], "damaged gzip data: CRC check failed"),
    (pack(DATA)[:10] + b"\xff" * 20, "damaged gzip data: Error -3"),
    (pack(DATA[:-1]), "cut off: values of shape (2, 3, 4) take 24 bytes, got 23"),
]


@pytest.mark.parametrize(("data", "message"), DAMAGED, ids=[message for _, message in DAMAGED])
def test_refuses(tmp_path, data, message):
    with pytest.raises(ValueError, match=f"^IDX data: .*{re.escape(message)}"):
        read_idx(data)
    path = tmp_path / "damaged"
    path.write_bytes(data)
    with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: .*{re.escape(message)}"):
        read_idx(path)


def test_no_file(tmp_path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        read_idx(tmp_path / "nowhere")


@pytest.mark.parametrize("announced", [24, 2**30, 2**31])
def test_no_more_is_unpacked_than_the_header_announces(announced):
    """A small file that would unpack to gigabytes ends in an error at once."""
    file = io.BytesIO()
    with gzip.GzipFile(fileobj=file, mode="wb") as packed:
        packed.write(bytes([0, 0, 8, 1]) + struct.pack(">I", announced))
        for _ in range(50):
            packed.write(bytes(2**20))
    tracemalloc.start()
    with pytest.raises(ValueError, match=r"too long|cut off|the limit is 1073741824"):
        read_idx(file.getvalue())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < (2**24 if announced != 2**30 else 2**28)


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX systems")
def test_what_is_no_file(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(ValueError, match=f"^{re.escape(str(path))}: not a regular file$"):
            read_idx(path)


def test_other_kinds():
    assert read_idx(bytearray(DATA)).shape == (2, 3, 4)
    with pytest.raises(TypeError, match=r"^source must be a path or bytes, got int$"):
        read_idx(3)
