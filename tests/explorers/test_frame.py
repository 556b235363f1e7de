"""What all figures can do: the first state, a link to this one, the whole screen, the same in PyTorch."""

import contextlib
import io
import json
import re
import warnings
from urllib.parse import quote

import pytest
import torch
from playwright.sync_api import expect
from tests.explorers.shown import explorers
from tests.explorers.test_every_figure import PAGES, figures_on, move_all
from tests.explorers.widgets_book import FigureOnPage, GridFigure

STATE = """figure => [
    ...figure.querySelectorAll(':is(.d2l-control, .d2l-grid, .d2l-layers) :is(input, select)')]
    .filter((one) => one.checkVisibility()).map(
    (one) => one.type === 'checkbox' ? one.checked : one.value)"""


def state(figure):
    """Read what the controls and the cells that can be edited show."""
    figure.settle()
    return figure.place.evaluate(STATE)


def press(figure, name):
    figure.place.get_by_role("button", name=name, exact=True).click()


def word(figure):
    return figure.place.locator(".d2l-word").text_content()


@pytest.mark.parametrize("name", PAGES)
def test_reset_and_a_link_lead_back_to_a_state(show, name):
    page = show(name)
    address = page.url
    number = page.locator(".d2l-live").count() - 1
    figure = FigureOnPage(page, number)
    first = state(figure)
    assert move_all(figure)
    moved = state(figure)
    press(figure, "Link to this state")
    link = page.url
    assert link.startswith(f"{address}#figure={number}&")
    press(figure, "Reset")
    assert state(figure) == first
    page.go_back()
    page.go_forward()
    assert state(figure) == moved
    page.goto("about:blank")
    page.goto(link)
    figure = FigureOnPage(page, number)  # which the page scrolls to by itself
    assert state(figure) == moved
    press(figure, "Reset")
    assert state(figure) == first


def test_a_link_shows_the_figure_even_if_it_is_far_down(show):
    page = show("convolution")
    address = page.url
    page.goto("about:blank")
    page.goto(f"{address}#figure=2&position=4")
    place = page.locator(".d2l-live").nth(2)
    expect(place.locator(".d2l-view")).to_be_in_viewport()
    assert place.get_by_label("Output cell", exact=True).input_value() == "4"
    assert page.locator(".d2l-live").nth(0).get_attribute("data-ready") is None


BAD = [
    ("position=99999", "position must be a whole number from 0 to 143, got 99999"),
    ("position=[", "position must be a whole number from 0 to 143, got ["),
    ("image=[[1]]", "there is no setting image"),
    ("__proto__=1", "there is no setting __proto__"),
    ("constructor=1", "there is no setting constructor"),
    ("kernel=[[1],[2,3]]", "kernel must be at most 7×7 finite numbers"),
    (
        "kernel=" + json.dumps([[1] * 7] * 7),
        "the kernel reaches over 7 rows, but the padded input has only 5",
    ),
    ("input=" + "9" * 10_000, "the link is too long"),
    ('fill="<img src=x onerror=hit()>"', "fill must be true or false"),
    ("position=3&fill=2", "fill must be true or false, got 2"),
]


@pytest.mark.parametrize(("link", "why"), BAD)
def test_a_bad_link_is_ignored_with_a_word(show, link, why):
    page = show("convolution")
    figure = GridFigure(page)
    first = state(figure)
    page.goto(f"{page.url}#figure=0&{quote(link, safe='=&')}")
    figure.settle()
    assert word(figure).startswith(f"The link leads to nothing that can be shown: {why}")
    assert state(figure) == first
    assert page.locator("img[src=x], .d2l-alert").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_ignores_a_bad_link_and_goes_back_to_a_good_one(show, name):
    page = show(name)
    figure = FigureOnPage(page)
    first = state(figure)
    move_all(figure)
    press(figure, "Link to this state")
    moved, link = state(figure), page.url
    page.goto(f"{link.partition('#')[0]}#figure=0&nothing=1")
    figure.settle()
    assert word(figure) == "The link leads to nothing that can be shown: there is no setting nothing."
    assert state(figure) == moved
    press(figure, "Reset")
    assert (state(figure), word(figure)) == (first, "")
    page.go_back()
    assert state(figure) == moved


def test_addresses_of_sections_and_of_other_figures_change_nothing(show):
    page = show("convolution")
    figure = FigureOnPage(page)
    move_all(figure)
    moved = state(figure)
    for end in ("section-2", "figure=7&position=1", "figure=x", "figure=%E0%A4%A", "figure", ""):
        page.goto(f"{page.url.partition('#')[0]}#{end}")
        assert (state(figure), word(figure)) == (moved, "")


# ---- the whole screen ----


REFUSE = "void (Element.prototype.requestFullscreen = () => Promise.reject(new TypeError('no')))"


def sizes(figure):
    return [figure.place.locator(".d2l-cell").first.bounding_box()["width"], figure.place.bounding_box()]


@pytest.mark.parametrize("allowed", [True, False])
def test_it_fills_the_screen_with_cells_twice_as_large_and_escape_leaves(browser, book, allowed):
    context = browser.new_context(viewport={"width": 1920, "height": 1080})
    page = context.new_page()
    page.goto((book / "book/convolution.html").as_uri())
    if not allowed:
        page.evaluate(REFUSE)
    figure = FigureOnPage(page)
    before, _ = sizes(figure)
    press(figure, "Present")
    leave = figure.place.get_by_role("button", name="Leave", exact=True)
    expect(leave).to_be_focused()
    page.wait_for_timeout(500)
    cell, box = sizes(figure)
    assert cell / before == pytest.approx(2, abs=0.21)
    assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 1920, 1080)
    assert figure.place.evaluate("one => one.scrollWidth - one.clientWidth") == 0
    for part in ("output", "input"):
        grid = figure.place.locator(f".d2l-grid.d2l-{part}").bounding_box()
        assert grid["y"] + grid["height"] < 1080
    figure.control("Output cell").press("ArrowRight")
    assert figure.control("Output cell").input_value() == "1"
    if allowed:
        page.evaluate("document.exitFullscreen()")  # as Escape does; a headless browser has no such key
    else:
        page.keyboard.press("Escape")
    expect(figure.place.get_by_role("button", name="Present", exact=True)).to_be_focused()
    page.wait_for_timeout(100)
    assert sizes(figure)[0] == before
    context.close()


@pytest.mark.parametrize("name", PAGES)
def test_every_figure_fits_a_projector(show, name):
    page = show(name)
    page.bring_to_front()  # another tab was on the whole screen
    figure = FigureOnPage(page)
    page.set_viewport_size({"width": 1920, "height": 1080})
    page.evaluate(REFUSE)
    press(figure, "Present")
    page.wait_for_timeout(600)
    assert figure.place.evaluate("one => one.scrollWidth <= one.clientWidth")
    assert float(figure.place.evaluate("one => one.style.getPropertyValue('--zoom')")) >= 1.6
    page.keyboard.press("Escape")


# ---- the same in PyTorch ----


def run_lines(figure):
    """Run the lines of a figure; return what they leave and what they print."""
    press(figure, "As PyTorch")
    dialog = figure.place.get_by_role("dialog", name="The state in PyTorch")
    text = dialog.locator("pre").text_content()
    expect(dialog.get_by_role("status")).to_have_text(re.compile("copied|copy it", re.IGNORECASE))
    assert figure.page.evaluate("getSelection().toString().trim()") == text.strip()
    figure.page.keyboard.press("Escape")
    assert not dialog.is_visible()
    left, said = {}, io.StringIO()
    with contextlib.redirect_stdout(said), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Using padding='same' with even kernel")
        exec(text, left)
    return left, said.getvalue()


@pytest.mark.parametrize("name", ["convolution", "pooling"])
def test_lines_of_grids_compute_the_output(show, name):
    page = show(name)
    for number in range(2):
        figure = GridFigure(page, number)
        for _ in range(2):
            left, _ = run_lines(figure)
            assert torch.allclose(left["Y"], torch.tensor(figure.numbers("output")), atol=0.006)
            move_all(figure)
            figure.settle()


def test_lines_of_padding_compute_the_size(show):
    page = show("padding")
    for figure in figures_on(page):
        for mode in ("in numbers", "SAME", "FULL"):
            figure.control("Padding").select_option(mode)
            figure.settle()
            said = run_lines(figure)[1]
            rows = figure.place.locator(".d2l-grid.d2l-output [role=row]")
            assert said == f"({rows.count()}, {rows.first.locator('[role=gridcell]').count()})\n"


def test_lines_of_channels_compute_all_outputs(show):
    figure = FigureOnPage(show("channels"))
    for name, value in (("Output channels", 4), ("Groups", 2), ("Kernel size", 3)):
        figure.slide(name, value)
    left, _ = run_lines(figure)
    view = explorers()["channels"][0].view
    view.out_channels, view.groups, view.kernel_size = 4, 2, 3
    assert torch.equal(left["Y"], view.output())


def test_lines_of_a_receptive_field_count_the_paths(show):
    figure = FigureOnPage(show("receptive_field"), 1)
    left, _ = run_lines(figure)
    shares = 100 * left["X"].grad[0, 0] / left["X"].grad.sum()
    shown = figure.place.locator(".d2l-share").all_text_contents()
    assert [round(float(share)) for share in shares if share] == [int(text) for text in shown if int(text)]


def test_lines_of_costs_count_them(show):
    page = show("cost")
    exact = "tr:not(.d2l-step) .d2l-exact"
    said = run_lines(FigureOnPage(page, 0))[1]
    shown = page.locator(".d2l-live").nth(0).locator(f"tbody {exact}").all_text_contents()
    assert re.findall(r"\d+(?= \d+$| *$)|(?<= )\d+", said) == [text.replace(",", "") for text in shown]
    totals = page.locator(".d2l-live").nth(2).locator("tfoot .d2l-exact")
    said = run_lines(FigureOnPage(page, 2))[1]
    for text in totals.all_text_contents():
        assert text in said


def test_lines_of_a_network_give_its_shapes(show):
    for figure in figures_on(show("feature_maps")):
        figure.control("Layer").press("End")
        figure.settle()
        left, _ = run_lines(figure)
        shape = "×".join(map(str, left["maps"].shape))
        assert figure.place.locator("[aria-current=step]").text_content().endswith(f" {shape}")


def test_lines_of_a_training_give_the_losses_of_the_table(show):
    figure = FigureOnPage(show("training"))
    for name, choice in (("Activation", "tanh"), ("Batch size", "256"), ("Weight decay", "0.01")):
        figure.control(name).select_option(choice)
    figure.control("Shifts").check()
    press(figure, "One epoch")
    cells = figure.place.locator(".d2l-epochs tbody td")
    expect(cells).to_have_count(4, timeout=60_000)
    shown = cells.all_text_contents()
    assert run_lines(figure)[1].split() == [shown[0], shown[2]]
