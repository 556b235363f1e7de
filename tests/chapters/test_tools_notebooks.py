"""The canonical form: what it keeps, what it drops, and that it is the same every time."""

import json

import nbformat
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from tools.notebooks import WIDGET_STATE, WIDGET_VIEW, dumps, label, load, normalise, write

A, B, C = "a" * 32, "b" * 32, "c" * 32


def shown(model_id):
    view = {"model_id": model_id, "version_major": 2, "version_minor": 0}
    return new_output("display_data", data={"text/plain": "slider", WIDGET_VIEW: view})


def widget_notebook(first, second, layout):
    """Make a notebook that shows two widgets; the ids were given at random, in the order of creation."""
    cell = new_code_cell("sliders()", outputs=[shown(first), shown(second)])
    state = {
        layout: {"model_name": "LayoutModel", "state": {}},
        second: {"model_name": "IntSliderModel", "state": {"layout": f"IPY_MODEL_{layout}"}},
        first: {"model_name": "BoxModel", "state": {"children": [f"IPY_MODEL_{second}"], "sha": "d" * 32}},
    }
    metadata = {"widgets": {WIDGET_STATE: {"state": state, "version_major": 2, "version_minor": 0}}}
    return new_notebook(cells=[cell], metadata=metadata)


@given(st.permutations([A, B, C]))
def test_random_widget_ids_make_no_difference(ids):
    assert dumps(normalise(widget_notebook(*ids))) == dumps(normalise(widget_notebook(A, B, C)))


def test_widget_ids_count_shown_widgets_first_and_references_follow():
    nb = normalise(widget_notebook(B, A, C))
    first, second, third = (f"{number:032x}" for number in (1, 2, 3))
    views = [output.data[WIDGET_VIEW].model_id for output in nb.cells[0].outputs]
    state = nb.metadata.widgets[WIDGET_STATE].state
    assert views == [first, second]
    assert state[first].state == {"children": [f"IPY_MODEL_{second}"], "sha": "d" * 32}
    assert state[second].state.layout == f"IPY_MODEL_{third}"


def test_normalising_twice_is_normalising_once(good):
    nb = normalise(widget_notebook(B, C, A))
    again = nbformat.v4.reads(dumps(nb))
    assert dumps(normalise(again)) == dumps(nb)
    assert dumps(normalise(good)) == dumps(good)


def test_the_argument_stays_as_it_is():
    nb = widget_notebook(B, C, A)
    before = nbformat.v4.writes(nb)
    normalise(nb)
    assert nbformat.v4.writes(nb) == before


def test_metadata_that_nobody_reads_is_dropped():
    timing = {"iopub.execute_input": "2026-01-01T00:00:00Z"}
    kept = {
        "tags": ["hide-input"],
        "mystnb": {"image": {"alt": "A line"}},
        "jupyter": {"source_hidden": True},
    }
    cell = new_code_cell(
        "x", metadata={**kept, "execution": timing, "collapsed": False, "id": "3aF", "colab": {}}
    )
    metadata = {
        "kernelspec": {"name": "conda-py", "display_name": "py [conda]"},
        "language_info": {"name": "python", "version": "3.11.7"},
        "colab": {"provenance": []},
        "widgets": {},
    }
    nb = normalise(new_notebook(cells=[cell], metadata=metadata))
    assert nb.cells[0].metadata == kept
    assert nb.metadata == {
        "kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"},
        "language_info": {"name": "python", "pygments_lexer": "ipython3"},
    }
    assert (nb.nbformat, nb.nbformat_minor) == (4, 5)


@pytest.mark.parametrize(
    ("source", "prompt"),
    [
        (
            "import torch\nfrom torch import nn\n\nplotting.use_course_style()\ntorch.manual_seed(0)",
            "Imports",
        ),
        (
            'from importlib.util import find_spec\n\nif find_spec("d2lconv") is None:\n    pass',
            "Install d2lconv where",
        ),
        ("import torch\n\nx = torch.ones(2)", None),
        ("plotting.use_course_style()", None),
        ("import torch\n\nprint(torch.__version__)", None),
        ("%pip install x", None),
    ],
)
def test_imports_and_installation_are_folded(source, prompt):
    cell = normalise(new_notebook(cells=[new_code_cell(source, metadata={"tags": ["a"]})])).cells[0]
    assert cell.metadata.tags == (["a", "hide-input"] if prompt else ["a"])
    assert cell.metadata.get("mystnb", {}).get("code_prompt_show", "").startswith(prompt or "")
    assert ("mystnb" in cell.metadata) is bool(prompt)


def test_solutions_are_folded_and_keep_words_of_their_own():
    words = {"mystnb": {"code_prompt_show": "看答案"}}
    cell = normalise(new_notebook(cells=[new_code_cell("# @title Solution\n1", metadata=words)])).cells[0]
    assert cell.metadata == {
        "cellView": "form",
        "jupyter": {"source_hidden": True},
        "mystnb": {"code_prompt_show": "看答案", "code_prompt_hide": "Hide the solution"},
        "tags": ["hide-cell"],
    }


def test_pieces_of_a_stream_are_joined_but_not_across_a_figure():
    def print_(text):
        return new_output("stream", name="stdout", text=text)

    figure = new_output("display_data", data={"text/plain": "<Figure>"})
    nb = new_notebook(cells=[new_code_cell("x", outputs=[print_("1"), print_("2\n"), figure, print_("3")])])
    assert [output.get("text") for output in normalise(nb).cells[0].outputs] == ["12\n", None, "3"]


def test_executed_cells_are_numbered_and_others_are_not():
    result = new_output("execute_result", data={"text/plain": "1"}, execution_count=41)
    cells = [
        new_code_cell("1", execution_count=41, outputs=[result]),
        new_markdown_cell("text"),
        new_code_cell("2"),
        new_code_cell("3", execution_count=9),
    ]
    nb = normalise(new_notebook(cells=cells))
    assert [cell.get("execution_count") for cell in nb.cells] == [1, None, None, 3]
    assert nb.cells[0].outputs[0].execution_count == 1


@pytest.mark.parametrize("name", ["edges", "a-kernel-by-hand", "cell-0123abcd"])
def test_chosen_cell_ids_are_kept(name):
    assert normalise(new_notebook(cells=[new_code_cell("1", id=name)])).cells[0].id == name


@pytest.mark.parametrize(
    "name",
    [
        "3f2a9b1c",
        "deadbeef",
        "d9a1c0de-1b2c-4d5e-8f90-123456789abc",
        "TW3zfA_kGo9R",
        "has space",
        "",
        "x" * 65,
    ],
)
def test_random_and_invalid_cell_ids_are_replaced_by_the_same_each_time(name):
    nb = new_notebook()
    nb.cells = [new_code_cell("1"), new_markdown_cell("1"), new_code_cell("1")]
    for cell in nb.cells:
        cell.id = name
    first = [cell.id for cell in normalise(nb).cells]
    assert first == ["cell-f05e64a5", "cell-60c3fa50", "cell-f05e64a5-2"]


def test_duplicate_and_missing_cell_ids_are_replaced():
    nb = new_notebook()
    nb.cells = [new_code_cell("1", id="edges"), new_code_cell("2", id="edges"), new_code_cell("3")]
    del nb.cells[2]["id"]
    ids = [cell.id for cell in normalise(nb).cells]
    assert ids[0] == "edges"
    assert len(set(ids)) == 3


def test_source_is_trimmed_at_its_ends_only():
    cells = [new_markdown_cell("\nbreak  \nhere  \n\n"), new_code_cell("x = '''a  \n  b'''\r\n\n")]
    assert [cell.source for cell in normalise(new_notebook(cells=cells)).cells] == [
        "break  \nhere",
        "x = '''a  \n  b'''",
    ]


def test_the_text_is_sorted_json_in_utf8_with_one_newline_at_its_end(good):
    text = dumps(good)
    assert text == json.dumps(json.loads(text), indent=1, sort_keys=True, ensure_ascii=False) + "\n"


def test_what_is_written_is_read_again(good, good_path):
    good.cells[0].source += "\n\nSums: 和"
    assert write(good, good_path)
    assert load(good_path) == good
    assert not write(good, good_path)
    assert [path.name for path in good_path.parent.glob(".*")] == []


def test_writing_keeps_the_old_file_when_the_new_one_is_invalid(good, good_path):
    before = good_path.read_bytes()
    good.cells[0].cell_type = "nonsense"
    with pytest.raises(ValueError, match="not a valid notebook"):
        write(good, good_path)
    assert good_path.read_bytes() == before


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD", "x.ipynb isn't a notebook: "),
        ("[]", "x.ipynb isn't a notebook of format 4 with cells"),
        ('{"nbformat": 3, "worksheets": []}', "x.ipynb isn't a notebook of format 4 with cells"),
        ('{"nbformat": 4, "metadata": {}, "cells": []}', "x.ipynb isn't a notebook of format 4 with cells"),
    ],
)
def test_what_is_no_notebook_is_said_so(tmp_path, text, message):
    path = tmp_path / "x.ipynb"
    path.write_text(text)
    with pytest.raises(ValueError, match=message):
        load(path)


def test_cells_are_named_by_number_and_first_line(good):
    good.cells[4].source = "print(" + "1 + " * 20 + "1)"
    assert label(good, 1) == "cell 2 (**You will learn** sums.)"
    assert label(good, 4) == "code cell [2] (print(1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1 + 1…)"
