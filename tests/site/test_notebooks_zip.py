"""The zip of all chapters has what it needs, its links lead somewhere, and its package can be installed."""

import ast
import re
import subprocess
import sys
import zipfile
from functools import cache
from importlib.metadata import packages_distributions
from types import SimpleNamespace

import pytest
import yaml
from sphinx.errors import ExtensionError
from tests.built_book import ROOT, build_once, pages_in_toc
from tools.notebooks import load

from d2lconv_book import notebooks_zip

ADDRESS = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["html"]["baseurl"]
PAGES = pages_in_toc()
CHAPTERS = [name for name in PAGES if (ROOT / f"{name}.ipynb").is_file()]


def path_of(name):
    (path,) = (
        ROOT / f"{name}{suffix}" for suffix in (".ipynb", ".md") if (ROOT / f"{name}{suffix}").exists()
    )
    return path


def write(folder):
    """Write the file without building a book, and return its path."""
    env = SimpleNamespace(found_docs=set(PAGES), doc2path=path_of)
    config = SimpleNamespace(html_baseurl=ADDRESS)
    app = SimpleNamespace(
        builder=SimpleNamespace(name="html"), srcdir=ROOT, outdir=folder, env=env, config=config
    )
    notebooks_zip.write(app, None)
    return folder / "_downloads" / "d2lconv-notebooks.zip"


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return the unpacked folder."""
    place = tmp_path_factory.mktemp("zip")
    with zipfile.ZipFile(write(place)) as zipped:
        zipped.extractall(place)
    return place / "d2lconv-notebooks"


def test_the_site_has_it(tmp_path, tmp_path_factory):
    site = build_once(tmp_path_factory).site
    assert (site / "_downloads" / "d2lconv-notebooks.zip").read_bytes() == write(tmp_path).read_bytes()


def test_notebooks_are_those_of_the_book(folder):
    assert sorted(path.name for path in folder.glob("*.ipynb")) == sorted(path_of(n).name for n in CHAPTERS)
    for path in map(path_of, CHAPTERS):
        here = load(folder / path.name)
        for cell, original in zip(here.cells, load(path).cells, strict=True):
            if cell.cell_type == "code":
                assert cell == original, path.name


def links(path):
    """Yield where the links and images of a notebook lead."""
    for cell in load(path).cells:
        if cell.cell_type == "markdown":
            yield from re.findall(r"\]\(<?([^)\s>]+)", cell.source)


def test_links_lead_to_notebooks_beside_them_or_to_the_site(folder, tmp_path_factory):
    site = build_once(tmp_path_factory).site
    ids = cache(lambda page: set(re.findall(r'\bid="([^"]+)"', (site / page).read_text(encoding="utf-8"))))
    followed = 0
    for path in folder.glob("*.ipynb"):
        for address in links(path):
            name, _, anchor = address.removeprefix(ADDRESS).partition("#")
            if address.startswith(ADDRESS):
                assert (site / name).is_file(), address
                assert not anchor or anchor in ids(name), address
            elif not re.match(r"https?://|mailto:|#", address):
                assert (folder / name).is_file(), f"{path.name}: {address}"
            followed += 1
    assert followed > 300


def imported(path):
    """Yield the modules that a chapter imports."""
    for cell in load(path).cells:
        if cell.cell_type == "code" and "%pip" not in cell.source:
            for node in ast.walk(ast.parse(cell.source)):
                if isinstance(node, ast.Import):
                    yield from (name.name for name in node.names)
                elif isinstance(node, ast.ImportFrom):
                    yield node.module


def test_requirements_have_all_that_the_chapters_import(folder):
    package, *pins = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert (folder / package / "pyproject.toml").is_file()
    assert all(re.match(r"[\w.-]+==\d", pin) for pin in pins)
    names = {pin.partition("==")[0] for pin in pins} | {"d2lconv"}
    assert "jupyterlab" in names
    providers = {"d2lconv": ["d2lconv"], **packages_distributions()}
    for path in folder.glob("*.ipynb"):
        for module in {name.partition(".")[0] for name in imported(path)} - sys.stdlib_module_names:
            assert set(providers[module]) & names, f"{path.name}: {module}"


def test_its_package_can_be_installed_and_used(folder, tmp_path):
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--no-build-isolation"]
    install = [sys.executable, "-m", "pip", "install", *options, "--target", tmp_path, folder / "package"]
    subprocess.run(install, check=True)
    use = (
        "import d2lconv; print(d2lconv.__file__, d2lconv.__version__, d2lconv.shapes.conv_output_size(28, 5))"
    )
    run = [sys.executable, "-c", use]
    said = subprocess.run(run, cwd=folder, env={"PYTHONPATH": str(tmp_path)}, check=True, capture_output=True)
    place, version, size = said.stdout.decode().split()
    assert place.startswith(str(tmp_path))
    assert version[0].isdigit()
    assert size == "24"
    installed = {path.relative_to(tmp_path / "d2lconv") for path in (tmp_path / "d2lconv").rglob("*")}
    source = {path.relative_to(ROOT / "src/d2lconv") for path in (ROOT / "src/d2lconv").rglob("*")}
    assert {path for path in source - installed if "__pycache__" not in path.parts} == set()


def test_the_same_book_gives_the_same_bytes(tmp_path):
    assert write(tmp_path / "a").read_bytes() == write(tmp_path / "b").read_bytes()


def test_a_missing_version_is_reported(tmp_path):
    (tmp_path / "pyproject.toml").write_text('[project]\ndependencies = ["torch>=2", "tqdm"]')
    (tmp_path / "requirements.txt").write_text("scikit-learn==1.5\njupyterlab==4.4\ntqdm==4\n#torch==2.13\n")
    with pytest.raises(ExtensionError, match=r"no version of {'torch'}; run: make requirements"):
        notebooks_zip.requirements(tmp_path)
