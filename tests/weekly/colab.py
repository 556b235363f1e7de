"""A second environment, with the widgets that Colab has and JupyterLab for them.

Only what differs from the course's own environment is installed into it; torch, pytest and the rest are those
of the course's.
"""

from pathlib import Path

from tests.weekly.environments import COURSE, make_once

# JupyterLab 3.5 is the newest that shows widgets of ipywidgets 7 and needs nothing compiled.
PINS = [
    "anywidget==0.9.21",
    "backcall==0.2.0",
    "decorator==5.2.1",
    "entrypoints==0.4.2",
    "ipykernel==6.17.1",
    "ipython-genutils==0.2.0",
    "ipython==7.34.0",
    "ipywidgets==7.7.1",
    "jupyter-client==7.4.9",
    "jupyterlab-widgets==1.1.11",
    "jupyterlab==3.5.3",
    "nbclassic==1.3.3",
    "nest-asyncio==1.6.0",
    "notebook==6.5.7",
    "pickleshare==0.7.5",
    "tomli==2.5.0",
    "traitlets==5.7.1",
    "widgetsnbextension==3.6.10",
]


def environment() -> Path:
    """Return the environment's interpreter, after making it where it is not there."""
    return make_once("colab", PINS, beside=[COURSE], options=["--no-deps"])
