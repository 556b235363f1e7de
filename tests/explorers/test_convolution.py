"""convolution_explorer on a page without a kernel, driven by keyboard and pointer in a real browser."""

import itertools

import pytest
import torch
from playwright.sync_api import expect
from tests.explorers.widgets_book import GridFigure
from torch.nn import functional as F

from d2lconv.ops import corr2d


class Explorer(GridFigure):
    """The figure with some number on a page."""

    def button(self, name):
        return self.place.get_by_role("button", name=name, exact=True)

    def is_right(self):
        """Tell whether the output is what PyTorch computes from the numbers shown."""
        X, K = (torch.tensor(self.numbers(grid)) for grid in ("input", "kernel"))
        return torch.allclose(torch.tensor(self.numbers("output")), corr2d(X, K), atol=0.006)

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)

    def focused(self):
        return self.page.evaluate("document.activeElement.dataset.cell")

    def is_chosen(self, index):
        return self.control("Kernel").evaluate("list => list.selectedIndex") == index


@pytest.fixture
def explorer(show):
    return Explorer(show("convolution"))


def test_figures_stand_and_each_changes_alone(explorer):
    second = Explorer(explorer.page, 1)
    assert explorer.numbers("output") == [[10, 12, 12], [18, 16, 16], [13, 9, 3]]
    assert explorer.formula() == "1·1 + 2·2 + 0·1 + 0·0 + 1·1 + 2·0 + 1·2 + 2·1 + 1·0 = 10"
    assert second.numbers("output") == [[19, 25], [37, 43]]
    assert second.formula() == "4·0 + 5·1 + 7·2 + 8·3 = 43"
    second.control("Kernel").select_option("identity")
    assert second.numbers("output") == [[4]]
    assert explorer.numbers("output")[0] == [10, 12, 12]


def test_a_figure_far_down_waits(show):
    page = show("convolution")
    Explorer(page, 1)
    assert page.locator(".d2l-live").nth(2).get_attribute("data-ready") is None
    assert Explorer(page, 2).is_right()


# ---- controls ----


def test_slider_by_keyboard_and_pointer(explorer):
    slider = explorer.control("Output cell")
    slider.press("ArrowRight")
    assert explorer.marked("output") == [(0, 1)]
    assert explorer.formula().endswith("= 12")
    assert slider.get_attribute("aria-valuetext") == "1, row 0, column 1: output 12"
    slider.press("End")
    assert explorer.marked("input") == [(r, c) for r in (2, 3, 4) for c in (2, 3, 4)]
    slider.press("Home")
    box = slider.bounding_box()
    explorer.page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert explorer.marked("output") == [(2, 2)]


def test_every_kernel_by_keyboard_and_its_feature_map(explorer):
    kernels = explorer.control("Kernel")
    feature_map = explorer.place.get_by_role("img", name="Its feature map")
    assert feature_map.get_attribute("aria-label").startswith("Its feature map, 26 by 26, from 0 to ")
    names = kernels.locator("option").all_text_contents()
    assert len(names) == 7
    for name in names[1:]:
        kernels.focus()
        kernels.press("ArrowDown")
        assert kernels.evaluate("list => list.selectedOptions[0].text") == name
        assert explorer.is_right()
        if name == "Sobel, horizontal edges":
            assert "from −" in feature_map.get_attribute("aria-label")
    kernels.select_option(index=0)
    assert explorer.numbers("kernel") == [[1, 2, 1], [0, 1, 0], [2, 1, 0]]


def test_digit_as_input(explorer):
    slider = explorer.control("Output cell")
    slider.press("End")
    explorer.control("Input").select_option("a digit")
    explorer.control("Kernel").select_option("Sobel, vertical edges")
    assert len(explorer.numbers("output")) == 6
    assert explorer.is_right()
    assert slider.get_attribute("max") == "35"
    slider.press("End")
    assert explorer.marked("output") == [(5, 5)]
    explorer.control("Input").select_option(index=0)
    assert slider.get_attribute("max") == "8"
    assert explorer.marked("output") == [(2, 2)]


def test_filling_and_stepping(explorer):
    box = explorer.control("Fill up to this cell")
    box.press("Space")
    assert explorer.numbers("output") == [[10, None, None], [None] * 3, [None] * 3]
    assert explorer.cell("output", 1, 0).get_attribute("aria-label") == "row 1, column 0: not computed yet"
    box.press("Space")
    assert explorer.is_right()
    explorer.button("Step").click()
    explorer.button("Step").press("Enter")
    assert explorer.marked("output") == [(0, 2)]
    explorer.button("Back").press("Space")
    assert explorer.marked("output") == [(0, 1)]
    assert explorer.control("Output cell").input_value() == "1"


def test_it_plays_only_when_told_and_pauses(browser, book):
    context = browser.new_context()
    page = context.new_page()
    page.clock.install()  # for good, so not in the tab that tests share
    page.goto((book / "book/convolution.html").as_uri())
    page.clock.resume()
    explorer = Explorer(page)
    slider = explorer.control("Output cell")
    page.clock.pause_at(page.evaluate("Date.now() + 100"))
    page.clock.run_for(2000)
    assert slider.input_value() == "0"
    explorer.control("Seconds per step").press("Home")  # 0.2 s
    explorer.button("Play").press("Enter")
    page.clock.run_for(900)
    explorer.button("Pause").press("Enter")
    assert slider.input_value() == "4"
    page.clock.run_for(500)
    assert slider.input_value() == "4"
    explorer.button("Play").click()
    page.clock.run_for(2500)
    assert slider.input_value() == "8"
    assert explorer.button("Play").is_visible()
    assert explorer.is_right()
    context.close()


def test_stride_padding_and_dilation_give_what_pytorch_gives(show):
    explorer = Explorer(show("convolution"), 3)
    X, K = (torch.tensor(explorer.numbers(grid)) for grid in ("input", "kernel"))
    for s, p, d in itertools.product((1, 2, 3), (0, 1, 2), (1, 2, 3)):
        for name, value in (("Stride", s), ("Padding", p), ("Dilation", d)):
            explorer.slide(name, value)
        explorer.settle()
        refused = "".join(explorer.place.locator(".d2l-alert").all_text_contents())
        if d * 2 + 1 > 5 + 2 * p:
            rule = f"the kernel reaches over {2 * d + 1} rows, but the padded input has only {5 + 2 * p}"
            assert refused.startswith(f"Not possible: {rule}; ")
            continue
        assert refused == ""
        Y = F.conv2d(X[None, None], K[None, None], stride=s, padding=p, dilation=d)[0, 0]
        assert torch.equal(torch.tensor(explorer.numbers("output")), Y)
        assert torch.equal(torch.tensor(explorer.numbers("input")), F.pad(X, (p, p, p, p)))
        explorer.control("Output cell").press("End")
        row, column = (size - 1 for size in Y.shape)
        assert explorer.marked("output") == [(row, column)]
        window = [(row * s + u * d, column * s + v * d) for u in range(3) for v in range(3)]
        assert explorer.marked("input") == window
        assert explorer.formula().endswith(f" = {Y[row, column]:.0f}")
    explorer.slide("Padding", 1)
    explorer.slide("Dilation", 1)
    assert not explorer.cell("input", 0, 0).is_editable()  # a zero of the padding
    explorer.cell("input", 1, 1).fill("7")
    assert explorer.numbers("input")[1][1] == 7
    explorer.cell("input", 0, 0).hover()
    assert (
        explorer.place.locator(".d2l-note").first.text_content().startswith("This zero feeds 1 output cell.")
    )
    assert explorer.place.get_by_role("img").count() == 0


# ---- grids ----


def test_numbers_are_edited_live_and_what_is_no_number_is_marked_and_explained(explorer):
    for grid in ("input", "kernel"):
        explorer.cell(grid, 1, 2).click()
        for key, value in (("-", None), ("2", -2), (",", -2), ("5", -2.5)):
            explorer.page.keyboard.type(key)
            if value is not None:
                assert explorer.place.locator(".d2l-formula").text_content().count(f"(−{-value})")
        assert explorer.cell(grid, 1, 2).input_value() == "-2,5"
        explorer.press("Enter", "Tab")
        assert explorer.numbers(grid)[1][2] == -2.5
        assert explorer.is_right()
    cell, alert = (
        explorer.cell("input", 0, 0),
        explorer.place.locator(".d2l-complaint[role=alert]:not([hidden])"),
    )
    for text, what in (("<b>", "“<b>” is not"), ("", "An empty cell is not"), ("1e9", "“1e9” is not")):
        cell.fill(text)
        assert alert.text_content() == f"{what} a number from −999,999 to 999,999; the figure still uses 1."
        explorer.press("Enter", "Tab")
        assert (cell.input_value(), cell.get_attribute("aria-invalid")) == (text, "true")
        assert explorer.formula().startswith("1·1 + ")
        cell.press("Escape")
        assert (cell.input_value(), cell.get_attribute("aria-invalid")) == ("1", "false")
        assert alert.count() == 0
    cell.fill("x")
    explorer.control("Input").select_option("a digit")
    assert alert.count() == 0
    explorer.control("Input").select_option(index=0)
    assert cell.input_value() == "1"


def test_long_numbers_fit_their_cells(explorer):
    for text, shown in (
        ("999999", "1M"),
        ("-12345.68", "−12k"),
        ("-12.346", "−12.3"),
        ("1234.56", "1235"),
        ("-0.25", "−0.25"),
    ):
        cell = explorer.cell("input", 0, 0)
        cell.fill(text)
        explorer.cell("kernel", 0, 0).focus()
        assert cell.input_value() == shown
        inner = "cell => [cell.scrollWidth, cell.clientWidth]"
        for part in (cell, explorer.cell("output", 0, 0)):
            needed, there = part.evaluate(inner)
            assert needed <= there, text
        cell.focus()  # then the whole number can be read
        assert float(cell.input_value().replace("−", "-")) == pytest.approx(float(text), abs=0.005)
    assert explorer.cell("output", 0, 0).get_attribute("aria-label") == "row 0, column 0: 8.75"


def test_typing_is_not_disturbed_by_the_pointer(explorer):
    field = explorer.cell("input", 0, 0)
    field.focus()
    explorer.page.keyboard.type("12")
    explorer.cell("output", 2, 2).hover()
    explorer.settle()
    assert field.input_value() == "12"
    assert explorer.numbers("input")[0][0] == 12
    assert explorer.is_right()


def test_edited_preset_is_the_readers_own(explorer):
    kernels = explorer.control("Kernel")
    kernels.select_option("blur")
    explorer.cell("kernel", 0, 0).fill("7")
    assert explorer.is_chosen(0)
    kernels.select_option("blur")
    assert explorer.numbers("kernel")[0][0] == 0
    kernels.select_option(index=0)
    assert explorer.numbers("kernel")[0][0] == 7


def test_arrow_keys_walk_and_tab_leaves(explorer):
    slider = explorer.control("Output cell")
    explorer.cell("output", 0, 0).focus()
    explorer.press("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight")
    assert explorer.marked("output") == [(1, 2)]
    assert explorer.focused() == "1,2"
    explorer.press("Home")
    assert explorer.marked("output", "pinned") == [(1, 0)]
    assert explorer.place.locator(".d2l-grid [tabindex='0']").count() == 3
    assert explorer.page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    # Tab leads to the figure's cell, and changes nothing.
    explorer.slide("Output cell", 5)
    explorer.cell("kernel", 2, 2).click()
    explorer.press("Tab")
    assert (explorer.focused(), slider.input_value()) == ("1,2", "5")
    explorer.press("ArrowLeft")
    assert (explorer.focused(), slider.input_value()) == ("1,1", "4")
    slider.press("ArrowLeft")
    explorer.cell("kernel", 2, 2).click()
    explorer.press("Tab")
    assert (explorer.focused(), slider.input_value()) == ("1,0", "3")


def test_pointing_shows_a_window_or_what_an_input_feeds_until_it_is_left(explorer):
    explorer.cell("output", 2, 1).hover()
    assert explorer.marked("input") == [(r, c) for r in (2, 3, 4) for c in (1, 2, 3)]
    assert explorer.formula().endswith("= 9")
    explorer.leave()
    assert explorer.formula().endswith("= 10")
    explorer.cell("output", 2, 1).click()
    explorer.leave()
    assert explorer.formula().endswith("= 9")
    note = explorer.place.locator(".d2l-note")
    for cell, count in [((0, 0), 1), ((2, 2), 9), ((0, 2), 3)]:
        for how in ("hover", "focus"):
            getattr(explorer.cell("input", *cell), how)()
            assert len(explorer.marked("output", "fed")) == count
            assert f"feeds {count} output cell" in note.text_content()


def test_a_weight_its_cell_and_their_product_light_up_together(explorer):
    lit = lambda: explorer.place.locator(".d2l-product.d2l-lit").all_text_contents()  # noqa: E731
    explorer.slide("Output cell", 4)
    explorer.cell("kernel", 0, 1).hover()
    assert (explorer.marked("input", "lit"), explorer.marked("kernel", "lit")) == ([(1, 2)], [(0, 1)])
    assert lit() == ["2·2"]
    note = explorer.place.locator(".d2l-note").first
    assert note.text_content().startswith("Weight row 0, column 1 lies on input row 1, column 2: 2 · 2.")
    explorer.leave()
    assert lit() == []
    explorer.cell("kernel", 2, 0).focus()
    assert (explorer.marked("input", "lit"), lit()) == ([(3, 1)], ["2·2"])
    explorer.cell("input", 3, 3).hover()
    assert (explorer.marked("kernel", "lit"), lit()) == ([(2, 2)], ["1·0"])
    explorer.place.locator(".d2l-product").nth(5).hover()
    assert (explorer.marked("input", "lit"), explorer.marked("kernel", "lit")) == ([(2, 3)], [(1, 2)])
    explorer.cell("input", 0, 0).hover()  # in another window
    assert lit() == []


def test_the_window_slides_unless_motion_is_unwelcome(explorer):
    window = explorer.place.locator(".d2l-slider:visible")
    box = window.bounding_box()
    explorer.slide("Output cell", 4)
    duration = "element => getComputedStyle(element).transitionDuration"
    assert window.evaluate(duration) != "0s"
    window.evaluate("async (one) => Promise.all(one.getAnimations().map(({ finished }) => finished))")
    cell = explorer.cell("input", 0, 0).bounding_box()
    after = window.bounding_box()
    assert after["x"] - box["x"] == pytest.approx(cell["width"], abs=2)
    assert after["y"] - box["y"] == pytest.approx(cell["height"], abs=2)
    explorer.page.emulate_media(reduced_motion="reduce")
    assert window.evaluate(duration) == "0s"
    explorer.page.emulate_media(reduced_motion="no-preference")


def test_it_speaks(explorer):
    explorer.control("Output cell").press("ArrowRight")
    assert explorer.spoken("Output cell") == "row 0, column 1: output 12"
    assert explorer.is_silent()
    explorer.cell("output", 1, 1).focus()
    explorer.press("ArrowRight")
    explorer.says("row 1, column 2: output 16")
    explorer.control("Kernel").focus()
    explorer.press("ArrowDown")
    explorer.says("row 1, column 2: output 0")  # a list says its choice, not what that leads to


def test_by_touch_on_a_phone(phone):
    page = phone("convolution")
    explorer = Explorer(page)
    explorer.cell("output", 1, 1).tap()
    assert explorer.marked("output") == [(1, 1)]
    explorer.button("Step").tap()
    assert explorer.marked("output", "pinned") == [(1, 2)]
    explorer.cell("input", 4, 4).tap()
    assert explorer.marked("output", "fed") == [(2, 2)]
    explorer.control("Input").select_option("a digit")
    expect(explorer.place.locator(".d2l-dense")).to_be_visible()
    assert explorer.cell("input", 0, 0).bounding_box()["width"] >= 24
