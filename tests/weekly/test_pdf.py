"""The printed book, of a few pages: every number, link and word where it belongs; and what goes wrong."""

import io
import re
import time

import pikepdf
import pypdf
import pytest
from tests.built_book import ROOT
from tools import pdf
from tools.book import Book
from tools.print_document import Entry, PrintDocument, make
from tools.print_page import PrintError

LEFT_OUT = ["Search the course", "Open in Colab", "Install d2lconv", "Show the solution", "TODO", "000 000"]
LEADS_AWAY = re.compile(r"https?://(?!book\.invalid)|mailto:")


@pytest.fixture(scope="module")
def document(site):
    only = ["book/pooling", "book/glossary", "book/bibliography"]
    return make(Book(ROOT), site, only)


@pytest.fixture(scope="module")
def content(document, site, browser):
    return pdf.print_book(document, site, browser)


@pytest.fixture(scope="module")
def reader(content):
    return pypdf.PdfReader(io.BytesIO(content))


@pytest.fixture(scope="module")
def texts(reader):
    """Return the text of each page, without spaces."""
    return [flat(page.extract_text()) for page in reader.pages]


def flat(text):
    return re.sub(r"\s+", "", text)


def outline(reader, items=None, level=1):
    """Yield level, title and page of each entry of the outline."""
    for item in reader.outline if items is None else items:
        if isinstance(item, list):
            yield from outline(reader, item, level + 1)
        else:
            yield level, item.title, reader.get_destination_page_number(item) + 1


@pytest.mark.slow
def test_contents_name_the_page_on_which_each_title_stands(document, content, texts):
    pages = pdf.pages_of(content)
    contents = "".join(texts[2 : pages["index"] - 1])
    assert contents.startswith("3Contents")
    chapter = ""
    for entry in document.entries:
        page = pages[entry.target]
        assert flat(entry.title) in texts[page - 1], entry
        assert flat(f"{entry.number}{entry.title}{page}") in contents, entry
        if entry.level == 2:
            chapter = flat(entry.name)
        if entry.level > 1:  # what runs along the top, and the number below
            assert texts[page - 1].startswith(f"{chapter}{page}"), entry


@pytest.mark.slow
def test_outline_is_the_contents(document, content, reader):
    pages = pdf.pages_of(content)
    expected = [(entry.level, entry.name, pages[entry.target]) for entry in document.entries]
    assert list(outline(reader)) == expected


@pytest.mark.slow
def test_links_lead_to_places_of_the_book_or_out_of_it(reader):
    inside, outside = set(), set()
    for page in reader.pages:
        for link in (annotation.get_object() for annotation in page.get("/Annots", [])):
            if "/Dest" in link:
                inside.add(link["/Dest"])
            else:
                outside.add(link["/A"]["/URI"])
    assert len(inside) > 50
    assert inside <= set(reader.named_destinations)
    assert any("zhang2019" in name for name in inside)
    assert len(outside) > 50
    assert [address for address in outside if not LEADS_AWAY.match(address)] == []


@pytest.mark.slow
def test_words_of_the_screen_are_left_out_and_those_of_the_book_are_there(reader, texts):
    whole = "".join(texts)
    assert [words for words in LEFT_OUT if flat(words) in whole] == []
    assert whole.count(flat("To move this figure, open it on its page.")) == 1
    assert len(re.findall(r"Solution:page\d+", whole)) == 6
    assert "LeCun" in whole
    assert 25 <= len(reader.pages) <= 60


@pytest.mark.slow
def test_formulas_are_printed_by_the_font_made_for_them(document, reader, texts):
    fonts = set()
    for page in reader.pages:
        fonts |= {
            str(font.get_object()["/BaseFont"]) for font in page["/Resources"].get("/Font", {}).values()
        }
    assert any("d2lconvMath" in font for font in fonts)
    assert any("STIXGeneral" in font for font in fonts)
    assert any("DejaVuSansMono" in font for font in fonts)
    assert "".join(texts).count("∑") == document.text.count("∑") > 0


@pytest.mark.slow
def test_pdf_says_what_it_is_and_not_when_it_was_made(document, reader):
    assert dict(reader.metadata) == {
        "/Title": document.title,
        "/Author": document.author,
        "/Subject": f"d2lconv {document.version}",
    }
    assert reader.root_object["/Lang"] == "en"
    assert reader.root_object["/MarkInfo"]["/Marked"]
    assert all(page.mediabox.width == pytest.approx(595, abs=1) for page in reader.pages)


def test_file_that_the_site_lacks_is_reported(browser, tmp_path):
    with pytest.raises(PrintError, match=r"asked for what is not in .*: _static/a\.png"):
        pdf.print_once('<img src="_static/a.png">', tmp_path, browser)


def test_nothing_is_asked_of_others(browser, tmp_path):
    with pytest.raises(PrintError, match=r"http://elsewhere\.invalid/a\.png"):
        pdf.print_once('<img src="http://elsewhere.invalid/a.png">', tmp_path, browser)


# ---- printing until the numbers are right, without a browser ----

SMALL = PrintDocument(
    "Title", "us", "1", [Entry(1, "A", "a")], '<a class="d2l-page-of" href="#a"></a><p id="a">A</p>'
)


def pdf_with(page):
    """Return a PDF of three pages in which the target `a` stands on one."""
    made = pikepdf.new()
    for _ in range(3):
        made.add_blank_page()
    place = pikepdf.Array([made.pages[page - 1].obj, pikepdf.Name.XYZ, 0, 0, 0])
    made.Root.Dests = pikepdf.Dictionary(a=place)
    target = io.BytesIO()
    made.save(target)
    return target.getvalue()


def printing(monkeypatch, *pages):
    """Let the target stand on other pages whenever the book is printed; return what is printed."""
    left, printed = list(pages), []

    def once(text, site, browser):
        printed.append(text)
        return pdf_with(left.pop(0))

    monkeypatch.setattr(pdf, "print_once", once)
    return printed


def test_book_is_printed_until_its_numbers_are_right(monkeypatch, tmp_path):
    printed = printing(monkeypatch, 2, 3, 3)
    content = pdf.print_book(SMALL, tmp_path, None)
    assert [re.search(r">(\d+)<", text)[1] for text in printed] == ["000", "2", "3"]
    assert list(outline(pypdf.PdfReader(io.BytesIO(content)))) == [(1, "A", 3)]


def test_numbers_that_never_settle_are_reported(monkeypatch, tmp_path):
    printing(monkeypatch, 2, 3, 2, 3)
    with pytest.raises(PrintError, match="pages still moved"):
        pdf.print_book(SMALL, tmp_path, None)


def test_same_book_gives_the_same_bytes():
    first = pdf.finished(pdf_with(2), SMALL)
    time.sleep(1.1)  # whatever has the second of its making in it would differ
    assert pdf.finished(pdf_with(2), SMALL) == first


def image(pdf, width, mask=None):
    size = {"Width": width, "Height": 4 // width}
    more = {} if mask is None else {"SMask": mask}
    return pdf.make_stream(b"1234", Type=pikepdf.Name.XObject, Subtype=pikepdf.Name.Image, **size, **more)


def test_equal_images_are_kept_once():
    with pikepdf.open(io.BytesIO(pdf_with(2))) as made:
        for page, width in zip(made.pages, [4, 4, 2], strict=True):
            drawn = image(made, width, image(made, 1))
            page.obj.Resources = pikepdf.Dictionary(XObject=pikepdf.Dictionary(A=drawn))
        target = io.BytesIO()
        made.save(target)
    with pikepdf.open(io.BytesIO(pdf.finished(target.getvalue(), SMALL))) as made:
        first, second, third = (page.Resources.XObject.A for page in made.pages)
        assert first.objgen == second.objgen != third.objgen
        assert first.SMask.objgen == third.SMask.objgen != first.objgen
        assert (first.Width, third.Width) == (4, 2)


@pytest.mark.parametrize("missing", ["site", "browser"])
def test_what_is_missing_is_reported(monkeypatch, capsys, tmp_path, missing):
    monkeypatch.setattr("sys.argv", ["pdf", str(tmp_path)])
    monkeypatch.setattr("tests.chromium.find_browser", lambda: None if missing == "browser" else "chromium")
    with pytest.raises(SystemExit):
        pdf.main()
    said = {"site": "run: make book", "browser": "no Chromium: install one"}
    assert said[missing] in capsys.readouterr().err
