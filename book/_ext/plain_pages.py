"""The Markdown pages of the book as any Markdown reader shows them, for the folder of notebooks.

A page of the book may have directives, which only Sphinx understands. Here a container is what it holds, the
bibliography is written out, and a module is a list of its names. No extension itself.
"""

import importlib
import inspect
import re
from collections.abc import Collection

from docutils import nodes

_CONTAINER = re.compile(r"^::::\{container\}[^\n]*\n(.*?)^::::\n", re.MULTILINE | re.DOTALL)
_BIBLIOGRAPHY = re.compile(r"^```\{bibliography\}\n.*?^```\n", re.MULTILINE | re.DOTALL)
_MODULE = re.compile(r"^```\{eval-rst\}\n\.\. automodule:: (\S+)\n.*?^```\n", re.MULTILINE | re.DOTALL)
_DIRECTIVE = re.compile(r"^(?:`{3,}|:{3,})\{[^\n]*", re.MULTILINE)
_PAGE = re.compile(r"(?<=\]\()([\w/-]+)\.(?:md|ipynb)(#[^)\s]*)?(?=\))")


class PlainError(ValueError):
    """A page has something that plain Markdown has not."""


def plain(source: str, *, works: str, here: Collection[str], address: str) -> str:
    r"""Return a page without directives.

    Parameters
    ----------
    source
        The page as it is written.
    works
        The bibliography, written out.
    here
        Names of the pages that lie beside this one; links to others lead to the site.
    address
        Where the pages of the site are.

    Raises
    ------
    PlainError
        If the page has a directive of another kind.

    Examples
    --------
    >>> page = "::::{container} lead\n[One](one.ipynb#a), [two](two.md#b)\n::::\n"
    >>> plain(page, works="", here=["one"], address="https://example.org/book/")
    '[One](one.ipynb#a), [two](https://example.org/book/two.html#b)\n'
    """
    text = _CONTAINER.sub(lambda found: found[1], source)
    text = _BIBLIOGRAPHY.sub(lambda found: works, text)
    text = _MODULE.sub(lambda found: names_of(found[1]), text)
    if left := _DIRECTIVE.search(text):
        raise PlainError(f"{left[0]} cannot be written as plain Markdown")
    return _PAGE.sub(
        lambda found: found[0] if found[1] in here else f"{address}{found[1]}.html{found[2] or ''}", text
    )


def names_of(module: str) -> str:
    r"""List the public names of a module, each with the first sentence about it.

    Examples
    --------
    >>> print(names_of("d2lconv.shapes").splitlines()[-1])
    - `solve_conv`: Find every setting that turns one size into another, as when a paper gives only the sizes.
    """
    there = importlib.import_module(module)
    lines = []
    for name in there.__all__:
        said = (inspect.getdoc(getattr(there, name)) or "").partition("\n\n")[0]
        lines.append(f"- `{name}`: {' '.join(said.split())}")
    return "\n".join(lines) + "\n"


def markdown_of(node: nodes.Node) -> str:
    """Write a paragraph, with its links and emphasis, as Markdown.

    Examples
    --------
    >>> parts = [nodes.Text("In "), nodes.emphasis("", "Nature"), nodes.Text(". ")]
    >>> link = nodes.reference("", "doi", refuri="https://example.org")
    >>> markdown_of(nodes.paragraph("", "", *parts, link))
    'In *Nature*. [doi](https://example.org)'
    """
    if isinstance(node, nodes.Text):
        return re.sub(r"([*_`\\\[\]])", r"\\\1", node.astext())
    inner = "".join(map(markdown_of, node.children))
    if isinstance(node, nodes.emphasis):
        return f"*{inner}*"
    if isinstance(node, nodes.reference) and "refuri" in node:
        return f"[{inner}]({node['refuri']})"
    return inner
