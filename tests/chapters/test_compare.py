"""The comparison accepts what is equal within its tolerance, and names what is not."""

import base64
import copy
import io
import re

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_output
from PIL import Image
from tests.chapters.compare import (
    EXACT,
    TIMES,
    VIEW,
    Tolerance,
    compare_drawings,
    compare_outputs,
    compare_pictures,
    compare_states,
    compare_texts,
    tolerance_of,
)

CLOSE = Tolerance(rel=0.02, abs=0.01)


# ---- marks ----


def test_marks_are_read():
    marks = {
        EXACT: {},
        TIMES: {"d2lconv": {"times": True}},
        Tolerance(abs=3, pixels=8): {"d2lconv": {"tolerance": {"abs": 3, "pixels": 8}}},
    }
    assert all(tolerance_of(new_code_cell(metadata=mark)) == wanted for wanted, mark in marks.items())


@pytest.mark.parametrize(
    "mark", [{"times": False}, {"tolerance": {}}, {"tolerance": {"relative": 1}}, {"skip": 1}]
)
def test_an_unknown_mark_is_refused(mark):
    with pytest.raises(ValueError, match="unknown mark"):
        tolerance_of(new_code_cell(metadata={"d2lconv": mark}))


# ---- text and tables ----

EQUAL_TEXTS = [
    ("epoch 3  loss 0.971", "epoch 3  loss 0.985", CLOSE),
    ("loss  9.99", "loss 10.05", CLOSE),
    ("3.1e-05 of 61,706", "3.15e-05 of 61,800", CLOSE),
    ("[1., -0.5]", "[0.99, -0.505]", CLOSE),
    ("took 12.3 s, 4 times", "took 1.9 s, 8 times", TIMES),
    ("<td style='width: 3px'>0.971</td>", "<td style='width: 3px'>0.975</td>", CLOSE),
]
OTHER_TEXTS = [
    ("loss 0.971", "loss 0.972", EXACT, "- loss 0.971"),
    (
        "loss 0.971",
        "loss 0.930",
        CLOSE,
        "after 'loss': stored 0.971, now 0.930 (allowed: relative 0.02, absolute 0.01)",
    ),
    ("loss 0.971", "cost 0.971", CLOSE, "+ cost 0.971"),
    ("0.5 0.5", "0.5", CLOSE, "- 0.5 0.5"),
    ("nan", "0.5", CLOSE, "- nan"),
    ("Conv2d(1, 6)", "Conv3d(1, 6)", Tolerance(abs=5), "+ Conv3d"),
    ("took 12.3 s", "took 12.3 ms", TIMES, "+ took 12.3 ms"),
    ("<td class='x1'>0.5</td>", "<td class='x2'>0.5</td>", Tolerance(abs=5), "class='x2'"),
    ("<td width='10'>0.5</td>", "<td width='11'>0.5</td>", Tolerance(abs=5), "width='11'"),
    ("a\nb\n" * 50, "", EXACT, "and 84 more lines"),
]


@pytest.mark.parametrize(("stored", "fresh", "tolerance"), EQUAL_TEXTS)
def test_texts_within_the_tolerance_are_equal(stored, fresh, tolerance):
    kind = "text/html" if "<" in stored else "stdout"
    assert compare_texts(kind, stored, fresh, tolerance) == []
    assert compare_texts(kind, stored, stored) == []
    assert compare_texts(kind, stored, fresh) != []


@pytest.mark.parametrize(("stored", "fresh", "tolerance", "message"), OTHER_TEXTS)
def test_other_texts_are_not(stored, fresh, tolerance, message):
    found = compare_texts("text/html" if "<" in stored else "stdout", stored, fresh, tolerance)
    assert message in "\n".join(found)
    assert len(found) < 20


# ---- drawings and pictures ----


def draw(ratio=0.5, *, value=3, label="0.971", color="C0", salt="d2lconv", title="a", width=4.0, pixels=None):
    figure, file = Figure(figsize=(width, 3)), io.BytesIO()
    axes = figure.add_axes((0.1, 0.1, ratio, 0.8))
    axes.plot([1, 2, value], marker="o", color=color)
    axes.set_ylim(0, 4)
    axes.text(1, 2, label)
    axes.set_title(title)
    if pixels is not None:
        axes.imshow(pixels)
    with mpl.rc_context({"svg.hashsalt": salt}):
        figure.savefig(file, format="svg", metadata={"Date": None})
    return file.getvalue().decode()


def test_drawings_are_equal_within_half_a_pixel():
    assert draw() != draw(0.501)
    assert compare_drawings(draw(), draw(0.501)) == []
    assert compare_drawings(draw(), draw(0.51), Tolerance(pixels=4)) == []


def test_names_made_of_a_drawing_do_not_count():
    assert draw() != draw(salt="other")
    assert compare_drawings(draw(), draw(salt="other")) == []
    other = re.sub(r"DejaVuSans-(\w+)", r"Sans-\1-3", draw()).replace(mpl.__version__, "3.10.0")
    assert compare_drawings(draw(), other) == []


OTHER_DRAWINGS = [
    (draw(0.51), EXACT, r"drawing, patch_2, path, d: stored \S+, now \S+: \S+ pixels \(allowed: 0.5\)"),
    (draw(value=2.5), EXACT, "line2d_.*, path, d"),
    (draw(color="C1"), EXACT, "style"),
    (draw(title="b"), EXACT, "text_.*label"),
    (draw(label="0.93"), CLOSE, r"label, after '': stored 0.971, now 0.93 \(allowed: relative 0.02"),
    (draw(label="0.97"), EXACT, "label"),
    (draw(width=4.1), EXACT, "figure, svg, (width|viewBox)"),
    (draw().replace('<g id="text_', '<g class="x" id="text_', 1), EXACT, "attributes of g"),
    (draw().replace('<g id="patch_3"', '<g/><g id="patch_3"'), EXACT, "elements in g"),
    (re.sub(r'(<use xlink:href="#DejaVuSans-)13"', r'\g<1>14"', draw(), count=1), EXACT, "use"),
    (re.sub(r'(<use xlink:href="#m\w+" x=")', r"\g<1>1", draw(), count=1), EXACT, "use, x"),
]


@pytest.mark.parametrize(("fresh", "tolerance", "message"), OTHER_DRAWINGS, ids=range(len(OTHER_DRAWINGS)))
def test_other_drawings_are_not(fresh, tolerance, message):
    assert fresh != draw()
    found = "\n".join(compare_drawings(draw(), fresh, tolerance))
    assert re.search(message, found), found


def test_labels_are_compared_as_texts():
    assert compare_drawings(draw(label="0.971"), draw(label="0.98"), CLOSE) == []


def test_only_the_size_of_a_drawing_may_be_compared():
    assert compare_drawings(draw(), draw(title="b"), Tolerance(drawing=False)) == []
    found = compare_drawings(draw(), draw(width=4.1), Tolerance(drawing=False))
    assert found[0] == "size of a drawing:"
    assert compare_drawings(draw(), draw(width=4.1), Tolerance(drawing=False, pixels=8)) == []


def png(array, **options):
    file = io.BytesIO()
    Image.fromarray(array).save(file, "png", **options)
    return base64.b64encode(file.getvalue()).decode()


GRAY = np.tile(np.arange(100, 180, dtype=np.uint8), (40, 1))


def test_pictures_are_equal_by_their_pixels():
    assert png(GRAY) != png(GRAY, compress_level=0)
    assert compare_pictures(png(GRAY), png(GRAY, compress_level=0)) == []
    assert compare_pictures(png(GRAY), png(GRAY + 2)) == []
    assert compare_pictures(png(GRAY), png(GRAY + 9), Tolerance(levels=9)) == []
    assert compare_pictures(png(GRAY), png(np.vstack([GRAY, GRAY[-1:]]))) == []  # half a pixel higher


def test_other_pictures_are_not():
    spoiled = GRAY.copy()
    spoiled[3, 5] = 0
    assert "differs in 1 of 3200 pixels" in compare_pictures(png(GRAY), png(spoiled))[0]
    assert "in row 3, column 5" in compare_pictures(png(GRAY), png(spoiled))[0]
    assert compare_pictures(png(GRAY), png(GRAY + 3))
    assert compare_pictures(png(GRAY), png(GRAY[:, ::-1]))
    assert compare_pictures(png(GRAY), png(GRAY[:-2]))[1:] == ["  stored: 80×40", "  now:    80×38"]


def test_pictures_in_drawings_are_compared():
    digit = np.eye(4)
    assert compare_drawings(draw(pixels=digit), draw(pixels=digit, salt="other")) == []
    assert "a picture differs" in "".join(compare_drawings(draw(pixels=digit), draw(pixels=digit[::-1])))


# ---- outputs ----


def shown(**data):
    return new_output("display_data", data={kind.replace("_", "/"): value for kind, value in data.items()})


def test_outputs_must_be_of_the_same_kinds():
    text, html = shown(text_plain="3"), shown(text_plain="3", text_html="<b>3</b>")
    stream = new_output("stream", name="stdout", text="3\n")
    assert compare_outputs([text, stream], [text, stream]) == []
    assert compare_outputs([html], [text])[1:] == ["  stored: text/html + text/plain", "  now:    text/plain"]
    assert compare_outputs([], [text])[1:] == ["  stored: none", "  now:    text/plain"]
    assert compare_outputs([stream], [text])
    assert compare_outputs([html], [shown(text_plain="3", text_html="<b>4</b>")])


def test_the_id_of_a_widget_is_another_in_each_run():
    one, other = (new_output("display_data", data={VIEW: {"model_id": name, "version": 2}}) for name in "ab")
    assert compare_outputs([one], [other]) == []


# ---- the saved state of figures ----


def figure(prefix, **changes):
    """Return a figure with a slider, a view and a link between them: what is shown, and all models."""
    box, slider, view, link = (f"{prefix}{name}" for name in ("box", "slider", "view", "link"))
    models = {
        link: {"source": [f"IPY_MODEL_{view}", "step"], "target": [f"IPY_MODEL_{slider}", "value"]},
        slider: {"value": 3, "max": 9, "step": 0.1},
        view: {"_esm": prefix, "layers": [{"data": "/38AwA==", "scale": 1 / 32767, "shape": [2]}]},
        box: {"children": [f"IPY_MODEL_{slider}", f"IPY_MODEL_{view}"]},
    }
    return [box], {
        name: {"model_name": name.removeprefix(prefix), "state": state} for name, state in models.items()
    }


def test_the_same_figure_of_another_run_is_equal():
    assert compare_states(figure("a"), figure("b")) == []


def change(state, model, **values):
    state[1][f"b{model}"]["state"] |= values


SPOILED_STATES = [
    (lambda state: change(state, "slider", value=4), "figure 1.children[0] value: stored 4, now 3"),
    (lambda state: change(state, "slider", max=10), "figure 1.children[0] max: stored 10, now 9"),
    (lambda state: change(state, "slider", step=0.1001), "step: stored 0.1001, now 0.1"),
    (
        lambda state: change(state, "link", target=["IPY_MODEL_bslider", "max"]),
        "in the file, but not in the run: link",
    ),
    (lambda state: state[1].pop("blink"), "in the run, but not in the file: link"),
    (lambda state: state[1].pop("bslider"), "figure 1.children[0]: only in the run"),
    (lambda state: state[1].clear(), "figure 1: only in the run"),
    (
        lambda state: change(state, "box", children=["IPY_MODEL_bview", "IPY_MODEL_bslider"]),
        "model_name: stored",
    ),
    (
        lambda state: change(state, "view", layers=[{"data": "/38A0A==", "scale": 1 / 32767, "shape": [2]}]),
        "layers[0], number 2 of 2: stored -0.375, now -0.5; root mean square 0.0884 (allowed",
    ),
]


@pytest.mark.parametrize(("spoil", "message"), SPOILED_STATES, ids=range(len(SPOILED_STATES)))
def test_a_spoiled_state_is_not(spoil, message):
    state = figure("b")
    spoil(state)
    assert message in "\n".join(compare_states(state, figure("a")))


def test_a_packed_tensor_is_compared_within_the_tolerance():
    state = copy.deepcopy(figure("b"))
    change(state, "view", layers=[{"data": "/38A0A==", "scale": 1 / 32767, "shape": [2]}])
    assert compare_states(figure("a"), state, [Tolerance(abs=0.2)]) == []
    assert compare_states(figure("a"), state, [Tolerance(abs=0.05)])
