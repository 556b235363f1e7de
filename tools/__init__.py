"""Tools that write and check the book's chapters. They know the book; the package `d2lconv` knows neither."""

import sys

# To check notebooks, nbformat loads jsonschema, which makes grammars of web addresses for two seconds of each
# process, if it finds what makes them. No schema of notebooks or of Jupyter Book asks for such an address.
sys.modules["rfc3987_syntax"] = None  # type: ignore[assignment]
