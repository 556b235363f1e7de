"""The pieces of the book's own extension: drawings, formulas, the policy, descriptions, the search."""

import base64
import doctest
import hashlib
import io
import re
from pathlib import Path

import lxml.html
import numpy as np
import pytest
from docutils import nodes
from docutils.utils import new_document
from PIL import Image

from d2lconv.plotting.style import SIGNED
from d2lconv_book import figures, finish, frame, search, text

STATIC = Path(__file__).parents[2] / "book" / "_static"
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


@pytest.mark.parametrize("module", [figures, finish, frame, search, text], ids=lambda module: module.__name__)
def test_examples(module):
    found = doctest.testmod(module)
    assert (found.failed, found.attempted > 0) == (0, True)


# ---- drawings ----


def inline(inner, label="A square"):
    source = f'<svg {NAMESPACES} viewBox="0 0 9 9">{inner}</svg>'
    return figures.inline(source, prefix="p-", label=label)


def embedded(pixels):
    buffer = io.BytesIO()
    Image.fromarray(np.asarray(pixels, dtype=np.uint8)).save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def drawn(drawing):
    """Return the pixels of a drawing's image."""
    data = re.search(r"data:image/(?:png|webp);base64,([^\"]+)", drawing)[1]
    return np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA"))


def test_drawing_is_an_image_with_a_label():
    assert inline("<path/>", label='Two "x" & y').startswith(
        '<svg viewBox="0 0 9 9" class="d2l-figure" role="img" aria-label="Two &quot;x&quot; &amp; y">'
    )


def test_ids_and_references_to_them_get_the_prefix_and_others_go():
    drawing = inline(
        '<defs><path id="a"/><clipPath id="b"/></defs><use xlink:href="#a"/><use href="#a"/>'
        '<g id="patch_1" clip-path="url(#b)" style="mask: url(\'#b\')"><path id="unused"/></g>'
    )
    assert drawing.count("id=") == drawing.count('id="p-') == 2
    assert drawing.count('href="#p-a"') == 2
    assert 'clip-path="url(#p-b)"' in drawing
    assert "mask: url(#p-b)" in drawing
    assert "xlink" not in drawing


def test_colours_of_the_palette_become_variables():
    drawing = inline('<path style="fill: #1B1F24; stroke: #123456"/><path fill="#0072b2" stroke-width="2"/>')
    assert "fill: var(--d2l-ink, #1B1F24); stroke: #123456" in drawing
    assert 'stroke-width="2" style="fill: var(--d2l-input, #0072b2)"' in drawing


def test_matplotlib_s_background_style_sheet_and_metadata_go():
    drawing = inline(
        "<metadata><x/></metadata><defs><style>*{stroke-linejoin: round; stroke-linecap: butt}</style></defs>"
        '<g id="figure_1"><g id="patch_1"><path style="fill: #ffffff"/></g></g>'
        '<g id="patch_1"><path style="fill: #ffffff"/></g>'
    )
    assert not re.search("metadata|<style|<defs", drawing)
    assert drawing.count("fill: none") == 1


@pytest.mark.parametrize(("width", "sharp"), [(8, True), (64, True), (65, False)])
def test_images_keep_their_pixels_and_small_ones_show_them(width, sharp):
    pixels = np.random.default_rng(0).integers(0, 255, (4, width, 3))
    drawing = inline(f'<image xlink:href="{embedded(pixels)}" width="9"/>')
    assert np.array_equal(drawn(drawing)[..., :3], pixels)
    assert ("image-rendering:pixelated" in drawing) == sharp


def test_zero_of_a_map_lets_the_paper_through():
    signs = SIGNED(np.linspace(0, 1, 256).reshape(2, 128), bytes=True)
    drawing = inline(f'<image xlink:href="{embedded(signs)}"/>')
    assert 'class="d2l-signed"' in drawing
    pixels = drawn(drawing).astype(float)
    assert pixels[0, 127, 3] <= 2  # beside zero
    assert pixels[0, 0, 3] == pixels[1, 127, 3] == 255
    on_white = 255 + (pixels[..., :3] - 255) * pixels[..., 3:] / 255
    assert np.abs(on_white - signs[..., :3]).max() <= 1.5  # the light theme looks as before
    between = SIGNED(np.linspace(0, 1, 300), bytes=True)  # a colour bar has colours between those of maps
    bar = np.rint((between[1:].astype(float) + between[:-1]) / 2).astype(np.uint8)[:, None]
    assert figures.see_through(bar)[150, 0, 3] <= 2
    for other in (np.full((2, 2, 4), 255), np.tile([[[0, 0, 0, 255]], [[255] * 4]], (1, 2, 1))):
        assert figures.see_through(other.astype(np.uint8)) is None


def test_real_figure_loses_nothing_that_is_seen(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], color="#0072b2")
    axes.imshow([[0, 1], [1, 0]], interpolation="none")
    figure.savefig(tmp_path / "figure.svg", metadata={"Date": None})
    plt.close(figure)
    source = (tmp_path / "figure.svg").read_text()
    drawing = figures.inline(source, prefix="p-", label="A line")
    for tag in ("<use", "<image", "<clipPath"):
        assert drawing.count(tag) == source.count(tag)
    outlines = ["".join(re.findall(r'\sd="([^"]*)"', text)).count("M") for text in (source, drawing)]
    assert outlines[0] == outlines[1] > 10  # one path may hold what were several
    assert "var(--d2l-input, #0072b2)" in drawing
    assert len(drawing) < 0.7 * len(source)


# ---- formulas ----

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


def font_coverage():
    """Return the code points that the book's formula font has, as its style sheet says."""
    ranges = re.search(r"unicode-range:([^;]*);", (STATIC / "math.css").read_text())[1]
    points = set()
    for first, last in re.findall(r"U\+([0-9A-F]+)(?:-([0-9A-F]+))?", ranges):
        points |= set(range(int(first, 16), int(last or first, 16) + 1))
    return points


@pytest.mark.parametrize("tex", COURSE)
def test_font_has_every_character(tex):
    formula = lxml.html.fragment_fromstring(text.formula(nodes.math_block("", tex), display=True))
    assert formula.get("display") == "block"
    assert {char for char in formula.text_content() if ord(char) not in font_coverage()} == set()


def test_font_is_small_and_has_its_licence():
    assert 10_000 < (STATIC / "d2lconv-math.woff2").stat().st_size < 60_000
    assert "SIL OPEN FONT LICENSE" in (STATIC / "d2lconv-math.LICENSE.txt").read_text()


# ---- what surrounds a page ----


def document(*paragraphs):
    made = new_document("page")
    made.extend(paragraphs)
    return made


def test_promise_is_the_first_paragraph_that_says_something():
    link = nodes.paragraph("", "", nodes.reference("", "Open in Colab", refuri="https://example.org"))
    promise = nodes.paragraph("", "", nodes.Text("A kernel\nmoves over "), nodes.reference("", "an image"))
    assert frame.promise(document(link, promise)) == "A kernel moves over an image"
    assert frame.promise(document(link)) == ""


@pytest.mark.parametrize(
    ("markup", "found"),
    [
        ("<script>alert(1)</script>", ["<script>"]),
        ("<p onclick='go()'>x</p>", ["onclick="]),
        ("<svg><path ONLOAD=go() /></svg>", ["onload="]),
        ("<svg:script xlink:href='a.js'/>", ["<svg:script>"]),
        ("<a href='java script:no'>x</a>", []),
        ("<a href=' javascript:go()'>x</a>", ["href=javascript:go()"]),
        ("<iframe srcdoc='x'></iframe>", ["<iframe>"]),
        ("<use href='data:image/svg+xml;base64,AA'/>", []),
        ("<embed src='data:text/html,x'>", ["<embed>", "src=data:text/html,x"]),
    ],
)
def test_what_could_run_is_found(markup, found):
    assert finish.active_parts(f"<p>text</p>{markup}") == found


def test_policy_comes_first_and_once_and_names_only_our_script():
    page = finish.finished('<head><meta charset="utf-8"><script>go()</script></head>')
    assert page.index("Content-Security-Policy") < page.index("<script>")
    digest = hashlib.sha256(finish.SCRIPT.encode()).digest()
    assert re.findall("sha256-([^']*)", page) == [base64.b64encode(digest).decode()]
    assert "blob:" not in page
    assert finish.finished(page) == page


def test_entry_of_the_glossary_has_its_other_names():
    section = nodes.section("", nodes.title("", "Kernel"), ids=["kernel"])
    text = "Weights, of size "
    section += nodes.paragraph("", "", nodes.Text(text), nodes.math("", r"3 \times 3"),
                               nodes.Text(". Also called a filter or a mask."))  # fmt: skip
    part = nodes.section("", nodes.title("", "The operation"), section, ids=["the-operation"])
    page = nodes.section("", nodes.title("", "Glossary"), part, ids=["glossary"])
    found = {entry[2]: entry for entry in search.entries("book/glossary", document(page))}
    assert found["Kernel"] == [
        search.GLOSSARY, "kernel", "Kernel", "Weights, of size 3 × 3. Also called a filter or a mask.",
        ["filter", "mask"],
    ]  # fmt: skip
    assert found["The operation"][0] == search.SECTION
    assert found["Glossary"][:2] == [search.CHAPTER, ""]
