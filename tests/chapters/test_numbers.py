"""A number in the prose stands in an output or in the code of its chapter, or is listed here with a reason.

Looked at are numbers of three digits or with a decimal point, also in formulas. A number counts as shown if
one that is shown rounds to it, or is that many percent. Left out are years of citations, and code.
"""

import re

from tests.chapters.chapters import each_chapter, none_of, strings
from tests.chapters.markdown import inlines

NUMBER = re.compile(
    r"(?<![\w.,/])\d{1,3}(?:(?:,|\\,|\{,\})\d{3})+(?:\.\d+)?"  # 1,197 and, in formulas, 1{,}197
    r"|(?<![\w.,])\d+\.\d+(?!\w|\.\d)|(?<![\w.,/:-])\d{3,}(?![\w:])"
)
SHOWN = re.compile(r"\d+(?:[,_]\d{3})+(?:\.\d+)?|\d+(?:\.\d*)?(?:e[-+]?\d+)?")
YEAR = re.compile(r"(?:19|20)\d\d")

#: By chapter: numbers that no cell can show, each with where it is from.
ELSEWHERE: dict[str, dict[str, str]] = {
    "learning": {
        "500,000": "exercise 7: the limit that its check sets",
        "6.5": "a section's number in further reading",
    },
    "lenet": {
        "10,000": "test images of MNIST and of the own split",
        "2,572": "156 + 2,416, in the table above",
        "1.7159": "LeCun et al. (1998)",
        "0.14": "1/4 · 1/√3, which stands beside it; percentage points of LeCun et al. (1998)",
        "0.008": "one standard deviation of 2,000 answers",
        "6,000": "training images of clothes in the package",
        "0.908": "all 70,000 images, validation, run outside the page",
        "0.913": "all 70,000 images, test, run outside the page",
        "9,134": "all 70,000 images, test, run outside the page",
        "70,000": "images of Fashion-MNIST",
        "8.4": "section of Dive into Deep Learning",
        "7.6": "section of Dive into Deep Learning",
    },
    "vgg": {
        "0.919": "all 70,000 images, validation, run outside the page",
        "0.923": "all 70,000 images, test, run outside the page",
        "0.913": "LeNet, all 70,000 images, test, run outside the page",
        "70,000": "images of Fashion-MNIST",
        "10,000": "validation and test images of the own split",
        "0.85": "exercise 7: the accuracy that its check asks for",
        "0.957": "the recipe with He weights, six epochs, seed 0, run outside the page",
        "0.889": "VGG, ten epochs, median test accuracy of three seeds, run outside the page",
        "0.864": "LeNet, ten epochs, median test accuracy of three seeds, run outside the page",
        "152": "layers of the largest ResNet in He et al. (2016), table 1",
        "40,000": "exercise 7: the limit that its check sets",
        "3.1": "a section's number in further reading",
    },
    "scaling": {
        "8,192": "largest batch without loss of accuracy in Goyal et al. (2017)",
        "32,768": "batch of Akiba, Suzuki and Fukuda (2017)",
    },
    "padding_stride": {"7.3": "section of Dive into Deep Learning"},
    "channels": {
        "15.3": "billions, as He et al. (2016) give it; the output has all digits",
        "462": "millions; the output has all digits",
        "2,000,000": "limit of exercise 5",
    },
    "one_by_one": {"486": "18 · 27, which stands beside it"},
    "pooling": {
        "9.3": "section of Deep Learning",
        "7.5": "section of Dive into Deep Learning",
    },
    "depthwise_separable": {
        "36,864": "3² · 32 · 128, by the formula beside it",
        "288": "3² · 32, by the formula beside it",
        "4,096": "32 · 128, by the formula beside it",
        "4,384": "32 · (3² + 128), by the formula beside it",
        "0.119": "1/128 + 1/9, which stands beside it",
        "462": "millions; MobileNet paper, table 3",
        "2.36": "millions; MobileNet paper, table 3",
        "52.3": "millions; MobileNet paper, table 3",
        "0.27": "millions; MobileNet paper, table 3",
        "0.717": "MobileNet paper, table 4",
        "4,866": "MobileNet paper, table 4",
        "29.3": "MobileNet paper, table 4",
        "0.706": "MobileNet paper, table 4",
        "569": "MobileNet paper, table 4",
        "4.2": "MobileNet paper, table 4",
        "6,000": "training images of clothes in the package",
        "4.5": "3² / 2, by the formula beside it",
        "12,832": "5² · 16 · 32 weights and 32 biases, in exercise 6",
    },
    "building_blocks": {
        "2.6": "version of PyTorch",
        "2.10": "version of PyTorch",
        "20,000": "limit of exercise 6",
        "6.3": "section of Deep Learning",
    },
    "data": {
        "1,797": "digits in the package",
        "0.95": "95 % as a fraction; percent wrong in LeCun et al. (1998); exercise 1",
        "0.011": "0.111 less 0.1, of the ten classes",
        "0.96": "a choice in exercise 1",
        "0.97": "given in exercise 1",
        "5.3": "section of Deep Learning",
    },
}


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
