"""The book's Sphinx extension: what this course adds to Jupyter Book and Furo, a module a concern."""

from importlib import import_module

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

MODULES = (
    *("frame", "figures", "language", "text", "reading"),
    *("explorers", "exercises", "search", "finish", "notebooks_zip"),
)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Set up every module."""
    app.add_config_value("comments_config", {}, "html", dict)  # Jupyter Book 1 always passes it on
    for name in MODULES:
        import_module(f"{__name__}.{name}").setup(app)
    return {"version": "2", "parallel_read_safe": True, "parallel_write_safe": True}
