"""The figures of channels: sums, matrix products and connections, against PyTorch's own layers."""

import matplotlib.pyplot as plt
import pytest
import torch
from tests.package.figures import below, cells, lines, marked, texts_of
from torch import nn
from torch.nn import functional as F

from d2lconv.plotting import draw_channels, draw_connections, draw_one_by_one, draw_separable

X = torch.stack([torch.arange(9.0).reshape(3, 3), torch.arange(1.0, 10.0).reshape(3, 3)])
K = torch.stack([torch.arange(4.0).reshape(2, 2), torch.arange(1.0, 5.0).reshape(2, 2)])[None]


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def integers(*shape, seed=0):
    return torch.randint(-4, 5, shape, generator=torch.Generator().manual_seed(seed)).float()


def written(tensor):
    return [str(round(number)).replace("-", "−") for number in tensor.flatten().tolist()]


def of(drawn, left, right):
    """Return the texts of the cells in some columns."""
    return [cell.text for cell in drawn if left <= cell.column < right]


def test_channels_show_slices_products_and_sum():
    ax = draw_channels(X, K, cell=(1, 0))
    drawn = cells(ax)
    assert of(drawn, 0, 3) == written(X)
    assert of(drawn, 4, 6.3) == written(K)
    assert of(drawn, 7, 9) == [
        *["19", "25", "37", "43"],
        *["37", "47", "67", "77"],
        *["56", "72", "104", "120"],
    ]
    assert marked(ax) == [*["3", "4", "6", "7"], "37", *["4", "5", "7", "8"], "67", "104"]
    assert below(ax) == "37 + 67 = 104"
    labels = [text.get_text() for text in ax.texts if "[" in text.get_text()]
    assert labels == ["X[0]", "K[0, 0]", "X[1]", "K[0, 1]", "Y[0] ="]


@pytest.mark.parametrize(("groups", "channel"), [(1, 0), (1, 3), (2, 1), (2, 2), (4, 3)])
@pytest.mark.parametrize("bias", [False, True])
def test_channels_agree_with_pytorch(groups, channel, bias):
    image, weight, offsets = integers(4, 4, 5), integers(4, 4 // groups, 2, 3, seed=1), integers(4, seed=2)
    Y = F.conv2d(image[None], weight, offsets if bias else None, groups=groups)[0, channel]
    ax = draw_channels(image, weight, offsets if bias else None, groups=groups, channel=channel, cell=(2, 1))
    drawn, labels = cells(ax), [text.get_text() for text in ax.texts]
    each = 4 // groups
    first = channel // each * each
    assert of(drawn, 0, 5) == written(image)
    unseen = [i for i in range(4) if not first <= i < first + each]
    assert texts_of(ax, "padding") == [text for i in unseen for text in written(image[i])]
    assert of(drawn, 6, 9.3) == written(weight[channel])
    products = [
        F.conv2d(image[None, first + i : first + i + 1], weight[None, channel, i : i + 1])[0, 0]
        for i in range(each)
    ]
    alone = each == 1 and not bias
    expected = [text for product in products for text in written(product)]
    expected += [*written(offsets[channel : channel + 1])] * bias + written(Y) * (not alone)
    assert of(drawn, 10, 13) == expected
    assert [label for label in labels if label[:2] == "K["] == [f"K[{channel}, {i}]" for i in range(each)]
    if alone:
        assert written(Y) == [text for product in products for text in written(product)]
        assert labels[-1] == f"Y[{channel}]"
    else:
        total, result = below(ax).replace("−", "-").split(" = ")
        assert eval(total) == int(result) == Y[2, 1].item()
        assert (f"b[{channel}]" in labels) == bias


def test_one_by_one_is_a_matrix_product():
    image, weight = torch.arange(27.0).reshape(3, 3, 3), integers(2, 3, 1, 1)
    Y = F.conv2d(image[None], weight)[0]
    ax = draw_one_by_one(image, weight, pixel=(1, 2))
    assert [cell.text for cell in cells(ax)] == [
        *written(image),
        *written(image.reshape(3, 9)),
        *written(weight),
        *written(weight.reshape(2, 3) @ image.reshape(3, 9)),
        *written(Y),
    ]
    pixel, result = written(image[:, 1, 2]), written(Y[:, 1, 2])
    assert marked(ax) == [*pixel, *pixel, *written(weight[0]), *result, *result]
    columns = {
        cell.column for cell in cells(ax) if cell.marked and cell.text in pixel and cell.row in (0, 1, 2)
    }
    assert columns == {5}  # the pixel's column runs on through the product
    total, first = below(ax).replace("−", "-").replace("·", "*").split(" = ")
    assert eval(total) == int(first) == Y[0, 1, 2].item()
    assert {"X\n3×9", "K  2×3", "Y = K·X  2×9"} <= {text.get_text() for text in ax.texts}


@pytest.mark.parametrize("shape", [(1, 1, 1, 1), (1, 4, 2, 2), (4, 1, 1, 3), (2, 5, 3, 1)])
def test_one_by_one_keeps_everything_inside(shape):
    c_in, c_out, h, w = shape
    ax = draw_one_by_one(integers(c_in, h, w), integers(c_out, c_in, 1, 1))
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    for cell in cells(ax):
        assert left <= cell.column - 0.5 <= cell.column + 0.5 <= right
        assert top <= cell.row - 0.5 <= cell.row + 0.5 <= bottom


@pytest.mark.parametrize(
    ("in_channels", "out_channels", "groups"), [(4, 4, 1), (4, 6, 2), (3, 6, 3), (1, 5, 1)]
)
@pytest.mark.parametrize("kernel_size", [1, 3, (2, 5)])
def test_connections_are_those_of_a_layer(in_channels, out_channels, groups, kernel_size):
    layer = nn.Conv2d(in_channels, out_channels, kernel_size, groups=groups, bias=False)
    last = out_channels - 1
    ax = draw_connections(in_channels, out_channels, kernel_size, groups=groups, channel=last)
    assert int(below(ax).split(" = ")[1]) == layer.weight.numel()
    slices = layer.weight.shape[0] * layer.weight.shape[1]
    strong = lines(ax, "highlight")
    assert len(strong) == layer.weight.shape[1]
    assert len(strong) + len(lines(ax, "kernel")) == slices
    inputs = {cell.row: int(cell.text) for cell in cells(ax) if cell.column == 0}
    outputs = {cell.row: int(cell.text) for cell in cells(ax) if cell.column > 0}
    assert sorted(inputs.values()) == list(range(in_channels))
    assert sorted(outputs.values()) == list(range(out_channels))
    nn.init.ones_(layer.weight)
    for i in range(in_channels):  # light up one input channel, and see which output channels notice
        size = layer.kernel_size
        image = torch.zeros(1, in_channels, *size)
        image[:, i] = 1
        noticed = {o for o, number in enumerate(layer(image).flatten()) if number > 0}
        ends = strong + lines(ax, "kernel")
        assert {
            outputs[round(end[1], 6)] for start, end in ends if inputs[round(start[1], 6)] == i
        } == noticed
    seen = {inputs[round(start[1], 6)] for start, _ in strong}
    assert {int(text) for text in marked(ax)} == seen | {last}


def test_connections_stand_side_by_side():
    ax = draw_connections(4, 4, groups=(1, 2, 4))
    assert len(lines(ax, "kernel") + lines(ax, "highlight")) == 16 + 8 + 4
    titles = [text for text in ax.texts if text.get_text().startswith("groups")]
    assert [text.get_text() for text in titles] == ["groups=1", "groups=2", "groups=4"]
    assert len({text.get_position()[0] for text in titles}) == 3


def test_separable_has_fewer_weights_and_sees_as_much():
    ax = draw_separable(4, 6, 3, channel=5)
    full, depthwise, pointwise = nn.Conv2d(4, 6, 3), nn.Conv2d(4, 4, 3, groups=4), nn.Conv2d(4, 6, 1)
    counts = [int(text.get_text().split(" = ")[1]) for text in ax.texts if "=" in text.get_text()]
    assert counts == [full.weight.numel(), depthwise.weight.numel() + pointwise.weight.numel()]
    assert [text.get_text() for text in ax.texts if "×" in text.get_text()] == ["3×3", "3×3", "1×1"]
    assert len(lines(ax, "kernel") + lines(ax, "highlight")) == 24 + 4 + 24
    assert marked(ax) == [*"0123", "5", *"0123", *"0123", "5"]


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: draw_channels(X[0], K), ValueError, r"X must have shape \(C_in, H, W\), got \(3, 3\)"),
        (lambda: draw_channels(X, K[0]), ValueError, r"K must have shape .* got \(2, 2, 2\) and groups=1"),
        (lambda: draw_channels(X, K, groups=2), ValueError, r"K .* got \(1, 2, 2, 2\) and groups=2"),
        (
            lambda: draw_channels(X, K[:, :1], groups=2),
            ValueError,
            r"groups=2 must divide the number of output",
        ),
        (lambda: draw_channels(X, K, groups=0), ValueError, r"groups must be at least 1, got 0"),
        (lambda: draw_channels(X, K, [1, 2]), ValueError, r"bias must hold one number .* \(1,\), got \(2,\)"),
        (
            lambda: draw_channels(X, K, channel=1),
            ValueError,
            r"channel must be less than the 1 output .* got 1",
        ),
        (
            lambda: draw_channels(X, K, cell=(0, 2)),
            ValueError,
            r"cell must lie inside .* \(2, 2\), got \(0, 2\)",
        ),
        (lambda: draw_channels(X, K, cell=(0.0, 0)), TypeError, r"cell must be an integer, got 0.0"),
        (lambda: draw_channels(X[:, :1], K), ValueError, r"spans more cells than the padded input"),
        (
            lambda: draw_one_by_one(X, K),
            ValueError,
            r"K must have shape \(C_out, 2, 1, 1\) .* \(1, 2, 2, 2\)",
        ),
        (lambda: draw_one_by_one(X[0], K), ValueError, r"X must have shape \(C_in, H, W\), got \(3, 3\)"),
        (
            lambda: draw_one_by_one(X, K[..., :1, :1], pixel=(3, 0)),
            ValueError,
            r"pixel must lie inside a channel of shape \(3, 3\), got \(3, 0\)",
        ),
        (
            lambda: draw_connections(4, 6, groups=4),
            ValueError,
            r"groups=4 must divide in_channels=4 and out_channels=6",
        ),
        (
            lambda: draw_connections(4, 6, groups=()),
            ValueError,
            r"groups must hold at least one number, got \(\)",
        ),
        (lambda: draw_connections(0, 6), ValueError, r"in_channels must be at least 1, got 0"),
        (lambda: draw_connections(2, 2.0), TypeError, r"out_channels must be an integer, got 2.0"),
        (
            lambda: draw_connections(2, 2, channel=2),
            ValueError,
            r"channel .* less than out_channels=2, got 2",
        ),
        (lambda: draw_separable(2, 3, channel=3), ValueError, r"channel .* less than out_channels=3, got 3"),
        (lambda: draw_separable(2, 3, (3, 3, 3)), ValueError, r"kernel_size must be an integer or a pair"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
    assert not plt.get_fignums()
