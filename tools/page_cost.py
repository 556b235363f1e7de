"""Measure what each page of the built book costs a reader: `python -m tools.page_cost`, or `make audit`.

Sizes are those of a first visit, compressed as a host compresses them; shift is the cumulative layout shift
of the first view and of reading to the end.
"""

import argparse
import gzip
import threading
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urljoin, urlsplit

from playwright.sync_api import Browser, Locator, Page, Request, Route

from tools.browser import BrowserError, launch

FIGURES = "figures"  # the folder of what interactive figures are made of, loaded when a reader comes near
KINDS = {"document": "html", "stylesheet": "css", "script": "js", "font": "font", "image": "image"}
_TEXT = ("text/", "application/javascript", "application/json", "application/xml", "image/svg+xml")
Then = Callable[[Page], object]
_WATCH = """
window.cost = {shift: 0, refused: []};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) cost.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
addEventListener("securitypolicyviolation", (event) =>
  cost.refused.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`.trim()));
"""


@dataclass
class Report:
    """What a page did when it was opened and read to its end."""

    page: str
    bytes: Counter[str] = field(default_factory=Counter)  # by kind, compressed, with heads of answers
    requests: int = 0
    shift: float = 0
    shift_reading: float = 0
    outside: list[str] = field(default_factory=list)  # addresses elsewhere; they were not let through
    refused: list[str] = field(default_factory=list)  # what the page's Content-Security-Policy stopped


def measure(browser: Browser, base: str, page: str, *, read: bool = True, then: Then | None = None) -> Report:
    """Open a page of the site at `base`, with an empty cache, read it to its end, and report.

    Without `read`, only its figures are set up, which is faster. `then` may look at the page at the end.
    """
    report = Report(page)
    requests: list[Request] = []
    context = browser.new_context(viewport={"width": 1280, "height": 900})
    inside = (base, "data:", "blob:", urljoin(base, "/favicon.ico"))  # browsers ask for that by themselves

    def abort(route: Route) -> None:
        report.outside.append(route.request.url)
        route.abort()

    try:
        context.add_init_script(_WATCH)
        context.route(lambda address: not address.startswith(inside), abort)
        tab = context.new_page()
        tab.on("requestfinished", lambda request: requests.append(request))
        tab.goto(base + page, wait_until="networkidle")
        report.shift = tab.evaluate("cost.shift")
        if read:
            read_to_the_end(tab)
            report.shift_reading = tab.evaluate("cost.shift")
        else:
            for place in tab.locator(".d2l-live").all():
                scroll_to(place)
                place.and_(tab.locator("[data-ready]")).wait_for()
        report.refused = tab.evaluate("cost.refused")
        for request in list(requests):  # what `then` makes a page load is no cost of a visit
            if not request.url.startswith("http"):
                continue
            figures = f"/_static/{FIGURES}/" in request.url
            sizes = request.sizes()
            kind = FIGURES if figures else KINDS.get(request.resource_type, "other")
            report.bytes[kind] += sizes["responseHeadersSize"] + sizes["responseBodySize"]
            report.requests += 1
        if then:
            then(tab)
    finally:
        context.close()
    return report


def read_to_the_end(tab: Page) -> None:
    """Scroll down a screen at a time, with a pause for what draws itself when it comes near."""
    top = 0
    while top < tab.evaluate("document.documentElement.scrollHeight"):  # it grows: what is far was guessed
        tab.evaluate("top => scrollTo({top, behavior: 'instant'})", top)
        tab.wait_for_timeout(100)
        top += 800


def scroll_to(place: Locator) -> None:
    """Scroll to an element; Playwright's own way misses what stands in a section that is not laid out yet."""
    place.evaluate("(place) => place.scrollIntoView({ block: 'center' })")


@contextmanager
def serve(site: Path, *, under: str = "/") -> Iterator[str]:
    """Serve a built book on localhost as hosts do, compressed and with its 404 page, and give its address.

    It is at the top of the host, or under a folder such as ``"/d2lconv/"``.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            file = (site / path.removeprefix(under)).resolve()
            file = file / "index.html" if file.is_dir() else file
            found = path.startswith(under) and file.is_file() and file.is_relative_to(site.resolve())
            file = file if found else site / "404.html"
            body = file.read_bytes() if file.is_file() else b"not found"
            kind = guess_type(file.name)[0] or "application/octet-stream"
            head = {"Content-Type": f"{kind}; charset=utf-8" if kind.startswith("text/") else kind}
            if kind.startswith(_TEXT):
                body = gzip.compress(body)
                head["Content-Encoding"] = "gzip"
            self.send_response(200 if found else 404)
            for name, value in {**head, "Content-Length": str(len(body))}.items():
                self.send_header(name, value)
            with suppress(ConnectionError):  # the reader left
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}{under}"
        finally:
            server.shutdown()
            thread.join()


def table(reports: Iterable[Report]) -> str:
    """Write reports as a table, and below it what is wrong."""
    columns = (*KINDS.values(), FIGURES, "other")
    lines = ["".join(f"{name:>8}" for name in ("KiB", *columns, "requests", "shift", "reading")) + "  page"]
    wrong = []
    for one in reports:
        sizes = [one.bytes.total(), *(one.bytes[column] for column in columns)]
        kib = "".join(f"{size / 1024:8.1f}" for size in sizes)
        lines.append(f"{kib}{one.requests:8}{one.shift:8.3f}{one.shift_reading:8.3f}  {one.page}")
        wrong += [f"{one.page} asked for {address}" for address in one.outside]
        wrong += [f"{one.page} was refused {what}" for what in one.refused]
    return "\n".join([*lines, *wrong])


def main() -> None:
    """Measure all pages, or some."""
    parser = argparse.ArgumentParser(description="Print what each page of the built book costs a reader.")
    parser.add_argument("site", nargs="?", type=Path, default=Path("_build/html"))
    parser.add_argument("page", nargs="*", help="such as book/pooling.html; all, if none is named")
    given = parser.parse_args()
    if not (given.site / "index.html").is_file():
        parser.error(f"{given.site} has no index.html; run: make book")
    found = [path.relative_to(given.site) for path in sorted(given.site.rglob("*.html"))]
    pages = [path.as_posix() for path in found if "_static" not in path.parts and path.name != "404.html"]
    try:
        with serve(given.site) as base, launch() as browser:
            print(table(measure(browser, base, page) for page in given.page or pages))
    except BrowserError as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
