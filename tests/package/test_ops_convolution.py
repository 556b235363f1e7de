"""Convolution equals PyTorch's in value, gradient, shape and dtype, and refuses what PyTorch refuses."""

import re

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.package.oracle import (
    agree,
    assert_both_refuse,
    assert_close,
    assert_rounded_once,
    assert_same,
    distinct,
)
from torch.nn import functional as F

from d2lconv import ops
from d2lconv.shapes import conv_output_size, padding_for

FLOATS = [torch.float64, torch.float32, torch.float16, torch.bfloat16]
pairs = st.tuples(st.integers(1, 3), st.integers(1, 3))


@st.composite
def convolutions(draw, axes):
    """Draw an input, weight, bias and settings of a convolution over ``axes`` axes; most of them fit."""
    groups = draw(st.integers(1, 3))
    per_group, out = draw(st.integers(1, 3)), groups * draw(st.integers(1, 3))
    size = draw(st.tuples(*[st.integers(1, 9)] * axes))
    kernel = draw(st.tuples(*[st.integers(1, 4)] * axes))
    batch = draw(st.sampled_from([(), (1,), (3,), (0,)]))
    dtype = draw(st.sampled_from(FLOATS))
    seed = draw(st.integers(0, 2**16))
    X = distinct(*batch, groups * per_group, *size, dtype=dtype, seed=seed)
    weight = distinct(out, per_group, *kernel, dtype=dtype, seed=seed + 1)
    bias = distinct(out, dtype=dtype, seed=seed + 2) if draw(st.booleans()) else None

    def one_or_each(low, high):
        return st.one_of(st.integers(low, high), st.tuples(*[st.integers(low, high)] * axes))

    setting = {
        "stride": draw(one_or_each(1, 3)),
        "padding": draw(st.one_of(one_or_each(0, 3), st.sampled_from(["same", "valid"]))),
        "dilation": draw(one_or_each(1, 3)),
        "groups": groups,
    }
    return [X, weight] if bias is None else [X, weight, bias], setting


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@given(case=convolutions(axes=2))
@settings(max_examples=100)
def test_conv2d_agrees_with_pytorch(case):
    tensors, setting = case
    agree(lambda *t: ops.conv2d(*t, **setting), lambda *t: F.conv2d(*t, **setting), *tensors)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@given(case=convolutions(axes=1))
@settings(max_examples=50)
def test_conv1d_agrees_with_pytorch(case):
    tensors, setting = case
    setting = {name: value[0] if isinstance(value, tuple) else value for name, value in setting.items()}
    agree(lambda *t: ops.conv1d(*t, **setting), lambda *t: F.conv1d(*t, **setting), *tensors)


@given(
    sides=st.tuples(*[st.integers(0, 3)] * 4),
    kernel=pairs,
    stride=pairs,
    dilation=pairs,
    as_mode=st.sampled_from([None, "full", "same"]),
)
def test_padding_of_each_side_equals_padding_by_hand(sides, kernel, stride, dilation, as_mode):
    X, weight = distinct(2, 3, 7, 8), distinct(4, 3, *kernel)
    if as_mode is not None:
        sides = padding_for(as_mode, kernel, dilation=dilation)
    if as_mode == "same":
        stride = (1, 1)
    top, bottom, left, right = sides
    padded = F.pad(X, (left, right, top, bottom))
    assert_same(
        lambda X, W: ops.conv2d(X, W, stride=stride, padding=as_mode or sides, dilation=dilation),
        lambda X, W: F.conv2d(F.pad(X, (left, right, top, bottom)), W, stride=stride, dilation=dilation),
        X,
        weight,
    )
    expected = conv_output_size((7, 8), kernel, stride=stride, padding=sides, dilation=dilation)
    assert F.conv2d(padded, weight, stride=stride, dilation=dilation).shape[2:] == expected


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_kernel_rows_that_overflow_alone_may_cancel(dtype):
    X = torch.full((1, 1, 3, 3), 100, dtype=dtype)
    weight = torch.tensor([[300] * 3, [-300] * 3, [1] * 3], dtype=dtype)[None, None]
    assert ops.conv2d(X, weight) == F.conv2d(X, weight) == 300
    assert ops.corr2d(X[0, 0], weight[0, 0]) == 300
    channels, slices = X[0].mT.reshape(3, 3, 1), weight[0].transpose(0, 1).reshape(3, 3, 1)
    assert ops.corr2d_multi_in(channels, slices) == 300
    pixels, mixing = X[0, :, :1].reshape(3, 1, 1), torch.tensor([[300, -300, 3]], dtype=dtype)
    assert ops.corr2d_multi_in_out_1x1(pixels, mixing.reshape(1, 3, 1, 1)) == 300


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_autocast_casts_as_pytorch_and_takes_sums_in_32_bits(dtype):
    generator = torch.Generator().manual_seed(0)
    X, weight, bias = (torch.randn(n, generator=generator) for n in ((2, 3, 9, 9), (4, 3, 5, 5), (4,)))
    large, rows = torch.full((1, 1, 3, 3), 100.0), torch.tensor([[300.0] * 3, [-300.0] * 3, [1.0] * 3])
    calls = [(X, weight, bias), (X.to(dtype), weight), (X.double(), weight.double())]
    with torch.autocast("cpu", dtype):
        for call in calls:
            Y, expected = ops.conv2d(*call), F.conv2d(*call)
            assert Y.dtype == expected.dtype
            assert_close(Y, expected, "values")
        assert_close(ops.conv1d(X[..., 0], weight[..., 0]), F.conv1d(X[..., 0], weight[..., 0]), "values")
        assert ops.conv2d(large, rows[None, None]) == 300


@given(
    dtype=st.sampled_from([torch.float16, torch.bfloat16]),
    size=st.tuples(st.integers(1, 24), st.integers(1, 24)),
    kernel=st.tuples(st.integers(1, 17), st.integers(1, 17)),
    scale=st.sampled_from([1, 15]),
)
@settings(max_examples=15)
def test_convolution_in_16_bits_rounds_once(dtype, size, kernel, scale):
    assume(all(k <= n for k, n in zip(kernel, size, strict=True)))
    generator = torch.Generator().manual_seed(sum(size))
    X, weight, bias = (
        (torch.randn(shape, generator=generator) * scale).to(dtype)
        for shape in ((2, 2, *size), (3, 2, *kernel), (3,))
    )
    assert_rounded_once(ops.conv2d, F.conv2d, X, weight, bias)
    assert_rounded_once(
        ops.corr2d, lambda X, K: F.conv2d(X[None, None], K[None, None])[0, 0], X[0, 0], weight[0, 0]
    )
    assert_rounded_once(ops.corr2d_multi_in_out, lambda X, K: F.conv2d(X[None], K)[0], X[0], weight)


def test_a_large_batch_is_cut_into_blocks_without_a_seam():
    X, weight = distinct(64, 16, 40, 40, dtype=torch.float32), distinct(8, 16, 3, 3, dtype=torch.float32)
    torch.testing.assert_close(ops.conv2d(X, weight), F.conv2d(X, weight), rtol=1e-4, atol=1e-3)


def test_second_derivatives_are_right():
    X, weight = distinct(2, 2, 4, 4).requires_grad_(), distinct(2, 2, 2, 2).requires_grad_()
    assert torch.autograd.gradgradcheck(lambda X, W: ops.conv2d(X, W, stride=2, padding=1), (X, weight))


def test_runs_on_the_meta_device_and_on_strided_memory():
    assert ops.conv2d(
        torch.empty(2, 3, 8, 8, device="meta"), torch.empty(4, 3, 3, 3, device="meta")
    ).shape == (
        2,
        4,
        6,
        6,
    )
    X = distinct(2, 8, 6, 3).permute(0, 3, 2, 1)
    assert not X.is_contiguous()
    assert_same(lambda X, W: ops.conv2d(X, W), lambda X, W: F.conv2d(X, W), X, distinct(4, 3, 3, 3))


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a GPU")
def test_runs_on_a_gpu():  # pragma: no cover
    X, weight = distinct(2, 3, 8, 8).cuda(), distinct(4, 3, 3, 3).cuda()
    torch.testing.assert_close(ops.conv2d(X, weight, padding="same"), F.conv2d(X, weight, padding="same"))


X4, W4 = torch.ones(1, 2, 5, 5), torch.ones(3, 2, 3, 3)
REFUSED = {
    "rank of X": (
        torch.ones(5, 5),
        W4,
        {},
        r"X must have shape \(C_in, H, W\) or \(N, C_in, H, W\), got \(5, 5\)",
    ),
    "rank of weight": (
        X4,
        torch.ones(2, 3, 3),
        {},
        r"weight must have shape \(C_out, C_in / groups, k_h, k_w\)",
    ),
    "channels": (
        torch.ones(1, 3, 5, 5),
        W4,
        {},
        r"weight of shape \(3, 2, 3, 3\) with groups=1 needs an X with 2 × 1 = 2 channels, got 3",
    ),
    "groups and outputs": (
        X4,
        torch.ones(3, 1, 3, 3),
        {"groups": 2},
        r"groups=2 must divide .* output channels, 3",
    ),
    "groups and inputs": (
        torch.ones(1, 3, 5, 5),
        torch.ones(4, 1, 3, 3),
        {"groups": 2},
        r"2 channels, got 3",
    ),
    "groups 0": (X4, W4, {"groups": 0}, r"groups must be at least 1, got 0"),
    "no outputs": (X4, torch.ones(0, 2, 3, 3), {}, r"output channels, 0, which must not be 0"),
    "kernel too large": (
        X4,
        torch.ones(3, 2, 8, 3),
        {"padding": 1},
        r"kernel_size \(8, 3\) .* spans more cells than the padded input: 8 > 1 \+ 5 \+ 1 \(input",
    ),
    "dilated too far": (X4, W4, {"dilation": 3}, r"dilation \(3, 3\) spans more cells .* 7 > 0 \+ 5 \+ 0"),
    "stride 0": (X4, W4, {"stride": 0}, r"stride must be at least 1, got 0"),
    "stride -1": (X4, W4, {"stride": (1, -1)}, r"stride must be at least 1, got -1"),
    "three strides": (X4, W4, {"stride": (1, 2, 3)}, r"stride must be an integer or a pair .*\(1, 2, 3\)"),
    "stride 1.0": (X4, W4, {"stride": 1.0}, r"stride must be an integer, got 1.0 of type float"),
    "stride True": (X4, W4, {"stride": True}, r"stride must be an integer, got True"),
    "padding -1": (X4, W4, {"padding": -1}, r"padding must be at least 0, got -1"),
    "three paddings": (
        X4,
        W4,
        {"padding": (1, 1, 1)},
        r"padding must be an integer, a pair .*got \(1, 1, 1\)",
    ),
    "unknown mode": (X4, W4, {"padding": "SAME"}, r"one of 'valid', 'same', 'full', got 'SAME'"),
    "strided same": (
        X4,
        W4,
        {"padding": "same", "stride": 2},
        r"padding='same' needs stride 1, got stride 2",
    ),
    "dilation 0": (X4, W4, {"dilation": 0}, r"dilation must be at least 1, got 0"),
    "mixed dtypes": (X4, W4.double(), {}, r"weight and X must have the same dtype, got torch.float64 and"),
    "boolean X": (X4.bool(), W4.bool(), {}, r"X must hold floating-point numbers, got torch.bool"),
    "not a tensor": ([[1.0]], W4, {}, r"X must be a tensor, got list"),
    "no rows": (
        torch.ones(1, 2, 0, 5),
        W4,
        {"padding": 2},
        r"X must not be empty except along its batch axis",
    ),
    "empty kernel": (X4, torch.ones(3, 2, 0, 3), {}, r"weight must not be empty .*\(3, 2, 0, 3\)"),
    "bias size": (X4, W4, {"bias": torch.ones(4)}, r"bias must .* shape \(3,\), got \(4,\)"),
    "bias rank": (X4, W4, {"bias": torch.ones(3, 1)}, r"bias must .* shape \(3,\), got \(3, 1\)"),
    "bias dtype": (X4, W4, {"bias": torch.ones(3).double()}, r"bias and X must have the same dtype"),
}


def test_complex_numbers_are_not_supported():
    X, weight = X4.cfloat(), W4.cfloat()
    with pytest.raises(TypeError, match=r"^X must hold real numbers; complex ones \(torch.complex64\) are"):
        ops.conv2d(X, weight)


@pytest.mark.parametrize("name", REFUSED)
def test_conv2d_refuses_what_pytorch_refuses(name):
    X, weight, setting, message = REFUSED[name]
    error = assert_both_refuse(
        lambda: ops.conv2d(X, weight, **setting), lambda: F.conv2d(X, weight, **setting)
    )
    assert re.search(message, str(error)), str(error)


CONV1D_REFUSED = {
    "rank of X": (torch.ones(5), torch.ones(1, 1, 2), {}, r"X must have shape \(C_in, L\) or \(N, C_in, L\)"),
    "rank of weight": (
        torch.ones(1, 5),
        torch.ones(1, 2),
        {},
        r"weight must have shape \(C_out, C_in / groups, k\)",
    ),
    "kernel too large": (torch.ones(1, 5), torch.ones(1, 1, 6), {}, r"6 > 0 \+ 5 \+ 0 \(input size \(5,\)"),
    "two strides": (torch.ones(1, 5), torch.ones(1, 1, 2), {"stride": (1, 2)}, r"stride must be one integer"),
    "three paddings": (torch.ones(1, 5), torch.ones(1, 1, 2), {"padding": (1, 2, 3)}, r"\(before, after\)"),
    "channels": (torch.ones(2, 5), torch.ones(1, 1, 2), {}, r"needs an X with 1 × 1 = 1 channels, got 2"),
}


@pytest.mark.parametrize("name", CONV1D_REFUSED)
def test_conv1d_refuses_what_pytorch_refuses(name):
    X, weight, setting, message = CONV1D_REFUSED[name]
    error = assert_both_refuse(
        lambda: ops.conv1d(X, weight, **setting), lambda: F.conv1d(X, weight, **setting)
    )
    assert re.search(message, str(error)), str(error)


def test_integers_are_refused_on_every_device_although_pytorch_takes_some_on_the_cpu():
    X, weight = X4.long(), W4.long()
    with pytest.raises(TypeError, match=r"X must hold .* got torch.int64; convert it with X.float\(\)"):
        ops.conv2d(X, weight)
    assert F.conv2d(X, weight).dtype == torch.int64


def test_conv1d_takes_padding_before_and_after():
    X, weight = distinct(2, 3, 6), distinct(4, 3, 3)
    assert_same(
        lambda X, W: ops.conv1d(X, W, padding=(2, 1)), lambda X, W: F.conv1d(F.pad(X, (2, 1)), W), X, weight
    )


@given(m=st.integers(1, 3), channels=st.integers(1, 4), stride=pairs, padding=pairs, dilation=pairs)
def test_depthwise_separable_is_a_grouped_then_a_1x1_convolution(m, channels, stride, padding, dilation):
    X = distinct(2, channels, 9, 8)
    depthwise, pointwise = distinct(channels * m, 1, 3, 2), distinct(5, channels * m, 1, 1)
    setting = {"stride": stride, "padding": padding, "dilation": dilation}
    assert_same(
        lambda *t: ops.depthwise_separable_conv2d(*t, **setting),
        lambda X, d, p, b: F.conv2d(F.conv2d(X, d, **setting, groups=channels), p, b),
        X,
        depthwise,
        pointwise,
        distinct(5),
    )


@pytest.mark.parametrize(
    ("depthwise", "pointwise", "message"),
    [
        (torch.ones(3, 2, 3, 3), torch.ones(4, 3, 1, 1), r"groups=2 must divide"),
        (torch.ones(2, 2, 3, 3), torch.ones(4, 2, 1, 1), r"needs an X with 2 × 2 = 4 channels, got 2"),
        (torch.ones(2, 1, 3, 3), torch.ones(4, 2, 3, 3), r"pointwise must have shape \(C_out, C_in, 1, 1\)"),
        (torch.ones(2, 1, 3, 3), torch.ones(4, 2), r"pointwise must have shape \(C_out, C_in, 1, 1\)"),
        (torch.ones(2, 1, 3, 3), torch.ones(4, 3, 1, 1), r"needs an X with 3 × 1 = 3 channels, got 2"),
    ],
)
def test_depthwise_separable_refuses_kernels_that_do_not_fit(depthwise, pointwise, message):
    with pytest.raises(ValueError, match=message):
        ops.depthwise_separable_conv2d(X4, depthwise, pointwise)
