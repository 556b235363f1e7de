"""Print each edition of the built book as one PDF: `python -m tools.pdf`, or `make pdf`.

The pages that `make book` has written are joined into one document: a cover, contents, the parts and their
chapters, with the worked solutions at the end of each. Chromium prints it in the style of `pdf.css`. It
cannot write the page number of a link's target, so it prints twice: at first to find out where each stands.
Chinese needs a font of the system, such as Debian's fonts-noto-cjk.
"""

import argparse
import html
import io
import re
import tomllib
from collections.abc import Callable, Collection
from itertools import chain
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

import matplotlib
import pikepdf
import yaml  # type: ignore[import-untyped]
from bs4 import BeautifulSoup, Tag
from playwright.sync_api import Browser, Page, Route

from tools.browser import BrowserError, launch
from tools.translation import in_chinese

ROOT = Path(__file__).parents[1]
#: Of each edition, its language, its folder and its file.
EDITIONS = (("en", ".", "_downloads/d2lconv.pdf"), ("zh-Hans", "zh", "_downloads/d2lconv-zh.pdf"))
STYLE = Path(__file__).with_suffix(".css")
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
#: Pages that say nothing on paper: figures to move, files to download.
ONLY_ON_SCREEN = ("book/gallery", "book/downloads")
_SCREEN = (
    "a.headerlink, button, script, noscript, .landing-links, .toctree-wrapper, .d2l-download, .d2l-what-runs"
)
_COLAB = "p:has(> a[href^='https://colab.research.google.com']:only-child)"
_INSTALL = ".cell:has(details):-soup-contains('find_spec(\"d2lconv\")')"
_IDS = ("id", "for", "headers", "aria-labelledby", "aria-describedby")
_PAGE_OF = '<a class="d2l-page-of" href="#{}"></a>'
_FILL_IN = """pages => document.querySelectorAll(".d2l-page-of").forEach(
  link => { link.textContent = pages[link.hash.slice(1)] })"""
_ABOUT = """() => [document.querySelector("meta[name=author]").content,
  [...document.querySelectorAll(".d2l-contents p")].map(line =>
    [Number(line.className.slice(-1)), line.firstChild.textContent, line.firstChild.hash.slice(1)])]"""
_URL = "http://book.invalid/book/print.html"  # answered here; nothing is asked of the network


Say = Callable[[str], str]


class PrintError(Exception):
    """The book cannot be printed as it is; the message says why."""


# ---- one page of the site, made ready for paper ----


def prepare(text: str, page: str, pages: Collection[str], address: str, say: Say = str) -> Tag:
    """Return the content of a built page as it goes into the document: one section, its title an `h2`.

    `page` is its name, such as ``book/vgg``, and `pages` are those that the document has. What it has not is
    linked at the site's own `address`. `say` puts what is added into the language of the edition.
    """
    content = _parsed(text, "article section:has(> h1)")
    for element in content.select(f"{_SCREEN}, {_COLAB}, {_INSTALL}"):
        element.decompose()
    for figure in content.select(".d2l-live"):  # it moves on the site; here stands its picture
        section = figure.find_parent("section", id=True) or {"id": ""}
        place = urljoin(address, f"{page}.html#{section['id']}")
        note = say('To move this figure, open it on <a href="{}">its page</a>.').format(place)
        figure.append(_parsed(f'<p class="d2l-note">{note}</p>'))
        figure.attrs = {"class": "d2l-still"}
    _gather_solutions(content, say)
    for summary in content.find_all("summary"):
        summary.decompose()
    for details in content.find_all("details"):
        details.unwrap()
    for number in content.select("h1 > .section-number"):  # of a chapter; the style sets it apart
        number["class"], number.string = "d2l-number", number.get_text().replace(".", "")
    for heading in content.find_all(re.compile(r"h[1-5]$")):
        heading.name = f"h{int(heading.name[1]) + 1}"  # parts of the book are above its chapters
        for name in heading.find_previous_siblings("span", id=True):
            heading.insert(0, name.extract())  # before it, it would begin the section on the page before
    _join_ids(content, page, pages, address)
    content["id"] = Path(page).name
    return content


def _parsed(text: str, selector: str = "*") -> Tag:
    return _first(BeautifulSoup(text, "html.parser", multi_valued_attributes=None), selector)


def _first(tag: Tag, selector: str) -> Tag:
    found = tag.select_one(selector)
    if found is None:
        raise PrintError(f"a page of the book has no {selector!r}")
    return found


def _gather_solutions(content: Tag, say: Say) -> None:
    """Move the worked solutions behind the rest of the page, and link both ways."""
    end = _parsed(f'<section id="solutions"><h2>{say("Solutions")}</h2></section>')
    for exercise in content.select("section[id^=exercise-]:has(> .cell.tag_hide-cell)"):
        name = f"solution-of-{exercise['id']}"
        title = html.escape(_first(exercise, "h2, h3, h4").get_text().rstrip("★ "))
        solution = _parsed(f'<section id="{name}"><h3><a href="#{exercise["id"]}">{title}</a></h3></section>')
        solution.extend(cell.extract() for cell in exercise.select(":scope > .cell.tag_hide-cell"))
        note = say("Solution: page {}").format(_PAGE_OF.format(name))
        exercise.append(_parsed(f'<p class="d2l-note">{note}</p>'))
        end.append(solution)
    if end.section:
        content.append(end)


def _join_ids(content: Tag, page: str, pages: Collection[str], address: str) -> None:
    """Begin every id with the page's name, since the same ids stand on other pages, and let links follow."""
    stem = Path(page).name
    for element in [content, *content.find_all(True)]:
        for key, value in [(key, str(value)) for key, value in element.attrs.items()]:
            if key in _IDS:
                element[key] = " ".join(f"{stem}--{word}" for word in value.split())
            elif key in ("href", "xlink:href"):
                element[key] = link(value, page, pages, address)
            elif "url(#" in value:
                element[key] = value.replace("url(#", f"url(#{stem}--")


def link(target: str, page: str, pages: Collection[str], address: str) -> str:
    """Return where a link of a page leads in the document: to a joined id, or to the site.

    Examples
    --------
    >>> def shown(target):
    ...     return link(target, "book/vgg", ["book/channels", "book/vgg"], "https://example.org/")
    >>> shown("channels.html#cost"), shown("channels.html"), shown("#cost"), shown("../search.html#a")
    ('#channels--cost', '#channels', '#vgg--cost', 'https://example.org/search.html#a')
    >>> shown("https://pytorch.org/#a")
    'https://pytorch.org/#a'
    """
    if urlsplit(target).scheme:
        return target
    path, mark, fragment = urljoin(f"{page}.html", target).partition("#")
    if path.removesuffix(".html") not in pages:
        return urljoin(address, path + mark + fragment)
    return f"#{Path(path).stem}--{unquote(fragment)}" if fragment else f"#{Path(path).stem}"


# ---- the document ----


def join(root: Path, site: Path, only: Collection[str] | None = None, language: str = "en") -> str:
    """Return the document of an edition, still without the numbers of its pages.

    The repository `root` has the order of pages, the author and the version; `site` is what `make book` has
    made of it. `only` names the pages to print beside the start page, such as ``book/pooling``.
    """
    english = language == "en"
    say: Say = str if english else in_chinese
    left_out = ONLY_ON_SCREEN if english else (*ONLY_ON_SCREEN, "book/api")  # which is in English
    toc, config = (yaml.safe_load((root / name).read_text("utf-8")) for name in ("_toc.yml", "_config.yml"))
    parts = {part["caption"]: [page["file"] for page in part["chapters"]] for part in toc["parts"]}
    for part in parts.values():
        part[:] = [page for page in part if page not in left_out and (only is None or page in only)]
    pages = [toc["root"], *(page for part in parts.values() for page in part)]
    if missing := [page for page in pages if not (site / f"{page}.html").is_file()]:
        raise PrintError(f"{site} has no {missing[0]}.html; run: make book")
    texts = {page: (site / f"{page}.html").read_text("utf-8") for page in pages}
    address = config["html"]["baseurl"] + ("" if english else "zh/")
    content = {page: prepare(text, page, pages, address, say) for page, text in texts.items()}
    start = content[toc["root"]]
    heading = _first(start, "h2")
    front = {
        "title": html.escape(heading.get_text()),
        "lead": html.escape(" ".join(_first(start, ".landing-lead").get_text().split())),
        "author": html.escape(config["author"]),
        "version": tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["version"],
        "address": address,
        "language": language,
        "said": say(_IMPRINT).format(address=address),
        "contents_title": say("Contents"),
        "cover": (site / "_static" / "cover.svg").read_text("utf-8"),
        "sheets": "".join(re.findall(r"<link [^>]*\bstylesheet\b[^>]*>", texts[toc["root"]])),
    }
    heading.name, heading.string = "h1", say(toc["title"])
    body = [start]
    numerals = iter(("I", "II", "III", "IV", "V") if english else "一二三四五")
    for caption, part in parts.items():
        chapters = [page for page in part if (root / f"{page}.ipynb").is_file()]
        if part:
            number = _NUMBER.format(say("Part {}").format(next(numerals))) if chapters else ""
            caption = number + html.escape(say(caption))
            titles = {Path(page).name: _first(content[page], "h2").decode_contents() for page in part}
            links = (f'<p><a href="#{name}">{title}</a></p>' for name, title in titles.items())
            body.append(_parsed(_PART.format(len(body), caption, "".join(links))))
            body += [content[page] for page in part]
    style = STYLE.read_text("utf-8") + _running_heads(body)
    return _FRONT.format(**front, style=style, contents=_contents(body)) + "".join(map(str, body))


_NUMBER = '<span class="d2l-number">{} </span>'
_PART = '<section class="d2l-part" id="part-{}"><h1>{}</h1>{}</section>'
_FRONT = """<!DOCTYPE html><html lang="{language}" data-theme="light"><head><meta charset="utf-8">
<title>{title}</title><meta name="author" content="{author}">{sheets}<style>{style}</style></head>
<body data-theme="light">
<section class="d2l-cover"><p class="d2l-title">{title}</p><p class="d2l-lead">{lead}</p>{cover}
<p><b>d2lconv</b> {version}<br>{author}</p></section>
<section class="d2l-imprint"><p>{title}<br>d2lconv {version}<br>{author}</p>{said}
</section><nav class="d2l-contents"><h1>{contents_title}</h1>{contents}</nav>"""
_IMPRINT = (
    '<p>On the web: <a href="{address}">{address}</a>. There the figures move, and each chapter is a '
    'notebook to run.</p><p>Text and figures under the <a href="https://creativecommons.org/licenses/by/4.0/">'
    "Creative Commons Attribution 4.0 licence</a>; code under the MIT licence.</p>"
    "<p>Every result was computed by the code above it, and is computed again whenever the book changes.</p>"
)


def _running_heads(body: list[Tag]) -> str:
    """Give each chapter a kind of page, and return their style: the title runs along the top."""
    rules = ""
    for section in body:
        if section.get("class") != "d2l-part":
            section.attrs |= {"class": "d2l-chapter", "style": f"page: d2l-{section['id']}"}
            title = _first(section, "h1, h2").get_text()
            title = re.sub(r'["\\<]', lambda found: f"\\{ord(found[0]):x} ", title)
            rules += f'@page d2l-{section["id"]} {{ @top-left {{ content: "{title}"; }} }}\n'
    return rules


def _contents(body: list[Tag]) -> str:
    """Return a line for each part, chapter and section; of the start page and parts only their title."""
    lines = ""
    headings = (section.select("h1, h2, h3" if section is not body[0] else "h1") for section in body)
    for heading in chain.from_iterable(headings):
        section = heading.find_parent("section") or heading
        lines += (
            f'<p class="d2l-{heading.name}"><a href="#{section["id"]}">{heading.decode_contents()}</a>'
            f"<i></i>{_PAGE_OF.format(section['id'])}</p>"
        )
    return lines


# ---- on paper ----


def open_document(document: str, site: Path, browser: Browser) -> Page:
    """Open a document whose files are those of the site.

    Raises
    ------
    PrintError
        If it asks for a file that the site lacks, or for one elsewhere.
    """
    missing: list[str] = []

    def answer(route: Route) -> None:
        name = unquote(urlsplit(route.request.url).path)[1:]
        file = FONTS / Path(name).name if name.startswith("fonts/") else site / name
        if route.request.url == _URL:
            route.fulfill(body=document, content_type="text/html; charset=utf-8")
        elif route.request.url.startswith(urljoin(_URL, "/")) and file.is_file():
            route.fulfill(path=file)
        else:
            missing.append(route.request.url)
            route.abort()

    page = browser.new_page()
    page.set_default_timeout(600_000)  # a busy machine is slow
    page.route("**/*", answer)
    page.goto(_URL)
    page.evaluate("document.fonts.ready")
    if missing:
        raise PrintError(f"the printed book asks for what is not in {site}: {', '.join(missing[:5])}")
    return page


def print_document(page: Page) -> bytes:
    """Print an opened document, until its page numbers are right."""
    pages: dict[str, int] = {}
    for _ in range(4):
        page.evaluate(_FILL_IN, pages)
        pdf = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
        found = pages_of(pdf)
        if found == pages:
            return finish(pdf, *page.evaluate(_ABOUT))
        pages = found
    raise PrintError("the page numbers still change after four prints")


def pages_of(pdf: bytes) -> dict[str, int]:
    """Return the page, from 1, of every place that a link inside a PDF leads to."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        numbers = [page.obj.objgen for page in opened.pages]
        places = opened.Root.get("/Dests", pikepdf.Dictionary()).items()
        return {name[1:]: numbers.index(place[0].objgen) + 1 for name, place in places}


def finish(pdf: bytes, author: str, contents: list[tuple[int, str, str]]) -> bytes:
    """Make an outline of the contents, and take out what differs from run to run."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        with opened.open_outline() as outline:
            levels = [outline.root]
            for level, title, name in contents:
                item = pikepdf.OutlineItem(title, pikepdf.Array(opened.Root.Dests[f"/{name}"]))
                item.is_closed = level > 1
                levels[level - 1].append(item)
                levels[level:] = [item.children]
        opened.docinfo["/Author"] = author
        del opened.docinfo["/CreationDate"], opened.docinfo["/ModDate"]
        opened.Root.PageMode = pikepdf.Name.UseOutlines
        opened.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        target = io.BytesIO()
        objects = pikepdf.ObjectStreamMode.generate
        opened.save(target, deterministic_id=True, linearize=True, object_stream_mode=objects)
    return target.getvalue()


def main() -> None:
    """Print both editions into the site."""
    parser = argparse.ArgumentParser(description="Print the built book as a PDF.")
    parser.add_argument("site", nargs="?", type=Path, default=Path("_build/html"))
    site = parser.parse_args().site
    try:
        with launch() as browser:
            for language, folder, name in EDITIONS:
                document = join(ROOT, site / folder, language=language)
                pdf = print_document(open_document(document, site / folder, browser))
                path = site / folder / name
                path.parent.mkdir(exist_ok=True)
                path.write_bytes(pdf)
                print(f"{path}: {len(pdf) / 1e6:.1f} MB")
    except (BrowserError, PrintError) as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
