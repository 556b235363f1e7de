"""What all drawn figures keep: the palette's colours only, the same bytes each time, a phone's width."""

import re

import matplotlib.pyplot as plt
import pytest
import torch
from tests.package.figures import svg

from d2lconv import plotting
from d2lconv.plotting import PALETTE


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


LENET = [(1, 28, 28), (6, 28, 28), (6, 14, 14), (16, 10, 10), (16, 5, 5), (120,), (84,), (10,)]
X = torch.arange(18.0).reshape(2, 3, 3)
FIGURES = {
    "draw_channels": lambda: plotting.draw_channels(X, torch.ones(4, 1, 2, 2), [1, 2, 3, 4.0], groups=2),
    "draw_confusion": lambda: plotting.draw_confusion([[5, 1], [0, 6]], names=["coat", "shirt"]),
    "draw_connections": lambda: plotting.draw_connections(4, 4, groups=(1, 2, 4)),
    "draw_correlation": lambda: plotting.draw_correlation(X[0], X[1, :2, :2], padding=1),
    "draw_coverage": lambda: plotting.draw_coverage((6, 5), 3, stride=2, padding=(1, 0)),
    "draw_grid": lambda: plotting.draw_grid(X[0], padding=(1, 1, 1, 1), window=[(1, 1)]),
    "draw_linear": lambda: plotting.draw_linear(X[0, 1], X[0], [1, -2.5, 3], neuron=1),
    "draw_one_by_one": lambda: plotting.draw_one_by_one(X, torch.ones(3, 2, 1, 1)),
    "draw_padding_modes": lambda: plotting.draw_padding_modes(5, 3),
    "draw_pooling": lambda: plotting.draw_pooling(X[0], 2, ceil_mode=True, padding=1),
    "draw_receptive_field": lambda: plotting.draw_receptive_field([(3, 2, 1), (3, 1, 1, 2)], 12),
    "draw_separable": lambda: plotting.draw_separable(4, 6),
    "draw_shapes": lambda: plotting.draw_shapes(LENET, labels="abcdefgh"),
    "draw_windows": lambda: plotting.draw_windows(6, 3, stride=2, dilation=2, padding=1),
}
LAID_OUT = {"draw_correlation", "draw_grid"}  # by Matplotlib
WITH_MAPS = {"draw_effective_field", "draw_feature_maps", "draw_images", "draw_responses"}
WITH_CURVES = {"draw_curves", "draw_descent", "draw_softmax"}


def test_every_figure_is_looked_at():
    assert set(FIGURES) | WITH_MAPS | WITH_CURVES == {
        name for name in plotting.__all__ if name.startswith("draw_")
    }


@pytest.mark.parametrize("name", FIGURES)
def test_has_the_palettes_colours_only(name):
    text = svg(FIGURES[name]).decode()
    colours = set(re.findall(r"#[0-9a-f]{6}\b", text))
    assert len(colours) > 3
    assert colours <= set(PALETTE.values())
    assert not re.search(r"(fill|stroke): ?(?!none|#|url)[a-z]", text)
    assert "<image" not in text


@pytest.mark.parametrize("name", ["draw_channels", "draw_receptive_field", "draw_windows"])
def test_is_the_same_byte_for_byte(name):
    assert svg(FIGURES[name]) == svg(FIGURES[name])


@pytest.mark.parametrize("name", FIGURES)
def test_can_be_read_on_a_phone_and_keeps_its_texts_inside(name):
    with plt.rc_context():
        plotting.use_course_style()  # whose lines differ in their dashes, one after the other
        axes = FIGURES[name]()
    axes = axes if isinstance(axes, tuple) else (axes,)
    for ax in axes:
        assert {line.get_linestyle() for line in ax.lines} <= {"-"}
    ax = axes[0]
    width, height = ax.figure.get_size_inches()
    assert width <= 5.2 or name == "draw_correlation"
    scale = min(1, 330 / (72 * width))
    assert min(text.get_fontsize() for text in ax.texts) * scale >= 6
    if name in LAID_OUT:
        return
    (left, right), (bottom, top) = ax.get_xlim(), ax.get_ylim()
    assert width / (right - left) == pytest.approx(height / (bottom - top))
    renderer = ax.figure.canvas.get_renderer()
    edge = ax.figure.bbox
    for text in ax.texts:
        box = text.get_window_extent(renderer)
        assert edge.x0 <= box.x0 <= box.x1 <= edge.x1, text
        assert edge.y0 <= box.y0 <= box.y1 <= edge.y1, text
