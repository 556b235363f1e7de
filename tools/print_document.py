"""The whole book as one document for printing: cover, contents, parts and chapters.

The numbers of pages are known only when the document has been printed, so `PrintDocument.html` takes them,
and `tools.pdf` prints twice.
"""

import html
import re
import tomllib
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from bs4 import Tag

from tools.book import Book
from tools.print_page import Places, PrintError, joined_id, prepare

STYLE = Path(__file__).with_suffix(".css")
#: Pages that say nothing on paper: figures to move, files to download.
ONLY_ON_SCREEN = frozenset(["book/gallery", "book/downloads"])
_PART_NUMBERS = ("I", "II", "III", "IV", "V", "VI", "VII", "VIII", "IX")
_PAGE_OF = re.compile(r'(<a\b(?=[^>]*class="d2l-page-of")[^>]*href="#([^"]+)"[^>]*>)(</a>)')
_UNKNOWN = "000"
_LICENCE = "https://creativecommons.org/licenses/by/4.0/"


@dataclass(frozen=True)
class Entry:
    """A line of the contents, which is a heading of the document.

    Attributes
    ----------
    level : int
        1 for a part, 2 for a chapter, 3 for a section.
    title : str
        Its words.
    target : str
        The id of what it names.
    number : str
        What stands before the title, such as "Part I" or "7".
    """

    level: int
    title: str
    target: str
    number: str = ""

    @property
    def name(self) -> str:
        """Number and title.

        Examples
        --------
        >>> Entry(2, "Pooling", "pooling", "7").name, Entry(1, "Networks", "part--networks", "Part II").name
        ('7 Pooling', 'Part II: Networks')
        """
        return f"{self.number}{': ' if self.level == 1 else ' '}{self.title}" if self.number else self.title


@dataclass(frozen=True)
class PrintDocument:
    """The book, ready to be written.

    Attributes
    ----------
    title, author, version : str
        What the cover says.
    entries : list of Entry
        The contents.
    text : str
        The document, without the numbers of its pages.
    """

    title: str
    author: str
    version: str
    entries: list[Entry]
    text: str

    def html(self, pages: Mapping[str, int] | None = None) -> str:
        """Write the document with the pages of its targets, or with room for them.

        Raises
        ------
        PrintError
            If the page of a target is unknown.
        """

        def number(found: re.Match[str]) -> str:
            target = html.unescape(found[2])
            if pages is not None and target not in pages:
                raise PrintError(f"the printed book has no page for #{target}")
            return f"{found[1]}{_UNKNOWN if pages is None else pages[target]}{found[3]}"

        return _PAGE_OF.sub(number, self.text)


def make(book: Book, site: Path, only: Collection[str] | None = None) -> PrintDocument:
    """Join the pages of a built book.

    Parameters
    ----------
    book : Book
        The book's source: it has the order of pages, the title, the address.
    site : Path
        What `make book` has made of it.
    only : collection of str, optional
        The pages to join, such as ``book/pooling``, beside the start page; all, if none is named.

    Raises
    ------
    PrintError
        If a page is missing, or a link leads nowhere in the document.
    """
    toc, config = _read(book.root / "_toc.yml"), _read(book.root / "_config.yml")
    version = tomllib.loads((book.root / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    parts = list(_parts(toc, only))
    names = [toc["root"], *(name for _, entries in parts for name in entries)]
    places = Places([f"{name}.html" for name in names], config["html"]["baseurl"])
    contents = {name: _page(site, f"{name}.html", places) for name in names}

    start = contents[toc["root"]]
    title = _title(start).get_text()
    lead = start.select_one(".landing-lead")
    subtitle = " ".join(lead.get_text().split()) if lead else ""
    _title(start).string = toc.get("title", title)

    entries: list[Entry] = []
    body = [_chapter(start, toc["root"], "", entries, level=1)]
    chapters, numbers = count(1), iter(_PART_NUMBERS)
    for caption, pages in parts:
        numbered = any(_is_chapter(book, name) for name in pages)
        if not pages:
            continue
        part = Entry(1, caption, f"part--{_slug(caption)}", f"Part {next(numbers)}" if numbered else "")
        entries.append(part)
        first = len(entries)
        written = [
            _chapter(contents[name], name, str(next(chapters)) if _is_chapter(book, name) else "", entries)
            for name in pages
        ]
        body += [_part_page(part, [entry for entry in entries[first:] if entry.level == 2]), *written]
    cover = (site / "_static" / "cover.svg").read_text("utf-8")
    author = str(config["author"])
    head = _head(title, [entry for entry in entries if entry.level <= 2])
    front = _front(title, subtitle, author, version, cover, places.address)
    _check_links([f"part--{_slug(caption)}" for caption, _ in parts], contents.values())
    text = "\n".join([head, front, _contents(entries), *body, "</body></html>\n"])
    return PrintDocument(title, author, version, entries, text)


def _read(path: Path) -> Any:
    return yaml.safe_load(path.read_text("utf-8"))


def _parts(toc: Any, only: Collection[str] | None) -> Iterator[tuple[str, list[str]]]:
    for part in toc["parts"]:
        names = [entry["file"] for entry in part["chapters"] if entry["file"] not in ONLY_ON_SCREEN]
        yield part["caption"], [name for name in names if only is None or name in only]


def _page(site: Path, page: str, places: Places) -> Tag:
    try:
        text = (site / page).read_text("utf-8")
    except FileNotFoundError:
        raise PrintError(f"{site} has no {page}; run: make book") from None
    return prepare(text, page, places)


def _is_chapter(book: Book, name: str) -> bool:
    path = book.page(name)
    return path is not None and path.suffix == ".ipynb"


def _title(content: Tag) -> Tag:
    heading = content.find("h2")
    if not isinstance(heading, Tag):
        raise PrintError(f"the page {content['id']} has no title")
    return heading


def _slug(text: str) -> str:
    return re.sub(r"\W+", "-", text.lower()).strip("-")


def _chapter(content: Tag, name: str, number: str, entries: list[Entry], level: int = 2) -> str:
    """Write a page, and add it and its sections to the contents."""
    heading = _title(content)
    title = heading.get_text()
    target = joined_id(f"{name}.html")
    entries.append(Entry(level, title, target, number))
    for section in content.find_all("section", recursive=False) if level > 1 else []:
        inner = section.find("h3", recursive=False)
        if isinstance(inner, Tag):
            entries.append(Entry(3, inner.get_text(), str(section["id"])))
    if number:
        label = Tag(name="span", attrs={"class": "d2l-number"})
        label.append(number)
        heading.insert(0, label)
        heading.insert(1, " ")
    if level == 1:  # what stands outside of the parts is as high as they are
        heading.name = "h1"
    content["class"] = "d2l-chapter"
    content["style"] = f"page: {_page_name(target)}"
    return str(content)


def _page_name(target: str) -> str:
    return f"d2l-{target}"


def _head(title: str, entries: list[Entry]) -> str:
    """Write the head, with a kind of page for each chapter: its title runs along the top."""
    running = [
        f"@page {_page_name(entry.target)} {{ @top-left {{ content: {_css_text(entry.name)}; }} }}"
        for entry in entries
    ]
    style = STYLE.read_text("utf-8") + "\n".join(running)
    return (
        '<!DOCTYPE html>\n<html lang="en" data-theme="light"><head><meta charset="utf-8" />'
        f"<title>{html.escape(title)}</title>"
        f'<link rel="stylesheet" href="_static/styles.css" /><style>{style}</style></head>'
        '<body class="d2l-print">'
    )


def _css_text(text: str) -> str:
    r"""Return a text as CSS writes it, which also cannot end a style element.

    >>> _css_text('a "b" </style>')
    '"a \\22 b\\22  \\3c /style>"'
    """
    return '"' + re.sub(r'["\\<\n]', lambda found: f"\\{ord(found[0]):x} ", text) + '"'


def _front(title: str, subtitle: str, author: str, version: str, cover: str, address: str) -> str:
    """Write the cover and the page behind it."""
    title, subtitle, author, version, address = map(html.escape, (title, subtitle, author, version, address))
    shown = address.partition("://")[2].rstrip("/")
    return f"""<section class="d2l-cover">
<p class="d2l-cover-title">{title}</p>
<p class="d2l-cover-subtitle">{subtitle}</p>
<div class="d2l-cover-picture">{cover}</div>
<p class="d2l-cover-foot"><b>d2lconv</b> {version}<br />{author}</p>
</section>
<section class="d2l-imprint">
<p>{title}<br />d2lconv {version}, by {author}</p>
<p>On the web: <a href="{address}">{shown}</a>.
There the figures move, and each chapter is a notebook to run.</p>
<p>Text and figures under the
<a href="{_LICENCE}">Creative Commons Attribution 4.0 licence</a>; code under the MIT licence.</p>
<p>Every result was computed by the code above it, and is computed again whenever the book changes.</p>
</section>"""


def _contents(entries: list[Entry]) -> str:
    lines = []
    for entry in entries:
        link = f'href="#{html.escape(entry.target)}"'
        lines.append(
            f'<li class="d2l-level-{entry.level}"><a {link}>{_numbered(entry)}</a>'
            f'<span class="d2l-leader"></span><a class="d2l-page-of" {link}></a></li>'
        )
    return f'<nav class="d2l-contents"><h1>Contents</h1><ol>{"".join(lines)}</ol></nav>'


def _numbered(entry: Entry) -> str:
    number = f'<span class="d2l-number">{html.escape(entry.number)}</span> ' if entry.number else ""
    return f"{number}{html.escape(entry.title)}"


def _part_page(part: Entry, chapters: list[Entry]) -> str:
    lines = [f'<li><a href="#{html.escape(entry.target)}">{_numbered(entry)}</a></li>' for entry in chapters]
    return (
        f'<section class="d2l-part" id="{html.escape(part.target)}"><h1>{_numbered(part)}</h1>'
        f"<ul>{''.join(lines)}</ul></section>"
    )


def _check_links(parts: Iterable[str], contents: Iterable[Tag]) -> None:
    """Let no link lead nowhere, and no id stand twice."""
    ids, links = Counter(parts), set()
    for content in contents:
        ids[str(content["id"])] += 1
        for element in content.find_all(True):
            if element.has_attr("id"):
                ids[str(element["id"])] += 1
            target = str(element.get("href") or "")
            if target.startswith("#"):
                links.add(target[1:])
    if missing := sorted(links - ids.keys()):
        raise PrintError(f"links lead nowhere: {', '.join(missing[:5])}")
    if twice := sorted(name for name, times in ids.items() if times > 1):
        raise PrintError(f"ids stand twice: {', '.join(twice[:5])}")
