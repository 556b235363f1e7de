"""One small book with all explorers, built once, and the scripts of the views as modules of a page."""

import itertools
import os
from pathlib import Path

import pytest
from filelock import FileLock
from tests.explorers.shown import explorers
from tests.explorers.widgets_book import chapter, site_of

from d2lconv.widgets.base import FOLDER


@pytest.fixture(scope="session")
def book(tmp_path_factory):
    """Folder of the built book; all workers of a test run share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / "explorers.lock"):
        done = folder / "explorers" / "done"
        if not done.exists():
            chapters = {name: chapter(*figures) for name, figures in explorers().items()}
            chapters["convolution"].cells[-2].source = "Far down.\n\n" * 150 + "## Section 3"
            site = site_of(folder / "explorers", chapters)
            done.write_text(str(site), encoding="utf-8")
    return Path(done.read_text(encoding="utf-8"))


@pytest.fixture
def show(visit, book):
    """Return a function that opens a page of the book; the page may report no problem."""
    reports = []

    def open_page(name, **options):
        page, problems = visit((book / f"book/{name}.html").as_uri(), **options)
        reports.append(problems)
        return page

    yield open_page
    assert reports == [[]] * len(reports)


@pytest.fixture(scope="session")
def run(browser, serve):
    """Return a function that calls JavaScript with a script of the package as a module, changed or as it is.

    It takes the script's name, a function of the module and some data, the data, and texts to replace.
    """
    page = browser.new_page()
    address = serve(FOLDER)
    page.goto(f"{address}/shared/base.css")
    numbers = itertools.count()

    def call(name, function, data, replaced=()):
        source = (FOLDER / name).read_text(encoding="utf-8")
        for good, bad in replaced:
            assert source.count(good) == 1
            source = source.replace(good, bad)
        url = f"{address}/{name}?{next(numbers)}"
        page.route(url, lambda route: route.fulfill(body=source, content_type="text/javascript"))
        return page.evaluate(f"async ([url, data]) => ({function})(await import(url), data)", [url, data])

    yield call
    page.close()


@pytest.fixture
def phone(browser, book):
    """Return a function that opens a page of the book on a phone, to be touched."""
    contexts = []

    def open_page(name):
        contexts.append(browser.new_context(has_touch=True, viewport={"width": 360, "height": 800}))
        page = contexts[-1].new_page()
        page.goto((book / f"book/{name}.html").as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
