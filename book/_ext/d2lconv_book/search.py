"""What the search looks in: every section, glossary entry and name of the API, in one small file.

Sphinx's own search finds pages, ranks the attribute `stride` above the section that explains strides, drops
`×`, and fetches ten whole pages for its excerpts. Here `_static/search.js` ranks sections and entries, and
shows their words.
"""

import html
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx import addnodes
from sphinx.application import Sphinx
from sphinx.locale import _

INDEX = "_static/search-index.js"
GLOSSARY, CHAPTER, SECTION, EXERCISE, NAME = range(5)

#: TeX that reads better as a character; other commands are left out of what is searched.
_TEX = {r"\times": "×", r"\cdot": "·", r"\le": "≤", r"\ge": "≥", r"\ne": "≠", r"\star": "⋆", r"\to": "→"}
_ALSO = re.compile(r"[Aa]lso called (?:an? |the )?([^.;:,()]+)|也(?:叫|称)(?:作|为)?([^。；：，（）]+)")
_OPTIONAL = re.compile(r"^(Optional: |选读：)")


def words_of_tex(tex: str) -> str:
    r"""Return a formula as it may stand in an excerpt.

    >>> words_of_tex(r"d(k - 1) + 1"), words_of_tex(r"3 \times 3"), words_of_tex(r"\frac{\text{out}}{k_h}")
    ('d(k - 1) + 1', '3 × 3', 'out k_h')
    """
    text = re.sub(r"\\[A-Za-z]+", lambda found: _TEX.get(found[0], " "), tex)
    return " ".join(re.sub(r"\\.|[{}^&~]", " ", text).split())


def words_of(node: nodes.Node) -> Iterator[str]:
    """Yield the words of a section that are its own and that a reader sees, with code left out."""
    if isinstance(node, nodes.Text):
        yield node.astext()
    elif isinstance(node, nodes.paragraph) and [type(one) for one in node] == [nodes.reference]:
        return  # a link alone, such as to Colab
    elif isinstance(node, nodes.math):
        yield words_of_tex(node.astext())
    elif isinstance(node, nodes.raw):  # of a question, its prompt; of a table, all
        for words in re.findall('<p id="ask-[^>]*>(.*?)</p>|<td>(.*?)</td>', node.astext(), re.DOTALL):
            yield html.unescape(re.sub("<[^>]*>", "", "".join(words))) + " "
    elif not isinstance(node, nodes.section | nodes.title | nodes.literal_block | nodes.raw | nodes.math_block
                        | nodes.Invisible | nodes.image | addnodes.desc):  # fmt: skip
        for child in node.children:
            yield from words_of(child)
        if isinstance(node, nodes.TextElement | nodes.entry) and not isinstance(node, nodes.Inline):
            yield " "


def entries(page: str, doctree: nodes.document) -> Iterator[list[Any]]:
    """Yield what can be found on a page: [kind, anchor, title, text, other names]."""
    stem = page.rpartition("/")[2]
    for section in doctree.findall(nodes.section):
        title = section.next_node(nodes.title)
        depth = 0 if section.parent is doctree else 1
        kind = SECTION if depth else CHAPTER
        if stem == "glossary" and section.parent.parent is not doctree and depth:
            kind = GLOSSARY
        elif (depth and stem in ("exercises", "index")) or section["ids"][0].startswith("exercise-"):
            kind = EXERCISE
        text = " ".join("".join(words for child in section for words in words_of(child)).split())
        also = [one or other for one, other in _ALSO.findall(text)] if kind == GLOSSARY else []
        names = [name for names in also for name in re.split(r" or (?:an? )?|、|或", names)]
        name = _OPTIONAL.sub("", title.astext())
        if "english" in section:  # a Chinese title such as 步幅（步长，stride）
            several = "[（，、与）]" if kind == GLOSSARY else "[（，）]"
            names += [*re.split(several, name.rstrip("）")), _OPTIONAL.sub("", section["english"])]
        anchor = section["ids"][0] if depth else ""
        yield [kind, anchor, name, text, names]
    for description in doctree.findall(addnodes.desc):
        signature = description.next_node(addnodes.desc_signature)
        said = next(iter(description[-1].findall(nodes.paragraph)), None)
        if signature is not None and signature["ids"]:
            full = signature["ids"][0]
            text = " ".join(said.astext().split()) if said is not None else ""
            short = ".".join(full.split(".")[2:])
            yield [NAME, full, short, text, [full, short.rpartition(".")[2]]]


def write_index(app: Sphinx, error: Exception | None) -> None:
    """Write the file that the search page loads: a script, since a page on a disk may load nothing else."""
    if error or app.builder.name != "html":
        return
    found = []
    for page in sorted(app.env.found_docs):
        title = app.env.titles[page].astext()
        found.append([f"{page}.html", title, list(entries(page, app.env.get_doctree(page)))])
    data = json.dumps(found, ensure_ascii=False, separators=(",", ":"))
    escaped = data.replace("\\", "\\\\").replace("'", "\\'").replace("\u2028", "\\u2028")
    Path(app.outdir, INDEX).write_text(f"window.d2lSearch = JSON.parse('{escaped}');\n", encoding="utf-8")


def no_other_index(app: Sphinx) -> None:
    """Let Sphinx write no index of its own; the page is written by `search_page`."""
    app.builder.search = False  # type: ignore[attr-defined]


def search_page(app: Sphinx) -> Iterator[tuple[str, dict[str, Any], str]]:
    """Tell Sphinx of the page."""
    yield "search", {"title": _("Search")}, "search.html"


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", no_other_index)
    app.connect("html-collect-pages", search_page)
    app.connect("build-finished", write_index)
