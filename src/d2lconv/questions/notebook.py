"""Drills and questions from before, for a notebook; the book's pages have the same."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from html import escape

from d2lconv.exercises.chapters import COURSE
from d2lconv.language import fill, language, translate
from d2lconv.questions import web
from d2lconv.questions.engine import CHAPTERS, questions_of
from d2lconv.questions.kinds import Question

LEVELS = (1, 2, 3)
SEEDS = range(1_000_000)
_STYLES = ("notebook.css", *web.STYLES["practice.css"])


def families() -> dict[str, str]:
    """Return the families of drills, with their titles.

    >>> list(families())[:3]
    ['size', 'padding', 'same']
    """
    script = (web.FOLDER / "drills.js").read_text(encoding="utf-8")
    return dict(re.findall(r'^  (\w+): \["([^"]+)", make\w+\],$', script, re.MULTILINE))


@dataclass(frozen=True, repr=False)
class Drill:
    """Ten problems, which a notebook shows by the script of the page of practice.

    Attributes
    ----------
    family : str
        What they are about.
    level : int
        From 1 to 3.
    seed : int
        Which ten.
    """

    family: str
    level: int
    seed: int

    def __repr__(self) -> str:
        return f'drill("{self.family}", level={self.level}, seed={self.seed})'

    def _repr_html_(self) -> str:
        style = "".join((web.FOLDER / name).read_text(encoding="utf-8") for name in _STYLES)
        told = translate("Run the cell to see the problems.")
        place = f'data-set="{self.family}.{self.level}.{self.seed}"><p>{escape(told)}</p>'
        return (
            f'<div class="d2l-practice" {place}</div>\n'
            f"<style>\n{style}</style>\n<script>\n{web.script('drill.js', language())}</script>"
        )


def drill(family: str, level: int = 1, seed: int | None = None) -> Drill:
    """Practise with ten problems; those of a family, level and seed are the same on the page of practice.

    Parameters
    ----------
    family : str
        ``"size"``, ``"padding"``, ``"same"``, ``"parameters"``, ``"macs"``, ``"field"``, ``"cell"``,
        ``"pooling"`` or ``"gradient"``, as in addresses: ``practice.html#size.2.35``.
    level : int
        From 1 to 3.
    seed : int, optional
        Which ten, from 0 to 999999; by default any.

    Returns
    -------
    Drill
        The problems, to be shown as the last line of a cell.

    Raises
    ------
    ValueError
        If there is no such family, level or seed.

    Examples
    --------
    >>> drill("size", level=2, seed=35)
    drill("size", level=2, seed=35)
    """
    if family not in families():
        raise ValueError(fill("there is no family {}; there are {}", repr(family), ", ".join(families())))
    if level not in LEVELS:
        raise ValueError(fill("level must be 1, 2 or 3, got {}", repr(level)))
    if seed is not None and seed not in SEEDS:
        raise ValueError(fill("seed must be a whole number from 0 to 999999, got {}", repr(seed)))
    return Drill(family, int(level), random.choice(SEEDS) if seed is None else int(seed))


@dataclass(frozen=True, repr=False)
class Review:
    """Questions, which a notebook shows one below the other.

    Attributes
    ----------
    questions : tuple of Question
        The questions.
    """

    questions: tuple[Question, ...]

    def __repr__(self) -> str:
        return "\n\n".join(map(repr, self.questions))

    def _repr_html_(self) -> str:
        return "\n".join(question._repr_html_() for question in self.questions)


def review(chapter: str | None = None) -> Review:
    """Ask two questions from before a chapter, those with which its page begins for a new reader.

    Parameters
    ----------
    chapter : str, optional
        Its name, such as ``"channels"``; by default the two come from the whole course.

    Returns
    -------
    Review
        The questions, to be shown as the last line of a cell.

    Raises
    ------
    ValueError
        If there is no such chapter, or none before it.

    Examples
    --------
    >>> [question.name for question in review("channels").questions]
    ['padding_stride.paper', 'convolution.shape']
    """
    names = [name for name in COURSE if name in CHAPTERS]
    if chapter is not None and chapter not in names[1:]:
        raise ValueError(fill("nothing comes before {}; there are {}", repr(chapter), ", ".join(names[1:])))
    before = names[: names.index(chapter)] if chapter else names
    last, chosen = len(before) - 1, list[Question]()
    for name in (before[last], before[last // 2]):
        others = [one for one in questions_of(name) if one.alone and one not in chosen]
        chosen.append(others[last % len(others)])
    return Review(tuple(chosen))
