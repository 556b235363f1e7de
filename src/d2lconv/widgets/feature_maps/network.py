"""Networks as a browser gets them: plain layers one after the other, with rounded weights."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Literal, cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights

from d2lconv._arguments import per_axis
from d2lconv.shapes import conv_output_size, padding_for, pool_output_size
from d2lconv.widgets.feature_maps.packing import Spec, pack, pack_rows

LARGEST_KERNEL = 7
MOST_CHANNELS = 64
MOST_MACS = 4_000_000  # more would take a browser longer than a blink
MOST_WEIGHTS = 100_000  # at most 270 KB of text


def read_network(model: nn.Module, image_shape: tuple[int, int, int]) -> list[Spec]:
    """List the layers of a sequential model in the order in which an image goes through them.

    Parameters
    ----------
    model : torch.nn.Sequential
        Sequential models inside count as their layers.
    image_shape : (int, int, int)
        Channels, height and width of the images.

    Returns
    -------
    list of dict
        For each layer its ``kind``, its ``name``, the ``shape`` of its output, and whatever else the browser
        needs to compute it.

    Raises
    ------
    TypeError
        If `model` is not a `torch.nn.Sequential`.
    ValueError
        If a layer is of another kind than those in `READ`, has a setting that the browser cannot compute,
        or does not fit; or the whole is too large.
    """
    if type(model) is not nn.Sequential:
        raise TypeError(
            f"model must be a torch.nn.Sequential, got {type(model).__name__}; of a network with two parts "
            "give one, or both: torch.nn.Sequential(model.encoder, model.head)"
        )
    specs: list[Spec] = []
    counts: dict[str, int] = {}
    shape: tuple[int, ...] = image_shape
    for where, layer in _flat(model):
        if type(layer) in (nn.Dropout, nn.Dropout2d, nn.Identity):  # nothing, once a network is trained
            continue
        read = READ.get(type(layer))
        if read is None:
            names = ", ".join(kind.__name__ for kind in READ)
            raise ValueError(f"layer {where} is a {type(layer).__name__}; the figure can show {names}")
        try:
            spec = read(layer, shape)
        except ValueError as problem:
            raise ValueError(f"layer {where}, {type(layer).__name__}: {problem}") from None
        shape = tuple(spec["shape"])
        counts[spec["name"]] = counts.get(spec["name"], 0) + 1
        specs.append({**spec, "name": f"{spec['name']} {counts[spec['name']]}"})
    _check_size(specs)
    return specs


def _flat(model: nn.Sequential, before: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, layer in model.named_children():
        if type(layer) is nn.Sequential:
            yield from _flat(layer, f"{before}{name}.")
        else:
            yield f"{before}{name}", layer


def _check_size(specs: list[Spec]) -> None:
    if not specs or specs[0]["kind"] == "flatten":
        raise ValueError("model must begin with a layer that gives feature maps")
    weights = [number for spec in specs for number in _weights(spec)]
    macs = sum(
        int(np.prod(spec["weight"]["shape"] + spec["shape"][1:])) for spec in specs if "weight" in spec
    )
    if sum(weights) > MOST_WEIGHTS:
        raise ValueError(
            f"model has {sum(weights):,} weights, a page can hold at most {MOST_WEIGHTS:,}; "
            "give its first layers only"
        )
    if macs > MOST_MACS:
        raise ValueError(
            f"model needs {macs:,} multiply-adds for an image, a page can do at most {MOST_MACS:,}; "
            "give its first layers only, or smaller images"
        )


def _weights(spec: Spec) -> list[int]:
    return [int(np.prod(spec[name]["shape"])) for name in ("weight", "bias") if spec.get(name)]


def _maps(shape: tuple[int, ...]) -> tuple[int, int, int]:
    if len(shape) != 3:
        raise ValueError(f"it needs feature maps, but gets {shape[0]} numbers without rows and columns")
    channels, height, width = shape
    return channels, height, width


def _read_conv(layer: Any, shape: tuple[int, ...]) -> Spec:
    channels, height, width = _maps(shape)
    if channels != layer.in_channels:
        raise ValueError(f"it needs {layer.in_channels} input channels, got {channels}")
    if layer.padding_mode != "zeros":
        raise ValueError(f"padding_mode must be 'zeros', got {layer.padding_mode!r}")
    kernel, stride, dilation = (
        per_axis(name, getattr(layer, name), 2, 1) for name in ("kernel_size", "stride", "dilation")
    )
    if max(kernel) > LARGEST_KERNEL:
        raise ValueError(f"kernel_size must be at most {LARGEST_KERNEL}, got {layer.kernel_size}")
    if isinstance(layer.padding, str):
        mode = cast(Literal["valid", "same"], layer.padding)
        padding = list(padding_for(mode, kernel, dilation=dilation))
    else:
        high, wide = per_axis("padding", layer.padding, 2, 0)
        padding = [high, high, wide, wide]
    size = conv_output_size((height, width), kernel, stride=stride, padding=padding, dilation=dilation)
    return {
        "kind": "conv",
        "name": "conv",
        "shape": _at_most_shown(layer.out_channels, size),
        **_packed(layer.weight, layer.bias),
        "kernelSize": list(kernel),
        "stride": list(stride),
        "padding": padding,
        "dilation": list(dilation),
        "groups": layer.groups,
    }


def _packed(weight: Tensor, bias: Tensor | None, write: Callable[[Tensor], Spec] = pack) -> Spec:
    for name, values in (("weight", weight), ("bias", bias)):
        if values is not None and not torch.isfinite(values).all():
            raise ValueError(f"{name} must be finite")
    return {"weight": write(weight), "bias": None if bias is None else pack(bias)}


def _at_most_shown(channels: int, size: Any) -> list[int]:
    if channels > MOST_CHANNELS:
        raise ValueError(f"at most {MOST_CHANNELS} channels can be shown, got {channels}")
    return [channels, *size]


def _read_pool(layer: Any, shape: tuple[int, ...]) -> Spec:
    channels, height, width = _maps(shape)
    average = type(layer) is nn.AvgPool2d
    if average and layer.divisor_override is not None:
        raise ValueError(f"divisor_override must be None, got {layer.divisor_override}")
    if not average and layer.return_indices:
        raise ValueError("return_indices must be False")
    kernel = per_axis("kernel_size", layer.kernel_size, 2, 1)
    if max(kernel) > LARGEST_KERNEL:
        raise ValueError(f"kernel_size must be at most {LARGEST_KERNEL}, got {layer.kernel_size}")
    setting: Spec = {
        "stride": per_axis("stride", layer.stride, 2, 1),
        "padding": per_axis("padding", layer.padding, 2, 0),
        "dilation": (1, 1) if average else per_axis("dilation", layer.dilation, 2, 1),
        "ceil_mode": bool(layer.ceil_mode),
    }
    size = pool_output_size((height, width), kernel, **setting)
    return {
        "kind": "avg" if average else "max",
        "name": "pool",
        "shape": [channels, *size],
        "kernelSize": list(kernel),
        **{name: list(setting[name]) for name in ("stride", "padding", "dilation")},
        "ceilMode": setting["ceil_mode"],
        "countIncludePad": bool(layer.count_include_pad) if average else True,
    }


def _read_adaptive(layer: Any, shape: tuple[int, ...]) -> Spec:
    """Read a pooling to a given size as one whose windows lie side by side."""
    _, *size = _maps(shape)
    given = layer.output_size
    wanted = given if isinstance(given, tuple) else (given, given)
    cells = [here if out is None else out for here, out in zip(size, wanted, strict=True)]
    if any(here % out for here, out in zip(size, cells, strict=True)):
        raise ValueError(f"output_size must divide maps of {size[0]}×{size[1]}, got {given}")
    kernel = [here // out for here, out in zip(size, cells, strict=True)]
    if max(kernel) > LARGEST_KERNEL:
        most, found = f"{LARGEST_KERNEL}×{LARGEST_KERNEL}", f"{kernel[0]}×{kernel[1]}"
        raise ValueError(f"its windows must be at most {most}, got {found}")
    return _read_pool(nn.AvgPool2d((kernel[0], kernel[1])), shape)


def _read_norm(layer: Any, shape: tuple[int, ...]) -> Spec:
    """Read a normalisation as it is once a network is trained: a depthwise 1×1 convolution."""
    mean, variance, channels = layer.running_mean, layer.running_var, layer.num_features
    if variance is None:
        raise ValueError("track_running_stats must be True: else a channel depends on the other images too")
    with torch.device("meta"):  # its initial weights would be drawn for nothing
        depthwise = nn.Conv2d(channels, channels, 1, groups=channels)
    depthwise.weight, depthwise.bias = fuse_conv_bn_weights(
        variance.new_ones(channels, 1, 1, 1), None, mean, variance, layer.eps, layer.weight, layer.bias
    )
    return {**_read_conv(depthwise, shape), "kind": "norm", "name": "norm"}


def _read_flatten(layer: Any, shape: tuple[int, ...]) -> Spec:
    if (layer.start_dim, layer.end_dim) != (1, -1):
        raise ValueError(f"start_dim and end_dim must be 1 and -1, got {layer.start_dim} and {layer.end_dim}")
    return {"kind": "flatten", "name": "flatten", "shape": [int(np.prod(shape))]}


def _read_linear(layer: Any, shape: tuple[int, ...]) -> Spec:
    if len(shape) != 1:
        raise ValueError(f"it needs a Flatten before it: it gets feature maps of shape {shape}")
    if shape[0] != layer.in_features:
        raise ValueError(f"it needs {layer.in_features} numbers, got {shape[0]}")
    return {
        "kind": "linear",
        "name": "linear",
        "shape": [layer.out_features],
        **_packed(layer.weight, layer.bias, pack_rows),
    }


def _read_activation(kind: str, name: str) -> Callable[[Any, tuple[int, ...]], Spec]:
    return lambda _, shape: {"kind": kind, "name": name, "shape": list(shape)}


READ: dict[type[nn.Module], Callable[[Any, tuple[int, ...]], Spec]] = {
    nn.Conv2d: _read_conv,
    nn.BatchNorm2d: _read_norm,
    nn.ReLU: _read_activation("relu", "ReLU"),
    nn.Sigmoid: _read_activation("sigmoid", "sigmoid"),
    nn.Tanh: _read_activation("tanh", "tanh"),
    nn.MaxPool2d: _read_pool,
    nn.AvgPool2d: _read_pool,
    nn.AdaptiveAvgPool2d: _read_adaptive,
    nn.Flatten: _read_flatten,
    nn.Linear: _read_linear,
}
"""How each type of layer becomes a plain one. Subclasses may compute something else, so they are not read."""
