"""Measure which inputs of a network one of its outputs depends on."""

from __future__ import annotations

import copy
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from d2lconv.exercises.engine.runs import dtype_of

_AT_ONCE = 128  # images
_LARGE = 1e9  # what a cell is raised by; among ones it wins every maximum
_NOISE = 1e-5  # of an output: smaller changes come from rounding

Cell = tuple[int, int, int]
"""Channel, row and column."""


def dependence(
    model: nn.Module, input_shape: Sequence[int], cells: Sequence[Cell], position: tuple[int, int]
) -> Tensor:
    """Return which output channels at one position change when an input cell is raised.

    Parameters
    ----------
    model : torch.nn.Module
        From one image to maps. A copy of it gets equal positive weights, so that nothing cancels.
    input_shape : sequence of int
        (C, H, W).
    cells : sequence of tuple
        The input cells that are raised, each in an image of its own.
    position : tuple of int
        Row and column of the output.

    Returns
    -------
    Tensor
        Truth values of shape (cells, output channels).

    Examples
    --------
    >>> cells = [(0, 0, column) for column in range(4)]
    >>> dependence(nn.Conv2d(1, 1, (1, 3)), (1, 1, 4), cells, (0, 0)).flatten().tolist()
    [True, True, True, False]
    """
    model, dtype = copy.deepcopy(model).eval(), dtype_of(model)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.fill_(1 / max(1, parameter[0].numel()) if parameter.ndim > 1 else 0.1)
        still = model(torch.ones(1, *input_shape, dtype=dtype))[:, :, position[0], position[1]]
        changes = []
        for first in range(0, len(cells), _AT_ONCE):
            some = cells[first : first + _AT_ONCE]
            X = torch.ones(len(some), *input_shape, dtype=dtype)
            X[(range(len(some)), *zip(*some, strict=True))] += _LARGE
            change = model(X)[:, :, position[0], position[1]] - still
            changes.append(change.abs() > _NOISE * still.abs())
    return torch.cat(changes)
