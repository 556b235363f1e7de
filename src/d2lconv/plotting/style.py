"""The colours of the course, and the settings that its figures share."""

from __future__ import annotations

import sys
from typing import Any

import matplotlib.pyplot as plt
from cycler import cycler
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap

__all__ = ["PALETTE", "use_course_style"]

PALETTE = {
    "ink": "#1b1f24",
    "paper": "#ffffff",
    "muted": "#5b6470",
    "grid": "#c4cad2",
    "input": "#0072b2",
    "input_tint": "#d6e9f5",
    "kernel": "#b35900",
    "kernel_tint": "#fde5cc",
    "output": "#00785a",
    "output_tint": "#d3efe5",
    "padding": "#8a929c",
    "highlight": "#8f3a84",
    "highlight_tint": "#f3dff0",
    "good": "#00785a",
    "bad": "#b3261e",
}
"""Name -> colour. The book's style sheet gives each name a second colour for the dark theme."""

CURVES: Any = cycler(
    color=[PALETTE[name] for name in ("input", "kernel", "output", "highlight", "muted")],
    linestyle=["-", "--", "-.", ":", (0, (5, 1))],
)
"""Colour and dashes of each curve in turn: colour is never the only sign."""

SIGNED = LinearSegmentedColormap.from_list(
    "signed", [PALETTE["highlight"], PALETTE["paper"], PALETTE["output"]]
)
"""Purple below zero, white at zero, green above."""


def use_course_style() -> None:
    """Set the course's colours and, in a notebook, SVG that is the same byte for byte each time.

    Examples
    --------
    >>> use_course_style()
    >>> plt.rcParams["svg.hashsalt"]
    'd2lconv'
    """
    plt.rcParams.update(
        {
            "axes.axisbelow": True,
            "axes.edgecolor": PALETTE["muted"],
            "axes.grid": True,
            "axes.labelcolor": PALETTE["ink"],
            "axes.prop_cycle": CURVES,
            "axes.spines.right": False,
            "axes.spines.top": False,
            "figure.constrained_layout.use": True,
            "figure.facecolor": PALETTE["paper"],
            "figure.figsize": (5.6, 3.2),
            "font.size": 11,
            "grid.color": PALETTE["grid"],
            "grid.linewidth": 0.6,
            "image.interpolation": "none",  # an SVG keeps each pixel once, and viewers draw it as a square
            "legend.frameon": False,
            "lines.linewidth": 2,
            "path.simplify": False,  # how many points are left would hang on the processor's rounding
            "savefig.facecolor": PALETTE["paper"],
            "svg.fonttype": "path",
            "svg.hashsalt": "d2lconv",
            "text.color": PALETTE["ink"],
            "xtick.color": PALETTE["muted"],
            "xtick.labelcolor": PALETTE["ink"],
            "ytick.color": PALETTE["muted"],
            "ytick.labelcolor": PALETTE["ink"],
        }
    )
    ipython = sys.modules.get("IPython")
    if ipython is not None and ipython.get_ipython() is not None:
        from matplotlib_inline.backend_inline import set_matplotlib_formats

        set_matplotlib_formats("svg", metadata={"Date": None})  # type: ignore[no-untyped-call]


def frame_picture(ax: Axes) -> None:
    """Put a thin frame around a picture, and no numbers beside it."""
    ax.set_xticks([])
    ax.set_yticks([])
    ax.spines[:].set_visible(True)
    ax.spines[:].set_color(PALETTE["grid"])
