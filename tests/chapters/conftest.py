"""A small book with one good chapter, for tests of the tools that write and check chapters."""

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from tests.chapters.chapters import read
from tools.notebooks import WIDGET_STATE, WIDGET_VIEW, canonical, install_index, load, normalise, write

TOC = """\
format: jb-book
root: book/index
parts:
  - caption: Part
    chapters:
      - file: book/good
      - file: book/other
  - caption: Reference
    chapters:
      - file: book/bibliography
"""
CONFIG = """\
title: A small book
repository:
  url: https://github.com/d2lconv/d2lconv
  branch: main
"""
WIDGET = "f" * 31 + "0"
STATE = {"model_name": "IntSliderModel", "model_module": "@jupyter-widgets/controls", "state": {}}


def _code(source, *outputs, **metadata):
    cell = new_code_cell(source, outputs=list(outputs), metadata=metadata)
    cell.execution_count = 1
    return cell


def _good_chapter():
    cells = [
        new_markdown_cell("# Good"),
        new_markdown_cell("**You will learn** sums.\n\n**You need** numbers.\n\n**Time**: a minute."),
        new_markdown_cell(
            "## Adding\n\nSums of $x$, as [before](other.ipynb#a-heading) and [here](#summary)."
        ),
        _code("print(1 + 1)", new_output("stream", name="stdout", text="2\n")),
        _code("x = 2\nx", new_output("execute_result", data={"text/plain": "2"}, execution_count=1)),
        _code(
            "draw()",
            new_output("display_data", data={"image/svg+xml": "<svg/>", "text/plain": "<Figure>"}),
            mystnb={
                "image": {"alt": "A square with one black corner"},
                "figure": {"caption": "One corner is black."},
            },
        ),
        _code(
            "slider()",
            new_output("display_data", data={"text/plain": "slider", WIDGET_VIEW: {"model_id": WIDGET}}),
        ),
        new_markdown_cell("## Summary\n\nSums."),
        new_markdown_cell("## Further reading\n\n[LeCun (1998)](bibliography.md#lecun1998)"),
    ]
    nb = nbformat.v4.new_notebook(cells=cells)
    nb.metadata.widgets = {WIDGET_STATE: {"state": {WIDGET: STATE}, "version_major": 2, "version_minor": 0}}
    return nb


@pytest.fixture
def chapter(request):
    """Return a chapter of the book; tests leave it as it is."""
    return read(request.param)


@pytest.fixture
def book(tmp_path):
    """Write a book of two chapters, `good` and `other`; return its root."""
    (tmp_path / "_toc.yml").write_text(TOC)
    (tmp_path / "_config.yml").write_text(CONFIG)
    folder = tmp_path / "book"
    folder.mkdir()
    (folder / "index.md").write_text("# Start\n")
    (folder / "bibliography.md").write_text("# Bibliography\n")
    (folder / "references.bib").write_text("@article{lecun1998,\n  title = {LeNet},\n}\n")
    other = nbformat.v4.new_notebook(cells=[new_markdown_cell("# Other"), new_markdown_cell("## A heading")])
    write(normalise(other), folder / "other.ipynb")
    path = folder / "good.ipynb"
    good = canonical(_good_chapter(), path)
    good.cells[install_index(good)].execution_count = 1
    write(normalise(good), path)
    return tmp_path


@pytest.fixture
def good_path(book):
    """Path of a chapter that satisfies every rule."""
    return book / "book" / "good.ipynb"


@pytest.fixture
def good(good_path):
    """Return a chapter that satisfies every rule."""
    return load(good_path)


@pytest.fixture
def write_chapter(book):
    """Return a function that makes a chapter from the sources of its code cells and returns its path."""

    def write_cells(name, *sources):
        cells = [new_markdown_cell(f"# {name}"), *map(new_code_cell, sources)]
        path = book / "book" / f"{name}.ipynb"
        nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
        return path

    return write_cells
