"""Exercises of the chapter *Building blocks*."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from d2lconv.exercises.engine.runs import digits_read_after, inputs_for, without_gradient
from d2lconv.exercises.kinds import (
    Cases,
    Choice,
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

__all__ = ["EXERCISES"]


# ---- 1: the shapes of a linear layer ------------------------------------------------------------


def shapes_of_layer() -> list[int]:
    """Return the sizes of weight, bias and output, asked from PyTorch's layer."""
    layer = nn.Linear(6, 4)
    return [*layer.weight.shape, *layer.bias.shape, *layer(torch.zeros(5, 6)).shape]


SHAPES = Value(
    id="building_blocks.1",
    title="Shapes of a linear layer",
    level=1,
    right=shapes_of_layer,
    answer_description="five whole numbers",
    parts=(
        "number of rows of the weight",
        "number of columns of the weight",
        "number of biases",
        "number of rows of the output",
        "number of columns of the output",
    ),
    wrong=(
        Misconception(
            "weight transposed",
            (6, 4, 4, 5, 4),
            "Each neuron is a row of the weight matrix. The order in `nn.Linear(inputs, outputs)` misleads.",
        ),
        Misconception("bias for each input", (4, 6, 6, 5, 4), "A bias belongs to a neuron, not to an input."),
        Misconception(
            "bias for each example",
            (4, 6, 5, 5, 4),
            "All examples meet the same neurons, and so the same biases.",
        ),
        Misconception(
            "one bias", (4, 6, 1, 5, 4), "That is the bias of one neuron. The layer has four neurons."
        ),
        Misconception("output transposed", (4, 6, 4, 4, 5), "As in X, each example keeps a row of its own."),
        Misconception(
            "output as wide as the input", (4, 6, 4, 5, 6), "Each neuron gives one number for each example."
        ),
        Misconception("biases left out", (4, 6, 5, 4), "Five numbers are asked for: the biases come third."),
        Misconception("examples added up", (4, 6, 4, 1, 4), "Examples never mix: each gets its own output."),
    ),
)


# ---- 2: layers in a list ------------------------------------------------------------


IN_A_LIST = Choice(
    id="building_blocks.2",
    title="Layers in a list",
    level=1,
    right="b",
    because="a module does not look into Python lists, so the optimizer never hears of these layers. "
    "`nn.ModuleList` would show them.",
    wrong={
        "a": "Python finds the layers in the list without trouble, so `forward` runs.",
        "c": "Print `len(list(net.parameters()))`. How many would three layers have?",
        "d": "The gradient follows what `forward` does, and needs no list of parameters.",
    },
)


# ---- 3: buffers ------------------------------------------------------------

BUFFER = Choice(
    id="building_blocks.3",
    title="Numbers that are kept but not learned",
    level=1,
    right="d",
    because="a buffer is saved with the state_dict and moves with `.to(device)`, and no optimizer sees it.",
    wrong={
        "a": "A plain attribute is neither saved by `state_dict()` nor moved by `.to(device)`.",
        "b": "It would be saved and moved, but as one of `net.parameters()` it would be trained.",
        "c": "The module looks neither into lists nor at what they hold.",
    },
)


# ---- 4: all parameters of a network ------------------------------------------------------------


def counted_by_pytorch(c: int, k: int, size: int, classes: int) -> int:
    """Build the network, ask it for the head's inputs, and count."""
    encoder = nn.Sequential(nn.Conv2d(1, c, k), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    head = nn.Linear(encoder(torch.zeros(1, 1, size, size)).shape[1], classes)
    return sum(p.numel() for part in (encoder, head) for p in part.parameters())


def pooled(size: int, k: int) -> int:
    """Return height or width of the map that the head sees."""
    return (size - k + 1) // 2


COUNT = Function(
    id="building_blocks.4",
    title="Counting a network's parameters",
    level=2,
    kind="count",
    right=counted_by_pytorch,
    answer_description="a function that gives a whole number",
    cases=Cases(
        lambda draw, c, k, more, classes: (c, k, k + more, classes),
        c=range(1, 6),
        k=range(1, 6),
        more=range(1, 8),
        classes=range(1, 6),
        small=20,
        large=20,
    ),
    wrong=(
        Misconception(
            "biases forgotten",
            lambda c, k, size, classes: c * k * k + c * pooled(size, k) ** 2 * classes,
            "The convolution and the linear layer also have biases.",
        ),
        Misconception(
            "convolution without bias",
            lambda c, k, size, classes: c * k * k + (c * pooled(size, k) ** 2 + 1) * classes,
            "The head is right. The convolution has a bias for each of its channels, too.",
        ),
        Misconception(
            "bias for each cell",
            lambda c, k, size, classes: (
                c * k * k + c * (size - k + 1) ** 2 + (c * pooled(size, k) ** 2 + 1) * classes
            ),
            "All cells of a map are the same neuron, so they also share their bias.",
        ),
        Misconception(
            "pooling forgotten",
            lambda c, k, size, classes: c * (k * k + 1) + (c * (size - k + 1) ** 2 + 1) * classes,
            "The head comes after the pooling. How large are the maps there?",
        ),
        Misconception(
            "one position forgotten",
            lambda c, k, size, classes: c * (k * k + 1) + (c * ((size - k) // 2) ** 2 + 1) * classes,
            "Your maps are too small: before the pooling they have `size - k + 1` rows and columns.",
        ),
        Misconception(
            "area halved",
            lambda c, k, size, classes: c * (k * k + 1) + (c * ((size - k + 1) ** 2 // 2) + 1) * classes,
            "The pooling halves height and width, so a quarter of the cells is left.",
        ),
        Misconception(
            "area rounded",
            lambda c, k, size, classes: c * (k * k + 1) + (c * ((size - k + 1) ** 2 // 4) + 1) * classes,
            "You divided the number of cells by 4. Height and width are halved and rounded down first.",
        ),
        Misconception(
            "maps as large as the image",
            lambda c, k, size, classes: c * (k * k + 1) + (c * (size // 2) ** 2 + 1) * classes,
            "Without padding, the convolution makes the maps smaller before they are pooled.",
        ),
        Misconception(
            "pooling rounded up",
            lambda c, k, size, classes: c * (k * k + 1) + (c * ((size - k + 2) // 2) ** 2 + 1) * classes,
            "A row that is left over at the end is not pooled.",
        ),
        Misconception(
            "one channel into the head",
            lambda c, k, size, classes: c * (k * k + 1) + (pooled(size, k) ** 2 + 1) * classes,
            "Flattening takes the cells of all channels.",
        ),
        Misconception(
            "parameters of the ReLU",
            lambda c, k, size, classes: counted_by_pytorch(c, k, size, classes) + c,
            "A ReLU has nothing to learn.",
        ),
        Misconception(
            "head forgotten",
            lambda c, k, size, classes: c * (k * k + 1),
            "This counts the convolution only.",
        ),
    ),
)


# ---- 5: a slope for each channel ------------------------------------------------------------


def slopes_along_rows_of_pixels(X: Tensor, slopes: Tensor) -> Tensor:
    """Multiply with the fault of the notebook: the slopes lie along the last axis."""
    return torch.where(X > 0, X, slopes * X)


SLOPES = Debug(
    id="building_blocks.5",
    title="A slope for each channel",
    level=2,
    right=lambda X, slopes: F.prelu(X[None], slopes)[0],
    given=slopes_along_rows_of_pixels,
    cases=Cases(
        lambda draw, c, h, w: (draw(c, h, w), draw(c)),
        c=range(1, 5),
        h=range(1, 5),
        w=range(1, 5),
        small=20,
        large=20,
    ),
    wrong=(
        Misconception(
            "slopes along the height",
            lambda X, slopes: torch.where(X > 0, X, slopes[:, None] * X),
            "Now the slopes lie along the height. How many axes come after the channels?",
        ),
        Misconception(
            "positive numbers changed too",
            lambda X, slopes: slopes[:, None, None] * X,
            "The channels are right, but positive numbers must stay as they are.",
        ),
        Misconception(
            "negative numbers cut off",
            lambda X, slopes: X.clamp(min=0),
            "This is a plain ReLU. Negative numbers are to be multiplied by their channel's slope.",
        ),
        Misconception(
            "larger of the two",
            lambda X, slopes: torch.maximum(X, slopes[:, None, None] * X),
            "The larger of x and slope·x is right for slopes up to 1 only.",
        ),
        Misconception(
            "clipped at 1",
            lambda X, slopes: torch.where(X > 0, X.clamp(max=1), slopes[:, None, None] * X),
            "A ReLU has no upper end: 5 stays 5.",
        ),
        Misconception(
            "slope added",
            lambda X, slopes: torch.where(X > 0, X, X + slopes[:, None, None]),
            "A slope is multiplied, not added.",
        ),
        Misconception(
            "sign lost",
            lambda X, slopes: torch.where(X > 0, X, slopes[:, None, None] * X.abs()),
            "The sign is lost: with a positive slope, negative numbers stay negative.",
        ),
        Misconception(
            "first slope for all",
            lambda X, slopes: torch.where(X > 0, X, slopes[0] * X),
            "Every channel gets the slope of the first one.",
        ),
    ),
)


# ---- 6: a training loop ------------------------------------------------------------


def learned(W: Tensor, X: Tensor, y: Tensor, rate: float, steps: int) -> Tensor:
    """Train by PyTorch's optimizer."""
    W = W.clone().requires_grad_()
    optimizer = torch.optim.SGD([W], rate)
    for _ in range(steps):
        optimizer.zero_grad()
        F.cross_entropy(X @ W.T, y).backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    return W.detach()


def learned_with(
    W: Tensor,
    X: Tensor,
    y: Tensor,
    rate: float,
    steps: int,
    *,
    keep: float = 0,
    last: int = 0,
    sign: float = -1,
    add: bool = False,
) -> Tensor:
    """Train with a fault: a fraction of the old gradient is kept, steps are left out, the sign is wrong."""
    W, total = W.clone(), torch.zeros_like(W)
    for _ in range(steps - last):
        weights = W.clone().requires_grad_()
        loss = F.cross_entropy(X @ weights.T, y, reduction="sum" if add else "mean")
        (gradient,) = torch.autograd.grad(loss, weights)
        total = keep * total + gradient
        W = W + sign * rate * total
    return W


LOOP = Debug(
    id="building_blocks.6",
    title="A loop that learns worse and worse",
    level=2,
    right=learned,
    given=lambda W, X, y, rate, steps: learned_with(W, X, y, rate, steps, keep=1),
    cases=Cases(
        lambda draw, n, d, c, rate, steps: (
            draw(c, d) / 4,
            draw(n, d) / 4,
            draw(n, low=0, high=c - 1).long(),
            rate,
            steps,
        ),
        n=range(1, 5),
        d=range(1, 4),
        c=range(2, 5),
        rate=(0.5, 0.25),
        steps=range(4),
        small=20,
        large=15,
    ),
    wrong=(
        Misconception(
            "nothing learned",
            lambda W, X, y, rate, steps: W,
            "The weights are those of the beginning. Is the gradient cleared after `backward`?",
        ),
        Misconception(
            "first step only",
            lambda W, X, y, rate, steps: learned_with(W, X, y, rate, min(steps, 1)),
            "It learns once. What happens in the second round?",
        ),
        Misconception(
            "last step left out",
            lambda W, X, y, rate, steps: learned_with(W, X, y, rate, steps, last=1) if steps else W,
            "One step is missing. Is the step taken before its gradient is computed?",
        ),
        Misconception(
            "uphill",
            lambda W, X, y, rate, steps: learned_with(W, X, y, rate, steps, sign=1),
            "The weights move so that the loss grows.",
        ),
        Misconception(
            "loss added up",
            lambda W, X, y, rate, steps: learned_with(W, X, y, rate, steps, add=True),
            "The loss is to stay the mean over the examples.",
        ),
        Misconception(
            "half of the old gradient",
            lambda W, X, y, rate, steps: learned_with(W, X, y, rate, steps, keep=0.5),
            "That is momentum. Here each step is to use its own gradient only.",
        ),
    ),
)


# ---- 7: freezing and a new head ------------------------------------------------------------


def body_and_head(draw: RandomInputs, d: int, h: int, c: int, classes: int) -> tuple[nn.Sequential, int]:
    """Make a network whose last layer is its head, and a number of new classes."""
    net = nn.Sequential(nn.Linear(d, h), nn.ReLU(), nn.Linear(h, c))
    for parameter in net.parameters():
        parameter.data = draw(*parameter.shape)
    return net, classes


def facts_of(net: Any, made: nn.Module) -> list[float]:
    """Measure a changed network: parameters that learn, all parameters, outputs, whether the body stayed."""
    kept = dict(net[0].named_parameters())
    mine = [one for name, one in made.named_parameters() if name.startswith("0.")]
    same = len(mine) == 2 and all(torch.equal(one, old) for one, old in zip(mine, kept.values(), strict=True))
    learns = sum(one.numel() for one in made.parameters() if one.requires_grad)
    frozen = sum(one.numel() for one in mine if not one.requires_grad)
    outputs = made(torch.zeros(2, net[0].in_features)).shape[-1]
    return [learns, frozen, outputs, float(same)]


def new_head(
    net: Any,
    classes: int,
    *,
    freeze: bool = True,
    all_frozen: bool = False,
    fresh: bool = False,
    old: bool = False,
) -> nn.Sequential:
    """Give a network a new head, perhaps with a fault."""
    body = nn.Linear(net[0].in_features, net[0].out_features) if fresh else net[0]
    made = nn.Sequential(body, net[1], net[2] if old else nn.Linear(net[2].in_features, classes))
    body.requires_grad_(not freeze)
    if all_frozen:
        made.requires_grad_(False)
    return made


def function_given(answer: object) -> object:
    """Let a function through."""
    if not callable(answer) or isinstance(answer, nn.Module | type):
        raise TypeError("Give the function itself, without calling it")
    return answer


FREEZE = Setting(
    id="building_blocks.7",
    title="A new head on a frozen body",
    level=2,
    answer_description="a function",
    kind="operator",
    read=function_given,
    use=lambda function, net, classes: (
        None if (made := function(net, classes)) is None else facts_of(*untouched(net, made))
    ),
    right=lambda net, classes: [
        net[2].in_features * classes + classes,
        sum(p.numel() for p in net[0].parameters()),
        classes,
        1.0,
    ],
    cases=Cases(
        body_and_head, d=range(1, 4), h=range(1, 5), c=range(1, 4), classes=range(2, 5), small=15, large=10
    ),
    wrong=(
        Misconception(
            "body not frozen",
            lambda net, classes: facts_of(net, new_head(net, classes, freeze=False)),
            "The head is right. The layers before it still learn.",
        ),
        Misconception(
            "head frozen, too",
            lambda net, classes: facts_of(net, new_head(net, classes, all_frozen=True)),
            "Now nothing learns. In which order are the layers frozen, and the head replaced?",
        ),
        Misconception(
            "old head",
            lambda net, classes: facts_of(net, new_head(net, classes, old=True)),
            "The last layer still has the old number of outputs.",
        ),
        Misconception(
            "old head frozen",
            lambda net, classes: facts_of(net, new_head(net, classes, old=True, all_frozen=True)),
            "The whole network is frozen, and its last layer is still the old one.",
        ),
        Misconception(
            "body not kept",
            lambda net, classes: facts_of(net, new_head(net, classes, fresh=True)),
            "The first layer has new random weights. What it has learned is to stay.",
        ),
    ),
)


def untouched(net: nn.Sequential, made: object) -> tuple[nn.Sequential, nn.Module]:
    """Return both networks, if there are two."""
    if not isinstance(made, nn.Module):
        raise TypeError("the function should return a network")
    return net, made


# ---- 8: two convolutions with biases ------------------------------------------------------------


MERGED_BIAS = Function(
    id="building_blocks.8",
    title="The bias of two convolutions in one",
    level=3,
    right=lambda a, W, b: F.conv2d(a[:, None, None].expand(-1, *W.shape[2:]), W, b).flatten(),
    cases=Cases(
        lambda draw, middle, c_out, k: (draw(middle), draw(c_out, middle, k, k), draw(c_out)),
        middle=range(1, 5),
        c_out=range(1, 5),
        k=range(1, 4),
        small=15,
        large=25,
    ),
    wrong=(
        Misconception(
            "second bias only",
            lambda a, W, b: b,
            "The first bias is a part of what the second layer sees. What does it make of it?",
        ),
        Misconception(
            "second bias forgotten",
            lambda a, W, b: W.sum((2, 3)) @ a,
            "That is what the first bias becomes. The second layer adds its own, too.",
        ),
        Misconception(
            "biases added",
            lambda a, W, b: a + b,
            "The second layer does not pass the first bias on as it is: it multiplies it by its weights.",
        ),
        Misconception(
            "one cell of each kernel",
            lambda a, W, b: W[:, :, 0, 0] @ a + b,
            "The first bias is in every cell that a kernel of the second layer looks at.",
        ),
        Misconception(
            "mean of each kernel",
            lambda a, W, b: W.mean((2, 3)) @ a + b,
            "A convolution adds up its products. It does not average them.",
        ),
        Misconception(
            "first bias taken as 1",
            lambda a, W, b: W.sum((1, 2, 3)) + b,
            "These are sums of weights. Each weight belongs to a middle channel, which has its own bias.",
        ),
        Misconception(
            "channels swapped",
            lambda a, W, b: W.sum((2, 3)).T @ a + b,
            "The weight's first axis is the output channels, the second the middle ones.",
        ),
        Misconception(
            "second bias multiplied too",
            lambda a, W, b: W.sum((2, 3)) @ a + W.sum((1, 2, 3)) * b,
            "The second bias is added at the very end, after all weights.",
        ),
    ),
)


# ---- 9: a network for digits ------------------------------------------------------------


_STEPS, _BATCH, _RATE = 120, 64, 0.01


def frozen_parameters(model: nn.Module, done: Run) -> str:
    """Return which parameters do not learn."""
    frozen = done.total_params - done.trainable_params
    if frozen:
        return f"{frozen:,} of its {done.total_params:,} parameters do not learn"
    apart = without_gradient(model, (1, 8, 8))
    return f"no gradient reaches {apart[0]}" if apart else ""


def linear_in_disguise(model: nn.Module, done: Run) -> str:
    """Return whether each score depends on one weighted sum of the pixels, whatever is done to that sum."""
    X = (
        16 * inputs_for(model, (64, 1, 8, 8), seed=3) - 8
    ).requires_grad_()  # so wide that ReLUs open and shut
    scores = model(X).double()
    if bool((scores >= 0).all()) and torch.allclose(scores.sum(1), torch.ones(len(X)).double(), atol=1e-3):
        scores = scores.clamp(min=1e-12).log()  # a softmax at the end changes no decision
    for some in (scores, scores - scores.mean(1, keepdim=True)):
        if all(one_direction(some[:, n], X) for n in range(10)):
            return "it computes what a single linear layer could compute"
    return ""


def one_direction(score: Tensor, X: Tensor) -> bool:
    """Return whether the gradients of a score point along one line at all inputs."""
    (gradient,) = torch.autograd.grad(score.sum(), X, retain_graph=True)
    sizes = torch.linalg.svdvals(gradient.flatten(1).double())
    return bool(sizes[1] <= 1e-3 * sizes[0])


DISGUISE_RULES = (
    Rule(
        "frozen layer",
        frozen_parameters,
        "Here everything is to learn. Is each layer used in `forward`, nothing detached and nothing frozen?",
    ),
    Rule("linear in disguise", linear_in_disguise, "Put something that is not linear between the layers."),
)


def accuracy_after_training(model: nn.Module) -> float:
    """Train briefly on digits of 8×8 pixels, and return the fraction of validation digits that it reads."""
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    return digits_read_after(model, optimizer, steps=_STEPS, batch=_BATCH)


A_THOUSAND = Network(
    id="building_blocks.9",
    title="Digits with a thousand parameters",
    level=3,
    input_shape=(1, 8, 8),
    output_shape=(10,),
    max_params=1_000,
    max_macs=20_000,
    rules=DISGUISE_RULES,
    score=accuracy_after_training,
    min_score=0.7,
)


EXERCISES = (SHAPES, IN_A_LIST, BUFFER, COUNT, SLOPES, LOOP, FREEZE, MERGED_BIAS, A_THOUSAND)
