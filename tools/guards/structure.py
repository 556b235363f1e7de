"""Guards for what all chapters have in common: form, place in the book, opening and closing."""

import re
from itertools import pairwise
from pathlib import Path

from nbformat import NotebookNode

from tools.book import Book
from tools.guards.messages import problem
from tools.markdown import headings
from tools.notebooks import KERNELSPEC, canonical, dumps, install_index, normalise

_TIDY = "run: make tidy CHAPTER="
_LABEL = re.compile(r"^\s*(?:[-*]\s+)?(?:#+\s*(.+)|\*\*(.+?)\*\*|__(.+?)__)", re.MULTILINE)


def canonical_form(nb: NotebookNode, path: Path) -> list[str]:
    """Require a file that is byte for byte what the chapter tool writes."""
    if dumps(normalise(nb)).encode() == path.read_bytes():
        return []
    return [f"{path.stem}: its file isn't in canonical form; {_TIDY}{path.stem}"]


def listed_in_toc(nb: NotebookNode, path: Path) -> list[str]:
    """Require a place in `_toc.yml`."""
    if path.resolve() in Book.around(path).chapters():
        return []
    return [f"{path.stem}: add it to _toc.yml, or move it out of the book"]


def python_kernel(nb: NotebookNode, path: Path) -> list[str]:
    """Require the kernel that every Python installation and Colab have."""
    found = nb.metadata.get("kernelspec", {})
    if found == KERNELSPEC:
        return []
    return [f"{path.stem}: its kernel is {found.get('name')!r}, not 'python3'; {_TIDY}{path.stem}"]


def title_and_colab_link(nb: NotebookNode, path: Path) -> list[str]:
    """Require in the first cell the title and the link that opens this chapter in Colab."""
    first = nb.cells[0]
    if first.cell_type != "markdown" or not re.match(r"# \S", first.source):
        return [problem(nb, path, 0, "the first cell must be the title: # Title")]
    if first.source.strip() != canonical(nb, path).cells[0].source.strip():
        return [problem(nb, path, 0, f"the Colab link differs from _config.yml; {_TIDY}{path.stem}")]
    return []


def opening(nb: NotebookNode, path: Path) -> list[str]:
    """Require a second cell that says what the reader will do, learn and need."""
    index = min(1, len(nb.cells) - 1)
    labels = [" ".join(found) for found in _LABEL.findall(nb.cells[index].source)]
    return [
        problem(nb, path, index, f"the second cell needs bold words or a heading: What you will {word}")
        for word in ("do", "learn", "need")
        if not any(re.search(rf"\b{word}\b", one) for one in labels)
    ]


def install_cell(nb: NotebookNode, path: Path) -> list[str]:
    """Require a third cell that installs `d2lconv` where it is missing, from where `_config.yml` says."""
    index = install_index(nb)
    if index != 2:
        place = "is missing" if index is None else f"is cell {index + 1}"
        return [f"{path.stem}: the third cell must be the install cell, which {place}; {_TIDY}{path.stem}"]
    fresh = canonical(nb, path).cells[2]
    if (fresh.source, fresh.metadata) != (nb.cells[2].source, nb.cells[2].metadata):
        return [problem(nb, path, 2, f"it differs from what _config.yml asks for; {_TIDY}{path.stem}")]
    return []


def headings_in_order(nb: NotebookNode, path: Path) -> list[str]:
    """Require one title, then headings that go down one level at a time."""
    found = headings(nb)
    problems = [
        problem(nb, path, after.cell, f"the heading {after.text!r} skips a level after {before.text!r}")
        for before, after in pairwise(found)
        if after.level > before.level + 1
    ]
    titles = [heading for heading in found if heading.level == 1]
    for title in titles[1:]:
        problems.append(problem(nb, path, title.cell, f"a second title, {title.text!r}; use ##"))
    return problems


def closing(nb: NotebookNode, path: Path) -> list[str]:
    """Require as last sections Summary, Exercises (if there are any) and Further reading."""
    sections = [heading.text for heading in headings(nb) if heading.level == 2]
    end = sections[sections.index("Summary") :] if "Summary" in sections else []
    if end in (["Summary", "Further reading"], ["Summary", "Exercises", "Further reading"]):
        return []
    return [
        f"{path.stem}: the last sections must be Summary, Exercises (if any) and Further reading, "
        f"but are {', '.join(end or sections[-3:]) or 'missing'}"
    ]
