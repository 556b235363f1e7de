"""Colour in code only what tells a reader something: keywords, numbers, strings, comments, built-in names.

Other names, operators, brackets and commas have the colour of the text. They are most of what stands in code,
and an element around each was half of all elements of a chapter's page: a browser lays a page out the sooner
the fewer they are.
"""

from collections.abc import Iterable
from io import StringIO
from typing import Any

from pygments import token  # type: ignore[import-untyped]
from pygments.formatters import HtmlFormatter  # type: ignore[import-untyped]
from sphinx.application import Sphinx

PLAIN = {token.Name, token.Name.Namespace, token.Operator, token.Punctuation, token.Whitespace}
"""Kinds of words without a colour. Kinds below them, such as `token.Name.Builtin`, keep theirs."""


class PlainCode(HtmlFormatter):  # type: ignore[misc]
    """Write code as HTML, without an element around what is plain.

    Examples
    --------
    >>> from pygments import highlight
    >>> from pygments.lexers import PythonLexer
    >>> highlight("y = f(x, 2)", PythonLexer(), PlainCode(nowrap=True)).strip()
    'y = f(x, <span class="mi">2</span>)'
    """

    def format_unencoded(self, tokens: Iterable[tuple[Any, str]], outfile: StringIO) -> None:
        """Write words; what is plain counts as text."""
        plain = ((token.Text if kind in PLAIN else kind, word) for kind, word in tokens)
        super().format_unencoded(plain, outfile)


def use(app: Sphinx) -> None:
    """Let a builder of pages write code with it."""
    if app.builder.format == "html":
        app.builder.highlighter.formatter = PlainCode  # type: ignore[attr-defined]


def setup(app: Sphinx) -> None:
    """Wait until the builder has its highlighter."""
    app.connect("builder-inited", use)
