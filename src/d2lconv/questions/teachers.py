"""What teachers see of questions: what each tests, what is right, and what is often answered instead."""

from collections.abc import Iterator

from d2lconv.language import translate
from d2lconv.questions.engine import questions_of
from d2lconv.questions.kinds import Choice, Question, Value, as_html, numbers_of
from d2lconv.questions.web import words


def table_of(chapter: str, language: str = "en") -> str:
    """Return a table of a chapter's questions, as HTML.

    Parameters
    ----------
    chapter : str
        Name of the chapter, such as ``"channels"``.
    language : str
        As in `d2lconv.language`.

    Returns
    -------
    str
        The table.

    Examples
    --------
    >>> table_of("channels").count("<tr>")
    6
    """
    head = (words(language)[name] for name in ("itTests", "questionAndAnswer", "oftenInstead"))
    rows = ["".join(f"<th>{text}</th>" for text in head)]
    rows += [_row(question, language) for question in questions_of(chapter)]
    return f"<table class='docutils'>{''.join(f'<tr>{row}</tr>' for row in rows)}</table>"


def _row(question: Question, language: str) -> str:
    said = question.in_language(language)
    colon = translate(": ", language)
    right, *wrong = (f"<b>{as_html(answer)}</b>{colon}{as_html(why)}" for answer, why in _answers(said))
    items = "".join(f"<li>{one}</li>" for one in wrong)
    told = f"{as_html(said.prompt)}<p>{right}</p>"
    cells = (as_html(translate(question.tests, language)), told, f"<ul>{items}</ul>")
    return "".join(f"<td>{cell}</td>" for cell in cells)


def _answers(question: Question) -> Iterator[tuple[str, str]]:
    """Yield the right answer and then the wrong ones, each with what explains it."""
    if isinstance(question, Choice):
        for option, why, _ in sorted(question.options(), key=lambda one: not one[2]):
            yield option, why
    elif isinstance(question, Value):
        yield question.written(question.right()), question.because
        for gives, why in question.wrong.items():
            yield question.written(numbers_of(gives)), why
