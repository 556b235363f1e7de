"""The figures that learn, from their first control to a result, by keys alone, and what is heard."""

import re

import pytest
from playwright.sync_api import expect
from tests.explorers.widgets_book import FigureOnPage

LONGEST = 60_000  # milliseconds that learning may take on a machine with much else to do
NAME = """() => {
  const focus = document.activeElement;
  if (!focus.closest(".d2l-live")) return null;
  const of = focus.closest("[role=grid]")?.ariaLabel;
  return (of ? `${of}: ` : "") + (focus.ariaLabel || focus.labels?.[0]?.textContent || focus.textContent);
}"""


class Walk(FigureOnPage):
    """A walk through the figure with some number on a page."""

    def __init__(self, page, number=0):
        super().__init__(page, number)
        self.place.locator("input, select").first.focus()

    def press(self, *keys):
        for key in keys:
            self.page.keyboard.press(key)
        self.settle()

    def at(self):
        """Return the name of what has the focus; nothing outside of the figure."""
        return self.page.evaluate(NAME)

    def tab_to(self, name):
        """Go on to something by its name, or the beginning of it."""
        seen = [self.at()]
        while not seen[-1].startswith(name):
            self.press("Tab")
            seen.append(self.at())
            assert seen[-1] is not None, f"no {name} after {seen}"

    def value(self):
        return self.page.evaluate("document.activeElement.getAttribute('aria-valuetext')")

    def hears(self, text):
        expect(self.place.locator("[aria-live=polite]")).to_have_text(re.compile(text), timeout=LONGEST)


def test_a_training_by_keyboard(show):
    walk = Walk(show("training"))
    assert walk.at() == "Activation"
    walk.press("ArrowDown")
    walk.tab_to("Batch size")
    walk.press("ArrowDown", "ArrowDown", "ArrowDown")
    assert walk.place.get_by_label("Batch size").evaluate("list => list.selectedOptions[0].text") == "256"
    walk.tab_to("Digit shown")
    walk.press("ArrowRight", "ArrowRight")
    assert re.match(r"2, Before the first step; a 2 is read as \d, probability 0\.\d\d", walk.value())
    walk.tab_to("One epoch")
    walk.press("Enter")
    result = r"training loss \d\.\d{3}, accuracy 0\.\d{3}; validation loss \d\.\d{3}, accuracy 0\.\d{3}"
    walk.hears(rf"^Epoch 1, step 5 of 5: {result}; a 2 is read as \d, probability 0\.\d\d$")
    walk.tab_to("Look back")
    walk.press("Home")
    assert walk.value() == "Before the first step"
    walk.press("End")
    assert walk.value() == "Epoch 1, step 5 of 5"
    walk.tab_to("Table of epochs")
    table = walk.page.evaluate("document.activeElement.textContent")
    assert re.search(r"Valid accuracy1\d\.\d{6}0\.\d{3}\d\.\d{6}0\.\d{3}$", table)
    walk.tab_to("As PyTorch")
    walk.press("Enter")
    dialog = walk.place.get_by_role("dialog", name="The state in PyTorch")
    expect(dialog).to_contain_text('LeNet(activation="sigmoid", pooling="max").double()')
    walk.press("Escape")
    assert walk.at() == "As PyTorch"
    walk.press("Tab")
    assert walk.at() is None  # the figure is no trap


@pytest.fixture
def desk(empty_desk):
    return Walk(empty_desk)


def test_a_digit_by_keyboard_drawn_kept_and_learned(desk):
    assert desk.at() == "Pen width"
    desk.press("ArrowLeft")
    assert desk.value() == "3, Draw a digit from 0 to 9."
    for steps in (4, 3):  # a long stroke, and a shorter one
        if steps == 4:
            desk.tab_to("Drawing field, 32 by 32 points")
        else:
            assert desk.at().startswith("Drawing field")  # where the next one is drawn
        desk.press(" ", *["Shift+ArrowDown"] * steps)
        desk.hears(rf"^Pen down, row {8 + 4 * steps}, column 16\. Read as \d, probability \d\.\d\d\.")
        desk.press(" ")
        desk.hears(rf"^Pen up, row {8 + 4 * steps}, column 16\. Read as \d")
        desk.press(*["Shift+ArrowUp"] * steps)
        desk.tab_to("1")
        desk.press("Enter")
        desk.hears(r"Draw a digit from 0 to 9\. Kept as a 1\. Draw another\.$")
    items = desk.place.locator(".d2l-kept li")
    assert items.evaluate_all("all => all.map((one) => one.ariaLabel.replace(/\\d,?/g, '#'))") == [
        "a # read as #",
        "a # read as # held out",
    ]
    desk.tab_to("Learn mine too")
    desk.press("Enter")
    desk.hears(r"Of your digits that it has not learned from, it read [01] of 1, and now [01]\.$")
    desk.tab_to("Unlearn")
    desk.press("Enter")
    desk.hears(r"The network is as it came\.$")
    desk.tab_to("Forget all")
    desk.press("Enter")
    desk.hears(r"All are forgotten\.$")
    assert items.count() == 0
    desk.tab_to("As PyTorch")
    desk.press("Tab")
    assert desk.at() is None


def test_a_gradient_and_a_kernel_that_learns_by_keyboard(show):
    walk = Walk(show("gradient"), 1)
    assert walk.at() == "After the convolution"
    walk.tab_to("Steps")
    assert walk.value().startswith("0, Loss 2.625 at step 0. Weight K[0, 0]")
    walk.press("ArrowRight")
    assert re.match(r"1, Loss \d\.\d+ at step 1\. ", walk.value())
    walk.tab_to("X.grad")
    walk.press("ArrowDown", "ArrowRight")
    walk.hears(r"^Input X\[1, 1\] is seen by 2 outputs, so its gradient is .* ≈ −?\d.*\. Loss")
    walk.tab_to("10 steps")
    walk.press("Enter", "Enter")
    walk.hears(r"^Loss \S+ at step 21\. Input X\[1, 1\]")
    kernel = walk.place.get_by_role("textbox", name=re.compile("^K row 0, column"))
    assert [one.input_value() for one in kernel.all()] == ["1", "−1"]
    walk.tab_to("As PyTorch")
    walk.press("Tab")
    assert walk.at() is None
