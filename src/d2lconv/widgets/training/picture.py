"""The picture of a training before its first step: a digit, the kernels, and the maps that they make."""

from __future__ import annotations

import matplotlib.pyplot as plt
from matplotlib.figure import Figure as Drawing
from torch import Tensor

from d2lconv.plotting.style import SIGNED, frame_picture

LEVELS = 16  # that are told apart above and below zero


def draw_start(image: Tensor, kernels: Tensor, maps: Tensor) -> Drawing:
    """Draw a digit, and beside it the kernels with the map that each makes.

    Numbers are drawn in steps of a sixteenth of their scale, so that no pixel depends on the last digits.

    Parameters
    ----------
    image : Tensor
        Shape (1, H, W).
    kernels : Tensor
        Shape (6, k_h, k_w).
    maps : Tensor
        Shape (6, H, W).
    """
    figure = plt.figure(figsize=(7, 2.3))
    left, right = figure.subfigures(1, 2, squeeze=False, width_ratios=(1, 3.2))[0]
    ax = left.subplots()
    frame_picture(ax)
    ax.imshow(image[0].numpy(), cmap="gray", vmin=0, vmax=1, interpolation="none")
    ax.set_title("digit", fontsize=10)
    for row, (name, numbers) in zip(
        right.subplots(2, len(kernels)), {"kernels": kernels, "maps": maps}.items(), strict=True
    ):
        limit = float(numbers.abs().max()) or 1.0
        for ax, one in zip(row, numbers, strict=True):
            frame_picture(ax)
            steps = (one / limit * LEVELS).round() / LEVELS
            ax.imshow(steps.numpy(), cmap=SIGNED, vmin=-1, vmax=1, interpolation="none")
        row[0].set_ylabel(name, fontsize=10)
    right.suptitle("LeNet's first layer before the first step", fontsize=10)
    return figure
