"""Drawings: safe, with ids of their own, in the theme's colours."""

import base64
import doctest
import re
from pathlib import Path

import pytest

import inline_svg
from svg_clean import UnsafeSvgError, clean_svg, read_palette

PALETTE = {"#1b1f24": "--d2l-ink", "#0072b2": "--d2l-input"}
NAMESPACES = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink"'


def clean(inner, **options):
    settings = {"prefix": "p-", "label": "A square", "palette": PALETTE} | options
    return clean_svg(f'<svg {NAMESPACES} viewBox="0 0 9 9">{inner}</svg>', **settings)


def png(width):
    head = b"\x89PNG\r\n\x1a\n" + (13).to_bytes(4, "big") + b"IHDR" + width.to_bytes(4, "big") + bytes(40)
    return "data:image/png;base64," + base64.b64encode(head).decode()


def test_drawing_is_an_image_with_a_label():
    assert clean("<path/>", label='Two "x" & y').startswith(
        '<svg viewBox="0 0 9 9" class="d2l-figure" role="img" aria-label="Two &quot;x&quot; &amp; y">'
    )


def test_ids_and_references_to_them_get_the_prefix():
    drawing = clean(
        '<defs><path id="a"/><clipPath id="b"/></defs><use xlink:href="#a"/><use href="#a"/>'
        '<g clip-path="url(#b)" style="mask: url(\'#b\')"/>'
    )
    assert drawing.count('id="p-') == 2
    assert drawing.count('href="#p-a"') == 2
    assert 'clip-path="url(#p-b)"' in drawing
    assert "mask: url(#p-b)" in drawing
    assert "xlink" not in drawing


def test_ids_that_nothing_refers_to_are_dropped():
    drawing = clean(
        '<g id="patch_1"/><image id="same"/><image id="same"/><path clip-path="url(#b)"/><clipPath id="b"/>'
    )
    assert drawing.count(" id=") == 1
    assert 'id="p-b"' in drawing


def test_colours_of_the_palette_become_variables():
    drawing = clean('<path style="fill: #1B1F24; stroke: #123456"/><path fill="#0072b2" stroke-width="2"/>')
    assert "fill: var(--d2l-ink, #1B1F24); stroke: #123456" in drawing
    assert 'stroke-width="2" style="fill: var(--d2l-input, #0072b2)"' in drawing


def test_matplotlib_s_background_style_sheet_and_metadata_go():
    drawing = clean(
        "<metadata><x/></metadata><defs><style>*{stroke-linejoin: round; stroke-linecap: butt}</style></defs>"
        '<g id="figure_1"><g id="patch_1"><path style="fill: #ffffff"/></g></g>'
        '<g id="patch_1"><path style="fill: #ffffff"/></g>'
    )
    assert "metadata" not in drawing
    assert "<style" not in drawing
    assert drawing.count("fill: none") == 1


@pytest.mark.parametrize(("width", "sharp"), [(8, True), (64, True), (65, False), (640, False)])
def test_small_images_keep_their_pixels(width, sharp):
    drawing = clean(f'<image xlink:href="{png(width)}" width="9"/>')
    assert png(width) in drawing
    assert ("image-rendering:pixelated" in drawing) == sharp


@pytest.mark.parametrize(
    ("inner", "message"),
    [
        ("<script>alert(1)</script>", "<script> is not allowed"),
        ("<foreignObject/>", "<foreignObject> is not allowed"),
        ("<style>p { color: red }</style>", "<style> is not allowed"),
        ("<a href='#x'/>", "<a> is not allowed"),
        ("<path onclick='alert(1)'/>", "event attribute onclick="),
        ("<g><path ONLOAD='alert(1)'/></g>", "event attribute ONLOAD="),
        ("<use href='other.svg#a'/>", "refer to 'other.svg#a'"),
        ("<image href='https://example.org/a.png'/>", "refer to 'https://example.org/a.png'"),
        ("<image href='data:image/svg+xml;base64,AAAA'/>", "refer to 'data:image/svg"),
        ("<path style='fill: url(https://example.org/a)'/>", "refer to 'https://example.org/a'"),
    ],
)
def test_unsafe_drawing_is_refused(inner, message):
    with pytest.raises(UnsafeSvgError, match=message.replace("(", r"\(")):
        clean(inner)


def test_palette_is_the_first_block_and_the_first_name_of_a_colour(tmp_path):
    css = tmp_path / "palette.css"
    css.write_text(":root { --d2l-a: #00FF00; --d2l-b: #00ff00; }\n.dark { --d2l-a: #123456; }")
    assert read_palette(css) == {"#00ff00": "--d2l-a"}


def test_a_real_figure_loses_nothing_that_is_seen(tmp_path):
    plt = pytest.importorskip("matplotlib.pyplot")
    figure, axes = plt.subplots()
    axes.plot([0, 1], [0, 1], color="#0072b2")
    axes.imshow([[0, 1], [1, 0]], interpolation="none")
    figure.savefig(tmp_path / "figure.svg", metadata={"Date": None})
    plt.close(figure)
    source = (tmp_path / "figure.svg").read_text()
    drawing = clean_svg(source, prefix="p-", label="A line", palette=PALETTE)
    for tag in ("<use", "<image", "<clipPath"):
        assert drawing.count(tag) == source.count(tag)
    outlines = ["".join(re.findall(r'\sd="([^"]*)"', text)).count("M") for text in (source, drawing)]
    assert outlines[0] == outlines[1] > 10  # one path may hold what were several
    assert "var(--d2l-input, #0072b2)" in drawing


def test_examples():
    assert doctest.testmod(inline_svg).failed == 0
    assert Path(__file__).parents[2] / "book/_static/palette.css" == inline_svg.PALETTE
