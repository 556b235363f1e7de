"""pooling_explorer on a page without a kernel, driven in a real browser and compared with PyTorch."""

import itertools
import re

import pytest
import torch
from tests.explorers.widgets_book import GridFigure
from torch.nn import functional as F

from d2lconv.shapes import pool_output_size

LABELS = {"window": "Window", "stride": "Stride", "padding": "Padding", "shift": "Shift"}


class Pooling(GridFigure):
    """The figure with some number on a page."""

    def set(self, **settings):
        """Move sliders by the keyboard."""
        for name, value in settings.items():
            self.slide(LABELS[name], value)

    def setting(self, name):
        return int(self.control(LABELS[name]).input_value())

    def average(self):
        return self.control("Pooling").evaluate("list => list.selectedIndex") == 1

    def ceil_mode(self):
        return self.control("Keep last window (ceil_mode)")

    def texts(self, grid):
        """Read the cells of a grid with their classes."""
        read = """grid => [...grid.querySelectorAll('[role=row]')].map(row => [...row.children].map(cell =>
            [cell.firstElementChild ? cell.firstElementChild.value : cell.textContent, cell.className]))"""
        return self.place.locator(f".d2l-grid.d2l-{grid}").evaluate(read)

    def shown_input(self):
        rows = [
            [
                float(text.replace("−", "-"))
                for text, classes in row
                if not {"d2l-padding", "d2l-over"} & set(classes.split())
            ]
            for row in self.texts("input")
        ]
        return torch.tensor([row for row in rows if row])

    def pool(self, X):
        """Pool as PyTorch does, with the settings of the controls."""
        options = {
            "kernel_size": self.setting("window"),
            "stride": self.setting("stride"),
            "padding": self.setting("padding"),
            "ceil_mode": self.ceil_mode().is_checked(),
        }
        return (F.avg_pool2d if self.average() else F.max_pool2d)(X[None], **options)[0]

    def text(self, name):
        return self.place.locator(f".d2l-{name}").text_content()

    def check(self, original):
        """Compare every number and mark with PyTorch."""
        shift = self.setting("shift")
        X = torch.zeros_like(original)
        columns = original.shape[1]
        X[:, max(shift, 0) : columns + min(shift, 0)] = original[:, max(-shift, 0) : columns - max(shift, 0)]
        assert torch.equal(self.shown_input(), X)
        Y, before = self.pool(X), self.pool(original)
        cells = self.texts("output")
        shown = torch.tensor([[float(text.replace("−", "-")) for text, _ in row] for row in cells])
        assert torch.allclose(shown, Y, atol=0.006)
        size = pool_output_size(
            tuple(X.shape),
            self.setting("window"),
            stride=self.setting("stride"),
            padding=self.setting("padding"),
            ceil_mode=self.ceil_mode().is_checked(),
        )
        assert tuple(shown.shape) == size
        changed = ~torch.isclose(Y, before, rtol=1e-6, atol=1e-6)
        marks = [
            [{"d2l-changed", "d2l-stayed"} & set(classes.split()) for _, classes in row] for row in cells
        ]
        expected = [[{"d2l-changed" if one else "d2l-stayed"} for one in row] for row in changed.tolist()]
        assert marks == (expected if shift else [[set()] * shown.shape[1]] * shown.shape[0])
        if shift:
            inputs = int((original != X).sum())
            outputs = f"{int(changed.sum())} of {Y.numel()} outputs changed"
            assert f": {outputs} (≠); {inputs} of {X.numel()} inputs changed (•)." in self.text("counted")
            assert len(self.marked("input", "changed")) == inputs


@pytest.fixture
def figures(show):
    page = show("pooling")
    return Pooling(page), Pooling(page, 1)


def test_controls_by_keyboard_give_what_pytorch_gives(figures):
    first, second = figures
    digit, rows = first.shown_input(), second.shown_input()
    assert digit.shape == (8, 8)
    first.check(digit)
    second.check(rows)
    assert second.formula() == "max(1, 1, 1, 1) = 1"
    assert second.marked("input") == [(r, c) for r in (3, 4, 5) for c in (3, 4, 5)]

    for shift in (1, 2, -1, -2):
        first.set(shift=shift)
        first.check(digit)
    first.control("Pooling").focus()
    first.control("Pooling").press("ArrowDown")
    first.check(digit)
    assert first.formula().startswith("mean(")
    assert rows.tolist() == second.shown_input().tolist()

    second.ceil_mode().press("Space")
    second.check(rows)
    for window, stride, padding, shift in [(2, 1, 1, 0), (3, 2, 1, 1), (5, 4, 2, -1), (1, 1, 0, 2)]:
        second.set(window=window, stride=stride, padding=0)
        second.set(padding=padding, shift=shift)
        for average, _ceil in itertools.product((0, 1), (False, True)):
            second.control("Pooling").select_option(index=average)
            second.ceil_mode().press("Space")
            second.check(rows)


def test_pointer_moves_every_control(figures):
    first, _ = figures
    digit = first.shown_input()
    for name, part in (("Window", 0.3), ("Stride", 0.99), ("Shift", 0.99), ("Padding", 0.5)):
        box = first.control(name).bounding_box()
        first.control(name).click(position={"x": box["width"] * part, "y": box["height"] / 2})
    reached = [first.setting(name) for name in ("window", "stride", "shift", "padding")]
    assert reached in ([3, 4, 2, 1], [4, 4, 2, 1])
    first.ceil_mode().click()
    first.check(digit)


def test_by_touch(phone):
    figure = Pooling(phone("pooling"), 1)
    figure.cell("output", 0, 1).tap()
    assert figure.marked("output", "pinned") == [(0, 1)]
    figure.ceil_mode().tap()
    assert figure.marked("output", "pinned") == [(0, 0)]
    figure.cell("input", 2, 2).tap()
    assert figure.marked("output", "fed") == [(0, 0)]


def test_windows_are_marked_and_written_out(figures):
    first, second = figures
    second.cell("output", 0, 0).hover()
    assert second.formula() == "max(1, 2, 0, 0, 1, 2, 1, 2, 1) = 2"
    assert second.marked("input", "best") == [(0, 1)]
    second.leave()
    assert second.formula() == "max(1, 1, 1, 1) = 1"
    second.cell("output", 0, 1).click()
    second.leave()
    assert second.formula() == "max(3, 1, 3, 1, 0, 0) = 3"
    second.page.keyboard.press("ArrowDown")
    assert second.marked("output", "pinned") == [(1, 1)]
    second.cell("output", 0, 0).focus()

    assert [text for text, _ in second.texts("input")[0]] == ["1", "2", "0", "3", "1", ""]
    assert second.cell("input", 5, 5).get_attribute("aria-label") == "Beyond the end"
    second.set(padding=1)
    assert second.formula() == "max(−∞, −∞, −∞, −∞, 1, 2, −∞, 0, 1) = 2"
    assert [text for text, _ in second.texts("input")[0]] == ["−∞"] * 7
    second.control("Pooling").select_option("average")
    assert second.formula() == "mean(0, 0, 0, 0, 1, 2, 0, 0, 1) ≈ 0.44"
    assert second.cell("input", 0, 0).input_value() == "0"
    assert second.cell("input", 0, 0).get_attribute("aria-label") == "Padding cell"

    first.cell("input", 3, 3).hover()
    assert first.marked("output", "fed") == [(1, 1)]
    assert "Input row 3, column 3 is seen by 1 output cell." in first.text("note")
    first.set(shift=1)
    first.cell("output", 0, 1).focus()
    assert "(before the shift: " in first.text("note") or "(as before the shift)" in first.text("note")
    label = first.cell("output", 0, 1).get_attribute("aria-label")
    assert "changed from" in label or "unchanged" in label


def test_numbers_can_be_edited_also_after_a_shift(figures):
    _, second = figures
    second.set(shift=1, padding=1)
    cell = second.cell("input", 1, 2)  # the input's first number, moved
    cell.fill("9")
    second.set(shift=0, padding=0)
    rows = second.shown_input()
    assert rows[0].tolist() == [9, 2, 0, 3, 1]
    second.check(rows)
    second.set(shift=1, padding=1)
    for cell in ((0, 0), (1, 1)):  # padding, and a zero that has come in
        assert not second.cell("input", *cell).is_editable()
        text = second.cell("input", *cell).input_value()
        for key in ("Enter", "Escape"):
            second.cell("input", *cell).press(key)
            assert second.cell("input", *cell).input_value() == text


def test_impossible_settings_are_explained(figures):
    first, second = figures
    alert = first.place.locator(".d2l-alert")
    assert alert.count() == 0
    first.set(padding=2)
    message = "Not possible: the padding, 2, may be at most half of the window, 2."
    assert first.text("alert") == message
    assert first.place.locator(".d2l-stale .d2l-grid.d2l-output").is_visible()  # the last picture
    assert first.setting("padding") == 2
    assert first.control("Padding").get_attribute("aria-valuetext") == f"2, {message}"
    first.set(padding=0)
    assert first.place.locator(".d2l-grid.d2l-output").is_visible()
    assert first.place.locator(".d2l-stale").count() == alert.count() == 0
    first.set(window=9)
    assert "the window has 9 rows, but the padded input only 8" in first.text("alert")
    first.set(padding=1)
    first.check(first.shown_input())
    second.cell("output", 1, 1).click()
    second.set(window=5)
    second.check(second.shown_input())
    assert second.marked("output", "pinned") == [(0, 0)]


def test_it_speaks(figures):
    _, second = figures
    second.set(shift=1)
    assert second.is_silent()
    spoken = second.spoken("Shift")
    assert spoken.startswith("output 2 by 2; ")
    assert "outputs changed; " in spoken
    assert " of 25 inputs changed; row 1, column 1: " in spoken
    second.cell("output", 1, 1).focus()
    second.page.keyboard.press("ArrowUp")
    second.says(re.compile("row 0, column 1: 3$"))
