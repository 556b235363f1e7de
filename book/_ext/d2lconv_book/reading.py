"""How a chapter is read: figures have numbers, optional sections are folded up.

A caption stands in a cell's metadata, `{"mystnb": {"figure": {"caption": "…"}}}`; Sphinx numbers the figures
of a page, so that others can cite them. A section whose heading begins with `Optional: ` is one that nothing
later needs: on the page its heading shows, and what stands below it unfolds. How much code a page shows, its
readers choose (`_static/page.js`).
"""

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms.post_transforms import SphinxPostTransform

_FOLD = (
    '<details class="d2l-optional"><summary>'
    '<span class="collapsed">{}</span><span class="expanded">{}</span></summary>'
)


def number_parts(app: Sphinx, doctree: nodes.document) -> None:
    """Give figures ids, since Sphinx numbers only what can be linked to; number a chapter's formulas."""
    for number, figure in enumerate(doctree.findall(nodes.figure), start=1):
        if not figure["names"]:
            figure["ids"] = [f"figure-{number}"]
    if app.env.doc2path(app.env.docname).endswith(".ipynb"):
        for number, formula in enumerate(doctree.findall(nodes.math_block), start=1):
            formula["number"], formula["ids"] = number, [f"formula-{number}"]


class FoldOptional(SphinxPostTransform):
    """Fold up what stands below the heading of an optional section."""

    default_priority = 700  # when everything else has found its sections as they were
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the sections of one page."""
        fold = _FOLD.format(_("Show this section"), _("Hide this section"))
        for section in list(self.document.findall(nodes.section)):
            title, *rest = section.children
            if section["ids"][0].startswith("optional-"):
                before, after = (nodes.raw("", text, format="html") for text in (fold, "</details>"))
                section.children = []
                section.extend([title, before, *rest, after])


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("doctree-read", number_parts, priority=100)
    app.add_post_transform(FoldOptional)
