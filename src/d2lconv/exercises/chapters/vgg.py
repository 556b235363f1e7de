"""Exercises of the chapter *VGG*."""

from __future__ import annotations

import copy
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import torch
from torch import Tensor, nn

from d2lconv.data import load_digits
from d2lconv.exercises.engine.runs import dtype_of
from d2lconv.exercises.kinds import (
    Cases,
    Debug,
    Function,
    Misconception,
    Network,
    RandomInputs,
    Rule,
    Run,
    Setting,
    Value,
)
from d2lconv.shapes import receptive_field

__all__ = ["EXERCISES"]


# ---- 1: the shape at the end of the encoder ------------------------------------------------------------

SHAPE = Value(
    id="vgg.1",
    title="Out of the encoder",
    level=1,
    right=lambda: (512, 3, 3),
    parts=("channels", "height", "width"),
    answer_description="three numbers, (channels, height, width)",
    wrong=(
        Misconception(
            "one pooling too few",
            (512, 6, 6),
            "Configuration A has five blocks, and each one ends in a pooling.",
        ),
        Misconception(
            "size of the paper", (512, 7, 7), "That is the size for images of 224×224. These are smaller."
        ),
        Misconception(
            "poolings forgotten", (512, 96, 96), "The convolutions keep the size. What does the pooling do?"
        ),
        Misconception(
            "convolutions shrink the map",
            (512, 1, 1),
            "The convolutions are padded by 1 on each side, so only the poolings make the maps smaller.",
        ),
        Misconception(
            "flattened", 4608, "That is how many numbers the head gets. How are they arranged before?"
        ),
        Misconception(
            "channels last", (3, 3, 512), "In PyTorch the channels come first, then height and width."
        ),
        Misconception("channels of the image", (3, 3, 3), "The last block makes its own number of channels."),
    ),
)


# ---- 2: a fault that equal channels hide ------------------------------------------------------------


def of_outputs(c_in: int, c_out: int, k: int) -> float:
    """Return the standard deviation with the fault of the notebook: it counts outputs."""
    return float((2 / (c_out * k * k)) ** 0.5)


FIRST_WEIGHTS = Debug(
    id="vgg.2",
    title="Which channels count?",
    level=1,
    right=lambda c_in, c_out, k: (
        nn.init.calculate_gain("relu") / nn.Conv2d(c_in, 1, k).weight[0].numel() ** 0.5
    ),
    given=of_outputs,
    cases=Cases(
        lambda draw, c_in, c_out, k: (c_in, c_out, k),
        c_in=(1, 2, 3, 8, 64),
        c_out=(1, 2, 4, 16, 128),
        k=(1, 3, 5, 7),
        small=20,
        large=20,
    ),
    wrong=(
        Misconception(
            "both counted",
            lambda c_in, c_out, k: (2 / (c_in * c_out * k * k)) ** 0.5,
            "How many products are added up for *one* output?",
        ),
        Misconception(
            "window forgotten",
            lambda c_in, c_out, k: (2 / c_in) ** 0.5,
            "An output adds up a whole window of every input channel.",
        ),
        Misconception(
            "one side of the window",
            lambda c_in, c_out, k: (2 / (c_in * k)) ** 0.5,
            "A window has rows and columns.",
        ),
        Misconception(
            "variance instead of standard deviation",
            lambda c_in, c_out, k: 2 / (c_in * k * k),
            "That is the variance. The standard deviation is its square root.",
        ),
        Misconception(
            "halving forgotten",
            lambda c_in, c_out, k: (1 / (c_in * k * k)) ** 0.5,
            "The ReLU takes half of the mean square away, and the 2 makes up for it.",
        ),
        Misconception(
            "mean of inputs and outputs",
            lambda c_in, c_out, k: (4 / ((c_in + c_out) * k * k)) ** 0.5,
            "That is the rule of Glorot and Bengio, up to a factor. He's counts what goes *into* a sum.",
        ),
    ),
)


# ---- 3: the parameters of a block ------------------------------------------------------------


def weights_of(n: int, c_in: int, c_out: int) -> int:
    """Count the weights of a block, without its biases."""
    return sum(9 * i * o for i, o in pairwise([c_in] + [c_out] * n))


def parameters_of(n: int, c_in: int, c_out: int) -> int:
    """Count the parameters of a block: those of PyTorch's own layers."""
    widths = [c_in] + [c_out] * n
    layers = [nn.Conv2d(i, o, 3, device="meta") for i, o in pairwise(widths)]
    return sum(parameter.numel() for layer in layers for parameter in layer.parameters())


COUNT = Function(
    id="vgg.3",
    title="The parameters of a block",
    level=2,
    kind="count",
    answer_description="a function",
    right=parameters_of,
    cases=Cases(
        lambda draw, n, c_in, c_out: (n, c_in, c_out),
        n=range(1, 5),
        c_in=(1, 3, 64, 128),
        c_out=(1, 8, 64, 256),
        small=20,
        large=20,
    ),
    wrong=(
        Misconception(
            "biases forgotten", weights_of, "Each output channel of each convolution also has a bias."
        ),
        Misconception(
            "one bias for the block",
            lambda n, c_in, c_out: weights_of(n, c_in, c_out) + c_out,
            "Every convolution has biases of its own.",
        ),
        Misconception(
            "every convolution sees the input",
            lambda n, c_in, c_out: n * (9 * c_in * c_out + c_out),
            "Only the first convolution sees the block's input. What does the second one see?",
        ),
        Misconception(
            "one convolution too many",
            lambda n, c_in, c_out: weights_of(n + 1, c_in, c_out) + (n + 1) * c_out,
            "That is a convolution too many: the first is one of the `n`, so `n - 1` follow.",
        ),
        Misconception(
            "weights of one convolution too many",
            lambda n, c_in, c_out: weights_of(n + 1, c_in, c_out) + n * c_out,
            "The biases are right. The first convolution is one of the `n`, so `n - 1` follow.",
        ),
        Misconception(
            "one convolution only",
            lambda n, c_in, c_out: 9 * c_in * c_out + c_out,
            "That is the first convolution. A block has `n` of them.",
        ),
        Misconception(
            "kernel of three numbers",
            lambda n, c_in, c_out: weights_of(n, c_in, c_out) // 3 + n * c_out,
            "A 3×3 kernel has rows and columns.",
        ),
        Misconception(
            "input channels not counted",
            lambda n, c_in, c_out: n * 10 * c_out,
            "Each output channel has a kernel for every input channel.",
        ),
    ),
)


# ---- 4: the field of an encoder ------------------------------------------------------------


def layers_of(blocks: list[int]) -> list[tuple[int, int]]:
    """Return kernel size and stride of each layer of an encoder."""
    return [layer for n in blocks for layer in [(3, 1)] * n + [(2, 2)]]


def field_of(layers: list[tuple[int, int]]) -> int:
    """Return the receptive field of layers, along one axis."""
    return int(receptive_field(layers).size[0])


def numbers_of_convolutions(draw: RandomInputs, *, length: int, first: int, last: int) -> tuple[list[int]]:
    """Make an encoder: how many convolutions each block has."""
    return ([first] * (length - 1) + [last],)


FIELD = Function(
    id="vgg.4",
    title="What an encoder sees",
    level=2,
    kind="formula",
    answer_description="a function",
    right=lambda blocks: field_of(layers_of(blocks)),
    forbidden=("receptive_field",),
    cases=Cases(
        numbers_of_convolutions, length=range(1, 6), first=range(1, 5), last=range(1, 5), small=20, large=20
    ),
    wrong=(
        Misconception(
            "poolings see nothing",
            lambda blocks: 1 + sum(2 * n * 2**i for i, n in enumerate(blocks)),
            "A pooling also covers two neighbouring cells, so it widens the field too.",
        ),
        Misconception(
            "steps stay single",
            lambda blocks: 1 + sum(2 * n + 1 for n in blocks),
            "After a pooling, neighbouring cells lie two pixels apart, after two poolings four.",
        ),
        Misconception(
            "last pooling left out",
            lambda blocks: field_of(layers_of(blocks)[:-1]),
            "This is the field before the last pooling.",
        ),
        Misconception(
            "poolings left out",
            lambda blocks: 1 + 2 * sum(blocks),
            "This is the field of the convolutions alone, as if there were no pooling between them.",
        ),
        Misconception(
            "fields added up",
            lambda blocks: sum(3 * n + 2 for n in blocks),
            "Fields of layers overlap: a 3×3 convolution adds two steps, not three.",
        ),
        Misconception(
            "pooling before the convolutions",
            lambda blocks: field_of([layer for n in blocks for layer in [(2, 2)] + [(3, 1)] * n]),
            "The pooling comes at the end of its block, so it doubles the steps of the *next* block.",
        ),
        Misconception(
            "steps instead of field",
            lambda blocks: 2 ** len(blocks),
            "That is how far apart the fields of neighbouring cells lie. How large is one field?",
        ),
    ),
)


# ---- 5: validation in the right mode ------------------------------------------------------------


def normalising_net(draw: RandomInputs, n: int, d: int, c: int) -> tuple[nn.Module, Tensor]:
    """Make a network in training mode that normalises, and some examples."""
    net = nn.Sequential(nn.Linear(d, c), nn.BatchNorm1d(c))
    for parameter in net.parameters():
        parameter.data = draw(*parameter.shape)
    net[1].running_mean, net[1].running_var = draw(c), draw(c, low=1)
    return net.train(), draw(n, d)


class Predictor:
    """Runs a reader's function, and tells what it gave and whether the network was left as it was."""

    def __init__(self, function: Callable[..., Tensor]) -> None:
        self.function = function

    def __call__(self, net: nn.Module, X: Tensor) -> list[float] | None:
        before = [buffer.clone() for buffer in net.buffers()]
        made = self.function(net, X)
        if made is None:
            return None
        same = all(torch.equal(one, old) for one, old in zip(net.buffers(), before, strict=True))
        return [*made.flatten().tolist(), float(same), float(net.training), float(made.requires_grad)]


def expected_prediction(net: Any, X: Tensor) -> list[float]:
    """Compute it by the formula: with the running statistics, in training mode afterwards."""
    norm = net[1]
    Y = (X @ net[0].weight.T + net[0].bias - norm.running_mean) / (norm.running_var + norm.eps).sqrt()
    return [*(Y * norm.weight + norm.bias).flatten().tolist(), 1.0, 1.0, 0.0]


def predicted(
    *, mode: bool = False, back: bool = True, grad: bool = False
) -> Callable[[nn.Module, Tensor], list[float] | None]:
    """Make a misconception: the wrong mode, the mode not put back, gradients kept."""

    def predict(net: nn.Module, X: Tensor) -> Tensor:
        net.train(mode)
        with torch.set_grad_enabled(grad):
            made: Tensor = net(X)
        net.train(back)
        return made

    return lambda net, X: Predictor(predict)(copy.deepcopy(net), X)


VALIDATE = Setting(
    id="vgg.5",
    title="Validation in the right mode",
    level=2,
    answer_description="a function",
    kind="operator",
    read=lambda answer: Predictor(function_given(answer)),
    use=lambda predictor, net, X: predictor(net, X),
    right=expected_prediction,
    cases=Cases(normalising_net, n=range(2, 5), d=range(1, 4), c=range(1, 4), small=15, large=10),
    wrong=(
        Misconception(
            "training mode",
            predicted(mode=True),
            "In training mode the batch's own mean is subtracted, and the running one changes.",
        ),
        Misconception(
            "training mode, with gradients",
            predicted(mode=True, grad=True),
            "`net.eval()` and `torch.no_grad()` are two things, and both are needed.",
        ),
        Misconception(
            "mode not put back",
            predicted(back=False),
            "The predictions are right. But the network must be in training mode afterwards.",
        ),
        Misconception(
            "gradients kept",
            predicted(grad=True),
            "The predictions are right. But PyTorch still keeps all that a backward pass needs.",
        ),
        Misconception(
            "left as it was evaluated, with gradients",
            predicted(back=False, grad=True),
            "The predictions are right. Two things are left: the mode afterwards, and the gradients.",
        ),
    ),
)


def function_given(answer: object) -> Callable[..., Tensor]:
    """Let a function through."""
    if not callable(answer) or isinstance(answer, nn.Module | type):
        raise TypeError("Give the function itself, without calling it")
    return answer


# ---- 6: a network of small convolutions ------------------------------------------------------------


def too_few(model: nn.Module, done: Run) -> str:
    """Return the fault that there are fewer than eight convolutions."""
    count = len(done.steps("Conv2d"))
    return (
        f"it has {count} convolution{'s' * (count != 1)}, and at least 8 are asked for" if count < 8 else ""
    )


def other_kernels(model: nn.Module, done: Run) -> str:
    """Return the fault that a convolution has another kernel than 3×3."""
    others = {step.kernel_size for step in done.steps("Conv2d") if step.kernel_size} - {(3, 3)}
    return f"a kernel is {'×'.join(map(str, min(others)))}" if others else ""


def bare_convolutions(model: nn.Module, done: Run) -> str:
    """Return the fault that no ReLU follows a convolution; a normalisation may stand between them."""
    kinds = [step.kind for step in done.rows if "batch_norm" not in step.kind]
    bare = any(one == "Conv2d" and after != "ReLU" for one, after in pairwise([*kinds, ""]))
    return "a convolution has no ReLU right after it" if bare else ""


def strided(model: nn.Module, done: Run) -> str:
    """Return the fault that a convolution makes maps smaller."""
    return "a convolution has a stride" if any(c.stride != (1, 1) for c in done.steps("Conv2d")) else ""


DEEP_AND_SMALL = Network(
    id="vgg.6",
    title="Deep and small",
    level=3,
    input_shape=(1, 32, 32),
    output_shape=(10,),
    max_params=50_000,
    max_macs=3_000_000,
    rules=(
        Rule("too few convolutions", too_few, "Put several convolutions into each block."),
        Rule("other kernels", other_kernels, "Each convolution is to be 3×3, as in VGG."),
        Rule("strided convolution", strided, "Let poolings make the maps smaller."),
        Rule(
            "no ReLU after a convolution",
            bare_convolutions,
            "Without something between them, two convolutions are no more than one.",
        ),
    ),
)


# ---- 7: a network for colour images, trained ------------------------------------------------------------

_MOST_MACS = 2_000_000
_WANTED = 0.85  # accuracy on digits, in colours, that the network has not seen


def in_colours(images: Tensor, seed: int) -> Tensor:
    """Give each grey image, (N, 1, H, W), an ink and a paper: in each of three channels one half apart."""
    paper = torch.rand(len(images), 3, 1, 1, generator=torch.Generator().manual_seed(seed))
    ink = (paper + 0.5) % 1
    return paper + (ink - paper) * images


def accuracy_on(model: nn.Module, images: Tensor, labels: Tensor) -> float:
    """Return the fraction of images that a model classifies correctly, in the mode in which it is."""
    with torch.no_grad():
        right = model(images.to(dtype_of(model))).argmax(dim=1) == labels
    return float(right.double().mean())


def accuracy_in_colours(model: nn.Module) -> float:
    """Return the accuracy on the test digits, in evaluation mode."""
    test = load_digits(32).test
    return accuracy_on(model.eval(), in_colours(test.images, seed=7), test.labels)


def if_affordable(breaks: Callable[[nn.Module, Run], str]) -> Callable[[nn.Module, Run], str]:
    """Try no network that costs too much, which takes long: the reply is that it does."""
    return lambda model, done: breaks(model, done) if done.total_macs <= _MOST_MACS else ""


@if_affordable
def same_scores(model: nn.Module, _: Run) -> str:
    """Return the fault that the scores are the same for all images, which is how a deep network stalls."""
    test = load_digits(32).test
    with torch.no_grad():
        scores = model(in_colours(test.images[:100], seed=7).to(dtype_of(model)))
    apart = float((scores.amax(0) - scores.amin(0)).max())
    same = apart <= 1e-3 * float(scores.abs().median())
    return f"its scores for 100 images differ by at most {apart:.1g}" if same else ""


@if_affordable
def poor_statistics(model: nn.Module, _: Run) -> str:
    """Return the fault that the network is good only by the means of the batch that it sees."""
    test = load_digits(32).test
    images = in_colours(test.images, seed=7)
    judged = accuracy_on(model, images, test.labels)
    batch = accuracy_on(copy.deepcopy(model).train(), images, test.labels)
    poor = judged < _WANTED <= batch
    return (
        f"its accuracy is {batch:.2f} in training mode, but {judged:.2f} in evaluation mode" if poor else ""
    )


@if_affordable
def grey_only(model: nn.Module, _: Run) -> str:
    """Return the fault that the network reads white ink on black paper, and not coloured ink."""
    test = load_digits(32).test
    grey = accuracy_on(model, test.images.expand(-1, 3, -1, -1), test.labels)
    coloured = accuracy_in_colours(model)
    poor = coloured < _WANTED <= grey
    return f"its accuracy is {grey:.2f} in grey, but {coloured:.2f} in colour" if poor else ""


@if_affordable
def guessing(model: nn.Module, _: Run) -> str:
    """Return the fault that the network hardly does better than a guess."""
    reached = accuracy_in_colours(model)
    return f"its accuracy is {reached:.2f}, hardly more than by guessing" if reached < 0.25 else ""


COLOURS = Network(
    id="vgg.7",
    title="Digits in colour",
    level=3,
    input_shape=(3, 32, 32),
    output_shape=(10,),
    max_params=40_000,
    max_macs=_MOST_MACS,
    rules=(
        Rule(
            "same scores for all images",
            same_scores,
            "The images are lost on their way. Look at the spread after each layer, as the chapter does.",
        ),
        Rule(
            "running statistics",
            poor_statistics,
            "Batch normalisation keeps running means in training mode only. Did the loop call `net.train()`, "
            "and for enough batches?",
        ),
        Rule(
            "grey only", grey_only, "It has learned white ink on black paper. Train it on images in colour."
        ),
        Rule(
            "no better than a guess",
            guessing,
            "Is this the network that was trained? Does its training loss fall below ln 10, 2.30?",
        ),
    ),
    score=accuracy_in_colours,
    min_score=_WANTED,
    answer_description="a network that you have trained",
)


EXERCISES = (SHAPE, FIRST_WEIGHTS, COUNT, FIELD, VALIDATE, DEEP_AND_SMALL, COLOURS)
