"""The cells that every figure is made of, the numbers in them, and what is drawn around them."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Sequence
from typing import Literal, cast

import matplotlib.pyplot as plt
import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.layout_engine import PlaceHolderLayoutEngine
from matplotlib.patches import Rectangle
from torch import Tensor

from d2lconv.plotting.style import PALETTE

Array = Tensor | npt.NDArray[np.generic] | Sequence[object]
"""What the drawing functions accept."""

Role = Literal["input", "kernel", "output"]

CELL = 0.44
"""Side of a grid's cell in inches."""

WIDTH = 5.0
"""Widest that a figure gets, in inches, before its cells get smaller. A phone shows it at 2/3 size."""


def canvas(left: float, right: float, top: float, bottom: float, *, cell: float | None = None) -> Axes:
    """Return axes without a frame whose unit is one cell, with rows counted downwards.

    The cells are `CELL` wide, or less if the figure would be wider than `WIDTH` inches.
    """
    side = min(CELL, WIDTH / (right - left)) if cell is None else cell
    engine = PlaceHolderLayoutEngine(adjust_compatible=True, colorbar_gridspec=False)  # moves nothing
    figure = plt.figure(figsize=((right - left) * side, (bottom - top) * side), layout=engine)
    ax = figure.add_axes((0, 0, 1, 1))
    ax.set_xlim(left, right)
    ax.set_ylim(bottom, top)
    ax.set_aspect("equal")
    ax.axis("off")
    return ax


def write(
    ax: Axes,
    row: float,
    column: float,
    text: str,
    *,
    colour: str = "ink",
    size: float = 11,
    ha: str = "center",
    va: str = "center",
) -> None:
    """Write a text at a position given in cells, in a colour of the palette."""
    ax.text(column, row, text, color=PALETTE[colour], fontsize=size, ha=ha, va=va, zorder=5)


def _figure(ax: Axes) -> Figure:
    return cast(Figure, ax.figure)  # we make no figures within figures


def write_below(ax: Axes, text: str) -> None:
    """Make room below all that is drawn on a canvas, and write a line there, broken where the figure ends."""
    figure = _figure(ax)
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    inches = figure.get_figwidth()
    lines = textwrap.wrap(text, int(72 * inches / 6.8))
    room = (0.2 * len(lines) + 0.2) * (right - left) / inches
    write(ax, bottom + room / 2, (left + right) / 2, "\n".join(lines))
    ax.set_ylim(bottom + room, top)
    figure.set_figheight((bottom + room - top) * inches / (right - left))


def draw_cell(
    ax: Axes, row: float, column: float, text: str, role: str, *, marked: bool = False, size: float = 11
) -> None:
    """Draw one cell and its text; role "padding" stands for what is around an input."""
    around = role == "padding"
    face = PALETTE["highlight_tint"] if marked else "none" if around else PALETTE[f"{role}_tint"]
    ax.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            1,
            1,
            facecolor=face,
            edgecolor=PALETTE["highlight"] if marked else PALETTE[role],
            linewidth=2 if marked else 0.8,
            linestyle=":" if around and not marked else "-",
            zorder=2 if marked else 1,
        )
    )
    if text:
        colour = "muted" if around else "ink"
        write(ax, row, column, text, colour=colour, size=min(size, _fitting_size(ax, text)))


def _fitting_size(ax: Axes, text: str) -> float:
    """Return the font size in points at which a text fills a cell of the axes."""
    left, right = ax.get_xlim()
    inches = _figure(ax).get_figwidth() * ax.get_position().width / abs(right - left)
    letters = sum(0.84 if letter == "−" else 0.32 if letter == "." else 0.64 for letter in text)
    return float(0.87 * 72 * inches / max(letters, 1))


def draw_cells(
    ax: Axes,
    matrix: npt.NDArray[np.float64],
    role: str,
    *,
    at: tuple[float, float] = (0, 0),
    window: Collection[tuple[int, int]] = (),
    padding: tuple[int, int, int, int] = (0, 0, 0, 0),
    filler: str = "0",
) -> None:
    """Draw a matrix with ``filler`` in its padding; the first cell, padding or not, lies at ``at``."""
    top, bottom, left, right = padding
    height, width = matrix.shape
    numbers = [[short(value) for value in row] for row in matrix]
    size = min((_fitting_size(ax, text) for row in numbers for text in row), default=11)
    for row in range(top + height + bottom):
        for column in range(left + width + right):
            inner = top <= row < top + height and left <= column < left + width
            draw_cell(
                ax,
                at[0] + row,
                at[1] + column,
                numbers[row - top][column - left] if inner else filler,
                role if inner else "padding",
                marked=(row, column) in window,
                size=min(size, 11),
            )


def draw_frame(
    ax: Axes, row: float, column: float, height: float, width: float, *, dashed: bool = False
) -> None:
    """Draw a position of the kernel: a thick line around the cells from (row, column) on."""
    ax.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            width,
            height,
            facecolor="none",
            edgecolor=PALETTE["kernel"],
            linewidth=2.2,
            linestyle=(0, (3, 2)) if dashed else "-",
            zorder=4,
        )
    )


def draw_line(
    ax: Axes,
    rows: Sequence[float],
    columns: Sequence[float],
    *,
    colour: str,
    width: float,
    above: bool = False,
) -> None:
    """Draw a solid line through the points, behind the cells; ``above`` other lines or below them."""
    ax.plot(
        columns, rows, color=PALETTE[colour], linestyle="-", linewidth=width, zorder=0.6 if above else 0.4
    )


def draw_hatching(ax: Axes, row: float, column: float) -> None:
    """Hatch a cell that is not used."""
    ax.add_patch(
        Rectangle(
            (column - 0.5, row - 0.5),
            1,
            1,
            facecolor="none",
            edgecolor=PALETTE["padding"],
            hatch="///",
            linewidth=0,
            zorder=3,
        )
    )


def as_array(values: Array) -> npt.NDArray[np.float64]:
    if isinstance(values, Tensor):
        values = values.detach().cpu().numpy()
    return np.asarray(values, dtype=np.float64)


def short(value: float) -> str:
    """Write a number briefly: integers as such, others with at most two digits after the point."""
    rounded = round(float(value), 2) or 0.0  # no minus zero
    return f"{rounded:g}".replace("-", "−")


def factor(value: float) -> str:
    """Write a number that stands in a product: in brackets if it is negative."""
    return f"({short(value)})" if value < 0 else short(value)


def subscript(number: int) -> str:
    return str(number).translate(str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉"))
