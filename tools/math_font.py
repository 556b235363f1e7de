"""Make the small formula font of the book, `book/_static/d2lconv-math.woff2`, from STIX Two Math.

Its characters are those of the `unicode-range` in `math.css`. To add one, add it there, and::

    pip install fonttools brotli
    npm pack @fontsource/stix-two-math && tar xzf fontsource-stix-two-math-*.tgz
    python tools/math_font.py package/files/stix-two-math-latin-400-normal.woff2

Some glyphs differ from the original, which is why the font has a name of its own. Primes are larger and
lower: as superscripts they are raised and made smaller again. The star of cross-correlation is as small as
other operators.
"""

import sys
from pathlib import Path
from typing import Any
from unicodedata import category

STATIC = Path(__file__).parents[1] / "book" / "_static"


def redraw(font: Any, char: str, *, scale: float, drop: float = 0) -> None:
    """Scale one glyph and its advance width about the middle of its height, then lower it by `drop` units."""
    from fontTools.pens import transformPen, ttGlyphPen  # slow, and pytest imports this file

    name = font.getBestCmap()[ord(char)]
    table = font["glyf"]
    middle = (table[name].yMin + table[name].yMax) / 2
    pen = ttGlyphPen.TTGlyphPen(None)
    place = (scale, 0, 0, scale, 0, middle - drop - scale * middle)
    font.getGlyphSet()[name].draw(transformPen.TransformPen(pen, place))
    table[name] = pen.glyph()
    table[name].recalcBounds(table)
    font["hmtx"][name] = (round(font["hmtx"][name][0] * scale), table[name].xMin)


def main(source: str) -> None:
    """Write the font, and name the characters that it lacks: signs never drawn, or not in the original."""
    from fontTools import subset, ttLib

    font = ttLib.TTFont(source)
    redraw(font, "⋆", scale=0.7)
    for prime in "′″‴":
        redraw(font, prime, scale=1.4, drop=250)
    css = (STATIC / "math.css").read_text("utf-8")
    named = subset.parse_unicodes(css.partition("unicode-range:")[2].partition(";")[0])
    drawn = [point for point in named if point in font.getBestCmap() and category(chr(point)) != "Cf"]
    options = subset.Options(layout_features=[], hinting=False, notdef_outline=True)
    options.name_IDs = [0, 1, 2, 4, 6, 13, 14]
    cutter = subset.Subsetter(options)
    cutter.populate(unicodes=drawn)
    cutter.subset(font)
    names = {1: "d2lconv Math", 4: "d2lconv Math", 6: "d2lconvMath"}
    for record in font["name"].names:
        record.string = names.get(record.nameID, record.string)
    font.flavor = "woff2"
    font.save(STATIC / "d2lconv-math.woff2")
    print("not in it:", ", ".join(f"U+{point:X}" for point in named if point not in drawn))


if __name__ == "__main__":
    main(sys.argv[1])
