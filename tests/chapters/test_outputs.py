"""What is stored in a chapter was made by running it, and suits every reader's machine.

That a new run makes the same is compared by `compare.py`; here stands what a comparison doesn't see.
"""

import re

from tests.chapters.chapters import each_chapter, none_of, strings
from tools.notebooks import WIDGET_STATE

DATA_URI = re.compile(r"data:[\w/+.-]+;base64,[A-Za-z0-9+/=\s]+")
LOCAL_PATH = re.compile(
    r"(?<![\w.:/<>)\]}*+~^$%-])/(?!/)[A-Za-z_][\w.~-]*(?:/[\w.~-]+)*"  # /home/ann, /content; no 1/2, and/or
    r"|(?<![\w/])~/[\w.]+|\bfile:/+[\w./~-]*\w|\b[A-Z]:\\+\w+|(?<!\\)\\\\\w+\\+\w+"
)
PACKED = re.compile(r"[A-Za-z0-9+/]{64,}={0,2}")  # numbers of a figure, in base 64
SCRIPT = re.compile(r"<\s*(?:script|iframe|object|embed|form|link|meta|base)\b|\son\w+\s*=|javascript", re.I)
HIDING = re.compile(r"nbval|PYTEST_VALIDATE|raises-exception", re.IGNORECASE)


@each_chapter
def test_every_code_cell_was_run(chapter):
    run = f"run: make execute CHAPTER={chapter.path.stem}"
    none_of(
        chapter.problem(
            index, f"it was never run; {run}" if cell.source.strip() else "it is empty; delete it"
        )
        for index, cell in chapter.code()
        if cell.execution_count is None
    )


@each_chapter
def test_no_cell_hides_from_the_comparison(chapter):
    none_of(
        chapter.problem(index, f"{found!r} is not allowed: every cell is run and compared")
        for index, cell in chapter.code()
        for found in [*cell.source.splitlines(), *cell.metadata.get("tags", [])]
        if HIDING.search(found)
    )


@each_chapter
def test_no_errors_and_warnings(chapter):
    none_of(
        chapter.problem(index, f"it wrote to stderr or raised ({shown[:60]!r}); to show an error, print it")
        for index, output in chapter.outputs()
        for shown in [output.get("evalue", output.get("text", ""))]
        if output.output_type == "error" or output.get("name") == "stderr"
    )


@each_chapter
def test_figures_are_svg(chapter):
    none_of(
        chapter.problem(index, f"its figure is {kind}, which can't follow the page's colors; draw it as SVG")
        for index, output in chapter.outputs()
        for kind in output.get("data", {})
        if kind.startswith("image/") and kind != "image/svg+xml"
    )


@each_chapter
def test_no_scripts_in_outputs(chapter):
    none_of(
        chapter.problem(index, f"its output holds {match[0]!r}; a page runs no scripts but its own")
        for index, output in chapter.outputs()
        for kind, value in output.get("data", {}).items()
        if kind != "text/plain"
        for text in strings([kind, value])
        for match in [SCRIPT.search(DATA_URI.sub("", text))]
        if match
    )


@each_chapter
def test_no_absolute_paths(chapter):
    """Not in sources, outputs or metadata."""
    nb = chapter.nb
    metadata = {key: value for key, value in nb.metadata.items() if key != "widgets"}
    models = nb.metadata.get("widgets", {}).get(WIDGET_STATE, {}).get("state", {}).values()
    saved = strings([model["state"] for model in models])
    found = [(0, text) for text in strings([metadata])]
    found += [(0, text) for text in saved if not PACKED.fullmatch(text)]
    for index, cell in enumerate(nb.cells):
        found += [(index, text) for text in strings([cell.source, cell.metadata, cell.get("outputs", [])])]
    none_of(
        chapter.problem(index, f"{match[0]!r} exists on one machine only")
        for index, text in found
        for match in [LOCAL_PATH.search(DATA_URI.sub("", text))]
        if match
    )
