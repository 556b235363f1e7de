"""Calls of geometry.js with what they must give: by PyTorch for the operators, by d2lconv.shapes for sizes.

Every function draws random cases from a seed. A case's call and answer are plain JSON.
"""

from __future__ import annotations

import random
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional as F

from d2lconv import shapes

TOLERANCE = 1e-5
"""Absolute and relative, for numbers that single precision cannot hold; small integers must be equal."""


@dataclass(frozen=True)
class Refused:
    """The call must be refused; with a message, in these words."""

    message: str | None = None


@dataclass(frozen=True)
class Outputs:
    """Of axes, only the output sizes are compared: a pair, or why there is none."""

    sizes: Any


@dataclass
class Case:
    """A call of geometry.js, what it must give, and what is special about it."""

    name: str
    arguments: list[Any]
    expected: Any
    exact: bool = True
    kinds: set[str] = field(default_factory=set)

    @property
    def call(self) -> list[Any]:
        return [self.name, *self.arguments]

    def fault(self, answer: dict[str, Any]) -> str | None:
        """Say what is wrong with the browser's answer, or return None."""
        wanted = self.expected
        if isinstance(wanted, Outputs):
            wanted = wanted.sizes
            if "value" in answer:
                answer = {"value": tuple(axis["out"] for axis in answer["value"])}
        if isinstance(wanted, Refused):
            name, message = answer.get("error", (None, answer.get("value")))
            good = name == "RangeError" and wanted.message in (None, message)
        elif "error" in answer:
            good = False
        elif isinstance(wanted, Tensor):
            good = same_tensor(answer["value"], wanted, self.exact)
        else:
            good = answer["value"] == wanted
        return None if good else f"{self.name}{tuple(self.arguments)}: expected {wanted}, got {answer}"


def same_tensor(answer: dict[str, Any], expected: Tensor, exact: bool) -> bool:
    """Compare shape and numbers; NaN equals NaN."""
    if answer["shape"] != list(expected.shape):
        return False
    numbers = torch.tensor([float(x) for x in answer["data"]], dtype=torch.float32).reshape(expected.shape)
    tolerance = 0.0 if exact else TOLERANCE
    return torch.allclose(numbers, expected, rtol=tolerance, atol=tolerance, equal_nan=True)


def plain(tensor: Tensor) -> dict[str, Any]:
    """Write a tensor as JSON can hold it."""
    words = {"nan": "NaN", "inf": "Infinity", "-inf": "-Infinity"}
    data = [words.get(str(x), x) for x in tensor.flatten().tolist()]
    return {"data": data, "shape": list(tensor.shape)}


def outcome(call: Callable[[], Any]) -> Any:
    """Return what a call gives; if it raises, that it is refused."""
    try:
        return call()
    except (RuntimeError, TypeError, ValueError) as error:
        return Refused(str(error) if isinstance(error, ValueError) else None)


# ---- random settings ----


class Draw(random.Random):
    """Random numbers, settings and tensors."""

    def pair(self, low: int, high: int) -> tuple[int, int]:
        return self.randint(low, high), self.randint(low, high)

    def one_or_pair(self, low: int, high: int) -> int | tuple[int, int]:
        return self.choice([self.randint(low, high), self.pair(low, high)])

    def padding(self) -> Any:
        return self.choice(
            [
                0,
                self.randint(0, 3),
                self.pair(0, 3),
                (*self.pair(0, 3), *self.pair(0, 3)),
                self.choice(["valid", "same", "full"]),
            ]
        )

    def tensor(self, *shape: int, exact: bool) -> Tensor:
        generator = torch.Generator().manual_seed(self.randrange(2**32))
        if exact:
            return torch.randint(-4, 5, shape, generator=generator).float()
        return torch.randn(shape, generator=generator)

    def setting(self) -> dict[str, Any]:
        return {
            "stride": self.one_or_pair(1, 4),
            "padding": self.padding(),
            "dilation": self.one_or_pair(1, 3),
        }

    def window(self, axes: int = 2) -> tuple[Any, dict[str, Any]]:
        """Draw the kernel size and setting of a pooling."""
        kernel = self.one_or_pair(1, 4) if axes == 2 else self.randint(1, 4)
        half = min(per_axis(kernel)) // 2
        setting = {
            "stride": self.one_or_pair(1, 5) if axes == 2 else self.randint(1, 5),
            "padding": self.randint(0, half),
            "dilation": self.choice([1, self.randint(1, 4)]),
            "ceil_mode": self.random() < 0.5,
        }
        if self.random() < 0.3:
            del setting["stride"]
        return kernel, setting


def per_axis(value: Any) -> tuple[Any, Any]:
    return value if isinstance(value, tuple) else (value, value)


def options(setting: dict[str, Any]) -> dict[str, Any]:
    """Write a setting in the names of JavaScript."""
    words = {"ceil_mode": "ceilMode", "count_include_pad": "countIncludePad", "kernel_size": "kernelSize"}
    return {words.get(name, name): value for name, value in setting.items()}


def kinds_of(size: Any, kernel: Any, setting: dict[str, Any]) -> set[str]:
    """Name what is special about a setting."""
    size, kernel, stride = per_axis(size), per_axis(kernel), per_axis(setting.get("stride", kernel))
    padding = setting["padding"]
    found = {
        "stride beyond kernel": any(s > k for s, k in zip(stride, kernel, strict=True)),
        "dilation": max(per_axis(setting.get("dilation", 1))) > 1,
        "four sides": isinstance(padding, tuple) and len(padding) == 4,
        "mode": isinstance(padding, str),
        "1×1": kernel == (1, 1),
        "input of one cell": size == (1, 1),
        "kernel as large as input": kernel == size,
        "ceil mode": setting.get("ceil_mode", False),
    }
    return {kind for kind, here in found.items() if here}


# ---- operators, by PyTorch ----


def convolution(X: Tensor, weight: Tensor, bias: Tensor | None, setting: dict[str, Any]) -> Tensor:
    """Convolve with PyTorch, also with the paddings that it does not know."""
    padding = setting["padding"]
    if padding == "full":
        padding = shapes.padding_for("full", tuple(weight.shape[2:]), dilation=setting["dilation"])
    if isinstance(padding, tuple) and len(padding) == 4:
        top, bottom, left, right = padding
        X, padding = F.pad(X, (left, right, top, bottom)), 0
    with warnings.catch_warnings(action="ignore"):  # that "same" may need a copy
        return F.conv2d(X, weight, bias, **{**setting, "padding": padding})


def convolutions(count: int, seed: int) -> list[Case]:
    """Draw convolutions; of each few PyTorch refuses one."""
    draw = Draw(seed)
    cases = []
    for _ in range(count):
        exact = draw.random() < 0.5
        groups, per_group = draw.choice([1, 1, 2, 3]), draw.randint(1, 3)
        if draw.random() < 0.2:
            groups, per_group = draw.randint(2, 4), 1
        out_channels = groups * draw.randint(1, 2)
        kernel = draw.choice([draw.pair(1, 4), (1, 1), (3, 3)])
        size = draw.choice([draw.pair(1, 9), draw.pair(4, 9), kernel, (1, 1)])
        X = draw.tensor(groups * per_group, *size, exact=exact)
        weight = draw.tensor(out_channels, per_group, *kernel, exact=exact)
        bias = draw.choice([None, draw.tensor(out_channels, exact=exact)])
        setting = {**draw.setting(), "groups": groups}
        if setting["padding"] == "same":
            setting["stride"] = draw.choice([1, 1, 1, 2])
        kinds = kinds_of(size, kernel, setting)
        kinds |= {"groups"} if groups > 1 else set()
        kinds |= {"depthwise"} if groups > 1 and per_group == 1 else set()
        expected = outcome(lambda X=X, w=weight, b=bias, s=setting: convolution(X, w, b, s))
        arguments = [plain(X), plain(weight), None if bias is None else plain(bias), options(setting)]
        cases.append(without_words(Case("conv2d", arguments, expected, exact, kinds)))
    return cases


def poolings(count: int, seed: int) -> list[Case]:
    """Draw poolings, by maximum and average in turn."""
    draw = Draw(seed)
    cases = []
    for number in range(count):
        name = ("maxPool2d", "avgPool2d")[number % 2]
        exact = draw.random() < 0.5
        kernel, setting = draw.window()
        size = draw.choice([draw.pair(1, 9), draw.pair(4, 9), per_axis(kernel), (1, 1)])
        if draw.random() < 0.05:  # a window that steps over the input, from padding to padding
            kernel, size = 2, draw.pair(1, 3)
            setting |= {"padding": 1, "dilation": draw.randint(2, 4)}
        X = draw.tensor(draw.randint(1, 3), *size, exact=exact)
        if name == "avgPool2d":
            del setting["dilation"]
            setting["count_include_pad"] = draw.random() < 0.5
        elif draw.random() < 0.1:
            X[0, draw.randrange(size[0]), draw.randrange(size[1])] = draw.choice([torch.nan, -torch.inf])
        if draw.random() < 0.06:
            setting["padding"] = max(per_axis(kernel))
        kinds = kinds_of(size, kernel, setting)
        torch_pool = {"maxPool2d": F.max_pool2d, "avgPool2d": F.avg_pool2d}[name]
        expected = outcome(lambda X=X, k=kernel, s=setting, pool=torch_pool: pool(X, k, **s))
        if isinstance(expected, Tensor):
            kinds |= {"NaN"} if expected.isnan().any() else set()
            kinds |= {"only padding"} if (expected.isinf() & ~X.isinf().any()).any() else set()
            kinds |= {"hangs over"} if hangs_over(X, kernel, setting, expected) else set()
        case = Case(name, [plain(X), kernel, options(setting)], expected, exact, kinds)
        cases.append(without_words(case))
    return cases


def hangs_over(X: Tensor, kernel: Any, setting: dict[str, Any], Y: Tensor) -> bool:
    """Tell whether ceil mode gives a window more."""
    floor = {**setting, "ceil_mode": False, "dilation": setting.get("dilation", 1)}
    floor.pop("count_include_pad", None)
    fitting = outcome(lambda: F.max_pool2d(X, kernel, **floor))
    return isinstance(fitting, Refused) or fitting.shape != Y.shape


def without_words(case: Case) -> Case:
    """Take away PyTorch's words: geometry.js has its own."""
    if isinstance(case.expected, Refused):
        case.expected = Refused()
        case.kinds.add("refused")
    return case


# ---- sizes and fields, by d2lconv.shapes: the same numbers, and refusals in the same words ----


def sizes(count: int, seed: int) -> list[Case]:
    """Draw sizes, by convolution and pooling in turn; some settings do not fit or do not go together."""
    draw = Draw(seed)
    cases = []
    for number in range(count):
        size = draw.pair(1, 12)
        if number % 2:
            name, function = "poolAxes", shapes.pool_output_size
            kernel, setting = draw.window()
            if draw.random() < 0.15:
                setting["padding"] = 3
        else:
            name, function = "convAxes", shapes.conv_output_size
            kernel, setting = draw.one_or_pair(1, 5), draw.setting()
        expected = outcome(lambda f=function, n=size, k=kernel, s=setting: f(n, k, **s))
        kinds = {"refused"} if isinstance(expected, Refused) else set()
        cases.append(Case(name, [size, kernel, options(setting)], Outputs(expected), kinds=kinds))
    return cases


def paddings(count: int, seed: int) -> list[Case]:
    """Draw paddings of every form."""
    draw = Draw(seed)
    cases = []
    for _ in range(count):
        kernel, dilation, padding = draw.pair(1, 5), draw.one_or_pair(1, 3), draw.padding()
        if isinstance(padding, str):
            expected = shapes.padding_for(padding, kernel, dilation=dilation)
        elif isinstance(padding, tuple) and len(padding) == 4:
            expected = padding
        else:
            expected = tuple(amount for amount in per_axis(padding) for _ in range(2))
        arguments = [padding, kernel, {"dilation": dilation}]
        cases.append(Case("paddingSides", arguments, as_json(expected)))
    return cases


def fields(count: int, seed: int) -> list[Case]:
    """Draw stacks of up to six layers: the receptive field by shapes, the effective one by gradients."""
    draw = Draw(seed)
    cases = []
    for _ in range(count):
        settings = [
            {
                "kernel_size": draw.one_or_pair(1, 5),
                "stride": draw.one_or_pair(1, 2),
                "padding": draw.choice([draw.randint(0, 3), draw.pair(0, 3)]),
                "dilation": draw.one_or_pair(1, 3),
            }
            for _ in range(draw.randint(0, 6))
        ]
        layers = [options(setting) for setting in settings]
        found = shapes.receptive_field([shapes.Layer(**setting) for setting in settings])
        expected = {"size": found.size, "stride": found.stride, "start": found.start}
        cases.append(Case("receptiveField", [layers], as_json(expected)))
        if len(settings) <= 3:
            names = ("kernel_size", "stride", "dilation")
            along = [{name: per_axis(setting[name])[0] for name in names} for setting in settings]
            paths = paths_along(0, settings, found.size[0])
            cases.append(Case("effectiveField", [[options(layer) for layer in along]], paths))
    return cases


def paths_along(axis: int, settings: list[dict[str, Any]], size: int) -> list[float]:
    """Differentiate one output of convolutions with ones by each cell of its receptive field."""
    X = torch.ones(1, 1, size, dtype=torch.float64, requires_grad=True)
    Y = X
    for setting in settings:
        k, s, d = (per_axis(setting[name])[axis] for name in ("kernel_size", "stride", "dilation"))
        Y = F.conv1d(Y, torch.ones(1, 1, k, dtype=torch.float64), stride=s, dilation=d)
    Y.sum().backward()
    return X.grad.flatten().tolist()


# ---- windows, by a convolution of every unit vector with ones ----


def windows(count: int, seed: int) -> list[Case]:
    """Draw settings that fit; ask for the window of every output and the outputs of every cell."""
    draw = Draw(seed)
    cases: list[Case] = []
    while len(cases) < count:
        size, pooling = draw.pair(1, 9), draw.random() < 0.5
        if pooling:
            name, (kernel, setting) = "poolAxes", draw.window()
            out = outcome(lambda n=size, k=kernel, s=setting: shapes.pool_output_size(n, k, **s))
            sides = (setting["padding"],) * 4
        else:
            name, kernel, setting = "convAxes", draw.one_or_pair(1, 4), draw.setting()
            setting["padding"] = sides = (*draw.pair(0, 2), *draw.pair(0, 2))
            out = outcome(lambda n=size, k=kernel, s=setting: shapes.conv_output_size(n, k, **s))
        if isinstance(out, Refused):
            continue
        axes = [
            {
                "size": size[axis],
                "kernel": per_axis(kernel)[axis],
                "stride": per_axis(setting.get("stride", kernel))[axis],
                "before": sides[2 * axis],
                "after": sides[2 * axis + 1],
                "dilation": per_axis(setting["dilation"])[axis],
                "out": out[axis],
            }
            for axis in (0, 1)
        ]
        cases.append(Case(name, [size, kernel, options(setting)], axes))
        cases += [case for case in relations(axes) if case is not None]
    return cases


def relations(axes: list[dict[str, int]]) -> list[Case]:
    """Ask for all windows, for what all cells feed, and for what no window holds."""
    inside = [window_matrix(axis) for axis in axes]  # padded cells × outputs
    padded = [axis["before"] + axis["size"] + axis["after"] for axis in axes]
    outs = [axis["out"] for axis in axes]

    def numbered(number: int, counts: list[int]) -> list[int]:
        return [number % count for count in counts]

    def rows_and_cols(lists: list[list[int]], firsts: list[int]) -> dict[str, list[int]]:
        rows, cols = ([n - first for n in numbers] for numbers, first in zip(lists, firsts, strict=True))
        return {"rows": rows, "cols": cols}

    before = [axis["before"] for axis in axes]
    cases = []
    for number in range(max(outs)):
        at = numbered(number, outs)
        held = [matrix[:, i].nonzero().flatten().tolist() for matrix, i in zip(inside, at, strict=True)]
        cases.append(Case("windowCells", [*at, axes], rows_and_cols(held, before)))
    for number in range(max(padded)):
        at = numbered(number, padded)
        fed = [matrix[i].nonzero().flatten().tolist() for matrix, i in zip(inside, at, strict=True)]
        cell = [i - first for i, first in zip(at, before, strict=True)]
        cases.append(Case("outputsFedBy", [*cell, axes], rows_and_cols(fed, [0, 0])))
    dropped = [
        [i for i in range(count) if not matrix[i].any()] for matrix, count in zip(inside, padded, strict=True)
    ]
    kinds = {"dropped"} if any(dropped) else set()
    cases.append(Case("droppedCells", [axes], rows_and_cols(dropped, before), kinds=kinds))
    return cases


def window_matrix(axis: dict[str, int]) -> Tensor:
    """Return which padded cells (rows) lie in which windows (columns), hanging over or not."""
    k, s, d, out = (axis[name] for name in ("kernel", "stride", "dilation", "out"))
    last = (out - 1) * s + d * (k - 1) + 1
    cells = max(axis["before"] + axis["size"] + axis["after"], last)
    units = torch.eye(cells)[:, None]
    return F.conv1d(units, torch.ones(1, 1, k), stride=s, dilation=d)[:, 0, :out]


def as_json(value: Any) -> Any:
    """Turn tuples into lists."""
    if isinstance(value, dict):
        return {name: as_json(item) for name, item in value.items()}
    return list(value) if isinstance(value, tuple) else value
