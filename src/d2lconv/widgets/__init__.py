"""Interactive figures: sliders and editable numbers, in Jupyter, in Colab and on the book's pages.

Each function returns one box of ipywidgets: the last line of a cell shows it.
"""

from d2lconv.widgets.channels import channels_explorer
from d2lconv.widgets.convolution import convolution_explorer
from d2lconv.widgets.cost import cost_explorer
from d2lconv.widgets.feature_maps import feature_map_explorer
from d2lconv.widgets.gradient import gradient_explorer
from d2lconv.widgets.own_digit import own_digit
from d2lconv.widgets.padding import padding_explorer
from d2lconv.widgets.pooling import pooling_explorer
from d2lconv.widgets.receptive_field import receptive_field_explorer
from d2lconv.widgets.training import training_explorer

__all__ = [
    "channels_explorer",
    "convolution_explorer",
    "cost_explorer",
    "feature_map_explorer",
    "gradient_explorer",
    "own_digit",
    "padding_explorer",
    "pooling_explorer",
    "receptive_field_explorer",
    "training_explorer",
]
