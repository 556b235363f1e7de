"""Pages that weigh little: drawings, style sheets, icons and scripts lose bytes and nothing else."""

import base64
import doctest
import io
import random
import re
from xml.etree import ElementTree

import pytest
from fontTools.fontBuilder import FontBuilder
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont
from PIL import Image

import css_prune
import icon_fonts
import lean_scripts
import lean_styles
import plain_code
import site_pages
import svg_compact


@pytest.mark.parametrize(
    "module",
    [css_prune, icon_fonts, lean_scripts, lean_styles, plain_code, site_pages, svg_compact],
    ids=lambda m: m.__name__,
)
def test_examples(module):
    assert doctest.testmod(module, optionflags=doctest.NORMALIZE_WHITESPACE).failed == 0


# ---- drawings ----


def points(path):
    """Return where a path goes, in absolute numbers, by reading it as the SVG standard says."""
    sizes = {"M": 2, "L": 2, "Q": 4, "C": 6, "Z": 0}
    tokens = re.findall(r"[A-Za-z]|-?\d+(?:\.\d+)?", path)
    visited, at, start, command = [], (0.0, 0.0), (0.0, 0.0), ""
    while tokens:
        if tokens[0].isalpha():
            command = tokens.pop(0)
        size = sizes[command.upper()]
        numbers = [float(tokens.pop(0)) for _ in range(size)]
        dx, dy = at if command.islower() else (0, 0)
        pairs = [(x + dx, y + dy) for x, y in zip(numbers[::2], numbers[1::2], strict=True)]
        visited += [command.upper(), *pairs]
        at = pairs[-1] if pairs else start
        start = at if command.upper() == "M" else start
        if size == 0 and tokens:
            assert tokens[0].isalpha()
    return visited


def random_path(draw, *, whole):
    def number():
        return str(draw.randint(-5000, 5000)) if whole else f"{draw.uniform(-500, 500):.6f}"

    parts = []
    for _ in range(draw.randint(1, 3)):
        parts.append(f"M {number()} {number()} ")
        for _ in range(draw.randint(1, 4)):
            command, size = draw.choice([("L", 2), ("Q", 4), ("C", 6)])
            parts.append(f"{command} {' '.join(number() for _ in range(size))} ")
        parts.append(draw.choice(["z ", ""]))
    return " ".join(parts)


@pytest.mark.parametrize("whole", [True, False])
def test_path_goes_the_same_way(whole):
    draw = random.Random(0)
    for _ in range(200):
        path = random_path(draw, whole=whole)
        short = svg_compact.compact_path(path)
        assert len(short) < len(path)
        for before, after in zip(points(path), points(short), strict=True):
            assert before == (after if whole or isinstance(after, str) else pytest.approx(after, abs=0.0051))


def compacted(inner):
    root = ElementTree.fromstring(f"<svg>{inner}</svg>")
    svg_compact.compact(root)
    return ElementTree.tostring(root, encoding="unicode").removeprefix("<svg>").removesuffix("</svg>")


def test_groups_and_spaces_that_say_nothing_go():
    assert compacted("<g>\n <g> <path id='a' />\n </g> <g />\n <defs> </defs></g>") == '<path id="a" />'
    assert compacted('<g opacity="0.5"> <path /> </g>') == '<g opacity="0.5"><path /></g>'
    assert compacted("<text> a <tspan> b </tspan> </text>") == "<text> a <tspan> b </tspan> </text>"


def cell(x, y, look='style="fill: red"'):
    return f'<path d="M {x} {y} L {x + 2} {y} L {x + 2} {y + 2} L {x} {y + 2} z" {look} />'


def test_neighbours_that_look_alike_become_one_path():
    joined = compacted(cell(0, 0) + cell(2, 0) + cell(2, 2))
    assert joined.count("<path") == 1
    assert joined.count("M") == joined.count("z") == 3
    assert compacted(f"<g>{cell(0, 0)}</g><g>{cell(2, 0)}</g>").count("<path") == 1


@pytest.mark.parametrize(
    "inner",
    [
        cell(0, 0) + cell(1, 1),  # on another: which is painted first, and holes, make a difference
        cell(0, 0) + cell(1, 1) + cell(0, 0),
        cell(0, 0) + cell(2, 0, 'style="fill: blue"'),
        cell(0, 0) + cell(2, 0, 'style="fill: blue"') + cell(4, 0),
        cell(0, 0) + '<use href="#a" />' + cell(2, 0),
        cell(0, 0) + "<g opacity='0.5'>" + cell(2, 0) + "</g>",
        cell(0, 0, 'id="a"') + cell(2, 0, 'id="a"'),  # others refer to it
        '<path d="M 0 0 l 1 1" /><path d="M 5 5 l 1 1" />',  # numbers that are no places
    ],
)
def test_others_stay_apart(inner):
    assert compacted(inner).count("<path") == inner.count("<path")


FRAME = '<defs><clipPath id="f"><rect x="1" y="1" width="8" height="8" /></clipPath></defs>'


def framed(inner):
    return compacted(f'<g clip-path="url(#f)">{inner}</g>{FRAME}')


def image(place, rest=""):
    return f'<image width="4" height="4" transform="matrix({place})" {rest}/>'


def test_an_image_that_fills_its_frame_needs_none():
    assert framed(image("2 0 0 2 1 1.000001")) == image("2 0 0 2 1 1.000001")
    assert framed(image("1 0 0 1 2 2")) == image("1 0 0 1 2 2")


@pytest.mark.parametrize(
    "inner",
    [
        image("2 0 0 2 1.1 1"),  # beyond each side in turn
        image("2 0 0 2 1 1.1"),
        image("2 0 0 2 0.9 1"),
        image("2 0 0 2 1 0.9"),
        image("-1 0 0 1 2 2"),
        image("1 0.5 0 1 2 2"),
        image("1 0 0 1 2 2", 'x="7" '),
        image("1 0 0 1 2 2") + '<path d="M 0 0 L 20 20" />',
    ],
)
def test_others_stay_in_their_frame(inner):
    assert framed(inner) == (
        f'<g clip-path="url(#f)">{inner}</g>{FRAME}'.replace("M 0 0 L 20 20", "M0 0l20 20")
    )


def test_a_frame_stays_as_long_as_something_is_clipped_to_it():
    inner = image("2 0 0 2 1 1")
    path = '<path d="M0 0l20 20" clip-path="url(#f)" />'
    assert compacted(f'<g clip-path="url(#f)">{inner}</g>{path}{FRAME}') == f"{inner}{path}{FRAME}"


def address(image):
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return "data:image/png;base64," + base64.b64encode(buffer.getvalue()).decode()


def pixels(address):
    data = base64.b64decode(address.partition(",")[2])
    return Image.open(io.BytesIO(data)).convert("RGBA").tobytes()


@pytest.mark.parametrize("kind", ["colours", "grey", "clear"])
def test_image_keeps_every_pixel(kind):
    draw = random.Random(0)
    data = bytearray(draw.randbytes(40 * 40 * 4))
    for pixel in range(0, len(data), 4):
        if kind == "grey":
            data[pixel + 1] = data[pixel + 2] = data[pixel]
        if kind != "clear":
            data[pixel + 3] = 255
    before = address(Image.frombytes("RGBA", (40, 40), bytes(data)))
    after = svg_compact.smaller_image(before)
    assert pixels(after) == pixels(before)
    assert len(after) < len(before) or after == before
    assert after.startswith("data:image/webp") or kind == "clear"


# ---- style sheets ----


@pytest.mark.parametrize(
    ("selector", "stays"),
    [
        (".a", True),
        (".a .b", False),
        ("#a > p", True),
        ("p:not(.b)", True),
        (":is(.b, .a) p", True),
        ('[class*="b"]', True),
        (".a\\:b", False),
        (".b, .a", True),
        ("html[data-theme=dark] .a::before", True),
        ("*", True),
    ],
)
def test_rule_stays_where_a_page_may_need_it(selector, stays):
    assert bool(css_prune.prune(f"{selector} {{ top: 0 }}", {"a"})) == stays


def test_rules_keep_their_order_and_content():
    css = '@font-face{src:url("a;b.woff")}.a{content:"}"}@media print{.b{top:0}.a{top:1px}}.a{top:2px}'
    assert css_prune.prune(css, {"a"}).split("\n") == [
        '@font-face{src:url("a;b.woff")}',
        '.a{content:"}"}',
        "@media print{.a{top:1px}}",
        ".a{top:2px}",
    ]


def test_broken_style_sheet_is_an_error():
    with pytest.raises(ValueError, match="style sheet: line 1"):
        css_prune.prune("a } b", set())


def test_style_sheets_join_with_what_they_import_and_their_addresses(tmp_path):
    (tmp_path / "styles").mkdir()
    (tmp_path / "base.css").write_text('@charset "UTF-8";p{top:0}')
    (tmp_path / "styles/a.css").write_text(
        '@import "../base.css";a{background:url(../b.png)}i{background:url(data:x)}u{background:url("#c")}'
    )
    assert lean_styles.joined(tmp_path, ["styles/a.css"]) == (
        'p{top:0}a{background:url("b.png")}i{background:url(data:x)}u{background:url("#c")}'
    )


def test_page_uses_the_one_style_sheet_and_keeps_its_own():
    links = [f'<link rel="stylesheet" href="../_static/{name}.css?v=1" />' for name in "abc"]
    page = lean_styles.use("<head>" + "\n".join(links) + "</head>", ["a.css", "c.css"], "7")
    assert re.findall(r'href="([^"]+)"', page) == ["../_static/styles.css?v=7", "../_static/b.css?v=1"]


def test_words_of_scripts_in_pages_are_classes_too(tmp_path):
    (tmp_path / "a.js").write_text('element.classList.add("from-file")')
    words = lean_styles.words_of_scripts(tmp_path, ['<script type="x">{"_esm": "a\\nfrom-page"}</script>'])
    assert {"from-file", "from-page"} <= words


# ---- icons ----


@pytest.fixture
def font(tmp_path):
    """Write a font of two squares, U+F001 and U+F002; return its path."""
    pen = TTGlyphPen(None)
    for step, point in enumerate([(0, 0), (0, 500), (500, 500), (500, 0)]):
        pen.lineTo(point) if step else pen.moveTo(point)
    pen.closePath()
    square = pen.glyph()
    builder = FontBuilder(1000)
    builder.setupGlyphOrder([".notdef", "one", "two"])
    builder.setupCharacterMap({0xF001: "one", 0xF002: "two"})
    builder.setupGlyf(dict.fromkeys((".notdef", "one", "two"), square))
    builder.setupHorizontalMetrics(dict.fromkeys((".notdef", "one", "two"), (500, 0)))
    builder.setupHorizontalHeader()
    builder.setupPost()
    builder.setupOS2()
    builder.setupNameTable({"familyName": "Font Awesome 9"})
    (tmp_path / "vendor").mkdir()
    builder.save(tmp_path / "vendor/some.ttf")
    return tmp_path / "vendor/some.ttf"


FACE = (
    "@font-face{font-family:Font Awesome\\ 9;font-weight:900;"
    'src:url("vendor/some.woff2") format("woff2"),url("vendor/some.ttf") format("truetype")}'
)


def test_font_has_the_icons_that_are_named(font, tmp_path):
    css = icon_fonts.cut_icons(FACE + '.a:before{content:"\\f002"}', tmp_path)
    assert css.startswith("@font-face{font-family:Font Awesome\\ 9;font-weight:900;src:url(")
    assert re.findall(r"url\(\"([^\"]+)\"\)", css) == ["icons-some.woff"]
    assert set(TTFont(tmp_path / "icons-some.woff").getBestCmap()) == {0xF002}


def test_font_without_icons_goes(font, tmp_path):
    assert (
        icon_fonts.cut_icons(FACE + '.a:before{content:"\\f00d"}', tmp_path) == '.a:before{content:"\\f00d"}'
    )


# ---- scripts ----


def test_options_stand_in_the_page_before_scripts_that_wait(tmp_path):
    options = tmp_path / "documentation_options.js"
    options.write_text("const DOCUMENTATION_OPTIONS = {};\n")
    page = lean_scripts.deferred(
        options,
        '<script src="_static/documentation_options.js?v=1"></script>\n<script src="_static/a.js"></script>\n'
        "<script>DOCUMENTATION_OPTIONS.pagename = 'a';</script>",
    )
    assert page == (
        "<script>const DOCUMENTATION_OPTIONS = {}; DOCUMENTATION_OPTIONS.pagename = 'a';</script>\n"
        '<script defer src="_static/a.js"></script>'
    )
    assert lean_scripts.deferred(options, page) == page


def test_page_without_search_loads_none_of_it():
    page = '<script src="a.js"></script>\n <script src="../_static/searchtools.js"></script>'
    page += '<script src="../searchindex.js?v=1"></script>'
    assert lean_scripts.without_search(page) == '<script src="a.js"></script>'


def test_one_statement_on_the_width_is_enough():
    meta = '<meta name="viewport" content="a">'
    assert lean_scripts.one_viewport(f"<head>{meta}\n{meta}</head>") == f"<head>{meta}</head>"
    assert lean_scripts.one_viewport("<head></head>") == "<head></head>"


def test_a_theme_that_looks_for_boxes_otherwise_is_noticed():
    expected = r"no longer looks for boxes that scroll as book/_ext/lean_scripts\.py expects: found {} lists"
    boxes = '["pre", ".pst-scrollable-table-container"]'
    for count in (0, 2):
        with pytest.raises(ValueError, match=expected.format(count)):
            lean_scripts.without_boxes(boxes * count)
