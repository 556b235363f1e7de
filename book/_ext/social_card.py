"""Draw the picture that a page has where people share its address: the title beside the cover of the course.

Nothing here knows Sphinx; `page_head.py` connects it to the book.
"""

import re
import textwrap
from pathlib import Path
from xml.etree import ElementTree

import matplotlib
from PIL import Image, ImageColor, ImageDraw, ImageFont

SIZE = (1200, 630)
COVER = Path(__file__).parent.parent / "_static" / "cover.svg"
SCALE = 2
"""The card is drawn larger, then made smaller, so that edges are smooth."""
PAPER = "#ffffff"
INK = "#1b1f24"
MUTED = "#5b6470"
BLUE = "#0072b2"

_SVG = "{http://www.w3.org/2000/svg}"
_MARGIN = 72
_COLOURS = 64


def card(title: str, course: str) -> Image.Image:
    """Draw a card.

    Parameters
    ----------
    title
        Of the page. Long ones stand in smaller letters.
    course
        Name of the course.
    """
    large = Image.new("RGB", (SIZE[0] * SCALE, SIZE[1] * SCALE), PAPER)
    draw = ImageDraw.Draw(large)
    draw.rectangle((0, 0, 18 * SCALE, large.height), fill=BLUE)
    size, width = (60, 28) if len(title) <= 56 else (46, 36)
    text = "\n".join(textwrap.wrap(title, width)[:3])
    draw.multiline_text(
        (_MARGIN * SCALE, _MARGIN * SCALE), text, INK, _font(size, bold=True), spacing=14 * SCALE
    )
    draw.text((_MARGIN * SCALE, (SIZE[1] - 96) * SCALE), course, MUTED, _font(34))
    _draw_cover(draw, left=560, top=308, scale=0.95)
    return large.resize(SIZE, Image.Resampling.LANCZOS).quantize(_COLOURS, dither=Image.Dither.NONE)


def _font(size: float, *, bold: bool = False) -> ImageFont.FreeTypeFont:
    """Return a font that comes with Matplotlib, the same on every machine."""
    name = "DejaVuSans-Bold.ttf" if bold else "DejaVuSans.ttf"
    return ImageFont.truetype(
        str(Path(matplotlib.get_data_path(), "fonts", "ttf", name)), round(size * SCALE)
    )


def _draw_cover(draw: ImageDraw.ImageDraw, *, left: float, top: float, scale: float) -> None:
    """Draw the cover's rectangles and words; it has nothing else."""

    def walk(element: ElementTree.Element, inherited: dict[str, str]) -> None:
        style = inherited | element.attrib
        unit = scale * SCALE
        x, y = (left * SCALE + float(style.get("x", 0)) * unit, top * SCALE + float(style.get("y", 0)) * unit)
        if element.tag == f"{_SVG}rect":
            box = (x, y, x + float(style["width"]) * unit, y + float(style["height"]) * unit)
            fill = None if style.get("fill") == "none" else style["fill"]
            line = round(float(style.get("stroke-width", 1)) * unit)
            draw.rectangle(box, fill=fill, outline=_mixed(style), width=line)
        elif element.tag == f"{_SVG}text":
            font = _font(float(re.sub(r"\D", "", style["font-size"])) * scale)
            draw.text((x, y), element.text or "", style["fill"], font, anchor="ms")
        elif element.tag not in (f"{_SVG}g", f"{_SVG}svg"):
            raise ValueError(f"{COVER.name}: no way to draw <{element.tag.removeprefix(_SVG)}> on a card")
        for child in element:
            walk(child, {k: v for k, v in style.items() if k not in ("x", "y", "width", "height")})

    walk(ElementTree.parse(COVER).getroot(), {})


def _mixed(style: dict[str, str]) -> tuple[int, ...]:
    """Return the colour of a line that lets the paper through."""
    share = float(style.get("stroke-opacity", 1))
    over, under = ImageColor.getrgb(style["stroke"]), ImageColor.getrgb(PAPER)
    return tuple(round(share * a + (1 - share) * b) for a, b in zip(over, under, strict=True))
