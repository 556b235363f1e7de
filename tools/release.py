"""Check and build a release, and say what comes next: `make release`.

    python -m tools.release --check      look whether a release can be made from this commit
    python -m tools.release              do that, and build its files into dist/

A release is a commit whose chapters name the release's own tag, so that the copies which Colab opens install
the version of the package that they were written for. CONTRIBUTING.md says how to get there.
"""

import argparse
import datetime
import re
import shutil
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

from tools.book import Book, BookError
from tools.execute import tidy
from tools.release_build import ReleaseError, build, faults, git, pack_book, project

ROOT = Path(__file__).parents[1]
NOTES = "_build/release-notes.md"

_VERSION = re.compile(r"\d+\.\d+\.\d+")
_ENTRY = re.compile(
    r"^## \[?(?P<version>\d[^\]\s]*)\]?(?: - (?P<date>\S+))?[ ]*$(?P<notes>.*?)(?=^## |^\[[^\]]+\]: |\Z)",
    re.MULTILINE | re.DOTALL,
)

NEXT = """\
{files}

Look at _build/html/index.html once more. Then:

  git tag --annotate {tag} --message "d2lconv {version}"
  git push origin {tag}
  gh release create {tag} --verify-tag --title "d2lconv {version}" --notes-file {notes} \\
    {names}
  gh workflow run pages.yml     # puts this version of the book at {address}
  git switch main
"""


@dataclass(frozen=True)
class Entry:
    """The newest entry of the changelog that has a version.

    Attributes
    ----------
    version : str
        Such as ``0.1.0``.
    date : str
        What stands behind the version: a date, ``Unreleased`` or nothing.
    notes : str
        The text below.
    """

    version: str
    date: str
    notes: str


def newest_entry(changelog: str) -> Entry:
    r"""Return the changelog's newest entry.

    Raises
    ------
    ReleaseError
        If there is none.

    Examples
    --------
    >>> newest_entry("# Changelog\n\n## [0.2.0] - 2027-01-31\n\n- More.\n\n## [0.1.0] - 2026-12-01\n")
    Entry(version='0.2.0', date='2027-01-31', notes='- More.')
    """
    found = _ENTRY.search(changelog)
    if found is None:
        raise ReleaseError("CHANGELOG.md has no heading such as: ## [0.1.0] - 2026-12-01")
    return Entry(found["version"], found["date"] or "", found["notes"].strip())


def problems(root: Path, *, installed: str, today: datetime.date) -> list[str]:
    """List what stands in the way of a release from this commit.

    Parameters
    ----------
    root : Path
        The repository.
    installed : str
        The version that the installed package states.
    today : date
        The day; a release has no later date.
    """
    version = str(project(root)["version"])
    found = version_problems(root, version, installed=installed, today=today)
    found += book_problems(root, f"v{version}")
    return found + git_problems(root, f"v{version}")


def version_problems(root: Path, version: str, *, installed: str, today: datetime.date) -> list[str]:
    """List the places that state another version than `pyproject.toml`, or no date."""
    found = []
    if not _VERSION.fullmatch(version):
        found.append(f"pyproject.toml: version {version} does not have the form 1.2.3")
    if installed != version:
        found.append(
            f"d2lconv.__version__ is {installed}, not {version}; run: .venv/bin/pip install --no-deps -e ."
        )
    entry = newest_entry((root / "CHANGELOG.md").read_text("utf-8"))
    if entry.version != version:
        found.append(f"CHANGELOG.md: the newest version is {entry.version}, not {version}")
    try:
        if datetime.date.fromisoformat(entry.date) > today:
            found.append(f"CHANGELOG.md: {entry.date} has not come yet; today is {today}")
    except ValueError:
        stated = entry.date or "none"
        found.append(f"CHANGELOG.md: {entry.version} needs a date such as {today}, not {stated}")
    if not entry.notes:
        found.append(f"CHANGELOG.md says nothing about {entry.version}")
    cited: dict[str, Any] = yaml.safe_load((root / "CITATION.cff").read_text("utf-8"))
    if str(cited.get("version")) != version:
        found.append(f"CITATION.cff: version is {cited.get('version')}, not {version}")
    if str(cited.get("date-released")) != entry.date:
        stated = cited.get("date-released", "missing")
        dated = entry.date or "no date"
        found.append(f"CITATION.cff: date-released is {stated}; CHANGELOG.md says {dated}")
    return found


def book_problems(root: Path, tag: str) -> list[str]:
    """List where the chapters would lead readers of a release to something else than the release."""
    book = Book(root)
    branch = book.repository().branch
    if branch != tag:
        return [f"_config.yml: repository branch is {branch}; set it to {tag}, and run: make tidy"]
    return tidy(book.chapters(), check=True)


def git_problems(root: Path, tag: str) -> list[str]:
    """List what keeps a commit from being tagged: changes, a tag that is taken, a newer version."""
    found = []
    changed = git(root, "status", "--porcelain").splitlines()
    if changed:
        more = f" and {len(changed) - 3} more" if len(changed) > 3 else ""
        names = ", ".join(line.split(maxsplit=1)[1] for line in changed[:3])
        found.append(f"not committed: {names}{more}")
    here = git(root, "rev-parse", "HEAD")
    tags = [name for name in git(root, "tag", "--list", "v*").split() if _VERSION.fullmatch(name[1:])]
    for name in tags:
        commit = git(root, "rev-list", "--max-count=1", name)
        if name == tag and commit != here:
            found.append(
                f"the tag {tag} exists, at {commit[:10]}; releases never change, so raise the version"
            )
        elif name != tag and commit == here:
            found.append(f"this commit has the tag {name}, but its version is {tag[1:]}")
        elif _VERSION.fullmatch(tag[1:]) and _numbers(name) > _numbers(tag):
            found.append(f"the tag {name} exists, which is newer than {tag}")
    return found


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT) -> int:
    """Check, build and say what comes next; return 1 if there is a problem."""
    parser = argparse.ArgumentParser(prog="python -m tools.release", description="Check and build a release.")
    parser.add_argument("--check", action="store_true", help="do not build")
    options = parser.parse_args(arguments)
    try:
        found = problems(root, installed=_installed(), today=datetime.date.today())
        if not found and not options.check:
            found = _make(root)
    except (ReleaseError, BookError) as error:
        found = [str(error)]
    for problem in found:
        print(f"error: {problem}", file=sys.stderr)
    return 1 if found else 0


def _make(root: Path) -> list[str]:
    version = project(root)["version"]
    entry = newest_entry((root / "CHANGELOG.md").read_text("utf-8"))
    folder = root / "dist"
    shutil.rmtree(folder, ignore_errors=True)  # files of an earlier version would be published with these
    sdist, wheel = build(root, folder)
    found = faults(root, sdist, wheel)
    if not found:
        book = pack_book(root / "_build/html", folder / f"d2lconv-book-{version}.zip")
        (root / NOTES).write_text(f"{entry.notes}\n", "utf-8")
        config = yaml.safe_load((root / "_config.yml").read_text("utf-8"))
        files = [path.relative_to(root).as_posix() for path in (sdist, wheel, book)]
        sizes = [f"{path} ({(root / path).stat().st_size / 1024:,.0f} KiB)" for path in files]
        print(
            NEXT.format(
                files="\n".join(sizes),
                names=" ".join(files),
                tag=f"v{version}",
                version=version,
                notes=NOTES,
                address=f"{config['html']['baseurl'].rstrip('/')}/v{version}/",
            )
        )
    return found


def _installed() -> str:
    import d2lconv

    return d2lconv.__version__


def _numbers(tag: str) -> tuple[int, ...]:
    return tuple(int(part) for part in tag[1:].split("."))


if __name__ == "__main__":
    sys.exit(main())
