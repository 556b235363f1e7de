"""Two editions of one site: English, and Chinese below `zh/`, which `tools/translation.py` writes as a book.

A Chinese section has the id of the English one: links, and the switch of the language, keep the section.
What the frame says in Chinese stands in `book/zh/words.po`, which Sphinx reads before its own catalogue.
"""

import json
import re
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.locale import _
from sphinx.transforms import SphinxTransform

#: Pages without a translation; the Chinese edition shows them in English.
ENGLISH_ONLY = {"book/api", "book/bibliography", "genindex", "py-modindex", "search", "404"}
COLAB = "https://colab.research.google.com/"
_HAN = re.compile(r"[\u3400-\u9fff]")
_TEXT = nodes.title | nodes.paragraph | nodes.caption | nodes.term | nodes.rubric
_NOTE = re.compile(r"<!-- translation: (missing|behind|none) -->")


def is_chinese(app: Sphinx) -> bool:
    """Return whether this is a build of the Chinese edition."""
    return str(app.config.language).startswith("zh")


def code_of(app: Sphinx) -> str:
    """Return the language of this build as `d2lconv.language` names it."""
    return "zh" if is_chinese(app) else "en"


class TakeEnglishIds(SphinxTransform):
    """Give each section the id and name of the English one, which stand in `anchors.json`."""

    default_priority = 800  # before MyST and Sphinx follow links

    def apply(self, **kwargs: object) -> None:
        """Go through the sections of one page."""
        path = Path(self.app.srcdir, "anchors.json")
        if not path.exists():
            return
        slugs = self.env.metadata[self.env.docname].setdefault("myst_slugs", {})
        self.document.myst_slugs = slugs
        english = json.loads(path.read_text("utf-8"))[self.env.docname]
        sections = list(self.document.findall(nodes.section))
        for section, (name, slug, title) in zip(sections, english, strict=True):
            own = {key: place for key, place in slugs.items() if place[1] in section["ids"]}
            old = {place[1] for place in own.values()}  # beside it stand those of Python modules
            section["ids"] = [name if one in old else one for one in section["ids"]]
            section["english"], self.document.ids[name] = title, section
            slugs |= {key: (line, name, text) for key, (line, _old, text) in own.items()}
            slugs[slug] = (section.line, name, section.next_node(nodes.title).astext())


def mark_english(app: Sphinx, doctree: nodes.document) -> None:
    """Say of text without Chinese that it is English, and show what comments say of the translation."""
    if not is_chinese(app):
        return
    notes = {
        "missing": _("This part is not translated yet: here is the English text."),
        "behind": _("The English text of this part has changed since it was translated."),
        "none": _("This page exists in English only."),
    }
    for raw in list(doctree.findall(nodes.raw)):
        if found := _NOTE.fullmatch(raw.astext().strip()):
            note = nodes.container("", nodes.paragraph("", notes[found[1]]), classes=["d2l-translation"])
            raw.replace_self(note)
    for node in doctree.findall(lambda one: isinstance(one, _TEXT)):
        text = node.astext()
        if re.search("[A-Za-z]{2}", text) and not _HAN.search(text):
            node["classes"].append("language-en")


def lead_with_download(app: Sphinx, doctree: nodes.document) -> None:
    """In Chinese, offer the notebook before Colab, which many readers cannot reach."""
    if not is_chinese(app):
        return
    button = f'<a href="../_sources/{app.env.docname}.ipynb" download>{_("Download this notebook")}</a>'
    said = _("What works here, and what in the notebook or in Colab")
    for link in doctree.findall(nodes.reference):
        section = link.parent.parent
        if link.get("refuri", "").startswith(COLAB) and isinstance(section, nodes.section):
            place = section.index(link.parent)
            section.insert(place + 1, nodes.raw("", f'<p class="d2l-what-runs">{said}</p>', format="html"))
            section.insert(place, nodes.raw("", f'<p class="d2l-download">{button}</p>', format="html"))
            return


def link_editions(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Tell the templates of the page in the other language, and in which language this one is."""
    base = app.config.html_baseurl.rstrip("/").removesuffix("/zh")
    here = is_chinese(app)
    context["language"] = "zh-Hans" if here else "en"
    start = f"{app.config.root_doc}.html"
    context["other_edition"] = ("../" if here else "zh/") + (start if page == "404" else f"{page}.html")
    context["other_language"] = ("en", "English") if here else ("zh-Hans", "中文")
    if page not in ENGLISH_ONLY:
        english, chinese = f"{base}/{page}.html", f"{base}/zh/{page}.html"
        context["alternates"] = [("en", english), ("zh-Hans", chinese), ("x-default", english)]
        if here:
            context["source_path"] = f"book/zh/{page.rpartition('/')[2]}.md"
    elif here and context.get("pageurl"):
        context["pageurl"] = f"{base}/{page}.html"


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.add_transform(TakeEnglishIds)
    app.connect("doctree-read", lead_with_download, priority=850)
    app.connect("doctree-read", mark_english, priority=860)
    app.connect("html-page-context", link_editions, priority=200)
