"""The textbook operations equal PyTorch's, SciPy-free definitions and the worked examples of the course."""

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.package.oracle import agree, assert_same, distinct
from torch.nn import functional as F

from d2lconv import ops

pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))
sizes = st.tuples(st.integers(1, 8), st.integers(1, 8))


def loops(X, K):
    """Cross-correlate as the definition says, cell by cell."""
    (H, W), (k_h, k_w) = X.shape, K.shape
    Y = X.new_zeros(H - k_h + 1, W - k_w + 1)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            Y[r, c] = (X[r : r + k_h, c : c + k_w] * K).sum()
    return Y


@given(size=sizes, kernel=pairs, stride=pairs, padding=st.tuples(*[st.integers(0, 3)] * 2), dilation=pairs)
@settings(max_examples=30)
def test_corr2d_agrees_with_pytorch(size, kernel, stride, padding, dilation):
    setting = {"stride": stride, "padding": padding, "dilation": dilation}
    agree(
        lambda X, K: ops.corr2d(X, K, **setting),
        lambda X, K: F.conv2d(X[None, None], K[None, None], **setting)[0, 0],
        distinct(*size),
        distinct(*kernel, seed=1),
    )


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32, torch.float16, torch.bfloat16])
def test_corr2d_equals_its_definition_in_every_dtype(dtype):
    X, K = distinct(6, 7, dtype=dtype), distinct(3, 2, dtype=dtype, seed=1)
    assert_same(ops.corr2d, loops, X, K)


@given(size=sizes, kernel=pairs)
@settings(max_examples=30)
def test_convolution_is_the_polynomial_product(size, kernel):
    """Full convolution multiplies polynomials in two variables: it must commute."""
    X, K = distinct(*size), distinct(*kernel, seed=1)
    Y = ops.convolve2d(X, K, padding="full")
    assert Y.shape == (size[0] + kernel[0] - 1, size[1] + kernel[1] - 1)
    torch.testing.assert_close(Y, ops.convolve2d(K, X, padding="full"))
    product = torch.zeros_like(Y)
    for r in range(size[0]):
        for c in range(size[1]):
            product[r : r + kernel[0], c : c + kernel[1]] += X[r, c] * K
    torch.testing.assert_close(Y, product)


def test_convolution_differs_from_cross_correlation_unless_the_kernel_is_symmetric():
    X = distinct(5, 5)
    K = torch.tensor([[0.0, 1.0], [2.0, 3.0]], dtype=torch.float64)
    assert not torch.equal(ops.convolve2d(X, K), ops.corr2d(X, K))
    symmetric = K + K.flip(0, 1)
    torch.testing.assert_close(ops.convolve2d(X, symmetric), ops.corr2d(X, symmetric))


def test_worked_example():
    X = torch.tensor([[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1.0]])
    K = torch.tensor([[1, 2, 1], [0, 1, 0], [2, 1, 0.0]])
    assert ops.corr2d(X, K).tolist() == [[10, 12, 12], [18, 16, 16], [13, 9, 3]]
    assert ops.corr2d(X, K, stride=2).tolist() == [[10, 12], [13, 3]]


@given(c_in=st.integers(1, 4), c_out=st.integers(1, 4), kernel=pairs)
@settings(max_examples=30)
def test_channels_agree_with_pytorch(c_in, c_out, kernel):
    X, K = distinct(c_in, 5, 6), distinct(c_out, c_in, *kernel, seed=1)
    assert_same(ops.corr2d_multi_in_out, lambda X, K: F.conv2d(X[None], K)[0], X, K)
    assert_same(ops.corr2d_multi_in, lambda X, K: F.conv2d(X[None], K[None])[0, 0], X, K[0])


@given(c_in=st.integers(1, 4), c_out=st.integers(1, 4))
@settings(max_examples=30)
def test_1x1_agrees_with_pytorch(c_in, c_out):
    X, K = distinct(c_in, 5, 6), distinct(c_out, c_in, 1, 1, seed=1)
    assert_same(ops.corr2d_multi_in_out_1x1, lambda X, K: F.conv2d(X[None], K)[0], X, K)


ONES = torch.ones


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: ops.corr2d(ONES(1, 3, 3), ONES(2, 2)),
            ValueError,
            r"X must have shape \(H, W\), got \(1, 3, 3\)",
        ),
        (lambda: ops.corr2d(ONES(3, 3), ONES(2)), ValueError, r"K must have shape \(k_h, k_w\), got \(2,\)"),
        (lambda: ops.corr2d(ONES(3, 3), ONES(4, 1)), ValueError, r"kernel_size \(4, 1\) .* 4 > 0 \+ 3 \+ 0"),
        (lambda: ops.corr2d(ONES(3, 3), ONES(0, 1)), ValueError, r"K must not be empty"),
        (lambda: ops.corr2d(ONES(0, 3), ONES(1, 1), padding=1), ValueError, r"X must not be empty"),
        (
            lambda: ops.corr2d(ONES(3, 3).long(), ONES(2, 2)),
            TypeError,
            r"X must hold .* torch.int64; .*X.float\(\)",
        ),
        (lambda: ops.corr2d(ONES(3, 3), ONES(2, 2).double()), TypeError, r"K and X must have the same dtype"),
        (lambda: ops.convolve2d(ONES(3, 3), ONES(2)), ValueError, r"K must have shape \(k_h, k_w\)"),
        (lambda: ops.convolve2d(ONES(3), ONES(2, 2)), ValueError, r"X must have shape \(H, W\)"),
        (
            lambda: ops.corr2d_multi_in(ONES(2, 3, 3), ONES(3, 2, 2)),
            ValueError,
            r"same number of channels, .* got 2 in X of shape \(2, 3, 3\) and 3 in K of shape \(3, 2, 2\)",
        ),
        (
            lambda: ops.corr2d_multi_in(ONES(3, 3), ONES(3, 2, 2)),
            ValueError,
            r"X must have shape \(C_in, H, W\)",
        ),
        (
            lambda: ops.corr2d_multi_in_out(ONES(2, 3, 3), ONES(2, 2, 2)),
            ValueError,
            r"K must have shape \(C_out",
        ),
        (
            lambda: ops.corr2d_multi_in_out(ONES(2, 3, 3), ONES(0, 2, 2, 2)),
            ValueError,
            r"at least one output",
        ),
        (
            lambda: ops.corr2d_multi_in_out_1x1(ONES(2, 3, 3), ONES(4, 2, 3, 3)),
            ValueError,
            r"K must have shape \(C_out, 2, 1, 1\) for X of shape \(2, 3, 3\), got \(4, 2, 3, 3\)",
        ),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
