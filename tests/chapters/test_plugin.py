"""nbval, as this project configures it, notices a wrong digit, figure or table; and what it overlooks."""

import os
import re
import shutil
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import matplotlib as mpl
import numpy as np
import pytest
from matplotlib.figure import Figure
from nbformat.v4 import new_code_cell, new_notebook, new_output
from nbval.plugin import get_sanitize_patterns
from PIL import Image
from tools.guards import GUARDS
from tools.notebooks import WIDGET_VIEW, normalise, write

ROOT = Path(__file__).parents[2]
SANITIZE = "tests/chapters/sanitize.cfg"
DRAW = """\
from IPython.display import SVG

SVG('<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1 2"/></svg>')"""
SHOW = "from IPython.display import HTML\n\nHTML('<b>3</b>')"
WIDGET = """\
from comm import create_comm
from IPython.display import display

slider = create_comm(target_name="jupyter.widget", data={"state": {"_model_module": "controls"}})
view = {"model_id": slider.comm_id, "version_major": 2, "version_minor": 0}
display({"text/plain": "slider", "application/vnd.jupyter.widget-view+json": view}, raw=True)"""
THREADS = "import os\n\nos.environ.get('OMP_NUM_THREADS')"


def result(number, **data):
    kinds = {"svg": "image/svg+xml", "html": "text/html", "text": "text/plain"}
    named = {kinds[kind]: value for kind, value in data.items()}
    return new_output("execute_result", data=named, execution_count=number)


def chapter(total="3"):
    """Make a chapter as the chapter tool would write it; `total` is what its first cell is said to print."""
    svg = '<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1 2"/></svg>'
    view = {"model_id": "0" * 32, "version_major": 2, "version_minor": 0}
    slider = new_output("display_data", data={"text/plain": "slider", WIDGET_VIEW: view})
    cells = [
        new_code_cell("print(1 + 2)", outputs=[new_output("stream", name="stdout", text=f"{total}\n")]),
        new_code_cell(DRAW, outputs=[result(2, svg=svg, text="<IPython.core.display.SVG object>")]),
        new_code_cell(SHOW, outputs=[result(3, html="<b>3</b>", text="<IPython.core.display.HTML object>")]),
        new_code_cell(THREADS, outputs=[result(4, text="'1'")]),
        new_code_cell(WIDGET, outputs=[slider]),
    ]
    for cell in cells:
        cell.execution_count = 1
    return normalise(new_notebook(cells=cells))


@pytest.fixture(scope="module")
def report(tmp_path_factory):
    """Run pytest with this project's settings, in parallel, on one good chapter and several spoiled ones."""
    root = tmp_path_factory.mktemp("nbval")
    (root / "book").mkdir()
    (root / "tests" / "chapters").mkdir(parents=True)
    for name in ("pyproject.toml", "conftest.py", SANITIZE):
        if (ROOT / name).exists():
            shutil.copy(ROOT / name, root / name)
    svg, html, emptied, cleared = (chapter() for _ in range(4))
    svg.cells[1].outputs[0].data["image/svg+xml"] = "<svg/>"
    html.cells[2].outputs[0].data["text/html"] = "<b>4</b>"
    emptied.cells[1].outputs = []
    for cell in cleared.cells:
        cell.outputs, cell.execution_count = [], None
    chapters = {
        "good": chapter(),
        "digit": chapter(total="4"),
        "svg": svg,
        "html": html,
        "emptied": emptied,
        "cleared": cleared,
    }
    for name, nb in chapters.items():
        write(nb, root / "book" / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-n", "2", "--dist", "loadfile", "-rfE", "--color=no", "book"]
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=120)
    return done.stdout + done.stderr


def test_nbval_names_the_cells_that_differ_and_only_those(report):
    failed = re.findall(r"^(?:FAILED|ERROR) book/(\w+)\.ipynb::Cell (\d)", report, re.MULTILINE)
    assert sorted(failed) == [("digit", "0"), ("emptied", "1"), ("html", "2"), ("svg", "1")], report
    assert "26 passed" in report


def test_nbval_shows_what_was_stored_and_what_came_out(report):
    shown = report[report.index("book/digit.ipynb::Cell 0") :]
    assert r"reference_output == test_output failed:" in shown
    assert r"'4\n' == '3\n'" in shown


def test_a_cleared_chapter_which_nbval_passes_is_caught_by_a_guard(report):
    assert "book/cleared.ipynb" not in re.findall(r"^FAILED (\S+?)::", report, re.MULTILINE)
    nb = chapter()
    for cell in nb.cells:
        cell.outputs, cell.execution_count = [], None
    problems = GUARDS["every_cell_was_run"](nb, Path("book/cleared.ipynb"))
    assert len(problems) == 5
    assert problems[0] == (
        "cleared, code cell [1] (print(1 + 2)): it was never run; run: make execute CHAPTER=cleared"
    )


def sanitized(output):
    for pattern, replacement in get_sanitize_patterns((ROOT / SANITIZE).read_text()):
        output = re.sub(pattern, replacement, output)
    return output


def test_pixels_compressed_by_another_zlib_are_the_same(monkeypatch):
    def draw(pixels, level):
        save = Image.Image.save
        with mpl.rc_context({"svg.hashsalt": "d2lconv"}), monkeypatch.context() as patch:
            patch.setattr(Image.Image, "save", lambda *a, **k: save(*a, **k, compress_level=level))
            figure, file = Figure(), BytesIO()
            figure.subplots().imshow(pixels)
            figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue().decode()

    digit = np.eye(4)
    one, other = draw(digit, level=1), draw(digit, level=9)
    assert one != other
    assert sanitized(one) == sanitized(other)
    assert sanitized(one) != sanitized(draw(np.eye(5), level=1))


def test_the_sign_of_zero_in_a_path_is_left_out_and_nothing_else():
    assert sanitized('<path d="M -0 230.4 \nL 368.4 -0 \nL -0 -0 \nz\n"/>') == (
        '<path d="M 0 230.4 \nL 368.4 0 \nL 0 0 \nz\n"/>'
    )
    for output in ('d="M -0.5 1 \nL 2 -0.25 \nz"', "tensor([-0., 0.])", "-0 L", "a -0 b"):
        assert sanitized(output) == output


def test_clip_paths_are_compared_by_their_corners():
    def draw(left, right):
        with mpl.rc_context({"svg.hashsalt": "d2lconv"}):
            figure, file = Figure(), BytesIO()
            figure.add_axes((left, 0.1, right - left, 0.8)).plot([1, 2])
            figure.savefig(file, format="svg", metadata={"Date": None})
        return file.getvalue().decode()

    one, other = draw(0.1, 0.9), draw(0.1 + 1e-15, 0.9)
    assert one != other
    assert sanitized(one) == sanitized(other)
    assert sanitized(one) != sanitized(draw(0.1, 0.91))
