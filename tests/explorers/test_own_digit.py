"""own_digit on a page without a kernel: drawings are read as PyTorch reads them, kept, learned."""

import functools
import json
import random
import re
from urllib.parse import parse_qs

import pytest
import torch
from playwright.sync_api import expect
from tests.explorers.shown import reader
from tests.explorers.widgets_book import FigureOnPage

from d2lconv.data import load_digits
from d2lconv.widgets import own_digit
from d2lconv.widgets.own_digit.picture import THREE, example
from d2lconv.widgets.own_digit.preparing import SIDE, count_ink, fit, read_drawing, write_drawing

LONGEST = 60_000  # milliseconds that learning may take on a machine with much else to do
KEY = "d2lconv.digits"
SEVEN = [(5, 9), (5, 22), (16, 18), (27, 14)]
EMPTY = torch.zeros(SIDE, SIDE, dtype=torch.uint8)


@functools.cache
def view():
    return own_digit(reader()).view


def drawings():
    """Return drawings: the hardest, and blots of all sizes."""
    draw, found = random.Random(3), [EMPTY, EMPTY + 1, example()]
    for row, column in ((0, 0), (31, 31), (17, 5)):
        found.append(EMPTY.clone())
        found[-1][row, column] = 1
    for _ in range(150):
        height, width = draw.randint(1, SIDE), draw.randint(1, SIDE)
        top, left = draw.randint(0, SIDE - height), draw.randint(0, SIDE - width)
        found.append(EMPTY.clone())
        blot = torch.rand(height, width, generator=torch.Generator().manual_seed(draw.randrange(2**32)))
        found[-1][top : top + height, left : left + width] = (blot > draw.random()).to(torch.uint8)
    return found


COUNT = """async ({readDrawing, writeDrawing, fitDrawing, countInk}, texts) => texts.map((text) => {
  const points = readDrawing(text);
  return [writeDrawing(points), writeDrawing(fitDrawing(points)), countInk(fitDrawing(points))];
})"""


def differing(found):
    expected = []
    for points in drawings():
        fitted = fit(points)
        expected.append([write_drawing(points), write_drawing(fitted), count_ink(fitted).flatten().tolist()])
    return [number for number, pair in enumerate(zip(found, expected, strict=True)) if pair[0] != pair[1]]


def test_a_drawing_goes_the_data_s_way_as_in_python(run):
    texts = [write_drawing(points) for points in drawings()]
    assert differing(run("own_digit/preparing.js", COUNT, texts)) == []
    good, bad = "Math.floor((SIDE_DRAWN - wide) / 2)", "Math.ceil((SIDE_DRAWN - wide) / 2)"
    assert differing(run("own_digit/preparing.js", COUNT, texts, [(good, bad)]))


INK = """({inkLine, readDrawing, writeDrawing}, [lines, width]) => writeDrawing(lines.slice(1).reduce(
    (points, line, i) => inkLine(points, lines[i], line, width), readDrawing("")))"""


def test_the_pen_inks_what_lies_within_half_its_width(run):
    assert run("own_digit/preparing.js", INK, [THREE, 4]) == write_drawing(example())
    (dot,) = {run("own_digit/preparing.js", INK, [[(3, 4), (3, 4)], width]) for width in (1, 1.9)}
    assert read_drawing(dot).nonzero().tolist() == [[3, 4]]


READ = """async ({readWeights}, {network, weights, drawings}) => {
  const {makeReader} = await import("../own_digit/learning.js");
  const {readDrawing, fitDrawing, countInk, writeCounts} = await import("../own_digit/preparing.js");
  const {enlarge, readDigits} = await import("../lenet/digits.js");
  const reader = makeReader(network, readWeights(weights));
  return drawings.map((text) => {
    const image = enlarge(readDigits(writeCounts(countInk(fitDrawing(readDrawing(text)))))[0]);
    return [Array.from(image), reader.read(image)];
  });
}"""


def test_image_and_scores_are_those_of_pytorch(run):
    texts = [write_drawing(points) for points in drawings()[:40]]
    given = {"network": view().network, "weights": view().weights, "drawings": texts}
    found = run("own_digit/weights.js", READ, given)
    for text, (image, scores) in zip(texts, found, strict=True):
        view().drawing = text
        assert image == view().image().flatten().tolist()
        assert torch.tensor(scores, dtype=torch.float64).allclose(view().scores(), rtol=0, atol=1e-9)
    view().drawing = ""


class Desk(FigureOnPage):
    """The figure on a page."""

    def pad(self):
        return self.place.get_by_role("application", name=re.compile("Drawing field, 32 by 32 points"))

    def press(self, name):
        self.place.get_by_role("button", name=name, exact=True).click()

    def draw(self, lines):
        """Draw with the mouse, through the middles of points."""
        self.pad().scroll_into_view_if_needed()
        box = self.pad().locator("canvas").bounding_box()
        size = box["width"] / SIDE
        where = [(box["x"] + (c + 0.5) * size, box["y"] + (r + 0.5) * size) for r, c in lines]
        self.page.mouse.move(*where[0])
        self.page.mouse.down()
        for place in where[1:]:
            self.page.mouse.move(*place)
        self.page.mouse.up()
        self.settle()

    def drawing(self):
        """Return what is drawn, as the link has it."""
        self.press("Link to this state")
        texts = parse_qs(self.page.url.partition("#")[2])
        return json.loads(texts.get("drawing", ['""'])[0])

    def verdict(self):
        """Return what it is read as, once the network has come."""
        self.settle()
        said = self.place.locator(".d2l-verdict")
        expect(said).not_to_have_text("The network is being loaded.")
        return said.inner_text()

    def probabilities(self):
        return self.place.locator(".d2l-scores td:last-child").all_inner_texts()

    def keep(self, digit):
        self.place.get_by_role("group", name="Keep this drawing as").get_by_role(
            "button", name=str(digit), exact=True
        ).click()
        self.settle()

    def kept(self):
        items = self.place.locator(".d2l-kept li")
        return items.evaluate_all("all => all.map((one) => one.ariaLabel)")

    def results(self):
        self.settle()
        rows = self.place.locator(".d2l-results tbody tr")
        return rows.evaluate_all("all => all.map((row) => [...row.children].map((cell) => cell.textContent))")


@pytest.fixture
def desk(empty_desk):
    return Desk(empty_desk)


def expected(drawing):
    """Return what PyTorch makes of a drawing: the verdict, and the ten probabilities."""
    view().drawing = drawing
    shares = view().scores().softmax(dim=0)
    view().drawing = ""
    best = int(shares.argmax())
    return f"Read as {best}, probability {shares[best]:.2f}.", [f"{share:.3f}" for share in shares]


def test_each_stroke_moves_the_scores(desk):
    assert desk.verdict() == "Draw a digit from 0 to 9."
    assert desk.probabilities() == ["–"] * 10
    maps = "all => all.slice(-6).map((one) => one.toDataURL()).join()"
    empty = desk.place.locator(".d2l-desk canvas").evaluate_all(maps)
    seen = []
    for lines in (THREE[:7], THREE[6:]):
        desk.draw(lines)
        found = (desk.verdict(), desk.probabilities())
        assert found == expected(desk.drawing())
        seen.append(desk.drawing())
    drawn, meant = read_drawing(seen[1]), example()  # a mouse moves by whole pixels of the screen
    assert (drawn & meant).sum() > 0.85 * (drawn | meant).sum()
    assert desk.place.locator(".d2l-desk canvas").evaluate_all(maps) != empty
    desk.press("Undo")
    assert desk.drawing() == seen[0]
    desk.press("Clear")
    assert (desk.drawing(), desk.verdict()) == ("", "Draw a digit from 0 to 9.")
    desk.press("Undo")
    assert desk.drawing() == seen[0]


def test_it_is_drawn_with_keys_and_said(desk):
    """A straight 1, from row 8 down to row 28."""
    desk.pad().focus()
    press = desk.page.keyboard.press
    press("ArrowDown")
    desk.says("Pen up, row 9, column 16. Draw a digit from 0 to 9.")
    press("ArrowUp")
    press("Space")
    for _ in range(5):
        press("Shift+ArrowDown")
    verdict = desk.verdict()
    desk.says(f"Pen down, row 28, column 16. {verdict}")
    press("Space")
    press("Shift+ArrowRight")
    desk.says(f"Pen up, row 28, column 20. {verdict}")
    drawing = desk.drawing()
    rows, columns = read_drawing(drawing).nonzero().T
    assert (int(rows.min()), int(rows.max()), sorted(set(columns.tolist()))) == (6, 30, [14, 15, 16, 17, 18])
    assert verdict == expected(drawing)[0]
    desk.pad().focus()
    press("Backspace")
    assert desk.drawing() == ""


def test_network_and_digits_come_with_the_first_stroke_or_are_asked_for_again(visit, serve, book):
    page, _ = visit(f"{serve(book)}/book/index.html")
    own = re.compile(r"/_static/figures/[0-9a-f]{8}\.js")
    asked = []
    page.on("request", lambda request: own.search(request.url) and asked.append(request.url))
    page.goto(page.url.replace("index", "own_digit"))
    desk = Desk(page)
    desk.settle()
    assert asked == []
    page.route(own, lambda route: route.abort())
    desk.draw(THREE[:7])
    status = desk.place.locator(".d2l-status")
    missing = "The network is missing: a file could not be loaded. Draw again to try again."
    expect(status).to_have_text(missing)
    page.unroute(own)
    desk.draw(THREE[6:])
    expect(desk.place.locator(".d2l-verdict")).to_contain_text("Read as ")
    expect(status).to_have_text("")
    assert desk.verdict() == expected(desk.drawing())[0]
    of_both = set(asked)
    assert len(of_both) == 2
    page.goto(page.url.partition("#")[0].replace("own_digit", "training"))
    asked.clear()
    FigureOnPage(page).place.get_by_role("button", name="One step").click()
    expect(page.locator(".d2l-status").first).to_contain_text("step 1 of", timeout=LONGEST)
    assert len(asked) == 1
    assert asked[0] in of_both  # the digits that both figures learn from are one file


def test_a_finger_draws_and_the_page_stays(phone):
    page = phone("own_digit")
    page.evaluate("localStorage.clear()")
    desk = Desk(page)
    desk.pad().scroll_into_view_if_needed()
    before = page.evaluate("scrollY")
    box = desk.pad().locator("canvas").bounding_box()
    touch = page.context.new_cdp_session(page)

    def send(kind, *share):
        points = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in share]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})

    send("touchStart", (0.5, 0.2))
    for step in range(1, 7):
        send("touchMove", (0.5, 0.2 + 0.1 * step))
    send("touchEnd")
    assert page.evaluate("scrollY") == before
    assert desk.verdict().startswith("Read as ")
    assert box["width"] <= 360 - 40  # beside it, a finger scrolls
    drawing = desk.drawing()
    assert read_drawing(drawing).any(dim=1).sum() >= 20
    assert desk.verdict() == expected(drawing)[0]


def test_digits_are_kept_tested_learned_and_forgotten_and_nothing_is_sent(desk):
    total = len(load_digits().valid)
    right = int(
        (view().model()(load_digits().valid.images.double()).argmax(1) == load_digits().valid.labels).sum()
    )
    wrong = {}
    for lines, digit in ((THREE, 3), (SEVEN, 7), (SEVEN[1:], 7), (THREE, 4)):
        desk.draw(lines)
        wrong[len(wrong)] = int(desk.verdict()[8]) != digit
        desk.keep(digit)
        assert desk.verdict() == "Draw a digit from 0 to 9."
    expect(desk.place.locator(".d2l-results")).to_contain_text(f"{right} of {total}", timeout=LONGEST)
    assert [re.sub("read as \\d", "", one) for one in desk.kept()] == [
        "a 3, ",
        "a 7, ",
        "a 7, , held out",
        "a 4, ",
    ]
    learned = [number for number in wrong if number != 2]
    before = [f"{sum(not wrong[n] for n in learned)} of 3", f"{int(not wrong[2])} of 1"]
    assert [row[1:] for row in desk.results()] == [
        [f"{right} of {total}", "–"],
        *([one, "–"] for one in before),
    ]

    desk.page.reload()
    again = Desk(desk.page)
    assert len(again.kept()) == 4
    expect(again.place.locator(".d2l-results")).to_contain_text(f"{right} of {total}", timeout=LONGEST)
    asked = []
    again.page.on("request", lambda request: asked.append(request.url))

    again.press("Learn mine too")
    status = again.place.locator(".d2l-status")
    expect(status).to_contain_text("Of your digits that it has not learned from, it read", timeout=LONGEST)
    validation, mine, held = again.results()
    assert mine[:2] == ["Yours, learned from", before[0]]
    assert held[:2] == ["Yours, held out", before[1]]
    assert int(validation[2].split()[0]) > 0.8 * total
    assert status.inner_text().startswith(
        f"Of your digits that it has not learned from, it read {before[1]}, and now {held[2].split()[0]}."
    )
    again.draw(THREE[:7])  # the network that has learned reads it
    assert again.verdict() != expected(again.drawing())[0]
    again.press("Unlearn")
    assert again.verdict() == expected(again.drawing())[0]
    again.press("Forget the last")
    again.settle()
    assert len(again.kept()) == 3
    again.press("Forget all")
    again.settle()
    assert again.kept() == []
    assert again.page.evaluate("localStorage.length") == 0
    assert asked == []
    assert "Nothing leaves this browser" in again.place.locator(".d2l-trouble").inner_text()


SPOILED = [
    "{",
    "[]",
    json.dumps({"version": 2, "digits": []}),
    json.dumps({"version": 1, "digits": [{"label": 10, "pixels": "a" * 64}]}),
    json.dumps({"version": 1, "digits": [{"label": 1, "pixels": "<img src=x onerror=hit()>"}]}),
    json.dumps({"version": 1, "digits": [{"label": 1, "pixels": "a" * 64}] * 101}),
]


def test_what_is_kept_but_damaged_is_set_aside_and_told(desk):
    for text in SPOILED:
        desk.page.evaluate("([key, text]) => localStorage.setItem(key, text)", [KEY, text])
        desk.page.reload()
        spoiled = Desk(desk.page)
        assert spoiled.kept() == []
        assert "were damaged. They are set aside" in spoiled.place.locator(".d2l-trouble").inner_text()
        assert spoiled.page.evaluate("(key) => localStorage.getItem(key)", f"{KEY}.damaged") == text
        assert spoiled.page.evaluate("(key) => localStorage.getItem(key)", KEY) is None


def test_a_browser_that_keeps_nothing_is_told_and_digits_stay_until_the_page_is_left(desk):
    desk.page.evaluate("void (Storage.prototype.setItem = () => { throw new DOMException('full'); })")
    desk.draw(SEVEN)
    desk.keep(7)
    assert len(desk.kept()) == 1
    assert "This browser keeps nothing" in desk.place.locator(".d2l-trouble").inner_text()
    desk.draw(SEVEN)
    desk.keep(7)
    assert len(desk.kept()) == 2


def test_it_learns_in_a_worker_where_the_page_is_served(show, serve, book):
    page = show(f"{serve(book)}/book/own_digit.html")
    desk = Desk(page)
    desk.draw(SEVEN)
    desk.keep(7)
    desk.press("Learn mine too")
    expect(desk.place.locator(".d2l-status")).to_contain_text("none is left to test on", timeout=LONGEST)
    files = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert any("own_digit_worker.js" in file for file in files)
    page.evaluate("localStorage.clear()")
