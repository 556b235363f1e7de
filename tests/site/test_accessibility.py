"""axe-core finds nothing on any page: in light and in dark, on a desk and on a phone."""

from pathlib import Path

import pytest
from tests.built_book import lay_out_all, pages_in_toc
from tests.explorers.widgets_book import FigureOnPage
from tools.page_cost import serve

AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PAGES = [*pages_in_toc(), "search", "genindex", "py-modindex", "404"]
EVERYTHING = "{preload: false, resultTypes: ['violations']}"
COLOURS = "{preload: false, resultTypes: ['violations'], runOnly: ['color-contrast']}"
FIRST_NODES = """done => done.violations.map(rule =>
  [rule.id, rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200))])"""


def faults(page, rules):
    """Return what axe-core finds, with the first few places of each."""
    return page.evaluate(f"axe.run({rules}).then({FIRST_NODES})")


def look_in_all_ways(page):
    """Return the faults on a desk in light, on a desk in dark, and on a phone in dark.

    Rules that don't look at colours need not be asked twice at one width, and they are half of the time.
    """
    page.evaluate(AXE)
    found = {"desk, light": faults(page, EVERYTHING)}
    page.emulate_media(color_scheme="dark")
    page.wait_for_timeout(100)
    found["desk, dark"] = faults(page, COLOURS)
    page.set_viewport_size({"width": 360, "height": 900})
    page.wait_for_timeout(400)
    found["phone, dark"] = faults(page, EVERYTHING)
    return {way: rules for way, rules in found.items() if rules}


@pytest.fixture
def open_page(browser):
    pages = []

    def open_page(address):
        # The tests' own scripts would not get past a page's policy.
        size = {"width": 1280, "height": 900}
        page = browser.new_page(viewport=size, reduced_motion="reduce", bypass_csp=True)
        pages.append(page)
        page.goto(address)
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture(scope="module")
def address(site):
    """Address of the book where it is published: its page for missing addresses works there alone."""
    with serve(site, under="/d2lconv/") as base:
        yield base


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing(open_page, address, name):
    page = open_page(f"{address}{name}.html")
    for number in range(page.locator(".d2l-live").count()):
        FigureOnPage(page, number)  # waits until it is set up
    lay_out_all(page)
    page.wait_for_timeout(100)
    assert look_in_all_ways(page) == {}


@pytest.mark.parametrize(
    ("style", "ways"),
    [
        ("", set()),
        ("p { color: #eee }", {"desk, light"}),
        ("@media (prefers-color-scheme: dark) { p { color: #333 } }", {"desk, dark", "phone, dark"}),
        ("@media (max-width: 500px) { p { color: #333 } }", {"phone, dark"}),
    ],
)
def test_a_fault_is_noticed_where_it_shows(open_page, tmp_path, style, ways):
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang=en><title>t</title><style>body { background: #fff; color: #000 }"
        "@media (prefers-color-scheme: dark) { body { background: #000; color: #fff } }"
        f"{style}</style><main><h1>h</h1><p>text</p></main>"
    )
    found = look_in_all_ways(open_page((tmp_path / "page.html").as_uri()))
    assert set(found) == ways
    assert all(rules[0][0] == "color-contrast" for rules in found.values())
