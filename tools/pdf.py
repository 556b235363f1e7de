"""The whole book as a PDF, printed from the built pages by Chromium: `python -m tools.pdf`, or `make pdf`.

Chromium cannot write the page of a link's target into the text. So the document is printed once to find out
where everything stands, and again with the numbers, until they are those of the printed pages.
"""

import argparse
import io
import os
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

import matplotlib
import pikepdf

from tools.book import Book, BookError
from tools.print_document import Entry, PrintDocument, make
from tools.print_page import PrintError

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Route

NAME = "_downloads/d2lconv.pdf"
EXTENSIONS = Path(__file__).parents[1] / "book" / "_ext"
FONTS = Path(matplotlib.get_data_path(), "fonts", "ttf")
_HOST = "http://book.invalid"  # answered here; nothing is asked of the network
_PAGE = "print.html"
_TRIES = 4
_MINUTES = 10


def print_book(document: PrintDocument, site: Path, browser: "Browser") -> bytes:
    """Print a document with the right page numbers.

    Parameters
    ----------
    document : PrintDocument
        The book.
    site : Path
        The built book, from which the document takes styles, fonts and images.
    browser : Browser
        A Chromium.

    Raises
    ------
    PrintError
        If the document asks for a file that there is not, or the numbers never settle.
    """
    pages: dict[str, int] | None = None
    for _ in range(_TRIES):
        pdf = print_once(document.html(pages), site, browser)
        found = pages_of(pdf)
        if found == pages:
            return finished(pdf, document)
        pages = found
    raise PrintError(f"the pages still moved when the book was printed for the {_TRIES}th time")


def print_once(text: str, site: Path, browser: "Browser") -> bytes:
    """Print an HTML document whose files are those of the site, and the fonts of Matplotlib in `fonts/`."""
    missing: list[str] = []

    def answer(route: "Route") -> None:
        path = unquote(urlsplit(route.request.url).path).lstrip("/")
        file = FONTS / path.removeprefix("fonts/") if path.startswith("fonts/") else site / path
        if not route.request.url.startswith(f"{_HOST}/"):
            missing.append(route.request.url)
            route.abort()
        elif path == _PAGE:
            route.fulfill(body=text, content_type="text/html; charset=utf-8")
        elif file.is_file():
            route.fulfill(path=file)
        else:
            missing.append(path)
            route.fulfill(status=404)

    page = browser.new_page()
    page.set_default_timeout(_MINUTES * 60_000)
    page.route("**/*", answer)
    page.goto(f"{_HOST}/{_PAGE}")
    page.evaluate("document.fonts.ready")
    pdf = page.pdf(prefer_css_page_size=True, print_background=True, tagged=True)
    page.close()
    if missing:
        raise PrintError(f"the printed book asked for what is not in {site}: {', '.join(missing[:5])}")
    return pdf


def pages_of(pdf: bytes) -> dict[str, int]:
    """Return the page, from 1, of every place that a link inside a PDF leads to."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        numbers = {page.objgen: number for number, page in enumerate(opened.pages, start=1)}
        return {name: numbers[place[0].objgen] for name, place in _destinations(opened)}


def finished(pdf: bytes, document: PrintDocument) -> bytes:
    """Give a PDF its outline and description, and take out what differs from run to run."""
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        places = dict(_destinations(opened))
        _share_images(opened)
        with opened.open_outline() as outline:
            outline.root[:] = _outline(document.entries, places)
        opened.docinfo = opened.make_indirect(
            pikepdf.Dictionary(
                Title=document.title, Author=document.author, Subject=f"d2lconv {document.version}"
            )
        )
        opened.Root.PageMode = pikepdf.Name.UseOutlines
        opened.Root.ViewerPreferences = pikepdf.Dictionary(DisplayDocTitle=True)
        if "/ID" in opened.trailer:
            del opened.trailer.ID  # else a part of it would stay
        target = io.BytesIO()
        opened.save(
            target,
            deterministic_id=True,
            linearize=True,  # a browser shows the first pages while it loads the others
            object_stream_mode=pikepdf.ObjectStreamMode.generate,
        )
    return target.getvalue()


def _share_images(pdf: pikepdf.Pdf) -> None:
    """Keep one of all images that are equal: Chromium draws the pattern of a figure anew for every place."""
    first: dict[tuple[bytes, bytes], Any] = {}
    same: dict[tuple[int, int], Any] = {}
    images = [
        one for one in pdf.objects if isinstance(one, pikepdf.Stream) and one.get("/Subtype") == "/Image"
    ]
    for image in sorted(images, key=lambda image: "/SMask" in image):  # masks before what they belong to
        if "/SMask" in image and image.SMask.objgen in same:
            image.SMask = same[image.SMask.objgen]
        kept = first.setdefault((image.stream_dict.unparse(), image.read_raw_bytes()), image)
        if kept.objgen != image.objgen:
            same[image.objgen] = kept
    for one in pdf.objects:
        if isinstance(one, pikepdf.Dictionary | pikepdf.Stream) and "/Resources" in one:
            used = one.Resources.get("/XObject", pikepdf.Dictionary())
            for name, drawn in list(used.items()):
                used[name] = same.get(drawn.objgen, drawn)


def _destinations(pdf: pikepdf.Pdf) -> Iterator[tuple[str, Any]]:
    for name, place in pdf.Root.get("/Dests", pikepdf.Dictionary()).items():
        yield name.removeprefix("/"), place.get("/D") if isinstance(place, pikepdf.Dictionary) else place


def _outline(entries: Iterable[Entry], places: Mapping[str, Any]) -> list[pikepdf.OutlineItem]:
    """Nest the contents by level."""
    root: list[pikepdf.OutlineItem] = []
    above: list[tuple[int, list[pikepdf.OutlineItem]]] = [(0, root)]
    for entry in entries:
        item = pikepdf.OutlineItem(entry.name, places[entry.target])
        item.is_closed = entry.level > 1
        while above[-1][0] >= entry.level:
            above.pop()
        above[-1][1].append(item)
        above.append((entry.level, item.children))
    return root


def write(content: bytes, path: Path) -> None:
    """Replace a file in one step."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def show_link(site: Path) -> None:
    """Bring the page of downloads up to date; it was made before the PDF."""
    sys.path.append(str(EXTENSIONS))
    from download_links import refresh

    refresh(site / "book" / "downloads.html")


def main() -> None:
    """Print the book, and put the PDF on the page of downloads."""
    parser = argparse.ArgumentParser(description="Print the built book as a PDF.")
    parser.add_argument("site", nargs="?", type=Path, default=Path("_build/html"))
    parser.add_argument("--output", type=Path, help=f"default: {NAME} in the site")
    given = parser.parse_args()

    from playwright.sync_api import sync_playwright
    from tests.chromium import ARGUMENTS, find_browser

    path = find_browser()
    if path is None:
        parser.error("no Chromium: install one, or set D2LCONV_CHROMIUM to its path")
    try:
        document = make(Book.around(Path(__file__)), given.site)
        with sync_playwright() as playwright:
            browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
            pdf = print_book(document, given.site, browser)
            browser.close()
    except (BookError, PrintError) as error:
        parser.error(str(error))
    output = given.output or given.site / NAME
    write(pdf, output)
    show_link(given.site)
    with pikepdf.open(io.BytesIO(pdf)) as opened:
        print(f"{output}: {len(opened.pages)} pages, {len(pdf) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
