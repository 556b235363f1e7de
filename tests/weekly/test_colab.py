"""The figures with the widgets that Colab has: in Python, in a front end for them, and saved on a page."""

import os
import re
import subprocess

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from playwright.sync_api import expect
from tests.built_book import ROOT
from tests.explorers.widgets_book import ALT, FigureOnPage, build, lay_out
from tests.weekly import colab
from tests.weekly.jupyterlab import Notebook, start_lab

pytestmark = pytest.mark.slow

VERSIONS = "ipywidgets.__version__, anywidget.__version__"
CODE = "from d2lconv import widgets\nfigure = widgets.convolution_explorer()\nfigure"
EXECUTE = """import pathlib, sys
from tools.execute import run_chapter
problem = run_chapter(pathlib.Path(sys.argv[1]), 120)
assert not problem, problem
"""
# IPython 7 puts a folder on the path that has a package called tests: ours is imported before.
PYTEST = "import sys, tests, pytest; sys.exit(pytest.main(sys.argv[1:]))"
EXPLORERS = ["convolution", "padding", "channels", "pooling", "receptive_field", "cost"]


@pytest.fixture(scope="module")
def run():
    """Return a function that runs a command in the environment and returns what it says."""
    python = colab.environment()
    folders = os.pathsep.join([str(ROOT), str(ROOT / "src"), str(ROOT / "book/_ext")])

    def run(*command, code=0):
        done = subprocess.run(
            [python, *command],
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": folders},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        assert done.returncode == code, done.stdout[-3000:]
        return done.stdout.strip()

    return run


def test_versions_are_those_of_colab(run):
    assert run("-c", f"import anywidget, ipywidgets\nprint({VERSIONS})") == "7.7.1 0.9.21"


def test_explorers_pass_their_tests(run):
    files = [ROOT / "tests/package/test_widgets.py", *sorted(ROOT.glob("tests/package/test_*_explorer.py"))]
    # ipywidgets 7 calls what traitlets has deprecated since.
    options = ["-q", "-p", "no:cacheprovider", "-W", "ignore::DeprecationWarning"]
    said = run("-c", PYTEST, *options, *map(str, files))
    assert int(re.search(r"(\d+) passed", said)[1]) > 200
    assert "skipped" not in said


def test_a_front_end_for_these_versions_draws_and_moves_a_figure(run, browser, tmp_path):
    with start_lab(tmp_path, colab.environment(), CODE) as (address, client):
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        notebook = Notebook(page, address, client)
        formula = page.locator(".d2l-formula")
        expect(formula).to_contain_text("= 10")
        notebook.slider("Output cell").press("ArrowRight")
        expect(formula).to_contain_text("= 12")
        notebook.expect("figure.view.position", 1)
        notebook.expect("figure.controls['position'].value", 1)
        notebook.do("figure.view.position = 4")
        expect(notebook.readout("Output cell")).to_have_text("4")
        expect(formula).to_contain_text("= 16")
        page.get_by_label("Kernel", exact=True).select_option("sharpen")
        notebook.expect("figure.view.kernel[0]", [0, -1, 0])
        cell = page.locator(".d2l-grid.d2l-input [data-cell='0,0'] input")
        cell.fill("7")
        cell.press("Enter")
        notebook.expect("figure.view.input[0][0]", 7)
        assert notebook.ask(VERSIONS, after="import anywidget, ipywidgets") == ("7.7.1", "0.9.21")
        page.close()


def test_state_saved_with_these_versions_moves_on_a_page(run, visit, tmp_path):
    cells = [new_markdown_cell("# Figures\n\nText."), new_code_cell("from d2lconv import widgets")]
    for number, name in enumerate(EXPLORERS, start=1):
        metadata = {"mystnb": {"image": {"alt": ALT.format(number)}}}
        cells.append(new_code_cell(f"widgets.{name}_explorer()", metadata=metadata))
    folder = lay_out(tmp_path / "book", {"figures": new_notebook(cells=cells)})
    run("-c", EXECUTE, folder / "book/figures.ipynb")
    assert '"~0.9.*"' in (folder / "book/figures.ipynb").read_text(encoding="utf-8")
    done = build(folder)
    assert done.code == 0, done.log[-2000:]
    page, problems = visit((done.site / "book/figures.html").as_uri())
    for number in range(len(EXPLORERS)):
        figure = FigureOnPage(page, number)
        slider = figure.place.locator("input[type=range]").first
        before = slider.get_attribute("aria-valuetext")
        slider.press("ArrowRight")
        expect(slider).not_to_have_attribute("aria-valuetext", before)
    assert problems == []
