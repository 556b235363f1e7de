"""An interactive figure of a digit of one's own: drawn on the page, read by a network, learned by it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, cast

import torch
import traitlets
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from d2lconv.data.digits import enlarge
from d2lconv.models import LeNet
from d2lconv.models.lenet import ACTIVATIONS, POOLINGS
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles
from d2lconv.widgets.controls import slider
from d2lconv.widgets.feature_maps.packing import pack_rows, unpack_rows
from d2lconv.widgets.matrix import within
from d2lconv.widgets.own_digit.picture import draw_digit, example
from d2lconv.widgets.own_digit.preparing import DRAWING, SIDE, count_ink, fit, read_drawing, write_drawing
from d2lconv.widgets.training import packed_digits

__all__ = ["own_digit"]

WIDEST_PEN = 6


class OwnDigitView(View):
    """A field to draw a digit on, and a trained network that reads it.

    Attributes
    ----------
    network : dict
        The network's ``activation`` and ``pooling``. Read-only.
    weights : list of dict
        Its weights and biases, packed. Read-only.
    digits : dict
        The course's digits to learn from, ``train``, and those to validate with, ``valid``. Read-only.
    drawing : str
        The points that have ink, 32×32, as 256 hexadecimal digits; empty without ink.
    pen : int
        Width of the pen in points, from 1 to 6.
    """

    _esm = join_scripts("own_digit/view.js")
    _css = join_styles("shared/base.css", "own_digit/view.css")
    height = (63.9, 97.8)
    late = ("weights", "digits")

    network = traitlets.Dict(read_only=True).tag(sync=True)
    weights = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    digits = traitlets.Dict(read_only=True).tag(sync=True)
    drawing = traitlets.Unicode("").tag(sync=True)
    pen = traitlets.Int(4).tag(sync=True)

    def __init__(self, model: LeNet, drawing: str) -> None:
        super().__init__()
        activation, pooling = (_kind_of(model, kinds) for kinds in (ACTIVATIONS, POOLINGS))
        self.set_trait("network", {"activation": activation, "pooling": pooling})
        self.set_trait("weights", [pack_rows(parameter) for parameter in model.parameters()])
        self.set_trait("digits", packed_digits())
        self.drawing = drawing

    def model(self) -> LeNet:
        """Return the network of the page, in 64 bits: the given one, with weights rounded to 8 bits."""
        model = LeNet(**self.network).double()
        for parameter, weights in zip(model.parameters(), self.weights, strict=True):
            parameter.data = unpack_rows(weights)
        return model.eval()

    def points(self) -> Tensor:
        """Return the drawing, (32, 32), ink is 1."""
        return read_drawing(self.drawing)

    def counts(self) -> Tensor:
        """Return the ink in each block of 4×4 points, after the drawing is brought to its size, (8, 8)."""
        return count_ink(fit(self.points()))

    def image(self) -> Tensor:
        """Return what the network gets, (1, 28, 28), from 0 to 1."""
        return _enlarged(self.counts())

    def scores(self) -> Tensor:
        """Return what the network gives, before the softmax, (10,)."""
        with torch.no_grad():
            return cast(Tensor, self.model()(self.image()[None].double())[0])

    @traitlets.validate("drawing")
    def _drawn(self, proposal: Any) -> str:
        if not DRAWING.fullmatch(proposal["value"]):
            raise traitlets.TraitError(
                f"drawing must be 256 digits from 0 to f, or empty, got {proposal['value'][:40]!r}"
            )
        return cast(str, proposal["value"])

    @traitlets.validate("pen")
    def _pen(self, proposal: Any) -> int:
        return int(within("pen", proposal["value"], 1, WIDEST_PEN))


def own_digit(model: LeNet, *, drawing: Tensor | Sequence[Sequence[int]] | None = None) -> Figure:
    """Draw a digit and have a trained LeNet read it, stroke by stroke.

    The drawing goes the way of the course's digits: it is brought to their size and into the middle, its ink
    is counted in blocks of 4×4 points, and the 8×8 counts are enlarged to 28×28 pixels as by
    `d2lconv.data.load_digits`. The ten probabilities and the maps of the first convolution follow each
    stroke.

    Digits that the reader keeps stay in the browser. The network is tested on them, and can learn every other
    one of each class, together with 300 of the course's digits; the rest are held out for the test.

    Parameters
    ----------
    model : d2lconv.models.LeNet
        A network for grey images and ten classes, trained on the course's digits.
    drawing : Tensor or sequence of sequences of int, optional
        The drawing to begin with: 32×32 points, 1 where there is ink, else 0. Without it, the field is empty.

    Returns
    -------
    Figure
        The controls and the view, to be shown as the last line of a cell. Its ``view`` has the drawing, and
        ``points()``, ``counts()``, ``image()`` and ``scores()`` in PyTorch.

    Raises
    ------
    TypeError
        If `model` is no LeNet.
    ValueError
        If `model` has not one input channel and ten classes, a weight is not finite, or `drawing` is not
        32×32 zeros and ones.

    Notes
    -----
    The page gets each weight in 8 bits, as a multiple of the largest in its row divided by 127, which makes
    62 KB of 61,706 weights. ``view.model()`` has the weights so rounded; a trained network reads as well with
    them.

    Nothing that is drawn leaves the browser. Readers without scripts see a picture of the drawing, or of an
    example, and of what the network makes of it.

    Introduced in: *LeNet*.

    Examples
    --------
    >>> from d2lconv.models import LeNet
    >>> points = torch.zeros(32, 32, dtype=torch.uint8)
    >>> points[4:28, 14:18] = 1  # a 1
    >>> figure = own_digit(LeNet(), drawing=points)
    >>> figure
    own_digit(LeNet(relu, max))
    >>> figure.view.counts()[0]
    tensor([ 0,  0,  4, 16, 16,  4,  0,  0])
    >>> figure.view.scores().shape
    torch.Size([10])
    """
    view = OwnDigitView(_checked(model), write_drawing(_points(drawing)))
    return Figure(
        f"own_digit(LeNet({view.network['activation']}, {view.network['pooling']}))",
        view,
        {"pen": slider("Pen width", view.pen, 1, WIDEST_PEN)},
        picture=lambda: _draw(view),
    )


def _draw(view: OwnDigitView) -> Drawing:
    """Draw the digit on its way, or an example where there is none."""
    points = view.points() if view.drawing else example()
    counts = count_ink(fit(points))
    image = _enlarged(counts)
    with torch.no_grad():
        return draw_digit(points, counts, image, view.model()(image[None].double())[0])


def _enlarged(counts: Tensor) -> Tensor:
    """Enlarge 8×8 counts to an image, (1, 28, 28), as the course's digits are."""
    return torch.from_numpy(enlarge((counts.float() / 16)[None].numpy(), 28))


def _kind_of(model: LeNet, kinds: dict[str, Any]) -> str:
    """Return the name of the one of some kinds of layers that is in a model."""
    return next(name for name, kind in kinds.items() if any(isinstance(m, kind) for m in model.modules()))


def _checked(model: LeNet) -> LeNet:
    """Return the model; raise unless it reads digits."""
    if not isinstance(model, LeNet):
        raise TypeError(f"model must be a LeNet, got {model!r} of type {type(model).__name__}")
    if model.in_channels != 1 or model.head[-1].out_features != 10:
        channels, classes = model.in_channels, model.head[-1].out_features
        raise ValueError(f"model must have 1 input channel and 10 classes, got {channels} and {classes}")
    if not all(parameter.isfinite().all() for parameter in model.parameters()):
        raise ValueError("model must have finite weights, got some that are not")
    return model


def _points(drawing: Tensor | Sequence[Sequence[int]] | None) -> Tensor:
    """Return the points of a drawing, (32, 32)."""
    if drawing is None:
        return torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    points = torch.as_tensor(drawing)
    if points.shape != (SIDE, SIDE):
        raise ValueError(f"drawing must have shape ({SIDE}, {SIDE}), got {tuple(points.shape)}")
    if not ((points == 0) | (points == 1)).all():
        raise ValueError("drawing must hold zeros and ones only")
    return points.to(torch.uint8)
