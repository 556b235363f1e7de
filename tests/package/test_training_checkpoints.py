"""A checkpoint is whole or not there, runs no code, says what does not fit, and goes on exactly."""

import dataclasses
import errno
import functools
import os
import re

import pytest
import torch
from torch import nn

from d2lconv.data import ImageData, load_digits, random_shifts
from d2lconv.training import Checkpoint, Epoch, History, fit, load_checkpoint, save_checkpoint
from d2lconv.training import checkpoints as module


@pytest.fixture(scope="module")
def digits():
    return load_digits(8)


def small_model(hidden=16):
    torch.manual_seed(0)
    return nn.Sequential(
        nn.Flatten(),
        nn.Linear(64, hidden),
        nn.BatchNorm1d(hidden),
        nn.ReLU(),
        nn.Dropout(0.3),
        nn.Linear(hidden, 10),
    )


def trained(digits, *, epochs, model=None, **settings):
    model = small_model() if model is None else model
    if "optimizer" not in settings:
        settings = {"lr": 0.1} | settings
    history = fit(model, digits, epochs=epochs, **settings)
    return model.state_dict(), history


def same(states, others):
    return states.keys() == others.keys() and all(torch.equal(states[name], others[name]) for name in states)


def example(value=1.0):
    state = {"weight": torch.full((2, 3), value)}
    return Checkpoint(
        state,
        {"weight": torch.zeros(2, 3)},
        {"state": {0: {"step": torch.tensor(3.0)}}, "param_groups": [{"lr": 0.1, "params": [0]}]},
        {},
        History([Epoch(0.5, 0.8, 0.25, 0.9, 1.5)]),
        {"seed": 0, "augment": None, "SGD.lr": 0.1, "amp": False},
    )


# ---- the file ------------------------------------------------------------------------


def test_what_is_written_is_read(tmp_path):
    save_checkpoint(tmp_path / "run.pt", example())
    found = load_checkpoint(tmp_path / "run.pt")
    assert same(found.last, example().last)
    assert same(found.best, example().best)
    assert found.optimizer == example().optimizer
    assert found.history == example().history
    assert found.history[0].seconds == 1.5
    assert found.settings == example().settings
    assert os.listdir(tmp_path) == ["run.pt"]


def test_weights_go_into_a_model(tmp_path):
    path = tmp_path / "run.pt"
    save_checkpoint(path, example())
    model = nn.Linear(3, 2, bias=False)
    load_checkpoint(path, model)
    assert (model.weight == 0).all()
    load_checkpoint(path, model, weights="last")
    assert (model.weight == 1).all()
    with pytest.raises(ValueError, match=r"^weights must be 'best' or 'last', got 'first'$"):
        load_checkpoint(path, model, weights="first")
    with pytest.raises(ValueError, match=r"run\.pt is of another model: [\s\S]*size mismatch for weight"):
        load_checkpoint(path, nn.Linear(4, 2, bias=False))


class Interrupted(BaseException):
    """What ends the program at once, as a signal does."""


@pytest.mark.parametrize("moment", ["torch.save", "os.fsync", "pathlib.Path.replace"])
@pytest.mark.parametrize("half", [b"", b"half of it"])
def test_the_old_file_stays_whole_until_the_new_one_is(tmp_path, monkeypatch, moment, half):
    path = tmp_path / "run.pt"
    save_checkpoint(path, example(1.0))

    def stop(*given, **settings):
        if moment == "torch.save":
            given[1].write(half)
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(moment, stop)
        with pytest.raises(Interrupted):
            save_checkpoint(path, example(2.0))
    assert load_checkpoint(path).last["weight"][0, 0] == 1
    save_checkpoint(path, example(3.0))
    assert load_checkpoint(path).last["weight"][0, 0] == 3
    assert os.listdir(tmp_path) == ["run.pt"]


def test_a_full_disk(tmp_path, monkeypatch):
    path = tmp_path / "run.pt"
    save_checkpoint(path, example(1.0))

    def full(content, file):
        file.write(b"some")
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(torch, "save", full)
    message = f"cannot write checkpoint {path}: No space left on device"
    with pytest.raises(OSError, match=re.escape(message)) as caught:
        save_checkpoint(path, example(2.0))
    assert caught.value.errno == errno.ENOSPC
    assert os.listdir(tmp_path) == ["run.pt"]
    assert load_checkpoint(path).last["weight"][0, 0] == 1


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs resource limits")
def test_a_file_that_may_not_grow(tmp_path):
    """The system itself refuses: a limit on the size of files, as a quota does."""
    import resource
    import signal

    path = tmp_path / "run.pt"
    large = Checkpoint({"weight": torch.zeros(100_000)}, {})
    before, handler = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))
    try:
        with pytest.raises(OSError, match=r"cannot write checkpoint .*: File too large"):
            save_checkpoint(path, large)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
        signal.signal(signal.SIGXFSZ, handler)
    assert os.listdir(tmp_path) == []


def test_no_such_file(tmp_path):
    with pytest.raises(FileNotFoundError):
        load_checkpoint(tmp_path / "none.pt")


def test_a_file_that_was_cut_off_anywhere(tmp_path):
    path = tmp_path / "run.pt"
    save_checkpoint(path, example())
    whole = path.read_bytes()
    for size in (0, 1, 10, 100, len(whole) // 2, len(whole) - 100, len(whole) - 1):
        path.write_bytes(whole[:size])
        with pytest.raises(ValueError, match=r"run\.pt is truncated or not a checkpoint"):
            load_checkpoint(path)


@pytest.mark.parametrize("content", [b"not at all a checkpoint\n" * 100, b"PK\x03\x04" + bytes(1000)])
def test_a_file_of_another_kind(tmp_path, content):
    (tmp_path / "run.pt").write_bytes(content)
    with pytest.raises(ValueError, match=r"run\.pt is truncated or not a checkpoint"):
        load_checkpoint(tmp_path / "run.pt")


@pytest.mark.parametrize("content", [{"weight": torch.zeros(2)}, torch.zeros(2), [], {"format": "another"}])
def test_a_file_that_something_else_has_written(tmp_path, content):
    torch.save(content, tmp_path / "run.pt")
    with pytest.raises(ValueError, match=r"run\.pt was not written by d2lconv\.training$"):
        load_checkpoint(tmp_path / "run.pt")


def test_a_file_of_another_version(tmp_path, monkeypatch):
    monkeypatch.setattr(module, "VERSION", 2)
    save_checkpoint(tmp_path / "run.pt", example())
    monkeypatch.undo()
    with pytest.raises(
        ValueError, match="has format version 2, but this d2lconv reads version 1: use the d2lconv"
    ):
        load_checkpoint(tmp_path / "run.pt")


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_no_code_in_a_file_runs(tmp_path, digits):
    path, trace = tmp_path / "run.pt", tmp_path / "trace"
    torch.save({"format": module.FORMAT, "version": 1, "last": Malicious(str(trace))}, path)
    for load in (lambda: load_checkpoint(path), lambda: trained(digits, epochs=1, checkpoint=path)):
        with pytest.raises(ValueError, match=r"run\.pt is truncated or not a checkpoint"):
            load()
        assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists(), "the file is not malicious, so this test shows nothing"


# ---- going on ----------------------------------------------------------------------


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"augment": functools.partial(random_shifts, most=1)},
        {"optimizer": lambda parameters: torch.optim.Adam(parameters, lr=1e-3)},
        {"amp": True},
    ],
    ids=["SGD", "augment", "Adam", "amp"],
)
def test_it_goes_on_as_if_it_had_never_stopped(tmp_path, digits, settings):
    whole, history = trained(digits, epochs=4, **settings)
    path = tmp_path / "run.pt"
    for epochs in (1, 3, 4):
        torch.rand(epochs)
        parts, rows = trained(digits, epochs=epochs, checkpoint=path, **settings)
        assert rows == History(history.epochs[:epochs])
    assert same(parts, whole)
    assert same(load_checkpoint(path).last, whole)


def test_it_goes_on_in_the_middle_of_a_schedule(tmp_path, digits):
    whole, history = trained(digits, epochs=3, schedule="linear")
    path = tmp_path / "run.pt"
    seen = []

    def stop(images, *, generator):
        seen.append(len(images))
        if len(seen) > 2 * 19:  # in the third epoch
            raise KeyboardInterrupt
        return images

    with pytest.raises(KeyboardInterrupt):
        trained(digits, epochs=3, schedule="linear", checkpoint=path, augment=stop)
    stopped = load_checkpoint(path)
    assert len(stopped.history) == 2
    save_checkpoint(path, dataclasses.replace(stopped, settings={**stopped.settings, "augment": None}))
    parts, rows = trained(digits, epochs=3, schedule="linear", checkpoint=path)
    assert rows == history
    assert same(parts, whole)
    with pytest.raises(ValueError, match="epochs was 3, now it is 4"):
        trained(digits, epochs=4, schedule="linear", checkpoint=path)


def test_first_weights_do_not_matter_where_there_is_a_checkpoint(tmp_path, digits):
    path = tmp_path / "run.pt"
    first, history = trained(digits, epochs=2, checkpoint=path)
    model = small_model()
    for parameter in model.parameters():
        nn.init.zeros_(parameter)
    again, rows = trained(digits, epochs=2, checkpoint=path, model=model)
    assert same(first, again)
    assert history == rows


def test_best_and_last(tmp_path, digits):
    few = ImageData(digits.train.images[:30], digits.train.labels[:30], digits.train.class_names)
    data, path = digits._replace(train=few), tmp_path / "run.pt"
    settings = {"lr": 0.5, "batch_size": 10}
    last, history = trained(data, epochs=12, checkpoint=path, **settings)
    assert 1 < history.best_epoch < 12, "the case does not fit the test"
    best, _ = trained(data, epochs=history.best_epoch, **settings)
    found = load_checkpoint(path)
    assert same(found.last, last)
    assert same(found.best, best)
    # the best epoch lies before the stop, so its weights have to come from the file
    parts, _ = trained(data, epochs=12, checkpoint=path, restore_best=True, **settings)
    assert same(parts, best)


def test_patience_counts_across_a_stop(tmp_path, digits):
    few = ImageData(digits.train.images[:30], digits.train.labels[:30], digits.train.class_names)
    data, path = digits._replace(train=few), tmp_path / "run.pt"
    settings = {"lr": 0.5, "batch_size": 10, "patience": 3}
    _, history = trained(data, epochs=40, **settings)
    assert 4 < len(history) < 40
    trained(data, epochs=len(history) - 1, checkpoint=path, **settings)
    _, parts = trained(data, epochs=40, checkpoint=path, **settings)
    assert parts == history


OTHERS = {
    "batch_size": ({"batch_size": 32}, "batch_size was 64, now it is 32"),
    "schedule": (
        {"schedule": "linear"},
        "epochs was None, now it is 2; schedule was constant, now it is linear",
    ),
    "seed": ({"seed": 1}, "seed was 0, now it is 1"),
    "lr": ({"lr": 0.2}, "SGD.lr was 0.1, now it is 0.2"),
    "amp": ({"amp": True}, "amp was False, now it is True"),
    "augment": (
        {"augment": functools.partial(random_shifts, most=2)},
        "augment was None, now it is random_shifts(most=2)",
    ),
    "model": (
        {"model": small_model(20)},
        "model was (1): Linear(in_features=64, out_features=16, bias=True), "
        "now it is (1): Linear(in_features=64, out_features=20, bias=True)",
    ),
    "optimizer": (
        {"optimizer": lambda parameters: torch.optim.RMSprop(parameters, lr=0.1)},
        "optimizer was SGD, now it is RMSprop",
    ),
}


@pytest.mark.parametrize("name", OTHERS)
def test_other_settings_are_refused_by_name(tmp_path, digits, name):
    path = tmp_path / "run.pt"
    trained(digits, epochs=1, checkpoint=path)
    before = path.read_bytes()
    settings, message = OTHERS[name]
    with pytest.raises(ValueError, match=r"run\.pt is of a run with other settings: ") as caught:
        trained(digits, epochs=2, checkpoint=path, **settings)
    assert message in str(caught.value)
    assert path.read_bytes() == before


@pytest.mark.parametrize("part", ["train", "valid"])
def test_other_data_are_refused(tmp_path, digits, part):
    path = tmp_path / "run.pt"
    trained(digits, epochs=1, checkpoint=path)
    data = getattr(digits, part)
    labels = data.labels.clone()
    labels[5] = (labels[5] + 1) % 10  # one label of many
    other = digits._replace(**{part: ImageData(data.images, labels, data.class_names)})
    with pytest.raises(ValueError, match=rf"settings: {part} was \d+×1×8×8 with checksum \w{{8}}, now it is"):
        trained(other, epochs=2, checkpoint=path)


def test_more_epochs_than_asked_for(tmp_path, digits):
    path = tmp_path / "run.pt"
    trained(digits, epochs=3, checkpoint=path)
    with pytest.raises(ValueError, match=r"run\.pt has 3 epochs already, more than epochs=2$"):
        trained(digits, epochs=2, checkpoint=path)


def test_a_folder_that_is_not_there_is_told_before_the_first_epoch(tmp_path, digits):
    model = small_model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(FileNotFoundError, match=r"its folder does not exist$"):
        trained(digits, epochs=1, model=model, checkpoint=tmp_path / "none" / "run.pt")
    assert same(model.state_dict(), before)


def test_the_file_is_named_in_any_way(tmp_path, digits, monkeypatch):
    monkeypatch.chdir(tmp_path)
    trained(digits, epochs=1, checkpoint="run.pt")
    assert len(load_checkpoint(tmp_path / "run.pt").history) == 1


def test_it_says_how_far_it_is():
    assert repr(example()) == "Checkpoint(epochs=1, best_epoch=1)"
