"""Scripts that wait for the text, and none that a page has no use for.

Sphinx and the theme load some scripts before a page is shown, the search's index with every page, and a
script of 530 KiB that draws icons, which the theme's style sheet draws as well. Here:

* the index and the tools of the search are loaded where one searches, on the search page;
* icons are drawn by the style sheet (`icon_fonts.py`) and hidden from screen readers, as the script hid them;
* options of a page stand in the page, and every script waits until the page is read;
* the theme is chosen before the first paint also where the system decides, so that no page flashes white;
* buttons do what their `onclick` said by `_static/buttons.js`, which a strict security policy lets run;
* `_static/scrollable.js` says which boxes Tab leads to: the theme's way lays out the whole page, often.
"""

import re
from functools import partial
from pathlib import Path

from sphinx.application import Sphinx
from sphinx.util import logging
from sphinx.util.typing import ExtensionMetadata

import site_pages

SEARCH_PAGE = "search.html"
OPTIONS = "documentation_options.js"
THEME_SCRIPT = "scripts/pydata-sphinx-theme.js"
CHOOSE_THEME = """\
  <script data-cfasync="false">
    (({ dataset }) => {
      dataset.mode = localStorage.getItem("mode") || dataset.theme;
      const dark = matchMedia("(prefers-color-scheme: dark)").matches ? "dark" : "light";
      dataset.theme = dataset.mode === "auto" ? dark : dataset.mode;
    })(document.documentElement);
  </script>
"""

_log = logging.getLogger(__name__)
_ICON_SCRIPT = re.compile(
    r"\s*<!-- So that users can add custom icons -->\s*<script[^>]*/fontawesome\.js[^>]*></script>"
)
_SEARCH_SCRIPT = re.compile(
    r'\s*<script src="[^"]*\b(?:searchtools|language_data|searchindex)\.js[^"]*"[^>]*></script>'
)
_SCRIPT = re.compile(r'<script src="([^"]+)"></script>')
_THEME = re.compile(
    r"""[ \t]*<script data-cfasync="false">\s*document\.documentElement.*?</script>\n""", re.DOTALL
)
_OPTIONS_FILE = re.compile(rf'<script src="[^"]*{re.escape(OPTIONS)}[^"]*"></script>')
_OPTION = re.compile(r"\s*<script>(DOCUMENTATION_OPTIONS\.[^<]*)</script>")
_ICON = re.compile(r'<(i|span) (class="[^"]*\bfa[bsr]? ?[^"]*\bfa-[^"]*")([^>]*)>')
_TITLE = re.compile(r'\btitle="([^"]*)"')
_VIEWPORT = re.compile(r'\s*<meta name="viewport"[^>]*>')
_PRESS = re.compile(r'<button onclick="(window\.print|toggleFullScreen)\(\)"')
_BOXES = re.compile(r'\["pre",[^\]]*"\.pst-scrollable-table-container"\]')  # that the theme lets Tab lead to
_NO_BOXES = '["d2l-none"]'


def without_icon_script(page: str) -> str:
    """Leave icons to the style sheet; those with a title are pictures, others are not read aloud.

    >>> without_icon_script('<i class="fas fa-moon" title="Dark"></i>')
    '<i role="img" aria-label="Dark" class="fas fa-moon" title="Dark"></i>'
    >>> without_icon_script('<i class="fas fa-list"></i>')
    '<i aria-hidden="true" class="fas fa-list"></i>'
    """

    def described(icon: re.Match[str]) -> str:
        title = _TITLE.search(icon[3])
        role = f'role="img" aria-label="{title[1]}"' if title else 'aria-hidden="true"'
        return f"<{icon[1]} {role} {icon[2]}{icon[3]}>"

    return _ICON.sub(described, _ICON_SCRIPT.sub("", page))


def without_search(page: str) -> str:
    """Leave out what only the search page needs."""
    return _SEARCH_SCRIPT.sub("", page)


def deferred(options: Path, page: str) -> str:
    """Let scripts wait; put the options, which others read, in the page.

    Parameters
    ----------
    options
        The script with the options that all pages share.
    page
        The page.
    """
    lines = [options.read_text(encoding="utf-8").strip(), *_OPTION.findall(page)]
    page = _OPTION.sub("", page)
    page = _OPTIONS_FILE.sub(lambda _: f"<script>{' '.join(lines)}</script>", page, count=1)
    return _SCRIPT.sub(r'<script defer src="\1"></script>', page)


def early_theme(page: str) -> str:
    """Choose light or dark before the page is painted."""
    return _THEME.sub(lambda _: CHOOSE_THEME, page)


def without_handlers(page: str) -> str:
    """Name what a button does, for `buttons.js`.

    >>> without_handlers('<button onclick="window.print()" class="btn">')
    '<button type="button" data-press="print" class="btn">'
    """
    names = {"window.print": "print", "toggleFullScreen": "fullscreen"}
    return _PRESS.sub(lambda found: f'<button type="button" data-press="{names[found[1]]}"', page)


def one_viewport(page: str) -> str:
    """Keep the first of three equal statements on how wide a page is."""
    start, tag, rest = page.partition('<meta name="viewport"')
    return start + tag + _VIEWPORT.sub("", rest)


def without_boxes(script: str) -> str:
    """Let the theme's script find no boxes that scroll; `scrollable.js` does.

    Raises
    ------
    ValueError
        If the script does not look for them as it did.

    Examples
    --------
    >>> without_boxes('find(["pre", ".pst-scrollable-table-container"].join(", "))')
    'find(["d2l-none"].join(", "))'
    """
    if _NO_BOXES in script:
        return script
    script, found = _BOXES.subn(_NO_BOXES, script)
    if found != 1:
        raise ValueError(
            f"{THEME_SCRIPT} no longer looks for boxes that scroll as book/_ext/lean_scripts.py expects: "
            f"found {found} lists of them, not 1; compare it with book/_static/scrollable.js"
        )
    return script


def make(app: Sphinx, error: Exception | None) -> None:
    """Go through the finished pages."""
    options = Path(app.outdir, "_static", OPTIONS)
    script = Path(app.outdir, "_static", THEME_SCRIPT)
    if site_pages.is_book(app, error) and script.exists():
        try:
            site_pages.change(script, without_boxes)
        except ValueError as problem:
            _log.warning("%s", problem)
    for path in site_pages.written(app, error):
        changes: list[site_pages.Change] = [
            without_search if path.name != SEARCH_PAGE else str,
            without_icon_script,
            early_theme,
            without_handlers,
            one_viewport,
            partial(deferred, options),
        ]
        site_pages.change(path, *changes)


def setup(app: Sphinx) -> ExtensionMetadata:
    """Work on the finished pages."""
    app.connect("build-finished", make, priority=600)
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
