"""Training learns, from the training data alone, the same way each time, and leaves no other trace."""

import functools
import math
import os
import re

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.utils.data import DataLoader

from d2lconv.data import ImageData, batches, load_digits, random_shifts
from d2lconv.models import LeNet
from d2lconv.training import Epoch, History, evaluate, fit, predict
from d2lconv.training._devices import seed_for

OPTIMIZER = (
    "optimizer must be a torch.optim.Optimizer, or a function that makes one of the parameters, such as "
    "lambda parameters: torch.optim.Adam(parameters)"
)


@pytest.fixture(scope="module")
def digits():
    return load_digits(8)


def small_model(seed=0):
    """Return a network for 8×8 images with all that needs care: dropout, stored means, a frozen layer."""
    torch.manual_seed(seed)
    model = nn.Sequential(
        nn.Conv2d(1, 8, 3, stride=2),
        nn.BatchNorm2d(8),
        nn.ReLU(),
        nn.Flatten(),
        nn.Dropout(0.2),
        nn.Linear(72, 10),
    )
    model[0].bias.requires_grad_(False)
    return model


def weights(model):
    return torch.cat([tensor.flatten().double() for tensor in model.state_dict().values()])


def trained(digits, *, model=None, **settings):
    model = small_model() if model is None else model
    history = fit(model, digits, **{"epochs": 2, "lr": 0.05} | settings)
    return weights(model), history


@pytest.mark.parametrize("seed", [0, 1, 2])
def test_it_learns_to_read_digits(digits, seed):
    model = small_model(seed)
    history = fit(model, digits, epochs=6, lr=0.05)
    assert history[0].train_accuracy < 0.7
    assert history[-1].train_loss < 0.3
    assert history[-1].valid_accuracy > 0.9
    assert evaluate(model, digits.test).accuracy > 0.9


@pytest.mark.parametrize("batch_size", [50, 24])  # 24 and 50 steps; fit looks at its numbers every 50
def test_it_is_the_loop_that_the_course_teaches(digits, batch_size):
    """A loop in plain PyTorch gives the same weights to the last bit, and the same numbers."""
    model, other = small_model(), small_model().to(memory_format=torch.channels_last)
    history = fit(model, digits, epochs=2, lr=0.05, batch_size=batch_size, seed=3)

    optimizer = torch.optim.SGD(other.parameters(), lr=0.05, momentum=0.9)
    for epoch in (1, 2):
        torch.manual_seed(seed_for(3, epoch, 1))
        other.train()
        loss_sum = correct = 0
        for images, labels in batches(
            digits.train, batch_size, generator=torch.Generator().manual_seed(seed_for(3, epoch))
        ):
            optimizer.zero_grad()
            scores = other(images)
            loss = F.cross_entropy(scores, labels)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(labels)
            correct += (scores.argmax(1) == labels).sum().item()
        other.eval()
        with torch.no_grad():
            scores = other(digits.valid.images)
        judged = F.cross_entropy(scores, digits.valid.labels).item()
        right = (scores.argmax(1) == digits.valid.labels).float().mean().item()
        expected = (loss_sum / 1197, correct / 1197, judged, right)
        row = history[epoch - 1]
        found = (row.train_loss, row.train_accuracy, row.valid_loss, row.valid_accuracy)
        assert found == pytest.approx(expected, rel=1e-6)
    assert torch.equal(weights(model), weights(other))


def test_it_never_looks_at_the_test_data(digits):
    class Forbidden:
        def __getattribute__(self, name):
            raise AssertionError(f"the test data were asked for {name}")

    trained(digits._replace(test=Forbidden()), patience=1, restore_best=True)


def test_it_learns_nothing_from_the_validation_data(digits):
    valid = digits.valid
    wrong = ImageData(valid.images.flip(0) + 1, valid.labels.flip(0), valid.class_names)
    found, history = trained(digits)
    other, other_history = trained(digits._replace(valid=wrong))
    assert torch.equal(found, other)
    assert history[-1].valid_loss != other_history[-1].valid_loss


@pytest.mark.parametrize("settings", [{}, {"augment": functools.partial(random_shifts, most=1)}])
def test_the_same_seed_gives_the_same_weights(digits, settings):
    first, history = trained(digits, **settings)
    torch.rand(7)  # the caller's random numbers do not matter
    model = small_model()
    torch.rand(7)
    again, same = trained(digits, model=model, **settings)
    assert torch.equal(first, again)
    assert history == same
    other, _ = trained(digits, seed=1, **settings)
    assert not torch.equal(first, other)


def test_seeds_of_neighbours_differ():
    seeds = [
        seed_for(*numbers) for numbers in [(0,), (0, 1), (1, 0), (1, 1), (0, 1, 1), (0, 1, 2), (1, 1, 1)]
    ]
    assert len(set(seeds)) == len(seeds)
    assert seed_for(0, 2**40) != seed_for(0, 0)


def test_every_image_is_seen_once_an_epoch_in_a_new_order(digits):
    seen = []

    def note(images, *, generator):
        seen.append(images)
        return images

    trained(digits, augment=note, batch_size=100)
    assert [len(images) for images in seen] == 2 * ([100] * 11 + [97])
    first, second = torch.cat(seen).split(1197)
    assert not torch.equal(first, second)
    for epoch in (first, second):
        assert torch.equal(
            epoch.flatten(1).unique(dim=0, return_counts=True)[1],
            digits.train.images.flatten(1).unique(dim=0, return_counts=True)[1],
        )


def test_the_callers_random_numbers_go_on_as_if_nothing_had_happened(digits):
    model = small_model()
    torch.manual_seed(5)
    state = torch.get_rng_state()
    trained(digits, model=model)
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.raises(FloatingPointError):
        trained(digits, model=model, lr=1e20)
    assert torch.equal(torch.get_rng_state(), state)


def test_layers_keep_their_modes_and_parameters_their_flags(digits):
    model = small_model()
    model.eval()
    model[4].train()
    trained(digits, model=model)
    assert [layer.training for layer in model] == [False, False, False, False, True, False]
    assert not model[0].bias.requires_grad
    with pytest.raises(FloatingPointError):
        trained(digits, model=model, lr=1e20)
    assert [layer.training for layer in model] == [False, False, False, False, True, False]


def test_dropout_and_stored_means_are_in_use_while_it_learns(digits):
    model = small_model()
    seen = []
    model[4].register_forward_hook(lambda layer, given, out: seen.append((layer.training, out)))
    trained(digits, model=model, epochs=1, batch_size=400)
    assert [training for training, _ in seen] == [True, True, True, False, False]  # 3 steps, 300 to judge
    assert model[1].num_batches_tracked == 3


def test_a_loss_out_of_bounds_names_the_epoch_and_the_step(digits):
    message = r"the loss is (nan|inf) at epoch 1, step \d+ of 19: .*; try a smaller learning rate$"
    with pytest.raises(FloatingPointError, match=message):
        trained(digits, lr=1e20)


def spoil(digits, number, value=3e38):
    """Make one image so bright that the layers overflow."""
    images = digits.train.images.clone()
    images[number] = value
    return digits._replace(train=ImageData(images, digits.train.labels, digits.train.class_names))


@pytest.mark.parametrize("size", [4, 64])
def test_it_names_the_very_step(digits, size):
    order = torch.randperm(1197, generator=torch.Generator().manual_seed(seed_for(0, 1)))
    step = order.tolist().index(700) // size + 1
    steps = math.ceil(1197 / size)
    with pytest.raises(FloatingPointError, match=f"^the loss is nan at epoch 1, step {step} of {steps}: "):
        trained(spoil(digits, 700), batch_size=size)


def test_a_validation_loss_out_of_bounds(digits):
    bad = ImageData(digits.valid.images + 3e38, digits.valid.labels, digits.valid.class_names)
    with pytest.raises(FloatingPointError, match=r"^the validation loss is nan after epoch 1: the weights"):
        trained(digits._replace(valid=bad))


@pytest.mark.parametrize("part", ["train", "valid"])
def test_images_that_were_spoiled_after_they_were_checked(digits, part):
    data = getattr(digits, part)
    bad = ImageData(data.images.clone(), data.labels, data.class_names)
    bad.images[3, 0, 2, 2] = math.nan
    message = rf"loss is nan .*: data\.{part} holds nan or inf, so its images have been changed since"
    with pytest.raises(FloatingPointError, match=message):
        trained(digits._replace(**{part: bad}))


# ---- stopping early, and the best weights ------------------------------------------------------------


def overfitted(digits, **settings):
    """Train on 30 images with a large rate, so that the validation loss soon grows."""
    few = ImageData(digits.train.images[:30], digits.train.labels[:30], digits.train.class_names)
    model = small_model()
    history = fit(model, digits._replace(train=few), lr=0.3, batch_size=10, **settings)
    return model, history


def test_patience(digits):
    _, whole = overfitted(digits, epochs=40)
    assert whole.best_epoch < 30, "the case does not fit the test"
    for patience in (1, 3):
        model, history = overfitted(digits, epochs=40, patience=patience)
        losses = [epoch.valid_loss for epoch in whole]
        end = next(n for n in range(1, 41) if n - (losses.index(min(losses[:n])) + 1) == patience)
        assert len(history) == end < 40
        assert history.epochs == whole.epochs[:end]
        assert evaluate(model, digits.valid).loss == pytest.approx(history[-1].valid_loss, rel=1e-5)


def test_restore_best(digits):
    model, history = overfitted(digits, epochs=40, restore_best=True)
    assert history.best_epoch < 40
    assert evaluate(model, digits.valid).loss == pytest.approx(history.best.valid_loss, rel=1e-5)
    same, _ = overfitted(digits, epochs=history.best_epoch)
    assert torch.equal(weights(model), weights(same))


# ---- optimizers ------------------------------------------------------------


def test_an_optimizer_of_ones_own(digits):
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.05, momentum=0.9)
    found, _ = trained(digits, model=model, lr=None, optimizer=optimizer)
    made, _ = trained(
        digits, lr=None, optimizer=lambda parameters: torch.optim.SGD(parameters, lr=0.05, momentum=0.9)
    )
    expected, _ = trained(digits)
    assert torch.equal(found, expected)
    assert torch.equal(made, expected)
    other, history = trained(digits, lr=None, optimizer=lambda p: torch.optim.Adam(p, lr=1e-2))
    assert not torch.equal(other, expected)
    assert history[-1].train_accuracy > 0.6


@pytest.mark.parametrize(
    ("schedule", "parts"),
    [
        ("constant", [1, 1, 1, 1, 1, 1]),
        ("linear", [1, 5 / 6, 4 / 6, 3 / 6, 2 / 6, 1 / 6]),
        ("cosine", [1, (2 + 3**0.5) / 4, 3 / 4, 1 / 2, 1 / 4, (2 - 3**0.5) / 4]),
    ],
)
def test_the_rate_follows_the_schedule(digits, schedule, parts):
    model = small_model()
    optimizer = torch.optim.SGD(
        [{"params": model[0].weight, "lr": 0.2}, {"params": model[5].parameters()}], lr=0.1, momentum=0.9
    )
    rates = []
    optimizer.register_step_pre_hook(
        lambda *_: rates.append([group["lr"] for group in optimizer.param_groups])
    )
    trained(digits, model=model, lr=None, optimizer=optimizer, batch_size=399, schedule=schedule)
    assert rates == [[pytest.approx(0.2 * part), pytest.approx(0.1 * part)] for part in parts]
    assert [group["lr"] for group in optimizer.param_groups] == [0.2, 0.1]  # as it came


def test_an_optimizer_may_hold_a_part_of_the_model(digits):
    model = small_model()
    before = model[0].weight.clone()
    optimizer = torch.optim.SGD(model[5].parameters(), lr=0.1)
    _, history = trained(digits, model=model, lr=None, optimizer=optimizer)
    assert torch.equal(model[0].weight, before)
    assert history[-1].train_loss < history[0].train_loss


def test_an_optimizer_of_another_model(digits):
    optimizer = torch.optim.SGD(nn.Linear(2, 2).parameters(), lr=0.1)
    message = "optimizer must hold parameters of the model only, but 2 of those it holds are not in it"
    with pytest.raises(ValueError, match=f"^{message}$"):
        trained(digits, lr=None, optimizer=optimizer)


# ---- precision ------------------------------------------------------------


def test_mixed_precision_on_the_cpu(digits):
    """Layers compute in bfloat16, weights and their updates stay in float32."""
    model, kinds = small_model(), set()
    model[5].register_forward_hook(lambda layer, given, out: kinds.add(out.dtype))
    found, history = trained(digits, model=model, amp=True)
    assert kinds == {torch.bfloat16}
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    exact, exact_history = trained(digits)
    assert not torch.equal(found, exact)
    assert history[-1].valid_loss == pytest.approx(exact_history[-1].valid_loss, rel=0.1)


def test_a_model_in_16_bits(digits):
    """Its sums are not taken in 16 bits: the loss is exact, and images are counted one by one."""
    data = digits._replace(
        train=ImageData(digits.train.images.bfloat16(), digits.train.labels, digits.train.class_names),
        valid=ImageData(digits.valid.images.bfloat16(), digits.valid.labels, digits.valid.class_names),
    )
    model = small_model().bfloat16()
    _, history = trained(data, model=model)
    model.eval()
    with torch.no_grad():
        scores = model(data.valid.images).float()
    right = (scores.argmax(1) == data.valid.labels).sum().item()
    assert right > 200
    assert history[-1].valid_accuracy == right / 300
    assert history[-1].valid_loss == pytest.approx(
        F.cross_entropy(scores, data.valid.labels).item(), rel=1e-5
    )


# ---- what is refused ------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "error", "message"),
    [
        ({"epochs": 0}, ValueError, "epochs must be at least 1, got 0"),
        ({"epochs": 1.5}, TypeError, "epochs must be an integer, got 1.5 of type float"),
        ({"batch_size": 0}, ValueError, "batch_size must be at least 1, got 0"),
        ({"seed": -1}, ValueError, "seed must be at least 0, got -1"),
        ({"patience": 0}, ValueError, "patience must be at least 1, got 0"),
        ({"lr": 0}, ValueError, "lr must be positive and finite, got 0"),
        ({"lr": math.inf}, ValueError, "lr must be positive and finite, got inf"),
        ({"lr": "0.1"}, TypeError, "lr must be a number, got '0.1' of type str"),
        ({"lr": True}, TypeError, "lr must be a number, got True of type bool"),
        (
            {"schedule": "step"},
            ValueError,
            "schedule must be one of 'constant', 'linear', 'cosine', got 'step'",
        ),
        ({"lr": None}, ValueError, "give lr or optimizer, exactly one of them; got lr=None, optimizer=None"),
        ({"lr": None, "optimizer": lambda parameters: 3}, TypeError, f"{OPTIMIZER}, got 3"),
        ({"lr": None, "optimizer": "adam"}, TypeError, f"{OPTIMIZER}, got 'adam'"),
        (
            {"lr": None, "optimizer": lambda parameters: torch.optim.LBFGS(parameters)},
            TypeError,
            "optimizer must step from the gradients alone, but LBFGS needs a closure, to evaluate the loss "
            "again in each step",
        ),
        ({"augment": 2}, TypeError, "augment must be a function of images and generator, got 2"),
        ({"each_epoch": 3}, TypeError, "each_epoch must be a function of the history, got 3"),
        (
            {"device": "meta"},
            ValueError,
            "device 'meta' holds shapes without numbers, so nothing can be computed there",
        ),
        (
            {"device": ["cpu"]},
            ValueError,
            "device must be a torch.device or a name such as 'cpu' or 'cuda', got ['cpu']",
        ),
        (
            {"device": "gpu"},
            ValueError,
            "device must be a torch.device or a name such as 'cpu' or 'cuda', got 'gpu'",
        ),
    ],
)
def test_refuses(digits, settings, error, message):
    model = small_model()
    before = weights(model)
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        trained(digits, model=model, **settings)
    assert torch.equal(weights(model), before)


@pytest.mark.parametrize(
    ("model", "data", "error", "message"),
    [
        (
            LeNet,
            None,
            TypeError,
            "model must be a torch.nn.Module, got the class LeNet: give an object, LeNet()",
        ),
        (lambda X: X, None, TypeError, "model must be a torch.nn.Module, got function"),
        (
            nn.Linear(2, 2, device="meta"),
            None,
            ValueError,
            "model is on device 'meta', where it has shapes without numbers: build it on the CPU",
        ),
        (nn.Flatten(), None, ValueError, "model must have parameters that can be trained, but it has none"),
        (
            nn.Linear(2, 2).requires_grad_(False),
            None,
            ValueError,
            "model must have parameters that can be trained, but all 2 of its parameters are frozen",
        ),
        (
            None,
            lambda d: d.train,
            TypeError,
            "data must be Splits, got ImageData: Splits(train, valid, test) are",
        ),
        (None, lambda d: (d.train, d.valid), TypeError, "data must be Splits, got tuple"),
        (
            None,
            lambda d: DataLoader(d.train.images),
            TypeError,
            "data must be Splits, got DataLoader: its images and labels make ImageData",
        ),
    ],
)
def test_refuses_what_is_no_model_and_no_data(digits, model, data, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        trained(digits if data is None else data(digits), model=model)


class Returns(nn.Module):
    """A linear layer of which a function makes something else than scores."""

    def __init__(self, change):
        super().__init__()
        self.linear, self.change = nn.Linear(64, 10), change

    def forward(self, X):
        return self.change(self.linear(X.flatten(1)))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            lambda Y: (Y, Y),
            TypeError,
            "model must return scores, a tensor of shape (64, classes) for 64 images, got tuple",
        ),
        (
            lambda Y: {"out": Y},
            TypeError,
            "model must return scores, a tensor of shape (64, classes) for 64 images, got dict",
        ),
        (
            lambda Y: None,
            TypeError,
            "model must return scores, a tensor of shape (64, classes) for 64 images, got NoneType",
        ),
        (
            lambda Y: Y[..., None, None],
            ValueError,
            "model must return scores of shape (64, at least 10), one for each class, got shape (64, 10, 1, ",
        ),
        (
            lambda Y: Y[:, 0],
            ValueError,
            "model must return scores of shape (64, at least 10), one for each class, got shape (64,)",
        ),
        (
            lambda Y: Y[:, :9],
            ValueError,
            "model must return scores of shape (64, at least 10), one for each class, got shape (64, 9)",
        ),
        (
            lambda Y: Y[:5],
            ValueError,
            "model must return scores of shape (64, at least 10), one for each class, got shape (5, 10)",
        ),
        (
            lambda Y: Y.argmax(1, keepdim=True).expand(64, 10),
            TypeError,
            "model must return floating-point scores, got torch.int64",
        ),
        (
            lambda Y: torch.complex(Y, Y),
            TypeError,
            "model must return floating-point scores, got torch.complex64",
        ),
        (lambda Y: Y.detach(), ValueError, "model must return scores that depend on its trained parameters"),
    ],
)
def test_refuses_what_is_no_scores(digits, change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}"):
        trained(digits, model=Returns(change))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (lambda images: None, TypeError, "augment must return the images, a torch.Tensor, got NoneType"),
        (lambda images: images[1:], ValueError, "augment must return 64 images, as many as it got, got 63"),
    ],
)
def test_refuses_what_augment_makes_of_the_images(digits, change, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        trained(digits, augment=lambda images, *, generator: change(images))


def test_a_batch_of_one_image_before_batch_normalization(digits):
    few = ImageData(digits.train.images[:33], digits.train.labels[:33], digits.train.class_names)
    model = nn.Sequential(nn.Flatten(), nn.Linear(64, 10), nn.BatchNorm1d(10))
    message = (
        "batch_size=32 leaves a batch of one image (in one of the processes), and batch normalisation needs"
    )
    with pytest.raises(ValueError, match=f"^{re.escape(message)}"):
        trained(digits._replace(train=few), model=model, batch_size=32)
    trained(digits._replace(train=few), model=model, batch_size=31)


def test_images_and_weights_of_different_precision(digits):
    message = "images are torch.float32, but the model's weights are torch.float64: convert one of them"
    looks = trained, lambda d, model: evaluate(model, d.valid), lambda d, model: predict(model, d.test.images)
    for look in looks:
        with pytest.raises(TypeError, match=f"^{re.escape(message)}$"):
            look(digits, model=small_model().double())


def test_an_optimizer_of_frozen_parameters(digits):
    model = small_model()
    model[5].requires_grad_(False)
    optimizer = torch.optim.SGD(model[5].parameters(), lr=0.1)
    with pytest.raises(ValueError, match=r"^optimizer must hold parameters to train, but all 2 are frozen$"):
        trained(digits, model=model, lr=None, optimizer=optimizer)


def test_refuses_both_a_rate_and_an_optimizer(digits):
    model = small_model()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    with pytest.raises(
        ValueError, match=r"^give lr or optimizer, exactly one of them; got lr=0\.1, optimizer=SGD"
    ):
        trained(digits, model=model, lr=0.1, optimizer=optimizer)


@pytest.mark.skipif(torch.cuda.is_available(), reason="needs a machine without the device")
def test_refuses_a_device_that_is_not_there(digits):
    with pytest.raises(ValueError, match=r"^device 'cuda' cannot be used on this machine: "):
        trained(digits, device="cuda")


@pytest.mark.parametrize("part", ["train", "valid"])
def test_refuses_data_without_images(digits, part):
    none = ImageData(torch.zeros(0, 1, 8, 8), torch.zeros(0, dtype=torch.int64), ("a", "b"))
    with pytest.raises(ValueError, match=rf"^data\.{part} must hold at least one image, got ImageData"):
        trained(digits._replace(**{part: none}))
    with pytest.raises(TypeError, match=rf"^data\.{part} must be ImageData, got int$"):
        trained(digits._replace(**{part: 3}))


# ---- the bar ------------------------------------------------------------


def test_progress_goes_to_stderr_and_only_if_wanted(digits, capsys):
    trained(digits)
    trained(digits, progress=False)
    assert capsys.readouterr() == ("", "")
    trained(digits, progress=True, batch_size=10)
    out, err = capsys.readouterr()
    assert out == ""
    assert "240/240" in err
    assert re.search(r"epoch 2, loss \d\.\d{3}, accuracy 0\.\d{3}", err)


def test_each_epoch_gets_the_history_so_far(digits):
    seen = []
    _, history = trained(
        digits, epochs=3, each_epoch=lambda so_far: seen.append((len(so_far), so_far[-1].valid_loss))
    )
    assert seen == [(number, epoch.valid_loss) for number, epoch in enumerate(history, start=1)]
    assert len(seen) == 3


def test_it_does_not_join_processes_that_nobody_started(digits):
    assert "WORLD_SIZE" not in os.environ
    trained(digits, epochs=1)
    assert not torch.distributed.is_initialized()


def test_history_counts_the_seconds(digits):
    _, history = trained(digits)
    assert isinstance(history, History)
    assert all(isinstance(epoch, Epoch) and epoch.seconds > 0 for epoch in history)
