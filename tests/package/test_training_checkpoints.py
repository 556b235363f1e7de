"""A checkpoint is whole or not there, runs no code, says what does not fit, and resumes exactly."""

import dataclasses
import errno
import functools
import io
import os
import random
import re
import threading
import zipfile
from pathlib import Path

import pytest
import torch
from torch import nn

from d2lconv.data import ImageData, load_digits, random_shifts
from d2lconv.training import Checkpoint, Epoch, History, fit, load_checkpoint, save_checkpoint

FORMAT = "d2lconv.training"


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


def frozen_model():
    model = small_model()
    model[5].bias.requires_grad_(False)
    return model


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
    assert os.listdir(tmp_path) == ["run.pt"]
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


# ---- damage ------------------------------------------------------------------------


def fault(path, content, model=None):
    """Return what is said about a file, in one line and without advice to trust it."""
    path.write_bytes(content)
    with pytest.raises(ValueError, match=f"^checkpoint {re.escape(str(path))} ") as caught:
        load_checkpoint(path, model)
    message = str(caught.value)
    assert not re.search(r"\n|\x1b|weights_only|PyTorch", message)
    return message.removeprefix(f"checkpoint {path} ")


@pytest.fixture
def whole(tmp_path):
    save_checkpoint(tmp_path / "run.pt", example())
    return (tmp_path / "run.pt").read_bytes()


def test_every_flipped_bit_is_noticed(tmp_path, whole):
    rng = random.Random(0)
    for _ in range(500):
        spoiled = bytearray(whole)
        spoiled[rng.randrange(len(whole))] ^= 1 << rng.randrange(8)
        assert fault(tmp_path / "run.pt", spoiled).startswith("is damaged: its SHA-256 digest is ")


def test_every_length_is_noticed(tmp_path, whole):
    lengths = {*range(0, len(whole), 16), *range(len(whole) - 100, len(whole), 3)}
    for length in lengths:
        assert re.match("is (empty$|truncated|damaged)", fault(tmp_path / "run.pt", whole[:length]))
    assert fault(tmp_path / "run.pt", whole + b"more").startswith("is ")


def test_a_damaged_file_is_not_resumed_from(tmp_path, digits):
    path = tmp_path / "run.pt"
    trained(digits, epochs=1, checkpoint=path)
    spoiled = bytearray(path.read_bytes())
    spoiled[len(spoiled) // 2] ^= 8
    path.write_bytes(spoiled)
    with pytest.raises(
        ValueError, match=r"run\.pt is damaged: its SHA-256 digest is not that of its content$"
    ):
        trained(digits, epochs=2, checkpoint=path)
    assert path.read_bytes() == spoiled


def saved(content):
    file = io.BytesIO()
    torch.save(content, file)
    return file.getvalue()


def zipped(name, **settings):
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", **settings) as archive:
        archive.writestr(name, bytes(10_000))
    return file.getvalue()


OTHERS_FILES = {
    "empty": (b"", "is empty"),
    "text": (b"not at all a checkpoint", "is not a checkpoint: it begins with the bytes 6e 6f 74 20"),
    "garbage": (random.Random(1).randbytes(5000), "is not a checkpoint: it begins with the bytes "),
    "zip's first bytes": (b"PK\x03\x04" + bytes(1000), "is truncated or damaged"),
    "another zip": (zipped("a.txt"), "is not a checkpoint, but another kind of archive"),
    "a bomb": (
        zipped("a/data.pkl", compression=zipfile.ZIP_DEFLATED),
        "is not a checkpoint, but another kind of archive",
    ),
    "a pickle": (b"\x80\x02}q\x00.", "is not a checkpoint: it begins with the bytes 80 02 7d 71"),
    "a model": (
        saved(nn.Linear(2, 2)),
        "holds other Python objects than a checkpoint does, such as a whole model",
    ),
    "a state_dict": (
        saved(nn.Linear(2, 2).state_dict()),
        "was not written by d2lconv.training: it holds the weights of a model, a state_dict",
    ),
    "a tensor": (saved(torch.zeros(2)), "was not written by d2lconv.training: it holds a Tensor"),
    "a list": (saved([]), "was not written by d2lconv.training: it holds a list"),
    "another format": (saved({"format": "another"}), "was not written by d2lconv.training: it holds a dict"),
    "another version": (
        saved({"format": FORMAT, "version": 3}),
        "has format version 3, but this d2lconv reads (1, 2): use the d2lconv that wrote it",
    ),
    "a version in words": (saved({"format": FORMAT, "version": "2"}), "has format version '2', but this"),
    "no digest": (saved({"format": FORMAT, "version": 2}), "is damaged: its SHA-256 digest is missing"),
    "no history": (saved({"format": FORMAT, "version": 1}), "is incomplete: KeyError 'history'"),
    "another history": (
        saved({"format": FORMAT, "version": 1, "history": [1]}),
        "is incomplete: TypeError ",
    ),
}


@pytest.mark.parametrize("name", OTHERS_FILES)
def test_other_files_are_told_apart(tmp_path, name):
    content, message = OTHERS_FILES[name]
    assert fault(tmp_path / "run.pt", content).startswith(message)


@pytest.mark.skipif(os.name != "posix", reason="special files of POSIX systems")
def test_what_is_no_file_is_not_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    for path in (tmp_path / "pipe", "/dev/zero", tmp_path):
        with pytest.raises(ValueError, match=f"^checkpoint {re.escape(str(path))} is not a file$"):
            load_checkpoint(path)


def first_edition(checkpoint):
    """Return a checkpoint as the first edition wrote it, without a digest."""
    fields = ("last", "best", "optimizer", "scaler", "settings")
    content = {name: getattr(checkpoint, name) for name in fields}
    return saved(
        {"format": FORMAT, "version": 1, **content, "history": [vars(e) for e in checkpoint.history]}
    )


def test_a_file_of_the_first_edition_is_read_and_its_checksums_checked(tmp_path):
    path, content = tmp_path / "run.pt", first_edition(example())
    path.write_bytes(content)
    assert same(load_checkpoint(path).last, example().last)
    at = content.index(torch.full((6,), 1.0).numpy().tobytes())
    spoiled = content[:at] + bytes([content[at] ^ 1]) + content[at + 1 :]
    assert fault(path, spoiled) == "is damaged: the checksum of a part of it is wrong"


# ---- several writers ------------------------------------------------------------------


def test_several_writers_and_a_reader_who_always_finds_a_whole_file(tmp_path):
    path, failures, done = tmp_path / "run.pt", [], threading.Event()
    save_checkpoint(path, example())

    def repeat(action):
        try:
            while not done.is_set():
                action()
        except Exception as failure:
            failures.append(failure)

    actions = [functools.partial(save_checkpoint, path, example(value)) for value in (1.0, 2.0, 3.0)]
    threads = [threading.Thread(target=repeat, args=[action]) for action in actions]
    for thread in threads:
        thread.start()
    found = {load_checkpoint(path).last["weight"][0, 0].item() for _ in range(100)}
    done.set()
    for thread in threads:
        thread.join()
    assert failures == []
    assert found <= {1.0, 2.0, 3.0}
    assert os.listdir(tmp_path) == ["run.pt"]


@pytest.mark.skipif(os.name != "posix", reason="locks of POSIX systems")
def test_what_a_killed_writer_has_left_is_deleted_and_a_living_ones_is_not(tmp_path):
    import fcntl

    left = [tmp_path / name for name in ("run.pt.0123abcd.tmp", "run.pt.tmp")]
    alive, other = tmp_path / "run.pt.4567abcd.tmp", tmp_path / "run.pt.backup.tmp"
    for path in (*left, alive, other):
        path.write_bytes(b"half")
    with alive.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        save_checkpoint(tmp_path / "run.pt", example())
    assert sorted(tmp_path.iterdir()) == sorted([tmp_path / "run.pt", alive, other])


@pytest.mark.skipif(os.name != "posix", reason="links of POSIX systems")
def test_a_link_stays_a_link(tmp_path):
    (tmp_path / "disk").mkdir()
    (tmp_path / "run.pt").symlink_to("disk/run.pt")
    save_checkpoint(tmp_path / "run.pt", example())
    assert (tmp_path / "run.pt").is_symlink()
    assert os.listdir(tmp_path / "disk") == ["run.pt"]
    assert load_checkpoint(tmp_path / "run.pt").history == example().history


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="a folder where nobody can write")
def test_a_folder_that_cannot_be_written_is_told_before_the_first_epoch(digits):
    model = small_model()
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    with pytest.raises(OSError, match=r"checkpoint /proc/run\.pt cannot be written: "):
        trained(digits, epochs=1, model=model, checkpoint="/proc/run.pt")
    assert same(model.state_dict(), before)


@pytest.mark.parametrize(
    ("path", "error", "message"),
    [
        ("", ValueError, "checkpoint must be the path of a file, got ''"),
        (3, TypeError, "checkpoint must be the path of a file, got 3 of type int"),
        (os.curdir, IsADirectoryError, "checkpoint must be the path of a file, but . is a folder"),
    ],
)
def test_what_is_no_path_of_a_file(digits, path, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        trained(digits, epochs=1, checkpoint=path)


# ---- models ------------------------------------------------------------------------


WRAPPERS = {
    "bare": lambda model: model,
    "DataParallel": nn.DataParallel,
    "compile": lambda model: torch.compile(model, backend="eager"),
    "both": lambda model: nn.DataParallel(torch.compile(model, backend="eager")),
}


@pytest.mark.parametrize("now", WRAPPERS)
@pytest.mark.parametrize("then", WRAPPERS)
def test_wrapped_models(tmp_path, then, now):
    first, second = nn.Sequential(nn.Linear(3, 2)), nn.Sequential(nn.Linear(3, 2))
    weights = WRAPPERS[then](first).state_dict()
    save_checkpoint(tmp_path / "run.pt", Checkpoint(weights, weights))
    load_checkpoint(tmp_path / "run.pt", WRAPPERS[now](second))
    assert same(first.state_dict(), second.state_dict())


def test_a_wrapped_model_resumes_the_run_of_the_bare_one(tmp_path, digits):
    whole, _ = trained(digits, epochs=3)
    trained(digits, epochs=1, checkpoint=tmp_path / "run.pt")
    wrapped = nn.DataParallel(small_model())
    trained(digits, epochs=2, checkpoint=tmp_path / "run.pt", model=wrapped)
    parts, _ = trained(digits, epochs=3, checkpoint=tmp_path / "run.pt")
    assert same(parts, whole)


def test_layers_that_are_called_module_keep_their_names(tmp_path):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.module, self.weight = nn.Linear(2, 2), nn.Parameter(torch.ones(2, 2))

    first, second = Net(), Net()
    nn.init.zeros_(second.weight)
    save_checkpoint(tmp_path / "run.pt", Checkpoint(first.state_dict(), first.state_dict()))
    load_checkpoint(tmp_path / "run.pt", second)
    assert same(first.state_dict(), second.state_dict())


def test_bfloat16(tmp_path, digits):
    data = digits._replace(
        **{
            name: ImageData(d.images.bfloat16(), d.labels, d.class_names)
            for name, d in digits._asdict().items()
            if name != "test"
        }
    )
    whole, history = trained(data, epochs=3, model=small_model().bfloat16(), lr=0.05)
    path = tmp_path / "run.pt"
    for epochs in (1, 3):
        parts, rows = trained(data, epochs=epochs, model=small_model().bfloat16(), lr=0.05, checkpoint=path)
    assert same(parts, whole)
    assert rows == history
    assert history[-1].valid_accuracy * 300 == pytest.approx(round(history[-1].valid_accuracy * 300))
    assert history[-1].valid_accuracy > 0.7


# ---- code --------------------------------------------------------------------------


class Malicious:
    """Makes a folder when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (self.path,)


def test_no_code_in_a_file_runs(tmp_path, digits):
    path, trace = tmp_path / "run.pt", tmp_path / "trace"
    torch.save({"format": FORMAT, "version": 1, "last": Malicious(str(trace))}, path)
    for load in (lambda: load_checkpoint(path), lambda: trained(digits, epochs=1, checkpoint=path)):
        with pytest.raises(ValueError, match=r"run\.pt holds other Python objects than a checkpoint does"):
            load()
        assert not trace.exists()
    torch.load(path, weights_only=False)
    assert trace.exists(), "the file is not malicious, so this test shows nothing"


# ---- resuming ----------------------------------------------------------------------


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
    "frozen": (
        {"model": frozen_model()},
        "frozen was None, now it is 5.bias",
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
