"""The tools read the book's own files, and make the two places that name the repository from them."""

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from tests.chapters.markdown import Heading, headings, slug
from tools.book import Book, BookError, Repository
from tools.notebooks import canonical, install_source, load

COLAB = "https://colab.research.google.com/github"


def configure(book, **repository):
    lines = [f"  {key}: {value}" for key, value in repository.items()]
    (book / "_config.yml").write_text("\n".join(["repository:", *lines, ""]))


def test_pages_come_in_reading_order(book):
    found = Book.around(book / "book" / "good.ipynb")
    assert [page.stem for page in found.pages()] == ["index", "good", "other", "bibliography"]
    assert [page.stem for page in found.chapters()] == ["good", "other"]


def test_notebooks_outside_the_table_of_contents_are_drafts(book, write_chapter):
    assert Book(book).drafts() == []
    assert [write_chapter("draft", "1")] == Book(book).drafts()


def test_citation_keys_are_those_of_the_bibliography(book):
    assert Book(book).citation_keys() == {"lecun1998"}


@pytest.mark.parametrize(
    ("settings", "url"),
    [
        ({"url": "https://github.com/ann/fork"}, f"{COLAB}/ann/fork/blob/main/book/x.ipynb"),
        ({"url": "https://github.com/ann/fork.git/"}, f"{COLAB}/ann/fork/blob/main/book/x.ipynb"),
        ({"url": "https://github.com/ann/fork", "branch": "v1"}, f"{COLAB}/ann/fork/blob/v1/book/x.ipynb"),
    ],
)
def test_the_colab_address_follows_the_configuration(book, settings, url):
    configure(book, **settings)
    assert Book(book).repository().colab_url("book/x.ipynb") == url


def test_a_repository_that_colab_cannot_open_is_refused():
    with pytest.raises(BookError, match=r"'https://gitlab.com/ann/fork', but Colab opens notebooks only"):
        Repository("https://gitlab.com/ann/fork").colab_url("x.ipynb")


def test_a_missing_address_is_said_so(book):
    (book / "_config.yml").write_text("title: x\n")
    with pytest.raises(BookError, match="'repository: url:' is missing"):
        Book(book).repository()
    (book / "_config.yml").unlink()
    with pytest.raises(BookError, match="'repository: url:' is missing"):
        Book(book).repository()


def test_a_new_chapter_gets_its_link_and_install_cell(good_path):
    nb = new_notebook(
        cells=[new_markdown_cell("# New\n\nWords."), new_markdown_cell("Do"), new_code_cell("1")]
    )
    new = canonical(nb, good_path)
    link = f"[Open in Colab]({COLAB}/d2lconv/d2lconv/blob/main/book/good.ipynb)"
    assert new.cells[0].source == f"# New\n\n{link}\n\nWords."
    assert [cell.id for cell in new.cells][2] == "install"
    assert new.cells[2].metadata.tags == ["hide-input"]
    assert len(nb.cells) == 3


def test_placeholders_are_filled_and_keep_their_words(good_path):
    install = new_code_cell('find_spec("d2lconv")', metadata={"mystnb": {"code_prompt_show": "安装"}})
    nb = new_notebook(cells=[new_markdown_cell("# 卷积\n\n[在 Colab 中打开](colab)"), install])
    new = canonical(nb, good_path)
    assert (
        new.cells[0].source
        == f"# 卷积\n\n[在 Colab 中打开]({COLAB}/d2lconv/d2lconv/blob/main/book/good.ipynb)"
    )
    assert len(new.cells) == 2
    assert new.cells[1].metadata.mystnb.code_prompt_show == "安装"


def test_a_fork_changes_one_line(book, good_path):
    configure(book, url="https://github.com/ann/fork", branch="dev")
    new = canonical(load(good_path), good_path)
    assert f"({COLAB}/ann/fork/blob/dev/book/good.ipynb)" in new.cells[0].source
    assert "d2lconv @ git+https://github.com/ann/fork@dev" in new.cells[2].source
    assert canonical(new, good_path) == new


def test_the_install_cell_does_nothing_where_the_package_is_present():
    source = install_source(Repository("https://github.com/d2lconv/d2lconv"))
    magic = source.splitlines()[-1].strip()
    assert magic == '%pip install --quiet "d2lconv @ git+https://github.com/d2lconv/d2lconv@main"'
    exec(source.replace(magic, "raise AssertionError"), {})


def test_headings_and_their_anchors():
    nb = new_notebook(
        cells=[
            new_markdown_cell("# Title\n\n```\n# no heading\n```"),
            new_markdown_cell("## `F.conv2d`, $x$ & *you*"),
        ]
    )
    assert headings(nb) == [Heading(0, 1, "Title"), Heading(1, 2, "F.conv2d,  & you")]


def test_anchors_are_those_of_the_rendered_book():
    assert slug("1×1 *or* `nn.Conv2d`, 卷积!") == "11-or-nnconv2d-卷积"


@pytest.mark.parametrize("name", ["good", "good.ipynb", "book/good.ipynb"])
def test_a_chapter_can_be_named_by_its_path(book, good_path, name):
    assert Book(book).select([name, "good"]) == [good_path]


def test_without_names_all_chapters_come_in_order_and_drafts_do_not(book, write_chapter):
    draft = write_chapter("draft", "1")
    assert [path.stem for path in Book(book).select([])] == ["good", "other"]
    assert Book(book).select(["draft"]) == [draft]


def test_pages_that_do_not_exist_are_named(book):
    (book / "book" / "other.ipynb").unlink()
    with pytest.raises(BookError, match=r"_toc\.yml names pages that don't exist: book/other"):
        Book(book).select([])


def test_outside_a_book_it_says_so(tmp_path_factory):
    with pytest.raises(BookError, match=r"no _toc\.yml in .* or above it"):
        Book.around(tmp_path_factory.mktemp("elsewhere"))
