"""feature_map_explorer on a page without a kernel, driven in a real browser and compared with PyTorch."""

import re

import pytest
import torch
from tests.explorers.shown import images, networks
from tests.explorers.widgets_book import FigureOnPage
from torch import nn
from torch.nn import functional as F

LENET = ["conv 1", "ReLU 1", "pool 1", "conv 2", "ReLU 2", "pool 2"]


def number(text):
    return float(text.replace("−", "-"))


class Maps(FigureOnPage):
    """The figure with some number on a page, and the model that it shows."""

    def __init__(self, page, which=0):
        super().__init__(page, which)
        self.model = networks()[which]
        encoder = self.model.encoder if which == 0 else self.model
        self.layers = [layer for layer in encoder.modules() if not list(layer.children())]
        self.images = images()[which]
        self.settle()  # it is drawn in the colours of the page, once it is there

    def set(self, **values):
        """Move sliders by the keyboard."""
        for name, value in values.items():
            self.slide({"layer": "Layer", "right": "Shift right", "down": "Shift down"}[name], value)

    def setting(self, name):
        return int(self.control(name).input_value())

    def image(self):
        chosen = self.control("Image").evaluate("list => list.selectedIndex")
        right, down = self.setting("Shift right"), self.setting("Shift down")
        image = self.images[chosen]
        height, width = image.shape[1:]
        return F.pad(image, (4, 4, 4, 4))[:, 4 - down : 4 - down + height, 4 - right : 4 - right + width]

    def outputs(self):
        """Return what PyTorch's layers give, the image first."""
        outputs = [self.image()[None]]
        with torch.no_grad():
            for layer in self.layers:
                outputs.append(layer(outputs[-1]))
        return [Y[0] for Y in outputs]

    def text(self, name):
        return self.place.locator(f".d2l-{name}").first.text_content()

    def cell(self):
        """Read layer, channel, row and column, counted from 0, and the number that the figure states."""
        found = re.search(
            r"(\w+ \d+), channel (\d+), row (\d+), column (\d+): (−?[\d.]+)\.", self.text("note")
        )
        channel, row, column = (int(found[i]) for i in (2, 3, 4))
        return found[1], (channel, row, column), number(found[5])

    def radios(self, name):
        return self.place.get_by_role("radiogroup", name=name, exact=True).get_by_role("radio")

    def channels(self):
        return self.radios("Channels")

    def plate(self):
        return self.place.get_by_role("application")

    def at(self, row, column, shape):
        """Return where on the big map a cell has its middle."""
        box = self.plate().locator("canvas").bounding_box()
        return {
            "x": 1 + (column + 0.5) * box["width"] / shape[-1],
            "y": 1 + (row + 0.5) * box["height"] / shape[-2],
        }

    def window(self, which):
        """Read top, left, height and width of the frame on the image (0) or the map (1), as parts of it."""
        frame = self.place.locator(".d2l-plates .d2l-window").nth(which)
        style = frame.evaluate("one => ['top', 'left', 'height', 'width'].map(side => one.style[side])")
        return [float(side.removesuffix("%")) / 100 for side in style]

    def pixels(self, plate):
        """Read the opacity of each pixel of a picture, and whether it is green rather than purple."""
        read = """canvas => [canvas.width, canvas.height,
            ...canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data]"""
        width, height, *data = plate.locator("canvas").evaluate(read)
        colours = torch.tensor(data).reshape(height, width, 4)
        return colours[..., 3] / 255, colours[..., 1] > colours[..., 0]

    def check(self):
        """Compare every picture and every number with PyTorch."""
        layer = self.setting("Layer")
        outputs = self.outputs()
        X, Y = outputs[layer - 1], outputs[layer]
        limit = float(Y.abs().max())
        _, (channel, row, column), value = self.cell()
        assert value == pytest.approx(float(Y[channel, row, column]), abs=0.008)
        names = [one.get_attribute("aria-label") for one in self.channels().all()]
        assert len(names) == len(Y)
        for i, (name, plate) in enumerate(zip(names, self.channels().all(), strict=True)):
            low, high = map(number, re.fullmatch(rf"channel {i}, from (\S+) to (\S+)", name).groups())
            assert (low, high) == pytest.approx((float(Y[i].min()), float(Y[i].max())), abs=0.008)
            if i < 3:
                self.check_pixels(plate, Y[i], limit)
        self.check_pixels(self.plate(), Y[channel], limit)
        assert [number(end) for end in self.place.locator(".d2l-end").all_text_contents()] == pytest.approx(
            [-limit, 0, limit], abs=0.008
        )
        self.check_formula(self.layers[layer - 1], X, channel, value)
        shape = Y.shape[1:]
        assert self.window(1) == pytest.approx(
            [row / shape[0], column / shape[1], 1 / shape[0], 1 / shape[1]], abs=1e-4
        )

    def check_pixels(self, plate, expected, limit):
        strength, green = self.pixels(plate)
        assert torch.allclose(strength, expected.abs() / limit, atol=0.012)
        clear = expected.abs() > 0.1 * limit
        assert torch.equal(green[clear], expected[clear] > 0)

    def check_formula(self, layer, X, channel, value):
        text = self.text("formula").replace("−", "-")
        left, result = re.split(" [=≈] ", text)
        assert float(result) == value
        numbers = [float(one) for one in re.findall(r"-?\d+\.?\d*", left.replace("others", ""))]
        if isinstance(layer, nn.Conv2d | nn.BatchNorm2d):
            assert left.startswith("bias ")
            if "others" in text:
                numbers = numbers[:-1]
            assert sum(numbers) == pytest.approx(value, abs=0.006 * (len(numbers) + 1))
            inputs = len(X) if isinstance(layer, nn.Conv2d) else 1
            assert len(numbers) == min(inputs, 9) + 1
        elif isinstance(layer, nn.MaxPool2d):
            assert (left[:4], max(numbers)) == ("max(", value)
        elif isinstance(layer, nn.AdaptiveAvgPool2d):
            assert left.startswith("mean(")
            assert sum(numbers) / len(numbers) == pytest.approx(value, abs=0.012)
        else:
            assert left.startswith(("ReLU(", "sigmoid("))
            bent = layer(torch.tensor(numbers[0]))
            assert float(bent) == pytest.approx(value, abs=0.008)

    def check_scores(self):
        with torch.no_grad():
            expected = self.model(self.image()[None])[0].tolist()
        rows = self.place.locator(".d2l-scores tbody tr")
        assert rows.locator("th").all_text_contents() == [str(i) for i in range(10)]
        shown = [number(text) for text in rows.locator("td:last-child").all_text_contents()]
        assert shown == pytest.approx(expected, abs=0.03)
        assert self.place.locator(".d2l-best th").text_content() == str(expected.index(max(expected)))


@pytest.fixture
def figures(show):
    page = show("feature_maps")
    return [Maps(page, which) for which in (0, 1)]


def test_it_stands_without_a_kernel(figures):
    lenet, narrow = figures
    assert lenet.cell()[0] == "conv 2"
    lenet.check()
    lenet.check_scores()
    assert narrow.cell()[0] == "conv 1"
    narrow.check()
    assert narrow.place.locator(".d2l-scores tr").count() == 0


def test_every_layer_by_keyboard_gives_what_pytorch_gives(figures):
    for figure, names in zip(figures, [LENET, [*"abcdefgh"]], strict=True):
        for layer in range(1, len(figure.layers) + 1):
            figure.set(layer=layer)
            figure.check()
            current = figure.place.locator("[aria-current=step]")
            assert current.count() == 1
            if len(names) == 6:
                assert figure.cell()[0] == current.locator("b").text_content() == names[layer - 1]


def test_images_and_shifts_move_maps_and_scores(figures):
    lenet, _ = figures
    lenet.control("Image").select_option(index=3)
    for right, down in [(0, 0), (1, 0), (4, -4), (-3, 2)]:
        lenet.set(right=right, down=down)
        lenet.check()
        lenet.check_scores()
        strength, _ = lenet.pixels(lenet.place.locator(".d2l-plate-image"))
        assert torch.allclose(strength, lenet.image()[0], atol=0.01)


def test_channels_by_pointer_and_keyboard(figures):
    lenet, _ = figures
    lenet.channels().nth(6).click()
    assert lenet.cell()[1][0] == 6
    lenet.page.keyboard.press("ArrowRight")
    assert lenet.cell()[1][0] == 7
    lenet.check()
    lenet.page.keyboard.press("End")
    lenet.page.keyboard.press("ArrowDown")
    assert lenet.cell()[1][0] == 15
    checked = lenet.place.locator("[role=radiogroup][aria-label=Channels] [aria-checked=true]")
    assert (checked.count(), checked.get_attribute("tabindex")) == (1, "0")
    lenet.set(layer=1)  # which has only 6
    assert lenet.cell()[1][0] == 5
    lenet.set(layer=4)
    assert lenet.cell()[1][0] == 15


def test_cells_by_pointer_and_keyboard(figures):
    lenet, _ = figures
    lenet.plate().click(position=lenet.at(7, 2, (10, 10)))
    lenet.leave()
    assert lenet.cell()[1][1:] == (7, 2)
    lenet.check()
    lenet.plate().focus()
    for key in ("ArrowUp", "ArrowRight", "ArrowRight", "ArrowDown", "ArrowDown", "ArrowLeft"):
        lenet.page.keyboard.press(key)
    assert lenet.cell()[1][1:] == (8, 3)
    lenet.check()
    for _ in range(3):
        lenet.page.keyboard.press("ArrowDown")
    assert lenet.cell()[1][1:] == (9, 3)  # the last row
    outline = "getComputedStyle(document.activeElement).outlineWidth"
    assert lenet.page.evaluate(outline) == "3px"
    # The same place of the image in another layer: of what the cell sees, rows 15 to 28, columns 3 to 16.
    lenet.set(layer=1)
    assert lenet.cell()[1][1:] == (22, 10)
    lenet.set(layer=4)
    assert lenet.cell()[1][1:] == (9, 3)


def test_pointing_shows_a_number_until_the_pointer_leaves(figures):
    lenet, _ = figures
    before = lenet.cell()
    Y = lenet.outputs()[4]
    lenet.plate().hover(position=lenet.at(1, 8, (10, 10)))
    assert lenet.cell()[1][1:] == (1, 8)
    lenet.check()
    box = lenet.channels().nth(9).locator("canvas").bounding_box()
    lenet.page.mouse.move(box["x"] + 0.35 * box["width"], box["y"] + 0.55 * box["height"])
    _, place, value = lenet.cell()
    assert place == (9, 5, 3)
    assert value == pytest.approx(float(Y[place]), abs=0.008)
    image = lenet.place.locator(".d2l-plate-image")
    box = image.bounding_box()
    lenet.page.mouse.move(box["x"] + box["width"] * 14.5 / 28, box["y"] + box["height"] * 4.5 / 28)
    shown = number(re.match(r"Image, row 4, column 14: ([\d.]+)\. ", lenet.text("note"))[1])
    assert shown == pytest.approx(float(lenet.image()[0, 4, 14]), abs=0.006)
    lenet.leave()
    assert lenet.cell() == before


def test_field_is_framed_on_the_image(figures):
    lenet, _ = figures
    for layer, place, field in [
        (1, (0, 0), (0, 3, 0, 3)),
        (3, (5, 6), (8, 14, 10, 16)),
        (6, (4, 2), (14, 28, 6, 22)),
    ]:
        lenet.set(layer=layer)
        shape = lenet.outputs()[layer].shape
        lenet.plate().click(position=lenet.at(*place, shape))
        lenet.leave()
        lenet.check()
        top, bottom, left, right = field
        assert lenet.window(0) == pytest.approx(
            [top / 28, left / 28, (bottom - top) / 28, (right - left) / 28], abs=1e-4
        )
        rows, columns = f"rows {top} to {bottom - 1}", f"columns {left} to {right - 1}"
        assert f"{rows}, {columns}" in lenet.text("note")
        assert ("and padding" in lenet.text("note")) == (layer != 3)


def test_input_channels_are_ordered_and_written_out(figures):
    lenet, _ = figures
    conv, X = lenet.layers[3], lenet.outputs()[3]
    _, (channel, row, column), _ = lenet.cell()
    window = X[:, row : row + 5, column : column + 5]
    sums = (window * conv.weight.detach()[channel]).sum((1, 2))
    order = sums.abs().argsort(descending=True).tolist()
    sources = lenet.radios("Input channels, the strongest first")
    names = [one.get_attribute("aria-label") for one in sources.all()]
    found = [re.fullmatch(r"input channel (\d) adds (\S+)", name).groups() for name in names]
    assert [int(one) for one, _ in found] == order
    assert [number(value) for _, value in found] == pytest.approx(sums[order].tolist(), abs=0.008)

    def table(which):
        read = "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
        rows = lenet.place.locator(".d2l-numbers").nth(which).locator("tr").evaluate_all(read)
        return torch.tensor([[number(text) for text in row] for row in rows])

    for place in (0, 1):
        assert torch.allclose(table(0), window[order[place]], atol=0.008)
        assert torch.allclose(table(1), conv.weight.detach()[channel, order[place]], atol=0.006)
        sources.nth(0).focus()
        lenet.page.keyboard.press("ArrowRight")
    assert sources.nth(1).get_attribute("aria-checked") == "true"


def test_the_way_down_leads_through_each_layer(figures):
    lenet, _ = figures
    lenet.set(layer=6)
    steps = lenet.place.locator(".d2l-path li").all_text_contents()
    assert [re.match(r"\w+ \d", step)[0] for step in steps] == LENET
    assert [step.split(": ")[1] for step in steps] == ["12×12", "12×12", "6×6", "2×2", "2×2", "1×1"]
    lenet.set(layer=1)
    assert not lenet.place.locator(".d2l-path").is_visible()


def test_it_speaks(figures):
    lenet, _ = figures
    lenet.set(layer=3)
    assert lenet.is_silent()
    maps = r"pool 1, 6 channels of 14 by 14; channel 0, row \d+, column \d+: −?[\d.]+"
    assert re.fullmatch(rf"{maps}; highest score \d: −?[\d.]+", lenet.spoken("Layer"))
    lenet.plate().focus()
    lenet.page.keyboard.press("ArrowRight")
    name, (channel, row, column), _ = lenet.cell()
    where = f"channel {channel}, row {row}, column {column}: "
    lenet.says(re.compile(f"^{name}, 6 channels of 14 by 14; {where}"))


def test_by_touch(phone):
    lenet = Maps(phone("feature_maps"))
    lenet.channels().nth(10).tap()
    lenet.plate().tap(position=lenet.at(2, 6, (10, 10)))
    assert lenet.cell()[1] == (10, 2, 6)
    lenet.check()


def test_colours_follow_the_theme_and_the_system(figures):
    lenet, _ = figures
    plate = lenet.channels().nth(0)
    read = "canvas => [...canvas.getContext('2d').getImageData(0, 0, 10, 10).data]"
    light, (strength, _) = plate.locator("canvas").evaluate(read), lenet.pixels(plate)
    lenet.page.emulate_media(color_scheme="dark")
    lenet.settle()
    dark = plate.locator("canvas").evaluate(read)
    assert dark != light
    lenet.page.evaluate("document.body.dataset.theme = 'light'")
    lenet.settle()
    assert plate.locator("canvas").evaluate(read) == light
    lenet.page.evaluate("document.body.dataset.theme = 'dark'")
    lenet.settle()
    assert plate.locator("canvas").evaluate(read) == dark
    assert torch.equal(lenet.pixels(plate)[0], strength)
