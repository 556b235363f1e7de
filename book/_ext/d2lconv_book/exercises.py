"""Questions and exercises answer on the page: below its prompt, an exercise has an input, or opens in Colab.

What a page shows of a question stands in the notebook's output. In place of the cell that a reader of the
notebook would run, an exercise whose answer is numbers or a letter has its rule, which `d2lconv.questions`
writes; one whose answer is code keeps the code that it begins with, and gets a link.

From the second chapter on, a folded box before the first section asks two questions of earlier chapters. In
the folder `questions` beside the pages, each question lies once more, for the boxes and the page of reviews.
"""

import json
import re
from itertools import takewhile
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _

from d2lconv.exercises.engine.registry import find
from d2lconv.questions import web
from d2lconv.questions.engine import CHAPTERS
from d2lconv_book.explorers import write_file
from d2lconv_book.frame import pages, short
from d2lconv_book.language import COLAB, code_of

_DUE = '<div class="d2l-due"'
_CHECK = re.compile(r'^check\("([\w.]+)", (?!.*solution=True)', re.MULTILINE)


def place_exercises(app: Sphinx, doctree: nodes.document) -> None:
    """Put an input or a link below the prompt of each exercise of a chapter."""
    path = Path(app.env.doc2path(app.env.docname))
    if path.suffix != ".ipynb":
        return
    cells = json.loads(path.read_text("utf-8"))["cells"]
    links = (link["refuri"] for link in doctree.findall(nodes.reference) if "refuri" in link)
    notebook = next((link for link in links if link.startswith(COLAB)), "")
    for cell in list(doctree.findall(nodes.container)):
        if cell.get("nb_element") != "cell_code" or not (found := _CHECK.search(cell.astext())):
            continue
        form = web.form_of(find(found[1]), code_of(app))
        if form is not None:
            cell.replace_self(nodes.raw("", form, format="html"))
        else:
            address = f"{notebook}#scrollTo={cells[cell['cell_index']]['id']}"
            link = nodes.reference("", _("Open this exercise in Colab"), refuri=address)
            cell[:] = [cell[0], nodes.paragraph("", "", link, classes=["d2l-code-exercise"])]
            solution = cell.next_node(nodes.container, descend=False, siblings=True)
            solution["prompt_show"] = web.words(code_of(app))["written"]


def place_box(app: Sphinx, doctree: nodes.document) -> None:
    """Put a box with two questions from before into each chapter; where all come back, name all."""
    if not Path(app.srcdir, "_toc.yml").is_file():  # pages that stand alone
        return
    names = [path.stem for _part, path, *_ in pages(Path(app.srcdir)) if path.stem in CHAPTERS]
    here = Path(app.env.docname).name
    for raw in doctree.findall(nodes.raw):
        if _DUE in raw.astext():
            listed = raw.astext().replace(_DUE, f'{_DUE} data-listed="{web.names_in(names)}"')
            raw.children, raw.rawsource = [nodes.Text(listed)], listed
    before = list(takewhile(lambda name: name != here, names))
    if before and here in names:
        chapter = next(doctree.findall(nodes.section))
        box = nodes.raw("", web.box_before(before, code_of(app)), format="html")
        chapter.insert(chapter.first_child_matching_class(nodes.section), box)


def write_script(app: Sphinx) -> None:
    """Write scripts and style to the site; outside of `html_static_path`, whose files every page loads."""
    for name in web.SCRIPTS:
        write_file(app, f"_static/{name}", web.script(name, code_of(app)))
    for name, parts in web.STYLES.items():
        texts = ((web.FOLDER / part).read_text(encoding="utf-8") for part in parts)
        write_file(app, f"_static/{name}", short("".join(texts)))


def write_questions(app: Sphinx, error: Exception | None) -> None:
    """Write each question of each page, in the words in which the page asks it."""
    for path in Path(app.outdir).rglob("*.html") if not error and app.builder.name == "html" else ():
        for name, script in web.scripts_of(path.read_text(encoding="utf-8")).items():
            folder = path.with_name("questions")
            folder.mkdir(exist_ok=True)
            (folder / f"{name}.js").write_text(script, encoding="utf-8")


def add_script(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Load script and style on a page with something to answer."""
    fits = [files for kind, files in web.LOADED.items() if f'class="{kind}"' in context.get("body", "")]
    for style, script in fits[-1:]:
        app.add_css_file(style)
        app.add_js_file(script, loading_method="defer")


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", write_script)
    app.connect("doctree-read", place_exercises, priority=800)
    app.connect("doctree-read", place_box, priority=800)
    app.connect("html-page-context", add_script)
    app.connect("build-finished", write_questions)
