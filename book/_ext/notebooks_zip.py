"""All chapters as notebooks in one file, `_downloads/d2lconv-notebooks.zip`, that need nothing from the site.

Beside the notebooks, which are those of the book byte for byte, lie the pages that they link to, the
package as a wheel, the versions that the chapters were run with, and a README that says how to start. The
same book gives the same bytes.
"""

import os
import re
import subprocess
import sys
import tempfile
import tomllib
import zipfile
from collections.abc import Iterable, Mapping
from importlib.util import find_spec
from pathlib import Path

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

import site_pages
from plain_pages import markdown_of, plain

LOGGER = logging.getLogger(__name__)

NAME = "_downloads/d2lconv-notebooks.zip"
FOLDER = "d2lconv-notebooks"
#: What a reader needs beside the package's own dependencies: an editor, and what one chapter compares with.
BESIDE = ("jupyterlab", "scikit-learn")
#: A page about files of the site.
NOT_IN_IT = "downloads"
_BIBLIOGRAPHY = "bibliography"
_PIN = re.compile(r"^([A-Za-z0-9._-]+)==[^\s\\]+(?: *;[^\\\n]*)?", re.MULTILINE)

_README = """\
# {title}

All chapters of the course *d2lconv* {version} as notebooks, with their results. [index.md](index.md) says
what is in each. On the web: <{address}>.

## Run them

You need Python 3.11 or newer. In this folder:

```sh
python3 -m venv .venv
. .venv/bin/activate              # on Windows: .venv\\Scripts\\activate
pip install -r requirements.txt
jupyter lab
```

`requirements.txt` names the versions that the chapters were run with; the course's own package, `d2lconv`,
is installed from the file that lies here. After that the notebooks need no network: all data comes with the
package.

On Linux, pip takes PyTorch's build for NVIDIA GPUs, which is several gigabytes. Without such a GPU, install
the small CPU build first, as [PyTorch's start page](https://pytorch.org/get-started/locally/) shows (choose
*CPU*).

## Licences

Text and figures: CC BY 4.0 (`LICENSE-text`). Code: MIT (`LICENSE`).
"""


class ZipError(Exception):
    """The file cannot be made; the message says why."""


def requirements(pyproject: str, pinned: str, wheel: str) -> str:
    r"""Return the requirements of the notebooks, in the versions that the course is tested with.

    Parameters
    ----------
    pyproject
        The text of `pyproject.toml`: it names what the package needs.
    pinned
        The text of `requirements.txt`: it has the versions.
    wheel
        The file's name of the package.

    Raises
    ------
    ZipError
        If a version is missing.

    Examples
    --------
    >>> project = '[project]\ndependencies = ["torch>=2.6"]'
    >>> pins = "jupyterlab==4.4\nscikit-learn==1.5 ; python_version < '3.12'\nsix==1.0\ntorch==2.13.0\n"
    >>> print(requirements(project, pins, "d2lconv-0.1.0-py3-none-any.whl"))
    ./d2lconv-0.1.0-py3-none-any.whl
    jupyterlab==4.4
    scikit-learn==1.5 ; python_version < '3.12'
    torch==2.13.0
    <BLANKLINE>
    """
    needs = tomllib.loads(pyproject)["project"]["dependencies"]
    names = {re.split(r"[^A-Za-z0-9._-]", need)[0].lower() for need in needs} | set(BESIDE)
    found = [(match[1].lower(), match[0].strip()) for match in _PIN.finditer(pinned)]
    if missing := sorted(names - {name for name, _ in found}):
        raise ZipError(f"requirements.txt has no version of {', '.join(missing)}; run: make requirements")
    return "\n".join([f"./{wheel}", *sorted(pin for name, pin in found if name in names)]) + "\n"


def wheel(root: Path) -> tuple[str, bytes]:
    """Build the package's wheel, and return its name and content."""
    if find_spec("hatchling") is None:
        raise ZipError("hatchling is not installed: install what requirements.txt names")
    environment = {key: value for key, value in os.environ.items() if key != "SOURCE_DATE_EPOCH"}
    with tempfile.TemporaryDirectory(prefix="d2lconv-") as folder:
        command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", folder]
        done = subprocess.run(command, cwd=root, env=environment, capture_output=True, text=True)
        if done.returncode:
            raise ZipError(f"hatchling: {done.stderr.strip()}")
        (path,) = Path(folder).glob("*.whl")
        return path.name, path.read_bytes()


def archive(files: Mapping[str, bytes], path: Path) -> None:
    """Write files into a zip in one step, without a trace of when and where it was done."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with zipfile.ZipFile(temporary, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as zipped:
            for name in sorted(files):
                entry = zipfile.ZipInfo(f"{FOLDER}/{name}", date_time=(1980, 1, 1, 0, 0, 0))
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.create_system = 3
                entry.external_attr = 0o100644 << 16
                zipped.writestr(entry, files[name])
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)


def collect(app: Sphinx) -> dict[str, bytes]:
    """Return what goes into the zip, by name.

    Raises
    ------
    ZipError
        If something cannot be made.
    """
    root = Path(app.srcdir)
    pages = {name.rpartition("/")[2]: Path(app.env.doc2path(name)) for name in sorted(app.env.found_docs)}
    pages.pop(NOT_IN_IT, None)
    address = app.config.html_baseurl.rstrip("/") + "/"
    works = _works(app, next(name for name in app.env.found_docs if name.endswith(_BIBLIOGRAPHY)))
    files = {}
    for path in pages.values():
        if path.suffix == ".ipynb":
            files[path.name] = path.read_bytes()
        else:
            text = path.read_text("utf-8")
            text = plain(text, works=works, here=pages, address=f"{address}{path.parent.name}/")
            files[path.name] = text.encode()
    book = next(iter(pages.values())).parent
    for name in ("references.bib", "_static/cover.svg"):
        files[name] = (book / name).read_bytes()
    for name in ("LICENSE", "LICENSE-text"):
        files[name] = (root / name).read_bytes()

    pyproject = (root / "pyproject.toml").read_text("utf-8")
    name, content = wheel(root)
    files[name] = content
    pinned = (root / "requirements.txt").read_text("utf-8")
    files["requirements.txt"] = requirements(pyproject, pinned, name).encode()
    title = app.env.titles[app.env.config.root_doc].astext()
    version = tomllib.loads(pyproject)["project"]["version"]
    files["README.md"] = _README.format(title=title, version=version, address=address).encode()
    return files


def _works(app: Sphinx, page: str) -> str:
    document = app.env.get_and_resolve_doctree(page, app.builder)
    items: Iterable[nodes.list_item] = document.findall(nodes.list_item)
    return "\n".join(f"- {markdown_of(next(item.findall(nodes.paragraph)))}" for item in items) + "\n"


def make(app: Sphinx, error: Exception | None) -> None:
    """Write the file when the book stands."""
    if site_pages.is_book(app, error):
        try:
            archive(collect(app), Path(app.outdir, NAME))
        except ZipError as problem:
            LOGGER.warning("no zip of the notebooks: %s", problem, type="d2lconv", subtype="zip")


def setup(app: Sphinx) -> ExtensionMetadata:
    """Work on the finished book."""
    app.connect("build-finished", make)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
