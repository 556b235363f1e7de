"""Fetch files from the web into a cache folder: checked, and whole or not at all."""

from __future__ import annotations

import hashlib
import os
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FOLDER_VARIABLE = "D2LCONV_DATA"


@dataclass(frozen=True)
class Source:
    """Files that belong together, and where on the web they are.

    ``name`` is their folder in the cache. ``files`` gives the SHA-256 sum of each file by its name. Each of
    ``mirrors`` is an address, ending in a slash, below which all of them are; they are tried in this order.
    """

    name: str
    files: Mapping[str, str]
    mirrors: tuple[str, ...]


def fetch(source: Source, folder: str | os.PathLike[str] | None, *, progress: bool) -> dict[str, Path]:
    """Return the path of each file in the cache, after downloading those that are missing or wrong there.

    The cache is ``folder``, or what the environment variable ``D2LCONV_DATA`` names, or the user's cache
    folder.
    """
    place = _cache(folder) / source.name
    return {name: _fetch_file(name, source, place, progress) for name in source.files}


def _cache(folder: str | os.PathLike[str] | None) -> Path:
    chosen = folder or os.environ.get(FOLDER_VARIABLE)
    if not chosen:
        import pooch  # type: ignore[import-untyped]

        chosen = pooch.os_cache("d2lconv")
    return Path(chosen).expanduser().absolute()


def _fetch_file(name: str, source: Source, place: Path, progress: bool) -> Path:
    path, wanted = place / name, source.files[name]
    failures = []
    try:
        if path.exists():
            fault = _fault(path, wanted)
            if fault is None:
                return path
            failures.append(f"{path}: {fault}")
        place.mkdir(parents=True, exist_ok=True)
        for mirror in source.mirrors:
            fault = _download(mirror + name, path, wanted, progress)
            if fault is None:
                return path
            failures.append(f"{mirror}{name}: {fault}")
    except OSError as error:
        raise OSError(
            f"cannot store {path}: {error}\nMake room and see that the folder can be written to, or choose "
            f"another one with folder=… or the environment variable {FOLDER_VARIABLE}"
        ) from error
    raise OSError(
        "\n- ".join([f"cannot get {name}", *failures])
        + f"\nCheck the network and try again, or put the file into {place} by hand"
    )


def _fault(path: Path, wanted: str) -> str | None:
    """Say what is wrong with a file, if anything is."""
    with path.open("rb") as file:
        found = hashlib.file_digest(file, "sha256").hexdigest()
    return None if found == wanted else f"not the right file, its SHA-256 is {found} and not {wanted}"


def _download(url: str, path: Path, wanted: str, progress: bool) -> str | None:
    """Put a file from the web in its place, or say what is wrong with what came.

    The file takes its name in one step, once it is whole and right. So whatever stops this process, half a
    file never has the name. And when two processes load at once, each finds none of the file or all of it,
    and the later one replaces it by the same bytes. No lock is needed.
    """
    import pooch
    from tqdm import tqdm  # type: ignore[import-untyped]

    with tempfile.TemporaryDirectory(dir=path.parent, prefix="download-") as scratch:
        fresh = Path(scratch, path.name)
        # pooch sets the true total when the server answers; until then a bar needs one to count as true
        bar = tqdm(desc=path.name, total=1, unit="B", unit_scale=True, disable=not progress)
        try:
            with bar:
                pooch.HTTPDownloader(progressbar=progress and bar, chunk_size=2**16)(url, fresh, None)
        except (OSError, ValueError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise  # this machine's fault, not the mirror's: what requests raises has no number
            return str(_innermost(error))
        fault = _fault(fresh, wanted)
        if fault is None:
            fresh.replace(path)
        return fault


def _innermost(error: BaseException) -> BaseException:
    """Return the error that led to the others: it says what happened, for example "Connection refused"."""
    while error.__context__ is not None:
        error = error.__context__
    return error
