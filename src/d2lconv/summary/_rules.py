"""Receptive fields through PyTorch's basic operators: what a result sees, given what its operands see.

The spatial axes of a tensor are its last ones, as many as the input has after its channels. A rule returns
None where the answer is unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from torch import Tensor
from torch._ops import OpOverload

from d2lconv.shapes.fields import AxisField
from d2lconv.summary._costs import MATMULS, aten, is_pointwise, out_of_place
from d2lconv.summary._fields import Field, grid, hull


@dataclass(frozen=True)
class Call:
    """A call of an operator: its arguments by name, those computed from the input, and its result."""

    operator: OpOverload
    settings: dict[str, Any]
    operands: list[tuple[Tensor, Field]]
    result: Tensor

    @property
    def tensor(self) -> Tensor:
        return self.operands[0][0]

    @property
    def field(self) -> Field:
        return self.operands[0][1]

    @property
    def axes(self) -> int:
        return len(self.field.size)

    def spatial(self, dims: object) -> list[int]:
        """Return which spatial axes, counted from 0, are among dimensions of the operand."""
        numbers = range(self.tensor.dim()) if dims is None or dims == [] else _listed(dims)
        first = self.tensor.dim() - self.axes
        return [dim % self.tensor.dim() - first for dim in numbers if dim % self.tensor.dim() >= first]


Rule = Callable[[Call], Field | None]


def follow(call: Call) -> Field | None:
    """Return what the result of a call sees."""
    rule = RULES.get(out_of_place(call.operator))
    if rule is None and is_pointwise(call.operator):
        rule = elementwise
    field = rule(call) if rule is not None else None
    if field is None and all(operand.is_the_same_for_all for _, operand in call.operands):
        # Whatever the operator does: it can only combine numbers that all see the same.
        return hull([operand for _, operand in call.operands]).united()
    return field


def window(call: Call) -> Field | None:
    """Convolution and pooling: a window of cells, moved along each axis."""
    settings = call.settings
    kernel = settings["weight"].shape[2:] if "weight" in settings else settings["kernel_size"]
    moved_over = settings["input"] if "input" in settings else settings["self"]
    if len(call.operands) > 1 or call.tensor is not moved_over:
        return None  # the kernel itself depends on the input
    if settings.get("transposed") or len(kernel) < call.axes or any(k > 1 for k in kernel[: -call.axes]):
        return None
    return slide(
        call, kernel, settings["stride"] or kernel, settings["padding"], settings.get("dilation", [1])
    )


def slide(
    call: Call, kernel: Sequence[int], stride: Sequence[int], padding: Sequence[int], dilation: Sequence[int]
) -> Field | None:
    """Return the field after a window; settings beyond the spatial axes act on axes before them."""
    field, axes = call.field, call.axes
    if field.stride is None:
        return None
    moved = []
    for axis in range(-axes, 0):
        k, s, p, d = (setting[max(axis, -len(setting))] for setting in (kernel, stride, padding, dilation))
        moved.append(AxisField(field.size[axis], field.stride[axis], field.start[axis]).through(k, s, p, d))
    size, jump, start = zip(*moved, strict=True)
    return grid(start, size, jump, call.result.shape[-axes:])


def adaptive(call: Call) -> Field | None:
    """Adaptive pooling: an ordinary one where its windows have one size and one distance along each axis."""
    cells, wanted = call.tensor.shape[-call.axes :], call.settings["output_size"][-call.axes :]
    if len(wanted) < call.axes:
        return None
    kernel: list[int] = []
    stride: list[int] = []
    for n, m in zip(cells, wanted, strict=True):
        starts = [i * n // m for i in range(m)]
        sizes = {-(-(i + 1) * n // m) - start for i, start in enumerate(starts)}
        distances = {after - before for before, after in pairwise(starts)} or {n}
        if len(sizes) > 1 or len(distances) > 1:
            return None
        kernel += sizes
        stride += distances
    return slide(call, kernel, stride, [0], [1])


def reduction(call: Call) -> Field | None:
    """Mean, sum, maximum … over some dimensions."""
    reduced = call.spatial(call.settings.get("dim"))
    cells = call.tensor.shape[-call.axes :]
    if call.field.stride is not None and (call.settings.get("keepdim") or not reduced):
        kernel = [n if axis in reduced else 1 for axis, n in enumerate(cells)]
        return slide(call, kernel, kernel, [0], [1])
    everywhere = call.field.stride is not None and len(reduced) == call.axes
    return call.field.united() if everywhere or call.result.numel() == 1 else None


def padding(call: Call) -> Field | None:
    """Zeros, or numbers from nearby, around the tensor. ``pad`` begins with the last axis."""
    amounts = call.settings["pad"] if "pad" in call.settings else call.settings["padding"]
    before = [*amounts[::2], *[0] * call.axes]
    return slide(call, [1], [1], before[: call.axes][::-1], [1])


def elementwise(call: Call) -> Field | None:
    """Each number of the result depends on the numbers at its own position."""
    fields = [field for _, field in call.operands]
    cells = call.result.shape[-call.axes :]
    aligned = all(tensor.shape[-call.axes :] == cells for tensor, _ in call.operands)
    if aligned and call.field.stride is not None and len({field.stride for field in fields}) == 1:
        first = hull([grid(field.start, field.size, call.field.stride, [1] * call.axes) for field in fields])
        return grid(first.start, first.extent, call.field.stride, cells)
    if len(fields) == 1:
        return call.field.unordered()
    # One number for a whole channel, say: it is fine if it sees all that the others see.
    common = [field for field in fields if field.is_the_same_for_all]
    if common and hull(common).extent == hull(fields).extent:
        return hull(common).united()
    return None


def concatenation(call: Call) -> Field | None:
    """Channels of several tensors: at each position the window around theirs."""
    if all(field.stride is None for _, field in call.operands):
        return hull([field for _, field in call.operands])
    return elementwise(call)


def reshaping(call: Call) -> Field:
    """Numbers in the same order, row by row: positions stay if the last axes do."""
    if call.result.shape[-call.axes :] == call.tensor.shape[-call.axes :]:
        return call.field
    return call.field.unordered()


def permutation(call: Call) -> Field:
    """Dimensions in another order: positions stay if the last ones do."""
    settings, dims = call.settings, list(range(call.tensor.dim()))
    order = [dim % len(dims) for dim in settings.get("dims", dims)]
    if "dims" not in settings:
        first, second = settings.get("dim0", 0), settings.get("dim1", -1)
        order[first], order[second] = order[second], order[first]
    return call.field if order[-call.axes :] == dims[-call.axes :] else call.field.unordered()


def dimwise(call: Call) -> Field | None:
    """Operations along some dimensions, separately for each index of the others."""
    spatial = call.spatial(call.settings.get("dim", call.settings.get("dims")))
    return None if spatial or call.field.stride is None else call.field


def slicing(call: Call) -> Field | None:
    """Take every ``step``-th index of a dimension from ``start`` on."""
    spatial = call.spatial(call.settings["dim"])
    if not spatial:
        return dimwise(call)
    setting = slice(call.settings["start"], call.settings["end"], call.settings["step"])
    first, _, step = setting.indices(call.tensor.shape[call.settings["dim"]])
    skipped, steps = [0] * call.axes, [1] * call.axes
    skipped[spatial[0]], steps[spatial[0]] = first, step
    return slide(call, [1], steps, [-amount for amount in skipped], [1])


def matmul(call: Call) -> Field | None:
    """Matrix product: known where each result is a sum over all numbers of the only operand."""
    summed = call.settings[MATMULS[out_of_place(call.operator)]].shape[-1]
    added = call.settings["self"] if "beta" in call.settings else None  # to the product
    alone = len(call.operands) == 1 and call.tensor is not added
    return call.field.united() if alone and call.tensor.numel() == summed else None


def normalization(call: Call) -> Field | None:
    """Batch normalisation by stored statistics; by those of the batch it would look everywhere."""
    return None if call.settings["training"] else elementwise(call)


def _listed(dims: Any) -> list[int]:
    return [dims] if isinstance(dims, int) else list(dims)


BY_RULE: dict[Rule, str] = {
    window: """convolution max_pool2d_with_indices max_pool3d_with_indices avg_pool1d avg_pool2d
        avg_pool3d""",
    adaptive: """_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d""",
    reduction: "mean sum amax amin max min var std logsumexp",
    padding: """constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d replication_pad1d
        replication_pad2d replication_pad3d""",
    elementwise: """hardswish _prelu_kernel log_sigmoid_forward _to_copy detach alias
        native_dropout rrelu_with_noise""",  # and all that PyTorch marks as pointwise
    concatenation: "cat",
    reshaping: """view _unsafe_view _reshape_alias squeeze unsqueeze expand channel_shuffle
        native_channel_shuffle""",
    permutation: "t transpose permute",
    dimwise: """_softmax _log_softmax split split_with_sizes unsafe_split select unbind flip roll cumsum
        index_select glu""",
    slicing: "slice",
    matmul: " ".join(kind.__name__ for kind in MATMULS),
    normalization: "native_batch_norm",
}
RULES = {getattr(aten, name): rule for rule, names in BY_RULE.items() for name in names.split()}
