"""Figures that follow the theme: SVG drawings become part of the page.

myst-nb writes each SVG output of a chapter to a file and shows it by `<img>`, which cannot know whether the
page is light or dark. Here the drawing itself is put in the page, with the course's colours as CSS
variables (`_static/palette.css`).

Every image of a page must say what it shows. For an output, the cell's metadata does: `{"mystnb": {"image":
{"alt": "A 3×3 input, a 2×2 kernel and their 2×2 output"}}}`. A missing text is a build warning.
"""

import re
from pathlib import Path
from xml.etree.ElementTree import ParseError

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.transforms.post_transforms import SphinxPostTransform
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

from svg_clean import UnsafeSvgError, clean_svg, read_palette

LOGGER = logging.getLogger(__name__)

PALETTE = Path(__file__).parent.parent / "_static" / "palette.css"
_FILE_NAME = re.compile(r"\S*(/|\.(svg|png|jpe?g|gif|webp))\S*")


def is_description(alt: str) -> bool:
    """Tell whether a text says something about an image; a file name does not.

    Examples
    --------
    >>> is_description("A 3×3 input beside its 2×2 output")
    True
    >>> is_description("_build/jupyter_execute/ab12.svg"), is_description(" "), is_description("plot.png")
    (False, False, False)
    """
    return bool(alt.strip()) and not _FILE_NAME.fullmatch(alt.strip())


class InlineSvg(SphinxPostTransform):
    """Replace SVG files by their drawings, and warn of images without a text."""

    default_priority = 60  # after myst-nb has chosen one form of each output, before images are converted
    formats = ("html",)

    def run(self, **kwargs: object) -> None:
        """Go through the images of one page."""
        page = self.env.docname.rpartition("/")[2]
        palette = read_palette(PALETTE)
        for number, image in enumerate(list(self.document.findall(nodes.image)), start=1):
            alt = image.get("alt", "")
            if not is_description(alt):
                self._warn(image, "alt", f"image without a description (alt={alt!r})")
            path = Path(self.app.srcdir, image["uri"].lstrip("/"))
            if path.suffix != ".svg" or not path.is_file():
                continue
            try:
                drawing = clean_svg(
                    path.read_text(encoding="utf-8"),
                    prefix=f"{page}-f{number}-",
                    label=alt,
                    palette=palette,
                )
            except (UnsafeSvgError, ParseError) as error:
                self._warn(image, "svg", f"drawing not put in the page: {error}")
            else:
                image.replace_self(nodes.raw("", drawing, format="html"))

    def _warn(self, image: nodes.image, subtype: str, message: str) -> None:
        place: nodes.Element = image
        while not place.line and place.parent is not None:
            place = place.parent  # not every image knows its line
        LOGGER.warning(message, location=place, type="d2lconv", subtype=subtype)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Register the transform."""
    app.add_post_transform(InlineSvg)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
