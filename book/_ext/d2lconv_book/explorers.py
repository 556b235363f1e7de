"""Interactive figures without a kernel: the saved widgets of a chapter, ready for `_host/host.js`.

A page shows the picture that is stored beside a widget until `host.js` puts the figure there. What the
figures of a page hold stands in a file of its own, which the host loads when a reader comes near the first,
and so do the view of each kind of figure, which comes from the package, and what all views share. All are
scripts: a page that was opened from a disk loads nothing else. A figure that could not work is a warning.
"""

import hashlib
import importlib
import json
import re
from collections.abc import Iterator
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
VIEWS = "_static/views"  # one file for each kind of figure, and one with what all share
VIEW = "application/vnd.jupyter.widget-view+json"
#: Types of widgets that the host draws.
DRAWN = frozenset(
    f"{kind}Model" for kind in ("Any", "Checkbox", "Dropdown", "FloatSlider", "HBox", "IntSlider", "VBox")
)
LINKS = ("LinkModel", "DirectionalLinkModel")
_SHARED = sorted(FOLDER.glob("shared/*.js"))
_LENET = sorted(FOLDER.glob("lenet/*.js"))  # what views share in which LeNet learns
_SHARED_STYLE = join_styles("shared/base.css")
_SAVED = "ipywidgets_state"  # under which myst-nb keeps the state of a page
_KEY = "d2l_figures"  # under which a page's figures are kept
_MODEL_ID = re.compile(r'"model_id":\s*"([0-9a-f]+)"')

# What the host reads of a control; of a view it gets everything.
_USED = frozenset(
    ["_options_labels", "children", "description", "disabled", "index", "max", "min", "step", "value"]
)
_NOT_FOR_VIEWS = frozenset(["layout", "tabbable", "tooltip"])

State = dict[str, Any]
Forms = dict[str, nodes.container]


class FigureError(ValueError):
    """A figure that would not work on the page."""


def check(state: State, model_id: str) -> list[str]:
    """List a widget and all that it holds; raise a FigureError if one would not work on the page."""
    if model_id not in state:
        raise FigureError("its saved state was lost")
    if (name := state[model_id]["model_name"]) not in DRAWN:
        raise FigureError(f"it has a {name}, which {HOST.name}/{FILES[0]} cannot draw")
    ids = [model_id]
    views_in(state, ids)
    for reference in state[model_id]["state"].get("children", []):
        ids += check(state, reference.removeprefix("IPY_MODEL_"))
    return ids


def views_in(state: State, ids: list[str]) -> dict[str, type[View]]:
    """Return the classes of the views among some widgets, by model id; a foreign one is a FigureError."""
    return {one: _class_of(state[one]["state"]) for one in ids if state[one]["model_name"] == "AnyModel"}


def _class_of(view: State) -> type[View]:
    module, _, name = str(view.get("_anywidget_id")).rpartition(".")
    if not module.startswith("d2lconv.widgets."):
        raise FigureError(f"its view {module}.{name} is not in d2lconv.widgets")
    kind = getattr(importlib.import_module(module), name, None)
    if kind is None:
        raise FigureError(f"its view {name} is no longer in {module}")
    return kind  # type: ignore[no-any-return]


def compact(state: State, ids: list[str]) -> State:
    """Return what the host needs of some widgets and of the links among them."""
    small = {}
    for one, widget in state.items():
        name, values = widget["model_name"], widget["state"]
        if name in LINKS:
            ends = {values[end][0].removeprefix("IPY_MODEL_") for end in ("source", "target")}
            keep = {key: values[key] for key in ("source", "target")} if ends <= set(ids) else None
        elif name == "AnyModel":
            own = {key for key in values if not key.startswith("_") and key not in _NOT_FOR_VIEWS}
            keep = {key: values[key] for key in own | {"_anywidget_id"}}
        else:
            keep = {key: value for key, value in values.items() if key in _USED and value is not None}
        if keep is not None and (one in ids or name in LINKS):
            small[one] = {"model_name": name, "state": keep}
    return small


def as_script(state: State, views: dict[str, str]) -> str:
    r"""Write the state of a page's figures, and the addresses of their views, as data that a script reads.

    >>> as_script({}, {"its.View": "view.js"})
    'window.d2lFigures = JSON.parse(\'{"state": {}, "views": {"its.View": "view.js"}}\');\n'
    """
    return f"window.d2lFigures = {_parsed({'state': state, 'views': views})};\n"


def _parsed(value: Any) -> str:
    data = json.dumps(value, ensure_ascii=False, sort_keys=True)
    escaped = data.replace("\\", "\\\\").replace("'", "\\'")
    return f"JSON.parse('{escaped}')"


def shared_script() -> str:
    """Write what all views share, styles too, as a script, which leaves it in `window.d2lShared`."""
    module = join_scripts(*(f"shared/{path.name}" for path in _SHARED))
    css, given = json.dumps(_SHARED_STYLE, ensure_ascii=False), ", ".join(_exports(_SHARED))
    return f'"use strict";\nwindow.d2lShared = (() => {{\n{module}return {{ css: {css}, {given} }};\n}})();\n'


def lenet_script() -> str:
    """Write what the views share in which LeNet learns, as a script, which adds it to `window.d2lShared`."""
    module = join_scripts(*(f"lenet/{path.name}" for path in _LENET), without=["shared"])
    taken, given = ", ".join(_used(_SHARED, module)), ", ".join(_exports(_LENET))
    return (
        f'"use strict";\nObject.assign(window.d2lShared, (({{ {taken} }}) => {{\n{module}'
        f"return {{ {given} }};\n}})(window.d2lShared));\n"
    )


def view_script(kind: type[View]) -> str:
    """Write a view, styles too, as a script, which leaves in `window.d2lViews` how the view is made."""
    module = join_scripts(f"{_folder(kind)}/view.js", without=["shared", "lenet"])
    module = module.replace("export default", "return")
    css = json.dumps(str(kind._css).removeprefix(_SHARED_STYLE), ensure_ascii=False)
    taken = ", ".join(_used(_SHARED + _LENET, module))
    return (
        f'"use strict";\n(window.d2lViews ??= {{}})["{kind.__module__}.{kind.__name__}"] = '
        f"{{ css: {css}, make: ({{ {taken} }}) => {{\n{module}}} }};\n"
    )


def _exports(paths: list[Path]) -> list[str]:
    """List what some scripts export."""
    texts = "".join(path.read_text(encoding="utf-8") for path in paths)
    return re.findall(r"^export (?:class|const|function) (\w+)", texts, re.MULTILINE)


def _used(paths: list[Path], module: str) -> list[str]:
    """List what a module uses of that."""
    return [name for name in _exports(paths) if re.search(rf"\b{name}\b", module)]


def _folder(kind: type[View]) -> str:
    return kind.__module__.rpartition(".")[2]


def file_of(page: str) -> str:
    """Return the address, within the site, of the file with a page's figures.

    >>> file_of("book/lenet")
    '_static/figures/book-lenet.js'
    """
    return f"{FIGURES}/{page.replace('/', '-')}.js"


def place_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Put each widget's picture on the page, where the host finds it, and keep what it is made of."""
    page = app.env.docname
    files = NbMetadataCollector.get_js_files(app.env, page)
    saved = json.loads(files.pop(_SAVED)[1]["body"])["state"] if _SAVED in files else {}
    figures = list(_figures(doctree))
    ids: list[str] = []
    room: dict[str, str] = {}  # which is kept free for a figure: on a wide page and on a phone
    for bundle, forms, model_id in figures:
        try:
            own = check(saved, model_id)
        except FigureError as error:
            _warn(page, bundle, forms, str(error))
            continue
        ids += own
        for one, kind in views_in(saved, own).items():
            wide, narrow = kind.height_of(saved[one]["state"])
            room[model_id] = f' style="--d2l-wide: {wide}rem; --d2l-narrow: {narrow}rem"'
    views = write_views(app, page, saved, ids)
    script = as_script(compact(saved, ids), views)
    if ids:
        NbMetadataCollector.set_doc_data(app.env, page, _KEY, script)
    address = _versioned(relative_uri(f"{page}.html", file_of(page)), script)
    for bundle, forms, model_id in figures:
        picture = list(forms["image/svg+xml"].children) if "image/svg+xml" in forms else []
        if not picture:
            _warn(page, bundle, forms, "it has no picture for readers without scripts")
        free = room.get(model_id, "")
        head = f'<div class="d2l-live" data-model="{model_id}" data-figures="{address}"{free}>'
        before, after = (nodes.raw("", text, format="html") for text in (head, "</div>"))
        forms[VIEW].children = []
        forms[VIEW].extend([before, *picture, after])


def write_views(app: Sphinx, page: str, saved: State, ids: list[str]) -> dict[str, str]:
    """Write the views of a page's figures, their workers, what they share and what comes late.

    Return the addresses by name. A change in one of their files rebuilds the page.
    """
    scripts = {"shared": ("shared", shared_script())}
    for one, kind in views_in(saved, ids).items():
        state = saved[one]["state"]
        state |= {trait: _apart(app, page, state[trait]) for trait in kind.late if trait in state}
        name, folder = f"{kind.__module__}.{kind.__name__}", _folder(kind)
        scripts[name] = (folder, view_script(kind))
        if "/lenet/" in (FOLDER / folder / "view.js").read_text(encoding="utf-8"):
            scripts[f"{name}.base"] = ("lenet", lenet_script())
        if (FOLDER / folder / "worker.js").exists():
            scripts[f"{name}.worker"] = (f"{folder}_worker", join_scripts(f"{folder}/worker.js"))
    addresses = {}
    for name, (folder, script) in scripts.items():
        file = f"{VIEWS}/{folder}.js"
        write_file(app, file, script)
        addresses[name] = _versioned(relative_uri(f"{page}.html", file), script)
        for source in FOLDER.glob(f"{folder}/*.[cj]s*"):
            app.env.note_dependency(str(source))
    return addresses


def _apart(app: Sphinx, page: str, value: Any) -> dict[str, str]:
    """Write a value to a file of its own, which all figures share that hold the same, and say where it is."""
    script = _parsed(value)
    key = hashlib.sha256(script.encode()).hexdigest()[:8]
    file = f"{FIGURES}/{key}.js"
    write_file(app, file, f'(window.d2lLate ??= {{}})["{key}"] = {script};\n')
    return {"key": key, "file": relative_uri(f"{page}.html", file)}


def _versioned(address: str, text: str) -> str:
    """Let browsers keep a file until its text changes."""
    return f"{address}?v={hashlib.sha256(text.encode()).hexdigest()[:8]}"


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
    """Load script and style on a page that has a figure, and write what its figures are made of."""
    script = NbMetadataCollector.get_doc_data(app.env).get(page, {}).get(_KEY)
    if script is not None:
        write_file(app, file_of(page), script)
        app.add_css_file("host.css")
        app.add_js_file("host.js", loading_method="defer")


def add_translation(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """On a page in another language, load what translates its figures."""
    name = code_of(app)
    if 'class="d2l-live' in context.get("body", "") and name in language.LANGUAGES:
        file = f"{name}-figures.js"
        write_file(app, f"_static/{file}", language.page_script(name, ["figures"], ".d2l-live"))
        app.add_js_file(file, loading_method="defer", priority=400)  # before what speaks


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", copy_host)
    app.connect("doctree-read", place_figures, priority=900)  # after the images are collected
    app.connect("html-page-context", add_host)
    app.connect("html-page-context", add_translation)
