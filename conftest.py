"""Settings of the whole suite: one thread a process, and property tests that repeat themselves exactly."""

import os

# Workers and notebook kernels share the machine: with a thread for each core, each would run many times
# slower. Set before torch is imported, so that kernels started by the tests inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import matplotlib
import pytest
from hypothesis import HealthCheck, settings

matplotlib.use("agg")  # no windows

settings.register_profile(
    "d2lconv",
    deadline=None,  # timings are noisy on shared machines
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("d2lconv")


@pytest.fixture(autouse=True)
def _names_for_examples(doctest_namespace):
    """Give the docstrings' examples the two names that every chapter imports."""
    import matplotlib.pyplot as plt
    import torch

    doctest_namespace |= {"torch": torch, "plt": plt}
