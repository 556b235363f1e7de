"""Networks as stacks of maps, and confusion matrices: their sizes, texts, roles and marks."""

import matplotlib.pyplot as plt
import numpy as np
import pytest
import torch
from matplotlib.colors import to_hex
from tests.package.figures import cells

from d2lconv.plotting import PALETTE, draw_confusion, draw_shapes


@pytest.fixture(autouse=True)
def _close_figures():
    yield
    plt.close("all")


def words(ax):
    return [text.get_text() for text in ax.texts]


class TestShapes:
    def test_as_many_maps_as_channels_all_on_one_scale(self):
        ax = draw_shapes([(1, 8, 4), (3, 4, 2)])
        sizes = [(patch.get_height(), patch.get_width()) for patch in ax.patches]
        (height, width), *smaller = sizes
        assert len(smaller) == 3
        assert height == pytest.approx(2 * width)
        assert np.array(smaller) == pytest.approx(np.array([[height / 2, width / 2]] * 3))

    def test_columns_on_a_scale_of_their_own(self):
        image, *columns = draw_shapes([(1, 8, 8), (120,), (30,)]).patches
        assert columns[0].get_height() == pytest.approx(4 * columns[1].get_height())
        assert columns[0].get_height() == pytest.approx(image.get_height())

    def test_the_input_is_blue_and_the_rest_green(self):
        edges = [
            to_hex(patch.get_edgecolor()) for patch in draw_shapes([(1, 8, 8), (2, 4, 4), (10,)]).patches
        ]
        assert edges == [PALETTE["input"]] + 3 * [PALETTE["output"]]

    def test_stacks_stand_apart_in_order(self):
        ax = draw_shapes([(1, 8, 8), (40, 8, 8), (300,), (2,)])
        starts = np.array([patch.get_x() for patch in ax.patches])
        ends = starts + np.array([patch.get_width() for patch in ax.patches])
        assert ends[0] < starts[1]
        assert ends[1:41].max() < starts[41]
        assert ends[41] < starts[42]

    def test_sizes_below_labels_above(self):
        ax = draw_shapes([(1, 8, 4), (10,)], labels=["image", "scores"])
        assert words(ax) == ["1\n8×4", "image", "10", "scores"]
        heights = [text.get_position()[1] for text in ax.texts]
        assert heights[1] < min(p.get_y() for p in ax.patches)
        assert heights[0] > max(p.get_y() + p.get_height() for p in ax.patches)

    @pytest.mark.parametrize(
        ("shapes", "labels", "message"),
        [
            ([], (), "at least one"),
            ([(1, 8, 8), (4, 4)], (), r"\(C, H, W\) or \(n,\), .*got \[\(1, 8, 8\), \(4, 4\)\]"),
            ([(1, 8, 8)], ("a", "b"), "each of the 1 shapes, got 2"),
            ([(0,)], (), "at least 1"),
        ],
    )
    def test_wrong_shapes_are_named(self, shapes, labels, message):
        with pytest.raises(ValueError, match=message):
            draw_shapes(shapes, labels=labels)

    def test_sizes_are_integers(self):
        with pytest.raises(TypeError, match="shapes"):
            draw_shapes([(1.5,)])


class TestConfusion:
    def test_right_predictions_are_green_wrong_ones_marked_zeros_empty(self):
        counts = torch.tensor([[8, 2, 0], [0, 9, 1], [0, 0, 0]])
        found = {(cell.row, cell.column): cell for cell in cells(draw_confusion(counts))}
        assert {at: cell.text for at, cell in found.items() if cell.text} == {
            (0, 0): "8",
            (0, 1): "2",
            (1, 1): "9",
            (1, 2): "1",
        }
        assert [at for at, cell in found.items() if cell.marked] == [(0, 1), (1, 2)]
        assert {at for at, cell in found.items() if cell.role == "output"} == {(0, 0), (1, 1), (2, 2)}

    def test_short_names_on_both_sides(self):
        ax = draw_confusion([[1, 0], [0, 1]], names=["7", "9"])
        assert words(ax) == ["7", "7", "1", "9", "9", "1", "class", "predicted"]

    def test_long_names_in_the_rows_only(self):
        ax = draw_confusion([[1, 0], [0, 1]], names=["Coat", "Ankle boot"])
        assert words(ax) == ["0 Coat", "0", "1", "1 Ankle boot", "1", "1", "class", "predicted"]

    @pytest.mark.parametrize(
        ("counts", "names", "message"),
        [
            ([[1, 2]], (), r"got \(1, 2\)"),
            (torch.zeros(0, 0), (), r"got \(0, 0\)"),
            ([[0.5]], (), "whole numbers"),
            ([[-1]], (), "whole numbers"),
            ([[1]], ("a", "b"), "each of the 1 classes, got 2"),
        ],
    )
    def test_wrong_counts_are_named(self, counts, names, message):
        with pytest.raises(ValueError, match=message):
            draw_confusion(counts, names=names)
