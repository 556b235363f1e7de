"""What a check replies: words first, as plain text and as an HTML panel."""

from __future__ import annotations

from dataclasses import dataclass, replace
from html import escape
from typing import Literal

from d2lconv.language import catalogue, fill, language, translate

__all__ = ["Result"]

Status = Literal["not attempted", "correct", "not yet"]

_HEADS = {"not attempted": "Not attempted yet", "correct": "Correct", "not yet": "Not yet"}
_SIGNS = {"not attempted": "○", "correct": "✓", "not yet": "✗"}
_EDGES = {"not attempted": "dotted #767f8a", "correct": "solid #1f8a5b", "not yet": "dashed #d0503f"}
# What the engine calls a detail; others are names of arguments.
_NAMES = {
    "expected", "given", "they differ", "error", "your code raised", "your code changed", "your code printed",
    "your network", "what happened",
}  # fmt: skip
_PRE = "margin: 0; padding: 0; border: 0; background: none; color: inherit; white-space: pre-wrap"


@dataclass(frozen=True, repr=False)
class Result:
    """What a check says about an answer. Prints as text, shows as a panel in a notebook.

    What is printed and shown is in the reader's language (`d2lconv.language`), the attributes are in English.

    Attributes
    ----------
    exercise : str
        Name of the exercise, such as ``"convolution.2"``.
    status : str
        ``"not attempted"``, ``"correct"`` or ``"not yet"``.
    summary : str
        One sentence: how many cases, or what is wrong.
    details : tuple of (str, str)
        What to look at, each with its name: the smallest failing case, what was expected and given.
    misconception : str
        Short name of what the answer probably got wrong; empty if that is not known.
    hint : str
        One hint; empty if there is none.
    notes : tuple of str
        Remarks that do not concern the answer, such as progress that could not be saved.
    solution : bool
        Whether the answer was the course's own.
    language : str
        The language in which it is printed and shown; by default the reader's.

    Examples
    --------
    >>> Result("convolution.2", "correct", "40 cases.")
    Correct (convolution.2): 40 cases.
    """

    exercise: str
    status: Status
    summary: str
    details: tuple[tuple[str, str], ...] = ()
    misconception: str = ""
    hint: str = ""
    notes: tuple[str, ...] = ()
    solution: bool = False
    language: str = ""

    @property
    def correct(self) -> bool:
        """Whether the answer is right."""
        return self.status == "correct"

    def _with(self, **changes: object) -> Result:
        """Return the same reply with some parts changed."""
        return replace(self, **changes)  # type: ignore[arg-type]

    def _said(self) -> Result:
        """Return the reply with its texts in its language."""
        name = self.language or language()
        summary, hint, *notes = (translate(text, name) for text in (self.summary, self.hint, *self.notes))
        details = tuple(_said(*detail, name) for detail in self.details)
        return self._with(summary=summary, details=details, hint=hint, notes=tuple(notes), language=name)

    def __repr__(self) -> str:
        said = self._said()
        colon = translate(": ", said.language)
        lines = [f"{said._head()}{colon}{said.summary}"]
        for name, text in said.details:
            if "\n" in text:
                lines.append(f"  {name}{colon}".rstrip())
                lines += [f"    {line}".rstrip() for line in text.splitlines()]
            else:
                lines.append(f"  {name}{colon}{text}")
        if said.hint:
            lines.append(f"  {fill('Hint: {}', said.hint, name=said.language)}")
        return "\n".join([*lines, *said.notes])

    def _repr_html_(self) -> str:
        said = self._said()
        rows = [(name, f'<pre style="{_PRE}">{escape(text)}</pre>') for name, text in said.details]
        if said.hint:
            rows.append((translate("hint", said.language), escape(said.hint)))
        told = fill("<strong>{}:</strong> {}", escape(said._head()), escape(said.summary), name=said.language)
        table = "".join(
            f'<dt style="font-weight: 600">{escape(name)}</dt><dd style="margin: 0 0 0.4em 1.5em">{text}</dd>'
            for name, text in rows
        )
        return (
            f'<div class="d2l-check" style="border-left: 0.3em {_EDGES[self.status]}; padding: 0.3em 1em">'
            f'<p style="margin: 0 0 0.3em"><span aria-hidden="true">{_SIGNS[self.status]} </span>'
            f"{told}</p>"
            + f'<dl style="margin: 0">{table}</dl>' * bool(table)
            + "".join(f'<p style="margin: 0.3em 0 0">{escape(note)}</p>' for note in said.notes)
            + "</div>"
        )

    def _head(self) -> str:
        whose = ", worked solution" if self.solution else ""
        return translate(f"{_HEADS[self.status]} ({self.exercise}{whose})", self.language)


def _said(name: str, text: str, to: str) -> tuple[str, str]:
    """Say name and text of a detail; what code prints, and the message of an error, stay as they are."""
    name_said = translate(name, to) if name in _NAMES else name
    if name == "your code printed":
        return name_said, text
    message, mark, line = text.partition("\nin the line: ")
    if mark or name in ("error", "your code raised"):
        message = catalogue(to).get(message, message)
        return name_said, fill("{}\nin the line: {}", message, line, name=to) if mark else message
    return name_said, translate(text, to)
