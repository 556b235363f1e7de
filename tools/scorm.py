"""Pack a chapter's questions for a learning platform: `python -m tools.scorm`, `make scorm CHAPTER=pooling`.

A package of SCORM 1.2 is a zip with a manifest that lists its files. The page in it holds the questions and
those exercises that need no code, as the built book shows them, with the same scripts. For Chinese packages
the site is the folder of that edition, `_build/html/zh`.
"""

import argparse
import sys
import zipfile
from collections.abc import Iterator
from html import escape
from pathlib import Path
from urllib.parse import urljoin
from xml.etree import ElementTree as ET

from bs4 import BeautifulSoup, Tag

IMSCP = "http://www.imsproject.org/xsd/imscp_rootv1p1p2"
ADLCP = "http://www.adlnet.org/xsd/adlcp_rootv1p2"
POLICY = "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; base-uri 'none'"
HEAD = """\
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{policy}">
<meta name="viewport" content="width=device-width">
<title>{name}</title>
<link rel="stylesheet" href="style.css">
<script src="scorm.js" defer></script>"""
STYLE = """
body { margin: 0 auto; padding: 0 1rem 2rem; max-width: 46rem; font: 1rem/1.6 system-ui, sans-serif;
  background: var(--d2l-paper); color: var(--d2l-ink); }
a { color: inherit; }
pre { overflow-x: auto; }
code, pre { font-size: 0.9em; }
.table-wrapper, .math-wrapper { overflow-x: auto; }
.d2l-score { position: sticky; top: 0; margin: 0; padding: 0.4rem 0; background: var(--d2l-paper); }
"""


class PackageError(Exception):
    """A chapter cannot be packed; the message says why."""


# ---- the page ----


def parts_of(page: Tag, address: str) -> Iterator[str]:
    """Yield the questions of a built page, and its closed exercises with headings and prompts, as HTML."""
    for link in page.select("article a[href]"):
        link["href"] = urljoin(address, str(link["href"]))
        link["target"], link["rel"] = "_blank", "noopener"
    for question in page.select(".d2l-ask:not(.d2l-exercise, [data-here])"):
        yield str(question)
    for form in page.select(".d2l-exercise"):
        section = form.find_parent("section")
        assert isinstance(section, Tag)
        heading, *prompt = [one for one in section.find_all(recursive=False) if form not in one.descendants]
        prompt = [one for one in prompt if one in form.find_all_previous()]
        if pictures := [image["src"] for one in prompt for image in one.find_all("img")]:
            raise PackageError(f"{form['data-ask']} shows {pictures[0]}, and packages hold no pictures yet")
        heading.name = "h2"
        yield "\n".join(map(str, (heading, *prompt, form)))


def page_of(site: Path, chapter: str) -> tuple[str, str, str]:
    """Return the language of a chapter, its title, and the page of its package."""
    path = site / "book" / f"{chapter}.html"
    page = BeautifulSoup(path.read_text("utf-8"), "html.parser")
    if not page.select(".d2l-ask"):
        raise PackageError(f"{path} holds no questions")
    address, title = page.select_one("link[rel=canonical]"), page.select_one("h1")
    assert address
    assert title
    for other in page.select(".headerlink, .section-number, .eqno"):
        other.decompose()
    name = escape(title.get_text().strip())
    language = str(page.html["lang"]) if page.html else "en"
    head = HEAD.format(policy=POLICY, name=name)
    body = "\n".join(parts_of(page, str(address["href"])))
    score = '<p class="d2l-score" role="status"></p>'
    text = f"<body><main>\n<h1>{name}</h1>\n{score}\n{body}\n</main></body>"
    return (
        language.partition("-")[0],
        title.get_text().strip(),
        f'<!DOCTYPE html>\n<html lang="{language}">\n<head>\n{head}\n</head>\n{text}\n</html>\n',
    )


# ---- the package ----


def manifest_of(name: str, title: str, files: list[str]) -> bytes:
    """Return the manifest: one unit to be learned, which is the first of the files.

    It names no files of schemas (`xsi:schemaLocation`), which would then have to lie in the package:
    platforms know the schemas by their namespaces.
    """
    ET.register_namespace("", IMSCP)
    ET.register_namespace("adlcp", ADLCP)

    def add(parent: ET.Element, tag: str, text: str = "", **attributes: str) -> ET.Element:
        element = ET.SubElement(parent, f"{{{IMSCP}}}{tag}", attributes)
        element.text = text or None
        return element

    root = ET.Element(f"{{{IMSCP}}}manifest", {"identifier": name, "version": "1.0"})
    metadata = add(root, "metadata")
    add(metadata, "schema", "ADL SCORM")
    add(metadata, "schemaversion", "1.2")
    organization = add(add(root, "organizations", default="course"), "organization", identifier="course")
    add(organization, "title", f"d2lconv: {title}")
    add(add(organization, "item", identifier="item", identifierref="page"), "title", title)
    resource = add(add(root, "resources"), "resource", identifier="page", type="webcontent", href=files[0])
    resource.set(f"{{{ADLCP}}}scormtype", "sco")
    for file in files:
        add(resource, "file", href=file)
    ET.indent(root)
    written: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return written


def pack(site: Path, chapter: str, folder: Path) -> Path:
    """Write the package of a chapter of the built book into a folder, and return its path."""
    language, title, page = page_of(site, chapter)
    package_name = f"d2lconv-{chapter}" if language == "en" else f"d2lconv-{chapter}-{language}"
    styles = [(site / "_static" / name).read_text("utf-8") for name in ("palette.css", "ask.css")]
    script = (site / "_static/scorm.js").read_text("utf-8")
    files: dict[str, str | bytes] = {
        "index.html": page,
        "style.css": "\n".join([*styles, STYLE]),
        "scorm.js": script,
    }
    path = folder / f"{package_name}.zip"
    folder.mkdir(parents=True, exist_ok=True)
    manifest = manifest_of(package_name, title, list(files))
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as package:
        for name, content in {"imsmanifest.xml": manifest, **files}.items():
            entry = zipfile.ZipInfo(name)  # of no day: the same each time
            package.writestr(entry, content, zipfile.ZIP_DEFLATED)
    return path


def main() -> None:
    """Pack the chapters that are named, or all that ask something."""
    parser = argparse.ArgumentParser(prog="python -m tools.scorm", description=__doc__.partition("\n")[0])
    parser.add_argument("site", type=Path, help="folder of the built book")
    parser.add_argument("folder", type=Path, help="where the packages go")
    parser.add_argument("chapters", nargs="*", metavar="CHAPTER")
    arguments = parser.parse_args()
    files = sorted(arguments.site.glob("book/questions/*.js"))
    known = list(dict.fromkeys(path.name.partition(".")[0] for path in files))
    for chapter in arguments.chapters or known:
        if chapter not in known:
            sys.exit(f"There is no chapter {chapter!r} with questions; there are {', '.join(known)}.")
        try:
            print(pack(arguments.site, chapter, arguments.folder))
        except PackageError as error:
            sys.exit(str(error))


if __name__ == "__main__":
    main()
