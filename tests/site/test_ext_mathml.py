"""Formulas become MathML, with their source, in the book's font."""

import doctest
import re
from pathlib import Path

import pytest
from bs4 import BeautifulSoup

import mathml
from mathml import FormulaError, to_mathml

STATIC = Path(__file__).parents[2] / "book" / "_static"
COURSE = [
    r"Y[i,j] = \sum_{u=0}^{k_h-1} \sum_{v=0}^{k_w-1} X[i+u,\,j+v]\,K[u,v]",
    r"\left\lfloor \frac{h + 2p_h - d_h(k_h-1) - 1}{s_h} \right\rfloor + 1",
    r"\begin{bmatrix} 1 & 2 \\ 0 & 1 \end{bmatrix} \star \begin{pmatrix} a \\ b \end{pmatrix}",
    r"\underbrace{k_h \cdot k_w}_{\text{kernel}} \times c_i, \quad W \in \mathbb{R}^{c_o \times c_i}",
    r"\begin{aligned} f'(x) &= \lim_{h \to 0} \frac{f(x+h) - f(x)}{h} \\ &\approx \hat{y} \end{aligned}",
    r"\operatorname{ReLU}(x) = \max(0, x) = \begin{cases} x & \text{if } x > 0 \\ 0 & \text{or} \end{cases}",
    r"\lVert \mathbf{w} \rVert_2 \ne \sqrt{\mathcal{L}}, \mathbf{w}^\top \mathbf{x}, \lceil x \rceil",
    r"\alpha, \beta, \sigma, \partial, \nabla, \pm, \le, \ge, \infty, \ldots, \cdots, X * K, 23.4\,\%",
]


def parse(tex, display=True):
    return BeautifulSoup(to_mathml(tex, display=display), "html.parser").math


def font_coverage():
    """Return the code points that the book's formula font has, as its style sheet says."""
    ranges = re.search(r"unicode-range:([^;]*);", (STATIC / "math.css").read_text())[1]
    points = set()
    for first, last in re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", ranges):
        points |= set(range(int(first, 16), int(last or first, 16) + 1))
    return points


@pytest.mark.parametrize("tex", COURSE)
def test_source_stays_in_the_page(tex):
    assert parse(tex).find("annotation", encoding="application/x-tex").get_text() == tex


@pytest.mark.parametrize("tex", COURSE)
def test_font_has_every_character(tex):
    formula = parse(tex)
    formula.find("annotation").decompose()
    assert {char for char in formula.get_text() if ord(char) not in font_coverage()} == set()


def test_inline_and_display():
    assert parse("x").get("display") == "block"
    assert parse("x", display=False).get("display") is None


@pytest.mark.parametrize(
    ("tex", "message"),
    [
        (r"a + \foo{x}", r'Unknown command "\\foo"\. At: \\foo{x}'),
        (r"é \bar", "Expected .* At: the end"),
        (r"\frac{1}{", r'Expected closing token "}".* At: the end'),
        ("a & b", 'Found "&".* At: & b'),
        (r"\begin{nonsense} x \end{nonsense}", "nonsense"),
    ],
)
def test_wrong_formula_is_refused(tex, message):
    with pytest.raises(FormulaError, match=message):
        to_mathml(tex, display=True)


def test_font_is_small_and_has_its_licence():
    assert 10_000 < (STATIC / "d2lconv-math.woff2").stat().st_size < 60_000
    assert "SIL OPEN FONT LICENSE" in (STATIC / "d2lconv-math.LICENSE.txt").read_text()


def test_examples():
    assert doctest.testmod(mathml).failed == 0
