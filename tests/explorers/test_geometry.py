"""The figures' arithmetic, run in a real browser, equals PyTorch's and that of d2lconv.shapes."""

import json
from collections import Counter
from itertools import chain

import pytest
import torch
from tests.explorers import geometry_cases as draw

# Run a batch of calls [name, ...arguments]. Single-precision numbers that JSON lacks travel as text.
RUN = """(geometry, batch) => {
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


@pytest.fixture(scope="module")
def batches():
    return {
        "convolutions": draw.convolutions(800, seed=1),
        "poolings": draw.poolings(800, seed=2),
        "sizes": draw.sizes(900, seed=3),
        "paddings": draw.paddings(100, seed=4),
        "fields": draw.fields(200, seed=5),
        "windows": draw.windows(3000, seed=7),
    }


@pytest.fixture
def faults(run):
    """Return a function that lists the calls that the browser answers wrongly."""

    def find(cases, *replaced):
        batch = json.dumps([case.call for case in cases])
        answers = json.loads(run("shared/geometry.js", RUN, batch, replaced))
        found = [case.fault(answer) for case, answer in zip(cases, answers, strict=True)]
        return [fault for fault in found if fault is not None]

    return find


def test_browser_agrees(faults, batches):
    for name, cases in batches.items():
        found = faults(cases)
        assert found == [], f"{name}: {len(found)} of {len(cases)}\n" + "\n".join(found[:5])


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


# ---- the comparison notices a wrong sign ----

SPOILED = [
    ("windows", "position * stride - before + u", "position * stride + before + u"),
    ("windows", "+ u * dilation);", "+ u);"),
    ("windows", "(cell + before - u * dilation)", "(cell - before - u * dilation)"),
    ("windows", "position >= 0 && position < out", "position >= 0"),
    ("windows", "filter((i) => !held[i])", "filter((i) => held[i])"),
    ("sizes", ": Math.floor(steps)", ": Math.ceil(steps)"),
    ("sizes", "* s < before + n", "* s <= before + n"),
    ("sizes", "2 * amount > setting", "2 * amount >= setting"),
    ("sizes", "spans more cells than", "is larger than"),
    (
        "paddings",
        "[Math.floor(zeros / 2), Math.ceil(zeros / 2)]",
        "[Math.ceil(zeros / 2), Math.floor(zeros / 2)]",
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
    ("fields", "(cells - 1) * field.stride[axis]", "(cells - 1)"),
    ("fields", "position * s + u * d", "position * s + u"),
]


def test_spoiled_arithmetic_is_noticed(faults, batches):
    for name, good, bad in SPOILED:
        assert faults(batches[name], (good, bad)) != [], good


def test_too_much_work_is_refused(run):
    huge = """(g) => { try { g.maxPool2d({data: [], shape: [1, 4096, 4096]}, 9, {stride: 1}); }
        catch (error) { return error.message; } }"""
    assert run("shared/geometry.js", huge, None) == "it needs too many operations for a page"


def test_tolerance_is_narrow():
    expected = torch.tensor([1.0])
    near, far = ({"shape": [1], "data": [1 + error]} for error in (1e-6, 1e-4))
    assert draw.same_tensor(near, expected, exact=False)
    assert not draw.same_tensor(near, expected, exact=True)
    assert not draw.same_tensor(far, expected, exact=False)
