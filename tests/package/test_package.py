"""The rules of the package's house: light import, layers, the operators' independence, documentation.

Each rule is a function from source text to a list of faults, so that the last tests can show it a bad one.
"""

import ast
import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest

import d2lconv

PACKAGE = Path(__file__).parents[2] / "src" / "d2lconv"
MAX_LINES = 320  # about 300

# Every module, also those still to come, from the lowest layer to the highest. A module may import modules of
# lower layers, the standard library, and the other packages listed for its own layer and those below.
LAYERS = (
    ({"_arguments"}, set()),
    ({"shapes"}, set()),
    ({"ops", "summary", "models", "data"}, {"torch", "numpy", "pooch", "tqdm"}),
    ({"plotting"}, {"matplotlib", "cycler", "matplotlib_inline"}),
    ({"training", "exercises"}, set()),
    ({"widgets"}, {"anywidget", "ipywidgets", "traitlets", "IPython"}),
)

# What the operators are compared with, so what they must not call themselves.
ORACLES = re.compile(r"conv(?!ert)|correlat|pool|fold|im2col|col2im", re.IGNORECASE)

HEAVY = ("torch", "numpy", "matplotlib", "IPython", "ipywidgets")


def read_modules():
    """Return the source of every module by its dotted name."""
    names = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        parts = ("d2lconv", *path.relative_to(PACKAGE).with_suffix("").parts)
        names[".".join(parts).removesuffix(".__init__")] = path.read_text(encoding="utf-8")
    return names


MODULES = read_modules()


def layer_of(module):
    """Return the number of a module's layer, or None for one that the table does not know."""
    part = module.split(".")[1] if "." in module else ""
    return next((number for number, (names, _) in enumerate(LAYERS) if part in names), None)


def imported(tree):
    """List the absolute dotted names that a module imports, anywhere in it."""
    names = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names += [f"{'.' * node.level}{node.module or ''}.{alias.name}" for alias in node.names]
    return names


def import_faults(module, source):
    """List imports that do not point downwards."""
    layer = layer_of(module)
    if layer is None:
        return [f"{module}: add it to LAYERS"]
    home = ".".join(module.split(".")[:2])
    packages = set().union(*(allowed for _, allowed in LAYERS[: layer + 1]))
    tree = ast.parse(source)
    faults = []
    for name in imported(tree):
        top = name.split(".")[0]
        if not top:
            faults.append(f"{module}: write {name} as an absolute import")
        elif top == "d2lconv":
            target = layer_of(name)
            inside = f"{name}.".startswith(f"{home}.")
            if not inside and (target is None or target >= layer):
                faults.append(f"{module}: {name} is not in a lower layer")
        elif top not in packages and top not in sys.stdlib_module_names:
            faults.append(f"{module}: {top} is not for this layer")
    called = {ast.unparse(node.func).split(".")[-1] for node in ast.walk(tree) if isinstance(node, ast.Call)}
    return faults + [f"{module}: {name} hides an import" for name in called & {"import_module", "__import__"}]


def book_faults(module, source):
    """List mentions of the book's files: the package must not know them."""
    return [f"{module}: {found}" for found in re.findall(r"\bbook/\S*|\S+\.ipynb\b", source)]


def length_faults(module, source):
    """Report a module that has grown too long."""
    lines = source.count("\n")
    return [f"{module}: {lines} lines, split it by concept"] if lines > MAX_LINES else []


def oracle_faults(module, source):
    """List uses of PyTorch's own convolution, pooling and unfolding."""
    tree = ast.parse(source)
    ours, faults = set(), []
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom):
            if (node.module or "").startswith("d2lconv"):
                ours |= {alias.asname or alias.name for alias in node.names}
            else:
                faults += [a.name for a in node.names if a.name == "*" or ORACLES.search(a.name)]
        elif isinstance(node, ast.Import):
            faults += [alias.name for alias in node.names if ORACLES.search(alias.name)]
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and ORACLES.search(node.attr):
            owner = ast.unparse(node.value)
            if owner not in ours:
                faults.append(f"{owner}.{node.attr}")
        elif isinstance(node, ast.Name) and node.id in {"getattr", "eval", "exec", "attrgetter"}:
            faults.append(node.id)
    return [f"{module}: {fault}" for fault in faults]


def public_names(tree):
    """Return `__all__`, or None."""
    for node in tree.body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            return ast.literal_eval(node.value)
    return None


def raising(sources):
    """Return the names of functions that raise, themselves or through a function that they call by name."""
    functions = [
        node
        for source in sources
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef)
    ]
    names, before = set(), -1
    while len(names) > before:
        before = len(names)
        names |= {function.name for function in functions if raises(function, names)}
    return names


def raises(function, names):
    return any(
        isinstance(node, ast.Raise)
        or (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in names)
        for node in ast.walk(function)
    )


def is_decorated(function, word):
    return any(word in ast.unparse(decorator) for decorator in function.decorator_list)


def sections(docstring):
    """Split a numpydoc docstring into its sections; what comes before the first is its summary."""
    parts = re.split(r"^(\w[\w ]*)\n-{3,}\n", inspect.cleandoc(docstring or "") + "\n", flags=re.MULTILINE)
    return {"Summary": parts[0].strip(), **dict(zip(parts[1::2], parts[2::2], strict=True))}


def described(section):
    """List the names that a Parameters or Attributes section describes."""
    heads = [line.split(" : ")[0] for line in section.splitlines() if line and not line[0].isspace()]
    return [name.strip(" *`") for head in heads for name in head.split(",")]


def function_faults(function, names, *, method=False):
    """List what a function's docstring and annotations lack. Methods need no example of their own."""
    a = function.args
    arguments = [*a.posonlyargs, *a.args, *a.kwonlyargs, *filter(None, (a.vararg, a.kwarg))]
    arguments = [argument for argument in arguments if argument.arg not in {"self", "cls"}]
    doc = sections(ast.get_docstring(function))
    told = described(doc.get("Parameters", ""))
    wanted = [argument.arg for argument in arguments]
    result = ast.unparse(function.returns) if function.returns else None
    faults = ["no summary"] if not doc["Summary"] else []
    faults += [f"{name} is not described" for name in wanted if name not in told]
    faults += [f"{name} is described but no argument" for name in told if name not in wanted]
    faults += [f"{arg.arg} has no type" for arg in arguments if arg.annotation is None]
    faults += ["no type for the result"] if result is None else []
    if result != "None" and not is_decorated(function, "property") and not {"Returns", "Yields"} & doc.keys():
        faults.append("no Returns section")
    if raises(function, names) and "Raises" not in doc:
        faults.append("no Raises section")
    if not method and ">>>" not in doc.get("Examples", ""):
        faults.append("no example")
    return [f"{function.name}: {fault}" for fault in faults]


def class_faults(node, names):
    """List what the docstrings of a class and its public methods lack."""
    doc = sections(ast.get_docstring(node))
    told = described(doc.get("Parameters", "")) + described(doc.get("Attributes", ""))
    fields = [item.target.id for item in node.body if isinstance(item, ast.AnnAssign)]
    faults = [": no summary"] if not doc["Summary"] else []
    faults += [f": {name} is not described" for name in fields if name not in told and name[0] != "_"]
    for item in node.body:
        if isinstance(item, ast.FunctionDef) and item.name[0] != "_":
            faults += [f".{fault}" for fault in function_faults(item, names, method=True)]
    return [f"{node.name}{fault}" for fault in faults]


def docstring_faults(module, source, names=frozenset()):
    """List what the documentation of a module's public names lacks."""
    tree = ast.parse(source)
    faults = [] if ast.get_docstring(tree) else ["no docstring"]
    public = public_names(tree)
    if public is None:
        inner = ".exercises.engine" in module or module.endswith(".exercises.chapters")
        if not (inner or module.split(".")[-1].startswith("_")):
            faults.append("no __all__")
        public = []
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in public:
            faults += class_faults(node, names)
        elif isinstance(node, ast.FunctionDef) and node.name in public and not is_decorated(node, "overload"):
            faults += function_faults(node, names)
    return [f"{module}: {fault}" for fault in faults]


def clean(faults):
    assert not faults, "\n" + "\n".join(faults)


def loaded_by(statement):
    """Return which heavy packages a fresh interpreter has loaded after a statement."""
    command = f"import sys\n{statement}\nprint(*[name for name in {HEAVY} if name in sys.modules])"
    done = subprocess.run([sys.executable, "-c", command], capture_output=True, text=True, check=True)
    return done.stdout.split()


# ---- the package obeys ------------------------------------------------------------


def test_import_loads_nothing_heavy():
    assert loaded_by("import d2lconv, d2lconv.shapes; dir(d2lconv); d2lconv.__version__") == []


def test_the_operators_and_the_data_draw_nothing():
    assert set(loaded_by("import d2lconv.ops, d2lconv.data")) <= {"torch", "numpy"}


def test_modules_load_when_first_used():
    assert "torch" in loaded_by("import d2lconv; d2lconv.ops.corr2d")
    assert "torch" in loaded_by("from d2lconv import data")


def test_all_names_every_public_module():
    names = {name.split(".")[1] for name in MODULES if "." in name}
    assert sorted(d2lconv.__all__) == sorted({name for name in names if name[0] != "_"} | {"__version__"})
    for name in d2lconv.__all__:
        assert getattr(d2lconv, name)
        assert name in dir(d2lconv)


def test_public_names_exist_and_are_documented_where_they_are_defined():
    for module in d2lconv.__all__:
        if module != "__version__":
            for name in getattr(d2lconv, module).__all__:
                value = getattr(getattr(d2lconv, module), name)
                home = sys.modules.get(getattr(value, "__module__", ""))
                assert home is None or name in home.__all__, f"{name} is missing in {home.__name__}.__all__"


def test_unknown_name():
    with pytest.raises(AttributeError, match="module 'd2lconv' has no attribute 'opps'"):
        d2lconv.opps  # noqa: B018


def test_package_is_typed():
    assert (PACKAGE / "py.typed").is_file()


@pytest.fixture(scope="module")
def raising_functions():
    return raising(MODULES.values())


@pytest.mark.parametrize("module", sorted(MODULES))
class TestModule:
    def test_imports_point_downwards(self, module):
        if module != "d2lconv":  # which imports nothing by itself: the first test above
            clean(import_faults(module, MODULES[module]))

    def test_does_not_know_the_book(self, module):
        clean(book_faults(module, MODULES[module]))

    def test_is_short(self, module):
        if ".exercises.chapters." not in module:  # one file a chapter, however many exercises
            clean(length_faults(module, MODULES[module]))

    def test_is_documented(self, module, raising_functions):
        clean(docstring_faults(module, MODULES[module], raising_functions))


@pytest.mark.parametrize("module", sorted(name for name in MODULES if name.split(".")[1:2] == ["ops"]))
def test_operators_are_their_own_work(module):
    clean(oracle_faults(module, MODULES[module]))


# ---- and the rules see who does not ------------------------------------------------------------


def test_loaded_by_sees_an_import():
    assert loaded_by("import numpy") == ["numpy"]


@pytest.mark.parametrize(
    ("module", "source", "fault"),
    [
        ("d2lconv.shapes", "import torch", "torch is not for this layer"),
        ("d2lconv.shapes.sizes", "def f():\n    from numpy import array", "numpy is not for this layer"),
        ("d2lconv.ops", "import matplotlib.pyplot as plt", "matplotlib is not for this layer"),
        ("d2lconv.training", "import ipywidgets", "ipywidgets is not for this layer"),
        ("d2lconv.ops", "import tools.execute", "tools is not for this layer"),
        ("d2lconv.shapes", "from d2lconv import ops", "d2lconv.ops is not in a lower layer"),
        (
            "d2lconv.ops.pooling",
            "from d2lconv.models import VGG",
            "d2lconv.models.VGG is not in a lower layer",
        ),
        ("d2lconv.ops", "from d2lconv.plotting import show", "d2lconv.plotting.show is not in a lower layer"),
        (
            "d2lconv.plotting",
            "import d2lconv.widgets.channels",
            "d2lconv.widgets.channels is not in a lower layer",
        ),
        ("d2lconv.plotting", "import d2lconv", "d2lconv is not in a lower layer"),
        ("d2lconv.ops.pooling", "from . import convolution", "write ..convolution as an absolute import"),
        ("d2lconv.ops", "import_module('d2lconv.widgets')", "import_module hides an import"),
        ("d2lconv.shapes", "importlib.import_module(name)", "import_module hides an import"),
        ("d2lconv.novelty", "", "add it to LAYERS"),
    ],
)
def test_import_faults(module, source, fault):
    assert import_faults(module, source) == [f"{module}: {fault}"]


@pytest.mark.parametrize(
    ("module", "source"),
    [
        ("d2lconv.shapes.sizes", "import math\nfrom d2lconv._arguments import integer"),
        ("d2lconv.ops.pooling", "import torch\nfrom d2lconv.ops._checks import shape"),
        ("d2lconv.plotting", "import torch\nimport matplotlib.pyplot as plt\nfrom d2lconv import shapes"),
        ("d2lconv.exercises.chapters.lenet", "from d2lconv.models import LeNet"),
        ("d2lconv.widgets.channels", "import anywidget\nfrom d2lconv import ops, plotting"),
    ],
)
def test_import_faults_lets_good_imports_pass(module, source):
    assert import_faults(module, source) == []


@pytest.mark.parametrize("source", ["open('book/lenet.ipynb')", "# see book/lenet", "'lenet.ipynb'"])
def test_book_faults(source):
    assert book_faults("m", source)


def test_length_faults():
    assert length_faults("m", "x = 1\n" * MAX_LINES) == []
    assert length_faults("m", "x = 1\n" * (MAX_LINES + 1)) == ["m: 321 lines, split it by concept"]


@pytest.mark.parametrize(
    "line",
    [
        "F.conv2d(X, K)",
        "F.conv_transpose2d(X, K)",
        "F.max_pool2d(X, 2)",
        "F.adaptive_avg_pool2d(X, 1)",
        "F.unfold(X, 3)",
        "F.fold(X, 4, 3)",
        "X.unfold(2, 3, 1)",
        "torch.conv1d(X, K)",
        "torch.nn.functional.avg_pool1d(X, 2)",
        "torch.max_pool2d(X, 2)",
        "torch.ops.aten.convolution(X, K)",
        "torch.nn.Conv2d(1, 1, 3)(X)",
        "pool = F.max_pool2d",
        "getattr(F, 'con' + 'v2d')(X, K)",
        "from torch.nn.functional import conv2d",
        "from torch.nn.functional import *",
        "from torch import conv2d as multiply",
        "from torch.nn import MaxPool2d",
        "import torch.nn.modules.conv",
    ],
)
def test_oracle_faults(line):
    good = "import torch\nfrom torch.nn import functional as F\ndef f(X, K):\n    "
    assert len(oracle_faults("m", good + line)) == 1


def test_oracle_faults_sees_a_call_in_the_real_source():
    module = "d2lconv.ops.textbook"
    spoiled = MODULES[module].replace("F.pad(", "F.conv2d(")
    assert spoiled != MODULES[module]
    assert oracle_faults(module, spoiled) == [f"{module}: F.conv2d"]


@pytest.mark.parametrize(
    "source",
    [
        "from d2lconv import shapes\nshapes.conv_output_size(5, 3)",
        "from d2lconv.ops.convolution import conv2d\nconv2d(X, K)",
        "from torch.nn import functional as F\nF.pad(X, (1, 1))",
        "def max_pool2d(X): return X.amax((2, 3))\n__all__ = ['max_pool2d']",
    ],
)
def test_oracle_faults_lets_our_own_functions_pass(source):
    assert oracle_faults("m", source) == []


DOCUMENTED = '''"""A module."""

__all__ = ["Pair", "double"]


class Pair(NamedTuple):
    """Two numbers.

    Parameters
    ----------
    first, second : int
        The numbers.
    """

    first: int
    second: int

    def total(self) -> int:
        """Add them.

        Returns
        -------
        int
            Their sum.
        """
        return self.first + self.second


def double(X: Tensor, *, times: int = 1) -> Tensor:
    """Double a tensor.

    Parameters
    ----------
    X : Tensor
        Any shape.
    times : int
        How often.

    Returns
    -------
    Tensor
        Of the same shape.

    Raises
    ------
    ValueError
        If `times` is negative.

    Examples
    --------
    >>> double(1)
    2
    """
    check(times)
    return 2**times * X


def check(times):
    if times < 0:
        raise ValueError
'''


def test_docstring_faults_lets_a_documented_module_pass():
    assert docstring_faults("d2lconv.m", DOCUMENTED, raising([DOCUMENTED])) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ('"""A module."""', "", "no docstring"),
        ("__all__", "names", "no __all__"),
        ('    """Two numbers.\n', '    """\n', "Pair: no summary"),
        ("    first, second : int", "    first : int", "Pair: second is not described"),
        (
            "        Returns\n        -------\n        int\n            Their sum.\n",
            "",
            "Pair.total: no Returns section",
        ),
        ("Double a tensor.", "", "double: no summary"),
        ("    times : int\n        How often.\n", "", "double: times is not described"),
        ("    times : int\n", "    often : int\n", "double: often is described but no argument"),
        ("X: Tensor", "X", "double: X has no type"),
        ("times: int = 1) -> Tensor", "times: int = 1)", "double: no type for the result"),
        (
            "    Returns\n    -------\n    Tensor\n        Of the same shape.\n",
            "",
            "double: no Returns section",
        ),
        ("    Raises\n    ------\n    ValueError\n        If", "    If", "double: no Raises section"),
        ("    >>> double(1)\n    2\n", "", "double: no example"),
    ],
)
def test_docstring_faults(old, new, fault):
    assert DOCUMENTED.count(old) >= 1
    spoiled = DOCUMENTED.replace(old, new, 1)
    assert f"d2lconv.m: {fault}" in docstring_faults("d2lconv.m", spoiled, raising([spoiled]))
