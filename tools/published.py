"""Train on Fashion-MNIST by the command line, and compare the test accuracy with published results.

    python -m tools.published              all networks
    python -m tools.published lenet        one

The first run downloads 31 MB. LeNet takes minutes on four cores, the narrow VGG up to half an hour.
"""

import argparse
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass

_RESULT = re.compile(r"^test loss \S+, accuracy (\d\.\d+) \(\d+ of \d+\)$", re.MULTILINE)


@dataclass(frozen=True)
class Run:
    """A training run and the test accuracy that it must reach.

    Attributes
    ----------
    options : str
        Of ``python -m d2lconv.training``.
    above : float
        The published accuracy that it must exceed.
    below : float
        More than this, no network of this kind has reached: the test images would have been learned from.
    published : str
        Where the figure to exceed comes from.
    """

    options: str
    above: float
    below: float
    published: str


RUNS = {
    "lenet": Run(
        "--model lenet --data fashion --shifts 1 "
        "--epochs 30 --lr 0.05 --weight-decay 0.0005 --schedule linear --test",
        above=0.83,
        below=0.94,
        published="the best of 130 published rebuilds of LeNet as textbooks train it; their median is 0.81",
    ),
    # The chapter on VGG gives a command for GPUs, at 224×224. At 32×32 a few cores do.
    "vgg": Run(
        "--model vgg --data fashion --width 0.25 --shifts 2 --schedule cosine --epochs 20 --test",
        above=0.919,
        below=0.96,
        published="the median of published rebuilds of VGG-11 with a quarter of the channels, at 224×224",
    ),
}


def accuracy(printed: str) -> float:
    r"""Return the test accuracy that a training run printed.

    Raises
    ------
    ValueError
        If it printed none.

    Examples
    --------
    >>> accuracy("\ntest loss 0.301, accuracy 0.893 (8931 of 10000)\n")
    0.893
    """
    found = _RESULT.findall(printed)
    if len(found) != 1:
        raise ValueError(f"expected one test accuracy, found {len(found)} in:\n{printed.strip()[-2000:]}")
    return float(found[0])


def verdict(name: str, run: Run, reached: float) -> tuple[bool, str]:
    """Say whether an accuracy lies within a run's bounds.

    >>> verdict("lenet", Run("", 0.83, 0.94, "published"), 0.9)
    (True, 'lenet: 0.900 is above 0.830, published')
    >>> verdict("lenet", Run("", 0.83, 0.94, "published"), 0.83)[0]
    False
    """
    if reached <= run.above:
        return False, f"{name}: {reached:.3f} is not above {run.above:.3f}, {run.published}"
    if reached >= run.below:
        return False, f"{name}: {reached:.3f} is too good: no such network has reached {run.below:.3f}"
    return True, f"{name}: {reached:.3f} is above {run.above:.3f}, {run.published}"


def train(options: str) -> float:
    """Train, show what is printed, and return the test accuracy.

    Raises
    ------
    ValueError
        If the run fails or prints no accuracy.
    """
    command = [sys.executable, "-m", "d2lconv.training", *options.split(), "--no-progress"]
    print("python", *command[1:], flush=True)
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    print(done.stdout, flush=True)
    if done.returncode:
        raise ValueError(f"training ended with {done.returncode}: {done.stdout.strip()[-2000:]}")
    return accuracy(done.stdout)


def main(arguments: Sequence[str] | None = None) -> int:
    """Train and compare; return 1 if a result lies outside its bounds."""
    parser = argparse.ArgumentParser(prog="python -m tools.published", description=__doc__.partition("\n")[0])
    parser.add_argument("name", nargs="*", help=f"{' or '.join(RUNS)}; all, if none is named")
    given = parser.parse_args(arguments).name
    if unknown := [name for name in given if name not in RUNS]:
        parser.error(f"no network is named {unknown[0]!r}; there are: {', '.join(RUNS)}")
    verdicts = []
    for name in given or RUNS:
        try:
            verdicts.append(verdict(name, RUNS[name], train(RUNS[name].options)))
        except ValueError as error:
            verdicts.append((False, f"{name}: {error}"))
    for _, text in verdicts:
        print(text)
    return 0 if all(good for good, _ in verdicts) else 1


if __name__ == "__main__":
    sys.exit(main())
