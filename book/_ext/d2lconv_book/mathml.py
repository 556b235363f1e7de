r"""Formulas as MathML, made when the book is built.

Browsers draw MathML themselves and screen readers read it, so a page needs no script to show
`$\frac{a}{b}$`. A formula that cannot be converted is a build warning at its place.
"""

import html

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.util import logging
from sphinx.util.math import get_node_equation_number
from sphinx.writers.html5 import HTML5Translator

LOGGER = logging.getLogger(__name__)

# Chromium hangs the surd from the bar. The font's smallest is as high as this radicand, which is invisible.
_STRUT = '<mspace height="0.77em" depth="0.2em"></mspace>'
_CONVERTER = LatexToMathML(annotation=False, fancy_error=False)


def convert(node: nodes.math | nodes.math_block, *, display: bool) -> str:
    """Return the MathML of a node; warn and return its TeX if that fails."""
    tex = node.astext()
    try:
        formula = _CONVERTER.convert_with_local_state(tex, displaystyle=display)
        return formula.replace("<msqrt>", f"<msqrt>{_STRUT}")
    except LatexError as error:
        problem = str(error).partition(": ")[2]  # after a place in the formula
        LOGGER.warning("formula: %s In: %s", problem, tex, location=node, type="d2lconv", subtype="formula")
        return f"<code>{html.escape(tex)}</code>"


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(convert(node, display=False))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if it has one."""
    translator.body.append(translator.starttag(node, "div", CLASS="math-display"))
    translator.body.append(convert(node, display=True))
    if node["number"]:
        number = get_node_equation_number(translator, node)
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


def setup(app: Sphinx) -> None:
    """Register the renderer; `html_math_renderer: mathml` selects it."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
