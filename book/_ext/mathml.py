r"""Formulas as MathML, made when the book is built.

Browsers draw MathML themselves and screen readers read it, so a page needs no script to show
`$\frac{a}{b}$`. The TeX source stays in the page as an annotation. A formula that cannot be converted is a
build warning at its place.
"""

import html
import re

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.util.typing import ExtensionMetadata
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)

_CONVERTER = LatexToMathML(annotation=True, fancy_error=False)
_ERROR = re.compile(r"(\d+): (.*)", re.DOTALL)


class FormulaError(ValueError):
    """A formula that is not valid, or has a command that is not known."""


def to_mathml(tex: str, *, display: bool) -> str:
    r"""Convert one formula.

    Parameters
    ----------
    tex
        The formula without its dollar signs.
    display
        Whether the formula stands on lines of its own.

    Returns
    -------
    str
        A `<math>` element.

    Raises
    ------
    FormulaError
        If the formula is not valid, or has a command that is not known.

    Examples
    --------
    >>> to_mathml("k^2", display=False).startswith("<math><semantics><msup><mi>k</mi>")
    True
    >>> to_mathml(r"\foo + 1", display=False)
    Traceback (most recent call last):
    ...
    mathml.FormulaError: Unknown command "\foo". At: \foo + 1
    """
    try:
        return _CONVERTER.convert_with_local_state(tex, displaystyle=display)
    except LatexError as error:
        found = _ERROR.fullmatch(str(error))  # "12: what is wrong"
        if found is None:
            raise FormulaError(f"{error} In: {tex}") from None
        raise FormulaError(f"{found[2]} At: {tex[int(found[1]) :] or 'the end'}") from None


def _convert_or_warn(node: nodes.math | nodes.math_block, *, display: bool) -> str:
    """Return the MathML of a node; warn and return its TeX if that fails."""
    tex = node.astext()
    try:
        return to_mathml(tex, display=display)
    except FormulaError as error:
        LOGGER.warning("formula: %s", error, location=node, type="d2lconv", subtype="formula")
        return f"<code>{html.escape(tex)}</code>"


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(_convert_or_warn(node, display=False))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math-display"))
    translator.body.append(_convert_or_warn(node, display=True))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the renderer; `html_math_renderer: mathml` selects it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
