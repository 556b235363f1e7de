"""The browser of the tests."""

import os

import pytest
from tools.browser import ARGUMENTS, MISSING, find_browser

__all__ = ["ARGUMENTS", "do_without", "find_browser"]


def do_without(environment=os.environ):
    """Skip the test where no browser is installed; in CI one must be there."""
    if environment.get("CI"):
        pytest.fail(MISSING)
    pytest.skip(MISSING)
