"""Packages for learning platforms: what is in them, and what a strict platform is told."""

import re
import subprocess
import sys
import zipfile
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import expect
from tests.built_book import ROOT, sideways
from tests.site.test_editions import HAN
from tests.site.test_pages import faults_of
from tools.scorm import ADLCP, IMSCP, pack

from d2lconv.exercises.engine.registry import CHAPTERS, every_exercise
from d2lconv.questions import web
from d2lconv.questions.engine import find, questions_of

#: Which elements stand in which, in this order: what SCORM 1.2 needs of IMS Content Packaging 1.1.2.
INSIDE = {
    "manifest": ["metadata", "organizations", "resources"],
    "metadata": ["schema", "schemaversion"],
    "organizations": ["organization"],
    "organization": ["title", "item"],
    "item": ["title"],
    "resources": ["resource"],
    "resource": ["file"],
}

# A platform that refuses what SCORM 1.2 does not allow, and forgets what was not suspended.
PLATFORM = """
const TEXT = (most) => (text) => text.length <= most;
const LIKE = (pattern) => (text) => pattern.test(text);
const SCORE = (text) => text === "" || (/^[0-9]+([.][0-9]+)?$/.test(text) && Number(text) <= 100);
const MODEL = {
  "cmi.core.lesson_status": ["rw", LIKE(/^(passed|completed|failed|incomplete|browsed)$/)],
  "cmi.core.score.raw": ["rw", SCORE],
  "cmi.core.score.min": ["rw", SCORE], "cmi.core.score.max": ["rw", SCORE],
  "cmi.core.session_time": ["w", LIKE(/^[0-9]{2,4}:[0-5][0-9]:[0-5][0-9]([.][0-9]{1,2})?$/)],
  "cmi.core.exit": ["w", LIKE(/^(time-out|suspend|logout|)$/)],
  "cmi.suspend_data": ["rw", TEXT(4096)], "cmi.core.student_id": ["r"], "cmi.core.entry": ["r"],
};
var data = { "cmi.core.lesson_status": "not attempted" };
var kept = {}, problems = [], calls = [], state = "before", code = "0", refusing = false;

function answer(name, args, wanted, act) {
  calls.push([name, ...args]);
  const fail = (number, value) => {
    problems.push(`${name}(${args}): ${number}`);
    code = number;
    return value;
  };
  const value = name === "LMSGetValue" ? "" : "false";
  if (args.length !== wanted || args.some((one) => typeof one !== "string")) return fail("201", value);
  if (name === "LMSInitialize" ? state === "running" : state !== "running") return fail("301", value);
  code = "0";
  return act(fail);
}
var API = {
  LMSInitialize: (...args) => answer("LMSInitialize", args, 1, (fail) => {
    if (args[0] !== "") return fail("201", "false");
    state = "running";
    return "true";
  }),
  LMSFinish: (...args) => answer("LMSFinish", args, 1, (fail) => {
    if (args[0] !== "") return fail("201", "false");
    if (data["cmi.core.exit"] !== "suspend") delete data["cmi.suspend_data"];
    kept = { ...data };
    state = "after";
    return "true";
  }),
  LMSGetValue: (...args) => answer("LMSGetValue", args, 1, (fail) => {
    const [access] = MODEL[args[0]] ?? [];
    if (!access) return fail("201", "");
    return access === "w" ? fail("404", "") : (data[args[0]] ?? "");
  }),
  LMSSetValue: (...args) => answer("LMSSetValue", args, 2, (fail) => {
    const [access, allows] = MODEL[args[0]] ?? [];
    if (!access) return fail("201", "false");
    if (access === "r") return fail("403", "false");
    if (!allows(args[1])) return fail("405", "false");
    if (refusing) return "false";
    data[args[0]] = args[1];
    return "true";
  }),
  LMSCommit: (...args) => answer("LMSCommit", args, 1, (fail) => {
    if (args[0] !== "") return fail("201", "false");
    kept = { ...data };
    return "true";
  }),
  LMSGetLastError: () => code,
  LMSGetErrorString: () => "",
  LMSGetDiagnostic: () => "",
};
"""


@pytest.fixture(scope="module")
def packages(site, tmp_path_factory):
    """Return the paths of all packages, by chapter."""
    folder = tmp_path_factory.mktemp("scorm")
    return {chapter: pack(site, chapter, folder) for chapter in CHAPTERS}


@pytest.fixture
def platform(packages, serve, visit, tmp_path):
    """Return a page of a platform that holds the package of *Pooling* in a frame of a frame."""
    with zipfile.ZipFile(packages["pooling"]) as package:
        package.extractall(tmp_path / "pooling")
    (tmp_path / "platform.js").write_text(PLATFORM)
    (tmp_path / "player.html").write_text(
        '<iframe src="pooling/index.html" width="700" height="700"></iframe>'
    )
    (tmp_path / "blank.html").write_text("left")
    frame = '<iframe name="player" src="player.html" width="800" height="800"></iframe>'
    (tmp_path / "index.html").write_text(
        f'<link rel="icon" href="data:,"><script src="platform.js"></script>{frame}'
    )
    page, problems = visit(f"{serve(tmp_path)}/index.html")
    yield page
    assert page.evaluate("problems") == []
    assert problems == []


def unit(page):
    """Return the frame with the questions."""
    return page.frame_locator("iframe").frame_locator("iframe")


def leave(page):
    page.frame("player").goto(page.url.replace("index", "blank"))
    assert page.evaluate("state") == "after"


def come_back(page):
    page.frame("player").goto(page.url.replace("index", "player"))
    expect(unit(page).locator(".d2l-score")).to_contain_text("Right at the first answer")


def answer(frame, name, given):
    """Give an answer to a question or an exercise: a text to type, or the start of an option."""
    place = frame.locator(f'[data-ask="{name}"]')
    if place.locator("details[name]").count():
        place.locator("summary", has_text=given).click()
    elif place.locator("form").count():
        place.locator("input, textarea").first.fill(given)
        place.get_by_role("button", name="Check").click()
    else:
        place.get_by_role("button", name=given, exact=True).click()
    expect(place.get_by_role("status")).not_to_be_empty()


def told(page):
    """Return what the platform has kept of the score, the status and the state."""
    kept = page.evaluate("kept")
    return [kept.get(f"cmi.{name}") for name in ("core.score.raw", "core.lesson_status", "suspend_data")]


RIGHT = {
    "pooling.columns": "6 7 8",
    "pooling.stride": "2×2",
    "pooling.shift": "after maximum",
    "pooling.rows": "0 and 1, and 2 and 3",
    "pooling.ceil": "2 3; 5 1",
    "pooling.1": "-3 -2; -4 -1",
    "pooling.2": "a",
}


def test_score_is_told_and_work_goes_on_where_it_was_left(platform):
    page, frame = platform, unit(platform)
    expect(frame.locator(".d2l-score")).to_contain_text("0 of 7")
    assert told(page) == ["0", "incomplete", "1:-------"]
    answer(frame, "pooling.columns", RIGHT["pooling.columns"])
    answer(frame, "pooling.stride", "3×3")
    answer(frame, "pooling.stride", RIGHT["pooling.stride"])
    answer(frame, "pooling.shift", "both the same")
    expect(frame.locator(".d2l-score")).to_contain_text("1 of 7. Right by now: 2.")
    assert told(page) == ["14", "incomplete", "1:flm----"]
    leave(page)
    come_back(page)
    assert told(page) == ["14", "incomplete", "1:flm----"]
    expect(unit(page).locator(".d2l-score")).to_contain_text("1 of 7. Right by now: 2.")
    for name in list(RIGHT)[2:]:
        answer(unit(page), name, RIGHT[name])
    assert told(page) == ["71", "completed", "1:fllffff"]
    leave(page)
    come_back(page)
    answer(unit(page), "pooling.ceil", "1")  # out of curiosity: what is completed stays so
    assert told(page) == ["71", "completed", "1:fllffff"]
    leave(page)
    kept = page.evaluate("kept")
    assert [kept[f"cmi.core.score.{name}"] for name in ("min", "max")] == ["0", "100"]
    assert re.fullmatch(r"\d\d:\d\d:\d\d", kept["cmi.core.session_time"])


@pytest.mark.parametrize("spoiled", ["", "1:fff", "2:fffffff", "1:xxxxxxx", "f" * 4096])
def test_state_that_does_not_fit_is_set_aside(platform, spoiled):
    leave(platform)
    platform.evaluate("text => { data['cmi.suspend_data'] = text; }", spoiled)
    come_back(platform)
    expect(unit(platform).locator(".d2l-score")).to_contain_text("0 of 7")
    answer(unit(platform), "pooling.columns", "6 7 8")
    assert told(platform) == ["14", "incomplete", "1:f------"]


def test_reader_is_told_if_the_platform_takes_no_score(platform):
    platform.evaluate("refusing = true")
    answer(unit(platform), "pooling.columns", "6 7 8")
    expect(unit(platform).locator(".d2l-score")).to_contain_text("did not take your score")


def test_page_answers_alone_and_says_that_nobody_is_told(packages, visit, tmp_path):
    with zipfile.ZipFile(packages["padding_stride"]) as package:
        package.extractall(tmp_path)
    page, problems = visit((tmp_path / "index.html").as_uri(), width=360)
    assert "not in a learning platform" in page.locator(".d2l-score").inner_text()
    answer(page, "padding_stride.layers", "7")
    assert re.search(
        r"given\s+7", page.locator('[data-ask="padding_stride.layers"] [role=status]').inner_text()
    )
    answer(page, "padding_stride.layers", "6")
    assert "0 of" in page.locator(".d2l-score").inner_text()
    assert page.evaluate("localStorage.length") == 0
    assert sideways(page) == 0
    assert faults_of(page) == {}
    assert problems == []


def test_chinese_package_asks_the_same_and_speaks_chinese(packages, site, visit, tmp_path):
    path = pack(site / "zh", "pooling", tmp_path)
    assert path.name == "d2lconv-pooling-zh.zip"
    asked = []
    for one in (path, packages["pooling"]):
        with zipfile.ZipFile(one) as package:
            asked.append(re.findall(r'data-ask="([^"]+)"', package.read("index.html").decode()))
    assert asked[0] == asked[1] == list(RIGHT)
    with zipfile.ZipFile(path) as package:
        assert 'identifier="d2lconv-pooling-zh"' in package.read("imsmanifest.xml").decode()
        package.extractall(tmp_path)
    page, problems = visit((tmp_path / "index.html").as_uri(), width=360)
    assert page.evaluate("document.documentElement.lang") == "zh-Hans"
    for number, name in enumerate(("pooling.columns", "pooling.1"), 1):
        place = page.locator(f'[data-ask="{name}"]')
        place.locator("input, textarea").first.fill(RIGHT[name])
        place.locator("form button").first.click()
        expect(place.get_by_role("status")).to_contain_text("正确")
        expect(page.locator(".d2l-score")).to_contain_text(f"7题中{number}题")
    texts = page.locator("h1, h2, p, li, summary, button, label, [role=status]").all_inner_texts()
    assert [text for text in texts if re.search("[A-Za-z]{3}", text) and not HAN.search(text)] == []
    assert sideways(page) == 0
    assert faults_of(page) == {}
    assert problems == []


# ---- what is in a package ----


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_manifest_lists_what_is_there_and_nothing_else(packages, chapter):
    with zipfile.ZipFile(packages[chapter]) as package:
        names = package.namelist()
        root = ET.fromstring(package.read("imsmanifest.xml"))
    assert names[0] == "imsmanifest.xml"
    for element in root.iter():
        kind = element.tag.removeprefix(f"{{{IMSCP}}}")
        children = [child.tag.removeprefix(f"{{{IMSCP}}}") for child in element]
        assert list(dict.fromkeys(children)) == INSIDE.get(kind, []), kind
        assert all(not key.startswith("{") or key == f"{{{ADLCP}}}scormtype" for key in element.attrib)
    at = {"": IMSCP}
    assert root.findtext("metadata/schema", namespaces=at) == "ADL SCORM"
    assert root.findtext("metadata/schemaversion", namespaces=at) == "1.2"
    identifiers = [element.get("identifier") for element in root.iter() if "identifier" in element.attrib]
    assert len(set(identifiers)) == len(identifiers) == 4
    assert all(re.fullmatch(r"[A-Za-z_][\w.-]*", identifier) for identifier in identifiers)
    (organization,) = root.findall("organizations/organization", at)
    assert root.find("organizations", at).get("default") == organization.get("identifier")
    (item,), (resource,) = organization.findall("item", at), root.findall("resources/resource", at)
    assert item.get("identifierref") == resource.get("identifier")
    assert item.findtext("title", namespaces=at)
    assert [resource.get("type"), resource.get(f"{{{ADLCP}}}scormtype")] == ["webcontent", "sco"]
    files = [file.get("href") for file in resource.findall("file", at)]
    assert resource.get("href") == files[0] == "index.html"
    assert sorted(files) == sorted(set(names) - {"imsmanifest.xml"})


@pytest.mark.parametrize("chapter", CHAPTERS)
def test_package_asks_what_the_chapter_asks_and_shows_no_solution(packages, chapter):
    with zipfile.ZipFile(packages[chapter]) as package:
        page = package.read("index.html").decode()
    questions = [question.name for question in questions_of(chapter) if find(question.name).alone]
    exercises = [one for one in every_exercise() if one.chapter == chapter and web.rule_of(one)]
    assert re.findall(r'data-ask="([^"]+)"', page) == questions + [exercise.id for exercise in exercises]
    for exercise in exercises:
        assert f"Exercise {exercise.id.rpartition('.')[2]} · {exercise.title}" in page
    assert "@title" not in page
    assert "<img" not in page
    assert all(link.startswith("https://") for link in re.findall(r'href="([^"]+)"', page)[1:])
    assert len(f"1:{'-' * len(questions + exercises)}") <= 4096


def test_packages_are_the_same_each_time(packages, site, tmp_path):
    assert pack(site, "vgg", tmp_path).read_bytes() == packages["vgg"].read_bytes()


def test_a_chapter_that_does_not_exist_is_named(site, tmp_path):
    command = [sys.executable, "-m", "tools.scorm", site, tmp_path, "poling"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert run.returncode == 1
    assert run.stderr.startswith(
        "There is no chapter 'poling' with questions; there are building_blocks, channels"
    )
