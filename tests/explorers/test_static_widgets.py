"""What a built page has of interactive figures, and which figures are refused since they could not work."""

import gzip
import json
import re

import ipywidgets
import pytest
from tests.built_book import parse, warnings
from tests.explorers.widgets_book import REFUSED, chapter, figures_in, saved
from tools.notebooks import dumps

from d2lconv.widgets import convolution_explorer, padding_explorer
from d2lconv.widgets.convolution import ConvolutionView
from d2lconv_book import explorers as static_widgets


def test_a_second_run_gives_the_same_bytes_without_the_view_s_source():
    text = dumps(chapter(convolution_explorer()))
    assert dumps(chapter(convolution_explorer())) == text
    assert "0000000000000000000000000000000a" in text
    assert not re.search(r'"_esm"|"_css"|makeGrid', text)


def test_page_has_the_state_once_and_small(book):
    page = parse(book / "book/convolution.html")
    assert not page.xpath("//script[contains(@type, 'widget')]")
    script = (book / static_widgets.file_of("book/convolution")).read_text(encoding="utf-8")
    state = figures_in(script)["state"]
    assert {widget["model_name"] for widget in state.values()} <= static_widgets.DRAWN | {"LinkModel"}
    places = page.find_class("d2l-live")
    assert [state[place.get("data-model")]["model_name"] for place in places] == ["VBoxModel"] * 4
    address = re.compile(r"\.\./_static/figures/book-convolution\.js\?v=[0-9a-f]{8}")
    assert all(address.fullmatch(place.get("data-figures")) for place in places)
    room = [place.get("style") for place in places]
    assert room[:3] == ["--d2l-wide: 55.7rem; --d2l-narrow: 79.9rem"] * 3
    assert room[3] == "--d2l-wide: 34.6rem; --d2l-narrow: 48.0rem"  # without a picture
    assert all(place.find(".//svg[@role='img']") is not None for place in places)


def test_a_view_is_one_script_that_all_pages_share_and_one_holds_what_views_share(book):
    views = figures_in((book / static_widgets.file_of("book/cost")).read_text("utf-8"))["views"]
    assert list(views) == ["d2lconv.widgets.cost.CostView"]
    parts = views["d2lconv.widgets.cost.CostView"]
    assert list(parts) == ["shared", "cost"]  # in the order in which they are made
    for name, address in parts.items():
        assert re.fullmatch(rf"\.\./_static/views/{name}\.js\?v=[0-9a-f]{{8}}", address)
    scripts = {path.stem: path.read_text(encoding="utf-8") for path in (book / "_static/views").iterdir()}
    assert len(scripts) == 14
    for own in ("function makeVoice", "class Grid", "function readState", "--d2l-ink, #"):
        assert [name for name in scripts if own in scripts[name]] == ["shared"], own
    workers = {"own_digit_worker", "training_worker"}
    assert {name for name in scripts if "class Network" in scripts[name]} == {"lenet"} | workers
    assert sum(len(gzip.compress(script.encode())) for script in scripts.values()) < 101 * 1024
    assert "blob:" not in (book / "book/cost.html").read_text("utf-8") + "".join(scripts.values())


def test_a_page_has_the_styles_of_the_notebook():
    styles = ""
    for folder in ("shared", "convolution"):
        script = static_widgets.script_of(folder)
        styles += json.loads(re.search(r'css: ("(?:[^"\\]|\\.)*")', script)[1])
    assert styles == ConvolutionView._css


def test_build_refuses_figures_that_would_not_work(built):
    assert built.code != 0
    for name, (_, message) in REFUSED.items():
        chapter_name = f"refused_{name}"
        mine = [line for line in warnings(built.log) if f"book/{chapter_name}" in line]
        assert mine, name
        wanted = f"{chapter_name}: convolution_explorer(input 5×5, kernel 3×3): {message}"
        assert all(wanted in line and f"make execute CHAPTER={chapter_name}" in line for line in mine)


def test_host_draws_exactly_what_the_explorers_use():
    figure = convolution_explorer()
    state = saved(figure)["state"]
    used = {state[one]["model_name"] for one in static_widgets.check(state, figure.model_id)}
    table = (
        (static_widgets.HOST / "host.js")
        .read_text(encoding="utf-8")
        .split("const DRAW = {")[1]
        .split("};")[0]
    )
    assert used == static_widgets.DRAWN == set(re.findall(r"\w+Model(?=:)", table))


@pytest.mark.parametrize("widget", [ipywidgets.Play(), ipywidgets.HBox([ipywidgets.Text()])])
def test_other_widgets_are_refused(widget):
    with pytest.raises(static_widgets.FigureError, match=r"it has a (Play|Text)Model, which _host/host\.js"):
        static_widgets.check(saved(widget)["state"], widget.model_id)


def test_other_views_are_refused():
    figure = convolution_explorer()
    state = saved(figure)["state"]
    state[figure.view.model_id]["state"]["_anywidget_id"] = "os.path"
    with pytest.raises(static_widgets.FigureError, match=r"its view os\.path is not in d2lconv\.widgets"):
        static_widgets.check(state, figure.model_id)


def test_compact_keeps_the_figure_its_links_and_nothing_else():
    figure, other = convolution_explorer(), padding_explorer()
    state = saved(figure, other)["state"]
    small = static_widgets.compact(state, static_widgets.check(state, figure.model_id))
    names = [widget["model_name"] for widget in small.values()]
    assert names.count("AnyModel") == 1
    assert names.count("LinkModel") == len(figure._links)
    assert not any(name.startswith(("Layout", "Slider")) for name in names)
    view = small[figure.view.model_id]["state"]
    assert view["input"] == figure.view.input
    assert {key for key in view if key.startswith("_")} == {"_anywidget_id"}


def test_state_travels_unchanged_whatever_is_in_it():
    state = {
        "1": {"model_name": "AnyModel", "state": {"text": "\\'\\\\ \"</script>\n\u2028", "__proto__": 1}}
    }
    views = {"its.View": {"view": "views/view.js"}}
    assert figures_in(static_widgets.as_script(state, views)) == {"state": state, "views": views}
