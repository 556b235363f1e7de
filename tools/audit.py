"""Print what each page of the built book costs a reader: `make audit`.

    python -m tools.audit [SITE] [PAGE…]

Sizes are those of a first visit, compressed as a host compresses them; paint is the first contentful paint in
ms, and noisy; shift is the cumulative layout shift of the first view and of reading to the end. The limits
that the suite holds stand in `tests/site/test_audit.py`.
"""

import argparse
from collections.abc import Iterable
from pathlib import Path

from tools.audit_page import FIGURES, KINDS, Report, measure
from tools.audit_server import serve

_COLUMNS = (*KINDS.values(), FIGURES, "other")


def pages(site: Path) -> list[str]:
    """Return the pages of a site that readers open; the theme leaves templates among its static files."""
    found = (path.relative_to(site) for path in sorted(site.rglob("*.html")))
    return [path.as_posix() for path in found if "_static" not in path.parts and path.name != "404.html"]


def table(reports: Iterable[Report]) -> str:
    """Write reports as a table, and below it what is wrong.

    Examples
    --------
    >>> from collections import Counter
    >>> print(table([Report("a.html", Counter(html=2048, js=512), 2, 90.4, 0.01, 0.013)]))
    page          KiB    html     css      js    font   image figures   other  requests  paint  shift  reading
    a.html        2.5     2.0     0.0     0.5     0.0     0.0     0.0     0.0         2     90  0.010    0.013
    """
    reports = list(reports)
    wide = max([10, *(len(report.page) for report in reports)])
    head = "".join(f"{kind:>8}" for kind in _COLUMNS)
    lines = [f"{'page':{wide}}{'KiB':>7}{head}  requests  paint  shift  reading"]
    for report in reports:
        kinds = "".join(f"{report.bytes[kind] / 1024:8.1f}" for kind in _COLUMNS)
        lines.append(
            f"{report.page:{wide}}{report.total / 1024:7.1f}{kinds}{report.requests:10}"
            f"{report.first_paint:7.0f}{report.shift:7.3f}{report.shift_reading:9.3f}"
        )
    for report in reports:
        lines += [f"{report.page} asked for {address}" for address in report.outside]
        lines += [f"{report.page} was refused {what}" for what in report.refused]
    return "\n".join(lines)


def main() -> None:
    """Measure all pages, or some."""
    parser = argparse.ArgumentParser(description="Print what each page of the built book costs a reader.")
    parser.add_argument("site", nargs="?", type=Path, default=Path("_build/html"))
    parser.add_argument("page", nargs="*", help="such as book/pooling.html; all, if none is named")
    parser.add_argument("--width", type=int, default=1280, help="of the window, in CSS pixels")
    given = parser.parse_args()
    if not (given.site / "index.html").is_file():
        parser.error(f"{given.site} has no index.html; run: make book")

    from playwright.sync_api import sync_playwright
    from tests.chromium import ARGUMENTS, find_browser

    path = find_browser()
    if path is None:
        parser.error("no Chromium: install one, or set D2LCONV_CHROMIUM to its path")
    with serve(given.site) as base, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        found = given.page or pages(given.site)
        print(table(measure(browser, base, page, width=given.width) for page in found))
        browser.close()


if __name__ == "__main__":
    main()
