"""A second environment, with the widgets that Colab has: ipywidgets 7.7.1 and anywidget 0.9.21.

Only what differs from the course's own environment is installed into it, from wherever pip takes packages;
torch, pytest and the rest are those of the course's. It is made once and kept in the course's environment.
"""

import hashlib
import shutil
import subprocess
import sys
import sysconfig
import venv
from pathlib import Path

from filelock import FileLock

# JupyterLab 3.5 is the newest that shows widgets of ipywidgets 7 and needs nothing compiled.
PINS = [
    "anywidget==0.9.21",
    "entrypoints==0.4.2",
    "ipykernel==6.29.5",
    "ipython-genutils==0.2.0",
    "ipywidgets==7.7.1",
    "jupyter-client==7.4.9",
    "jupyterlab==3.5.3",
    "jupyterlab-widgets==1.1.11",
    "nbclassic==1.3.3",
    "nest-asyncio==1.6.0",
    "notebook==6.5.7",
    "tomli==2.5.0",
    "widgetsnbextension==3.6.10",
]


def environment() -> Path:
    """Return the environment's interpreter, after making it where it is not there."""
    folder = Path(sys.prefix) / "colab"
    python = folder / "bin" / "python"
    made_of = folder / "made-of"
    course = sysconfig.get_path("purelib")
    wanted = hashlib.sha256("\n".join([*PINS, course, sys.version]).encode()).hexdigest()
    with FileLock(f"{folder}.lock"):
        if not made_of.exists() or made_of.read_text() != wanted:
            shutil.rmtree(folder, ignore_errors=True)
            venv.create(folder, with_pip=True)
            # The packages of the course's environment come after its own.
            query = "import sysconfig; print(sysconfig.get_path('purelib'))"
            own = subprocess.run([python, "-c", query], check=True, capture_output=True, text=True)
            Path(own.stdout.strip(), "course.pth").write_text(f"{course}\n")
            options = ["--quiet", "--disable-pip-version-check", "--no-deps"]
            subprocess.run([python, "-m", "pip", "install", *options, *PINS], check=True)
            made_of.write_text(wanted)
    return python
