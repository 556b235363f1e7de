"""Guards for pictures: nbval can compare them, and everyone can know what they show."""

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from nbformat import NotebookNode

from tools.guards.messages import problem
from tools.markdown import inlines
from tools.notebooks import label

_LONGEST_ALT = 300
_SHORTEST_ALT = 8
_FILE_NAME = re.compile(r"\S+\.(?:gif|jpe?g|png|svg|webp)|\S*[/_]\S*", re.IGNORECASE)
_EMPTY_WORDS = re.compile(
    r"(?:an?\s|the\s)?(?:diagram|drawing|figure|graph|image|output|photo|picture|plot|screenshot)"
    r"(?:\s*\d+\W*$|\W*$|\s+(?:of|showing|that shows)\b)",
    re.IGNORECASE,
)


def figures_are_svg(nb: NotebookNode, path: Path) -> list[str]:
    """Require figures stored as SVG only: nbval never compares PNG and JPEG."""
    return [
        problem(
            nb, path, index, f"its figure is stored as {kind}, which nbval doesn't compare; draw it as SVG"
        )
        for index, kinds in _figures(nb)
        for kind in kinds
        if kind != "image/svg+xml"
    ]


def figures_have_alt_text(nb: NotebookNode, path: Path) -> list[str]:
    """Require a good alt text for each figure; it stands in the cell's metadata, so a cell has one figure."""
    where = "set it in the cell's metadata: mystnb: {image: {alt: …}}"
    counts = Counter(index for index, _ in _figures(nb))
    problems = []
    for index, count in counts.items():
        if count > 1:
            problems.append(
                problem(nb, path, index, f"it shows {count} figures but has one alt text; split it")
            )
        if wrong := _wrong_alt(_figure_alt(nb.cells[index])):
            problems.append(problem(nb, path, index, f"its figure's alt text {wrong}; {where}"))
    return problems


def images_are_described(nb: NotebookNode, path: Path) -> list[str]:
    """Require for each image in the prose a good alt text, and that its file lies in the book."""
    problems = []
    for index, alt, source in _images(nb):
        if wrong := _wrong_alt(alt):
            problems.append(problem(nb, path, index, f"the alt text of {source} {wrong}"))
        if source.startswith("attachment:"):
            continue
        if re.match(r"[a-z]+:|//", source):
            problems.append(problem(nb, path, index, f"{source} asks another server; keep it in the book"))
        elif not (path.parent / source).is_file():
            problems.append(problem(nb, path, index, f"there is no image {source}"))
    return problems


def alt_texts_differ(nb: NotebookNode, path: Path) -> list[str]:
    """Require alt texts that tell the pictures of a chapter apart."""
    figures = [(index, _figure_alt(nb.cells[index])) for index, _ in _figures(nb)]
    first: dict[str, int] = {}
    return [
        problem(nb, path, index, f"its alt text is that of {label(nb, first[alt])}; say what differs")
        for index, alt in sorted([*figures, *((index, alt) for index, alt, _ in _images(nb))])
        if alt and first.setdefault(alt, index) != index
    ]


def _figures(nb: NotebookNode) -> Iterator[tuple[int, list[str]]]:
    """Yield each figure among the outputs: its cell, and the image formats that it is stored in."""
    for index, cell in enumerate(nb.cells):
        for output in cell.get("outputs", []):
            kinds = [kind for kind in output.get("data", {}) if kind.startswith("image/")]
            if kinds:
                yield index, kinds


def _figure_alt(cell: NotebookNode) -> str:
    return str(cell.metadata.get("mystnb", {}).get("image", {}).get("alt", ""))


def _images(nb: NotebookNode) -> Iterator[tuple[int, str, str]]:
    """Yield cell, alt text and source of each image in the prose."""
    for index, cell in enumerate(nb.cells):
        for token in inlines(cell.source) if cell.cell_type == "markdown" else ():
            if token.type == "image":
                yield index, token.content, str(token.attrs.get("src", ""))


def _wrong_alt(alt: str) -> str:
    """Say what is wrong with an alt text, or return ''."""
    if not alt.strip():
        return "is missing"
    if _FILE_NAME.fullmatch(alt.strip()):
        return f"is a file name ({alt})"
    if _EMPTY_WORDS.match(alt.strip()):
        return f"says only that it is a picture ({alt!r}); say what one sees"
    if len(alt.strip()) < _SHORTEST_ALT:
        return f"is too short to say what one sees ({alt!r})"
    if len(alt) > _LONGEST_ALT:
        return f"has {len(alt)} characters; at most {_LONGEST_ALT}, the rest belongs in the prose"
    return ""
