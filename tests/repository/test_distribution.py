"""What pip installs: two files that hold what they should; a package that needs nothing to be imported."""

import json
import subprocess
import sys
import tarfile
import zipfile
from pathlib import PurePosixPath

import pytest
from tests.repository.distribution import ROOT, build_once
from tools import release_build
from tools.release_build import ReleaseError, content_faults, metadata_faults, project

VERSION = project(ROOT)["version"]
LICENCES = {"LICENSE", "LICENSE-text", "src/d2lconv/assets/LICENSE-digits"}


@pytest.fixture(scope="session")
def files(tmp_path_factory):
    """Return the sdist and the wheel."""
    return build_once(tmp_path_factory)


@pytest.fixture(scope="session")
def installed(files, tmp_path_factory):
    """Return a folder with nothing but the installed wheel."""
    folder = tmp_path_factory.mktemp("installed")
    options = ["--quiet", "--no-deps", "--no-index", "--no-compile", "--disable-pip-version-check"]
    command = [sys.executable, "-m", "pip", "install", *options, "--target", folder, files.wheel]
    subprocess.run(command, check=True)
    return folder


def test_nothing_is_missing_and_nothing_is_too_much(files):
    assert release_build.faults(ROOT, files.sdist, files.wheel) == []


def test_the_wheel_holds_the_package_alone(files):
    with zipfile.ZipFile(files.wheel) as archive:
        names = {PurePosixPath(name) for name in archive.namelist()}
    package = {name.relative_to("d2lconv") for name in names if name.parts[0] == "d2lconv"}
    info = {name for name in names if name.parts[0] == f"d2lconv-{VERSION}.dist-info"}
    assert names - info == {PurePosixPath("d2lconv") / name for name in package}
    assert {name.suffix for name in package} == {".py", ".js", ".css", ".npz", ".typed", ""}
    assert {str(name) for name in package if name.suffix in ("", ".npz", ".typed")} == {
        "py.typed",
        "assets/digits.npz",
        "assets/LICENSE-digits",
    }
    static = {path.name for path in (ROOT / "src/d2lconv/widgets/static").iterdir()}
    assert {name.name for name in package if name.parts[:2] == ("widgets", "static")} == static
    assert {"/".join(name.parts[2:]) for name in info if name.parts[1:2] == ("licenses",)} == LICENCES


def test_the_sdist_holds_what_builds_the_wheel(files):
    with tarfile.open(files.sdist) as archive:
        names = {PurePosixPath(name).relative_to(f"d2lconv-{VERSION}") for name in archive.getnames()}
    assert {name.parts[0] for name in names} == {
        *("src", "pyproject.toml", "PKG-INFO", ".gitignore"),
        *("README.md", "CHANGELOG.md", "CITATION.cff", "LICENSE", "LICENSE-text"),
    }


def test_building_again_gives_the_same_bytes(files, tmp_path):
    for first, second in zip((files.sdist, files.wheel), release_build.build(ROOT, tmp_path), strict=True):
        assert first.read_bytes() == second.read_bytes()


def test_the_installed_package_needs_the_standard_library_alone(installed):
    """Without site-packages, importing PyTorch or another package would fail; none is asked for."""
    code = f"""import json, sys
sys.path.insert(0, {str(installed)!r})
import d2lconv, d2lconv.shapes
tops = {{name.partition(".")[0] for name in sys.modules}} - sys.stdlib_module_names - {{"__main__"}}
sizes = d2lconv.shapes.conv_output_size(28, 5, padding=2)
print(json.dumps([sorted(tops), d2lconv.__file__, d2lconv.__version__, sizes]))
"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True
    )
    tops, file, version, size = json.loads(done.stdout)
    assert [name for name in tops if name != "d2lconv" and name[0] != "_"] == []
    assert file == str(installed / "d2lconv" / "__init__.py")
    assert (version, size) == (VERSION, 28)


# ---- and the checks see what is wrong ------------------------------------------------------------


def test_an_archive_that_lacks_or_has_too_much():
    wanted = {"d2lconv/py.typed", "d2lconv/ops.py"}
    assert content_faults("a.whl", ["d2lconv/ops.py", "d2lconv/py.typed"], wanted) == []
    assert content_faults("a.whl", ["d2lconv/ops.py", "book/lenet.ipynb", "tests/test_ops.py"], wanted) == [
        "a.whl lacks d2lconv/py.typed",
        "a.whl should not hold book/lenet.ipynb",
        "a.whl should not hold tests/test_ops.py",
    ]


def test_metadata_that_say_something_else(files):
    table = project(ROOT)
    with zipfile.ZipFile(files.wheel) as archive:
        text = archive.read(f"d2lconv-{VERSION}.dist-info/METADATA").decode()
    assert metadata_faults("a.whl", text, table) == []
    other = text.replace("License-File: LICENSE-text\n", "").replace(f"\nVersion: {VERSION}", "\nVersion: 9")
    assert metadata_faults("a.whl", other, table) == [
        f"a.whl: Version is ['9'], not ['{VERSION}']",
        "a.whl: License-File is ['LICENSE', 'src/d2lconv/assets/LICENSE-digits'], not "
        "['LICENSE', 'LICENSE-text', 'src/d2lconv/assets/LICENSE-digits']",
    ]


def test_what_cannot_be_built_says_why(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "d2lconv"\n')
    with pytest.raises(ReleaseError, match=r"(?s)the sdist cannot be built:\n.*version"):
        release_build.build(tmp_path, tmp_path / "dist")
