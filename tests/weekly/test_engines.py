"""The chapters' figures move in every engine that a reader may have, not in Chromium's alone.

Firefox and WebKit, which is Safari's, are driven where Playwright has brought them, as each week in CI.
Chromium is driven too, so that these tests are tried on each change.
"""

from pathlib import Path

import pytest
from tests.built_book import figures_in_toc, sideways
from tests.explorers.widgets_book import FigureOnPage

FIGURES = figures_in_toc()
PAGES = {"chromium": ["book/gallery"], "firefox": FIGURES, "webkit": FIGURES}  # the gallery has them all


@pytest.fixture(scope="module")
def launch(browser, engines):
    """Return a function that starts a browser by its engine's name, or skips the test."""
    started = {}

    def start(name):
        if name == "chromium":
            return browser
        if name not in started:
            kind = getattr(engines, name)
            if not Path(kind.executable_path).exists():
                pytest.skip(f"no {name}: playwright install {name}")
            started[name] = kind.launch()
        return started[name]

    yield start
    for other in started.values():
        other.close()


def move(slider):
    """Move a slider by one step, to where it can go; return what it says before and after."""
    before = slider.get_attribute("aria-valuetext")
    at_its_end = slider.evaluate("(slider) => slider.value === slider.max")
    slider.press("ArrowLeft" if at_its_end else "ArrowRight")
    slider.page.wait_for_timeout(100)
    return before, slider.get_attribute("aria-valuetext")


@pytest.mark.parametrize(("engine", "name"), [(engine, name) for engine in PAGES for name in PAGES[engine]])
def test_figures_move(launch, site, serve, engine, name):
    page = launch(engine).new_page(viewport={"width": 360, "height": 800})
    problems = []
    page.on("console", lambda message: message.type == "error" and problems.append(message.text))
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(f"{serve(site)}/{name}.html")
    for number, _ in enumerate(FIGURES[name]):
        figure = FigureOnPage(page, number)
        if not figure.place.locator("input[type=range]").count():
            continue  # it has lists only
        drawn = figure.place.inner_html()
        before, after = move(figure.place.locator("input[type=range]:enabled").first)
        assert before != after
        assert drawn != figure.place.inner_html()
    assert sideways(page) == 0
    assert problems == []
    page.close()
