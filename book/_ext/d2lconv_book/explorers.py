"""Figures that move without a kernel: the saved widgets of a chapter, ready for `_host/host.js`.

In the place of a figure, the page gets the picture that is stored beside the widget, and the script puts
the moving figure there. What the figures of a page are made of stands in a file of its own, which the script
loads when a reader comes near the first: a network's weights would make the text wait. It is a script, since
a page that was opened from a disk may load nothing else. Pages without figures get nothing. A figure that
could not move (its state was lost, it has a widget that the script cannot draw, or its view is not the
package's own) is a build warning.
"""

import hashlib
import importlib
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from docutils import nodes
from myst_nb.sphinx_ import NbMetadataCollector  # type: ignore[import-untyped]
from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.osutil import relative_uri

LOGGER = logging.getLogger(__name__)

HOST = Path(__file__).parents[2] / "_host"
FILES = ("host.js", "host.css")
ROOM = "room.json"  # by name of a figure: its height in rem, once it is set up, on a wide page and on a phone
FIGURES = "_static/figures"  # one file for each page with figures
VIEW = "application/vnd.jupyter.widget-view+json"
LINKS = ("LinkModel", "DirectionalLinkModel")
_SAVED = "ipywidgets_state"  # under which myst-nb keeps the state of a page
_KEY = "d2l_figures"  # under which a page's figures are kept
_MODEL_ID = re.compile(r'"model_id":\s*"([0-9a-f]+)"')

# What the script reads of a control; of a view it gets everything.
_USED = frozenset(
    {"_options_labels", "children", "description", "disabled", "index"}
    | {"max", "min", "step", "value"}
    | {"source", "target"}
)
_NOT_FOR_VIEWS = frozenset(["layout", "tabbable", "tooltip"])

State = dict[str, Any]


class FigureError(ValueError):
    """A figure that would not move on the page."""


def drawable(script: str) -> frozenset[str]:
    r"""Read in the script which types of widgets it can draw.

    Examples
    --------
    >>> sorted(drawable("const DRAW = {\n  BoxModel: box,\n  SliderModel: (x) => slider(x),\n};"))
    ['BoxModel', 'SliderModel']
    """
    table = re.search(r"const DRAW = \{\n(.*?)\n *\};", script, re.DOTALL)
    return frozenset(re.findall(r"^ *(\w+):", table[1], re.MULTILINE)) if table else frozenset()


def family(state: State, model_id: str) -> list[str]:
    """List a widget and all those that it holds.

    Raises
    ------
    FigureError
        If the state of one is not saved.
    """
    if model_id not in state:
        raise FigureError("its saved state was lost")
    children = state[model_id]["state"].get("children", [])
    ids = [model_id]
    for reference in children:
        ids += family(state, reference.removeprefix("IPY_MODEL_"))
    return ids


def check(state: State, model_id: str, known: frozenset[str]) -> list[str]:
    """Return the widgets of a figure.

    Parameters
    ----------
    state
        The saved state by model id.
    model_id
        The figure.
    known
        Types that can be drawn.

    Raises
    ------
    FigureError
        If it would not move on the page.
    """
    ids = family(state, model_id)
    for name in (state[one]["model_name"] for one in ids):
        if name not in known:
            raise FigureError(f"it has a {name}, which {HOST.name}/{FILES[0]} cannot draw")
    for one in ids:
        if state[one]["model_name"] == "AnyModel":
            _check_view(state[one]["state"])
    return ids


def _check_view(view: State) -> None:
    """Let only the package's own views run, in their present form."""
    module, _, name = str(view.get("_anywidget_id")).rpartition(".")
    if not module.startswith("d2lconv.widgets."):
        raise FigureError(f"its view {module}.{name} is none of d2lconv.widgets")
    kind = getattr(importlib.import_module(module), name, None)
    if kind is None:
        raise FigureError(f"its view {name} is no longer in {module}")
    for key in ("_esm", "_css"):
        if view.get(key) != kind.source(key):
            raise FigureError("it was saved with another version of its view")


def compact(state: State, ids: list[str]) -> State:
    """Return what the script needs of some widgets and of the links among them."""
    small = {}
    for one, widget in state.items():
        name, values = widget["model_name"], widget["state"]
        if name in LINKS:
            ends = {values[end][0].removeprefix("IPY_MODEL_") for end in ("source", "target")}
            keep = {key: values[key] for key in ("source", "target")} if ends <= set(ids) else None
        elif name == "AnyModel":
            keep = {
                key: value
                for key, value in values.items()
                if key in ("_esm", "_css") or not (key.startswith("_") or key in _NOT_FOR_VIEWS)
            }
        else:
            keep = {key: value for key, value in values.items() if key in _USED and value is not None}
        if keep is not None and (one in ids or name in LINKS):
            small[one] = {"model_name": name, "state": keep}
    return small


def as_script(state: State) -> str:
    r"""Write a compact state as a script, which leaves it in `window.d2lFigures`.

    Several figures may have the same view: its module and style sheet stand once, among `texts`, and a view
    has their numbers. The state is data that is read, not code that runs.

    Examples
    --------
    >>> script = as_script({"1": {"model_name": "AnyModel", "state": {"_css": "it's"}}})
    >>> script.startswith("window.d2lFigures = JSON.parse('{"), script.count(r"it\\'s")
    (True, 1)
    """
    texts: list[str] = []
    shared = {}
    for one, widget in state.items():
        values = dict(widget["state"])
        for key in [key for key in ("_css", "_esm") if key in values]:
            if values[key] not in texts:
                texts.append(values[key])
            values[key] = texts.index(values[key])
        shared[one] = {"model_name": widget["model_name"], "state": values}
    data = json.dumps({"state": shared, "texts": texts}, ensure_ascii=False, sort_keys=True)
    escaped = data.replace("\\", "\\\\").replace("'", "\\'")
    return f"window.d2lFigures = JSON.parse('{escaped}');\n"


def file_of(page: str) -> str:
    """Return the address, within the site, of the file with a page's figures.

    Examples
    --------
    >>> file_of("book/lenet")
    '_static/figures/book-lenet.js'
    """
    return f"{FIGURES}/{page.replace('/', '-')}.js"


def style(room: list[float] | None) -> str:
    """Return the attribute by which a figure's place keeps free what the figure will take.

    Examples
    --------
    >>> style([43, 55.8])
    ' style="--d2l-wide: 43rem; --d2l-narrow: 55.8rem"'
    >>> style(None)
    ''
    """
    if room is None:
        return ""
    wide, narrow = room
    return f' style="--d2l-wide: {wide}rem; --d2l-narrow: {narrow}rem"'


def place_figures(app: Sphinx, doctree: nodes.document) -> None:
    """Put the picture of each figure in its place, and keep of the widgets' state what the page needs."""
    page = app.env.docname
    files = NbMetadataCollector.get_js_files(app.env, page)
    saved = json.loads(files.pop(_SAVED)[1]["body"])["state"] if _SAVED in files else {}
    figures = [(bundle, forms, _model_id(forms[VIEW])) for bundle, forms in _bundles(doctree)]
    if not figures:
        return
    known = drawable((HOST / FILES[0]).read_text(encoding="utf-8"))
    ids: list[str] = []
    for bundle, forms, model_id in figures:
        try:
            ids += check(saved, model_id, known)
        except FigureError as error:
            _warn(page, bundle, forms, str(error))
    script = as_script(compact(saved, ids))
    if ids:
        NbMetadataCollector.set_doc_data(app.env, page, _KEY, script)
    version = hashlib.sha256(script.encode()).hexdigest()[:8]
    address = f"{relative_uri(f'{page}.html', file_of(page))}?v={version}"
    rooms = json.loads((HOST / ROOM).read_text(encoding="utf-8"))
    for bundle, forms, model_id in figures:
        picture = list(forms["image/svg+xml"].children) if "image/svg+xml" in forms else []
        if not picture:
            _warn(page, bundle, forms, "it has no picture for readers without scripts")
        room = style(rooms.get(_name(forms)))
        head = f'<div class="d2l-live" data-model="{model_id}" data-figures="{address}"{room}>'
        forms[VIEW].children = []
        before, after = (nodes.raw("", text, format="html") for text in (head, "</div>"))
        forms[VIEW].extend([before, *picture, after])


def _bundles(doctree: nodes.document) -> Iterator[tuple[nodes.container, dict[str, nodes.container]]]:
    """Yield each output that has a widget, and its forms by type."""
    for bundle in list(doctree.findall(nodes.container)):
        if bundle.get("nb_element") == "mime_bundle":
            forms = {form["mime_type"]: form for form in bundle.children if isinstance(form, nodes.container)}
            if VIEW in forms:
                yield bundle, forms


def _model_id(form: nodes.container) -> str:
    found = _MODEL_ID.search(form.astext())
    return found[1] if found else ""


def _name(forms: dict[str, nodes.container]) -> str:
    return forms["text/plain"].astext() if "text/plain" in forms else "a widget"


def _warn(page: str, bundle: nodes.container, forms: dict[str, nodes.container], problem: str) -> None:
    name = _name(forms)
    chapter = page.rpartition("/")[2]
    message = "%s: %s: %s; run: make execute CHAPTER=%s"
    LOGGER.warning(
        message, chapter, name, problem, chapter, location=bundle, type="d2lconv", subtype="widget"
    )


def copy_host(app: Sphinx) -> None:
    """Copy script and style to the site; outside of `html_static_path`, whose files every page loads."""
    folder = Path(app.outdir, "_static")
    folder.mkdir(parents=True, exist_ok=True)
    for name in FILES:
        shutil.copyfile(HOST / name, folder / name)


def add_host(app: Sphinx, page: str, template: str, context: dict[str, Any], doctree: object) -> None:
    """Load script and style on a page that has a figure, and write what its figures are made of."""
    script = NbMetadataCollector.get_doc_data(app.env).get(page, {}).get(_KEY)
    if script is not None:
        path = Path(app.outdir, file_of(page))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(script, encoding="utf-8")
        app.add_css_file("host.css")
        app.add_js_file("host.js", loading_method="defer")


def setup(app: Sphinx) -> None:
    """Connect to the steps of a build."""
    app.connect("builder-inited", copy_host)
    app.connect("doctree-read", place_figures, priority=900)  # after the images are collected
    app.connect("html-page-context", add_host)
