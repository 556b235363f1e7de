"""The moving figures in Python: traits and their errors, links, the picture, and what goes to the browser."""

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
from d2lconv.widgets import _base, convolution_explorer
from d2lconv.widgets.base import View
from d2lconv.widgets.matrix import Matrix

STATIC = Path(d2lconv.widgets.__file__).parent / "static"
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
    assert {type(tie) for tie in figure._links} == {ipywidgets.widget_link.Link}
    assert "LinkModel" in types_in(figure)


def test_links_live_in_the_kernel_in_colab(monkeypatch):
    monkeypatch.setitem(sys.modules, "google.colab", types.ModuleType("google.colab"))
    monkeypatch.setattr("anywidget.widget.in_colab", lambda: False)  # its widget manager is not here
    figure = convolution_explorer(X, K)
    assert "LinkModel" not in types_in(figure)
    figure.controls["step"].value = 3
    assert figure.view.step == 3
    figure.view.step = 2
    assert figure.controls["step"].value == 2
    figure.controls["kernel_index"].index = 1
    assert figure.view.kernel == [[0, 0, 0], [0, 1, 0], [0, 0, 0]]
    assert (figure.view.step, figure.controls["step"].max) == (1, 1)


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
        ("step", 0, "step must be from 1 to 4, got 0"),
        ("step", 5, "step must be from 1 to 4, got 5"),
        ("step", 1.5, "expected an int"),
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
    assert view.steps == 49
    view.kernel_index = 2
    view.kernel = K
    assert view.kernel_index == 0
    view.input_index = 0
    assert view.input == X.tolist()
    view.step = 4
    view.kernel_index = 1
    assert (view.steps, view.step) == (1, 1)


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
    figure.view.step = 4
    assert figure._repr_mimebundle_()["image/svg+xml"] != before


def test_names_have_no_addresses(figure):
    assert "0x" not in repr(figure) + repr(figure.view)


# ---- what is sent to the browser ----


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_scripts_never_write_html_nor_ask_a_server(path):
    text = path.read_text(encoding="utf-8")
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|\beval\b|fetch\(|https?:",
        text.replace("http://www.w3.org/2000/svg", ""),
    )


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.*")), ids=lambda path: path.name)
def test_files_are_short(path):
    limit = 420 if path.name == "geometry.js" else 310
    assert path.read_text(encoding="utf-8").count("\n") <= limit


def test_joined_module_has_no_imports_and_no_comments(figure):
    module = figure.view._esm
    assert not re.search(r"^import |^ |//(?!www)|/\*\*", module, re.MULTILINE)
    assert module.count("export ") == 1


MODULES = {
    "numbers.js": "const TWO = 2;\nexport const four = TWO * TWO;\nexport function no() {\n  return 1;\n}\n",
    "words.js": 'import { four } from "./numbers.js";\nconst say = () => four;\nexport const said = say();\n',
    "view.js": 'import { said } from "./words.js";\nconst $ = said;\nexport default { render: () => $ };\n',
}


@pytest.fixture
def modules(monkeypatch):
    """Let some small modules stand in the place of the package's."""
    files = dict(MODULES)
    monkeypatch.setattr(_base, "_read", files.__getitem__)
    return files


def test_joined_module_has_what_is_needed_and_no_more(modules):
    joined = """const numbers = (() => {
const TWO = 2;
const four = TWO * TWO;
return { four };
})();
const words = (() => {
const { four } = numbers;
const say = () => four;
const said = say();
return { said };
})();
const { said } = words;
const $ = said;
export default { render: () => $ };
"""
    assert _base.join_scripts("numbers.js", "words.js", "view.js") == joined


def test_joined_module_keeps_texts_that_look_like_remarks(modules):
    modules["numbers.js"] = 'export const four = "; // no remark"; // but "this" might be one\n'
    modules["words.js"] = 'import { four } from "./numbers.js";\nexport const said = four; // a remark\n'
    joined = _base.join_scripts("numbers.js", "words.js", "view.js")
    assert 'const four = "; // no remark"; // but "this" might be one\n' in joined
    assert "const said = four;\n" in joined


def test_joining_says_what_is_missing(modules):
    with pytest.raises(ValueError, match=r"words\.js imports from numbers\.js, which must stand before it"):
        _base.join_scripts("words.js", "numbers.js", "view.js")
    modules["words.js"] = modules["words.js"].replace("four", "TWO")
    with pytest.raises(ValueError, match=r"numbers\.js does not export TWO, which others import"):
        _base.join_scripts("numbers.js", "words.js", "view.js")


@pytest.mark.parametrize("path", sorted(STATIC.glob("*.js")), ids=lambda path: path.name)
def test_lines_of_scripts_begin_as_joining_expects(path):
    """A line without indentation begins a declaration, a comment or an import, or ends one."""
    rest = _base._read(path.name)
    begin = r"import \{|export default \{|(export )?(const|function|class) \w+|[)}\]`]|$"
    assert [line for line in rest.split("\n") if line[:1] != " " and not re.match(begin, line)] == []


@pytest.mark.parametrize(
    "path", sorted({*STATIC.glob("*.css")} - {STATIC / "base.css"}), ids=lambda path: path.name
)
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
                        r"\.d2l-view(\.d2l-\w+)|\.d2l-hbox:has\(\+ \.d2l-anywidget (\.d2l-\w+)\)",
                        selector.strip(),
                    )
                    assert found, selector
                    names.add(found[1] or found[2])
    assert len(names) == 1


def test_scripts_are_light():
    """Measured as a server sends them, compressed."""
    host = (Path(__file__).parents[2] / "book/_host/host.js").read_bytes()
    assert len(gzip.compress(host)) < 6 * 1024
    views = [kind for kind in View.__subclasses__() if kind.__module__.startswith("d2lconv.")]
    assert len(views) == len(d2lconv.widgets.__all__)
    scripts = [view.source("_esm") for view in views]
    styles = [view.source("_css") for view in views]
    assert sum(len(gzip.compress(script.encode())) for script in scripts) < 60 * 1024
    assert len(gzip.compress("".join(styles + scripts).encode())) < 60 * 1024


def test_nothing_moves_by_itself():
    css = "".join(path.read_text(encoding="utf-8") for path in STATIC.glob("*.css"))
    assert not re.search(r"animation|transition|scroll-behavior", css)


def test_fallback_colours_are_the_courses():
    css = (STATIC / "base.css").read_text(encoding="utf-8")
    palette = (Path(__file__).parents[2] / "book" / "_static" / "palette.css").read_text(encoding="utf-8")
    found = re.findall(r"var\(--d2l-([a-z-]+), (#\w+)\)", css)
    light, dark = found[: len(found) // 2], found[len(found) // 2 :]
    assert [name for name, _ in light] == [name for name, _ in dark]
    assert all(PALETTE[name.replace("-", "_")] == colour for name, colour in light)
    dark_block = palette.split('html[data-theme="dark"]')[1]
    assert all(f"--d2l-{name}: {colour};" in dark_block for name, colour in dark)


def test_matrix_keeps_rows_of_floats():
    class Holder(traitlets.HasTraits):
        matrix = Matrix([[0.0]], largest=2)

    holder = Holder(matrix=((1, 2), (3, 4)))
    assert holder.matrix == [[1.0, 2.0], [3.0, 4.0]]
    assert all(type(number) is float for row in holder.matrix for number in row)
