"""All chapters as notebooks in one file that runs by itself, with the package's source in `package`."""

import re
import tomllib
import zipfile
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.errors import ExtensionError
from sphinx.locale import _

NAME = "d2lconv-notebooks"
BESIDE = ("jupyterlab", "scikit-learn")  # an editor, and what one chapter compares with
PACKAGE = ("pyproject.toml", "README.md", "LICENSE", "LICENSE-text")
README = """All chapters of d2lconv, with their results, for Python 3.11 or newer. In this folder:

    python3 -m venv .venv
    . .venv/bin/activate              (on Windows: .venv\\Scripts\\activate)
    pip install -r requirements.txt
    jupyter lab

On Linux without an NVIDIA GPU, first install PyTorch's small build: https://pytorch.org/get-started/locally
Licences: package/LICENSE and package/LICENSE-text
"""


def requirements(root: Path) -> str:
    """Return what the notebooks need, in the versions that the course is tested with."""
    needs = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]["dependencies"]
    names = {*BESIDE, *(re.split(r"[^\w.-]", need)[0].lower() for need in needs)}
    pins = re.findall(r"^(([\w.-]+)==.*)$", (root / "requirements.txt").read_text("utf-8"), re.MULTILINE)
    if missing := names - {name.lower() for _, name in pins}:
        raise ExtensionError(f"requirements.txt has no version of {missing}; run: make requirements")
    return "\n".join(["./package", *(pin for pin, name in pins if name.lower() in names), ""])


def write(app: Sphinx, error: Exception | None) -> None:
    """Write the file, the same bytes for the same book."""
    root, files = Path(app.srcdir), {"README.txt": str(_(README)).encode()}
    if error or app.builder.name != "html" or not (root / "pyproject.toml").exists():  # a book in a test
        return
    for path in (Path(app.env.doc2path(page)) for page in app.env.found_docs):
        if path.suffix == ".ipynb":  # links to other pages lead to the site
            page = rf"]({app.config.html_baseurl}{path.parent.name}/\1.html"
            files[path.name] = re.sub(r"\]\((\w+)\.md\b", page, path.read_text("utf-8")).encode()
    source = [path for path in (root / "src" / "d2lconv").rglob("*") if "__pycache__" not in path.parts]
    for path in [*map(root.joinpath, PACKAGE), *filter(Path.is_file, source)]:
        files[f"package/{path.relative_to(root).as_posix()}"] = path.read_bytes()
    files["requirements.txt"] = requirements(root).encode()
    folder = Path(app.outdir, "_downloads")
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(folder / f"{NAME}.zip", "w", compresslevel=9) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(zipfile.ZipInfo(f"{NAME}/{name}"), content, zipfile.ZIP_DEFLATED)


def setup(app: Sphinx) -> None:
    """Write the file when the book is built."""
    app.connect("build-finished", write)
