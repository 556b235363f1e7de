"""The kinds of exercises, for those who write one. CONTRIBUTING.md says how.

`Function`, `Debug` and `Setting` try an answer on `Cases`; `Value` and `Choice` have one answer; `Network`
looks at what a module costs and does.
"""

import warnings

from d2lconv.exercises.engine.cases import Case, Cases, RandomInputs
from d2lconv.exercises.engine.exercise import Exercise, Misconception
from d2lconv.exercises.engine.functions import Debug, Function, Setting
from d2lconv.exercises.engine.networks import Network, Rule
from d2lconv.exercises.engine.parsers import numbers_named, tensor_of_shape
from d2lconv.exercises.engine.runs import Run
from d2lconv.exercises.engine.values import Choice, Value

__all__ = [
    "Case",
    "Cases",
    "Choice",
    "Debug",
    "Exercise",
    "Function",
    "Misconception",
    "Network",
    "RandomInputs",
    "Rule",
    "Run",
    "Setting",
    "Value",
    "numbers_named",
    "tensor_of_shape",
]

_RENAMED = {"Wrong": Misconception, "Draw": RandomInputs}


def __getattr__(name: str) -> type:
    """Return a kind by its former name, with a DeprecationWarning."""
    if name not in _RENAMED:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    new = _RENAMED[name]
    warnings.warn(f"{name} is now called {new.__name__}", DeprecationWarning, stacklevel=2)
    return new
