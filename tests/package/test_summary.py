"""Summaries are tables that agree with a real forward pass, and leave the model alone."""

import re
import threading
import warnings
from contextlib import nullcontext
from html.parser import HTMLParser

import pytest
import torch
from hypothesis import given, settings
from tests.package.networks import Model, branchy, lenet, shapes_of_calls, stacks
from tests.package.oracle import refusal
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

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
@settings(max_examples=30)
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


def test_a_model_may_recover_from_a_layer_that_fails():
    model = Model(recovering, bad=nn.Linear(3, 2), good=nn.Linear(4, 2))
    rows = summarize(model, (4,)).rows
    assert [(row.name, row.output_shape) for row in rows] == [("good", (2,)), ("bad", None)]


# ---- what the reader attached is left alone -------------------------------------------------------


def test_hooks_of_the_reader_are_not_run_and_those_of_pytorch_are():
    model = nn.Sequential(nn.utils.spectral_norm(nn.Conv2d(1, 4, 3)), nn.ReLU())
    prune.l1_unstructured(model[0], "bias", 0.5)
    kept, calls = {}, []
    model[1].register_forward_hook(lambda module, args, result: kept.update(map=result.detach()))
    model[1].register_forward_pre_hook(lambda module, args: calls.append(args[0].max().item()))
    everywhere = nn.modules.module.register_module_forward_hook(lambda module, args, result: calls.append(0))
    try:
        model(torch.zeros(1, 1, 8, 8))
        before = kept["map"], list(calls)
        assert summarize(model, (1, 8, 8)).total_macs == 36 * 36
        assert (kept["map"], calls) == before
    finally:
        everywhere.remove()


def test_a_models_own_methods_run_as_hooks_of_the_copy():
    class Extractor(nn.Module):
        def __init__(self):
            super().__init__()
            self.layer, self.maps = nn.Conv2d(1, 2, 3), {}
            self.layer.register_forward_hook(self.keep)

        def keep(self, module, args, result):
            self.maps["layer"] = result

        def forward(self, X):
            self.layer(X)
            return self.maps["layer"]

    model = Extractor()
    assert summarize(model, (1, 8, 8)).total_macs == 648
    assert model.maps == {}


class Keeper(nn.Module):
    """Keeps its maps, counts its calls, and holds what can't be copied."""

    def __init__(self):
        super().__init__()
        self.layer, self.maps, self.last, self.lock = nn.Conv2d(1, 4, 3), [], {}, threading.Lock()
        self.register_buffer("calls", torch.zeros((), dtype=torch.long))
        self.mean = torch.zeros(())
        self.names = (name for name in "abc")

    def forward(self, X):
        with self.lock:
            self.calls += 1
        if self.calls > 10:
            raise OverflowError
        X = self.layer(X)
        self.mean = self.mean + X.mean()
        self.maps.append(X)
        self.last["map"] = X
        return X


@pytest.mark.parametrize("with_lock", [True, False])
def test_what_a_model_keeps_for_itself_is_left_alone(with_lock):
    model = Keeper()
    if not with_lock:
        model.lock, model.names = nullcontext(), ()
    model(torch.ones(1, 1, 8, 8))
    (first,), mean = model.maps, model.mean
    for _ in range(12):  # as many calls would be too many
        summary = summarize(model, (1, 8, 8))
    assert [(row.output_shape, row.field_size) for row in summary.rows] == [((4, 6, 6), (3, 3))]
    assert model.maps == [first]
    assert model.last["map"] is first
    assert first.device.type == "cpu"
    assert model.mean is mean
    assert model.calls == 1


MEAN = torch.ones(3, 1, 1)
LAYER = nn.Conv2d(3, 4, 3)


@pytest.mark.parametrize(
    "function",
    [
        lambda self, X: self.f((X - MEAN) / MEAN),
        lambda self, X: LAYER(X),
        lambda self, X: self.layers[0](X),
        lambda self, X: self.f(X.to("cpu")).cpu() + torch.ones(6, 6, device="cpu"),
        lambda self, X: self.f(X)[:, torch.tensor([3, 1, 2, 0], device="cpu")],
        lambda self, X: self.f(X) * self.f.weight.to("cpu").mean(),
    ],
)
def test_numbers_from_outside_and_constants_elsewhere_mix_with_the_example(function):
    model = Model(function, f=nn.Conv2d(3, 4, 3))
    model.layers = [LAYER]  # not registered
    summary = summarize(model, (3, 8, 8))
    assert summary.total_macs == 36 * 4 * 27
    assert next(row for row in summary.rows if row.macs).output_shape == (4, 6, 6)


# ---- what needs numbers, other inputs, or isn't Python -----------------------------------------------


def halved(self, X):
    while X.abs().sum() > 1:
        X = X / 2
    return X


def checked(self, X):
    assert X.max() < 5
    return X


def counted(self, X):
    self.total += X.sum()
    return X if self.total > 0 else -X


DECIDING = {
    "while": halved,
    "assert": checked,
    "a buffer of the input's": counted,
    "print": lambda self, X: (f"{X.max().item()}", X)[1],
    "numpy": lambda self, X: X + X.cpu().numpy().sum(),
    "tolist": lambda self, X: X.tolist(),
    "mask": lambda self, X: X[X > 0],
    "nonzero": lambda self, X: X.nonzero(),
    "equal": lambda self, X: X if torch.equal(X, X) else -X,
    "index": lambda self, X: X[:, : int(X.sum())],
}


@pytest.mark.parametrize("name", DECIDING)
def test_a_decision_by_numbers_is_named_in_one_sentence(name):
    model = nn.Sequential(nn.ReLU(), Model(DECIDING[name]))
    model[1].register_buffer("total", torch.zeros(()))
    with pytest.raises(RuntimeError) as caught:
        summarize(model, (3, 4, 4))
    assert re.fullmatch(
        r"layer '1' \(Model\) failed on \(3, 4, 4\), one example of \(3, 4, 4\) given: "
        r"it decides by the numbers in a tensor, with `if`, `while`, "
        r"`\.item\(\)` or the like, but summarize runs it without numbers; "
        r"summarize the parts before and after that decision instead",
        str(caught.value),
    )


@pytest.mark.parametrize(
    ("model", "shape", "message"),
    [
        (
            nn.Conv2d(1, 6, 5),
            (28, 28),
            r"such as \(1, 28, 28\), got \(28, 28\): conv2d needs .*H, W\)$",
        ),
        (
            nn.Sequential(nn.ReLU(), nn.MaxPool2d(2)),
            (8, 8),
            r".*got \(8, 8\): max_pool2d needs",
        ),
        (Model(lambda self, X: F.adaptive_avg_pool2d(X, 1)), (8, 8), r".*: adaptive_avg_pool2d needs"),
        (nn.Conv1d(1, 6, 5), (28,), r"such as \(1, 28\), got \(28,\): conv1d needs .* \(C, L\)$"),
        (nn.ConvTranspose3d(1, 6, 5), (9, 9, 9), r".*: conv_transpose3d needs .* \(C, D, H, W\)$"),
    ],
)
def test_a_forgotten_channel_axis_is_refused(model, shape, message):
    with pytest.raises(ValueError, match=r"^input_shape must have a channel axis, " + message):
        summarize(model, shape)


def test_a_model_may_add_the_channel_axis_itself():
    (row,) = (
        row
        for row in summarize(Model(lambda self, X: self.f(X[:, None]), f=nn.Conv2d(1, 6, 5)), (28, 28)).rows
    )
    assert (row.output_shape, row.field_size) == ((6, 24, 24), None)


class TwoInputs(nn.Module):
    def __init__(self):
        super().__init__()
        self.image, self.label = nn.Conv2d(3, 4, 3), nn.Embedding(10, 4)

    def forward(self, X, label, *, scale=1):
        maps = self.image(X)
        return maps + self.label(label)[:, :, None, None] * scale


@pytest.mark.parametrize("rows", [1, 5])
@pytest.mark.parametrize("by_name", [True, False])
def test_several_inputs_come_as_an_example(rows, by_name):
    X, label = torch.zeros(rows, 3, 8, 8), torch.zeros(rows, dtype=torch.long)
    example = {"label": label, "X": X, "scale": 2} if by_name else (X, label)
    summary = summarize(TwoInputs(), example=example)
    found = {row.name: (row.output_shape, row.macs, row.params) for row in summary.rows}
    assert found == {"image": ((4, 6, 6), 36 * 108, 112), "label": ((4,), 0, 40)}
    assert summary.input_shape == (((), (3, 8, 8)) if by_name else ((3, 8, 8), ()))


def test_an_example_may_hold_integers_and_is_left_alone():
    model = nn.Sequential(nn.Embedding(10, 4), nn.Linear(4, 2))
    example = torch.ones(7, 20, dtype=torch.long)
    summary = summarize(model, example=example)
    assert [(row.output_shape, row.macs) for row in summary.rows] == [((20, 4), 0), ((20, 2), 160)]
    assert summary.input_shape == (20,)
    assert example.eq(1).all()
    image = torch.rand(2, 1, 28, 28)
    assert str(summarize(lenet(), example=image)) == str(summarize(lenet(), (1, 28, 28)))


def scripted(layer):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.jit.trace(layer, torch.zeros(1, 1, 8, 8))


def quantised(model):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return torch.ao.quantization.quantize_dynamic(model, {nn.Linear})


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: summarize(nn.ReLU()), TypeError, r"exactly one of input_shape and example"),
        (
            lambda: summarize(nn.ReLU(), (1,), example=torch.ones(1)),
            TypeError,
            r"exactly one of input_shape and example",
        ),
        (
            lambda: summarize(nn.Conv2d(1, 2, 3, dtype=torch.cfloat), (1, 8, 8)),
            TypeError,
            r"complex ones are not",
        ),
        (lambda: summarize(nn.ReLU(), example=torch.ones(1, 3).cfloat()), TypeError, r"complex ones are not"),
        (
            lambda: summarize(Model(lambda self, X: X.to_sparse()), (4,)),
            RuntimeError,
            r"aten::_to_sparse cannot be run without numbers, as summarize runs a model$",
        ),
        (lambda: summarize(nn.ReLU(), example=3), TypeError, r"^example must be a tensor, .* got 3$"),
        (
            lambda: summarize(TwoInputs(), (3, 8, 8)),
            RuntimeError,
            r"missing 1 required positional argument: 'label'; .*summarize\(model, example=...\)$",
        ),
        (
            lambda: summarize(nn.Sequential(nn.Embedding(10, 4)), (20,)),
            RuntimeError,
            r"layer '0' \(Embedding\) failed on \(20,\).*summarize\(model, example=...\)$",
        ),
        (
            lambda: summarize(nn.Sequential(nn.ReLU(), scripted(nn.Conv2d(1, 2, 3))), (1, 8, 8)),
            TypeError,
            r"but its layer '1' is TorchScript; summarize it before torch.jit.script",
        ),
        (lambda: summarize(scripted(nn.ReLU()), (1, 8, 8)), TypeError, r"but it is TorchScript; "),
        (
            lambda: summarize(quantised(nn.Sequential(nn.Linear(4, 2))), (4,)),
            RuntimeError,
            r"layer '0' \(Linear\) .* quantised layers are not supported; summarize the model before",
        ),
        (
            lambda: summarize(Model(lambda self, X: torch.vmap(self.f)(X), f=nn.ReLU()), (4,)),
            RuntimeError,
            r"tensors inside of torch.vmap or other transforms, .* are not supported$",
        ),
    ],
)
def test_what_is_not_supported_is_said(call, error, message):
    with pytest.raises(error, match=message):
        call()
