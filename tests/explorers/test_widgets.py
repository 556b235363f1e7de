"""The moving figures on a page without a kernel, driven by keyboard and pointer in a real browser."""

from pathlib import Path

import pytest
import torch
from tests.explorers.widgets_book import ALT, FigureOnPage, chapter, site_of, spoiled

from d2lconv.ops import corr2d

AXE = Path(__file__).parents[1] / "site" / "axe" / "axe.min.js"
SMALL = "widgets.convolution_explorer([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]], cell=(1, 1))"


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """Build a book with a chapter of three figures, the last far down."""
    notebook = chapter("widgets.convolution_explorer()", SMALL, "widgets.convolution_explorer(K='blur')")
    notebook.cells[-2].source = "Far down.\n\n" * 150 + "## Section 3"
    return site_of(tmp_path_factory.mktemp("widgets"), "figures", notebook)


class Explorer(FigureOnPage):
    """The figure with some number on a page."""

    def button(self, name):
        return self.place.get_by_role("button", name=name, exact=True)

    def cell(self, grid, row, column):
        cell = self.place.locator(f".d2l-grid.d2l-{grid} [data-cell='{row},{column}']")
        return cell.locator("input") if grid != "output" else cell

    def numbers(self, grid):
        self.page.wait_for_timeout(60)  # a frame
        read = """grid => [...grid.querySelectorAll('[role=row]')].map(row => [...row.children].map(cell =>
            cell.firstElementChild ? cell.firstElementChild.value : cell.textContent))"""
        rows = self.place.locator(f".d2l-grid.d2l-{grid}").evaluate(read)
        return [[float(text.replace("−", "-")) if text else None for text in row] for row in rows]

    def right(self):
        """Tell whether the output is what PyTorch computes from the numbers shown."""
        X, K = (torch.tensor(self.numbers(grid)) for grid in ("input", "kernel"))
        return torch.allclose(torch.tensor(self.numbers("output")), corr2d(X, K), atol=0.006)

    def marked(self, grid, mark="here"):
        self.page.wait_for_timeout(60)
        cells = self.place.locator(f".d2l-grid.d2l-{grid} .d2l-{mark}")
        return [
            tuple(map(int, place.split(",")))
            for place in cells.evaluate_all("cells => cells.map(c => c.dataset.cell)")
        ]

    def formula(self):
        self.page.wait_for_timeout(60)
        return self.place.locator(".d2l-formula").text_content()


@pytest.fixture
def explorer(visit, book):
    page, problems = visit((book / "book/figures.html").as_uri())
    yield Explorer(page)
    assert problems == []


@pytest.mark.parametrize("how", ["http", "file"])
def test_figures_stand_without_a_kernel(visit, serve, book, how):
    start = serve(book) if how == "http" else book.as_uri()
    page, problems = visit(f"{start}/book/figures.html")
    first, second = Explorer(page), Explorer(page, 1)
    assert first.numbers("output") == [[10, 12, 12], [18, 16, 16], [13, 9, 3]]
    assert first.formula() == "1·1 + 2·2 + 0·1 + 0·0 + 1·1 + 2·0 + 1·2 + 2·1 + 1·0 = 10"
    assert second.numbers("output") == [[19, 25], [37, 43]]
    assert second.formula() == "4·0 + 5·1 + 7·2 + 8·3 = 43"
    assert problems == []


def test_pages_without_figures_load_nothing_of_it(book):
    assert "host.js" in (book / "book/figures.html").read_text(encoding="utf-8")
    for page in ("book/index.html", "search.html"):
        text = (book / page).read_text(encoding="utf-8")
        assert not any(name in text for name in ("host.js", "host.css", "_static/figures"))


def test_a_figure_far_down_waits(visit, book):
    page, _ = visit((book / "book/figures.html").as_uri())
    Explorer(page, 1)
    assert page.locator(".d2l-live").nth(2).get_attribute("data-ready") is None
    assert Explorer(page, 2).right()


# ---- controls ----


def test_slider_by_keyboard(explorer):
    slider = explorer.control("Output cell")
    slider.press("ArrowRight")
    assert explorer.marked("output") == [(0, 1)]
    assert explorer.formula().endswith("= 12")
    assert slider.get_attribute("aria-valuetext") == "2, row 1, column 2: output 12"
    slider.press("End")
    assert explorer.marked("input") == [(r, c) for r in (2, 3, 4) for c in (2, 3, 4)]


def test_slider_by_pointer(explorer):
    box = explorer.control("Output cell").bounding_box()
    explorer.page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert explorer.marked("output") == [(2, 2)]


def test_every_kernel_by_keyboard(explorer):
    kernels = explorer.control("Kernel")
    names = kernels.locator("option").all_text_contents()
    assert len(names) == 7
    for name in names[1:]:
        kernels.focus()
        kernels.press("ArrowDown")
        assert kernels.evaluate("list => list.selectedOptions[0].text") == name
        assert explorer.right()
    kernels.select_option(index=0)
    assert explorer.numbers("kernel") == [[1, 2, 1], [0, 1, 0], [2, 1, 0]]


def test_digit_as_input(explorer):
    explorer.control("Output cell").press("End")
    explorer.control("Input").select_option("a digit")
    explorer.control("Kernel").select_option("Sobel, vertical edges")
    assert len(explorer.numbers("output")) == 6
    assert explorer.right()
    assert explorer.control("Output cell").get_attribute("max") == "36"
    explorer.control("Output cell").press("End")
    assert explorer.marked("output") == [(5, 5)]
    explorer.control("Input").select_option(index=0)
    assert explorer.control("Output cell").get_attribute("max") == "9"
    assert explorer.marked("output") == [(2, 2)]


def test_feature_map_follows_the_kernel(explorer):
    feature_map = explorer.place.get_by_role("img", name="Its feature map")
    before = feature_map.get_attribute("aria-label")
    assert before.startswith("Its feature map, 26 by 26, from 0 to ")
    explorer.control("Kernel").select_option("Sobel, horizontal edges")
    explorer.page.wait_for_timeout(60)
    assert "from −" in feature_map.get_attribute("aria-label")


def test_filling_by_keyboard(explorer):
    box = explorer.control("Fill up to this cell")
    box.press("Space")
    assert explorer.numbers("output") == [[10, None, None], [None] * 3, [None] * 3]
    assert explorer.cell("output", 1, 0).get_attribute("aria-label") == "row 2, column 1: not computed yet"
    box.press("Space")
    assert explorer.right()


def test_buttons_step_and_go_back(explorer):
    explorer.button("Step").click()
    explorer.button("Step").press("Enter")
    assert explorer.marked("output") == [(0, 2)]
    explorer.button("Back").press("Space")
    assert explorer.marked("output") == [(0, 1)]
    assert explorer.control("Output cell").input_value() == "2"


def test_it_plays_only_when_told_and_pauses(explorer):
    explorer.page.wait_for_timeout(1000)
    assert explorer.marked("output") == [(0, 0)]
    explorer.control("Seconds per step").press("Home")
    explorer.button("Play").press("Enter")
    explorer.page.wait_for_timeout(900)
    explorer.button("Pause").press("Enter")
    reached = explorer.control("Output cell").input_value()
    assert 3 <= int(reached) <= 6
    explorer.page.wait_for_timeout(500)
    assert explorer.control("Output cell").input_value() == reached
    explorer.button("Play").click()
    explorer.page.wait_for_timeout(2500)
    assert explorer.control("Output cell").input_value() == "9"
    assert explorer.button("Play").is_visible()
    assert explorer.right()


def test_figures_move_by_themselves(explorer):
    other = Explorer(explorer.page, 1)
    other.control("Kernel").select_option("identity")
    assert other.numbers("output") == [[4]]
    assert explorer.numbers("output")[0] == [10, 12, 12]


# ---- grids ----


@pytest.mark.parametrize("grid", ["input", "kernel"])
def test_numbers_can_be_edited(explorer, grid):
    cell = explorer.cell(grid, 1, 2)
    cell.click()
    explorer.page.keyboard.type("-2,5")
    explorer.page.keyboard.press("Enter")
    assert explorer.numbers(grid)[1][2] == -2.5
    assert explorer.right()
    assert "(−2.5)" in explorer.formula()


def test_tab_into_the_output_leads_to_the_figure_s_cell_and_changes_nothing(explorer):
    slider = explorer.control("Output cell")
    for _ in range(5):
        slider.press("ArrowRight")
    assert explorer.marked("output") == [(1, 2)]
    explorer.page.wait_for_timeout(60)
    explorer.cell("kernel", 2, 2).click()
    focused = "document.activeElement.dataset.cell"
    explorer.page.keyboard.press("Tab")
    assert explorer.page.evaluate(focused) == "1,2"
    assert slider.input_value() == "6"
    explorer.page.keyboard.press("ArrowLeft")
    assert explorer.page.evaluate(focused) == "1,1"
    assert slider.input_value() == "5"
    slider.press("ArrowLeft")
    explorer.page.wait_for_timeout(60)
    explorer.cell("kernel", 2, 2).click()
    explorer.page.keyboard.press("Tab")
    assert explorer.page.evaluate(focused) == "1,0"
    assert slider.input_value() == "4"


def test_what_is_no_number_is_taken_back(explorer):
    cell = explorer.cell("input", 0, 0)
    for key in ("Enter", "Tab", "Escape"):
        cell.click()
        explorer.page.keyboard.type("<b>")
        explorer.page.keyboard.press(key)
        assert cell.input_value() == "1"


def test_typing_is_not_disturbed_by_the_pointer(explorer):
    field = explorer.cell("input", 0, 0)
    field.focus()
    explorer.page.keyboard.type("12")
    explorer.cell("output", 2, 2).hover()
    explorer.page.wait_for_timeout(60)
    assert field.input_value() == "12"
    explorer.page.keyboard.press("Enter")
    assert explorer.numbers("input")[0][0] == 12
    assert explorer.right()


def test_edited_preset_is_the_readers_own(explorer):
    explorer.control("Kernel").select_option("blur")
    explorer.cell("kernel", 0, 0).fill("7")
    explorer.page.keyboard.press("Enter")
    assert explorer.control("Kernel").evaluate("list => list.selectedIndex") == 0
    explorer.control("Kernel").select_option("blur")
    assert explorer.numbers("kernel")[0][0] == 0
    explorer.control("Kernel").select_option(index=0)
    assert explorer.numbers("kernel")[0][0] == 7


def test_arrow_keys_walk_and_tab_leaves(explorer):
    explorer.cell("output", 0, 0).focus()
    for key in ("ArrowDown", "ArrowRight", "ArrowRight", "ArrowRight"):
        explorer.page.keyboard.press(key)
    assert explorer.marked("output") == [(1, 2)]
    assert explorer.page.evaluate("document.activeElement.dataset.cell") == "1,2"
    explorer.page.keyboard.press("Home")
    assert explorer.marked("output", "pinned") == [(1, 0)]
    stops = explorer.place.locator(".d2l-grid [tabindex='0']").count()
    assert stops == 3
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert explorer.page.evaluate(outline) == "3px"


def test_hovering_an_output_shows_its_window_until_it_is_left(explorer):
    explorer.cell("output", 2, 1).hover()
    assert explorer.marked("input") == [(r, c) for r in (2, 3, 4) for c in (1, 2, 3)]
    assert explorer.formula().endswith("= 9")
    explorer.page.mouse.move(0, 0)
    assert explorer.formula().endswith("= 10")
    explorer.cell("output", 2, 1).click()
    explorer.page.mouse.move(0, 0)
    assert explorer.formula().endswith("= 9")


@pytest.mark.parametrize(("place", "count"), [((0, 0), 1), ((2, 2), 9), ((0, 2), 3)])
@pytest.mark.parametrize("how", ["hover", "focus"])
def test_an_input_shows_which_outputs_it_feeds(explorer, place, count, how):
    getattr(explorer.cell("input", *place), how)()
    assert len(explorer.marked("output", "fed")) == count
    note = explorer.place.locator(".d2l-note").text_content()
    assert f"feeds {count} output cell" in note


def test_it_speaks(explorer):
    said = explorer.place.locator("[aria-live=polite]")
    assert said.count() == 1
    explorer.control("Output cell").press("ArrowRight")
    explorer.page.wait_for_timeout(300)
    assert said.text_content() == ""  # the slider has said so itself
    explorer.cell("output", 1, 1).focus()
    explorer.page.keyboard.press("ArrowRight")
    explorer.page.wait_for_timeout(300)
    assert said.text_content() == "row 2, column 3: output 16"
    explorer.control("Kernel").focus()
    explorer.page.keyboard.press("ArrowDown")
    explorer.page.wait_for_timeout(300)
    assert (
        said.text_content() == "row 2, column 3: output 0"
    )  # a list says its choice, not what that leads to


# ---- pages ----


def test_by_touch(browser, book):
    context = browser.new_context(has_touch=True, viewport={"width": 360, "height": 800})
    page = context.new_page()
    page.goto((book / "book/figures.html").as_uri())
    explorer = Explorer(page)
    explorer.cell("output", 1, 1).tap()
    assert explorer.marked("output") == [(1, 1)]
    explorer.button("Step").tap()
    assert explorer.marked("output", "pinned") == [(1, 2)]
    explorer.cell("input", 4, 4).tap()
    assert explorer.marked("output", "fed") == [(2, 2)]
    context.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 360])
def test_axe_finds_nothing(visit, book, scheme, width):
    page, problems = visit((book / "book/figures.html").as_uri(), width=width, scheme=scheme)
    for number in range(3):
        Explorer(page, number)
    Explorer(page, 2).control("Input").select_option("a digit")
    Explorer(page, 2).cell("input", 3, 3).focus()
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('.d2l-live', {preload: false}).then(done => done.violations)")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]]) for rule in found] == []
    assert problems == []


def test_a_phone_need_not_scroll_sideways(visit, book):
    page, _ = visit((book / "book/figures.html").as_uri(), width=360)
    explorer = Explorer(page)
    explorer.control("Input").select_option("a digit")
    page.wait_for_timeout(60)
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    ends = "figure => [...figure.querySelectorAll('*')].map(part => part.getBoundingClientRect().right)"
    assert max(explorer.place.evaluate(ends)) <= 360
    assert explorer.cell("input", 0, 0).bounding_box()["width"] >= 24


def test_without_scripts_there_is_a_picture(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    page.goto((book / "book/figures.html").as_uri())
    picture = page.get_by_role("img", name=ALT.format(2))
    assert picture.bounding_box()["width"] > 200
    context.close()


@pytest.mark.parametrize("text", ["Output cell", "sharpen", "own numbers", "Kernel"])
def test_saved_text_never_becomes_markup(visit, book, text):
    markup = "<img src=x onerror=window.hit=1>"
    with spoiled(book, "book/figures", lambda script: script.replace(f'"{text}"', f'"{markup}"')) as address:
        page, problems = visit(address)
        explorer = Explorer(page)
    page.wait_for_timeout(100)
    assert explorer.place.locator("img").count() == 0
    assert page.evaluate("window.hit") is None
    assert problems == []
    assert markup in explorer.place.text_content()


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ('"CheckboxModel"', '"PlayModel"', "no way to draw PlayModel"),
        ("function render(", "function other(", "render is not defined"),
        ("IPY_MODEL_", "IPY_MODEL_0", "its saved state is missing"),
    ],
)
def test_a_figure_that_fails_says_so_and_keeps_its_picture(visit, book, old, new, message):
    with spoiled(book, "book/figures", lambda script: script.replace(old, new)) as address:
        page, _ = visit(address)
        place = page.locator(".d2l-live").first
        place.scroll_into_view_if_needed()
        assert message in place.get_by_role("alert").text_content()
        assert place.get_by_role("img", name=ALT.format(1)).is_visible()


def test_a_figure_without_its_state_says_so_and_the_next_one_asks_again(visit, serve, book):
    page, _ = visit(f"{serve(book)}/book/index.html")
    page.route("**/figures/*.js*", lambda route: route.abort(), times=1)
    page.goto(page.url.replace("index", "figures"))
    place = page.locator(".d2l-live").first
    place.scroll_into_view_if_needed()
    assert "its saved state could not be loaded" in place.get_by_role("alert").text_content()
    assert place.get_by_role("img", name=ALT.format(1)).is_visible()
    assert Explorer(page, 2).right()
