"""Lists that are made, not written: the chapters on the start page, the exercises on theirs.

A page holds the place of one by ``<!-- chapters -->`` or ``<!-- exercises -->``. The chapters come from
`_toc.yml`, each with the promise below its title; the exercises from the chapters' own headings.
"""

import json
import re
from collections.abc import Iterator
from pathlib import Path

from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.application import Sphinx
from sphinx_external_toc.parsing import parse_toc_yaml

_EXERCISE = re.compile(r"^### (Exercise \d+ · (.+?) (★+))$", re.MULTILINE)
_NO_PROMISE = re.compile(r"\[[^\]]+\]\([^)]+\)$|<!--")  # the Colab link, a comment


def chapters(root: Path) -> str:
    """Return the list of all pages: a heading for each part, and for each page its title and promise."""
    toc = parse_toc_yaml(root / "_toc.yml")
    lines, number = [], 0
    for part in toc.root.subtrees:
        lines += ["", f"### {part.caption}", ""]
        for entry in part.items:
            path = _file(root, str(entry))
            title, *paragraphs = re.split(r"\n\s*\n", _prose(path)[0])
            promise = next(" ".join(text.split()) for text in paragraphs if not _NO_PROMISE.match(text))
            if path.suffix == ".md":  # a page of reference begins with more than one sentence
                promise = re.split(r"(?<=\.) ", promise, maxsplit=1)[0]
            number += 1
            mark = "-" if part is toc.root.subtrees[-1] else f"{number}."  # the last part is for reference
            lines.append(f"{mark} [{title.removeprefix('# ')}]({path.name}). {promise}")
    return "\n".join(lines)


def exercises(root: Path) -> str:
    """Return the list of all exercises: a heading for each chapter, a link and level for each exercise."""
    lines = []
    for path in _notebooks(root):
        cells = _prose(path)
        found = [match.groups() for cell in cells for match in _EXERCISE.finditer(cell)]
        if found:
            lines += ["", f"## {cells[0].partition(chr(10))[0].removeprefix('# ')}", ""]
        for number, (heading, title, level) in enumerate(found, start=1):
            lines.append(f"{number}. [{title}]({path.name}#{default_slugify(heading)}) {level}")
    return "\n".join(lines)


def _notebooks(root: Path) -> Iterator[Path]:
    toc = parse_toc_yaml(root / "_toc.yml")
    paths = (_file(root, str(entry)) for part in toc.root.subtrees for entry in part.items)
    return (path for path in paths if path.suffix == ".ipynb")


def _file(root: Path, entry: str) -> Path:
    return next(path for suffix in (".ipynb", ".md") if (path := root / f"{entry}{suffix}").is_file())


def _prose(path: Path) -> list[str]:
    """Return the Markdown cells of a notebook, or the text of a page."""
    if path.suffix == ".md":
        return [path.read_text("utf-8")]
    cells = json.loads(path.read_text("utf-8"))["cells"]
    return ["".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown"]


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Put the lists in their places."""
    for mark, make in (("<!-- chapters -->", chapters), ("<!-- exercises -->", exercises)):
        if mark in source[0] and not app.env.doc2path(name).endswith(".ipynb"):
            source[0] = source[0].replace(mark, make(Path(app.srcdir)))
            for path in _notebooks(Path(app.srcdir)):
                app.env.note_dependency(str(path))


def setup(app: Sphinx) -> None:
    """Connect to Sphinx."""
    app.connect("source-read", fill)
