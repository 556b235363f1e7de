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
from d2lconv.language import catalogue, fill, filled, translate
from d2lconv.questions.engine import questions_of
from d2lconv.questions.kinds import anchor_of

FOLDER = Path(__file__).with_name("web")
_USES = {
    "padded": ("uses/simpler.js", "uses/correlate.js", "uses/rows.js", "uses/padded.js"),
    "mixed": ("uses/simpler.js", "uses/rows.js", "uses/mixed.js"),
    "responds": ("uses/correlate.js", "uses/rows.js", "uses/responds.js"),
    "size": ("uses/size.js",),
    "paths": ("uses/paths.js",),
}
_JUDGE = ("numbers.js", "hints.js", "rules.js")
_ANSWER = ("store.js", "start.js", "page.js", "again.js")
#: The scripts of pages, each of which is one file: for questions and exercises, also with cells to fill in;
#: for the page of what is due; what judges answers, also to a setting; drills, and drills in notebooks; ticks
#: beside the chapters on every page; and packages for learning platforms.
SCRIPTS: dict[str, tuple[str, ...]] = {
    "ask.js": ("fill.js", "make.js", "load.js", "forms.js", *_ANSWER, "before.js"),
    "ask-cells.js": ("fill.js", "make.js", "load.js", "forms.js", "cells.js", *_ANSWER, "before.js"),
    "review.js": ("fill.js", "make.js", "load.js", "forms.js", *_ANSWER, "due.js"),
    "judge.js": ("fill.js", *_JUDGE, "judge.js"),
    **{
        f"judge-{use}.js": ("fill.js", *_JUDGE, "settings.js", *files, "judge.js")
        for use, files in _USES.items()
    },
    "practice.js": ("fill.js", "make.js", "load.js", "forms.js", "drills.js", "practice.js"),
    "drill.js": (
        *("fill.js", "make.js", *_JUDGE, "judging.js", "forms.js"),
        *("drills.js", "practice.js"),
    ),
    "ticks.js": ("ticks.js",),
    "scorm.js": (
        *("fill.js", "make.js", *_JUDGE, "settings.js", *dict.fromkeys(itertools.chain(*_USES.values()))),
        *("judging.js", "forms.js", "cells.js", "start.js", "scorm.js"),
    ),
}
STYLES = {"ask.css": ("ask.css",), "practice.css": ("ask.css", "practice.css")}
#: Which style and script a page loads, by the class of what it holds; the last that fits.
LOADED = {
    "d2l-ask": ("ask.css", "ask.js"),
    "d2l-ask d2l-exercise d2l-with-cells": ("ask.css", "ask-cells.js"),
    "d2l-practice": ("practice.css", "practice.js"),
    "d2l-due": ("ask.css", "review.js"),
}
#: What scripts say, by name; a part in braces is filled in.
WORDS: dict[str, Any] = json.loads((FOLDER / "words.json").read_text(encoding="utf-8"))
Rule = dict[str, Any]

_FILLED = re.compile(r"\{\w+\}")
_IMPORT = re.compile(r'^import \{[^}]*\} from "[./\w]+\.js";\n', re.MULTILINE)
_COMMENT = re.compile(r"^[ \t]*(?:/\*.*?\*/|//[^\n]*)[ \t]*\n", re.MULTILINE | re.DOTALL)
_EXPORT = re.compile(r"^export ", re.MULTILINE)
_SPACE = re.compile(r"^[ \t]+|^\n", re.MULTILINE)
_WORD = re.compile(r"\bWORDS\.(\w+)")

_COLUMNS = [[f"row {r}, column {c}" for c in range(3)] for r in range(3)]
_KERNEL = [name for row in _COLUMNS for name in row]

#: For each setting that is numbers: what it does (uses/), one that is right, and the inputs.
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
        return common | {"right": right, "wrong": list(map(_told, exercise.wrong, gives))}
    return common | _setting(exercise) if isinstance(exercise, Setting) and exercise.id in SETTINGS else None


def _setting(exercise: Setting) -> Rule:
    """Return the rule of a setting: its cases, those that they shrink to, and what misconceptions give.

    Where all cases are tried in order, the first that fails is the smallest, and cases are a list.
    """
    rule = dict(SETTINGS[exercise.id])
    fields = {key: rule.pop(key) for key in ("names", "least", "grid") if key in rule}
    cases = list(exercise.cases)
    everywhere = itertools.product(*(range(len(values)) for values in exercise.cases._values))
    found = (exercise.cases._case(positions) for positions in everywhere)
    wrong = [_told(one, [_given(one.gives, case.arguments) for case in cases]) for one in exercise.wrong]
    for one in wrong:
        if rule["use"] in LINEAR:
            _shorten(one, exercise.use, [case.arguments for case in cases], fields["grid"])
        elif rule["use"] == "paths":
            one["setting"] = _dilations(one.pop("gives"))
    numbers = {
        ",".join(map(str, case.positions)): [_plain(argument) for argument in case.arguments]
        for case in found
        if case is not None
    }
    tried = [",".join(map(str, case.positions)) for case in cases]
    rule |= {
        "kind": "setting",
        "fields": fields,
        "names": list(inspect.signature(exercise.right).parameters),
        **(
            {"cases": list(numbers.values())}
            if tried == list(numbers)
            else {"tried": tried, "cases": numbers}
        ),
        "wrong": wrong,
        "error": exercise._hint_for("error", Outcome("error"))[1],
    }
    if rule["use"] == "responds":
        rule["pictures"] = {name: _painted(picture) for name, picture in channels.PICTURES.items()}
    return rule


def _told(wrong: Misconception, gives: object) -> Rule:
    return {"hint": wrong.hint, "gives": gives}


def _shorten(wrong: Rule, use: Any, cases: list[tuple[object, ...]], shape: list[int]) -> None:
    """Write a setting in place of the many numbers that it gives, if there is one."""
    units = torch.eye(math.prod(shape)).reshape(-1, *shape)
    seen = torch.stack([torch.cat([use(unit, *case).flatten() for case in cases]) for unit in units], dim=1)
    given = torch.cat([read(numbers).flatten() for numbers in wrong["gives"]])
    setting = torch.linalg.lstsq(seen.double(), given[:, None]).solution.round()
    if torch.equal(seen.double() @ setting, given[:, None]):
        wrong["setting"] = _plain(setting.reshape(shape))
        del wrong["gives"]


def _dilations(gives: Sequence[int]) -> list[int]:
    """Return the dilations that lead to each cell by so many paths."""
    for dilations in itertools.combinations_with_replacement(range(1, 28), 3):
        reached = [sum(steps) for steps in itertools.product(*((0, one, 2 * one) for one in dilations))]
        if [reached.count(cell) for cell in range(len(gives))] == gives:
            return list(dilations)
    raise ValueError(f"no dilations give {gives}")


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
        said["cases"] = [[names[name] for name in case] for case in rule["cases"]]
    return said


def form_of(exercise: Exercise, language: str = "en") -> str | None:
    """Return what a page shows below the prompt of an exercise, as HTML; None if its answer is code."""
    rule = rule_of(exercise)
    if rule is None:
        return None
    written = html.escape(hidden(in_language(rule, language)))
    data = f'id="{anchor_of(exercise.id)}" data-ask="{exercise.id}" data-rule="{written}"'
    if "use" in rule:
        data += f' data-use="{rule["use"]}"'
    asked = html.escape(translate(exercise.answer_description, language))
    told = words(language)["noScripts"].format(asked=asked)
    kind = " d2l-with-cells" * ("grid" in rule.get("fields", ()))
    return f'<div class="d2l-ask d2l-exercise{kind}" {data}><noscript><p>{told}</p></noscript></div>'


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
    texts = ""
    for part in SCRIPTS[name]:
        text = (FOLDER / part).read_text(encoding="utf-8")
        for pattern in (_IMPORT, _COMMENT, _EXPORT, _SPACE):
            text = pattern.sub("", text)
        texts += in_words_of(language, text) if part == "drills.js" else text
    said = words(language)
    texts = _WORD.sub(lambda found: json.dumps(said[found[1]], ensure_ascii=False), texts)
    hints = [translate(text, language) for _, _, text in (*_HINTS, *_SAME_IN_ALL_CASES)]
    named = f"const HINTS = {json.dumps(hints, ensure_ascii=False)};\n" * ("hints.js" in SCRIPTS[name])
    return f'(() => {{\n"use strict";\n{named}{texts}}})();\n'


# ---- sentences that a script makes of numbers ----

_LITERAL = re.compile(r'"([^"\\]*)"|`')


def in_words_of(language: str, code: str) -> str:
    r"""Say the strings and templates of a script's source in a language, by the catalogue of drills.

    Parameters
    ----------
    language : str
        As in `d2lconv.language`.
    code : str
        JavaScript without comments. What is computed in a template is a gap; several without a word between
        them are one.

    Returns
    -------
    str
        JavaScript.

    Examples
    --------
    >>> print(in_words_of("zh", 'f(`${n} windows.`, "weights", "stride")'))
    f(`${n}个窗口。`, "权重", "stride")
    """
    known, said, at = catalogue(language, "drills"), "", 0
    while found := _LITERAL.search(code, at):
        said += code[at : found.start()]
        if found[0] == "`":
            at = _end_of_template(code, found.end())
            said += f"`{_template(code[found.end() : at - 1], language)}`"
        else:
            at = found.end()
            said += f'"{known.get(found[1], found[1])}"'
    return said + code[at:]


def _template(text: str, language: str) -> str:
    """Say what stands between the marks of a template."""
    fixed, gaps, at = [""], list[str](), 0
    while at < len(text):
        if not text.startswith("${", at):
            fixed[-1] += text[at]
            at += 1
            continue
        start, at = at + 2, _end_of_gap(text, at + 2)
        gap = f"${{{in_words_of(language, text[start : at - 1])}}}"
        if gaps and not fixed[-1]:
            gaps[-1] += gap
        else:
            gaps.append(gap)
            fixed.append("")
    sentence = "{}".join(fixed)
    return filled(catalogue(language, "drills").get(sentence, sentence), gaps)


def _end_of_template(code: str, at: int) -> int:
    while code[at] != "`":
        at = _end_of_gap(code, at + 2) if code.startswith("${", at) else at + 1
    return at + 1


def _end_of_gap(code: str, at: int) -> int:
    depth = 1
    while depth:
        mark = code[at]
        at = _end_of_template(code, at + 1) if mark == "`" else at + 1
        depth += (mark == "{") - (mark == "}")
    return at


# ---- questions that come back ----


def names_in(chapters: Sequence[str]) -> str:
    """List the questions of chapters by name; a star marks those that need the page on which they stand.

    >>> names_in(["one_by_one"])
    'one_by_one.back* one_by_one.shuffled one_by_one.bottleneck'
    """
    questions = itertools.chain.from_iterable(map(questions_of, chapters))
    return " ".join(question.name + "*" * (not question.alone) for question in questions)


def box_before(chapters: Sequence[str], language: str = "en") -> str:
    """Return the folded box that asks two questions of earlier chapters, as HTML."""
    return (
        f'<details class="d2l-review" data-listed="{names_in(chapters)}">'
        f"<summary>{html.escape(words(language)['before'])}</summary></details>"
    )


_QUESTION = re.compile(r'<div class="d2l-ask" [^>]*data-ask="([^"]+)".*?</div>', re.DOTALL)


def scripts_of(page: str) -> dict[str, str]:
    r"""Write each question of a page as a script, for other pages to ask it.

    Parameters
    ----------
    page : str
        The page, as HTML.

    Returns
    -------
    dict of str to str
        The scripts by the names of the questions.

    Examples
    --------
    >>> found = scripts_of('<p>Look.</p><div class="d2l-ask" data-ask="a.b">Which?</div>')
    >>> print(found["a.b"], end="")
    (self.d2lQuestions ??= {})["a.b"] = "<div class=\"d2l-ask\" data-ask=\"a.b\">Which?</div>";
    """
    return {
        name: f'(self.d2lQuestions ??= {{}})["{name}"] = {json.dumps(found[0], ensure_ascii=False)};\n'
        for found in _QUESTION.finditer(page)
        if (name := found[1])
    }
