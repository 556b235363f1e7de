"""The book's Sphinx extension: what this course adds to Jupyter Book and Furo, a module a concern."""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

from d2lconv_book import exercises, explorers, figures, finish, frame, notebooks_zip, reading, search, text


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set up every module."""
    app.add_config_value("comments_config", {}, "html", dict)  # Jupyter Book 1 always passes it on
    for module in (frame, figures, text, reading, explorers, exercises, search, finish, notebooks_zip):
        module.setup(app)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
