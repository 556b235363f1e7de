"""Shape arithmetic: output sizes, padding modes, receptive fields. Needs the standard library only.

Heights and widths obey the same rule, so each function takes an int (one axis) or a pair (height, width).
"""

from d2lconv.shapes.fields import Layer, ReceptiveField, receptive_field
from d2lconv.shapes.sizes import conv_output_size, padding_for, pool_output_size
from d2lconv.shapes.solving import ConvSetting, solve_conv

__all__ = [
    "ConvSetting",
    "Layer",
    "ReceptiveField",
    "conv_output_size",
    "padding_for",
    "pool_output_size",
    "receptive_field",
    "solve_conv",
]
