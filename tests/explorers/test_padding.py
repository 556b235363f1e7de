"""padding_explorer on a page without a kernel: every control, the numbers it leads to, and what is said."""

import random

import pytest
from tests.explorers.widgets_book import GridFigure

from d2lconv.shapes import conv_output_size, padding_for

NAMES = ("Input", "Kernel", "Padding", "Stride", "Dilation")


def outcome(size, kernel, rest):
    """Return the output size, or why there is none."""
    try:
        return conv_output_size(size, kernel, **rest)
    except ValueError as error:
        return str(error)


class Padding(GridFigure):
    """A padding_explorer on a page."""

    def value(self, name):
        return int(self.control(name).input_value())

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

    def refused(self):
        return "".join(self.place.locator(".d2l-alert").all_text_contents())

    def note(self):
        return self.place.locator(".d2l-note").first.text_content()

    def check(self):
        """Compare all that is shown with d2lconv.shapes, and the counts with counting."""
        self.settle()  # the size of the cells follows the width
        size, kernel, rest = self.settings()
        zeros = rest["padding"]
        if isinstance(zeros, str):
            zeros = padding_for(zeros, kernel, dilation=rest["dilation"])
        top, bottom, left, right = zeros if len(zeros) == 4 else (zeros[0], zeros[0], zeros[1], zeros[1])
        padded = (top + size[0] + bottom, left + size[1] + right)
        out = outcome(size, kernel, rest)
        if isinstance(out, str):
            assert self.refused().startswith("Not possible: the kernel reaches over ")
            assert self.place.locator(".d2l-stale").count() == 1
            return
        assert self.refused() == ""
        assert self.count("input") == padded
        assert len(self.marked("input", "around")) == padded[0] * padded[1] - size[0] * size[1]
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


@pytest.fixture
def figures(show):
    page = show("padding")
    return [Padding(page, number) for number in range(3)]


def test_figures_stand(figures):
    for figure in figures:
        figure.check()
    first, second, _ = figures
    assert first.note().startswith("Output 4 by 4, 1 row and 1 column in no window. 7 is no multiple of 2:")
    assert second.note().endswith("SAME puts one more zero at the bottom.")


def test_many_settings_by_keyboard(figures):
    figure, *_ = figures
    figure.control("Width as height").press("Space")
    choose = random.Random(1)
    limits = {"Input": (1, 7), "Kernel": (1, 5), "Padding": (0, 2), "Stride": (1, 4), "Dilation": (1, 3)}
    for _ in range(10):
        for name in choose.sample(NAMES, 2):
            figure.slide(f"{name} {choose.choice(['height', 'width'])}", choose.randint(*limits[name]))
        figure.check()
    for name in NAMES:
        for axis, key in (("height", "Home"), ("width", "End")):
            figure.control(f"{name} {axis}").press(key)
        figure.check()


def test_modes_width_and_what_cannot_be(figures):
    figure, *_ = figures
    mode = figure.control("Padding")
    mode.focus()
    mode.press("ArrowDown")
    assert figure.settings()[2]["padding"] == "valid"
    assert figure.value("Padding height") == 0
    figure.check()

    mode.select_option("SAME")  # which brings stride 1 along
    figure.check()
    slider = figure.control("Stride height")
    assert figure.value("Stride height") == 1
    slider.press("ArrowRight")
    assert figure.refused() == "Not possible: PyTorch has SAME padding only for stride 1. Take stride 1"
    assert slider.get_attribute("aria-valuetext").startswith("2, Not possible: PyTorch has SAME")
    assert figure.count("output") == (8, 8)  # the last picture stays
    figure.place.get_by_role("button", name="Take stride 1").click()
    figure.leave()
    assert figure.value("Stride height") == 1
    figure.check()
    slider.press("ArrowRight")
    slider.press("ArrowLeft")
    assert slider.get_attribute("aria-valuetext") == "1, output 8 by 8, every cell is in a window"
    figure.check()
    figure.slide("Kernel height", 5)  # which moves the width, and the zeros with it
    assert (figure.value("Kernel width"), figure.value("Padding height")) == (5, 2)
    figure.check()
    figure.slide("Padding height", 1)  # which ends the mode
    assert figure.settings()[2]["padding"] == (1, 1)
    figure.check()

    assert not figure.control("Dilation width").is_visible()
    box = figure.control("Dilation height").bounding_box()
    figure.page.mouse.click(box["x"] + box["width"] - 3, box["y"] + box["height"] / 2)
    assert figure.value("Dilation width") == 3
    figure.check()
    rule = "the kernel reaches over 13 rows, but the padded input has only 10"
    assert rule in figure.refused()
    mode.select_option("FULL")
    assert figure.value("Padding width") == 12
    figure.check()

    figure.control("Width as height").click()
    figure.slide("Kernel height", 2)
    assert (figure.value("Kernel width"), figure.value("Padding height")) == (5, 3)
    figure.check()
    figure.control("Width as height").click()
    assert (figure.value("Kernel width"), figure.value("Padding width")) == (2, 3)
    figure.check()


def test_cells_are_pointed_at_walked_and_spoken(figures):
    figure, *_ = figures
    assert figure.marked("input") == []
    figure.cell("output", 1, 2).hover()
    assert figure.marked("input") == [(r, c) for r in (2, 3, 4) for c in (4, 5, 6)]
    assert figure.note() == "Output row 1, column 2: window over rows 2, 3, 4 and columns 4, 5, 6."
    figure.leave()
    assert figure.marked("input") == []
    input_cell = figure.place.locator(".d2l-grid.d2l-input [data-cell='2,2']")
    input_cell.hover()
    assert figure.marked("output", "fed") == [(r, c) for r in (0, 1) for c in (0, 1)]
    assert figure.note() == "Row 2, column 2 of the padded input: in 4 windows."
    assert input_cell.get_attribute("aria-label") == "row 2, column 2: input, in 4 windows"
    corner = figure.place.locator(".d2l-grid.d2l-input [data-cell='9,9']")
    assert corner.get_attribute("aria-label") == "row 9, column 9: zero, no window reaches it"

    assert figure.is_silent()
    figure.leave()
    figure.cell("output", 0, 0).focus()
    figure.page.keyboard.press("ArrowRight")
    assert figure.marked("input") == [(r, c) for r in (0, 1, 2) for c in (2, 3, 4)]
    figure.says("output row 0, column 1: window over rows 0, 1, 2 and columns 2, 3, 4")
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert figure.page.evaluate(outline) == "3px"
