"""An interactive figure of a convolution: edit the numbers, move the window, watch the output fill up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

import torch
import traitlets
from matplotlib.figure import Figure as Drawing

from d2lconv.data import load_digits
from d2lconv.plotting import draw_correlation, draw_grid
from d2lconv.shapes import conv_output_size
from d2lconv.widgets.base import Figure, View, join_scripts, join_styles, renamed
from d2lconv.widgets.controls import checkbox, dropdown, float_slider, slider
from d2lconv.widgets.convolution.photographs import small_photographs
from d2lconv.widgets.matrix import Matrix, Rows, size, within

__all__ = ["convolution_explorer"]

INPUT = [
    [1.0, 2.0, 0.0, 3.0, 1.0],
    [0.0, 1.0, 2.0, 3.0, 1.0],
    [1.0, 2.0, 1.0, 0.0, 0.0],
    [5.0, 2.0, 3.0, 1.0, 1.0],
    [2.0, 1.0, 0.0, 1.0, 1.0],
]
KERNEL = [[1.0, 2.0, 1.0], [0.0, 1.0, 0.0], [2.0, 1.0, 0.0]]
PRESETS = {
    "identity": [[0.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 0.0]],
    "blur": [[0.0, 0.2, 0.0], [0.2, 0.2, 0.2], [0.0, 0.2, 0.0]],
    "Sobel, vertical edges": [[-1.0, 0.0, 1.0], [-2.0, 0.0, 2.0], [-1.0, 0.0, 1.0]],
    "Sobel, horizontal edges": [[-1.0, -2.0, -1.0], [0.0, 0.0, 0.0], [1.0, 2.0, 1.0]],
    "sharpen": [[0.0, -1.0, 0.0], [-1.0, 5.0, -1.0], [0.0, -1.0, 0.0]],
    "random": [[1.0, -2.0, 0.0], [2.0, 1.0, -1.0], [0.0, -1.0, 2.0]],
}
OWN = "own numbers"
LIMITS = {"stride": (1, 4), "padding": (0, 4), "dilation": (1, 3)}


class ConvolutionView(View):
    """Input, kernel and output as grids of numbers; one output cell is explained.

    Attributes
    ----------
    input, kernel : list of list of float
        The numbers that are convolved.
    inputs, kernels : list of dict
        What can be chosen: ``name`` and ``values``; the first is what the reader has typed.
    input_index, kernel_index : int
        Which of these is chosen.
    position, last : int
        Which output cell is explained, counted row by row from 0, and the number of the last.
    fill : bool
        Whether the output shows only the cells up to this one.
    seconds : float
        Time from one cell to the next while it plays.
    image : list of list of float
        A digit, from 0 to 1, whose feature map is shown too.
    pictures : list of str
        Names of the digit and of the photographs that can be chosen instead; without names there is no
        picture. Read-only.
    photographs : list of dict
        These photographs. Read-only.
    picture_index : int
        Which of `pictures` is chosen, counted from 0.
    stride, padding, dilation : int
        The settings of the convolution, the same along both axes. Those that leave no output can be set: the
        view then says why there is none.
    """

    _esm = join_scripts("convolution/view.js")
    _css = join_styles("shared/base.css", "convolution/view.css")
    height = (55.7, 79.9)
    late = ("photographs",)

    input = Matrix(INPUT, largest=12).tag(sync=True)
    kernel = Matrix(KERNEL, largest=7).tag(sync=True)
    inputs = traitlets.List(traitlets.Dict()).tag(sync=True)
    kernels = traitlets.List(traitlets.Dict()).tag(sync=True)
    input_index = traitlets.Int(0).tag(sync=True)
    kernel_index = traitlets.Int(0).tag(sync=True)
    position = traitlets.Int(0).tag(sync=True)
    last = traitlets.Int(0).tag(sync=True)
    fill = traitlets.Bool(False).tag(sync=True)
    seconds = traitlets.Float(0.8).tag(sync=True)
    image = Matrix([[0.0]], largest=32).tag(sync=True)
    pictures = traitlets.List(traitlets.Unicode(), read_only=True).tag(sync=True)
    photographs = traitlets.List(traitlets.Dict(), read_only=True).tag(sync=True)
    picture_index = traitlets.Int(0).tag(sync=True)

    stride = traitlets.Int(1).tag(sync=True)
    padding = traitlets.Int(0).tag(sync=True)
    dilation = traitlets.Int(1).tag(sync=True)

    step = renamed("step", "position", offset=1)
    steps = renamed("steps", "last", offset=1)

    def __init__(self, X: Any, K: Any, *, has_picture: bool, **traits: Any) -> None:
        super().__init__(input=X, kernel=K, **traits)
        if has_picture:
            self.image = [[round(value, 2) for value in row] for row in _digit(28).tolist()]
            self.set_trait("photographs", small_photographs())
            self.set_trait("pictures", ["a digit", *(one["name"] for one in self.photographs)])
        self._own = {"input": self.input, "kernel": self.kernel}
        self._count()
        self.observe(self._choose, ["input_index", "kernel_index"])
        self.observe(self._edit, ["input", "kernel"])
        self.observe(lambda _: self._count(), list(LIMITS))

    @classmethod
    def height_of(cls, state: Mapping[str, Any]) -> tuple[float, float]:
        """Return the height of the figure: without a picture, less."""
        return cls.height if state.get("pictures") else (34.6, 48.0)

    @traitlets.validate("input", "kernel")
    def _fits(self, proposal: Any) -> Rows:
        value = cast(Rows, proposal["value"])
        X, K = (value, self.kernel) if proposal["trait"].name == "input" else (self.input, value)
        try:
            self._size(X, K)
        except ValueError:
            message = f"kernel of {size(K)} cells must fit into the input of {size(X)}"
            raise traitlets.TraitError(message) from None
        return value

    @traitlets.validate("stride", "padding", "dilation")
    def _in_range(self, proposal: Any) -> int:
        name = proposal["trait"].name
        return int(within(name, proposal["value"], *LIMITS[name]))

    @traitlets.validate("input_index", "kernel_index")
    def _listed(self, proposal: Any) -> int:
        name = proposal["trait"].name
        choices = self.inputs if name == "input_index" else self.kernels
        return int(within(name, proposal["value"], 0, max(len(choices) - 1, 0)))

    @traitlets.validate("picture_index")
    def _offered(self, proposal: Any) -> int:
        return int(within("picture_index", proposal["value"], 0, max(len(self.pictures) - 1, 0)))

    @traitlets.validate("position")
    def _inside(self, proposal: Any) -> int:
        rows, columns = self.output_size()
        return int(within("position", proposal["value"], 0, rows * columns - 1))

    @traitlets.validate("seconds")
    def _not_too_fast(self, proposal: Any) -> float:
        return within("seconds", proposal["value"], 0.1, 5)

    def output_size(self) -> tuple[int, int]:
        """Return how many rows and columns the output has, or raise a ValueError that says why none."""
        return self._size(self.input, self.kernel)

    def _size(self, X: Rows, K: Rows) -> tuple[int, int]:
        return conv_output_size((len(X), len(X[0])), (len(K), len(K[0])), **self.options())

    def options(self) -> dict[str, Any]:
        """Return stride, padding and dilation, as functions take them."""
        return {name: getattr(self, name) for name in LIMITS}

    def _count(self) -> None:
        try:
            rows, columns = self.output_size()
        except ValueError:  # there is no output at present
            return
        self.position = min(self.position, rows * columns - 1)
        self.last = rows * columns - 1

    def _values(self, name: str, index: int) -> Rows:
        choices = getattr(self, f"{name}s")
        return cast(Rows, choices[index]["values"] if index else self._own[name])

    def _choose(self, change: Any) -> None:
        """Take the values of a choice, unless others were set together with it."""
        name = change["name"].removesuffix("_index")
        if getattr(self, name) == self._values(name, change["old"]):
            setattr(self, name, self._values(name, change["new"]))

    def _edit(self, change: Any) -> None:
        """Values that are none of the choices are the reader's own."""
        name, index = change["name"], f"{change['name']}_index"
        if change["new"] != self._values(name, getattr(self, index)):
            self._own[name] = change["new"]
            setattr(self, index, 0)
        self._count()


def convolution_explorer(
    X: Any = None,
    K: Any = None,
    *,
    cell: tuple[int, int] = (0, 0),
    stride: int = 1,
    padding: int = 0,
    dilation: int = 1,
    adjust: Sequence[str] = (),
) -> Figure:
    """Show a convolution whose numbers can be edited, one output cell after the other.

    Input, kernel and output stand side by side; the window of one output cell is marked in the input, and
    its sum of products is written out. Hover, focus or click an output cell to see its window, and an input
    cell to see which outputs it feeds. Known kernels and a real digit can be chosen; below, a picture stands
    beside its feature map: the same digit in more pixels, one of the course's photographs, made small and
    grey, or a photograph of the reader's own, which stays in the browser.

    Parameters
    ----------
    X : Tensor, array or nested list, optional
        The input to begin with, shape ``(H, W)``, at most 12×12.
    K : Tensor, array, nested list or str, optional
        The kernel to begin with, shape ``(k_h, k_w)``, at most 7×7 and not larger than `X`; or the name of
        one of those that can be chosen: "identity", "blur", "Sobel, vertical edges",
        "Sobel, horizontal edges", "sharpen" or "random".
    cell : (int, int)
        Row and column of the output cell that is explained first, counted from 0.
    stride, padding, dilation : int
        The settings of the convolution, the same along both axes: from 1 to 4, 0 to 4 and 1 to 3.
    adjust : sequence of {"stride", "padding", "dilation"}
        Those that get a slider. Such a figure is a small one: it has no lists of inputs and kernels, and no
        picture.

    Returns
    -------
    ipywidgets.VBox
        The controls and the view. Its ``view`` has what is shown as traits (``input``, ``kernel``,
        ``position``, …): they can be read, set and observed.

    Raises
    ------
    ValueError
        If `cell` lies outside the output, there is no output, `K` is a name that is not known, or `adjust`
        names another setting.

    Notes
    -----
    Values that cannot be shown, such as rows of different lengths or a kernel larger than the input, raise
    `traitlets.TraitError`, here and when a trait is set later.

    Introduced in: *Convolution*; stride, padding and dilation in *Padding and stride*.

    Examples
    --------
    >>> figure = convolution_explorer([[0, 1, 2], [3, 4, 5], [6, 7, 8]], [[0, 1], [2, 3]])
    >>> figure
    convolution_explorer(input 3×3, kernel 2×2)
    >>> figure.view.last
    3
    >>> figure.view.kernel_index = 1
    >>> figure.view.kernels[1]["name"], figure.view.last
    ('identity', 0)
    >>> strided = convolution_explorer(stride=2, adjust=["stride"])
    >>> list(strided.controls), strided.view.output_size()
    (['position', 'stride'], (2, 2))
    """
    for name in adjust:
        if name not in LIMITS:
            raise ValueError(f"adjust must hold names out of {', '.join(map(repr, LIMITS))}, got {name!r}")
    chosen = K if isinstance(K, str) else None
    if chosen is not None and chosen not in PRESETS:
        raise ValueError(f"K must be a matrix or one of {', '.join(map(repr, PRESETS))}, got {chosen!r}")
    view = ConvolutionView(
        INPUT if X is None else X,
        PRESETS[chosen] if chosen else KERNEL if K is None else K,
        has_picture=not adjust,
        stride=stride,
        padding=padding,
        dilation=dilation,
    )
    fitting = {name: K for name, K in PRESETS.items() if min(len(view.input), len(view.input[0])) >= 3}
    view.inputs = _choices({OWN: view.input, "a digit": (_digit(8) * 16).tolist()})
    view.kernels = _choices({OWN: view.kernel, **fitting})
    if chosen:
        view.kernel_index = 1 + list(fitting).index(chosen)
    row, column = cell
    rows, columns = view.output_size()
    if not (0 <= row < rows and 0 <= column < columns):
        raise ValueError(f"cell must lie inside the output of {rows}×{columns}, got {cell}")
    view.position = row * columns + column

    position = slider("Output cell", view.position, 0, view.last)
    return Figure(
        f"convolution_explorer(input {size(view.input)}, kernel {size(view.kernel)})",
        view,
        {"position": position, **_sliders(view, adjust)}
        if adjust
        else {
            "input_index": dropdown("Input", [choice["name"] for choice in view.inputs]),
            "kernel_index": dropdown(
                "Kernel", [choice["name"] for choice in view.kernels], view.kernel_index
            ),
            "position": position,
            "fill": checkbox("Fill up to this cell", view.fill),
            "seconds": float_slider("Seconds per step", view.seconds, 0.2, 2.0, 0.1),
        },
        picture=lambda: _draw(view),
        follow=[("last", position, "max")],
    )


def _sliders(view: ConvolutionView, names: Sequence[str]) -> dict[str, Any]:
    """Return a slider for each setting; more zeros than FULL has would be of no use."""
    full = max(len(view.kernel), len(view.kernel[0])) - 1
    limits = LIMITS | {"padding": (0, max(full, view.padding))}
    return {name: slider(name.capitalize(), getattr(view, name), *limits[name]) for name in names}


def _choices(values: dict[str, Rows]) -> list[dict[str, Any]]:
    return [{"name": name, "values": rows} for name, rows in values.items()]


def _digit(side: int) -> torch.Tensor:
    return load_digits(size=side).train.images[0, 0]


def _draw(view: ConvolutionView) -> Drawing:
    """Draw the view's state, laid out as in the browser."""
    try:
        _, columns = view.output_size()
    except ValueError as problem:
        ax = draw_grid(view.input)
        ax.figure.text(0, -0.02, f"Not possible: {problem}", va="top")
        return cast(Drawing, ax.figure)
    axes = draw_correlation(view.input, view.kernel, cell=divmod(view.position, columns), **view.options())
    return cast(Drawing, axes[0].figure)
