"""Where the browser is, and how to start it in a container without asking the network for anything."""

import os
import shutil
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright

ARGUMENTS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Without windows of its own the same browser takes half of the processor time: 27 s of 58 for 30 pages.
NAMES = ("chromium-headless-shell", "chromium", "chromium-browser", "google-chrome")


def find_browser(environment=os.environ):
    """Return the path of a Chromium: D2LCONV_CHROMIUM's, the system's, Playwright's own, or None."""
    named = environment.get("D2LCONV_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None) or find_own()


def find_own():
    """Return the path of the browser that ``playwright install chromium`` has brought, or None."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


def do_without(environment=os.environ):
    """Skip the test where no browser is installed; in CI one must be there."""
    message = "no Chromium: install one, or set D2LCONV_CHROMIUM to its path"
    if environment.get("CI"):
        pytest.fail(message)
    pytest.skip(message)
