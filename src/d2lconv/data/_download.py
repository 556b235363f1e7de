"""Get files from the user's cache or from the web: checked, bounded in size and time, whole or not at all."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.client
import io
import os
import ssl
import stat
import sys
import tempfile
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

FOLDER_VARIABLE = "D2LCONV_DATA"
STALLED = 30  # seconds without a byte after which a connection is given up


@dataclass(frozen=True)
class Source:
    """Files that belong together, and where on the web they are.

    ``name`` is their folder in the cache. ``files`` gives the SHA-256 sum of each file by its name. Each of
    ``mirrors`` is an address, ending in a slash, below which all of them are; they are tried in this order.
    No file may be larger than ``max_bytes``, and no download may take longer than ``max_seconds``.
    ``contents`` gives the SHA-256 sum of what is packed in each file, which may lie there unpacked or packed
    again; ``raw`` is a folder where another library puts the files.
    """

    name: str
    files: Mapping[str, str]
    mirrors: tuple[str, ...]
    max_bytes: int = 100_000_000
    max_seconds: float = 900
    contents: Mapping[str, str] = field(default_factory=dict)
    raw: str = "raw"


class UnreachableError(Exception):
    """A mirror cannot be read from: the network's fault, not this machine's."""


def fetch(source: Source, folder: str | os.PathLike[str] | None, *, progress: bool) -> dict[str, bytes]:
    """Return the content of each file, after downloading those that the cache lacks or has wrong.

    The cache is ``folder``, or what the environment variable ``D2LCONV_DATA`` names, or the user's cache
    folder. What is returned are the bytes whose sum was right, whatever happens to the cache meanwhile.
    """
    cache = cache_folder(folder) / source.name
    return {name: _fetch_file(name, source, cache, progress) for name in source.files}


def cache_folder(folder: str | os.PathLike[str] | None) -> Path:
    """Return the folder asked for, or the one in the environment, or the user's."""
    if folder is not None and not isinstance(folder, (str, os.PathLike)):
        raise TypeError(f"folder must be a path, got {folder!r} of type {type(folder).__name__}")
    chosen = folder or os.environ.get(FOLDER_VARIABLE)
    if chosen:
        try:
            return Path(chosen).expanduser().absolute()
        except RuntimeError as error:
            raise ValueError(f"folder {str(chosen)!r} names the home of a user who is not known") from error
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA", "~/AppData/Local"), "d2lconv/d2lconv/Cache").expanduser()
    if sys.platform == "darwin":
        return Path("~/Library/Caches/d2lconv").expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache", "d2lconv").expanduser()


def _fetch_file(name: str, source: Source, cache: Path, progress: bool) -> bytes:
    path, failures = cache / name, []
    try:
        for found in _candidates(name, source, cache):
            if found.exists():
                try:
                    return _checked(_read(found, source), name, source)
                except ValueError as fault:
                    failures.append(f"{found}: {fault}")
        cache.mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=cache).close()  # finds out now, not after the download
        for mirror in source.mirrors:
            try:
                content = _checked(_download(mirror + name, source, progress), name, source)
            except (ValueError, UnreachableError) as fault:
                failures.append(f"{mirror}{name}: {fault}")
            else:
                _store(path, content)
                return content
    except OSError as error:
        raise OSError(
            f"cannot store {path}: {error}\nMake room and see that the folder can be written to, or choose "
            f"another one with folder=… or the environment variable {FOLDER_VARIABLE}"
        ) from error
    raise OSError(
        "\n- ".join([f"cannot get {name}", *failures])
        + f"\nCheck the network and try again, or put the file into {cache} by hand, packed or unpacked"
    )


def _read(path: Path, source: Source) -> bytes:
    """Return what is in a file; raise ValueError unless it is a regular file of bounded size."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise ValueError("not a regular file")
    with path.open("rb") as file:
        content = file.read(source.max_bytes + 1)
    if len(content) > source.max_bytes:
        raise ValueError(f"larger than the limit of {source.max_bytes:,} bytes")
    return content


def _candidates(name: str, source: Source, cache: Path) -> Iterator[Path]:
    """Yield the paths where a file may lie: packed, unpacked, dotted, in another library's folder."""
    plain = name.removesuffix(".gz")
    dotted = plain.replace("-idx", ".idx")
    for folder in (cache, cache.parent, cache.parent / "raw", cache.parent / source.raw):
        for file in (name, plain, dotted, f"{dotted}.gz", f"{plain}/{plain}"):
            yield folder / file


def _checked(content: bytes, name: str, source: Source) -> bytes:
    """Return a file's content, which may be unpacked; raise ValueError unless its SHA-256 sum is right."""
    found, wanted = hashlib.sha256(content).hexdigest(), source.files[name]
    if found == wanted:
        return content
    if name in source.contents:
        if content.startswith(b"\x1f\x8b"):
            content = _unpacked(content, source.max_bytes)
        else:
            wanted = source.contents[name]
        if hashlib.sha256(content).hexdigest() == source.contents[name]:
            return content
    raise ValueError(f"not the right file, its SHA-256 is {found} and not {wanted}")


def _unpacked(content: bytes, max_bytes: int) -> bytes:
    """Return what is packed by gzip; raise ValueError if it is damaged or too much."""
    try:
        unpacked = gzip.GzipFile(fileobj=io.BytesIO(content)).read(max_bytes + 1)
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        raise ValueError(f"damaged gzip data: {error}") from error
    if len(unpacked) > max_bytes:
        raise ValueError(f"unpacks to more than the limit of {max_bytes:,} bytes")
    return unpacked


def _download(url: str, source: Source, progress: bool) -> bytes:
    """Return what is at an address, within the limits of size and time."""
    from tqdm import tqdm  # type: ignore[import-untyped]

    context = _certificates() if url.startswith("https:") else None
    content, deadline = bytearray(), time.monotonic() + source.max_seconds
    request = urllib.request.Request(url, headers={"User-Agent": "d2lconv"})
    try:
        with urllib.request.urlopen(request, timeout=STALLED, context=context) as response:
            total = int(response.headers.get("Content-Length") or 0)
            name = url.rpartition("/")[2]
            with tqdm(desc=name, total=total, unit="B", unit_scale=True, disable=not progress) as bar:
                while block := response.read1(2**16):
                    content += block
                    bar.update(len(block))
                    if max(total, len(content)) > source.max_bytes:
                        raise ValueError(f"larger than the limit of {source.max_bytes:,} bytes")
                    if time.monotonic() > deadline:
                        raise ValueError(f"not finished after {source.max_seconds:g} seconds, the limit")
    except urllib.error.HTTPError as error:
        raise UnreachableError(f"{error.code} {error.reason}") from error
    except (OSError, http.client.HTTPException) as error:
        raise UnreachableError(str(getattr(error, "reason", error)) or type(error).__name__) from error
    if len(content) < total:
        raise ValueError(f"the connection ended after {len(content):,} of {total:,} bytes")
    return bytes(content)


@functools.cache
def _certificates() -> ssl.SSLContext:
    """Return the system's certificates and certifi's: Python's own builds for macOS bring none."""
    import certifi

    context = ssl.create_default_context()
    context.load_verify_locations(certifi.where())
    return context


def _store(path: Path, content: bytes) -> None:
    """Write a file so that it appears under its name in one step, whole.

    So whatever stops this process, half a file never has the name. And when two processes store at once, the
    later one replaces the file by the same bytes. No lock is needed.
    """
    with tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as scratch:
        fresh = Path(scratch, path.name)
        fresh.write_bytes(content)
        fresh.replace(path)
