"""The zip of all chapters has what it needs, its links lead somewhere, and a chapter runs from it alone."""

import ast
import doctest
import re
import subprocess
import sys
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest
from docutils import nodes
from tests.built_book import ROOT, build_once
from tools.book import Book
from tools.execute import run_cells
from tools.markdown import inlines
from tools.notebooks import load, normalise

import download_links
import notebooks_zip
import plain_pages

CHAPTER = "building_blocks"


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    return build_once(tmp_path_factory).site


@pytest.fixture(scope="module")
def folder(site, tmp_path_factory):
    """Return the unpacked folder."""
    place = tmp_path_factory.mktemp("unpacked")
    with zipfile.ZipFile(site / notebooks_zip.NAME) as zipped:
        zipped.extractall(place)
    return place / notebooks_zip.FOLDER


@pytest.fixture(scope="module")
def installed(folder, tmp_path_factory):
    """Install the package of the folder, and nothing else, and return where."""
    target = tmp_path_factory.mktemp("installed")
    (wheel,) = folder.glob("*.whl")
    options = ["--quiet", "--disable-pip-version-check", "--no-index", "--no-deps", "--target", target]
    subprocess.run([sys.executable, "-m", "pip", "install", *options, wheel], check=True)
    return target


@pytest.mark.parametrize("module", [download_links, notebooks_zip, plain_pages], ids=lambda m: m.__name__)
def test_examples(module):
    assert doctest.testmod(module).failed == 0


def test_notebooks_are_those_of_the_book(folder):
    chapters = Book(ROOT).chapters()
    assert {path.name for path in folder.glob("*.ipynb")} == {path.name for path in chapters}
    for path in chapters:
        assert (folder / path.name).read_bytes() == path.read_bytes(), path.name


def links_of(path):
    """Yield the addresses of a page's links and images."""
    texts = [path.read_text(encoding="utf-8")]
    if path.suffix == ".ipynb":
        texts = [cell.source for cell in load(path).cells if cell.cell_type == "markdown"]
    for token in (token for text in texts for token in inlines(text)):
        address = token.attrGet("href") or token.attrGet("src")
        if address:
            yield address


def test_links_lead_somewhere(folder):
    followed = 0
    for path in [*folder.glob("*.ipynb"), *folder.glob("*.md")]:
        for address in links_of(path):
            if not re.match(r"https?://|mailto:|#", address):
                assert (folder / address.partition("#")[0]).is_file(), f"{path.name}: {address}"
                followed += 1
    assert followed > 100


def test_pages_are_plain_markdown(folder):
    for path in folder.glob("*.md"):
        assert not re.search(r"^\s*(```|:::+)\{", path.read_text(encoding="utf-8"), re.MULTILINE), path.name
    works = (folder / "bibliography.md").read_text(encoding="utf-8")
    keys = Book(ROOT).citation_keys()
    assert len(re.findall(r"^- \S", works, re.MULTILINE)) == len(keys)
    assert works.count("Gradient-based learning applied to document recognition") == 1
    assert "`conv2d`: " in (folder / "api.md").read_text(encoding="utf-8")


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
    lines = (folder / "requirements.txt").read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line.endswith(".whl")] == [
        f"./{path.name}" for path in folder.glob("*.whl")
    ]
    names = {line.partition("==")[0] for line in lines} | {"d2lconv"}
    providers = {"d2lconv": ["d2lconv"], **packages_distributions()}
    for path in folder.glob("*.ipynb"):
        for module in {name.partition(".")[0] for name in imported(path)} - sys.stdlib_module_names:
            assert set(providers[module]) & names, f"{path.name}: {module}"


@pytest.mark.slow
def test_a_chapter_runs_from_the_folder_alone(folder, installed, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", str(installed))
    where = [sys.executable, "-c", "import d2lconv; print(d2lconv.__file__, d2lconv.__version__)"]
    said = subprocess.run(where, cwd=folder, check=True, capture_output=True, text=True).stdout.split()
    assert Path(said[0]).is_relative_to(installed)
    path = folder / f"{CHAPTER}.ipynb"
    before = load(path)
    after = load(path)
    run_cells(after, path, timeout=120)
    after = normalise(after)
    assert [shown(cell) for cell in after.cells] == [shown(cell) for cell in before.cells]


def shown(cell):
    """Return what a cell gives, without pictures in pixels."""
    data = [output.get("data", {"text": output.get("text")}) for output in cell.get("outputs", [])]
    return [{kind: value for kind, value in one.items() if kind != "image/png"} for one in data]


def test_same_files_give_the_same_bytes(tmp_path):
    files = {"b.txt": b"2", "a.txt": b"1" * 1000}
    notebooks_zip.archive(files, tmp_path / "one.zip")
    notebooks_zip.archive(dict(reversed(files.items())), tmp_path / "two.zip")
    assert (tmp_path / "one.zip").read_bytes() == (tmp_path / "two.zip").read_bytes()
    assert [path.name for path in sorted(tmp_path.iterdir())] == ["one.zip", "two.zip"]


def test_same_package_gives_the_same_wheel(site, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    name, content = notebooks_zip.wheel(ROOT)
    with zipfile.ZipFile(site / notebooks_zip.NAME) as zipped:
        assert zipped.read(f"{notebooks_zip.FOLDER}/{name}") == content


def test_missing_version_is_reported():
    with pytest.raises(
        notebooks_zip.ZipError, match="no version of jupyterlab, torch; run: make requirements"
    ):
        notebooks_zip.requirements(
            '[project]\ndependencies = ["torch>=2"]', "scikit-learn==1.5\n#torch==2.13\n", "a.whl"
        )


def test_missing_hatchling_is_reported(monkeypatch):
    monkeypatch.setattr(notebooks_zip, "find_spec", lambda name: None)
    with pytest.raises(notebooks_zip.ZipError, match="hatchling is not installed"):
        notebooks_zip.wheel(ROOT)


def test_fault_of_hatchling_is_reported(tmp_path):
    (tmp_path / "pyproject.toml").write_text("[project\n")
    with pytest.raises(notebooks_zip.ZipError, match="hatchling: "):
        notebooks_zip.wheel(tmp_path)


@pytest.mark.parametrize("page", ["```{note}\nA note.\n```\n", ":::{tip}\nA tip.\n:::\n"])
def test_directive_that_plain_markdown_lacks_is_reported(page):
    with pytest.raises(plain_pages.PlainError, match="cannot be written as plain Markdown"):
        plain_pages.plain(page, works="", here=[], address="")


def test_link_to_a_download_says_its_size_or_what_makes_it(tmp_path):
    page = tmp_path / "page.html"
    link = '<a class="d2l-download" href="a.pdf" data-made-by="make pdf">The book</a>'
    page.write_text(f"<p>{link}</p>")
    download_links.refresh(page)
    assert 'data-href="a.pdf"' in page.read_text()
    assert "<code>make pdf</code> makes it" in page.read_text()
    (tmp_path / "a.pdf").write_bytes(b"x" * 45_600)
    for _ in range(2):  # a second time changes nothing
        download_links.refresh(page)
        assert page.read_text() == f'<p>{link}<span class="d2l-size"> (46 KB)</span></p>'


def test_works_are_written_with_their_links():
    title = nodes.emphasis("", "A_b")
    assert plain_pages.markdown_of(nodes.paragraph("", "", title)) == r"*A\_b*"
