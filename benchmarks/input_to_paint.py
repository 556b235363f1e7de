"""How long a reader waits for a figure: from an input event to the next painted frame, and what takes it.

All explorers stand on one page, as in a chapter with many figures; the sliders and lists of each are moved by
keyboard, some steps there and back. Nothing asserts on these times: they are the machine's as much as the
figures'.

    python -m benchmarks.input_to_paint                  # builds the page and measures it
    python -m benchmarks.input_to_paint --keep before    # only builds it, in a folder that stays
    python -m benchmarks.input_to_paint before after     # measures such folders by turns, to compare them

A line gives milliseconds for each event, as median / 95th percentile:

script   in our scripts: the event's handlers and the drawing
layout   in style and layout that follow, or that scripts force
both     the two together
thread   all work of the page's main thread, painting included
waiting  from the event's own time stamp to the task that follows the frame: the wait for a frame (16.7 ms at
         60 Hz, half of that on average), painting, and whatever else the machine does

All but the last are CPU time. "next frame" is the share of events after which the view had changed, and was
done changing, when the very next frame was painted.
"""

import argparse
import statistics
import tempfile
from collections.abc import Iterator
from pathlib import Path

from playwright.sync_api import CDPSession, Page, sync_playwright
from tests.explorers.widgets_book import FigureOnPage, build, chapter, lay_out
from tools.browser import ARGUMENTS, find_browser
from tools.page_cost import scroll_to

from d2lconv import widgets
from d2lconv.data import load_digits
from d2lconv.models import LeNet
from d2lconv.widgets import __all__ as EXPLORERS

STEPS = 3  # there, and as many back
ROUNDS = 2
PAUSE = 60  # milliseconds after a press
PAGE = "_build/html/book/figures.html"

# What an explorer needs to be shown, where that is not nothing.
NEEDED = {"feature_map_explorer": (LeNet().encoder, load_digits().test.images[:4])}

# How long each event waits for a painted frame; once a view is watched, when it changes: true in that frame.
WATCH = """
  window.waits = [];
  window.changes = [];
  let [painted, early, late] = [true, false, false];
  const observer = new MutationObserver(() => (painted ? (late = true) : (early = true)));
  window.watchView = (view) =>
    observer.observe(view, { subtree: true, childList: true, characterData: true, attributes: true });
  window.closeEvent = () => changes.push(early && !late);
  addEventListener("input", (event) => {
    [painted, early, late] = [false, false, false];
    requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = () => {
        painted = true;
        waits.push(performance.now() - event.timeStamp);
      };
      port2.postMessage(null);
    });
  }, true);
"""

Costs = dict[str, list[float]]


def build_page(folder: Path) -> None:
    """Build a page with all explorers."""
    notebook = chapter(*(getattr(widgets, name)(*NEEDED.get(name, ())) for name in EXPLORERS))
    done = build(lay_out(folder, {"figures": notebook}))
    if done.code:
        raise SystemExit(done.log[-2000:])


def spent(session: CDPSession) -> dict[str, float]:
    """Return the CPU time that the page has taken so far, in milliseconds."""
    metrics = session.send("Performance.getMetrics")["metrics"]
    seconds = {metric["name"]: metric["value"] for metric in metrics}
    script = seconds["ScriptDuration"]
    layout = seconds["LayoutDuration"] + seconds["RecalcStyleDuration"]
    thread = seconds["TaskDuration"] - seconds["DevToolsCommandDuration"]
    return {
        "script": 1000 * script,
        "layout": 1000 * layout,
        "both": 1000 * (script + layout),
        "thread": 1000 * thread,
    }


def walk(figure: FigureOnPage) -> Iterator[str]:
    """Give the key to press, again and again: some steps there and back with each slider and list."""
    for control in figure.place.locator("input[type=range], select").all():
        control.focus()
        figure.page.wait_for_timeout(PAUSE)
        yield from ["ArrowRight"] * STEPS + ["ArrowLeft"] * STEPS


def measure(figure: FigureOnPage, session: CDPSession) -> Costs:
    """Return what each event costs."""
    costs: Costs = {}
    figure.page.evaluate("waits.length = 0")
    for key in walk(figure):
        before = spent(session)
        figure.page.keyboard.press(key)
        figure.page.wait_for_timeout(PAUSE)
        after = spent(session)
        events = len(costs.get("script", ()))
        if figure.page.evaluate("waits.length") == events:
            continue  # the control stood at its end
        for name in before:
            costs.setdefault(name, []).append(after[name] - before[name])
    return {**costs, "waiting": figure.page.evaluate("waits")}


def next_frames(figure: FigureOnPage) -> list[bool]:
    """Return for each event whether the view showed it in the next frame; watching changes costs time too."""
    page = figure.page
    figure.place.locator(".d2l-view").evaluate("(view) => watchView(view)")
    page.evaluate("[waits.length, changes.length] = [0, 0]")
    for key in walk(figure):
        page.keyboard.press(key)
        page.wait_for_timeout(PAUSE)
        page.evaluate("waits.length > changes.length && closeEvent()")
    changes: list[bool] = page.evaluate("changes")
    return changes


def line(name: str, costs: Costs, changes: list[bool]) -> str:
    """Write a line of the table."""
    pairs = [(statistics.median(values), statistics.quantiles(values, n=20)[-1]) for values in costs.values()]
    cells = [f"{median:6.1f} / {high:5.1f}" for median, high in pairs]
    return f"{name:34}" + "".join(cells) + f"{sum(changes):6}/{len(changes)}"


def open_page(page: Page, path: Path) -> list[FigureOnPage]:
    """Open a page, and set up all its figures."""
    page.add_init_script(WATCH)
    page.goto(path.resolve().as_uri())
    return [FigureOnPage(page, number) for number in range(len(EXPLORERS))]


def compare(folders: list[Path]) -> None:
    """Measure pages by turns, and print a line for each explorer on each page."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        heads = "".join(f"{name:>14}" for name in ("script", "layout", "both", "thread", "waiting"))
        print(f"{'milliseconds, median / 95 %':34}{heads}  next frame")
        for number, name in enumerate(EXPLORERS):
            everything: list[Costs] = [{} for _ in folders]
            changes: list[list[bool]] = [[] for _ in folders]
            for turn in range(ROUNDS + 1):
                for at, folder in enumerate(folders):
                    page = browser.new_page(viewport={"width": 1280, "height": 900}, bypass_csp=True)
                    session = page.context.new_cdp_session(page)
                    session.send("Performance.enable", {"timeDomain": "threadTicks"})
                    figure = open_page(page, folder / PAGE)[number]
                    scroll_to(figure.place)
                    if turn == ROUNDS:
                        changes[at] = next_frames(figure)
                    else:
                        for key, values in measure(figure, session).items():
                            everything[at].setdefault(key, []).extend(values)
                    page.close()
            for folder, costs, shown in zip(folders, everything, changes, strict=True):
                print(line(f"{name} {folder.name if len(folders) > 1 else ''}", costs, shown), flush=True)
        browser.close()


def main() -> None:
    """Build a page, measure it, or compare some."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="pages built before with --keep")
    parser.add_argument("--keep", type=Path, help="where to build a page that stays")
    options = parser.parse_args()
    if options.keep:
        build_page(options.keep)
    elif options.folders:
        compare(options.folders)
    else:
        with tempfile.TemporaryDirectory() as folder:
            build_page(Path(folder) / "book")
            compare([Path(folder) / "book"])


if __name__ == "__main__":
    main()
