"""What surrounds the text of a page: Furo's options and templates, joined files, heads, the list of chapters."""

import html
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import furo
from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _CascadingStyleSheet, _JavaScript
from sphinx.config import Config
from sphinx.environment import BuildEnvironment
from sphinx.util import logging
from sphinx.util.docutils import SphinxDirective

LOGGER = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
#: Joined into one file of each kind, in this order. Pygments' styles come first, from Furo.
STYLES = ("styles/furo.css", "copybutton.css", "palette.css", "math.css", "book.css", "print.css")
SCRIPTS = ("page.js", "documentation_options.js", "scripts/furo.js", "clipboard.min.js", "copybutton.js")
#: What Sphinx and extensions load for features that this book does not use, or has in `book.css`.
UNUSED = {
    "pygments.css", "styles/furo-extensions.css",
    "doctools.js", "sphinx_highlight.js",
}  # fmt: skip
FONT = "d2lconv-math.woff2"
ROMAN = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII")


def configure(app: Sphinx, config: Config) -> None:
    """Tell Furo and the extensions what `_config.yml` says once: the repository and the site's own address."""
    given = config.html_theme_options
    config.html_theme_options = {
        "source_repository": given.get("repository_url", ""),
        "source_branch": given.get("repository_branch", "main"),
        "source_directory": given.get("path_to_docs", ""),
        "top_of_page_buttons": ["view"],
    }
    config.templates_path.append(str(TEMPLATES))
    base = config.html_baseurl.rstrip("/") + "/"
    config.ogp_site_url = base
    config.notfound_urls_prefix = prefix = urlsplit(base).path
    config.notfound_context = {
        "title": "Page not found",
        "body": "<h1>Page not found</h1>"
        "<p>There is no page at this address. It may have moved, or the link may be wrong.</p>"
        f'<p>Go to the <a href="{prefix}book/index.html">start of the course</a>, '
        f'or <a href="{prefix}search.html">search</a> it.</p>',
    }


# ---- one style sheet and one script ----


def short(css: str) -> str:
    """Leave out a style sheet's comments, but for licences, and the spaces at the starts of lines.

    >>> short("/* why */\\na {\\n  color: red;\\n}\\n/*! MIT */")
    'a {\\ncolor: red;\\n}\\n/*! MIT */'
    """
    return re.sub(r"\n\s*", "\n", re.sub(r"/\*(?!!).*?\*/", "", css, flags=re.DOTALL)).strip()


@cache
def join_files(static: Path) -> None:
    """Write the joined style sheet and script, once for each build."""
    read = [(static / name).read_text(encoding="utf-8") for name in (*STYLES, *SCRIPTS)]
    styles, scripts = read[: len(STYLES)], read[len(STYLES) :]
    css = [re.sub(r"/\*# sourceMappingURL.*", "", style) for style in styles]
    (static / "styles.css").write_text(short("\n".join([furo.get_pygments_stylesheet(), *css])), "utf-8")
    js = [re.sub(r"^//# sourceMappingURL.*", "", script, flags=re.MULTILINE) for script in scripts]
    (static / "scripts.js").write_text("\n;\n".join(js), "utf-8")


def dress(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the joined files instead of their parts, and formulas' font early."""
    if app.builder.name != "html":
        return
    join_files(Path(app.outdir, "_static"))
    left_out = UNUSED | {*STYLES, *SCRIPTS}

    def others(files: list[Any]) -> list[Any]:
        names = [str(file.filename).removeprefix("_static/") for file in files]
        return [
            file
            for file, name in zip(files, names, strict=True)
            if name not in left_out and not name.startswith("mystnb.")
        ]

    sheet = _CascadingStyleSheet("_static/styles.css")
    context["css_files"] = [sheet, *others(context["css_files"])]
    script = _JavaScript("_static/scripts.js", defer="defer")
    context["script_files"] = [script, *others(context["script_files"])]
    if "<math" in context.get("body", ""):
        context["early_font"] = f"_static/{FONT}"


# ---- what a page says about itself, and the start page about all of them ----


def promise(document: nodes.document) -> str:
    """Return the first paragraph that says something; a link alone, such as to Colab, does not."""
    for paragraph in document.findall(nodes.paragraph):
        links = "".join(link.astext() for link in paragraph.findall(nodes.reference))
        text = " ".join(paragraph.astext().split())
        if text and text != " ".join(links.split()):
            return text
    return ""


def describe(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Let sphinxext-opengraph describe a page by its promise: of the page, leave it nothing else to read."""
    if doctree is not None and app.builder.name == "html":
        said = promise(doctree)
        if not said:
            message = "page without a paragraph, so without a description"
            LOGGER.warning(message, location=page, type="d2lconv", subtype="description")
        doctree[:] = [nodes.paragraph("", said)]  # the page is written already


class chapter_list(nodes.General, nodes.Element):  # noqa: N801
    """Where the list of chapters goes."""


class Chapters(SphinxDirective):
    """`{chapters}`: every page of `_toc.yml`, by part, each with the first sentence that it begins with."""

    def run(self) -> list[nodes.Node]:
        """Leave a place for the list."""
        return [chapter_list()]


def parts(env: BuildEnvironment) -> Iterator[tuple[str, list[str]]]:
    """Yield the parts of the book: caption and pages."""
    for tree in env.get_doctree(env.config.root_doc).findall(addnodes.toctree):
        yield tree["caption"] or "", [page for _, page in tree["entries"]]


def list_chapters(app: Sphinx, doctree: nodes.document, docname: str) -> None:
    """Fill in the list; a part has a number if it has chapters that come one after the other."""
    for place in list(doctree.findall(chapter_list)):
        number = 1
        sections = []
        for roman, (caption, pages) in zip(ROMAN, parts(app.env), strict=False):
            counted = caption != "Reference"
            title = f"Part {roman}: {caption}" if counted else caption
            options = {"start": number, "enumtype": "arabic", "suffix": "."} if counted else {"bullet": "-"}
            entries = (nodes.enumerated_list if counted else nodes.bullet_list)("", **options)
            for page in pages:
                address = app.builder.get_relative_uri(docname, page)
                link = nodes.reference("", app.env.titles[page].astext(), refuri=address, internal=True)
                said = re.split(r"(?<=[.?!]) ", promise(app.env.get_doctree(page)))[0]
                entries += nodes.list_item("", nodes.paragraph("", "", link, nodes.Text(f": {said}")))
            section = nodes.section("", nodes.title("", title), entries, ids=[nodes.make_id(title)])
            sections.append(section)
            number += len(pages) * counted
        place.replace_self(sections)


def dark_code(app: Sphinx) -> None:
    """Set Furo's own setting, which Sphinx would not know yet in `_config.yml`."""
    app.config.pygments_dark_style = "github-dark-high-contrast"


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", dark_code, priority=400)
    app.add_directive("chapters", Chapters)
    app.add_node(chapter_list)
    app.connect("config-inited", configure, priority=400)
    app.connect("doctree-resolved", list_chapters)
    app.connect("html-page-context", describe, priority=300)  # before sphinxext-opengraph reads the page
    app.connect("html-page-context", dress, priority=900)
