"""A page judges an answer to an exercise exactly as `check` does in a notebook."""

import importlib
import json
import random
import re

import pytest
import torch

from d2lconv.exercises.engine.numbers import NotNumbersError, read
from d2lconv.exercises.engine.registry import every_exercise, find
from d2lconv.language import FOLDER, page_script, translate
from d2lconv.questions import ask, web

RULES = {exercise.id: rule for exercise in every_exercise() if (rule := web.rule_of(exercise))}
EXERCISES = [exercise for exercise in every_exercise() if exercise.id in RULES]
MORE = 25  # made up, for each exercise

JUDGE = """({judge}, batch) => {
  const {rules, asked} = JSON.parse(batch);
  return JSON.stringify(asked.map(([name, answer]) => judge(rules[name], answer)));
}"""


@pytest.fixture(scope="module")
def call(browser):
    """Return a function that calls JavaScript with the functions of the page's script, changed or not."""
    page = browser.new_page()

    def run(function, data, *replaced):
        script = web.script("judge.js")
        for good, bad in replaced:
            assert script.count(good) == 1
            script = script.replace(good, bad)
        translator = (FOLDER / "translate.js").read_text("utf-8").replace("export ", "")
        inner = (
            script.removesuffix("})();\n") + f"{translator} return {{judge, readNumbers, translator}}; }})()"
        )
        return page.evaluate(f"(data) => ({function})({inner}, data)", data)

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
    return {
        "correct": result.correct,
        "summary": result.summary,
        "details": [list(detail) for detail in result.details],
        "misconception": result.misconception,
        "hint": result.hint,
    }


@pytest.fixture(scope="module")
def answers():
    """Return pairs of an exercise and an answer, as a notebook and as a page gets it."""
    chance, found = random.Random(20), []
    for exercise in EXERCISES:
        rule = RULES[exercise.id]
        given = held(exercise)
        if rule["kind"] != "choice":
            given += [made_up(rule, chance) for _ in range(MORE)]
        found += [(exercise, answer, typed(rule, answer)) for answer in given]
    return [one for one in found if one[-1] is not None]


@pytest.fixture(scope="module")
def results(answers):
    """Return what the notebook replies to them."""
    return [exercise.check(answer) for exercise, answer, _ in answers]


def judged(call, answers, *replaced, rules=RULES):
    """Return what the page replies to some answers."""
    asked = [(exercise.id, on_page) for exercise, _, on_page in answers]
    return json.loads(call(JUDGE, json.dumps({"rules": rules, "asked": asked}), *replaced))


def test_page_and_notebook_reply_the_same(call, answers, results):
    for result, said in zip(results, judged(call, answers), strict=True):
        assert said == reply(result), result


SAY = "({translator}, [catalogue, texts]) => texts.map(translator(catalogue))"


def test_page_and_notebook_reply_the_same_in_chinese(call, answers, results):
    """The page has the rules in Chinese, and a small catalogue for what it says itself."""
    rules = {name: web.in_language(rule, "zh") for name, rule in RULES.items()}
    replies = judged(call, answers, rules=rules)
    texts = [[one["summary"], one["hint"], *(text for _, text in one["details"])] for one in replies]
    catalogue = json.loads((FOLDER / "zh/replies.json").read_text("utf-8"))
    said = iter(call(SAY, [catalogue, [text for row in texts for text in row]]))
    for result in results:
        for text in [result.summary, result.hint, *(text for _, text in result.details)]:
            assert next(said) == translate(text, "zh"), result


def test_page_asks_and_answers_in_chinese(browser):
    page = browser.new_page()
    parts = [ask("channels.weights").in_language("zh")._repr_html_()]
    parts += [web.form_of(find(name), "zh") for name in ("padding_stride.1", "channels.2", "channels.4")]
    page.set_content(f'<html lang="zh-Hans"><body>{"".join(parts)}</body></html>')
    page.evaluate(web.script())
    page.evaluate(page_script("zh", {".d2l-ask": ["replies"]}))

    def answer(name, **numbers):
        place = page.locator(f'[data-ask="{name}"]')
        for label, number in numbers.items():
            place.get_by_label(label, exact=True).fill(number)
        place.get_by_role("button", name="检查").click()
        return place.get_by_role("status").inner_text()

    said = answer("channels.weights", 权重="25", 偏置="3")
    assert "还不对" in said
    assert "对的：偏置；不对的：权重。" in said
    assert "正确 三个卷积核" in answer("channels.weights", 权重="24")
    assert "宽应当是数，例如4096或0.5。" in answer("padding_stride.1", 高="32", 宽="x")
    assert "填充是按每一侧算的" in answer("padding_stride.1", 高="31", 宽="46")
    said = answer("channels.4", **{"红，第1行，第0列": "1"})
    assert "10个例子中有" in said
    assert "picture\n'全是深灰'" in said
    page.get_by_role("button", name="d", exact=True).click()
    assert "可是三个结果接着怎么办？" in page.locator('[data-ask="channels.2"]').inner_text()
    assert not re.search(r"[A-Za-z]{3,} [a-z]{2,}", page.locator("body").inner_text())
    page.close()


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
