"""The controls of interactive figures: ipywidgets' sliders, lists and check boxes, all with one look."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import ipywidgets as widgets  # type: ignore[import-untyped]

from d2lconv.language import translate

_WORDS = (None, "figures")  # the reader's language, and the sentences of figures


def slider(description: str, value: int, low: int, high: int) -> widgets.IntSlider:
    """Return a slider over integers."""
    return widgets.IntSlider(value, low, high, **_look(description))


def float_slider(description: str, value: float, low: float, high: float, step: float) -> widgets.FloatSlider:
    """Return a slider over numbers with a fraction."""
    return widgets.FloatSlider(value, min=low, max=high, step=step, **_look(description))


def dropdown(description: str, options: Sequence[str], index: int = 0) -> widgets.Dropdown:
    """Return a list to choose from; it is linked by the index of the choice."""
    return widgets.Dropdown(
        options=[translate(option, *_WORDS) for option in options], index=index, **_look(description)
    )


def checkbox(description: str, value: bool) -> widgets.Checkbox:
    """Return a check box."""
    return widgets.Checkbox(value, description=translate(description, *_WORDS), indent=False)


def value_of(control: widgets.Widget) -> str:
    """Return the name of the trait that holds a control's value."""
    return "index" if isinstance(control, widgets.Dropdown) else "value"


def _look(description: str) -> dict[str, Any]:
    return {"description": translate(description, *_WORDS), "style": {"description_width": "initial"}}
