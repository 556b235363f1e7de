"""Where each question is found: a chapter's file loads when one of its questions is first asked."""

from __future__ import annotations

import difflib
import pkgutil
import random
from collections import defaultdict
from dataclasses import replace

from d2lconv.exercises import Result
from d2lconv.language import fill, translate
from d2lconv.questions import chapters
from d2lconv.questions.kinds import Choice, Question

CHAPTERS = tuple(sorted(module.name for module in pkgutil.iter_modules(chapters.__path__)))


def ask(question: str, answer: object = ...) -> Question | Result:
    """Ask a question of the course, or answer it.

    Parameters
    ----------
    question : str
        Its name, such as ``"channels.weights"``.
    answer : object
        A letter, or numbers in any form: a number, a tuple, a list, a tensor. Without it the question
        is asked.

    Returns
    -------
    Question or Result
        The question, to be shown by a notebook; or whether the answer is right, and what led to a wrong one.

    Raises
    ------
    ValueError
        If there is no such question.

    Examples
    --------
    >>> ask("channels.weights", (12, 3))
    Not yet (channels.weights): right: biases; not right: weights.
      given: [12, 3]
      Hint: A kernel has a slice for each input channel, so each of the three holds 2·2·2 numbers.
    """
    found = find(question)
    return found if answer is ... else found.check(answer)


def questions_of(chapter: str) -> tuple[Question, ...]:
    """Return the questions of a chapter in order, with the options of the choices dealt.

    Parameters
    ----------
    chapter : str
        Name of the chapter, such as ``"channels"``.

    Returns
    -------
    tuple of Question
        The questions.

    Examples
    --------
    >>> [question.name for question in questions_of("one_by_one")]
    ['one_by_one.back', 'one_by_one.shuffled', 'one_by_one.bottleneck']
    """
    written: tuple[Question, ...] = pkgutil.resolve_name(f"d2lconv.questions.chapters.{chapter}:QUESTIONS")
    chance, decks = random.Random(chapter), defaultdict[int, list[int]](list)
    dealt: list[Question] = []
    for question in written:
        if isinstance(question, Choice):
            options = 1 + len(question.wrong)
            deck = decks[options] = decks[options] or chance.sample(range(options), options)
            question = replace(question, place=deck.pop())
        dealt.append(question)
    return tuple(dealt)


def find(name: str) -> Question:
    """Return the question of a name, or say which names are near."""
    chapter = name.partition(".")[0]
    known = {question.name: question for question in questions_of(chapter)} if chapter in CHAPTERS else {}
    if name in known:
        return known[name]
    near = difflib.get_close_matches(name, known or CHAPTERS, n=2, cutoff=0.5)
    if near:
        meant = translate(" or ").join(near)
        raise ValueError(fill("there is no question {}; did you mean {}?", repr(name), meant))
    raise ValueError(fill("there is no question {}; there are {}", repr(name), ", ".join(known or CHAPTERS)))
