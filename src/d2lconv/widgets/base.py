"""What every interactive figure is made of: real ipywidgets controls, and an anywidget view that follows.

A new figure is a folder with three files: ``view.js`` and ``view.css``, and an ``__init__.py`` with a `View`
with typed traits and a function that returns a `Figure`. On the book's pages there is no kernel, so
whatever a figure shows is computed in its view; Python holds the state, checks it and draws the picture for
readers without scripts, which is also what a page shows until the view is ready.
"""

from __future__ import annotations

import io
import re
import sys
import warnings
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

import anywidget
import ipywidgets as widgets  # type: ignore[import-untyped]
import matplotlib.pyplot as plt
import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv.language import language, spoken_view
from d2lconv.plotting import PALETTE
from d2lconv.widgets.controls import value_of

FOLDER = Path(__file__).parent
_VIEW = "application/vnd.jupyter.widget-view+json"
_IMPORT = re.compile(r"^import \{[^}]*\} from \"(\.[^\"]+)\";\n", re.MULTILINE)
_COMMENT = re.compile(  # on lines of its own, or after code
    r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n|[ \t]+// [^\"'`\n]*$", re.MULTILINE | re.DOTALL
)
_EXPORT = re.compile(r"^export (?!default)", re.MULTILINE)
_SPACE = re.compile(r"^[ \t]+|^\n", re.MULTILINE)


def join_scripts(*names: str, without: Sequence[str] = ()) -> str:
    """Join modules and all that they import into one, since a view's state holds a single module.

    All share one scope, so no two files declare the same name at their top level. Comments and indentation
    are left out, and so are the files of some folders, which views share and a page loads once.

    Examples
    --------
    >>> module = join_scripts("padding/view.js")
    >>> "class Grid" in module, "import {" in module, module.count("export ")
    (True, False, 1)
    """
    texts: dict[Path, str] = {}

    def add(path: Path) -> None:
        if path not in texts and path.parent.name not in without:
            text = path.read_text(encoding="utf-8")
            for imported in _IMPORT.findall(text):
                add((path.parent / imported).resolve())
            texts[path] = _EXPORT.sub("", _IMPORT.sub("", text))

    for name in names:
        add(FOLDER / name)
    return _SPACE.sub("", _COMMENT.sub("", "".join(texts.values())))


def join_styles(*names: str) -> str:
    """Join style sheets into one, without comments."""
    return _COMMENT.sub("", "".join((FOLDER / name).read_text(encoding="utf-8") for name in names))


def renamed(old: str, new: str, *, offset: int = 0) -> property:
    """Return a property that stands for a trait under its former name, and warns.

    The property is larger than the trait by `offset`: former names counted from 1.
    """
    more = ", which counts from 0" if offset else ""

    def warn(view: Any) -> None:
        message = f"{type(view).__name__}.{old} is now called {new}{more}"
        warnings.warn(message, DeprecationWarning, stacklevel=3)

    def read(view: Any) -> Any:
        warn(view)
        value = getattr(view, new)
        return value + offset if offset else value

    def write(view: Any, value: Any) -> None:
        warn(view)
        setattr(view, new, value - offset if offset else value)

    return property(read, write, doc=f"Former name of `{new}`.")


class View(anywidget.AnyWidget):
    """A view that computes and draws in the browser.

    Attributes
    ----------
    summary : str
        What it shows at the moment, in words; written by the view, for screen readers.
    """

    summary = traitlets.Unicode("").tag(sync=True)

    _esm: str

    height: ClassVar[tuple[float, float]] = (0.0, 0.0)
    """Height of the figure in rem, on a wide page and on a phone, in the tallest of the states that its
    controls lead to: a page keeps this much free, so that nothing moves that stands below."""

    late: ClassVar[tuple[str, ...]] = ()
    """Large traits that few readers need: a page loads each when the view asks for it."""

    def __init__(self, **traits: Any) -> None:
        if (name := language()) != "en":
            self._esm = spoken_view(self._esm, name)
        super().__init__(**traits)

    @classmethod
    def height_of(cls, state: Mapping[str, Any]) -> tuple[float, float]:
        """Return the height of a figure with some state, where it depends on the state."""
        return cls.height

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"


class Figure(widgets.VBox):  # type: ignore[misc]
    """Controls, and below them the view that they control.

    Parameters
    ----------
    name : str
        What stands for the figure where it cannot be shown, such as ``convolution_explorer(5×5, 3×3)``.
    view : View
        The view.
    controls : mapping
        For each trait of the view that a control changes, the control.
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
        # The limits go first: a slider rejects values beyond its limits.
        pairs = [*follow, *((trait, control, value_of(control)) for trait, control in self.controls.items())]
        self._links = [link((view, trait), (control, other)) for trait, control, other in pairs]

    def __repr__(self) -> str:
        return self._name

    def _repr_mimebundle_(self, **_: Any) -> dict[str, Any]:
        view = {"version_major": 2, "version_minor": 0, "model_id": self.model_id}
        return {"text/plain": repr(self), "image/svg+xml": to_svg(self._picture), _VIEW: view}


def link(source: tuple[widgets.Widget, str], target: tuple[widgets.Widget, str]) -> object:
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
