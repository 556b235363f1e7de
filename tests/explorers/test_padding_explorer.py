"""padding_explorer on a page without a kernel: every control, the numbers it leads to, and what is said."""

import random
import re
from functools import partial

import pytest
from tests.explorers.test_widgets import AXE, Explorer
from tests.explorers.widgets_book import chapter, site_of, spoiled

from d2lconv.shapes import conv_output_size, padding_for

FIGURES = (
    "padding_explorer(8, 3, stride=2, padding=1)",
    "padding_explorer((4, 7), (2, 3), padding='same')",
    "padding_explorer(10, 5, padding='full', dilation=3)",
)
NAMES = ("Input", "Kernel", "Padding", "Stride", "Dilation")


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    notebook = chapter(*FIGURES)
    notebook.cells[1].source = "from d2lconv.widgets.padding import padding_explorer"
    return site_of(tmp_path_factory.mktemp("padding"), "figures", notebook)


def outcome(size, kernel, rest):
    """Return the output size, or why there is none."""
    try:
        return conv_output_size(size, kernel, **rest)
    except ValueError as error:
        return str(error)


class Places(Explorer):
    """A padding_explorer on a page."""

    def value(self, name):
        return int(self.control(name).input_value())

    def put(self, name, value):
        """Move a slider with the keyboard."""
        slider = self.control(name)
        step = value - self.value(name)
        for _ in range(abs(step)):
            slider.press("ArrowRight" if step > 0 else "ArrowLeft")
        assert self.value(name) == value

    def settings(self):
        pairs = [tuple(self.value(f"{name} {axis}") for axis in ("height", "width")) for name in NAMES]
        mode = self.control("Padding").evaluate("list => list.selectedOptions[0].text").lower()
        size, kernel, padding, stride, dilation = pairs
        padding = padding if mode == "in numbers" else mode
        return size, kernel, {"padding": padding, "stride": stride, "dilation": dilation}

    def count(self, grid):
        """Return height and width of a grid."""
        rows = self.place.locator(f".d2l-grid.d2l-{grid} [role=row]")
        sizes = rows.evaluate_all("rows => rows.map(row => row.children.length)")
        assert len(set(sizes)) == 1
        return len(sizes), sizes[0]

    def note(self):
        self.page.wait_for_timeout(60)
        return self.place.locator(".d2l-note").first.text_content()

    def check(self):
        """Compare all that is shown with d2lconv.shapes, and the counts with counting."""
        self.page.wait_for_timeout(40)
        size, kernel, rest = self.settings()
        zeros = rest["padding"]
        if isinstance(zeros, str):
            zeros = padding_for(zeros, kernel, dilation=rest["dilation"])
        top, bottom, left, right = zeros if len(zeros) == 4 else (zeros[0], zeros[0], zeros[1], zeros[1])
        padded = (top + size[0] + bottom, left + size[1] + right)
        assert self.count("input") == padded
        assert len(self.marked("input", "around")) == padded[0] * padded[1] - size[0] * size[1]
        out = outcome(size, kernel, rest)
        if isinstance(out, str):
            message = self.place.locator(".d2l-formula .d2l-problem").text_content()
            assert message.startswith(f"No output: {out}"[:60])
            assert not self.place.locator(".d2l-grid.d2l-output").is_visible()
            assert self.place.locator(".d2l-frame:visible").count() == 0
            return
        assert self.count("output") == out
        uses = [
            [
                sum(
                    i * rest["stride"][axis] + u * rest["dilation"][axis] == cell
                    for i in range(out[axis])
                    for u in range(kernel[axis])
                )
                for cell in range(padded[axis])
            ]
            for axis in (0, 1)
        ]
        rows = self.place.locator(".d2l-grid.d2l-input [role=row]")
        shown = rows.evaluate_all("rows => rows.map(row => [...row.children].map(cell => cell.textContent))")
        assert shown == [[str(a * b) if a * b else "×" for b in uses[1]] for a in uses[0]]
        assert len(self.marked("input", "dropped")) == sum(row.count("×") for row in shown)
        lines = self.place.locator(".d2l-line").all_text_contents()[1:]
        for axis, (line, before, after) in enumerate(zip(lines, (top, left), (bottom, right), strict=True)):
            n, k, s, d = size[axis], kernel[axis], rest["stride"][axis], rest["dilation"][axis]
            name = ("Height", "Width")[axis]
            start = f"{name}⌊({n} + {before} + {after} − {d}·({k} − 1) − 1) / {s}⌋ + 1 = "
            assert line == f"{start}⌊{before + n + after - d * (k - 1) - 1} / {s}⌋ + 1 = {out[axis]}"
        self.check_frames(kernel, rest, out)

    def check_frames(self, kernel, rest, out):
        """Compare the two frames with the cells that they should surround."""
        for index, last in enumerate((False, True)):
            frame = self.place.locator(".d2l-frame").nth(index).bounding_box()
            first = [(m - 1) * s * last for m, s in zip(out, rest["stride"], strict=True)]
            reach = [d * (k - 1) for k, d in zip(kernel, rest["dilation"], strict=True)]
            begin = self.cell_box(*first)
            end = self.cell_box(*(a + b for a, b in zip(first, reach, strict=True)))
            assert abs(frame["x"] - begin["x"]) < 3
            assert abs(frame["y"] - begin["y"]) < 3
            assert abs(frame["x"] + frame["width"] - end["x"] - end["width"]) < 3
            assert abs(frame["y"] + frame["height"] - end["y"] - end["height"]) < 3

    def cell_box(self, row, column):
        return self.place.locator(f".d2l-grid.d2l-input [data-cell='{row},{column}']").bounding_box()


@pytest.mark.parametrize("how", ["http", "file"])
def test_figures_stand_without_a_kernel(visit, serve, book, how):
    start = serve(book) if how == "http" else book.as_uri()
    page, problems = visit(f"{start}/book/figures.html")
    for number in range(3):
        Places(page, number).check()
    first, second = Places(page), Places(page, 1)
    assert first.note().startswith("Output 4 by 4, 1 row and 1 column in no window. 7 is no multiple of 2:")
    assert second.note().endswith("SAME puts one more zero at the bottom.")
    assert problems == []


def test_many_settings_by_keyboard(visit, book):
    page, problems = visit((book / "book/figures.html").as_uri())
    places = Places(page)
    places.control("Width as height").press("Space")
    choose = random.Random(1)
    limits = {"Input": (1, 7), "Kernel": (1, 5), "Padding": (0, 2), "Stride": (1, 4), "Dilation": (1, 3)}
    for _ in range(15):
        for name in choose.sample(NAMES, 2):
            places.put(f"{name} {choose.choice(['height', 'width'])}", choose.randint(*limits[name]))
        places.check()
    for name in NAMES:
        for axis, key in (("height", "Home"), ("width", "End")):
            places.control(f"{name} {axis}").press(key)
        places.check()
    assert problems == []


def test_modes_width_and_what_cannot_be(visit, book):
    page, problems = visit((book / "book/figures.html").as_uri())
    places = Places(page)
    mode = places.control("Padding")
    mode.focus()
    mode.press("ArrowDown")
    assert places.settings()[2]["padding"] == "valid"
    assert places.value("Padding height") == 0
    places.check()

    mode.select_option("SAME")  # with stride 2
    places.check()
    message = places.place.locator(".d2l-formula .d2l-problem").text_content()
    assert "padding='same' needs stride 1, got stride 2" in message
    slider = places.control("Stride height")
    assert slider.get_attribute("aria-valuetext").startswith("2, no output: padding='same' needs")
    slider.press("ArrowLeft")
    assert places.value("Stride width") == 1  # as the height
    assert slider.get_attribute("aria-valuetext") == "1, output 8 by 8, every cell is in a window"
    places.check()
    places.put("Kernel width", 5)  # which moves the height, and the zeros with it
    assert (places.value("Kernel height"), places.value("Padding height")) == (5, 2)
    places.check()
    places.put("Padding height", 1)  # which ends the mode
    assert places.settings()[2]["padding"] == (1, 1)
    places.check()

    box = places.control("Dilation width").bounding_box()
    page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert places.value("Dilation height") == 3
    places.check()
    assert "13 > 1 + 8 + 1" in places.place.locator(".d2l-formula .d2l-problem").text_content()
    mode.select_option("FULL")
    assert places.value("Padding width") == 12
    places.check()

    places.control("Width as height").click()
    places.put("Kernel height", 2)
    assert (places.value("Kernel width"), places.value("Padding height")) == (5, 3)
    places.check()
    places.control("Width as height").click()
    assert (places.value("Kernel width"), places.value("Padding width")) == (2, 3)
    places.check()
    assert problems == []


def test_cells_are_pointed_at_walked_and_spoken(visit, book):
    page, problems = visit((book / "book/figures.html").as_uri())
    places = Places(page)
    assert places.marked("input") == []
    places.cell("output", 1, 2).hover()
    assert places.marked("input") == [(r, c) for r in (2, 3, 4) for c in (4, 5, 6)]
    assert places.note() == "Output row 2, column 3: window over rows 3, 4, 5 and columns 5, 6, 7."
    page.mouse.move(0, 0)
    assert places.marked("input") == []
    input_cell = places.place.locator(".d2l-grid.d2l-input [data-cell='2,2']")
    input_cell.hover()
    assert places.marked("output", "fed") == [(r, c) for r in (0, 1) for c in (0, 1)]
    assert places.note() == "Row 3, column 3 of the padded input: in 4 windows."
    assert input_cell.get_attribute("aria-label") == "row 3, column 3: input, in 4 windows"
    corner = places.place.locator(".d2l-grid.d2l-input [data-cell='9,9']")
    assert corner.get_attribute("aria-label") == "row 10, column 10: zero, no window reaches it"

    said = places.place.locator("[aria-live=polite]")
    assert said.count() == 1
    assert said.text_content() == ""
    page.mouse.move(0, 0)
    places.cell("output", 0, 0).focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_timeout(300)
    assert places.marked("input") == [(r, c) for r in (0, 1, 2) for c in (2, 3, 4)]
    assert said.text_content() == "output row 1, column 2: window over rows 1, 2, 3 and columns 3, 4, 5"
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert page.evaluate(outline) == "3px"
    assert problems == []


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (360, "dark")])
def test_accessible_and_never_too_wide(visit, book, width, scheme):
    page, problems = visit((book / "book/figures.html").as_uri(), width=width, scheme=scheme)
    figures = [Places(page, number) for number in range(3)]
    figures[0].control("Padding").select_option("SAME")  # impossible
    figures[1].cell("output", 1, 1).focus()
    page.wait_for_timeout(100)
    assert page.evaluate("document.documentElement.scrollWidth") == width
    right = (
        "figure => Math.max(...[...figure.querySelectorAll('*')].map(x => x.getBoundingClientRect().right))"
    )
    assert all(places.place.evaluate(right) <= width for places in figures)
    page.evaluate(AXE.read_text(encoding="utf-8"))
    found = page.evaluate("axe.run('.d2l-live', {preload: false}).then(done => done.violations)")
    assert [(rule["id"], [node["html"] for node in rule["nodes"]][:3]) for rule in found] == []
    assert problems == []


def test_saved_numbers_that_cannot_be_do_not_break_it(visit, book):
    with spoiled(book, "book/figures", partial(re.sub, r'"kernel_h": \d', '"kernel_h": 0')) as address:
        page, _ = visit(address)
        place = page.locator(".d2l-live").first
        place.scroll_into_view_if_needed()
        assert "kernel_size must be at least 1, got 0" in place.get_by_role("alert").text_content()
        assert place.get_by_role("img").first.is_visible()
