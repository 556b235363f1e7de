"""The command line: what it prints, what it passes on, what it says when something is wrong."""

import re
import runpy
import sys

import pytest
import torch
from torch import nn

from d2lconv.data import ImageData, Splits, load_digits
from d2lconv.models import VGG, LeNet
from d2lconv.training import __main__ as command
from d2lconv.training import load_checkpoint


@pytest.fixture(autouse=True)
def _keep_random_numbers():
    state = torch.get_rng_state()
    yield
    torch.set_rng_state(state)


@pytest.fixture
def few(monkeypatch):
    """Let the digits be 64 images, and the downloads as many of 28×28 pixels."""

    def cut(size=28, **_):
        parts = load_digits(size)
        return Splits(*(ImageData(p.images[:64], p.labels[:64], p.class_names) for p in parts))

    monkeypatch.setattr(command, "load_digits", cut)
    monkeypatch.setattr(command, "DOWNLOADS", {"mnist": cut, "fashion": cut})


@pytest.fixture
def asked(monkeypatch):
    """Note what `fit` is asked for, and train for one epoch whatever it is."""
    calls = []
    fit = command.fit

    def noted(model, data, **settings):
        calls.append((model, data, settings))
        return fit(model, data, **settings | {"epochs": 1})

    monkeypatch.setattr(command, "fit", noted)
    return calls


def test_help_names_every_option(capsys):
    with pytest.raises(SystemExit) as ended:
        command.main(["--help"])
    assert ended.value.code == 0
    text = capsys.readouterr().out
    for option in command.parser()._actions:
        assert option.option_strings[-1] in text
        assert option.help
    assert "torchrun --nproc-per-node=2 -m d2lconv.training --model lenet" in text


def test_it_prints_the_history_and_no_test_result(few, capsys):
    command.main(["--model", "lenet", "--epochs", "2"])
    out, err = capsys.readouterr()
    assert err == ""
    assert out.startswith(
        "lenet: 61,706 parameters\ndigits: 64 images to train, 64 to validate\ncpu: processes 1"
    )
    assert len(re.findall(r"^ +\d( +\d\.\d{3}){4}$", out, flags=re.MULTILINE)) == 2
    assert "test" not in out


def test_the_test_result_on_request(few, capsys):
    command.main(["--model", "lenet", "--epochs", "1", "--test"])
    last = capsys.readouterr().out.splitlines()[-1]
    loss, accuracy, correct = re.fullmatch(
        r"test loss (\d\.\d{3}), accuracy (0\.\d{3}) \((\d+) of 64\)", last
    ).groups()
    assert float(loss) > 0
    assert float(accuracy) == pytest.approx(int(correct) / 64, abs=1e-3)


def test_the_same_command_prints_the_same(few, capsys):
    for _ in range(2):
        command.main(["--model", "lenet", "--shifts", "1", "--epochs", "1"])
        torch.rand(3)
    first, second = capsys.readouterr().out.split("lenet:")[1:]
    assert first == second


def test_a_checkpoint(few, capsys, tmp_path):
    path = str(tmp_path / "run.pt")
    command.main(["--model", "lenet", "--epochs", "1", "--checkpoint", path])
    command.main(["--model", "lenet", "--epochs", "3", "--checkpoint", path])
    assert f"going on from {path}\n" in capsys.readouterr().out
    assert len(load_checkpoint(path).history) == 3
    with pytest.raises(SystemExit) as ended:
        command.main(["--model", "lenet", "--epochs", "4", "--checkpoint", path, "--lr", "0.5"])
    assert "error: checkpoint" in ended.value.code
    assert "SGD.lr was 0.02, now it is 0.5" in ended.value.code


def sgd(settings):
    """Take the optimizer out of the settings, and return what it was made with."""
    made = settings.pop("optimizer")([nn.Parameter(torch.zeros(1))])
    assert type(made) is torch.optim.SGD
    return {name: made.defaults[name] for name in ("lr", "momentum", "weight_decay")}


def test_every_setting_is_passed_on(few, asked, capsys):
    options = "--epochs 7 --lr 0.125 --batch-size 16 --seed 3 --patience 4 --restore-best --amp --no-progress"
    options += " --schedule cosine --weight-decay 0.25"
    threads = torch.get_num_threads()
    try:
        command.main(
            ["--model", "lenet", *options.split(), "--device", "cpu", "--threads", "2", "--shifts", "1"]
        )
        assert torch.get_num_threads() == 2
    finally:
        torch.set_num_threads(threads)
    ((_, _, settings),) = asked
    assert sgd(settings) == {"lr": 0.125, "momentum": 0.9, "weight_decay": 0.25}
    augment = settings.pop("augment")
    images = torch.rand(4, 1, 9, 9)
    moved = augment(images, generator=torch.Generator().manual_seed(0))
    assert moved.shape == images.shape
    assert not torch.equal(moved, images)
    assert settings == {
        "epochs": 7,
        "schedule": "cosine",
        "batch_size": 16,
        "device": torch.device("cpu"),
        "seed": 3,
        "patience": 4,
        "restore_best": True,
        "checkpoint": None,
        "amp": True,
        "progress": False,
    }


def test_lenet(few, asked, capsys):
    command.main(["--model", "lenet", "--data", "fashion", "--activation", "sigmoid", "--pooling", "avg"])
    ((model, _, settings),) = asked
    assert isinstance(model, LeNet)
    kinds = {type(layer) for layer in model.modules()}
    assert {nn.Sigmoid, nn.AvgPool2d} <= kinds
    assert not {nn.ReLU, nn.MaxPool2d} & kinds
    assert sgd(settings)["lr"] == command.LEARNING_RATES["lenet"]
    assert settings["augment"] is None


@pytest.mark.parametrize("data", ["digits", "mnist"])
def test_vgg(few, asked, capsys, data):
    command.main(["--model", "vgg", "--data", data, "--configuration", "B", "--width", "0.03125"])
    ((model, splits, settings),) = asked
    if data == "mnist":  # of 28×28 pixels, enlarged in the model
        assert splits.train.images.shape[-2:] == (28, 28)
        enlarge, model = model
        assert enlarge(splits.train.images).shape == (64, 1, 32, 32)
    assert isinstance(model, VGG)
    channels = [layer.out_channels for layer in model.modules() if isinstance(layer, nn.Conv2d)]
    assert channels == [2, 2, 4, 4, 8, 8, 16, 16, 16, 16]
    assert model.head[1].out_features == 128
    assert sgd(settings)["lr"] == command.LEARNING_RATES["vgg"]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("", "the following arguments are required: --model"),
        ("--model alexnet", "argument --model: invalid choice: 'alexnet'"),
        ("--model lenet --data letters", "argument --data: invalid choice: 'letters'"),
        ("--model lenet --width 0.5", "--width is for --model vgg only"),
        ("--model vgg --pooling avg", "--pooling is for --model lenet only"),
        ("--model vgg --width 2", "--width must be more than 0 and at most 1, got 2.0"),
        ("--model lenet --threads 0", "--threads must be at least 1, got 0"),
        ("--model lenet --shifts -1", "--shifts must be at least 0, got -1"),
        ("--model lenet --epochs many", "argument --epochs: invalid int value: 'many'"),
        ("--model lenet --epoch 3", "unrecognized arguments: --epoch 3"),
        ("--model vgg --image-size 0", "--image-size must be at least 1, got 0"),
        *(
            (f"--model lenet --lr {rate}", f"argument --lr: must be a positive, finite number, got {rate}")
            for rate in ("0", "-1", "nan", "inf", "much")
        ),
        *(
            (
                f"--model lenet --weight-decay {rate}",
                f"argument --weight-decay: must be a finite number of at least 0, got {rate}",
            )
            for rate in ("-1", "nan", "inf")
        ),
        *(
            (
                f"--model lenet --seed {seed}",
                f"argument --seed: must be an integer from 0 to {2**64 - 1}, got {seed}",
            )
            for seed in ("-1", "1.5", 10**23)
        ),
        ("--model lenet --checkpoint=", "argument --checkpoint: must be the name of a file, got nothing"),
        ("--model lenet --checkpoint .", "argument --checkpoint: must be the name of a file, got ."),
    ],
)
def test_wrong_options(capsys, options, message):
    with pytest.raises(SystemExit) as ended:
        command.main(options.split())
    assert ended.value.code == 2
    assert f"python -m d2lconv.training: error: {message}" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ("--model lenet --epochs 0", "epochs must be at least 1, got 0"),
        (
            "--model lenet --device gpu",
            "device must be a torch.device or a name such as 'cpu' or 'cuda', got 'gpu'",
        ),
        (
            "--model lenet --device meta",
            "device 'meta' holds shapes without numbers, so nothing can be computed",
        ),
        ("--model vgg --image-size 16 --width 0.1", "image_size must be at least "),
        ("--model lenet --lr 1e20", "the loss is "),
        (
            "--model lenet --checkpoint /none/run.pt",
            "checkpoint /none/run.pt cannot be written: its folder does not",
        ),
    ],
)
def test_what_goes_wrong_is_one_line(few, capsys, options, message):
    with pytest.raises(SystemExit) as ended:
        command.main(options.split())
    assert ended.value.code.startswith(f"python -m d2lconv.training: error: {message}")
    assert "\n" not in ended.value.code


def test_interrupted(few, capsys, monkeypatch):
    def interrupted(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(command, "fit", interrupted)
    for options, more in (([], ""), (["--checkpoint", "a.pt"], "; the same command resumes from a.pt")):
        with pytest.raises(SystemExit) as ended:
            command.main(["--model", "lenet", *options])
        assert ended.value.code == f"python -m d2lconv.training: interrupted{more}"


def test_as_a_command(monkeypatch):
    """As ``python -m`` runs it, but in this process, which has loaded PyTorch."""
    monkeypatch.delitem(sys.modules, command.__name__)
    monkeypatch.setattr(
        sys, "argv", ["d2lconv.training", "--model", "lenet", "--epochs", "1", "--lr", "1e20"]
    )
    with pytest.raises(SystemExit) as ended:
        runpy.run_module("d2lconv.training", run_name="__main__")
    assert re.fullmatch(
        r"python -m d2lconv\.training: error: the loss is \w+ at epoch 1, step .*", ended.value.code
    )
