"""Train in several processes, and write what each has seen to ``FOLDER/<case>-<rank>.pt``.

``python -m tests.package.joint_training FOLDER`` trains alone and in two processes, each forked from this
one, which has loaded PyTorch but computed nothing. Then torchrun's launcher trains one case in two processes,
one of which is killed in an epoch, at the first start.
"""

import functools
import os
import pathlib
import signal
import socket
import sys

import torch
from torch import nn

from d2lconv.data import ImageData, Splits, load_digits, random_shifts
from d2lconv.training import fit

FOLDER = pathlib.Path(*sys.argv[1:2])  # none where pytest only looks for examples


def rank():
    return int(os.environ.get("RANK", "0"))


def model(*, norm=False, dropout=False):
    torch.manual_seed(0)
    layers = [nn.Conv2d(1, 6, 3), nn.BatchNorm2d(6) if norm else nn.Identity(), nn.ReLU(), nn.Flatten()]
    return nn.Sequential(*layers, nn.Dropout(0.5) if dropout else nn.Identity(), nn.Linear(6 * 36, 10))


def cut(data, train, valid):
    sizes = (train, valid, 1)
    return Splits(
        *(ImageData(p.images[:n], p.labels[:n], p.class_names) for p, n in zip(data, sizes, strict=True))
    )


def train(case, network, data, folder=FOLDER, **settings):
    """Train, and write this process's weights and history, or its error, and the random numbers it drew."""
    result = {"drawn": []}
    augment = settings.pop("augment", None)
    if augment is not None:

        def noted(images, *, generator):
            result["drawn"].append((torch.rand(1, generator=generator).item(), torch.rand(1).item()))
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
    torch.save(result, folder / f"{case}-{rank()}.pt")


def cases(folder):
    digits = load_digits(8)
    few = cut(digits, 300, 33)
    save = functools.partial(train, folder=folder)
    save("plain", model(), cut(digits, 630, 99), batch_size=63)  # odd, so one process's shard is larger
    save("few", model(), cut(digits, 7, 1), batch_size=3)  # the last batch has one image, as has valid
    save("norm", model(norm=True), few)
    save("dropout", model(dropout=True), few)
    save("augment", model(), few, augment=functools.partial(random_shifts, most=1))
    save("saved", model(), few, checkpoint=folder / f"saved-{rank()}.run")
    save("refused", model(), few, checkpoint=folder / f"saved-{rank()}.run", seed=1)
    save("blown", model(), few, lr=1e20)
    initial = model()
    if rank():
        nn.init.zeros_(initial[0].weight)
    save("begun", initial, few)
    save("bfloat16", model(), few, amp=True)
    save(
        "early", model(), cut(digits, 30, 60), batch_size=5, epochs=30, patience=2, lr=0.3, restore_best=True
    )


def fork(folder, **environment):
    """Run all cases in a process of its own; return its number."""
    child = os.fork()
    if not child:
        os.environ.update(environment)
        folder.mkdir(exist_ok=True)
        cases(folder)
        os._exit(0)
    return child


def main():
    from torch.distributed.launcher.api import LaunchConfig, elastic_launch

    torch.optim.SGD([torch.zeros(1)], lr=1)  # loads what all need, once
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    world = {"WORLD_SIZE": "2", "LOCAL_WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": port}
    children = [fork(FOLDER / "alone")]
    children += [fork(FOLDER / "together", RANK=str(n), LOCAL_RANK=str(n), **world) for n in range(2)]
    for child in children:
        _, status = os.waitpid(child, 0)
        assert status == 0
    launched = LaunchConfig(  # as `torchrun --standalone --nproc-per-node=2 --max-restarts=1`, but forked
        *(1, 1, 2),
        rdzv_backend="c10d",
        rdzv_endpoint="localhost:0",
        run_id="died",
        max_restarts=1,
        start_method="fork",
    )
    elastic_launch(launched, die)(3, 1)


class Mortal:
    """Shifts images; kills its process in the middle of an epoch of 5 steps, at the first start."""

    def __init__(self, epoch):
        self.steps_left = 5 * (epoch - 1) + 3 if os.environ["TORCHELASTIC_RESTART_COUNT"] == "0" else 0

    def __call__(self, images, *, generator):
        self.steps_left -= 1
        if self.steps_left == 0:
            os.kill(os.getpid(), signal.SIGKILL)
        return random_shifts(images, 1, generator)


def die(epoch, mortal):
    """Train with a checkpoint, and kill one of the processes."""
    augment = Mortal(epoch if rank() == mortal else 100)
    train("died", model(), cut(load_digits(8), 300, 33), augment=augment, checkpoint=FOLDER / "died.run")


if __name__ == "__main__":
    main()
