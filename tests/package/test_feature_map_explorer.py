"""feature_map_explorer in Python: the network as it is saved, traits and errors, fields, the picture."""

import json
import re

import ipywidgets
import pytest
import torch
import traitlets
from tests.package.networks import as_trained, round_layer
from torch import nn

from d2lconv.data import load_digits
from d2lconv.models import LeNet, nin_block, vgg_block
from d2lconv.widgets.feature_maps import feature_map_explorer
from d2lconv.widgets.feature_maps.network import read_network
from d2lconv.widgets.feature_maps.packing import pack, pack_images, unpack
from d2lconv.widgets.feature_maps.running import run_layers

DIGITS = load_digits().valid
IMAGES, LABELS = DIGITS.images[:4], DIGITS.labels[:4]
PNG = re.compile(r'xlink:href="data:image/png;base64,[^"]*" id="image[0-9a-f]{10}"')


def lenet(seed=0, **options):
    torch.manual_seed(seed)
    model = LeNet(**options)
    return nn.Sequential(model.encoder, model.head)


@pytest.fixture
def figure():
    return feature_map_explorer(lenet(), IMAGES, labels=LABELS)


def leaves(model):
    return [layer for layer in model.modules() if not list(layer.children())]


# ---- the network as it is saved ----

NETWORKS = {
    "LeNet": lambda: lenet(),
    "LeNet of old": lambda: lenet(activation="sigmoid", pooling="avg"),
    "tanh": lambda: lenet(activation="tanh"),
    "VGG blocks": lambda: nn.Sequential(vgg_block(1, 1, 8), vgg_block(2, 8, 16), nn.Identity()),
    "NiN block": lambda: nn.Sequential(nin_block(1, 12, 5, stride=2, padding="valid"), nn.MaxPool2d(3, 2)),
    "settings": lambda: nn.Sequential(
        nn.Conv2d(1, 4, (3, 2), padding="same", dilation=2, bias=False),
        nn.AvgPool2d((2, 3), (2, 1), padding=1, ceil_mode=True, count_include_pad=False),
        nn.Conv2d(4, 6, 3, stride=(2, 1), padding=(2, 0), groups=2),
        nn.MaxPool2d(3, 2, padding=1, dilation=2, ceil_mode=True),
    ),
    "norms": lambda: nn.Sequential(
        *(nn.Conv2d(1, 4, 3, padding=1), as_trained(nn.BatchNorm2d(4, eps=0.1)), nn.ReLU()),
        *(nn.AdaptiveAvgPool2d((7, None)), as_trained(nn.BatchNorm2d(4, affine=False))),
        *(nn.AdaptiveAvgPool2d((1, 4)), nn.Flatten(), nn.Linear(16, 10)),
    ),
}


def rounded(model):
    """Give a model the weights that the page gets."""
    for layer, spec in zip(leaves(model), read_network(model, (1, 28, 28)), strict=False):
        round_layer(layer, spec)
    return model


@pytest.mark.parametrize("name", NETWORKS)
def test_every_layer_gives_what_the_model_gives(name):
    torch.manual_seed(3)
    model = NETWORKS[name]()
    layers = read_network(model, (1, 28, 28))
    image = unpack(pack_images(IMAGES))[2]
    before = [X := image[None], *(X := layer(X) for layer in leaves(model))][1:]
    after = [X := image[None], *(X := layer(X) for layer in leaves(rounded(model)))][1:]
    with torch.no_grad():
        for spec, Y, exact, original in zip(layers, run_layers(layers, image), after, before, strict=False):
            assert spec["shape"] == list(exact[0].shape)
            torch.testing.assert_close(Y, exact[0], rtol=1e-4, atol=1e-5)
            near = 1e-2 if Y.ndim == 1 else 2e-3  # dense layers have their weights in 8 bits
            torch.testing.assert_close(Y, original[0], rtol=near, atol=near)


def test_names_count_and_dropout_is_nothing():
    model = nn.Sequential(
        nn.Conv2d(1, 2, 3), nn.Dropout(), nn.ReLU(), nn.Sequential(nn.Conv2d(2, 2, 3), nn.ReLU())
    )
    names = [spec["name"] for spec in read_network(model, (1, 9, 9))]
    assert names == ["conv 1", "ReLU 1", "conv 2", "ReLU 2"]


@pytest.mark.parametrize("scale", [1e-6, 1.0, 3e4])
def test_packed_numbers_are_rounded_to_a_small_part_of_the_largest(scale):
    values = torch.randn(7, 5, generator=torch.Generator().manual_seed(1)) * scale
    found = unpack(pack(values))
    assert found.shape == values.shape
    assert (found - values).abs().max() <= values.abs().max() / 32767 / 2 * 1.01
    assert torch.equal(unpack(pack(found)), found)
    assert torch.equal(unpack(pack(torch.zeros(3))), torch.zeros(3))


def test_state_is_light(figure):
    text = lambda view: len(json.dumps(view.layers))  # noqa: E731
    assert text(feature_map_explorer(LeNet().encoder, IMAGES).view) < 8.5 * 1024
    assert text(figure.view) < 90 * 1024
    assert len(json.dumps(figure.view.images)) < 2.2 * 1024 * len(IMAGES)
    stored = (IMAGES * 255).round() / 255
    light = feature_map_explorer(LeNet().encoder, stored).view
    assert len(json.dumps(light.images)) < 1.1 * 1024 * len(IMAGES)
    assert torch.allclose(light.image(), stored[0], rtol=0, atol=1e-7)


def subclass():
    class Twice(nn.ReLU):
        def forward(self, X):
            return 2 * super().forward(X)

    return Twice()


class Doubled(nn.Sequential):
    def forward(self, X):
        return super().forward(super().forward(X))


KINDS = "Conv2d, BatchNorm2d, ReLU, Sigmoid, Tanh, MaxPool2d, AvgPool2d, AdaptiveAvgPool2d, Flatten, Linear"
conv = nn.Conv2d


@pytest.mark.parametrize(
    ("layers", "error", "message"),
    [
        ([nn.GroupNorm(1, 1)], ValueError, f"layer 0 is a GroupNorm; the figure can show {KINDS}"),
        ([nn.BatchNorm2d(3)], ValueError, "layer 0, BatchNorm2d: it needs 3 input channels, got 1"),
        (
            [nn.BatchNorm2d(1, track_running_stats=False)],
            ValueError,
            "layer 0, BatchNorm2d: track_running_stats must be True",
        ),
        (
            [nn.AdaptiveAvgPool2d((5, 4))],
            ValueError,
            "layer 0, AdaptiveAvgPool2d: output_size must divide maps of 28×28, got (5, 4)",
        ),
        ([nn.AdaptiveAvgPool2d(2)], ValueError, "its windows must be at most 7×7, got 14×14"),
        ([conv(1, 2, 3), nn.Sequential(nn.GELU())], ValueError, "layer 1.0 is a GELU; the figure can show"),
        ([subclass()], ValueError, "layer 0 is a Twice"),
        ([conv(1, 2, 3), Doubled(nn.ReLU())], ValueError, "layer 1 is a Doubled"),
        ([conv(3, 2, 3)], ValueError, "layer 0, Conv2d: it needs 3 input channels, got 1"),
        (
            [conv(1, 2, 3, padding=1, padding_mode="reflect")],
            ValueError,
            "padding_mode must be 'zeros', got 'refl",
        ),
        ([conv(1, 2, 9)], ValueError, "layer 0, Conv2d: kernel_size must be at most 7, got (9, 9)"),
        ([conv(1, 2, 7, dilation=5)], ValueError, "layer 0, Conv2d: kernel_size (7, 7) with dilation (5, 5)"),
        ([conv(1, 65, 1)], ValueError, "layer 0, Conv2d: at most 64 channels can be shown, got 65"),
        ([nn.AvgPool2d(2, divisor_override=3)], ValueError, "divisor_override must be None, got 3"),
        ([nn.MaxPool2d(2, return_indices=True)], ValueError, "return_indices must be False"),
        ([nn.MaxPool2d(8)], ValueError, "layer 0, MaxPool2d: kernel_size must be at most 7, got 8"),
        ([conv(1, 2, 3), nn.Linear(26, 2)], ValueError, "layer 1, Linear: it needs a Flatten before it"),
        ([conv(1, 1, 3), nn.Flatten(), nn.Linear(9, 2)], ValueError, "it needs 9 numbers, got 676"),
        ([conv(1, 1, 3), nn.Flatten(2)], ValueError, "start_dim and end_dim must be 1 and -1, got 2 and -1"),
        (
            [conv(1, 1, 3), nn.Flatten(), conv(1, 1, 3)],
            ValueError,
            "it needs feature maps, but gets 676 numbers",
        ),
        ([nn.Flatten()], ValueError, "model must begin with a layer that gives feature maps"),
        ([], ValueError, "model must begin with a layer that gives feature maps"),
        ([conv(1, 1, 3), nn.Flatten()], ValueError, "at most 20 scores can be shown, got 676 from flatten 1"),
        (
            [conv(1, 64, 5), nn.Flatten(), nn.Linear(36864, 3)],
            ValueError,
            "model has 112,259 weights, a page can",
        ),
        ([conv(1, 64, 5, padding=2), conv(64, 64, 5)], ValueError, "model has 104,128 weights"),
        (
            [conv(1, 64, 3, padding=1), conv(64, 64, 3, padding=1)],
            ValueError,
            "model needs 29,352,960 multiply-adds",
        ),
    ],
)
def test_networks_that_cannot_be_shown_are_refused(layers, error, message):
    with pytest.raises(error, match=re.escape(message)):
        feature_map_explorer(nn.Sequential(*layers), IMAGES)


def test_only_sequential_models_and_finite_weights():
    with pytest.raises(TypeError, match=re.escape("got LeNet; of a network with two parts")):
        feature_map_explorer(LeNet(), IMAGES)
    model = lenet()
    model[0][0].bias.data[2] = float("nan")
    with pytest.raises(ValueError, match=r"layer 0\.0, Conv2d: bias must be finite"):
        feature_map_explorer(model, IMAGES)


@pytest.mark.parametrize(
    ("images", "options", "message"),
    [
        (torch.zeros(28, 28), {}, "images must have shape (N, C, H, W)"),
        (torch.zeros(1, 2, 28, 28), {}, "1 or 3 channels and at most 64×64 pixels, got (1, 2, 28, 28)"),
        (torch.zeros(21, 1, 28, 28), {}, "at most 20 images"),
        (torch.zeros(1, 1, 65, 28), {}, "got (1, 1, 65, 28)"),
        (torch.full((1, 1, 28, 28), float("inf")), {}, "images must be finite"),
        (IMAGES, {"labels": [1, 2]}, "labels must hold one name for each of the 4 images, got 2"),
        (IMAGES, {"classes": "ab"}, "classes must hold one name for each of the 10 scores, got 2"),
    ],
)
def test_images_and_names_that_do_not_fit_are_refused(images, options, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        feature_map_explorer(lenet(), images, **options)


# ---- the figure ----


def test_controls_are_named_and_linked(figure):
    assert isinstance(figure, ipywidgets.VBox)
    assert figure.children[-1] is figure.view
    assert list(figure.controls) == ["image_index", "layer", "right", "down"]
    assert all(control.description for control in figure.controls.values())
    assert len(figure._links) == 4
    assert figure.controls["image_index"].options == tuple(map(str, LABELS.tolist()))
    assert (figure.controls["layer"].min, figure.controls["layer"].max) == (1, 6)
    assert repr(figure) == "feature_map_explorer(6 layers, 10 scores, 4 images of 28×28)"


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("image_index", 4, "image_index must be from 0 to 3, got 4"),
        ("layer", 0, "layer must be from 1 to 6, got 0"),
        ("layer", 7, "layer must be from 1 to 6, got 7"),
        ("channel", 16, "channel must be from 0 to 15, got 16"),
        ("right", 5, "right must be from -4 to 4, got 5"),
        ("down", -5, "down must be from -4 to 4, got -5"),
        ("place", (0, 28), "place must lie inside the image of 28×28, got (0, 28)"),
        ("place", (-1, 0), "place must lie inside the image of 28×28, got (-1, 0)"),
        ("layers", [], 'The "layers" trait is read-only'),
        ("images", {}, 'The "images" trait is read-only'),
        ("classes", [], 'The "classes" trait is read-only'),
    ],
)
def test_wrong_values_are_refused(figure, trait, value, message):
    before = getattr(figure.view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(figure.view, trait, value)
    assert getattr(figure.view, trait) == before
    if trait in ("layer", "channel", "place"):
        with pytest.raises(traitlets.TraitError, match=re.escape(message)):
            feature_map_explorer(lenet(), IMAGES, **{trait: value})


@pytest.mark.parametrize(("right", "down"), [(0, 0), (3, 0), (-2, 1), (4, -4)])
def test_shift_moves_pixels_and_zeros_come_in(figure, right, down):
    figure.view.right, figure.view.down, figure.view.image_index = right, down, 1
    padded = nn.functional.pad(unpack(pack_images(IMAGES))[1], (4, 4, 4, 4))
    expected = padded[:, 4 - down : 32 - down, 4 - right : 32 - right]
    assert torch.equal(figure.view.image(), expected)


def test_scores_are_those_of_the_model(figure):
    model = lenet()
    assert figure.view.classes == [str(number) for number in range(10)]
    torch.testing.assert_close(figure.view.scores(), model(IMAGES[:1])[0].detach(), rtol=0, atol=2e-3)
    encoder = feature_map_explorer(model[0], IMAGES).view
    assert (encoder.classes, encoder.scores().numel()) == ([], 0)


def test_a_channel_that_a_layer_lacks_waits(figure):
    figure.view.layer, figure.view.channel = 4, 12
    figure.view.layer = 1
    assert figure.view.channel == 12
    assert "svg" in figure._repr_mimebundle_()["image/svg+xml"]


def average(layer):
    """Return an average pooling in the place of a maximum, which only the largest number changes."""
    if type(layer) is not nn.MaxPool2d:
        return layer
    return nn.AvgPool2d(layer.kernel_size, layer.stride, layer.padding, layer.ceil_mode)


@pytest.mark.parametrize("name", ["LeNet", "VGG blocks", "settings"])
def test_field_is_what_a_cell_depends_on(name):
    """Which pixels change a cell: those whose derivative is not zero, all weights being positive."""
    model = NETWORKS[name]()
    for parameter in model.parameters():
        parameter.data = parameter.data.abs() + 0.1
    stack = list(map(average, leaves(model)))
    view = feature_map_explorer(nn.Sequential(*stack), IMAGES).view
    for layer in range(1, view.depth + 1):
        for place in [(14, 14), (0, 27), (27, 3)]:
            view.layer, view.place = layer, place
            (row, column), corner, size = view.field()
            X = torch.rand(1, 1, 28, 28, requires_grad=True)
            nn.Sequential(*stack[:layer])(X)[0, 0, row, column].backward()
            rows, columns = (X.grad[0, 0] != 0).nonzero(as_tuple=True)
            seen = [(int(axis.min()), int(axis.max()) + 1) for axis in (rows, columns)]
            field = [(max(first, 0), min(first + n, 28)) for first, n in zip(corner, size, strict=True)]
            if name != "settings" or place == (14, 14):
                assert seen == field
            else:  # padding inside of the network hides some pixels
                for (first, end), (start, stop) in zip(seen, field, strict=True):
                    assert start <= first < end <= stop


def test_the_first_place_is_on_a_stroke():
    view = feature_map_explorer(lenet(), IMAGES).view
    row, column = view.place
    assert IMAGES[0, 0, row, column] >= 0.75 * IMAGES[0].max()


# ---- the picture ----


def picture(figure):
    return figure._repr_mimebundle_()["image/svg+xml"]


def test_picture_shows_the_present_state(figure):
    seen = {picture(figure)}
    for trait, value in [("layer", 4), ("channel", 9), ("right", 2), ("image_index", 3), ("place", (3, 3))]:
        setattr(figure.view, trait, value)
        seen.add(picture(figure))
    assert len(seen) == 6
    assert picture(figure) in seen


def test_picture_differs_between_weights_in_pixels_only():
    one, other = (picture(feature_map_explorer(lenet(seed), IMAGES, layer=4)) for seed in (0, 1))
    assert one != other
    assert len(PNG.findall(one)) >= 17
    assert PNG.sub("", one) == PNG.sub("", other)


def test_picture_of_many_channels_and_of_colour():
    model = nn.Sequential(nn.Conv2d(3, 20, 3))
    assert "svg" in picture(feature_map_explorer(model, torch.rand(2, 3, 12, 16)))
