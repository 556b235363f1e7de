"""Convolution and pooling written out in plain PyTorch, equal to ``torch.nn.functional`` in what they return.

None of them calls PyTorch's own convolution, pooling or unfolding: those are what the tests compare with.
All work on any device and any real floating-point type, and gradients flow through them. Sums of 16-bit
numbers are taken in 32 bits, as PyTorch takes them.
"""

from d2lconv.ops.convolution import conv2d, depthwise_separable_conv2d
from d2lconv.ops.pooling import avg_pool2d, max_pool2d
from d2lconv.ops.signals import avg_pool1d, conv1d, max_pool1d
from d2lconv.ops.textbook import (
    convolve2d,
    corr2d,
    corr2d_multi_in,
    corr2d_multi_in_out,
    corr2d_multi_in_out_1x1,
    pool2d,
)

__all__ = [
    "avg_pool1d",
    "avg_pool2d",
    "conv1d",
    "conv2d",
    "convolve2d",
    "corr2d",
    "corr2d_multi_in",
    "corr2d_multi_in_out",
    "corr2d_multi_in_out_1x1",
    "depthwise_separable_conv2d",
    "max_pool1d",
    "max_pool2d",
    "pool2d",
]
