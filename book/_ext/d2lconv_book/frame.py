"""What surrounds a page's text: Furo's options and templates, joined files, a page's promise, made lists."""

import json
import re
from collections.abc import Callable
from functools import cache, partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import furo  # type: ignore[import-untyped]
from docutils import nodes
from myst_parser.mdit_to_docutils.base import default_slugify
from sphinx.application import Sphinx
from sphinx.builders.html._assets import _CascadingStyleSheet, _JavaScript
from sphinx.config import Config
from sphinx.locale import _
from sphinx.util import logging
from sphinx_external_toc.parsing import parse_toc_yaml

from d2lconv.questions.engine import CHAPTERS
from d2lconv.questions.teachers import table_of
from d2lconv_book.finish import SCRIPT
from d2lconv_book.language import code_of, is_chinese

LOGGER = logging.getLogger(__name__)

TEMPLATES = Path(__file__).parent / "templates"
# Joined into one file of each kind, in this order. Pygments' styles come first, from Furo.
STYLES = ("styles/furo.css", "copybutton.css", "palette.css", "math.css", "book.css", "print.css")
CHINESE_STYLE = "chinese.css"  # comes last
_COPY = ("clipboard.min.js", "copybutton.js")
SCRIPTS = ("page.js", "ticks.js", "documentation_options.js", "scripts/furo.js", *_COPY)
#: What Sphinx and extensions load for features that this book does not use, or has in `book.css`.
UNUSED = {
    "pygments.css", "styles/furo-extensions.css", "doctools.js", "sphinx_highlight.js", "translations.js",
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
        f'or <a href="{prefix}search.html">search</a> it.</p>'
        f'<p lang="zh-Hans">这里没有网页。请到<a href="{prefix}zh/book/index.html">课程首页</a>查找。</p>',
    }


# ---- one style sheet and one script ----


def short(css: str) -> str:
    r"""Leave out a style sheet's comments, but for licences, and the spaces at the starts of lines.

    >>> short("/* why */\na {\n  color: red;\n}\n/*! MIT */")
    'a {\ncolor: red;\n}\n/*! MIT */'
    """
    return re.sub(r"\n\s*", "\n", re.sub(r"/\*(?!!).*?\*/", "", css, flags=re.DOTALL)).strip()


@cache
def join_files(static: Path, *more: str) -> None:
    """Write the joined style sheet, with more styles, and the joined script, once for each build."""
    styles = [(static / name).read_text(encoding="utf-8") for name in (*STYLES, *more)]
    scripts = [(static / name).read_text(encoding="utf-8") for name in SCRIPTS]
    css = [re.sub(r"/\*# sourceMappingURL.*", "", style) for style in styles]
    (static / "styles.css").write_text(short("\n".join([furo.get_pygments_stylesheet(), *css])), "utf-8")
    js = [re.sub(r"^//# sourceMappingURL.*", "", script, flags=re.MULTILINE) for script in scripts]
    said = re.findall(r'\bsay\("([^"]+)"\)', "".join(path.read_text("utf-8") for path in static.glob("*.js")))
    if words := {text: str(_(text)) for text in sorted(set(said)) if _(text) != text}:
        js.insert(0, f"window.d2lWords = {json.dumps(words, ensure_ascii=False)}")
    (static / "scripts.js").write_text("\n;\n".join(js).replace("'zh-CN'", "'zh-Hans'"), "utf-8")


def dress(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: Any) -> None:
    """Load the joined files instead of their parts, and formulas' font early."""
    join_files(Path(app.outdir, "_static"), *([CHINESE_STYLE] if is_chinese(app) else []))
    left_out = UNUSED | {*STYLES, CHINESE_STYLE, *SCRIPTS}

    def others(files: list[Any]) -> list[Any]:
        named = [(file, str(file.filename).removeprefix("_static/")) for file in files]
        return [file for file, name in named if name not in left_out and not name.startswith("mystnb.")]

    sheet = _CascadingStyleSheet("_static/styles.css")
    context["theme_script"] = SCRIPT
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
    if doctree is not None:
        said = promise(doctree)
        if not said:
            LOGGER.warning("page without a description", location=page, type="d2lconv", subtype="description")
        if app.env.doc2path(page).endswith(".ipynb"):
            context["learning_resource"] = learning_resource(app.config, page, doctree, said)
        doctree[:] = [nodes.paragraph("", said)]  # the page is written already


_MINUTES = re.compile(r"(?:\bTime\b|时间)\D*(\d+) ?(?:minutes|分钟)")


def learning_resource(config: Config, page: str, document: nodes.document, promise: str) -> str:
    """Return what a chapter says of itself to search engines, as schema.org's `LearningResource`."""
    base = config.html_baseurl.rstrip("/") + "/"
    said = {
        "@context": "https://schema.org",
        "@type": "LearningResource",
        "name": document.next_node(nodes.title).astext(),
        "description": promise,
        "url": f"{base}{page}.html",
        "inLanguage": config.language.replace("zh_CN", "zh-Hans"),
        "learningResourceType": "chapter",
        "educationalLevel": "undergraduate",
        "isAccessibleForFree": True,
        "license": "https://creativecommons.org/licenses/by/4.0/",
        "isPartOf": {"@type": "Course", "name": config.html_title, "url": base},
    }
    if found := _MINUTES.search(document.astext()):
        said["timeRequired"] = f"PT{found[1]}M"
    return json.dumps(said, ensure_ascii=False).replace("<", "\\u003c")


# ---- lists that are made: of chapters, of exercises, of questions for teachers ----

_EXERCISE = re.compile(r"^### ((?:Exercise |练习)\d+ · (.+?) (★+))$", re.MULTILINE)
_NO_PROMISE = re.compile(r"\[[^\]]+\]\([^)]+\)$|<!--")  # the Colab link, a comment


@cache
def pages(root: Path) -> list[tuple[Any, Path, str, str]]:
    """Return the pages of a book in order: part of the contents, file, title, and the Markdown below it."""
    found = []
    for part in parse_toc_yaml(root / "_toc.yml").root.subtrees:
        for entry in part.items:
            path = next(file for end in ("ipynb", "md") if (file := root / f"{entry}.{end}").is_file())
            text = path.read_text("utf-8")
            if path.suffix == ".ipynb":
                cells = [cell for cell in json.loads(text)["cells"] if cell["cell_type"] == "markdown"]
                text = "\n\n".join("".join(cell["source"]) for cell in cells)
            title, _, text = text.removeprefix("# ").partition("\n")
            found.append((part, path, title, text.strip()))
    return found


def chapters(root: Path) -> str:
    """Return the list of all pages: a heading for each part, and for each page its title and promise."""
    lines = []
    for number, (part, path, title, text) in enumerate(pages(root), start=1):
        if (heading := f"### {part.caption}") not in lines:
            lines += ["", heading, ""]
        paragraphs = (" ".join(one.split()) for one in re.split(r"\n\s*\n", text))
        promise = next(one for one in paragraphs if not _NO_PROMISE.match(one))
        promise = re.split(r"(?<=[.?!]) |(?<=[。？！])", promise, maxsplit=1)[0]
        mark = f"{number}." if part.numbered else "-"
        lines.append(f"{mark} [{title}]({path.name}){_('. ')}{promise}")
    return "\n".join(lines)


def exercises(root: Path) -> str:
    """Return the list of all exercises: a heading for each chapter, a link and level for each exercise."""
    lines = []
    for _part, path, chapter, text in pages(root):
        if found := _EXERCISE.findall(text):
            lines += ["", f"## {chapter}", ""]
        for number, (heading, title, level) in enumerate(found, start=1):
            lines.append(f"{number}. [{title}]({path.name}#{default_slugify(heading)}) {level}")
    return "\n".join(lines)


def questions(root: Path, language: str) -> str:
    """Return the questions of all chapters for teachers, folded up by chapter."""
    found = []
    for _part, path, title, _text in pages(root):
        if path.stem in CHAPTERS:
            table = f'<div class="table-wrapper">{table_of(path.stem, language)}</div>'
            found.append(f'<details class="d2l-table"><summary>{title}</summary>{table}</details>')
    return "\n".join(found)


def fill(app: Sphinx, name: str, source: list[str]) -> None:
    """Put a list where a page has its name as a comment, such as `<!-- chapters -->`."""
    lists: dict[str, Callable[[Path], str]] = {
        "chapters": chapters,
        "exercises": exercises,
        "questions": partial(questions, language=code_of(app)),
    }
    for list_name, make in lists.items():
        mark = f"<!-- {list_name} -->"
        if mark in source[0]:
            source[0] = source[0].replace(mark, make(Path(app.srcdir)))


def dark_code(app: Sphinx) -> None:
    """Set Furo's own setting, which Sphinx would not know yet in `_config.yml`."""
    app.config.pygments_dark_style = "github-dark-high-contrast"


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", dark_code, priority=400)
    app.connect("config-inited", configure, priority=400)
    app.connect("source-read", fill)
    app.connect("html-page-context", describe, priority=300)  # before sphinxext-opengraph reads the page
    app.connect("html-page-context", dress, priority=900)
