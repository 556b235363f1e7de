"""Run one example through a copy of a model and record what each layer does."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any
from unittest import mock

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedParameter, is_lazy
from torch.overrides import TorchFunctionMode

from d2lconv._arguments import integer
from d2lconv.summary._tracer import (
    MissingChannelsError,
    NumbersNeededError,
    Tracer,
    mapped,
    tensors_in,
    without_numbers,
)
from d2lconv.summary.table import Summary

__all__ = ["summarize"]


def summarize(
    model: nn.Module,
    input_shape: Sequence[int] | None = None,
    *,
    example: Tensor | Sequence[Any] | Mapping[str, Any] | None = None,
) -> Summary:
    """Return a table of a model's layers: output shape, parameters, multiply-adds and receptive field.

    The model is run as in ``model.eval()``, on a copy without numbers: this costs next to no memory or time,
    and the model's weights, buffers, mode and device stay as they are. Hooks are not run, except
    PyTorch's own and the model's own methods.

    Parameters
    ----------
    model : torch.nn.Module
        A model on any device. Layers of PyTorch's lazy kind may still be uninitialised.
    input_shape : sequence of int, optional
        Shape of one example, without the batch axis: (C, H, W) for images, (C, L) for signals. Its dtype is
        that of the model's parameters.
    example : Tensor, sequence or mapping, optional
        Instead of `input_shape`, a batch as the model takes it: a tensor of any type, a sequence of several
        inputs, or a mapping from arguments' names to them. If all tensors have equally many rows, these are
        the examples of the batch, and only the first one is used.

    Returns
    -------
    Summary
        One row for each call of a layer (a module without modules of its own), in the order of the data. One
        more for each model or block that has multiply-adds or parameters beside its layers', with the kind
        ``"(functional)"``. Last, layers with parameters that were not called.

    Raises
    ------
    TypeError
        If `model` is not a Module or holds TorchScript, `input_shape` is not made of integers, `example`
        holds no tensor, or not exactly one of the two is given.
    ValueError
        If `input_shape` is empty, a size in it is smaller than 1, or it lacks the channel axis.
    RuntimeError
        If the model's ``forward`` fails, or decides by the numbers in a tensor; the message names the layer
        and the shape that it got.

    Notes
    -----
    A multiply-add (MAC) is one product that is added to a sum. Convolutions and matrix products have MACs,
    also at cells of the padding; everything else, and adding a bias, counts 0. Biases do count as parameters.
    A parameter that several layers, or several calls, use is counted once, in the first row.

    The receptive field is the theoretical one: it includes padding, and can be larger than the input. Where
    branches meet, it is the smallest window around theirs. A fully connected layer on a flattened tensor sees
    all that the tensor sees; its outputs lie in no rows and columns, so the field has no stride. After other
    operators, among them transposed convolution, upsampling, circular padding, and adaptive pooling with
    windows of several sizes or distances, the field is None: unknown. With several inputs, fields are those
    in the first one, and None where the others have an influence. Products of weights alone, which are the
    same for each example, have no MACs.

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
    for name, module in model.named_modules():
        if isinstance(module, torch.jit.ScriptModule):
            raise TypeError(
                f"model must be made of Python modules, but {f'its layer {name!r}' if name else 'it'} is "
                "TorchScript; summarize it before torch.jit.script or torch.jit.trace"
            )
    if any(tensor.is_complex() for tensor in [*model.parameters(), *tensors_in(example)]):
        raise TypeError("model and example must hold real numbers; complex ones are not supported")
    if (input_shape is None) == (example is None):
        raise TypeError("summarize needs exactly one of input_shape and example")
    twin = _copy(model)
    if example is None:
        shape = _checked_shape(input_shape)
        example = torch.empty(1, *shape, dtype=_dtype(twin), device="meta")
    args, kwargs, tensors = _arguments(example)
    shapes = [tuple(tensor.shape[1:]) for tensor in tensors]
    tracer = Tracer(tensors)
    for name, module in twin.named_modules():
        tracer.watch(name, module)
    try:
        # Tensors that a forward creates are to have no numbers either; hooks on all modules are not run.
        with (
            mock.patch.multiple(nn.modules.module, _global_forward_hooks={}, _global_forward_pre_hooks={}),
            torch.random.fork_rng(devices=[]),
            torch.no_grad(),
            torch.device("meta"),
            ChannelCheck(tracer),
            tracer,
        ):
            twin(*args, **kwargs)
    except MissingChannelsError as error:
        raise ValueError(
            f"input_shape must have a channel axis, such as {(1, *shapes[0])}, got {shapes[0]}: {error}"
        ) from None
    except Exception as error:
        given = " and ".join(map(str, shapes))
        raise RuntimeError(
            f"{tracer.failure()}, one example of {given} given: {_explained(error)}"
        ) from error
    tracer.add_unused(twin)
    return Summary(shapes[0] if len(shapes) == 1 else tuple(shapes), tuple(tracer.rows))


def _explained(error: Exception) -> str:
    """Return what went wrong, and what to do about it if that is known."""
    text = str(error)
    if isinstance(error, NumbersNeededError) or "meta device" in text or "unallocated storage" in text:
        return (
            "it decides by the numbers in a tensor, with `if`, `while`, `.item()` or the like, but summarize "
            "runs it without numbers; summarize the parts before and after that decision instead"
        )
    if "no fake impl" in text:
        return f"{text.split(': ')[0]} cannot be run without numbers, as summarize runs a model"
    if re.search(r"missing \d+ required .*argument|argument #1 'indices'", text):
        text += "; for several inputs, or integers, give them: summarize(model, example=...)"
    return text


class ChannelCheck(TorchFunctionMode):
    """Raises where a convolution or pooling takes the batch axis for channels, which are missing."""

    def __init__(self, tracer: Tracer) -> None:
        super().__init__()
        self.tracer = tracer

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        window = re.fullmatch(r"\w*(?:conv|conv_transpose|pool)([123])d", getattr(func, "__name__", ""))
        X = args[0] if args else (kwargs or {}).get("input")
        if window and isinstance(X, Tensor) and self.tracer.lacks_channels(X, int(window[1])):
            axes = {1: "(C, L)", 2: "(C, H, W)", 3: "(C, D, H, W)"}[int(window[1])]
            raise MissingChannelsError(f"{func.__name__} needs examples of shape {axes}")
        return func(*args, **(kwargs or {}))


def _checked_shape(input_shape: object) -> tuple[int, ...]:
    wanted = "input_shape must be the shape of one example, such as (1, 28, 28) for (C, H, W)"
    if not isinstance(input_shape, Sequence) or isinstance(input_shape, str):
        raise TypeError(f"{wanted}, got {input_shape!r}")
    if not input_shape:
        raise ValueError(f"{wanted}, got {input_shape!r}")
    return tuple(integer("each size in input_shape", size, 1) for size in input_shape)


def _arguments(example: Any) -> tuple[Sequence[Any], Mapping[str, Any], list[Tensor]]:
    """Return the arguments of a call, without numbers, and their tensors: a batch of one example."""
    tensors = tensors_in(example)
    if not tensors:
        raise TypeError(f"example must be a tensor, or a sequence or mapping of tensors, got {example!r}")
    batch = len({tensor.shape[:1] for tensor in tensors}) == 1 and tensors[0].dim() > 0

    def first(tensor: Tensor) -> Tensor:
        return without_numbers((tensor[:1] if batch else tensor).detach())

    example = mapped(first, example)
    args = [] if isinstance(example, Mapping) else [example] if isinstance(example, Tensor) else example
    kwargs = example if isinstance(example, Mapping) else {}
    return args, kwargs, tensors_in(example)


# ---- a copy without numbers ----


def _copy(model: nn.Module) -> nn.Module:
    """Copy a model without its numbers; shared tensors stay shared.

    Of its hooks, those of PyTorch, which compute weights for example, and the model's own methods are kept.
    """
    known: dict[int, Any] = {}
    for module in model.modules():
        for tensor in [*module.parameters(False), *module.buffers(False)]:
            known[id(tensor)] = _copy_of(tensor)
    with CopyWithoutNumbers():
        try:
            twin = copy.deepcopy(model, dict(known))
        except Exception:  # it holds something that can't be copied, such as a lock
            twin = _copy_by_attribute(model, known)
    modules = set(twin.modules())
    for module in modules:
        for hooks in (module._forward_hooks, module._forward_pre_hooks):
            for key, hook in list(hooks.items()):
                owner = getattr(hook, "__self__", None)
                is_own = isinstance(owner, nn.Module) and owner in modules
                if not (is_own or (getattr(hook, "__module__", None) or "").startswith("torch.")):
                    del hooks[key]
    return twin.eval()


def _copy_by_attribute(model: nn.Module, known: dict[int, Any]) -> nn.Module:
    """Copy a model, but share those attributes of its modules that can't be copied."""
    twins = {module: type(module).__new__(type(module)) for module in model.modules()}
    known |= {id(module): twin for module, twin in twins.items()}
    for module, twin in twins.items():
        for name, value in vars(module).items():
            try:
                vars(twin)[name] = copy.deepcopy(value, known)
            except Exception:
                vars(twin)[name] = value
    return twins[model]


class CopyWithoutNumbers(TorchFunctionMode):
    """Copies tensors that are no parameters, wherever a model keeps them, as `_copy_of` does."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func is not Tensor.__deepcopy__:
            return func(*args, **(kwargs or {}))
        tensor, known = args
        return known.setdefault(id(tensor), _copy_of(tensor))


def _copy_of(tensor: Tensor) -> Tensor:
    """Return a tensor of the same shape and type; only counters, flags and the like keep their numbers."""
    if is_lazy(tensor):
        return UninitializedParameter(  # type: ignore[call-arg]
            requires_grad=tensor.requires_grad, device="meta", dtype=tensor.dtype
        )
    if isinstance(tensor, nn.Parameter):
        return nn.Parameter(without_numbers(tensor.detach()), tensor.requires_grad)
    is_bookkeeping = tensor.numel() == 1 or not tensor.is_floating_point()
    if is_bookkeeping and tensor.numel() <= 2**16 and not tensor.is_meta:
        return tensor.detach().clone()
    return without_numbers(tensor.detach())


def _dtype(model: nn.Module) -> torch.dtype:
    floating = (p.dtype for p in model.parameters() if p.is_floating_point())
    return next(floating, torch.get_default_dtype())
