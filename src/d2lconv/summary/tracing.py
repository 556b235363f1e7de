"""Run one example through a copy of a model and record what each layer does."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter, is_lazy

from d2lconv._arguments import integer
from d2lconv.summary._tracer import Tracer
from d2lconv.summary.table import Summary

__all__ = ["summarize"]


def summarize(model: nn.Module, input_shape: Sequence[int]) -> Summary:
    """Return a table of a model's layers: output shape, parameters, multiply-adds and receptive field.

    The model is run as in ``model.eval()``, on a copy without numbers: this costs next to no memory or time,
    and the model's weights, buffers, mode and device stay as they are.

    Parameters
    ----------
    model : torch.nn.Module
        A model with one input, on any device. Layers of PyTorch's lazy kind may still be uninitialised.
    input_shape : sequence of int
        Shape of one example, without the batch axis: (C, H, W) for images, (C, L) for signals.

    Returns
    -------
    Summary
        One row for each call of a layer (a module without modules of its own), in the order of the data. One
        more for each model or block that has multiply-adds or parameters beside its layers', with the kind
        ``"(functional)"``. Last, layers with parameters that were not called.

    Raises
    ------
    TypeError
        If `model` is not a Module, or `input_shape` is not made of integers.
    ValueError
        If `input_shape` is empty, or a size in it is smaller than 1.
    RuntimeError
        If the model's ``forward`` fails; the message names the layer and the shape that it got.

    Notes
    -----
    A multiply-add (MAC) is one product that is added to a sum. Convolutions and matrix products have MACs,
    also at cells of the padding; everything else, and adding a bias, counts 0. Biases do count as parameters.
    A parameter that several layers, or several calls, use is counted once, in the first row.

    The receptive field is the theoretical one: it includes padding, and can be larger than the input. Where
    branches meet, it is the smallest window around theirs. A fully connected layer on a flattened tensor sees
    all that the tensor sees; its outputs lie in no rows and columns, so the field has no stride. After other
    operators, among them transposed convolution, upsampling, circular padding, and adaptive pooling with
    windows of several sizes, the field is None: unknown.

    Source: Araujo, Norris and Sim, *Computing receptive fields of convolutional neural networks*, Distill
    (2019). Introduced in: *Channels*.

    Examples
    --------
    >>> from torch import nn
    >>> model = nn.Sequential(nn.Conv2d(1, 6, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten())
    >>> print(summarize(model, (1, 28, 28)))
    Layer  Kind       Output       Parameters     MACs  Field  Field stride
    ───────────────────────────────────────────────────────────────────────
    0      Conv2d     (6, 28, 28)         156  117,600    5×5           1×1
    1      ReLU       (6, 28, 28)           0        0    5×5           1×1
    2      MaxPool2d  (6, 14, 14)           0        0    6×6           2×2
    3      Flatten    (1176,)               0        0    6×6             –
    ───────────────────────────────────────────────────────────────────────
    Total                                 156  117,600
    """
    if not isinstance(model, nn.Module):
        raise TypeError(f"model must be a torch.nn.Module, got {model!r} of type {type(model).__name__}")
    shape = _checked_shape(input_shape)
    double = _meta_copy(model).eval()
    X = torch.empty(1, *shape, dtype=_dtype(double), device="meta")
    tracer = Tracer(X)
    for name, module in double.named_modules():
        tracer.watch(name, module)
    try:
        # Layers and tensors that a forward creates are to have no numbers either.
        with torch.random.fork_rng(devices=[]), torch.no_grad(), torch.device("meta"), tracer:
            double(X)
    except Exception as error:
        raise RuntimeError(f"{tracer.failure()}, one example of {shape} given: {error}") from error
    tracer.add_unused(double)
    return Summary(shape, tuple(tracer.rows))


def _checked_shape(input_shape: object) -> tuple[int, ...]:
    wanted = "input_shape must be the shape of one example, such as (1, 28, 28) for (C, H, W)"
    if not isinstance(input_shape, Sequence) or isinstance(input_shape, str):
        raise TypeError(f"{wanted}, got {input_shape!r}")
    if not input_shape:
        raise ValueError(f"{wanted}, got {input_shape!r}")
    return tuple(integer("each size in input_shape", size, 1) for size in input_shape)


def _meta_copy(model: nn.Module) -> nn.Module:
    """Copy a model, but each of its tensors as one without numbers; shared ones stay shared."""
    copies: dict[int, Any] = {}
    for module in model.modules():
        for tensor in [*module.parameters(False), *module.buffers(False), *vars(module).values()]:
            if isinstance(tensor, Tensor):
                copies[id(tensor)] = _without_numbers(tensor)
    return copy.deepcopy(model, copies)


def _without_numbers(tensor: Tensor) -> Tensor:
    if is_lazy(tensor):
        return UninitializedParameter(  # type: ignore[call-arg]
            requires_grad=tensor.requires_grad, device="meta", dtype=tensor.dtype
        )
    empty = torch.empty_like(tensor, device="meta", requires_grad=False)
    return nn.Parameter(empty, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else empty


def _dtype(model: nn.Module) -> torch.dtype:
    floating = (p.dtype for p in model.parameters() if p.is_floating_point())
    return next(floating, torch.get_default_dtype())
