"""Questions in the chapter *VGG*."""

import torch

from d2lconv.models import VGG
from d2lconv.questions.kinds import Choice
from d2lconv.summary import summarize


def largest_and_busiest() -> str:
    """Return which layer of A has the most parameters, and which kind does most of the MACs."""
    with torch.device("meta"):  # no memory for 133 million weights
        rows = summarize(VGG("A"), (3, 224, 224)).rows
    linear = [row for row in rows if row.kind == "Linear"]
    others = [row for row in rows if row.kind == "Conv2d"]
    is_first = max(rows, key=lambda row: row.params) is linear[0]
    is_convolution = sum(row.macs for row in others) > sum(row.macs for row in linear)
    first, second = (
        ("another", "the first linear layer")[is_first],
        ("the linear layers", "the convolutions")[is_convolution],
    )
    return f"{first}; {second}"


QUESTIONS = (
    Choice(
        "vgg.layers",
        "Which layer of VGG's network A, with eight convolutions and three linear layers, has the most "
        "parameters, and which layers do most of the multiply-adds?",
        largest_and_busiest,
        "512·7·7·4,096 weights, each used once; a convolution's few weights are used at every position of a large map.",
        {
            "the last convolution; the convolutions": "It has 512·512·3·3 weights. The first linear layer has 25,088·4,096.",
            "the first linear layer; the linear layers": "Each weight of a linear layer is used once, that of a convolution at every position.",
            "the first convolution; the first convolution": "It sees three channels only, so it is among the smallest and cheapest.",
        },
        tests="parameters and work in a large network",
    ),
    Choice(
        "vgg.stall",
        "LeNet reads nearly all of these digits. What validation accuracy will VGG's network E reach, with "
        "sixteen convolutions and PyTorch's default weights?",
        "0.10",
        "That is a guess: the network stalls, as LeNet with sigmoids did.",
        {
            "0.99": "More layers can compute more. But can they be trained from these initial weights?",
            "0.90": "So it might be with a few layers fewer. Here nothing reaches the last one.",
            "0.50": "A network that stalls learns nothing, not half.",
        },
        tests="deep networks from default weights",
    ),
    Choice(
        "vgg.healthy",
        "VGG's network E stalls from the default weights. What will its validation accuracy be with the same "
        "recipe and the same default weights, but with batch normalisation?",
        "0.99",
        "After each convolution the differences between images are brought back to standard deviation 1.",
        {
            "0.10": "What was lost on the way is kept now: each layer's output is scaled to standard deviation 1.",
            "0.50": "Once the images arrive at the last layer, training works as in a small network.",
            "0.90": "It reads as many as LeNet: with the scale right in every layer, depth does not hurt.",
        },
        tests="what batch normalisation makes possible",
    ),
    Choice(
        "vgg.train-mode",
        "A network with batch normalisation, just trained, judges the same 300 validation images twice: in "
        "evaluation mode, and in training mode with batches of two images. What accuracy does training mode give?",
        "clearly less, about 0.85",
        "Each image is normalised together with the one beside it, and two images are too few for mean and variance.",
        {
            "the same, 0.99": "So it is with batches of eight. Two images give poor estimates of mean and variance.",
            "that of a guess, 0.10": "Most images survive: half of each mean and variance is their own.",
            "a little more": "Training mode does not train. It only takes mean and variance from the batch.",
        },
        tests="batch normalisation in training and in evaluation",
    ),
    Choice(
        "vgg.skips",
        "Images go through thirty convolutions from default weights. Without skips, how much of the spread "
        "between the images is left? And with them?",
        "less than a trillionth; it has grown",
        "Without skips each layer shrinks the differences by more than half. With them the input passes unchanged.",
        {
            "about a thirtieth; all of it": "Each layer multiplies the spread by a factor, so after thirty it is the 30th power.",
            "about half; it has grown": "Each single layer takes away more than half, thirty times over.",
            "less than a trillionth; as little": "*x* + *f*(*x*) holds *x* itself, so what differs in *x* stays.",
        },
        tests="what a skip connection keeps",
    ),
)
