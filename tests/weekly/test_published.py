"""Trained on Fashion-MNIST by the command line, networks reach what was published, and nothing impossible."""

import os
import re
import subprocess
import sys

import pytest

LENET = "--model lenet --shifts 1 --epochs 30 --lr 0.05 --weight-decay 0.0005 --schedule linear"
VGG = "--model vgg --width 0.25 --shifts 2 --schedule cosine --epochs 20"


@pytest.mark.network
@pytest.mark.slow
@pytest.mark.parametrize(
    ("options", "above", "below"),
    [
        # Above what published copies of LeNet with sigmoids reach on these images.
        pytest.param(LENET, 0.83, 0.94, id="lenet"),
        # The median of published VGG-11 with a quarter of the channels, at 224×224; ours sees 32×32.
        pytest.param(VGG, 0.919, 0.96, id="vgg"),
    ],
)
def test_published_accuracy(options, above, below):
    command = [sys.executable, "-m", "d2lconv.training", "--data", "fashion", *options.split()]
    threads = {"OMP_NUM_THREADS": str(os.cpu_count())}
    done = subprocess.run(
        [*command, "--test", "--no-progress"], env=os.environ | threads, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    (accuracy,) = re.findall(r"^test loss \S+, accuracy (\d\.\d+) ", done.stdout, re.MULTILINE)
    assert above < float(accuracy) < below
