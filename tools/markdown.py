"""Read prose as CommonMark with tables and `$…$` formulas: what GitHub, Colab and the book share."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from nbformat import NotebookNode

_PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, allow_labels=False)
_HIDDEN = re.compile(r"(`+).+?(?<!`)\1(?!`)|\$\$.+?\$\$|\$[^$]+\$|<!--.*?-->", re.DOTALL)


@dataclass(frozen=True)
class Heading:
    """A heading of a chapter.

    Attributes
    ----------
    cell : int
        Position of its cell, from 0.
    level : int
        1 for the title, 2 for a section, …
    text : str
        Its words, without markup and formulas.
    """

    cell: int
    level: int
    text: str


def blocks(source: str) -> list[Token]:
    """Parse Markdown into markdown-it's flat list of block tokens."""
    return _PARSER.parse(source)


def inlines(source: str) -> Iterator[Token]:
    """Yield the inline tokens of all blocks: text, code, formulas, links, images, HTML."""
    for block in blocks(source):
        yield from block.children or []


def plain(source: str) -> str:
    """Return the prose as it is typed, without code, formulas and HTML comments, a block a line.

    Examples
    --------
    >>> plain("Use `x` for $x$ here.")
    'Use  for  here.'
    """
    texts = [block.content for block in blocks(source) if block.type == "inline"]
    return "\n".join(_HIDDEN.sub("", text) for text in texts)


def headings(nb: NotebookNode) -> list[Heading]:
    """List the headings of a notebook in order."""
    found = []
    for index, cell in enumerate(nb.cells):
        tokens = blocks(cell.source) if cell.cell_type == "markdown" else []
        for opening, inline in pairwise(tokens):
            if opening.type == "heading_open":
                words = (
                    child.content for child in inline.children or [] if child.type in ("text", "code_inline")
                )
                found.append(Heading(index, int(opening.tag[1:]), "".join(words).strip()))
    return found


def slug(heading: str) -> str:
    """Return the anchor that GitHub and MyST give a heading.

    Examples
    --------
    >>> slug("What a stride drops: the floor")
    'what-a-stride-drops-the-floor'
    """
    return re.sub(r"[^\w\u4e00-\u9fff\- ]", "", heading.strip().lower().replace(" ", "-"))
