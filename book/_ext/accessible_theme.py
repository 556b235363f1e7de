"""What the theme leaves out for those who do not see a page, put right in the pages that are written.

Each rule names a finding of axe-core, which the tests run on every page.
"""

import re

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

import site_pages

RULES = (
    # label-content-name-mismatch: what is spoken must hold what is shown, as it does without a label
    (re.compile(r'(<button class="btn search-button-field[^>]*?) aria-label="Search"'), r"\1"),
    (re.compile(r'(<summary) aria-label="Toggle hidden content"'), r"\1"),
    (
        re.compile(r'(<i class="theme-switch [^>]*?) title="[^"]*"(?: aria-hidden="true")?>'),
        r'\1 aria-hidden="true">',
    ),
    # region: the logo in the side bar stood in no landmark
    (re.compile(r'(<div id="pst-primary-sidebar")(?! role)'), r'\1 role="navigation" aria-label="Course"'),
    # definition-list: arguments below each other are written as definitions of nothing, for their looks
    (re.compile(r'<dl>(?=\s*<dd><em class="sig-param")'), '<dl role="presentation">'),
)


def put_right(page: str) -> str:
    """Apply the rules to a page; one that they were applied to stays as it is.

    Examples
    --------
    >>> put_right('<summary aria-label="Toggle hidden content">')
    '<summary>'
    """
    for found, better in RULES:
        page = found.sub(better, page)
    return page


def change_pages(app: Sphinx, error: Exception | None) -> None:
    """Put right the pages of a finished build."""
    for path in site_pages.written(app, error):
        site_pages.change(path, put_right)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Wait for the end of a build."""
    app.connect("build-finished", change_pages)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
