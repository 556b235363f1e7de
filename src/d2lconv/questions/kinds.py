"""The kinds of questions, for those who write one. CONTRIBUTING.md says how.

A `Choice` has options; a `Value` is typed: a number, several with names, a shape, a small matrix. Texts are a
line of Markdown, with ``*emphasis*`` and code in backticks, and no formulas: ``n + 2p − k``.
"""

from __future__ import annotations

import html
import json
import re
from abc import abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Self

from d2lconv.exercises import Result
from d2lconv.exercises.engine.numbers import read, show
from d2lconv.exercises.kinds import Choice as ChoiceExercise
from d2lconv.exercises.kinds import Exercise, Misconception
from d2lconv.exercises.kinds import Value as ValueExercise
from d2lconv.language import fill, language, translate

__all__ = ["Choice", "Question", "Value"]

_ROW = re.compile(r"\d+(?: \d+)+(?=;)|(?<=; )\d+(?: \d+)+|\d+(?: \d+){2,}")
_MARKS = re.compile(rf"`([^`]+)`|\*\*([^*]+)\*\*|\*([^*]+)\*|({_ROW.pattern})")


@dataclass(frozen=True, repr=False)
class Question:
    """A question: what is asked, and what an answer is told. It shows itself in the reader's language.

    Attributes
    ----------
    name : str
        Chapter and a word, such as ``"channels.weights"``.
    prompt : str
        What is asked, so that it makes sense on another page as well.
    tests : str
        What it tests, for teachers: a phrase.
    alone : bool
        False if it needs what stands above it on its page.
    language : str
        The language of its texts.
    """

    name: str
    prompt: str
    tests: str = field(default="", kw_only=True)
    alone: bool = field(default=True, kw_only=True)
    language: str = field(default="en", kw_only=True)

    def in_language(self, name: str | None = None) -> Self:
        """Return the question with its texts in another language.

        Parameters
        ----------
        name : str, optional
            The language; by default the reader's, as `d2lconv.language.language` has it.

        Returns
        -------
        Question
            The question itself where that is English, or where it has been translated before.
        """
        name = language() if name is None else name
        if name == "en" or self.language != "en":
            return self
        return replace(self, language=name, **self._texts(name))

    @abstractmethod
    def _texts(self, name: str) -> dict[str, Any]:
        """Return those attributes that hold texts, in a language."""

    @abstractmethod
    def check(self, answer: object) -> Result:
        """Return whether an answer is right.

        Parameters
        ----------
        answer : object
            What the reader gives.

        Returns
        -------
        Result
            The reply.
        """

    @abstractmethod
    def _body(self) -> str:
        """Return what stands below the prompt, as HTML."""

    @abstractmethod
    def _lines(self) -> str:
        """Return the question as lines of text."""

    def _fill(self, sentence: str, *parts: str) -> str:
        """Say a sentence around texts of the question."""
        return fill(sentence, *parts, name=self.language)

    def __repr__(self) -> str:
        return self.in_language()._lines()

    def _repr_html_(self) -> str:
        said = self.in_language()
        label = anchor_of(self.name)
        prompt = said._fill("<strong>Predict.</strong> {}", as_html(said.prompt))
        attributes = f'class="d2l-ask" role="group" aria-labelledby="{label}" data-ask="{self.name}"'
        attributes += " data-here" * (not self.alone)
        return f'<div {attributes}>\n<p id="{label}">{prompt}</p>\n{said._body()}\n</div>'


@dataclass(frozen=True, repr=False)
class Choice(Question):
    """Choose an option. Each is explained when it is chosen.

    Attributes
    ----------
    right : str or object
        The right option, or a function that computes it.
    because : str
        Why it is right.
    wrong : dict
        For each wrong option, the misconception: a sentence or two.
    place : int
        Position of the right option, from 0; it is dealt.

    Examples
    --------
    >>> choice = Choice("example.larger", "Which is larger?", "3", "3 exceeds 2.", {"2": "3 exceeds it."}, 1)
    >>> choice
    Predict. Which is larger?
      a. 2
      b. 3
    Choose: ask("example.larger", "a")
    >>> choice.check("a")
    Not yet (example.larger): a is wrong.
      Hint: 3 exceeds it.
    """

    right: str | Callable[[], object]
    because: str
    wrong: Mapping[str, str]
    place: int = 0

    def options(self) -> list[tuple[str, str, bool]]:
        """Return each option with its explanation, and whether it is the right one."""
        options = [(option, why, False) for option, why in self.wrong.items()]
        right = self.right if isinstance(self.right, str) else str(self.right())
        options.insert(self.place, (right, self.because, True))
        return options

    def check(self, answer: object) -> Result:
        """Do what `Question.check` says; an answer is a letter."""
        options = dict(zip("abcdef", self.options(), strict=False))
        right = "abcdef"[self.place]
        wrong = {letter: why for letter, (_, why, is_right) in options.items() if not is_right}
        return ChoiceExercise(
            id=self.name, title="", level=1, right=right, because=self.because, wrong=wrong
        ).check(answer)

    def _texts(self, name: str) -> dict[str, Any]:
        (right, because, _), *_ = sorted(self.options(), key=lambda option: not option[2])
        return {
            "prompt": translate(self.prompt, name),
            "right": translate(right, name),
            "because": translate(because, name),
            "wrong": {translate(option, name): translate(why, name) for option, why in self.wrong.items()},
        }

    def _lines(self) -> str:
        lettered = zip("abcdef", self.options(), strict=False)
        lines = [f"  {letter}. {option}" for letter, (option, *_) in lettered]
        last = self._fill("Choose: {}", f'ask("{self.name}", "a")')
        return "\n".join([self._fill("Predict. {}", self.prompt), *lines, last])

    def _body(self) -> str:
        """Return the options; each unfolds its explanation, with or without scripts."""
        texts = []
        for letter, (option, why, is_right) in zip("abcdef", self.options(), strict=False):
            verdict = "✓ <b>Right.</b> {}" if is_right else "✗ <b>Not so.</b> {}"
            texts.append(
                f'<details name="{self.name}"{" data-right" * is_right}>'
                f"<summary><b>{letter}</b> {as_html(option)}</summary>"
                f"<p>{self._fill(verdict, as_html(why))}</p></details>"
            )
        return "\n".join(texts)


@dataclass(frozen=True, repr=False)
class Value(Question):
    """Type numbers. What learners typically get wrong is recognised.

    Attributes
    ----------
    right : object
        Computes the right numbers, without arguments.
    because : str
        Why they are right.
    wrong : dict
        For wrong numbers, such as ``"12"``, ``"3 5"`` or ``"1 2; 3 4"``, the misconception that gives
        them: a sentence or two.
    parts : tuple of str
        What each number is, such as ``("weights", "biases")``.
    asked : str
        What the answer is, in words that complete "it should be …".

    Examples
    --------
    >>> Value("example.size", "How large?", lambda: 2, "1 + 1.", {"1": "One is missing."}).check(1)
    Not yet (example.size): the number is another one.
      given: 1
      Hint: One is missing.
    """

    right: Callable[[], object]
    because: str
    wrong: Mapping[str, str] = field(default_factory=dict)
    parts: tuple[str, ...] = ()
    asked: str = ""

    def exercise(self) -> Exercise:
        """Return the question as an exercise, which knows how numbers are compared and what a mistake is."""
        wrong = tuple(Misconception(gives, numbers_of(gives), why) for gives, why in self.wrong.items())
        told = {"answer_description": self.description()}
        return ValueExercise(
            id=self.name, title="", level=1, right=self.right, wrong=wrong, parts=self.parts, **told
        )

    def description(self) -> str:
        """Return what the answer is, in words."""
        kinds = ("a number, such as 12", "numbers, such as 3, 5", "rows of numbers, such as 1 2; 3 4")
        parts = " and ".join(part for part in (", ".join(self.parts[:-1]), *self.parts[-1:]) if part)
        return self.asked or parts or kinds[min(read(self.right()).ndim, 2)]

    def check(self, answer: object) -> Result:
        """Do what `Question.check` says; an answer is a number, or several in any form."""
        result = self.exercise().check(answer)
        return result._with(summary=self.because) if result.correct else result

    def _texts(self, name: str) -> dict[str, Any]:
        return {
            "prompt": translate(self.prompt, name),
            "because": translate(self.because, name),
            "wrong": {numbers: translate(why, name) for numbers, why in self.wrong.items()},
            "parts": tuple(translate(part, name) for part in self.parts),
            "asked": translate(self.description(), name),
        }

    def _lines(self) -> str:
        answer = "…" if len(self.parts) < 2 else f"({', '.join('…' for _ in self.parts)})"
        last = self._fill("Answer, {}: {}", self.description(), f'ask("{self.name}", {answer})')
        return f"{self._fill('Predict. {}', self.prompt)}\n{last}"

    def _body(self) -> str:
        """Return the folded answer, from which the page's script also takes what is right and wrong."""
        right = self._explained("p", self.right(), self.because)
        wrong = "".join(self._explained("li", numbers_of(gives), why) for gives, why in self.wrong.items())
        also = f"<p>{self._fill('Not right, and why:')}</p><ul>{wrong}</ul>" * bool(wrong)
        parts = f' data-parts="{html.escape("|".join(self.parts))}"' * bool(self.parts)
        asked = unbroken(html.escape(self.description()))
        answer = f"<summary>{self._fill('Answer')}</summary>"
        return f'<details{parts} data-asked="{asked}">{answer}{right}{also}</details>'

    def _explained(self, tag: str, numbers: object, why: str) -> str:
        data = re.sub(r"\.0\b", "", json.dumps(read(numbers).tolist(), separators=(",", ":")))
        written = f"<b>{self.written(numbers)}</b>{self._fill(': ')}"
        return f"<{tag} data-gives='{data}'>{written}<span>{as_html(why)}</span></{tag}>"

    def written(self, value: object) -> str:
        """Write numbers as a reader would."""
        numbers = read(value)
        texts = [f"{number:,.10g}" for number in numbers.flatten().tolist()]
        if self.parts:
            named = (f"{part}{self._fill(' ')}{text}" for part, text in zip(self.parts, texts, strict=True))
            return self._fill(", ").join(named)
        if numbers.ndim < 2:
            return texts[0] if numbers.ndim == 0 else f"({', '.join(texts)})"
        return " ".join(show(numbers).split())


def numbers_of(text: str) -> object:
    """Return the number, the numbers or the rows of numbers that a text holds.

    >>> numbers_of("12"), numbers_of("3 5"), numbers_of("1 2; 3 4")
    (12.0, [3.0, 5.0], [[1.0, 2.0], [3.0, 4.0]])
    """
    rows = [[float(number) for number in row.split()] for row in text.split(";")]
    if len(rows) > 1:
        return rows
    return rows[0] if len(rows[0]) > 1 else rows[0][0]


def anchor_of(name: str) -> str:
    """Return where on its page a question or exercise stands.

    >>> anchor_of("one_by_one.back")
    'ask-one-by-one-back'
    """
    return "ask-" + re.sub(r"[._]", "-", name)


def unbroken(text: str) -> str:
    """Return a text whose rows of numbers do not break.

    >>> unbroken("such as 1 2; 3 4")
    'such as 1&nbsp;2; 3&nbsp;4'
    """
    return _ROW.sub(lambda row: row[0].replace(" ", "&nbsp;"), text)


def as_html(text: str) -> str:
    """Turn a line of Markdown into HTML, in which no row of numbers breaks.

    >>> as_html("*Not* `a < b`"), as_html("the row 1 2 3").replace(" ", "_")
    ('<em>Not</em> <code>a &lt; b</code>', 'the_row_1&nbsp;2&nbsp;3')
    """

    def marked(found: re.Match[str]) -> str:
        code, strong, emphasis, row = found.groups()
        if row:
            return unbroken(row)
        if code:
            return f"<code>{code}</code>"
        return f"<strong>{strong}</strong>" if strong else f"<em>{emphasis}</em>"

    return _MARKS.sub(marked, html.escape(text, quote=False))
