r"""The Chinese edition: its prose stands by cell in `book/zh/`, all else comes from the English chapter.

    python -m tools.translation check [PAGE ...]    name what is missing, behind, or differs in numbers
    python -m tools.translation new PAGE            begin a translation: a file with the English texts
    python -m tools.translation stamp PAGE ID ...   say that these units translate today's English text
    python -m tools.translation write FOLDER        write the edition, ready to be rendered, into a folder

A file of `book/zh/` is a row of units, one for each cell (or each section of a page in Markdown):

    <!-- cell-89ab12cd 1f2e3d4c -->
    the Chinese text

The second word is the hash of the English text that was translated: when that changes, the unit is *behind*.
Of a cell with code, the unit holds what a reader reads and Python does not: `caption: …`, `alt: …`, and one
line beginning with `#` for each comment, in their order.

What `write` makes is a book of its own, with the same pages, cells, code and outputs; in these, questions and
the replies of `check` are in Chinese. A unit that is behind stays if its numbers, formulas, links and code
still agree; else, and where there is none, the page shows the English text. A comment
`<!-- translation: … -->` says so to `d2lconv_book.language`, which shows a note.
"""

import argparse
import copy
import hashlib
import io
import json
import re
import shutil
import sys
import tokenize
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]
from babel.messages.pofile import read_po
from docutils import nodes
from markdown_it import MarkdownIt
from mdit_py_plugins.dollarmath import dollarmath_plugin
from myst_parser.mdit_to_docutils.base import default_slugify
from nbformat import NotebookNode

from d2lconv.exercises import Result
from d2lconv.questions.engine import find
from tools import notebooks
from tools.book import Book

ROOT = Path(__file__).parents[1]
BOOK, CHINESE = ROOT / "book", ROOT / "book" / "zh"

#: Pages that exist in English alone; the edition has them too, so that its links and its search lead there.
ENGLISH_ONLY = {"api": "API参考（英文）", "bibliography": "参考文献"}
#: What the packed notebooks need beside the chapters (`d2lconv_book.notebooks_zip`).
PACKED = ("pyproject.toml", "requirements.txt", "README.md", "LICENSE", "LICENSE-text", "src")
LANGUAGE_LINE = "%env D2LCONV_LANG=zh"

_MARK = re.compile(r"^<!-- ([a-z0-9-]+) ([0-9a-f]{8}|new) -->\n", re.MULTILINE)
_HEADING = re.compile(r"^#{1,4} (.+)$", re.MULTILINE)
_WORD = re.compile(r"[A-Za-z]{2}")
_ASK = re.compile(r'^ask\("([\w.-]+)"\)$', re.MULTILINE)
_REPLY = re.compile(r"\A(.+?) \(([\w.]+)(, worked solution)?\): (.*)")
_DETAIL = re.compile(r"^  (\S[^:]*): ?(.*(?:\n(?:    .*)?)*)", re.MULTILINE)
_HAN = r"[\u3400-\u9fff]"
#: Signs that a voice leaves out or reads badly: an alt text has words.
UNSPOKEN = re.compile(r"[×−÷∗=+→≤≥≠<>±]|\d ?·")


@dataclass(frozen=True)
class Unit:
    """Text that is translated as a whole, and the hash of the English text."""

    text: str
    hash: str


@cache
def words() -> dict[str, str]:
    """Return what `words.po` has in Chinese: what the frame says, and comments and prompts of many cells."""
    catalogue = read_po(io.BytesIO((ROOT / "book/zh/words.po").read_bytes()))
    return {str(entry.id): str(entry.string) for entry in catalogue if entry.id}


def in_chinese(text: str) -> str:
    """Return what such a text is in Chinese; what isn't among the words as it is.

    Examples
    --------
    >>> in_chinese("Contents"), in_chinese("LeNet")
    ('目录', 'LeNet')
    """
    return words().get(text, text)


# ---- the English text ----


def comments(code: str) -> Iterator[tokenize.TokenInfo]:
    """Yield the comments of a cell's code that say something in words and are not shared by many cells."""
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and _WORD.search(token.string) and token.string not in words():
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
    r"""Split a page into its sections: by the slug of each heading, the heading and the text up to the next.

    Examples
    --------
    >>> sections("# One\n\nText.\n\n## Two\n\nMore.\n")
    {'one': '# One\n\nText.', 'two': '## Two\n\nMore.'}
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
    return {name: Unit(text, hashlib.sha256(text.encode()).hexdigest()[:8]) for name, text in found.items()}


# ---- the Chinese text ----


def chinese(page: Path) -> dict[str, Unit]:
    """Return the units of a page's translation; of a page without one, none."""
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
_MARKDOWN = MarkdownIt("commonmark").enable("table").use(dollarmath_plugin)
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
    """Name what the translation of a unit lost, or has and its source has not, and faults of typography."""
    theirs, ours = facts(source), facts(text)
    for kind, expected in theirs.items():
        if ours[kind] != expected:
            lost, more = list((expected - ours[kind]).elements()), list((ours[kind] - expected).elements())
            yield f"{kind}: missing {lost}, added {more}"
    if any(_FULL_WIDTH.search(re.sub(r"\\text\{[^}]*\}", "", formula)) for formula in _FORMULA.findall(text)):
        yield "a full-width mark stands in a formula"
    for alt in re.findall(r"^alt: .*|!\[.*?\]", text, re.MULTILINE):
        if found := UNSPOKEN.search(alt):
            yield f"an alt text is read aloud: say {found[0]!r} in words"
    prose = _FORMULA.sub("x", _CODE.sub("x", text))
    if not source.startswith("#") and _WORD.search(source) and not re.search(_HAN, text):
        yield "no Chinese in it"
    for fault in re.finditer(rf".{{0,8}}(?:{_HAN} +[\w(]|[\w)] +{_HAN}|{_HAN}[,;:?!]).{{0,8}}", prose):
        yield f"a typed space or a half-width mark beside Chinese: {fault[0]!r}"
    if not literal_stars(source):  # a power in a comment of Python
        yield from (f"** would stay as it is: {words!r}" for words in literal_stars(text))


def literal_stars(text: str) -> list[str]:
    """Return the words of a text in which asterisks are not taken for bold.

    >>> literal_stars("**填充**（padding）是"), literal_stars("**填充（padding）**是")
    ([], ['**填充（padding）**是'])
    """
    parts = (part for block in _MARKDOWN.parse(text) for part in block.children or [])
    return [part.content for part in parts if part.type == "text" and "**" in part.content]


def problems(page: Path) -> Iterator[str]:
    """Name what is wrong with the translation of a page, but for units that are behind or missing."""
    theirs, ours = english(page), chinese(page)
    for name in ours.keys() - theirs.keys():
        yield f"{name}: no such cell in English"
    for name, source in theirs.items():
        if name in ours and ours[name].hash == source.hash:
            yield from (f"{name}: {problem}" for problem in differences(source.text, ours[name].text))
            if kinds(source.text) != kinds(ours[name].text):
                yield f"{name}: its lines begin {kinds(ours[name].text)}, not {kinds(source.text)}"


def kinds(text: str) -> list[str]:
    """Return how the lines of a unit begin that have to be there: headings, captions, comments."""
    return re.findall(r"^(#+ |#|caption: |alt: )", text, re.MULTILINE)


def behind(page: Path) -> list[str]:
    """Return the units that are not translated, or whose English text has changed since they were."""
    ours = chinese(page)
    return [name for name, unit in english(page).items() if name not in ours or ours[name].hash != unit.hash]


# ---- the pages of the edition ----


def translated_code(code: str, lines: list[str]) -> str:
    r"""Return code with other comments, in the order of those that it has.

    Examples
    --------
    >>> print(translated_code("x = 1  # one row\ny = '# no comment'", ["# 一行"]))
    x = 1  # 一行
    y = '# no comment'
    """
    rows, queue = code.splitlines(keepends=True), list(lines)
    for token in tokenize.generate_tokens(io.StringIO(code).readline):
        if token.type == tokenize.COMMENT and (token.string in words() or _WORD.search(token.string)):
            (row, begin), (_, end) = token.start, token.end
            said = words().get(token.string) or queue.pop(0)
            rows[row - 1] = rows[row - 1][:begin] + said + rows[row - 1][end:]
    return "".join(rows)


def translate_code(cell: NotebookNode, unit: Unit | None) -> None:
    """Put Chinese into a cell with code: its comments, and what is said beside it and below it."""
    lines = unit.text.splitlines() if unit else []
    said = dict(line.split(": ", 1) for line in lines if not line.startswith("#"))
    about = cell.metadata.get("mystnb", {})
    if "caption" in said:
        about["figure"]["caption"] = said["caption"]
    if "alt" in said:
        about["image"]["alt"] = said["alt"]
    for prompt in ("code_prompt_show", "code_prompt_hide"):
        if prompt in about:
            about[prompt] = in_chinese(about[prompt])
    asked = _ASK.search(cell.source)
    for output in cell.outputs:
        if asked:
            shown: Any = find(asked[1]).in_language("zh")
        elif 'class="d2l-check"' in output.get("data", {}).get("text/html", ""):
            shown = reply_of(output.data["text/plain"], "zh")
        else:
            continue
        output.data |= {"text/html": shown._repr_html_(), "text/plain": repr(shown)}
    ours = [line for line in lines if line.startswith("#")]
    if len(ours) == sum(1 for _ in comments(cell.source)):
        cell.source = translated_code(cell.source, ours)


def reply_of(text: str, language: str) -> Result:
    r"""Return the reply of `check` that is printed so in English, to be shown in a language.

    Examples
    --------
    >>> reply_of("Not yet (pooling.3): it can't be run.\n  X:\n    [[1,\n      2]]\n  Hint: all zero", "zh")
    还不对（pooling.3）：它运行不了。
      X：
        [[1,
          2]]
      提示：全是零
    """
    [(head, exercise, solution, summary)] = _REPLY.findall(text)
    details = {
        name: re.sub("^    ", "", lines.strip("\n"), flags=re.MULTILINE)
        for name, lines in _DETAIL.findall(text)
    }
    hint = details.pop("Hint", "")
    status: Any = "not attempted" if head == "Not attempted yet" else head.lower()
    said = tuple(details.items())
    return Result(exercise, status, summary, said, hint=hint, solution=bool(solution), language=language)


def status(source: Unit, unit: Unit | None) -> str:
    """Return how a unit stands to its English text: ``"current"``, ``"behind"`` or ``"missing"``.

    Examples
    --------
    >>> now = Unit("3 rows", "1f2e3d4c")
    >>> [status(now, Unit(*unit)) for unit in (("3行", "1f2e3d4c"), ("3行", "00000000"), ("2行", "00000000"))]
    ['current', 'behind', 'missing']
    """
    if unit is None or not unit.text:
        return "missing"
    if unit.hash == source.hash:
        return "current"
    agrees = kinds(source.text) == kinds(unit.text) and not any(differences(source.text, unit.text))
    return "behind" if agrees and unit.text != source.text else "missing"


def noted(text: str, note: str) -> str:
    """Return a text with a comment below its first heading, or before it, on its translation."""
    heading, _, rest = text.partition("\n") if text.startswith("#") else ("", "", text)
    return "\n\n".join([heading, f"<!-- translation: {note} -->", rest.strip("\n")]).strip()


def with_notes(units: Iterator[tuple[Unit, Unit | None]]) -> Iterator[str]:
    """Yield the texts of a page, in Chinese as far as they are translated; a row of others is noted once."""
    before = "current"
    for source, unit in units:
        now = status(source, unit) if _WORD.search(source.text) else before
        text = unit.text if unit and now != "missing" else source.text
        yield text if now in ("current", before) else noted(text, now)
        before = now


def chapter(path: Path) -> NotebookNode:
    """Return a chapter of the edition: prose and comments in Chinese, the rest as in English."""
    nb, theirs, ours = notebooks.load(path), english(path), chinese(path)
    prose = [cell for cell in nb.cells if cell.cell_type == "markdown" and cell.id in theirs]
    said = with_notes((theirs[cell.id], ours.get(cell.id)) for cell in prose)
    texts = dict(zip((cell.id for cell in prose), said, strict=True))
    for cell in nb.cells:
        if cell.id in texts:
            cell.source = texts[cell.id]
        elif cell.cell_type == "code":
            unit = ours.get(cell.id) if cell.id in theirs else None
            translate_code(cell, unit if unit and status(theirs[cell.id], unit) != "missing" else None)
    nb.cells[notebooks.install_index(nb)].source += f"\n\n{LANGUAGE_LINE}"
    return nb


def page_text(path: Path) -> str:
    """Return a page of the edition that is written in Markdown."""
    if path.stem in ENGLISH_ONLY:
        _, _, rest = path.read_text("utf-8").partition("\n")
        return noted(f"# {ENGLISH_ONLY[path.stem]}\n{rest}", "none")
    theirs, ours = english(path), chinese(path)
    return "\n\n".join(with_notes((unit, ours.get(name)) for name, unit in theirs.items())) + "\n"


def anchors(text: str) -> list[list[str]]:
    r"""Return of each heading its id on the page, the name by which Markdown links to it, and its text.

    Examples
    --------
    >>> anchors("# One\n\n## Size of `x` · $k^2$\n")
    [['one', 'one', 'One'], ['size-of-x-k-2', 'size-of-x--', 'Size of x · k^2']]
    """
    found: list[list[str]] = []
    twice = 0
    for before, inline in pairwise(_MARKDOWN.parse(text)):
        if before.type == "heading_open":
            title = "".join(part.content for part in inline.children or [])
            words = [part.content for part in inline.children or [] if part.type in ("text", "code_inline")]
            slug = default_slugify("".join(words))
            name = nodes.make_id(nodes.fully_normalize_name(title))
            if name in (one[0] for one in found):  # as docutils does
                twice += 1
                name = f"id{twice}"
            found.append([name, slug, title])
    return found


def prose(path: Path) -> str:
    """Return the Markdown of a page or of a notebook's cells."""
    if path.suffix == ".md":
        return path.read_text("utf-8")
    cells = notebooks.load(path).cells
    return "\n\n".join(cell.source for cell in cells if cell.cell_type == "markdown")


def english_anchors(book: Book, path: Path) -> list[list[str]]:
    """Return the headings of an English page, with those of the lists that `d2lconv_book.frame` makes."""
    text = prose(path)
    if "<!-- chapters -->" in text:
        parts = yaml.safe_load((book.root / "_toc.yml").read_text("utf-8"))["parts"]
        headings = [f"### {part['caption']}" for part in parts]
        text = text.replace("<!-- chapters -->", "\n\n".join(headings))
    if "<!-- exercises -->" in text:
        found = [one for one in map(prose, book.chapters()) if "### Exercise " in one]
        text = text.replace(
            "<!-- exercises -->", "\n\n".join(f"#{one.partition(chr(10))[0]}" for one in found)
        )
    return anchors(text)


def config(english_config: dict[str, Any]) -> dict[str, Any]:
    """Return the edition's `_config.yml`, made of the English one."""
    new = copy.deepcopy(english_config)
    new["html"]["baseurl"] = new["html"]["baseurl"].rstrip("/") + "/zh/"
    sphinx = new["sphinx"]
    sphinx["local_extensions"] = {name: str(ROOT / path) for name, path in sphinx["local_extensions"].items()}
    settings = sphinx["config"]
    settings["extensions"].remove("notfound.extension")  # a host shows one page for all that is missing
    settings |= {"language": "zh_CN", "numfig_format": {"figure": "图%s"}}
    settings |= {name: in_chinese(settings[name]) for name in ("nb_code_prompt_show", "nb_code_prompt_hide")}
    # Matplotlib draws the cards, and no font that comes with it has Chinese characters.
    settings["ogp_social_cards"] = {"enable": False}
    settings["ogp_image"] = f"{new['html']['baseurl']}_static/card.png"
    return new


def replace(path: Path, texts: Mapping[str, str]) -> None:
    """Replace words in a file."""
    text = path.read_text("utf-8")
    for one, other in texts.items():
        text = text.replace(one, other)
    path.write_text(text, "utf-8")


def write(folder: Path) -> None:
    """Write the edition as a book of its own, ready to be rendered, into a folder that holds nothing else."""
    if folder.exists() and any(folder.iterdir()) and not (folder / "anchors.json").exists():
        raise ValueError(f"{folder} holds something else")
    shutil.rmtree(folder, ignore_errors=True)
    target = folder / "book"
    target.mkdir(parents=True)
    book = Book(ROOT)
    toc, settings = (yaml.safe_load((ROOT / name).read_text("utf-8")) for name in ("_toc.yml", "_config.yml"))
    toc["title"] = in_chinese(toc["title"])
    for part in toc["parts"]:
        part["caption"] = in_chinese(part["caption"])
    for name, content in (("_toc.yml", toc), ("_config.yml", config(settings))):
        (folder / name).write_text(yaml.safe_dump(content, allow_unicode=True, sort_keys=False), "utf-8")
    found = {}
    for path in book.pages():
        found[f"book/{path.stem}"] = english_anchors(book, path)
        text = notebooks.dumps(chapter(path)) if path.suffix == ".ipynb" else page_text(path)
        (target / path.name).write_text(text, "utf-8")
    (folder / "anchors.json").write_text(json.dumps(found, ensure_ascii=False), "utf-8")
    for name in ("_static", "_extra"):
        shutil.copytree(BOOK / name, target / name)
    for path in BOOK.glob("*.bib"):
        shutil.copy(path, target)
    replace(target / "downloads.md", {"d2lconv.pdf": "d2lconv-zh.pdf"})
    replace(target / "_static/cover.svg", {">input<": ">输入<", ">kernel<": ">卷积核<", ">output<": ">输出<"})
    replace(target / "_extra/index.html", {'lang="en"': 'lang="zh-Hans"', "Open the course": "打开课程"})
    catalog = folder / "locales" / "zh_CN" / "LC_MESSAGES"
    catalog.mkdir(parents=True)
    shutil.copy(CHINESE / "words.po", catalog / "sphinx.po")
    for name in PACKED:
        (folder / name).symlink_to(ROOT / name)


# ---- the command line ----


def pages() -> list[Path]:
    """Return the pages that are translated: all but the reference of the package and the bibliography."""
    return [page for page in Book(ROOT).pages() if page.stem not in ENGLISH_ONLY]


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
    parser.add_argument("command", choices=("check", "new", "stamp", "write"))
    parser.add_argument("page", nargs="?", help="name of a page, such as pooling; for write, a folder")
    parser.add_argument(
        "unit", nargs="*", help="for stamp: the units that translate today's English text, or all"
    )
    given = parser.parse_args(arguments)
    if given.command == "write":
        write(Path(given.page or ROOT / "_build" / "zh-source"))
        return 0
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
