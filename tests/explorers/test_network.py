"""Networks that the browser runs give what PyTorch gives, and their numbers are taken apart rightly."""

import functools
import json
import random

import pytest
import torch
from tests.package.networks import as_trained, round_layer
from torch import nn
from torch.nn import functional as F

from d2lconv.widgets.feature_maps import FeatureMapView
from d2lconv.widgets.feature_maps.network import read_network
from d2lconv.widgets.feature_maps.packing import pack, pack_images, pack_rows, unpack
from d2lconv.widgets.feature_maps.running import run_layers

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel")

TOLERANCE = 1e-5  # of the largest number of a layer

# Run networks, and answer for each with its outputs and with what is said of one cell of each layer.
RUN = """(n, cases) => {
  const plain = ({data, shape}) => ({data: Array.from(data), shape});
  return cases.map(({layers, images, index, right, down, place, channel}) => {
    const network = n.prepare(layers);
    const outputs = n.runAll(network, n.moved(n.unpack(images), index, right, down));
    const pixels = images.shape.slice(1);
    const cells = network.flatMap(({kind, shape}, i) => {
      if (shape.length < 3) return [];
      const field = n.fieldThrough(network.slice(0, i + 1));
      const cell = n.cellSeeing(field, place, shape);
      const one = channel % shape[0];
      const own = network[i];
      return [{cell, sides: n.sides(field, cell, pixels), value: n.valueAt(outputs[i + 1], one, ...cell),
        again: n.cellSeeing(field, n.middleOf(field, cell, pixels), shape),
        parts: kind === "conv" ? n.contributions(own, outputs[i], one, cell) : [],
        bias: own.bias ? own.bias.data[one] : 0,
        pooled: kind === "max" || kind === "avg" ? n.pooled(own, outputs[i], one, cell) : []}];
    });
    return {outputs: outputs.map(plain), cells};
  });
}"""


def network(draw, channels, size):
    """Draw a network of up to five layers that fit, half of them with scores."""
    layers, shape = [], (channels, *size)
    for _ in range(draw.randint(1, 5)):
        layer = draw.choice([convolution, convolution, activation, pooling, norm])(draw, shape[0])
        try:
            read = read_network(nn.Sequential(*layers, layer), (channels, *size))
        except ValueError:
            continue
        layers.append(layer)
        shape = tuple(read[-1]["shape"])
    layers = layers or [nn.Tanh()]
    if draw.random() < 0.5:
        numbers = read_network(nn.Sequential(*layers), (channels, *size))[-1]["shape"]
        count = numbers[0] * numbers[1] * numbers[2]
        layers += [nn.Flatten(), nn.Linear(count, 6), nn.ReLU(), nn.Linear(6, 3, bias=False)]
    return nn.Sequential(*layers)


def convolution(draw, channels):
    groups = draw.choice([1, 1, channels])
    same = draw.random() < 0.2
    return nn.Conv2d(
        channels,
        groups * draw.randint(1, 4),
        (draw.randint(1, 5), draw.randint(1, 5)),
        stride=1 if same else (draw.randint(1, 3), draw.randint(1, 3)),
        padding="same" if same else (draw.randint(0, 3), draw.randint(0, 3)),
        dilation=draw.randint(1, 2),
        groups=groups,
        bias=draw.random() < 0.7,
    )


def activation(draw, _):
    return draw.choice([nn.ReLU, nn.Sigmoid, nn.Tanh])()


def norm(draw, channels):
    return as_trained(nn.BatchNorm2d(channels, affine=draw.random() < 0.7))


def pooling(draw, _):
    if draw.random() < 0.3:
        return nn.AdaptiveAvgPool2d((draw.randint(1, 4), None))
    size = (draw.randint(1, 4), draw.randint(1, 4))
    options = {"padding": min(size) // 2 if draw.random() < 0.4 else 0, "ceil_mode": draw.random() < 0.5}
    if draw.random() < 0.3:
        return nn.MaxPool2d(
            size, draw.randint(1, 3), dilation=2
        )  # with padding a window might see nothing else
    if draw.random() < 0.5:
        return nn.MaxPool2d(size, draw.randint(1, 3), **options)
    return nn.AvgPool2d(size, draw.randint(1, 3), count_include_pad=draw.random() < 0.5, **options)


class Case:
    """A network, an image and a place, and what PyTorch says of them."""

    def __init__(self, draw):
        torch.manual_seed(draw.randrange(2**32))
        channels = draw.choice([1, 1, 3])
        size = (draw.randint(5, 16), draw.randint(5, 16))
        self.model = network(draw, channels, size)
        self.layers = read_network(self.model, (channels, *size))
        images = torch.randn(2, channels, *size)
        self.question = {
            "layers": self.layers,
            "images": pack(images),
            "index": draw.randrange(2),
            "right": draw.randint(-4, 4),
            "down": draw.randint(-4, 4),
            "place": [draw.randrange(size[0]), draw.randrange(size[1])],
            "channel": draw.randrange(8),
        }
        self.view = FeatureMapView(self.layers, images, [])
        self.view.image_index = self.question["index"]
        self.view.right, self.view.down = self.question["right"], self.question["down"]
        self.view.place = self.question["place"]

    @functools.cached_property
    def outputs(self):
        """Run PyTorch's own layers with the rounded weights."""
        for layer, spec in zip(self.model, self.layers, strict=True):
            round_layer(layer, spec)
        right, down = self.question["right"], self.question["down"]
        image = unpack(self.question["images"])[self.question["index"]]
        height, width = image.shape[1:]
        X = F.pad(image, (4, 4, 4, 4))[None, :, 4 - down : 4 - down + height, 4 - right : 4 - right + width]
        outputs = [X]
        with torch.no_grad():
            for layer in self.model:
                outputs.append(layer(outputs[-1]))
        return [Y[0] for Y in outputs]

    def faults(self, answer):
        """List what the browser says wrongly."""
        outputs = self.outputs
        found = []
        for i, (given, Y) in enumerate(zip(answer["outputs"], outputs, strict=True)):
            numbers = torch.tensor(given["data"]).reshape(given["shape"])
            close = numbers.shape == Y.shape and (numbers - Y).abs().max() <= TOLERANCE * max(
                1, Y.abs().max()
            )
            if not close:
                found.append(f"output {i} of {self.model}")
        for i, cell in enumerate(answer["cells"]):
            found += [f"{fault} of layer {i} of {self.model}" for fault in self.cell_faults(i, cell, outputs)]
        return found

    def cell_faults(self, i, found, outputs):
        self.view.layer = i + 1
        cell, corner, size = self.view.field()
        spec, Y = self.layers[i], outputs[i + 1]
        channel = self.question["channel"] % len(Y)
        value = float(Y[channel][cell])
        pixels = self.question["images"]["shape"][2:]
        ends = [[max(a, 0), min(a + n, m)] for a, n, m in zip(corner, size, pixels, strict=True)]
        close = lambda a: a == pytest.approx(value, rel=1e-4, abs=1e-4)  # noqa: E731
        if tuple(found["cell"]) != cell:
            yield "cell"
        if found["sides"] != ends:
            yield "sides"
        middle = all(
            2 * a + n - 1 >= 0 and a + n // 2 <= m for a, n, m in zip(corner, size, pixels, strict=True)
        )
        if middle and tuple(found["again"]) != cell:
            yield "way back"
        if not close(found["value"]):
            yield "value"
        if spec["kind"] == "conv":
            if not close(found["bias"] + sum(part["sum"] for part in found["parts"])):
                yield "sum of parts"
            yield from self.part_faults(i, found["parts"], channel, outputs[i])
        if spec["kind"] == "max" and found["pooled"] and not close(max(found["pooled"])):
            yield "maximum"
        plain = spec.get("padding") == [0, 0] and not spec["ceilMode"]
        if spec["kind"] == "avg" and plain and not close(sum(found["pooled"]) / len(found["pooled"])):
            yield "mean"

    def part_faults(self, i, parts, channel, X):
        """Compare with a convolution of one input channel alone."""
        layer = self.model[i]
        strengths = [abs(part["sum"]) for part in parts]
        if strengths != sorted(strengths, reverse=True):
            yield "order"
        per_group = layer.in_channels // layer.groups
        first = channel // (layer.out_channels // layer.groups) * per_group
        if sorted(part["channel"] for part in parts) != list(range(first, first + per_group)):
            yield "channels"
            return
        for part in parts:
            kernel = torch.tensor(part["kernel"])
            if not torch.allclose(kernel, layer.weight.detach()[channel, part["channel"] - first]):
                yield "kernel slice"
            window = torch.tensor(part["window"])
            if part["sum"] != pytest.approx(float((window * kernel).sum()), rel=1e-4, abs=1e-5):
                yield "window"
            if not all((X[part["channel"]] - x).abs().min() < 1e-4 for x in window.flatten() if x):
                yield "numbers in the window"


@pytest.fixture(scope="module")
def cases():
    draw = random.Random(5)
    return [Case(draw) for _ in range(120)]


@pytest.fixture
def faults(run):
    """Return a function that lists what the script, as it is or changed, says wrongly."""

    def find(cases, *replaced):
        answers = run("feature_maps/network.js", RUN, [case.question for case in cases], replaced)
        return (fault for case, answer in zip(cases, answers, strict=True) for fault in case.faults(answer))

    return find


def test_browser_computes_what_pytorch_computes(faults, cases):
    found = list(faults(cases))
    assert found == [], f"{len(found)}\n" + "\n".join(found[:5])


def test_cases_reach_the_edges(cases):
    specs = [spec for case in cases for spec in case.layers]
    kinds = [spec["kind"] for spec in specs]
    assert (
        min(kinds.count(kind) for kind in ("conv", "norm", "max", "avg", "relu", "sigmoid", "tanh", "linear"))
        >= 12
    )
    convolutions = [spec for spec in specs if spec["kind"] == "conv"]
    assert sum(spec["groups"] > 1 for spec in convolutions) > 12
    assert sum(spec["bias"] is None for spec in convolutions) > 12
    assert sum(len(set(spec["padding"])) > 1 for spec in convolutions) > 12
    assert sum(spec.get("ceilMode", False) for spec in specs) > 12


def test_python_computes_the_same(cases):
    for case in cases[:40]:
        outputs = case.outputs
        for Y, expected in zip(run_layers(case.layers, outputs[0]), outputs[1:], strict=True):
            torch.testing.assert_close(Y, expected, rtol=1e-4, atol=1e-5)


SPOILED = [
    ("Math.max(x, 0)", "Math.abs(x)"),
    ("1 / (1 + Math.exp(-x))", "1 / (1 + Math.exp(x))"),
    ("getInt16(2 * i, true)", "getInt16(2 * i, false)"),
    ("Math.max(down, 0)", "Math.max(-down, 0)"),
    ("row - down", "row + down"),
    ("Math.round(", "Math.floor("),
    ("- (size[axis] - 1) / 2) / stride", "- size[axis] / 2) / stride"),
    ("Math.min(first + size[axis], cells[axis])", "first + size[axis]"),
    ("cell[axis] * stride[axis] + u", "cell[axis] + u"),
    ("u * layer.dilation[axis]", "u"),
    ("Math.floor((channel * layer.groups) / outChannels) * perGroup", "0"),
    ("Math.abs(b.sum) - Math.abs(a.sum)", "a.sum - b.sum"),
    ("data[i * inputs + j] * X.data[j]", "data[i + j] * X.data[j]"),
    ("avgPool2d(X, kernelSize, layer)", "maxPool2d(X, kernelSize, layer)"),
    ("conv2d(X, weight, bias, layer)", "conv2d(X, weight, null, layer)"),
]


def test_a_wrong_script_is_noticed(faults, cases):
    for spoiled in SPOILED:
        assert any(any(faults(cases[first : first + 5], spoiled)) for first in range(0, 50, 5)), spoiled


def test_numbers_travel_unchanged(run):
    values = torch.tensor([[-1.0, 0.5, 0.25], [3e-5, 0.0, 1.0]])
    read = "(n, packed) => Array.from(n.unpack(packed).data)"
    for packed in (pack(values), pack_rows(values), pack_images((values.abs() * 255).round() / 255)):
        found = run("feature_maps/network.js", read, json.loads(json.dumps(packed)))
        assert torch.equal(torch.tensor(found).reshape(2, 3), unpack(packed))
