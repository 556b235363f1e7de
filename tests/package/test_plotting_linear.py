"""The figure of a fully connected layer, against PyTorch's own layer."""

import matplotlib.pyplot as plt
import pytest
import torch
from tests.package.figures import below, cells, lines, marked
from torch import nn

from d2lconv.plotting import draw_linear


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def layer_of_integers(inputs, neurons, bias, seed=0):
    torch.manual_seed(seed)
    layer = nn.Linear(inputs, neurons, bias=bias)
    with torch.no_grad():
        for parameter in layer.parameters():
            parameter[:] = torch.randint(-9, 10, parameter.shape)
    return layer, torch.randint(-9, 10, (inputs,)).float()


def written(tensor):
    return [str(round(number)).replace("-", "−") for number in tensor.flatten().tolist()]


def labels_on_lines(ax):
    """Return the texts that lie on the lines, with their positions (column, row)."""
    return [(text.get_text(), text.get_position()) for text in ax.texts if text.get_bbox_patch() is not None]


SHAPES = [(3, 2), (1, 1), (4, 1), (1, 5), (2, 4)]


@pytest.mark.parametrize(("inputs", "neurons"), SHAPES)
@pytest.mark.parametrize("bias", [True, False])
def test_numbers_are_those_of_a_layer(inputs, neurons, bias):
    layer, x = layer_of_integers(inputs, neurons, bias)
    neuron = neurons - 1
    ax = draw_linear(x, layer.weight, layer.bias, neuron=neuron)
    W, b, y = written(layer.weight), written(layer.bias) if bias else [], written(layer(x))
    assert [cell.text for cell in cells(ax)] == [*written(x), *y, *W, *written(x), *b, *y]
    row = written(layer.weight[neuron])
    assert marked(ax) == [y[neuron], *row, *b[neuron:], y[neuron]]

    total, result = below(ax).replace("−", "-").replace("·", "*").split(" = ")
    assert eval(total) == int(result) == layer(x)[neuron].item()
    assert total.count("*") == inputs
    assert {"W", "x", "y", "·", "="} <= {text.get_text() for text in ax.texts}
    assert ("b" in {text.get_text() for text in ax.texts}) == bias


@pytest.mark.parametrize(("inputs", "neurons"), SHAPES)
def test_lines_join_every_input_with_every_neuron(inputs, neurons):
    layer, x = layer_of_integers(inputs, neurons, bias=True)
    neuron = neurons - 1
    ax = draw_linear(x, layer.weight, layer.bias, neuron=neuron)
    drawn = cells(ax)
    left = [cell.row for cell in drawn[:inputs]]
    right = [cell.row for cell in drawn[inputs : inputs + neurons]]
    strong, weak = lines(ax, "highlight"), lines(ax, "kernel")
    rows = {(round(start[1], 6), round(end[1], 6)) for start, end in strong + weak}
    assert rows == {(a, b) for a in left for b in right}
    assert len(strong) + len(weak) == inputs * neurons
    assert {round(end[1], 6) for _, end in strong} == {right[neuron]}

    on_lines = labels_on_lines(ax)
    assert [text for text, _ in on_lines] == written(layer.weight[neuron])
    for (_, (column, row)), ((x0, y0), (x1, y1)) in zip(on_lines, strong, strict=True):
        assert x0 < column < x1
        assert row == pytest.approx(y0 + (column - x0) / (x1 - x0) * (y1 - y0))


@pytest.mark.parametrize(("inputs", "neurons"), SHAPES)
def test_everything_lies_inside_and_nothing_overlaps(inputs, neurons):
    layer, x = layer_of_integers(inputs, neurons, bias=True)
    ax = draw_linear(x, layer.weight, layer.bias)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    drawn = cells(ax)
    for cell in drawn:
        assert left <= cell.column - 0.5 <= cell.column + 0.5 <= right
        assert top <= cell.row - 0.5 <= cell.row + 0.5 <= bottom
    centres = [(cell.column, cell.row) for cell in drawn]
    for i, (column, row) in enumerate(centres):
        assert all(max(abs(column - c), abs(row - r)) > 0.999 for c, r in centres[i + 1 :])
    renderer = ax.figure.canvas.get_renderer()
    boxes = [text.get_window_extent(renderer) for text in ax.texts if text.get_text()]
    for i, box in enumerate(boxes):
        assert not any(box.overlaps(other) for other in boxes[i + 1 :])


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw_linear([1], [1]), ValueError, r"W must have shape \(m, n\), got \(1,\)"),
        (lambda: draw_linear([], [[]]), ValueError, r"W must have shape \(m, n\), got \(1, 0\)"),
        (
            lambda: draw_linear([1, 2], [[1, 2, 3]]),
            ValueError,
            r"x must have shape \(3,\) for W of \(1, 3\), got \(2,\)",
        ),
        (
            lambda: draw_linear([[1, 2, 3]], [[1, 2, 3]]),
            ValueError,
            r"x must have shape \(3,\) .* got \(1, 3\)",
        ),
        (
            lambda: draw_linear([1], [[1], [2]], [3]),
            ValueError,
            r"b must have shape \(2,\) for W of \(2, 1\), got \(1,\)",
        ),
        (lambda: draw_linear([1], [[1]], neuron=1), ValueError, r"neuron must be less than the 1 rows .* 1"),
        (lambda: draw_linear([1], [[1]], neuron=-1), ValueError, r"neuron must be at least 0, got -1"),
        (lambda: draw_linear([1], [[1]], neuron=0.0), TypeError, r"neuron must be an integer, got 0.0"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not plt.get_fignums()
