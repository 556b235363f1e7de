"""Loss and accuracy are those of all images, whatever the batches; a history tells what it holds."""

import itertools
import re

import matplotlib.pyplot as plt
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv.data import ImageData, Splits, load_digits
from d2lconv.training import Epoch, Evaluation, History, evaluate, predict
from d2lconv.training._devices import autocast_dtype, choose_device, gradient_scaler
from d2lconv.training._distributed import ProcessGroup


@pytest.fixture(scope="module")
def valid():
    return load_digits(8).valid


@pytest.fixture
def model():
    torch.manual_seed(0)
    layers = nn.Sequential(
        nn.Flatten(), nn.Linear(64, 32), nn.BatchNorm1d(32), nn.Dropout(), nn.Linear(32, 10)
    )
    layers(torch.rand(50, 1, 8, 8))  # gives the normalization something to store
    return layers


@pytest.mark.parametrize("size", [1, 7, 256, 300, 1000])
def test_evaluate(model, valid, size):
    found = evaluate(model, valid, batch_size=size)
    model.eval()
    scores = model(valid.images)
    right = (scores.argmax(1) == valid.labels).sum().item()
    assert 0 < right < 300
    assert (found.correct, found.count, found.accuracy) == (right, 300, right / 300)
    assert found.loss == pytest.approx(F.cross_entropy(scores, valid.labels).item(), rel=1e-5)


@pytest.mark.parametrize("size", [1, 7, 256, 300, 1000])
def test_predict(model, valid, size):
    found = predict(model, valid.images, batch_size=size)
    model.eval()
    assert torch.equal(found, model(valid.images).argmax(1))
    assert not found.requires_grad


@pytest.mark.parametrize("look", [evaluate, lambda model, data: predict(model, data.images)])
def test_looking_changes_nothing(model, valid, look):
    model.train()
    model[1].eval()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    state = torch.get_rng_state()
    look(model, valid)
    assert [layer.training for layer in model] == [True, False, True, True, True]
    assert all(torch.equal(before[name], tensor) for name, tensor in model.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)
    assert all(parameter.grad is None for parameter in model.parameters())


def test_modes_come_back_after_an_error(model, valid):
    wrong = ImageData(valid.images[..., :5], valid.labels, valid.class_names)
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        evaluate(model, wrong)
    assert model.training


def test_mixed_precision(model, valid):
    kinds = set()
    model[4].register_forward_hook(lambda layer, given, out: kinds.add(out.dtype))
    rough, exact = evaluate(model, valid, amp=True), evaluate(model, valid)
    assert kinds == {torch.bfloat16, torch.float32}
    assert rough.loss != exact.loss
    assert rough.loss == pytest.approx(exact.loss, rel=0.02)
    assert (predict(model, valid.images, amp=True) == predict(model, valid.images)).float().mean() > 0.95


def test_what_is_refused(model, valid):
    none = ImageData(valid.images[:0], valid.labels[:0], valid.class_names)
    with pytest.raises(
        ValueError, match=r"^data must hold at least one image, got ImageData\(images=\(0, 1, 8, 8\)"
    ):
        evaluate(model, none)
    with pytest.raises(TypeError, match=r"^data must be ImageData, got Tensor$"):
        evaluate(model, valid.images)
    with pytest.raises(ValueError, match=r"^images must hold at least one image, got shape \(0, 1, 8, 8\)$"):
        predict(model, none.images)
    for call in (
        lambda: evaluate(model, valid, batch_size=0),
        lambda: predict(model, valid.images, batch_size=0),
    ):
        with pytest.raises(ValueError, match=r"^batch_size must be at least 1, got 0$"):
            call()
    with pytest.raises(ValueError, match=r"^device must be a torch\.device or a name"):
        evaluate(model, valid, device="gpu")


@pytest.mark.parametrize(
    ("images", "error", "message"),
    [
        (
            lambda d: d.images.numpy(),
            TypeError,
            "images must be a torch.Tensor, got ndarray: torch.from_numpy(images)",
        ),
        (
            lambda d: d,
            TypeError,
            "images must be a torch.Tensor, got ImageData: give its images, data.images",
        ),
        (lambda d: d.images.byte(), TypeError, "images must be floating-point, got torch.uint8"),
        (
            lambda d: d.images + 0j,
            TypeError,
            "images must be floating-point, got torch.complex64: complex numbers are",
        ),
        (lambda d: d.images[0], ValueError, "images must have shape (N, C, H, W), got (1, 8, 8)"),
    ],
)
def test_what_predict_refuses(model, valid, images, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        predict(model, images(valid))


@pytest.mark.parametrize("look", [evaluate, lambda model, data: predict(model, data.images)])
@pytest.mark.parametrize(
    ("model", "error", "message"),
    [
        (
            nn.Flatten,
            TypeError,
            "model must be a torch.nn.Module, got the class Flatten: give an object, Flatten()",
        ),
        (abs, TypeError, "model must be a torch.nn.Module, got builtin_function_or_method"),
        (
            nn.Linear(2, 2, device="meta"),
            ValueError,
            "model is on device 'meta', where it has shapes without",
        ),
        (nn.Conv2d(1, 10, 8), ValueError, "model must return scores of shape (256, "),
        (
            nn.AdaptiveMaxPool2d(1, return_indices=True),
            TypeError,
            "model must return scores, a tensor of shape (256, ",
        ),
    ],
)
def test_wrong_models(valid, look, model, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        look(model, valid)


def test_splits_for_one_of_its_sets(model, valid):
    with pytest.raises(
        TypeError, match=r"^data must be ImageData, got Splits: give one of its sets, such as data"
    ):
        evaluate(model, Splits(valid, valid, valid))


def test_correct_answers_are_counted_exactly_in_16_bits(valid):
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10)).bfloat16()
    data = ImageData(valid.images.bfloat16(), predict(model, valid.images.bfloat16()), valid.class_names)
    assert evaluate(model, data, batch_size=300).correct == 300


def test_a_model_without_weights(valid):
    first_ten = nn.Sequential(nn.Flatten(), nn.Unflatten(1, (64,)))
    assert evaluate(first_ten, valid).count == 300


# ---- history ----------------------------------------------------------------------


@pytest.fixture
def history():
    rows = [(1.5, 0.5, 0.75, 0.75), (0.5, 0.8, 0.25, 0.9), (0.3, 0.9, 0.25, 0.95)]
    return History(Epoch(*row, seconds=number) for number, row in enumerate(rows))


def test_the_best_epoch_is_the_first_with_the_smallest_validation_loss(history):
    assert history.best_epoch == 2
    assert history.best is history[1]
    assert History().best_epoch == 0
    with pytest.raises(ValueError, match=r"^the history has no epochs yet, so none is the best$"):
        _ = History().best


def test_histories_are_equal_whatever_the_time(history):
    other = History(
        Epoch(*(e.train_loss, e.train_accuracy, e.valid_loss, e.valid_accuracy), 9) for e in history
    )
    assert history == other
    assert history != History(history.epochs[:2])
    assert history != history.epochs


def test_both_tables_hold_the_same(history):
    head, _, *rows = repr(history).splitlines()
    in_html = re.findall(
        r"<tr><th[^>]*>(.*?)</th>" + 4 * r"<td[^>]*>(.*?)</td>" + "</tr>", history._repr_html_()
    )
    assert [tuple(row.split()) for row in rows] == in_html
    assert head.split("  ")[0] == "Epoch"
    assert rows[0].split() == ["1", "1.500", "0.500", "0.750", "0.750"]
    assert len({len(row) for row in (head, *rows)}) == 1


@pytest.mark.parametrize("quantity", ["loss", "accuracy"])
def test_plot(history, quantity):
    ax = history.plot(quantity)
    train, valid = ax.lines
    assert train.get_ydata().tolist() == [getattr(epoch, f"train_{quantity}") for epoch in history]
    assert valid.get_ydata().tolist() == [getattr(epoch, f"valid_{quantity}") for epoch in history]
    assert ax.get_ylabel() == {"loss": "cross-entropy / nats", "accuracy": "accuracy"}[quantity]
    assert history.plot(quantity, ax=ax) is ax
    plt.close("all")


def test_plot_refuses(history):
    with pytest.raises(ValueError, match=r"^quantity must be one of 'loss', 'accuracy', got 'time'$"):
        history.plot("time")
    with pytest.raises(ValueError, match=r"^curves\['train'\] must have shape \(n,\)"):
        History().plot()


def test_accuracy_is_a_fraction():
    assert Evaluation(0.5, 3, 4).accuracy == 0.75


# ---- shards and devices --------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 3, 4, 10, 1197])
@pytest.mark.parametrize("count", [1, 2, 3, 8])
def test_shards_are_whole_disjoint_and_even(size, count):
    shards = [ProcessGroup(torch.device("cpu"), rank, count).shard(size) for rank in range(count)]
    rows = [list(range(size))[shard] for shard in shards]
    assert list(itertools.chain(*rows)) == list(range(size))
    assert max(map(len, rows)) - min(map(len, rows)) <= 1


@pytest.mark.skipif(torch.accelerator.is_available(), reason="needs a machine without accelerator")
def test_devices():
    assert choose_device(None) == choose_device("cpu") == torch.device("cpu")
    assert autocast_dtype(torch.device("cpu")) == torch.bfloat16
    assert not gradient_scaler(torch.device("cpu"), amp=True).is_enabled()


def test_old_nvidia_cards_compute_in_float16_with_a_scaler(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: False)
    assert autocast_dtype(torch.device("cuda")) == torch.float16
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: True)
    assert autocast_dtype(torch.device("cuda")) == torch.bfloat16
