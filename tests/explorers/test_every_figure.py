"""What holds for every figure: it works over http and from a disk, for everyone, and with a spoiled state."""

import itertools
import json
import random
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect
from tests.explorers.shown import explorers
from tests.explorers.widgets_book import ALT, FigureOnPage, figures_in

from d2lconv.widgets.base import FOLDER
from d2lconv_book import explorers as static_widgets

AXE = Path(__file__).parents[1] / "site" / "axe" / "axe.min.js"
PAGES = sorted(path.parent.name for path in FOLDER.glob("*/view.js"))
FINDINGS = """axe.run('.d2l-live', {preload: false, resultTypes: ['violations']}).then(({violations}) =>
    violations.map(({id, nodes}) => [id, nodes.map(({html}) => html)]))"""
RIGHT = """figure => Math.max(...[...figure.querySelectorAll('*:not(.d2l-scroll *)')].map((part) =>
    part.getBoundingClientRect().right))"""


def figures_on(page):
    return [FigureOnPage(page, number) for number in range(page.locator(".d2l-live").count())]


def move_all(figure):
    """Move each slider and list of a figure by keyboard; tell whether a slider, if any, says otherwise."""
    changed = []
    for control in figure.place.locator("input[type=range], select").all():
        before = control.get_attribute("aria-valuetext")
        control.press("ArrowLeft" if control.evaluate("c => c.value === c.max") else "ArrowRight")
        changed.append(control.get_attribute("aria-valuetext") != before)
    return any(changed) or figure.place.locator("input[type=range]").count() == 0


@pytest.mark.parametrize("name", PAGES)
def test_it_stands_over_http_is_accessible_and_never_too_wide(show, serve, book, name):
    """On a phone in the dark, after each control was moved by keyboard; tests of the pages look in light."""
    page = show(f"{serve(book)}/book/{name}.html", width=360, scheme="dark")
    for figure in figures_on(page):
        assert move_all(figure)
        assert figure.place.locator("[aria-live=polite]").count() == 1
        figure.settle()
        assert figure.place.evaluate(RIGHT) <= 360
    assert page.evaluate("document.documentElement.scrollWidth") == 360
    page.evaluate(AXE.read_text(encoding="utf-8"))
    assert page.evaluate(FINDINGS) == []
    files = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    views = [file.partition("/_static/views/")[2].partition("?")[0] for file in files]
    base = ["lenet.js"] if name in ("own_digit", "training") else []
    assert sorted(filter(None, views)) == sorted(["shared.js", f"{name}.js", *base])


def test_pages_without_figures_load_nothing_of_it(book):
    assert "host.js" in (book / "book/cost.html").read_text(encoding="utf-8")
    for page in ("book/index.html", "search.html"):
        text = (book / page).read_text(encoding="utf-8")
        assert not any(name in text for name in ("host.js", "host.css", "_static/figures", "_static/views"))


def test_without_scripts_there_is_a_picture(browser, book):
    context = browser.new_context(java_script_enabled=False)
    page = context.new_page()
    for name in PAGES:
        page.goto((book / f"book/{name}.html").as_uri())
        count = page.locator(".d2l-live").count()
        assert count
        for number in range(1, count + 1):
            picture = page.get_by_role("img", name=ALT.format(number))
            assert picture.bounding_box()["width"] > 200
    context.close()


# ---- saved state is never markup ----

MARKUP = "<img src=x onerror='window.hit = 1'>"
MEANT = (
    "source",
    "target",
    "kind",
    "layers",
    "data",
    "_anywidget_id",
    "file",
    "key",
)  # what is looked up: unknown is refused


def add_markup(value, key=""):
    """Add markup to every text in a saved state."""
    if isinstance(value, str):
        return value if value.startswith("IPY_MODEL_") or key in MEANT else value + MARKUP
    if isinstance(value, list):
        return [add_markup(one, key) for one in value]
    return {one: add_markup(inner, one) for one, inner in value.items()} if isinstance(value, dict) else value


MODEL_ID = re.compile("(?<![0-9a-z])[0-9a-f]{32}(?![0-9a-z])")
PAGE = """<!doctype html><meta charset="utf-8"><title>Spoiled</title>
<link rel="stylesheet" href="../_static/host.css">{}<script src="../_static/host.js"></script>"""
PLACE = """<div class="d2l-live" data-model="{}" data-figures="../_static/figures/spoiled.js">
<svg role="img" aria-label="Its picture" width="300" height="150"></svg></div>"""


@pytest.fixture
def spoil(show, book):
    """Return a function that shows the first figures of some pages, each changed, all on one page."""

    def open_page(cases):
        state, views, places = {}, {}, []
        for number, (name, change) in enumerate(cases):
            script = (book / static_widgets.file_of(f"book/{name}")).read_text(encoding="utf-8")
            whole = json.loads(MODEL_ID.sub(rf"\g<0>-{number}", json.dumps(figures_in(script))))
            for widget in whole["state"].values():
                change(widget)
            state, views = state | whole["state"], views | whole["views"]
            first = re.search(r'data-model="(\w+)"', (book / f"book/{name}.html").read_text(encoding="utf-8"))
            places.append(PLACE.format(f"{first[1]}-{number}"))
        data = json.dumps(json.dumps({"state": state, "views": views}))
        (book / "_static/figures/spoiled.js").write_text(f"window.d2lFigures = JSON.parse({data})")
        (book / "book/spoiled.html").write_text(PAGE.format("\n".join(places)))
        page = show("spoiled")
        found = page.locator(".d2l-live").all()
        for place in found:
            place.scroll_into_view_if_needed()
            place.locator(".d2l-view, [role=alert]").first.wait_for(state="attached")
        return page, found

    return open_page


def test_saved_text_never_becomes_markup(spoil):
    def change(widget):
        widget["state"] = add_markup(widget["state"])

    page, places = spoil([(name, change) for name in ("convolution", "cost", "feature_maps")])
    for place in places:
        for control in place.locator("input[type=range], select").all():
            control.press("ArrowDown")
    assert page.evaluate("window.hit") is None
    assert page.locator("img[src=x]").count() == 0
    assert MARKUP in "".join(place.text_content() for place in places)


# ---- a state that cannot be: the picture stays, and the page says why ----

SPOILED = [
    ("padding", {"kernel_h": 0}, "kernel_h must be a whole number from 1 to 5, got 0"),
    ("padding", {"padding_h": "9" * 2**20}, 'padding_h must be a whole number from 0 to 12, got "999'),
    ("padding", {"lock_aspect": None}, "lock_aspect must be true or false, got null"),
    ("convolution", {"input": [[1.0] * 300] * 300}, "input must be at most 12×12 finite numbers, got [[1,1,"),
    ("convolution", {"kernel": [[1, 2], [3]]}, "kernel must be at most 7×7 finite numbers, got [[1,2],[3]]"),
    ("pooling", {"cell": [0, -1]}, "cell must be 2 times a whole number from 0 to 15, got [0,-1]"),
    ("channels", {"groups": 1e9}, "groups must be a whole number from 1 to 4, got 1000000000"),
    ("receptive_field", {"layers": [[3, 1]]}, "layers must be 6 times 3 times a whole number from 1 to 8"),
    ("cost", {"channels": []}, "channels must be 1 to 20 times a whole number from 1 to 4096, got []"),
    ("cost", {"networks": [{"name": "x"}]}, "networks must be 0 to 20 times an object with name, channels"),
    ("feature_maps", {"layer": 99}, "layer must be a whole number from 1 to"),
    ("feature_maps", {"channel": -1}, "channel must be a whole number from 0 to"),
    ("feature_maps", {"place": [0, 28]}, "place must be 2 times a whole number from 0 to"),
    ("own_digit", {"drawing": "f"}, 'drawing must be 256 digits from 0 to f, or empty, got "f"'),
    ("own_digit", {"network": {"activation": "gelu"}}, "network must be an object with activation, pooling"),
    ("training", {"seed": -1}, "seed must be a whole number from 0 to 4294967295, got -1"),
    ("training", {"lr_index": 12}, "lr_index must be from 0 to 8, got 12"),
    (
        "training",
        {"choices": {"lr": [0]}},
        "choices must be an object with activation, pooling, lr, momentum",
    ),
    (
        "training",
        {"examples": {"pixels": "z", "labels": "1"}},
        "examples must have a label for every 64 pixels",
    ),
    ("feature_maps", {"layers": []}, "layers must be 1 to 100 times an object with kind, name, shape"),
]


UNKNOWN = [
    ("CheckboxModel", {"model_name": "PlayModel"}, "no way to draw PlayModel"),
    ("VBoxModel", {"state": {"children": []}}, "it has no view"),
    ("VBoxModel", {"state": {"children": ["IPY_MODEL_0"]}}, "its saved state is missing"),
    ("AnyModel", {"state": {"_anywidget_id": "constructor"}}, "its view is missing"),
]


def replacing(kind, values):
    """Return a function that replaces values of a saved widget of some type, or of its state."""

    def change(widget):
        if widget["model_name"] == kind:
            state = widget["state"] | values.get("state", {})
            widget |= values | {"state": state}

    return change


def test_what_cannot_be_is_told_beside_the_picture(spoil):
    cases = [(name, replacing("AnyModel", {"state": values})) for name, values, _ in SPOILED]
    cases += [("convolution", replacing(kind, values)) for kind, values, _ in UNKNOWN]
    _, places = spoil(cases)
    for place, (*_, message) in zip(places, SPOILED + UNKNOWN, strict=True):
        text = place.get_by_role("alert").text_content()
        assert text.startswith("This figure cannot be changed: ")
        assert message in text
        assert len(text) < 400
        assert place.get_by_role("img", name="Its picture").is_visible()


def test_a_spoiled_link_stops_its_own_figure_alone(spoil):
    cut = replacing("LinkModel", {"state": {"source": None}})
    _, (whole, broken) = spoil([("padding", lambda _: None), ("padding", cut)])
    assert whole.locator(".d2l-view").is_visible()
    assert "one of its controls is linked to nothing" in broken.get_by_role("alert").text_content()


RUBBISH = [
    None,
    True,
    -1,
    1.5,
    1e9,
    "",
    "9" * 2**20,
    [],
    [None],
    [[1.0] * 300] * 300,
    {},
    {"a": {}},
    [[]],
    "2",
]


def spoilings(count, seed):
    """Draw figures with one value of their state, or a limit of one of their controls, that cannot be."""
    draw = random.Random(seed)

    def spoil_one():
        rubbish, name, wanted = (
            draw.choice(RUBBISH),
            draw.random(),
            draw.choice(["AnyModel", draw.randrange(12)]),
        )
        numbers = itertools.count()

        def change(widget):
            names = sorted(set(widget["state"]) - {"_anywidget_id"})
            if wanted in (widget["model_name"], next(numbers)) and names:
                widget["state"][names[int(name * len(names))]] = rubbish

        return change

    return [(draw.choice(PAGES), spoil_one()) for _ in range(count)]


def use(place):
    """Press keys on all that takes the focus, and click on all that is shown."""
    for part in place.locator("input[type=range], select").all():
        for key in ("End", "ArrowUp", "Home"):
            part.press(key)
    for part in ("application", "radio", "gridcell"):
        if (found := place.get_by_role(part)).count():
            for key in ("ArrowDown", "ArrowRight"):
                found.first.press(key)
    for part in place.locator(".d2l-cell, canvas, tbody tr").all()[::9]:
        if part.is_visible():
            part.dispatch_event("click")
    for name in ("Link to this state", "Reset"):
        place.get_by_role("button", name=name, exact=True).click()


@pytest.mark.parametrize("seed", range(2))
def test_no_spoiled_state_raises_an_error(spoil, seed):
    """Either the picture stays, with a word, or the figure works."""
    page, places = spoil(spoilings(15, seed))
    for place in places:
        if place.locator(".d2l-view").count():
            use(place)
        else:
            assert place.get_by_role("alert").text_content().startswith("This figure cannot be changed: ")
            assert place.get_by_role("img", name="Its picture").is_visible()
        page.mouse.move(0, 0)


def test_a_slider_with_limits_that_cannot_be_is_told_and_can_be_moved_back(spoil):
    def change(widget):
        if widget["state"].get("description") == "Kernel height":
            widget["state"]["max"] = 4000

    _, (place,) = spoil([("padding", change)])
    slider = place.get_by_label("Kernel height", exact=True)
    slider.press("End")
    alert = place.locator(".d2l-alert")
    expect(alert).to_have_text("Not possible: kernel_h must be a whole number from 1 to 5, got 4000.")
    slider.press("Home")
    expect(alert).to_have_count(0)


@pytest.mark.parametrize(("file", "what"), [("figures", "its saved state"), ("views", "its view")])
def test_a_file_that_does_not_come_is_told_and_asked_for_again(visit, serve, book, file, what):
    page, _ = visit(f"{serve(book)}/book/index.html")
    page.route(f"**/_static/{file}/*.js*", lambda route: route.abort(), times=1)
    page.goto(page.url.replace("index", "convolution"))
    place = page.locator(".d2l-live").first
    place.scroll_into_view_if_needed()
    assert f"{what} could not be loaded" in place.get_by_role("alert").text_content()
    assert place.get_by_role("img", name=ALT.format(1)).is_visible()
    figure = FigureOnPage(page, 2)
    assert figure.spoken("Output cell").startswith("row 0, column 0: output")


def test_all_explorers_are_in_the_book():
    assert sorted(explorers()) == PAGES


# ---- setting up a figure moves nothing on the page ----

SHIFTS = """() => {
  window.shifts = [];
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) if (!entry.hadRecentInput) shifts.push(entry.value);
  }).observe({type: "layout-shift"});
}"""
DRAWN_STATES = """async (place, count) => {
  let seed = 1;
  const draw = (below) => Math.floor(((seed = (seed * 16807) % 2147483647) / 2147483647) * below);
  const controls = [...place.querySelectorAll(".d2l-control :is(input, select)")];
  const heights = [];
  for (let i = 0; i < count; i++) {
    for (let j = 0; j < 3; j++) {
      const control = controls[draw(controls.length)];
      if (control.type === "checkbox") control.click();
      else if (control.type === "range") {
        const steps = (control.max - control.min) / control.step;
        control.value = Number(control.min) + draw(steps + 1) * control.step;
        control.dispatchEvent(new Event("input"));
      } else {
        control.selectedIndex = draw(control.options.length);
        control.dispatchEvent(new Event("change"));
      }
    }
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    heights.push(place.firstElementChild.getBoundingClientRect().height / 16);
  }
  return heights;
}"""
KEPT = "place => parseFloat(getComputedStyle(place).minHeight) / 16"


@pytest.mark.parametrize("width", [1280, 360])
def test_setting_up_moves_nothing(show, width):
    """The figure comes into the window at once, as after a jump: the hardest case."""
    for name in ("channels", "convolution", "padding"):
        page = show(name, width=width)
        page.evaluate(SHIFTS)
        figure = FigureOnPage(page)
        figure.settle()
        assert sum(page.evaluate("shifts")) <= 0.02


@pytest.mark.parametrize("width", [1280, 640, 390])
@pytest.mark.parametrize("name", PAGES)
def test_what_stands_below_a_figure_never_moves(show, name, width):
    """Room is kept for the tallest of the states that controls lead to, and there is not much more."""
    page = show(name, width=width)
    spare = []
    for figure in figures_on(page):
        kept = figure.place.evaluate(KEPT)
        spare.append(kept - max(figure.place.evaluate(DRAWN_STATES, 20)))
    assert min(spare) >= -0.1
    assert min(spare) < 5 or width == 640  # where there is as much as on a phone


HOVERED = """async (place) => {
  const hovered = "[data-cell], [data-term], .d2l-plate canvas, tbody tr, svg rect, svg path";
  const targets = [...place.querySelectorAll(hovered)].filter((one) => one.checkVisibility());
  const heights = [];
  for (let i = 0; i < targets.length; i += Math.ceil(targets.length / 20)) {
    const { left, top, width, height } = targets[i].getBoundingClientRect();
    const at = { clientX: left + width / 2, clientY: top + height / 2, bubbles: true, pointerType: "mouse" };
    for (const type of ["pointerover", "pointermove"]) targets[i].dispatchEvent(new PointerEvent(type, at));
    await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
    heights.push(place.getBoundingClientRect().height);
  }
  return heights;
}"""


@pytest.mark.parametrize("width", [1280, 390])
def test_hovering_never_moves_the_page(show, width):
    for name in PAGES:
        for figure in figures_on(show(name, width=width)):
            heights = figure.place.evaluate(HOVERED)
            assert len(heights) > 1
            assert max(heights) - min(heights) < 0.1, name


# ---- a control, and what it changes ----

PICTURES = {
    "channels": ".d2l-main",
    "convolution": ".d2l-row",
    "cost": ".d2l-costs",
    "feature_maps": ".d2l-plates",
    "gradient": ".d2l-passes",
    "own_digit": ".d2l-paper",
    "padding": ".d2l-grids",
    "pooling": ".d2l-row",
    "receptive_field": ".d2l-cone",
    "training": ".d2l-charts",
}
INSIDE = {"Digit shown": ".d2l-inside"}  # what another control changes than the rest


@pytest.mark.parametrize("name", PAGES)
def test_a_control_and_what_it_changes_are_on_one_screen_of_a_phone(show, name):
    page = show(name, width=390)
    page.set_viewport_size({"width": 390, "height": 844})
    figure = FigureOnPage(page)
    header = page.locator(".mobile-header").bounding_box()["height"]
    for control in figure.place.locator(".d2l-control :is(input, select)").all():
        if not control.is_visible():
            continue
        control.focus()
        label = control.evaluate("one => one.labels[0].textContent")
        picture = figure.place.locator(INSIDE.get(label, PICTURES[name])).first
        if picture.bounding_box()["y"] + picture.bounding_box()["height"] > 844:
            picture.evaluate("one => one.scrollIntoView({block: 'end'})")
        above, below = control.bounding_box(), picture.bounding_box()
        assert above["y"] >= header, label
        assert above["y"] + above["height"] <= max(below["y"], header + 60), label
        assert below["y"] + below["height"] <= 844.5, label


@pytest.mark.parametrize("name", ["padding", "pooling"])
def test_controls_stand_beside_a_picture_that_needs_little_width(show, name):
    for width in (1280, 1920):
        page = show(name, width=width)
        for figure in figures_on(page):
            picture = figure.place.locator(".d2l-view").bounding_box()
            for control in figure.place.locator(".d2l-control").all():
                if control.is_visible():
                    assert control.bounding_box()["x"] + control.bounding_box()["width"] < picture["x"]
