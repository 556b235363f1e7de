"""A page made ready for paper: what is left out, where links lead, what stands at the end."""

import pytest
from tests.built_book import ROOT, parse
from tools.pdf import EDITIONS, PrintError, join, prepare
from tools.translation import in_chinese

PAGES = ["book/one", "book/two"]
ADDRESS = "https://example.org/"
PAGE = """<nav>Menu</nav><article><section id="one"><h1>One<a class="headerlink" href="#one">#</a></h1>
<p><a href="https://colab.research.google.com/x">Open in Colab</a></p>
<div class="cell tag_hide-input"><details><summary>Install</summary>if find_spec("d2lconv")</details></div>
<p><a href="two.html#b">b</a> <a href="two.html">two</a> <a href="../genindex.html">index</a></p>
<section id="figures"><h2>Figures</h2>
<div class="d2l-live" data-model="1"><svg aria-labelledby="t"><title id="t">A</title><use href="#s"/>
<g clip-path="url(#c)"/></svg></div></section>
<section id="exercises"><h2>Exercises</h2><section id="exercise-1"><h3>Exercise 1 · Sum ★★</h3><p>Add.</p>
<div class="cell tag_hide-cell"><details><summary>Show the solution</summary><pre>1 + 1</pre></details></div>
</section></section></section></article>"""


@pytest.fixture
def page():
    return prepare(PAGE, "book/one", PAGES, ADDRESS)


def test_what_only_a_screen_needs_is_left_out(page):
    for word in ("Menu", "#", "Colab", "Install", "find_spec", "Show the solution"):
        assert word not in page.get_text()


def test_solutions_stand_at_the_end_and_are_linked_both_ways(page):
    end = page.find_all("section", recursive=False)[-1]
    assert end["id"] == "one--solutions"
    assert [heading.get_text() for heading in end.find_all(["h3", "h4"])] == ["Solutions", "Exercise 1 · Sum"]
    assert end.h4.a["href"] == "#one--exercise-1"
    assert end.pre.get_text() == "1 + 1"
    exercise = page.find(id="one--exercise-1")
    assert exercise.pre is None
    assert exercise.find(class_="d2l-page-of")["href"] == "#one--solution-of-exercise-1"


def test_what_is_added_is_in_the_language_of_the_edition():
    text = prepare(PAGE, "book/one", PAGES, ADDRESS, in_chinese).get_text()
    assert "这幅图可以动手操作，请打开它的网页。" in text
    assert "参考答案见第页" in text  # the number is printed
    assert "olution" not in text.replace("Show the solution", "")


def test_ids_and_references_carry_the_name_of_the_page(page):
    assert page["id"] == "one"
    assert page.title["id"] == page.svg["aria-labelledby"] == "one--t"
    assert page.use["href"] == "#one--s"
    assert page.g["clip-path"] == "url(#one--c)"


def test_links_lead_into_the_document_or_to_the_site(page):
    links = [link["href"] for link in page.p.find_all("a")]
    assert links == ["#two--b", "#two", "https://example.org/genindex.html"]
    note = page.find(class_="d2l-still").find(class_="d2l-note")
    assert note.a["href"] == "https://example.org/book/one.html#figures"


def test_a_site_that_is_not_built_is_reported(tmp_path):
    part = "{caption: Part, chapters: [{file: book/one}]}"
    (tmp_path / "_toc.yml").write_text(f"root: book/index\ntitle: Start\nparts: [{part}]\n")
    (tmp_path / "_config.yml").write_text("author: us\n")
    with pytest.raises(PrintError, match=r"has no book/index\.html; run: make book"):
        join(tmp_path, tmp_path / "site")


def test_the_published_site_has_the_pdfs_that_the_pages_of_downloads_name(site):
    for _, folder, name in EDITIONS:
        assert f"../{name}" in parse(site / folder / "book" / "downloads.html").xpath("//a/@href")
    assert "make pdf" in (ROOT / ".github" / "workflows" / "pages.yml").read_text("utf-8")
