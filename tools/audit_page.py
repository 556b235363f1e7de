"""What a page costs a reader who opens it for the first time: requests, bytes, shifts of what is seen."""

from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Locator, Page, Route

#: What moving figures are made of: scripts of this folder, loaded when a reader comes near.
FIGURES = "figures"
#: Browsers name many kinds; the rest is "other".
KINDS = {
    "Document": "html",
    "Stylesheet": "css",
    "Script": "js",
    "Font": "font",
    "Image": "image",
}
_WATCH = """
window.audit = {shift: 0, policy: []};
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) audit.shift += entry.value;
}).observe({type: "layout-shift", buffered: true});
addEventListener("securitypolicyviolation", (event) =>
  audit.policy.push(`${event.effectiveDirective}: ${event.blockedURI} ${event.sample}`.trim()));
"""
_FIRST_PAINT = "performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0"


@dataclass
class Report:
    """What a page did when it was opened and read to its end.

    Attributes
    ----------
    bytes
        By kind, as they went over the wire, with heads of answers.
    requests
        Answers from the site.
    first_paint
        First contentful paint after the click, in ms. Noisy: to be read, not to be tested.
    shift
        Cumulative layout shift of the first view.
    shift_reading
        The same after the page was scrolled through to its end.
    outside
        Addresses outside the site that the page asked for. They were not let through.
    refused
        What the page's own Content-Security-Policy stopped.
    """

    page: str
    bytes: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    first_paint: float = 0
    shift: float = 0
    shift_reading: float = 0
    outside: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        """All bytes."""
        return self.bytes.total()


def measure(browser: "Browser", base: str, page: str, *, width: int = 1280, read: bool = True) -> Report:
    """Open a page with an empty cache, read it to its end, and report.

    Parameters
    ----------
    browser
        A Chromium, from Playwright.
    base
        Address of the site, ending in ``/``.
    page
        File of the page in the site, such as ``"book/pooling.html"``.
    width
        Of the window, in CSS pixels; it is 900 high.
    read
        Whether to scroll through the page. Otherwise only its figures are set up, which is faster.
    """
    report = Report(page)
    context = browser.new_context(viewport={"width": width, "height": 900})
    try:
        context.add_init_script(_WATCH)
        context.route("**/*", lambda route: _keep_inside(route, base, report))
        tab = context.new_page()
        _count_bytes(tab, report)
        tab.goto(base + page, wait_until="networkidle")
        report.first_paint = tab.evaluate(_FIRST_PAINT)
        report.shift = tab.evaluate("audit.shift")
        if read:
            read_to_the_end(tab)
            report.shift_reading = tab.evaluate("audit.shift")
        else:
            set_up_figures(tab)
        report.refused = tab.evaluate("audit.policy")
    finally:
        context.close()
    return report


def read_to_the_end(tab: "Page") -> None:
    """Scroll down a screen at a time, with a pause for what draws itself when it comes near."""
    top = 0
    while top < tab.evaluate("document.documentElement.scrollHeight"):  # it grows: what is far was guessed
        tab.evaluate("top => scrollTo({top, behavior: 'instant'})", top)
        tab.wait_for_timeout(100)
        top += 800


def scroll_to(place: "Locator") -> None:
    """Scroll to an element; Playwright's own way misses what stands in a section that is not laid out yet."""
    place.evaluate("(place) => place.scrollIntoView({ block: 'center' })")


def set_up_figures(tab: "Page") -> None:
    """Look at each figure until it moves."""
    for place in tab.locator(".d2l-live").all():
        scroll_to(place)
        place.and_(tab.locator("[data-ready]")).wait_for()


def _keep_inside(route: "Route", base: str, report: Report) -> None:
    address = route.request.url
    if address.startswith((base, "data:", "blob:")) or address == _icon(base):
        route.continue_()
    else:
        report.outside.append(address)
        route.abort()


def _icon(base: str) -> str:
    """Return the address that browsers ask for by themselves where a page names no icon."""
    return f"{urlsplit(base).scheme}://{urlsplit(base).netloc}/favicon.ico"


def _count_bytes(tab: "Page", report: Report) -> None:
    """Add up the answers, by kind; what moving figures are made of is a kind of its own."""
    session = tab.context.new_cdp_session(tab)
    kinds: dict[str, str] = {}

    def answered(event: dict[str, Any]) -> None:
        if event["response"]["url"].startswith("http"):
            figures = f"/_static/{FIGURES}/" in event["response"]["url"]
            kinds[event["requestId"]] = FIGURES if figures else KINDS.get(event["type"], "other")
            report.requests += 1

    def finished(event: dict[str, Any]) -> None:
        if event["requestId"] in kinds:
            report.bytes[kinds[event["requestId"]]] += int(event["encodedDataLength"])

    session.on("Network.responseReceived", answered)
    session.on("Network.loadingFinished", finished)
    session.send("Network.enable")
