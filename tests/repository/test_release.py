"""A release is made only from a commit that is one, and its books get their places on the site."""

import datetime
import subprocess
import sys
import zipfile
from pathlib import Path

import nbformat
import pytest
import yaml
from nbformat.v4 import new_markdown_cell
from tools import release, release_site
from tools.book import Book
from tools.colab import refresh
from tools.notebooks import normalise, write
from tools.release_build import ReleaseError, pack_book

TODAY = datetime.date(2027, 2, 1)
FILES = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "d2lconv"
version = "0.2.0"
requires-python = ">=3.11"
license = "MIT"
license-files = ["LICENSE"]

[tool.hatch.build.targets.wheel]
packages = ["src/d2lconv"]

[tool.hatch.build.targets.sdist]
include = ["/src", "/README.md", "/CHANGELOG.md", "/CITATION.cff", "/LICENSE", "/LICENSE-text"]
""",
    "CHANGELOG.md": """\
# Changelog

## [Unreleased]

## [0.2.0] - 2027-01-31

- More [chapters](book).

[A link] at the start of a line.

## [0.1.0] - 2026-12-01

- The book.

[0.1.0]: https://example.org/
""",
    "CITATION.cff": "version: 0.2.0\ndate-released: 2027-01-31\n",
    "README.md": "# d2lconv\n",
    "LICENSE": "MIT\n",
    "LICENSE-text": "CC BY 4.0\n",
    ".gitignore": "/dist/\n/_build/\n",
    "_toc.yml": "format: jb-book\nroot: book/index\nchapters:\n  - file: book/one\n",
    "_config.yml": """\
repository:
  url: https://github.com/ann/d2lconv
  branch: v0.2.0
html:
  baseurl: https://ann.example/d2lconv/
""",
    "book/index.md": "# Start\n",
    "src/d2lconv/__init__.py": '__version__ = "0.2.0"\n',
}


def git(folder, *arguments):
    subprocess.run(["git", *arguments], cwd=folder, check=True, capture_output=True)


def commit(folder):
    git(folder, "add", "--all")
    git(folder, "commit", "--quiet", "--message", "A commit")


@pytest.fixture(scope="module")
def _quiet_git():
    """Let git use no settings of this machine."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "GIT_CONFIG_GLOBAL": "/dev/null",
            "GIT_CONFIG_SYSTEM": "/dev/null",
            "GIT_AUTHOR_NAME": "Ann",
            "GIT_AUTHOR_EMAIL": "ann@example.org",
            "GIT_COMMITTER_NAME": "Ann",
            "GIT_COMMITTER_EMAIL": "ann@example.org",
        }.items():
            patch.setenv(name, value)
        yield


@pytest.fixture(scope="module")
def original(tmp_path_factory, _quiet_git):
    """Write a small course, ready to be released."""
    folder = tmp_path_factory.mktemp("course")
    for name, text in FILES.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    path = folder / "book/one.ipynb"
    write(normalise(refresh(nbformat.v4.new_notebook(cells=[new_markdown_cell("# One")]), path)), path)
    git(folder, "init", "--quiet", "--initial-branch=main")
    commit(folder)
    git(folder, "tag", "v0.1.0")
    (folder / "README.md").write_text("# d2lconv 0.2.0\n")
    commit(folder)
    return folder


@pytest.fixture
def course(original, tmp_path):
    """Return a copy of the small course."""
    git(tmp_path, "clone", "--quiet", original, "course")
    return tmp_path / "course"


def problems(folder, installed="0.2.0"):
    return release.problems(folder, installed=installed, today=TODAY)


def replace(folder, name, old, new):
    text = (folder / name).read_text()
    assert old in text
    (folder / name).write_text(text.replace(old, new))


def test_a_release_that_is_one(course):
    assert problems(course) == []
    git(course, "tag", "--annotate", "v0.2.0", "--message", "here")
    assert problems(course) == []


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        ("CITATION.cff", "version: 0.2.0", "version: 0.1.0", ["CITATION.cff: version is 0.1.0, not 0.2.0"]),
        (
            "CITATION.cff",
            "date-released: 2027-01-31\n",
            "",
            ["CITATION.cff: date-released is missing; CHANGELOG.md says 2027-01-31"],
        ),
        (
            "CHANGELOG.md",
            "- 2027-01-31",
            "- Unreleased",
            [
                "CHANGELOG.md: 0.2.0 needs a date such as 2027-02-01, not Unreleased",
                "CITATION.cff: date-released is 2027-01-31; CHANGELOG.md says Unreleased",
            ],
        ),
        (
            "CHANGELOG.md",
            " - 2027-01-31",
            "",
            [
                "CHANGELOG.md: 0.2.0 needs a date such as 2027-02-01, not none",
                "CITATION.cff: date-released is 2027-01-31; CHANGELOG.md says no date",
            ],
        ),
        (
            "CHANGELOG.md",
            "2027-01-31",
            "2027-02-02",
            [
                "CHANGELOG.md: 2027-02-02 has not come yet; today is 2027-02-01",
                "CITATION.cff: date-released is 2027-01-31; CHANGELOG.md says 2027-02-02",
            ],
        ),
        ("CHANGELOG.md", "[0.2.0]", "[0.3.0]", ["CHANGELOG.md: the newest version is 0.3.0, not 0.2.0"]),
        (
            "CHANGELOG.md",
            "- More [chapters](book).\n\n[A link] at the start of a line.\n",
            "",
            ["CHANGELOG.md says nothing about 0.2.0"],
        ),
        (
            "_config.yml",
            "branch: v0.2.0",
            "branch: main",
            ["_config.yml: repository branch is main; set it to v0.2.0, and run: make tidy"],
        ),
        (
            "book/one.ipynb",
            "v0.2.0",
            "main",
            ["one: not in canonical form; run: python -m tools.execute --tidy one"],
        ),
        (
            "pyproject.toml",
            "0.2.0",
            "0.2.0rc1",
            [
                "pyproject.toml: version 0.2.0rc1 does not have the form 1.2.3",
                "d2lconv.__version__ is 0.2.0, not 0.2.0rc1; run: .venv/bin/pip install --no-deps -e .",
                "CHANGELOG.md: the newest version is 0.2.0, not 0.2.0rc1",
                "CITATION.cff: version is 0.2.0, not 0.2.0rc1",
                "_config.yml: repository branch is v0.2.0; set it to v0.2.0rc1, and run: make tidy",
            ],
        ),
    ],
)
def test_what_is_wrong_is_named(course, name, old, new, found):
    replace(course, name, old, new)
    commit(course)
    assert problems(course) == found


def test_an_installed_package_of_another_version(course):
    assert problems(course, installed="0.1.0") == [
        "d2lconv.__version__ is 0.1.0, not 0.2.0; run: .venv/bin/pip install --no-deps -e ."
    ]


def test_changes_that_are_not_committed(course):
    for number in range(4):
        (course / f"new{number}.txt").touch()
    replace(course, "README.md", "d2lconv", "D2LCONV")
    assert problems(course) == ["not committed: README.md, new0.txt, new1.txt and 2 more"]


def test_a_tag_that_is_taken(course):
    git(course, "tag", "v0.2.0", "v0.1.0")
    (found,) = problems(course)
    assert found.startswith("the tag v0.2.0 exists, at ")
    assert found.endswith("; releases never change, so raise the version")


def test_a_commit_with_another_tag(course):
    git(course, "tag", "v0.1.9")
    assert problems(course) == ["this commit has the tag v0.1.9, but its version is 0.2.0"]


def test_a_version_that_is_older_than_a_tag(course):
    git(course, "tag", "v0.10.0", "v0.1.0")
    git(course, "tag", "v0.2.0rc1", "v0.1.0")  # no release
    assert problems(course) == ["the tag v0.10.0 exists, which is newer than v0.2.0"]


def test_a_changelog_without_versions():
    with pytest.raises(ReleaseError, match="has no heading such as: ## "):
        release.newest_entry("# Changelog\n\n## Unreleased\n\n- More.\n")


def test_no_repository(tmp_path):
    with pytest.raises(ReleaseError, match=r"git status: .*not a git repository"):
        release.git_problems(tmp_path, "v0.2.0")


@pytest.fixture
def command(course, monkeypatch):
    """Return a function that runs the command on the small course."""
    monkeypatch.setattr(release, "_installed", lambda: "0.2.0")
    replace(course, "CHANGELOG.md", "2027-01-31", "2026-01-31")  # whatever the day is
    replace(course, "CITATION.cff", "2027-01-31", "2026-01-31")
    commit(course)
    return lambda *arguments: release.main(arguments, root=course)


def test_the_command_builds_and_says_what_comes_next(command, course, capsys):
    (course / "dist").mkdir()
    (course / "dist/d2lconv-0.1.0.tar.gz").touch()
    (course / "_build/html").mkdir(parents=True)
    (course / "_build/html/index.html").write_text("start")
    assert command("--check") == 0
    assert capsys.readouterr() == ("", "")
    assert command() == 0
    out, err = capsys.readouterr()
    assert err == ""
    names = [
        "dist/d2lconv-0.2.0.tar.gz",
        "dist/d2lconv-0.2.0-py3-none-any.whl",
        "dist/d2lconv-book-0.2.0.zip",
    ]
    assert {f"dist/{path.name}" for path in (course / "dist").iterdir()} == set(names)
    assert [line.split(" (")[0] for line in out.splitlines()[:3]] == names
    assert '  git tag --annotate v0.2.0 --message "d2lconv 0.2.0"\n  git push origin v0.2.0\n' in out
    assert "  gh release create v0.2.0 --verify-tag " in out
    assert f"--notes-file _build/release-notes.md \\\n    {' '.join(names)}\n" in out
    assert "at https://ann.example/d2lconv/v0.2.0/\n" in out
    notes = (course / "_build/release-notes.md").read_text()
    assert notes == "- More [chapters](book).\n\n[A link] at the start of a line.\n"


def test_the_command_builds_nothing_where_something_is_wrong(command, course, capsys):
    (course / "new.txt").touch()
    assert command() == 1
    assert capsys.readouterr() == ("", "error: not committed: new.txt\n")
    assert not (course / "dist").exists()


def test_the_command_wants_a_rendered_book(command, course, capsys):
    assert command() == 1
    assert capsys.readouterr().err == f"error: {course}/_build/html has no index.html; run: make book\n"


def test_the_command_reports_what_the_files_should_not_hold(command, course, capsys):
    (course / "tests").mkdir()
    (course / "tests/test_ops.py").touch()
    replace(course, "pyproject.toml", 'packages = ["src/d2lconv"]', 'packages = ["src/d2lconv", "tests"]')
    replace(course, "pyproject.toml", 'include = ["/src", ', 'include = ["/src", "/tests", ')
    commit(course)
    assert command() == 1
    assert capsys.readouterr().err == (
        "error: d2lconv-0.2.0.tar.gz should not hold d2lconv-0.2.0/tests/test_ops.py\n"
        "error: d2lconv-0.2.0-py3-none-any.whl should not hold tests/test_ops.py\n"
    )


# ---- where the course can be run ---------------------------------------------


def test_binder_opens_this_repository_with_a_python_that_is_tested():
    repository = Book(release.ROOT).repository()
    name = repository.url.removeprefix("https://github.com/")
    readme = (release.ROOT / "README.md").read_text()
    assert f"https://mybinder.org/v2/gh/{name}/main?urlpath=lab/tree/book)" in readme
    version = (release.ROOT / "runtime.txt").read_text().strip().removeprefix("python-")
    tests = yaml.safe_load((release.ROOT / ".github/workflows/ci.yml").read_text())["jobs"]["test"]
    assert version in tests["strategy"]["matrix"]["python"]


# ---- the site: the newest book, and those of the releases ---------------------------------------------


@pytest.fixture
def site(tmp_path):
    """Write a rendered book and two packed ones; return the folder that holds all."""
    for name in ("index.html", "404.html", "sitemap.xml", "book/one.html"):
        path = tmp_path / "_build/html" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"newest {name}")
    for version in ("0.10.0", "0.2.0"):
        (tmp_path / "_build/html/index.html").write_text(version)
        pack_book(tmp_path / "_build/html", tmp_path / f"_build/books/d2lconv-book-{version}.zip")
    (tmp_path / "_build/html/index.html").write_text("newest")
    (tmp_path / "_build/site/old").mkdir(parents=True)
    return tmp_path


def files(folder):
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_each_release_has_its_own_folder(site, capsys):
    assert release_site.main([], root=site) == 0
    assert capsys.readouterr().out == "_build/site: the newest book, v0.2.0, v0.10.0\n"
    folder = site / "_build/site"
    pages = {"index.html", "book/one.html"}
    versions = {f"{version}/{page}" for version in ("v0.2.0", "v0.10.0") for page in pages}
    assert files(folder) == {*pages, "404.html", "sitemap.xml", *versions}
    assert (folder / "index.html").read_text() == "newest"
    assert (folder / "v0.2.0/index.html").read_text() == "0.2.0"


def test_before_the_first_release(site):
    release_site.assemble(site / "_build/html", site / "nothing", site / "_build/site")
    assert files(site / "_build/site") == files(site / "_build/html")


def spoil(path, *names):
    with zipfile.ZipFile(path, "w") as archive:
        for name in names:
            archive.writestr(name, "text")


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["index.html", "../index.html"], r"would write outside its folder: \.\./index\.html"),
        (["index.html", "/etc/x"], "would write outside its folder: /etc/x"),
        (["html/index.html"], "has no index.html at its top"),
    ],
)
def test_a_packed_book_that_is_none(site, names, message):
    spoil(site / "_build/books/d2lconv-book-0.3.0.zip", *names)
    with pytest.raises(ReleaseError, match=rf"d2lconv-book-0\.3\.0\.zip {message}"):
        release_site.assemble(site / "_build/html", site / "_build/books", site / "_build/site")
    assert not (site / "_build/index.html").exists()


def test_a_damaged_book(site, capsys):
    path = site / "_build/books/d2lconv-book-0.2.0.zip"
    path.write_bytes(path.read_bytes()[:-30])
    assert release_site.main([], root=site) == 1
    assert capsys.readouterr().err.startswith("error: d2lconv-book-0.2.0.zip is no zip file: ")


def test_a_site_without_a_book(tmp_path, capsys):
    assert release_site.main([], root=tmp_path) == 1
    assert "has no index.html; run: make book" in capsys.readouterr().err


GH = f"""#!{sys.executable}
import pathlib, sys
command = sys.argv[1:]
if command[:2] == ["release", "list"]:
    print('[{{"tagName": "v0.3.0"}}, {{"tagName": "draft"}}]')
elif command[:3] == ["release", "download", "v0.3.0"]:
    name, folder = command[command.index("--pattern") + 1], command[command.index("--dir") + 1]
    pathlib.Path(folder, name).touch()
else:
    sys.exit(f"unexpected: {{command}}")
"""


def test_the_books_of_the_releases_are_fetched(tmp_path, monkeypatch):
    path = tmp_path / "bin/gh"
    path.parent.mkdir()
    path.write_text(GH)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(path.parent))
    release_site.fetch(tmp_path / "books")
    assert [path.name for path in Path(tmp_path, "books").iterdir()] == ["d2lconv-book-0.3.0.zip"]
