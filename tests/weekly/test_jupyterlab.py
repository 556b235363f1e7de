"""Figures and drills in real JupyterLab: controls, view and kernel hold the same state, drills judge."""

import re
import sys

import pytest
from playwright.sync_api import expect
from tests.weekly.jupyterlab import Notebook, start_lab

from d2lconv.widgets.convolution import PRESETS

CODE = """from d2lconv import widgets
from d2lconv.widgets.convolution import INPUT
figure = widgets.convolution_explorer()
figure"""
POSITION = "figure.view.position, figure.controls['position'].value"


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    """Show a figure in the JupyterLab that the tests are installed with."""
    with start_lab(tmp_path_factory.mktemp("lab"), sys.executable, CODE) as (address, client):
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        yield Notebook(page, address, client)
        page.close()


@pytest.fixture
def formula(notebook):
    """Set the figure back, and return the view's formula."""
    notebook.do("figure.view.position, figure.view.kernel_index = 0, 0\nfigure.view.input = INPUT")
    formula = notebook.page.locator(".d2l-formula")
    expect(formula).to_contain_text("= 10")
    notebook.expect(POSITION, (0, 0))  # what the page says late would undo what is set next
    return formula


def test_a_slider_moved_by_keyboard_changes_the_trait(notebook, formula):
    notebook.slider("Output cell").press("ArrowRight")
    expect(formula).to_contain_text("= 12")
    notebook.slider("Output cell").press("ArrowRight")
    expect(notebook.readout("Output cell")).to_have_text("2")
    notebook.expect(POSITION, (2, 2))


def test_a_trait_that_is_set_moves_the_slider_and_the_view(notebook, formula):
    notebook.do("figure.view.position = 4")
    expect(notebook.readout("Output cell")).to_have_text("4")
    expect(formula).to_contain_text("= 16")
    notebook.expect(POSITION, (4, 4))
    notebook.do("figure.controls['position'].value = 8")
    expect(formula).to_contain_text("= 3")
    notebook.expect(POSITION, (8, 8))


def test_a_choice_changes_the_numbers_in_the_kernel(notebook, formula):
    notebook.page.get_by_label("Kernel", exact=True).select_option("sharpen")
    expect(formula).not_to_contain_text("= 10")
    notebook.expect("figure.view.kernel", PRESETS["sharpen"])


def test_a_number_typed_into_a_grid_reaches_the_kernel(notebook, formula):
    cell = notebook.page.locator(".d2l-grid.d2l-input [data-cell='0,0'] input")
    cell.fill("7")
    cell.press("Enter")
    expect(formula).to_contain_text("= 16")
    notebook.expect("figure.view.input[0][0]", 7)


def test_a_value_out_of_range_is_refused_and_nothing_moves(notebook, formula):
    code = "try:\n    figure.view.position = 9\nexcept Exception as error:\n    said = str(error)"
    assert notebook.ask("said", after=code) == "position must be from 0 to 8, got 9"
    expect(notebook.readout("Output cell")).to_have_text("0")
    expect(formula).to_contain_text("= 10")


def test_the_view_speaks_once_and_writes_nothing_to_the_console(notebook, formula):
    page = notebook.page
    problems = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    notebook.slider("Output cell").press("ArrowRight")
    expect(formula).to_contain_text("= 12")
    said = page.locator(".d2l-view [aria-live=polite]")
    expect(said).to_have_text("row 0, column 1: output 12")
    assert problems == []


# ---- drills ----


@pytest.mark.parametrize("language", ["en", "zh"])
def test_a_drill_asks_and_judges(browser, tmp_path_factory, monkeypatch, language):
    monkeypatch.setenv("D2LCONV_LANG", language)
    code = 'from d2lconv.questions import drill\ndrill("parameters", level=1, seed=35)'
    problems = []
    with start_lab(tmp_path_factory.mktemp("drill"), sys.executable, code) as (address, client):
        page = browser.new_page(viewport={"width": 1280, "height": 1400})
        page.on("pageerror", lambda error: problems.append(str(error)))
        Notebook(page, address, client, shows=".d2l-practice form")
        place = page.locator(".d2l-practice")
        a, b = map(int, re.findall(r"Conv2d\((\d+), (\d+)", place.locator(".d2l-ask > p").inner_text())[0])
        for weights, correct in ((a * b * 9 + b, False), (a * b * 9, True)):
            for field, number in zip(place.locator("form input").all(), (weights, b), strict=True):
                field.fill(str(number))
            place.locator("form button").click()
            expect(place.locator(".d2l-right" if correct else ".d2l-wrong")).to_be_visible()
        page.close()
    assert problems == []
