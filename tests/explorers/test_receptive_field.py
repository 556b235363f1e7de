"""The receptive field on a page without a kernel: equal to the package, by keyboard, pointer and touch."""

import random
import re

import pytest
import torch
from tests.explorers.widgets_book import FigureOnPage

from d2lconv.shapes import Layer, conv_output_size, receptive_field


class Explorer(FigureOnPage):
    """The figure with some number on a page."""

    def fill(self, name, value):
        self.control(name).fill(str(value))

    def cell(self, number):
        return self.place.get_by_role("radio", name=f"output cell {number}", exact=True)

    def set_stack(self, layers, size):
        """Move the sliders and type the settings."""
        self.fill("Layers", len(layers))
        self.fill("Input cells", size)
        for number, layer in enumerate(layers, start=1):
            for name in ("kernel size", "stride", "dilation"):
                field = self.control(f"Layer {number} {name}")
                value = str(getattr(layer, name.replace(" ", "_")))
                if field.input_value() != value:
                    field.fill(value)

    def table(self):
        """Return (r, j, n) for the input and each layer."""
        read = """rows => rows.map(row =>
            ['r', 'j', 'n'].map(name => row.querySelector('.d2l-' + name).textContent))"""
        rows = self.place.locator(".d2l-layers tbody tr").evaluate_all(read)
        return [tuple(int(text) if text != "none" else None for text in row) for row in rows]

    def formula(self):
        return self.place.locator(".d2l-formula").text_content()

    def note(self):
        return self.place.locator("p.d2l-note").text_content()

    def chosen(self):
        return [
            int(label.removeprefix("output cell "))
            for label in self.place.locator("[aria-checked=true]").evaluate_all(
                "cells => cells.map(cell => cell.getAttribute('aria-label'))"
            )
        ]

    def bars(self):
        """Return the height of each bar that is drawn, relative to the highest, by its input cell."""
        read = "bars => bars.map(bar => ['x', 'width', 'height'].map(name => Number(bar.getAttribute(name))))"
        found = self.place.locator(".d2l-bar").evaluate_all(read)
        most = max(height for *_, height in found)
        return {round((x - 60) / width): height / most for x, width, height in found}


@pytest.fixture
def explorer(show):
    return Explorer(show("receptive_field"))


def climb(layers, size):
    """Return (r, j, n) for the input and each layer, by the package."""
    rows = [(1, 1, size)]
    for used, layer in enumerate(layers, start=1):
        field = receptive_field(layers[:used])
        below = rows[-1][2]
        try:
            n = below and conv_output_size(
                below, layer.kernel_size, stride=layer.stride, dilation=layer.dilation
            )
        except ValueError:
            n = None
        rows.append((field.size[0], field.stride[0], n))
    return rows


def gradient(layers, size, cell):
    """Return the derivative of an output cell by each input cell, relative to the largest, by PyTorch."""
    X = torch.zeros(1, 1, size, dtype=torch.double, requires_grad=True)
    Y = X
    for k, s, _, d in layers:
        Y = torch.nn.functional.conv1d(Y, torch.ones(1, 1, k).double(), stride=s, dilation=d)
    Y[0, 0, cell].backward()
    found = X.grad[0, 0] / X.grad.max()
    return {i: value for i, value in enumerate(found.tolist()) if value}


def stacks(count, seed):
    """Draw stacks and input sizes; some do not fit."""
    draw = random.Random(seed)
    for _ in range(count):
        depth = draw.randint(1, 6)
        small = draw.random() < 0.7
        kernels, strides, dilations = ((1, 3), (1, 2), (1, 2)) if small else ((1, 7), (1, 4), (1, 8))
        yield (
            [
                Layer(draw.randint(*kernels), draw.randint(*strides), 0, draw.randint(*dilations))
                for _ in range(depth)
            ],
            draw.randint(1, 40) if draw.random() < 0.3 else draw.randint(20, 40),
        )


def test_figures_stand(explorer):
    first, second = explorer, Explorer(explorer.page, 1)
    assert first.table() == [(1, 1, 24), (3, 1, 22), (5, 2, 10), (9, 2, 8)]
    assert first.formula() == "r = 1 + 2·1 + 2·1 + 2·2 = 9"
    assert second.formula() == "r = 1 + 2·1 + 4·1 + 8·1 = 15"
    assert first.note().startswith(
        "Output cell 4 sees 9 input cells, 8 to 16: its field starts at 4·2 = 8. 27 paths lead"
    )


def test_many_stacks_equal_the_package_and_pytorch(explorer):
    fitting = 0
    for layers, size in stacks(10, seed=0):
        explorer.set_stack(layers, size)
        rows = climb(layers, size)
        assert explorer.table() == rows
        terms = [
            f"{layer.dilation * (layer.kernel_size - 1)}·{row[1]}"
            for layer, row in zip(layers, rows, strict=False)
        ]
        assert explorer.formula() == f"r = 1 + {' + '.join(terms)} = {rows[-1][0]}"
        cells = rows[-1][2]
        if cells is None:
            assert re.search(
                r"Layer \d does not fit: its kernel reaches over \d+ cells, but", explorer.note()
            )
            assert explorer.place.get_by_role("radio").count() == 0
            continue
        fitting += 1
        assert explorer.control("Output cell").get_attribute("max") == str(cells - 1)
        for cell in {cells // 2, cells - 1}:
            explorer.fill("Output cell", cell)
            note = explorer.note()
            first = cell * rows[-1][1]
            assert (
                f"to {first + rows[-1][0] - 1}: its field starts at {cell}·{rows[-1][1]} = {first}." in note
            )
            paths = gradient(layers, size, cell)
            assert explorer.bars() == pytest.approx(paths, abs=1e-4)
            assert (f"Only {len(paths)} of them count" in note) == (len(paths) < rows[-1][0])
    assert 3 <= fitting <= 9


def test_sliders_by_keyboard_and_pointer(explorer):
    explorer.control("Layers").press("ArrowRight")
    explorer.control("Input cells").press("ArrowLeft")
    assert explorer.table()[-1] == (13, 2, 6)
    explorer.control("Output cell").press("End")
    spoken = "5, output cell 5 of 0 to 5: sees 13 input cells, 10 to 22"
    assert explorer.chosen() == [5]
    assert explorer.control("Output cell").get_attribute("aria-valuetext") == spoken
    box = explorer.control("Layers").bounding_box()
    explorer.page.mouse.click(box["x"] + 3, box["y"] + box["height"] / 2)
    assert explorer.table() == [(1, 1, 23), (3, 1, 21)]
    explorer.control("Layers").press("End")
    assert len(explorer.table()) == 7
    explorer.fill("Layers", 1)
    explorer.fill("Output cell", 20)
    explorer.fill("Layers", 2)
    assert explorer.table()[2] == (5, 2, 10)  # its stride was kept
    assert explorer.chosen() == [9]
    assert explorer.control("Output cell").input_value() == "9"


def test_settings_by_keyboard(explorer):
    field = explorer.control("Layer 2 dilation")
    field.focus()
    explorer.page.keyboard.press("ArrowUp")
    assert explorer.table()[2] == (7, 2, 9)
    explorer.page.keyboard.press("Shift+Tab")
    explorer.page.keyboard.type("4")  # what was there is selected
    assert explorer.control("Layer 2 stride").input_value() == "4"
    assert explorer.table()[2] == (7, 4, 5)
    explorer.says("output cell 2 of 0 to 2: sees 15 input cells, 8 to 22")


def test_what_cannot_be_is_explained_and_not_clamped(explorer):
    field = explorer.control("Layer 1 kernel size")
    other = explorer.control("Layer 2 stride")
    rule = "Layer 1 kernel size must be a whole number from 1 to 7; the figure still shows 3."
    for text in ("", "0", "8", "-1", "2.5"):
        field.fill(text)
        assert explorer.note().startswith(rule)
        assert (field.input_value(), field.get_attribute("aria-invalid")) == (text, "true")
        other.fill("1")
        assert explorer.note().startswith(rule)
        assert explorer.table()[3] == (7, 1, 18)
        field.press("Escape")
        assert (field.input_value(), field.get_attribute("aria-invalid")) == ("3", "false")
        assert explorer.note().startswith("Output cell")
    field.fill("8")
    field.fill("5")
    assert explorer.note().startswith("Output cell")
    assert explorer.table()[3] == (9, 1, 16)


def test_a_layer_that_does_not_fit_is_explained(explorer):
    explorer.fill("Layers", 6)
    explorer.fill("Input cells", 20)
    assert explorer.note() == (
        "Layer 6 does not fit: its kernel reaches over 3 cells, but layer 5 has only 2 cells. "
        "Take more input cells, or smaller kernels, strides or dilations."
    )
    assert explorer.table()[-1] == (21, 2, None)
    explorer.fill("Input cells", 1)
    assert "reaches over 3 cells, but the input has only 1 cell." in explorer.note()
    explorer.fill("Input cells", 24)
    assert explorer.note().startswith("Output cell 1 sees 21 input cells, 2 to 22")


def test_output_cells_by_keyboard(explorer):
    explorer.control("Layer 3 dilation").focus()
    explorer.page.keyboard.press("Tab")
    assert explorer.chosen() == [4]
    for key, cell in [
        ("ArrowRight", 5),
        ("ArrowUp", 6),
        ("ArrowLeft", 5),
        ("Home", 0),
        ("ArrowDown", 0),
        ("End", 7),
    ]:
        explorer.page.keyboard.press(key)
        assert explorer.chosen() == [cell]
        name = explorer.page.evaluate("document.activeElement.getAttribute('aria-label')")
        assert name == f"output cell {cell}"
    assert explorer.control("Output cell").input_value() == "7"
    assert explorer.page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    assert explorer.place.locator("[role=radio][tabindex='0']").count() == 1
    explorer.says("output cell 7 of 0 to 7: sees 9 input cells, 14 to 22")


def test_output_cells_by_pointer(explorer):
    explorer.cell(1).hover()
    assert "Output cell 1 sees 9 input cells, 2 to 10" in explorer.note()
    assert explorer.chosen() == [4]
    explorer.leave()
    assert "Output cell 4 sees" in explorer.note()
    explorer.cell(2).click()
    explorer.leave()
    assert explorer.chosen() == [2]
    assert "Output cell 2 sees" in explorer.note()
    other = Explorer(explorer.page, 1)
    assert other.chosen() == [1]


def test_on_a_phone(phone):
    page = phone("receptive_field")
    explorer = Explorer(page)
    explorer.cell(6).tap()
    assert explorer.chosen() == [6]
    for layers, size in [([Layer(2)] * 6, 40), ([Layer(7, 4, 0, 8)] * 6, 40), ([Layer(1)], 1)]:
        explorer.set_stack(layers, size)
        assert page.evaluate("document.documentElement.scrollWidth") == 360
        parts = "[...figure.querySelectorAll('*:not(.d2l-scroll *)')]"
        ends = f"figure => {parts}.map(part => part.getBoundingClientRect().right)"
        assert max(explorer.place.evaluate(ends)) <= 360
    explorer.set_stack([Layer(2)] * 6, 40)
    boxes = "cells => cells.map((cell) => cell.getBoundingClientRect()).map((box) => [box.width, box.height])"
    sizes = explorer.place.locator("[role=radio]").evaluate_all(boxes)
    assert len(sizes) == 34
    assert all(min(size) >= 23.9 for size in sizes)  # a finger hits one
    explorer.cell(20).tap()
    assert explorer.chosen() == [20]
    explorer.control("Output cell").press("End")
    explorer.settle()
    assert explorer.cell(33).bounding_box()["x"] + 24 <= 360  # it scrolled there
    explorer.set_stack([Layer(1)], 1)
    page.set_viewport_size({"width": 1280, "height": 800})
    explorer.settle()
    assert explorer.place.locator(".d2l-cone").bounding_box()["width"] == pytest.approx(90, abs=2)
