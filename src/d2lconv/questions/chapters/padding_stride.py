"""Questions in the chapter *Padding and stride*."""

import torch

from d2lconv import ops
from d2lconv.questions.kinds import Choice, Value
from d2lconv.shapes import conv_output_size


def layers_that_fit(size: int, kernel: int) -> int:
    """Count how many layers can follow each other until the kernel no longer fits."""
    return 0 if size < kernel else 1 + layers_that_fit(conv_output_size(size, kernel), kernel)


def two_inked_rows() -> list[list[float]]:
    """Return what a kernel of ones with stride 3 sees of an image with ink in its last two rows."""
    image = torch.zeros(8, 9)
    image[6:] = 1
    return ops.corr2d(image, torch.ones(3, 3), stride=3).tolist()


QUESTIONS = (
    Value(
        "padding_stride.layers",
        "A digit of 28×28 pixels goes through one 5×5 layer after another. How many layers fit?",
        lambda: layers_that_fit(28, 5),
        "each takes 4 pixels from height and width: 28, 24, 20, 16, 12, 8, 4. The seventh kernel no longer fits.",
        {
            "5": "That is 28 / 5: windows side by side. A layer takes away 4 pixels, not 5.",
            "7": "The seventh would start from 4×4, too few for a 5×5 kernel.",
            "14": "You took 2 pixels away per layer. It is 2 on each side, so 4 along an axis.",
        },
        tests="how fast an image shrinks without padding",
    ),
    Choice(
        "padding_stride.paper",
        "A black digit on white paper, and the kernel (1, 0, −1). What will it find besides the digit if the "
        "border is padded with zeros?",
        "edges at the left and right border",
        "Zeros are black. Beside white paper they make a black frame, and its vertical sides are edges.",
        {
            "nothing: zeros are neutral": "They are neutral only where the image is 0, too. Here the paper is 1.",
            "edges along all four borders": "The kernel compares left and right neighbours; above and below it sees nothing.",
            "a paler digit": "Padding changes only windows that touch the border, and the digit stands in the middle.",
        },
        tests="padding with zeros is not neutral",
    ),
    Choice(
        "padding_stride.moves",
        "A digit moves by 2 pixels, or by 1. Does its map with stride 2 move along?",
        "by 2: yes, by one cell; by 1: no, the map changes",
        "Windows begin at every second pixel, so after a move by 2 they meet the same pixels one window further on.",
        {
            "both times": "After a move by 1 the windows meet other pixels than before: nothing shifts by half a cell.",
            "neither time": "After 2 pixels every window meets what its left neighbour met before.",
            "by 2: yes, by two cells; by 1: by one cell": "So it is with stride 1. With stride 2, two pixels are one cell.",
        },
        tests="a stride and the shifts that it keeps",
    ),
    Value(
        "padding_stride.dropped",
        "An image of 8×9 pixels has ink, ones, in its last two rows only. What does a layer with a 3×3 kernel of ones "
        "and stride 3 see?",
        two_inked_rows,
        "two windows fit below each other, on rows 0 to 2 and 3 to 5. Rows 6 and 7 are dropped.",
        {
            "0 0 0; 0 0 0; 6 6 6": "A third window would need row 8, and the image ends with row 7.",
            "0 0 0; 3 3 3": "That would be windows on rows 0–2 and 4–6; with stride 3 the second begins at row 3.",
            "0 0 0; 6 6 6": "The second window covers rows 3 to 5, which have no ink.",
            "0 0; 0 0": "Nine columns hold three windows of three.",
            "0": "Nothing, yes. How many zeros has the output: rows and columns?",
        },
        asked="rows of numbers, such as 1 2 3; 4 5 6",
        tests="rows that no window reaches",
    ),
)
