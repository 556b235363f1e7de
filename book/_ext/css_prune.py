"""Leave out of style sheets what no page can use.

Nothing here knows Sphinx; `lean_styles.py` connects it to the book.

A rule goes if each of its selectors asks for a class or an id that is in no page and in no script. What a
selector says in parentheses, `:not(.x)` or `:is(.x, .y)`, is not weighed, and rules for elements or for
attributes alone stay.
"""

import re
from collections.abc import Iterable, Iterator, Set
from typing import Any

import tinycss2  # type: ignore[import-untyped]

_NAME = r"(?:\\.|[\w-]|[^\x00-\x7f])+"
_ASKED = re.compile(rf"[.#]({_NAME})")
_BRACKETS = re.compile(r"\([^()]*\)|\[[^\[\]]*\]")
_WITH_RULES = frozenset(["media", "supports", "layer", "container"])


def parse(css: str) -> list[Any]:
    """Return the rules of a style sheet."""
    return list(tinycss2.parse_stylesheet(css, skip_comments=True, skip_whitespace=True))


def asked_for(selector: str) -> set[str]:
    r"""Return the classes and ids that an element, or those around it, must have.

    >>> sorted(asked_for("html[data-theme='.x'] .a:not(.b .c) > #d.e\\:f::before"))
    ['a', 'd', 'e:f']
    """
    bare, count = selector, 1
    while count:
        bare, count = _BRACKETS.subn("", bare)
    return {re.sub(r"\\(.)", r"\1", name) for name in _ASKED.findall(bare)}


def prune(css: str, used: Set[str]) -> str:
    r"""Return a style sheet without the rules that no page can use.

    Parameters
    ----------
    css
        The style sheet.
    used
        Every word that may be a class or an id.

    Examples
    --------
    >>> prune("p { margin: 0 } .a, .b { top: 0 } @media print { .b { top: 1px } } .c .a { left: 0 }", {"a"})
    'p{ margin: 0 }\n.a{ top: 0 }'
    """
    return "\n".join(_pruned(parse(css), used))


def _pruned(rules: Iterable[Any], used: Set[str]) -> Iterator[str]:
    for rule in rules:
        if rule.type == "qualified-rule":
            selectors = [
                text for text in _selectors(rule.prelude) if all(name in used for name in asked_for(text))
            ]
            if selectors:
                yield f"{','.join(selectors)}{{{tinycss2.serialize(rule.content)}}}"
        elif rule.type == "at-rule" and rule.lower_at_keyword in _WITH_RULES and rule.content is not None:
            inner = tinycss2.parse_rule_list(rule.content, skip_comments=True, skip_whitespace=True)
            kept = "\n".join(_pruned(inner, used))
            if kept:
                yield f"@{rule.at_keyword}{tinycss2.serialize(rule.prelude)}{{{kept}}}"
        elif rule.type == "error":
            raise ValueError(f"style sheet: line {rule.source_line}: {rule.message}")
        else:
            yield rule.serialize()


def _selectors(prelude: Iterable[Any]) -> list[str]:
    """Split a list of selectors at the commas that stand in no parentheses."""
    texts = [""]
    for token in prelude:
        if token == ",":
            texts.append("")
        else:
            texts[-1] += token.serialize()
    return [text.strip() for text in texts]
