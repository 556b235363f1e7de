"""Multiply-adds of PyTorch's basic operators, from shapes alone."""

from __future__ import annotations

from typing import Any

import torch
from torch._ops import OpOverload

aten = torch.ops.aten

# Products of matrices and vectors, and the name of their left factor's argument.
MATMULS = {
    aten.mm: "self",
    aten.bmm: "self",
    aten.mv: "self",
    aten.dot: "self",
    aten.addmm: "mat1",
    aten.addmv: "mat",
    aten.baddbmm: "batch1",
    aten.addbmm: "batch1",
}


def multiply_adds(operator: OpOverload, settings: dict[str, Any], result: Any) -> int:
    """Return the multiply-adds of one call: 0 unless it is a convolution or a matrix product."""
    kind = operator.overloadpacket
    if kind is aten.convolution:
        # In a convolution each output is a sum over its kernel; in a transposed one each input is spread
        # over its kernel. The first axis of the weight counts outputs or inputs, so weight[0] is one kernel.
        many = settings["input"] if settings["transposed"] else result
        return int(many.numel() * settings["weight"][0].numel())
    if kind in MATMULS:
        left = settings[MATMULS[kind]]
        batch = len(left) if kind is aten.addbmm else 1  # whose results are added up
        return int(result.numel() * left.shape[-1] * batch)
    return 0
