"""The figures that the tests' book shows, all explorers among them."""

import functools

import torch
from tests.package.networks import as_trained
from torch import nn

from d2lconv import widgets
from d2lconv.data import load_digits
from d2lconv.models import LeNet, vgg_block
from d2lconv.training import fit

ONE_BY_ONE = torch.stack([torch.arange(9.0).reshape(3, 3), 9 - torch.arange(9.0).reshape(3, 3)])
ROWS = [[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1]]


@functools.cache
def networks():
    """Return LeNet with weights as large as trained ones, and a network with every other kind of layer."""
    torch.manual_seed(0)
    lenet = LeNet()
    for parameter in lenet.parameters():
        parameter.data *= 2
    narrow = nn.Sequential(
        *(vgg_block(2, 3, 6), nn.Conv2d(6, 12, 3, stride=2, padding=1)),
        *(as_trained(nn.BatchNorm2d(12)), nn.Sigmoid(), nn.AdaptiveAvgPool2d(2)),
    )
    return lenet, narrow


@functools.cache
def reader():
    """Return a LeNet that has learned digits for an epoch."""
    torch.manual_seed(0)
    model = LeNet()
    fit(model, load_digits(), epochs=1, lr=0.05, batch_size=16, device="cpu")
    return model


@functools.cache
def images():
    """Return the images that the two networks are shown with."""
    return load_digits().valid.images[:10], torch.linspace(0, 1, 3 * 24 * 24).reshape(1, 3, 24, 24)


def explorers():
    """Return the figures of each page of the book."""
    lenet, narrow = networks()
    digits, ramp = images()
    labels = load_digits().valid.labels[:10]
    maps = widgets.feature_map_explorer
    return {
        "convolution": [
            widgets.convolution_explorer(),
            widgets.convolution_explorer(torch.arange(9.0).reshape(3, 3), [[0, 1], [2, 3]], cell=(1, 1)),
            widgets.convolution_explorer(K="blur"),
            widgets.convolution_explorer(adjust=("stride", "padding", "dilation")),
        ],
        "padding": [
            widgets.padding_explorer(8, 3, stride=2, padding=1),
            widgets.padding_explorer((4, 7), (2, 3), padding="same"),
            widgets.padding_explorer(10, 5, padding="full", dilation=3),
        ],
        "channels": [
            widgets.channels_explorer(channel=1),
            widgets.channels_explorer(ONE_BY_ONE, [[[[1]], [[2]]]], [3]),
        ],
        "pooling": [
            widgets.pooling_explorer(),
            widgets.pooling_explorer(ROWS, 3, ceil_mode=True, cell=(1, 1)),
        ],
        "receptive_field": [
            widgets.receptive_field_explorer(),
            widgets.receptive_field_explorer([(3,), (3, 1, 0, 2), (3, 1, 0, 4)], 17),
        ],
        "cost": [
            widgets.cost_explorer(512, 512, 3, 14, bias=False),
            widgets.cost_explorer(show="VGG A"),
            widgets.cost_explorer(show="LeNet"),
        ],
        "gradient": [
            widgets.gradient_explorer(),
            widgets.gradient_explorer(
                [[1, 1, 0, 0, 1, 1, 0], [0, 1, 1, 0, 0, 0, 1]],
                [[-1, -1.5]],
                target=[[0, 1, 0, -1, 0, 1], [-1, 0, 1, 0, 0, -1]],
                lr=0.5,
            ),
        ],
        "feature_maps": [
            maps(nn.Sequential(lenet.encoder, lenet.head), digits, labels=labels, layer=4),
            maps(narrow, ramp),
        ],
        "own_digit": [widgets.own_digit(reader())],
        "training": [
            widgets.training_explorer(),
            widgets.training_explorer(lr=10, weight_decay=1, batch_size=8, shifts=True),
        ],
    }
