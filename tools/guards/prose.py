"""Guards for prose: it reads well in the book, in Colab and on GitHub."""

import re
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import nbformat
from markdown_it.token import Token
from nbformat import NotebookNode

from tools.book import Book
from tools.guards.messages import problem
from tools.markdown import blocks, headings, inlines, plain, slug
from tools.notebooks import load

_MYST = {
    r"^:::": "a ::: block",
    r"^\([\w:.-]+\)=\s*$": "a (label)= target",
    r"^\+\+\+": "a +++ break",
    r"^% ": "a % comment",
    r"\{\{.+?\}\}": "a {{ substitution }}",
    r"\{[#.][\w-]+\}": "a {#id} or {.class} attribute",
    r"\[\^[\w-]+\]": "a [^footnote]",
}
_ROLE = re.compile(r"\{[A-Za-z][\w:+.-]*\}$")
_LATEX = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\\begin\{\w+\*?\}", re.DOTALL)
_TAG = re.compile(r"<\s*/?\s*([a-zA-Z][\w-]*)")
_ALLOWED_TAGS = {"br", "details", "kbd", "sub", "summary", "sup"}


def commonmark_only(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid MyST directives, roles and other extensions: GitHub and Colab would show their source."""
    problems = []
    for index, cell in _prose(nb):
        found = [
            what for pattern, what in _MYST.items() if re.search(pattern, plain(cell.source), re.MULTILINE)
        ]
        for token in blocks(cell.source):
            if token.type == "fence" and token.info.startswith("{"):
                found.append(f"a directive ({token.info.split()[0]})")
        tokens = list(inlines(cell.source))
        for before, code in pairwise(tokens):
            if (
                code.type == "code_inline"
                and before.type == "text"
                and (role := _ROLE.search(before.content))
            ):
                found.append(f"a role ({role[0]})")
        problems += [
            problem(nb, path, index, f"{what} works in MyST only; write CommonMark") for what in found
        ]
    return problems


def formulas_in_dollars(nb: NotebookNode, path: Path) -> list[str]:
    r"""Require formulas in `$…$` or `$$…$$`; `\(…\)`, `\[…\]` and bare environments don't work everywhere."""
    return [
        problem(nb, path, index, f"the formula {match[0]!r} isn't shown everywhere; write $…$ or $$…$$")
        for index, cell in _prose(nb)
        for match in [_LATEX.search(plain(cell.source))]
        if match
    ]


def little_html(nb: NotebookNode, path: Path) -> list[str]:
    """Forbid HTML but for a few harmless tags; in particular no scripts, styles and images."""
    problems = []
    for index, cell in _prose(nb):
        tokens = [*blocks(cell.source), *inlines(cell.source)]
        html = "\n".join(token.content for token in tokens if token.type in ("html_block", "html_inline"))
        tags = {tag.lower() for tag in _TAG.findall(re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL))}
        for tag in sorted(tags - _ALLOWED_TAGS):
            problems.append(problem(nb, path, index, f"<{tag}> isn't allowed in prose; write Markdown"))
    return problems


def links_resolve(nb: NotebookNode, path: Path) -> list[str]:
    """Require links with a text that, inside the book, lead to a page in `_toc.yml` and a heading on it."""
    return [
        problem(nb, path, index, f"the link to {target or 'nothing'} {wrong}")
        for index, cell in _prose(nb)
        for text, target in _links(cell.source)
        for wrong in [_what_is_wrong(text, target, nb, path)]
        if wrong
    ]


def _prose(nb: NotebookNode) -> Iterator[tuple[int, NotebookNode]]:
    return ((index, cell) for index, cell in enumerate(nb.cells) if cell.cell_type == "markdown")


def _links(source: str) -> Iterator[tuple[str, str]]:
    """Yield text and target of each link."""
    text: list[str] = []
    target: Token | None = None
    for token in inlines(source):
        if token.type == "link_open":
            text, target = [], token
        elif token.type == "link_close" and target is not None:
            yield "".join(text).strip(), str(target.attrs.get("href", ""))
            target = None
        else:
            text.append(token.content)


def _what_is_wrong(text: str, target: str, nb: NotebookNode, path: Path) -> str:
    """Say what is wrong with a link, or return ''."""
    if not text:
        return "has no text"
    if re.match(r"https?://|mailto:", target):
        return ""
    if re.match(r"[a-z]+:|/", target):
        return "works on one machine or in MyST only; write [text](other.ipynb)"
    name, _, anchor = target.partition("#")
    if name:
        book = Book.around(path)
        page = (path.parent / name).resolve()
        if page not in book.pages():
            known = ", ".join(other.name for other in book.pages())
            return f"leads to no page of the book; there are: {known}"
        if anchor and anchor not in _anchors(page, book):
            return f"leads to no heading of {name}"
    elif anchor not in {slug(heading.text) for heading in headings(nb)}:
        return "leads to no heading of this chapter"
    return ""


def _anchors(page: Path, book: Book) -> set[str]:
    """Collect what a link to a page of the book may have after `#`."""
    if page.suffix == ".ipynb":
        nb = load(page)
    else:
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(page.read_text("utf-8"))])
    found = {slug(heading.text) for heading in headings(nb)}
    return found | book.citation_keys() if page.stem == "bibliography" else found
