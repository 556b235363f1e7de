"""Watch the operators and layers of a model while one example runs through it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch._ops import OpOverload
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from d2lconv.summary._costs import FILLED, multiply_adds
from d2lconv.summary._fields import Field, pixels
from d2lconv.summary._rules import RULES, Call, follow
from d2lconv.summary.table import Row


class NumbersNeededError(Exception):
    """A model asks for the numbers of a tensor that has none."""


class MissingChannelsError(Exception):
    """An example has no channel axis."""


@dataclass
class ModuleCall:
    """A call of a module that has not ended yet."""

    name: str
    module: nn.Module
    got: list[tuple[int, ...]]
    macs: int = 0


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches each operator and each layer while the example runs, and collects the rows."""

    def __init__(self, inputs: list[Tensor]) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rows: list[Row] = []
        self.running: list[ModuleCall] = []
        self.counted: set[int] = set()
        # What each tensor computed from the input sees, by memory and by tensor: a reshaped tensor, for
        # example, has the same memory. A tensor whose memory is not listed doesn't depend on the input; one
        # whose memory is listed without it was written to through another, so what it sees is unknown.
        self.seen: dict[int, dict[int, Field | None]] = {}
        self.kept: list[Tensor] = []  # they have no numbers, so keep them all; then an id means one tensor
        X, *others = inputs
        axes = X.dim() - 2
        self.rank = X.dim()
        self.register(X, pixels(axes, X.shape[2:]) if axes > 0 else None, written=False)
        for other in others:
            self.register(other, None, written=False)

    def lacks_channels(self, tensor: Tensor, axes: int) -> bool:
        """Return whether a tensor computed from the input has nothing but batch and spatial axes."""
        return tensor.dim() == self.rank == axes + 1 and self.depends(tensor)

    # ---- operators ----

    def __torch_dispatch__(
        self,
        func: OpOverload,
        types: object,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
    ) -> Any:
        if func.overloadpacket not in RULES:
            # Perhaps it is made of basic operators; in inference mode PyTorch leaves splitting it to us.
            with self:
                whole = func.decompose(*args, **(kwargs or {}))
            if whole is not NotImplemented:
                return whole
        settings = _named(func, args, kwargs or {})
        operands = [(tensor, self.field_of(tensor)) for tensor in _operands(func, settings)]
        operands = [
            (tensor, field)
            for tensor, field in operands
            if self.depends(tensor) and func.overloadpacket not in FILLED
        ]
        result = self.run(func, args, kwargs or {}, depends=bool(operands))
        if self.running and operands:  # a weight computed from others is no cost of an example
            self.running[-1].macs += multiply_adds(func, settings, result)
        if operands:
            written = _written(func, settings)
            known = [(operand, field) for operand, field in operands if field is not None]
            complete = len(known) == len(operands)
            for tensor in [*written, *tensors_in(result)]:
                field = follow(Call(func, settings, known, tensor)) if complete else None
                self.register(tensor, field, written=any(tensor is target for target in written))
        return result

    def run(self, func: OpOverload, args: tuple[Any, ...], kwargs: dict[str, Any], *, depends: bool) -> Any:
        """Run an operator, without numbers if one of its tensors has none or depends on the input."""
        depends = depends or any(tensor.is_meta for tensor in tensors_in([*args, *kwargs.values()]))
        if not depends:
            return func(*args, **kwargs)
        if torch.Tag.data_dependent_output in func.tags:
            raise NumbersNeededError
        if func.namespace == "quantized" or func.overloadpacket.__name__.startswith("quantize_per"):
            raise RuntimeError("quantised layers are not supported; summarize the model before quantising it")
        if "device" in kwargs:
            kwargs = kwargs | {"device": torch.device("meta")}
        try:
            return func(*mapped(without_numbers, args), **mapped(without_numbers, kwargs))
        except NotImplementedError as error:
            if torch.Tag.dynamic_output_shape in func.tags:  # as many numbers as are not 0, for example
                raise NumbersNeededError from error
            raise

    def register(self, tensor: Tensor, field: Field | None, *, written: bool) -> None:
        """Register what a tensor sees; if it was written to, forget others in the same memory."""
        memory = _memory(tensor)
        if written and (field is None or field != self.field_of(tensor)):
            self.seen.pop(memory, None)
        self.seen.setdefault(memory, {})[id(tensor)] = field
        self.kept.append(tensor)

    def depends(self, tensor: Tensor) -> bool:
        return _memory(tensor) in self.seen

    def field_of(self, tensor: Tensor) -> Field | None:
        return self.seen.get(_memory(tensor), {}).get(id(tensor))

    # ---- layers ----

    def watch(self, name: str, module: nn.Module) -> None:
        """Register hooks on a layer of the copy for its start and end."""

        def start(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            shapes = [_example_shape(tensor) for tensor in tensors_in([*args, *kwargs.values()])]
            self.running.append(ModuleCall(name, module, shapes))

        def end(module: nn.Module, args: tuple[Any, ...], result: object) -> None:
            call = self.running.pop()
            while call.module is not module:  # it failed, and the model went on
                call = self.running.pop()
            self.add(call, next(iter(tensors_in(result)), None))

        module.register_forward_pre_hook(start, prepend=True, with_kwargs=True)
        module.register_forward_hook(end)

    def add(self, call: ModuleCall, result: Tensor | None) -> None:
        """Add the row of a module that has ended: of a layer, or of a block that did something itself."""
        module = call.module
        is_layer = next(module.children(), None) is None
        own = {id(p): p for p in module.parameters(recurse=False) if not is_lazy(p)}
        new = [p for key, p in own.items() if key not in self.counted]
        if not (is_layer or call.macs or new):
            return
        self.counted |= own.keys()
        field = None if result is None else self.field_of(result)
        self.rows.append(
            Row(
                name=call.name,
                kind=type(module).__name__ if is_layer else "(functional)",
                output_shape=None if result is None else _example_shape(result),
                params=_count(new),
                trainable_params=_count(p for p in new if p.requires_grad),
                shared_params=_count(own.values()) - _count(new),
                macs=call.macs,
                field_size=None if field is None else field.size,
                field_stride=None if field is None else field.stride,
            )
        )

    def add_unused(self, model: nn.Module) -> None:
        """Add rows for parameters that no row has counted, because their layers were not called."""
        for name, module in model.named_modules():
            if any(id(p) not in self.counted for p in module.parameters(recurse=False)):
                self.add(ModuleCall(name, module, []), None)

    def failure(self) -> str:
        """Name the layer that was running, and the shapes it got."""
        if not self.running:
            return "the model failed"
        call = self.running[-1]
        layer = f"layer {call.name!r}" if call.name else "the model"
        got = " and ".join(map(str, call.got)) or "no tensor"
        return f"{layer} ({type(call.module).__name__}) failed on {got}"


def _written(operator: OpOverload, settings: dict[str, Any]) -> list[Tensor]:
    """List the tensors that an operator writes to."""
    return [
        tensor
        for argument in operator._schema.arguments
        if argument.alias_info is not None and argument.alias_info.is_write
        for tensor in tensors_in(settings[argument.name])
    ]


def _operands(operator: OpOverload, settings: dict[str, Any]) -> list[Tensor]:
    """List the tensors that an operator reads."""
    return [
        tensor
        for argument in operator._schema.arguments
        if not argument.is_out
        for tensor in tensors_in(settings[argument.name])
    ]


def _memory(tensor: Tensor) -> int:
    try:
        return int(tensor.untyped_storage()._cdata)
    except (NotImplementedError, RuntimeError):
        raise RuntimeError(
            "tensors inside of torch.vmap or other transforms, or with sparse memory, are not supported"
        ) from None


def without_numbers(tensor: Tensor) -> Tensor:
    """Return a tensor on the meta device, with shape, strides and type of another one."""
    return tensor if tensor.is_meta else torch.empty_like(tensor, device="meta", requires_grad=False)


def mapped(function: Callable[[Tensor], Tensor], values: Any) -> Any:
    """Replace the tensors in nested lists, tuples and dictionaries."""
    if isinstance(values, Tensor):
        return function(values)
    if isinstance(values, Mapping):
        return {name: mapped(function, value) for name, value in values.items()}
    if isinstance(values, list | tuple):
        items = [mapped(function, value) for value in values]
        return items if isinstance(values, list) else tuple(items)
    return values


def _count(parameters: Iterable[Tensor]) -> int:
    return sum(p.numel() for p in parameters)


def _example_shape(tensor: Tensor) -> tuple[int, ...]:
    """Return a tensor's shape without its batch axis of 1, if it has kept it."""
    return tuple(tensor.shape[1:] if tensor.shape[:1] == (1,) else tensor.shape)


def _named(operator: OpOverload, values: tuple[Any, ...], by_name: dict[str, Any]) -> dict[str, Any]:
    """Return all arguments of an operator by name, also those that were left out."""
    settings = {}
    for number, argument in enumerate(operator._schema.arguments):
        given = values[number] if number < len(values) else argument.default_value
        settings[argument.name] = by_name.get(argument.name, given)
    return settings


def tensors_in(values: object) -> list[Tensor]:
    """List the tensors in nested lists, tuples and dictionaries, in order."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, Mapping):
        values = list(values.values())
    if not isinstance(values, list | tuple):
        return []
    return [tensor for value in values for tensor in tensors_in(value)]
