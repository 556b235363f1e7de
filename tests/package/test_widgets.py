"""Interactive figures in Python: traits and their errors, links, the picture, and what the browser gets."""

import gzip
import re
import sys
import types
from pathlib import Path

import ipywidgets
import pytest
import tinycss2
import torch
import traitlets
from IPython.core.interactiveshell import InteractiveShell
from ipywidgets.embed import dependency_state

import d2lconv.widgets
from d2lconv.plotting import PALETTE
from d2lconv.widgets import convolution_explorer
from d2lconv.widgets.base import FOLDER, View, join_scripts
from d2lconv.widgets.matrix import Matrix

SCRIPTS = sorted(FOLDER.rglob("*.js"))
STYLES = sorted(FOLDER.glob("*/view.css"))
X = torch.arange(9.0).reshape(3, 3)
K = torch.arange(4.0).reshape(2, 2)


@pytest.fixture
def figure():
    return convolution_explorer(X, K)


def types_in(figure):
    return {state["model_name"] for state in dependency_state([figure]).values()}


def test_figure_is_a_box_of_real_widgets(figure):
    assert isinstance(figure, ipywidgets.VBox)
    assert figure.children[-1] is figure.view
    assert {type(control) for control in figure.controls.values()} == {
        ipywidgets.Checkbox,
        ipywidgets.Dropdown,
        ipywidgets.FloatSlider,
        ipywidgets.IntSlider,
    }
    assert all(control.description for control in figure.controls.values())


def test_what_later_colab_or_a_page_cannot_show_is_not_used(figure):
    assert not types_in(figure) & {"PlayModel", "StackModel", "OutputModel", "HTMLModel"}


def test_links_live_in_the_browser(figure):
    assert {type(link) for link in figure._links} == {ipywidgets.widget_link.Link}
    assert "LinkModel" in types_in(figure)


def test_links_live_in_the_kernel_in_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr("anywidget.widget.in_colab", lambda: False)  # its widget manager is not here
    figure = convolution_explorer(X, K)
    assert "LinkModel" not in types_in(figure)
    figure.controls["position"].value = 2
    assert figure.view.position == 2
    figure.view.position = 1
    assert figure.controls["position"].value == 1
    figure.controls["kernel_index"].index = 1
    assert figure.view.kernel == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert (figure.view.position, figure.controls["position"].max) == (0, 0)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([[1, 2], [3]], "input must have rows of the same length, got [2, 1]"),
        ([], "input must be a matrix of at most 12×12 finite numbers, got []"),
        ("ab", "input must be a matrix of at most 12×12 finite numbers, got 'ab'"),
        ([1, 2], "input must be a matrix of at most 12×12 finite numbers, got [1, 2]"),
        (torch.zeros(3), "input must be a matrix of at most 12×12 finite numbers, got shape (3,)"),
        (torch.zeros(2, 13), "input must be a matrix of at most 12×12 finite numbers, got 2×13"),
        ([[1, None], [2, 3]], "input must be a matrix of at most 12×12 finite numbers, got None in it"),
        ([[1, True], [2, 3]], "input must be a matrix of at most 12×12 finite numbers, got True in it"),
        (
            [[1, float("nan")], [2, 3]],
            "input must be a matrix of at most 12×12 finite numbers, got nan in it",
        ),
        ([[1, "2"], [2, 3]], "input must be a matrix of at most 12×12 finite numbers, got '2' in it"),
        ([[1, 2]], "kernel of 2×2 cells must fit into the input of 1×2"),
    ],
)
def test_wrong_matrices_are_refused(figure, values, message):
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        figure.view.input = values
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        convolution_explorer(values, K)
    assert figure.view.input == X.tolist()


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("position", -1, "position must be from 0 to 3, got -1"),
        ("position", 4, "position must be from 0 to 3, got 4"),
        ("position", 1.5, "expected an int"),
        ("seconds", 0, "seconds must be from 0.1 to 5, got 0"),
        ("kernel_index", 7, "kernel_index must be from 0 to 6, got 7"),
        ("input_index", -1, "input_index must be from 0 to 1, got -1"),
        ("kernel", torch.zeros(4, 4), "kernel of 4×4 cells must fit into the input of 3×3"),
    ],
)
def test_wrong_settings_are_refused(figure, trait, value, message):
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(figure.view, trait, value)


def test_wrong_arguments_are_refused():
    with pytest.raises(ValueError, match=r"cell must lie inside the output of 2×2, got \(2, 0\)"):
        convolution_explorer(X, K, cell=(2, 0))
    with pytest.raises(ValueError, match=r"K must be a matrix or one of 'identity', 'blur'.*got 'sobel'"):
        convolution_explorer(K="sobel")


def test_choices(figure):
    view = figure.view
    view.input_index = 1
    assert len(view.input) == 8
    assert view.last == 48
    view.kernel_index = 2
    view.kernel = K
    assert view.kernel_index == 0
    view.input_index = 0
    assert view.input == X.tolist()
    view.position = 3
    view.kernel_index = 1
    assert (view.last, view.position) == (0, 0)


def test_choice_and_values_from_a_browser_arrive_together(figure):
    figure.view.kernel_index = 2
    edited = [[0, 0.2, 9], [0.2, 0.2, 0.2], [0, 0.2, 0]]
    figure.view.set_state({"kernel_index": 0, "kernel": edited})
    assert figure.view.kernel == edited
    figure.view.set_state({"kernel_index": 1, "kernel": [[0, 0, 0], [0, 1, 0], [0, 0, 0]]})
    assert figure.view.kernel_index == 1


def test_kernels_that_do_not_fit_cannot_be_chosen():
    figure = convolution_explorer(K, [[1]])
    assert [kernel["name"] for kernel in figure.view.kernels] == ["own numbers"]


def test_settings_of_the_convolution():
    figure = convolution_explorer(X, K, stride=2, padding=1, adjust=["padding", "stride"])
    assert list(figure.controls) == ["position", "padding", "stride"]
    view = figure.view
    assert (view.output_size(), view.last) == ((2, 2), 3)
    view.stride = 1
    assert (view.output_size(), view.last) == ((4, 4), 15)
    view.dilation = 3  # 4 of 5 cells
    assert view.output_size() == (2, 2)
    view.padding = 0
    with pytest.raises(ValueError, match="spans more cells"):
        view.output_size()
    assert "svg" in figure._repr_mimebundle_()["image/svg+xml"]
    with pytest.raises(traitlets.TraitError, match="stride must be from 1 to 4, got 5"):
        view.stride = 5
    with pytest.raises(ValueError, match=r"adjust must hold names out of 'stride'.*got 'size'"):
        convolution_explorer(adjust=["size"])
    with pytest.raises(traitlets.TraitError, match="kernel of 2×2 cells must fit into the input of 3×3"):
        convolution_explorer(X, K, dilation=3)


def test_a_named_kernel():
    view = convolution_explorer(K="sharpen").view
    assert view.kernels[view.kernel_index]["name"] == "sharpen"
    assert view.kernel[1] == [-1, 5, -1]


def test_display_has_a_name_a_picture_and_the_view(figure):
    data, _ = InteractiveShell.instance().display_formatter.format(figure)
    assert data["text/plain"] == "convolution_explorer(input 3×3, kernel 2×2)"
    assert data["image/svg+xml"].startswith("<?xml")
    assert data["application/vnd.jupyter.widget-view+json"]["model_id"] == figure.model_id
    again = convolution_explorer(X, K)._repr_mimebundle_()
    assert again["image/svg+xml"] == data["image/svg+xml"]


def test_picture_shows_the_present_state(figure):
    before = figure._repr_mimebundle_()["image/svg+xml"]
    figure.view.position = 3
    assert figure._repr_mimebundle_()["image/svg+xml"] != before


def test_names_have_no_addresses(figure):
    assert "0x" not in repr(figure) + repr(figure.view)


# ---- what is sent to the browser ----


NAME = lambda path: f"{path.parent.name}/{path.name}"  # noqa: E731


@pytest.mark.parametrize("path", SCRIPTS, ids=NAME)
def test_scripts_never_write_html_nor_ask_a_server(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch\(|https?:",
        text.replace("http://www.w3.org/2000/svg", ""),
    )


def test_joined_module_has_no_imports_and_no_comments(figure):
    module = figure.view._esm
    assert not re.search(r"^import |^ |^//|/\*\*", module, re.MULTILINE)
    assert module.count("export ") == 1


@pytest.mark.parametrize("path", sorted(FOLDER.glob("*/view.js")), ids=NAME)
def test_joined_scripts_declare_each_name_once(path):
    """They share one scope, in a kernel and on a page."""
    module = join_scripts(f"{path.parent.name}/view.js")
    depth, names = 0, []
    for line in module.splitlines():
        found = re.match(r"(?:const|let|function|class) (\w+)", line) if depth == 0 else None
        names += [found[1]] if found else []
        plain = re.sub(r"`[^`]*`|\"[^\"]*\"|/[^/ ]+/", "", line)
        depth += sum(map(plain.count, "{([")) - sum(map(plain.count, "})]"))
    assert len(names) > 50
    assert sorted(names) == sorted(set(names))


@pytest.mark.parametrize("path", STYLES, ids=NAME)
def test_rules_of_a_view_touch_no_other_view(path):
    """Views on one page share their style sheets; a view's rules are stronger than the common ones."""
    names = set()
    for rule in tinycss2.parse_stylesheet(path.read_text(encoding="utf-8"), True, True):
        inner = tinycss2.parse_blocks_contents(rule.content) if rule.type == "at-rule" else [rule]
        for one in inner:
            if one.type == "qualified-rule":
                selectors = tinycss2.serialize(one.prelude)
                for selector in re.split(r",(?![^(]*\))", selectors):
                    found = re.match(
                        r"\.d2l-view(\.d2l-\w+)|\.d2l-hbox:has\(\+ \.d2l-anywidget (\.d2l-\w+)[.\w-]*\)",
                        selector.strip(),
                    )
                    assert found, selector
                    names.add(found[1] or found[2])
    assert len(names) == 1


def test_views_are_light():
    """Measured as a server sends them, compressed."""
    views = [kind for kind in View.__subclasses__() if kind.__module__.startswith("d2lconv.")]
    assert len(views) == len(d2lconv.widgets.__all__)
    for view in views:
        assert len(gzip.compress(f"{view._esm}{view._css}".encode())) < 24 * 1024


def test_former_names_of_traits_warn():
    view = d2lconv.widgets.padding_explorer((3, 4), 2).view
    with pytest.warns(DeprecationWarning, match=r"PaddingView\.alike is now called lock_aspect"):
        assert view.alike is False
    with pytest.warns(DeprecationWarning, match="alike"):
        view.alike = True
    assert view.lock_aspect is True
    with pytest.warns(DeprecationWarning, match=r"CostView\.inside_index is now called bottleneck_index"):
        assert d2lconv.widgets.cost_explorer(bottleneck=1).view.inside_index == 0
    view = convolution_explorer(X, K).view
    with pytest.warns(DeprecationWarning, match="step is now called position, which counts from 0"):
        view.step = 3
    with pytest.warns(DeprecationWarning, match=r"steps? is now called"):
        assert (view.position, view.step, view.steps) == (2, 3, 4)
    with pytest.warns(DeprecationWarning, match="shown is now called channel, which counts from 0"):
        assert d2lconv.widgets.channels_explorer(channel=1).view.shown == 2


def test_nothing_moves_by_itself():
    css = "".join(path.read_text(encoding="utf-8") for path in FOLDER.rglob("*.css"))
    welcome = re.compile(r"@media \(prefers-reduced-motion: no-preference\) \{.*?\n\}\n", re.DOTALL)
    assert not re.search(r"animation|transition|scroll-behavior", welcome.sub("", css))


def test_fallback_colours_are_the_courses():
    css = (FOLDER / "shared/base.css").read_text(encoding="utf-8")
    palette = (Path(__file__).parents[2] / "book" / "_static" / "palette.css").read_text(encoding="utf-8")
    found = re.findall(r"var\(--d2l-([a-z-]+), (#\w+)\)", css)
    light, dark = found[: len(found) // 2], found[len(found) // 2 :]
    assert [name for name, _ in light] == [name for name, _ in dark]
    assert all(PALETTE[name.replace("-", "_")] == colour for name, colour in light)
    dark_block = palette.split('body[data-theme="dark"]')[1]
    assert all(f"--d2l-{name}: {colour};" in dark_block for name, colour in dark)


def test_matrix_keeps_rows_of_floats():
    class Holder(traitlets.HasTraits):
        matrix = Matrix([[0.0]], largest=2)

    holder = Holder(matrix=((1, 2), (3, 4)))
    assert holder.matrix == [[1.0, 2.0], [3.0, 4.0]]
    assert all(type(number) is float for row in holder.matrix for number in row)
