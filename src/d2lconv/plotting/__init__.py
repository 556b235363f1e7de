"""One way to draw tensors: the input blue, the kernel orange, the output green, from left to right.

Every function takes arrays or tensors and returns the axes that it drew on.
"""

from d2lconv.plotting.channels import draw_channels, draw_one_by_one
from d2lconv.plotting.connections import draw_connections, draw_separable
from d2lconv.plotting.curves import draw_curves
from d2lconv.plotting.effective import draw_effective_field
from d2lconv.plotting.fields import draw_receptive_field
from d2lconv.plotting.grids import draw_correlation, draw_grid
from d2lconv.plotting.images import draw_feature_maps, draw_images, draw_responses
from d2lconv.plotting.learning import draw_descent, draw_softmax
from d2lconv.plotting.linear import draw_linear
from d2lconv.plotting.networks import draw_confusion, draw_shapes
from d2lconv.plotting.pooling import draw_pooling
from d2lconv.plotting.style import PALETTE, use_course_style
from d2lconv.plotting.windows import draw_coverage, draw_padding_modes, draw_windows

__all__ = [
    "PALETTE",
    "draw_channels",
    "draw_confusion",
    "draw_connections",
    "draw_correlation",
    "draw_coverage",
    "draw_curves",
    "draw_descent",
    "draw_effective_field",
    "draw_feature_maps",
    "draw_grid",
    "draw_images",
    "draw_linear",
    "draw_one_by_one",
    "draw_padding_modes",
    "draw_pooling",
    "draw_receptive_field",
    "draw_responses",
    "draw_separable",
    "draw_shapes",
    "draw_softmax",
    "draw_windows",
    "use_course_style",
]
