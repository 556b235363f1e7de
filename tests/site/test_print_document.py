"""Pages made ready for paper, and joined: what is left out, where links lead, what stands at the end."""

import pytest
import yaml
from bs4 import BeautifulSoup
from tests.built_book import ROOT, build_once
from tools import print_document
from tools.book import Book
from tools.print_document import make
from tools.print_page import Places, PrintError, prepare

PAGES = ["book/one.html", "book/two.html"]
ADDRESS = "https://example.org/"
PAGE = """<nav>Menu</nav><article class="bd-article"><section id="one">
<h1>One<a class="headerlink" href="#one">#</a></h1>
<p><a href="https://colab.research.google.com/x">Open in Colab</a></p>
<div class="cell tag_hide-input"><details><summary>Install d2lconv where it is missing</summary>pip</details>
</div>
<p><a href="two.html#b">b</a> <a href="two.html">two</a> <a href="../genindex.html">index</a></p>
<section id="figures"><h2>Figures</h2>
<div class="d2l-live" data-model="1"><svg aria-labelledby="t"><title id="t">A</title><use href="#s"/>
<g clip-path="url(#c)"/></svg></div><img src="../_images/a.png" alt="a"></section>
<section id="exercises"><h2>Exercises</h2><section id="exercise-1"><h3>Exercise 1 · Sum ★★</h3><p>Add.</p>
<div class="cell tag_hide-cell"><details><summary>Show the solution</summary><pre>1 + 1</pre></details></div>
</section></section></section></article>"""


@pytest.fixture
def page():
    return prepare(PAGE, "book/one.html", Places(PAGES, ADDRESS))


def test_what_only_a_screen_needs_is_left_out(page):
    text = page.get_text()
    for word in ("Menu", "#", "Colab", "Install", "pip", "Show the solution"):
        assert word not in text


def test_solutions_stand_at_the_end_and_are_linked_both_ways(page):
    end = page.find_all("section", recursive=False)[-1]
    assert end["id"] == "one--solutions"
    assert [heading.get_text() for heading in end.find_all(["h3", "h4"])] == ["Solutions", "Exercise 1 · Sum"]
    assert end.h4.a["href"] == "#one--exercise-1"
    assert end.pre.get_text() == "1 + 1"
    exercise = page.find(id="one--exercise-1")
    assert exercise.pre is None
    assert exercise.find(class_="d2l-page-of")["href"] == "#one--solution-of-exercise-1"


def test_titles_are_one_level_lower(page):
    assert [heading.get_text() for heading in page.find_all("h2")] == ["One"]
    assert page.find("h1") is None


def test_ids_and_references_carry_the_name_of_the_page(page):
    assert page["id"] == "one"
    assert page.title["id"] == page.svg["aria-labelledby"] == "one--t"
    assert page.use["href"] == "#one--s"
    assert page.g["clip-path"] == "url(#one--c)"
    assert page.img["src"] == "_images/a.png"


def test_links_lead_into_the_document_or_to_the_site(page):
    links = [link["href"] for link in page.p.find_all("a")]
    assert links == ["#two--b", "#two", "https://example.org/genindex.html"]
    assert page.find(class_="d2l-moves").a["href"] == "https://example.org/book/one.html#figures"


def test_what_is_no_page_is_reported():
    with pytest.raises(PrintError, match=r"book/one\.html is no page of the book"):
        prepare("<p>Nothing</p>", "book/one.html", Places(PAGES, ADDRESS))


@pytest.fixture
def small(tmp_path):
    """Return a book of a start page and a chapter, and a function that writes its built pages."""
    (tmp_path / "book").mkdir()
    (tmp_path / "book/one.ipynb").touch()
    part = {"caption": "The part", "chapters": [{"file": "book/one"}, {"file": "book/gallery"}]}
    toc = {"root": "book/index", "title": "Start here", "parts": [part]}
    (tmp_path / "_toc.yml").write_text(yaml.safe_dump(toc))
    (tmp_path / "_config.yml").write_text(f"author: us\nhtml: {{baseurl: '{ADDRESS}'}}\n")
    (tmp_path / "pyproject.toml").write_text('[project]\nversion = "1.2"\n')
    site = tmp_path / "site"
    (site / "book").mkdir(parents=True)
    (site / "_static").mkdir()
    (site / "_static/cover.svg").write_text("<svg></svg>")

    def write(name, content):
        page = f"<article><section id='{name}'><h1>{name.title()}</h1>{content}</section></article>"
        (site / f"book/{name}.html").write_text(page)

    write("index", '<div class="landing-lead"><p>A lead</p></div><a href="one.html#a">a</a>')
    write("one", '<section id="a"><h2>A <code>b</code></h2><a href="gallery.html">all</a></section>')
    return Book(tmp_path), site, write


def test_contents_are_parts_chapters_and_sections(small):
    book, site, _ = small
    document = make(book, site)
    assert [(entry.level, entry.name, entry.target) for entry in document.entries] == [
        (1, "Start here", "index"),
        (1, "Part I: The part", "part--the-part"),
        (2, "1 One", "one"),
        (3, "A b", "one--a"),
    ]
    assert (document.title, document.author, document.version) == ("Index", "us", "1.2")


def test_numbers_of_pages_are_filled_in(small):
    book, site, _ = small
    document = make(book, site)
    pages = {entry.target: number for number, entry in enumerate(document.entries, start=5)}

    def numbers(text):
        lines = BeautifulSoup(text, "html.parser").select(".d2l-contents .d2l-page-of")
        return [line.get_text() for line in lines]

    assert numbers(document.html(pages)) == ["5", "6", "7", "8"]
    assert numbers(document.html()) == ["000"] * 4
    with pytest.raises(PrintError, match="no page for #one--a"):
        document.html({target: page for target, page in pages.items() if target != "one--a"})


def test_page_for_the_screen_alone_is_left_out(small):
    book, site, _ = small
    assert 'href="https://example.org/book/gallery.html"' in make(book, site).text


@pytest.mark.parametrize(
    ("content", "fault"),
    [
        ('<a href="#nowhere">x</a>', "links lead nowhere: one--nowhere"),
        ('<p id="a"></p><p id="a"></p>', "ids stand twice: one--a"),
    ],
)
def test_fault_of_a_page_is_reported(small, content, fault):
    book, site, write = small
    write("index", "")
    write("one", content)
    with pytest.raises(PrintError, match=fault):
        make(book, site)


def test_site_that_is_not_built_is_reported(small):
    book, site, _ = small
    (site / "book/one.html").unlink()
    with pytest.raises(PrintError, match=r"has no book/one\.html; run: make book"):
        make(book, site)


def test_titles_cannot_leave_the_style(small):
    book, site, write = small
    write("one", '<section id="a"><h2>A</h2></section>')
    page = site / "book/one.html"
    page.write_text(page.read_text().replace("<h1>One</h1>", "<h1>&lt;/style&gt;&quot;</h1>"))
    text = make(book, site).text
    assert text.count("</style>") == 1
    assert r"\3c /style>\22 " in text


@pytest.mark.slow
def test_whole_book_has_every_page_and_its_links_lead_somewhere(tmp_path_factory):
    document = make(Book(ROOT), build_once(tmp_path_factory).site)
    targets = {entry.target for entry in document.entries}
    on_paper = {page.stem for page in Book(ROOT).pages()} - {
        name.rpartition("/")[2] for name in print_document.ONLY_ON_SCREEN
    }
    assert on_paper <= targets
    assert len([entry for entry in document.entries if entry.level == 2 and entry.number]) == 12
