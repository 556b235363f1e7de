"""The style sheet's colours: those of the package, a dark one for each, and readable in both themes."""

import re
from itertools import product
from pathlib import Path

import pytest
from tests.site.contrast import contrast

from d2lconv.plotting import PALETTE
from d2lconv.questions import web

CSS = (Path(__file__).parents[2] / "book/_static/palette.css").read_text()


def block(selector):
    """Return what a selector's first block says."""
    return CSS.split(f"{selector} {{", 1)[1].split("}")[0]


DARK = block('body[data-theme="dark"]')
THEMES = {"light": block(":root"), "dark": DARK}
TINTS = ["paper", "input-tint", "kernel-tint", "output-tint", "highlight-tint"]
TEXTS = ["muted", "input", "kernel", "output", "highlight", "bad"]
STROKES = ["muted", "input", "kernel", "output", "highlight", "good", "bad", "padding"]


def colours(theme):
    """Return a theme's colours but that of code's ground, which no figure has."""
    found = dict(re.findall(r"--d2l-([a-z-]+): (#[0-9a-f]{6});", THEMES[theme]))
    return {name: colour for name, colour in found.items() if name != "code"}


def test_contrast_of_black_and_white_is_known():
    assert contrast("#000000", "#ffffff") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.01)


def test_light_colours_are_the_package_s():
    assert colours("light") == {name.replace("_", "-"): colour for name, colour in PALETTE.items()}


def test_dark_is_the_same_for_those_who_chose_it_and_those_whose_system_did():
    assert DARK.split() == block('body:not([data-theme="light"])').split()


def test_drills_in_notebooks_have_the_same_colours():
    css = (web.FOLDER / "notebook.css").read_text(encoding="utf-8")
    for theme, text in zip(THEMES, css.split(".d2l-practice {")[1:], strict=True):
        found = dict(re.findall(r"--d2l-([a-z-]+): (#[0-9a-f]{6});", text))
        used = {
            name
            for sheet in web.STYLES["practice.css"]
            for name in re.findall(r"var\(--d2l-([a-z-]+)\)", (web.FOLDER / sheet).read_text("utf-8"))
        }
        assert found.items() <= colours(theme).items()
        assert used <= found.keys()


def test_dark_has_the_same_names():
    assert colours("dark").keys() == colours("light").keys()


@pytest.mark.parametrize(("theme", "ground"), list(product(THEMES, TINTS)))
def test_ink_reads_on_every_ground(theme, ground):
    palette = colours(theme)
    assert contrast(palette["ink"], palette[ground]) >= 4.5


@pytest.mark.parametrize(("theme", "stroke"), list(product(THEMES, STROKES)))
def test_strokes_show_on_paper(theme, stroke):
    palette = colours(theme)
    assert contrast(palette[stroke], palette["paper"]) >= 3


@pytest.mark.parametrize(("theme", "text"), list(product(THEMES, TEXTS)))
def test_coloured_text_reads_on_paper(theme, text):
    palette = colours(theme)
    assert contrast(palette[text], palette["paper"]) >= 4.5
