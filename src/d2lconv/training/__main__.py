"""The command line of training: ``python -m d2lconv.training --help``."""

from __future__ import annotations

import argparse
import functools
import math
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import torch
from torch import nn

from d2lconv.data import Splits, load_digits, load_fashion_mnist, load_mnist, random_shifts
from d2lconv.models import VGG, LeNet
from d2lconv.models.lenet import ACTIVATIONS, POOLINGS
from d2lconv.models.vgg import CONFIGURATIONS
from d2lconv.training._distributed import ProcessGroup, process_group
from d2lconv.training._optim import MOMENTUM, SCHEDULES
from d2lconv.training.evaluation import evaluate
from d2lconv.training.loop import fit

DOWNLOADS = {"mnist": load_mnist, "fashion": load_fashion_mnist}
LEARNING_RATES = {"lenet": 0.02, "vgg": 0.01}
OWN_OPTIONS = {"lenet": ("activation", "pooling"), "vgg": ("configuration", "width", "image_size")}

EXAMPLES = """\
examples:
  python -m d2lconv.training --model lenet
  python -m d2lconv.training --model lenet --data fashion --shifts 2 --epochs 20 --checkpoint run.pt --test
  python -m d2lconv.training --model vgg --width 0.125 --epochs 15

on several cores or GPUs, with the same options; together they learn from --batch-size images a step:
  torchrun --nproc-per-node=2 -m d2lconv.training --model lenet

a run that stopped resumes, and ends with the same weights, when it is started again with the same
--checkpoint. With torchrun --max-restarts=3 that happens by itself.
"""


def parser() -> argparse.ArgumentParser:
    """Return the parser of the options."""
    options = argparse.ArgumentParser(
        prog="python -m d2lconv.training",
        description="Train an image classifier, and print loss and accuracy after each epoch.",
        epilog=EXAMPLES,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    options.add_argument("--model", required=True, choices=OWN_OPTIONS, help="the network")
    options.add_argument(
        "--data",
        choices=("digits", *DOWNLOADS),
        default="digits",
        help="the images: digits come with the package, the others are downloaded once (default: digits)",
    )
    options.add_argument("--test", action="store_true", help="at the end, evaluate on the test data as well")

    add = options.add_argument_group("learning").add_argument
    add("--epochs", type=int, default=10, metavar="N", help="passes over the training data (default: 10)")
    rates = ", ".join(f"{rate} for {model}" for model, rate in LEARNING_RATES.items())
    add("--lr", type=_positive, metavar="R", help=f"learning rate, momentum is 0.9 (default: {rates})")
    add("--schedule", choices=SCHEDULES, default="constant", help="of the learning rate (default: constant)")
    add("--weight-decay", type=_not_negative, default=0.0, metavar="R", help="pull weights to 0 (default: 0)")
    add("--batch-size", type=int, default=32, metavar="N", help="images in a step (default: 32)")
    add("--shifts", type=int, default=0, metavar="N", help="move images at random by up to N pixels")
    add(
        "--seed", type=_seed, default=0, metavar="N", help="of initial weights, order and shifts (default: 0)"
    )
    add("--patience", type=int, metavar="N", help="stop after N epochs without a smaller validation loss")
    add("--restore-best", action="store_true", help="end with the weights of the smallest validation loss")
    add("--checkpoint", type=_file, metavar="FILE", help="save after each epoch; resume from it if it exists")

    add = options.add_argument_group("machine").add_argument
    add("--device", metavar="NAME", help="cpu, cuda, … (default: an accelerator if there is one)")
    add("--amp", action="store_true", help="compute in 16 bits where that is safe; faster on GPUs")
    add("--threads", type=int, metavar="N", help="of each process, on a CPU (default: PyTorch's)")
    add("--progress", action=argparse.BooleanOptionalAction, help="a bar (default: on a terminal)")

    add = options.add_argument_group("with --model lenet").add_argument
    add("--activation", choices=ACTIVATIONS, help="after each layer but the last (default: relu)")
    add("--pooling", choices=POOLINGS, help="over each 2×2 window (default: max)")

    add = options.add_argument_group("with --model vgg").add_argument
    add("--configuration", choices=CONFIGURATIONS, help="of the paper: 11, 13, 16 or 19 layers (default: A)")
    add(
        "--width",
        type=float,
        metavar="FRACTION",
        help="of the paper's channels and units (default: 1)",
    )
    add("--image-size", type=int, metavar="N", help="images are enlarged to N×N pixels (default: 32)")
    return options


def _number(text: str, fits: Callable[[float], bool], wanted: str) -> float:
    """Return a number; raise ArgumentTypeError unless it fits."""
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not (math.isfinite(number) and fits(number)):
        raise argparse.ArgumentTypeError(f"must be {wanted}, got {text}")
    return number


def _positive(text: str) -> float:
    """Return a positive number."""
    return _number(text, lambda number: number > 0, "a positive, finite number")


def _not_negative(text: str) -> float:
    """Return a number of at least 0."""
    return _number(text, lambda number: number >= 0, "a finite number of at least 0")


def _seed(text: str) -> int:
    """Return what PyTorch takes as a seed."""
    if not text.isdecimal() or int(text) >= 2**64:
        raise argparse.ArgumentTypeError(f"must be an integer from 0 to {2**64 - 1}, got {text}")
    return int(text)


def _file(text: str) -> str:
    """Return the name of a file."""
    if not text or Path(text).is_dir():
        raise argparse.ArgumentTypeError(f"must be the name of a file, got {text or 'nothing'}")
    return text


def main(arguments: Sequence[str] | None = None) -> None:
    """Train as the options say, and print the history."""
    options = parser()
    given = options.parse_args(arguments)
    for model, names in OWN_OPTIONS.items():
        for name in names:
            if model != given.model and getattr(given, name) is not None:
                options.error(f"--{name.replace('_', '-')} is for --model {model} only")
    if given.threads is not None and given.threads < 1:
        options.error(f"--threads must be at least 1, got {given.threads}")
    if given.shifts < 0:
        options.error(f"--shifts must be at least 0, got {given.shifts}")
    if given.width is not None and not 0 < given.width <= 1:
        options.error(f"--width must be more than 0 and at most 1, got {given.width}")
    if given.image_size is not None and given.image_size < 1:
        options.error(f"--image-size must be at least 1, got {given.image_size}")
    try:
        with process_group(given.device) as group:
            run(given, group)
    except (ValueError, OSError, FloatingPointError) as error:
        count = int(os.environ.get("WORLD_SIZE", "1"))
        who = f" in rank {os.environ['RANK']} of {count}" if count > 1 else ""
        sys.exit(f"{options.prog}: error{who}: {error}")
    except KeyboardInterrupt:
        more = f"; the same command resumes from {given.checkpoint}" if given.checkpoint else ""
        sys.exit(f"{options.prog}: interrupted{more}")


def run(given: argparse.Namespace, group: ProcessGroup) -> None:
    """Train in one of the processes; rank 0 prints."""
    if given.threads is not None:
        torch.set_num_threads(given.threads)
    size = 28 if given.model == "lenet" else given.image_size or 32
    data = load_digits(size) if given.data == "digits" else DOWNLOADS[given.data](progress=group.is_main)
    torch.manual_seed(given.seed)
    model = build(given, data, size)
    if group.is_main:
        weights = sum(parameter.numel() for parameter in model.parameters())
        print(f"{given.model}: {weights:,} parameters")
        print(f"{given.data}: {len(data.train):,} images to train, {len(data.valid):,} to validate")
        print(f"{group.device.type}: processes {group.world_size}, threads {torch.get_num_threads()}")
        if given.checkpoint is not None and Path(given.checkpoint).exists():
            print(f"going on from {given.checkpoint}")
        print(flush=True)
    history = fit(
        model,
        data,
        epochs=given.epochs,
        optimizer=functools.partial(
            torch.optim.SGD,
            lr=LEARNING_RATES[given.model] if given.lr is None else given.lr,
            momentum=MOMENTUM,
            weight_decay=given.weight_decay,
        ),
        schedule=given.schedule,
        batch_size=given.batch_size,
        device=group.device,
        seed=given.seed,
        augment=functools.partial(random_shifts, most=given.shifts) if given.shifts else None,
        patience=given.patience,
        restore_best=given.restore_best,
        checkpoint=given.checkpoint,
        amp=given.amp,
        progress=given.progress,
    )
    if group.is_main:
        print(history)
        if given.test:
            result = evaluate(model, data.test, amp=given.amp)
            rate = f"{result.accuracy:.3f} ({result.correct} of {result.count})"
            print(f"\ntest loss {result.loss:.3f}, accuracy {rate}")


def build(given: argparse.Namespace, data: Splits, size: int) -> nn.Module:
    """Return the network that the options describe, for images of a data set."""
    channels, side = data.train.images.shape[1], data.train.images.shape[-1]
    classes = len(data.train.class_names)
    if given.model == "lenet":
        return LeNet(channels, classes, activation=given.activation or "relu", pooling=given.pooling or "max")
    fraction = given.width or 1
    blocks = [
        (convolutions, max(1, round(fraction * width)))
        for convolutions, width in CONFIGURATIONS[given.configuration or "A"]
    ]
    hidden = max(1, round(fraction * 4096))
    network = VGG(blocks, channels, classes, image_size=size, hidden=hidden)
    return (
        network if side == size else nn.Sequential(nn.Upsample(size=(size, size), mode="bilinear"), network)
    )


if __name__ == "__main__":
    main()
