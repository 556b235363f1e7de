"""A number in the prose stands in an output or in the code of its chapter, or is listed here with a reason.

Looked at are numbers of three digits or with a decimal point, also in formulas. A number counts as shown if
one that is shown rounds to it, or is that many percent. Left out are years of citations, and code.
"""

import re

from tests.chapters.chapters import each_chapter, none_of, strings
from tests.chapters.markdown import inlines

NUMBER = re.compile(
    r"(?<![\w.,/])\d{1,3}(?:(?:,|\\,|\{,\})\d{3})+(?:\.\d+)?|(?<![\w.,])\d+\.\d+(?![\w.])|(?<![\w.,/:-])\d{3,}(?![\w:])"
)
SHOWN = re.compile(r"\d+(?:[,_]\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?(?:e[-+]?\d+)?")
YEAR = re.compile(r"(?:19|20)\d\d")

#: By chapter: numbers that no cell can show, each with where it is from.
ELSEWHERE: dict[str, dict[str, str]] = {}


@each_chapter
def test_numbers_in_the_prose_are_shown_or_cited(chapter):
    shown = shown_in(chapter)
    listed = ELSEWHERE.get(chapter.path.stem, {})
    found = [(index, text) for index, cell in chapter.prose() for text in numbers_in(cell.source)]
    none_of(
        chapter.problem(
            index,
            f"{text} stands in no output or code of this chapter; show it, or list it in test_numbers.py",
        )
        for index, text in found
        if text not in listed and not is_shown(text, shown)
    )
    assert set(listed) <= {text for _, text in found}, "listed, but no longer in the prose"


def numbers_in(source):
    """Yield the numbers of a Markdown cell's text and formulas as they are written; not of citations."""
    citation = False
    for token in inlines(source):
        if token.type == "link_open":
            citation = "bibliography.md" in str(token.attrs.get("href", ""))
        elif token.type == "link_close":
            citation = False
        elif token.type in ("text", "math_inline", "math_block") and not citation:
            yield from (text for text in NUMBER.findall(token.content) if not YEAR.fullmatch(text))


def shown_in(chapter):
    """Return all numbers in a chapter's code and outputs."""
    texts = [cell.source for _, cell in chapter.code()]
    texts += [
        text
        for _, output in chapter.outputs()
        for text in strings([dict(output.get("data", {})), output.get("text", "")])
        if "<svg" not in text[:300]
    ]
    return {float(re.sub("[,_]", "", number)) for text in texts for number in SHOWN.findall(text)}


def is_shown(text, shown):
    """Return whether a number, or as many percent, is one of those shown, rounded as it is."""
    digits = re.sub(r"[\\{}]|,", "", text)
    value, places = float(digits), len(digits.partition(".")[2])
    return any(value in (round(other, places), round(100 * other, places)) for other in shown)
