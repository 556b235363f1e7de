"""The book's Sphinx extension: what this course adds to Jupyter Book and Furo, a module a concern."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from d2lconv_book import (
    exercises,
    explorers,
    figures,
    finish,
    frame,
    language,
    notebooks_zip,
    reading,
    search,
)
from d2lconv_book import text as text_of_pages

MODULES = (
    frame,
    figures,
    language,
    text_of_pages,
    reading,
    explorers,
    exercises,
    search,
    finish,
    notebooks_zip,
)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set up every module."""
    app.add_config_value("comments_config", {}, "html", dict)  # Jupyter Book 1 always passes it on
    for module in MODULES:
        module.setup(app)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
