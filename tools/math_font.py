"""Make the small formula font of the book from STIX Two Math.

No part of a build: its result, `book/_static/d2lconv-math.woff2`, is committed. Run it
again to add characters (then copy the printed `unicode-range` into `book/_static/math.css`)::

    pip install fonttools brotli
    npm pack @fontsource/stix-two-math && tar xzf fontsource-stix-two-math-*.tgz
    python tools/math_font.py package/files/stix-two-math-latin-400-normal.woff2

Some glyphs differ from the original, which is why the font has a name of its own. Primes are larger and
lower: as superscripts they are raised and made smaller again. The star of cross-correlation is as small as
other operators.
"""

import sys
from pathlib import Path

from fontTools import subset
from fontTools.misc.transform import Transform
from fontTools.pens.transformPen import TransformPen
from fontTools.pens.ttGlyphPen import TTGlyphPen
from fontTools.ttLib import TTFont

TARGET = Path(__file__).parents[1] / "book" / "_static" / "d2lconv-math.woff2"
NAME = "d2lconv Math"

#: Inclusive ranges: what a course on convolutions writes, and some room.
RANGES = [
    (0x20, 0x7E),  # ASCII
    (0x1D400, 0x1D433),  # bold
    (0x1D434, 0x1D467),  # italic
    (0x1D49C, 0x1D4B5),  # script capitals
    (0x1D538, 0x1D551),  # double-struck capitals
    (0x1D6E2, 0x1D71B),  # italic Greek
    (0x1D7CE, 0x1D7D7),  # bold digits
    (0x391, 0x3A9),
    (0x3B1, 0x3C9),  # Greek
]
SINGLES = (
    "\u00a0ℎℬℰℱℋℐℒℳℛℂℍℕℙℚℝℤℓϵϑϕ¯ˆ˜˙ˇ˘¨´`←→↑↓↔↦⇐⇒⇔"
    "×·÷±∓−∗⋆∘∙⋅⊙⊗⊕⊖⊛⊤⊥≤≥≠≈≡≅∼≃≪≫∝≔≜∈∉∋⊂⊃⊆⊇∪∩∖∅∀∃¬∧∨∣∥∶"
    "∑∏∫∂∇√∞′″‴…⋯⋮⋱⌊⌋⌈⌉⟨⟩‖⏞⏟–—°§"
)
#: What formulas hold to be read aloud or to choose a form, and no font draws.
INVISIBLE = [0x2061, 0x2062, 0x2063, 0x2064, 0xFE00]


def wanted() -> list[int]:
    """Return every code point of the font, in order."""
    spans = {point for first, last in RANGES for point in range(first, last + 1)}
    return sorted(spans | {ord(char) for char in SINGLES})


def css_range(points: list[int]) -> str:
    """Write code points as the value of CSS's `unicode-range`.

    >>> css_range([0x20, 0x21, 0x22, 0x40])
    'U+20-22, U+40'
    """
    spans: list[list[int]] = []
    for point in points:
        if spans and point == spans[-1][1] + 1:
            spans[-1][1] = point
        else:
            spans.append([point, point])
    return ", ".join(f"U+{a:X}" if a == b else f"U+{a:X}-{b:X}" for a, b in spans)


def redraw(font: TTFont, char: str, *, scale: float, drop: float = 0) -> None:
    """Scale one glyph and its advance width about the middle of its height, then lower it by `drop` units."""
    name = font.getBestCmap()[ord(char)]
    table = font["glyf"]
    middle = (table[name].yMin + table[name].yMax) / 2
    pen = TTGlyphPen(None)
    place = Transform().translate(0, middle - drop).scale(scale).translate(0, -middle)
    font.getGlyphSet()[name].draw(TransformPen(pen, place))
    table[name] = pen.glyph()
    table[name].recalcBounds(table)
    font["hmtx"][name] = (round(font["hmtx"][name][0] * scale), table[name].xMin)


def main(source: str) -> None:
    """Write the font, and print its size and its coverage."""
    font = TTFont(source)
    redraw(font, "⋆", scale=0.7)
    for prime in "′″‴":
        redraw(font, prime, scale=1.4, drop=250)
    points = [point for point in wanted() if point in font.getBestCmap()]
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=points)
    cutter.subset(font)
    for record in font["name"].names:
        if record.nameID in (1, 4):
            record.string = NAME
        elif record.nameID == 6:
            record.string = NAME.replace(" ", "")
    font.flavor = "woff2"
    font.save(TARGET)
    coverage = css_range(sorted([*points, *INVISIBLE]))
    print(f"{TARGET.name}: {TARGET.stat().st_size:,} bytes\nunicode-range: {coverage};")


if __name__ == "__main__":
    main(sys.argv[1])
