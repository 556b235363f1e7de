"""The picture of a drawn digit: the drawing, what the network sees of it, and the ten probabilities."""

from __future__ import annotations

from itertools import pairwise

import matplotlib.pyplot as plt
import torch
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from d2lconv.plotting import PALETTE
from d2lconv.plotting.style import frame_picture
from d2lconv.widgets.own_digit.preparing import SIDE

PEN = 2.0  # half its width in points
THREE = [
    (7, 10),
    (4, 14),
    (4, 18),
    (7, 21),
    (11, 21),
    (14, 17),
    (14, 13),
]  # row and column of points of its lines
THREE += [(14, 17), (17, 22), (22, 22), (27, 19), (28, 14), (25, 9)]


def example() -> Tensor:
    """Return a drawn 3, (32, 32)."""
    points = torch.zeros(SIDE, SIDE, dtype=torch.uint8)
    rows, columns = torch.meshgrid(torch.arange(float(SIDE)), torch.arange(float(SIDE)), indexing="ij")
    for one, other in pairwise(THREE):
        start, way = torch.tensor(one).float(), torch.tensor(other).float() - torch.tensor(one).float()
        along = ((rows - start[0]) * way[0] + (columns - start[1]) * way[1]) / way.square().sum()
        along = along.clamp(0, 1)
        apart = torch.hypot(rows - start[0] - along * way[0], columns - start[1] - along * way[1])
        points[apart <= PEN] = 1
    return points


def draw_digit(points: Tensor, counts: Tensor, image: Tensor, scores: Tensor) -> Drawing:
    """Draw a digit on its way: the drawing, its blocks, the image, and a bar for each class.

    Parameters
    ----------
    points : Tensor
        Shape (32, 32).
    counts : Tensor
        Shape (8, 8), from 0 to 16.
    image : Tensor
        Shape (1, 28, 28), from 0 to 1.
    scores : Tensor
        Shape (10,).
    """
    figure, axes = plt.subplots(1, 4, figsize=(7.5, 2.1), width_ratios=(1, 1, 1, 1.1))
    pictures = {"drawing, 32×32": points, "ink in blocks, 8×8": counts, "image, 28×28": image[0]}
    for ax, (name, numbers) in zip(axes, pictures.items(), strict=False):
        frame_picture(ax)
        ax.imshow(numbers.numpy(), cmap="gray", vmin=0, vmax=float(numbers.max()), interpolation="none")
        ax.set_title(name, fontsize=10)
    bars = axes[-1]
    bars.barh(range(len(scores)), scores.softmax(dim=0).tolist(), color=PALETTE["output"])
    bars.set_yticks(range(len(scores)))
    bars.invert_yaxis()
    bars.set_xlim(0, 1)
    bars.tick_params(labelsize=8)
    bars.set_title("probability", fontsize=10)
    return figure
