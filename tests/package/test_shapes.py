"""Shape arithmetic agrees with what PyTorch really returns, and with gradients for receptive fields."""

import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from tests.package.oracle import refusal
from torch.nn import functional as F

from d2lconv.shapes import (
    ConvSetting,
    Layer,
    conv_output_size,
    padding_for,
    pool_output_size,
    receptive_field,
    solve_conv,
)

small = st.integers(1, 4)
pairs = st.tuples(small, small)
int_or_pair = st.one_of(small, pairs)


@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    kernel=int_or_pair,
    stride=int_or_pair,
    padding=st.one_of(st.integers(0, 3), st.tuples(st.integers(0, 3), st.integers(0, 3))),
    dilation=int_or_pair,
)
@settings(max_examples=100)
def test_conv_output_size_is_pytorchs(size, kernel, stride, padding, dilation):
    height, width = kernel if isinstance(kernel, tuple) else (kernel, kernel)
    setting = {"stride": stride, "padding": padding, "dilation": dilation}
    X, W = torch.empty(1, 1, *size, device="meta"), torch.empty(1, 1, height, width, device="meta")
    if refusal(lambda: F.conv2d(X, W, **setting)) is None:
        assert conv_output_size(size, kernel, **setting) == F.conv2d(X, W, **setting).shape[2:]
    else:
        with pytest.raises(ValueError, match="spans more cells than the padded input"):
            conv_output_size(size, kernel, **setting)


@given(
    size=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    kernel=int_or_pair,
    stride=st.one_of(st.none(), int_or_pair),
    padding=st.one_of(st.integers(0, 2), st.tuples(st.integers(0, 2), st.integers(0, 2))),
    dilation=int_or_pair,
    ceil_mode=st.booleans(),
)
@settings(max_examples=100)
def test_pool_output_size_is_pytorchs(size, kernel, stride, padding, dilation, ceil_mode):
    setting = {"stride": stride, "padding": padding, "dilation": dilation, "ceil_mode": ceil_mode}
    X = torch.empty(1, 1, *size, device="meta")
    if refusal(lambda: F.max_pool2d(X, kernel, **setting)) is None:
        assert pool_output_size(size, kernel, **setting) == F.max_pool2d(X, kernel, **setting).shape[2:]
    else:
        with pytest.raises(ValueError, match=r"spans more cells than|at most half of kernel_size"):
            pool_output_size(size, kernel, **setting)


@given(size=st.integers(1, 30), kernel=small, stride=small, dilation=small)
def test_one_axis_gives_an_int(size, kernel, stride, dilation):
    assume(size > dilation * (kernel - 1))
    one = conv_output_size(size, kernel, stride=stride, dilation=dilation)
    assert (one, one) == conv_output_size((size, size), kernel, stride=stride, dilation=dilation)
    assert isinstance(one, int)
    pooled = pool_output_size(size, kernel, stride=stride, dilation=dilation)
    assert (pooled, pooled) == pool_output_size((size, size), kernel, stride=stride, dilation=dilation)


@given(size=st.tuples(st.integers(1, 20), st.integers(1, 20)), kernel=pairs, dilation=pairs)
def test_modes_keep_their_promise(size, kernel, dilation):
    extra = [d * (k - 1) for k, d in zip(kernel, dilation, strict=True)]
    top, bottom, left, right = padding_for("same", kernel, dilation=dilation)
    assert conv_output_size(size, kernel, padding=(top, bottom, left, right), dilation=dilation) == size
    assert bottom - top == extra[0] % 2
    assert right - left == extra[1] % 2
    full = conv_output_size(size, kernel, padding="full", dilation=dilation)
    assert full == (size[0] + extra[0], size[1] + extra[1])
    assert padding_for("full", kernel, dilation=dilation) == (extra[0], extra[0], extra[1], extra[1])
    assert padding_for("valid", kernel, dilation=dilation) == (0, 0, 0, 0)


@pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")
@given(kernel=pairs, dilation=pairs)
def test_same_puts_its_zeros_where_pytorch_does(kernel, dilation):
    X, W = torch.rand(1, 1, 9, 9), torch.rand(1, 1, *kernel)
    top, bottom, left, right = padding_for("same", kernel, dilation=dilation)
    by_hand = F.conv2d(F.pad(X, (left, right, top, bottom)), W, dilation=dilation)
    torch.testing.assert_close(by_hand, F.conv2d(X, W, padding="same", dilation=dilation))


def test_worked_sizes():
    assert [conv_output_size(5, 3, padding=mode) for mode in ("full", "valid", "same")] == [7, 3, 5]
    assert conv_output_size((10, 5), (3, 2), stride=(2, 1)) == (4, 4)
    assert padding_for("same", 2) == (0, 1, 0, 1)


@given(
    size_in=st.integers(1, 40),
    kernel=st.integers(1, 11),
    stride=st.integers(1, 4),
    padding=st.integers(0, 5),
    dilation=st.integers(1, 2),
)
@settings(max_examples=80)
def test_solve_conv_finds_each_setting_within_its_bounds_and_no_other(
    size_in, kernel, stride, padding, dilation
):
    assume(padding <= dilation * (kernel - 1) < size_in + 2 * padding)
    size_out = conv_output_size(size_in, kernel, stride=stride, padding=padding, dilation=dilation)
    found = solve_conv(size_in, size_out, dilation=dilation)
    assert ConvSetting(kernel, stride, padding, dilation) in found
    assert len(found) == len(set(found))
    for k, s, p, d in found:
        assert conv_output_size(size_in, k, stride=s, padding=p, dilation=d) == size_out
    assert found == solve_conv((size_in, size_in), (size_out, size_out), dilation=dilation)


@pytest.mark.parametrize(
    ("sizes", "known", "expected"),
    [
        ((224, 112), {"kernel_size": 7}, ConvSetting(7, 2, 3, 1)),  # ResNet's first layer
        ((227, 55), {"kernel_size": 11, "stride": 4}, ConvSetting(11, 4, 0, 1)),  # AlexNet's first layer
        ((28, 28), {"kernel_size": 5}, ConvSetting(5, 1, 2, 1)),  # LeNet's first layer on 28×28
        (((32, 48), (16, 24)), {"kernel_size": 3}, ConvSetting(3, 2, 1, 1)),
        ((10, 10), {}, ConvSetting(1, 1, 0, 1)),
        ((224, 14), {}, ConvSetting(16, 16, 0, 1)),  # patches of a vision transformer
        ((224, 14), {"kernel_size": 16}, ConvSetting(16, 16, 0, 1)),  # and not stride 15
        ((32, 1), {}, ConvSetting(32, 32, 0, 1)),
        ((28, 1), {"stride": 1}, ConvSetting(28, 1, 0, 1)),
        (((224, 192), (14, 12)), {"stride": 16}, ConvSetting(16, 16, 0, 1)),
    ],
)
def test_solve_conv_puts_the_conventional_setting_first(sizes, known, expected):
    assert solve_conv(*sizes, **known)[0] == expected


@given(
    size_out=st.integers(1, 40), side=st.integers(1, 64), known=st.sampled_from(["", "kernel_size", "stride"])
)
def test_solve_conv_knows_patches_and_puts_what_leaves_nothing_over_first(size_out, side, known):
    size_in = size_out * side
    found = solve_conv(size_in, size_out, **({known: side} if known else {}))
    assert ConvSetting(side, side, 0, 1) in found
    over = [(size_in + 2 * p - k) % s for k, s, p, _ in found]
    assert over[0] == 0
    for k, s, p, _ in found:
        assert conv_output_size(size_in, k, stride=s, padding=p) == size_out


@st.composite
def stacks(draw):
    """Draw a stack of layers with padding by numbers."""
    layers = []
    for _ in range(draw(st.integers(1, 4))):
        kernel, dilation = draw(st.tuples(st.integers(1, 3), st.integers(1, 3))), draw(st.integers(1, 2))
        padding = draw(st.tuples(*[st.integers(0, 2)] * 4))
        layers.append(Layer(kernel, draw(st.tuples(st.integers(1, 2), st.integers(1, 2))), padding, dilation))
    return layers


def gradient_of_one_cell(layers, size, cell):
    """Return which input cells one output cell of a stack of convolutions with weights 1 depends on."""
    X = torch.zeros(1, 1, *size, requires_grad=True, dtype=torch.float64)
    Y = X
    for k, s, (top, bottom, left, right), d in layers:
        Y = F.conv2d(
            F.pad(Y, (left, right, top, bottom)), torch.ones(1, 1, *k, dtype=Y.dtype), stride=s, dilation=d
        )
    Y[0, 0, cell[0], cell[1]].backward()
    return X.grad[0, 0]


@given(layers=stacks())
@settings(max_examples=60)
def test_receptive_field_bounds_exactly_what_a_gradient_sees(layers):
    field = receptive_field(layers)
    # The first cell whose field begins at least 20 cells inside: the largest field then still fits into 128.
    cell = tuple(-((start - 20) // stride) for start, stride in zip(field.start, field.stride, strict=True))
    rows, columns = gradient_of_one_cell(layers, (128, 128), cell).nonzero(as_tuple=True)
    for axis, seen in enumerate((rows, columns)):
        first = field.start[axis] + cell[axis] * field.stride[axis]
        assert seen.min().item() == first
        assert seen.max().item() == first + field.size[axis] - 1


def test_two_small_kernels_see_what_one_large_kernel_sees():
    assert receptive_field([Layer(3), Layer(3)]).size == receptive_field([Layer(5)]).size == (5, 5)
    assert receptive_field([Layer(3)] * 3).size == (7, 7)


def test_an_empty_stack_sees_one_cell():
    assert receptive_field([]).size == (1, 1)
    assert receptive_field([]).start == (0, 0)


@pytest.mark.parametrize(("size", "start"), [(None, None), (7, (-1, -1)), (8, (0, 0)), ((7, 8), (-1, 0))])
def test_the_start_under_strided_same_is_unknown_without_the_input_size(size, start):
    field = receptive_field([(3, 2, "same")], input_size=size)
    assert field.start == start
    assert field.size == (3, 3)


def test_strided_same_halves_the_size_rounded_up():
    deep = receptive_field([(3, 2, "same"), (3, 2, "same")], input_size=7)  # 7 -> 4 -> 2
    assert deep.start == (-1, -1)  # the second layer needs a zero after only: 4 = 2 · 2


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (
            lambda: conv_output_size(5, 6),
            ValueError,
            r"kernel_size \(6,\) .* 6 > 0 \+ 5 \+ 0 \(input size \(5,\)",
        ),
        (lambda: conv_output_size(0, 1), ValueError, r"size must be at least 1, got 0"),
        (lambda: conv_output_size(5, 0), ValueError, r"kernel_size must be at least 1, got 0"),
        (lambda: conv_output_size(5, (3, 3)), ValueError, r"kernel_size must be one integer, got \(3, 3\)"),
        (
            lambda: conv_output_size((5, 5, 5), 3),
            ValueError,
            r"size must be an integer or a pair .*\(5, 5, 5\)",
        ),
        (lambda: conv_output_size(5.0, 3), TypeError, r"size must be an integer, got 5.0 of type float"),
        (lambda: conv_output_size("5", 3), TypeError, r"size must be an integer, got '5' of type str"),
        (lambda: conv_output_size(5, True), TypeError, r"kernel_size must be an integer, got True"),
        (lambda: conv_output_size(5, 3, stride=0), ValueError, r"stride must be at least 1, got 0"),
        (lambda: conv_output_size(5, 3, padding=-1), ValueError, r"padding must be at least 0, got -1"),
        (lambda: conv_output_size(5, 3, padding="Same"), ValueError, r"'valid', 'same', 'full', got 'Same'"),
        (
            lambda: conv_output_size((5, 5), 3, padding="same", stride=(1, 2)),
            ValueError,
            r"padding='same' needs stride 1, got stride \(1, 2\)",
        ),
        (lambda: conv_output_size((5, 5), 3, padding=(1, 2, 3)), ValueError, r"\(top, bottom, left, right\)"),
        (lambda: pool_output_size(5, 2, padding=2), ValueError, r"at most half of kernel_size 2, got 2"),
        (
            lambda: pool_output_size(5, 2, padding="same"),
            TypeError,
            r"padding must be an integer, got 'same'",
        ),
        (lambda: pool_output_size(5, 6), ValueError, r"6 > 0 \+ 5 \+ 0"),
        (lambda: padding_for("SAME", 3), ValueError, r"'valid', 'same', 'full', got 'SAME'"),
        (lambda: padding_for("same", 0), ValueError, r"kernel_size must be at least 1, got 0"),
        (
            lambda: solve_conv(5, 50),
            ValueError,
            r"^no convolution turns size 5 into 50 within the bounds of the search: kernel_size up to 11 "
            r"\(or one whose windows tile the input\), stride up to kernel_size or 4, "
            r"padding up to dilation \* \(kernel_size - 1\)$",
        ),
        (
            lambda: solve_conv(28, 27, kernel_size=3, stride=1),
            ValueError,
            r"^no convolution with kernel_size=3, stride=1 turns size 28 into 27 within .* padding up to ",
        ),
        (
            lambda: solve_conv(224, 55, kernel_size=11, stride=4, padding=0),
            ValueError,
            r"^no convolution with kernel_size=11, stride=4, padding=0 turns size 224 into 55$",
        ),
        (
            lambda: solve_conv((28, 28), 14),
            TypeError,
            r"both be integers or both be pairs, got \(28, 28\) and 14",
        ),
        (lambda: solve_conv(28, 0), ValueError, r"size_out must be at least 1, got 0"),
        (lambda: solve_conv(28, 14, stride=0), ValueError, r"stride must be at least 1, got 0"),
        (
            lambda: receptive_field([torch.nn.Conv2d(1, 1, 3)]),
            TypeError,
            r"must be a Layer or a tuple of one to four settings \(kernel_size, stride, padding, dilation\), "
            r"got Conv2d.* of type Conv2d; for a network made of modules, use d2lconv.summary.summarize$",
        ),
        (
            lambda: receptive_field(torch.nn.Sequential(torch.nn.ReLU())),
            TypeError,
            r"of type ReLU; .*summarize",
        ),
        (lambda: receptive_field([3]), TypeError, r"must be a Layer or a tuple .*, got 3 of type int"),
        (lambda: receptive_field(["33"]), TypeError, r"must be a Layer or a tuple .*, got '33' of type str"),
        (lambda: receptive_field([()]), TypeError, r"of one to four settings .*, got \(\) of type tuple"),
        (lambda: receptive_field([(3, 1, 0, 1, 1)]), TypeError, r"of one to four .*, got \(3, 1, 0, 1, 1\)"),
        (lambda: receptive_field([Layer(0)]), ValueError, r"kernel_size must be at least 1, got 0"),
        (lambda: receptive_field([Layer(3)] * 2, input_size=4), ValueError, r"3 > 0 \+ 2 \+ 0"),
        (lambda: receptive_field([Layer(3, 2, "SAME")]), ValueError, r"got 'SAME'"),
    ],
)
def test_bad_input_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()
