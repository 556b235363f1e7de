"""Interactive figures without a kernel: the saved widgets of a chapter, ready for `_host/host.js`.

A page shows the picture that is stored beside a widget until `host.js` puts the figure there. What the
figures of a page hold stands in a file of its own, which the host loads when a reader comes near the first,
and so do the view of each kind of figure, which comes from the package, and what views share. All are
scripts: a page that was opened from a disk loads nothing else. A figure that could not work is a warning.
"""

import hashlib
import importlib
import json
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

from d2lconv import language
from d2lconv.widgets.base import FOLDER, View, join_scripts, join_styles
from d2lconv_book.language import code_of

LOGGER = logging.getLogger(__name__)

HOST = Path(__file__).parents[2] / "_host"
FILES = ("host.js", "host.css")
FIGURES = "_static/figures"  # one file for each page with figures
VIEWS = "_static/views"  # one file for each kind of figure, and one for each folder that views share
VIEW = "application/vnd.jupyter.widget-view+json"
#: Types of widgets that the host draws.
DRAWN = frozenset(
    f"{kind}Model" for kind in ("Any", "Checkbox", "Dropdown", "FloatSlider", "HBox", "IntSlider", "VBox")
)
#: Folders whose scripts views share; those of the second, only views in which LeNet learns.
SHARED: tuple[str, ...] = ("shared", "lenet")
_SAVED = "ipywidgets_state"  # under which myst-nb keeps the state of a page
_PLACE = '<div class="d2l-live"'
_MODEL_ID = re.compile(r'"model_id":\s*"([0-9a-f]+)"')
# Of a widget's state, the host reads these private parts, and none of these public ones.
_READ = frozenset(["_anywidget_id", "_options_labels"])
_UNREAD = frozenset(["layout", "style", "tabbable", "tooltip"])

State = dict[str, Any]
Forms = dict[str, nodes.container]


class FigureError(ValueError):
    """A figure that would not work on the page."""


def check(state: State, model_id: str) -> dict[str, type[View] | None]:
    """Return a widget and all that it holds by model id, of a view its class.

    Raise a FigureError if one would not work on the page.
    """
    if model_id not in state:
        raise FigureError("its saved state was lost")
    widget = state[model_id]
    if (name := widget["model_name"]) not in DRAWN:
        raise FigureError(f"it has a {name}, which {HOST.name}/{FILES[0]} cannot draw")
    found = {model_id: _class_of(widget["state"]) if name == "AnyModel" else None}
    for reference in widget["state"].get("children", []):
        found |= check(state, _id_of(reference))
    return found


def _id_of(reference: str) -> str:
    return reference.removeprefix("IPY_MODEL_")


def _class_of(view: State) -> type[View]:
    module, _, name = str(view.get("_anywidget_id")).rpartition(".")
    if not module.startswith("d2lconv.widgets."):
        raise FigureError(f"its view {module}.{name} is not in d2lconv.widgets")
    kind = getattr(importlib.import_module(module), name, None)
    if kind is None:
        raise FigureError(f"its view {name} is no longer in {module}")
    return kind  # type: ignore[no-any-return]


def compact(state: State, ids: Iterable[str]) -> State:
    """Return what the host needs of some widgets and of the links among them."""
    small = {}
    for one, widget in state.items():
        name, values = widget["model_name"], widget["state"]
        ends = [values[end][0] for end in ("source", "target")] if name == "LinkModel" else [one]
        if {_id_of(end) for end in ends} <= set(ids):
            read = [key for key in values if key in _READ or (key[0] != "_" and key not in _UNREAD)]
            small[one] = {"model_name": name, "state": {key: values[key] for key in read}}
    return small


def as_script(state: State, views: dict[str, dict[str, str]]) -> str:
    r"""Write the state of a page's figures, and the addresses of their views, as data that a script reads.

    >>> as_script({}, {"its.View": {"its": "its.js"}})
    'window.d2lFigures = JSON.parse(\'{"state": {}, "views": {"its.View": {"its": "its.js"}}}\');\n'
    """
    return f"window.d2lFigures = {_parsed({'state': state, 'views': views})};\n"


def _parsed(value: Any) -> str:
    data = json.dumps(value, ensure_ascii=False)
    escaped = data.replace("\\", "\\\\").replace("'", "\\'")
    return f"JSON.parse('{escaped}')"


@cache
def script_of(folder: str) -> str:
    """Write the scripts and the style of a view, or what views share, as a part that the host makes once.

    A shared part gives what its scripts export to the parts that are made after it.
    """
    before, files, end = SHARED, _files(f"{folder}/view.js"), ""
    if folder in SHARED:
        before, files = SHARED[: SHARED.index(folder)], _files(f"{folder}/*.js")
        end = f"return {{ {', '.join(_exports(folder))} }};\n"
    module = join_scripts(*files, without=before).replace("export default", "return") + end
    taken = [name for one in before for name in _exports(one) if re.search(rf"\b{name}\b", module)]
    css = json.dumps(join_styles(*_files(f"{folder}/*.css")), ensure_ascii=False)
    return (
        f'"use strict";\n(window.d2lParts ??= {{}}).{folder} = '
        f"{{ css: {css}, make: ({{ {', '.join(taken)} }}) => {{\n{module}}} }};\n"
    )


def _files(pattern: str) -> list[str]:
    return sorted(path.relative_to(FOLDER).as_posix() for path in FOLDER.glob(pattern))


def _exports(folder: str) -> list[str]:
    """List what the scripts of a folder export."""
    texts = "".join((FOLDER / name).read_text(encoding="utf-8") for name in _files(f"{folder}/*.js"))
    return re.findall(r"^export (?:class|const|function) (\w+)", texts, re.MULTILINE)


def file_of(page: str) -> str:
    """Return the address, within the site, of the file with a page's figures.

    >>> file_of("book/lenet")
    '_static/figures/book-lenet.js'
    """
    return f"{FIGURES}/{page.replace('/', '-')}.js"


def place_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Put each widget's picture on the page, where the host finds it, and write what it is made of."""
    page = app.env.docname
    files = NbMetadataCollector.get_js_files(app.env, page)
    saved = json.loads(files.pop(_SAVED)[1]["body"])["state"] if _SAVED in files else {}
    ids: set[str] = set()
    views: dict[str, dict[str, str]] = {}
    placed = []
    for bundle, forms, model_id in _figures(doctree):
        forms[VIEW].children = []
        try:
            own = check(saved, model_id)
        except FigureError as error:
            _warn(page, bundle, forms, str(error))
            continue
        if "image/svg+xml" not in forms:
            _warn(page, bundle, forms, "it has no picture for readers without scripts")
            continue
        ids |= own.keys()
        room = ""  # which is kept free for the figure: on a wide page and on a phone
        for one, kind in own.items():
            if kind is not None:
                state = saved[one]["state"]
                wide, narrow = kind.height_of(state)
                room = f' style="--d2l-wide: {wide}rem; --d2l-narrow: {narrow}rem"'
                state |= {trait: _apart(app, page, state[trait]) for trait in kind.late if trait in state}
                views[state["_anywidget_id"]] = write_view(app, page, kind)
        placed.append((forms, f'data-model="{model_id}"{room}'))
    if placed:
        address = _write(app, page, file_of(page), as_script(compact(saved, ids), views))
    for forms, data in placed:
        start = nodes.raw("", f'{_PLACE} data-figures="{address}" {data}>', format="html")
        picture = forms["image/svg+xml"].children
        forms[VIEW].extend([start, *picture, nodes.raw("", "</div>", format="html")])


def write_view(app: Sphinx, page: str, kind: type[View]) -> dict[str, str]:
    """Write the parts that a view is made of; return their addresses in the order in which they are made.

    After them comes that of its worker, if it has one.
    """
    folder = kind.__module__.rpartition(".")[2]
    learns = "/lenet/" in (FOLDER / folder / "view.js").read_text(encoding="utf-8")
    parts = {name: script_of(name) for name in (*SHARED[: 1 + learns], folder)}
    if (FOLDER / folder / "worker.js").exists():
        parts["worker"] = join_scripts(f"{folder}/worker.js")
    files = {name: f"{folder}_worker" if name == "worker" else name for name in parts}
    return {name: _write(app, page, f"{VIEWS}/{files[name]}.js", text) for name, text in parts.items()}


def _apart(app: Sphinx, page: str, value: Any) -> dict[str, str]:
    """Write a value to a file of its own, which all figures share that hold the same, and say where it is."""
    script = _parsed(value)
    key = _hash(script)
    text = f'(window.d2lLate ??= {{}})["{key}"] = {script};\n'
    return {"key": key, "file": _write(app, page, f"{FIGURES}/{key}.js", text)}


def _write(app: Sphinx, page: str, name: str, text: str) -> str:
    """Write a file of the site, and return its address for a page, which changes when its text does."""
    write_file(app, name, text)
    return f"{relative_uri(f'{page}.html', name)}?v={_hash(text)}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


def write_file(app: Sphinx, name: str, text: str) -> None:
    """Write a file of the site."""
    path = Path(app.outdir, name)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def _figures(doctree: nodes.document) -> Iterator[tuple[nodes.container, Forms, str]]:
    """Yield each output that has a widget, its forms by type, and the widget's model id."""
    for bundle in list(doctree.findall(nodes.container)):
        if bundle.get("nb_element") == "mime_bundle":
            forms = {form["mime_type"]: form for form in bundle.children if isinstance(form, nodes.container)}
            if VIEW in forms:
                found = _MODEL_ID.search(forms[VIEW].astext())
                yield bundle, forms, found[1] if found else ""


def _warn(page: str, bundle: nodes.container, forms: Forms, problem: str) -> None:
    name = forms["text/plain"].astext() if "text/plain" in forms else "a widget"
    chapter = page.rpartition("/")[2]
    message = f"{chapter}: {name}: {problem}; run: make execute CHAPTER={chapter}"
    LOGGER.warning(message, location=bundle, type="d2lconv", subtype="widget")


def copy_host(app: Sphinx) -> None:
    """Copy script and style to the site; outside of `html_static_path`, whose files every page loads."""
    for name in FILES:
        write_file(app, f"_static/{name}", (HOST / name).read_text(encoding="utf-8"))


def add_host(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Load script and style on a page that has a figure."""
    if _PLACE in context.get("body", ""):
        app.add_css_file("host.css")
        app.add_js_file("host.js", loading_method="defer")


def add_translation(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """On a page in another language, load what translates its figures."""
    name = code_of(app)
    if _PLACE in context.get("body", "") and name in language.LANGUAGES:
        file = f"{name}-figures.js"
        write_file(app, f"_static/{file}", language.page_script(name, ["figures"], ".d2l-live"))
        app.add_js_file(file, loading_method="defer", priority=400)  # before what speaks


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", copy_host)
    app.connect("doctree-read", place_figures, priority=900)  # after the images are collected
    app.connect("html-page-context", add_host)
    app.connect("html-page-context", add_translation)
