"""Write scripts and style sheets with fewer characters, since all readers load them.

Spaces, line ends and comments go that mean nothing, and names that a script declares become short ones.
"""

import itertools
import re
import string
from collections import Counter
from collections.abc import Iterator, Sequence

from pygments.lexers.javascript import JavascriptLexer
from pygments.token import Comment, Name, Text

_HEAD = re.compile(r"\s*(?:async )?(?:const|let|function\*?) (\w+|\[[^\]]*\])")
_DECLARED = re.compile(
    r"\b(?:const|let|function\*?) (\w+)|\b(?:const|let) \[([^\]=]*)\]|\bfunction\*? ?\w*\(([^()]*)\)"
    r"|\(([^()]*)\) =>|(\w+) =>"
)
_NEEDED = re.compile(r"[\w$]{2}|\+\+|--")  # characters between which a space means something
_STYLE = [(r"/\*.*?\*/", ""), (r"\s+", " "), (r" ?([{};,>]) ?", r"\1"), (r"(\w): ", r"\1:"), (";}", "}")]
_KEYWORDS = ("do", "if", "in", "of")

Token = tuple[object, str]


def script(text: str) -> str:
    r"""Write a script smaller.

    Parameters
    ----------
    text : str
        JavaScript: one function that is called at once, so that nothing else uses its names. Its statements
        begin on lines of their own, and no method is written as ``{ name() { … } }``.

    Returns
    -------
    str
        JavaScript that does the same.

    Examples
    --------
    >>> print(script("(() => {\n  const one = { key: 1 }; // no\n  use((it) => it + one.key);\n})();"))
    (()=>{const aa={key:1};use((a)=>a+aa.key);})();
    """
    lexed = JavascriptLexer(ensurenl=False).get_tokens_unprocessed(text)
    tokens = _renamed([(kind, one) for _, kind, one in lexed if kind not in Comment])
    written, space = "", ""
    for kind, one in tokens:
        if kind in Text and not one.strip():
            space = "\n" if "\n" in space + one else " "
            continue
        needed = (
            written[-1:] not in tuple(";{,([") if space == "\n" else _NEEDED.match(written[-1:] + one[:1])
        )
        written += (space if needed else "") + one
        space = ""
    return written


def style(text: str) -> str:
    r"""Write a style sheet smaller.

    >>> style("a > b,\n.c :is(d, e) {\n  top: 0; /* none */\n}\n")
    'a>b,.c :is(d,e){top:0}'
    """
    for pattern, by in _STYLE:
        text = re.sub(pattern, by, text, flags=re.DOTALL)
    return text.strip()


# ---- names ----


def _renamed(tokens: Sequence[Token]) -> list[Token]:
    """Replace names: those that all statements share by two letters, those inside a statement by one."""
    statements = list(_statements(tokens))
    heads = (_HEAD.match("".join(one for _, one in statement)) for statement in statements)
    shared = {name for head in heads if head for name in re.findall(r"\w+", head[1])}
    fixed = set().union(*map(_fixed, statements))
    counts = Counter(one for kind, one in tokens if kind in Name)
    free = (name for name in _letters(2) if name not in counts)
    known = dict(zip(sorted(shared - fixed, key=lambda name: (-counts[name], name)), free, strict=False))
    renamed: list[Token] = []
    for statement in statements:
        counts = Counter(one for kind, one in statement if kind in Name)
        own = sorted(
            _declared(statement) - shared - _fixed(statement), key=lambda name: (-counts[name], name)
        )
        taken = {*counts, *known.values()}
        short = known | dict(zip(own, (name for name in _letters(1) if name not in taken), strict=False))
        places = {n for n, (kind, _) in enumerate(statement) if kind in Name} - set(_keys(statement))
        renamed += [
            (kind, short.get(one, one) if n in places else one) for n, (kind, one) in enumerate(statement)
        ]
    return renamed


def _statements(tokens: Sequence[Token]) -> Iterator[list[Token]]:
    """Yield the statements of a script's function, each with the line end after it."""
    depth, statement, last = 0, list[Token](), ""
    for kind, one in tokens:
        statement.append((kind, one))
        depth += (one in ("(", "[", "{", "${")) - (one in (")", "]", "}"))
        if one.strip():
            last = one
        elif "\n" in one and depth <= 2 and last in (";", "}", "{"):
            yield statement
            statement = []
    yield statement


def _declared(statement: Sequence[Token]) -> set[str]:
    text = "".join(one for _, one in statement)
    found = (" ".join(filter(None, one.groups())) for one in _DECLARED.finditer(text))
    return {name for one in found for name in re.findall(r"\w+", re.sub(r"=[^,]*", "", one))}


def _around(tokens: Sequence[Token]) -> Iterator[tuple[int, str, str, str]]:
    """Yield the place of each name, the bracket it stands in, and what stands before and after it."""
    places = [n for n, (_, one) in enumerate(tokens) if one.strip()]
    opened = [""]
    for before, n, after in zip([-1, *places], places, [*places[1:], -1], strict=False):
        kind, one = tokens[n]
        if one in ("(", "[", "{", "${"):
            opened.append(one)
        elif one in (")", "]", "}"):
            opened = opened[:-1] or [""]
        elif kind in Name:
            yield n, opened[-1], tokens[before][1] * (before >= 0), tokens[after][1] * (after >= 0)


def _keys(tokens: Sequence[Token]) -> Iterator[int]:
    """Yield the places of names that are properties: `one.name`, `{ name: 1 }`."""
    for n, bracket, before, after in _around(tokens):
        if before == "." or (bracket == "{" and before in ("{", ",") and after == ":"):
            yield n


def _fixed(tokens: Sequence[Token]) -> set[str]:
    """Return the names that are property and variable in one, `{ name }`, and those that browsers have."""
    found = {
        tokens[n][1]
        for n, bracket, before, after in _around(tokens)
        if bracket == "{" and before in ("{", ",") and after in (",", "}", "=")
    }
    return found | {one for kind, one in tokens if kind in Name and kind is not Name.Other}


def _letters(most: int) -> Iterator[str]:
    """Yield names of as many letters, then longer ones."""
    for length in itertools.count(most):
        for letters in itertools.product(string.ascii_letters, repeat=length):
            if (name := "".join(letters)) not in _KEYWORDS:
                yield name
