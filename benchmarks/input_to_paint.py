"""How long an input into each interactive figure waits for the frame that shows it.

Run `PYTHONPATH=book/_ext python -m benchmarks.input_to_paint`: it builds a page with all explorers and opens
it in Chromium. To compare two versions in one run, which goes on while others use the machine, build a page
with each (`--keep FOLDER`) and name both folders; they are measured by turns.

An input is a random value of a random control, or the pointer on a random cell, picture or row; in own_digit
also a stroke. It comes at any time between two frames, and its wait ends when the next frame is painted.
Others who use the machine make waits longer, but not what the page computes, by the clock of its thread: all
of it, and its scripts alone. Those work out what there is to show and change the page's elements; what is
left is the browser's own style, layout and paint.
"""

import argparse
import statistics
import tempfile
from pathlib import Path

from playwright.sync_api import CDPSession, Page
from tests.explorers.widgets_book import FigureOnPage, build, chapter, lay_out
from tools.browser import launch

from d2lconv import widgets
from d2lconv.data import load_digits
from d2lconv.models import LeNet
from d2lconv.widgets import __all__ as EXPLORERS

STATES = 60  # of each figure, in a round
ROUNDS = 5
GOAL = 50  # milliseconds that 95 % of all waits stay below
SCRIPTS = 16.7  # and the scripts: one frame
PAGE = "_build/html/book/figures.html"

# What an explorer needs to be shown, where that is not nothing.
NEEDED = {
    "feature_map_explorer": lambda: (
        LeNet().encoder.extend(LeNet().head),
        load_digits().test.images[:4],
    ),
    "own_digit": lambda: (LeNet(),),
}

INPUTS = """async (place, seed) => {
  let state = seed;
  const below = (most) => Math.floor(((state = (state * 16807) % 2147483647) / 2147483647) * most);
  const pick = (list) => list[below(list.length)];
  const controls = [...place.querySelectorAll(".d2l-control :is(input, select)")];
  const shown = (selector) => [...place.querySelectorAll(selector)].filter((one) => one.checkVisibility());
  const moveControl = () => {
    const control = pick(controls);
    if (control.type === "checkbox") return control.click();
    if (control.type === "range") {
      const steps = Math.round((control.max - control.min) / control.step);
      control.value = Number(control.min) + below(steps + 1) * control.step;
      return control.dispatchEvent(new Event("input"));
    }
    control.selectedIndex = below(control.options.length);
    return control.dispatchEvent(new Event("change"));
  };
  const point = () => {
    const target = pick(shown("[data-cell], [data-term], .d2l-plate canvas, tbody tr, svg rect, svg path"));
    if (!target) return moveControl();
    const { left, top, width, height } = target.getBoundingClientRect();
    const where = { clientX: left + (width * below(99)) / 99, clientY: top + (height * below(99)) / 99 };
    const more = { bubbles: true, pointerType: "mouse", ...where };
    for (const type of ["pointerover", "pointermove"]) target.dispatchEvent(new PointerEvent(type, more));
  };
  const pad = place.querySelector("[role=application]");
  const press = (key) =>
    pad.dispatchEvent(new KeyboardEvent("keydown", { key, shiftKey: true, bubbles: true }));
  const stroke = () => {
    if (!below(8)) ["Delete", " "].forEach(press);
    press(pick(["ArrowUp", "ArrowDown", "ArrowLeft", "ArrowRight"]));
  };
  if (pad) {
    pad.focus();
    press(" ");
    await new Promise((done) => setTimeout(done, 1500)); // the network comes
  }
  window.input = async () => {
    await new Promise((done) => setTimeout(done, 20 + below(17)));
    const start = performance.now();
    pick(pad ? [moveControl, stroke, stroke] : [moveControl, point])();
    await new Promise((done) => requestAnimationFrame(() => {
      const { port1, port2 } = new MessageChannel();
      port1.onmessage = done;
      port2.postMessage(null);
    }));
    return performance.now() - start;
  };
}"""


def build_page(folder: Path) -> None:
    """Build a page with all explorers."""
    needed = {name: NEEDED.get(name, tuple)() for name in EXPLORERS}
    notebook = chapter(*(getattr(widgets, name)(*needed[name]) for name in EXPLORERS))
    done = build(lay_out(folder, {"figures": notebook}))
    if done.code:
        raise SystemExit(done.log[-2000:])


def computing(session: CDPSession) -> tuple[float, float]:
    """Return how long the page and its scripts have computed so far, in milliseconds of its thread."""
    seconds = {
        metric["name"]: metric["value"] for metric in session.send("Performance.getMetrics")["metrics"]
    }
    page = float(seconds["TaskDuration"] - seconds["DevToolsCommandDuration"])
    return 1000 * page, 1000 * float(seconds["ScriptDuration"])


def inputs_into(page: Page, number: int, seed: int) -> list[list[float]]:
    """Return for each input into a figure how long it waits, and how long page and scripts compute for it."""
    figure = FigureOnPage(page, number)
    figure.settle()
    figure.place.evaluate(INPUTS, seed)
    session = page.context.new_cdp_session(page)
    session.send("Performance.enable", {"timeDomain": "threadTicks"})
    found, before = [], computing(session)
    for _ in range(STATES):
        wait = float(page.evaluate("input()"))
        after = computing(session)
        found.append((wait, after[0] - before[0], after[1] - before[1]))
        before = after
    return [list(values) for values in zip(*found, strict=True)]


def high(values: list[float]) -> float:
    """Return what 95 % of some values stay below."""
    return statistics.quantiles(values, n=20)[-1]


def line(label: str, rounds: list[list[list[float]]]) -> str:
    """Write a line of the table: medians over the rounds."""
    cells, ends = [], []
    for values in zip(*rounds, strict=True):  # waited, computed by the page, computed by its scripts
        ends = sorted(map(high, values))
        middle = statistics.median(map(statistics.median, values))
        cells.append(f"{middle:8.1f}{statistics.median(ends):8.1f}")
    return f"{label:32}{''.join(cells)}  {' '.join(f'{end:.0f}' for end in ends)}"


def measure(folders: list[Path], names: list[str]) -> None:
    """Measure pages by turns, and print a line for each explorer on each page."""
    heads = (f"waiting (< {GOAL})", "computing", f"scripts (< {SCRIPTS})")
    title = f"{'milliseconds: median, 95 %':32}{''.join(f'{head:>16}' for head in heads)}"
    print(f"{title}  scripts of each round")
    with launch() as browser:
        for name in names:
            rounds: list[list[list[list[float]]]] = [[] for _ in folders]
            for turn in range(ROUNDS):
                for at, folder in enumerate(folders):
                    page = browser.new_page(viewport={"width": 1280, "height": 900})
                    page.goto((folder / PAGE).resolve().as_uri())
                    rounds[at].append(inputs_into(page, EXPLORERS.index(name), turn + 1))
                    page.close()
            for folder, found in zip(folders, rounds, strict=True):
                print(line(f"{name} {folder.name if len(folders) > 1 else ''}", found), flush=True)


def main() -> None:
    """Build a page, measure it, or compare some."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("folders", nargs="*", type=Path, help="pages built before with --keep")
    parser.add_argument("--keep", type=Path, help="where to build a page that stays")
    parser.add_argument("--only", action="append", choices=EXPLORERS, help="measure only this explorer")
    options = parser.parse_args()
    if options.keep:
        build_page(options.keep)
    elif options.folders:
        measure(options.folders, options.only or EXPLORERS)
    else:
        with tempfile.TemporaryDirectory() as folder:
            build_page(Path(folder) / "book")
            measure([Path(folder) / "book"], options.only or EXPLORERS)


if __name__ == "__main__":
    main()
