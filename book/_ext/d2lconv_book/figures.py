"""Figures that follow the theme: SVG drawings become part of the page.

myst-nb writes each SVG output of a chapter to a file and shows it by `<img>`, which cannot know whether the
page is light or dark. Here the drawing itself is put in the page: with ids of its own, with the course's
colours as CSS variables (`_static/palette.css`), and with fewer bytes. Matplotlib writes six decimals where
a hundredth of a point cannot be seen, groups each part, draws each cell of a grid by itself, embeds PNG.

Every image of a page must say what it shows. For an output, the cell's metadata does: `{"mystnb": {"image":
{"alt": "A 3×3 input, a 2×2 kernel and their 2×2 output"}}}`. A missing text is a build warning.
"""

import base64
import io
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree
from xml.etree.ElementTree import Element

import numpy as np
from docutils import nodes
from matplotlib.colors import to_rgb
from PIL import Image
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging

from d2lconv.plotting import PALETTE
from d2lconv_book.finish import active_parts, place_of

LOGGER = logging.getLogger(__name__)

#: Which colour is which variable; of equal ones the first.
VARIABLES = {colour: f"--d2l-{name.replace('_', '-')}" for name, colour in reversed(PALETTE.items())}
DECIMALS = 2
"""Of coordinates in points; a screen's pixel is 0.75 points."""
PIXEL_ART = 64
"""Images up to this many pixels wide are shown as sharp squares."""
PHOTOGRAPH = 2500
"""Images of more bytes may lose what no eye sees, where that halves them."""

Box = tuple[float, float, float, float]

_FILE_NAME = re.compile(r"[!-~]*(/|\.(svg|png|jpe?g|gif|webp))[!-~]*")
_PNG = re.compile(r"data:image/png;base64,([A-Za-z0-9+/=\s]*)")
_URL = re.compile(r"url\(\s*['\"]?#([^)'\"]*)['\"]?\s*\)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_PAINT = ("fill", "stroke", "stop-color", "color")
_NUMBER = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_ABSOLUTE = re.compile(r"M[MLQCz\d\s.-]+")
# In a page, Matplotlib's style sheet would change every element; book.css says the same of drawings.
_DROPPED = ("metadata", "style")


class InlineSvg(SphinxPostTransform):
    """Replace SVG files by their drawings, and warn of images without a text."""

    default_priority = 60  # after myst-nb has chosen one form of each output, before images are converted
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the images of one page."""
        page = self.env.docname.rpartition("/")[2]
        for number, image in enumerate(list(self.document.findall(nodes.image)), start=1):
            alt = image.get("alt", "")
            if not is_description(alt):
                self._warn(image, "alt", f"image without a description (alt={alt!r})")
            path = Path(self.app.srcdir, image["uri"].lstrip("/"))
            if path.suffix != ".svg" or not path.is_file():
                continue
            drawing = inline(path.read_text(encoding="utf-8"), prefix=f"{page}-f{number}-", label=alt)
            if found := active_parts(drawing):
                self._warn(image, "svg", f"drawing not put in the page: it has {', '.join(found)}")
            else:
                image.replace_self(nodes.raw("", drawing, format="html"))

    def _warn(self, image: nodes.image, subtype: str, message: str) -> None:
        LOGGER.warning(message, location=place_of(image), type="d2lconv", subtype=subtype)


def is_description(alt: str) -> bool:
    """Return whether a text says something about an image; a file name does not.

    >>> is_description("A 3×3 input beside its 2×2 output")
    True
    >>> is_description("_build/jupyter_execute/ab12.svg"), is_description(" "), is_description("plot.png")
    (False, False, False)
    """
    return bool(alt.strip()) and not _FILE_NAME.fullmatch(alt.strip())


def inline(source: str, *, prefix: str, label: str) -> str:
    """Return a drawing as an element of a page; its ids begin with `prefix`, `label` says what it shows."""
    root = ElementTree.fromstring(source)
    for figure in root.iterfind(".//{*}g[@id='figure_1']/{*}g[@id='patch_1']/{*}path"):
        figure.set("style", "fill: none")  # the page shines through what Matplotlib draws behind a figure
    _clean(root, prefix)
    root.attrib.pop("version", None)
    root.attrib |= {"class": "d2l-figure", "role": "img", "aria-label": label}
    used = set(re.findall(r"#[^\s()'\"]+", " ".join(v for one in root.iter() for v in one.attrib.values())))
    for element in root.iter():  # Matplotlib names every part; keep the names that something refers to
        if f"#{element.get('id')}" not in used:
            element.attrib.pop("id", None)
    _unwrap(root)
    for element in root.iter():  # what holds paths comes before them
        _join_paths(element)
        if "d" in element.attrib:
            element.set("d", short_path(element.attrib["d"]))
    return ElementTree.tostring(root, encoding="unicode")


def _clean(element: Element, prefix: str) -> None:
    """Give an element and all below it plain names, ids of their own and the theme's colours."""
    element.tag = _local(element.tag)
    if element.tag not in ("text", "tspan") and not (element.text or "").strip():
        element.text = None
    for child in list(element):
        if not isinstance(child.tag, str) or _local(child.tag) in _DROPPED:
            element.remove(child)
        else:
            _clean(child, prefix)
            child.tail = child.tail if (child.tail or "").strip() else None
    given = {_local(name): value for name, value in element.attrib.items()}
    moved = [f"{name}: {given.pop(name)}" for name in _PAINT if "#" in given.get(name, "")]
    if moved:  # into `style`, where CSS variables work in every browser
        given["style"] = "; ".join([*moved, given.get("style", "")]).rstrip("; ")
    if "id" in given:
        given["id"] = prefix + given["id"]
    if given.get("href", "").startswith("#"):
        given["href"] = f"#{prefix}{given['href'][1:]}"
    elif found := _PNG.fullmatch(given.get("href", "")):
        given |= _image(base64.b64decode(found[1]), given)
    element.attrib.clear()
    for name, value in given.items():
        value = _URL.sub(rf"url(#{prefix}\1)", value)
        element.set(name, _HEX.sub(_themed, value) if name == "style" else value)


def _local(name: str) -> str:
    return name.rpartition("}")[2]  # without the XML namespace


def _themed(colour: re.Match[str]) -> str:
    """Return the colour as a variable of the theme, or as it is if it is none of the palette's."""
    name = VARIABLES.get(colour[0].lower())
    return f"var({name}, {colour[0]})" if name else colour[0]


def _image(source: bytes, given: Mapping[str, str]) -> dict[str, str]:
    """Return new attributes for an embedded PNG: smaller, sharp where pixels count, see-through if a map."""
    image = Image.open(io.BytesIO(source)).convert("RGBA")
    new = {}
    if image.width <= PIXEL_ART and "pixelated" not in given.get("style", ""):
        new["style"] = f"{given.get('style', '')};image-rendering:pixelated".lstrip(";")
    seen = see_through(np.asarray(image))
    if seen is not None:
        image, new["class"] = Image.fromarray(seen), "d2l-signed"
    opaque = image.getchannel("A").getextrema() == (255, 255)
    # Method 6 takes eight times as long, for 3 % less.
    small = _webp(image.convert("RGB") if opaque else image, lossless=True, exact=True, quality=100, method=5)
    if opaque and len(small) > PHOTOGRAPH:
        lossy = _webp(image.convert("RGB"), quality=85, method=6)
        small = lossy if 2 * len(lossy) < len(small) else small
    if seen is not None or len(small) < len(source):
        new["href"] = f"data:image/webp;base64,{base64.b64encode(small).decode('ascii')}"
    return new


def _webp(image: Image.Image, **options: Any) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", **options)
    return buffer.getvalue()


def see_through(pixels: np.ndarray) -> np.ndarray | None:
    """Return a map of signed numbers that lets the paper through at zero; None for other images.

    Its colours lie between white and one of two; how far from white a pixel is becomes its opacity.
    """
    colours = np.array([to_rgb(PALETTE["output"]), to_rgb(PALETTE["highlight"])]) * 255
    depth, full = 255.0 - pixels[..., None, :3], 255.0 - colours
    share = (depth * full).sum(-1) / (full**2).sum(-1)
    off = np.abs(depth - share[..., None] * full).max(-1)
    nearest = off.argmin(-1)
    share = np.take_along_axis(share, nearest[..., None], -1)
    if off.min(-1).max() > 3 or share.max() < 0.1 or (pixels[..., 3] < 255).any():
        return None
    return np.dstack([colours[nearest], 255 * share.clip(0, 1)]).round().astype(np.uint8)


# ---- fewer bytes, the same look ----


def short_path(path: str) -> str:
    """Write a path with as few characters as its form allows.

    >>> short_path("M 7.2 168.028801  L 181.19952 168.028801  z ")
    'M7.2 168.03L181.2 168.03z'
    """
    path = _NUMBER.sub(lambda found: f" {round(float(found[0]), DECIMALS) + 0:.9g}", path)
    return re.sub(r" (?=[A-Za-z-]|$)|(?<=[A-Za-z]) ", "", re.sub(r"[\s,]+", " ", path))


def _unwrap(element: Element) -> None:
    """Take children out of groups that say nothing about them, and drop what is empty."""
    children: list[Element] = []
    for child in element:
        _unwrap(child)
        if child.tag == "g" and not child.attrib:
            children += child
        elif child.tag != "defs" or len(child):
            children.append(child)
    element[:] = children


def _join_paths(element: Element) -> None:
    """Make one path of neighbours that are painted alike, such as the cells of a grid, and do not overlap.

    It saves 3 KiB a chapter, up to 9, and half of its paths.
    """
    last: Element | None = None  # the path that others may join
    boxes: list[Box] = []
    for child in list(element):
        box, look = _box(child), {**child.attrib, "d": ""}
        if box is None:
            last = None
        elif last is None or look != {**last.attrib, "d": ""} or any(_overlap(box, other) for other in boxes):
            last, boxes = child, [box]
        else:
            last.set("d", f"{last.attrib['d']} {child.attrib['d']}")
            boxes.append(box)
            element.remove(child)


def _box(element: Element) -> Box | None:
    """Return left, top, right and bottom of a path; None where one has a name or goes in steps."""
    path = element.get("d", "")
    if element.tag != "path" or "id" in element.attrib or not _ABSOLUTE.fullmatch(path):
        return None
    numbers = [float(number) for number in _NUMBER.findall(path)]
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def _overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes share more than an edge."""
    return all(min(one[axis + 2], other[axis + 2]) - max(one[axis], other[axis]) > 0.01 for axis in (0, 1))


def setup(app: Sphinx) -> None:
    """Register the transform."""
    app.add_post_transform(InlineSvg)
