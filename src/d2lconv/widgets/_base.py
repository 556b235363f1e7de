"""What every moving figure is made of: real ipywidgets controls, and an anywidget view that they move.

A figure in a new module needs three things: a `View` with typed traits, its module in ``static/``, and a
function that returns a `Figure`. On the book's pages there is no kernel, so whatever a figure shows is
computed in its view; Python holds the state, checks it and draws the picture for those without scripts.
"""

from __future__ import annotations

import io
import re
import sys
from collections.abc import Callable, Mapping, Sequence
from importlib import resources
from typing import Any

import anywidget
import ipywidgets as widgets  # type: ignore[import-untyped]
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv.plotting import PALETTE

_VIEW = "application/vnd.jupyter.widget-view+json"
_IMPORT = re.compile(r"^import \{([^}]*)\} from \"\./([\w-]+)\.js\";\n", re.MULTILINE)
_PIECE = re.compile(r"^(?=[a-z])", re.MULTILINE)
_DECLARED = re.compile(r"(export )?(?:const|function|class) (\w+)")
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_REMARK = re.compile(r"(?<=[;{},(]) // [^\"`\n]*$", re.MULTILINE)  # behind code; not what stands in a string
_BLANK = re.compile(r"\n{2,}")
_INDENT = re.compile(r"^ +", re.MULTILINE)


def join_scripts(*names: str) -> str:
    """Join modules of ``static/`` into one: the state of a view holds a single module.

    They import from each other by ``import { name } from "./file.js";``, so each can be read and run by
    itself. Here each, but for the last, becomes a function that returns what the others import from it, so
    that names inside of it stay its own. What none of them needs is left out, and so are comments and
    indentation.

    Raises
    ------
    ValueError
        If a module imports from one that does not stand before it, or a name that is not exported there.

    Examples
    --------
    >>> module = join_scripts("base.js", "grid.js")
    >>> "const base = (() => {" in module, "} = base;" in module, "import" in module
    (True, True, False)
    >>> "function parse" in module, "function watch" in module
    (True, False)
    """
    *parts, last = names
    wanted: dict[str, set[str]] = {name.removesuffix(".js"): set() for name in parts}
    texts = [_link(last, wanted)]
    for name in reversed(parts):
        key = name.removesuffix(".js")
        imported = wanted.pop(key)  # by those after it, and it can only import from those before it
        body, exported = _needed(_link(name, wanted), imported)
        if missing := imported - exported:
            raise ValueError(f"{name} does not export {', '.join(sorted(missing))}, which others import")
        texts.append(f"const {key} = (() => {{\n{body}return {{ {', '.join(sorted(imported))} }};\n}})();\n")
    return _INDENT.sub("", _REMARK.sub("", "".join(reversed(texts))))


def _link(name: str, wanted: dict[str, set[str]]) -> str:
    """Read a module, take what it imports from the variables that stand for others, and note the names."""

    def take(match: re.Match[str]) -> str:
        if match[2] not in wanted:
            raise ValueError(f"{name} imports from {match[2]}.js, which must stand before it")
        imported = [word.strip() for word in match[1].split(",") if word.strip()]
        wanted[match[2]] |= set(imported)
        return f"const {{ {', '.join(imported)} }} = {match[2]};\n"

    return _IMPORT.sub(take, _read(name))


def _needed(text: str, wanted: set[str]) -> tuple[str, set[str]]:
    """Leave out the declarations of a module that neither `wanted` nor what it needs names.

    Returns
    -------
    str, set of str
        The rest, without the word ``export``, and all that the module exports.
    """
    pieces = [(_DECLARED.match(piece), piece) for piece in _PIECE.split(text)]
    kept = {number for number, (found, _) in enumerate(pieces) if not found or found[2] in wanted}
    added = kept
    while added:
        words = {word for number in added for word in re.findall(r"\w+", pieces[number][1])}
        added = {n for n, (found, _) in enumerate(pieces) if found and found[2] in words} - kept
        kept = kept | added
    rest = "".join(
        piece.removeprefix("export ") for number, (_, piece) in enumerate(pieces) if number in kept
    )
    return rest, {found[2] for found, _ in pieces if found and found[1]}


def join_styles(*names: str) -> str:
    """Join style sheets of ``static/`` into one, without comments."""
    return "".join(map(_read, names))


def _read(name: str) -> str:
    path = resources.files("d2lconv.widgets") / "static" / name
    return _BLANK.sub("\n", _COMMENT.sub("", path.read_text(encoding="utf-8")))


class View(anywidget.AnyWidget):
    """A view that computes and draws in the browser.

    Attributes
    ----------
    summary : str
        What it shows at the moment, in words; written by the view, for screen readers.
    """

    summary = traitlets.Unicode("").tag(sync=True)

    @classmethod
    def source(cls, key: str) -> str:
        """Return the text of the view's module (``_esm``) or style sheet (``_css``)."""
        return str(getattr(cls, key))

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Figure(widgets.VBox):  # type: ignore[misc]
    """Controls, and below them the view that they move.

    Parameters
    ----------
    name : str
        What stands for the figure where it cannot be shown, such as ``convolution_explorer(5×5, 3×3)``.
    view : View
        The view.
    controls : mapping
        For each trait of the view that a control moves, the control.
    picture : callable
        Draws the figure's state with Matplotlib, for readers without scripts.
    follow : sequence of (str, Widget, str)
        Further traits that a control takes from the view, such as ``("steps", slider, "max")``.
    """

    _ipython_display_ = None  # ipywidgets 7 would go past the picture

    def __init__(
        self,
        name: str,
        view: View,
        controls: Mapping[str, widgets.Widget],
        *,
        picture: Callable[[], Drawing],
        follow: Sequence[tuple[str, widgets.Widget, str]] = (),
    ) -> None:
        self.view = view
        self.controls = dict(controls)
        self._name, self._picture = name, picture
        row = widgets.HBox(
            list(self.controls.values()), layout=widgets.Layout(flex_flow="row wrap", grid_gap="4px 20px")
        )
        super().__init__([row, view])
        # The limits go first: a slider refuses values beyond its limits.
        ties = [*follow, *((trait, control, _value_of(control)) for trait, control in self.controls.items())]
        self._ties = [tie((view, trait), (control, other)) for trait, control, other in ties]

    def __repr__(self) -> str:
        return self._name

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": repr(self), "image/svg+xml": to_svg(self._picture), _VIEW: view}


def tie(source: tuple[widgets.Widget, str], target: tuple[widgets.Widget, str]) -> object:
    """Keep two traits equal, beginning with the source's value.

    Linked in the browser, they also follow each other on a page without a kernel. Colab shows each widget in
    a frame of its own, where only the kernel reaches both.
    """
    if "google.colab" in sys.modules:
        return traitlets.link(source, target)
    return widgets.jslink(source, target)


def to_svg(draw: Callable[[], Drawing]) -> str:
    """Draw, and return the drawing as SVG that is the same each time."""
    settings: Any = {
        "axes.axisbelow": True,
        "figure.constrained_layout.use": True,
        "figure.facecolor": PALETTE["paper"],
        "font.size": 11,
        "image.interpolation": "nearest",
        "svg.fonttype": "path",
        "svg.hashsalt": "d2lconv",
        "text.color": PALETTE["ink"],
    }
    with plt.rc_context(settings):
        figure = draw()
        plt.close(figure)  # else a notebook would show it a second time
        buffer = io.StringIO()
        figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    return buffer.getvalue()


def slider(description: str, value: int, low: int, high: int) -> widgets.IntSlider:
    """Return a slider over integers."""
    return widgets.IntSlider(value, low, high, description=description, **_look())


def float_slider(description: str, value: float, low: float, high: float, step: float) -> widgets.FloatSlider:
    """Return a slider over numbers with a fraction."""
    return widgets.FloatSlider(value, min=low, max=high, step=step, description=description, **_look())


def dropdown(description: str, options: Sequence[str], index: int = 0) -> widgets.Dropdown:
    """Return a list to choose from; what it is tied by is the index of the choice."""
    return widgets.Dropdown(options=list(options), index=index, description=description, **_look())


def checkbox(description: str, value: bool) -> widgets.Checkbox:
    """Return a box to tick."""
    return widgets.Checkbox(value, description=description, indent=False)


def _look() -> dict[str, Any]:
    return {"style": {"description_width": "initial"}}


def _value_of(control: widgets.Widget) -> str:
    return "index" if isinstance(control, widgets.Dropdown) else "value"
