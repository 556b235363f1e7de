"""The Chinese edition: its prose stands by cell in `book/zh/`, everything else comes from the English chapter.


    python -m tools.translation check [PAGE ...]     name what is missing, behind or differs in numbers, links, code
    python -m tools.translation new PAGE             begin a translation: a file with the English text in each unit
    python -m tools.translation stamp PAGE ID ...    say that these units translate today's English text

A file of `book/zh/` is a row of units, one for each cell (or each section of a page in Markdown):

    <!-- cell-89ab12cd 1f2e3d4c -->
    the Chinese text

The second word is the hash of the English text that was translated: when that changes, the unit is *behind*. Of a
cell with code, the unit holds what a reader reads and Python does not: `caption: …`, `alt: …`, and one line
beginning with `#` for each comment, in their order.
"""

import argparse
import copy
import hashlib
import io
import re
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from myst_parser.mdit_to_docutils.base import default_slugify
from nbformat import NotebookNode

from tools import notebooks

ROOT = Path(__file__).parents[1]
BOOK, CHINESE = ROOT / "book", ROOT / "book" / "zh"

#: Comments and prompts that many cells share.
COMMON = {
    "# @title Solution": "# @title 参考答案",
    "# your code in place of the dots": "# 把省略号换成你的代码",
    "# your layers in place of the dots": "# 把省略号换成你的层",
    "# in Colab, for example": "# 例如在 Colab 中",
    "Show the solution": "显示参考答案",
    "Hide the solution": "收起参考答案",
    notebooks.INSTALL_PROMPT: "若尚未安装，安装 d2lconv",
    notebooks.IMPORT_PROMPT: "导入",
}

_MARK = re.compile(r"^<!-- ([a-z0-9-]+) ([0-9a-f]{8}|new) -->\n", re.MULTILINE)
_HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]{2}")
_HAN = r"[\u3400-\u9fff]"


@dataclass(frozen=True)
class Unit:
    """Text that is translated as a whole, and the hash of the English text."""

    text: str
    hash: str


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:8]


# ---- the English text ----


def comments(code: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the comments of a cell's code that say something in words and are not shared by many cells."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and _WORD.search(token.string) and token.string not in COMMON:
            yield token


def figure_texts(cell: NotebookNode) -> dict[str, str]:
    """Return caption and alt text of a cell's figure, as far as it has them."""
    about = cell.metadata.get("mystnb", {})
    found = {"caption": about.get("figure", {}).get("caption"), "alt": about.get("image", {}).get("alt")}
    return {name: text for name, text in found.items() if text}


def text_of(cell: NotebookNode) -> str:
    """Return what there is to translate in a cell; empty if there is nothing."""
    if cell.cell_type == "markdown":
        return str(cell.source).strip()
    lines = [f"{name}: {text}" for name, text in figure_texts(cell).items()]
    return "\n".join([*lines, *(token.string for token in comments(cell.source))])


def sections(text: str) -> dict[str, str]:
    """Split a page into its sections: by the slug of each heading, the heading and the text up to the next.

    Examples
    --------
    >>> sections("# One\\n\\nText.\\n\\n## Two\\n\\nMore.\\n")
    {'one': '# One\\n\\nText.', 'two': '## Two\\n\\nMore.'}
    """
    starts = [found.start() for found in _HEADING.finditer(text)]
    parts = [text[begin:end].strip() for begin, end in zip(starts, [*starts[1:], len(text)], strict=True)]
    return {
        re.sub(r"[^a-z0-9-]", "", default_slugify(part.partition("\n")[0].lstrip("# "))): part
        for part in parts
    }


def english(page: Path) -> dict[str, Unit]:
    """Return the units of an English page, in their order."""
    if page.suffix == ".md":
        found = sections(page.read_text("utf-8"))
    else:
        found = {cell.id: text for cell in notebooks.load(page).cells if (text := text_of(cell))}
    return {name: Unit(text, _hash(text)) for name, text in found.items()}


# ---- the Chinese text ----


def chinese(page: Path) -> dict[str, Unit]:
    """Return the units of a page's translation; of a page without one, none.

    Raises
    ------
    ValueError
        If text stands before the first unit, or two units have the same name.
    """
    path = CHINESE / f"{page.stem}.md"
    if not path.exists():
        return {}
    before, *parts = _MARK.split(path.read_text("utf-8"))
    names = parts[0::3]
    if before.strip() or len(set(names)) < len(names):
        twice = [name for name, count in Counter(names).items() if count > 1]
        raise ValueError(f"{path.name}: text before the first unit, or units that stand twice: {twice}")
    return {
        name: Unit(text.strip(), stamp)
        for name, stamp, text in zip(names, parts[1::3], parts[2::3], strict=True)
    }


def write_units(page: Path, units: Mapping[str, Unit]) -> None:
    """Write the file of a page's translation."""
    text = "\n\n".join(f"<!-- {name} {unit.hash} -->\n{unit.text}" for name, unit in units.items())
    (CHINESE / f"{page.stem}.md").write_text(text + "\n", "utf-8")


# ---- what a translation must keep ----

_CODE = re.compile(r"```.*?```|`[^`\n]+`", re.DOTALL)
_FORMULA = re.compile(r"\$\$.+?\$\$|\$[^$\n]+\$", re.DOTALL)
_LINK = re.compile(r"\]\(([^)\s]*)\)")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")
_FULL_WIDTH = re.compile(r"[\u3000-\u303f\uff00-\uffef]")


def facts(text: str) -> dict[str, Counter[str]]:
    """Return what a text and its translation have in common: code, formulas, addresses, numbers."""
    found = {"code": Counter(set(_CODE.findall(text)))}
    text = _CODE.sub(" ", text)
    found["formulas"] = Counter(
        re.sub(r"\\text\{[^}]*\}|\s", "", formula) for formula in _FORMULA.findall(text)
    )
    text = _FORMULA.sub(" ", text)
    found["links"] = Counter(_LINK.findall(text))
    text = _LINK.sub("]", text)
    found["numbers"] = Counter(number.replace(",", "") for number in _NUMBER.findall(text))
    return found


def differences(source: str, text: str) -> Iterator[str]:
    """Name what the translation of a unit lost, or has and its source has not, and faults of its typography."""
    theirs, ours = facts(source), facts(text)
    for kind, expected in theirs.items():
        if ours[kind] != expected:
            lost, more = list((expected - ours[kind]).elements()), list((ours[kind] - expected).elements())
            yield f"{kind}: missing {lost}, added {more}"
    if any(_FULL_WIDTH.search(re.sub(r"\\text\{[^}]*\}", "", formula)) for formula in _FORMULA.findall(text)):
        yield "a full-width mark stands in a formula"
    prose = _FORMULA.sub("x", _CODE.sub("x", text))
    if not source.startswith("#") and _WORD.search(source) and not re.search(_HAN, text):
        yield "no Chinese in it"
    for found in re.finditer(rf".{{0,8}}(?:{_HAN} +[\w(]|[\w)] +{_HAN}|{_HAN}[,;:?!]).{{0,8}}", prose):
        yield f"a typed space or a half-width mark beside Chinese: {found[0]!r}"
    for found in re.finditer(r"[^\s*]\*\*[^*]*[）」』”。，；：？！]\*\*[^\s*，。；：、！？）」』”]", prose):
        yield f"** would stay as it is: {found[0]!r}"


def problems(page: Path) -> Iterator[str]:
    """Name what is wrong with the translation of a page, but for units that are only behind."""
    theirs, ours = english(page), chinese(page)
    for name in ours.keys() - theirs.keys():
        yield f"{name}: no such cell in English"
    for name, source in theirs.items():
        if name not in ours:
            yield f"{name}: not translated: {source.text[:60]!r}"
        elif ours[name].hash == source.hash:
            yield from (f"{name}: {problem}" for problem in differences(source.text, ours[name].text))
            if kinds(source.text) != kinds(ours[name].text):
                yield f"{name}: its lines begin {kinds(ours[name].text)}, not {kinds(source.text)}"


def kinds(text: str) -> list[str]:
    """Return how the lines of a unit begin that have to be there: headings, captions, comments."""
    return re.findall(r"^(#+ |#|caption: |alt: )", text, re.MULTILINE)


def behind(page: Path) -> list[str]:
    """Return the units whose English text has changed since it was translated."""
    theirs, ours = english(page), chinese(page)
    return [name for name, unit in ours.items() if name in theirs and theirs[name].hash != unit.hash]


# ---- the pages of the edition ----


def translated_code(code: str, lines: list[str]) -> str:
    """Return code with other comments, in the order of those that it has.

    Examples
    --------
    >>> print(translated_code("x = 1  # one row\\ny = '# no comment'", ["# 一行"]))
    x = 1  # 一行
    y = '# no comment'
    """
    rows, queue = code.splitlines(keepends=True), list(lines)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and (token.string in COMMON or _WORD.search(token.string)):
            (row, begin), (_, end) = token.start, token.end
            said = COMMON.get(token.string) or queue.pop(0)
            rows[row - 1] = rows[row - 1][:begin] + said + rows[row - 1][end:]
    return "".join(rows)


def translated_cell(cell: NotebookNode, unit: Unit | None) -> NotebookNode:
    """Return a cell in Chinese; without a translation, in English."""
    cell = copy.deepcopy(cell)
    if cell.cell_type == "markdown":
        cell.source = unit.text if unit else cell.source
        return cell
    lines = unit.text.splitlines() if unit else []
    said = dict(line.split(": ", 1) for line in lines if not line.startswith("#"))
    about = cell.metadata.get("mystnb", {})
    if "caption" in said:
        about["figure"]["caption"] = said["caption"]
    if "alt" in said:
        about["image"]["alt"] = said["alt"]
    for prompt in ("code_prompt_show", "code_prompt_hide"):
        if prompt in about:
            about[prompt] = COMMON.get(about[prompt], about[prompt])
    ours = [line for line in lines if line.startswith("#")]
    if len(ours) == sum(1 for _ in comments(cell.source)):
        cell.source = translated_code(cell.source, ours)
    return cell


# ---- the command line ----


def pages() -> list[Path]:
    """Return the pages that are translated: all but the reference of the package and the bibliography."""
    found = [*BOOK.glob("*.ipynb"), *BOOK.glob("*.md")]
    return sorted(page for page in found if page.stem not in ("api", "bibliography"))


def begin(page: Path) -> None:
    """Write a file with the English text in each unit that has no translation yet."""
    theirs, ours = english(page), chinese(page)
    write_units(page, {name: ours.get(name, Unit(unit.text, "new")) for name, unit in theirs.items()})


def stamp(page: Path, names: list[str]) -> None:
    """Say of the units of a translation that they translate today's English text."""
    theirs, ours = english(page), chinese(page)
    units = {name: ours[name] for name in theirs if name in ours}
    write_units(page, {name: Unit(unit.text, theirs[name].hash if name in names else unit.hash)
                       for name, unit in units.items()})  # fmt: skip


def check(found: list[Path]) -> int:
    """Print what is wrong with the translations of some pages, and how many units are behind; 1 if any."""
    count = 0
    for page in found:
        for problem in problems(page):
            print(f"{page.stem} {problem}")
            count += 1
        for name in behind(page):
            print(f"{page.stem} {name}: behind; its English text is now\n{english(page)[name].text}\n")
            count += 1
    return min(count, 1)


def main(arguments: list[str] | None = None) -> int:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("command", choices=("check", "new", "stamp"))
    parser.add_argument("page", nargs="?", help="name of a page, such as pooling")
    parser.add_argument(
        "unit", nargs="*", help="for stamp: the units that translate today's English text, or all"
    )
    given = parser.parse_args(arguments)
    found = [page for page in pages() if given.page in (None, page.stem)]
    if not found:
        parser.error(f"no page {given.page!r} in {BOOK}")
    if given.command == "check":
        return check(found)
    for page in found:
        if given.command == "new":
            begin(page)
        else:
            stamp(page, list(english(page)) if given.unit == ["all"] else given.unit)
    return 0


if __name__ == "__main__":
    sys.exit(main())
