"""A page of the built book, made ready for paper.

What only a screen needs is taken out: links to headings, buttons, the link to Colab and the cell that
installs the package. A figure that moves shows its picture and where it moves. Worked solutions leave their
exercises and stand together at the end. Every id begins with the page's name, so that pages can be joined.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from bs4 import BeautifulSoup, Tag

from tools.notebooks import INSTALL_PROMPT

_SCREEN = (
    "a.headerlink, button, script, noscript, .landing-links, .toctree-wrapper, "
    "a[href^='https://colab.research.google.com']"
)
_REFERENCES = ("href", "xlink:href")
_LISTS_OF_IDS = ("aria-labelledby", "aria-describedby", "for", "headers")
_URL = re.compile(r"url\((['\"]?)#([^)'\"]+)\1\)")
_HEADING = re.compile(r"h([1-5])")


class PrintError(Exception):
    """The book cannot be printed as it is; the message says why."""


@dataclass(frozen=True)
class Places:
    """Where the links of a document for printing may lead.

    Attributes
    ----------
    pages : collection of str
        Addresses of the pages that the document has, in the site.
    address : str
        The site's own address, for what the document has not.
    """

    pages: Collection[str]
    address: str

    def link(self, target: str, page: str) -> str:
        """Return where a link of a page leads in the document.

        Examples
        --------
        >>> places = Places(["book/channels.html", "book/vgg.html"], "https://example.org/")
        >>> places.link("channels.html#cost", "book/vgg.html"), places.link("channels.html", "book/vgg.html")
        ('#channels--cost', '#channels')
        >>> places.link("#cost", "book/vgg.html"), places.link("../search.html", "book/vgg.html")
        ('#vgg--cost', 'https://example.org/search.html')
        >>> places.link("https://pytorch.org/#a", "book/vgg.html")
        'https://pytorch.org/#a'
        """
        if urlsplit(target).scheme:
            return target
        path, _, fragment = urljoin(page, target).partition("#")
        if path not in self.pages:
            return urljoin(self.address, urljoin(page, target))
        return f"#{joined_id(path, unquote(fragment))}"


def joined_id(page: str, name: str = "") -> str:
    """Return the id that an element of a page has in the document, or the page itself.

    Examples
    --------
    >>> joined_id("book/vgg.html", "blocks"), joined_id("book/vgg.html")
    ('vgg--blocks', 'vgg')
    """
    stem = Path(page).stem
    return f"{stem}--{name}" if name else stem


def prepare(text: str, page: str, places: Places) -> Tag:
    """Return the content of a page as it goes into the document: one section, its title an `h2`.

    Parameters
    ----------
    text : str
        The built page.
    page : str
        Its address in the site, such as ``book/vgg.html``.
    places : Places
        Where links may lead.

    Raises
    ------
    PrintError
        If it is no page of the book.
    """
    article = BeautifulSoup(text, "html.parser").find("article")
    content = article.find("section") if isinstance(article, Tag) else None
    if not isinstance(content, Tag):
        raise PrintError(f"{page} is no page of the book: it has no article with a section")
    _take_out(content)
    _still(content, urljoin(places.address, page))
    _gather_solutions(content)
    for details in content.find_all("details"):
        for summary in details.find_all("summary"):
            summary.decompose()
        details.unwrap()
    for heading in content.find_all(_HEADING):
        heading.name = f"h{int(heading.name[1]) + 1}"  # parts of the book are above its chapters
    _join_ids(content, page, places)
    content["id"] = joined_id(page)
    return content


def _take_out(content: Tag) -> None:
    for details in content.find_all("details"):
        if details.summary is not None and INSTALL_PROMPT in details.summary.get_text():
            (details.find_parent(class_="cell") or details).decompose()
    for element in content.select(_SCREEN):
        parent = element.parent
        element.decompose()
        if parent is not None and parent.name == "p" and not parent.get_text(strip=True):
            parent.decompose()


def _still(content: Tag, address: str) -> None:
    """Leave of a figure that moves its picture, and say where it moves."""
    for figure in content.select(".d2l-live"):
        section = figure.find_parent("section", id=True)
        note = _element("p", "To move this figure, open it on ", {"class": "d2l-moves"})
        place = f"{address}#{section['id']}" if isinstance(section, Tag) else address
        note.append(_element("a", "its page", {"href": place}))
        note.append(".")
        figure.append(note)
        figure.attrs = {"class": "d2l-still"}


def _gather_solutions(content: Tag) -> None:
    """Move the worked solutions behind the rest of the page, and link both ways."""
    end = _element("section", "", {"id": "solutions", "class": "d2l-solutions"})
    for exercise in content.select("section[id^=exercise-]"):
        heading = exercise.find(["h3", "h4"])
        cells = exercise.select(":scope > .cell.tag_hide-cell")
        if not isinstance(heading, Tag) or not cells:
            continue
        name = f"solution-of-{exercise['id']}"
        solution = _element("section", "", {"id": name})
        title = _element("h3", "")
        title.append(_element("a", heading.get_text().rstrip("★ "), {"href": f"#{exercise['id']}"}))
        solution.append(title)
        for cell in cells:
            solution.append(cell.extract())
        end.append(solution)
        pointer = _element("p", "Solution: page ", {"class": "d2l-pointer"})
        pointer.append(_element("a", "", {"href": f"#{name}", "class": "d2l-page-of"}))
        exercise.append(pointer)
    if end.contents:
        end.insert(0, _element("h2", "Solutions"))
        content.append(end)


def _join_ids(content: Tag, page: str, places: Places) -> None:
    for element in _tags(content):
        for key, value in list(element.attrs.items()):
            if key == "id":
                element[key] = joined_id(page, str(value))
            elif key in _REFERENCES and element.name == "a":
                element[key] = places.link(str(value), page)
            elif key in _REFERENCES and str(value).startswith("#"):
                element[key] = f"#{joined_id(page, str(value)[1:])}"
            elif key in _LISTS_OF_IDS:
                words = " ".join(value) if isinstance(value, list) else str(value)
                element[key] = " ".join(joined_id(page, word) for word in words.split())
            elif key == "src" and not urlsplit(str(value)).scheme:
                element[key] = urljoin(page, str(value))
            elif isinstance(value, str) and "url(" in value:
                element[key] = _URL.sub(lambda found: f"url(#{joined_id(page, found[2])})", value)


def _tags(content: Tag) -> Iterator[Tag]:
    yield content
    yield from (element for element in content.descendants if isinstance(element, Tag))


def _element(name: str, text: str, attributes: dict[str, str] | None = None) -> Tag:
    element = Tag(name=name, attrs=dict(attributes or {}))
    if text:
        element.append(text)
    return element
