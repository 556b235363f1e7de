"""The printed book, as its reader gets it: contents, links, running heads, fonts, nothing cut off."""

import io
import re
import unicodedata
from functools import cache
from itertools import pairwise
from types import SimpleNamespace

import pypdf
import pytest
import yaml
from tests.built_book import ROOT, parse
from tools import pdf

LEFT_OUT = ["Search the course", "Install d2lconv", "Show the solution", "TODO"]
MARGIN = 22  # mm at both sides

# What stands further right than the text may, or is cut off, on paper.
TOO_WIDE = """() => [...document.querySelectorAll("body *")].filter(element => {
  if (element.parentElement.closest("svg") || !element.checkVisibility()) return false;
  const hides = getComputedStyle(element).overflowX !== "visible" && element.localName !== "svg";
  const cut = hides && element.clientWidth > 1 && element.scrollWidth > element.clientWidth + 1;
  return cut || element.getBoundingClientRect().right > innerWidth + 1;
}).map(element => element.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="module")
def opened(site, browser):
    page = pdf.open_document(pdf.join(ROOT, site), site, browser)
    yield page
    page.close()


@pytest.fixture(scope="module")
def content(opened):
    return pdf.print_document(opened)


@pytest.fixture(scope="module")
def reader(content):
    return pypdf.PdfReader(io.BytesIO(content))


@pytest.fixture(scope="module")
def text(reader):
    """Return a function that gives the text of a page, from 1, without spaces."""
    return cache(lambda page: flat(reader.pages[page - 1].extract_text()))


@pytest.fixture(scope="module")
def outline(reader):
    return list(entries(reader, reader.outline))


def entries(reader, items, level=1):
    """Yield level, title and page of each entry of an outline."""
    for item in items:
        if isinstance(item, list):
            yield from entries(reader, item, level + 1)
        else:
            yield level, item.title, reader.get_destination_page_number(item) + 1


def flat(text):
    return re.sub(r"\s+", "", text)


def expected(site):
    """Return level and title of the parts and chapters that the book should have."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text("utf-8"))
    found, number = [(1, toc["title"])], 0
    for numeral, part in zip(["Part I ", "Part II ", ""], toc["parts"], strict=True):
        found.append((1, numeral + part["caption"]))
        for name in (entry["file"] for entry in part["chapters"]):
            heading = parse(site / f"{name}.html").find(".//article//h1")
            for part in heading.cssselect(".section-number, .headerlink"):
                part.drop_tree()
            title = heading.text_content()
            if (ROOT / f"{name}.ipynb").is_file() and name != "book/gallery":
                number += 1
                title = f"{number} {title}"
            if name not in pdf.ONLY_ON_SCREEN:
                found.append((2, title))
    return found


def test_outline_has_every_part_and_chapter(site, outline):
    above = [(level, title) for level, title, _ in outline if level < 3]
    assert above == expected(site)


def test_contents_name_the_page_on_which_each_title_stands(outline, text):
    start = next(page for _, title, page in outline if title == "Start here")
    contents = "".join(map(text, range(3, start)))
    for level, title, page in outline:
        assert flat(f"{title}{page}") in contents, title
        if level < 3 or page % 5 == 0:  # reading all pages takes a minute
            assert flat(title) in text(page), title
    assert len(outline) > 150


def test_pages_of_a_chapter_have_its_title_above_and_their_number_below(outline, text):
    above = [entry for entry in outline if entry[0] < 3]
    for (level, title, first), (_, _, following) in pairwise(above):
        if level == 2:
            for page in {first, (first + following) // 2, following - 1}:
                assert text(page).startswith(flat(f"{title}{page}")), title


def test_links_lead_to_places_of_the_book_or_out_of_it(reader):
    inside, outside = set(), set()
    for page in reader.pages:
        for link in (annotation.get_object() for annotation in page.get("/Annots", [])):
            if "/Dest" in link:
                inside.add(link["/Dest"])
            else:
                outside.add(link["/A"]["/URI"])
    assert len(inside) > 400
    assert inside <= set(reader.named_destinations)
    assert any("zhang2019" in name for name in inside)
    assert len(outside) > 60
    assert [address for address in outside if not re.match(r"https?://(?!book\.invalid)", address)] == []


def test_solutions_stand_at_the_end_of_their_chapter(content, text):
    pages = pdf.pages_of(content)
    solutions = {name: page for name, page in pages.items() if "--solution-of-" in name}
    assert len(solutions) > 60
    for name, page in solutions.items():
        chapter, exercise = name.split("--solution-of-")
        there = pages[f"{chapter}--{exercise}"]
        assert there <= pages[f"{chapter}--solutions"] <= page
        if exercise == "exercise-1":
            assert f"Solution:page{page}" in text(there) + text(there + 1) + text(there + 2), name
            assert "Solutions" in text(pages[f"{chapter}--solutions"])


def test_words_of_the_screen_are_left_out(opened):
    whole = opened.inner_text("body")
    assert [words for words in LEFT_OUT if words in whole] == []
    assert opened.locator("a", has_text="Open in Colab").count() == 0
    assert whole.count("To move this figure, open it on its page.") >= 9


def test_nothing_is_cut_off_or_wider_than_the_text(opened, content):
    opened.emulate_media(media="print")
    opened.set_viewport_size({"width": round((210 - 2 * MARGIN) / 25.4 * 96), "height": 900})
    opened.add_style_tag(content=".d2l-cover { display: none !important }")
    assert opened.evaluate(TOO_WIDE) == []


def test_fonts_are_embedded_and_formulas_have_the_one_made_for_them(reader):
    fonts = {}
    for page in reader.pages:
        for font in page["/Resources"].get("/Font", {}).values():
            font = font.get_object()
            inner = font["/DescendantFonts"][0].get_object() if "/DescendantFonts" in font else font
            fonts[str(font.get("/BaseFont", "Type3")).split("+")[-1]] = (font["/Subtype"], inner)
    for name, (kind, font) in fonts.items():
        assert kind == "/Type3" or any("FontFile" in key for key in font["/FontDescriptor"].get_object()), (
            name
        )
    assert any("d2lconvMath" in name for name in fonts)
    assert any("STIXGeneral" in name for name in fonts)
    assert any("DejaVuSansMono" in name for name in fonts)


def test_pdf_says_what_it_is_and_not_when_it_was_made(reader):
    assert reader.metadata["/Author"] == "the d2lconv authors"
    assert reader.metadata["/Title"]
    assert "/CreationDate" not in reader.metadata
    assert reader.root_object["/Lang"] == "en"
    assert reader.root_object["/MarkInfo"]["/Marked"]
    assert all(page.mediabox.width == pytest.approx(595, abs=1) for page in reader.pages)


def test_chinese_edition_has_its_own_words_and_its_characters(site, browser):
    document = pdf.join(ROOT, site / "zh", only=["book/pooling"], language="zh-Hans")
    page = pdf.open_document(document, site / "zh", browser)
    reader = pypdf.PdfReader(io.BytesIO(pdf.print_document(page)))
    page.close()
    titles = [title for _, title, _ in entries(reader, reader.outline)]
    assert {"从这里开始", "第一部分 卷积", "5 池化（汇聚）", "参考答案"} <= set(titles)
    assert reader.root_object["/Lang"] == "zh-Hans"
    # Chromium may write a character as its look-alike among the radicals: ⽬ for 目
    assert "目录" in unicodedata.normalize("NFKC", flat(reader.pages[2].extract_text()))
    fonts = {str(font) for one in reader.pages for font in one["/Resources"].get("/Font", {}).values()}
    assert fonts


def test_size(content):
    assert len(content) < 7.4e6


@pytest.mark.parametrize("address", ["_static/a.png", "http://elsewhere.invalid/a.png"])
def test_what_the_site_lacks_is_reported_and_others_are_not_asked(browser, tmp_path, address):
    with pytest.raises(pdf.PrintError, match=r"asks for what is not in .*a\.png"):
        pdf.open_document(f'<img src="{address}">', tmp_path, browser)


def test_numbers_that_never_settle_are_reported(monkeypatch):
    numbers = iter([{"a": 2}, {"a": 3}, {"a": 2}, {"a": 3}])
    monkeypatch.setattr(pdf, "pages_of", lambda content: next(numbers))
    page = SimpleNamespace(evaluate=lambda *_: None, pdf=lambda **_: b"")
    with pytest.raises(pdf.PrintError, match="still change"):
        pdf.print_document(page)
