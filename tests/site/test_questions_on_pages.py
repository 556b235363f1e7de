"""Questions and exercises on the built pages: asked, answered and remembered, with scripts and without."""

import gzip
import json
import re

import pytest
from playwright.sync_api import expect
from tests.built_book import ROOT, parse, sideways
from tools.notebooks import load

from d2lconv.exercises.engine.registry import CHAPTERS, every_exercise
from d2lconv.questions import drill, web
from d2lconv.questions.engine import questions_of

KEY = "d2lconv.answers"
# Bytes of scripts, styles and rules, compressed: of a page when it is opened, and when all on it was answered
# and the two questions from before were asked.
OPENED, ANSWERED = 10 * 1024, 15 * 1024


@pytest.fixture
def chapter(visit, site):
    """Return a function that opens a chapter from the disk; nothing on it may go wrong."""
    seen = []

    def open_chapter(name, **options):
        page, problems = visit((site / f"book/{name}.html").as_uri(), **options)
        seen.append(problems)
        return page

    yield open_chapter
    assert not any(seen), seen


def place(page, name):
    return page.locator(f'[data-ask="{name}"]')


def answer(page, name, *texts):
    """Type an answer, and return what is announced."""
    for field, text in zip(place(page, name).locator("input, textarea").all(), texts, strict=True):
        field.fill(text)
    return check(page, place(page, name))


def check(page, exercise):
    """Press the button, and return what is announced once the page has what judges answers."""
    exercise.get_by_role("button", name="Check").click()
    wait_for_judge(page)
    return exercise.get_by_role("status").inner_text()


def wait_for_judge(page):
    """Wait until the page can judge answers; the page's policy lets Playwright's own way not run."""
    for _ in range(200):
        if page.evaluate("Boolean(self.d2lJudge || document.querySelector('.d2l-practice'))"):
            return
        page.wait_for_timeout(25)
    raise AssertionError("judge.js was not loaded")


def test_answers_are_judged_by_a_script_that_loads_when_one_is_begun(chapter):
    page = chapter("channels")
    assert page.evaluate("self.d2lJudge") is None
    place(page, "channels.weights").locator("input").first.focus()
    wait_for_judge(page)


def test_option_is_explained_by_a_click_and_by_a_key(chapter):
    page = chapter("channels")
    question = place(page, "channels.grey")
    assert question.locator("details p:visible").count() == 0
    question.locator("summary", has_text="vertical").click()
    assert "A grey picture has vertical edges, too" in question.locator("details[open]").inner_text()
    expect(question.get_by_role("status")).to_contain_text("A grey picture has vertical edges, too")
    question.locator("summary", has_text="red − blue").focus()
    page.keyboard.press("Enter")
    assert "three equal channels cancel" in question.locator("details[open]").inner_text()
    assert question.locator("details[open]").count() == 1
    expect(question.get_by_role("status")).to_contain_text("three equal channels cancel")


def test_typed_numbers_are_judged_and_explained(chapter):
    page = chapter("channels")
    assert "each of the three holds 2·2·2 numbers" in answer(page, "channels.weights", "12", "3")
    assert "right: biases; not right: weights" in answer(page, "channels.weights", "25", "3")
    assert answer(page, "channels.weights", "２４", "3").startswith("✓ Correct: three kernels")
    fields = place(page, "channels.weights").locator("input")
    assert [page.get_by_label(name, exact=True).first.count() for name in ("weights", "biases")] == [1, 1]
    assert "weights should be a number, such as 4096" in answer(page, "channels.weights", "two dozen", "3")
    assert fields.first.evaluate("field => field === document.activeElement")
    assert fields.first.get_attribute("aria-invalid") is not None
    answer(page, "channels.weights", "24", "3")
    assert fields.first.get_attribute("aria-invalid") is None


def test_shapes_and_matrices_are_typed_in_one_field(chapter):
    page = chapter("pooling")
    for text in ("2x2", "(2, 2)", "2 × 2", "2 2"):
        assert answer(page, "pooling.stride", text).startswith("✓ Correct")
    assert "the default of a convolution" in answer(page, "pooling.stride", "3×3")
    for text in ("2 3\n5 1", "[[2, 3], [5, 1]]", "2 3; 5 1"):
        assert answer(page, "pooling.ceil", text).startswith("✓ Correct")
    assert "Look again at row 1, column 0" in answer(page, "pooling.ceil", "2 3; 4 1")
    assert "Asked for: rows of numbers" in answer(page, "pooling.ceil", "two and three")
    assert "nothing is written there yet" in answer(page, "pooling.ceil", " ")


def test_exercise_shows_the_smallest_failing_case_and_a_hint(chapter):
    page = chapter("convolution", width=390)
    exercise = place(page, "convolution.3")
    exercise.get_by_label("row 1, column 2", exact=True).fill("1")
    said = check(page, exercise)
    assert "20 of 20 cases fail. The smallest case that shows it:" in said
    assert "[[0, 1]]" in said
    assert "The image moves to the left." in said
    exercise.get_by_label("row 1, column 2", exact=True).fill("")
    exercise.get_by_label("row 1, column 0", exact=True).fill("1")
    assert check(page, exercise) == "✓ Correct: 20 cases."
    assert sideways(page) == 0


def test_letters_answer_a_choice(chapter):
    page = chapter("channels")
    exercise = place(page, "channels.2")
    exercise.get_by_role("button", name="d", exact=True).click()
    expect(exercise.get_by_role("status")).to_contain_text("Each channel does meet a slice of its own.")
    assert exercise.locator('[aria-pressed="true"]').inner_text() == "d"
    exercise.get_by_role("button", name="b", exact=True).press("Enter")
    expect(exercise.get_by_role("status")).to_contain_text("✓ Correct")


def test_without_scripts_options_unfold_and_answers_are_folded(browser, site):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((site / "book/channels.html").as_uri())
        question = place(page, "channels.weights")
        assert "How many weights does" in question.inner_text()
        assert not question.get_by_text("three kernels").is_visible()
        question.get_by_text("Answer").click()
        assert question.get_by_text("three kernels").is_visible()
        place(page, "channels.grey").locator("summary", has_text="vertical").click()
        assert place(page, "channels.grey").get_by_text("A grey picture has vertical").is_visible()
        assert "Asked for: three whole numbers" in place(page, "channels.1").inner_text()


# ---- what the browser remembers ----


def test_first_and_best_answers_are_remembered_and_shown(chapter):
    page = chapter("channels")
    assert "stays in this browser" in page.locator(".d2l-kept").inner_text()
    answer(page, "channels.weights", "12", "3")
    answer(page, "channels.weights", "24", "3")
    kept = json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))
    day = page.evaluate("Math.floor(Date.now() / 86400000)")
    assert kept == {
        "version": 1,
        "answers": {"channels.weights": {"first": False, "right": True, "tries": 2, "day": day, "gap": 1}},
        "done": [],
    }
    page.reload()
    assert "d2l-known" in place(page, "channels.weights").get_attribute("class")
    assert "d2l-known" not in place(page, "channels.grey").get_attribute("class")


@pytest.mark.parametrize(
    "spoiled",
    [
        "",
        "no JSON",
        "null",
        "[1, 2]",
        '{"version": 1}',
        '{"version": 2, "answers": {"channels.grey": {"right": true}}}',
        '{"version": 1, "answers": {"channels.grey": 7, "__proto__": {"right": true}, "channels.vgg": null}}',
    ],
)
def test_spoiled_progress_is_set_aside(chapter, spoiled):
    page = chapter("channels")
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, spoiled])
    page.reload()
    assert page.locator(".d2l-known").count() == 0
    assert answer(page, "channels.weights", "24", "3").startswith("✓ Correct")
    assert list(json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))["answers"]) == [
        "channels.weights"
    ]


def test_page_answers_where_nothing_can_be_remembered(chapter):
    page = chapter("channels")
    page.evaluate("void (Storage.prototype.setItem = () => { throw new Error('full'); })")
    assert answer(page, "channels.weights", "24", "3").startswith("✓ Correct")


# ---- what stands in the pages ----


@pytest.mark.parametrize("name", CHAPTERS)
def test_every_question_and_exercise_is_on_its_page(site, name):
    page = parse(site / f"book/{name}.html")
    text = page.find(".//article").text_content()
    assert "Not attempted yet" not in text
    assert "run the cell" not in text
    exercises = [exercise for exercise in every_exercise() if exercise.chapter == name]
    asked = [element.get("data-ask") for element in page.find_class("d2l-ask")]
    closed = [exercise.id for exercise in exercises if web.rule_of(exercise)]
    assert asked == [question.name for question in questions_of(name)] + closed
    links = page.xpath("//article//a/@href[contains(., '#scrollTo=')]")
    cells = {cell.source: cell.id for cell in load(ROOT / f"book/{name}.ipynb").cells}
    open_ones = [exercise.id for exercise in exercises if exercise.id not in closed]
    for exercise, link in zip(open_ones, links, strict=True):
        source = next(source for source, cell in cells.items() if link.endswith(f"#scrollTo={cell}"))
        assert f'check("{exercise}", ' in source
        assert link.startswith("https://colab.research.google.com/github/")


ANSWER_ALL = """() => {
  for (const option of document.querySelectorAll(".d2l-ask details[name]")) option.open = true;
  for (const field of document.querySelectorAll("form.d2l-answer :is(input, textarea)")) field.value = "1";
  for (const form of document.querySelectorAll("form.d2l-answer")) form.requestSubmit();
  for (const letter of document.querySelectorAll("fieldset.d2l-answer button")) letter.click();
}"""
OWN = re.compile(
    r"/_static/((?:ask|practice|review|ticks|ask-cells|judge[a-z-]*)\.(?:js|css))|/book/(questions/.+\.js)"
)


def size_of(loaded, path):
    """Return how many bytes those of a page's files have that serve questions, with the rules in the page."""
    files = [path.parents[1] / found[0].lstrip("/") for one in loaded if (found := OWN.search(one))]
    rules = "".join(re.findall(r'data-(?:rule|listed)="[^"]*"', path.read_text(encoding="utf-8")))
    return sum(len(gzip.compress(text)) for text in (*(file.read_bytes() for file in files), rules.encode()))


@pytest.mark.parametrize(
    "name",  # in Chinese all, since its words have more bytes
    [
        *(f"zh/book/{name}" for name in (*CHAPTERS, "practice", "review")),
        *("book/convolution", "book/practice", "book/review"),
    ],
)
def test_all_that_answers_is_light(site, visit, name):
    path = site / f"{name}.html"
    page, problems = visit("about:blank")
    loaded = set()
    page.on("request", lambda request: loaded.add(request.url.partition("?")[0]))
    page.goto(path.as_uri())
    assert size_of(loaded, path) <= OPENED
    if page.locator(".d2l-review").count():
        page.locator(".d2l-review > summary").click()
        expect(page.locator(".d2l-review .d2l-ask")).to_have_count(2)
    page.evaluate(ANSWER_ALL)
    for reply in page.locator(".d2l-ask [role=status]").all():
        expect(reply).not_to_be_empty()
    assert any("judge" in one for one in loaded) == (not name.endswith("review"))
    assert size_of(loaded, path) <= ANSWERED
    assert problems == []


def test_pages_without_questions_load_no_script_for_them(site):
    assert "ask.js" not in (site / "book/glossary.html").read_text(encoding="utf-8")


def test_search_finds_the_words_of_a_question(site):
    index = (site / "_static/search-index.js").read_text(encoding="utf-8")
    assert "Which of the three kernels gives zeros only?" in index


# ---- drills ----


@pytest.mark.parametrize("language", ["en", "zh"])
def test_notebook_and_page_have_the_same_ten(visit, site, monkeypatch, language):
    monkeypatch.setenv("D2LCONV_LANG", language)
    edition = "" if language == "en" else "zh/"
    pages = [
        visit((site / f"{edition}book/practice.html").as_uri() + "#same.3.35")[0],
        visit("about:blank")[0],
    ]
    pages[1].set_content(drill("same", level=3, seed=35)._repr_html_())
    for _ in range(10):
        said = []
        for page in pages:
            place = page.locator(".d2l-practice")
            replies = []
            for numbers in (("1", "1"), ("3", "0"), ("2", "2")):
                for field, number in zip(place.locator("form input").all(), numbers, strict=True):
                    field.fill(number)
                place.locator("form button").click()
                expect(place.get_by_role("status")).not_to_be_empty()
                replies.append(place.get_by_role("status").inner_text())
            place.locator("summary").click()
            texts = place.locator("h2, .d2l-ask > p, label, li, .d2l-kept").all_inner_texts()
            said.append([*replies, *texts])
            place.locator("button").last.click()
        assert said[0] == said[1]
    assert pages[0].url.endswith("#same.3.36")


def test_a_drill_says_what_is_wrong_with_its_arguments():
    with pytest.raises(ValueError, match="no family 'sizes'; there are size, padding"):
        drill("sizes")
    with pytest.raises(ValueError, match="level must be 1, 2 or 3, got 4"):
        drill("size", level=4)
    with pytest.raises(ValueError, match="seed must be a whole number from 0 to 999999, got -1"):
        drill("size", seed=-1)


def test_address_hands_out_the_same_ten_and_counts_first_tries(visit, site):
    address = (site / "book/practice.html").as_uri()
    page, problems = visit(f"{address}#parameters.1.35")
    prompts = []
    for number in range(1, 11):
        assert page.get_by_role("heading", name=f"Problem {number} of 10").is_visible()
        prompts.append(page.locator(".d2l-practice .d2l-ask > p").inner_text())
        outputs, (a, b) = page.locator("form"), map(int, re.findall(r"Conv2d\((\d+), (\d+)", prompts[-1])[0])
        if number > 1:
            outputs.get_by_label("weights").fill(str(b * 9))
            outputs.get_by_label("biases").fill(str(b))
            check(page, page)
        outputs.get_by_label("weights").fill(f"{a * b * 9:,}")
        outputs.get_by_label("biases").fill(str(b))
        assert check(page, page).startswith("✓ Correct")
        page.get_by_role("button", name=re.compile("Next problem|Ten more")).click()
    assert len(set(prompts)) > 5
    assert page.url.endswith("#parameters.1.36")
    page.goto(f"{address}#parameters.1.35")
    assert page.locator(".d2l-practice .d2l-ask > p").inner_text() == prompts[0]
    assert problems == []


def test_wrong_result_is_recognised_and_worked_out(visit, site):
    page, problems = visit((site / "book/practice.html").as_uri() + "#gradient.1.7", width=360)
    assert page.locator(".d2l-matrix").count() == 2
    assert not page.get_by_text("when it helped to compute").is_visible()
    page.get_by_text("Step by step").click()
    assert page.get_by_text("when it helped to compute").is_visible()
    right = page.locator(".d2l-practice li").last.inner_text().rstrip(".").rpartition("= ")[2]
    page.get_by_label("Your answer").fill("1000")
    check(page, page)
    assert page.get_by_text("Right at the first try: 0 of 1.").is_visible()
    page.get_by_label("Your answer").fill(right)
    assert check(page, page).startswith("✓ Correct")
    page.get_by_label("Family").select_option("field")
    page.get_by_label("Level").select_option("3")
    assert re.search(r"#field\.3\.7$", page.url)
    assert "after 4 layers" in page.locator(".d2l-practice .d2l-ask > p").inner_text()
    assert sideways(page) == 0
    assert problems == []


@pytest.mark.parametrize(
    "odd", ["#size", "#nothing.9.x", "#__proto__.1.1", "#%", "#size.1.99999999", "#a.b.c.d"]
)
def test_odd_address_still_gives_a_problem(visit, site, odd):
    page, problems = visit((site / "book/practice.html").as_uri() + odd)
    assert page.get_by_role("heading", name="Problem 1 of 10").is_visible()
    assert re.search(r"#\w+\.[123]\.\d{1,6}$", page.url)
    assert problems == []
