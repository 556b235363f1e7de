"""Environments beside the course's own, each made once and kept in it; other processes wait meanwhile.

Packages come from wherever pip takes them.
"""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Sequence
from pathlib import Path

from filelock import FileLock

COURSE = Path(sysconfig.get_path("purelib"))
BESIDE = "beside.pth"  # names the folders that come after an environment's own packages


def make_once(
    name: str, requirements: Sequence[str], *, beside: Sequence[Path], options: Sequence[str] = ()
) -> Path:
    """Return an environment's interpreter, after making it where it is not there or was made otherwise.

    Parameters
    ----------
    name : str
        Folder in the course's environment.
    requirements : sequence of str
        What pip installs.
    beside : sequence of Path
        Folders with packages that come after the environment's own.
    options : sequence of str
        More options of ``pip install``.
    """
    folder = Path(sys.prefix) / name
    made_of = folder / "made-of"
    recipe = [*requirements, *options, *map(str, beside), sys.version]
    wanted = hashlib.sha256("\n".join(recipe).encode()).hexdigest()
    with FileLock(f"{folder}.lock"):
        if not made_of.exists() or made_of.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            put_beside(folder, beside)
            quiet = ["--quiet", "--disable-pip-version-check"]
            command = [python_of(folder), "-m", "pip", "install", *quiet, *options, *requirements]
            subprocess.run(command, check=True)
            made_of.write_text(wanted)
    return python_of(folder)


def put_on_top(folder: Path, python: Path) -> Path:
    """Make an empty environment that finds the packages of another one; return its interpreter."""
    venv.create(folder, with_pip=False)
    below = packages_of(python)
    put_beside(folder, [below, *map(Path, (below / BESIDE).read_text().splitlines())])
    return python_of(folder)


def put_beside(folder: Path, others: Sequence[Path]) -> None:
    """Let an environment find the packages in other folders, after its own."""
    (packages_of(python_of(folder)) / BESIDE).write_text("".join(f"{other}\n" for other in others))


def python_of(folder: Path) -> Path:
    """Return the interpreter of the environment in a folder."""
    return folder / "bin" / "python"


def packages_of(python: Path) -> Path:
    """Return where an environment's own packages are."""
    return Path(sysconfig.get_path("purelib", "venv", {"base": str(python.parents[1])}))
