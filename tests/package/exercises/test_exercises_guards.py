"""The guards of exercises pass the real chapter and fail on a spoiled one."""

import copy
from pathlib import Path

import pytest
from tools.book import Book
from tools.guards import GUARDS
from tools.notebooks import load

BOOK = Book.around(Path(__file__))
CHAPTER = BOOK.root / "book" / "convolution.ipynb"
NAMES = ("exercises_match_registry", "exercises_are_not_attempted", "solutions_are_right")


@pytest.fixture
def nb():
    """Return the chapter, for spoiling."""
    return copy.deepcopy(load(CHAPTER))


def cell(nb, name):
    return next(one for one in nb.cells if one.id == name)


def change(name, **attributes):
    return lambda nb: cell(nb, name).update(copy.deepcopy(attributes))


def replace(name, old, new):
    def spoil(nb):
        assert old in cell(nb, name).source
        cell(nb, name).source = cell(nb, name).source.replace(old, new)

    return spoil


def remove(name):
    return lambda nb: nb.cells.remove(cell(nb, name))


def say(name, text):
    def spoil(nb):
        cell(nb, name).outputs[0].data["text/plain"] = text

    return spoil


def drop_exercise(nb):
    for name in ("exercise-2", "exercise-2-yours", "exercise-2-solution"):
        nb.cells.remove(cell(nb, name))


SPOILED = [
    ("exercises_match_registry", drop_exercise, "its exercises should be"),
    ("exercises_match_registry", replace("exercise-3", "★★", "★"), "its exercises should be"),
    ("exercises_match_registry", replace("exercise-3", "moves", "shifts"), "its exercises should be"),
    (
        "exercises_are_not_attempted",
        remove("exercise-3-yours"),
        "must be the reader's, and end in check(\"con",
    ),
    (
        "exercises_are_not_attempted",
        replace("exercise-3-yours", "convolution.3", "convolution.2"),
        "must be the",
    ),
    (
        "exercises_are_not_attempted",
        say("exercise-3-yours", "Correct (convolution.3): 2"),
        "not attempted yet",
    ),
    ("exercises_are_not_attempted", change("exercise-3-yours", outputs=[]), "not attempted yet"),
    ("solutions_are_right", remove("exercise-3-solution"), "must be its solution, and begin with # @title"),
    (
        "solutions_are_right",
        replace("exercise-3-solution", "# @title Solution", "# Here:"),
        "must be its solution",
    ),
    ("solutions_are_right", replace("exercise-3-solution", ", solution=True", ""), "it must end in check("),
    ("solutions_are_right", replace("exercise-3-solution", "convolution.3", "convolution.4"), "must end in"),
    (
        "solutions_are_right",
        say("exercise-3-solution", "Not yet (convolution.3): 2 of"),
        "say that it is correct",
    ),
    (
        "solutions_are_right",
        say("exercise-3-solution", "Correct (convolution.3): 20"),
        "say that it is correct",
    ),
    ("solutions_are_right", change("exercise-3-solution", metadata={}), "which folds it"),
]


@pytest.mark.parametrize("name", NAMES)
def test_the_chapter_passes(nb, name):
    assert GUARDS[name](nb, CHAPTER) == []


@pytest.mark.parametrize(("name", "spoil", "message"), SPOILED)
def test_a_spoiled_chapter_fails(nb, name, spoil, message):
    spoil(nb)
    problems = GUARDS[name](nb, CHAPTER)
    assert len(problems) == 1, problems
    assert message in problems[0]
    assert problems[0].startswith("convolution")


def test_every_guard_of_exercises_is_seen_failing():
    assert (
        {name for name, _, _ in SPOILED}
        == set(NAMES)
        == {n for n in GUARDS if "exercises_" in n or "solut" in n}
    )


def test_a_chapter_with_exercises_that_the_registry_does_not_know_fails(nb):
    assert GUARDS["exercises_match_registry"](nb, CHAPTER.with_name("novelty.ipynb"))
