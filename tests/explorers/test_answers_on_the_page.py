"""A page judges an answer to an exercise exactly as `check` does in a notebook."""

import importlib
import json
import random
import re
from itertools import groupby

import pytest
import torch

from d2lconv.exercises.engine.numbers import NotNumbersError, read
from d2lconv.exercises.engine.registry import every_exercise
from d2lconv.questions import web

RULES = {exercise.id: rule for exercise in every_exercise() if (rule := web.rule_of(exercise))}
EXERCISES = [exercise for exercise in every_exercise() if exercise.id in RULES]
MORE = 25  # made up, for each exercise

JUDGE = """({judge}, batch) => {
  const {rules, asked} = JSON.parse(batch);
  return JSON.stringify(asked.map(([name, answer]) => judge(rules[name], answer)));
}"""


@pytest.fixture(scope="module")
def call(browser, site):
    """Return a function that calls JavaScript with what a page's script judges with, as it was built."""
    page = browser.new_page()

    def run(function, data, name="judge.js", language="en"):
        script = (site / language.removeprefix("en") / "_static" / name).read_text(encoding="utf-8")
        return page.evaluate(f"(data) => {{ {script}; return ({function})(self.d2lJudge, data); }}", data)

    yield run
    page.close()


def held(exercise):
    """Return all right and wrong answers that the tests hold for an exercise."""
    table = importlib.import_module(f"tests.package.exercises.answers_{exercise.chapter}")
    return [*table.RIGHT[exercise.id], *(answer for _, answer in table.WRONG[exercise.id])]


def made_up(rule, chance):
    """Return an answer near the right one, or near a wrong one."""
    if rule["kind"] == "setting":
        numbers = read(rule["right"])
        least = rule["fields"].get("least")
        steps = torch.tensor([chance.choice((-1, 0, 0, 0, 0, 1, 2)) for _ in range(numbers.numel())])
        near = numbers + steps.reshape(numbers.shape)
        return near if least is None else near.tolist()
    near = read(chance.choice([rule["right"], *(wrong["gives"] for wrong in rule["wrong"])]))
    change = chance.choice(["none", "one", "all", "negate", "turn", "flat", "half", "scale"])
    if change == "one" and near.ndim:
        near.view(-1)[chance.randrange(near.numel())] += chance.choice((-1, 0.25, 1, 7))
    elif change == "turn" and near.ndim:
        near = near.flip(-1)
    elif change == "flat":
        near = near.flatten()
    else:
        near = {"all": near + 1, "negate": -near, "half": near / 2, "scale": 1.003 * near}.get(change, near)
    return near.round() if near.abs().max() >= 1e8 else near  # a page writes no powers of ten


def off_by_one(rule):
    """Return the right numbers of a value, each time with another one changed."""
    right = read(rule["right"])
    return [right + unit.reshape(right.shape) for unit in torch.eye(right.numel())]


def typed(rule, answer):
    """Return an answer as the page's inputs give it; None where they cannot."""
    if rule["kind"] == "choice":
        letter = answer.strip(" \n.()'\"").lower() if isinstance(answer, str) else ""
        return letter if letter in {rule["right"], *rule["wrong"]} else None
    fields = rule["fields"]
    if isinstance(answer, torch.nn.Module):
        answer = [getattr(answer, name) for name in fields["names"]]
        answer = [number[0] if isinstance(number, tuple) else number for number in answer]
    if isinstance(answer, dict):
        if set(answer) != set(fields["names"]):
            return None
        answer = [answer[name] for name in fields["names"]]
    try:
        numbers = read(answer)
    except NotNumbersError:
        return None
    if "names" in fields and numbers.shape != (len(fields["names"]),):
        return None
    if "grid" in fields and list(numbers.shape) != fields["grid"]:
        return None
    return {"shape": list(numbers.shape), "data": numbers.flatten().tolist()}


def reply(result):
    """Return what a page would say of a result."""
    details = [list(detail) for detail in result.details]
    return {"correct": result.correct, "summary": result.summary, "details": details, "hint": result.hint}


@pytest.fixture(scope="module")
def answers():
    """Return pairs of an exercise and an answer, as a notebook and as a page gets it."""
    chance, found = random.Random(20), []
    for exercise in EXERCISES:
        rule = RULES[exercise.id]
        given = held(exercise)
        if rule["kind"] == "value":
            given += off_by_one(rule)
        if rule["kind"] != "choice":
            given += [made_up(rule, chance) for _ in range(MORE)]
        found += [(exercise, answer, typed(rule, answer)) for answer in given]
    return [one for one in found if one[-1] is not None]


@pytest.fixture(scope="module")
def results(answers):
    """Return what the notebook replies to them."""
    return [exercise.check(answer) for exercise, answer, _ in answers]


def judged(call, answers, language="en"):
    """Return what the page replies to some answers, which come in the order of the exercises."""
    replies = []
    for name, group in groupby(answers, key=lambda one: one[0].id):
        rule = RULES[name] if language == "en" else web.in_language(RULES[name], language)
        batch = json.dumps({"rules": {name: rule}, "asked": [(name, on_page) for *_, on_page in group]})
        script = f"judge-{rule['use']}.js" if "use" in rule else "judge.js"
        replies += json.loads(call(JUDGE, batch, script, language))
    return replies


def test_page_and_notebook_reply_the_same(call, answers, results):
    for result, said in zip(results, judged(call, answers), strict=True):
        assert said == reply(result), result


def test_page_and_notebook_reply_the_same_in_chinese(call, answers, results, monkeypatch):
    monkeypatch.setenv("D2LCONV_LANG", "zh")
    for result, said in zip(results, judged(call, answers, language="zh"), strict=True):
        assert said == reply(result._said()), result


def test_every_exercise_of_numbers_or_a_letter_is_on_its_page(results):
    closed = {exercise.id for exercise in every_exercise() if type(exercise).__name__ in ("Value", "Choice")}
    assert closed < set(RULES)
    for name in RULES:
        replies = {result.correct for result in results if result.exercise == name}
        assert replies == {True, False}, name


READ = "({readNumbers}, asked) => asked.map(([text, shape]) => readNumbers(text, shape))"


@pytest.mark.parametrize(
    ("text", "shape", "expected"),
    [
        ("4096", [], 4096),
        (" 4,096 ", [], 4096),
        ("４０９６", [], 4096),
        ("4 096", [], 4096),
        ("4'096", [], 4096),
        ("4_096", [], 4096),
        ("1,228,800", [], 1228800),
        ("−1", [], -1),
        ("(150)", [], 150),
        ("150 weights", [], 150),
        ("0.5", [], 0.5),
        ("0,5", [], 0.5),
        ("0,983", [], 0.983),
        ("½", [], 0.5),
        ("1/9", [], 1 / 9),
        ("12 %", [], 0.12),
        ("6·5·5", [], 150),
        ("28 x 28", [2], [28, 28]),
        ("28×28", [2], [28, 28]),
        ("28 by 28", [2], [28, 28]),
        ("(28, 28)", [2], [28, 28]),
        ("[28,28]", [2], [28, 28]),
        ("torch.Size([28, 28])", [2], [28, 28]),
        ("28 28", [2], [28, 28]),
        ("2", [2], [2]),
        ("1,200, 16, 1,228,800", [3], [1200, 16, 1228800]),
        ("1200,16,1228800", [3], [1200, 16, 1228800]),
        ("(1, 6, 28, 28)", [4], [1, 6, 28, 28]),
        ("[[1, 2], [3, 4]]", [2, 2], [[1, 2], [3, 4]]),
        ("1 2; 3 4", [2, 2], [[1, 2], [3, 4]]),
        ("1 2\n3 4\n", [2, 2], [[1, 2], [3, 4]]),
        ("((1, -2), (3.5, 4))", [2, 2], [[1, -2], [3.5, 4]]),
        ("1, 2", [], [1, 2]),
        ("", [], None),
        ("many", [], None),
        ("1 2; 3", [2, 2], None),
        ("1.2.3", [], None),
        ("1/", [], None),
        ("x", [], None),
        ("/" * 500, [2], None),
    ],
)
def test_numbers_are_read_as_people_type_them(call, text, shape, expected):
    (found,) = call(READ, [[text, shape]])
    if expected is None:
        assert found is None
    else:
        numbers = torch.tensor(expected, dtype=torch.float64)
        assert found["shape"] == list(numbers.shape)
        assert found["data"] == numbers.flatten().tolist()


# ---- scripts made of files ----


@pytest.mark.parametrize("name", web.SCRIPTS)
def test_no_two_files_of_a_script_declare_the_same_name(name):
    head = re.compile(r"^(?:export )?(?:async )?(?:const|let|function\*?) (\w+)", re.MULTILINE)
    names = [
        one for part in web.SCRIPTS[name] for one in head.findall((web.FOLDER / part).read_text("utf-8"))
    ]
    assert len(set(names)) == len(names) > 0
