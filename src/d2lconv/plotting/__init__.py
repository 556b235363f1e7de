"""One way to draw tensors: the input blue, the kernel orange, the output green, from left to right.

Every function takes arrays or tensors and returns the axes that it drew on.
"""

from d2lconv.plotting.grids import draw_correlation, draw_grid
from d2lconv.plotting.images import draw_feature_maps, draw_images
from d2lconv.plotting.style import PALETTE, use_course_style

__all__ = ["PALETTE", "draw_correlation", "draw_feature_maps", "draw_grid", "draw_images", "use_course_style"]
