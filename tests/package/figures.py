"""Read a figure back: its cells with their numbers, roles and marks."""

from __future__ import annotations

import io
from typing import NamedTuple

import matplotlib.pyplot as plt
from matplotlib.colors import to_hex
from matplotlib.patches import Rectangle

from d2lconv.plotting import PALETTE, use_course_style

ROLES = {PALETTE[role]: role for role in ("input", "kernel", "output", "padding", "highlight")}


class Cell(NamedTuple):
    row: float
    column: float
    text: str
    role: str
    marked: bool


def cells(ax):
    """Return the cells in the order in which they were drawn."""
    texts = {_rounded(*text.get_position()): text.get_text() for text in ax.texts}
    found = []
    for patch in ax.patches:
        if isinstance(patch, Rectangle) and not is_frame(patch) and not patch.get_hatch():
            at = _rounded(patch.get_x() + 0.5, patch.get_y() + 0.5)
            edge = ROLES[to_hex(patch.get_edgecolor())]
            marked = edge == "highlight"
            assert marked == (to_hex(patch.get_facecolor()) == PALETTE["highlight_tint"])
            found.append(Cell(at[1], at[0], texts.get(at, ""), edge, marked))
    return found


def texts_of(ax, role):
    """Return the texts of the cells of a role; of a marked cell the role can't be told."""
    return [cell.text for cell in cells(ax) if cell.role == role]


def marked(ax):
    """Return the texts of the marked cells."""
    return [cell.text for cell in cells(ax) if cell.marked]


def is_frame(patch):
    return isinstance(patch, Rectangle) and patch.get_linewidth() == 2.2


def frames(ax):
    """Return (row, column, height, width, dashed) of each frame around a position of the kernel."""
    return [
        (
            *_rounded(patch.get_y() + 0.5, patch.get_x() + 0.5),
            patch.get_height(),
            patch.get_width(),
            patch.get_linestyle() != "-",
        )
        for patch in ax.patches
        if is_frame(patch)
    ]


def hatched(ax):
    """Return (row, column) of the cells that are crossed out."""
    return [_rounded(patch.get_y() + 0.5, patch.get_x() + 0.5) for patch in ax.patches if patch.get_hatch()]


def lines(ax, colour):
    """Return the ends ((column, row), (column, row)) of the lines of a colour."""
    return [
        tuple(map(tuple, line.get_xydata()))
        for line in ax.lines
        if to_hex(line.get_color()) == PALETTE[colour]
    ]


def below(ax):
    """Return the line below a figure."""
    return ax.texts[-1].get_text().replace("\n", " ")


def svg(draw):
    """Return a figure in the course's style as SVG, in the bytes that a notebook would get."""
    with plt.rc_context():
        use_course_style()
        draw()
        file = io.BytesIO()
        plt.savefig(file, format="svg", metadata={"Date": None}, bbox_inches="tight")
        plt.close()
    return file.getvalue()


def _rounded(x, y):
    return round(float(x), 6), round(float(y), 6)
