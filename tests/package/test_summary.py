"""Summaries are tables that agree with a real forward pass, and leave the model alone."""

import re
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import given, settings
from tests.package.networks import Model, branchy, lenet, shapes_of_calls, stacks
from tests.package.oracle import refusal
from torch import nn

from d2lconv.summary import summarize

pytestmark = pytest.mark.filterwarnings("ignore:Using padding='same' with even kernel lengths")


LENET = """
Layer  Kind       Output        Parameters     MACs  Field  Field stride
────────────────────────────────────────────────────────────────────────
0      Conv2d     (6, 28, 28)          156  117,600    5×5           1×1
1      Sigmoid    (6, 28, 28)            0        0    5×5           1×1
2      AvgPool2d  (6, 14, 14)            0        0    6×6           2×2
3      Conv2d     (16, 10, 10)       2,416  240,000  14×14           2×2
4      Sigmoid    (16, 10, 10)           0        0  14×14           2×2
5      AvgPool2d  (16, 5, 5)             0        0  16×16           4×4
6      Flatten    (400,)                 0        0  16×16             –
7      Linear     (120,)            48,120   48,000  32×32             –
8      Sigmoid    (120,)                 0        0  32×32             –
9      Linear     (84,)             10,164   10,080  32×32             –
10     Sigmoid    (84,)                  0        0  32×32             –
11     Linear     (10,)                850      840  32×32             –
────────────────────────────────────────────────────────────────────────
Total                               61,706  416,520
"""

BRANCHY = """
Layer    Kind          Output       Parameters     MACs  Field  Field stride
────────────────────────────────────────────────────────────────────────────
stem.0   Conv2d        (4, 16, 16)         112   27,648    3×3           1×1
stem.1   BatchNorm2d   (4, 16, 16)           8        0    3×3           1×1
twice    Conv2d        (4, 16, 16)         148   36,864    5×5           1×1
twice    Conv2d        (4, 16, 16)          0*   36,864    7×7           1×1
wide     Conv2d        (2, 16, 16)          58   14,336   7×13           1×1
narrow   Conv2d        (2, 16, 16)          10    2,048    7×7           1×1
head     Linear        (5,)                185      180  19×25             –
(model)  (functional)  (5,)                144    7,056  19×25             –
spare    Linear        –                     6        0      –             –
────────────────────────────────────────────────────────────────────────────
Total                                      671  124,996
486 parameters trainable, 185 frozen
* plus parameters counted in an earlier row
"""


@pytest.mark.parametrize(
    ("model", "shape", "table"), [(lenet(), (1, 28, 28), LENET), (branchy(), (3, 16, 16), BRANCHY)]
)
def test_prints_as_a_table(model, shape, table):
    summary = summarize(model, shape)
    assert str(summary) == repr(summary) == table.strip()


class Table(HTMLParser):
    """Collects the cells of a table by the element they stand in, and what could go wrong with it."""

    def __init__(self, text):
        super().__init__()
        self.rows, self.scopes, self.open, self.caption = [], [], [], ""
        self.feed(text)

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        if tag == "tr":
            self.rows.append([])
        if tag in {"th", "td"}:
            self.rows[-1].append("")
        if tag == "th":
            self.scopes.append(dict(attrs)["scope"])

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        if self.open[-1:] == ["caption"]:
            self.caption += data
        elif data.strip():
            self.rows[-1][-1] += data


def test_displays_as_an_accessible_html_table():
    summary = summarize(branchy(), (3, 16, 16))
    html = summary._repr_html_()
    table = Table(html)
    lines = [line for line in BRANCHY.strip().splitlines() if not line.startswith("─")]
    assert [re.sub(r" +", "", "".join(row)) for row in table.rows] == [
        re.sub(r" +", "", line) for line in lines[: len(table.rows)]
    ]
    assert table.scopes == ["col"] * 7 + ["row"] * (len(summary.rows) + 1)
    assert table.caption == "Input (3, 16, 16); " + "; ".join(lines[-2:])
    assert table.open == []
    assert not re.search(r"color|background|#[0-9a-f]{3}", html)


def test_html_is_escaped():
    layer = type("A<b>&", (nn.Identity,), {})()
    html = summarize(nn.Sequential().append(nn.ReLU()).append(layer), (2, 2))._repr_html_()
    assert "A&lt;b&gt;&amp;" in html
    assert "<b>" not in html


@given(stack=stacks())
@settings(max_examples=60)
def test_output_shapes_are_those_of_a_real_forward(stack):
    model = nn.Sequential(nn.Sequential(*stack[0]), nn.Flatten())
    rows = summarize(model, (2, 24, 23)).rows
    assert [row.output_shape for row in rows] == shapes_of_calls(model, (2, 24, 23))


def test_kinds_are_no_more_than_names():
    linear = type("Linear", (nn.Module,), {"forward": lambda self, X: X})
    convolution = type("Other", (nn.Conv2d,), {})
    rows = summarize(nn.Sequential(linear(), convolution(1, 1, 3), linear()), (1, 5, 5)).rows
    assert [(row.kind, row.macs, row.field_size) for row in rows] == [
        ("Linear", 0, (1, 1)),
        ("Other", 81, (3, 3)),
        ("Linear", 0, (3, 3)),
    ]


def test_layers_may_give_several_tensors_or_none():
    pool = nn.MaxPool2d(2, return_indices=True)
    model = Model(lambda self, X: self.nothing(self.pool(X)), pool=pool, nothing=Model(lambda self, X: None))
    rows = summarize(model, (1, 4, 4)).rows
    assert [(row.output_shape, row.field_size) for row in rows] == [((1, 2, 2), (2, 2)), (None, None)]


def test_lazy_layers_are_initialised_in_the_copy_only():
    model = nn.Sequential(nn.LazyConv2d(4, 3), nn.Flatten(), nn.LazyLinear(2))
    summary = summarize(model, (3, 6, 6))
    assert [row.kind for row in summary.rows] == ["Conv2d", "Flatten", "Linear"]
    assert summary.total_params == 4 * 28 + 2 * 65
    assert model[0].has_uninitialized_params()
    spare = Model(lambda self, X: X, spare=nn.LazyLinear(2))
    (row,) = summarize(spare, (1,)).rows
    assert (row.kind, row.output_shape, row.params) == ("LazyLinear", None, 0)


def test_a_shape_that_has_lost_its_batch_axis_is_kept_whole():
    (row,) = summarize(Model(lambda self, X: X.flatten()), (2, 3)).rows
    assert row.output_shape == (6,)


@pytest.mark.parametrize("mode", [torch.inference_mode, torch.no_grad, torch.enable_grad])
def test_the_callers_mode_makes_no_difference(mode):
    inside = Model(mode()(lambda self, X: self.f(X)), f=lenet())
    with mode():
        outside = summarize(lenet(), (1, 28, 28))
    assert str(outside) == LENET.strip()
    assert summarize(inside, (1, 28, 28)).total_macs == outside.total_macs


def state(model):
    """Copy all that a summary must leave alone."""
    hooks = [(len(m._forward_hooks), len(m._forward_pre_hooks)) for m in model.modules()]
    modes = [module.training for module in model.modules()]
    tensors = {
        name: (id(tensor), tensor.clone()) for name, tensor in model.state_dict(keep_vars=True).items()
    }
    return hooks, modes, tensors, torch.get_rng_state()


@pytest.mark.parametrize("shape", [(2, 24, 23), (7, 24, 23)])
@pytest.mark.parametrize("training", [True, False])
def test_the_model_is_left_alone_even_if_it_fails(shape, training):
    calls = []
    noise = Model(lambda self, X: X + torch.rand_like(X) * self.scale + torch.rand(1, device="cpu").item())
    noise.scale = torch.ones(2, 1, 1)
    noise.calls = calls
    model = nn.Sequential(noise, nn.BatchNorm2d(2), nn.Dropout(), nn.Conv2d(2, 3, 3)).train(training)
    before = state(model)
    error = refusal(lambda: summarize(model, shape))
    assert (error is None) == (shape[0] == 2)
    after = state(model)
    assert before[:2] == after[:2]
    assert torch.equal(before[3], after[3])
    assert before[2].keys() == after[2].keys()
    for name, (identity, values) in before[2].items():
        assert after[2][name][0] == identity
        assert torch.equal(after[2][name][1], values)
    assert model[3].weight.device.type == "cpu"
    assert torch.ones(1).device.type == "cpu"


def test_costs_no_memory():
    large = nn.Sequential(nn.Conv2d(3, 10, 3, device="meta"), nn.Flatten())
    large.append(nn.Linear(10 * 99_998**2, 10**6, bias=False, device="meta"))
    assert summarize(large, (3, 100_000, 100_000)).total_params == 280 + 10**7 * 99_998**2


@pytest.mark.parametrize("dtype", [torch.float64, torch.float16, torch.bfloat16])
def test_any_type_of_numbers(dtype):
    assert summarize(lenet().to(dtype), (1, 28, 28)).rows == summarize(lenet(), (1, 28, 28)).rows


def recovering(self, X):
    try:
        return self.bad(X)
    except RuntimeError:
        return self.good(X)


@pytest.mark.parametrize(
    ("model", "shape", "error", "message"),
    [
        (nn.ReLU, (1, 4, 4), TypeError, r"model must be a torch.nn.Module, got <class .*ReLU'> of type type"),
        (None, (1, 4, 4), TypeError, r"model must be a torch.nn.Module, got None of type NoneType"),
        (nn.ReLU(), 28, TypeError, r"one example, such as \(1, 28, 28\) for \(C, H, W\), got 28"),
        (nn.ReLU(), "28", TypeError, r"input_shape must be the shape of one example, .* got '28'"),
        (nn.ReLU(), (), ValueError, r"input_shape must be the shape of one example, .* got \(\)"),
        (nn.ReLU(), (1, 0, 4), ValueError, r"each size in input_shape must be at least 1, got 0"),
        (nn.ReLU(), (1, 4.0), TypeError, r"each size in input_shape must be an integer, got 4.0"),
        (
            nn.Sequential(nn.Conv2d(1, 2, 3), nn.Sequential(nn.Flatten(), nn.Linear(9, 1))),
            (1, 6, 6),
            RuntimeError,
            r"layer '1.1' \(Linear\) failed on \(32,\), one example of \(1, 6, 6\) given: .*32\D",
        ),
        (nn.Conv2d(1, 2, 3), (1, 1, 6, 6), RuntimeError, r"the model \(Conv2d\) failed on \(1, 1, 6, 6\)"),
        (
            Model(lambda self, X: self.f(X, X=2), f=nn.ReLU()),
            (1,),
            RuntimeError,
            r"layer 'f' \(ReLU\) failed on \(1,\), .*unexpected keyword argument 'X'",
        ),
        (Model(lambda self: 0), (1,), RuntimeError, r"the model \(Model\) failed on \(1,\)"),
        (Model(lambda self, X: X.item()), (1,), RuntimeError, r"the model \(Model\) failed .*item"),
        (
            Model(
                lambda self, X: X / "a",
                f=nn.ReLU(),
            ),
            (1,),
            RuntimeError,
            r"the model \(Model\) failed on \(1,\)",
        ),
    ],
)
def test_bad_input_is_refused(model, shape, error, message):
    with pytest.raises(error, match=message):
        summarize(model, shape)


def test_an_error_names_shapes_given_by_name():
    model = Model(lambda self, X: self.f(input=X), f=nn.Linear(3, 2))
    with pytest.raises(RuntimeError, match=r"layer 'f' \(Linear\) failed on \(4,\)"):
        summarize(model, (4,))


def test_an_error_in_a_hook_names_its_layer():
    model = nn.Sequential(nn.ReLU(), nn.Linear(2, 1))
    model[1].register_forward_pre_hook(lambda module, args: 1 / 0)
    with pytest.raises(RuntimeError, match=r"layer '1' \(Linear\) failed on \(2,\), .*: division by zero"):
        summarize(model, (2,))


def test_a_model_may_recover_from_a_layer_that_fails():
    model = Model(recovering, bad=nn.Linear(3, 2), good=nn.Linear(4, 2))
    rows = summarize(model, (4,)).rows
    assert [(row.name, row.output_shape) for row in rows] == [("good", (2,)), ("bad", None)]
