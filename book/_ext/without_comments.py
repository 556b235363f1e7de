"""Accept the setting for comments that Jupyter Book 1 always passes on.

This book loads no comment service (sphinx_comments), so nothing else knows the setting.
"""

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the setting, so that Sphinx does not warn that nobody knows it."""
    app.add_config_value("comments_config", {}, "html", dict)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
