"""`sitemap.xml`: the addresses of all pages that readers may look for, for search engines."""

from collections.abc import Iterable
from pathlib import Path
from xml.sax.saxutils import escape

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import site_pages

NAME = "sitemap.xml"


def sitemap(addresses: Iterable[str]) -> str:
    """Write addresses in the form of sitemaps.org.

    >>> print(sitemap(["https://example.org/a.html"]))
    <?xml version="1.0" encoding="utf-8"?>
    <urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">
      <url><loc>https://example.org/a.html</loc></url>
    </urlset>
    """
    lines = [f"  <url><loc>{escape(address)}</loc></url>" for address in addresses]
    head = '<?xml version="1.0" encoding="utf-8"?>'
    start = '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9">'
    return "\n".join([head, start, *lines, "</urlset>"])


def make(app: Sphinx, error: Exception | None) -> None:
    """Write the file when the book stands."""
    if site_pages.is_book(app, error):
        base = app.config.html_baseurl.rstrip("/")
        pages = [f"{base}/{app.builder.get_target_uri(page)}" for page in sorted(app.env.found_docs)]
        Path(app.outdir, NAME).write_text(sitemap(pages) + "\n", encoding="utf-8")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Work on the finished book."""
    app.connect("build-finished", make)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
