"""The text reads well in the book, in Colab and on GitHub; links lead somewhere; pictures are described."""

import functools
import re
from collections import Counter
from itertools import pairwise
from urllib.parse import unquote

import nbformat
from tests.chapters.chapters import each_chapter, none_of, read
from tests.chapters.markdown import blocks, headings, inlines, plain, slug
from tools.book import Book
from tools.notebooks import label
from tools.translation import UNSPOKEN

MYST = {
    r"^:::": "a ::: block",
    r"^\([\w:.-]+\)=\s*$": "a (label)= target",
    r"^\+\+\+": "a +++ break",
    r"^% ": "a % comment",
    r"\{\{.+?\}\}": "a {{ substitution }}",
    r"\{[#.][\w-]+\}": "a {#id} or {.class} attribute",
    r"\[\^[\w-]+\]": "a [^footnote]",
}
ROLE = re.compile(r"\{[A-Za-z][\w:+.-]*\}$")
LATEX = re.compile(r"\\\(.+?\\\)|\\\[.+?\\\]|\\begin\{\w+\*?\}", re.DOTALL)
TAG = re.compile(r"<\s*/?\s*([a-zA-Z][\w-]*)")
ALLOWED_TAGS = {"br", "details", "kbd", "sub", "summary", "sup"}
NO_LINK = re.compile(
    r"\[[^\[\]]+\]\[[^\[\]]*\]|\[\[.+?\]\]|\[[^\[\]]+\]\([^()]*\)|<[^<>\s]+\.(?:ipynb|md)[^<>\s]*>"
)

FILE_NAME = re.compile(r"\S+\.(?:gif|jpe?g|png|svg|webp)|\S*[/_]\S*", re.IGNORECASE)
EMPTY_WORDS = re.compile(
    r"(?:an?\s|the\s)?(?:diagram|drawing|figure|graph|image|output|photo|picture|plot|screenshot)"
    r"(?:\s*\d+\W*$|\W*$|\s+(?:of|showing|that shows)\b)",
    re.IGNORECASE,
)


@each_chapter
def test_commonmark_only(chapter):
    """GitHub and Colab would show the source of MyST's directives, roles and other extensions."""
    none_of(
        chapter.problem(index, f"{what} works in MyST only; write CommonMark")
        for index, cell in chapter.prose()
        for what in _myst(cell.source)
    )


def _myst(source):
    yield from (what for pattern, what in MYST.items() if re.search(pattern, plain(source), re.MULTILINE))
    for token in blocks(source):
        if token.type == "fence" and token.info.startswith("{"):
            yield f"a directive ({token.info.split()[0]})"
    for before, code in pairwise(inlines(source)):
        if code.type == "code_inline" and before.type == "text" and (role := ROLE.search(before.content)):
            yield f"a role ({role[0]})"


@each_chapter
def test_formulas_stand_in_dollars(chapter):
    none_of(
        chapter.problem(index, f"the formula {match[0]!r} isn't shown everywhere; write $…$ or $$…$$")
        for index, cell in chapter.prose()
        for match in [LATEX.search(plain(cell.source))]
        if match
    )


@each_chapter
def test_little_html(chapter):
    """Only a few harmless tags; in particular no scripts, styles, links and images."""
    none_of(
        chapter.problem(index, f"<{tag}> isn't allowed in prose; write Markdown")
        for index, cell in chapter.prose()
        for tag in sorted(_tags(cell.source) - ALLOWED_TAGS)
    )


def _tags(source):
    tokens = [*blocks(source), *inlines(source)]
    html = "\n".join(token.content for token in tokens if token.type in ("html_block", "html_inline"))
    return {tag.lower() for tag in TAG.findall(re.sub(r"<!--.*?-->", "", html, flags=re.DOTALL))}


@each_chapter
def test_links_resolve(chapter):
    """Links of every form have a text and lead, in the book, to a page of `_toc.yml` and a heading on it."""
    own = {slug(heading.text) for heading in headings(chapter.nb)}
    none_of(
        chapter.problem(index, f"the link to {target or 'nothing'} {wrong}")
        for index, cell in chapter.prose()
        for text, target in _links(cell.source)
        for wrong in [_wrong_link(text, target, chapter.path, own)]
        if wrong
    )


def _links(source):
    """Yield text and target of each link: inline, by reference, or in <…>; also what only looks like one."""
    text, target = [], None
    for token in inlines(source):
        if token.type == "link_open":
            text, target = [], str(token.attrs.get("href", ""))
        elif token.type == "link_close" and target is not None:
            yield "".join(text).strip(), target
            target = None
        else:
            text.append(token.content)
    for block in blocks(source):
        words = "".join(one.content if one.type == "text" else "\0" for one in block.children or [])
        yield from (("", match[0]) for match in NO_LINK.finditer(words))


def _wrong_link(text, target, path, own):
    """Return what is wrong with a link, or ''."""
    if target.startswith(("[", "<")):
        return "stands as typed: it has no target, or one that is not allowed"
    if not text:
        return "has no text"
    if re.match(r"https?://|mailto:", target):
        return ""
    if re.match(r"[a-z]+:|/", target):
        return "works on one machine or in MyST only; write [text](other.ipynb)"
    name, _, anchor = unquote(target).partition("#")
    page = (path.parent / name).resolve()
    if name and page not in _pages(path):
        return f"leads to no page of the book; there are: {', '.join(other.name for other in _pages(path))}"
    if (anchor or not name) and anchor not in (_anchors_of(page) if name else own):
        return f"leads to no heading of {name or 'this chapter'}"
    return ""


@functools.cache
def _pages(path):
    return Book.around(path).pages()


@functools.cache
def _anchors_of(page):
    """Return what a link to a page may have after `#`."""
    if page.suffix == ".ipynb":
        nb = read(page).nb
    else:
        nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_markdown_cell(page.read_text("utf-8"))])
    found = {slug(heading.text) for heading in headings(nb)}
    return found | Book.around(page).citation_keys() if page.stem == "bibliography" else found


@each_chapter
def test_images_lie_in_the_book(chapter):
    none_of(
        chapter.problem(index, f"there is no image {source} in the book")
        for index, _, source in _images(chapter)
        if not source.startswith("attachment:")
        and (re.match(r"[a-z]+:|/", source) or not (chapter.path.parent / source).is_file())
    )


@each_chapter
def test_figures_and_images_are_described(chapter):
    """An alt text stands in the metadata of the cell, so a cell shows one figure."""
    where = 'set it in the cell\'s metadata: "mystnb": {"image": {"alt": …}}'
    counts = Counter(_figures(chapter))
    problems = [
        chapter.problem(index, f"it shows {count} figures but has one alt text; split it")
        for index, count in counts.items()
        if count > 1
    ]
    described = [(index, _alt(chapter, index), "its figure's alt text", f"; {where}") for index in counts]
    described += [(index, alt, f"the alt text of {source}", "") for index, alt, source in _images(chapter)]
    for index, alt, what, hint in described:
        if wrong := _wrong_alt(alt):
            problems.append(chapter.problem(index, f"{what} {wrong}{hint}"))
    first: dict[str, int] = {}
    for index, alt, *_ in sorted(described):
        if alt and first.setdefault(alt, index) != index:
            same = label(chapter.nb, first[alt])
            problems.append(chapter.problem(index, f"its alt text is that of {same}; say what differs"))
    none_of(problems)


@each_chapter
def test_figures_have_captions(chapter):
    """A caption says what to notice; the page numbers it."""
    none_of(
        chapter.problem(
            index, f'its figure\'s caption {wrong}; set it as "mystnb": {{"figure": {{"caption": …}}}}'
        )
        for index in dict.fromkeys(_figures(chapter))
        if chapter.path.stem != "gallery"  # each figure there is a section of its own
        for caption in [
            chapter.nb.cells[index].metadata.get("mystnb", {}).get("figure", {}).get("caption", "")
        ]
        for wrong in [_wrong_caption(caption)]
        if wrong
    )


def _wrong_caption(caption):
    """Return what is wrong with a caption, or ''."""
    if not caption.strip():
        return "is missing"
    return f"has {len(caption)} characters, not 8 to 160" if not 8 <= len(caption) <= 160 else ""


def _figures(chapter):
    for index, output in chapter.outputs():
        if any(kind.startswith("image/") for kind in output.get("data", {})):
            yield index


def _alt(chapter, index):
    return chapter.nb.cells[index].metadata.get("mystnb", {}).get("image", {}).get("alt", "")


def _images(chapter):
    """Yield cell, alt text and source of each image in the prose."""
    for index, cell in chapter.prose():
        for token in inlines(cell.source):
            if token.type == "image":
                yield index, token.content, str(token.attrs.get("src", ""))


def _wrong_alt(alt):
    """Return what is wrong with an alt text, or ''."""
    alt = alt.strip()
    if not alt:
        return "is missing"
    if FILE_NAME.fullmatch(alt):
        return f"is a file name ({alt})"
    if EMPTY_WORDS.match(alt):
        return f"says only that it is a picture ({alt!r}); say what one sees"
    if not 8 <= len(alt) <= 300:
        return f"has {len(alt)} characters, not 8 to 300"
    if sign := UNSPOKEN.search(alt):
        return f"is read aloud, so say {sign[0]!r} in words"
    return ""
