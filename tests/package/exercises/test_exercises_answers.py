"""Every exercise accepts right answers written in several ways, and refuses wrong ones with the right hint.

An author adds a table ``answers_<chapter>.py`` beside this file: ``RIGHT`` has, for each exercise, a list of
right answers; ``WRONG`` a list of pairs of the misconception to be named and an answer that has it.
"""

import copy
import importlib
import re
from pathlib import Path

import pytest
import torch
from torch import Tensor

from d2lconv.exercises import check
from d2lconv.exercises.engine.cases import _STEPS
from d2lconv.exercises.engine.numbers import read
from d2lconv.exercises.engine.registry import CHAPTERS, every_exercise, exercises_of
from d2lconv.exercises.kinds import Choice, Function

ROOT = Path(__file__).parents[3]
TABLES = {
    chapter: importlib.import_module(f"tests.package.exercises.answers_{chapter}")
    for chapter in CHAPTERS
    if Path(__file__).with_name(f"answers_{chapter}.py").exists()
}
EXERCISES = every_exercise()
LEAST_WRONG = 5
SHOWN = {}  # replies to wrong answers, by exercise and answer
MOST_CASES, MOST_NUMBERS, MOST_CALLS = 80, 20_000, 2_000  # keep a check far below two seconds


def answers(kind, exercise):
    """Return an exercise's answers of a kind, none where its author has not written any yet."""
    return getattr(TABLES.get(exercise.chapter), kind, {}).get(exercise.id, [])


def table(kind):
    return [
        pytest.param(exercise.id, answer, id=f"{exercise.id}-{number}")
        for exercise in EXERCISES
        for number, answer in enumerate(answers(kind, exercise))
    ]


def snapshot(answer):
    """Return what an answer holds, for comparing it later."""
    if isinstance(answer, Tensor):
        return answer.tolist()
    if isinstance(answer, torch.nn.Module):
        return [parameter.tolist() for parameter in answer.parameters()]
    return copy.deepcopy(answer)


def left_in_english(result, monkeypatch):
    """Return what a reply still says in English to a Chinese reader: two words in a row, but for code."""
    ours = tuple((name, text) for name, text in result.details if "code" not in name and "Error" not in text)
    with monkeypatch.context() as chinese:
        chinese.setenv("D2LCONV_LANG", "zh")
        shown = repr(result._with(details=ours)) + result._with(details=ours)._repr_html_()
    return re.findall(
        r"[A-Za-z]{2,} [a-z]{2,}", re.sub(r"`[^`]*`|'[^']*'|<[^>]*>|&#x27;.*?&#x27;", "", shown)
    )


@pytest.mark.parametrize(("exercise", "answer"), table("RIGHT"))
def test_right_answer_passes_and_stays_as_it_is(exercise, answer, monkeypatch):
    before = snapshot(answer)
    result = check(exercise, answer)
    assert result.correct, result
    assert left_in_english(result, monkeypatch) == []
    assert str(snapshot(answer)) == str(before)


@pytest.mark.parametrize(("exercise", "pair"), table("WRONG"))
def test_wrong_answer_gets_its_hint(exercise, pair, monkeypatch):
    misconception, answer = pair
    before = snapshot(answer)
    result = check(exercise, answer)
    assert result.status == "not yet", result
    assert result.misconception == misconception, result
    assert result.hint
    assert left_in_english(result, monkeypatch) == []
    SHOWN[exercise, id(answer)] = repr(result)
    assert str(snapshot(answer)) == str(before)


@pytest.mark.parametrize("exercise", EXERCISES, ids=lambda exercise: exercise.id)
class TestExercise:
    def test_has_enough_answers(self, exercise):
        right, wrong = answers("RIGHT", exercise), answers("WRONG", exercise)
        where = f"for {exercise.id} in tests/package/exercises/answers_{exercise.chapter}.py"
        assert len(right) >= 2, f"write at least 2 right answers {where}"
        assert len(wrong) >= LEAST_WRONG, (
            f"write at least {LEAST_WRONG} pairs of misconception and answer {where}"
        )
        assert {wrong.name for wrong in named_misconceptions(exercise)} <= {name for name, _ in wrong}

    def test_blank_is_not_attempted(self, exercise):
        for blank in (..., None, NotImplementedError, NotImplementedError("later")):
            assert check(exercise.id, blank).status == "not attempted"

    def test_reply_is_the_same_each_time(self, exercise):
        for _, answer in answers("WRONG", exercise)[:1]:
            shown = SHOWN.get((exercise.id, id(answer))) or repr(check(exercise.id, answer))
            assert repr(check(exercise.id, answer)) == shown

    def test_answer_description_completes_a_sentence(self, exercise):
        assert re.match(r"[a-z]", exercise.answer_description)
        assert not exercise.answer_description.endswith(".")
        assert exercise.level in (1, 2, 3)

    def test_hints_are_sentences(self, exercise):
        for wrong in named_misconceptions(exercise):
            assert re.fullmatch(r"[A-Z`].*[.?]", wrong.hint), wrong
            assert "—" not in wrong.hint
            assert "!" not in wrong.hint.replace("!=", "")

    def test_cases_are_few_and_small(self, exercise):
        if isinstance(exercise, Function):
            cases = list(exercise.cases)
            assert 2 < len(cases) <= MOST_CASES
            assert len({str(case) for case in cases}) == len(cases), "the same case twice"
            numbers = [
                value.numel() for case in cases for value in case.arguments if isinstance(value, Tensor)
            ]
            assert sum(numbers) < MOST_NUMBERS
            calls = len(cases) * (2 + 2 * len(exercise.wrong)) + 2 * _STEPS  # if each takes 1 ms
            assert calls < MOST_CALLS

    def test_misconceptions_are_wrong_and_differ(self, exercise):
        """Each wrong function of a table gives something else than the right one, and than the others."""
        if isinstance(exercise, Function):
            cases = list(exercise.cases)
            seen = {}
            for wrong in exercise.wrong:
                given = [outcome(wrong.gives, case) for case in cases]
                assert given != [outcome(exercise.right, case) for case in cases], wrong.name
                key = tuple(given)
                assert key not in seen, f"{wrong.name} gives the same as {seen[key]}"
                seen[key] = wrong.name


def named_misconceptions(exercise):
    return () if isinstance(exercise, Choice) else getattr(exercise, "wrong", ())


def outcome(function, case):
    try:
        numbers = read(function(*copy.deepcopy(case.arguments)))
        return tuple(numbers.shape), numbers.numpy().tobytes()
    except Exception as error:
        return type(error).__name__


def test_chapters_stand_in_the_order_of_the_course():
    order = re.findall(r"file: book/(\w+)", (ROOT / "_toc.yml").read_text("utf-8"))
    assert list(CHAPTERS) == [name for name in order if name in CHAPTERS]


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_exercises_are_numbered_begin_easily_and_rise(chapter):
    exercises = exercises_of(chapter)
    assert [exercise.id for exercise in exercises] == [f"{chapter}.{n}" for n in range(1, len(exercises) + 1)]
    assert 4 <= len(exercises) <= 9, f"{chapter} has {len(exercises)} exercises; write 4 to 9"
    levels = [exercise.level for exercise in exercises]
    assert levels == sorted(levels)
    assert levels[0] == 1
    assert len({exercise.title for exercise in exercises}) == len(exercises)


def test_choices_have_every_letter_in_their_table():
    for exercise in EXERCISES:
        if isinstance(exercise, Choice):
            assert set(exercise.wrong) <= {name for name, _ in answers("WRONG", exercise)}
