"""Train in several processes: ``torchrun --nproc-per-node=2 -m tests.package.joint_training FOLDER``.

Each process writes what it has seen to ``<case>-<rank>.pt``. Started without torchrun, it is one process.
"""

import functools
import os
import pathlib
import signal
import sys

import torch
from torch import nn

from d2lconv.data import ImageData, Splits, load_digits, random_shifts
from d2lconv.training import fit
from d2lconv.training import loop as module
from d2lconv.training._learning import Learner

FOLDER = pathlib.Path(*sys.argv[1:2])  # none where pytest only looks for examples
RANK = int(os.environ.get("RANK", "0"))


def model(*, norm=False, dropout=False):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6) if norm else nn.Identity(), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Dropout(0.5) if dropout else nn.Identity(), nn.Linear(6 * 36, 10))


def cut(data, train, valid):
    sizes = (train, valid, 1)
    return Splits(
        *(ImageData(p.images[:n], p.labels[:n], p.class_names) for p, n in zip(data, sizes, strict=True))
    )


def train(case, network, data, *, writes=None, **settings):
    """Train, and write this process's weights and history, or its error, and which files it wrote."""
    written, drawn = [], []
    save = module.save_checkpoint
    module.save_checkpoint = lambda path, state: (written.append(str(path)), save(path, state))
    result = {"written": written, "drawn": drawn}
    augment = settings.pop("augment", None)
    if augment is not None:

        def noted(images, *, generator):
            drawn.append((torch.rand(1, generator=generator).item(), torch.rand(1).item()))
            return augment(images, generator=generator)

        settings["augment"] = noted
    try:
        history = fit(network, data, **{"epochs": 3, "lr": 0.05} | settings)
    except (ValueError, FloatingPointError) as error:
        result["error"] = f"{type(error).__name__}: {error}"
    else:
        result["weights"] = network.state_dict()
        result["history"] = [
            (row.train_loss, row.train_accuracy, row.valid_loss, row.valid_accuracy) for row in history
        ]
    finally:
        module.save_checkpoint = save
    torch.save(result, FOLDER / f"{case}-{RANK}.pt")


def main():
    digits = load_digits(8)
    few = cut(digits, 300, 33)
    train("plain", model(), digits, batch_size=63)  # odd, so one process's part is larger
    train("few", model(), cut(digits, 7, 1), batch_size=3)  # the last batch has one image, as has valid
    train("norm", model(norm=True), few)
    train("dropout", model(dropout=True), few)
    train("augment", model(), few, augment=functools.partial(random_shifts, most=1))
    train("saved", model(), few, checkpoint=FOLDER / "saved.run")
    train("refused", model(), few, checkpoint=FOLDER / "saved.run", seed=1)
    train("blown", model(), few, lr=1e20)
    first_weights = model()
    if RANK:
        nn.init.zeros_(first_weights[0].weight)
    train("begun", first_weights, few)
    train("bfloat16", model(), few, amp=True)
    train(
        "early", model(), cut(digits, 30, 60), batch_size=5, epochs=30, patience=2, lr=0.3, restore_best=True
    )


def die(epoch, rank):
    """Train with a checkpoint; on the first start, kill one process in the middle of an epoch."""
    learn = Learner.learn

    def mortal(self, data, number, bar):
        if number == epoch and rank == RANK and os.environ["TORCHELASTIC_RESTART_COUNT"] == "0":
            self = Mortal(**vars(self))
        return learn(self, data, number, bar)

    class Mortal(Learner):
        steps = 0

        def step(self, *given):
            Mortal.steps += 1
            if Mortal.steps == 3:
                os.kill(os.getpid(), signal.SIGKILL)
            return super().step(*given)

    Learner.learn = mortal
    train("died", model(), cut(load_digits(8), 300, 33), checkpoint=FOLDER / "died.run")


if __name__ == "__main__":
    die(int(sys.argv[2]), int(sys.argv[3])) if sys.argv[2:] else main()
