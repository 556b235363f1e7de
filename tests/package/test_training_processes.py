"""Two real processes learn together what one learns alone; torchrun ends and restarts them when one dies."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
import torch

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
CASES = (
    "plain",
    "few",
    "norm",
    "dropout",
    "augment",
    "saved",
    "refused",
    "blown",
    "begun",
    "bfloat16",
    "early",
)


def results(folder, case):
    return [torch.load(path, weights_only=True) for path in sorted(folder.glob(f"{case}-?.pt"))]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Return what one process alone, and two together, have left."""
    place = tmp_path_factory.mktemp("trained")
    done = subprocess.run(
        [sys.executable, "-m", "tests.package.joint_training", str(place)],
        cwd=ROOT,
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    (place / "errors.txt").write_text(done.stderr)
    return place


@pytest.fixture(scope="module")
def alone(folder):
    return {case: results(folder / "alone", case)[0] for case in CASES}


@pytest.fixture(scope="module")
def together(folder):
    found = {case: results(folder / "together", case) for case in CASES}
    assert all(len(processes) == 2 for processes in found.values())
    return found


def difference(states, others):
    """Return the largest difference of two models' weights."""
    assert states.keys() == others.keys()
    return max((states[name].double() - others[name].double()).abs().max().item() for name in states)


@pytest.mark.parametrize("case", ["plain", "few", "saved", "begun", "early"])
def test_an_equal_global_batch_gives_the_weights_of_one_process(alone, together, case):
    """Weights are of size 0.1; sums in another order round differently, by 1e-7 a step."""
    for process in together[case]:
        assert difference(process["weights"], alone[case]["weights"]) < 2e-5
    largest = max(weights.abs().max() for weights in alone[case]["weights"].values())
    assert largest > 0.05, "so small that the difference says nothing"


@pytest.mark.parametrize("case", ["plain", "few", "saved", "begun", "early"])
def test_losses_and_accuracies_are_those_of_all_images(alone, together, case):
    expected = torch.tensor(alone[case]["history"], dtype=torch.float64)
    for process in together[case]:
        found = torch.tensor(process["history"], dtype=torch.float64)
        torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-5)


def test_bfloat16_rounds_more_but_learns_the_same(alone, together):
    expected = torch.tensor(alone["bfloat16"]["history"])
    found = torch.tensor(together["bfloat16"][0]["history"])
    torch.testing.assert_close(found, expected, rtol=0.05, atol=0.05)


@pytest.mark.parametrize(
    "case", ["plain", "few", "norm", "dropout", "augment", "saved", "begun", "bfloat16", "early"]
)
def test_all_processes_end_with_the_same(together, case):
    first, second = together[case]
    assert difference(first["weights"], second["weights"]) == 0
    assert first["history"] == second["history"]


@pytest.mark.parametrize("case", ["dropout", "augment"])
def test_each_process_draws_its_own_random_numbers(alone, together, case):
    """So the weights are not those of one process, but learning goes as well."""
    assert difference(together[case][0]["weights"], alone[case]["weights"]) > 1e-3
    assert together[case][0]["history"][-1][0] == pytest.approx(alone[case]["history"][-1][0], rel=0.3)


def test_no_two_processes_draw_the_same_numbers(together):
    """Neither from the generator of augment nor from the global one, which dropout uses."""
    first, second = (process["drawn"] for process in together["augment"])
    assert len(first) == len(second) > 0
    numbers = [number for step in first + second for number in step]
    assert len(set(numbers[::2])) == len(numbers) // 2
    assert len(set(numbers[1::2])) == len(numbers) // 2


def test_only_rank_0_writes(folder, together):
    assert [path.name for path in (folder / "together").glob("*.run")] == ["saved-0.run"]


def test_stopping_early_is_agreed_upon(alone, together):
    assert 2 < len(alone["early"]["history"]) < 30
    assert {len(process["history"]) for process in together["early"]} == {len(alone["early"]["history"])}


@pytest.mark.parametrize(
    ("case", "message"),
    [("refused", "settings: seed was 0, now it is 1"), ("blown", "FloatingPointError: the loss is")],
)
def test_all_processes_get_the_error(together, case, message):
    for process in together[case]:
        assert message in process["error"]


def test_a_dead_process_ends_the_run_and_a_restart_resumes_it(folder, together):
    """Killed in epoch 3, it has one epoch left after the restart, and ends as if nothing had happened."""
    errors = (folder / "errors.txt").read_text()  # of the one that was killed, or of the one that missed it
    assert re.search(r"failed \(exitcode: (-9\) local_rank: 1|1\) local_rank: 0)", errors)
    for process, whole in zip(results(folder, "died"), together["augment"], strict=True):
        assert process["drawn"] == whole["drawn"][-5:]
        assert process["history"] == whole["history"]
        assert difference(process["weights"], whole["weights"]) == 0
