"""The layers and networks of cost_explorer as PyTorch models: what their numbers are checked against."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any, NamedTuple

import torch
from torch import nn

from d2lconv.models import VGG, DepthwiseSeparableConv2d, LeNet
from d2lconv.shapes import padding_for
from d2lconv.summary import Summary, summarize

Pool = nn.MaxPool2d | nn.AvgPool2d


class Network(NamedTuple):
    """A network that can be shown."""

    build: Callable[[int], nn.Module]
    """Build it for images of some size."""

    channels: int
    """Channels of its input."""

    size: int
    """Rows and columns of the images that it was made for."""

    fixed: bool
    """Whether it takes images of this size alone."""


def _vgg(letter: str, size: int) -> nn.Module:
    return VGG(letter, image_size=size)


NETWORKS = {
    "LeNet": Network(lambda size: LeNet(), 1, 28, True),
    **{f"VGG {letter}": Network(partial(_vgg, letter), 3, 224, False) for letter in "ABDE"},
}


def three_ways(
    in_channels: int, out_channels: int, bottleneck: int, kernel_size: int, size: int, bias: bool
) -> dict[str, Summary]:
    """Summarise a convolution that keeps the size: full, as a bottleneck and depthwise separable."""
    top, bottom, left, right = padding_for("same", kernel_size)
    zeros = nn.ZeroPad2d((left, right, top, bottom))
    with torch.device("meta"):
        ways = {
            f"full {kernel_size}×{kernel_size}": [
                zeros,
                nn.Conv2d(in_channels, out_channels, kernel_size, bias=bias),
            ],
            "bottleneck": [
                nn.Conv2d(in_channels, bottleneck, 1, bias=bias),
                zeros,
                nn.Conv2d(bottleneck, bottleneck, kernel_size, bias=bias),
                nn.Conv2d(bottleneck, out_channels, 1, bias=bias),
            ],
            "depthwise separable": [
                zeros,
                DepthwiseSeparableConv2d(in_channels, out_channels, kernel_size, bias=bias),
            ],
        }
    shape = (in_channels, size, size)
    return {name: summarize(nn.Sequential(*layers), shape) for name, layers in ways.items()}


def summarize_network(name: str, size: int) -> Summary:
    """Summarise a network for square images, or raise a ValueError that says why it does not take them."""
    network = NETWORKS[name]
    if network.fixed and size != network.size:
        raise ValueError(f"size must be {network.size} for {name}, got {size}")
    try:
        with torch.device("meta"):
            model = network.build(size)
    except ValueError as error:
        raise ValueError(f"{name} does not take images of {size}×{size}: {error}") from error
    return summarize(model, (network.channels, size, size))


def describe(name: str) -> dict[str, Any]:
    """Describe a network for the browser, which computes its costs for any image size.

    Its ``layers`` are those that cost something or change the size, each as its kind and settings: of a
    convolution its output channels, kernel size, stride, padding and bias; of pooling its window and stride;
    of a fully connected layer its outputs, its inputs (None if they follow from the image size) and bias.
    """
    network = NETWORKS[name]
    with torch.device("meta"):
        own, larger = (_layers(network.build(size)) for size in (network.size, 2 * network.size))
    for layer, other in zip(own, larger, strict=True):
        if layer != other:
            layer[2] = None
    return {
        "name": name,
        "channels": network.channels,
        "size": network.size,
        "fixed": network.fixed,
        "layers": own,
    }


def _layers(model: nn.Module) -> list[list[Any]]:
    layers: list[list[Any]] = []
    for module in model.modules():
        if isinstance(module, nn.Conv2d):
            (kernel, _), (stride, _) = module.kernel_size, module.stride
            padding = int(module.padding[0])
            layers.append(["conv", module.out_channels, kernel, stride, padding, module.bias is not None])
        elif isinstance(module, Pool):
            layers.append(["pool", module.kernel_size, module.stride])
        elif isinstance(module, nn.Linear):
            layers.append(["linear", module.out_features, module.in_features, module.bias is not None])
    return layers
