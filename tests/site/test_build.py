"""The book builds without a warning, asks nobody else for anything, and its links lead somewhere."""

import json
import re
from collections import Counter

import pytest
import yaml
from tests.built_book import (
    ROOT,
    broken_links,
    build_once,
    loads_from_elsewhere,
    markup,
    pages,
    pages_in_toc,
    parse,
    warnings,
    without_description,
)


@pytest.fixture(scope="session")
def book_build(tmp_path_factory):
    """Build the book, or take the build of another worker."""
    return build_once(tmp_path_factory)


@pytest.fixture(scope="session")
def site(book_build):
    """Folder of the built book."""
    return book_build.site


def test_build_is_free_of_warnings(book_build):
    assert warnings(book_build.log) == []
    assert book_build.code == 0, book_build.log[-2000:]


def test_pages_are_those_of_the_table_of_contents(site):
    found = {path.relative_to(site).with_suffix("").as_posix() for path in pages(site)}
    made = {"index", "search", "genindex", "py-modindex"}
    written = found - made - {f"zh/{name}" for name in made} - {"404"}
    assert written == {edition + name for edition in ("", "zh/") for name in pages_in_toc()}


def test_nothing_is_loaded_from_elsewhere(site):
    assert loads_from_elsewhere(site) == []


def test_links_lead_somewhere(site):
    assert broken_links(site) == []


def test_every_image_says_what_it_shows(site):
    assert without_description(site) == []


def test_start_page_leads_to_the_landing_page_without_a_server(site):
    refresh = parse(site / "index.html").find(".//meta[@http-equiv='refresh']")
    assert refresh.get("content") == "0; url=book/index.html"


def test_formulas_are_mathml(site):
    page = parse(site / "book/convolution.html")
    assert len(page.findall(".//math")) > 20
    assert page.find(".//annotation") is None  # a search or a copy would have each formula twice


def test_a_formula_and_the_punctuation_behind_it_stay_on_one_line(site):
    formulas = [formula for page in pages(site) for formula in parse(page).cssselect("p math, li math")]
    loose = [formula for formula in formulas if "d2l-tied" not in formula.getparent().classes]
    assert len(parse(site / "book/padding_stride.html").cssselect(".d2l-tied > math")) > 10
    assert [one for one in loose if (one.tail or "").startswith(tuple(".,;:!?)"))] == []


def test_figures_are_drawings_in_the_theme_s_colours(site):
    drawings = parse(site / "book/convolution.html").cssselect("svg.d2l-figure")
    assert drawings
    assert all("var(--d2l-" in markup(drawing) for drawing in drawings)


@pytest.mark.parametrize("page", pages_in_toc())
def test_ids_are_unique(site, page):
    ids = parse(site / f"{page}.html").xpath("//@id")
    assert [name for name, times in Counter(ids).items() if times > 1] == []


def test_page_is_described_by_its_promise_and_has_a_card(site):
    page = parse(site / "book/convolution.html")
    texts = [p.text_content() for p in page.cssselect("article p")]
    promise = next(text for text in texts if "Open in Colab" not in text)
    for name in ("@name='description'", "@property='og:description'"):
        assert page.find(f"head/meta[{name}]").get("content")[:60] == promise[:60]
    base = yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]
    assert page.find("head/link[@rel='canonical']").get("href") == f"{base}book/convolution.html"
    card = page.find("head/meta[@property='og:image']").get("content")
    assert (site / card.removeprefix(base)).read_bytes().startswith(b"\x89PNG")


def test_chapters_say_to_search_engines_what_they_teach(site):
    script = parse(site / "book/convolution.html").find(".//script[@type='application/ld+json']")
    said = json.loads(script.text)
    assert (said["@type"], said["name"], said["inLanguage"]) == ("LearningResource", "Convolution", "en")
    assert re.fullmatch(r"PT[23]\dM", said["timeRequired"])
    assert said["description"]
    assert parse(site / "book/glossary.html").find(".//script[@type='application/ld+json']") is None


def test_start_page_lists_every_page_of_the_contents(site):
    links = parse(site / "book/index.html").cssselect("#chapters a.reference")
    listed = {link.get("href") for link in links}
    assert {f"{page.removeprefix('book/')}.html" for page in pages_in_toc()[1:]} <= listed


@pytest.mark.parametrize("name", ["d2lconv.ops.conv2d", "d2lconv.shapes.conv_output_size"])
def test_api_documents_public_names(site, name):
    assert name in parse(site / "book/api.html").xpath("//@id")


def test_bibliography_entries_have_their_key_as_anchor(site):
    entry = parse(site / "book/bibliography.html").get_element_by_id("lecun1998")
    assert "Gradient-based learning" in entry.text_content()


# ---- the checks notice what they are for ----

SPOILED = {
    loads_from_elsewhere: [
        '<script src="https://cdn.example/x.js"></script>',
        '<link rel="stylesheet" href="//fonts.example/a.css">',
        '<img alt="A dot" src="http://example.org/dot.png">',
        '<p style="background: url(https://example.org/a.png)">x</p>',
        "<style>@import 'https://example.org/a.css';</style>",
    ],
    broken_links: [
        '<a href="nowhere.html">x</a>',
        '<a href="#nowhere">x</a>',
        '<a href="other.html#nowhere">x</a>',
        '<img alt="A dot" src="nowhere.png">',
    ],
    without_description: [
        '<img src="a.png">',
        '<img src="a.png" alt=" ">',
        "<article><svg><path/></svg></article>",
    ],
}


@pytest.mark.parametrize(
    ("check", "markup"), [(check, markup) for check, markups in SPOILED.items() for markup in markups]
)
def test_check_finds_a_spoiled_page(tmp_path, check, markup):
    page = tmp_path / "page.html"
    (tmp_path / "other.html").write_text('<p id="here">x</p>')
    page.write_text('<a href="other.html#here">x</a> <a href="https://example.org">y</a>')
    assert check(tmp_path) == []
    page.write_text(markup)
    assert len(check(tmp_path)) == 1


def test_check_finds_a_style_sheet_that_loads_from_elsewhere(tmp_path):
    (tmp_path / "a.css").write_text("p { background: url('https://example.org/a.png') }")
    assert len(loads_from_elsewhere(tmp_path)) == 1


def test_log_of_a_build_with_warnings_is_noticed():
    log = "reading sources\nbook/x.md:3: WARNING: document isn't included\nbuild finished with problems"
    assert warnings(log) == ["book/x.md:3: WARNING: document isn't included"]
