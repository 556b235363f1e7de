"""The Chinese edition says what the English one says, and only its words differ."""

import ast
import html
import os
import re
import warnings

import pytest
from tests.chapters.chapters import BOOK, none_of, read
from tools import notebooks, translation

PAGES = translation.pages()
NUMBER = re.compile(r"\d+")
MOST_BEHIND = 0 if os.environ.get("D2LCONV_RELEASE") else 10
"""Units of the whole course that may wait for their translation; in a release none."""


class Behind(UserWarning):
    """An English text that waits for its translation."""


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_translation_keeps_numbers_formulas_links_and_code(page):
    none_of(f"book/zh/{page.stem}.md, {problem}" for problem in translation.problems(page))


@pytest.mark.filterwarnings("default::UserWarning")
def test_few_texts_wait_for_their_translation():
    waiting = [
        f"book/zh/{page.stem}.md, {name}: translate what now is in English, then run: "
        f"python -m tools.translation stamp {page.stem} {name}\n{translation.english(page)[name].text}\n"
        for page in PAGES
        for name in translation.behind(page)
    ]
    for one in waiting:
        warnings.warn(one, Behind, stacklevel=1)
    assert len(waiting) <= MOST_BEHIND, "\n".join(waiting)


@pytest.mark.parametrize("path", BOOK.chapters(), ids=lambda path: path.stem)
def test_chapter_has_the_same_cells_code_and_outputs(path):
    theirs, ours = read(path).nb.cells, translation.chapter(path).cells
    assert [(cell.id, cell.cell_type) for cell in ours] == [(cell.id, cell.cell_type) for cell in theirs]
    for one, other in zip(ours, theirs, strict=True):
        if one.id == "install":
            assert one.source.endswith("\n\n%env D2LCONV_LANG=zh")
        elif one.cell_type == "code":
            assert ast.dump(ast.parse(one.source)) == ast.dump(ast.parse(other.source)), one.id
        if other.source.startswith("ask("):
            (asked,), (theirs_asked,) = one.outputs, other.outputs
            assert "<strong>先猜一猜：</strong>" in asked.data["text/html"], one.id
            assert asked.data["text/plain"].startswith("先猜一猜："), one.id
            assert {**asked, "data": None} == {**theirs_asked, "data": None}
            continue
        for said, theirs_said in zip(one.get("outputs", []), other.get("outputs", []), strict=True):
            if "d2l-check" in str(theirs_said.get("data")):
                assert_same_reply(said.data, theirs_said.data)
                said = {**said, "data": theirs_said.data}
            assert said == theirs_said, one.id


def test_prompts_that_unfold_code_are_among_the_words():
    settings = [cell.metadata.get("mystnb", {}) for path in BOOK.chapters() for cell in read(path).nb.cells]
    prompts = {text for one in settings for name, text in one.items() if name.startswith("code_prompt")}
    assert prompts
    none_of(f"book/zh/words.po lacks {text!r}" for text in prompts - translation.words().keys())


def assert_same_reply(chinese, english):
    text = english["text/plain"]
    assert repr(translation.reply_of(text, "en")) == text
    for kind in ("text/plain", "text/html"):
        said = html.unescape(chinese[kind])
        assert re.search(r"(还没有作答|正确)（\w+\.\d，?(参考答案)?）：", said), text
        assert sorted(NUMBER.findall(said)) == sorted(NUMBER.findall(html.unescape(english[kind])))
    assert not re.search("Correct|Not |worked|case|expected|given|differ|output", chinese["text/plain"])


# ---- the checks notice what they are for ----

ENGLISH = "# Pooling\n\nA window of 2×2 keeps **one** number, $m$: see [padding](padding_stride.ipynb).\n"
TEXT = "# 池化\n\n2×2的窗口只留**一个**数$m$：参见[填充](padding_stride.ipynb)。"


@pytest.fixture
def page(tmp_path, monkeypatch):
    """Return a page of a book that is translated, and all right."""
    monkeypatch.setattr(translation, "BOOK", tmp_path)
    monkeypatch.setattr(translation, "CHINESE", tmp_path)
    page = tmp_path / "page" / "pooling.md"
    page.parent.mkdir()
    page.write_text(ENGLISH, "utf-8")
    say(page, TEXT)
    return page


def say(page, text):
    units = {name: translation.Unit(text, unit.hash) for name, unit in translation.english(page).items()}
    translation.write_units(page, units)


def test_a_good_translation_is_let_be(page):
    assert list(translation.problems(page)) == translation.behind(page) == []
    assert translation.page_text(page).strip() == TEXT


@pytest.mark.parametrize(
    ("old", "new", "named"),
    [
        ("2×2", "3×3", "numbers: missing ['2', '2'], added ['3', '3']"),
        ("[填充](padding_stride.ipynb)", "填充", "links: missing ['padding_stride.ipynb']"),
        ("**一个**数", "**一个（one）**数", "** would stay as it is"),
        ("$m$", "$n$", "formulas: missing"),
        ("窗口", "窗口,", "a half-width mark"),
        ("# 池化", "## 池化", "its lines begin"),
        ("参见", "![负−1](a.svg)", "an alt text is read aloud: say '−' in words"),
    ],
)
def test_a_spoiled_translation_is_noticed(page, old, new, named):
    say(page, TEXT.replace(old, new, 1))
    assert named in "\n".join(translation.problems(page))


def test_a_changed_english_text_is_noticed_and_shown_with_a_note(page):
    page.write_text(ENGLISH.replace("keeps", "leaves"), "utf-8")
    assert translation.behind(page) == ["pooling"]
    assert "<!-- translation: behind -->\n\n2×2的窗口" in translation.page_text(page)
    page.write_text(ENGLISH.replace("2×2", "3×3"), "utf-8")  # what the Chinese text says is no longer right
    assert "<!-- translation: missing -->\n\nA window of 3×3" in translation.page_text(page)


def test_a_chapter_without_translation_is_english_with_a_note(tmp_path, monkeypatch):
    monkeypatch.setattr(translation, "CHINESE", tmp_path)
    path = BOOK.chapters()[0]
    prose = [cell.source for cell in translation.chapter(path).cells if cell.cell_type == "markdown"]
    english = [cell.source for cell in notebooks.load(path).cells if cell.cell_type == "markdown"]
    assert prose[1:] == english[1:]
    assert prose[0].replace("<!-- translation: missing -->\n\n", "", 1) == english[0]
    assert translation.behind(path) == list(translation.english(path))
