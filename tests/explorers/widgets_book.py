"""A small book with interactive figures, built as the real one is."""

import copy
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import nbformat
import yaml
from ipywidgets.embed import dependency_state
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from playwright.sync_api import expect
from tests.built_book import ROOT, Build
from tools.notebooks import WIDGET_STATE, normalise
from tools.page_cost import scroll_to

from d2lconv.widgets import convolution_explorer
from d2lconv_book.explorers import add_translation

TOC = "format: jb-book\nroot: book/index\nparts:\n  - caption: Part\n    chapters:\n"
ALT = "Input, kernel and output of figure {}, with the window of one output cell marked"


def chapter(*figures):
    """Return a notebook as a kernel would leave it, with one section for each figure."""
    cells = [new_markdown_cell("# Figures\n\nText.")]
    for number, figure in enumerate(figures, start=1):
        output = new_output("display_data", figure._repr_mimebundle_())
        metadata = {"mystnb": {"image": {"alt": ALT.format(number)}}}
        cells.append(new_markdown_cell(f"## Section {number}"))
        cells.append(new_code_cell("figure", execution_count=number, outputs=[output], metadata=metadata))
    notebook = nbformat.v4.new_notebook(cells=cells)
    notebook.metadata.widgets = {WIDGET_STATE: nbformat.from_dict(saved(*figures))}
    return normalise(notebook)


def saved(*figures):
    """Return the state of figures as a notebook saves it, their links included."""
    widgets = [widget for figure in figures for widget in (figure, *getattr(figure, "_links", ()))]
    state = dependency_state(widgets, drop_defaults=False)
    return {"state": state, "version_major": 2, "version_minor": 0}


def lay_out(folder: Path, chapters: dict[str, nbformat.NotebookNode]) -> Path:
    """Write a book with the real one's settings, styles and extensions, but for those that need the whole."""
    (folder / "book").mkdir(parents=True)
    config = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))
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


def add_chinese(site: Path, name: str) -> None:
    """Write a page once more as the Chinese edition has it: with Chinese for what scripts say."""
    text = (site / f"book/{name}.html").read_text(encoding="utf-8")
    files: list[str] = []
    app: Any = SimpleNamespace(
        outdir=site,
        config=SimpleNamespace(language="zh_CN"),
        add_js_file=lambda file, **_: files.append(f'<script defer src="../_static/{file}"></script>'),
    )
    add_translation(app, name, "page.html", {"body": text}, None)
    text = text.replace('lang="en"', 'lang="zh-Hans"', 1).replace("<script ", "".join(files) + "<script ", 1)
    (site / f"book/{name}-zh.html").write_text(text, encoding="utf-8")


REFUSED = {
    "lost": (lambda nb: nb.metadata.pop("widgets"), "its saved state was lost"),
    "foreign": (
        lambda nb: change(nb, "CheckboxModel", model_name="PlayModel"),
        "it has a PlayModel, which _host/host.js cannot draw",
    ),
    "gone": (
        lambda nb: change(nb, "AnyModel", _anywidget_id="d2lconv.widgets.convolution.Gone"),
        "its view Gone is no longer in d2lconv.widgets.convolution",
    ),
    "bare": (lambda nb: nb.cells[2].outputs[0].data.pop("image/svg+xml"), "it has no picture"),
}


def refused():
    """Return chapters with a figure that would not work."""
    whole, chapters = chapter(convolution_explorer()), {}
    for name, (spoil, _) in REFUSED.items():
        chapters[f"refused_{name}"] = copy.deepcopy(whole)
        spoil(chapters[f"refused_{name}"])
    return chapters


def change(nb, name, **values):
    """Change the first saved widget of some type."""
    state = nb.metadata.widgets[WIDGET_STATE].state
    widget = next(widget for widget in state.values() if widget["model_name"] == name)
    for key, value in values.items():
        (widget if key in widget else widget["state"])[key] = value


class FigureOnPage:
    """The figure with some number on a page, set up."""

    def __init__(self, page, number=0):
        self.page = page
        self.place = page.locator(".d2l-live").nth(number)
        scroll_to(self.place)
        self.place.locator(".d2l-view").wait_for()

    def control(self, name):
        """Return the input with this label."""
        return self.place.get_by_label(name, exact=True)

    def settle(self):
        """Let the page draw what follows from the last input: the size of a view is told in a frame."""
        self.page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")

    def slide(self, name, value):
        """Move a slider with the keyboard."""
        slider = self.control(name)
        steps = value - int(slider.input_value())
        slider.focus()
        for _ in range(abs(steps)):
            self.page.keyboard.press("ArrowRight" if steps > 0 else "ArrowLeft")
        assert int(slider.input_value()) == value

    def leave(self):
        """Move the pointer away."""
        self.page.mouse.move(0, 0)

    def spoken(self, name):
        """Return what a control says beyond its number."""
        return self.control(name).get_attribute("aria-valuetext").partition(", ")[2]

    def says(self, text):
        """Wait until the figure says a text by itself, a moment after the last change."""
        said = self.place.locator("[aria-live=polite]")
        expect(said).to_have_text(text)

    def is_silent(self):
        """Tell whether it has said nothing by itself: a slider speaks for it."""
        self.settle()
        return self.place.locator("[aria-live=polite]").text_content() == ""


class GridFigure(FigureOnPage):
    """A figure with grids of numbers."""

    def cell(self, grid, row, column):
        cell = self.place.locator(f".d2l-grid.d2l-{grid} [data-cell='{row},{column}']")
        return cell.locator("input") if cell.locator("input").count() else cell

    def numbers(self, grid):
        read = """grid => [...grid.querySelectorAll('[role=row]')].map(row => [...row.children].map(cell =>
            cell.firstElementChild ? cell.firstElementChild.value : cell.textContent))"""
        rows = self.place.locator(f".d2l-grid.d2l-{grid}").evaluate(read)
        return [[float(text.replace("−", "-")) if text else None for text in row] for row in rows]

    def marked(self, grid, mark="here"):
        cells = self.place.locator(f".d2l-grid.d2l-{grid} .d2l-{mark}")
        return [
            tuple(map(int, cell.split(",")))
            for cell in cells.evaluate_all("cells => cells.map(cell => cell.dataset.cell)")
        ]

    def formula(self):
        return self.place.locator(".d2l-formula").text_content()
