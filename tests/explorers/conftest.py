"""One small book with all figures, a tab that shows it, and the scripts of the views as modules of a page."""

import itertools
import json
import os
from pathlib import Path

import pytest
from filelock import FileLock
from tests.built_book import Build, warnings
from tests.explorers.shown import explorers
from tests.explorers.widgets_book import add_chinese, build, chapter, lay_out, refused

from d2lconv.widgets.base import FOLDER


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Build the book with all figures and those that are refused; all workers of a test run share it."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    with FileLock(folder / "explorers.lock"):
        done = folder / "explorers" / "done"
        if not done.exists():
            chapters = {name: chapter(*figures) for name, figures in explorers().items()}
            chapters["convolution"].cells[5].source = "Far down.\n\n" * 150 + "## Section 3"
            found = build(lay_out(folder / "explorers", chapters | refused()))
            for name in explorers():
                add_chinese(found.site, name)
            done.write_text(json.dumps([found.code, found.log, str(found.site)]), encoding="utf-8")
    code, log, site = json.loads(done.read_text(encoding="utf-8"))
    return Build(code, log, Path(site))


@pytest.fixture(scope="session")
def book(built):
    """Folder of the built book; only what has to be refused may give a warning."""
    assert [line for line in warnings(built.log) if "book/refused_" not in line] == [], built.log[-2000:]
    return built.site


def open_tab(context):
    """Return a new tab and a list that fills with what goes wrong in it."""
    page, problems = context.new_page(), []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    return page, problems


@pytest.fixture(scope="session")
def tab(browser):
    """Open one tab for all tests: another one would take longer than most tests."""
    with browser.new_context() as context:
        yield open_tab(context)


@pytest.fixture(scope="session")
def touched_tab(browser):
    """Open one tab of a phone, to be touched."""
    with browser.new_context(has_touch=True, viewport={"width": 360, "height": 800}) as context:
        yield open_tab(context)


@pytest.fixture
def show(tab, book):
    """Return a function that opens a page of the book, or an address; the page may report no problem."""
    page, problems = tab

    def open_page(name, *, width=1280, scheme="light"):
        page.mouse.move(0, 0)
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme=scheme)
        page.goto(name if "://" in name else (book / f"book/{name}.html").as_uri())
        return page

    problems.clear()
    yield open_page
    assert problems == []


@pytest.fixture
def empty_desk(show):
    """Open the page of own_digit, with nothing kept in the browser before and after."""
    page = show("own_digit")
    page.evaluate("localStorage.clear()")
    page.reload()
    yield page
    page.evaluate("localStorage.clear()")


@pytest.fixture
def phone(touched_tab, book):
    """Return a function that opens a page of the book on a phone, to be touched."""
    page, problems = touched_tab

    def open_page(name):
        page.goto((book / f"book/{name}.html").as_uri())
        return page

    problems.clear()
    yield open_page
    assert problems == []


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
