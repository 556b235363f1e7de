"""Build the sdist and the wheel once for all tests that need them."""

import os
from dataclasses import dataclass
from pathlib import Path

from filelock import FileLock
from tools.release_build import build

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Files:
    """The two files that pip can install."""

    sdist: Path
    wheel: Path


def build_once(tmp_path_factory) -> Files:
    """Build as a release does, into a temporary folder that all workers of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    folder /= "dist"
    with FileLock(f"{folder}.lock"):
        if not folder.exists():
            build(ROOT, folder)
    (sdist,), (wheel,) = folder.glob("*.tar.gz"), folder.glob("*.whl")
    return Files(sdist, wheel)
