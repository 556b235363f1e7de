"""Questions in the chapter *Building blocks*."""

import torch
from torch import nn

from d2lconv import ops
from d2lconv.questions.kinds import Choice, Value


class InAList(nn.Module):
    """Holds a tensor and layers that are not registered."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.zeros(2, 3)
        self.layers = [nn.Linear(3, 3), nn.Linear(3, 3)]


class Registered(nn.Module):
    """Holds the same, registered."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(2, 3))
        self.layers = nn.ModuleList([nn.Linear(3, 3), nn.Linear(3, 3)])


def parameters() -> list[int]:
    """Count the parameters of both modules."""
    return [sum(p.numel() for p in module.parameters()) for module in (InAList(), Registered())]


def size_of_joined_kernel() -> tuple[int, ...]:
    """Return the size of the kernel that does what two kernels of 2×2 do."""
    return tuple(ops.convolve2d(torch.ones(2, 2), torch.ones(2, 2), padding="full").shape)


QUESTIONS = (
    Value(
        "building_blocks.registered",
        "One module holds a plain tensor of shape 2×3 and a Python list of two layers `nn.Linear(3, 3)`. Another holds the tensor as an `nn.Parameter` and the layers in an `nn.ModuleList`. How many parameters does each have?",
        parameters,
        "a plain tensor and a Python list are not registered. The other has 6, and 3·3 + 3 in each layer.",
        {
            "30 30": "`self.weight = tensor` registers a tensor only if it is an `nn.Parameter`, and a Python list is no module.",
            "6 30": "The plain tensor is not registered either: only an `nn.Parameter` is.",
            "24 30": "The layers are modules, but the list that holds them is none, so `parameters()` does not find them.",
            "0 24": "Each of the two layers has 3·3 weights and 3 biases. And the tensor of 2×3 counts, too.",
            "0 27": "Each linear layer has three biases, one for each output.",
        },
        ("in the first", "in the second"),
        tests="what a module registers",
    ),
    Choice(
        "building_blocks.dropout",
        "`nn.Dropout(0.5)` gets eight ones. What comes out in training mode, and what in evaluation mode?",
        "some zeros, the others twos; eight ones",
        "In training about half become 0, and the others are doubled, so that the sum stays the same on average.",
        {
            "some zeros, the others ones; eight ones": "Then the sum would be half as large in training as in evaluation.",
            "some zeros, the others twos; eight halves": "The scaling is done in training, so evaluation changes nothing.",
            "eight ones; some zeros, the others twos": "The other way round: numbers are dropped while the network learns.",
        },
        tests="dropout in training and in evaluation",
    ),
    Value(
        "building_blocks.too-large",
        "A network for images of 8×8 pixels has two poolings and then, with 32 channels, a linear layer. It gets "
        "an image of 28×28. How many numbers does the first linear layer get, instead of 128?",
        lambda: 32 * nn.MaxPool2d(2)(nn.MaxPool2d(2)(torch.empty(1, 1, 28, 28))).numel(),
        "the maps are 28 / 4 = 7 cells high and wide, and there are 32 of them. The matrix takes 128 numbers only.",
        {
            "128": "Convolutions and pooling take any size, so larger images give larger maps.",
            "448": "Both sides of a map grow: 7 instead of 2.",
            "6272": "There are two poolings, and each halves both sides: 28, 14, 7.",
            "25088": "The poolings halve both sides twice.",
            "49": "That is one map. There are 32 channels.",
        },
        tests="from feature maps to a linear layer",
    ),
    Value(
        "building_blocks.joined",
        "Blur an image with a 2×2 kernel *K*₁, then look for edges with a 2×2 kernel *K*₂. That is one convolution, too. How large is its kernel?",
        size_of_joined_kernel,
        "a 2×2 window lies on four blurred pixels, and these were computed from 3×3 pixels of the image.",
        {
            "2 2": "*K*₂ lies on 2×2 *blurred* pixels. Which pixels of the image are those computed from?",
            "4 4": "The windows of neighbouring blurred pixels overlap in one row or column.",
            "1 1": "A kernel of 1×1 could neither blur nor find edges.",
        },
        asked="rows and columns, such as 4×6",
        tests="two convolutions without an activation are one",
    ),
    Choice(
        "building_blocks.in-place",
        "Add the ReLU of *z* = (−1, 2) to *z*. What comes out, and what if the ReLU works in place?",
        "(−1, 4), and (0, 4)",
        "(0, 2) + (−1, 2); in place, *z* itself has become (0, 2) before the addition.",
        {
            "(−1, 4), both times": "In place the −1 is overwritten before it is added.",
            "(0, 4), both times": "Without `inplace`, *z* keeps its −1, and 0 + (−1) = −1.",
            "(0, 2), and (0, 2)": "That is the ReLU alone, without the addition.",
        },
        tests="what working in place overwrites",
    ),
    Choice(
        "building_blocks.other-pooling",
        "A trained network's weights are in a file. In another network, the first pooling takes the mean instead "
        "of the maximum. Does it load the same file, and what is its accuracy?",
        "it loads, and reads somewhat fewer digits",
        "Every name and shape fits, as pooling has no parameters; but the network computes something else.",
        {
            "it loads, and the accuracy is the same": "The weights are the same, but they were trained for maxima.",
            "it raises an error": "A state dict holds parameters and buffers. Pooling has none, so nothing differs.",
            "it loads, and is no better than a guess": "A mean is not so different from a maximum: most digits are still read.",
        },
        tests="what a state dict holds, and what it doesn't",
    ),
)
