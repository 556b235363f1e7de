"""The costs that the browser computes are those that d2lconv.summary counts, layer by layer."""

import functools
import json
import random

import pytest

from d2lconv.widgets.cost.networks import NETWORKS, describe, summarize_network, three_ways

# Run a batch of calls [name, ...arguments].
RUN = """(costs, batch) => batch.map(([name, ...given]) => {
  try {
    return {value: costs[name](...given)};
  } catch (error) {
    return {error: `${error.name}: ${error.message}`};
  }
})"""

KINDS = ("Conv2d", "Pool2d", "Linear")


@pytest.fixture
def ask(run):
    """Return a function that makes some calls, of the script as it is or changed."""

    def call(calls, *replaced):
        return run("cost/costs.js", RUN, json.loads(json.dumps(calls)), replaced)

    return call


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


@functools.cache
def listed_network(name, size):
    """List the layers of a network, or nothing where it does not take images of this size."""
    try:
        return listed(summarize_network(name, size))
    except ValueError:
        return None


def shown(steps):
    return [(step["output"], step["params"], step["macs"]) for step in steps]


NAMES = ("inChannels", "outChannels", "bottleneck", "kernel", "size", "bias")


@pytest.fixture(scope="module")
def layers():
    """Return settings with their summaries."""
    return [(dict(zip(NAMES, one, strict=True)), ways_of(one)) for one in settings(100, seed=1)]


def ways_of(setting):
    inside, outside, between, kernel, size, bias = setting
    return three_ways(inside, outside, between, kernel, size, bias)


def wrong_layers(ask, layers, *replaced):
    """List the settings for which the browser counts something else."""
    answers = ask([["threeWays", setting] for setting, _ in layers], *replaced)
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


def wrong_networks(ask, sizes, *replaced):
    """List the networks and image sizes for which the browser counts something else, or refuses wrongly."""
    cases = [(name, size) for name in NETWORKS for size in sizes]
    networks = {name: describe(name) for name in NETWORKS}
    answers = ask([["walk", networks[name], size] for name, size in cases], *replaced)
    wrong = []
    for (name, size), answer in zip(cases, answers, strict=True):
        expected = listed_network(name, size)
        found = shown(answer["value"]) if "value" in answer else None
        if found != expected or (found is None and not answer["error"].startswith("RangeError: ")):
            wrong.append((name, size))
    return wrong


def test_layers_cost_what_the_package_counts(ask, layers):
    assert wrong_layers(ask, layers) == []


def test_networks_cost_what_the_package_counts(ask):
    assert wrong_networks(ask, [4, 8, 15, 16, 20, *range(27, 34), 47, 63, 64, 65, 99, 191, 223, 224]) == []


def test_totals(ask):
    steps = [answer["value"] for answer in ask([["walk", describe(n), NETWORKS[n].size] for n in NETWORKS])]
    totals = [answer["value"] for answer in ask([["total", one] for one in steps])]
    summaries = [summarize_network(name, network.size) for name, network in NETWORKS.items()]
    assert totals == [{"params": one.total_params, "macs": one.total_macs} for one in summaries]
    assert totals[0]["params"] == 61_706
    assert [round(one["params"] / 1e6) for one in totals[1:]] == [133, 133, 138, 144]


def test_formulas_give_the_numbers(ask, layers):
    """Factors, letters and biases belong together."""
    answers = ask([["threeWays", setting] for setting, _ in layers])
    for (setting, _), answer in zip(layers, answers, strict=True):
        letters = {
            "k": setting["kernel"],
            "cᵢ": setting["inChannels"],
            "cₒ": setting["outChannels"],
            "m": setting["bottleneck"],
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
        (["percent", 7, 7], "100.0%"),
        (["percent", 1, 8], "12.5%"),
        (["percent", 1, 1001], "< 0.1%"),
    ],
)
def test_words(ask, call, text):
    assert ask([call]) == [{"value": text}]


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
def test_refusal_says_why(ask, name, size, message):
    assert ask([["walk", describe(name), size]]) == [{"error": f"RangeError: {message}"}]


# ---- the comparison notices a wrong count ----

SPOILED_LAYERS = [
    ("(bias ? output[0] : 0)", "(bias ? 1 : 0)"),
    ("product(output.slice(1))", "product(output)"),
    ("shape(cIn), [k, k, cIn]", "shape(cIn), [k, k, cOut]"),
    ('"k·k·cᵢ", false', '"k·k·cᵢ", bias'),
    ("[k, k, m, m]", "[k, k, m, cOut]"),
    ("shape(m), [cIn, m]", "shape(cOut), [cIn, m]"),
]
SPOILED_NETWORKS = [
    ("{ stride, padding }", "{ stride }"),
    ("[0].out", "[0].out + 1"),
    ("fixed && size", "false && size"),
    ("[given, out]", "[given, given]"),
    ("shape = row.output", "shape = shape"),
]


def test_spoiled_counts_are_noticed(ask, layers):
    for spoiled in SPOILED_LAYERS:
        assert wrong_layers(ask, layers[:40], spoiled) != [], spoiled
    for spoiled in SPOILED_NETWORKS:
        assert wrong_networks(ask, [28, 30, 31, 32, 65], spoiled) != [], spoiled
