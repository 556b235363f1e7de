"""Leave out of the API reference what only Python's machinery documents: the fields of a named tuple.

The docstring of the class explains them as parameters; "Alias for field number 0" explains nothing.
"""

from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata


def skip_tuple_field(
    app: Sphinx, what: str, name: str, value: object, skip: bool, options: dict[str, Any]
) -> bool | None:
    """Answer autodoc's question whether to skip a member; None leaves it to others."""
    return True if type(value).__name__ == "_tuplegetter" else None


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to autodoc."""
    app.connect("autodoc-skip-member", skip_tuple_field)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
