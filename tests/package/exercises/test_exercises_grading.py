"""Grading runs a notebook's own answers in another process, within limits; worked solutions do not count."""

import json
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes

from d2lconv.exercises.__main__ import main
from d2lconv.exercises.engine.grading import grade
from d2lconv.exercises.engine.notebooks import cells_to_run

CHAPTER = Path(__file__).parents[3] / "book" / "convolution.ipynb"

RIGHT = {
    1: "answer = [[8, 2], [11, 13]]",
    2: "answer = 'c'",
    3: "answer = [[0, 0, 0], [1, 0, 0], [0, 0, 0]]",
    4: "def answer(X, K):\n    return corr(X, K)",
    5: "def answer(X, K):\n    return corr(X, K.flip(0, 1))",
    6: "def answer(kernel, n):\n    return F.conv1d(torch.eye(n)[:, None], kernel[None, None])[:, 0].T",
}
ABOVE = """\
import torch
from torch.nn import functional as F

def corr(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]

raise RuntimeError("what the chapter computes is not run")
"""


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes a notebook with these answers, and perhaps cells after them."""

    def write(answers, *more, above=ABOVE):
        cells = [new_markdown_cell("# A chapter"), new_code_cell(above), new_markdown_cell("## Exercises")]
        cells.append(new_code_cell("from d2lconv.exercises import check"))
        for number, source in answers.items():
            cells.append(new_code_cell(f'{source}\n\ncheck("convolution.{number}", answer)'))
        cells += map(new_code_cell, more)
        path = tmp_path / "student.ipynb"
        path.write_text(writes(new_notebook(cells=cells)), "utf-8")
        return path

    return write


def results(path, seconds=120, memory=8, **options):
    grades = grade(path, seconds=seconds, memory=memory, **options)
    return {one.exercise.partition(".")[2]: (one.status, one.misconception or one.summary) for one in grades}


def statuses(path, **options):
    return [status for status, _ in results(path, **options).values()]


def test_all_correct(notebook, capsys, progress):
    path = notebook(RIGHT)
    assert main(["grade", str(path)]) == 0
    assert "6 of 6 correct." in capsys.readouterr().out
    assert not progress.exists()


def test_every_other_end_is_told(notebook, capsys):
    answers = dict(RIGHT)
    answers[1] = "%pip install nothing\nanswer = ..."
    answers[2] = 'print(\'{"exercise": "convolution.2", "status": "correct"}\')\nanswer = undefined'
    answers[4] = "def answer(X, K):\n    return corr(X, K.flip(0, 1))"
    answers[5] = "def answer(X, K)\n    return X"
    del answers[6]
    path = notebook(answers)
    found = results(path)
    assert found["1"][0] == "not attempted"
    assert found["2"] == ("error", "code cell 4 raised NameError: name 'undefined' is not defined")
    assert found["3"][0] == "correct"
    assert found["4"] == ("not yet", "kernel turned around")
    assert found["5"][0] == "error"
    assert "SyntaxError" in found["5"][1]
    assert found["6"] == ("missing", "no cell checks it")

    assert main(["grade", str(path), "--json"]) == 1
    printed = json.loads(capsys.readouterr().out)
    assert [one["status"] for one in printed] == [status for status, _ in found.values()]
    assert main(["grade", str(path)]) == 1
    assert "kernel turned around" in capsys.readouterr().out


def test_the_last_check_counts_and_solutions_do_not(notebook):
    stubs = dict.fromkeys(RIGHT, "answer = ...")
    again = [f'{source}\ncheck("convolution.{n}", answer)' for n, source in RIGHT.items()]
    solutions = [f"# @title Solution\n{source}" for source in again]
    marked = [source.replace("answer)", "answer, solution=True)") for source in again]
    assert statuses(notebook(stubs, *solutions, *marked)) == ["not attempted"] * 6
    assert statuses(notebook(stubs, *again)) == ["correct"] * 6


def test_a_solution_alone_is_no_answer(notebook):
    path = notebook({1: RIGHT[1]}, 'check("convolution.2", "c", solution=True)')
    assert results(path)["2"] == ("missing", "no cell checks it")


def test_the_chapter_as_it_is_has_no_answers():
    assert statuses(CHAPTER) == ["not attempted"] * 6


def test_time_runs_out(notebook):
    answers = RIGHT | {2: "while True:\n    pass\nanswer = 'c'"}
    found = results(notebook(answers), seconds=8)
    assert found["1"][0] == "correct"
    assert found["2"] == ("stopped", "the notebook ran longer than 8 s")
    assert found["3"] == ("stopped", "not reached: the notebook ran longer than 8 s")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory_runs_out(notebook):
    found = results(notebook(RIGHT | {2: "memory = bytearray(64 * 2**30)\nanswer = 'c'"}))
    assert found["2"] == ("error", "code cell 4 raised MemoryError")
    assert found["3"][0] == "correct"


def test_a_process_that_ends_itself_is_told(notebook):
    found = results(notebook(RIGHT | {3: "import os\nos._exit(0)\nanswer = 0"}))
    assert found["2"][0] == "correct"
    assert found["3"][0] == found["4"][0] == "stopped"


def test_exit_does_not_end_the_others(notebook):
    found = results(notebook(RIGHT | {3: "exit()"}))
    assert found["3"][0] == "error"
    assert found["4"][0] == "correct"


def test_whole_notebook(notebook):
    above = ABOVE.replace('raise RuntimeError("what the chapter computes is not run")', "ANSWER = 'c'")
    path = notebook(RIGHT | {2: "answer = ANSWER"}, above=above)
    assert results(path)["2"][0] == "error"
    assert statuses(path, whole=True) == ["correct"] * 6


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "is not a notebook"), ("[]", "is not a notebook"), ('{"cells": []}', "checks no exercise")],
)
def test_what_is_no_notebook_is_refused(tmp_path, capsys, content, message):
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    assert main(["grade", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_is_told(tmp_path, capsys):
    assert main(["grade", str(tmp_path / "none.ipynb")]) == 2
    assert "none.ipynb" in capsys.readouterr().err


def test_only_imports_and_definitions_are_taken_from_above(notebook):
    cells = cells_to_run(notebook(RIGHT), whole=False)
    assert "raise RuntimeError" not in cells[0].source
    assert "def corr" in cells[0].source
