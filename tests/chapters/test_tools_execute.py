"""Chapters are run in real kernels here: what is written, and what is said when something goes wrong."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools import execute, notebooks
from tools.notebooks import WIDGET_STATE, WIDGET_VIEW, load

FIGURE = """\
import matplotlib.pyplot as plt
from matplotlib_inline.backend_inline import set_matplotlib_formats

set_matplotlib_formats("svg", metadata={"Date": None})
plt.rcParams["svg.hashsalt"] = "d2lconv"
plt.plot([1, 2])
plt.show()"""
STREAMS = """\
import sys

for number in range(20):
    print(number, end=" ")
    sys.stdout.flush()"""
WIDGETS = """\
from comm import create_comm
from IPython.display import display


def widget(name, **state):
    about = {"_model_name": name, "_model_module": "controls", "_model_module_version": "2.0.0"}
    return create_comm(target_name="jupyter.widget", data={"state": {**about, **state}}).comm_id


layout = widget("LayoutModel")
slider = widget("IntSliderModel", layout=f"IPY_MODEL_{layout}")
view = {"model_id": slider, "version_major": 2, "version_minor": 0}
display({"text/plain": "slider", "application/vnd.jupyter.widget-view+json": view}, raw=True)"""
KERNEL = "import os\n\nos.environ['OMP_NUM_THREADS'], os.path.basename(os.getcwd())"


RUNNING = """\
import os, time
from pathlib import Path

Path("running.tmp").write_text(str(os.getpid()))
os.replace("running.tmp", "running")
time.sleep(60)"""
# One process for all signals: importing the tool costs more than all else.
INTERRUPT = """\
import json, os, signal, sys, time
from pathlib import Path
from tools import execute

running, ends = Path("book/running"), {}
for name in ("SIGINT", "SIGTERM", "SIGHUP"):
    tool = os.fork()
    if not tool:
        os.setsid()
        execute._CORES = 1
        os._exit(execute.main(["draft", "waits"]))
    while not running.exists():
        time.sleep(0.05)
    kernel = int(running.read_text())
    running.unlink()
    os.kill(tool, getattr(signal, name))
    code = os.waitstatus_to_exitcode(os.waitpid(tool, 0)[1])
    try:
        os.kill(kernel, 0)
        ends[name] = code, "its kernel runs on"
    except ProcessLookupError:
        ends[name] = code, "its kernel ended"
print(json.dumps(ends))
"""


@pytest.fixture
def run(book, monkeypatch, capsys):
    """Return a function that calls a command line in the small book, and returns exit code and messages."""
    monkeypatch.chdir(book)

    def run_tool(*arguments, tool=execute):
        code = tool.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run_tool


def test_a_chapter_is_written_beside_those_that_fail_and_running_it_again_gives_the_same_bytes(
    run, write_chapter
):
    path = write_chapter("draft", FIGURE, STREAMS, WIDGETS, KERNEL)
    broken = {
        write_chapter("raises", "1 + 1", "sizes = {}\n\nsizes['kernel']"),
        write_chapter("hangs", "import time\n\ntime.sleep(60)"),
        write_chapter("dies", "import os\n\nos._exit(1)"),
    }
    before = {path: path.read_bytes() for path in broken}
    code, said = run("raises", "dies", "draft")
    assert code == 1
    late, what = run("hangs", "--timeout", "6")
    assert late == 1
    assert {path: path.read_bytes() for path in broken} == before
    assert "raises: code cell [3] (sizes = {}) raised KeyError: 'kernel'\n" in said
    assert "----> 3 sizes['kernel']" in said
    assert "\x1b" not in said
    assert "hangs: code cell [2] (import time) ran longer than 6 s" in what
    assert "dies: code cell [2] (import os) ended its kernel: memory ran out, or compiled code crash" in said
    outcomes = {line.split()[0]: line.split()[-1] for line in (*said.splitlines()[:3], what.splitlines()[0])}
    assert outcomes == {path.stem: "FAILED" for path in broken} | {"draft": "written"}

    first, written = path.read_bytes(), path.stat().st_mtime_ns
    code, said = run("draft")
    assert (code, said.split()[-1]) == (0, "unchanged")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == (first, written)

    nb = load(path)
    figure, streams, widgets, kernel = nb.cells[-4:]
    assert set(figure.outputs[0].data) == {"image/svg+xml", "text/plain"}
    assert [output.text for output in streams.outputs] == [
        "0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 "
    ]
    model_id = widgets.outputs[0].data[WIDGET_VIEW].model_id
    assert nb.metadata.widgets[WIDGET_STATE].state[model_id].model_name == "IntSliderModel"
    assert kernel.outputs[0].data["text/plain"] == "('1', 'book')"
    assert [cell.execution_count for cell in nb.cells if cell.cell_type == "code"] == [1, 2, 3, 4, 5]
    assert nb.cells[0].source.endswith("/blob/main/book/draft.ipynb)")
    assert 'find_spec("d2lconv")' in nb.cells[1].source
    assert run("--check", "draft", tool=notebooks) == (0, "")


def test_a_chapter_edited_while_it_runs_is_left_alone(good_path, monkeypatch):
    edited = good_path.read_text() + " "
    monkeypatch.setattr(execute, "run_cells", lambda *_, **__: good_path.write_text(edited))
    problem = execute.run_chapter(good_path)
    assert problem == "good: its file changed while it ran, so nothing was written; run it again"
    assert good_path.read_text() == edited


def test_the_command_line_says_what_is_wrong(run, book, good_path):
    assert run("otter") == (1, "\nerror: no chapter is named 'otter'; there are: other, good\n")
    good_path.write_text("<<<<<<< HEAD\n")
    code, said = run("good")
    assert code == 1
    assert "good: good.ipynb isn't a notebook" in said


@pytest.mark.skipif(os.name != "posix", reason="other systems have other signals")
def test_a_signal_ends_the_kernel_and_leaves_the_chapter_as_it_was(book, write_chapter):
    path, waits = write_chapter("draft", RUNNING), write_chapter("waits", "1 + 1")
    before = path.read_bytes(), waits.read_bytes()
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPT],
        cwd=book,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert "Traceback" not in done.stderr, done.stderr
    ends = json.loads(done.stdout.splitlines()[-1])
    assert ends == {name: [130, "its kernel ended"] for name in ("SIGINT", "SIGTERM", "SIGHUP")}
    assert done.stderr.count("interrupted: chapters that hadn't finished are as they were") == 3
    assert (path.read_bytes(), waits.read_bytes()) == before


def test_check_names_what_is_wrong_and_tidy_mends_the_form(run, good_path):
    good_path.write_bytes(good_path.read_bytes().replace(b'\n "', b'\n  "'))
    before = good_path.read_bytes()
    form = "not in canonical form; run: make tidy CHAPTER="
    assert run("--check", "good", tool=notebooks) == (1, f"good: {form}good\n")
    assert good_path.read_bytes() == before
    assert run("good", tool=notebooks) == (0, "good: tidied\n")
    assert run("--check", "good", tool=notebooks) == (0, "")
    assert load(good_path).cells[4].outputs[0].text == "2\n"


def test_check_refuses_a_cleared_chapter(run, good_path, good):
    for cell in good.cells[4:]:
        if cell.cell_type == "code":
            cell.outputs, cell.execution_count = [], None
    good_path.write_text(notebooks.dumps(good))
    code, said = run("--check", "good", tool=notebooks)
    assert (code, said) == (
        1,
        "good: code cell [2] (print(1 + 1)) and 3 more never ran; run: make execute CHAPTER=good\n",
    )


def test_a_chapter_run_in_jupyter_says_what_to_do_before_it_is_rendered(run, good_path, good):
    assert run("--figures", tool=notebooks) == (0, "")
    del good.metadata["widgets"]
    good_path.write_text(notebooks.dumps(good))
    code, said = run("--figures", tool=notebooks)
    assert code == 1
    assert said.startswith(
        "good: it was run in Jupyter, which left the state of its figures out. Run: make exec"
    )
    assert said.endswith("git checkout book/good.ipynb\n")
