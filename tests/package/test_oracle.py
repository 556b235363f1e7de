"""The helpers that compare with PyTorch must themselves fail on a wrong answer."""

import pytest
import torch
from tests.package.oracle import (
    agree,
    assert_both_refuse,
    assert_rounded_once,
    assert_same,
    assert_same_tangents,
    distinct,
)
from torch.nn import functional as F

from d2lconv import ops

X, W = distinct(1, 2, 6, 6), distinct(3, 2, 3, 3)


def wrong_element(X, W):
    Y = F.conv2d(X, W).clone()
    Y[0, 0, 0, 0] += 0.125
    return Y


def wrong_gradient(X, W):
    return F.conv2d(X, W.detach()) + 0 * W.sum()


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (lambda X, W: F.conv2d(X, W)[:, :2], "shape"),
        (lambda X, W: F.conv2d(X, W).float(), "dtype"),
        (wrong_element, "values"),
        (lambda X, W: F.conv2d(X, W.flip(2, 3)), "values"),
        (wrong_gradient, "gradients"),
    ],
)
def test_a_wrong_operator_is_noticed(wrong, message):
    with pytest.raises(AssertionError, match=message):
        assert_same(wrong, lambda X, W: F.conv2d(X, W), X, W)


def test_a_max_pooling_that_shares_its_gradient_is_noticed():
    ties = torch.zeros(1, 1, 4, 4, dtype=torch.float64)
    with pytest.raises(AssertionError, match="gradients"):
        assert_same(lambda X: X.reshape(1, 1, 2, 2, 2, 2).amax((3, 5)), lambda X: F.max_pool2d(X, 2), ties)


@pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")  # in PyTorch
def test_a_max_pooling_that_shares_its_tangent_is_noticed():
    with pytest.raises(AssertionError, match="tangents"):
        assert_same_tangents(
            lambda X: X.reshape(1, 1, 2, 2, 2, 2).amax((3, 5)),
            lambda X: F.max_pool2d(X, 2),
            torch.zeros(1, 1, 4, 4, dtype=torch.float64),
        )


def test_a_sum_that_stalls_in_16_bits_is_noticed():
    def stalls(X):
        total = X[..., 0]
        for i in range(1, X.shape[-1]):
            total = total + X[..., i]
        return total

    with pytest.raises(AssertionError, match="close"):
        assert_rounded_once(stalls, lambda X: X.sum(-1), torch.ones(1, 1000, dtype=torch.bfloat16))


def test_accepting_what_pytorch_refuses_is_noticed():
    with pytest.raises(AssertionError, match="ours gave None"):
        assert_both_refuse(lambda: X, lambda: F.conv2d(X, W, stride=0))


def test_refusing_what_pytorch_accepts_is_noticed():
    with pytest.raises(AssertionError, match="PyTorch accepts what ours refuses"):
        assert_both_refuse(lambda: ops.conv2d(X, W, stride=0), lambda: F.conv2d(X, W))
    with pytest.raises(ValueError, match="stride"):
        agree(lambda X, W: ops.conv2d(X, W, stride=0), lambda X, W: F.conv2d(X, W), X, W)


def test_an_unclear_kind_of_error_is_noticed():
    with pytest.raises(AssertionError, match="IndexError"):
        assert_both_refuse(lambda: [][0], lambda: F.conv2d(X, W, stride=0))
