"""What a page says about itself to search engines and where its address is shared.

The description is the page's first paragraph, which in a chapter is the sentence that promises something. The
picture is made with the book (`social_card.py`). Addresses are whole only here; they come from `html:
baseurl:` in `_config.yml`, from which Sphinx makes each page's canonical link.
"""

import html
import textwrap
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from social_card import SIZE, card

LOGGER = logging.getLogger(__name__)

LONGEST = 200
"""Characters of a description; search engines cut off more."""
CARDS = "_static/cards"
ALT = "A 5×5 grid of numbers, a 3×3 kernel and their 3×3 output, under the title: "


def description(document: nodes.document) -> str:
    """Return the first paragraph that says something; a link alone, such as to Colab, does not."""
    for paragraph in document.findall(nodes.paragraph):
        links = "".join(link.astext() for link in paragraph.findall(nodes.reference))
        text = " ".join(paragraph.astext().split())
        if text and text != " ".join(links.split()):
            return textwrap.shorten(text, LONGEST, placeholder=" …")
    return ""


def add_head(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Add the elements of a page's head."""
    if doctree is None:
        return
    said = description(doctree)
    if not said:
        message = "page without a paragraph, so without a description"
        LOGGER.warning(message, location=page, type="d2lconv", subtype="description")
    title = nodes.unescape(app.env.titles[page].astext())
    course = app.config.html_title
    picture = f"{CARDS}/{page.replace('/', '-')}.png"
    target = Path(app.outdir, picture)
    target.parent.mkdir(parents=True, exist_ok=True)
    card(title, course).save(target, optimize=True)
    base = app.config.html_baseurl.rstrip("/")
    properties = {
        "og:type": "article",
        "og:site_name": course,
        "og:title": title,
        "og:description": said,
        "og:url": f"{base}/{app.builder.get_target_uri(page)}",
        "og:image": f"{base}/{picture}",
        "og:image:width": str(SIZE[0]),
        "og:image:height": str(SIZE[1]),
        "og:image:alt": ALT + title,
    }
    tags = [f'<meta name="description" content="{html.escape(said)}" />']
    tags += [
        f'<meta property="{name}" content="{html.escape(value)}" />' for name, value in properties.items()
    ]
    tags.append('<meta name="twitter:card" content="summary_large_image" />')
    context["metatags"] = context.get("metatags", "") + "\n    " + "\n    ".join(tags)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Listen to pages before they are written."""
    app.connect("html-page-context", add_head)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
