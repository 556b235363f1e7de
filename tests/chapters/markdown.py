"""Read prose as CommonMark with tables and `$…$` formulas: what GitHub, Colab and the book share."""

import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from markdown_it import MarkdownIt
from markdown_it.token import Token
from mdit_py_plugins.dollarmath import dollarmath_plugin
from myst_parser.mdit_to_docutils.base import default_slugify as slug
from nbformat import NotebookNode

__all__ = ["Heading", "blocks", "headings", "inlines", "plain", "slug"]

_PARSER = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin, allow_labels=False)
_HIDDEN = re.compile(r"(`+).+?(?<!`)\1(?!`)|\$\$.+?\$\$|\$[^$]+\$|<!--.*?-->", re.DOTALL)


class Heading(NamedTuple):
    """A heading of a chapter: position of its cell, level from 1, and words without markup and formulas."""

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
                parts = [part for part in inline.children or [] if part.type in ("text", "code_inline")]
                words = "".join(part.content for part in parts).strip()
                found.append(Heading(index, int(opening.tag[1:]), words))
    return found
