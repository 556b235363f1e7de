"""What the package says to learners, in their language.

The package is written in English. For another language there is a folder of catalogues: for each sentence, as
it stands in the code, the same in that language. What changes from case to case is a gap, written ``{}``::

    "row {}, column {}": "第{}行，第{}列"

Text in a gap is translated in turn. So are several sentences, and clauses with a semicolon or a comma between
them, where the catalogue has what stands between them: ``"; "``. Of several ways to say a text, that one is
taken which leaves the fewest letters in English. A sentence without a translation stays in English, so a
changed sentence is shown as it now is, and a test names it. A list, ``"rows, columns and height"``, is said
part by part. `translate.js` does the same in a page.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from pathlib import Path

__all__ = ["LANGUAGES", "catalogue", "fill", "language", "page_script", "spoken_view", "translate"]

FOLDER = Path(__file__).parent
#: The languages other than English.
LANGUAGES = tuple(sorted(folder.name for folder in FOLDER.iterdir() if (folder / "replies.json").is_file()))

_GAP = re.compile(r"\{(\d*)\}")
_JOINED = re.compile(r"(, | and | or )")
_WORD = re.compile(r"[\w.]+|`[^`]+`")
_FOREIGN = re.compile(r"[^\W\d_A-Za-z]")  # a letter that English has not


def language() -> str:
    """Return the reader's language: ``"en"``, or what the environment variable ``D2LCONV_LANG`` names.

    Returns
    -------
    str
        ``"en"`` or one of `LANGUAGES`. An unknown language is English.

    Examples
    --------
    >>> language()
    'en'
    """
    wanted = os.environ.get("D2LCONV_LANG", "en").lower().replace("_", "-").partition("-")[0]
    return wanted if wanted in LANGUAGES else "en"


@cache
def catalogue(name: str, *parts: str) -> Mapping[str, str]:
    """Return the sentences of a language: English as it stands in the code, and the translation.

    Parameters
    ----------
    name : str
        One of `LANGUAGES`, or ``"en"``, which has none.
    *parts : str
        Names of files; by default all but ``"figures"``, whose labels mean something else in other sentences.

    Returns
    -------
    dict of str to str
        The sentences, with their gaps.

    Examples
    --------
    >>> catalogue("zh")["Not yet"]
    '还不对'
    """
    if name not in LANGUAGES:
        return {}
    found: dict[str, str] = {}
    for part in parts or sorted(
        path.stem for path in (FOLDER / name).glob("*.json") if path.stem != "figures"
    ):
        found |= json.loads((FOLDER / name / f"{part}.json").read_text(encoding="utf-8"))
    return found


def translate(text: str, name: str | None = None, *parts: str) -> str:
    """Say a text in the reader's language.

    Parameters
    ----------
    text : str
        A sentence or label in English.
    name : str, optional
        The language; by default that of `language`.
    *parts : str
        Which sentences, as for `catalogue`.

    Returns
    -------
    str
        The translation; the text itself if there is none.

    Examples
    --------
    >>> translate("row 1, column 2", "zh")
    '第1行，第2列'
    >>> translate("nobody says this", "zh")
    'nobody says this'
    """
    return _find(text, language() if name is None else name, *parts)[0]


@lru_cache(maxsize=5000)
def _find(text: str, *which: str) -> tuple[str, int]:
    """Return the translation by a catalogue, and how many letters of it are still English."""
    known = catalogue(*which)
    if text in known:
        return known[text], 0
    if known and (listed := _list(text, known)):
        return listed, 0
    if not known or not re.search("[A-Za-z]{2}", text):
        return text, 0
    best = text, len(re.findall("[A-Za-z]", text))
    for way in _ways(text, *which):
        best = min(best, way, key=lambda one: one[1])
        if best[1] == 0:
            break
    return best


def _ways(text: str, *which: str) -> Iterator[tuple[str, int]]:
    """Yield the ways to say a text, the most fitting first, each with the number of letters left."""
    if re.match(r"[\d.−-]+, [A-Za-z]", text):  # what a slider says: its value, then what there is to see
        yield from _both(text, ", ", "", *which)
    yield from _both(text, ". ", ".", *which)
    yield from _both(text, "; ", "", *which)
    for pattern, said in _patterns(*which):
        if match := pattern.fullmatch(text):
            parts = [_find(part, *which) for part in match.groups()]
            yield filled(said, [part for part, _ in parts]), sum(left for _, left in parts)
    yield from _both(text, ", ", "", *which)


def _both(text: str, mark: str, kept: str, *which: str) -> Iterator[tuple[str, int]]:
    """Translate two texts with a mark between them, if the catalogue has that too."""
    first, between, rest = text.partition(mark)
    if between and mark in catalogue(*which):
        (one, left), (other, more) = _find(first + kept, *which), _find(rest, *which)
        yield one + catalogue(*which)[mark] + other, left + more


def fill(sentence: str, *parts: str, name: str | None = None) -> str:
    """Say a sentence whose gaps are filled with what is said already.

    Parameters
    ----------
    sentence : str
        In English, with a gap ``{}`` for each part.
    *parts : str
        What stands in the gaps.
    name : str, optional
        The language; by default that of `language`.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> fill("row {}, column {}", "1", "2", name="zh")
    '第1行，第2列'
    """
    return filled(translate(sentence, name), list(parts))


def _list(text: str, known: Mapping[str, str]) -> str:
    """Say a list part by part; empty if the text is none, or there is nothing to say otherwise."""
    parts = _JOINED.split(text)
    words, joints = parts[::2], parts[1::2]
    if not joints or not all(word in known or _WORD.fullmatch(word) for word in words):
        return ""
    if set(joints) == {", "} and not any(word in known or _FOREIGN.search(word) for word in words):
        return ""  # names of arguments, or numbers
    return "".join(known.get(part, part) for part in parts)


def filled(said: str, parts: list[str]) -> str:
    """Put parts into the gaps of a sentence, in their order or by the numbers of the gaps.

    Parameters
    ----------
    said : str
        The sentence, translated already.
    parts : list of str
        What stands in its gaps, ``{}`` or ``{1}``.

    Returns
    -------
    str
        The sentence.

    Examples
    --------
    >>> filled("{1} of {0}", ["5", "2"])
    '2 of 5'
    """
    order = iter(range(len(parts)))
    return _GAP.sub(lambda gap: parts[int(gap[1] or next(order))], said)


@cache
def _patterns(*which: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences with gaps, those with the most words of their own first."""
    known = catalogue(*which)
    gapped = sorted((text for text in known if "{}" in text), key=lambda text: (-len(text), text))
    found = []
    for text in gapped:
        pattern = "(.+?)".join(re.escape(part) for part in text.split("{}"))
        found.append((re.compile(pattern, re.DOTALL), known[text]))
    return tuple(found)


# ---- the same in a browser ----

_TAGS = {"zh": "zh-Hans"}  # as HTML names a language
_COMMENT = re.compile(r"^[ \t]*/\*.*?\*/\n|[ \t]+//[^\n]*|^[ \t]+|^\n", re.MULTILINE | re.DOTALL)
_VIEW = """
return (view) => ({
render(given) {
const end = view.render(given);
given.el.lang = "LANG";
const stop = translateAll(given.el, translate);
return () => { stop(); end?.(); };
}
});
"""


def _translator(sentences: Mapping[str, str], use: str) -> str:
    """Write an expression of JavaScript: `use` in the scope of `translate` and `translateAll`."""
    module = (FOLDER / "translate.js").read_text(encoding="utf-8").replace("export function", "function")
    data = json.dumps(sentences, ensure_ascii=False, separators=(",", ":"))
    return f"(() => {{\n{_COMMENT.sub('', module)}const translate = translator({data});\n{use.strip()}\n}})()"


def page_script(name: str, catalogues: Iterable[str], selector: str) -> str:
    """Write the script that keeps parts of a page in a language.

    Parameters
    ----------
    name : str
        One of `LANGUAGES`.
    catalogues : iterable of str
        Names of catalogues that have the sentences of these parts, such as ``"figures"``.
    selector : str
        CSS selector of the parts.

    Returns
    -------
    str
        JavaScript.

    Examples
    --------
    >>> script = page_script("zh", ["figures"], ".d2l-live")
    >>> "重置" in script, "Not attempted yet" in script
    (True, False)
    """
    parts = f"document.querySelectorAll({json.dumps(selector)})"
    use = f"for (const part of {parts}) translateAll(part, translate);"
    return f'"use strict";\n{_translator(catalogue(name, *catalogues), use)};\n'


def spoken_view(module: str, name: str) -> str:
    r"""Return the module of an anywidget view that says in a language what the given one says in English.

    Parameters
    ----------
    module : str
        JavaScript with ``export default`` at its end.
    name : str
        One of `LANGUAGES`.

    Returns
    -------
    str
        JavaScript.

    Examples
    --------
    >>> spoken_view("export default { render };\n", "zh").endswith("export default spoken({ render });\n")
    True
    """
    code, _, view = module.rpartition("export default ")
    spoken = _translator(catalogue(name, "figures"), _VIEW.replace("LANG", _TAGS[name]))
    return f"{code}const spoken = {spoken};\nexport default spoken({view.strip().rstrip(';')});\n"
