"""What a page needs to answer by itself: the rules of exercises, and the script that follows them.

A page shows questions as `Question` writes them, and below the prompt of an exercise whose answer is numbers
or a letter what `form_of` returns. The rules come from the exercises, so page and notebook cannot drift.
"""

from __future__ import annotations

import html
import inspect
import itertools
import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from d2lconv.exercises.chapters import channels
from d2lconv.exercises.engine.hints import _HINTS, _SAME_IN_ALL_CASES
from d2lconv.exercises.engine.numbers import read
from d2lconv.exercises.engine.sandbox import Outcome
from d2lconv.exercises.kinds import Choice, Exercise, Misconception, Setting, Value
from d2lconv.language import fill, page_script, translate
from d2lconv.questions.kinds import anchor_of

FOLDER = Path(__file__).with_name("web")
_JUDGE = ("numbers.js", "hints.js", "rules.js", "uses.js", "settings.js")
#: The scripts of pages, each of which is one file: for questions and exercises, what judges answers to them,
#: drills, what comes back, ticks beside the chapters on every page, and packages for learning platforms.
SCRIPTS = {
    "ask.js": ("dom.js", "load.js", "forms.js", "store.js", "start.js", "page.js"),
    "judge.js": ("dom.js", *_JUDGE, "judge.js"),
    "practice.js": ("dom.js", "load.js", "forms.js", "drills.js", "practice.js"),
    "review.js": ("dom.js", "store.js", "review.js"),
    "ticks.js": ("dom.js", "ticks.js"),
    "scorm.js": ("dom.js", *_JUDGE, "forms.js", "start.js", "scorm.js"),
}
#: Which scripts a page loads, by the class of what it holds.
LOADED = {"d2l-ask": ("ask.js",), "d2l-practice": ("practice.js",), "d2l-due": ("ask.js", "review.js")}
#: What scripts say, by name; a part in braces is filled in.
WORDS: dict[str, Any] = json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))
#: The catalogue of sentences that a script makes of numbers, so that it has to translate them itself.
SENTENCES = {"practice.js": "drills"}
Rule = dict[str, Any]

_FILLED = re.compile(r"\{\w+\}")
_IMPORT = re.compile(r'^import \{[^}]*\} from "\./\w+\.js";\n', re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_SPACE = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
_WORD = re.compile(r"\bWORDS\.(\w+)")

_COLUMNS = [[f"row {r}, column {c}" for c in range(3)] for r in range(3)]
_KERNEL = [name for row in _COLUMNS for name in row]

#: For each setting that is numbers: what it does (uses.js), one that is right, and the inputs.
SETTINGS: dict[str, Rule] = {
    "convolution.3": {"use": "padded", "right": [[0, 0, 0], [1, 0, 0], [0, 0, 0]], "grid": [3, 3]},
    "one_by_one.1": {"use": "mixed", "right": [[0, 0, 1], [1, 0, 0], [0, 1, 0]], "grid": [3, 3]},
    "channels.4": {
        "use": "responds",
        "right": [[[1, 0, -1]] * 3, [[0, 0, 0]] * 3, [[-1, 0, 1]] * 3],
        "grid": [3, 3, 3],
    },
    "padding_stride.3": {
        "use": "size",
        "right": [3, 2, 0],
        "names": ["kernel_size", "stride", "padding"],
        "least": [1, 1, 0],
    },
    "receptive_field.4": {
        "use": "paths",
        "right": [1, 3, 9],
        "names": ["first", "second", "third"],
        "least": [1, 1, 1],
    },
}

LINEAR = ("padded", "mixed")  #: Uses in which what a setting gives tells the setting.


def rule_of(exercise: Exercise) -> Rule | None:
    """Return what a page needs to judge answers to an exercise; None if its answer is code.

    Parameters
    ----------
    exercise : Exercise
        The exercise.

    Returns
    -------
    dict or None
        Plain data.

    Examples
    --------
    >>> from d2lconv.exercises.engine.registry import find
    >>> rule_of(find("channels.2"))["kind"], rule_of(find("channels.3"))
    ('choice', None)
    """
    common: Rule = {"name": exercise.id, "asked": exercise.answer_description}
    if isinstance(exercise, Choice):
        return common | {
            "kind": "choice",
            "right": exercise.right,
            "because": exercise.because,
            "wrong": dict(exercise.wrong),
        }
    if isinstance(exercise, Value):
        right = _plain(exercise.right())
        fields = {"names": list(exercise.parts)} if exercise.parts else {"shape": list(read(right).shape)}
        gives = [_plain(one.gives() if callable(one.gives) else one.gives) for one in exercise.wrong]
        common |= {"kind": "value", "parts": list(exercise.parts), "fields": fields}
        return common | {"right": right, "wrong": list(map(_named, exercise.wrong, gives))}
    return common | _setting(exercise) if isinstance(exercise, Setting) and exercise.id in SETTINGS else None


def _setting(exercise: Setting) -> Rule:
    """Return the rule of a setting: its cases, those that they shrink to, and what misconceptions give."""
    rule = dict(SETTINGS[exercise.id])
    fields = {key: rule.pop(key) for key in ("names", "least", "grid") if key in rule}
    cases = list(exercise.cases)
    everywhere = itertools.product(*(range(len(values)) for values in exercise.cases._values))
    found = (exercise.cases._case(positions) for positions in everywhere)
    wrong = [_named(one, [_given(one.gives, case.arguments) for case in cases]) for one in exercise.wrong]
    if rule["use"] in LINEAR:
        for one in wrong:
            _shorten(one, exercise.use, [case.arguments for case in cases], fields["grid"])
    rule |= {
        "kind": "setting",
        "fields": fields,
        "names": list(inspect.signature(exercise.right).parameters),
        "tried": [",".join(map(str, case.positions)) for case in cases],
        "cases": {
            ",".join(map(str, case.positions)): [_plain(argument) for argument in case.arguments]
            for case in found
            if case is not None
        },
        "wrong": wrong,
        "error": exercise._hint_for("error", Outcome("error"))[1],
    }
    if rule["use"] == "responds":
        rule["pictures"] = {name: _painted(picture) for name, picture in channels.PICTURES.items()}
    return rule


def _named(wrong: Misconception, gives: object) -> Rule:
    return {"name": wrong.name, "hint": wrong.hint, "gives": gives}


def _shorten(wrong: Rule, use: Any, cases: list[tuple[object, ...]], shape: list[int]) -> None:
    """Write a setting in place of the many numbers that it gives, if there is one."""
    units = torch.eye(math.prod(shape)).reshape(-1, *shape)
    seen = torch.stack([torch.cat([use(unit, *case).flatten() for case in cases]) for unit in units], dim=1)
    given = torch.cat([read(numbers).flatten() for numbers in wrong["gives"]])
    setting = torch.linalg.lstsq(seen.double(), given[:, None]).solution.round()
    if torch.equal(seen.double() @ setting, given[:, None]):
        wrong["setting"] = _plain(setting.reshape(shape))
        del wrong["gives"]


def _painted(picture: Tensor) -> list[object]:
    """Return the colours of a picture of two halves, and whether they lie above each other."""
    first, second = picture[:, 0, 0], picture[:, -1, -1]
    return [first.tolist(), second.tolist(), bool((picture[:, 0, -1] == first).all())]


def _given(gives: Any, arguments: tuple[object, ...]) -> object:
    """Return what a misconception gives for a case; None where it is not defined."""
    try:
        return _plain(gives(*arguments))
    except Exception:
        return None


def _plain(value: object) -> Any:
    """Return numbers as nested lists, whole ones without a point; a word as it is."""
    if isinstance(value, str):
        return value

    def walk(one: Any) -> Any:
        return [walk(item) for item in one] if isinstance(one, list) else int(one) if one == int(one) else one

    return walk(read(value).tolist())


def hidden(rule: Rule) -> str:
    """Write a rule so that nobody reads the answer by accident: each letter is replaced by another.

    >>> hidden({"right": "b"})
    'LQC:89EQiQ3QN'
    """
    text = json.dumps(rule, separators=(",", ":"))
    return "".join(chr(33 + (ord(c) + 14) % 94) if "!" <= c <= "~" else c for c in text)


_TEXTS = ("asked", "because", "error", "hint", "parts")


def in_language(rule: Rule, language: str) -> Rule:
    """Return a rule with its texts in a language; it judges as it did.

    >>> in_language({"right": "b", "asked": "two whole numbers"}, "zh")
    {'right': 'b', 'asked': '两个整数'}
    """

    def say(text: Any) -> Any:
        return (
            [translate(one, language) for one in text]
            if isinstance(text, list)
            else translate(text, language)
        )

    said = {key: say(value) if key in _TEXTS else value for key, value in rule.items()}
    if "names" in rule.get("fields", ()):
        said["fields"] = rule["fields"] | {"names": say(rule["fields"]["names"])}
    if isinstance(rule.get("wrong"), dict):
        said["wrong"] = {letter: say(why) for letter, why in rule["wrong"].items()}
    elif "wrong" in rule:
        said["wrong"] = [in_language(one, language) for one in rule["wrong"]]
    if "pictures" in rule:  # cases name them
        names = {name: say(f"'{name}'")[1:-1] for name in rule["pictures"]}
        said["pictures"] = {names[name]: colours for name, colours in rule["pictures"].items()}
        said["cases"] = {at: [names[name] for name in case] for at, case in rule["cases"].items()}
    return said


def form_of(exercise: Exercise, language: str = "en") -> str | None:
    """Return what a page shows below the prompt of an exercise, as HTML; None if its answer is code."""
    rule = rule_of(exercise)
    if rule is None:
        return None
    written = html.escape(hidden(in_language(rule, language)))
    data = f'id="{anchor_of(exercise.id)}" data-ask="{exercise.id}" data-rule="{written}"'
    asked = html.escape(translate(exercise.answer_description, language))
    told = words(language)["noScripts"].format(asked=asked)
    return f'<div class="d2l-ask d2l-exercise" {data}><noscript><p>{told}</p></noscript></div>'


def words(language: str = "en") -> dict[str, Any]:
    """Return what scripts say, by name, in a language.

    >>> words()["oneNumber"], words("zh")["check"]
    ('{name} should be one number.', '检查')
    """

    def say(text: Any) -> Any:
        if isinstance(text, list):
            return [say(one) for one in text]
        gaps = _FILLED.findall(text)
        return fill(_FILLED.sub("{}", text), *gaps, name=language)

    return WORDS if language == "en" else {name: say(text) for name, text in WORDS.items()}


def script(name: str = "ask.js", language: str = "en") -> str:
    """Write a script of `SCRIPTS`, without comments, with the words and hints that it uses, in a language."""
    texts = "".join((FOLDER / part).read_text(encoding="utf-8") for part in SCRIPTS[name])
    for pattern in (_IMPORT, _COMMENT, _EXPORT, _SPACE):
        texts = pattern.sub("", texts)
    said = words(language)
    data: dict[str, object] = {"WORDS": {word: said[word] for word in dict.fromkeys(_WORD.findall(texts))}}
    if "hints.js" in SCRIPTS[name]:
        hints = (*_HINTS, *_SAME_IN_ALL_CASES)
        data["HINTS"] = [[hint, translate(text, language)] for hint, _, text in hints]
    named = "".join(f"const {key} = {json.dumps(one, ensure_ascii=False)};\n" for key, one in data.items())
    spoken = page_script(language, [SENTENCES[name]], ".d2l-practice") if name in SENTENCES else ""
    return f'(() => {{\n"use strict";\n{named}{texts}}})();\n{spoken * (language != "en")}'


# ---- questions that come back ----


def box_before(chapters: Sequence[str], language: str = "en") -> str:
    """Return the folded box that asks two questions of earlier chapters, as HTML."""
    return (
        f'<details class="d2l-review" data-before="{" ".join(chapters)}">'
        f"<summary>{html.escape(words(language)['before'])}</summary></details>"
    )


_QUESTION = re.compile(r'<div class="d2l-ask" [^>]*data-ask="([^"]+)".*?</div>', re.DOTALL)


def data_of(page: str, html_of_page: str) -> str:
    r"""Write the questions of a page as a script, for other pages to ask them; empty if it has none.

    Parameters
    ----------
    page : str
        Its name, such as ``"channels"``.
    html_of_page : str
        The page.

    Returns
    -------
    str
        The script.

    Examples
    --------
    >>> text = data_of("channels", '<p>Look.</p><div class="d2l-ask" data-ask="channels.grey">Which?</div>')
    >>> print(text.partition(" = ")[2], end="")
    {"channels.grey": "<div class=\"d2l-ask\" data-ask=\"channels.grey\">Which?</div>"};
    """
    found = {question[1]: question[0] for question in _QUESTION.finditer(html_of_page)}
    data = json.dumps(found, ensure_ascii=False)
    return f'(self.d2lQuestions ??= {{}})["{page}"] = {data};\n' if found else ""
