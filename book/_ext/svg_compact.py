"""Write a drawing with fewer bytes and the same look.

Nothing here knows Sphinx; `svg_clean.py` calls it.

Matplotlib writes six decimals where a hundredth of a point cannot be seen, puts each part in a group of its
own, draws each cell of a grid by itself, clips images to frames that they fill, and writes them as PNG
with an opacity that they do not have.
"""

import base64
import io
import re
from itertools import pairwise
from xml.etree import ElementTree

from PIL import Image, UnidentifiedImageError

DECIMALS = 2
"""Of coordinates in points; a screen's pixel is 0.75 points."""

Box = tuple[float, float, float, float]

_WORDS = frozenset(["text", "tspan", "title", "desc"])
_TOKEN = re.compile(r"[A-Za-z]|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?")
_PLACE = re.compile(r"matrix\((\S+) 0 0 (\S+) (\S+) (\S+)\)")
_PNG = "data:image/png;base64,"
_WEBP = "data:image/webp;base64,"


def compact(root: ElementTree.Element) -> None:
    """Make a cleaned drawing smaller, in place."""
    for element in root.iter():
        if element.tag not in _WORDS:
            _drop_space(element)
        if element.tag == "image" and element.get("href", "").startswith(_PNG):
            element.set("href", smaller_image(element.attrib["href"]))
    _unclip_images(root)
    _unwrap(root)
    for element in root.iter():  # what holds paths comes before them
        _join_paths(element)
        if "d" in element.attrib:
            element.set("d", compact_path(element.attrib["d"]))


def compact_path(path: str) -> str:
    """Write a path with as few characters as its form allows.

    Whole numbers, such as those of letters, become steps from the point before, which are shorter; others are
    rounded where they stand, so that no error adds up.

    Examples
    --------
    >>> compact_path("M 7.2 168.028801  L 181.19952 168.028801  z ")
    'M7.2 168.03L181.2 168.03z'
    >>> compact_path("M 1159 525  L 1159 -1331  Q 1341 3281 1617 3432  z M 10 20  L 30 5  z ")
    'M1159 525l0-1856q182 4612 458 4763zM10 20l20-15z'
    """
    tokens = _TOKEN.findall(path)
    numbers = [token for token in tokens if not token.isalpha()]
    commands = {token for token in tokens if token.isalpha()}
    if commands <= set("MLQCz") and all(re.fullmatch(r"-?\d+", number) for number in numbers):
        tokens = _in_steps(tokens)
    return _join([token if token.isalpha() else _short(token) for token in tokens])


def _in_steps(tokens: list[str]) -> list[str]:
    """Turn absolute commands into relative ones, but for moves; a command's last pair is the next start."""
    steps: list[str] = []
    at = (0, 0)
    points: list[int] = []
    command = ""
    for token, after in pairwise([*tokens, "end"]):
        if token.isalpha():
            command = token
            steps.append(token if token in "Mz" else token.lower())
            continue
        points.append(int(token))
        if after.isalpha():
            pairs = list(zip(points[::2], points[1::2], strict=True))
            per_step = {"M": 1, "L": 1, "Q": 2, "C": 3}[command]
            for number, (x, y) in enumerate(pairs, start=1):
                dx, dy = (0, 0) if command == "M" else at
                steps += [str(x - dx), str(y - dy)]
                if number % per_step == 0:
                    at = (x, y)
            points = []
    return steps


def _short(number: str) -> str:
    """Round a number and leave out zeros that say nothing."""
    text = f"{float(number):.{DECIMALS}f}".rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text


def _join(tokens: list[str]) -> str:
    """Put a space only between numbers that would run together."""
    text = ""
    for token in tokens:
        if text and not token.isalpha() and not text[-1].isalpha() and not token.startswith("-"):
            text += " "
        text += token
    return text


def smaller_image(address: str) -> str:
    """Return a PNG's address as that of a lossless WebP with the same pixels, if that is smaller."""
    source = base64.b64decode(address.removeprefix(_PNG))
    try:
        image = Image.open(io.BytesIO(source)).convert("RGBA")
    except UnidentifiedImageError:
        return address
    buffer = io.BytesIO()
    opaque = image.getchannel("A").getextrema() == (255, 255)
    form = image.convert("RGB") if opaque else image
    form.save(buffer, "WEBP", lossless=True, exact=True, quality=100, method=6)
    written = buffer.getvalue()
    return _WEBP + base64.b64encode(written).decode("ascii") if len(written) < len(source) else address


def _drop_space(element: ElementTree.Element) -> None:
    """Drop the line ends and indents between elements, where they draw nothing."""
    if element.text and not element.text.strip():
        element.text = None
    for child in element:
        if child.tail and not child.tail.strip():
            child.tail = None


def _unwrap(element: ElementTree.Element) -> None:
    """Take children out of groups that say nothing about them, and drop what is empty."""
    children: list[ElementTree.Element] = []
    for child in element:
        _unwrap(child)
        if child.tag == "g" and not child.attrib:
            children += child
        elif child.tag != "defs" or len(child):
            children.append(child)
    element[:] = children


def _unclip_images(root: ElementTree.Element) -> None:
    """Clip no image to a frame that it lies in, and drop the frames that nothing is clipped to."""
    frames = {}
    for clip in root.iter("clipPath"):
        rect = clip.find("rect")
        if rect is not None and len(clip) == 1:
            x, y, width, height = (float(rect.get(name, "0")) for name in ("x", "y", "width", "height"))
            frames[f"url(#{clip.get('id')})"] = x, y, x + width, y + height
    for group in root.iter("g"):
        frame = frames.get(group.get("clip-path", ""))
        if frame and len(group.attrib) == 1 and all(_lies_in(child, frame) for child in group):
            del group.attrib["clip-path"]
    values = " ".join(value for element in root.iter() for value in element.attrib.values())
    for parent in list(root.iter()):
        parent[:] = [
            child for child in parent if child.tag != "clipPath" or f"url(#{child.get('id')})" in values
        ]


def _lies_in(image: ElementTree.Element, frame: Box) -> bool:
    """Tell whether an image that is moved and scaled, as Matplotlib does it, lies in a frame."""
    place = _PLACE.fullmatch(image.get("transform", ""))
    if image.tag != "image" or place is None or {"x", "y"} & image.attrib.keys():
        return False
    across, down, left, top = map(float, place.groups())
    right, bottom = left + across * float(image.attrib["width"]), top + down * float(image.attrib["height"])
    inside = (left - frame[0], top - frame[1], frame[2] - right, frame[3] - bottom)
    return across > 0 and down > 0 and min(inside) > -0.01


def _join_paths(element: ElementTree.Element) -> None:
    """Make one path of neighbours that are painted alike, such as the cells of a grid.

    Only where none lies on another: there, which is painted first makes no difference.
    """
    last: ElementTree.Element | None = None  # the path that others may join
    boxes: list[Box] = []
    for child in list(element):
        box = _box(child)
        if box is None:
            last = None
        elif last is None or _look(child) != _look(last) or any(_overlap(box, other) for other in boxes):
            last, boxes = child, [box]
        else:
            last.set("d", f"{last.attrib['d']} {child.attrib['d']}")
            boxes.append(box)
            element.remove(child)


def _look(path: ElementTree.Element) -> dict[str, str]:
    return {name: value for name, value in path.attrib.items() if name != "d"}


def _box(element: ElementTree.Element) -> Box | None:
    """Return left, top, right and bottom of a path; None where one has a name or goes in steps."""
    tokens = _TOKEN.findall(element.get("d", ""))
    commands = {token for token in tokens if token.isalpha()}
    numbers = [float(token) for token in tokens if not token.isalpha()]
    if element.tag != "path" or "id" in element.attrib or not commands <= set("MLQCz") or not numbers:
        return None
    return min(numbers[::2]), min(numbers[1::2]), max(numbers[::2]), max(numbers[1::2])


def _overlap(one: Box, other: Box) -> bool:
    """Tell whether two boxes share more than an edge."""
    return all(min(one[axis + 2], other[axis + 2]) - max(one[axis], other[axis]) > 0.01 for axis in (0, 1))
