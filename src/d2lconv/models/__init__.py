"""Networks and their building blocks, as PyTorch modules."""

from d2lconv.models.blocks import DepthwiseSeparableConv2d, nin_block

__all__ = ["DepthwiseSeparableConv2d", "nin_block"]
