"""Settings of the whole suite: one thread a process, and property tests that repeat themselves exactly."""

import os

# Workers and notebook kernels share the machine: with a thread for each core, each would run many times
# slower. Set before torch is imported, so that kernels started by the tests inherit it.
os.environ.setdefault("OMP_NUM_THREADS", "1")

import itertools
import signal
import tempfile

import matplotlib
import nbval.kernel
import pytest
from hypothesis import HealthCheck, settings
from jupyter_client import KernelManager

pytest_plugins = ["tests.chapters.compare"]  # runs the chapters and compares what they show

# A shell that starts the suite in the background makes it, and all that tests start, ignore Ctrl-C.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
if hasattr(signal, "SIGHUP") and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN:  # nohup does the same
    signal.signal(signal.SIGHUP, signal.SIG_DFL)

matplotlib.use("agg")  # no windows

settings.register_profile(
    "d2lconv",
    deadline=None,  # timings are noisy on shared machines
    derandomize=True,
    print_blob=True,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("d2lconv")

_sockets = tempfile.TemporaryDirectory(prefix="d2lconv-")
_numbers = itertools.count()


def _kernel_manager(**arguments):
    """Make a kernel manager that talks through files, not ports; `tools.execute` says why."""
    return KernelManager(transport="ipc", ip=f"{_sockets.name}/{next(_numbers)}", **arguments)


if os.name == "posix":
    nbval.kernel.KernelManager = _kernel_manager


def pytest_xdist_auto_num_workers(config):
    """Take one worker more than there are cores: tests of pages wait for a browser half of the time."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _names_for_examples(doctest_namespace):
    """Give the docstrings' examples the two names that every chapter imports."""
    import matplotlib.pyplot as plt
    import torch

    doctest_namespace |= {"torch": torch, "plt": plt}
