"""Put the published site together: the newest book at its top, each release's book in a folder of its own.

    python -m tools.release_site --fetch      first download the releases' books into _build/books (needs gh)

The book of release 0.1.0 is at the site's address followed by `v0.1.0/`, for those who link to
a fixed version.
"""

import argparse
import json
import re
import shutil
import sys
import zipfile
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from tools.github import GitHubError, gh
from tools.release_build import ReleaseError

ROOT = Path(__file__).parents[1]
PACKED = re.compile(r"d2lconv-book-(\d+\.\d+\.\d+)\.zip")
ONLY_AT_THE_TOP = ("404.html", "sitemap.xml")  # hosts and search engines look for them nowhere else


def fetch(folder: Path) -> None:
    """Download the packed book of each release.

    Raises
    ------
    GitHubError
        If `gh` is missing or refuses, or a release has no book.
    """
    folder.mkdir(parents=True, exist_ok=True)
    releases = gh("release", "list", "--exclude-drafts", "--limit", "1000", "--json", "tagName")
    for release in json.loads(releases):
        name = f"d2lconv-book-{release['tagName'].removeprefix('v')}.zip"
        if PACKED.fullmatch(name):
            options = ["--pattern", name, "--dir", str(folder), "--clobber"]
            gh("release", "download", release["tagName"], *options)


def assemble(newest: Path, books: Path, site: Path) -> list[str]:
    """Write the site, in place of what was there; return the folders of the releases, oldest first.

    Parameters
    ----------
    newest : Path
        The book that is rendered from the newest commit.
    books : Path
        Folder of the releases' packed books; it need not exist.
    site : Path
        The folder to write.

    Raises
    ------
    ReleaseError
        If a book is missing or damaged, or would write outside its folder.
    """
    if not (newest / "index.html").is_file():
        raise ReleaseError(f"{newest} has no index.html; run: make book")
    shutil.rmtree(site, ignore_errors=True)
    shutil.copytree(newest, site)
    packed = ((PACKED.fullmatch(path.name), path) for path in books.glob("*.zip"))
    found = [(match[1], path) for match, path in packed if match]
    folders = []
    for version, path in sorted(found, key=lambda book: [int(part) for part in book[0].split(".")]):
        folders.append(f"v{version}")
        _unpack(path, site / folders[-1])
    return folders


def _unpack(path: Path, folder: Path) -> None:
    try:
        with zipfile.ZipFile(path) as archive:
            names = [PurePosixPath(name) for name in archive.namelist()]
            if outside := [name for name in names if name.is_absolute() or ".." in name.parts]:
                raise ReleaseError(f"{path.name} would write outside its folder: {outside[0]}")
            if damaged := archive.testzip():
                raise ReleaseError(f"{path.name} is damaged: {damaged}")
            archive.extractall(folder)
    except zipfile.BadZipFile as error:
        raise ReleaseError(f"{path.name} is no zip file: {error}") from error
    if not (folder / "index.html").is_file():
        raise ReleaseError(f"{path.name} has no index.html at its top")
    for name in ONLY_AT_THE_TOP:
        (folder / name).unlink(missing_ok=True)


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Put the site together in `_build/site`."""
    parser = argparse.ArgumentParser(
        prog="python -m tools.release_site", description="Put the published site together in _build/site."
    )
    parser.add_argument("--fetch", action="store_true", help="first download the books of all releases")
    options = parser.parse_args(arguments)
    books = root / "_build/books"
    try:
        if options.fetch:
            fetch(books)
        folders = assemble(root / "_build/html", books, root / "_build/site")
    except (GitHubError, ReleaseError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    print(f"_build/site: the newest book{''.join(f', {folder}' for folder in folders)}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
