"""The files of a release: the sdist, the wheel and the book, and what they hold.

The wheel is built from the unpacked sdist, which shows that the sdist is complete. Hatchling is called
directly: it comes from the course's own environment, so its version is pinned and nothing is downloaded.
"""

import email
import subprocess
import sys
import tarfile
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

PACKAGE = "src/d2lconv"
# hatchling adds .gitignore to every sdist, since what it leaves out depends on it
BESIDE = (
    ".gitignore",
    "CHANGELOG.md",
    "CITATION.cff",
    "LICENSE",
    "LICENSE-text",
    "README.md",
    "pyproject.toml",
)
INFO = ("METADATA", "RECORD", "WHEEL")


class ReleaseError(Exception):
    """A release cannot be made; the message says why and what to do."""


def project(root: Path) -> dict[str, Any]:
    """Return what `pyproject.toml` says of the package."""
    table: dict[str, Any] = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    return table


def git(root: Path, *arguments: str) -> str:
    """Return what git says, or raise `ReleaseError` with its message."""
    done = subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True)
    if done.returncode:
        raise ReleaseError(f"git {arguments[0]}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout.strip()


def build(root: Path, folder: Path) -> tuple[Path, Path]:
    """Build the sdist, and the wheel from it.

    Parameters
    ----------
    root : Path
        The repository.
    folder : Path
        Where the two files go.

    Returns
    -------
    tuple of Path
        The sdist and the wheel.

    Raises
    ------
    ReleaseError
        If one cannot be built; the message is hatchling's.
    """
    sdist = _hatchling("sdist", root, folder)
    with tempfile.TemporaryDirectory() as place:
        with tarfile.open(sdist) as archive:
            archive.extractall(place, filter="data")
        (unpacked,) = Path(place).iterdir()
        wheel = _hatchling("wheel", unpacked, folder)
    return sdist, wheel


def pack_book(site: Path, target: Path) -> Path:
    """Pack a rendered book into a zip file that has `index.html` at its top.

    Raises
    ------
    ReleaseError
        If the book was not rendered.
    """
    if not (site / "index.html").is_file():
        raise ReleaseError(f"{site} has no index.html; run: make book")
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(site.rglob("*")):
            if path.is_file():
                archive.write(path, path.relative_to(site).as_posix())
    return target


def faults(root: Path, sdist: Path, wheel: Path) -> list[str]:
    """List what the two files lack, and what they hold that they should not."""
    table = project(root)
    package = git(root, "ls-files", "--cached", "--others", "--exclude-standard", PACKAGE).splitlines()
    name = f"{table['name']}-{table['version']}"
    with tarfile.open(sdist) as archive:
        held = [member.name for member in archive.getmembers() if not member.isdir()]
    found = content_faults(sdist.name, held, sdist_contents(name, package))
    with zipfile.ZipFile(wheel) as files:
        held = files.namelist()
        found += content_faults(wheel.name, held, wheel_contents(name, package, table["license-files"]))
        metadata = f"{name}.dist-info/METADATA"
        if metadata in held:
            found += metadata_faults(wheel.name, files.read(metadata).decode(), table)
    return found


def sdist_contents(name: str, package: Iterable[str]) -> set[str]:
    """Return the files that the sdist should hold.

    >>> sorted(sdist_contents("d2lconv-1.0", ["src/d2lconv/py.typed"]))[-2:]
    ['d2lconv-1.0/pyproject.toml', 'd2lconv-1.0/src/d2lconv/py.typed']
    """
    return {f"{name}/{path}" for path in (*BESIDE, "PKG-INFO", *package)}


def wheel_contents(name: str, package: Iterable[str], licences: Iterable[str]) -> set[str]:
    """Return the files that the wheel should hold.

    >>> contents = wheel_contents("d2lconv-1.0", ["src/d2lconv/py.typed"], ["LICENSE"])
    >>> sorted(contents - {f"d2lconv-1.0.dist-info/{part}" for part in INFO})
    ['d2lconv-1.0.dist-info/licenses/LICENSE', 'd2lconv/py.typed']
    """
    info = [f"{name}.dist-info/{part}" for part in (*INFO, *(f"licenses/{path}" for path in licences))]
    return {*info, *(path.removeprefix("src/") for path in package)}


def content_faults(archive: str, held: Iterable[str], wanted: set[str]) -> list[str]:
    """List the files that an archive lacks or has beyond those that it should hold.

    >>> content_faults("a.whl", ["d2lconv/ops.py", "tests/x.py"], {"d2lconv/ops.py", "d2lconv/py.typed"})
    ['a.whl lacks d2lconv/py.typed', 'a.whl should not hold tests/x.py']
    """
    held = set(held)
    lacks = [f"{archive} lacks {name}" for name in sorted(wanted - held)]
    return lacks + [f"{archive} should not hold {name}" for name in sorted(held - wanted)]


def metadata_faults(archive: str, text: str, table: dict[str, Any]) -> list[str]:
    """List where a wheel's metadata differ from `pyproject.toml`."""
    metadata = email.message_from_string(text)
    wanted = {
        "Name": [table["name"]],
        "Version": [table["version"]],
        "License-Expression": [table["license"]],
        "License-File": table["license-files"],
        "Requires-Python": [table["requires-python"]],
    }
    return [
        f"{archive}: {field} is {metadata.get_all(field, [])}, not {values}"
        for field, values in wanted.items()
        if metadata.get_all(field, []) != values
    ]


def _hatchling(kind: str, source: Path, folder: Path) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    before = set(folder.iterdir())
    options = ["--target", kind, "--directory", str(folder.resolve())]
    command = [sys.executable, "-m", "hatchling", "build", *options]
    done = subprocess.run(command, cwd=source, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    made = set(folder.iterdir()) - before
    if done.returncode or len(made) != 1:
        raise ReleaseError(f"the {kind} cannot be built:\n{done.stdout.strip()}")
    return made.pop()
