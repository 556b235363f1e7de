"""A run that is killed without warning, at any moment, ends with the weights of one that was not."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked and killed"),
]

CHAINS = (
    "in_the_first_epoch",
    "between_and_within_epochs",
    "while_it_writes",
    "before_the_name_changes",
    "after_the_name_changed",
    "by_the_clock",
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return what the runs have left."""
    place = tmp_path_factory.mktemp("killed")
    done = subprocess.run(
        [sys.executable, "-m", "tests.package.killed_training", str(place)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    kills = dict(line.split() for line in done.stdout.splitlines())
    assert set(kills) == set(CHAINS)
    assert all(int(number) >= 1 for number in kills.values())
    return place


def test_nothing_else_is_left(folder):
    assert {path.suffix for path in folder.iterdir()} == {".pt", ".run"}


@pytest.mark.parametrize("chain", CHAINS)
def test_it_ends_with_the_same_weights(folder, chain):
    whole, parts = (torch.load(folder / f"{name}.pt", weights_only=True) for name in ("whole", chain))
    assert parts["history"] == whole["history"]
    assert parts["weights"].keys() == whole["weights"].keys()
    for name, weights in whole["weights"].items():
        assert torch.equal(parts["weights"][name], weights), name
