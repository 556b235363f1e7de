"""channels_explorer on a page without a kernel, driven in a real browser and compared with PyTorch."""

import random
import re
from decimal import ROUND_HALF_UP, Context

import pytest
import torch
from tests.explorers.widgets_book import FigureOnPage
from torch.nn import functional as F

from d2lconv.widgets import channels_explorer

LABELS = {
    "in_channels": "Input channels",
    "out_channels": "Output channels",
    "kernel_size": "Kernel size",
    "groups": "Groups",
    "channel": "Output channel shown",
}
READ = r"""view => {
    const number = (text) => Number(text.replace("−", "-"));
    const shown = (cell) => number(cell.firstElementChild ? cell.firstElementChild.value : cell.textContent);
    const rows = (grid) => [...grid.querySelectorAll("[role=row]")];
    const cells = (grid) => rows(grid).map((row) => [...row.children].map(shown));
    const places = (grid, mark) => [...grid.querySelectorAll(`.d2l-${mark}`)].map((cell) =>
        cell.dataset.cell.split(",").map(Number));
    const seen = (element) => element && element.checkVisibility() ? element : null;
    const grid = (line, role) => seen(line.querySelector(`.d2l-grid.d2l-${role}`));
    const lines = [...view.querySelectorAll(".d2l-main > .d2l-line")].filter(seen);
    const total = lines.pop();
    const text = (name) => view.querySelector(`.d2l-${name}`).textContent;
    const numbers = (line) => [...line.children].map((cell) => number(cell.textContent));
    const spans = (element) => [...element.children].map(numbers);
    return {
        note: text("note"),
        caption: view.querySelector("caption")?.textContent,
        channels: lines.map((line) => ({
            input: cells(grid(line, "input")),
            window: places(grid(line, "input"), "here"),
            kernel: grid(line, "kernel") && cells(grid(line, "kernel")),
            part: grid(line, "output") && cells(grid(line, "output")),
            here: grid(line, "output") && places(grid(line, "output"), "here"),
            unseen: line.querySelector(".d2l-unseen").textContent,
        })),
        bias: total && grid(total, "kernel") && cells(grid(total, "kernel"))[0][0],
        output: total && cells(grid(total, "output")),
        here: total && places(grid(total, "output"), "here"),
        pinned: total && places(grid(total, "output"), "pinned"),
        rows: [...view.querySelectorAll("tbody tr")].map((row) => ({
            chosen: row.querySelector("button").getAttribute("aria-pressed") === "true",
            kernels: [...row.querySelectorAll("td")].map((cell) =>
                cell.className === "d2l-none" ? cell.textContent : spans(cell.firstChild)),
        })),
        mix: seen(view.querySelector(".d2l-mix")) && [...view.querySelectorAll(".d2l-bracket")].map(spans),
        formula: [...view.querySelectorAll(".d2l-formula p")].map((line) => line.textContent),
    };
}"""
DRIVE = """async ({ default: view }, states) => {
    const read = READ;
    const listeners = new Map();
    const state = { ...states[0] };
    const model = {
        get: (name) => state[name],
        set(name, value) {
            state[name] = value;
            listeners.get(`change:${name}`)?.forEach((listen) => listen());
        },
        on: (event, listen) => listeners.set(event, [...(listeners.get(event) ?? []), listen]),
        off() {},
        save_changes() {},
    };
    document.body.replaceChildren();
    view.render({ model, el: document.body });
    const found = [];
    for (const next of states) {
        for (const [name, value] of Object.entries(next)) model.set(name, value);
        await null;
        await null;
        const { summary, groups } = state;
        found.push({ ...read(document.querySelector(".d2l-view")), summary, groups });
    }
    return found;
}""".replace("READ", READ)


def settings(count, seed):
    """Draw states of the view; some ask for impossible groups."""
    draw = random.Random(seed)

    def block(*shape):
        size = torch.Size(shape).numel()
        whole = draw.random() < 0.8
        numbers = [draw.randint(-9, 9) if whole else draw.randint(-9, 9) / 2 for _ in range(size)]
        return torch.tensor(numbers).reshape(shape).tolist()

    for _ in range(count):
        out_channels = draw.randint(1, 4)
        yield {
            "in_channels": draw.randint(1, 4),
            "out_channels": out_channels,
            "kernel_size": draw.randint(1, 3),
            "groups": draw.choice([1, 1, 2, 2, 3, 4]),
            "input": block(4, draw.randint(3, 5), draw.randint(3, 5)),
            "kernel": block(4, 4, 3, 3),
            "bias": block(4),
            "use_bias": draw.random() < 0.6,
            "channel": draw.randrange(out_channels),
            "cell": [draw.randint(0, 4), draw.randint(0, 4)],
        }


def written(rows):
    """Return numbers as cells have room for them: −14.25 as −14.3."""
    short = Context(prec=3, rounding=ROUND_HALF_UP).create_decimal_from_float
    return [[float(short(x)) if len(f"{x:g}") > 5 else x for x in row] for row in rows.tolist()]


def check(found, state):
    """Compare everything that is shown with PyTorch; return whether the groups asked for were possible."""
    c_i, c_o, k, asked = (state[name] for name in ("in_channels", "out_channels", "kernel_size", "groups"))
    possible = [some for some in range(1, 5) if c_i % some == c_o % some == 0]
    groups = found.get("groups", asked)
    assert groups == asked if asked in possible else groups in possible
    X = torch.tensor(state["input"])[:c_i]
    full = torch.tensor(state["kernel"])[:c_o, :c_i, :k, :k].float()
    bias = torch.tensor(state["bias"])[:c_o].float() if state["use_bias"] else None
    X = X.float()
    blocks = (rows.chunk(groups, 1)[g] for g, rows in enumerate(full.chunk(groups)))
    weight = torch.cat(list(blocks))
    Y = F.conv2d(X, weight, bias, groups=groups)
    o = state["channel"]
    row, column = (min(at, size - 1) for at, size in zip(state["cell"], Y.shape[1:], strict=True))
    group = o // (c_o // groups)
    own = range(group * (c_i // groups), (group + 1) * (c_i // groups))

    assert found["output"] == written(Y[o])
    assert found["here"] == found["pinned"] == [[row, column]]
    assert found["bias"] == (None if bias is None else bias[o].item())
    window = [[row + u, column + v] for u in range(k) for v in range(k)]
    assert len(found["channels"]) == c_i
    values = []
    for i, channel in enumerate(found["channels"]):
        assert channel["input"] == X[i].tolist()
        if i not in own:
            assert channel["window"] == []
            assert channel["kernel"] is channel["part"] is None
            assert channel["unseen"] == f"No kernel: output {o} does not see input {i}."
            continue
        part = F.conv2d(X[i][None], full[o, i][None, None])[0]
        values.append(part[row, column].item())
        assert channel["kernel"] == full[o, i].tolist()
        assert channel["part"] == written(part)
        assert channel["window"] == window
        assert channel["here"] == [[row, column]]
        assert channel["unseen"] == ""
        line = found["formula"][len(values) - 1]
        assert line.startswith(f"Part {i}: ")
        products, result = line.partition(": ")[2].replace("−", "-").replace("·", "*").split(" = ")
        assert eval(products) == float(result) == values[-1]
        assert products.count("*") == k * k

    offset = [] if bias is None else [bias[o].item()]
    assert len(found["formula"]) == len(values) + 1
    place = f"row {row}, column {column}"
    for text, start in (
        (found["formula"][-1], f"Output {o}, {place}: "),
        (found["summary"].split("; ")[-1].rpartition("chosen. ")[2], f"output channel {o}, {place}: "),
    ):
        assert text.startswith(start)
        terms, result = re.sub("[()]|bias ", "", text.removeprefix(start).replace("−", "-")).split(" = ")
        numbers = [
            float(sign.replace("+", "").replace(" ", "") + number)
            for sign, number in re.findall(r"((?:^|[+-] )?-?)([\d.]+)", terms)
        ]
        assert numbers == values + offset
        assert float(result) == Y[o, row, column].item() == sum(numbers)

    assert found["caption"] == f"Kernel {c_o} × {c_i // groups} × {k} × {k}"
    *why, numbers, kind = found["note"].split(". ")
    assert why == [] or why[0].startswith(f"Groups divide both numbers of channels, {c_i} and {c_o}: ")
    assert [int(number) for number in re.findall(r"\d+", numbers)] == [weight.numel(), c_o][: 1 + len(offset)]
    assert [line["chosen"] for line in found["rows"]] == [q == o for q in range(c_o)]
    for q, line in enumerate(found["rows"]):
        slices = iter(weight[q].tolist())
        first = q // (c_o // groups) * (c_i // groups)
        expected = [next(slices) if first <= i < first + c_i // groups else "none" for i in range(c_i)]
        assert line["kernels"] == expected + ([] if bias is None else [[[bias[q].item()]]])
    sees = "inputs " + " and ".join(str(i) for i in own) if len(own) > 1 else f"input {own[0]}"
    name = "Depthwise" if groups == c_i else f"{groups} groups"
    some = f"{name}: output {o} sees {sees}{' alone' if groups == c_i else ''}."
    assert kind == (some if groups > 1 else "Each output channel sees every input channel.")

    if k > 1:
        assert found["mix"] is None
    else:
        matrix, pixel, *offset, result = (torch.tensor(numbers).float() for numbers in found["mix"])
        assert matrix.shape == (c_o, c_i)
        assert torch.equal(pixel, X[:, row, column, None])
        mixed = matrix @ pixel + (offset[0] if offset else 0)
        assert torch.equal(mixed[:, 0], Y[:, row, column])
        assert result.tolist() == torch.tensor(written(mixed)).tolist()
    return asked in possible


def test_many_settings_equal_pytorch(run):
    states = list(settings(300, seed=0))
    found = run("channels/view.js", DRIVE, states)
    possible = [check(*pair) for pair in zip(found, states, strict=True)]
    assert 100 < sum(possible) < 200


# ---- on a page ----


class Channels(FigureOnPage):
    """The figure with some number on a page."""

    def set(self, **wanted):
        """Move sliders by the keyboard."""
        for name, value in wanted.items():
            self.slide(LABELS[name], value)

    def read(self):
        return self.place.locator(".d2l-view").evaluate(READ)

    def check(self, view, **changed):
        """Compare with PyTorch, from the numbers of the figure in Python and the settings of the controls."""
        state = {name: getattr(view, name) for name in ("input", "kernel", "bias", "cell")} | changed
        state |= {name: int(self.control(label).input_value()) for name, label in LABELS.items()}
        state["use_bias"] = self.control("Bias").is_checked()
        return check(self.read() | {"summary": self.spoken("Groups")}, state)

    def grid(self, name):
        return self.place.get_by_role("grid", name=re.compile(name))

    def at(self, name, row, column):
        return self.grid(name).locator(f"[data-cell='{row},{column}']")

    def windows(self):
        found = self.read()
        corners = [channel["window"][0] if channel["window"] else None for channel in found["channels"]]
        return corners, found["here"], found["pinned"]


@pytest.fixture
def figures(show):
    page = show("channels")
    return Channels(page), Channels(page, 1)


def test_controls_by_keyboard_give_what_pytorch_gives(figures):
    first, second = figures
    view = channels_explorer().view
    assert first.check(view)
    assert first.control("Output channel shown").input_value() == "1"
    assert second.read()["mix"] == [[[1, 2]], [[0], [9]], [[3]], [[21]]]
    for wanted in (
        {"in_channels": 4, "out_channels": 4, "channel": 2},
        {"groups": 2},
        {"kernel_size": 3},
        {"groups": 4, "channel": 3},
        {"kernel_size": 1},
        {"groups": 1, "in_channels": 1},
    ):
        first.set(**wanted)
        assert first.check(view)
        first.control("Bias").press("Space")
        assert first.check(view)
    first.set(out_channels=2)  # the fourth is gone
    assert first.control("Output channel shown").get_attribute("max") == "1"
    assert first.control("Output channel shown").input_value() == "1"
    assert first.check(view)
    assert second.read()["output"] == [[21, 20, 19], [18, 17, 16], [15, 14, 13]]


def test_pointer_moves_every_control(figures):
    first, _ = figures
    for label in LABELS.values():
        box = first.control(label).bounding_box()
        first.control(label).click(position={"x": box["width"] - 3, "y": box["height"] / 2})
    first.control("Bias").click()
    assert [int(first.control(label).input_value()) for label in LABELS.values()] == [4, 4, 3, 4, 3]
    assert first.check(channels_explorer().view)
    assert first.read()["note"] == "36 weights. Depthwise: output 3 sees input 3 alone."


def test_an_output_cell_moves_all_windows(figures):
    first, _ = figures
    first.set(in_channels=3)
    first.at("^Output channel", 1, 2).hover()
    assert first.windows() == ([[1, 2]] * 3, [[1, 2]], [[0, 0]])
    first.at("^Part of input channel 1", 2, 1).hover()
    assert first.windows() == ([[2, 1]] * 3, [[2, 1]], [[0, 0]])
    first.leave()
    assert first.windows() == ([[0, 0]] * 3, [[0, 0]], [[0, 0]])
    first.at("^Output channel", 2, 2).click()
    first.leave()
    assert first.windows() == ([[2, 2]] * 3, [[2, 2]], [[2, 2]])
    first.page.keyboard.press("ArrowUp")
    assert first.windows() == ([[1, 2]] * 3, [[1, 2]], [[1, 2]])
    first.set(groups=3)
    assert first.windows() == ([None, [1, 2], None], [[1, 2]], [[1, 2]])
    first.set(kernel_size=3)
    assert first.windows() == ([None, [1, 1], None], [[1, 1]], [[1, 1]])
    first.at("^Part of input channel 1", 0, 1).focus()
    assert first.windows() == ([None, [0, 1], None], [[0, 1]], [[1, 1]])


def test_a_row_of_the_kernel_is_an_output_channel(figures):
    first, _ = figures
    view = channels_explorer().view
    first.place.get_by_role("button", name="out 2").press("Enter")
    assert first.control("Output channel shown").input_value() == "2"
    assert first.place.get_by_role("button", name="out 2").evaluate("b => b === document.activeElement")
    assert first.check(view)
    first.place.locator("tbody tr").first.locator("td").nth(1).click()
    assert first.control("Output channel shown").input_value() == "0"
    assert first.check(view)


def test_numbers_can_be_edited(figures):
    first, _ = figures
    view = channels_explorer().view
    for name, text in (("^Input channel 1", "7"), ("for input channel 0", "−4"), ("^Bias", "2.5")):
        first.at(name, 0, 0).locator("input").fill(text)
    changed = {name: torch.tensor(getattr(view, name)) for name in ("input", "kernel", "bias")}
    changed["input"][1, 0, 0] = 7
    changed["kernel"][1, 0, 0, 0] = -4
    changed["bias"][1] = 2.5
    changed = {name: tensor.tolist() for name, tensor in changed.items()}
    assert first.check(view, **changed)
    first.set(channel=2, kernel_size=3)
    assert first.check(view, **changed)


def test_impossible_groups_are_skipped_and_explained(figures):
    first, _ = figures
    view = channels_explorer().view
    groups = first.control("Groups")
    groups.press("ArrowRight")
    assert groups.input_value() == "1"
    why = "Groups divide both numbers of channels, 2 and 3: only 1 can be chosen. "
    assert first.read()["note"].startswith(why)
    assert groups.get_attribute("aria-valuetext").startswith(f"1, {why}")
    first.set(in_channels=4, out_channels=4, groups=2)
    groups.press("ArrowRight")  # past 3
    assert groups.input_value() == "4"
    assert first.check(view)
    groups.press("ArrowLeft")
    assert groups.input_value() == "2"
    first.set(out_channels=3)
    assert groups.input_value() == "1"
    assert "4 and 3: only 1 can be chosen" in first.read()["note"]
    assert first.check(view)


def test_by_touch(phone):
    figure = Channels(phone("channels"))
    figure.at("^Output channel", 1, 1).tap()
    assert figure.windows() == ([[1, 1]] * 2, [[1, 1]], [[1, 1]])
    figure.place.get_by_role("button", name="out 0").tap()
    assert figure.control("Output channel shown").input_value() == "0"
    figure.control("Bias").tap()
    assert figure.check(channels_explorer().view, cell=(1, 1))


def test_it_speaks(figures):
    first, _ = figures
    first.set(kernel_size=1)
    assert first.is_silent()
    kernel = "kernel 3 by 2 by 1 by 1; output channel 1, row 0, column 0: 0 + 2 + bias (−2) = 0"
    assert first.spoken("Kernel size") == kernel
    first.set(kernel_size=2)
    first.at("^Output channel", 0, 0).focus()
    first.page.keyboard.press("ArrowRight")
    first.says("output channel 1, row 0, column 1: −5 + 2 + bias (−2) = −5")
    first.control("Bias").press("Space")
    first.says("output channel 1, row 0, column 1: −5 + 2 = −3")
    first.set(kernel_size=1)
    mixed = "The matrix mixes the pixel's channels: 2, 0 becomes 2, 0, −2"
    assert first.place.get_by_role("img").get_attribute("aria-label") == mixed
