"""Make an SVG drawing fit to stand in a page: safe, with ids of its own, in the theme's colours, and small.

Nothing here knows Sphinx; `inline_svg.py` connects it to the book.
"""

import base64
import re
from collections.abc import Mapping
from pathlib import Path
from xml.etree import ElementTree

from svg_compact import compact

_SHAPES = frozenset(
    ["path", "rect", "circle", "ellipse", "line", "polyline", "polygon", "text", "tspan", "image"]
)
_STRUCTURE = frozenset(["svg", "g", "defs", "symbol", "use", "title", "desc", "clipPath", "mask", "marker"])
_PAINT_SERVERS = frozenset(["pattern", "linearGradient", "radialGradient", "stop"])
_ALLOWED = _SHAPES | _STRUCTURE | _PAINT_SERVERS
_DROPPED = frozenset(["metadata"])
# Matplotlib's only style sheet. In a page it would change every element, so figures.css sets the same on
# the drawing itself.
_MATPLOTLIB_STYLE = "*{stroke-linejoin: round; stroke-linecap: butt}"
_IMAGE_DATA = re.compile(r"data:image/(png|jpeg|gif);base64,([A-Za-z0-9+/=\s]*)")
_URL = re.compile(r"url\(\s*['\"]?(?P<target>[^)'\"]*)['\"]?\s*\)")
_HEX = re.compile(r"#[0-9a-fA-F]{6}\b")
_PAINT = ("fill", "stroke", "stop-color", "color")
_PIXEL_ART = 64  # images up to this many pixels wide are shown as sharp squares


class UnsafeSvgError(ValueError):
    """A drawing that has something which may not stand in a page."""


def read_palette(css: Path) -> dict[str, str]:
    """Read which colour is which CSS variable from the first block of `palette.css`.

    Parameters
    ----------
    css
        The file with lines such as `--d2l-ink: #1b1f24;`. Where two variables share a colour, the first
        counts.

    Returns
    -------
    dict
        Lower-case colour to variable, such as `{"#1b1f24": "--d2l-ink"}`.
    """
    block = css.read_text(encoding="utf-8").split("}")[0]
    palette: dict[str, str] = {}
    for name, colour in re.findall(r"(--d2l-[a-z-]+):\s*(#[0-9a-fA-F]{6});", block):
        palette.setdefault(colour.lower(), name)
    return palette


def clean_svg(source: str, *, prefix: str, label: str, palette: Mapping[str, str]) -> str:
    """Return the drawing as an element for a page.

    Parameters
    ----------
    source
        The SVG file's text.
    prefix
        What each id begins with afterwards; different for each drawing in a page.
    label
        What the drawing shows, for those who do not see it.
    palette
        Colour to CSS variable, as `read_palette` gives it.

    Returns
    -------
    str
        `<svg class="d2l-figure" role="img" aria-label="…">…</svg>`

    Raises
    ------
    UnsafeSvgError
        If the drawing has a script, foreign content, an event handler or a reference out of itself.
    """
    root = ElementTree.fromstring(source)
    _clean(root, prefix, palette)
    root.set("class", "d2l-figure")
    root.set("role", "img")
    root.set("aria-label", label)
    root.attrib.pop("version", None)
    _clear_background(root, prefix)
    _drop_unused_ids(root)
    compact(root)
    return ElementTree.tostring(root, encoding="unicode", short_empty_elements=True)


def _clean(element: ElementTree.Element, prefix: str, palette: Mapping[str, str]) -> None:
    """Clean an element and all below it, in place."""
    element.tag = _local(element.tag)
    if element.tag not in _ALLOWED:
        raise UnsafeSvgError(f"<{element.tag}> is not allowed in an inline drawing")
    for child in list(element):
        if not isinstance(child.tag, str) or _local(child.tag) in _DROPPED or _is_matplotlib_style(child):
            element.remove(child)  # comments, metadata
        else:
            _clean(child, prefix, palette)
    attributes = {_local(name): value for name, value in element.attrib.items()}
    element.attrib.clear()
    if "href" in attributes:
        attributes["href"] = _reference(element.tag, attributes["href"], prefix)
        if element.tag == "image":
            _sharpen(attributes)
    if "id" in attributes:
        attributes["id"] = prefix + attributes["id"]
    _paint_with_style(attributes)
    for name, value in attributes.items():
        if name.lower().startswith("on"):
            raise UnsafeSvgError(f"the event attribute {name}= is not allowed in an inline drawing")
        value = _URL.sub(lambda found: f"url({_own(found['target'], prefix)})", value)
        if name == "style":
            value = _HEX.sub(lambda found: _themed(found[0], palette), value)
        element.set(name, value)


def _drop_unused_ids(root: ElementTree.Element) -> None:
    """Keep only ids that something refers to: Matplotlib names every part, and two equal images alike."""
    used = set()
    for element in root.iter():
        used |= {value.removeprefix("#") for name, value in element.attrib.items() if name == "href"}
        used |= {
            found["target"].removeprefix("#") for v in element.attrib.values() for found in _URL.finditer(v)
        }
    for element in root.iter():
        if element.get("id") not in used:
            element.attrib.pop("id", None)


def _local(name: str) -> str:
    """Return a name without its XML namespace."""
    return name.rpartition("}")[2]


def _is_matplotlib_style(element: ElementTree.Element) -> bool:
    return _local(element.tag) == "style" and (element.text or "").strip() == _MATPLOTLIB_STYLE


def _own(target: str, prefix: str) -> str:
    """Return a reference within the drawing, with its new id."""
    if not target.startswith("#"):
        raise UnsafeSvgError(f"a drawing may not refer to {target[:60]!r}")
    return f"#{prefix}{target[1:]}"


def _reference(tag: str, target: str, prefix: str) -> str:
    """Return the cleaned value of a `href`."""
    if tag == "image" and _IMAGE_DATA.fullmatch(target):
        return re.sub(r"\s", "", target)
    return _own(target, prefix)


def _sharpen(attributes: dict[str, str]) -> None:
    """Let a small image, such as a digit of 8×8 pixels, keep its pixels when it is drawn larger."""
    found = _IMAGE_DATA.fullmatch(attributes["href"])
    if found is None or found[1] != "png" or "pixelated" in attributes.get("style", ""):
        return
    head = base64.b64decode(found[2][:64])
    if head[12:16] == b"IHDR" and int.from_bytes(head[16:20], "big") <= _PIXEL_ART:
        attributes["style"] = f"{attributes.get('style', '')};image-rendering:pixelated".lstrip(";")


def _paint_with_style(attributes: dict[str, str]) -> None:
    """Move colours from attributes into `style`, where CSS variables work in every browser."""
    moved = [f"{name}: {attributes.pop(name)}" for name in _PAINT if "#" in attributes.get(name, "")]
    if moved:
        attributes["style"] = "; ".join([*moved, attributes.get("style", "")]).rstrip("; ")


def _themed(colour: str, palette: Mapping[str, str]) -> str:
    """Return the colour as a variable of the theme, or as it is if it is none of the palette's."""
    name = palette.get(colour.lower())
    return f"var({name}, {colour})" if name else colour


def _clear_background(root: ElementTree.Element, prefix: str) -> None:
    """Let the page shine through the rectangle that Matplotlib draws behind a figure."""
    figure = root.find(f".//g[@id='{prefix}figure_1']")
    patch = None if figure is None else figure.find(f"g[@id='{prefix}patch_1']/path")
    if patch is not None:
        patch.set("style", "fill: none")
