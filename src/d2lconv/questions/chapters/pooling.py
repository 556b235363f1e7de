"""Questions in the chapter *Pooling*."""

import torch
from torch import nn

from d2lconv import ops
from d2lconv.questions.kinds import Choice, Value
from d2lconv.shapes import pool_output_size

ROWS = [[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1]]

QUESTIONS = (
    Value(
        "pooling.columns",
        "A window need not be square. What does maximum pooling of the numbers 0 to 8, in three rows, give with a "
        "window of 3 rows and 1 column?",
        lambda: ops.pool2d(torch.arange(9.0).reshape(3, 3), (3, 1))[0],
        "the maximum of each column. A window of 1 row and 3 columns gives that of each row: 2, 5 and 8.",
        {
            "2 5 8": "That is the maximum of each row. A window of 3 rows and 1 column covers a column.",
            "8": "That is a window of 3×3. A window that is one column wide has three positions.",
            "3 4 5": "That is the mean of each column. Maximum pooling keeps the largest number.",
            "0 1 2": "Those are the smallest numbers of the columns.",
        },
        asked="numbers, such as 1 2 3",
        tests="maximum pooling by hand; rows before columns",
    ),
    Value(
        "pooling.stride",
        "A 4×4 input goes through `nn.MaxPool2d(2)`, with no stride given. How large is the output?",
        lambda: pool_output_size((4, 4), 2),
        "by default a pooling window moves by its own size, so two windows fit along each axis.",
        {
            "3 3": "So it would be with stride 1, the default of a convolution. A pooling window moves by its own size.",
            "4 4": "Pooling makes the input smaller unless there is padding.",
            "1 1": "That is one window. How many windows of two cells fit side by side into four?",
            "4": "Four numbers, yes. In how many rows and columns?",
        },
        asked="rows and columns, such as 4×6",
        tests="the default stride of pooling",
    ),
    Choice(
        "pooling.shift",
        "All 1,197 training digits move by one pixel. Which changes less: their edges after maximum pooling, or after "
        "average pooling?",
        "after maximum pooling",
        "The maximum stays as long as the strongest edge moves within its window; the mean changes with every edge that "
        "crosses a window's border.",
        {
            "after average pooling": "A mean smooths, but every edge that crosses a border, strong or weak, changes it.",
            "both the same": "So it is for windows of 1×1, which pool nothing.",
            "neither changes": "A strong edge may cross into the next window; then both change.",
        },
        tests="which pooling changes less under a shift",
    ),
    Choice(
        "pooling.rows",
        "Even one pixel can be too much. Each row of an image holds a single pixel of ink, one column further "
        "right than in the row above; in row 0 it is in column 2. Each row is pooled with windows of 1×2. Which "
        "rows give the same output?",
        "0 and 1, and 2 and 3",
        "Windows cover columns 2 and 3, then 4 and 5. Within a window a step changes nothing.",
        {
            "1 and 2, and 3 and 4": "From row 1 to row 2 the ink goes from column 3 to column 4: into the next window.",
            "all of them": "Pooling hides a step within a window, not one across its border.",
            "none of them": "Columns 2 and 3 lie in the same window, whose maximum stays 1.",
        },
        tests="pooling is tolerant of shifts, but not invariant",
    ),
    Value(
        "pooling.ceil",
        "What is the output of `nn.MaxPool2d(3, ceil_mode=True)` for the rows 1 2 0 3 1, 0 1 2 3 1, 1 2 1 0 0, "
        "5 2 3 1 1 and 2 1 0 1 1?",
        lambda: nn.MaxPool2d(3, ceil_mode=True)(torch.tensor(ROWS).float()[None])[0],
        "windows begin at 0 and 3. The last ones extend beyond the input, and only their cells inside count.",
        {
            "2": "So it is without `ceil_mode`. With it, the last windows are kept although they extend beyond the input.",
            "2 3 3; 5 3 3; 5 3 3": "That is stride 1. A pooling window moves by its own size, here 3.",
            "2 3; 5 0": "The last window covers four cells of the input, and their maximum is not 0.",
            "2 3; 5 3": "The last window begins at row 3, column 3. The 3 beside it belongs to the window before.",
        },
        asked="rows of numbers, such as 1 2; 3 4",
        tests="ceil_mode: windows that extend beyond the input",
    ),
)
