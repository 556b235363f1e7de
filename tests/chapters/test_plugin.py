"""pytest, as this project configures it, runs chapters and says in one screen which cell differs, and how."""

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from nbformat.v4 import new_code_cell, new_notebook, new_output
from tools.execute import run_chapter
from tools.notebooks import WIDGET_STATE, load, normalise, write

ROOT = Path(__file__).parents[2]
COPIED = ("pyproject.toml", "conftest.py", "tests/chapters/compare.py")
CELLS = {
    "print": "loss = 0.971\nprint('loss', loss)",
    "svg": """\
from IPython.display import SVG

SVG('<svg xmlns="http://www.w3.org/2000/svg"><path d="M 1 2"/></svg>')""",
    "html": "from IPython.display import HTML\n\nHTML('<b>3</b>')",
    "time": "import time\n\nprint(f'took {time.perf_counter():.3f} s')",
    "threads": "import os\n\nos.environ.get('OMP_NUM_THREADS')",
    "figure": """\
import ipywidgets

sliders = [ipywidgets.IntSlider(3, 1, 9), ipywidgets.IntSlider(3, 1, 9)]
link = ipywidgets.jslink((sliders[0], "value"), (sliders[1], "value"))
ipywidgets.VBox(sliders)""",
    "last": "1 + 1",
}
PRINT, PICTURE, TABLE, TIME, THREADS, FIGURE, LAST = range(7)


@pytest.fixture(scope="module")
def good(tmp_path_factory):
    """Run a chapter by the project's own tool, and return it as it is stored."""
    root = tmp_path_factory.mktemp("executed")
    (root / "_toc.yml").write_text("format: jb-book\nroot: chapter\n")
    (root / "_config.yml").write_text(
        "title: A book\nrepository:\n  url: https://github.com/d2lconv/d2lconv\n"
    )
    nb = new_notebook(cells=[new_code_cell(source, id=name) for name, source in CELLS.items()])
    write(normalise(nb), root / "chapter.ipynb")
    assert run_chapter(root / "chapter.ipynb") == ""
    nb = load(root / "chapter.ipynb")
    nb.cells = nb.cells[-len(CELLS) :]  # without the cell that installs d2lconv
    nb.cells[TIME].metadata["d2lconv"] = {"times": True}
    return normalise(nb)


def change(cell, **attributes):
    return lambda nb: nb.cells[cell].update(attributes)


def output(cell, kind, value):
    return lambda nb: nb.cells[cell].outputs[0].data.update({kind: value})


def mark(text, mark):
    def spoil(nb):
        nb.cells[PRINT].outputs[0].text = text
        nb.cells[PRINT].metadata["d2lconv"] = mark

    return spoil


def models(nb):
    return nb.metadata.widgets[WIDGET_STATE].state


def of_kind(nb, kind):
    return next(name for name, model in models(nb).items() if model.model_name == kind)


CHAPTERS = {  # what is spoiled, and what is to be reported
    "good": ([mark("loss 0.98\n", {"tolerance": {"rel": 0.02}})], []),
    "spoiled": (
        [
            mark("loss 0.972\n", {}),
            output(PICTURE, "image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg'/>"),
            output(TABLE, "text/html", "<b>4</b>"),
            change(TIME, outputs=[new_output("stream", name="stdout", text="took 1.2 ms\n")]),
            change(LAST, outputs=[]),
            lambda nb: models(nb)[of_kind(nb, "IntSliderModel")].state.update(value=4),
            lambda nb: models(nb).pop(of_kind(nb, "LinkModel")),
        ],
        ["cell 1", "cell 2", "cell 3", "cell 4", "cell 7", "figures"],
    ),
    "worse": (
        [
            mark("loss 0.99\n", {"tolerance": {"rel": 0.01}}),
            change(
                TABLE, source="# NBVAL_IGNORE_OUTPUT\nHTML('<b>5</b>')", metadata={"tags": ["nbval-skip"]}
            ),
            change(TIME, metadata={}),
            change(LAST, source="1 / 0", metadata={"tags": ["raises-exception"]}),
            lambda nb: nb.metadata.pop("widgets"),
        ],
        ["cell 1", "cell 3", "cell 4", "cell 7", "figures"],
    ),
}


@pytest.fixture(scope="module")
def report(good, tmp_path_factory):
    """Run pytest with this project's settings on a good chapter and several spoiled ones."""
    root = tmp_path_factory.mktemp("plugin")
    for name in COPIED:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, root / name)
    (root / "book").mkdir()
    for name, (spoilers, _) in CHAPTERS.items():
        nb = normalise(good)
        for spoil in spoilers:
            spoil(nb)
        write(nb, root / "book" / f"{name}.ipynb")
    command = [sys.executable, "-m", "pytest", "-rfE", "--color=no", "book"]
    environment = {key: value for key, value in os.environ.items() if key != "OMP_NUM_THREADS"}
    done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True, timeout=300)
    return done.stdout + done.stderr


def test_it_names_the_cells_that_differ_and_only_those(report):
    found = re.findall(r"^(?:FAILED|ERROR) book/(\w+)\.ipynb::(\w+(?: \d)?)", report, re.MULTILINE)
    assert sorted(found) == sorted((name, cell) for name, (_, cells) in CHAPTERS.items() for cell in cells), (
        report
    )


def part(report, title):
    """Return what the report says of a cell."""
    return re.search(rf"_ {re.escape(title)} _+\n(.*?)\n(?:_____|=====)", report, re.DOTALL)[1]


def test_it_shows_what_was_stored_and_what_came_out(report):
    assert part(report, "spoiled, code cell [1]") == (
        "spoiled, code cell [1] (loss = 0.971): Cell outputs differ\n"
        "  stdout, stored (-) and now (+):\n    - loss 0.972\n    + loss 0.971\n"
        "  If the new output is right: make execute CHAPTER=spoiled"
    )
    beyond = "stdout, after 'loss': stored 0.99, now 0.971 (allowed: relative 0.01, absolute 0)"
    assert beyond in part(report, "worse, code cell [1]")
    assert "hint: a time differs in every run; mark the cell" in part(report, "worse, code cell [4]")
    assert "ZeroDivisionError: division by zero" in part(report, "worse, code cell [7]")


def test_it_shows_what_became_of_a_figure(report):
    assert "figure 1.children[0] value: stored 4, now 3" in part(report, "spoiled, saved figures")
    assert "in the run, but not in the file: LinkModel" in part(report, "spoiled, saved figures")
    assert "figure 1: only in the run" in part(report, "worse, saved figures")


def test_each_message_fits_a_screen(report):
    titles = re.findall(r"^_+ (\w+, .*?) _+$", report, re.MULTILINE)
    assert len(titles) == 11
    assert all(len(part(report, title).splitlines()) < 25 for title in titles)
