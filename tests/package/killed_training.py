"""Train, be killed, resume: ``python -m tests.package.killed_training FOLDER`` prints how it went.

Each run is a process of its own, forked from this one, which has loaded PyTorch but computed nothing. The
last one of a chain writes its weights to ``<chain>.pt``.
"""

import os
import pathlib
import signal
import sys
import time

import torch
from torch import nn

from d2lconv.data import ImageData, Splits, load_digits, random_shifts
from d2lconv.training import fit

EPOCHS = 3  # of 4 steps
FOLDER = pathlib.Path(*sys.argv[1:2])  # none where pytest only looks for examples
KILLED, DONE = -signal.SIGKILL, 0


class Shift:
    """Shifts images at random, and kills the process in a step if told to."""

    steps_left = 0

    def __call__(self, images, *, generator):
        self.steps_left -= 1
        return die() if self.steps_left == 0 else random_shifts(images, 1, generator)


def train(chain, checkpoint):
    torch.manual_seed(os.getpid())  # where it resumes, the initial weights come from the checkpoint
    if not (checkpoint and checkpoint.exists()):
        torch.manual_seed(0)
    model = nn.Sequential(nn.Conv2d(1, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Flatten(), nn.Linear(144, 10))
    data = Splits(*(ImageData(d.images[:100], d.labels[:100], d.class_names) for d in load_digits(8)))
    settings = {"lr": 0.03, "batch_size": 25, "augment": Shift(), "checkpoint": checkpoint}
    history = fit(model, data, epochs=EPOCHS, **settings)
    rows = [(row.train_loss, row.train_accuracy, row.valid_loss, row.valid_accuracy) for row in history]
    torch.save({"weights": model.state_dict(), "history": rows}, FOLDER / f"{chain}.pt")


def die(*_, **__):
    os.kill(os.getpid(), signal.SIGKILL)


def dies_in_step(number):
    """Kill the process before a step."""
    Shift.steps_left = number


def dies_half_way_through_writing(number):
    """Kill the process when half of the checkpoint of an epoch is written."""
    save, count = torch.save, 0

    def half(content, file):
        nonlocal count
        count += 1
        save(content, file)
        if count == number:
            file.flush()
            os.truncate(file.fileno(), file.tell() // 2)
            die()

    torch.save = half


def dies_before_the_name_changes(_):
    pathlib.Path.replace = die


def dies_after_the_name_changed(_):
    replace = pathlib.Path.replace
    pathlib.Path.replace = lambda *given: (replace(*given), die())


def run(chain, checkpoint=None, moment=None, number=0, *, kill_after=None):
    """Train in a process of its own; return its exit code and its time."""
    began = time.monotonic()
    child = os.fork()
    if not child:
        if moment:
            moment(number)
        train(chain, checkpoint)
        os._exit(DONE)
    if kill_after is not None:
        time.sleep(kill_after)
        os.kill(child, signal.SIGKILL)
    _, status = os.waitpid(child, 0)
    return os.waitstatus_to_exitcode(status), time.monotonic() - began


def main():
    torch.optim.SGD([torch.zeros(1)], lr=1)  # loads what all runs need: seconds, once instead of each time
    code, seconds = run("whole")
    assert code == DONE, code
    chains = {
        "in_the_first_epoch": [(dies_in_step, 3)],
        "between_and_within_epochs": [(dies_in_step, 6), (dies_in_step, 4), (dies_in_step, 5)],
        "while_it_writes": [(dies_half_way_through_writing, 1), (dies_half_way_through_writing, 2)],
        "before_the_name_changes": [(dies_before_the_name_changes, 0)],
        "after_the_name_changed": [(dies_after_the_name_changed, 0), (dies_after_the_name_changed, 0)],
    }
    for chain, moments in chains.items():
        checkpoint = FOLDER / f"{chain}.run"
        for moment, number in moments:
            code, _ = run(chain, checkpoint, moment, number)
            assert code == KILLED, (chain, code)
        if chain == "while_it_writes":
            assert list(FOLDER.glob("*.tmp")), "nothing was left, so this shows nothing"
        code, _ = run(chain, checkpoint)
        assert code == DONE, (chain, code)
        print(chain, len(moments))
    kills, checkpoint = 0, FOLDER / "by_the_clock.run"
    for tenths in (1, 3, 5, 7, 9):  # wherever it then is
        code, _ = run("by_the_clock", checkpoint, kill_after=seconds * tenths / 10)
        kills += code == KILLED
    code, _ = run("by_the_clock", checkpoint)
    assert code == DONE, code
    print("by_the_clock", kills)


if __name__ == "__main__":
    main()
