"""The helpers that compare with PyTorch must themselves fail on a wrong answer."""

import pytest
import torch
from tests.package.oracle import agree, assert_both_refuse, assert_same, distinct
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
