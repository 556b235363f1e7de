"""Questions in the chapter *Receptive field*."""

import torch
from torch.nn import functional as F

from d2lconv.questions.kinds import Choice, Value


def paths() -> torch.Tensor:
    """Count the paths from each cell of a 3×3 input through two layers with 2×2 kernels."""
    X, kernel = torch.zeros(1, 1, 3, 3, requires_grad=True), torch.ones(1, 1, 2, 2)
    (counts,) = torch.autograd.grad(F.conv2d(F.conv2d(X, kernel), kernel).sum(), X)
    return counts[0, 0]


QUESTIONS = (
    Value(
        "receptive_field.paths",
        "Two layers with 2×2 kernels, on an input of 3×3, have a single output cell. By how many paths does it see each "
        "of the nine input cells?",
        paths,
        "one path from each corner, two from each edge, four from the middle, which lies in all four windows.",
        {
            "1 1 1; 1 1 1; 1 1 1": "It sees all nine, but the middle lies in four windows of the first layer.",
            "1 1 0; 1 1 0; 0 0 0": "Those are the cells of one window of the first layer. There are four.",
            "4 4 4; 4 4 4; 4 4 4": "Four windows reach the output, but a corner lies in only one of them.",
            "1 2 1; 2 3 2; 1 2 1": "The edges are right. How many of the four windows hold the middle cell?",
            "1 2 1; 2 1 2; 1 2 1": "The edges are right. The middle cell lies in all four windows.",
        },
        asked="three rows of numbers, such as 0 1 0; 1 0 1; 0 1 0",
        tests="paths to an output, and why the middle counts most",
    ),
    Choice(
        "receptive_field.order",
        "Of two 3×3 layers, one has stride 2. Does it matter which one comes first?",
        "yes, the field is larger if the stride comes first",
        "A layer's stride widens the field of all later layers, not its own: 7 cells against 5.",
        {
            "no, the field is the same": "Output sizes agree. But does the second kernel reach over neighbours or over every "
            "second cell?",
            "yes, the field is larger if the stride comes last": "The last layer's stride says how far its fields lie apart, "
            "not how large they are.",
        },
        tests="a stride widens the field of later layers",
    ),
    Choice(
        "receptive_field.gridding",
        "Along one axis, we count the paths from each of 17 input cells to one output cell, through three layers "
        "of kernel size 3 with dilations 1, 2, 4, or with 2, 2, 2. Does dilation 2 in every layer do as well?",
        "no, it leaves out every other cell",
        "All its steps are even, so no path starts at an odd cell.",
        {
            "yes, the fields have about the same size": "13 cells against 15. But does a path start at each of them?",
            "no, its field is much smaller": "13 cells against 15 is no great difference. Look at the cells within the field.",
            "it does better: more paths": "Both have 27 paths. Where do they start?",
        },
        tests="gaps that equal dilations leave",
    ),
)
