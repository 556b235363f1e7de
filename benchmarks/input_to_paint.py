"""How long a reader waits for a figure: from an input event to the next painted frame.

All explorers stand on one page, as in a chapter with many figures; the sliders of each are moved by keyboard.
A frame on a 60 Hz screen takes 16.7 ms, and an event waits half a frame on average before work begins.
Nothing asserts on these times: they are as much the machine's as the figures'.

    python -m benchmarks.input_to_paint
"""

import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import sync_playwright
from tests.browser.chromium import ARGUMENTS, find_browser
from tests.browser.widgets_book import FigureOnPage, build, chapter, execute, lay_out

from d2lconv.widgets import __all__ as EXPLORERS

PRESSES = 60

# What an explorer needs to be shown, where that is not nothing.
NEEDED = {
    "feature_map_explorer": "__import__('d2lconv.models').models.LeNet().encoder, "
    "__import__('d2lconv.data').data.load_digits().test.images[:4]"
}

# From the event's own time stamp to the task that follows the frame.
WATCH = """
  window.waits = [];
  addEventListener("input", (event) => {
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => waits.push(performance.now() - event.timeStamp);
      port2.postMessage(null);
    });
  }, true);
"""


def measure(figure: FigureOnPage) -> list[float]:
    """Move each slider there and back, and return the waits in milliseconds."""
    figure.page.evaluate("waits.length = 0")
    sliders = figure.place.locator("input[type=range]").all() or figure.place.locator("select").all()
    for number in range(PRESSES):
        slider = sliders[number % len(sliders)]
        forth = number // len(sliders) % 2 == 0
        slider.press("ArrowRight" if forth else "ArrowLeft")
        figure.page.wait_for_timeout(40)
    waits: list[float] = figure.page.evaluate("waits")
    return waits


def main() -> None:
    """Build the page, measure, and print a line for each explorer."""
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        notebook = chapter(*(f"widgets.{name}({NEEDED.get(name, '')})" for name in EXPLORERS))
        book = lay_out(Path(folder) / "book", {"figures": notebook})
        execute(book, "figures")
        done = build(book)
        if done.code:
            raise SystemExit(done.log[-2000:])
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
        page.add_init_script(WATCH)
        page.goto((done.site / "book/figures.html").as_uri())
        figures = [FigureOnPage(page, number) for number in range(len(EXPLORERS))]
        print(f"{'milliseconds':28} {'median':>7} {'95 %':>7} {'most':>7} {'events':>7}")
        for name, figure in zip(EXPLORERS, figures, strict=True):
            waits = sorted(measure(figure))
            p95 = statistics.quantiles(waits, n=20)[-1]
            print(f"{name:28} {statistics.median(waits):7.1f} {p95:7.1f} {waits[-1]:7.1f} {len(waits):7}")
        browser.close()


if __name__ == "__main__":
    main()
