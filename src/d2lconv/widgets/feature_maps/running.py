"""What the plain layers of `d2lconv.widgets.feature_maps.network` compute, as the browser does."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor
from torch.nn import functional as F

from d2lconv.shapes import Layer
from d2lconv.widgets.feature_maps.packing import Spec, unpack


def run_layers(specs: list[Spec], image: Tensor) -> list[Tensor]:
    """Return what each layer gives for an image (C, H, W): sums in double precision, results in single."""
    outputs = []
    for spec in specs:
        image = _RUN[spec["kind"]](spec, image.double()).float()
        outputs.append(image)
    return outputs


def fields_below(specs: list[Spec]) -> list[Layer]:
    """Return the layers for receptive field arithmetic; those without a window are left out."""
    settings = ("kernelSize", "stride", "padding", "dilation")
    return [Layer(*(spec[name] for name in settings)) for spec in specs if "kernelSize" in spec]


def _conv(spec: Spec, X: Tensor) -> Tensor:
    top, bottom, left, right = spec["padding"]
    padded = F.pad(X, (left, right, top, bottom))
    weight, bias = _numbers(spec)
    options = {"stride": spec["stride"], "dilation": spec["dilation"], "groups": spec["groups"]}
    return F.conv2d(padded[None], weight, bias, **options)[0]


def _numbers(spec: Spec) -> tuple[Tensor, Tensor | None]:
    weight, bias = (spec[name] and unpack(spec[name]).double() for name in ("weight", "bias"))
    return weight, bias


def _max(spec: Spec, X: Tensor) -> Tensor:
    options = (spec["kernelSize"], spec["stride"], spec["padding"], spec["dilation"], spec["ceilMode"])
    return F.max_pool2d(X[None], *options)[0]


def _avg(spec: Spec, X: Tensor) -> Tensor:
    options = (spec["kernelSize"], spec["stride"], spec["padding"], spec["ceilMode"], spec["countIncludePad"])
    return F.avg_pool2d(X[None], *options)[0]


_RUN: dict[str, Callable[[Spec, Tensor], Tensor]] = {
    "conv": _conv,
    "norm": _conv,
    "relu": lambda _, X: X.relu(),
    "sigmoid": lambda _, X: X.sigmoid(),
    "tanh": lambda _, X: X.tanh(),
    "max": _max,
    "avg": _avg,
    "flatten": lambda _, X: X.flatten(),
    "linear": lambda spec, X: F.linear(X, *_numbers(spec)),
}
