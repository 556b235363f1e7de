"""What surrounds a page's text: Furo's options and templates, joined files, what the page says of itself."""

import re
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import furo  # type: ignore[import-untyped]
from docutils import nodes
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _CascadingStyleSheet, _JavaScript
from sphinx.config import Config
from sphinx.util import logging

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


def configure(app: Sphinx, config: Config) -> None:
    """Tell Furo and the extensions what `_config.yml` says once: the repository's and the site's address."""
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
    r"""Leave out a style sheet's comments, but for licences, and the spaces at the starts of lines.

    >>> short("/* why */\na {\n  color: red;\n}\n/*! MIT */")
    'a {\ncolor: red;\n}\n/*! MIT */'
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


# ---- what a page says about itself ----


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


def dark_code(app: Sphinx) -> None:
    """Set Furo's own setting, which Sphinx would not know yet in `_config.yml`."""
    app.config.pygments_dark_style = "github-dark-high-contrast"


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", dark_code, priority=400)
    app.connect("config-inited", configure, priority=400)
    app.connect("html-page-context", describe, priority=300)  # before sphinxext-opengraph reads the page
    app.connect("html-page-context", dress, priority=900)
