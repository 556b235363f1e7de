"""Networks for the tests: known ones, and random stacks of layers."""

import copy
from itertools import pairwise

import torch
from hypothesis import assume
from hypothesis import strategies as st
from tests.package.oracle import refusal
from torch import nn
from torch.nn import functional as F
from torch.utils.flop_counter import FlopCounterMode

from d2lconv.shapes import Layer
from d2lconv.widgets.feature_maps.packing import unpack


class Model(nn.Module):
    """Named layers and a function that runs them."""

    def __init__(self, forward, **layers):
        super().__init__()
        self.run = forward
        for name, layer in layers.items():
            setattr(self, name, layer)

    def forward(self, X):
        return self.run(self, X)


def lenet():
    return nn.Sequential(
        *(nn.Conv2d(1, 6, 5, padding=2), nn.Sigmoid(), nn.AvgPool2d(2)),
        *(nn.Conv2d(6, 16, 5), nn.Sigmoid(), nn.AvgPool2d(2), nn.Flatten()),
        *(nn.Linear(400, 120), nn.Sigmoid(), nn.Linear(120, 84), nn.Sigmoid(), nn.Linear(84, 10)),
    )


def branchy():
    """Return a model with two branchings, a layer used twice, functions, frozen and unused layers."""

    def forward(self, X):
        X = self.stem(X)
        X = F.relu(X + self.twice(self.twice(X)))
        X = torch.cat([self.wide(X), self.narrow(X)], dim=1)
        X = F.max_pool2d(F.conv2d(X, self.kernel, stride=2), 2)
        return self.head(X.flatten(1))

    model = Model(
        forward,
        stem=nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.BatchNorm2d(4)),
        twice=nn.Conv2d(4, 4, 3, padding="same"),
        wide=nn.Conv2d(4, 2, (1, 7), padding=(0, 3)),
        narrow=nn.Conv2d(4, 2, 1),
        kernel=nn.Parameter(torch.ones(4, 4, 3, 3)),
        head=nn.Linear(4 * 3 * 3, 5),
        spare=nn.Linear(2, 2),
    )
    model.head.requires_grad_(False)
    return model


def vgg(*convolutions):
    """Stack the paper's blocks: how many convolutions each has."""
    layers, channels = [], 3
    for count, wanted in zip(convolutions, (64, 128, 256, 512, 512), strict=True):
        for _ in range(count):
            layers += [nn.Conv2d(channels, wanted, 3, padding=1, device="meta"), nn.ReLU()]
            channels = wanted
        layers.append(nn.MaxPool2d(2))
    sizes = [512 * 7 * 7, 4096, 4096, 1000]
    head = [nn.Linear(a, b, device="meta") for a, b in pairwise(sizes)]
    return nn.Sequential(*layers, nn.Flatten(), head[0], nn.ReLU(), head[1], nn.ReLU(), head[2])


@st.composite
def stacks(draw, kinds=("conv", "max", "avg", "cheap")):
    """Draw layers from two channels to some, and what shapes.receptive_field needs to know of them."""
    layers, specs, channels = [], [], 2
    pair = st.tuples(st.integers(1, 3), st.integers(1, 3))
    for kind in draw(st.lists(st.sampled_from(kinds), min_size=1, max_size=5)):
        kernel, stride, dilation = draw(pair), draw(pair), draw(pair)
        pad = draw(st.tuples(*[st.integers(0, size // 2) for size in kernel]))
        if kind == "conv":
            groups, out = draw(st.sampled_from([1, 2])), draw(st.sampled_from([2, 4]))
            if draw(st.booleans()):
                stride, pad = (1, 1), "same"
            mode = "zeros" if pad == "same" else draw(st.sampled_from(["zeros", "reflect", "replicate"]))
            more = {"groups": groups, "bias": draw(st.booleans()), "padding_mode": mode}
            layers.append(nn.Conv2d(channels, out, kernel, stride, pad, dilation, **more))
            channels = out
        elif kind == "max":
            layers.append(nn.MaxPool2d(kernel, stride, pad, dilation, ceil_mode=draw(st.booleans())))
        elif kind == "avg":
            dilation = 1
            layers.append(nn.AvgPool2d(kernel, stride, pad, ceil_mode=draw(st.booleans())))
        else:
            choice = st.sampled_from(
                [nn.ReLU(True), nn.PReLU(channels), nn.Dropout(), nn.BatchNorm2d(channels)]
            )
            layers.append(draw(choice))
        specs.append(None if kind == "cheap" else Layer(kernel, stride, pad, dilation))
    assume(refusal(lambda: nn.Sequential(*layers)(torch.ones(2, 2, 24, 23))) is None)
    return layers, specs


def counted_by_pytorch(model, shape):
    """Return half of the floating-point operations that PyTorch counts."""
    with FlopCounterMode(display=False) as counter, torch.no_grad():
        copy.deepcopy(model).eval()(torch.ones(1, *shape))
    assert counter.get_total_flops() % 2 == 0
    return counter.get_total_flops() // 2


def shapes_of_calls(model, shape):
    """Run a model on two real examples, and list the output shapes of its layers."""
    seen = []
    for module in model.modules():
        if not list(module.children()):
            module.register_forward_hook(lambda module, args, Y: seen.append(tuple(Y.shape[1:])))
    model(torch.ones(2, *shape))
    return seen


def as_trained(norm):
    """Give a normalisation the numbers that training might have left, and let it use them."""
    with torch.no_grad():
        norm.running_mean.normal_()
        norm.running_var.uniform_(0.2, 3)
        if norm.affine:
            norm.weight.normal_()
            norm.bias.normal_()
    return norm.eval()


def round_layer(layer, spec):
    """Let a layer compute with the rounded numbers of a figure."""
    if isinstance(layer, nn.BatchNorm2d):
        layer.running_mean.zero_()
        layer.running_var.fill_(1)
        layer.eps = 0.0
        layer.weight, layer.bias = (nn.Parameter(unpack(spec[name]).flatten()) for name in ("weight", "bias"))
    else:
        for name, parameter in layer.named_parameters():
            parameter.data = unpack(spec[name])
