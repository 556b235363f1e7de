"""What the package says to learners, in their language.

The package is written in English. For another language there is a folder of catalogues: for each sentence, as
it stands in the code, the same in that language. What changes from case to case is a gap, written ``{}``::

    "row {}, column {}": "第{}行，第{}列"

Text in a gap is translated in turn. A sentence without a translation stays in English, so a changed sentence
is shown as it now is, and a test names it. A list, ``"rows, columns and height"``, is said part by part.
`translate.js` does the same in a page.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path

__all__ = ["LANGUAGES", "catalogue", "fill", "language", "translate"]

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
def catalogue(name: str) -> Mapping[str, str]:
    """Return all sentences of a language: English as it stands in the code, and the translation.

    Parameters
    ----------
    name : str
        One of `LANGUAGES`, or ``"en"``, which has none.

    Returns
    -------
    dict of str to str
        The sentences, with their gaps.

    Examples
    --------
    >>> catalogue("zh")["Not yet"]
    '还不对'
    """
    found: dict[str, str] = {}
    for path in sorted((FOLDER / name).glob("*.json")) if name in LANGUAGES else ():
        found |= json.loads(path.read_text(encoding="utf-8"))
    return found


def translate(text: str, name: str | None = None) -> str:
    """Say a text in the reader's language.

    Parameters
    ----------
    text : str
        A sentence or label in English.
    name : str, optional
        The language; by default that of `language`.

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
    name = language() if name is None else name
    known = catalogue(name)
    if text in known:
        return known[text]
    if not known:
        return text
    if listed := _list(text, known):
        return listed
    if not re.search("[A-Za-z]", text):
        return text
    for pattern, said in _patterns(name):
        if found := pattern.fullmatch(text):
            return _filled(said, [translate(part, name) for part in found.groups()])
    return text


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
    return _filled(translate(sentence, name), list(parts))


def _list(text: str, known: Mapping[str, str]) -> str:
    """Say a list part by part; empty if the text is none, or there is nothing to say otherwise."""
    parts = _JOINED.split(text)
    words, joints = parts[::2], parts[1::2]
    if not joints or not all(word in known or _WORD.fullmatch(word) for word in words):
        return ""
    if set(joints) == {", "} and not any(word in known or _FOREIGN.search(word) for word in words):
        return ""  # names of arguments, or numbers
    return "".join(known.get(part, part) for part in parts)


def _filled(said: str, parts: list[str]) -> str:
    """Put parts into the gaps of a sentence, in their order or by the numbers of the gaps."""
    order = iter(range(len(parts)))
    return _GAP.sub(lambda gap: parts[int(gap[1] or next(order))], said)


@cache
def _patterns(name: str) -> tuple[tuple[re.Pattern[str], str], ...]:
    """Return the sentences with gaps, those with the most words of their own first."""
    gapped = sorted((text for text in catalogue(name) if "{}" in text), key=lambda text: (-len(text), text))
    found = []
    for text in gapped:
        pattern = "(.+?)".join(re.escape(part) for part in text.split("{}"))
        found.append((re.compile(pattern, re.DOTALL), catalogue(name)[text]))
    return tuple(found)
