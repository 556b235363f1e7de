"""What import-linter doesn't see: light import, own operators, documentation, and what pip installs."""

import ast
import pkgutil
import re
import subprocess
import sys
import tomllib
import warnings
import zipfile
from pathlib import Path

import pytest
from numpydoc.validate import validate

import d2lconv

ROOT = Path(__file__).parents[2]
HEAVY = ("torch", "numpy", "matplotlib", "IPython", "ipywidgets")
PUBLIC = [
    f"d2lconv.{module}.{name}"
    for module in d2lconv.__all__
    if module != "__version__"
    for name in getattr(d2lconv, module).__all__
    if callable(getattr(getattr(d2lconv, module), name))
]

# What the operators are compared with, so what they must not call themselves.
ORACLES = re.compile(r"conv(?!ert)|correlat|pool|fold|im2col|col2im", re.IGNORECASE)


def loaded_by(*statements):
    """Return which heavy packages a fresh interpreter has loaded after each statement."""
    say = f"print(*[name for name in {HEAVY} if name in sys.modules])"
    code = "\n".join(["import sys", *(f"{statement}\n{say}" for statement in statements)])
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return [set(line.split()) for line in done.stdout.splitlines()]


def test_import_loads_nothing_heavy_and_operators_draw_nothing():
    light = "import d2lconv, d2lconv.shapes; dir(d2lconv); d2lconv.__version__"
    on_demand = "d2lconv.ops.corr2d; from d2lconv import data"
    assert loaded_by(light, on_demand) == [set(), {"torch", "numpy"}]


def test_all_names_every_public_module():
    package = ROOT / "src" / "d2lconv"
    names = {
        path.stem for path in package.iterdir() if path.suffix == ".py" or (path / "__init__.py").exists()
    }
    assert sorted(d2lconv.__all__) == sorted({name for name in names if name[0] != "_"} | {"__version__"})
    assert set(d2lconv.__all__) <= set(dir(d2lconv))


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'd2lconv' has no attribute 'opps'"):
        d2lconv.opps  # noqa: B018


# ---- documentation ---------------------------------------------------------------------------


def docstring_faults(name):
    """List what numpydoc misses: a summary, parameters, what is returned, an example."""
    wanted = {"GL08", "SS01", "PR01", "PR02", "PR03", "RT01", "YD01", "EX01"}
    if isinstance(
        pkgutil.resolve_name(name), type
    ):  # a dataclass describes attributes, and where it is used there is the example
        wanted -= {"PR01", "EX01"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        errors = validate(name)["errors"]
    return [f"{name}: {text}" for code, text in errors if code in wanted]


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name):
    assert docstring_faults(name) == []


def test_docstring_faults(monkeypatch):
    def silent(X):
        """Do it."""
        return X

    monkeypatch.setattr(d2lconv.ops, "silent", silent, raising=False)
    assert [fault[:34] for fault in docstring_faults("d2lconv.ops.silent")] == [
        "d2lconv.ops.silent: Parameters {'X",
        "d2lconv.ops.silent: No Returns sec",
        "d2lconv.ops.silent: No examples se",
    ]


# ---- operators -------------------------------------------------------------------------------


def oracle_faults(source):
    """List uses of PyTorch's own convolution, pooling and unfolding."""
    ours, faults = set(), []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("d2lconv"):
            ours |= {alias.asname or alias.name for alias in node.names}
        elif isinstance(node, ast.Import | ast.ImportFrom):
            faults += [alias.name for alias in node.names if alias.name == "*" or ORACLES.search(alias.name)]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and ORACLES.search(node.attr):
            owner = ast.unparse(node.value)
            faults += [f"{owner}.{node.attr}"] if owner not in ours else []
        elif isinstance(node, ast.Name) and node.id in {"getattr", "eval", "exec", "attrgetter"}:
            faults.append(node.id)
    return faults


def test_operators_are_their_own_work():
    modules = list((ROOT / "src/d2lconv/ops").glob("*.py"))
    assert modules
    assert {path.name: oracle_faults(path.read_text("utf-8")) for path in modules} == {
        path.name: [] for path in modules
    }


@pytest.mark.parametrize(
    "source",
    [
        "F.conv2d(X, K)",
        "torch.nn.Conv2d(1, 1, 3)",
        "X.unfold(2, 3, 1)",
        "from torch.nn.functional import fold",
    ],
)
def test_oracle_faults(source):
    assert oracle_faults(source)
    assert not oracle_faults("from d2lconv.ops import pooling\n\npooling.pool2d(X.convert())")


# ---- what pip installs -----------------------------------------------------------------------


def test_the_wheel_holds_the_package_and_needs_nothing_to_be_imported(tmp_path):
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", tmp_path]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
        archive.extractall(tmp_path / "installed")
    source = {
        path.relative_to(ROOT / "src").as_posix()
        for path in (ROOT / "src/d2lconv").rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    info = {name for name in names if ".dist-info/" in name}
    assert names - info == source
    licences = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["license-files"]
    expected = {path.relative_to(ROOT).as_posix() for pattern in licences for path in ROOT.glob(pattern)}
    assert {name.partition("/licenses/")[2] for name in info} - {""} == expected
    assert len(expected) == 5

    # Without site-packages, importing PyTorch or another package would fail; none is asked for.
    code = f"""import sys
sys.path.insert(0, {str(tmp_path / "installed")!r})
import d2lconv, d2lconv.shapes
print(d2lconv.__file__, d2lconv.shapes.conv_output_size(28, 5, padding=2))"""
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code], check=True, capture_output=True, text=True
    )
    assert done.stdout.split() == [str(tmp_path / "installed/d2lconv/__init__.py"), "28"]
