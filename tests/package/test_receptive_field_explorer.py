"""The stack of layers to play with: traits and their errors, sizes, picture."""

import re

import ipywidgets
import pytest
import traitlets
from ipywidgets.embed import dependency_state

from d2lconv.shapes import Layer, conv_output_size, receptive_field
from d2lconv.widgets.receptive_field import receptive_field_explorer


@pytest.fixture
def figure():
    return receptive_field_explorer()


def test_it_is_made_of_sliders_and_one_view(figure):
    kinds = {state["model_name"] for state in dependency_state([figure]).values()}
    assert kinds == {
        *("AnyModel", "HBoxModel", "VBoxModel", "IntSliderModel", "LinkModel"),
        *("LayoutModel", "SliderStyleModel"),
    }
    assert [control.description for control in figure.controls.values()] == [
        "Layers",
        "Input cells",
        "Output cell",
    ]
    assert figure.controls["cell"].max == figure.view.last == 7
    assert all(isinstance(control, ipywidgets.IntSlider) for control in figure.controls.values())
    assert repr(figure) == "receptive_field_explorer(3 layers, 24 input cells)"


def test_six_layers_are_kept_though_fewer_are_used(figure):
    view = figure.view
    assert view.layers == [[3, 1, 1], [3, 2, 1], *[[3, 1, 1]] * 4]
    assert view.stack == [Layer(3), Layer(3, 2), Layer(3)]
    view.layers = [(5, 2, 1), (3, 1, 4)]
    view.depth = 2
    assert view.stack == [Layer(5, 2), Layer(3, 1, 0, 4)]
    view.depth = 1
    view.depth = 2
    assert view.stack == [Layer(5, 2), Layer(3, 1, 0, 4)]


@pytest.mark.parametrize("size", [1, 7, 24, 40])
@pytest.mark.parametrize("kernel", [1, 2, 3, 7])
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (4, 1), (1, 3), (3, 8)])
def test_number_of_output_cells_is_that_of_shapes(figure, size, kernel, stride, dilation):
    view = figure.view
    view.input_size = size
    view.layers = [[kernel, stride, dilation]]
    view.depth = 6
    cells = size
    for used, layer in enumerate(view.stack):
        try:
            cells = conv_output_size(cells, layer.kernel_size, stride=layer.stride, dilation=layer.dilation)
        except ValueError:
            assert view.fitting == view.stack[:used]
            return
    assert view.fitting == view.stack
    assert view.last == cells - 1
    top = receptive_field(view.stack)
    assert view.last * top.stride[0] + top.size[0] <= size


def test_a_cell_that_no_longer_exists_becomes_the_last(figure):
    figure.view.cell = 7
    figure.view.depth = 5
    assert (figure.view.cell, figure.view.last) == (3, 3)
    figure.view.depth = 1
    assert (figure.view.cell, figure.view.last) == (3, 21)


def test_changes_from_a_browser_arrive_together(figure):
    figure.view.set_state({"depth": 1, "last": 21, "cell": 20})
    assert (figure.view.depth, figure.view.last, figure.view.cell) == (1, 21, 20)
    figure.view.set_state({"input_size": 5, "cell": 2, "last": 2})
    assert (figure.view.last, figure.view.cell) == (2, 2)


@pytest.mark.parametrize(
    ("trait", "value", "message"),
    [
        ("input_size", 0, "input_size must be from 1 to 40, got 0"),
        ("input_size", 41, "input_size must be from 1 to 40, got 41"),
        ("input_size", 2.5, "expected an int"),
        ("depth", 7, "depth must be from 1 to 6, got 7"),
        ("cell", 8, "cell must be from 0 to 7, got 8"),
        ("cell", -1, "cell must be from 0 to 7, got -1"),
        ("layers", [], "layers must hold from 1 to 6 layers, got []"),
        ("layers", [[3, 1, 1]] * 7, "layers must hold from 1 to 6 layers, got [["),
        ("layers", "abc", "layers must hold from 1 to 6 layers, got 'abc'"),
        ("layers", [3], "layer 1 must be [kernel_size, stride, dilation], got 3"),
        ("layers", [[3, 1]], "layer 1 must be [kernel_size, stride, dilation], got [3, 1]"),
        ("layers", [[3, 1, 1], [8, 1, 1]], "kernel_size of layer 2 must be from 1 to 7, got 8"),
        ("layers", [[3, 0, 1]], "stride of layer 1 must be from 1 to 4, got 0"),
        ("layers", [[3, 1, 9]], "dilation of layer 1 must be from 1 to 8, got 9"),
        ("layers", [[True, 1, 1]], "kernel_size of layer 1 must be an integer, got True"),
        ("layers", [[3, 1.5, 1]], "stride of layer 1 must be an integer, got 1.5"),
    ],
)
def test_wrong_settings_are_refused(figure, trait, value, message):
    before = getattr(figure.view, trait)
    with pytest.raises(traitlets.TraitError, match=re.escape(message)):
        setattr(figure.view, trait, value)
    assert getattr(figure.view, trait) == before


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"layers": []}, "layers must hold from 1 to 6 layers, got 0"),
        ({"layers": [(1,)] * 7}, "layers must hold from 1 to 6 layers, got 7"),
        ({"layers": [(3,), (3, 1, 1)]}, "padding must be 0, got 1 in layer 2"),
        ({"layers": [(3,)], "cell": 22}, "cell must be from 0 to 21, got 22"),
        ({"layers": [(3,)], "cell": -1}, "cell must be from 0 to 21, got -1"),
        ({"layers": [(3,), (7,)], "input_size": 5}, "spans more cells than the padded input: 7 > 0 + 3 + 0"),
    ],
)
def test_wrong_arguments_are_refused(arguments, message):
    with pytest.raises(ValueError, match=re.escape(message)):
        receptive_field_explorer(**arguments)


def test_layers_may_be_given_as_layer_and_are_not_changed():
    layers = [Layer(3, dilation=2), (2, 2)]
    assert receptive_field_explorer(iter(layers), 12, cell=3).view.stack == [Layer(3, 1, 0, 2), Layer(2, 2)]


def test_picture_shows_the_present_state_also_where_a_layer_does_not_fit(figure):
    pictures = [figure._repr_mimebundle_()["image/svg+xml"] for _ in range(2)]
    assert pictures[0] == pictures[1]
    for state in ({"cell": 0}, {"depth": 6, "input_size": 10}, {"input_size": 1}):
        for name, value in state.items():
            setattr(figure.view, name, value)
        pictures.append(figure._repr_mimebundle_()["image/svg+xml"])
    assert len(set(pictures)) == 4
