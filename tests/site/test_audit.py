"""What a page costs a reader, and that nothing was lost when it was made to cost less."""

import re
from itertools import pairwise

import pytest
from fontTools.ttLib import TTFont
from tests.built_book import NAMED, ROOT, pages_in_toc
from tools.page_cost import FIGURES, measure
from tools.page_cost import serve as serve_compressed

import lean_styles

PAGES = [*pages_in_toc(), "search", "genindex", "py-modindex"]
CHAPTERS = [name for name in pages_in_toc() if (ROOT / f"{name}.ipynb").exists()]

# Bytes of a first visit, compressed, with heads of answers. At first: 76 to 290 KB in 15 to 19 answers.
MOST_BYTES = 350_000
MOST_BYTES_BESIDE_TEXT_AND_FIGURES = 160_000
MOST_REQUESTS = 24
MOST_SHIFT = 0.02


@pytest.fixture(scope="session")
def address(site):
    with serve_compressed(site) as base:
        yield base


@pytest.mark.parametrize("name", PAGES)
def test_page_is_light_and_keeps_to_itself(browser, address, name):
    report = measure(browser, address, f"{name}.html", read=False)
    assert report.outside == []
    assert report.refused == []
    assert report.total <= MOST_BYTES, report.bytes
    of_its_own = report.bytes["html"] + report.bytes[FIGURES]
    assert report.total - of_its_own <= MOST_BYTES_BESIDE_TEXT_AND_FIGURES, report.bytes
    assert report.requests <= MOST_REQUESTS
    assert report.shift <= MOST_SHIFT


def test_chapters_do_not_load_the_search(site):
    for name in CHAPTERS:
        assert "searchindex.js" not in (site / f"{name}.html").read_text(encoding="utf-8")
    assert "searchindex.js" in (site / "search.html").read_text(encoding="utf-8")


# ---- the one style sheet draws what its sources draw ----

# Of elements that are alike in kind, classes and place, one is looked at.
LOOK = r"""(names) => {
  const id = (element) => element.id.replace(/\d+$/, "");
  const name = (element) => `${element.localName}.${element.getAttribute("class") ?? ""}#${id(element)}`;
  const looks = {};
  for (const element of document.querySelectorAll("html, body, body *")) {
    const above = [];
    for (let up = element; up && above.length < 4; up = up.parentElement) above.push(name(up));
    if (above.join(" < ") in looks) continue;
    looks[above.join(" < ")] = [null, "::before", "::after"].map((part) => {
      const style = getComputedStyle(element, part);
      if (part && style.content === "none") return "";
      return names.map((property) => `${property}: ${style.getPropertyValue(property)}`).join("; ");
    });
  }
  return looks;
}"""
STILL = "*, ::before, ::after { transition: none !important; animation: none !important }"


def sources(site):
    """Return the style sheet as it would be with every rule of its sources."""
    static = site / "_static"
    css = (static / lean_styles.NAME).read_text(encoding="utf-8")
    names = re.match(r"/\* Made of (.*) \*/", css)[1].split()
    icons = "".join(re.findall(r"@font-face\s*\{[^{}]*icons-[^{}]*\}", css))
    return lean_styles.joined(static, names) + icons


def looks(page, state, names):
    page.add_style_tag(content=STILL)
    if state:
        state(page)
    page.wait_for_timeout(200)
    return page.evaluate(LOOK, names)


def differences(one, other):
    """Name what looks otherwise."""
    found = [f"{name}: is in one page alone" for name in one.keys() ^ other.keys()]
    for name in one.keys() & other.keys():
        for before, after in zip(one[name], other[name], strict=True):
            pairs = zip(before.split("; "), after.split("; "), strict=False)
            found += [f"{name}: {a} / {b}" for a, b in pairs if a != b]
    return found


def opened_menu(page):
    page.locator(".dropdown-download-buttons > button").click()


def tooltip(page):
    page.locator(".btn-fullscreen-button").hover()
    page.wait_for_selector(".tooltip")


def search_dialog(page):
    page.keyboard.press("Control+k")
    page.wait_for_selector("#pst-search-dialog[open]")


def copied(page):
    page.locator("div.highlight").first.hover()
    page.locator("button.copybtn").first.click()
    page.wait_for_selector("button.copybtn.success")


def contents(page):
    page.locator(".secondary-toggle").click()
    page.wait_for_selector("#pst-secondary-sidebar-modal[open]")


def side_bar(page):
    page.locator(".primary-toggle").click()
    page.wait_for_selector("#pst-primary-sidebar-modal[open]")


def results(page):
    page.wait_for_selector("#search-results li a")


STATES = [
    ("book/index", 1280, "light", None),
    ("book/data", 360, "dark", None),
    ("book/api", 1280, "light", None),
    ("book/bibliography", 360, "light", None),
    ("genindex", 1280, "dark", None),
    ("book/convolution", 1280, "dark", None),
    ("book/index", 1280, "light", opened_menu),
    ("book/index", 1280, "dark", tooltip),
    ("book/index", 1280, "light", search_dialog),
    ("book/index", 1280, "dark", copied),
    ("book/index", 360, "light", contents),
    ("book/index", 360, "dark", side_bar),
    ("book/index", 800, "light", side_bar),
    ("search", 1280, "light", results),
]


@pytest.mark.parametrize(
    ("name", "width", "scheme", "state"),
    STATES,
    ids=lambda value: getattr(value, "__name__", None) or str(value),
)
def test_page_looks_as_with_every_rule_of_the_theme(browser, address, site, name, width, scheme, state):
    full = sources(site)
    seen, names = [], []
    for whole in (True, False):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        if whole:
            context.route("**/styles.css*", lambda route: route.fulfill(body=full, content_type="text/css"))
        page = context.new_page()
        page.goto(f"{address}{name}.html{'?q=kernel' if state is results else ''}", wait_until="networkidle")
        names = names or page.evaluate(NAMED)
        seen.append(looks(page, state, names))
        context.close()
    assert len(names) > 150
    assert len(seen[0]) > 50
    assert differences(*seen) == []


def test_a_lost_rule_is_noticed(visit, serve, tmp_path):
    (tmp_path / "a.html").write_text("<style>.x::before { content: 'a' }</style><p class=x>b</p>")
    (tmp_path / "b.html").write_text("<style>.x::before { content: 'a'; color: red }</style><p class=x>b</p>")
    base = serve(tmp_path)
    pages = [visit(f"{base}/{name}.html")[0] for name in "ba"]
    seen = [looks(page, None, pages[0].evaluate(NAMED)) for page in pages]
    assert any("color: rgb(255, 0, 0)" in line for line in differences(*seen))


@pytest.fixture(scope="session")
def fonts(site):
    return {
        "Font Awesome 6 Free": TTFont(site / "_static/icons-fa-solid-900.woff").getBestCmap(),
        "Font Awesome 6 Brands": TTFont(site / "_static/icons-fa-brands-400.woff").getBestCmap(),
    }


@pytest.mark.parametrize("name", PAGES)
def test_icons_are_in_the_fonts_and_headings_in_order(visit, address, fonts, name):
    page, _ = visit(f"{address}{name}.html")
    drawn = page.evaluate(
        """() => [...document.querySelectorAll("body [class*='fa-']")].map((icon) => {
          const style = getComputedStyle(icon, "::before");
          return [icon.className, style.fontFamily.replaceAll('"', ""), style.content];
        })"""
    )
    assert len(drawn) > 5
    for icon, family, content in drawn:
        assert ord(content.strip('"')) in fonts[family], icon
    visible = "headings => headings.filter(h => h.checkVisibility()).map(h => Number(h.localName[1]))"
    levels = page.locator("main :is(h1, h2, h3, h4, h5, h6)").evaluate_all(visible)
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels)), levels


# ---- everything can still be used, under the page's own policy ----


@pytest.fixture
def chapter(visit, address):
    page, problems = visit(f"{address}book/convolution.html")
    page.wait_for_load_state("networkidle")
    yield page
    assert problems == []  # a script that the policy stops says so


def test_theme_switch(chapter):
    seen = []
    for _ in range(3):
        chapter.locator(".theme-switch-button").click()
        seen.append(chapter.evaluate("document.documentElement.dataset.mode"))
        assert chapter.locator(".theme-switch:visible").get_attribute("data-mode") == seen[-1]
    assert sorted(seen) == ["auto", "dark", "light"]


def test_dark_reader_never_sees_a_light_page(browser, address):
    context = browser.new_context(color_scheme="dark")
    page = context.new_page()
    page.route("**/pydata-sphinx-theme.js*", lambda route: route.abort())
    page.goto(f"{address}book/index.html")
    assert page.evaluate("document.documentElement.dataset.theme") == "dark"
    context.close()


def test_search_from_the_keyboard(chapter):
    chapter.keyboard.press("Control+k")
    chapter.keyboard.type("stride")
    chapter.keyboard.press("Enter")
    chapter.wait_for_selector("#search-results li a[href*='book/padding_stride.html']")
    chapter.locator("#search-results li a").first.click()
    chapter.wait_for_selector("span.highlighted")


def test_search_button_and_escape(chapter):
    chapter.locator(".search-button-field:visible").click()
    assert chapter.locator("#pst-search-dialog").evaluate("dialog => dialog.open")
    chapter.keyboard.press("Escape")
    assert not chapter.locator("#pst-search-dialog").evaluate("dialog => dialog.open")


def test_search_field_s_icon_stands_beside_its_words(chapter):
    chapter.keyboard.press("Control+k")
    icon, field = (
        chapter.locator(f"#pst-search-dialog {part}").bounding_box() for part in ("form i", "input")
    )
    assert icon["width"] == pytest.approx(24, abs=1)
    assert icon["x"] + icon["width"] <= field["x"]


def test_launch_button_from_the_keyboard(chapter):
    chapter.locator(".dropdown-launch-buttons > button").focus()
    chapter.keyboard.press("Enter")
    link = chapter.locator(".dropdown-launch-buttons .dropdown-item")
    assert link.is_visible()
    assert link.get_attribute("href").startswith("https://colab.research.google.com/github/")
    chapter.keyboard.press("ArrowDown")
    assert link.evaluate("link => document.activeElement === link")


def test_print_and_full_screen_buttons(chapter):
    chapter.evaluate(
        """() => {
          window.pressed = [];
          window.print = () => pressed.push("print");
          document.documentElement.requestFullscreen = () => pressed.push("full screen");
        }"""
    )
    chapter.locator(".dropdown-download-buttons > button").click()
    chapter.locator(".btn-download-pdf-button").click()
    chapter.locator(".btn-fullscreen-button").click()
    assert chapter.evaluate("pressed") == ["print", "full screen"]


def test_tooltip(chapter):
    chapter.locator(".btn-source-repository-button").hover()
    chapter.wait_for_selector(".tooltip")
    assert chapter.locator(".tooltip").inner_text().strip() == "Source repository"


def test_copy_button(chapter):
    chapter.context.grant_permissions(["clipboard-read", "clipboard-write"])
    code = chapter.locator(".cell_input:visible pre").first
    code.hover()
    chapter.locator(".cell_input:visible button.copybtn").first.click()
    chapter.wait_for_selector("button.copybtn.success")
    assert chapter.evaluate("navigator.clipboard.readText()").split() == code.inner_text().split()


def test_side_bar_hides_and_shows(chapter):
    side = chapter.locator("#pst-primary-sidebar")
    for shown in (False, True):
        chapter.locator(".primary-toggle").click()
        chapter.wait_for_timeout(400)
        box = side.bounding_box()
        assert (box is not None and box["width"] > 100 and box["x"] > -100) == shown


def test_side_bars_on_a_phone(visit, address):
    page, problems = visit(f"{address}book/convolution.html", width=360)
    for toggle, dialog in [("primary", "primary"), ("secondary", "secondary")]:
        page.locator(f".{toggle}-toggle").click()
        assert page.locator(f"#pst-{dialog}-sidebar-modal a").first.is_visible()
        page.keyboard.press("Escape")
        assert not page.locator(f"#pst-{dialog}-sidebar-modal").evaluate("dialog => dialog.open")
    assert problems == []


def test_contents_follow_the_reader(chapter):
    chapter.locator("#summary").scroll_into_view_if_needed()
    chapter.evaluate("document.getElementById('summary').scrollIntoView({behavior: 'instant'})")
    chapter.wait_for_selector("#pst-page-toc-nav a.active[href='#summary']")


def test_previous_and_next(chapter):
    chapter.locator("a.right-next").click()
    chapter.wait_for_url("**/book/padding_stride.html")
    chapter.locator("a.left-prev").click()
    chapter.wait_for_url("**/book/convolution.html")


def test_figure_moves(chapter):
    place = chapter.locator(".d2l-live").first
    place.scroll_into_view_if_needed()
    chapter.wait_for_selector(".d2l-live[data-ready] .d2l-interactive")


def test_first_tab_skips_to_the_text(chapter):
    chapter.keyboard.press("Tab")
    link = chapter.locator("#pst-skip-link a")
    assert link.evaluate("link => document.activeElement === link")
    chapter.wait_for_function(  # it slides in
        "link => { const box = link.getBoundingClientRect(); return box.y >= 0 && box.height > 10; }",
        arg=link.element_handle(),
    )
    chapter.keyboard.press("Enter")
    chapter.keyboard.press("Tab")
    assert chapter.evaluate("document.activeElement.closest('main') !== null")


def test_policy_stops_what_it_should(visit, address):
    page, problems = visit(f"{address}book/convolution.html")
    page.evaluate(
        "document.body.insertAdjacentHTML('beforeend', '<img src=x onerror=\"window.stolen = 1\">')"
    )
    page.evaluate(
        "document.head.append(Object.assign(document.createElement('script'), {text: 'stolen = 2'}))"
    )
    page.evaluate("fetch('https://example.org').catch(() => 0)")
    page.wait_for_timeout(300)
    assert page.evaluate("window.stolen") is None
    assert sum("Content Security Policy" in problem for problem in problems) >= 3


# ---- for readers who print, and for those who come to no page ----


def test_print_is_light_and_only_the_chapter(visit, address):
    page, _ = visit(f"{address}book/convolution.html", scheme="dark")
    page.emulate_media(media="print")
    for part in ("#pst-primary-sidebar", "#pst-secondary-sidebar", ".bd-header-article", ".prev-next-footer"):
        assert page.locator(part).is_hidden(), part
    ink = page.locator("article p").first.evaluate("text => getComputedStyle(text).color")
    assert ink == "rgb(27, 31, 36)"


def test_missing_address_shows_a_page_that_leads_on(browser, site):
    context = browser.new_context()
    page = context.new_page()
    with serve_compressed(site, under="/d2lconv/") as base:
        answer = page.goto(f"{base}book/deep/er/gone.html", wait_until="networkidle")
        assert answer.status == 404
        assert page.locator("article h1").inner_text() == "Page not found"
        assert page.evaluate("getComputedStyle(document.body).fontFamily") != "Times New Roman"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # skip to the text
        page.wait_for_url("**/404.html#main-content")
        page.locator("article a", has_text="start of the course").click()
        page.wait_for_url(f"{base}book/index.html")
    context.close()


# ---- what is measured is noticed ----


def test_audit_notices_what_is_wrong(browser, tmp_path):
    (tmp_path / "index.html").write_text(
        "<!doctype html><meta http-equiv='Content-Security-Policy' content=\"script-src 'none'\">"
        "<link rel=icon href=data:,><img src='https://nowhere.invalid/a.png'>"
        "<script src='a.js'></script><img src='late.svg'><p>This moves</p>" + "<p>text</p>" * 40
    )
    (tmp_path / "late.svg").write_text('<svg xmlns="http://www.w3.org/2000/svg" width="300" height="300"/>')
    (tmp_path / "a.js").write_text("1")
    with serve_compressed(tmp_path) as base:
        report = measure(browser, base, "index.html")
    assert report.outside == ["https://nowhere.invalid/a.png"]
    assert [text.split(":")[0] for text in report.refused] == ["script-src-elem"]
    assert report.requests == 2
    assert report.bytes["html"] > 100
    assert report.bytes["image"] > 100
