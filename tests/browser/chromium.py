"""Where the browser is, and how to start it in a container without asking the network for anything."""

import os
import shutil

import pytest

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
NAMES = ("chromium", "chromium-browser", "google-chrome")


def find_browser(environment=os.environ):
    """Return the path of a Chromium: the one named by D2LCONV_CHROMIUM, or one that is installed, or None."""
    named = environment.get("D2LCONV_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None)


def do_without(environment=os.environ):
    """Skip the test where no browser is installed; in CI one must be there."""
    message = "no Chromium: install one, or set D2LCONV_CHROMIUM to its path"
    if environment.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
