"""An interactive figure of the backward pass: each gradient of a convolution as the sum that it is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import matplotlib.pyplot as plt
import torch
import traitlets
from matplotlib.figure import Figure as Drawing
from torch import Tensor
from torch.nn import functional as F

from d2lconv.plotting import draw_grid
from d2lconv.plotting._cells import Role
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles
from d2lconv.widgets.controls import dropdown, float_slider, slider
from d2lconv.widgets.matrix import Matrix, Rows, size, within

__all__ = ["gradient_explorer"]

INPUT = [[0.0, 1.0, 2.0], [3.0, 4.0, 5.0], [6.0, 7.0, 8.0]]
KERNEL = [[0.0, 1.0], [2.0, 3.0]]
ABOVE = [[1.0, 0.0], [-1.0, 2.0]]
LAYERS = ["nothing", "ReLU", "max pooling"]
PARTS = ["input", "kernel", "output", "above"]
MOST_STEPS = 60


class GradientView(View):
    """Forward pass and gradients as grids of numbers; one gradient is written out.

    Attributes
    ----------
    input, kernel : list of list of float
        The numbers of the convolution; the kernel before the first step.
    above : list of list of float
        The gradient of the loss with respect to the last output, where there is no target. It is cut to
        the output's shape, or filled up with zeros.
    target : list of list of float or None
        What the output should be; the loss is the mean of the squared differences.
    layer_index : int
        What follows the convolution: 0 nothing, 1 ReLU, 2 max pooling of 2×2 cells.
    rate : float
        The learning rate.
    steps : int
        How many steps the kernel has taken.
    part : {"input", "kernel", "output", "above"}
        Whose gradient is written out.
    cell : list of int
        Row and column of this gradient.
    """

    _esm = join_scripts("gradient/view.js")
    _css = join_styles("shared/base.css", "gradient/view.css")

    input = Matrix(INPUT, largest=8).tag(sync=True)
    kernel = Matrix(KERNEL, largest=4).tag(sync=True)
    above = Matrix(ABOVE, largest=8).tag(sync=True)
    target = Matrix(cast(Rows, None), largest=8, allow_none=True).tag(sync=True)
    layer_index = traitlets.Int(0).tag(sync=True)
    rate = traitlets.Float(0.1).tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    part = traitlets.Enum(PARTS, "kernel").tag(sync=True)
    cell = traitlets.List(traitlets.Int(), [0, 0]).tag(sync=True)

    @classmethod
    def height_of(cls, state: Mapping[str, Any]) -> tuple[float, float]:
        """Return the height of a figure, which depends on its matrices and on whether it learns."""
        above, below = len(state["input"]), len(state["input"]) - len(state["kernel"]) + 1
        dense, learns = len(state["input"][0]) > 5, state.get("target") is not None
        wide = 17.5 + 2 * above * (2.1 if dense else 2.4)
        # On a phone, what is behind input and kernel stands below them, and one below the other if wide.
        narrow = 24.3 + 2 * (2.0 if dense else 2.2) * (above + (2 if dense else 1) * below)
        return wide + 13.1 * learns, narrow + 2.4 * dense + 22.1 * learns

    @traitlets.validate("input", "kernel")
    def _fits(self, proposal: Any) -> Rows:
        value = cast(Rows, proposal["value"])
        X, K = (value, self.kernel) if proposal["trait"].name == "input" else (self.input, value)
        if len(K) > len(X) or len(K[0]) > len(X[0]):
            raise traitlets.TraitError(f"kernel of {size(K)} cells must fit into the input of {size(X)}")
        return value

    @traitlets.validate("layer_index")
    def _listed(self, proposal: Any) -> int:
        return int(within("layer_index", proposal["value"], 0, len(LAYERS) - 1))

    @traitlets.validate("rate")
    def _not_negative(self, proposal: Any) -> float:
        return within("rate", proposal["value"], 0, 10)

    @traitlets.validate("steps")
    def _not_too_many(self, proposal: Any) -> int:
        return int(within("steps", proposal["value"], 0, MOST_STEPS))

    @traitlets.validate("cell")
    def _pair(self, proposal: Any) -> list[int]:
        value = cast(list[int], proposal["value"])
        if len(value) != 2 or not all(0 <= index < 8 for index in value):
            raise traitlets.TraitError(f"cell must be a row and a column from 0 to 7, got {value}")
        return value


def gradient_explorer(
    X: Any = None,
    K: Any = None,
    G: Any = None,
    *,
    target: Any = None,
    layer: str | None = None,
    lr: float = 0.1,
    steps: int = 0,
) -> Figure:
    """Show the backward pass of a convolution cell by cell, and let its kernel learn.

    The upper row goes forward: the input, the kernel, and the output; the lower row goes back, with the
    gradient of each below it. Hover, focus or click a gradient to see the products that it is the sum of.
    ReLU or max pooling can follow the convolution. With a target, the gradient from above is that of the mean
    squared error, and the kernel takes steps against its gradient.

    Parameters
    ----------
    X : Tensor, array or nested list, optional
        The input, shape ``(H, W)``, at most 8×8.
    K : Tensor, array or nested list, optional
        The kernel, shape ``(k_h, k_w)``, at most 4×4 and not larger than `X`.
    G : Tensor, array or nested list, optional
        The gradient of the loss with respect to the last output, where there is no `target`. It is cut to
        the output's shape, or filled up with zeros.
    target : Tensor, array or nested list, optional
        What the last output should be.
    layer : {None, "ReLU", "max pooling"}
        What follows the convolution; max pooling has windows of 2×2 cells.
    lr : float
        The learning rate, at most 10.
    steps : int
        How many steps the kernel has taken at first, at most 60.

    Returns
    -------
    ipywidgets.VBox
        The controls and the view. Its ``view`` has what is shown as traits (``kernel``, ``steps``, …): they
        can be read, set and observed.

    Raises
    ------
    ValueError
        If `layer` is not one of those.

    Notes
    -----
    Values that cannot be shown, such as a kernel larger than the input, raise `traitlets.TraitError`, here
    and when a trait is set later.

    Introduced in: *How a network learns*.

    Examples
    --------
    >>> gradient_explorer([[1, 2, 3], [4, 5, 6]], [[1, -1]])
    gradient_explorer(input 2×3, kernel 1×2)
    >>> gradient_explorer(layer="sigmoid")
    Traceback (most recent call last):
    ValueError: layer must be None, 'ReLU' or 'max pooling', got 'sigmoid'
    """
    if layer not in (None, *LAYERS[1:]):
        raise ValueError(f"layer must be None, 'ReLU' or 'max pooling', got {layer!r}")
    view = GradientView(
        input=INPUT if X is None else X,
        kernel=KERNEL if K is None else K,
        target=target,
        layer_index=LAYERS.index(layer or "nothing"),
        rate=lr,
        steps=steps,
    )
    if G is not None:
        view.above = G
    _passes(view)  # refuses what does not go together
    controls = {"layer_index": dropdown("After the convolution", LAYERS, view.layer_index)}
    if target is not None:
        controls["rate"] = float_slider("Learning rate", view.rate, 0.0, max(3.0, view.rate), 0.05)
        controls["steps"] = slider("Steps", view.steps, 0, MOST_STEPS)
    name = f"gradient_explorer(input {size(view.input)}, kernel {size(view.kernel)})"
    return Figure(name, view, controls, picture=lambda: _draw(view))


def _fit_to(values: Rows, like: Tensor) -> Tensor:
    """Cut a matrix to a size, or fill it up with zeros."""
    fitted = torch.zeros_like(like)
    given = torch.tensor(values, dtype=like.dtype)[: like.shape[0], : like.shape[1]]
    fitted[: given.shape[0], : given.shape[1]] = given
    return fitted


def _behind(Y: Tensor, layer: str) -> Tensor:
    """Return what the layer behind the convolution makes of its output."""
    if layer == "ReLU":
        return Y.relu()
    if layer == "max pooling":
        if min(Y.shape) < 2:
            raise ValueError(f"max pooling needs an output of at least 2×2 cells, got {size(Y.tolist())}")
        return F.max_pool2d(Y[None], 2)[0]
    return Y


def _passes(view: GradientView) -> dict[str, tuple[Tensor, Tensor]]:
    """Return each matrix of the forward pass, by name, and its gradient, after the view's steps."""
    X = torch.tensor(view.input, dtype=torch.float64, requires_grad=True)
    K = torch.tensor(view.kernel, dtype=torch.float64, requires_grad=True)
    layer = LAYERS[view.layer_index]
    for step in range(view.steps + 1):
        Y = F.conv2d(X[None, None], K[None, None])[0, 0]
        Z = _behind(Y, layer)
        if view.target is None:
            loss = (Z * _fit_to(view.above, Z)).sum()
        else:
            loss = F.mse_loss(Z, _fit_to(view.target, Z))
        gradients = torch.autograd.grad(loss, (X, K, Y, Z))
        if step < view.steps:
            K = (K - view.rate * gradients[1]).detach().requires_grad_()
    passes = {
        name: (M.detach(), gradient)
        for name, M, gradient in zip("XKYZ", (X, K, Y, Z), gradients, strict=True)
    }
    if layer == "nothing":
        del passes["Z"]
    return passes


def _draw(view: GradientView) -> Drawing:
    """Draw the view's state, laid out as in the browser."""
    passes = _passes(view)
    widths = [M.shape[1] for M, _ in passes.values()]
    height = 2 * max(M.shape[0] for M, _ in passes.values())
    figure, axes = plt.subplots(
        2, len(widths), width_ratios=widths, figsize=(0.45 * sum(widths) + 1.2, 0.45 * height + 1)
    )
    roles: tuple[Role, ...] = ("input", "kernel", "output", "output")
    for column, (name, pair), role in zip(axes.T, passes.items(), roles, strict=False):
        for ax, M, label in zip(column, pair, (name, f"{name}.grad"), strict=True):
            draw_grid(M.round(decimals=2), ax, role=role, label=label)
    return figure
