"""Chapters with moving figures: saved the same each time, and refused where they could not move."""

import copy
import re

import ipywidgets
import pytest
from bs4 import BeautifulSoup
from ipywidgets.embed import dependency_state
from tests.built_book import warnings
from tests.explorers.widgets_book import build, chapter, execute, figures_in, lay_out
from tools.notebooks import WIDGET_STATE, load

import static_widgets
from d2lconv.widgets import convolution_explorer

KNOWN = static_widgets.drawable((static_widgets.HOST / "host.js").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def executed(tmp_path_factory):
    """Run a chapter with two figures, and return its path."""
    figures = chapter("widgets.convolution_explorer()", "widgets.convolution_explorer(K='blur')")
    return execute(lay_out(tmp_path_factory.mktemp("executed"), {"figures": figures}), "figures")


def saved(widget):
    """Return a widget's state as a notebook has it, links included, and its model id."""
    widgets = [widget, *getattr(widget, "_links", ())]
    return dependency_state(widgets, drop_defaults=False), widget.model_id


def test_second_run_gives_the_same_bytes(executed):
    before = executed.read_bytes()
    execute(executed.parents[1], "figures")
    assert executed.read_bytes() == before
    assert b"0000000000000000000000000000000a" in before


def test_page_has_the_state_once_and_small(executed):
    done = build(executed.parents[1])
    assert (done.code, warnings(done.log)) == (0, [])
    page = BeautifulSoup((done.site / "book/figures.html").read_text(encoding="utf-8"), "html.parser")
    assert not page.find_all("script", type=re.compile("widget"))
    script = (done.site / static_widgets.file_of("book/figures")).read_text(encoding="utf-8")
    state = figures_in(script)["state"]
    assert {widget["model_name"] for widget in state.values()} <= KNOWN | {"LinkModel"}
    places = page.find_all(class_="d2l-live")
    assert [state[place["data-model"]]["model_name"] for place in places] == ["VBoxModel"] * 2
    address = re.compile(r"\.\./_static/figures/book-figures\.js\?v=[0-9a-f]{8}")
    assert all(address.fullmatch(place["data-figures"]) for place in places)
    assert all(place.find("svg", role="img") for place in places)


SPOILED = {
    "lost": (lambda nb: nb.metadata.pop("widgets"), "its saved state was lost"),
    "foreign": (
        lambda nb: change(nb, "CheckboxModel", model_name="PlayModel"),
        "it has a PlayModel, which _host/host.js cannot draw",
    ),
    "older": (
        lambda nb: change(nb, "AnyModel", _esm="export default {}"),
        "it was saved with another version of its view",
    ),
    "bare": (lambda nb: figures_of(nb)[0].data.pop("image/svg+xml"), "it has no picture"),
}


def figures_of(nb):
    return [
        output
        for cell in nb.cells
        for output in cell.get("outputs", [])
        if static_widgets.VIEW in output.data
    ]


def change(nb, name, **values):
    """Change the first saved widget of some type."""
    state = nb.metadata.widgets[WIDGET_STATE].state
    widget = next(widget for widget in state.values() if widget.model_name == name)
    for key, value in values.items():
        (widget if key in widget else widget.state)[key] = value


def test_build_refuses_figures_that_would_not_move(executed, tmp_path):
    chapters = {}
    for name, (spoil, _) in SPOILED.items():
        chapters[name] = copy.deepcopy(load(executed))
        spoil(chapters[name])
    done = build(lay_out(tmp_path / "book", chapters))
    assert done.code != 0
    found = warnings(done.log)
    for name, (_, message) in SPOILED.items():
        mine = [line for line in found if f"{name}: convolution_explorer(input 5×5, kernel 3×3)" in line]
        assert mine, name
        assert all(message in line and f"make execute CHAPTER={name}" in line for line in mine)


def test_host_draws_exactly_what_the_explorers_use():
    state, model_id = saved(convolution_explorer())
    used = {state[one]["model_name"] for one in static_widgets.family(state, model_id)}
    assert used == KNOWN


@pytest.mark.parametrize("widget", [ipywidgets.Play(), ipywidgets.HBox([ipywidgets.Text()])])
def test_other_widgets_are_refused(widget):
    state, model_id = saved(widget)
    with pytest.raises(static_widgets.FigureError, match=r"it has a (Play|Text)Model, which _host/host\.js"):
        static_widgets.check(state, model_id, KNOWN)


@pytest.mark.parametrize(
    ("name", "message"),
    [("os.path", "is none of d2lconv.widgets"), ("d2lconv.widgets.convolution.Gone", "Gone is no longer in")],
)
def test_other_views_are_refused(name, message):
    state, model_id = saved(convolution_explorer())
    view = next(widget for widget in state.values() if widget["model_name"] == "AnyModel")
    view["state"]["_anywidget_id"] = name
    with pytest.raises(static_widgets.FigureError, match=re.escape(message)):
        static_widgets.check(state, model_id, KNOWN)


def test_compact_keeps_the_figure_its_links_and_nothing_else():
    figure, other = convolution_explorer(), convolution_explorer()
    state, model_id = saved(figure)
    state |= saved(other)[0]
    small = static_widgets.compact(state, static_widgets.check(state, model_id, KNOWN))
    names = [widget["model_name"] for widget in small.values()]
    assert names.count("AnyModel") == 1
    assert names.count("LinkModel") == len(figure._links)
    assert not any(name.startswith(("Layout", "Slider")) for name in names)
    view = small[figure.view.model_id]["state"]
    assert view["input"] == figure.view.input
    assert {key for key in view if key.startswith("_")} == {"_esm", "_css"}


def test_state_has_each_text_once_whatever_is_in_it():
    texts = ["p {}", "\\'\\\\ \"</script>\n\u2028"]
    view = {"model_name": "AnyModel", "state": {"_esm": texts[1], "_css": texts[0], "__proto__": 1}}
    data = figures_in(static_widgets.as_script({"1": view, "2": view}))
    assert data["texts"] == texts
    assert data["state"]["2"]["state"] == {"_esm": 1, "_css": 0, "__proto__": 1}


def test_script_without_its_table_draws_nothing():
    assert static_widgets.drawable("") == frozenset()
