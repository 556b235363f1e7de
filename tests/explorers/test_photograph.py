"""The picture of convolution_explorer: photographs of the course, and one of the reader's own."""

import base64
import io
import json

import numpy as np
import pytest
import torch
from PIL import Image
from playwright.sync_api import expect
from tests.explorers.widgets_book import FigureOnPage

from d2lconv.data import load_photograph
from d2lconv.ops import corr2d
from d2lconv.widgets.convolution import PRESETS
from d2lconv.widgets.convolution.photographs import NAMES, small_photographs

SOBEL = "Sobel, vertical edges"
WEIGHTS = torch.tensor([0.299, 0.587, 0.114])
PIXELS = """plate => {
  const canvas = plate.querySelector("canvas");
  const {data} = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
  return [canvas.height, canvas.width, Array.from(data.filter((_, i) => i % 4 === 3))];
}"""


def colours(height, width):
    """Return an image of random colours, (H, W, 3), and its bytes as a file."""
    generator = torch.Generator().manual_seed(1)
    pixels = torch.randint(0, 256, (height, width, 3), generator=generator, dtype=torch.uint8)
    return pixels, as_file(pixels)


def as_file(pixels, kind="PNG"):
    file = io.BytesIO()
    Image.fromarray(pixels.numpy()).save(file, kind)
    return file.getvalue()


class Album(FigureOnPage):
    """The figure with some number on a page, and its picture."""

    def choose(self, content, name="mine.png", kind="image/png"):
        """Choose a file of one's own, as if in the dialogue of the browser."""
        self.place.get_by_role("button", name="Choose a photograph").focus()
        file = self.place.locator("input[type=file]").first
        file.set_input_files({"name": name, "mimeType": kind, "buffer": content})

    def picture(self, name):
        return self.place.get_by_role("img", name=name)

    def strength(self, name):
        """Return how strong each pixel of a picture is, from 0 to 1."""
        height, width, values = self.picture(name).evaluate(PIXELS)
        return torch.tensor(values).reshape(height, width) / 255

    def label(self, name):
        return self.picture(name).get_attribute("aria-label")

    def shows(self, grey, kernel):
        """Tell whether the pictures are these grey values and what the package makes of them."""
        Y = corr2d(grey, torch.tensor(PRESETS[kernel]))
        size = " by ".join(map(str, Y.shape))
        ends = [f"{round(float(end), 2):g}".replace("-", "−") for end in (Y.min(), Y.max())]
        assert self.label("Its feature map") == f"Its feature map, {size}, from {ends[0]} to {ends[1]}"
        near = {"rtol": 0, "atol": 0.51 / 255}
        strength = (Y / Y.abs().max()).abs()
        return torch.allclose(self.strength("Its feature map"), strength, **near)


@pytest.fixture
def album(show):
    return Album(show("convolution"))


def test_own_photograph_gives_what_the_package_gives_and_is_said(album):
    pixels, content = colours(48, 72)
    album.control("Kernel").select_option(SOBEL)
    album.choose(content)
    expect(album.picture("Your photograph, 48 by 72 pixels")).to_be_visible()
    grey = pixels.float() @ WEIGHTS / 255
    assert torch.allclose(album.strength("Your photograph"), grey, rtol=0, atol=0.51 / 255)
    assert album.shows(grey, SOBEL)
    album.says(f"Your photograph, 48 by 72 pixels. {goes_from(album)}")
    album.control("Kernel").select_option("sharpen")
    assert album.shows(grey, "sharpen")
    picture = album.place.get_by_label("Picture")
    assert picture.evaluate("list => list.selectedOptions[0].text") == "your photograph"
    picture.select_option("a digit")
    expect(album.picture("A digit, 28 by 28 pixels")).to_be_visible()
    picture.select_option("your photograph")
    assert album.shows(grey, "sharpen")


OPENED = """() => {
  window.opened = [];
  HTMLInputElement.prototype.click = function () {
    opened.push([this.type, this.accept, this.getAttribute("capture")]);
  };
}"""


def test_buttons_open_files_or_on_a_phone_the_camera(album):
    album.page.evaluate(OPENED)
    album.place.get_by_label("Picture").focus()
    album.page.keyboard.press("Tab")
    album.page.keyboard.press("Enter")
    assert album.page.evaluate("opened") == [["file", "image/*", None]]
    camera = album.place.locator("button", has_text="Take a photograph")
    assert not camera.is_visible()  # there is a mouse
    camera.dispatch_event("click")
    assert album.page.evaluate("opened[1]") == ["file", "image/*", "environment"]


def goes_from(album):
    size, _, ends = album.label("Its feature map").removeprefix("Its feature map, ").partition(", ")
    assert " by " in size
    return f"Its feature map goes {ends}."


def test_a_large_one_is_made_small_and_keeps_its_proportions(album):
    photograph = (load_photograph("coffee") * 255).round().to(torch.uint8).permute(1, 2, 0)  # 200×300
    rotated = torch.rot90(photograph.repeat(4, 4, 1))
    album.choose(as_file(rotated, "JPEG"), "IMG_0001.JPG", "image/jpeg")
    expect(album.picture("Your photograph, 160 by 107 pixels")).to_be_visible()
    small = Image.fromarray(rotated.numpy()).resize((107, 160), Image.Resampling.BOX)
    grey = torch.from_numpy(np.asarray(small.convert("L"), np.float32)) / 255
    assert (album.strength("Your photograph") - grey).abs().mean() < 0.05
    box = album.place.locator(".d2l-plate-image canvas").bounding_box()
    assert box["height"] / box["width"] == pytest.approx(160 / 107, rel=0.03)


def test_it_stays_in_the_browser_and_links_leave_it_out(album):
    asked = []
    album.page.on("request", lambda request: asked.append(request.url))
    _, content = colours(30, 30)
    album.choose(content)
    expect(album.picture("Your photograph")).to_be_visible()
    album.place.get_by_role("button", name="Link to this state").click()
    assert album.page.url.endswith("#figure=0")
    assert asked == []
    assert album.page.evaluate("[localStorage.length, sessionStorage.length]") == [0, 0]
    assert "stays in this browser" in album.place.locator(".d2l-privacy").inner_text()
    album.place.get_by_role("button", name="Reset").click()
    expect(album.picture("A digit")).to_be_visible()
    names = album.place.get_by_label("Picture").locator("option").all_inner_texts()
    assert names == ["a digit", *NAMES]


@pytest.mark.parametrize(
    ("content", "name", "kind", "said"),
    [
        (b"text", "notes.txt", "text/plain", "“notes.txt” is not an image. Choose a photograph."),
        (b"text", "x.png", "image/png", "“x.png” cannot be read: it is damaged, or of a kind that"),
        (colours(40, 40)[1][:300], "half.png", "image/png", "“half.png” cannot be read: it is damaged"),
        (colours(2, 3)[1], "dot.png", "image/png", "“dot.png” cannot be used: it has 3 by 2 pixels, too few"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'/>", "a.svg", "image/svg+xml", "“a.svg” cannot be read"),
    ],
)
def test_what_is_no_photograph_is_refused_in_a_sentence(album, content, name, kind, said):
    album.choose(content, name, kind)
    alert = album.place.locator(".d2l-trouble[role=alert]")
    expect(alert).to_contain_text(said)
    expect(album.picture("A digit")).to_be_visible()
    album.choose(colours(20, 20)[1])
    expect(album.picture("Your photograph")).to_be_visible()
    assert alert.text_content() == ""


def test_a_file_that_is_too_large_is_refused(album):
    album.page.evaluate("Object.defineProperty(File.prototype, 'size', {get: () => 41 * 2 ** 20})")
    album.choose(colours(20, 20)[1])
    expect(album.place.get_by_role("alert")).to_have_text(
        "“mine.png” has 41 MB. Choose an image of at most 40 MB."
    )


def test_the_course_s_photographs_come_when_they_are_chosen_and_stand_in_links(show, serve, book):
    asked = []
    page = show(f"{serve(book)}/book/convolution.html")
    album = Album(page)
    album.settle()
    page.on("request", lambda request: asked.append(request.url))
    album.control("Kernel").select_option(SOBEL)
    for name, photograph in zip(NAMES, small_photographs(), strict=True):
        album.place.get_by_label("Picture").select_option(name)
        file = Image.open(io.BytesIO(base64.b64decode(photograph["jpeg"])))
        grey = torch.from_numpy(np.asarray(file, np.float32)) / 255
        expect(album.picture(f"{name.capitalize()}, {file.height} by {file.width} pixels")).to_be_visible()
        shown = album.strength(name.capitalize())  # decoders differ in the last bit
        assert torch.allclose(shown, grey, rtol=0, atol=2.6 / 255)
    assert len(asked) == 1
    album.place.get_by_role("button", name="Link to this state").click()
    address = page.url
    page.goto("about:blank")
    page.goto(address)
    expect(Album(page).picture("Stairs, 139 by 139 pixels")).to_be_visible()


def test_photographs_that_do_not_come_are_told_and_asked_for_again(visit, serve, book):
    page, _ = visit(f"{serve(book)}/book/convolution.html")
    album = Album(page)
    page.route("**/_static/figures/*.js*", lambda route: route.abort())
    picture = album.place.get_by_label("Picture")
    picture.select_option("bricks")
    expect(album.place.get_by_role("alert")).to_have_text(
        "The photograph is missing: a file could not be loaded. Choose it again."
    )
    page.unroute("**/_static/figures/*.js*")
    picture.select_option("coffee")
    expect(album.picture("Coffee")).to_be_visible()
    picture.select_option("bricks")
    expect(album.picture("Bricks")).to_be_visible()


SIZES = [(4000, 3000), (3000, 4000), (1000, 1000), (5000, 600), (160, 120), (31, 17), (300, 300)]


def test_sizes(run):
    found = run("convolution/photograph.js", "({sizeFor}, all) => all.map(([w, h]) => sizeFor(w, h))", SIZES)
    assert found == [[160, 120], [120, 160], [139, 139], [160, 19], [160, 120], [31, 17], [139, 139]]


def test_photographs_are_light():
    assert len(json.dumps(small_photographs())) < 28 * 1024
