r"""What stands in the text of pages: formulas as MathML, anchors of the bibliography.

Browsers draw MathML and screen readers read it, so a page needs no script to show `$\frac{a}{b}$`.

Each entry of the bibliography has its BibTeX key as its anchor: `[LeCun et al.
(1998)](bibliography.md#lecun1998)` reads well on GitHub and in Colab too. `bibtex_cite_id: "{key}"` in
`_config.yml` gives the anchors to HTML; MyST, which warns of anchors that it does not know, is told the keys.
"""

import html

from docutils import nodes
from math_core import LatexError, LatexToMathML
from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.writers.html5 import HTML5Translator
from sphinxcontrib.bibtex.domain import BibtexDomain

LOGGER = logging.getLogger(__name__)

# ---- formulas ----

# Chromium hangs the surd from the bar. The font's smallest is as high as this radicand, which is invisible.
_STRUT = '<mspace height="0.77em" depth="0.2em"></mspace>'
_CONVERTER = LatexToMathML(annotation=False, fancy_error=False)


def formula(node: nodes.math | nodes.math_block, *, display: bool) -> str:
    r"""Return the MathML of a node; warn and return its TeX if that fails.

    >>> print(formula(nodes.math("", r"\frac{a}{b}"), display=False))
    <math><mfrac><mi>a</mi><mi>b</mi></mfrac></math>
    """
    tex = node.astext()
    try:
        made = _CONVERTER.convert_with_local_state(tex, displaystyle=display)
        return made.replace("<msqrt>", f"<msqrt>{_STRUT}")
    except LatexError as error:
        problem = str(error).partition(": ")[2]  # after a place in the formula
        LOGGER.warning("formula: %s In: %s", problem, tex, location=node, type="d2lconv", subtype="formula")
        return f"<code>{html.escape(tex)}</code>"


def visit_inline(translator: HTML5Translator, node: nodes.math) -> None:
    """Write a formula within a line."""
    translator.body.append(formula(node, display=False))
    raise nodes.SkipNode


def visit_display(translator: HTML5Translator, node: nodes.math_block) -> None:
    """Write a formula on a line of its own, with its number if it has one."""
    translator.body.append('<div class="math-display">')  # Furo puts a box around it, which has the id
    translator.body.append(formula(node, display=True))
    if node["number"]:
        chapter = translator.builder.env.toc_secnumbers.get(translator.docnames[-1], {}).get("", ())
        number = ".".join(map(str, (*chapter, node["number"])))
        translator.body.append(f'<span class="eqno">({number})')
        translator.add_permalink_ref(node, _("Link to this equation"))
        translator.body.append("</span>")
    translator.body.append("</div>\n")
    raise nodes.SkipNode


class TiePunctuation(SphinxPostTransform):
    """Keep a formula and the punctuation beside it on one line: browsers may break a line next to MathML."""

    default_priority = 700
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the formulas that stand within the lines of one page."""
        for node in list(self.document.findall(nodes.math)):
            siblings, index = node.parent.children, node.parent.index(node)
            first = max(index - 1, 0)
            before, after = (
                str(text[0]) if text and isinstance(text[0], nodes.Text) else ""
                for text in (siblings[first:index], siblings[index + 1 : index + 2])
            )
            kept, rest = before.rstrip("([“‘（《"), after.lstrip(".,;:!?)]”’，。；：、！？）》")
            if (kept, rest) == (before, after):
                continue
            tied = nodes.inline(classes=["d2l-tied"])
            start, end = index - bool(before), index + 1 + bool(after)
            node.parent[start:end] = [nodes.Text(kept), tied, nodes.Text(rest)]
            opening, closing = before[len(kept) :], after[: len(after) - len(rest)]
            tied.extend([nodes.Text(opening), node, nodes.Text(closing)])


# ---- references ----


def add_anchors(app: Sphinx, env: BuildEnvironment) -> None:
    """Add every entry's anchor to those that MyST knows of the bibliography's page."""
    domain = env.get_domain("cite")
    assert isinstance(domain, BibtexDomain)
    for page, bibliography in domain.bibliographies.items():
        anchors = env.metadata[page.docname].setdefault("myst_slugs", {})
        for key, node in bibliography.citation_nodes.items():
            # as MyST's own entries: line, id in the page, text of a link without text
            anchors[key] = (bibliography.line, node["ids"][0], key)


def skip_tuple_field(app: Sphinx, what: str, name: str, value: object, *more: object) -> bool | None:
    """Leave fields of named tuples out of the API reference, where they are parameters of the class."""
    return True if type(value).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> None:
    """Connect to Sphinx; `html_math_renderer: mathml` selects the formulas."""
    app.add_html_math_renderer("mathml", (visit_inline, None), (visit_display, None))
    app.add_post_transform(TiePunctuation)
    app.connect("env-updated", add_anchors)
    app.connect("autodoc-skip-member", skip_tuple_field)
