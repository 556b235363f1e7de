"""The costs that the browser computes are those that d2lconv.summary counts, layer by layer."""

import gzip
import json
import random
import re
from pathlib import Path

import pytest

from d2lconv.widgets.cost.networks import NETWORKS, describe, summarize_network, three_ways

SOURCE = (Path(__file__).parents[2] / "src/d2lconv/widgets/static/costs.js").read_text(encoding="utf-8")

# Run a batch of calls [name, ...arguments].
RUN = """async ([source, batch]) => {
  const costs = await import(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  return batch.map(([name, ...given]) => {
    try {
      return {value: costs[name](...given)};
    } catch (error) {
      return {error: `${error.name}: ${error.message}`};
    }
  });
}"""

KINDS = ("Conv2d", "Pool2d", "Linear")


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


def run(page, calls, source=SOURCE):
    return page.evaluate(RUN, [source, json.loads(json.dumps(calls))])


def settings(count, seed):
    """Draw settings of one layer, among them the smallest and the largest."""
    draw = random.Random(seed)
    yield 1, 1, 1, 1, 4, True
    yield 512, 512, 512, 7, 224, True
    for _ in range(count - 2):
        channels = [draw.choice((draw.randint(1, 16), draw.randint(1, 512))) for _ in range(3)]
        yield *channels, draw.randint(1, 7), draw.randint(4, 224), draw.random() < 0.5


def listed(summary):
    """List output shape, parameters and multiply-adds of the layers that the browser shows."""
    rows = [row for row in summary.rows if row.kind.endswith(KINDS)]
    return [(list(row.output_shape), row.params, row.macs) for row in rows]


def shown(steps):
    return [(step["output"], step["params"], step["macs"]) for step in steps]


NAMES = ("inChannels", "outChannels", "inside", "kernel", "size", "bias")


@pytest.fixture(scope="module")
def layers():
    """Return settings with their summaries."""
    return [(dict(zip(NAMES, one, strict=True)), ways_of(one)) for one in settings(200, seed=1)]


def ways_of(setting):
    inside, outside, between, kernel, size, bias = setting
    return three_ways(inside, outside, between, kernel, size, bias)


def wrong_layers(page, layers, source=SOURCE):
    """List the settings for which the browser counts something else."""
    answers = run(page, [["threeWays", setting] for setting, _ in layers], source)
    wrong = []
    for (setting, summaries), answer in zip(layers, answers, strict=True):
        ways = answer["value"]
        expected = [
            (name, summary.total_params, summary.total_macs, listed(summary))
            for name, summary in summaries.items()
        ]
        found = [(way["name"], way["params"], way["macs"], shown(way["steps"])) for way in ways]
        outputs = {tuple(way["output"]) for way in ways}
        if found != expected or outputs != {(setting["outChannels"], setting["size"], setting["size"])}:
            wrong.append(setting)
    return wrong


def wrong_networks(page, sizes, source=SOURCE):
    """List the networks and image sizes for which the browser counts something else, or refuses wrongly."""
    cases = [(name, size) for name in NETWORKS for size in sizes]
    networks = {name: describe(name) for name in NETWORKS}
    answers = run(page, [["walk", networks[name], size] for name, size in cases], source)
    wrong = []
    for (name, size), answer in zip(cases, answers, strict=True):
        try:
            expected = listed(summarize_network(name, size))
        except ValueError:
            expected = None
        found = shown(answer["value"]) if "value" in answer else None
        if found != expected or (found is None and not answer["error"].startswith("RangeError: ")):
            wrong.append((name, size))
    return wrong


def test_layers_cost_what_the_package_counts(page, layers):
    assert wrong_layers(page, layers) == []


def test_networks_cost_what_the_package_counts(page):
    assert wrong_networks(page, [4, 8, 15, 16, 20, *range(27, 34), 47, 63, 64, 65, 99, 191, 223, 224]) == []


def test_totals(page):
    steps = [
        answer["value"] for answer in run(page, [["walk", describe(n), NETWORKS[n].size] for n in NETWORKS])
    ]
    totals = [answer["value"] for answer in run(page, [["total", one] for one in steps])]
    summaries = [summarize_network(name, network.size) for name, network in NETWORKS.items()]
    assert totals == [{"params": one.total_params, "macs": one.total_macs} for one in summaries]
    assert totals[0]["params"] == 61_706
    assert [round(one["params"] / 1e6) for one in totals[1:]] == [133, 133, 138, 144]


def test_formulas_give_the_numbers(page, layers):
    """Factors, letters and biases belong together."""
    answers = run(page, [["threeWays", setting] for setting, _ in layers])
    for (setting, _), answer in zip(layers, answers, strict=True):
        letters = {
            "k": setting["kernel"],
            "cᵢ": setting["inChannels"],
            "cₒ": setting["outChannels"],
            "m": setting["inside"],
        }
        for step in (step for way in answer["value"] for step in way["steps"]):
            assert [letters[letter] for letter in step["symbols"].split("·")] == step["factors"]
            assert letters[step["biases"]] == step["output"][0] if step["biases"] else True


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (["ratio", 5, 5], "1"),
        (["ratio", 1, 2], "1/2"),
        (["ratio", 52_283_392, 462_422_016], "1/8.84"),
        (["ratio", 1, 11_234], "1/11,200"),
        (["ratio", 10, 9], "1.11×"),
        (["ratio", 10_000, 10_001], "≈ 1"),
        (["ratio", 10_001, 10_000], "≈ 1"),
        (["percent", 0, 7], ""),
        (["percent", 7, 7], "100.0 %"),
        (["percent", 1, 8], "12.5 %"),
        (["percent", 1, 1001], "< 0.1 %"),
    ],
)
def test_words(page, call, text):
    assert run(page, [call]) == [{"value": text}]


@pytest.mark.parametrize(
    ("name", "size", "message"),
    [
        ("LeNet", 32, "layer 5 linear takes 400 numbers, but 16·6·6 = 576 come in"),
        ("LeNet", 8, "layer 3 conv 5×5 does not fit on 4×4 cells"),
        ("LeNet", 30, "LeNet takes images of 28×28 alone"),
        ("VGG B", 31, "layer 15 pool 2×2 does not fit on 1×1 cells"),
        ("VGG A", 4, "layer 7 pool 2×2 does not fit on 1×1 cells"),
    ],
)
def test_refusal_says_why(page, name, size, message):
    assert run(page, [["walk", describe(name), size]]) == [{"error": f"RangeError: {message}"}]


# ---- the comparison notices a wrong count ----


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("(bias ? output[0] : 0)", "(bias ? 1 : 0)"),
        ("product(output.slice(1))", "product(output)"),
        ("shape(from), [k, k, from]", "shape(from), [k, k, to]"),
        ('"k·k·cᵢ", false', '"k·k·cᵢ", bias'),
        ("[k, k, inside, inside]", "[k, k, inside, to]"),
        ("shape(inside), [from, inside]", "shape(to), [from, inside]"),
    ],
)
def test_spoiled_layers_are_noticed(page, layers, good, bad):
    assert SOURCE.count(good) == 1
    assert wrong_layers(page, layers, SOURCE.replace(good, bad)) != []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("size + 2 * padding", "size + padding"),
        ("return steps + 1", "return steps"),
        ("fixed && size", "false && size"),
        ("steps >= 0", "steps >= -1"),
        ("[given, out]", "[given, given]"),
        ("shape = row.output", "shape = shape"),
    ],
)
def test_spoiled_networks_are_noticed(page, good, bad):
    assert SOURCE.count(good) == 1
    assert wrong_networks(page, [28, 30, 31, 32, 100, 224], SOURCE.replace(good, bad)) != []


# ---- the module keeps to itself, and is small ----


def test_module_is_pure():
    code = re.sub(r"//.*", "", re.sub(r"/\*.*?\*/", "", SOURCE, flags=re.DOTALL))
    reached = re.findall(r"\b(document|window|globalThis|self|fetch|import|console|Date|random)\b", code)
    assert reached == []


def test_module_is_light():
    assert len(gzip.compress(SOURCE.encode())) < 3 * 1024
