"""Watch the operators and layers of a model while one example runs through it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from torch import Tensor, nn
from torch._ops import OpOverload
from torch.nn.parameter import is_lazy
from torch.utils._python_dispatch import TorchDispatchMode

from d2lconv.summary._costs import multiply_adds
from d2lconv.summary._fields import Field, pixels
from d2lconv.summary._rules import RULES, Call, follow
from d2lconv.summary.table import Row


@dataclass
class ModuleCall:
    """A call of a module that has not ended yet."""

    name: str
    module: nn.Module
    got: list[tuple[int, ...]]
    macs: int = 0


class Tracer(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Watches each operator and each layer while the example runs, and collects the rows."""

    def __init__(self, X: Tensor) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.rows: list[Row] = []
        self.running: list[ModuleCall] = []
        self.counted: set[int] = set()
        # What each tensor computed from the input sees, by memory and by tensor: a reshaped tensor, for
        # example, has the same memory. A tensor whose memory is not listed doesn't depend on the input; one
        # whose memory is listed without it was written to through another, so what it sees is unknown.
        self.seen: dict[int, dict[int, Field | None]] = {}
        self.kept: list[Tensor] = []  # they have no numbers, so keep them all; then an id means one tensor
        axes = X.dim() - 2
        self.note(X, pixels(axes, X.shape[2:]) if axes > 0 else None, written=False)

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
        operands = [(tensor, self.field_of(tensor)) for tensor in _tensors(settings) if self.depends(tensor)]
        result = func(*args, **(kwargs or {}))
        if self.running:
            self.running[-1].macs += multiply_adds(func, settings, result)
        for tensor in _tensors(result) if operands else ():
            known = [(operand, field) for operand, field in operands if field is not None]
            complete = len(known) == len(operands)
            field = follow(Call(func, settings, known, tensor)) if complete else None
            self.note(tensor, field, written=func._schema.is_mutable)
        return result

    def note(self, tensor: Tensor, field: Field | None, *, written: bool) -> None:
        """Register what a tensor sees; if it was written to, forget others in the same memory."""
        memory = tensor.untyped_storage()._cdata
        if written:
            self.seen.pop(memory, None)
        self.seen.setdefault(memory, {})[id(tensor)] = field
        self.kept.append(tensor)

    def depends(self, tensor: Tensor) -> bool:
        return tensor.untyped_storage()._cdata in self.seen

    def field_of(self, tensor: Tensor) -> Field | None:
        return self.seen.get(tensor.untyped_storage()._cdata, {}).get(id(tensor))

    # ---- layers ----

    def watch(self, name: str, module: nn.Module) -> None:
        """Register hooks on a layer of the copy for its start and end."""

        def start(module: nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
            shapes = [_example_shape(tensor) for tensor in _tensors([*args, *kwargs.values()])]
            self.running.append(ModuleCall(name, module, shapes))

        def end(module: nn.Module, args: tuple[Any, ...], result: object) -> None:
            call = self.running.pop()
            while call.module is not module:  # it failed, and the model went on
                call = self.running.pop()
            self.add(call, next(iter(_tensors(result)), None))

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


def _tensors(values: object) -> list[Tensor]:
    """List the tensors in nested lists, tuples and dictionaries, in order."""
    if isinstance(values, Tensor):
        return [values]
    if isinstance(values, dict):
        values = list(values.values())
    return (
        [tensor for value in values for tensor in _tensors(value)] if isinstance(values, list | tuple) else []
    )
