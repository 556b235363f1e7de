"""Multiply-adds of PyTorch's basic operators, from shapes alone."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch._ops import OpOverload, OpOverloadPacket

aten = torch.ops.aten

# What they return depends on the shape of a tensor, not on its numbers.
FILLED = {
    *(aten.zeros_like, aten.ones_like, aten.full_like, aten.empty_like, aten.rand_like, aten.randn_like),
    *(aten.new_zeros, aten.new_ones, aten.new_full, aten.new_empty),
}

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


def out_of_place(operator: OpOverload) -> OpOverloadPacket:
    """Return an operator, of ``relu_`` for example ``relu``, without its overloads."""
    packet: OpOverloadPacket = operator.overloadpacket
    name = packet.__name__
    if operator.namespace == "aten" and name.endswith("_") and not name.endswith("__"):
        packet = getattr(aten, name[:-1], packet)
    return packet


def is_pointwise(operator: OpOverload) -> bool:
    """Return whether each number of the result depends on the numbers at its own position only."""
    packet = out_of_place(operator)  # PyTorch does not mark all in-place twins
    overloads: list[str] = packet.overloads()  # type: ignore[no-untyped-call]
    return any(torch.Tag.pointwise in getattr(packet, name).tags for name in overloads)


def multiply_adds(operator: OpOverload, settings: dict[str, Any], result: Any) -> int:
    """Return the multiply-adds of one call: 0 unless it is a convolution or a matrix product."""
    kind = out_of_place(operator)
    if kind is aten.convolution:
        # In a convolution each output is a sum over its kernel; in a transposed one each input is spread
        # over its kernel. The first axis of the weight counts outputs or inputs, so weight[0] is one kernel.
        many = settings["input"] if settings["transposed"] else result
        return int(many.numel() * settings["weight"][0].numel())
    if kind is aten._trilinear:  # of nn.Bilinear: products of three tensors, over all of their axes
        factors = [settings[name] for name in ("i1", "i2", "i3")]
        for number, name in enumerate(("expand1", "expand2", "expand3")):
            for axis in settings[name]:
                factors[number] = factors[number].unsqueeze(axis)
        return math.prod(max(sizes) for sizes in zip(*(factor.shape for factor in factors), strict=True))
    if kind in MATMULS:
        left = settings[MATMULS[kind]]
        batch = len(left) if kind is aten.addbmm else 1  # whose results are added up
        return int(result.numel() * left.shape[-1] * batch)
    return 0
