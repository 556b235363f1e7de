"""An interactive figure of a trained network: the response of each channel to an image, layer by layer."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
import traitlets
from torch import Tensor, nn

from d2lconv.shapes import receptive_field
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles
from d2lconv.widgets.controls import dropdown, slider
from d2lconv.widgets.feature_maps.network import read_network
from d2lconv.widgets.feature_maps.packing import Spec, pack_images, unpack
from d2lconv.widgets.feature_maps.picture import draw_walk
from d2lconv.widgets.feature_maps.running import fields_below, run_layers
from d2lconv.widgets.matrix import within

__all__ = ["feature_map_explorer"]

FARTHEST = 4
LARGEST_IMAGE = 64
MOST_IMAGES = 20
MOST_SCORES = 20


class FeatureMapView(View):
    """Images, a network, and what one of its layers makes of one image.

    Attributes
    ----------
    layers : list of dict
        The network, from `d2lconv.widgets.feature_maps.network.read_network`. Read-only.
    images : dict
        The images, packed. Read-only.
    classes : list of str
        What the scores stand for; empty if the network gives none. Read-only.
    image_index : int
        Which image is shown, counted from 0.
    right, down : int
        By how many pixels the image is moved; zeros come in.
    layer : int
        Which layer is shown, counted from 1.
    channel : int
        Which channel of it is explained, counted from 0; where the layer has fewer, its last.
    place : (int, int)
        Row and column of a pixel of the image, counted from 0. Of each layer, the cell is explained whose
        receptive field has its middle nearest to it.
    """

    _esm = join_scripts("feature_maps/view.js")
    _css = join_styles("shared/base.css", "feature_maps/view.css")
    height = (72.0, 104.7)

    layers = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    images = traitlets.Dict(read_only=True).tag(sync=True)
    classes = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    image_index = traitlets.Int(0).tag(sync=True)
    right = traitlets.Int(0).tag(sync=True)
    down = traitlets.Int(0).tag(sync=True)
    layer = traitlets.Int(1).tag(sync=True)
    channel = traitlets.Int(0).tag(sync=True)
    place = traitlets.Tuple(traitlets.Int(), traitlets.Int(), default_value=(0, 0)).tag(sync=True)

    def __init__(self, layers: list[Spec], images: Tensor, classes: list[str]) -> None:
        super().__init__()
        self.set_trait("layers", layers)
        self.set_trait("images", pack_images(images))
        self.set_trait("classes", classes)

    @classmethod
    def height_of(cls, state: Mapping[str, Any]) -> tuple[float, float]:
        """Return the height of the figure: on a phone, scores take room of their own."""
        return cls.height if state.get("classes") else (72.0, 99.8)

    @property
    def depth(self) -> int:
        """How many layers give feature maps; those after a flattening do not."""
        kinds = [spec["kind"] for spec in self.layers]
        return kinds.index("flatten") if "flatten" in kinds else len(kinds)

    def image(self) -> Tensor:
        """Return the image that is shown, shape (C, H, W), after its shift."""
        pixels = unpack(self.images)[self.image_index]
        moved = torch.zeros_like(pixels)
        _, height, width = pixels.shape
        from_rows, to_rows = _overlap(height, self.down)
        from_columns, to_columns = _overlap(width, self.right)
        moved[:, to_rows, to_columns] = pixels[:, from_rows, from_columns]
        return moved

    def feature_maps(self) -> Tensor:
        """Return what the layer that is shown gives, shape (C, H, W), with the rounded weights."""
        return run_layers(self.layers[: self.layer], self.image())[-1]

    def scores(self) -> Tensor:
        """Return what the whole network gives, as many numbers as there are classes."""
        return run_layers(self.layers, self.image())[-1].flatten()[: len(self.classes)]

    def field(self) -> tuple[tuple[int, int], tuple[int, int], tuple[int, int]]:
        """Return the cell that is explained, and first pixel and size of what it sees of the image."""
        field = receptive_field(fields_below(self.layers[: self.layer]))
        start = cast(tuple[int, int], field.start)  # every padding is known in numbers
        cell = tuple(
            min(max(math.floor((at - first - (size - 1) / 2) / stride + 0.5), 0), cells - 1)
            for at, first, size, stride, cells in zip(
                self.place,
                start,
                field.size,
                field.stride,
                self.layers[self.layer - 1]["shape"][1:],
                strict=True,
            )
        )
        corner = tuple(
            first + number * stride for first, number, stride in zip(start, cell, field.stride, strict=True)
        )
        return cast(tuple[int, int], cell), cast(tuple[int, int], corner), field.size

    @traitlets.validate("image_index")
    def _listed(self, proposal: Any) -> int:
        return int(within("image_index", proposal["value"], 0, self.images["shape"][0] - 1))

    @traitlets.validate("right", "down")
    def _near(self, proposal: Any) -> int:
        return int(within(proposal["trait"].name, proposal["value"], -FARTHEST, FARTHEST))

    @traitlets.validate("layer")
    def _with_maps(self, proposal: Any) -> int:
        return int(within("layer", proposal["value"], 1, self.depth))

    @traitlets.validate("channel")
    def _in_some_layer(self, proposal: Any) -> int:
        most = max(spec["shape"][0] for spec in self.layers[: self.depth])
        return int(within("channel", proposal["value"], 0, most - 1))

    @traitlets.validate("place")
    def _inside(self, proposal: Any) -> tuple[int, int]:
        row, column = proposal["value"]
        _, _, height, width = self.images["shape"]
        if not (0 <= row < height and 0 <= column < width):
            raise traitlets.TraitError(
                f"place must lie inside the image of {height}×{width}, got {(row, column)}"
            )
        return row, column


def feature_map_explorer(
    model: nn.Sequential,
    images: Any,
    *,
    labels: Sequence[object] = (),
    classes: Sequence[object] = (),
    layer: int = 1,
    channel: int = 0,
    place: tuple[int, int] | None = None,
) -> Figure:
    """Walk through a network: what each channel of each layer makes of an image.

    Image and layer are chosen by the controls; all channels of the layer stand side by side on one scale. Of
    one of them, one cell is explained: its number, what it sees of the image, how the number is computed, and
    which input channels count most. Point at any cell to read its number. As the image is shifted by single
    pixels, one sees the maps move. If the network goes on to scores, they are shown as bars.

    The page computes all of it itself, with rounded weights: those of a convolution are multiples of 1/32,767
    of the largest of its tensor, those of a linear layer multiples of 1/127 of the largest of its row. Maps
    agree with the model's to all digits that are shown, scores to about a hundredth of the largest.

    Parameters
    ----------
    model : torch.nn.Sequential
        The network or its first layers, such as ``LeNet().encoder``: `Conv2d`, `MaxPool2d`, `AvgPool2d`,
        `AdaptiveAvgPool2d` with windows of one size, `BatchNorm2d`, `ReLU`, `Sigmoid`, `Tanh`; with scores
        also `Flatten` and `Linear`. All are as in evaluation: `Dropout` counts as nothing, and
        `BatchNorm2d` uses the means and variances that it has stored, so it is a depthwise 1×1 convolution.
        Sequential models may be nested, so ``nn.Sequential(lenet.encoder, lenet.head)`` is the whole LeNet.
        At most 64 channels in a layer, windows of at most 7×7, and 100,000 weights: 8 KB for LeNet's encoder
        and 86 KB for all of it.
    images : Tensor or array
        At most 20 images, shape ``(N, C, H, W)``, grey (C = 1) or in colour (C = 3), at most 64×64.
    labels : sequence, optional
        A name for each image, such as its class.
    classes : sequence, optional
        A name for each score; the numbers from 0 if not given.
    layer : int
        The layer to begin with, counted from 1.
    channel : int
        The channel to begin with, counted from 0.
    place : (int, int), optional
        Row and column of the pixel to begin with, counted from 0; if not given, a bright one of the first
        image near its middle. Of each layer, the cell is explained whose receptive field has its middle
        nearest to it.

    Returns
    -------
    Figure
        The controls and the view, to be shown as the last line of a cell. What is shown can be read, set and
        observed as traits of its ``view`` (``layer``, ``channel``, ``right``, …).

    Raises
    ------
    TypeError
        If `model` is not a `torch.nn.Sequential`.
    ValueError
        If a layer cannot be shown (the message names it), the network is too large, `images` have another
        shape or numbers that are not finite, or there are not as many names as images or scores.

    Notes
    -----
    Values that cannot be shown, such as a layer that there is not, raise `traitlets.TraitError`, here and
    when a trait is set later.

    Readers without scripts see a picture: the image, the field of the cell, and the layer's maps, rounded to
    a sixteenth of their scale. No number in it depends on the weights, and pixels are what a chapter's check
    leaves out. So the picture of a network that was trained on another machine, and differs in the last
    digits, is taken for the same.

    Introduced in: *LeNet*.

    Examples
    --------
    >>> encoder = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2))
    >>> figure = feature_map_explorer(encoder, torch.zeros(3, 1, 28, 28), labels=[7, 2, 1])
    >>> figure
    feature_map_explorer(3 layers, 3 images of 28×28)
    >>> figure.view.layer = 3
    >>> figure.view.feature_maps().shape
    torch.Size([6, 14, 14])
    >>> figure.view.field()  # cell, first pixel and size of what it sees
    ((6, 6), (10, 10), (6, 6))
    """
    pictures = _checked(images)
    count, channels, height, width = pictures.shape
    layers = read_network(model, (channels, height, width))
    names = _named("labels", labels, count, "images", [f"image {number}" for number in range(count)])
    view = FeatureMapView(layers, pictures, _score_names(layers, classes))
    view.layer = layer
    view.channel = channel
    view.place = _stroke(pictures[0]) if place is None else place
    scores = f", {len(view.classes)} scores" if view.classes else ""
    return Figure(
        f"feature_map_explorer({view.depth} layers{scores}, {count} images of {height}×{width})",
        view,
        {
            "image_index": dropdown("Image", names),
            "layer": slider("Layer", view.layer, 1, view.depth),
            "right": slider("Shift right", 0, -FARTHEST, FARTHEST),
            "down": slider("Shift down", 0, -FARTHEST, FARTHEST),
        },
        picture=lambda: draw_walk(
            view.image(),
            view.field()[1:],
            view.feature_maps(),
            view.channel,
            view.layers[view.layer - 1]["name"],
        ),
    )


def _checked(images: Any) -> Tensor:
    """Return the images as a tensor (N, C, H, W), or say what is wrong with them."""
    pictures = torch.as_tensor(images).detach()
    allowed = (
        f"shape (N, C, H, W) with at most {MOST_IMAGES} images, 1 or 3 channels and at most "
        f"{LARGEST_IMAGE}×{LARGEST_IMAGE} pixels"
    )
    shape = tuple(pictures.shape)
    if len(shape) != 4 or not 1 <= shape[0] <= MOST_IMAGES or shape[1] not in (1, 3):
        raise ValueError(f"images must have {allowed}, got {shape}")
    if not all(1 <= side <= LARGEST_IMAGE for side in shape[2:]):
        raise ValueError(f"images must have {allowed}, got {shape}")
    if not torch.isfinite(pictures).all():
        raise ValueError("images must be finite, got a number that is infinite or NaN")
    return pictures


def _stroke(image: Tensor) -> tuple[int, int]:
    """Return the pixel nearest to the middle, of those that are at least three quarters of the brightest."""
    ink = image.sum(0)
    bright = (ink >= 0.75 * ink.max()).nonzero().tolist()
    last_row, last_column = (size - 1 for size in ink.shape)
    row, column = min(bright, key=lambda at: (2 * at[0] - last_row) ** 2 + (2 * at[1] - last_column) ** 2)
    return row, column


def _named(name: str, given: Sequence[object], count: int, what: str, otherwise: list[str]) -> list[str]:
    if not len(given):
        return otherwise
    if len(given) != count:
        raise ValueError(f"{name} must hold one name for each of the {count} {what}, got {len(given)}")
    return [str(one.item() if isinstance(one, Tensor) else one) for one in given]


def _score_names(layers: list[Spec], classes: Sequence[object]) -> list[str]:
    """Name the network's scores, if there are any."""
    shape = layers[-1]["shape"]
    count = shape[0] if len(shape) == 1 else 0
    if count > MOST_SCORES:
        raise ValueError(f"at most {MOST_SCORES} scores can be shown, got {count} from {layers[-1]['name']}")
    return _named("classes", classes, count, "scores", [str(number) for number in range(count)])


def _overlap(size: int, by: int) -> tuple[slice, slice]:
    """Return which cells are left after a shift, and where they go."""
    kept = max(size - abs(by), 0)
    return slice(max(-by, 0), max(-by, 0) + kept), slice(max(by, 0), max(by, 0) + kept)
