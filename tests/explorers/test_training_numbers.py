"""The training in the page gives PyTorch's numbers: random ones to the bit, losses up to rounding."""

import functools
import itertools
import random

import numpy as np
import pytest
import torch
from torch import nn

from d2lconv.data import ImageData, Splits, load_digits, random_shifts
from d2lconv.models import LeNet
from d2lconv.training import fit
from d2lconv.widgets.training import packed

SEEDS = [0, 1, 624, 2**31 + 5, 2**32 - 1]
TRAIN, VALID, EPOCHS = 48, 30, 3

RUN = """async ({Training}, {train, valid, cases, epochs}) => {
  const digits = await import("../lenet/digits.js");
  const read = ({pixels, labels}) =>
    ({images: digits.readDigits(pixels).map(digits.enlarge), labels: Array.from(labels, Number)});
  const [learned, held] = [read(train), read(valid)];
  return cases.map((settings) => {
    const training = new Training(settings, learned, held);
    const found = [];
    for (const value of training.run()) {
      if (value?.epoch) found.push(value.epoch);
      if (value?.failed || found.length === epochs) {
        return {found, failed: value.failed, weights: Array.from(training.network.weights[0])};
      }
    }
  });
}"""


def some(data, count, dtype=torch.float32):
    return ImageData(data.images[:count].to(dtype), data.labels[:count], data.class_names)


@functools.cache
def digits():
    """Return a few digits as the page gets them, and in 64 bits for PyTorch."""
    small, large = load_digits(size=8), load_digits()
    texts = {"train": packed(some(small.train, TRAIN)), "valid": packed(some(small.valid, VALID))}
    return texts, Splits(
        *(some(data, count, torch.float64) for data, count in zip(large, (TRAIN, VALID, 1), strict=True))
    )


def cases():
    """Return settings: each activation with each pooling, and all else by chance; rates that learn."""
    draw = random.Random(19)
    rates = {"relu": (0.01, 0.1), "tanh": (0.01, 0.2), "sigmoid": (0.1, 1.0)}
    return [
        {
            "activation": activation,
            "pooling": pooling,
            "lr": draw.uniform(*rates[activation]),
            "momentum": draw.choice([0.0, 0.5, 0.9]),
            "batch_size": draw.choice([7, 16, 32, 48]),
            "weight_decay": draw.choice([0.0, 0.001, 0.05]),
            "shifts": turn % 2 == 1,
            "seed": draw.choice([0, draw.randrange(2**32)]),
        }
        for activation, pooling, turn in itertools.product(rates, ("max", "avg"), range(4))
    ]


def by_pytorch(settings):
    """Return the model that `fit` has trained, and the history or why it stopped."""
    torch.manual_seed(settings["seed"])
    model = LeNet(activation=settings["activation"], pooling=settings["pooling"]).double()
    names = ("lr", "momentum", "weight_decay")
    options = {name: settings[name] for name in names}
    try:
        history = fit(
            model,
            digits()[1],
            epochs=EPOCHS,
            optimizer=functools.partial(torch.optim.SGD, **options),
            batch_size=settings["batch_size"],
            seed=settings["seed"],
            augment=functools.partial(random_shifts, most=2) if settings["shifts"] else None,
            device="cpu",
        )
    except FloatingPointError as error:
        return model, str(error)
    return model, [[e.train_loss, e.train_accuracy, e.valid_loss, e.valid_accuracy] for e in history]


def by_the_page(run, *settings, replaced=()):
    data = {**digits()[0], "cases": settings, "epochs": EPOCHS}
    return run("lenet/sgd.js", RUN, data, replaced)


def test_losses_are_those_of_fit(run):
    """Over three epochs; the smallest loss of all is 0.2 and the largest 4."""
    settings = cases()
    assert len(settings) >= 20
    worst = 0.0
    for one, page in zip(settings, by_the_page(run, *settings), strict=True):
        model, expected = by_pytorch(one)
        np.testing.assert_allclose(page["found"], expected, rtol=0, atol=1e-9, err_msg=str(one))
        weights = model.encoder[0].weight.detach().flatten().numpy()
        np.testing.assert_allclose(page["weights"], weights, rtol=0, atol=1e-9, err_msg=str(one))
        worst = max(worst, float(np.abs(np.subtract(page["found"], expected)).max()))
    assert worst < 1e-11  # it is rounding, not luck


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("+ decay * parameters[i]", "- decay * parameters[i]"),
        ("momentum * velocity[i] +", "velocity[i] +"),
        ("settings.shifts ? 2", "false ? 2"),
        ("mixSeeds(settings.seed, number, 1)", "mixSeeds(settings.seed, number, 2)"),
    ],
)
def test_a_wrong_step_is_noticed(run, good, bad):
    one = {**cases()[1], "shifts": True, "weight_decay": 0.05, "momentum": 0.9, "batch_size": 16}
    (page,) = by_the_page(run, one, replaced=[(good, bad)])
    assert np.abs(np.subtract(page["found"], by_pytorch(one)[1])).max() > 1e-6


@pytest.mark.parametrize(("activation", "lr"), [("relu", 8.0), ("tanh", 1e308)])
def test_a_training_that_fails_fails_as_in_fit(run, activation, lr):
    one = {**cases()[0], "activation": activation, "lr": lr, "momentum": 0.9}
    (page,) = by_the_page(run, one)
    _, message = by_pytorch(one)
    assert message.startswith(page["failed"] + ": the weights have grown out of bounds")


# ---- random numbers ----


def test_initial_weights_are_those_of_lenet(run):
    """Each 37th of them, as all are drawn one after the other."""
    function = """({initialWeights}, seeds) =>
        seeds.map((seed) => Array.from(initialWeights(seed).filter((_, i) => i % 37 === 0)))"""
    for seed, weights in zip(SEEDS, run("lenet/lenet.js", function, SEEDS), strict=True):
        torch.manual_seed(seed)
        assert weights == nn.utils.parameters_to_vector(LeNet().parameters())[::37].double().tolist()


def test_orders_and_shifts_are_those_of_torch(run):
    function = """({MersenneTwister}, seeds) => seeds.map((seed) => {
      const generator = new MersenneTwister(seed);
      return [generator.order(1197), Array.from({length: 700}, () => generator.below(5))];
    })"""
    for seed, (order, shifts) in zip(SEEDS, run("lenet/random.js", function, SEEDS), strict=True):
        generator = torch.Generator().manual_seed(seed)
        assert order == torch.randperm(1197, generator=generator).tolist()
        assert shifts == torch.randint(5, (700,), generator=generator).tolist()


def test_seeds_are_mixed_as_by_numpy(run):
    numbers = [(seed, epoch) for seed in SEEDS for epoch in (1, 2, 50)]
    numbers += [(*pair, 1) for pair in numbers]
    found = run("lenet/random.js", "({mixSeeds}, all) => all.map((some) => mixSeeds(...some))", numbers)
    assert found == [int(np.random.SeedSequence(some).generate_state(1)[0]) for some in numbers]


def test_digits_are_enlarged_to_the_bit(run):
    stored, large = load_digits(size=8).train, load_digits().train
    function = "({readDigits, enlarge}, text) => readDigits(text).map((digit) => Array.from(enlarge(digit)))"
    found = run("lenet/digits.js", function, packed(some(stored, 30))["pixels"])
    assert found == large.images[:30].double().flatten(1).tolist()


def test_moments_that_are_kept_lie_evenly_and_stay_few(run):
    """However long a training was, there are 40 to 80 moments to look back at, beside its start."""
    steps = [1, 39, 40, 41, 80, 81, 380, 1000, 4321]
    strides = run("lenet/runner.js", "({strideAt}, steps) => steps.map(strideAt)", steps)
    for step, stride in zip(steps, strides, strict=True):
        kept = [one for one in range(1, step + 1) if one % stride == 0]
        assert len(kept) == step if step <= 40 else 40 <= len(kept) <= 80
