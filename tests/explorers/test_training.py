"""training_explorer on a page without a kernel: it trains, stops, looks back, and says what it does."""

import re

import pytest
import torch
from playwright.sync_api import expect
from tests.explorers.widgets_book import FigureOnPage

from d2lconv.data import ImageData, Splits, load_digits
from d2lconv.models import LeNet
from d2lconv.training import fit

STEPS = 38  # of an epoch, with batches of 32
LONGEST = 60_000  # milliseconds that an epoch may take on a machine with much else to do


class Lesson(FigureOnPage):
    """The figure with some number on a page."""

    def press(self, name):
        self.place.get_by_role("button", name=name, exact=True).click()

    def status(self):
        return self.place.locator(".d2l-status")

    def pauses(self):
        """Wait until the training has come to a stop."""
        expect(self.place.locator("button").first).to_have_text("Train", timeout=LONGEST)

    def line(self, number):
        """Return what a line of the table says, as text."""
        cells = self.place.locator(".d2l-epochs tbody tr").nth(number - 1).locator("th, td")
        expect(cells).to_have_count(5, timeout=LONGEST)
        return cells.all_inner_texts()

    def epochs(self):
        return self.place.locator(".d2l-epochs tbody th").count()

    def pictures(self):
        """Return the pixels of all pictures, as text."""
        read = "all => all.map((one) => one.toDataURL()).join()"
        return self.place.locator("canvas").evaluate_all(read)

    def curve(self, name):
        paths = self.place.locator(f".d2l-chart path.d2l-{name}").all()
        return [path.get_attribute("d").count("L") + 1 for path in paths]


def in_64_bits():
    def double(data):
        return ImageData(data.images.double(), data.labels, data.class_names)

    return Splits(*map(double, load_digits()))


def test_an_epoch_gives_what_fit_gives_to_six_decimals(show, serve, book):
    """Over http, where it computes in a worker."""
    page = show(f"{serve(book)}/book/training.html")
    figure = Lesson(page)
    figure.press("One epoch")
    found = figure.line(1)
    figure.pauses()
    torch.manual_seed(0)
    (epoch,) = fit(LeNet().double(), in_64_bits(), epochs=1, lr=0.02, batch_size=32, device="cpu")
    numbers = (epoch.train_loss, epoch.train_accuracy, epoch.valid_loss, epoch.valid_accuracy)
    written = [f"{number:.{3 if i % 2 else 6}f}" for i, number in enumerate(numbers)]
    assert found == ["1", *written]
    assert figure.curve("single-steps") == [STEPS]
    files = page.evaluate("performance.getEntriesByType('resource').map((one) => one.name)")
    assert any("training_worker.js" in file for file in files)


def test_steps_are_the_same_in_the_page_as_in_a_worker(show, serve, book):
    said = []
    for address in (f"{serve(book)}/book/training.html", "training"):
        figure = Lesson(show(address))
        for step in (1, 2):
            figure.press("One step")
            expect(figure.status()).to_contain_text(
                f"Epoch 1, step {step} of {STEPS}: loss 2.3", timeout=LONGEST
            )
            said.append(figure.status().inner_text())
    assert said[:2] == said[2:]
    assert said[0] != said[1]


def test_a_worker_that_cannot_be_loaded_is_replaced(visit, serve, book):
    page, _ = visit(f"{serve(book)}/book/index.html")
    page.route("**/training_worker.js*", lambda route: route.abort())
    page.goto(page.url.replace("index", "training"))
    figure = Lesson(page)
    figure.press("Train")
    expect(figure.status()).to_contain_text("Epoch 1, step ", timeout=LONGEST)


def test_it_pauses_looks_back_and_begins_anew(show):
    figure = Lesson(show("training"))
    start = figure.pictures()
    for step in (1, 2, 3):
        figure.press("One step")
        expect(figure.status()).to_contain_text(f"step {step} of", timeout=LONGEST)
    now = figure.pictures()
    assert now != start
    back = figure.place.get_by_label("Look back")
    back.press("Home")
    assert figure.status().inner_text() == "Looking back. Before the first step"
    assert figure.pictures() == start
    back.press("ArrowRight")
    assert "Looking back. Epoch 1, step 1 of 38" in figure.status().inner_text()
    back.press("End")
    assert figure.pictures() == now

    figure.press("Train")
    expect(figure.place.get_by_role("button", name="Pause")).to_be_visible()
    expect(figure.status()).not_to_contain_text("step 3 of", timeout=LONGEST)
    figure.press("Pause")
    figure.pauses()
    figure.settle()
    stopped = figure.status().inner_text()
    figure.page.wait_for_timeout(300)
    assert figure.status().inner_text() == stopped

    figure.slide("Seed", 1)
    assert figure.status().inner_text() == "Before the first step"
    assert figure.pictures() != start
    figure.slide("Seed", 0)
    assert figure.pictures() == start


def test_other_settings_begin_anew_and_the_curves_before_stay(show):
    """With batches of 256, an epoch has five steps."""
    figure = Lesson(show("training"))
    figure.control("Batch size").select_option("256")
    figure.press("One epoch")
    before = figure.line(1)
    figure.pauses()
    figure.control("Activation").select_option("tanh")
    assert figure.status().inner_text() == "Before the first step"
    assert figure.epochs() == 0
    figure.press("One epoch")
    assert figure.line(1) != before
    figure.pauses()
    assert figure.curve("before") == [1] * 4  # training and validation, of loss and accuracy
    figure.press("Start over")
    assert figure.curve("before") == []
    assert figure.epochs() == 0
    figure.press("Reset")
    assert figure.control("Activation").evaluate("one => one.selectedIndex") == 0


def test_a_training_out_of_bounds_says_so_and_another_can_follow(show):
    """A rate of 10 with a decay of 1 multiplies each weight by -9 in a step."""
    figure = Lesson(show("training"), 1)
    figure.press("Train")
    alert = figure.place.get_by_role("alert")
    stopped = (
        r"Stopped: the loss is (nan|inf) at epoch 1, step \d+ of 150: the weights have grown out of bounds;"
    )
    expect(alert).to_contain_text(re.compile(stopped), timeout=LONGEST)
    figure.control("Learning rate").select_option("0.01")
    expect(alert).to_be_hidden()
    figure.press("One step")
    expect(figure.status()).to_contain_text("step 1 of 150: loss 2.3", timeout=LONGEST)


def test_all_of_it_works_by_keyboard_and_is_said(show):
    figure = Lesson(show("training"))
    keyboard = figure.page.keyboard
    figure.control("Digit shown").focus()
    keyboard.press("ArrowRight")
    assert figure.spoken("Digit shown").startswith("Before the first step; a 1 is read as ")
    keyboard.press("Tab")
    keyboard.press("Tab")  # One step
    keyboard.press("Enter")
    expect(figure.status()).to_contain_text("step 1 of 38", timeout=LONGEST)
    said = figure.place.locator("[aria-live=polite]")
    expect(said).to_contain_text(re.compile(r"Epoch 1, step 1 of 38; a 1 is read as \d, probability 0\.\d\d"))
    for _ in range(3):  # One epoch, Start over, Look back
        keyboard.press("Tab")
    assert figure.page.evaluate("document.activeElement.type") == "range"
    keyboard.press("ArrowLeft")
    assert figure.place.get_by_label("Look back").get_attribute("aria-valuetext") == "Before the first step"
    keyboard.press("Tab")
    assert figure.page.evaluate("document.activeElement.ariaLabel") == "Table of epochs"


@pytest.mark.parametrize("width", [1280, 390])
def test_training_does_not_change_its_height(show, width):
    figure = Lesson(show("training", width=width))
    figure.control("Batch size").select_option("256")
    figure.control("Learning rate").select_option("1")
    height = "place => place.firstElementChild.getBoundingClientRect().height / 16"
    before = figure.place.evaluate(height)
    figure.press("Train")
    figure.line(4)  # more lines scroll
    assert figure.place.evaluate(height) == pytest.approx(before, abs=0.1)
