"""Run a network and see what it does: its operations, whoever calls them, their costs, its output."""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from d2lconv.data import load_digits

_POOLINGS = {
    "max_pool2d_with_indices": "MaxPool2d",
    "max_pool2d": "MaxPool2d",
    "avg_pool2d": "AvgPool2d",
    "_adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "adaptive_avg_pool2d": "AdaptiveAvgPool2d",
    "adaptive_max_pool2d": "AdaptiveMaxPool2d",
}
_PRODUCTS = ("mm", "bmm", "addmm", "baddbmm", "addmv", "mv", "dot")
_KINDS = {"relu": "ReLU", "clamp_min": "ReLU", "threshold": "ReLU"}
# Operations that only look at numbers in another way.
_VIEWS = frozenset(
    {
        "view",
        "t",
        "transpose",
        "permute",
        "expand",
        "slice",
        "select",
        "unsqueeze",
        "squeeze",
        "detach",
        "alias",
    }
    | {"clone", "_unsafe_view", "contiguous", "reshape", "_to_copy", "as_strided", "unbind", "split", "chunk"}
    | {"narrow", "_reshape_alias", "copy", "empty", "zeros_like", "empty_like"}
)


@dataclass(frozen=True)
class Step:
    """One operation of a run.

    ``kind`` is the name of its layer where there is one (``"Conv2d"``, ``"Linear"``, ``"MaxPool2d"``,
    ``"ReLU"``), else PyTorch's name of the operation. Sizes are pairs, or None where there is no window.
    """

    kind: str
    output_shape: tuple[int, ...]
    macs: int = 0
    kernel_size: tuple[int, int] | None = None
    stride: tuple[int, int] | None = None
    groups: int = 1

    @property
    def looks_around(self) -> bool:
        """Whether its window is larger than one cell."""
        return self.kernel_size is not None and self.kernel_size != (1, 1)


@dataclass(frozen=True)
class Run:
    """What a network did with a batch, and what it costs for one example."""

    output: object
    rows: tuple[Step, ...]
    total_params: int
    trainable_params: int
    total_macs: int

    def steps(self, *kinds: str) -> list[Step]:
        """Return the steps of these kinds; of all kinds, if none is named."""
        return [row for row in self.rows if not kinds or row.kind in kinds]


class Recorder(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Notes each operation, called by a layer or by a function, compiled or not."""

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.steps: list[Step] = []

    def __torch_dispatch__(
        self,
        function: Any,
        types: Any,
        arguments: Sequence[Any] = (),
        options: Mapping[str, Any] | None = None,
    ) -> Any:
        made = function(*arguments, **(options or {}))
        name = function.overloadpacket.__name__.rstrip("_")
        output = made[0] if isinstance(made, tuple | list) and made else made
        if isinstance(output, Tensor) and name not in _VIEWS:
            self.steps.append(_step(name, arguments, output))
        return made


@functools.cache
def load_recorder() -> None:
    """Let PyTorch load what its first recording needs: seconds that are not the reader's, and whole."""
    with Recorder():
        torch.zeros(1).abs()


def _step(name: str, arguments: Sequence[Any], output: Tensor) -> Step:
    shape = tuple(output.shape)
    if name == "convolution":
        weight, transposed = arguments[1], arguments[6]
        positions = arguments[0] if transposed else output
        macs = positions.numel() * weight[0].numel()
        kind = "ConvTranspose2d" if transposed else f"Conv{weight.ndim - 2}d"
        sizes = (*_pair(weight.shape[2:]),), (*_pair(arguments[3]),)
        return Step(kind, shape, macs, *sizes, groups=int(arguments[8]))
    if name in _POOLINGS:
        if "daptive" in name:
            return Step(_POOLINGS[name], shape)
        stride = arguments[2] if len(arguments) > 2 and arguments[2] else arguments[1]
        return Step(_POOLINGS[name], shape, 0, _pair(arguments[1]), _pair(stride))
    if name in _PRODUCTS:
        matrices = [one for one in arguments if isinstance(one, Tensor)][-2:]
        return Step("Linear", shape, output.numel() * matrices[0].shape[-1])
    return Step(_KINDS.get(name, name), shape)


def _pair(sizes: Sequence[int]) -> tuple[int, int]:
    numbers = [int(size) for size in sizes]
    return (numbers[0], numbers[-1]) if numbers else (1, 1)


@contextlib.contextmanager
def uncompiled() -> Iterator[None]:
    """Let compiled networks run as they were written: compiling takes long, and hides what they do."""
    stance = getattr(torch.compiler, "set_stance", None)
    with stance("force_eager") if stance else contextlib.nullcontext():
        yield


def dtype_of(model: nn.Module) -> torch.dtype:
    """Return the type of a network's numbers."""
    found = (one.dtype for one in model.parameters() if one.dtype.is_floating_point)
    return next(found, torch.get_default_dtype())


def digits_read_after(model: nn.Module, optimizer: torch.optim.Optimizer, *, steps: int, batch: int) -> float:
    """Train briefly on digits of 8×8 pixels, and return the fraction of validation digits that it reads."""
    train, valid, _ = load_digits(size=8)
    dtype = dtype_of(model)
    model.train()
    for _ in range(steps):
        rows = torch.randint(len(train), (batch,))
        loss = F.cross_entropy(model(train.images[rows].to(dtype)), train.labels[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(valid.images.to(dtype)).argmax(dim=1) == valid.labels
    return float(right.double().mean())


def inputs_for(model: nn.Module, shape: Sequence[int], *, seed: int = 0) -> Tensor:
    """Make inputs between 0 and 1 of the type that a network's weights have."""
    numbers = torch.rand(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)
    return numbers.to(dtype_of(model))


def run(model: nn.Module, X: Tensor) -> Run:
    """Run a network on a batch, as for a prediction, and count what it does for one example."""
    model.eval()
    recorder = Recorder()
    with torch.no_grad(), recorder:
        output = model(X)
    parameters = list(model.parameters())
    return Run(
        output,
        tuple(recorder.steps),
        sum(one.numel() for one in parameters),
        sum(one.numel() for one in parameters if one.requires_grad),
        sum(step.macs for step in recorder.steps) // len(X),
    )


def without_gradient(model: nn.Module, input_shape: Sequence[int]) -> list[str]:
    """Name the parameters that no gradient reaches in a step of training.

    Parameters
    ----------
    model : torch.nn.Module
        Is not changed, but for its gradients.
    input_shape : sequence of int
        Shape of one example.
    """
    X = 16 * inputs_for(model, (16, *input_shape), seed=1) - 8  # so wide that no ReLU is shut for all
    model.train()
    output = model(X)
    if not output.requires_grad:
        return [name for name, _ in model.named_parameters()]
    weights = torch.randn(output.shape, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    model.zero_grad()
    (output * weights.to(output.dtype)).sum().backward()
    model.eval()
    reached = {name for name, one in model.named_parameters() if one.grad is not None and one.grad.any()}
    return [name for name, _ in model.named_parameters() if name not in reached]


def changes_with_the_call(model: nn.Module, X: Tensor) -> bool:
    """Return whether two runs on the same batch give different numbers."""
    with torch.no_grad():
        first, second = model(X), model(X)
    return not torch.allclose(first, second, rtol=1e-3, atol=1e-5, equal_nan=True)


def depends_on_the_batch(model: nn.Module, X: Tensor) -> bool:
    """Return whether an example gets other numbers in a batch than by itself."""
    with torch.no_grad():
        together, alone = model(X)[-1:], model(X[-1:])
    if together.shape != alone.shape:
        return True
    # A batch may be computed by another algorithm, which rounds small sums of large numbers otherwise.
    largest = float(alone.abs().max()) if alone.numel() else 0.0
    return not torch.allclose(together, alone, rtol=1e-3, atol=1e-5 + 1e-4 * largest, equal_nan=True)
