"""Small corrections to what other extensions make.

Each entry of the bibliography has its BibTeX key as its anchor: `[LeCun et al.
(1998)](bibliography.md#lecun1998)` links to the entry `@article{lecun1998, …}` of `references.bib`. It is a
plain Markdown link, so it also reads well on GitHub and in Colab, and a key that does not exist is a build
warning. `bibtex_cite_id: "{key}"` in `_config.yml` gives the entries their HTML anchors; MyST accepts in
`page.md#anchor` only anchors that it knows, so it is told the keys.

The API reference leaves out the fields of named tuples: the docstring of the class explains them as
parameters, and "Alias for field number 0" explains nothing.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinxcontrib.bibtex.domain import BibtexDomain


def add_anchors(app: Sphinx, env: BuildEnvironment) -> None:
    """Add every entry's anchor to those that MyST knows of the bibliography's page."""
    domain = env.get_domain("cite")
    assert isinstance(domain, BibtexDomain)
    for page, bibliography in domain.bibliographies.items():
        anchors = env.metadata[page.docname].setdefault("myst_slugs", {})
        for key, node in bibliography.citation_nodes.items():
            # as MyST's own entries: line, id in the page, text of a link without text
            anchors[key] = (bibliography.line, node["ids"][0], key)


def skip_tuple_field(
    app: Sphinx, what: str, name: str, value: object, skip: bool, options: dict[str, Any]
) -> bool | None:
    """Answer autodoc's question whether to skip a member; None leaves it to others."""
    return True if type(value).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> None:
    """Listen to what is read."""
    app.connect("env-updated", add_anchors)
    app.connect("autodoc-skip-member", skip_tuple_field)
