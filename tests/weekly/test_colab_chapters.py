"""Each chapter as Colab runs it: the file alone, Colab's versions, the package from a wheel that it installs.

Colab's PyTorch is the only one of its packages that is not installed: the course's own stands in its place.
"""

import contextlib
import copy
import importlib.metadata
import json
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_output
from tests.chapters.compare import compare_outputs, tolerance_of
from tests.weekly.environments import BESIDE, COURSE, make_once, packages_of, put_on_top
from tools.book import Book
from tools.execute import run_cells
from tools.notebooks import install_index

pytestmark = pytest.mark.slow

BOOK = Book.around(Path(__file__))
COLAB = {
    "anywidget": "0.9.21",
    "certifi": "2025.1.31",
    "ipykernel": "6.17.1",
    "ipython": "7.34.0",
    "ipywidgets": "7.7.1",
    "matplotlib": "3.10.0",
    "numpy": "2.0.2",
    "scikit-learn": "1.6.1",
    "tqdm": "4.67.1",
    "traitlets": "5.7.1",
}


@pytest.fixture(scope="session")
def shipped():
    """Return the interpreter of an environment with what Colab ships, without d2lconv."""
    torch = importlib.metadata.distribution("torch")
    alone = Path(sys.prefix) / "torch-alone"  # so that nothing else of the course's environment is found
    alone.mkdir(exist_ok=True)
    for name in {str(file).split("/")[0] for file in torch.files or ()} - {".."}:
        with contextlib.suppress(FileExistsError):  # another worker may be as far
            (alone / name).symlink_to(COURSE / name)
    pins = [f"{name}=={version}" for name, version in COLAB.items()]
    return make_once("colab-alone", [*pins, *(torch.requires or ())], beside=[alone])


@pytest.fixture(scope="module")
def wheel(tmp_path_factory):
    """Return the wheel's path."""
    folder = tmp_path_factory.mktemp("dist")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
    subprocess.run(command, cwd=BOOK.root, check=True, capture_output=True)
    return next(folder.glob("*.whl"))


@pytest.fixture
def python(shipped, tmp_path, monkeypatch):
    """Return the interpreter of a new environment with what Colab ships; it is the one that kernels run in.

    It is offline, so a package that pip would fetch is an error.
    """
    python = put_on_top(tmp_path / "environment", shipped)
    kernel = tmp_path / "jupyter/kernels/python3"
    kernel.mkdir(parents=True)
    command = [str(python), "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (kernel / "kernel.json").write_text(
        json.dumps({"argv": command, "display_name": "Python 3", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path / "jupyter"))
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.delenv("PYTHONPATH", raising=False)
    return python


def texts_of(cell):
    """Return a cell's outputs with texts alone, in one piece; drawings differ by Matplotlib's version."""
    streams = [output for output in cell.outputs if output.output_type == "stream"]
    outputs = [copy.deepcopy(output) for output in cell.outputs if output.output_type != "stream"]
    for output in outputs:
        for kind in [kind for kind in output.get("data", {}) if not kind.startswith("text/")]:
            output.data[f"some {kind}"] = ""
            del output.data[kind]
    text = "".join(output.text for output in streams)
    return [new_output("stream", name="stdout", text=text), *outputs] if text else outputs


def versions(python):
    """Return what pip finds installed."""
    command = [python, "-m", "pip", "list", "--format=json", "--disable-pip-version-check"]
    listed = json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)
    return {package["name"]: package["version"] for package in listed}


@pytest.mark.parametrize("path", BOOK.chapters(), ids=lambda path: path.stem)
def test_chapter_runs_alone_and_shows_the_same(path, wheel, python, tmp_path):
    saved = nbformat.read(path, as_version=4)
    nb = copy.deepcopy(saved)
    install = nb.cells[install_index(nb)]
    repository = BOOK.repository()
    address = f"git+{repository.url}@{repository.branch}"
    assert install.source.count(address) == 1
    install.source = install.source.replace(address, wheel.as_uri())
    alone = tmp_path / "content" / path.name
    alone.parent.mkdir()
    at_first = versions(python)
    assert {name: at_first[name] for name in COLAB} == COLAB
    assert "d2lconv" not in at_first

    run_cells(nb, alone, timeout=300)

    same = [cell for cell in saved.cells if cell.cell_type == "code"]
    for number, cell in enumerate(cell for cell in nb.cells if cell.cell_type == "code"):
        if cell.id != install.id:
            before, now = texts_of(same[number]), texts_of(cell)
            assert compare_outputs(before, now, tolerance_of(same[number])) == [], cell.source
    after = versions(python)
    assert {name: version for name, version in after.items() if at_first.get(name) != version} == {
        "d2lconv": importlib.metadata.version("d2lconv")
    }
    own = {path.name.partition("-")[0] for path in packages_of(python).iterdir()}
    assert own == {BESIDE, "d2lconv"}
    done = subprocess.run([python, "-m", "pip", "check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "No broken requirements found.\n")
