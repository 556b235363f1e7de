"""Each entry of the bibliography has its BibTeX key as its anchor.

For authors of chapters: `[LeCun et al. (1998)](bibliography.md#lecun1998)` links to the entry
`@article{lecun1998, …}` of `references.bib`. It is a plain Markdown link, so it also reads well on GitHub
and in Colab. A key that does not exist is a build warning.

`bibtex_cite_id: "{key}"` in `_config.yml` gives the entries their HTML anchors; MyST accepts in
`page.md#anchor` only anchors that it knows, headings otherwise, and this extension tells it the keys.
"""

from sphinx.application import Sphinx
from sphinx.environment import BuildEnvironment
from sphinx.util.typing import ExtensionMetadata
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


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the anchors once all pages are read."""
    app.connect("env-updated", add_anchors)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
