"""Compare what a chapter shows with what it shows when it runs again: a pytest plugin on top of nbval.

Outputs must be equal, except that coordinates of a drawing may be half a pixel apart, and colors of a picture
two of 256 levels. More is allowed in a cell whose metadata hold a mark:

    "d2lconv": {"tolerance": {"rel": 0.02, "abs": 0.01, "pixels": 4, "levels": 20}}
    "d2lconv": {"tolerance": {"drawing": false}}
    "d2lconv": {"times": true}

`rel` and `abs`, whichever allows more, are for the numbers in text, tables, labels of drawings and the saved
state of an interactive figure; `pixels` is for coordinates of drawings, `levels` for colors of pictures. If
`drawing` is false, only the size of a drawing is compared, by `pixels`: what there is to draw hangs on a
training. Times are shown but not compared. What stands around the numbers, and how many there are, stays
exact. The saved state of the interactive figures (values, bounds, links) is compared after the last cell.
`test_marks.py` lists the marked cells.
"""

import base64
import difflib
import io
import json
import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, fields
from itertools import chain
from xml.etree import ElementTree

import numpy as np
import pytest
from nbval.plugin import IPyNbCell, IPyNbFile
from PIL import Image

STATE = "application/vnd.jupyter.widget-state+json"
VIEW = "application/vnd.jupyter.widget-view+json"
LINES, WIDTH = 16, 110  # how much of a difference is shown


@dataclass(frozen=True)
class Tolerance:
    """How far numbers may be apart."""

    rel: float = 0.0
    abs: float = 0.0
    pixels: float = 0.5
    levels: float = 2.0
    drawing: bool = True

    def allows(self, stored, fresh):
        return stored == fresh or abs(stored - fresh) <= max(self.abs, self.rel * abs(stored)) * (1 + 1e-9)

    def __str__(self):
        return f"allowed: relative {self.rel:g}, absolute {self.abs:g}"


EXACT = Tolerance()
TIMES = Tolerance(rel=math.inf, abs=math.inf, pixels=math.inf)


def tolerance_of(cell) -> Tolerance:
    """Read the mark of a cell."""
    mark = cell.metadata.get("d2lconv", {})
    parts = mark.get("tolerance")
    if not mark:
        return EXACT
    if mark == {"times": True}:
        return TIMES
    if set(mark) == {"tolerance"} and parts and set(parts) <= {field.name for field in fields(Tolerance)}:
        return Tolerance(**parts)
    raise ValueError(f"unknown mark {json.dumps(mark)}; tests/chapters/compare.py says what there is")


# ---- the outputs of a cell ----


def compare_outputs(stored, fresh, tolerance=EXACT) -> list[str]:
    """Return lines that say how the outputs of a cell differ, or none."""
    stored, fresh = ([_contents(output) for output in outputs] for outputs in (stored, fresh))
    kinds = [[" + ".join(sorted(output)) for output in outputs] for outputs in (stored, fresh)]
    if kinds[0] != kinds[1]:
        return _two("outputs", *(", ".join(one) or "none" for one in kinds))
    for before, now in zip(stored, fresh, strict=True):
        for kind, value in before.items():
            if found := _compare_content(kind, value, now[kind], tolerance):
                return found
    return []


def _contents(output) -> dict:
    """Return what an output holds by kind; a widget's id is another in each run and left out."""
    if output.output_type == "stream":
        return {output.name: output.text}
    if output.output_type == "error":
        return {"error": f"{output.ename}: {output.evalue}"}
    found = dict(output.data) | ({"metadata": output.metadata} if output.get("metadata") else {})
    if VIEW in found:
        found[VIEW] = {key: value for key, value in found[VIEW].items() if key != "model_id"}
    return found


def _compare_content(kind, stored, fresh, tolerance):
    if kind == "image/svg+xml":
        return compare_drawings(stored, fresh, tolerance)
    if kind.startswith("image/"):
        return compare_pictures(stored, fresh, tolerance)
    if isinstance(stored, str) and isinstance(fresh, str):
        return compare_texts(kind, stored, fresh, tolerance)
    return [] if stored == fresh else _two(kind, json.dumps(stored), json.dumps(fresh))


def _two(what, stored, fresh):
    return [f"{what}:", f"  stored: {_short(stored)}", f"  now:    {_short(fresh)}"]


def _short(text):
    text = " ".join(str(text).split())
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"


# ---- texts and tables ----

_NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d*)?(?:e[-+]?\d+)?")  # none in Conv2d
_TAG = re.compile(r"(<[^>]*>|&#?\w+;)")
_EMBEDDED = re.compile(r"data:image/(?:png|jpeg);base64,([A-Za-z0-9+/=\s]+)")


def compare_texts(kind, stored, fresh, tolerance=EXACT) -> list[str]:
    """Compare text or HTML; in a marked cell number by number, and what is around them exactly."""
    if stored == fresh:
        return []
    if tolerance.rel == tolerance.abs == 0:
        return _lines(kind, stored, fresh)
    parts = [_parts(text, html=kind == "text/html") for text in (stored, fresh)]
    if parts[0][0] != parts[1][0]:
        return _lines(kind, stored, fresh)
    words, numbers = parts[0][0], zip(parts[0][1], parts[1][1], strict=True)
    return [
        f"{kind}, after {word[-40:].strip()!r}: stored {before}, now {now} ({tolerance})"
        for word, (before, now) in zip(words, numbers, strict=False)
        if not tolerance.allows(_value(before), _value(now))
    ][:LINES]


def _parts(text, *, html):
    """Split a text into words and numbers; spaces beside a number depend on its width, and don't count."""
    words, numbers = [""], []
    for piece in _TAG.split(text) if html else [text]:
        if html and _TAG.fullmatch(piece):
            words[-1] += piece
        else:
            first, *others = _NUMBER.split(piece)
            words[-1] += first.rstrip(" ")
            words += [word.strip(" ") for word in others]
            numbers += _NUMBER.findall(piece)
    return words, numbers


def _value(number):
    return float(number.replace(",", ""))


def _lines(kind, stored, fresh):
    """Return the lines that differ, and what is new in them."""
    found = difflib.unified_diff(stored.splitlines(), fresh.splitlines(), n=1, lineterm="")
    lines = [line for line in found if not line.startswith(("---", "+++", "@@"))]
    more = [f"  … and {len(lines) - LINES} more lines"] if len(lines) > LINES else []
    return [
        f"{kind}, stored (-) and now (+):",
        *(f"  {line[0]} {line[1:WIDTH]}" for line in lines[:LINES]),
        *more,
    ]


# ---- drawings and pictures ----

_POINT = 4 / 3  # pixels
_GEOMETRY = {"cx", "cy", "d", "height", "points", "r", "viewBox", "width", "x", "x1", "x2", "y", "y1", "y2"}
_COORDINATE = re.compile(r"[-+]?(?:\d+\.?\d*|\.\d+)(?:e[-+]?\d+)?")
_TRANSFORM = re.compile(r"(\w+)\(([^)]*)\)")
_REFERENCE = re.compile(r"(?<=url\(#)[^)]+|(?<=^#).+")
_GLYPH = "scale(0.015625)"  # how Matplotlib writes the outlines of letters


def compare_pictures(stored, fresh, tolerance=EXACT) -> list[str]:
    """Compare two pictures, in base64, by their pixels."""
    if stored == fresh:
        return []
    before, now = (
        np.asarray(Image.open(io.BytesIO(base64.b64decode(picture))).convert("RGBA"), dtype=int)
        for picture in (stored, fresh)
    )
    sizes = ["{1}×{0}".format(*array.shape) for array in (before, now)]
    if any(abs(one - other) > 1 for one, other in zip(before.shape, now.shape, strict=True)):
        return _two("size of a picture", *sizes)
    apart = np.abs(before - _fit(now, before.shape)).max(axis=2)
    if sizes[0] != sizes[1]:  # half a pixel of a drawing may round to a row more: compare with neighbors
        shifts = [(down, right) for down in (-1, 0, 1) for right in (-1, 0, 1)]
        moved = (np.roll(_fit(now, before.shape), shift, (0, 1)) for shift in shifts)
        apart = np.min([np.abs(before - other).max(axis=2) for other in moved], axis=0)
    if apart.max() <= tolerance.levels:
        return []
    row, column = np.unravel_index(apart.argmax(), apart.shape)
    count = int((apart > tolerance.levels).sum())
    return [
        f"a picture differs in {count} of {apart.size} pixels (allowed: {tolerance.levels:g} of 256 levels),"
        f" most in row {row}, column {column}:",
        f"  stored: red, green, blue, opacity {before[row, column].tolist()}",
        f"  now:    red, green, blue, opacity {now[row, column].tolist()}",
    ]


def _fit(picture, shape):
    """Repeat or leave out a row or column, so that a picture gets a size."""
    rows, columns = (
        (np.arange(new) + 0.5) * old / new for new, old in zip(shape[:2], picture.shape[:2], strict=True)
    )
    return picture[rows.astype(int)][:, columns.astype(int)]


def compare_drawings(stored, fresh, tolerance=EXACT) -> list[str]:
    """Compare two drawings: coordinates by `pixels`, pictures by `levels`, labels as texts, all else exactly.

    Names that Matplotlib makes of a drawing's content don't count: a letter is compared by its outline.
    """
    if stored == fresh:
        return []
    before, now = _Drawing(stored), _Drawing(fresh)
    if not tolerance.drawing:
        sizes = [
            [float(number) for number in drawing.root.get("viewBox", "").split()] for drawing in (before, now)
        ]
        apart = (abs(a - b) for a, b in zip(*sizes, strict=True))
        return [] if max(apart, default=0) <= tolerance.pixels else _two("size of a drawing", *sizes)
    scale = _POINT if before.root.get("width", "").endswith("pt") else 1.0
    return _compare_elements(before, now, before.root, now.root, scale, "figure", tolerance)


class _Drawing:
    """A drawing whose references are numbered in their order, and name a letter by its outline."""

    def __init__(self, svg):
        builder = ElementTree.TreeBuilder(insert_comments=True)
        self.root = ElementTree.fromstring(svg, ElementTree.XMLParser(target=builder))
        self.letters = {
            path.get("id"): f"letter {path.get('d', '')}"
            for path in self.root.iter()
            if path.get("transform") == _GLYPH and path.get("id")
        }
        self.names: dict[str, str] = {}

    def name(self, old):
        return self.letters.get(old) or self.names.setdefault(old, str(len(self.names) + 1))

    def attributes(self, element):
        return {
            key: self.name(value) if key == "id" else _REFERENCE.sub(lambda match: self.name(match[0]), value)
            for key, value in element.attrib.items()
        }

    def children(self, element):
        """Return what an element holds, without letters' outlines and what Matplotlib says of itself."""
        return [child for child in element if _is_label(child) or not self._is_aside(child)]

    def _is_aside(self, element):
        if element.tag.endswith("}defs"):
            return all(child.get("id") in self.letters for child in element)
        return element.tag.endswith("}metadata") or element.get("id") in self.letters


def _is_label(element):
    return element.tag is ElementTree.Comment  # Matplotlib writes a text as a comment before its letters


def _compare_elements(before, now, one, other, scale, place, tolerance):
    """Compare two elements and what they hold; `scale` is how many pixels a unit has there."""
    if re.fullmatch(r"[a-zA-Z]\w*_\d+", one.get("id", "")):
        place = one.get("id")
    where = f"drawing, {place}"
    if one.tag != other.tag:
        return _two(f"{where}, element", _tag(one), _tag(other))
    attributes, others = before.attributes(one), now.attributes(other)
    if set(attributes) != set(others):
        return _two(f"{where}, attributes of {_tag(one)}", sorted(attributes), sorted(others))
    inner = scale * _scale_of(one)
    for key, value in attributes.items():
        if found := _compare_attribute(key, value, others[key], one, (scale, inner), tolerance):
            return [f"{where}, {_tag(one)}, {found[0]}", *found[1:]]
    if (one.text or "").split() != (other.text or "").split():
        return _two(f"{where}, text", one.text, other.text)
    children = before.children(one), now.children(other)
    if len(children[0]) != len(children[1]):
        return _two(f"{where}, elements in {_tag(one)}", *map(len, children))
    pairs = zip(*children, strict=True)
    for child, new in pairs:
        if _is_label(child) and _is_label(new):
            if found := compare_texts(f"{where}, label", child.text, new.text, tolerance):
                return found
            if child.text != new.text:
                next(pairs, None)  # its letters
        elif found := _compare_elements(before, now, child, new, inner, place, tolerance):
            return found
    return []


def _tag(element):
    return "label" if _is_label(element) else element.tag.rpartition("}")[2]


def _scale_of(element):
    """Return how many times larger an element's transformation makes things."""
    scale = 1.0
    for function, arguments in _TRANSFORM.findall(element.get("transform", "")):
        numbers = [float(number) for number in _COORDINATE.findall(arguments)]
        if function in ("scale", "matrix"):
            scale *= math.hypot(*numbers[:2]) if function == "matrix" else abs(numbers[0])
    return scale


def _compare_attribute(key, stored, fresh, element, scales, tolerance):
    """Compare an attribute of a drawing's element; `scales` are pixels a unit around and in the element."""
    if stored == fresh:
        return []
    pictures = [_EMBEDDED.findall(value) for value in (stored, fresh)]
    if all(pictures):
        return compare_pictures(pictures[0][0], pictures[1][0], tolerance)
    if key == "transform":
        allowed = list(_allowed_in_transform(stored, element, scales[0], tolerance))
    elif key in _GEOMETRY:
        allowed = [tolerance.pixels / scales[1]] * len(_COORDINATE.findall(stored))
    else:
        return _two(key, stored, fresh)
    if _COORDINATE.sub("0", stored).split() != _COORDINATE.sub("0", fresh).split():
        return _two(key, stored, fresh)
    numbers = [map(float, _COORDINATE.findall(value)) for value in (stored, fresh)]
    for before, now, most in zip(*numbers, allowed, strict=True):
        if abs(before - now) > most:
            pixels = tolerance.pixels * abs(before - now) / most if most else math.inf
            return [
                f"{key}: stored {before:g}, now {now:g}: {pixels:.2g} pixels (allowed: {tolerance.pixels:g})"
            ]
    return []


def _allowed_in_transform(transform, element, scale, tolerance):
    """Yield how far off each number of a transformation may be, where it moves or at the far end."""
    size = max((float(element.get(side, "nan")) for side in ("width", "height")), default=math.nan)
    for function, arguments in _TRANSFORM.findall(transform):
        moves, turns = tolerance.pixels / scale, 1e-6 if math.isnan(size) else tolerance.pixels / scale / size
        count = len(_COORDINATE.findall(arguments))
        if function == "translate":
            yield from [moves] * count
        elif function == "matrix":
            yield from [turns] * 4 + [moves] * 2
        else:
            yield from [turns] * count


# ---- the saved state of interactive figures ----

_MODEL = "IPY_MODEL_"
_SOURCE = ("_esm", "_css")  # of a view; the page takes it from the package
_ALMOST = Tolerance(rel=1e-6)
_PACKED = {"data", "scale", "shape"}  # a tensor, as d2lconv.widgets.feature_maps.packing writes it


def compare_states(stored, fresh, tolerances=()) -> list[str]:
    """Compare the saved states of all figures; each is a pair: ids of the models shown, and all models.

    Models are named by the way that leads to them, since their ids are others in each run.
    """
    (before, links), (now, new_links) = _named(*stored), _named(*fresh)
    lines = [
        f"{place}: only in the {'run' if place in now else 'file'}"
        for place in sorted(before.keys() ^ now.keys())
    ]
    for place, model in before.items():
        number = int(re.search(r"\d+", place)[0]) - 1
        tolerance = tolerances[number] if number < len(tolerances) else EXACT
        tolerance = _ALMOST if tolerance.rel == tolerance.abs == 0 else tolerance
        lines += _compare_values(place, model, now.get(place, model), tolerance)
    lines += [f"in the run, but not in the file: {_short(link)}" for link in (new_links - links).elements()]
    lines += [f"in the file, but not in the run: {_short(link)}" for link in (links - new_links).elements()]
    return lines[:LINES]


def _named(shown, models):
    """Return a figure's models by the way to each, and the others, such as links, as a multiset of texts."""
    names: dict[str, str] = {}
    queue = [(model, f"figure {number}") for number, model in enumerate(shown, start=1)]
    for model, name in queue:
        if model in models and model not in names:
            names[model] = name
            queue += [(found, f"{name}.{way}") for way, found in _references(models[model]["state"])]

    def clean(value):
        if isinstance(value, dict):
            return {key: clean(item) for key, item in value.items() if key not in _SOURCE}
        if isinstance(value, list):
            return [clean(item) for item in value]
        if isinstance(value, str) and value.startswith(_MODEL):
            return names.get(value.removeprefix(_MODEL), _MODEL)
        return value

    named = {name: clean(models[model]) for model, name in names.items()}
    others = (clean(model) for key, model in models.items() if key not in names)
    return named, Counter(f"{one['model_name']} {json.dumps(one['state'], sort_keys=True)}" for one in others)


def _references(value, way="") -> Iterator[tuple[str, str]]:
    """Yield the models that a state names, with the way to each."""
    if isinstance(value, str) and value.startswith(_MODEL):
        yield way, value.removeprefix(_MODEL)
    elif isinstance(value, list):
        yield from chain.from_iterable(_references(item, f"{way}[{n}]") for n, item in enumerate(value))
    elif isinstance(value, dict):
        yield from chain.from_iterable(
            _references(value[k], f"{way}.{k}" if way else k) for k in sorted(value)
        )


def _compare_values(place, stored, fresh, tolerance):
    """Compare two values of a state; numbers by the tolerance, also those in a packed tensor."""
    if isinstance(stored, dict) and isinstance(fresh, dict) and set(stored) == set(fresh):
        if set(stored) == _PACKED:
            return _compare_tensors(place, stored, fresh, tolerance)
        pairs = [
            (f"{place}.{key}".replace(".state.", " "), value, fresh[key]) for key, value in stored.items()
        ]
    elif isinstance(stored, list) and isinstance(fresh, list) and len(stored) == len(fresh):
        pairs = [(f"{place}[{n}]", *pair) for n, pair in enumerate(zip(stored, fresh, strict=True))]
    else:
        numbers = all(isinstance(value, float) for value in (stored, fresh))
        same = tolerance.allows(stored, fresh) if numbers else stored == fresh
        return [] if same else [f"{place}: stored {_short(stored)}, now {_short(fresh)}"]
    return list(chain.from_iterable(_compare_values(*pair, tolerance) for pair in pairs))


def _compare_tensors(place, stored, fresh, tolerance):
    if stored["shape"] != fresh["shape"]:
        return [f"{place}: stored shape {stored['shape']}, now {fresh['shape']}"]
    before, now = _unpacked(stored), _unpacked(fresh)
    apart = np.abs(before - now)
    step = 1.5 * max(np.max(stored["scale"]), np.max(fresh["scale"]))  # what packing rounds away
    distance, size = (np.sqrt(np.mean(np.square(numbers))) for numbers in (apart, before))
    if apart.max() <= step or distance <= max(tolerance.abs, tolerance.rel * size):
        return []
    worst = int(apart.argmax())
    values = f"stored {before[worst]:.4g}, now {now[worst]:.4g}"
    return [
        f"{place}, number {worst + 1} of {len(now)}: {values}; root mean square {distance:.3g} ({tolerance})"
    ]


def _unpacked(packed):
    """Read a tensor: numbers of 16 bits with one scale, or of 8 bits with a scale for each row."""
    whole = np.frombuffer(
        base64.b64decode(packed["data"]), dtype="i1" if isinstance(packed["scale"], list) else "<i2"
    )
    scales = np.atleast_1d(packed["scale"])
    return (whole.reshape(len(scales), -1) * scales[:, None]).flatten()


# ---- the plugin ----

_HINTS = {
    r"\bclear_output\b": "what clear_output clears is compared too; don't use it",
    r"\bOut\[": "cells run without history, so Out[n] is missing; name the value",
    r"\bdisplay_id\s*=|\bupdate_display\b": "updates of a display aren't followed; show the result once",
    r"\bwidgets\.Output\(": "what an Output widget holds isn't seen; print",
    r"%%?time|perf_counter": 'a time differs in every run; mark the cell "d2lconv": {"times": true}',
    r"\btqdm\b": "a progress bar differs in every run; leave it out",
    r";\s*$": "a last ';' hides nothing here; end the cell in plt.show(), or write _ = …",
}
_COLORS = re.compile(r"\x1b\[[\d;]*m")
_STATE_OF_ALL = """\
from ipywidgets import Widget
import json
print(json.dumps(Widget.get_manager_state()["state"]))"""


class DifferenceError(Exception):
    """A cell shows something else than what is stored."""


class Chapter(IPyNbFile):
    """A chapter: its code cells, then the saved state of its figures."""

    def collect(self):
        """Yield what is tested. nbval's own markers have no effect: every cell is run and compared."""
        self.cells = [
            Cell.from_parent(
                self, name=f"cell {n}", cell_num=n, cell=item.cell, options=defaultdict(bool, check=True)
            )
            for n, item in enumerate(super().collect(), start=1)
        ]
        yield from self.cells
        if any(_shown(cell.cell.outputs) for cell in self.cells) or self.nb.metadata.get("widgets"):
            yield Figures.from_parent(self, name="figures")


class Cell(IPyNbCell):
    """A code cell, numbered as JupyterLab numbers it."""

    def compare_outputs(self, test, ref, skip_compare=None):
        """Compare what came out with what is stored, by the cell's mark."""
        self.comparison_traceback = compare_outputs(ref, test, tolerance_of(self.cell))
        return not self.comparison_traceback

    def raise_cell_error(self, message, traceback="", *args, **kwargs):
        """Say in one screen which cell it is, and how it differs."""
        first = next(iter(self.cell.source.strip().splitlines()), "empty")
        lines = _COLORS.sub("", traceback).strip().splitlines()
        hints = [hint for pattern, hint in _HINTS.items() if re.search(pattern, self.cell.source)]
        raise DifferenceError(
            "\n".join(
                [
                    f"{self.path.stem}, code cell [{self.cell_num}] ({_short(first)[:60]}): {message}",
                    *(f"  {line[: WIDTH + 10]}" for line in lines[-LINES - 4 :]),
                    *(f"  hint: {hint}" for hint in hints),
                    f"  If the new output is right: make execute CHAPTER={self.path.stem}",
                ]
            )
        )

    def repr_failure(self, excinfo):
        """Show the message, not where it was raised."""
        return (
            str(excinfo.value)
            if isinstance(excinfo.value, DifferenceError)
            else super().repr_failure(excinfo)
        )

    def reportinfo(self):
        """Return how reports name the cell."""
        return self.path, 0, f"{self.path.stem}, code cell [{self.cell_num}]"


class Figures(pytest.Item):
    """The saved state of all figures of a chapter."""

    def runtest(self):
        """Compare the state in the file with the state in the kernel after the last cell."""
        cells = self.parent.cells
        if any(cell.test_outputs is None for cell in cells):
            pytest.skip("the figures' state is compared when all cells were run")
        shown = [(_shown(cell.cell.outputs), _shown(cell.test_outputs)) for cell in cells]
        saved = self.parent.nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})
        stored, fresh = ([model for pair in shown for model in pair[side]] for side in (0, 1))
        tolerances = [
            tolerance_of(cell.cell) for cell, pair in zip(cells, shown, strict=True) for _ in pair[0]
        ]
        if lines := compare_states((stored, saved), (fresh, self._state()), tolerances):
            first = f"{self.path.stem}: the saved state of its figures isn't what the chapter makes"
            last = f"  If the new state is right: make execute CHAPTER={self.path.stem}"
            raise DifferenceError("\n".join([first, *(f"  {line}" for line in lines), last]))

    def _state(self):
        printed: list[str] = []
        self.parent.kernel.kc.execute_interactive(
            _STATE_OF_ALL,
            store_history=False,
            allow_stdin=False,
            timeout=60,
            output_hook=lambda message: printed.append(message["content"].get("text", "")),
        )
        return json.loads("".join(printed))

    def repr_failure(self, excinfo):
        """Show the message, not where it was raised."""
        return (
            str(excinfo.value)
            if isinstance(excinfo.value, DifferenceError)
            else super().repr_failure(excinfo)
        )

    def reportinfo(self):
        """Return how reports name the state."""
        return self.path, 0, f"{self.path.stem}, saved figures"


def _shown(outputs):
    """Return the ids of the widgets' models that outputs show."""
    return [output.data[VIEW]["model_id"] for output in outputs if VIEW in output.get("data", {})]


def pytest_collect_file(file_path, parent):
    """Collect a chapter."""
    return Chapter.from_parent(parent, path=file_path) if file_path.suffix == ".ipynb" else None
