"""Questions in the chapter *Convolution*."""

from torch import nn

from d2lconv.questions.kinds import Choice, Value
from d2lconv.shapes import conv_output_size

QUESTIONS = (
    Value(
        "convolution.shared",
        "Six maps look at an image through windows of 5×5 pixels, and all outputs of a map use the same weights. "
        "How many weights are left?",
        lambda: nn.Conv2d(1, 6, 5, bias=False).weight.numel(),
        "six maps, each with one set of 5×5 weights, used at every position.",
        {
            "25": "That is one map. Each of the six has weights of its own.",
            "7260000": "You gave each of the 220×220 outputs 25 weights of its own. All outputs of a map share them.",
            "156": "You counted a bias for each map. They are parameters, but no weights.",
        },
        tests="locality and weight sharing: one kernel for all positions",
    ),
    Value(
        "convolution.shape",
        "The interactive figure starts with a 5×5 input and a 3×3 kernel. What shape does the output have?",
        lambda: conv_output_size((5, 5), (3, 3)),
        "a 3×3 window has 5 − 3 + 1 positions along each axis.",
        {
            "5 5": "Only with padding. Here the window stays inside the input, so it cannot centre on a border cell.",
            "2 2": "5 − 3 counts the steps of the window; it has one more position than steps.",
            "4 4": "In the first example a 2×2 kernel took away one row. A 3×3 kernel takes away two.",
            "1 1": "The windows overlap: the next one begins one cell further, not three.",
        },
        asked="rows and columns, such as 4×6",
        tests="output size without padding",
    ),
    Choice(
        "convolution.bricks",
        "One kernel finds vertical edges, its transpose horizontal ones. Which of the two will find more in a "
        "wall of bricks?",
        "the horizontal one",
        "Bricks are wider than high, so the joints between the rows are longer than those within them.",
        {
            "the vertical one": "It finds the short joints only: those between two bricks of the same row.",
            "both the same": "So it would be if bricks were square. How much joint runs along each direction?",
            "neither, the wall is too rough": "Roughness adds small responses everywhere; the joints stand out of them.",
        },
        tests="what a kernel's form says about what it finds",
    ),
    Choice(
        "convolution.brightness",
        "Make every pixel of a photograph brighter by 0.2. By how much does the response of (1, −1) change, and "
        "that of a blur, which averages?",
        "by 0, and by 0.2",
        "The change is 0.2 times the sum of the weights, which is 0 for the edges and 1 for the blur.",
        {
            "both by 0.2": "In a difference the 0.2 is added once and subtracted once.",
            "by 0.2, and by 0": "The other way round: a mean of brighter pixels is brighter, a difference stays.",
            "both by 0": "The blur's weights sum to 1, so its response follows the brightness.",
        },
        tests="the sum of a kernel's weights, and brightness",
    ),
    Value(
        "convolution.learned",
        "A layer with a kernel of two weights and a bias learns from images and their responses to (1, −1). Which "
        "numbers should weights and bias approach?",
        lambda: (1, -1, 0),
        "the targets were made with the kernel (1, −1) and no bias, and no other numbers give them for all images.",
        {
            "-1 1 0": "That kernel is darker minus brighter with the sign turned: its responses are the negatives.",
            "1 1 0": "That adds up neighbours. The targets are their differences.",
            "0.5 -0.5 0": "That halves every response, so the loss would not be 0.",
            "1 -1 1": "A bias of 1 would add 1 to every response. The targets were made without one.",
        },
        ("first weight", "second weight", "bias"),
        tests="what a convolution learns from examples",
    ),
)
