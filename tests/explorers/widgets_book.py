"""A small book with moving figures, executed and built as the real one is."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import nbformat
import yaml
from nbformat.v4 import new_code_cell, new_markdown_cell
from tests.built_book import ROOT, Build
from tools.execute import run_chapter
from tools.page_cost import scroll_to

import static_widgets

TOC = "format: jb-book\nroot: book/index\nparts:\n  - caption: Part\n    chapters:\n"
FOR_THE_WHOLE = ("notebooks_zip",)  # extensions that ask for all of the course
ALT = "Input, kernel and output of figure {}, with the window of one output cell marked"


def chapter(*figures):
    """Return a notebook with one section for each line of code that shows a figure."""
    cells = [
        new_markdown_cell("# Figures\n\nText."),
        new_code_cell("from d2lconv import widgets", id="imports"),
    ]
    for number, code in enumerate(figures, start=1):
        cells.append(new_markdown_cell(f"## Section {number}"))
        metadata = {"mystnb": {"image": {"alt": ALT.format(number)}}}
        cells.append(new_code_cell(code, id=f"figure-{number}", metadata=metadata))
    return nbformat.v4.new_notebook(cells=cells)


def lay_out(folder: Path, chapters: dict[str, nbformat.NotebookNode]) -> Path:
    """Write a book with the real one's settings, styles and extensions, but for those that need the whole."""
    (folder / "book").mkdir(parents=True)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
    for name in FOR_THE_WHOLE:
        del config["sphinx"]["local_extensions"][name]
        config["sphinx"]["config"]["extensions"].remove(name)
    (folder / "_config.yml").write_text(yaml.safe_dump(config, allow_unicode=True), encoding="utf-8")
    shutil.copy(ROOT / "book" / "references.bib", folder / "book")
    for name in ("_ext", "_extra", "_host", "_static"):
        (folder / "book" / name).symlink_to(ROOT / "book" / name)
    entries = "".join(f"      - file: book/{name}\n" for name in chapters)
    (folder / "_toc.yml").write_text(TOC + entries, encoding="utf-8")
    (folder / "book" / "index.md").write_text("# Start\n\nNo figure here.\n", encoding="utf-8")
    for name, notebook in chapters.items():
        nbformat.write(notebook, folder / "book" / f"{name}.ipynb")
    return folder


def figures_in(script: str) -> dict[str, Any]:
    """Read what the figures of a page are made of."""
    found = re.fullmatch(r"window\.d2lFigures = JSON\.parse\('(.*)'\);\n", script)
    return json.loads(re.sub(r"\\(.)", r"\1", found[1]))


@contextmanager
def spoiled(site: Path, page: str, change: Callable[[str], str]) -> Iterator[str]:
    """Change what the figures of a page are made of, in a copy; give the copy's address."""
    script, text = site / static_widgets.file_of(page), site / f"{page}.html"
    other_script, other_text = (path.with_stem(f"{path.stem}-spoiled") for path in (script, text))
    before = script.read_text(encoding="utf-8")
    after = change(before)
    assert after != before
    other_script.write_text(after, encoding="utf-8")
    linked = text.read_text(encoding="utf-8").replace(script.name, other_script.name)
    other_text.write_text(linked, encoding="utf-8")
    try:
        yield other_text.as_uri()
    finally:
        other_script.unlink()
        other_text.unlink()


def execute(folder: Path, name: str) -> Path:
    """Run a chapter as `make execute` does."""
    path = folder / "book" / f"{name}.ipynb"
    problem = run_chapter(path, 120)
    assert not problem, problem
    return path


def build(folder: Path) -> Build:
    """Build the book as `make book` does."""
    options = ["--warningiserror", "--nitpick", "--keep-going"]
    run = subprocess.run(
        [Path(sys.executable).parent / "jupyter-book", "build", folder, *options],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
    )
    return Build(run.returncode, run.stdout, folder / "_build" / "html")


def site_of(folder: Path, name: str, notebook: nbformat.NotebookNode) -> Path:
    """Execute and build a book with one chapter; return the folder of its pages."""
    lay_out(folder, {name: notebook})
    execute(folder, name)
    done = build(folder)
    assert done.code == 0, done.log[-2000:]
    return done.site


class FigureOnPage:
    """The moving figure with some number on a page, set up."""

    def __init__(self, page, number=0):
        self.page = page
        self.place = page.locator(".d2l-live").nth(number)
        scroll_to(self.place)
        self.place.locator(".d2l-view").wait_for()

    def control(self, name):
        """Return the input with this label."""
        return self.place.get_by_label(name, exact=True)
