"""How fast the operators are beside PyTorch's, on one thread.

Each group holds two or more ways to the same result; the number in brackets after a time is its ratio to the
fastest. Run with ``make bench``. Machines differ: read the ratios, not the times.
"""

import pytest
import torch
from torch.nn import functional as F

from d2lconv import ops


def corr2d_with_loops(X, K):
    """Cross-correlate as textbooks print it: two loops over the output."""
    (h, w), (k_h, k_w) = X.shape, K.shape
    Y = torch.zeros(h - k_h + 1, w - k_w + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            Y[r, c] = (X[r : r + k_h, c : c + k_w] * K).sum()
    return Y


def with_gradients(operator):
    """Return a call of an operator followed by its backward pass."""

    def call(*tensors, **setting):
        Y = operator(*(tensor.detach().requires_grad_() for tensor in tensors), **setting)
        Y.backward(torch.ones_like(Y))

    return call


def pytorch_corr2d(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]


CASES = {
    "corr2d 128x128, 3x3": (
        {"ours": ops.corr2d, "pytorch": pytorch_corr2d, "two loops": corr2d_with_loops},
        [(128, 128), (3, 3)],
        {},
    ),
    "conv2d (16,64,56,56), (64,64,3,3)": (
        {"ours": ops.conv2d, "pytorch": F.conv2d},
        [(16, 64, 56, 56), (64, 64, 3, 3)],
        {},
    ),
    "conv2d (16,256,14,14), (256,256,3,3)": (
        {"ours": ops.conv2d, "pytorch": F.conv2d},
        [(16, 256, 14, 14), (256, 256, 3, 3)],
        {},
    ),
    "conv2d depthwise (16,64,56,56), (64,1,3,3)": (
        {"ours": ops.conv2d, "pytorch": F.conv2d},
        [(16, 64, 56, 56), (64, 1, 3, 3)],
        {"groups": 64},
    ),
    "max_pool2d (16,64,56,56), 2x2": (
        {"ours": ops.max_pool2d, "pytorch": F.max_pool2d},
        [(16, 64, 56, 56)],
        {"kernel_size": 2},
    ),
    "max_pool2d (16,64,56,56), 3x3, stride 2": (
        {"ours": ops.max_pool2d, "pytorch": F.max_pool2d},
        [(16, 64, 56, 56)],
        {"kernel_size": 3, "stride": 2, "padding": 1},
    ),
    "avg_pool2d (16,64,56,56), 2x2": (
        {"ours": ops.avg_pool2d, "pytorch": F.avg_pool2d},
        [(16, 64, 56, 56)],
        {"kernel_size": 2},
    ),
}
BOTH_WAYS = [
    (f"{'forward and backward' if backward else 'forward'}: {case}", who, backward)
    for case, (operators, _, _) in CASES.items()
    for backward in (False, True)
    for who in operators
    if not (backward and who == "two loops")
]


@pytest.mark.parametrize(("case", "who", "backward"), BOTH_WAYS)
def test_speed(benchmark, case, who, backward):
    operators, shapes, setting = CASES[case.split(": ")[1]]
    tensors = [torch.randn(shape, generator=torch.Generator().manual_seed(0)) for shape in shapes]
    operator = with_gradients(operators[who]) if backward else operators[who]
    benchmark.group = case
    benchmark.pedantic(operator, tensors, setting, rounds=3 if who == "two loops" else 15, warmup_rounds=1)


def test_matmul_limit(benchmark):
    """Measure the matrix products inside ``conv2d`` alone: no version built on them can be faster."""
    benchmark.group = "forward: conv2d (16,64,56,56), (64,64,3,3)"
    kernel_row, columns = torch.randn(64, 192), torch.randn(16, 192, 54 * 54)

    def products():
        for image in columns:
            for _ in range(3):
                kernel_row @ image

    benchmark.pedantic(products, rounds=15, warmup_rounds=1)
