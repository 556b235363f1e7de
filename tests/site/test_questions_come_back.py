"""Questions come back: two at the start of a chapter, what was missed at growing gaps."""

import json
import re

import pytest
from playwright.sync_api import expect
from tests.built_book import parse, sideways
from tests.site.test_pages import faults_of

from d2lconv.exercises.engine.registry import CHAPTERS
from d2lconv.questions import review
from d2lconv.questions.engine import questions_of

KEY = "d2lconv.answers"
NOON = 20_000 * 86_400 + 43_200  # of some day
ORDER = list(CHAPTERS)


@pytest.fixture
def reader(visit, site):
    """Return a function that opens a page on some day; nothing on it may go wrong."""
    page, problems = visit((site / "book/downloads.html").as_uri(), width=360)

    def open_page(name, day=0):
        page.clock.set_fixed_time(NOON + day * 86_400)
        page.goto((site / f"book/{name}.html").as_uri())
        return page

    yield open_page
    assert problems == []


def store(page, text):
    page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])


def stored(page):
    return json.loads(page.evaluate(f"localStorage.getItem('{KEY}')"))


def place(page, name):
    return page.locator(f'[data-ask="{name}"]')


def choose(page, name, *, right):
    """Unfold the right option of a question, or a wrong one."""
    option = place(page, name).locator("details[data-right]" if right else "details:not([data-right])").first
    option.locator("summary").click()
    expect(place(page, name).get_by_role("status")).to_have_text(option.locator("p").inner_text())


def asked(page):
    """Open the box of a chapter and return the names of the questions in it."""
    page.locator(".d2l-review > summary").click()
    expect(page.locator(".d2l-review .d2l-ask")).to_have_count(2)
    return [one.get_attribute("data-ask") for one in page.locator(".d2l-review .d2l-ask").all()]


def due(page):
    """Return the names of what is due on the page of reviews."""
    said = page.locator(".d2l-due > p").first
    expect(said).to_contain_text("due today", ignore_case=True)
    n = re.match(r"Due today: (\d+)", said.inner_text())
    expect(page.locator(".d2l-due > *")).to_have_count(1 + min(int(n[1]) if n else 0, 10))
    return [one.get_attribute("data-ask") for one in page.locator(".d2l-due .d2l-ask").all()]


# ---- two questions from before ----


def test_box_is_folded_and_stands_before_the_first_section_of_later_chapters(site):
    assert not parse(site / "book/convolution.html").find_class("d2l-review")
    for name in ORDER[1:]:
        (box,) = parse(site / f"book/{name}.html").find_class("d2l-review")
        assert "open" not in box.attrib
        listed = box.get("data-listed").split()
        asked = [question for chapter in ORDER[: ORDER.index(name)] for question in questions_of(chapter)]
        assert listed == [question.name + "*" * (not question.alone) for question in asked]
        assert box.getnext().tag == "section"
        assert "Time" in box.getprevious().text_content()


def test_two_questions_of_earlier_chapters_are_the_same_for_new_readers_and_in_notebooks(reader):
    for name in ORDER[1:]:
        first, second = asked(reader(name))
        assert [question.name for question in review(name).questions] == [first, second]
        earlier = ORDER[: ORDER.index(name)]
        assert first.startswith(f"{earlier[-1]}.")
        assert second.partition(".")[0] in earlier
        assert first != second


def test_box_asks_first_what_was_missed_and_then_what_is_due(reader):
    page = reader("convolution")
    choose(page, "convolution.bricks", right=False)
    choose(reader("padding_stride"), "padding_stride.paper", right=False)
    assert asked(reader("channels", day=1)) == ["convolution.bricks", "padding_stride.paper"]
    choose(page, "convolution.bricks", right=True)  # comes back in three days, the other one now
    assert asked(reader("channels", day=1)) == ["padding_stride.paper", "convolution.bricks"]
    assert asked(reader("padding_stride", day=1))[0] == "convolution.bricks"
    link = page.locator(".d2l-review").get_by_role("link", name="1. Convolution").first
    assert link.get_attribute("href").endswith("convolution.html#ask-convolution-bricks")


def test_questions_in_the_box_are_judged_and_remembered(reader):
    page = reader("channels")
    values = {question.name: question for name in ORDER[:2] for question in questions_of(name)}
    for name in asked(page):
        box, question = place(page, name), values[name]
        if box.locator("details[name]").count():
            choose(page, name, right=True)
        else:
            box.locator("input, textarea").first.fill(question.written(question.right()))
            box.get_by_role("button", name="Check").click()
            expect(box.get_by_role("status")).to_contain_text("Correct")
    assert all(one["right"] for one in stored(page)["answers"].values())
    assert len(stored(page)["answers"]) == 2
    assert sideways(page) == 0


# ---- due today ----


def test_a_missed_question_comes_back_at_growing_gaps(reader):
    choose(reader("channels"), "channels.grey", right=False)
    assert due(reader("review")) == []
    assert "comes back tomorrow" in reader("review").locator(".d2l-due").inner_text()
    day = 0
    for gap in (1, 3, 7, 21):
        assert due(reader("review", day + gap - 1)) == []
        day += gap
        page = reader("review", day)
        assert due(page) == ["channels.grey"]
        assert "Due today: 1." in page.locator(".d2l-due").inner_text()
        choose(page, "channels.grey", right=True)
        choose(page, "channels.grey", right=False)  # to read why: only the first answer of a day counts
    assert due(reader("review", day + 1000)) == []
    assert "Nothing is due today." in reader("review", day + 1000).locator(".d2l-due").inner_text()


def test_a_question_missed_again_begins_with_one_day(reader):
    choose(reader("channels"), "channels.grey", right=False)
    choose(reader("review", 1), "channels.grey", right=True)
    choose(reader("review", 4), "channels.grey", right=False)
    assert due(reader("review", 5)) == ["channels.grey"]


def test_open_box_and_page_of_reviews_are_accessible(reader):
    page = reader("channels")
    choose(page, "channels.grey", right=False)
    asked(page)
    assert faults_of(page) == {}
    page = reader("review", 1)
    assert due(page) == ["channels.grey"]
    assert faults_of(page) == {}


def test_what_was_right_at_once_does_not_come_back(reader):
    choose(reader("channels"), "channels.grey", right=True)
    choose(reader("channels"), "channels.grey", right=False)
    assert due(reader("review", 40)) == []


def test_a_missed_exercise_is_due_as_a_link_to_its_place(reader):
    page = reader("channels")
    place(page, "channels.2").get_by_role("button", name="d", exact=True).click()
    expect(place(page, "channels.2").get_by_role("status")).to_contain_text("Not yet")
    page = reader("review", 1)
    assert due(page) == []
    page.locator(".d2l-due").get_by_role("link", name="3. Channels").click()
    page.wait_for_url("**/channels.html#ask-channels-2")
    expect(place(page, "channels.2")).to_be_in_viewport()


def test_many_are_shown_ten_at_a_time(reader):
    names = [question.name for name in ORDER[:3] for question in questions_of(name)]
    missed = {"first": False, "right": False, "tries": 1, "day": 19_000, "gap": 1}
    page = reader("review")
    store(page, json.dumps({"version": 1, "answers": dict.fromkeys(names, missed)}))
    page = reader("review")
    assert len(due(page)) == 10
    assert "Here are the 10 that have waited longest" in page.locator(".d2l-due").inner_text()


def test_little_room_is_kept_where_nothing_is_due(reader):
    page = reader("review")
    assert due(page) == []
    below = page.get_by_role("heading", name="When a question comes back").bounding_box()["y"]
    said = page.locator(".d2l-due > p").bounding_box()
    assert below - said["y"] - said["height"] < 120


# ---- ticks ----


def test_a_chapter_is_ticked_when_all_its_questions_were_answered(reader):
    for number, question in enumerate(questions_of("one_by_one")):
        page = reader("one_by_one")
        assert page.locator(".d2l-tick").count() == 0, number
        choose(page, question.name, right=True)
    tick = page.locator(".sidebar-tree .d2l-tick")
    assert tick.get_attribute("aria-label") == "all questions answered"
    assert tick.locator("xpath=..").text_content() == "4. 1×1 convolution ✓"
    page = reader("index")
    assert [one.inner_text() for one in page.locator("article li:has(.d2l-tick) > p > a").all()] == [
        "1×1 convolution ✓"
    ]
    assert reader("exercises").locator("article .d2l-tick").count() == 0


# ---- what is kept is not trusted, and may be refused ----

WILD = {"first": False, "right": False, "tries": 1, "day": 19_000, "gap": 1}


@pytest.mark.parametrize(
    "text",
    [
        "",
        "no JSON",
        "[]",
        '{"version": 1, "answers": null, "done": 7}',
        '{"version": 1, "answers": [], "done": [{"toString": 1}]}',
        json.dumps({"version": 1, "answers": dict.fromkeys(("gone.now", "channels.gone", "a/../b.c"), WILD)}),
        json.dumps({"version": 1, "answers": {"channels.grey": WILD | {"gap": 1e300}}}),
        json.dumps({"version": 1, "answers": {"channels.grey": WILD}, "note": "x" * 100_000}),
        json.dumps({"version": 2, "answers": {"channels.grey": WILD}}),
    ],
)
def test_spoiled_old_or_large_answers_are_set_aside(reader, text):
    store(reader("downloads"), text)
    page = reader("review")
    assert due(page) == []
    assert page.locator(".d2l-tick").count() == 0
    page = reader("channels")
    assert len(asked(page)) == 2
    choose(page, "channels.grey", right=False)
    assert due(reader("review", 1)) == ["channels.grey"]


def test_answers_without_a_gap_are_still_read(reader):
    page = reader("review")
    old = {"first": False, "right": True, "tries": 2, "day": 19_990}
    store(
        page,
        json.dumps({"version": 1, "answers": {"channels.grey": old, "channels.vgg": old | {"first": True}}}),
    )
    assert due(reader("review")) == ["channels.grey"]


def test_a_day_to_come_is_due_now(reader):
    page = reader("review")
    store(page, json.dumps({"version": 1, "answers": {"channels.grey": WILD | {"day": 30_000}}}))
    assert due(reader("review")) == ["channels.grey"]


def test_questions_work_where_nothing_may_be_kept(reader):
    page = reader("review")
    refuse = "{ configurable: true, get() { throw new Error('refused'); } }"
    page.add_init_script(f"Object.defineProperty(window, 'localStorage', {refuse});")
    assert due(reader("review")) == []
    page = reader("channels")
    assert len(asked(page)) == 2
    choose(page, "channels.grey", right=True)


# ---- a file of answers ----


def test_answers_are_saved_to_a_file_forgotten_and_loaded(reader, tmp_path):
    choose(reader("channels"), "channels.grey", right=False)
    page = reader("review", 1)
    with page.expect_download() as download:
        page.get_by_role("button", name="Save to a file").click()
    assert download.value.suggested_filename == "d2lconv-answers.json"
    download.value.save_as(tmp_path / "answers.json")
    page.once("dialog", lambda dialog: dialog.dismiss())
    page.get_by_role("button", name="Forget them").click()
    assert due(page) == ["channels.grey"]
    page.once("dialog", lambda dialog: dialog.accept())
    page.get_by_role("button", name="Forget them").click()
    expect(page.get_by_text("Nothing is due today")).to_be_visible()
    for name, text in (("empty", "{}"), ("large", json.dumps({"version": 1, "x": "x" * 200_000}))):
        (tmp_path / name).write_text(text)
        page.locator("input[type=file]").set_input_files(tmp_path / name)
        expect(page.get_by_text("That is no file of answers")).to_be_visible()
    page.locator("input[type=file]").set_input_files(tmp_path / "answers.json")
    expect(page.get_by_text("Loaded: 1.")).to_be_visible()
    expect(page.locator(".d2l-due .d2l-ask")).to_have_count(1)


def test_of_two_answers_the_later_one_stays_when_a_file_is_loaded(reader, tmp_path):
    theirs = {"channels.grey": WILD, "channels.vgg": WILD | {"day": 19_500}}
    (tmp_path / "theirs.json").write_text(json.dumps({"version": 1, "answers": theirs, "done": ["vgg"]}))
    page = reader("review")
    mine = {"channels.grey": WILD | {"day": 19_999, "gap": 21}, "channels.vgg": WILD | {"gap": 7}}
    store(page, json.dumps({"version": 1, "answers": mine, "done": ["data"]}))
    page.locator("input[type=file]").set_input_files(tmp_path / "theirs.json")
    expect(page.get_by_text("Loaded: 2.")).to_be_visible()
    assert {name: one["gap"] for name, one in stored(page)["answers"].items()} == {
        "channels.grey": 21,
        "channels.vgg": 1,
    }
    assert stored(page)["done"] == ["data", "vgg"]


def test_without_scripts_there_is_no_box_and_the_page_says_why(browser, site):
    with browser.new_context(java_script_enabled=False) as context:
        page = context.new_page()
        page.goto((site / "book/channels.html").as_uri())
        assert not page.locator(".d2l-review").is_visible()
        page.goto((site / "book/review.html").as_uri())
        assert "found by a script" in page.locator(".d2l-due").inner_text()
