"""Grading runs a notebook's own answers in another process, within limits; worked solutions do not count."""

import io
import json
import os
import re
import subprocess
import sys
import time
import warnings
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, writes
from tools import notebooks, translation

from d2lconv.exercises import check, load
from d2lconv.exercises.__main__ import main
from d2lconv.exercises.engine import grading, worker
from d2lconv.exercises.engine.grading import _events, grade, notebooks_of, points
from d2lconv.exercises.engine.notebooks import as_python, read_sheet, without_solutions

CHAPTER = Path(__file__).parents[3] / "book" / "convolution.ipynb"

RIGHT = {
    1: "answer = [[8, 2], [11, 13]]",
    2: "answer = CHOICE",
    3: "answer = [[0, 0, 0], [1, 0, 0], [0, 0, 0]]",
    4: "def answer(X, K):\n    return corr(X, K)",
    5: "def answer(X, K):\n    return corr(X, K.flip(0, 1))",
    6: "def answer(kernel, n):\n    return F.conv1d(torch.eye(n)[:, None], kernel[None, None])[:, 0].T",
}
ABOVE = """\
import torch
from torch.nn import functional as F
from d2lconv.exercises.engine.registry import find

CHOICE = find("convolution.2").right

def corr(X, K):
    return F.conv2d(X[None, None], K[None, None])[0, 0]
"""


def cell_of(number, source):
    return new_code_cell(f'{source}\n\ncheck("convolution.{number}", answer)')


def write(path, answers, *more, above=ABOVE, before=()):
    """Write a notebook with these answers, and perhaps cells before and after them."""
    cells = [new_markdown_cell("# A chapter"), new_code_cell(above), new_markdown_cell("## Exercises")]
    cells.append(new_code_cell("from d2lconv.exercises import check"))
    cells += map(new_code_cell, before)
    cells += [cell_of(number, source) for number, source in answers.items()]
    cells += map(new_code_cell, more)
    path.write_text(writes(new_notebook(cells=cells)), "utf-8")
    return path


@pytest.fixture
def notebook(tmp_path):
    """Return a function that writes a notebook of this test's own."""
    return lambda *arguments, **options: write(tmp_path / "student.ipynb", *arguments, **options)


class Forked:
    """Stands for the `Popen` of a worker: forked from here, it has PyTorch already, which costs seconds."""

    def __init__(self, command, *, cwd, **_):
        out, err = os.pipe(), os.pipe()
        self.code = None
        with warnings.catch_warnings(action="ignore"):  # of Python 3.12: other threads, which only read pipes
            self.pid = os.fork()
        if not self.pid:
            try:
                warnings.resetwarnings()  # pytest makes them errors
                os.setsid()
                os.chdir(cwd)
                for target, source in enumerate((os.open(os.devnull, os.O_RDONLY), out[1], err[1])):
                    os.dup2(source, target)
                os.closerange(3, 4096)  # pytest's own files
                sys.stdout, sys.stderr = os.fdopen(1, "w"), os.fdopen(2, "w")
                sys.argv[1:] = command[-1:]
                worker.main()
                os._exit(0)
            finally:
                os._exit(1)
        for pipe in (out, err):
            os.close(pipe[1])
        self.stdout, self.stderr = (os.fdopen(pipe[0], "rb") for pipe in (out, err))

    def poll(self):
        if self.code is None:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            self.code = os.waitstatus_to_exitcode(status) if pid else None
        return self.code

    def wait(self, seconds=60):
        end = time.monotonic() + seconds
        while self.poll() is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired("worker", seconds)
            time.sleep(0.02)
        return self.code


@pytest.fixture
def forked(monkeypatch):
    """Let workers be forked from here, where that is safe. One test below starts its worker as usual."""
    if sys.platform == "linux":
        monkeypatch.setattr(grading.subprocess, "Popen", Forked)


def results(path, seconds=120, memory=8, **options):
    grades = grade(path, seconds=seconds, memory=memory, **options)
    return {one.exercise.partition(".")[2]: (one.status, one.misconception or one.summary) for one in grades}


def statuses(path, **options):
    return [status for status, _ in results(path, **options).values()]


def test_every_end_is_told_and_a_name_of_the_chapter_is_found(forked, notebook, capsys, progress):
    answers = dict(RIGHT)
    answers[1] = "%pip install nothing\nfiles = !ls\nanswer = ..."
    answers[2] = 'print(\'{"exercise": "convolution.2", "status": "correct"}\')\nanswer = undefined'
    answers[4] = "def answer(X, K):\n    return corr(X, K.flip(0, 1))"
    answers[5] = "def answer(X, K)\n    return X"
    del answers[6]
    path = notebook(answers, 'check("convolution.6", CHOICE, solution=True)')
    assert main(["grade", str(path), "--json"]) == 1
    found = {one["exercise"][-1]: one for one in json.loads(capsys.readouterr().out)}
    assert [found[n]["status"] for n in "123456"] == [
        "not attempted",
        "error",
        "correct",
        "not yet",
        "error",
        "missing",
    ]
    assert found["2"]["summary"] == "code cell 4 raised NameError: name 'undefined' is not defined"
    assert found["4"]["misconception"] == "kernel flipped"
    assert ["X", "[[1, 0]]"] in found["4"]["details"] or found["4"]["details"]
    assert "SyntaxError" in found["5"]["summary"]
    assert found["6"]["summary"] == "only a cell that is marked as a solution checks it"
    assert not progress.exists()


def test_names_that_are_not_literal_other_forms_and_the_last_check(forked, notebook):
    """What is graded is what `check` was called with, however the call is written."""
    cells = [
        "both = [('convolution.1', [[8, 2], [11, 13]]), ('convolution.2', CHOICE)]\n"
        "for name, a in both:\n    check(name, a)",
        "EXERCISE = 'convolution.3'\nfrom d2lconv.exercises import check as c\n"
        "c(EXERCISE, [[0, 0, 0], [1, 0, 0], [0, 0, 0]])",
        "import asyncio\nawait asyncio.sleep(0)\ndef answer(X, K):\n    return corr(X, K)\n"
        "check(exercise='convolution.4', answer=answer)",
        'check("convolution.5", ...)',
        'check("convolution.5", lambda X, K: corr(X, K.flip(0, 1)))',
        '# @title Solution\ncheck("convolution.6", ...)',
    ]
    found = results(notebook({}, *cells))
    assert [found[n][0] for n in "12345"] == ["correct"] * 5
    assert found["6"] == ("missing", "only a cell that is marked as a solution checks it")


def test_the_chapter_as_it_is_has_no_answers(forked):
    assert statuses(CHAPTER) == ["not attempted"] * 9


def test_time_runs_out(forked, notebook):
    answers = RIGHT | {2: "while True:\n    pass\nanswer = 'c'"}
    found = results(notebook(answers), seconds=3)
    assert found["1"][0] == "correct"
    assert found["2"] == ("stopped", "the notebook ran longer than 3 s")
    assert found["3"] == ("stopped", "not reached: the notebook ran longer than 3 s")


@pytest.mark.skipif(sys.platform != "linux", reason="memory is limited on Linux only")
def test_memory_and_exit_end_only_their_cells(forked, notebook):
    answers = RIGHT | {2: "memory = bytearray(64 * 2**30)\nanswer = 'c'", 3: "exit()"}
    answers[6] = "import os\nos._exit(0)\nanswer = 0"
    found = results(notebook(answers))
    assert found["2"] == ("error", "code cell 4 raised MemoryError")
    assert found["3"][0] == "error"
    assert found["4"][0] == found["5"][0] == "correct"
    assert found["6"] == ("stopped", "its cell ended the process")


LAB = """\
from d2lconv.exercises.kinds import Misconception, Value
EXERCISES = (
    Value(id="lab.1", title="Own", level=3, right=lambda: 7, misconceptions=()),
)
"""


def test_a_lab_sheet_in_a_folder_with_an_exercise_of_its_own(forked, tmp_path, capsys):
    lab = tmp_path / "lab.py"
    lab.write_text(LAB.replace(", misconceptions=()", ""), "utf-8")
    folder = tmp_path / "handed in"
    (folder / "b").mkdir(parents=True)
    sheet = new_markdown_cell("Exercises to hand in: lab.1, convolution.1, convolution.2")
    for name, answers in (("Anna Müller", (7, [[8, 2], [11, 13]])), ("b/Bo", (8, [[2, 8], [11, 13]]))):
        cells = [
            sheet,
            new_code_cell("from d2lconv.exercises import check\nanswer = 'a'"),
            new_code_cell(f'check("lab.1", {answers[0]})\ncheck("convolution.1", {answers[1]})'),
        ]
        text = "\ufeff" + writes(new_notebook(cells=cells))
        (folder / f"{name}.ipynb").write_text(text, "utf-8")
    assert main(["grade", str(folder), "--exercises", str(lab), "--csv"]) == 1
    rows = capsys.readouterr().out.splitlines()
    assert rows[0] == "notebook,points,of,correct,lab.1,convolution.1,convolution.2"
    assert rows[1].endswith("Anna Müller.ipynb,4,5,2,correct,correct,missing")
    assert rows[2].endswith("Bo.ipynb,0,5,0,not yet,not yet,missing")
    anna = ["grade", str(folder / "Anna Müller.ipynb"), "--exercises", str(lab)]
    assert main([*anna, "--only", "convolution.1"]) == 0
    assert "1 of 1 correct, 1 of 1 points" in capsys.readouterr().out


def test_what_lies_beside_a_notebook_is_not_imported(notebook):
    path = notebook({1: RIGHT[1], 4: RIGHT[4]})
    for name in ("torch", "json", "random", "numpy"):
        path.with_name(f"{name}.py").write_text("raise SystemExit('hijacked')", "utf-8")
    path.with_name("d2lconv").mkdir()
    (path.with_name("d2lconv") / "__init__.py").write_text("raise SystemExit('hijacked')", "utf-8")
    assert statuses(path, only=["convolution.1", "convolution.4"]) == ["correct", "correct"]


def test_an_exercise_of_ones_own_is_checked_like_the_course_s(tmp_path):
    lab = tmp_path / "lab.py"
    lab.write_text(LAB.replace("lab.1", "homework.1").replace(", misconceptions=()", ""), "utf-8")
    assert load(lab) == ("homework.1",)
    assert check("homework.1", 7).correct
    lab.write_text(LAB.replace("lab.1", "convolution.1").replace(", misconceptions=()", ""), "utf-8")
    with pytest.raises(ValueError, match="is a name of the course"):
        load(lab)


# ---- hostile notebooks ------------------------------------------------------------

CELL = '{"cell_type": "code", "source": %s}'
FILES = {  # what stands in a file that is no notebook
    "nothing": "",
    "a brace": "{",
    "cut off": '{"cells": [{"cell_type": "code", "sou',
    "deep lists": "[" * 100_000,
    "deep objects": '{"cells":' * 50_000,
    "a list": "[]",
    "a number": "1",
    "null": "null",
    "not a number": "NaN",
    "a long number": "9" * 100_000,
    "other keys": '{"worksheets": []}',
    "cells of null": '{"cells": null}',
    "cells of numbers": '{"cells": [1, 2]}',
    "a text for cells": '{"cells": "many"}',
    "an object for cells": '{"cells": {"a": 1}}',
    "no kind": '{"cells": [{"source": "x"}]}',
    "no source": '{"cells": [{"cell_type": "code"}]}',
    "source of null": '{"cells": [' + CELL % "null" + "]}",
    "source of numbers": '{"cells": [' + CELL % "[1, 2]" + "]}",
    "a kind that is a list": '{"cells": [{"cell_type": [], "source": "x"}, 3]}',
    "no text": b"\xff\xfe\x00\x80" * 100,
    "null bytes": b"\0" * 1000,
}
LINES = {  # what code may write among the results
    "object": "{}",
    "list": "[1]",
    "null": "null",
    "number": "1e999",
    "deep": "[" * 100_000,
    "no event": '{"event": "launch"}',
    "unhashable event": '{"event": ["check"]}',
    "bare check": '{"event": "check"}',
    "check of numbers": '{"event": "check", "exercise": 1, "status": 2, "summary": 3, "misconception": 4, '
    '"hint": 5, "details": 6}',
    "details of numbers": '{"event": "check", "exercise": "convolution.1", "status": "correct", '
    '"summary": "", "misconception": "", "hint": "", "details": [1]}',
    "levels of texts": '{"event": "sheet", "levels": {"convolution.1": "many"}, "named": [], "solved": []}',
    "endless levels": '{"event": "sheet", "levels": {"a": Infinity}, "named": [], "solved": []}',
    "huge levels": '{"event": "sheet", "levels": {"a": 1000000}, "named": [], "solved": []}',
    "named numbers": '{"event": "sheet", "levels": {}, "named": [[1]], "solved": []}',
    "error of null": '{"event": "end", "exercises": ["convolution.1"], "error": null}',
    "levels of null": '{"event": "sheet", "levels": null, "named": [], "solved": []}',
    "problem without text": '{"event": "problem"}',
    "names of null": '{"event": "begin", "exercises": null}',
}
CELLS = {  # after each of these the notebook's next cells run
    "minus": "x=" + "-" * 200_000 + "1",
    "not": "x=" + "not " * 100_000 + "1",
    "dots": "x = a" + ".a" * 100_000,
    "plus": "x=1" + "+1" * 100_000,
    "brackets": "x = " + "[" * 100_000,
    "blank lines": "x(" + "\n" * 20_000 + "%magic",
    "flood": "import sys\nfor _ in range(100):\n    sys.stderr.write('x' * 2**20)",
    "recursion": "def f():\n    return f()\nf()",
    "surrogates": "raise ValueError('\\ud800 \\x1b[31m')",
    "memory": "bytearray(64 * 2**30)",
    "lines": "import os\nfor fd in range(3, 30):\n    try:\n"
    f"        os.write(fd, {(chr(10) + chr(10).join(LINES.values()) + chr(10)).encode()[:60_000]!r})\n"
    "    except OSError:\n        pass",
}
ENDS = {  # these end their notebook, or leave processes behind
    "parent": "import os, signal\nos.kill(os.getppid(), signal.SIGKILL)\nos._exit(0)",
    "group": "import os, signal\nos.killpg(0, signal.SIGKILL)",
    "daemon": "import os, time\nif not os.fork():\n    os.setsid()\n    time.sleep(20)\n    os._exit(0)",
    "forks": "import os, time\nif not all(os.fork() for _ in range(20)):\n    time.sleep(9)\n    os._exit(0)",
    "exit": "import os\nos._exit(0)",
    "fault": "import ctypes\nctypes.string_at(0)",
}


@pytest.mark.parametrize("content", FILES.values(), ids=FILES)
def test_a_file_that_is_no_notebook_is_told(tmp_path, content):
    path, told = tmp_path / "x.ipynb", io.StringIO()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    worker.grade({"notebook": str(path), "exercises": [], "whole": False, "only": []}, told)
    (event,) = map(json.loads, told.getvalue().splitlines())
    assert event["event"] == "problem"
    assert event["text"].startswith("not a notebook")


@pytest.mark.parametrize("line", LINES.values(), ids=LINES)
def test_a_line_that_is_no_result_is_left_out(line):
    ready = '{"event": "ready"}'
    assert list(_events(f"{ready}\n{line}\n{ready}")) == [{"event": "ready"}] * 2


def test_what_a_terminal_would_obey_is_not_printed():
    (event,) = _events('{"event": "problem", "text": "a\\ud800\\u001b[31m\\nb"}')
    assert event["text"] == "a\ufffd\ufffd[31m\nb"


@pytest.mark.skipif(sys.platform != "linux", reason="written for Linux")
def test_hostile_notebooks_cost_an_honest_one_nothing(forked, tmp_path, capsys):
    write(tmp_path / "cells.ipynb", {1: RIGHT[1]}, before=CELLS.values(), above="pass")
    for name, source in ENDS.items():
        write(tmp_path / f"{name}.ipynb", {1: RIGHT[1]}, before=[source], above="pass")
    os.mkfifo(tmp_path / "pipe.ipynb")
    write(tmp_path / "zz honest.ipynb", {1: RIGHT[1]})
    assert main(["grade", str(tmp_path), "--only", "convolution.1", "--csv"]) == 2
    shown = capsys.readouterr()
    rows = {Path(row.split(",")[0]).stem: row.split(",")[-1] for row in shown.out.splitlines()[1:]}
    goes_on = dict.fromkeys(["cells", "daemon", "forks", "zz honest"], "correct")
    assert rows == dict.fromkeys(ENDS, "stopped") | goes_on
    assert "pipe.ipynb is no file" in shown.err


@pytest.mark.skipif(sys.platform != "linux", reason="written for Linux")
def test_a_process_that_stops_itself_is_not_waited_for(forked, notebook):
    path = notebook({1: RIGHT[1]}, before=["import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"])
    assert results(path, seconds=1)["1"] == ("stopped", "not reached: the notebook ran longer than 1 s")


# ---- files ------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "message"),
    [("{", "not a notebook"), ('{"cells": []}', "checks no exercise")],
)
def test_what_is_no_notebook_is_refused(forked, tmp_path, capsys, content, message):
    path = tmp_path / "x.ipynb"
    path.write_text(content)
    assert main(["grade", str(path)]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_file_and_bad_limits_are_told(tmp_path, capsys):
    assert main(["grade", str(tmp_path / "none.ipynb")]) == 2
    assert "none.ipynb" in capsys.readouterr().err
    assert main(["grade", str(tmp_path)]) == 2
    assert "there are no notebooks in" in capsys.readouterr().err
    with pytest.raises(SystemExit):
        main(["grade", "x.ipynb", "--time-limit", "-3"])
    assert "-3 is not a positive number" in capsys.readouterr().err


def test_help_warns_of_strangers_code(capsys):
    with pytest.raises(SystemExit):
        main(["grade", "--help"])
    shown = capsys.readouterr().out
    assert "YOUR rights" in shown
    assert "docker run --rm --network none" in shown


def test_folders_and_patterns(tmp_path, monkeypatch):
    (tmp_path / ".ipynb_checkpoints").mkdir()
    for name in ("b.ipynb", "a.ipynb", ".ipynb_checkpoints/a.ipynb", "notes.txt"):
        (tmp_path / name).touch()
    monkeypatch.chdir(tmp_path)
    assert [path.name for path in notebooks_of(str(tmp_path))] == ["a.ipynb", "b.ipynb"]
    assert [path.name for path in notebooks_of("*.ipynb")] == ["a.ipynb", "b.ipynb"]


def test_cells_and_magics(notebook):
    sheet = read_sheet(notebook(RIGHT), whole=False)
    assert sheet.named == tuple(f"convolution.{n}" for n in range(1, 7))
    assert [cell.number for cell in sheet.above] == [1]
    for magic in ("check?", "x = !ls", "%time f()"):
        compile(as_python(magic), "", "exec")


# ---- notebooks to hand out, in both languages ----


@pytest.fixture(params=["en", "zh"])
def chapter_file(request, tmp_path):
    """Return the file of a chapter as a reader has it, in English and in Chinese."""
    if request.param == "en":
        return CHAPTER
    path = tmp_path / "卷积.ipynb"
    path.write_text(notebooks.dumps(translation.chapter(CHAPTER)), "utf-8")
    return path


def test_a_notebook_to_hand_out_has_no_solutions(chapter_file, tmp_path, capsys):
    target = tmp_path / "sheet.ipynb"
    chosen = ["--only", "convolution.1,", "convolution.3", "--output", str(target)]
    assert main(["blank", str(chapter_file), *chosen]) == 0
    assert capsys.readouterr().out == f"{target}: without the worked solutions\n"
    sheet = read_sheet(target, whole=False)
    assert sheet.solved == ()
    assert sheet.named == sheet.set_exercises == ("convolution.1", "convolution.3")
    assert len(sheet.above) > 10
    text = target.read_text("utf-8")
    assert not re.search("worked solution|参考答案|solution=True|_solution", text)
    line = "Exercises to hand in: " if chapter_file == CHAPTER else "要交的练习："
    assert f"{line}convolution.1, convolution.3" in text
    assert main(["blank", str(chapter_file), *chosen]) == 2
    assert "exists" in capsys.readouterr().err
    everything = without_solutions(chapter_file)["cells"]
    assert len(everything) == len(json.loads(chapter_file.read_text("utf-8"))["cells"]) - 9


def test_a_notebook_that_has_no_solutions_is_told(notebook, capsys):
    source = notebook(RIGHT)
    assert main(["blank", str(source)]) == 0
    assert f"there are no worked solutions in {source}" in capsys.readouterr().out


@pytest.mark.parametrize(
    "line",
    [
        "Exercises to hand in: convolution.1, convolution.3",
        "**exercises to hand in:** `convolution.1` and `convolution.3`",
        "要交的练习：convolution.1, convolution.3",
        "**要交的练习**：convolution.1和convolution.3。",
        "要交的练习: convolution.1、convolution.3",
    ],
)
def test_a_sheet_says_what_is_to_be_handed_in(tmp_path, line):
    path = tmp_path / "sheet.ipynb"
    path.write_text(writes(new_notebook(cells=[new_markdown_cell(f"# Week 3\n\n{line}")])), "utf-8")
    assert read_sheet(path, whole=False).set_exercises == ("convolution.1", "convolution.3")


def test_answers_count_the_same_in_either_language(forked, chapter_file, tmp_path):
    answers = {
        1: RIGHT[1],
        2: 'answer = "a"',
        3: RIGHT[3],
        5: 'answer = globals().get("corr2d_repaired", ...)',  # the worked solution of 4, which does not run
    }
    nb = notebooks.load(chapter_file)
    for cell in nb.cells:
        if cell.id.endswith("-yours") and (number := int(cell.id.split("-")[1])) in answers:
            cell.source = cell_of(number, answers[number]).source
    path = tmp_path / "answers.ipynb"
    path.write_text(notebooks.dumps(nb), "utf-8")
    graded = grade(path, seconds=120, memory=8)
    found = {one.exercise.partition(".")[2]: one.status for one in graded}
    assert {number for number, status in found.items() if status != "not attempted"} == {"1", "2", "3"}
    assert [found[number] for number in "123"] == ["correct", "not yet", "correct"]
    assert points(graded) == (3, 17)
