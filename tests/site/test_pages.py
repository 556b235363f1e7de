"""Pages in a real browser: over http and as files, in both themes, on a desk and on a phone."""

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from playwright.sync_api import sync_playwright
from tests.built_book import lay_out_all, pages_in_toc, sideways
from tests.chromium import do_without, find_browser

PAGES = [*pages_in_toc(), "search", "genindex"]


@pytest.fixture(scope="session")
def address(site, serve):
    return serve(site)


def variable(page, name):
    return page.evaluate(f"getComputedStyle(document.documentElement).getPropertyValue('{name}').trim()")


@pytest.mark.parametrize("name", PAGES)
def test_page_over_http_in_both_themes(visit, address, name):
    page, problems = visit(f"{address}/{name}.html")
    assert variable(page, "--d2l-ink") == "#1b1f24"
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    assert variable(page, "--d2l-ink") == "#e8ebef"
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)"
    assert problems == []


@pytest.mark.parametrize("name", PAGES)
def test_page_as_a_file_on_a_phone(visit, site, name):
    page, problems = visit((site / f"{name}.html").as_uri(), width=360, scheme="dark")
    assert sideways(page) == 0
    assert problems == []


IS_DRAWN = "(element) => element.checkVisibility({ contentVisibilityAuto: true })"


def test_sections_are_laid_out_when_one_comes_near(visit, address):
    page, _ = visit(f"{address}/book/lenet.html")
    headings = page.locator(".bd-article > section > section > h2")
    assert headings.first.evaluate(IS_DRAWN)
    assert not headings.last.evaluate(IS_DRAWN)
    headings.last.evaluate("(heading) => heading.scrollIntoView()")
    page.wait_for_timeout(200)
    assert headings.last.evaluate(IS_DRAWN)


@pytest.mark.parametrize("width", [1280, 360])
def test_a_link_into_a_page_leads_to_its_section(visit, address, width):
    page, _ = visit(f"{address}/book/lenet.html", width=width)
    names = page.locator(".bd-article section section[id]").evaluate_all("(all) => all.map(({ id }) => id)")
    assert len(names) > 8
    for name in names[2:-2:4]:
        page.goto("about:blank")
        page.goto(f"{address}/book/lenet.html#{name}")
        page.wait_for_timeout(300)
        top = f"document.getElementById('{name}').getBoundingClientRect().top"
        assert 0 <= page.evaluate(top) < 150


def test_tab_leads_to_boxes_that_scroll_and_to_no_others(visit, address):
    page, _ = visit(f"{address}/book/data.html", width=360)
    lay_out_all(page)
    boxes = page.locator("main :is(pre, .math-display, .pst-scrollable-table-container):visible")
    scroll = "({ scrollWidth, clientWidth }) => scrollWidth > clientWidth"

    def look(width):
        """Return for each box whether Tab leads to it and whether it scrolls, once both agree and stay."""
        page.set_viewport_size({"width": width, "height": 900})
        found = []
        for _ in range(50):  # a busy machine takes its time
            page.wait_for_timeout(100)
            before = found
            found = boxes.evaluate_all(
                f"(boxes) => boxes.map((box) => [box.tabIndex === 0, ({scroll})(box)])"
            )
            if found == before and all(is_stop == scrolls for is_stop, scrolls in found):
                break
        return found

    phone = look(360)
    assert all(is_stop == scrolls for is_stop, scrolls in phone)
    desk = look(1280)
    assert all(is_stop == scrolls for is_stop, scrolls in desk)
    assert 0 < sum(scrolls for _, scrolls in desk) < sum(scrolls for _, scrolls in phone)
    fits = desk.index([False, False])
    # As on a phone: its scroll bar takes no room, so the box stays as large as it was.
    boxes.nth(fits).evaluate("(box) => (box.style.scrollbarWidth = 'none')")
    boxes.nth(fits).evaluate("(box) => box.prepend('a long line '.repeat(40))")
    assert look(1280)[fits] == [True, True]


def test_start_page_leads_to_the_course(visit, site):
    page, problems = visit((site / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    assert problems == []


def test_formulas_use_the_font_of_the_book(visit, address):
    page, _ = visit(f"{address}/book/convolution.html")
    loaded = "[...document.fonts].some(f => f.family.includes('d2lconv Math') && f.status === 'loaded')"
    assert page.evaluate(f"document.fonts.ready.then(() => {loaded})")


def test_figures_follow_the_theme_and_fit_a_phone(visit, address):
    page, _ = visit(f"{address}/book/index.html", width=360)
    drawing = page.locator("svg.d2l-figure").first
    box = drawing.bounding_box()
    assert 250 < box["width"] <= 360
    colour = "element => getComputedStyle(element.querySelector('text')).fill"
    light = drawing.evaluate(colour)
    page.emulate_media(color_scheme="dark")
    page.wait_for_selector("html[data-theme=dark]")
    assert light != drawing.evaluate(colour)


@pytest.mark.parametrize(
    ("term", "page_found"), [("neighbour", "glossary"), ("corr2d_multi_in", "api"), ("kernel", "convolution")]
)
def test_search_finds_a_term(visit, address, term, page_found):
    page, problems = visit(f"{address}/search.html?q={term}")
    page.wait_for_selector(f"#search-results li a[href*='book/{page_found}.html']")
    assert problems == []


# ---- the checks notice what they are for ----


@pytest.mark.parametrize(
    ("markup", "expected"),
    [
        ("<script>console.error('oh')</script>", "oh"),
        ("<script>throw new Error('no')</script>", "no"),
        ("<img src='http://nowhere.invalid/a.png'>", "request to http://nowhere.invalid/a.png"),
        ("<img src='missing.png'>", "404"),
    ],
)
def test_problem_is_reported(visit, serve, tmp_path, markup, expected):
    (tmp_path / "page.html").write_text(f"<!doctype html><link rel=icon href=data:,>{markup}")
    _, problems = visit(f"{serve(tmp_path)}/page.html")
    assert any(expected in problem for problem in problems)


def test_wide_page_is_noticed(visit, tmp_path):
    (tmp_path / "page.html").write_text("<!doctype html><p style='width: 500px'>wide")
    page, _ = visit((tmp_path / "page.html").as_uri(), width=360)
    assert sideways(page) > 0


def test_browser_is_the_one_that_is_named():
    assert find_browser({"D2LCONV_CHROMIUM": "/opt/chromium"}) == "/opt/chromium"


def test_browser_of_playwright_is_found(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("PLAYWRIGHT_BROWSERS_PATH", str(tmp_path))

    def where_it_would_be():
        with sync_playwright() as playwright:
            return Path(playwright.chromium.executable_path)

    with ThreadPoolExecutor(1) as apart:  # a thread can hold one Playwright, and this one may hold the tests'
        assert apart.submit(find_browser, {}).result() is None
        path = apart.submit(where_it_would_be).result()
        path.parent.mkdir(parents=True)
        path.touch()
        assert apart.submit(find_browser, {}).result() == str(path)


@pytest.mark.parametrize(
    ("environment", "outcome"), [({}, pytest.skip.Exception), ({"CI": "true"}, pytest.fail.Exception)]
)
def test_missing_browser_skips_but_fails_in_ci(environment, outcome):
    with pytest.raises(outcome, match="no Chromium"):
        do_without(environment)
