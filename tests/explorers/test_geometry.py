"""The figures' arithmetic, run in a real browser, equals PyTorch's and that of d2lconv.shapes."""

import gzip
import json
import re
from collections import Counter
from itertools import chain
from pathlib import Path

import pytest
import torch
from tests.explorers import geometry_cases as draw

SOURCE = (Path(__file__).parents[2] / "src/d2lconv/widgets/static/geometry.js").read_text(encoding="utf-8")

# Run a batch of calls [name, ...arguments]. Single-precision numbers that JSON lacks travel as text.
RUN = """async ([source, batch]) => {
  const address = URL.createObjectURL(new Blob([source], {type: "text/javascript"}));
  const geometry = await import(address);
  const read = (key, value) => (key === "data" ? Float32Array.from(value) : value);
  const write = (key, value) => value instanceof Float32Array
    ? Array.from(value, (x) => x).map((x) => (Number.isFinite(x) ? x : String(x))) : value;
  const answer = ([name, ...given]) => {
    try {
      return {value: geometry[name](...given)};
    } catch (error) {
      return {error: [error.name, error.message]};
    }
  };
  return JSON.stringify(JSON.parse(batch, read).map(answer), write);
}"""

# Evaluate one expression with the module as g and tensors of zeros; return what it complains of.
COMPLAIN = """async ([source, expression]) => {
  const g = await import(URL.createObjectURL(new Blob([source], {type: "text/javascript"})));
  const zeros = (...shape) => ({data: new Float32Array(shape.reduce((a, b) => a * b, 1)), shape});
  try {
    return `no error: ${JSON.stringify(Function("g", "zeros", `return ${expression}`)(g, zeros))}`;
  } catch (error) {
    return `${error.name}: ${error.message}`;
  }
}"""


@pytest.fixture(scope="module")
def page(browser):
    page = browser.new_page()
    yield page
    page.close()


@pytest.fixture(scope="module")
def batches():
    return {
        "convolutions": draw.convolutions(800, seed=1),
        "poolings": draw.poolings(800, seed=2),
        "sizes": draw.sizes(900, seed=3),
        "paddings": draw.paddings(100, seed=4),
        "fields": draw.fields(200, seed=5),
        "costs": draw.costs(100, seed=6),
        "windows": draw.windows(3000, seed=7),
    }


def faults(page, cases, source=SOURCE):
    """List the calls that the browser answers wrongly."""
    answers = json.loads(page.evaluate(RUN, [source, json.dumps([case.call for case in cases])]))
    found = [case.fault(answer) for case, answer in zip(cases, answers, strict=True)]
    return [fault for fault in found if fault is not None]


@pytest.mark.parametrize(
    "name", ["convolutions", "poolings", "sizes", "paddings", "fields", "costs", "windows"]
)
def test_browser_agrees(page, batches, name):
    found = faults(page, batches[name])
    assert found == [], f"{len(found)} of {len(batches[name])}\n" + "\n".join(found[:5])


def test_cases_are_many_and_reach_the_edges(batches):
    operators = batches["convolutions"] + batches["poolings"]
    assert sum("refused" not in case.kinds for case in operators) >= 1000
    counts = Counter(chain.from_iterable(case.kinds for case in operators))
    rare = {
        kind: counts[kind]
        for kind in (
            "refused",
            "stride beyond kernel",
            "dilation",
            "four sides",
            "mode",
            "groups",
            "depthwise",
            "1×1",
            "input of one cell",
            "kernel as large as input",
            "ceil mode",
            "hangs over",
            "only padding",
            "NaN",
        )
        if counts[kind] < 10
    }
    assert rare == {}
    assert sum("refused" in case.kinds for case in batches["sizes"]) > 50
    assert sum("dropped" in case.kinds for case in batches["windows"]) > 50
    assert sum(case.exact for case in operators) > 500


@pytest.mark.parametrize(
    ("expression", "message"),
    [
        ("g.convOutputSize(NaN, 3)", "size must be an integer, got NaN"),
        ("g.convOutputSize(Infinity, 3)", "size must be an integer, got Infinity"),
        ("g.convOutputSize('5', 3)", "size must be an integer, got '5'"),
        ("g.convOutputSize(5, 2.5)", "kernel_size must be an integer, got 2.5"),
        ("g.convOutputSize(5, null)", "kernel_size must be an integer, got null"),
        ("g.convOutputSize(5, 3, {stride: -0})", "stride must be at least 1, got 0"),
        ("g.convOutputSize(4097, 3)", "size must be at most 4096, got 4097"),
        (
            "g.convOutputSize([5, 5], [3])",
            "kernel_size must be an integer or a pair (height, width), got (3,)",
        ),
        ("g.poolOutputSize([5, 5], 3, {padding: 'same'})", "padding must be an integer, got 'same'"),
        (
            "g.poolOutputSize([5, 5], [3, 2], {padding: 2})",
            "padding must be at most half of kernel_size (3, 2), got 2",
        ),
        (
            "g.convOutputSize([2, 9], 3, {padding: [0, 0, 1, 2]})",
            "kernel_size (3, 3) with dilation (1, 1) spans more cells than the padded input: 3 > 0 + 2 + 0 "
            "(input size (2, 9), padding ((0, 0), (1, 2)))",
        ),
        ("g.windowCells(0, 3, g.convAxes([5, 5], 3))", "col must be at most 2, got 3"),
        ("g.windowCells(NaN, 0, g.convAxes([5, 5], 3))", "row must be an integer, got NaN"),
        ("g.conv2d(zeros(4, 4), zeros(1, 1, 3, 3))", "X must have shape (C_in, H, W), got (4, 4)"),
        (
            "g.conv2d(zeros(3, 4, 4), zeros(1, 2, 3, 3))",
            "weight of shape (1, 2, 3, 3) with groups=1 needs an X with 2 × 1 = 2 channels, "
            "got 3 in X of shape (3, 4, 4)",
        ),
        (
            "g.conv2d(zeros(2, 4, 4), zeros(3, 1, 3, 3), null, {groups: 2})",
            "weight of shape (3, 1, 3, 3) with groups=2: groups must divide the number of output channels, 3",
        ),
        (
            "g.conv2d(zeros(1, 4, 4), zeros(2, 1, 3, 3), zeros(3))",
            "bias must hold one number for each of 2 output channels, got 3",
        ),
        (
            "g.maxPool2d({data: new Float32Array(3), shape: [1, 2, 2]}, 2)",
            "X of shape (1, 2, 2) must hold 4 numbers, got 3",
        ),
        ("g.maxPool2d(zeros(1, 0, 2), 2)", "size of X must be at least 1, got 0"),
        (
            "g.conv2d(zeros(1, 9, 9), zeros(1, 1, 9, 9), null, {padding: 4096})",
            f"number of operations must be at most 67108864, got {8193**2 * 81}",
        ),
        (
            "g.receptiveField(Array(5).fill({kernelSize: 1, stride: 4096}))",
            f"receptive field must be at most {2**53 - 1}, got 1152921504606847000",
        ),
        (
            "g.effectiveField([{kernelSize: 3, dilation: 4000}])",
            "receptive field must be at most 4096, got 8001",
        ),
        (
            "g.macCount(4096, 4096, 1024, 4096)",
            f"number of multiply-adds must be at most {2**53 - 1}, got 295147905179352830000",
        ),
    ],
)
def test_refusal_says_what_is_allowed(page, expression, message):
    assert page.evaluate(COMPLAIN, [SOURCE, expression]) == f"RangeError: {message}"


def test_largest_setting_is_answered(page):
    large = {"size": 4096, "kernel": 4096, "stride": 1, "before": 4095, "after": 4095, "dilation": 1}
    small = {"size": 3, "kernel": 2, "stride": 2, "before": 0, "after": 0, "dilation": 1, "out": 1}
    axes = [{**large, "out": 8191}, small]
    options = {"padding": [4095, 4095, 0, 0], "stride": [1, 2]}
    cases = [
        draw.Case("convAxes", [[4096, 3], [4096, 2], options], axes),
        draw.Case("droppedCells", [axes], {"rows": [], "cols": [2]}),
    ]
    assert faults(page, cases) == []


# ---- the comparison notices a wrong sign ----

SPOILED = [
    ("windows", "place * stride - before + u", "place * stride + before + u"),
    ("windows", "+ u * dilation);", "+ u);"),
    ("windows", "(cell + before - u * dilation)", "(cell - before - u * dilation)"),
    ("windows", "place >= 0 && place < out", "place >= 0"),
    ("windows", "filter((i) => !held[i])", "filter((i) => held[i])"),
    ("sizes", ": Math.floor(steps)", ": Math.ceil(steps)"),
    ("sizes", "* s < before + n", "* s <= before + n"),
    ("sizes", "2 * amount > setting", "2 * amount >= setting"),
    ("sizes", "at least ${minimum}", "${minimum} or more"),
    (
        "paddings",
        "[Math.floor(reach / 2), Math.ceil(reach / 2)]",
        "[Math.ceil(reach / 2), Math.floor(reach / 2)]",
    ),
    ("convolutions", "if (out < 1)", "if (out < 0)"),
    ("convolutions", "cell >= 0 && cell < axis.size", "cell >= -1 && cell < axis.size"),
    ("convolutions", "Math.floor((o * groups) / outChannels) * perGroup", "0"),
    ("convolutions", "bias ? bias.data[o] : 0", "0"),
    ("convolutions", "sum += weight", "sum -= weight"),
    ("poolings", "number), -Infinity)", "number), 0)"),
    ("poolings", "cell < axis.size + axis.after)", "cell < axis.size)"),
    ("poolings", "countIncludePad ? counted : numbers.length", "counted"),
    ("fields", "field.start[axis] -= sides", "field.start[axis] += sides"),
    ("fields", "- 1) * field.stride[axis]", "- 1)"),
    ("fields", "place * s + u * d", "place * s + u"),
    ("costs", "(inChannels / groups)", "inChannels"),
    ("costs", "bias ? outChannels : 0", "bias ? inChannels : 0"),
]


@pytest.mark.parametrize(("name", "good", "bad"), SPOILED)
def test_spoiled_arithmetic_is_noticed(page, batches, name, good, bad):
    assert SOURCE.count(good) == 1
    assert faults(page, batches[name], SOURCE.replace(good, bad)) != []


def test_tolerance_is_narrow():
    expected = torch.tensor([1.0])
    near, far = ({"shape": [1], "data": [1 + error]} for error in (1e-6, 1e-4))
    assert draw.same_tensor(near, expected, exact=False)
    assert not draw.same_tensor(near, expected, exact=True)
    assert not draw.same_tensor(far, expected, exact=False)


# ---- the module keeps to itself, and is small ----


def test_module_is_pure():
    code = re.sub(r"//.*", "", re.sub(r"/\*.*?\*/", "", SOURCE, flags=re.DOTALL))
    reached = re.findall(r"\b(document|window|globalThis|self|fetch|import|console|Date|random)\b", code)
    assert reached == []


def test_module_is_light():
    assert len(gzip.compress(SOURCE.encode())) < 6 * 1024
