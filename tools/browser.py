"""Where the browser is, and how to start it in a container without asking the network for anything."""

import os
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, sync_playwright

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
MISSING = "no Chromium: install one, or set D2LCONV_CHROMIUM to its path"


class BrowserError(Exception):
    """There is no browser; the message says what to do."""


def find_browser(environment: Mapping[str, str] = os.environ) -> str | None:
    """Return the path of a Chromium: D2LCONV_CHROMIUM's, the system's, Playwright's own, or None."""
    named = environment.get("D2LCONV_CHROMIUM")
    return named or next(filter(None, map(shutil.which, NAMES)), None) or _find_own()


def _find_own() -> str | None:
    """Return the path of the browser that ``playwright install chromium`` has brought, or None."""
    with sync_playwright() as playwright:
        path = playwright.chromium.executable_path
    return path if Path(path).exists() else None


@contextmanager
def launch() -> Iterator[Browser]:
    """Start a Chromium for the time of a block.

    Raises
    ------
    BrowserError
        If none is installed.
    """
    path = find_browser()
    if path is None:
        raise BrowserError(MISSING)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        yield browser
        browser.close()
