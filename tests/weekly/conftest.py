"""Tests marked `network` are skipped where there is none, but not on GitHub's machines."""

import os
import urllib.request

import pytest


def pytest_runtest_setup(item):
    """Skip what needs the network, with a word."""
    if item.get_closest_marker("network") and "CI" not in os.environ and not _online():
        pytest.skip("no network: github.com can't be reached")


def _online():
    try:
        urllib.request.urlopen("https://github.com", timeout=10).close()
    except OSError:
        return False
    return True
