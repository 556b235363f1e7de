"""Pooling equals PyTorch's in value, gradient, shape and dtype, and refuses what PyTorch refuses."""

import re
from functools import partial

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.package.oracle import (
    agree,
    assert_both_refuse,
    assert_rounded_once,
    assert_same,
    assert_same_tangents,
    distinct,
    refusal,
)
from torch import func
from torch.nn import functional as F

from d2lconv import ops

# PyTorch's own forward mode uses it once.
pytestmark = pytest.mark.filterwarnings("ignore:.torch.jit.script. is deprecated:DeprecationWarning")

FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]


@st.composite
def poolings(draw, axes):
    """Draw an input and settings of a pooling over ``axes`` axes; most of them fit."""

    def one_or_each(low, high):
        return draw(st.one_of(st.integers(low, high), st.tuples(*[st.integers(low, high)] * axes)))

    size = draw(st.tuples(*[st.integers(1, 9)] * axes))
    batch = draw(st.sampled_from([(), (1,), (3,), (0,)]))
    X = distinct(*batch, 2, *size, dtype=draw(st.sampled_from(FLOATS)), seed=draw(st.integers(0, 2**16)))
    setting = {
        "kernel_size": one_or_each(1, 4),
        "stride": draw(st.none()) or one_or_each(1, 4),
        "padding": one_or_each(0, 2),
        "ceil_mode": draw(st.booleans()),
    }
    if draw(st.booleans()):
        setting["stride"] = None
    return X, setting


@given(case=poolings(axes=2), dilation=st.one_of(st.integers(1, 3), st.tuples(*[st.integers(1, 3)] * 2)))
@settings(max_examples=100)
def test_max_pool2d_agrees_with_pytorch(case, dilation):
    X, setting = case
    setting["dilation"] = dilation
    if some_window_sees_only_padding(X, setting):
        # PyTorch 2.13 returns -∞ with an index outside the input: its backward pass then writes to memory
        # that is not the tensor's, so only values can be compared.
        torch.testing.assert_close(ops.max_pool2d(X, **setting), F.max_pool2d(X, **setting))
    else:
        agree(lambda X: ops.max_pool2d(X, **setting), lambda X: F.max_pool2d(X, **setting), X)


def some_window_sees_only_padding(X, setting):
    """Return whether a dilated window steps over every cell of the input."""
    inside = torch.zeros(X.shape[-2:]).expand(1, *X.shape[-2:])
    return refusal(lambda: F.max_pool2d(X, **setting)) is None and bool(
        F.max_pool2d(inside, **setting).isinf().any()
    )


@given(
    case=poolings(axes=2),
    count_include_pad=st.booleans(),
    divisor_override=st.sampled_from([None, None, 3, -2, 0]),
)
@settings(max_examples=100)
def test_avg_pool2d_agrees_with_pytorch(case, count_include_pad, divisor_override):
    X, setting = case
    setting |= {"count_include_pad": count_include_pad, "divisor_override": divisor_override}
    agree(lambda X: ops.avg_pool2d(X, **setting), lambda X: F.avg_pool2d(X, **setting), X)


@given(case=poolings(axes=1), dilation=st.integers(1, 3))
@settings(max_examples=50)
def test_max_pool1d_agrees_with_pytorch(case, dilation):
    X, setting = case
    setting["dilation"] = dilation
    assume(refusal(lambda: ops.max_pool1d(X, **setting)) or not ops.max_pool1d(X, **setting).isinf().any())
    agree(lambda X: ops.max_pool1d(X, **setting), lambda X: F.max_pool1d(X, **setting), X)


@given(case=poolings(axes=1), count_include_pad=st.booleans())
@settings(max_examples=50)
def test_avg_pool1d_agrees_with_pytorch(case, count_include_pad):
    X, setting = case
    setting["count_include_pad"] = count_include_pad
    agree(lambda X: ops.avg_pool1d(X, **setting), lambda X: F.avg_pool1d(X, **setting), X)


NAN, INF = float("nan"), float("inf")
special = st.sampled_from(
    [[0, 1], [-INF], [-INF, -INF, 0], [NAN], [NAN, 0, INF], [INF, -INF, NAN, 1, 2]],
)


@given(case=poolings(axes=2), dilation=st.integers(1, 3), values=special, channels_last=st.booleans())
@settings(max_examples=50)
def test_the_winner_at_ties_infinities_and_nan_is_pytorchs(case, dilation, values, channels_last):
    X, setting = case
    setting["dilation"] = dilation
    assume(refusal(lambda: F.max_pool2d(X, **setting)) is None)
    assume(not some_window_sees_only_padding(X, setting))
    chosen = torch.randint(len(values), X.shape, generator=torch.Generator().manual_seed(X.numel()))
    X = torch.tensor(values)[chosen].to(X.dtype)
    if channels_last and X.dim() == 4:
        X = X.contiguous(memory_format=torch.channels_last)
    ours, theirs = (lambda X: ops.max_pool2d(X, **setting)), (lambda X: F.max_pool2d(X, **setting))
    assert_same(ours, theirs, X)
    assert_same_tangents(ours, theirs, X)


@pytest.mark.parametrize("value", [NAN, INF, -INF])
def test_special_numbers_pass_through_average_pooling_as_in_pytorch(value):
    X = distinct(1, 2, 6, 6)
    X[0, 0, ::2, 1::3] = value
    assert_same(lambda X: ops.avg_pool2d(X, 3, 2), lambda X: F.avg_pool2d(X, 3, 2), X)


@pytest.mark.parametrize("transform", [func.jacfwd, func.jacrev, func.hessian])
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_transforms_of_functions_agree_with_pytorch(kind, transform):
    X = distinct(1, 4, 4).sign()
    ours, theirs = getattr(ops, f"{kind}_pool2d"), getattr(F, f"{kind}_pool2d")
    expected = transform(lambda X: theirs(X, 2))(X)
    torch.testing.assert_close(transform(lambda X: ours(X, 2))(X), expected)
    torch.testing.assert_close(func.vmap(transform(lambda X: ours(X, 2)))(X[None]), expected[None])


def test_second_derivatives_are_right():
    X = torch.rand(1, 1, 5, 5, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradgradcheck(lambda X: ops.avg_pool2d(X, 3, 2, 1), X)
    assert torch.autograd.gradgradcheck(lambda X: ops.max_pool2d(X * X, 3, 2, 1), X)


# ---- sums in 16 bits ------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_sums_in_16_bits_neither_stall_nor_overflow(dtype):
    assert ops.avg_pool1d(torch.ones(1, 1, 1000, dtype=dtype), 1000) == 1
    assert ops.avg_pool1d(torch.ones(1, 1, 3000, dtype=dtype), 3000) == 1
    assert ops.avg_pool2d(torch.ones(1, 1, 300, 300, dtype=dtype), 300) == 1
    large = torch.full((1, 1, 2, 2), 40_000, dtype=dtype)
    assert torch.equal(ops.avg_pool2d(large, 2), F.avg_pool2d(large, 2))
    assert torch.equal(ops.pool2d(large[0, 0], 2, "avg"), large[0, 0, :1, :1])


@given(
    dtype=st.sampled_from([torch.float16, torch.bfloat16]),
    size=st.integers(1, 60),
    kernel=st.integers(1, 40),
    stride=st.one_of(st.none(), st.integers(1, 3)),
    scale=st.sampled_from([1, 20_000]),
)
@settings(max_examples=30)
def test_pooling_in_16_bits_rounds_once(dtype, size, kernel, stride, scale):
    assume(kernel <= size)
    X = (torch.rand(1, 1, size, size, generator=torch.Generator().manual_seed(size)) * scale).to(dtype)
    for ours, theirs in ((ops.max_pool2d, F.max_pool2d), (ops.avg_pool2d, F.avg_pool2d)):
        setting = {"kernel_size": kernel, "stride": stride}
        assert_rounded_once(partial(ours, **setting), partial(theirs, **setting), X)


def test_max_pooling_never_chooses_the_padding():
    X = -torch.ones(1, 1, 4, 4)
    assert ops.max_pool2d(X, 3, 1, 1).max() == -1


def test_worked_example_with_padding_and_uneven_stride():
    X = torch.arange(32.0).view(1, 2, 4, 4)
    expected = [[[5, 6, 7, 7], [13, 14, 15, 15]], [[21, 22, 23, 23], [29, 30, 31, 31]]]
    assert ops.max_pool2d(X, 3, padding=1, stride=(2, 1))[0].tolist() == expected


def test_runs_on_the_meta_device_and_on_strided_memory():
    assert ops.max_pool2d(torch.empty(2, 3, 8, 8, device="meta"), 2).shape == (2, 3, 4, 4)
    X = distinct(2, 8, 6, 3).permute(0, 3, 2, 1)
    assert_same(lambda X: ops.max_pool2d(X, 2), lambda X: F.max_pool2d(X, 2), X)


@given(size=st.tuples(st.integers(1, 5), st.integers(1, 5)), mode=st.sampled_from(["max", "avg"]))
def test_pool2d_moves_by_one_cell(size, mode):
    pool = F.max_pool2d if mode == "max" else F.avg_pool2d
    assert_same(
        lambda X: ops.pool2d(X, size, mode), lambda X: pool(X[None], size, stride=1)[0], distinct(6, 7)
    )


ONES = torch.ones(1, 2, 5, 5)
REFUSED = {
    "rank": (torch.ones(5, 5), {}, r"X must have shape \(C, H, W\) or \(N, C, H, W\), got \(5, 5\)"),
    "too many axes": (torch.ones(1, 1, 2, 5, 5), {}, r"got \(1, 1, 2, 5, 5\)"),
    "no channels": (torch.ones(1, 0, 5, 5), {}, r"X must not be empty except along its batch axis"),
    "no rows": (torch.ones(1, 2, 0, 5), {}, r"X must not be empty except along its batch axis"),
    "booleans": (ONES.bool(), {}, r"X must hold floating-point numbers, got torch.bool"),
    "complex": (ONES.cfloat(), {}, r"X must hold real numbers; complex .* are not supported$"),
    "window 0": (ONES, {"kernel_size": 0}, r"kernel_size must be at least 1, got 0"),
    "window 2.0": (ONES, {"kernel_size": 2.0}, r"kernel_size must be an integer, got 2.0 of type float"),
    "window too large": (ONES, {"kernel_size": 6}, r"kernel_size \(6, 6\) .* 6 > 0 \+ 5 \+ 0"),
    "stride 0": (ONES, {"stride": 0}, r"stride must be at least 1, got 0"),
    "stride -1": (ONES, {"stride": -1}, r"stride must be at least 1, got -1"),
    "three strides": (ONES, {"stride": (1, 2, 3)}, r"stride must be an integer or a pair"),
    "padding -1": (ONES, {"padding": -1}, r"padding must be at least 0, got -1"),
    "padding 2": (ONES, {"padding": 2}, r"padding must be at most half of kernel_size 3, got 2"),
}


@pytest.mark.parametrize("name", REFUSED)
@pytest.mark.parametrize("kind", ["max", "avg"])
def test_pooling_refuses_what_pytorch_refuses(name, kind):
    X, setting, message = REFUSED[name]
    setting = {"kernel_size": 3, **setting}
    ours, theirs = getattr(ops, f"{kind}_pool2d"), getattr(F, f"{kind}_pool2d")
    error = assert_both_refuse(lambda: ours(X, **setting), lambda: theirs(X, **setting))
    assert re.search(message, str(error)), str(error)


MAX_REFUSED = {
    "dilation 0": ({"dilation": 0}, r"dilation must be at least 1, got 0"),
    "dilated too far": ({"dilation": 3}, r"dilation \(3, 3\) spans more cells .* 7 > 0 \+ 5 \+ 0"),
    "dilation and padding": ({"dilation": 2, "padding": 2}, r"at most half of kernel_size 3, got 2"),
}


@pytest.mark.parametrize("name", MAX_REFUSED)
def test_max_pooling_refuses_what_pytorch_refuses(name):
    setting, message = MAX_REFUSED[name]
    error = assert_both_refuse(
        lambda: ops.max_pool2d(ONES, 3, **setting), lambda: F.max_pool2d(ONES, 3, **setting)
    )
    assert re.search(message, str(error)), str(error)


def test_avg_pooling_refuses_the_divisor_0():
    error = assert_both_refuse(
        lambda: ops.avg_pool2d(ONES, 2, divisor_override=0), lambda: F.avg_pool2d(ONES, 2, divisor_override=0)
    )
    assert str(error) == "divisor_override must not be 0"


@pytest.mark.parametrize("kind", ["max", "avg"])
@pytest.mark.parametrize(
    ("X", "setting", "message"),
    [
        (torch.ones(5), {"kernel_size": 2}, r"X must have shape \(C, L\) or \(N, C, L\), got \(5,\)"),
        (torch.ones(1, 5), {"kernel_size": 6}, r"kernel_size \(6,\) .* 6 > 0 \+ 5 \+ 0"),
        (torch.ones(1, 5), {"kernel_size": 2, "padding": 2}, r"at most half of kernel_size 2, got 2"),
        (torch.ones(1, 5), {"kernel_size": (2, 2)}, r"kernel_size must be one integer, got \(2, 2\)"),
        (torch.ones(1, 0, 5), {"kernel_size": 2}, r"X must not be empty"),
    ],
)
def test_pooling_of_signals_refuses_what_pytorch_refuses(kind, X, setting, message):
    ours, theirs = getattr(ops, f"{kind}_pool1d"), getattr(F, f"{kind}_pool1d")
    error = assert_both_refuse(lambda: ours(X, **setting), lambda: theirs(X, **setting))
    assert re.search(message, str(error)), str(error)


@pytest.mark.parametrize(
    ("X", "size", "mode", "message"),
    [
        (torch.ones(3, 3), 2, "mean", r"mode must be 'max' or 'avg', got 'mean'"),
        (torch.ones(1, 3, 3), 2, "max", r"X must have shape \(H, W\), got \(1, 3, 3\)"),
        (torch.ones(3, 3), 4, "avg", r"4 > 0 \+ 3 \+ 0"),
    ],
)
def test_pool2d_refuses_bad_input(X, size, mode, message):
    with pytest.raises(ValueError, match=message):
        ops.pool2d(X, size, mode)
