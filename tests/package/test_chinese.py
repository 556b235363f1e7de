"""What questions, exercises and their pages say has a Chinese translation, with the same numbers and code."""

import json
import re

import pytest
from tools.translation import differences

from d2lconv import language
from d2lconv.exercises import Result, kinds
from d2lconv.exercises.engine.hints import _HINTS, _SAME_IN_ALL_CASES
from d2lconv.exercises.engine.registry import every_exercise, find
from d2lconv.language import fill, translate
from d2lconv.questions import ask, web
from d2lconv.questions.engine import CHAPTERS, questions_of
from d2lconv.questions.kinds import Choice

FILES = ("questions", "exercises", "replies", "drills", "grading", "review")
WORD = re.compile(r"[A-Za-z]*[a-z][A-Za-z]|[A-Za-z][a-z]")


def catalogue(name):
    return json.loads((language.FOLDER / "zh" / f"{name}.json").read_text("utf-8"))


def texts_of_question(question):
    if isinstance(question, Choice):
        options = [text for option, why, _ in question.options() for text in (option, why)]
        return [question.prompt, *options]
    return [
        question.prompt,
        question.because,
        *question.wrong.values(),
        *question.parts,
        question.asked,
    ]


def texts_of_exercise(exercise):
    texts = [exercise.title, exercise.answer_description, *getattr(exercise, "parts", ())]
    if isinstance(exercise, kinds.Choice):
        return [*texts, exercise.because, *exercise.wrong.values()]
    told = (*getattr(exercise, "wrong", ()), *getattr(exercise, "rules", ()))
    return [*texts, *(text for one in told for text in (one.name, one.hint))]


def in_words(texts):
    """Return those texts that have words outside code and tags."""
    return {text for text in texts if WORD.search(re.sub(r"`[^`]*`|<[^>]*>", "", text))}


QUESTIONS = [question for chapter in CHAPTERS for question in questions_of(chapter)]
SAID = {
    "questions": in_words(
        text for question in QUESTIONS for text in (*texts_of_question(question), question.tests)
    ),
    "exercises": in_words(text for exercise in every_exercise() for text in texts_of_exercise(exercise)),
    "pages": in_words(
        re.sub(r"\{\w+\}", "{}", text)
        for one in web.WORDS.values()
        for text in (one if isinstance(one, list) else [one])
    ),
    "replies": in_words(text for name, _, hint in (*_HINTS, *_SAME_IN_ALL_CASES) for text in (name, hint)),
}


@pytest.mark.parametrize("kind", SAID)
def test_every_text_has_a_translation(kind):
    known = language.catalogue("zh")
    assert [text for text in sorted(SAID[kind]) if text not in known and translate(text, "zh") == text] == []


def test_no_question_is_translated_that_is_not_asked():
    assert sorted(catalogue("questions").keys() - SAID["questions"]) == []


@pytest.mark.parametrize("name", FILES)
def test_translations_keep_numbers_code_and_typography(name):
    faults = []
    for text, said in catalogue(name).items():
        if in_words([text]):
            bare = re.sub(r"\{\d\}", "{}", said)
            faults += [(fault, text, said) for fault in differences(text, bare) if "no Chinese" not in fault]
            if not re.search(r"[\u4e00-\u9fff]", said) and re.search(r"[a-z]{2}", said):
                faults.append(("no Chinese in it", text, said))
    assert faults == []


def test_catalogues_agree_where_they_have_the_same_sentence():
    found = {}
    for name in FILES:
        for text, said in catalogue(name).items():
            assert found.setdefault(text, said) == said, (text, name)


# ---- what is shown ----


@pytest.mark.parametrize("question", QUESTIONS, ids=lambda question: question.name)
def test_question_stands_in_the_page_in_chinese(question):
    page = question.in_language("zh")._repr_html_()
    words = re.sub(r"<[^>]+>", "", page).replace("&nbsp;", " ")
    for text in in_words(texts_of_question(question)):
        assert (
            re.sub(r"[`*]", "", translate(text, "zh")).replace("<", "&lt;") in words or text == question.asked
        )
    data = re.compile(r"data-gives='[^']*'|data-right|data-ask=\"[^\"]*\"|id=\"[^\"]*\"")
    assert data.findall(page) == data.findall(question._repr_html_())
    assert not re.search(r"Predict|Right\.|Not so|Answer|why:", words)


def test_notebook_shows_questions_and_replies_in_the_readers_language(monkeypatch):
    english = [repr(ask("channels.weights")), repr(ask("channels.weights", (12, 3)))]
    html = ask("channels.grey")._repr_html_()
    monkeypatch.setenv("D2LCONV_LANG", "zh")
    asked, result = ask("channels.weights"), ask("channels.weights", (12, 3))
    assert repr(asked).startswith("先猜一猜：`nn.Conv2d(2, 3, kernel_size=2)`有多少个权重，多少个偏置？")
    assert '作答（权重和偏置）：ask("channels.weights", (…, …))' in repr(asked)
    assert repr(result).startswith(
        "还不对（channels.weights）：对的：偏置；不对的：权重。\n  你的结果：[12,  3]\n  提示："
    )
    assert result.summary == "right: biases; not right: weights."
    assert "<strong>还不对（channels.weights）：</strong>对的：偏置" in result._repr_html_()
    assert "✗ <b>不对。</b>" in ask("channels.grey")._repr_html_() != html
    for wrong in ("chanels.1", "channels.99", "nothing"):
        with pytest.raises(ValueError, match=f"没有练习'{wrong}'"):
            find(wrong)
    with pytest.raises(ValueError, match=r"没有问题'channels\.wight'；你指的是channels\.weights还是"):
        ask("channels.wight")
    monkeypatch.setenv("D2LCONV_LANG", "en")
    assert [repr(asked), repr(result)] == english


def test_what_code_prints_and_raises_stays_as_it_is(monkeypatch):
    raised = "ValueError: x, y and z\nin the line: f(weights, biases)"
    details = (("your code raised", raised), ("your code printed", "weights, biases"), ("X", "[1]"))
    result = Result("channels.1", "not yet", "4 cases.", details)
    monkeypatch.setenv("D2LCONV_LANG", "zh")
    assert [line.strip() for line in repr(result).splitlines()[1:]] == [
        "你的代码报错：",
        "ValueError: x, y and z",
        "出错的一行：f(weights, biases)",
        "你的代码打印了：weights, biases",
        "X：[1]",
    ]


def test_form_of_an_exercise_judges_as_before():
    for exercise in every_exercise():
        if rule := web.rule_of(exercise):
            said = web.in_language(rule, "zh")
            assert said.keys() == rule.keys()
            kept = ("kind", "right", "name", "use", "tried")
            assert [said.get(key) for key in kept] == [rule.get(key) for key in kept]
            assert translate(exercise.answer_description, "zh") in web.form_of(exercise, "zh")
            assert "scripts" not in web.form_of(exercise, "zh")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("weights, biases", "权重、偏置"),
        ("first weight, second weight and bias", "第一个权重、第二个权重和偏置"),
        ("right: height, width; not right: MACs.", "对的：高、宽；不对的：乘加运算。"),
        (
            "your code uses `backward` and `grad`, which is not allowed here.",
            "你的代码用了`backward`和`grad`，这里不许用。",
        ),
        ("It is called with X, k, padding, in this order.", "调用它时，参数依次是X、k、padding。"),
        (
            "output (64, 8, 8), 23,584 parameters, 1,585,152 MACs.",
            "输出(64, 8, 8)，参数23,584个，乘加运算1,585,152次。",
        ),
        ("X and K", "X和K"),
        ("[3, 5]", "[3, 5]"),
        ("输出(r, c)碰到像素(a, b)", "输出(r, c)碰到像素(a, b)"),
        ("高, 宽", "高、宽"),
    ],
)
def test_lists_are_said_part_by_part(text, said):
    assert translate(text, "zh") == said


def test_what_fills_a_sentence_stays_as_it_is():
    assert fill("row {}, column {}", "weights", "{}", name="zh") == "第weights行，第{}列"
    assert fill("row {}, column {}", "weights", "{}", name="en") == "row weights, column {}"
