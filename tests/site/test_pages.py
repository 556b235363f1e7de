"""The pages in a real browser: what they cost, whom they ask, and that everything on them can be used."""

import re
from itertools import pairwise
from pathlib import Path

import pytest
from tests.built_book import pages_in_toc, sideways
from tools.page_cost import FIGURES, measure
from tools.page_cost import serve as serve_compressed

from d2lconv.exercises.engine.registry import CHAPTERS

ROOT = Path(__file__).parents[2]
AXE = (Path(__file__).parent / "axe" / "axe.min.js").read_text(encoding="utf-8")
PAGES = [*pages_in_toc(), "search", "genindex", "py-modindex"]
KINDS = [
    *(f"book/{name}" for name in ("index", "convolution", "gallery", "practice", "glossary")),
    "search",
    "404",
]
CHINESE = [f"zh/{name}" for name in KINDS if name != "404"]

# KiB of a first visit, compressed, without what figures load when a reader comes near: measured, rounded up.
FRAME = 61
"""Of any page: its styles, and the formulas' font where it has formulas; in Chinese, one more."""
CHAPTER = 240
"""Of a chapter."""
LIGHTEST = 50
"""Of a page without formulas, figures and many names."""
HEAVY = {
    "book/gallery": 190,
    "book/glossary": 90,
    "book/api": 120,
    "search": 155,  # its index holds what a page says, also in the questions for teachers
    "zh/book/gallery": 195,
    "zh/search": 190,
}
MOST = 300
"""Of any page, with all its figures set up."""
MOST_REQUESTS = 18


@pytest.fixture(scope="session")
def address(site):
    """Address of the book where it is published: the 404 page works there alone."""
    with serve_compressed(site, under="/d2lconv/") as base:
        yield base


# ---- for everybody ----

EVERYTHING = "{preload: false, resultTypes: ['violations']}"
COLOURS = "{preload: false, resultTypes: ['violations'], runOnly: ['color-contrast']}"
STRUCTURE = "{preload: false, resultTypes: ['violations'], rules: {'color-contrast': {enabled: false}}}"
FIRST_NODES = """done => done.violations.map(rule =>
  [rule.id, rule.nodes.slice(0, 5).map(node => node.html.slice(0, 200))])"""


def faults(page, rules):
    """Return what axe-core finds, with the first few places of each."""
    return page.evaluate(f"axe.run({rules}).then({FIRST_NODES})")


def settle(page):
    """Let the page draw what follows from a change."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => setTimeout(done)))")


def look(page, name):
    """Check the outline, axe's rules, and that the page is no wider than windows are."""
    levels = page.locator("article :is(h1, h2, h3, h4, h5, h6)").evaluate_all(
        "headings => headings.filter(h => h.checkVisibility()).map(h => Number(h.localName[1]))"
    )
    assert levels.count(1) == 1
    assert levels[0] == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels
    found = faults_of(page) if name in [*KINDS, "zh/book/convolution", "zh/search"] else {}
    for width in (390, 320):
        page.set_viewport_size({"width": width, "height": 900})
        settle(page)
        assert sideways(page) == 0, width
    assert found == {}


def faults_of(page):
    """Return what axe-core finds at a desk in light and on a phone in the dark, and of colours in the dark.

    Every week, `tests/weekly/test_accessible.py` asks so on all pages.
    """
    page.emulate_media(reduced_motion="reduce")
    page.evaluate(AXE)
    found = {"desk, light": faults(page, EVERYTHING)}
    page.emulate_media(color_scheme="dark")
    settle(page)
    found["desk, dark"] = faults(page, COLOURS)
    page.set_viewport_size({"width": 390, "height": 900})
    settle(page)
    found["phone, dark"] = faults(page, STRUCTURE)
    return {way: rules for way, rules in found.items() if rules}


def most(name):
    return HEAVY.get(name, CHAPTER if (ROOT / f"{name}.ipynb").is_file() else LIGHTEST)


@pytest.mark.parametrize("name", [*PAGES, "404", *CHINESE])
def test_page_is_light_accessible_and_keeps_to_itself(browser, address, name):
    query = "?q=stride" if name.endswith("search") else ""
    report = measure(browser, address, f"{name}.html{query}", read=False, then=lambda page: look(page, name))
    assert report.outside == []
    assert report.refused == []
    assert report.bytes.total() <= 1024 * MOST, report.bytes
    of_figures = report.bytes[FIGURES]
    assert report.bytes.total() - of_figures <= 1024 * most(
        name if name in HEAVY else name.removeprefix("zh/")
    ), report.bytes
    more = name in CHINESE  # its type, and its words for figures
    assert report.bytes["css"] + report.bytes["font"] <= 1024 * (FRAME + more), report.bytes
    assert report.requests <= MOST_REQUESTS + more
    assert report.shift <= 0.01


@pytest.mark.parametrize(
    ("style", "ways"), [("", []), ("p { color: #eee }", ["color-contrast"])], ids=["right", "faint"]
)
def test_a_fault_is_noticed(visit, tmp_path, style, ways):
    (tmp_path / "page.html").write_text(
        "<!doctype html><html lang=en><title>t</title><style>body { background: #fff; color: #000 }"
        f"{style}</style><main><h1>h</h1><p>text</p></main>"
    )
    page, _ = visit((tmp_path / "page.html").as_uri())
    page.evaluate(AXE)
    assert [rule for rule, _ in faults(page, EVERYTHING)] == ways


@pytest.mark.parametrize("name", ["book/index", "book/convolution", "search"])
def test_page_as_a_file_on_a_phone(visit, site, name):
    page, problems = visit((site / f"{name}.html").as_uri(), width=360, scheme="dark")
    assert sideways(page) == 0
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") == "rgb(20, 24, 30)"
    assert problems == []


def test_start_page_leads_to_the_course(visit, site):
    page, problems = visit((site / "index.html").as_uri())
    page.wait_for_url("**/book/index.html")
    assert problems == []


# ---- the search ----

TEACHES = {
    "1×1": "1×1 convolution", "1x1": "1×1 convolution", "CNN": "Convolutional network", "filter": "Kernel",
    "stride": "Stride", "dilation": "Dilation", "receptive field": "Receptive field", "padding": "Padding",
    "kernels": "Kernel", "conv2d": "conv2d", "corr2d_multi_in": "corr2d_multi_in",
}  # fmt: skip


@pytest.fixture(scope="module")
def search(browser, address):
    """Return a function that searches: it returns titles and places of what is found, and what is said."""
    page = browser.new_page()
    page.goto(f"{address}search.html")

    def search(words):
        page.fill("#d2l-query", words)
        page.keyboard.press("Enter")
        items = page.locator("#d2l-results li").evaluate_all(
            "items => items.map(item => [...item.children].slice(0, 2).map(part => part.textContent))"
        )
        return items, page.locator("#d2l-results").inner_text()

    yield search
    page.close()


@pytest.mark.parametrize("words", TEACHES)
def test_what_teaches_a_word_comes_first(search, words):
    (title, place), *_ = search(words)[0]
    assert title == TEACHES[words]
    assert (place == "Python API") == ("2d" in words)


def test_excerpts_have_formulas_once_and_only_text(search):
    said = search("dilation")[1]
    assert "with dilation d has the effective size d(k - 1) + 1" in said
    assert not re.search(r"Open in Colab|\\[a-z]", said)


@pytest.mark.parametrize(
    "words", ["constructor", "__proto__", "toString", "<img src=x onerror=alert(1)>", "("]
)
def test_odd_words_do_no_harm(search, words):
    found, said = search(words)
    assert found or "Nothing in the course" in said or words == "("


def test_empty_result_helps(search):
    found, said = search("poolng")
    assert found == []
    assert "Did you mean Pooling" in said
    assert "glossary" in said


def test_search_from_the_keyboard_leads_to_the_section(visit, address):
    page, problems = visit(f"{address}book/vgg.html")
    page.keyboard.press("Control+k")
    page.keyboard.type("stride")
    page.keyboard.press("Enter")
    page.wait_for_url("**/search.html?q=stride")
    page.locator("#d2l-results a", has_text="Stride").first.click()
    page.wait_for_url("**/book/glossary.html#stride")
    assert problems == []


def test_frame_without_storage_has_search_and_theme(visit, address):
    page, _ = visit(f"{address}search.html")
    page.route(
        "**/frame.html",
        lambda route: route.fulfill(
            body='<iframe sandbox="allow-scripts" src="search.html?q=stride" width="1200" height="800">',
            content_type="text/html",
        ),
    )
    page.goto(f"{address}frame.html")
    frame = page.frame_locator("iframe")
    assert frame.locator("#d2l-results li a").first.inner_text() == "Stride"
    for mode in ("dark", "light", "auto"):
        frame.locator(".theme-toggle:visible").click()
        assert frame.locator("body").get_attribute("data-theme") == mode


# ---- the frame ----


@pytest.fixture
def chapter(visit, address):
    page, problems = visit(f"{address}book/convolution.html")
    yield page
    assert problems == []  # a script that the policy stops says so


def ink(page):
    return page.evaluate("getComputedStyle(document.body).getPropertyValue('--d2l-ink').trim()")


def test_theme_follows_the_system_and_the_switch_which_is_remembered(chapter):
    assert ink(chapter) == "#1b1f24"
    chapter.emulate_media(color_scheme="dark")
    assert ink(chapter) == "#e8ebef"
    figure = "getComputedStyle(document.querySelector('svg.d2l-figure')).fill"
    dark = chapter.evaluate(figure)
    chapter.locator(".theme-toggle:visible").click()
    assert ink(chapter) == "#1b1f24"
    assert chapter.evaluate(figure) != dark
    chapter.reload()
    assert ink(chapter) == "#1b1f24"


def test_copy_button(chapter):
    chapter.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = chapter.locator(".cell_input:visible pre").first
    code.hover()
    chapter.locator(".cell_input:visible button.copybtn").first.click()
    chapter.wait_for_selector("button.copybtn.success")
    assert chapter.evaluate("navigator.clipboard.readText()").split() == code.inner_text().split()


def test_first_tab_skips_to_the_text(chapter):
    chapter.keyboard.press("Tab")
    link = chapter.locator(".skip-to-content")
    assert link.evaluate("link => document.activeElement === link")
    chapter.wait_for_function("link => link.getBoundingClientRect().y >= 0", arg=link.element_handle())
    chapter.keyboard.press("Enter")
    chapter.keyboard.press("Tab")
    assert chapter.evaluate("document.activeElement.closest('article') !== null")


def test_previous_next_and_contents_that_follow(chapter):
    chapter.evaluate("document.getElementById('summary').scrollIntoView()")
    chapter.wait_for_selector(".toc-tree li.scroll-current a[href='#summary']")
    chapter.locator("a.next-page").click()
    chapter.wait_for_url("**/book/padding_stride.html")
    chapter.locator("a.prev-page").click()
    chapter.wait_for_url("**/book/convolution.html")


def test_links_of_a_page_to_its_source_and_to_colab(chapter):
    path = "d2lconv/d2lconv/{}/main/book/convolution.ipynb"
    links = chapter.locator(".page-links a, article p > a").evaluate_all("all => all.map(a => a.href)")
    for kind in ("blob", "edit"):
        assert f"https://github.com/{path.format(kind)}" in links
    assert f"https://colab.research.google.com/github/{path.format('blob')}" in links
    with chapter.expect_download() as download:
        chapter.get_by_title("Download the notebook").click()
    assert download.value.suggested_filename == "convolution.ipynb"


@pytest.mark.parametrize("name", ["book/vgg", "book/downloads"])
def test_logo_search_and_place_stay_in_sight(visit, address, name):
    page, _ = visit(f"{address}{name}.html")
    page.set_viewport_size({"width": 1366, "height": 600})
    page.reload()
    for part in (".sidebar-brand", ".sidebar-search", ".current-page"):
        box = page.locator(part).bounding_box()
        assert 0 <= box["y"] < 600 - box["height"], part


def test_menu_and_contents_of_a_phone_open_by_keyboard(visit, address):
    page, problems = visit(f"{address}book/convolution.html", width=390)
    for name, inside in [("Menu", ".sidebar-drawer"), ("Contents of this page", ".toc-drawer")]:
        link = page.locator(f"{inside} a").last
        assert not link.evaluate("link => link.checkVisibility({visibilityProperty: true})")
        page.get_by_role("button", name=name).first.focus()
        page.keyboard.press("Enter")
        assert link.evaluate("link => link.checkVisibility({visibilityProperty: true})")
        page.keyboard.press("Escape")
        assert not link.evaluate("link => link.checkVisibility({visibilityProperty: true})")
    assert problems == []


@pytest.mark.parametrize("width", [1280, 390])
def test_a_link_into_a_page_leads_to_its_section(visit, address, width):
    page, _ = visit(f"{address}book/lenet.html", width=width)
    names = page.locator("article section section[id]").evaluate_all("(all) => all.map(({ id }) => id)")
    assert len(names) > 8
    for name in names[5], names[-3]:
        page.goto("about:blank")
        page.goto(f"{address}book/lenet.html#{name}")
        settle(page)
        top = f"document.getElementById('{name}').getBoundingClientRect().top"
        assert 0 <= page.evaluate(top) < 150


# ---- the text ----

BROKEN = """all => all.filter(word => {
  const range = document.createRange();
  range.selectNodeContents(word);
  return !/\\s/.test(word.textContent) && new Set([...range.getClientRects()].map(({y}) => y)).size > 1;
}).map(word => word.textContent)"""


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("name", ["convolution", "pooling"])
def test_tables_break_no_word(visit, address, name, width):
    page, _ = visit(f"{address}book/{name}.html", width=width)
    words = page.locator("article :is(td, th) .pre")
    assert words.count() > 5
    assert words.evaluate_all(BROKEN) == []


def test_boxes_that_scroll_say_so_and_are_reached_by_tab_and_others_are_not(visit, address):
    page, _ = visit(f"{address}book/data.html", width=390)
    settle(page)
    boxes = page.locator("article :is(pre, .table-wrapper, .math-display):visible")
    look = "(all) => all.map((box) => [box.tabIndex === 0, box.scrollWidth > box.clientWidth])"
    found = boxes.evaluate_all(look)
    assert all(is_stop == scrolls for is_stop, scrolls in found)
    assert {scrolls for _, scrolls in found} == {True, False}
    code = page.locator(".highlight pre[tabindex]").first
    assert (
        code.evaluate("pre => getComputedStyle(pre).backgroundAttachment") == "local, local, scroll, scroll"
    )


def test_setup_is_folded_and_says_so(chapter):
    fold = chapter.locator("details.hide").first
    assert fold.get_attribute("open") is None
    fold.locator("summary").click()
    assert fold.locator("pre").is_visible()


def test_reader_chooses_how_much_code_a_page_shows_and_it_is_remembered(chapter):
    code, setup = chapter.locator("article .cell_input:visible"), chapter.locator("details.above-input").first
    exercises = chapter.locator("#exercises .cell_input:visible")
    some = code.count()
    assert setup.get_attribute("open") is None
    chapter.select_option("#d2l-code", "all")
    assert setup.get_attribute("open") == ""
    chapter.select_option("#d2l-code", "none")
    chapter.reload()
    assert chapter.locator("#d2l-code").input_value() == "none"
    assert code.count() == exercises.count() > 0
    assert chapter.locator("article svg.d2l-figure:visible").count() > 0
    chapter.select_option("#d2l-code", "some")
    assert code.count() == some > exercises.count()


def test_link_into_an_optional_section_unfolds_it(visit, address):
    page, problems = visit(f"{address}book/padding_stride.html")
    fold = page.locator(".d2l-optional").first
    section = fold.locator("xpath=..").get_attribute("id")
    assert fold.get_attribute("open") is None
    page.goto(f"{address}book/padding_stride.html#{section}")
    assert fold.get_attribute("open") == ""
    page.goto("about:blank")
    page.goto(f"{address}book/padding_stride.html#%E0%A4%A")  # no address of anything
    assert fold.get_attribute("open") is None
    assert problems == []


def test_figures_have_numbers_and_captions(visit, address):
    page, _ = visit(f"{address}book/padding_stride.html")
    captions = page.locator("article figure figcaption .caption-number").all_text_contents()
    assert [one.strip() for one in captions] == [f"Figure 2.{number + 1}" for number in range(len(captions))]
    formulas = page.locator("article .eqno").all_text_contents()
    assert [one.strip("()#¶ ") for one in formulas] == [f"2.{number + 1}" for number in range(len(formulas))]
    assert min(len(captions), len(formulas)) > 1


LABELS = """all => {
  document.querySelectorAll('details').forEach(fold => { fold.open = true; });
  return all.map(drawing => {  // Matplotlib draws a label as shapes of 100 units to the em, upside down
    const groups = [...drawing.querySelectorAll('g[transform*="scale(0."]')];
    const labels = groups.filter(one => one.querySelector(':scope > use')).map(one => one.getScreenCTM());
    const smallest = Math.min(...labels.map(({c, d}) => 100 * Math.hypot(c, d)));
    return [drawing.getAttribute('aria-label').slice(0, 40), Math.round(10 * smallest) / 10];
  });
}"""


# In *Learning*, the numbers of one figure, three grids in a row, have 8.2 pixels.
@pytest.mark.parametrize("name", [name for name in CHAPTERS if name != "learning"])
def test_labels_of_figures_can_be_read_on_a_phone(visit, address, name):
    page, _ = visit(f"{address}book/{name}.html", width=390)
    sizes = page.locator("figure > svg.d2l-figure").evaluate_all(LABELS)
    assert len(sizes) > 2
    assert [(figure, size) for figure, size in sizes if size < 9] == []


def test_surd_stands_beside_what_is_under_it(visit, address):
    page, _ = visit(f"{address}book/lenet.html")
    page.evaluate("document.fonts.ready")
    low = "root => [root, root.lastElementChild].map(part => part.getBoundingClientRect().bottom)"
    for bottom, inner in page.locator("msqrt").evaluate_all(f"all => all.map({low})"):
        assert bottom - inner < 12
    assert page.locator("msqrt").count() > 0


def test_figure_moves(chapter):
    chapter.locator(".d2l-live").first.scroll_into_view_if_needed()
    chapter.wait_for_selector(".d2l-live[data-ready] .d2l-view")


def test_policy_stops_what_it_should(visit, address):
    page, problems = visit(f"{address}book/convolution.html")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.stolen = 1\">')"
    )
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: 'stolen = 2'}))"
    )
    page.evaluate("fetch('https://example.org').catch(() => 0)")
    settle(page)
    assert page.evaluate("window.stolen") is None
    assert sum("Content Security Policy" in problem for problem in problems) >= 3


# ---- for readers who print, and for those who come to no page ----


def test_print_is_light_and_only_the_chapter_with_its_font(visit, address):
    page, _ = visit(f"{address}book/pooling.html", scheme="dark")
    assert (
        page.evaluate("[...document.fonts].find(f => f.family.includes('d2lconv Math')).status") == "loaded"
    )
    page.emulate_media(media="print")
    for part in (".sidebar-drawer", ".toc-drawer", ".content-icon-container", "footer", "details.hide"):
        assert page.locator(part).first.is_hidden(), part
    assert (
        page.locator("article p").nth(1).evaluate("text => getComputedStyle(text).color") == "rgb(27, 31, 36)"
    )
    assert page.locator("article").evaluate("text => text.getBoundingClientRect().width") > 1200


FREE = """figures => figures.map((figure) =>
    figure.getBoundingClientRect().bottom - figure.lastElementChild.getBoundingClientRect().bottom)"""


def test_print_leaves_no_room_for_what_paper_cannot_do(visit, address):
    page, _ = visit(f"{address}book/learning.html")
    page.emulate_media(media="print")
    free = page.locator(".d2l-live").evaluate_all(FREE)
    assert len(free) == 3
    assert max(free) < 20
    questions = page.locator(".d2l-ask:visible").all_inner_texts()
    assert min(map(len, questions)) > 40


def test_missing_address_shows_a_page_that_leads_on(browser, address):
    context = browser.new_context()
    page = context.new_page()
    answer = page.goto(f"{address}book/deep/er/gone.html", wait_until="networkidle")
    assert answer.status == 404
    assert page.locator("article h1").inner_text() == "Page not found"
    assert ink(page) == "#1b1f24"
    page.locator("article a", has_text="start of the course").click()
    page.wait_for_url(f"{address}book/index.html")
    context.close()


# ---- what is measured is noticed ----


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
