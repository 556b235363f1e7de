"""Convolutional networks in PyTorch: the helper package of the d2lconv course.

``import d2lconv`` loads none of its modules, and so neither PyTorch nor Matplotlib. Each module loads when it
is first used.

>>> import d2lconv
>>> d2lconv.shapes.conv_output_size(28, 5, padding=2)
28
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2lconv import (
        data,
        exercises,
        language,
        models,
        ops,
        plotting,
        questions,
        shapes,
        summary,
        training,
        widgets,
    )

    __version__: str

__all__ = [
    "__version__",
    "data",
    "exercises",
    "language",
    "models",
    "ops",
    "plotting",
    "questions",
    "shapes",
    "summary",
    "training",
    "widgets",
]


def __getattr__(name: str) -> object:
    """Load a module of the package, or look up the version, when it is first asked for."""
    if name == "__version__":
        from importlib.metadata import version

        return version(__name__)
    if name in __all__:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
