"""Chapters are run in real kernels here: what is written, and what is said when something goes wrong."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from tools import execute
from tools.book import Book, BookError
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


@pytest.fixture
def run(book, monkeypatch, capsys):
    """Return a function that calls the command line in the small book, and returns exit code and messages."""
    monkeypatch.chdir(book)

    def run_tool(*arguments):
        code = execute.main(arguments)
        captured = capsys.readouterr()
        return code, captured.out + captured.err

    return run_tool


def test_running_twice_gives_the_same_bytes(run, write_chapter):
    path = write_chapter("draft", FIGURE, STREAMS, WIDGETS, KERNEL)
    code, said = run("draft")
    assert (code, said.split()[0], said.split()[-1]) == (0, "draft", "written")
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
    assert run("--check", "draft") == (0, "")


def test_a_chapter_that_fails_is_not_written_and_the_others_are(run, write_chapter):
    broken = {
        write_chapter("raises", "1 + 1", "sizes = {}\n\nsizes['kernel']"),
        write_chapter("hangs", "import time\n\ntime.sleep(60)"),
        write_chapter("dies", "import os\n\nos._exit(1)"),
    }
    write_chapter("fine", "1 + 1")
    before = {path: path.read_bytes() for path in broken}
    code, said = run("raises", "hangs", "dies", "fine", "--timeout", "4")
    assert code == 1
    assert {path: path.read_bytes() for path in broken} == before
    assert "raises: code cell [3] (sizes = {}) raised KeyError: 'kernel'\n" in said
    assert "----> 3 sizes['kernel']" in said
    assert "\x1b" not in said
    assert "hangs: code cell [2] (import time) ran longer than 4 s" in said
    assert (
        "dies: the kernel died in code cell [2] (import os): memory ran out, or compiled code crashed" in said
    )
    outcomes = {line.split()[0]: line.split()[-1] for line in said.splitlines()[:4]}
    assert outcomes == {"raises": "FAILED", "hangs": "FAILED", "dies": "FAILED", "fine": "written"}


def test_a_chapter_edited_while_it_runs_is_left_alone(write_chapter):
    source = "from pathlib import Path\n\nPath('draft.ipynb').open('a').write(' ')"
    path = write_chapter("draft", source)
    before = path.read_text()
    result = execute.run_chapter(path, timeout=60)
    assert result.problem == "draft: its file changed while it ran, so nothing was written; run it again"
    assert path.read_text() == before + " "


def test_an_unknown_chapter_is_answered_by_the_known_ones_nearest_first(run):
    assert run("otter") == (1, "\nerror: no chapter is named 'otter'; there are: other, good\n")


def test_pages_that_do_not_exist_are_named(run, book):
    (book / "book" / "other.ipynb").unlink()
    assert run() == (1, "\nerror: _toc.yml names pages that don't exist: book/other\n")


@pytest.mark.parametrize("name", ["good", "good.ipynb", "book/good.ipynb"])
def test_a_chapter_can_be_named_by_its_path(book, good_path, name):
    assert execute.select(Book(book), [name, "good"]) == [good_path]


def test_without_names_all_chapters_run_in_order_and_drafts_do_not(book, write_chapter):
    draft = write_chapter("draft", "1")
    assert [path.stem for path in execute.select(Book(book), [])] == ["good", "other"]
    assert execute.select(Book(book), ["draft"]) == [draft]


def test_check_names_what_is_not_canonical_and_tidy_mends_it(run, good_path):
    good_path.write_bytes(good_path.read_bytes().replace(b'\n "', b'\n  "'))
    before = good_path.read_bytes()
    tidy = "not in canonical form; run: python -m tools.execute --tidy"
    assert run("--check") == (1, f"\ngood: {tidy} good\n\nother: {tidy} other\n")  # other has no install cell
    assert good_path.read_bytes() == before
    assert run("--tidy") == (0, "good: tidied\nother: tidied\n")
    assert run("--check") == (0, "")
    assert load(good_path).cells[4].outputs[0].text == "2\n"


def test_what_is_no_notebook_is_named(run, good_path):
    good_path.write_text("<<<<<<< HEAD\n")
    for arguments in (("--check", "good"), ("good",)):
        code, said = run(*arguments)
        assert code == 1
        assert "good: good.ipynb isn't a notebook" in said


def test_outside_a_book_it_says_so(tmp_path_factory):
    with pytest.raises(BookError, match=r"no _toc\.yml in .* or above it"):
        Book.around(tmp_path_factory.mktemp("elsewhere"))


def test_an_interrupt_leaves_everything_as_it_was(book, write_chapter):
    path = write_chapter(
        "draft", "import time\nfrom pathlib import Path\n\nPath('running').touch()\ntime.sleep(60)"
    )
    before = path.read_bytes()
    root = Path(__file__).parents[2]
    wait_then_interrupt = """\
import os, signal, subprocess, sys, time
tool = subprocess.Popen([sys.executable, "-m", "tools.execute", "draft"], start_new_session=True)
while not os.path.exists("book/running"):
    time.sleep(0.05)
os.killpg(tool.pid, signal.SIGINT)
sys.exit(tool.wait())
"""
    done = subprocess.run(
        [sys.executable, "-c", wait_then_interrupt],
        cwd=book,
        env=os.environ | {"PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 130
    assert done.stderr.strip().endswith("interrupted: chapters that hadn't finished are as they were")
    assert "Traceback" not in done.stderr
    assert path.read_bytes() == before


def test_a_worker_ended_from_outside_is_reported(run, monkeypatch):
    def execute_nothing(*_, **__):
        raise execute.BrokenProcessPool

    monkeypatch.setattr(execute, "execute", execute_nothing)
    code, said = run("good")
    assert code == 1
    assert said == "\nerror: a worker process was ended from outside; what it hadn't finished is as it was\n"
