"""The kinds of exercises, for those who write one. CONTRIBUTING.md says how.

`Function`, `Debug` and `Setting` try an answer on `Cases`; `Value` and `Choice` have one answer; `Network`
looks at what a module costs and does.
"""

from d2lconv.exercises._answers import Choice, Value
from d2lconv.exercises._cases import Case, Cases, Draw
from d2lconv.exercises._compared import Debug, Function, Setting
from d2lconv.exercises._exercise import Exercise, Wrong
from d2lconv.exercises._networks import Network, Rule
from d2lconv.exercises._settings import numbers_named, tensor_of_shape

__all__ = [
    "Case",
    "Cases",
    "Choice",
    "Debug",
    "Draw",
    "Exercise",
    "Function",
    "Network",
    "Rule",
    "Setting",
    "Value",
    "Wrong",
    "numbers_named",
    "tensor_of_shape",
]
