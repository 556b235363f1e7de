"""cost_explorer on a page without a kernel, driven in a real browser and compared with d2lconv.summary."""

import re

import pytest
from tests.explorers.widgets_book import FigureOnPage

from d2lconv.widgets.cost.networks import NETWORKS, summarize_network, three_ways

KINDS = ("Conv2d", "Pool2d", "Linear")
LAYER, VGG, LENET = range(3)


class Costs(FigureOnPage):
    """The figure with some number on a page."""

    def chosen(self, name):
        """Return what a list shows."""
        return self.control(name).evaluate("list => list.selectedOptions[0].text")

    def lines(self):
        """Return name, output, parameters, their part, MACs and their part for each line of the table."""
        read = """rows => rows.map(row => [
            (row.querySelector("label") ?? row.querySelector("th span")).textContent,
            row.querySelector(".d2l-shape").textContent,
            ...[...row.querySelectorAll(".d2l-exact, .d2l-share")].map((one) => one.textContent),
        ])"""
        return self.place.locator(".d2l-costs tbody tr").evaluate_all(read)

    def numbers(self):
        """Return output, parameters and MACs for each line."""
        return [
            (tuple(map(int, output.split("×"))), number(params), number(macs))
            for _, output, params, _, macs, _ in self.lines()
        ]

    def totals(self):
        return tuple(map(number, self.place.locator("tfoot .d2l-exact").all_text_contents()))

    def bars(self, column):
        """Return the width of each bar of a column, as a part of the cell."""
        read = """bars => bars.map((bar) => bar.getBoundingClientRect().width
            / bar.parentElement.getBoundingClientRect().width)"""
        return self.place.locator(f"tbody td.d2l-{column} .d2l-bar").evaluate_all(read)

    def radio(self, name):
        return self.place.get_by_role("radio", name=name, exact=True)

    def picked(self):
        return self.place.locator("label:has(:checked)").all_text_contents()

    def shown(self):
        """Return the names of the lines that are marked."""
        return [line.split("×")[0] for line in self.place.locator(".d2l-shown label").all_text_contents()]

    def formulas(self):
        return self.place.locator(".d2l-formula").all_text_contents()

    def note(self):
        return self.place.locator("p.d2l-note").text_content()

    def problem(self):
        """Return why there is no answer, without the button that repairs it."""
        texts = self.place.locator(".d2l-alert").evaluate_all("all => all.map((one) => one.firstChild.data)")
        return "".join(texts)

    def check_layer(self):
        """Compare the table with what the package counts for the settings of the controls."""
        channels = [int(self.chosen(f"{name} channels")) for name in ("Input", "Output", "Bottleneck")]
        kernel, size = (int(self.control(name).input_value()) for name in ("Kernel size", "Image size"))
        summaries = three_ways(*channels, kernel, size, self.control("Bias").is_checked())
        expected = []
        for summary in summaries.values():
            steps = layers(summary)
            expected.append((steps[-1][0], summary.total_params, summary.total_macs))
            expected += steps if len(steps) > 1 else []
        assert self.numbers() == expected
        self.check_ratios()
        self.check_formulas(expected[0])

    def check_ratios(self):
        heads = [line for line in self.lines() if line[3]]
        assert [name.split(" ")[0] for name, *_ in heads] == ["full", "bottleneck", "depthwise"]
        for _, _, params, fewer, macs, less in heads:
            for part, whole, text in [(params, heads[0][2], fewer), (macs, heads[0][4], less)]:
                assert value(text) == pytest.approx(number(part) / number(whole), rel=0.006)

    def check_formulas(self, expected):
        """Calculate what is written out for the line that is picked."""
        for text, result in zip(self.formulas(), expected[1:], strict=True):
            *_, filled, stated = text.split(" = ")
            assert number(stated) == result
            if not re.fullmatch(r"Parameters|MACs", filled):
                assert re.fullmatch(r"[\d·+() ]+", filled)
                assert eval(filled.replace("·", "*")) == result


def number(text):
    return int(text.replace(",", ""))


def value(text):
    """Read a ratio such as 1/8.42, 1.12× or ≈ 1."""
    text = text.removeprefix("≈ ").replace(",", "")
    return float(text[:-1]) if text.endswith("×") else 1 / float(text.removeprefix("1/"))


def layers(summary):
    """List output shape, parameters and multiply-adds of the layers that the figure shows."""
    return [(row.output_shape, row.params, row.macs) for row in summary.rows if row.kind.endswith(KINDS)]


@pytest.fixture
def figures(show):
    page = show("cost")
    return [Costs(page, which) for which in (LAYER, VGG, LENET)]


def test_figures_stand_without_a_kernel(figures):
    layer, vgg, lenet = figures
    layer.check_layer()
    lines = layer.lines()
    assert [name for name, *_ in lines] == [
        "full 3×3",
        "bottleneck",
        "1×1 reduce",
        "3×3",
        "1×1 expand",
        "depthwise separable",
        "3×3 depthwise",
        "1×1 pointwise",
    ]
    assert lines[0][1:] == ["512×14×14", "2,359,296", "1", "462,422,016", "1"]
    assert lines[5][1:] == ["512×14×14", "266,752", "1/8.84", "52,283,392", "1/8.84"]
    assert layer.formulas() == [
        "Parameters = k·k·cᵢ·cₒ = 3·3·512·512 = 2,359,296",
        "MACs = k·k·cᵢ·cₒ·h·w = 3·3·512·512·14·14 = 462,422,016",
    ]
    assert not layer.place.locator("tfoot").is_visible()
    assert vgg.totals() == (132_863_336, 7_609_090_048)
    assert lenet.totals() == (61_706, 416_520)
    names = "1 conv 5×5, 2 pool 2×2, 3 conv 5×5, 4 pool 2×2, 5 linear, 6 linear, 7 linear"
    assert ", ".join(name for name, *_ in lenet.lines()) == names


# ---- one layer ----


def test_settings_by_keyboard(figures):
    layer = figures[LAYER]
    for name, key, times in [
        ("Input channels", "ArrowUp", 3),
        ("Output channels", "ArrowUp", 4),
        ("Bottleneck channels", "ArrowUp", 2),
        ("Kernel size", "ArrowRight", 2),
        ("Image size", "ArrowRight", 5),
        ("Bias", "Space", 1),
        ("Kernel size", "ArrowLeft", 1),
        ("Output channels", "Home", 1),
        ("Input channels", "Home", 1),
        ("Kernel size", "End", 1),
        ("Image size", "End", 1),
        ("Bottleneck channels", "End", 1),
        ("Bias", "Space", 1),
    ]:
        for _ in range(times):
            layer.control(name).press(key)
        layer.check_layer()
    assert [layer.chosen(f"{name} channels") for name in ("Input", "Output", "Bottleneck")] == [
        "1",
        "1",
        "512",
    ]
    assert layer.control("Image size").input_value() == "224"


def test_settings_by_pointer(figures):
    layer = figures[LAYER]
    for name, part in (("Kernel size", 0.99), ("Image size", 0.5)):
        box = layer.control(name).bounding_box()
        layer.control(name).click(position={"x": box["width"] * part, "y": box["height"] / 2})
    layer.control("Bias").click()
    layer.control("Input channels").select_option("64")
    assert layer.control("Kernel size").input_value() == "7"
    assert 100 < int(layer.control("Image size").input_value()) < 130
    layer.check_layer()


def test_bars_are_parts_of_the_longest(figures):
    layer, vgg, _ = figures
    for figure, column, index in [
        (layer, "params", 1),
        (layer, "macs", 2),
        (vgg, "params", 1),
        (vgg, "macs", 2),
    ]:
        costs = [line[index] for line in figure.numbers()]
        expected = [cost / max(costs) for cost in costs]
        assert figure.bars(column) == pytest.approx(expected, abs=0.01)


def test_what_saves_nothing_is_said(figures):
    layer = figures[LAYER]
    assert layer.note().startswith("k kernel size")
    layer.control("Bottleneck channels").select_option("512")
    assert layer.note().startswith("More MACs than full here: bottleneck. k kernel size")
    layer.control("Output channels").select_option("1")
    assert layer.note().startswith("More MACs than full here: bottleneck, depthwise separable. ")
    layer.check_layer()


def test_ways_are_picked_by_keyboard(figures):
    layer = figures[LAYER]
    layer.control("Bias").press("Space")
    layer.page.keyboard.press("Tab")
    layer.page.keyboard.press("ArrowDown")
    assert layer.picked() == layer.shown() == ["bottleneck"]
    assert layer.formulas() == [
        "Parameters = cᵢ·m + m + k·k·m·m + m + m·cₒ + cₒ = "
        "512·128 + 128 + 3·3·128·128 + 128 + 128·512 + 512 = 279,296",
        "MACs = (cᵢ·m + k·k·m·m + m·cₒ)·h·w = (512·128 + 3·3·128·128 + 128·512)·14·14 = 54,591,488",
    ]
    layer.page.keyboard.press("ArrowDown")
    assert layer.formulas() == [
        "Parameters = k·k·cᵢ + cᵢ·cₒ + cₒ = 3·3·512 + 512·512 + 512 = 267,264",
        "MACs = (k·k·cᵢ + cᵢ·cₒ)·h·w = (3·3·512 + 512·512)·14·14 = 52,283,392",
    ]
    assert layer.page.evaluate("getComputedStyle(document.activeElement).outlineWidth") == "3px"
    assert figures[LENET].picked() == ["1 conv 5×5"]
    layer.page.keyboard.press("ArrowDown")
    assert layer.picked() == ["full 3×3"]


def test_ways_are_shown_and_picked_by_pointer(figures):
    layer = figures[LAYER]
    layer.place.get_by_text("1×1 pointwise").hover()
    assert layer.shown() == ["depthwise separable"]
    assert layer.picked() == ["full 3×3"]
    layer.check_formulas((None, 266_752, 52_283_392))
    layer.leave()
    assert layer.shown() == ["full 3"]
    layer.place.get_by_text("1×1 reduce").click()
    layer.leave()
    assert layer.picked() == layer.shown() == ["bottleneck"]
    layer.check_formulas((None, 278_528, 54_591_488))


# ---- networks ----


def test_two_bars_divide_parameters_and_work_among_the_layers(figures):
    layer, vgg, _ = figures
    assert not layer.place.locator(".d2l-stacks").is_visible()
    summary = summarize_network("VGG A", 224)
    expected = layers(summary)
    wide = "all => all.map(one => one.getBoundingClientRect().width)"
    for number, total in ((1, summary.total_params), (2, summary.total_macs)):
        widths = vgg.place.locator(".d2l-stack").nth(number - 1).locator(".d2l-part").evaluate_all(wide)
        shares = [line[number] / total for line in expected]
        assert [width / sum(widths) for width in widths] == pytest.approx(shares, abs=0.01)
    vgg.place.locator(".d2l-stack").first.locator(".d2l-part").nth(13).hover()
    assert vgg.shown() == ["14 linear"]
    vgg.place.locator(".d2l-stack").last.locator(".d2l-part").nth(5).click()
    vgg.leave()
    assert vgg.picked() == ["6 conv 3×3"]


def test_total_stands_under_its_columns(figures):
    vgg = figures[VGG]
    vgg.control("Network").select_option("VGG E")
    right = "all => all.map(one => one.getBoundingClientRect().right)"
    for column in ("params", "macs"):
        ends = vgg.place.locator(f"td.d2l-{column} .d2l-exact").evaluate_all(right)
        assert max(ends) - min(ends) < 1


def test_every_network_layer_by_layer(figures):
    vgg = figures[VGG]
    vgg.control("Network").focus()
    vgg.page.keyboard.press("Home")
    for name, network in NETWORKS.items():
        wanted = {"LeNet": 28, "VGG B": 99}.get(name, network.size)
        vgg.control("Image size").fill(str(wanted))
        assert vgg.chosen("Network") == name
        summary = summarize_network(name, wanted)
        expected = layers(summary)
        assert vgg.numbers() == expected
        assert vgg.totals() == (summary.total_params, summary.total_macs)
        shares = [line[3] for line in vgg.lines()]
        for share, (_, params, _) in zip(shares, expected, strict=True):
            part = 100 * params / summary.total_params
            assert share == ("" if not params else "< 0.1%" if part < 0.1 else f"{part:.1f}%")
        vgg.control("Network").press("ArrowDown")


def test_every_layer_of_a_network_has_its_formula(figures):
    vgg = figures[VGG]
    expected = layers(summarize_network("VGG A", 224))
    vgg.radio("1 conv 3×3").focus()
    for place, line in enumerate(expected):
        assert vgg.picked()[0].startswith(f"{place + 1} ")
        vgg.check_formulas(line)
        vgg.page.keyboard.press("ArrowDown")
    vgg.radio("14 linear").check()
    assert vgg.formulas()[0] == "Parameters = nᵢ·nₒ + nₒ = 25088·4096 + 4096 = 102,764,544"
    assert vgg.note().startswith("nᵢ and nₒ: numbers of inputs and outputs. ")
    vgg.radio("2 pool 2×2").check()
    assert vgg.formulas() == ["Parameters = 0", "MACs = 0"]
    assert vgg.note().startswith("Pooling has no weights, and multiplies nothing. ")
    assert figures[LENET].picked() == ["1 conv 5×5"]
    vgg.radio("16 linear").check()
    vgg.control("Network").select_option("LeNet")
    assert vgg.picked() == ["7 linear"]


def test_sizes_that_cannot_be_are_explained(figures):
    for which, size, own, message in [
        (LENET, 32, 28, "Not possible: layer 5 linear takes 400 numbers, but 16·6·6 = 576 come in."),
        (LENET, 30, 28, "Not possible: LeNet takes images of 28×28 alone."),
        (LENET, 8, 28, "Not possible: layer 3 conv 5×5 does not fit on 4×4 cells."),
        (VGG, 31, 224, "Not possible: layer 13 pool 2×2 does not fit on 1×1 cells."),
    ]:
        figure = figures[which]
        assert figure.problem() == ""
        figure.control("Image size").fill(str(size))
        assert figure.problem() == message
        assert figure.control("Image size").input_value() == str(size)
        assert figure.spoken("Image size") == message
        assert figure.place.locator(".d2l-stale .d2l-costs").is_visible()  # the last answer
        figure.place.get_by_role("button", name=f"Take {own}×{own}").press("Enter")
        assert figure.control("Image size").input_value() == str(own)
        assert figure.problem() == ""
        assert figure.page.evaluate("document.activeElement.textContent") == "Reset"  # not lost


def test_a_network_brings_its_size_along_if_it_does_not_take_the_present_one(figures):
    vgg = figures[VGG]
    network, size = vgg.control("Network"), vgg.control("Image size")
    size.fill("65")
    network.select_option("VGG B")
    assert vgg.note().startswith("Percentages")
    assert size.input_value() == "65"
    network.focus()
    vgg.page.keyboard.press("Home")
    assert vgg.note().startswith("LeNet does not take 65×65: the image size is now 28. Percentages")
    assert size.input_value() == "28"
    assert size.get_attribute("aria-valuetext").startswith("28, LeNet does not take 65×65: ")
    assert vgg.totals() == (61_706, 416_520)
    vgg.radio("2 pool 2×2").hover()
    assert vgg.note().startswith("LeNet does not take 65×65: the image size is now 28. Pooling has")
    size.fill("64")  # which is asked for, so it is explained and stays
    assert vgg.problem().startswith("Not possible: layer 5 linear takes 400 numbers")
    size.fill("28")
    vgg.leave()  # the lines are new ones, and not every browser tells them of a pointer that rests
    vgg.radio("2 pool 2×2").hover()
    assert vgg.note().startswith("Pooling has")
    vgg.leave()
    network.press("End")
    assert vgg.note().startswith("VGG E does not take 28×28: the image size is now 224. Percentages")
    assert vgg.totals() == (143_667_240, summarize_network("VGG E", 224).total_macs)
    network.press("ArrowUp")
    assert vgg.note().startswith("Percentages")


# ---- for everyone ----


def test_it_speaks(figures):
    layer, vgg, _ = figures
    layer.control("Image size").press("ArrowRight")
    assert layer.control("Image size").get_attribute("aria-valuetext") == (
        "15, full 3×3: 2,359,296 parameters, 530,841,600 MACs; "
        "bottleneck 1/8.47 of the parameters, 1/8.47 of the MACs; "
        "depthwise separable 1/8.84 of the parameters, 1/8.84 of the MACs"
    )
    vgg.radio("1 conv 3×3").focus()
    vgg.page.keyboard.press("ArrowDown")
    vgg.says("VGG A at 224×224: 132,863,336 parameters, 7,609,090,048 MACs; 2 pool 2×2: 0 parameters, 0 MACs")


def test_by_touch_on_a_phone(phone):
    page = phone("cost")
    layer, vgg = Costs(page, LAYER), Costs(page, VGG)
    layer.place.get_by_text("3×3 depthwise").tap()
    assert layer.picked() == ["depthwise separable"]
    vgg.place.locator("label", has_text="14 linear").tap()
    assert vgg.picked() == ["14 linear"]
    assert vgg.place.locator("tbody tr").first.bounding_box()["height"] >= 24
