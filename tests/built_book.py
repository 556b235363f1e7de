"""Build the book once for all tests that need it, and check what was built."""

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

import lxml.html
import yaml
from filelock import FileLock
from lxml.html import HtmlElement
from tools.notebooks import WIDGET_VIEW, load

ROOT = Path(__file__).parents[1]
BASE = urlsplit(yaml.safe_load((ROOT / "_config.yml").read_text(encoding="utf-8"))["html"]["baseurl"]).path
_REMOTE = re.compile(r"\s*(https?:|//|ftp:)", re.IGNORECASE)
_CSS_REMOTE = re.compile(r"url\(\s*['\"]?\s*(?:https?:)?//|@import\s+['\"]\s*(?:https?:)?//", re.IGNORECASE)
_LOADED = {
    "script": ("src",),
    "link": ("href",),
    "img": ("src", "srcset"),
    "source": ("src", "srcset"),
    "iframe": ("src",),
    "video": ("src", "poster"),
    "audio": ("src",),
    "embed": ("src",),
    "object": ("data",),
    "image": ("href", "xlink:href"),
    "use": ("href", "xlink:href"),
}

# by `make pdf`, as the workflow does that publishes the site
MADE_LATER = ("_downloads/d2lconv.pdf", "zh/_downloads/d2lconv-zh.pdf")


@dataclass(frozen=True)
class Build:
    """What the rendering of both editions said and made."""

    code: int
    log: str
    site: Path


def build(folder: Path) -> Build:
    """Build the book as `make book` does, into a folder; where another process did so already, use that."""
    done = folder / "build.json"
    with FileLock(folder / "build.lock"):
        if not done.exists():
            run = subprocess.run(
                [sys.executable, "-m", "tools.site", folder / "html"],
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                encoding="utf-8",
                cwd=ROOT,
                env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(ROOT / "src")},
            )
            done.write_text(json.dumps([run.returncode, run.stdout]), encoding="utf-8")
    code, log = json.loads(done.read_text(encoding="utf-8"))
    return Build(code, log, folder / "html")


def build_once(tmp_path_factory) -> Build:
    """Build the book into a temporary folder that all workers of a test run share."""
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent
    (folder / "book").mkdir(exist_ok=True)
    return build(folder / "book")


def pages_in_toc() -> list[str]:
    """Return the pages that `_toc.yml` lists, such as "book/index"."""
    toc = yaml.safe_load((ROOT / "_toc.yml").read_text(encoding="utf-8"))
    return [toc["root"], *(entry["file"] for part in toc["parts"] for entry in part["chapters"])]


def figures_in_toc() -> dict[str, list[str]]:
    """Return, for each page with interactive figures, their names in order."""
    found = {}
    for name in pages_in_toc():
        path = ROOT / f"{name}.ipynb"
        outputs = [o for cell in load(path).cells for o in cell.get("outputs", [])] if path.exists() else []
        names = [o.data["text/plain"] for o in outputs if WIDGET_VIEW in o.get("data", {})]
        if names:
            found[name] = names
    return found


def parse(path: Path) -> HtmlElement:
    """Return a page's elements."""
    return lxml.html.document_fromstring(path.read_text(encoding="utf-8"))


def markup(element: HtmlElement) -> str:
    """Return an element as it could be written."""
    return lxml.html.tostring(element, encoding="unicode", with_tail=False)


def pages(site: Path) -> list[Path]:
    """Return the pages of a built book; the theme leaves templates among its static files."""
    return [path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts]


def warnings(log: str) -> list[str]:
    """Return the lines of a build log that report a problem."""
    return re.findall(r"^.*\b(?:WARNING|ERROR|CRITICAL|Traceback)\b.*$", log, re.MULTILINE)


def loads_from_elsewhere(site: Path) -> list[str]:
    """Return what pages and style sheets load from other hosts. Links to follow may lead anywhere."""
    found = []
    for path in pages(site):
        page = parse(path)
        for tag, attributes in _LOADED.items():
            for element in page.iter(tag):
                if tag == "link" and element.get("rel") in ("canonical", "alternate"):
                    continue
                values = " ".join(element.get(attribute) or "" for attribute in attributes)
                if any(_REMOTE.match(value) for value in values.split()):
                    found.append(f"{path.relative_to(site)}: <{tag}> {values.strip()}")
        styles = [style.text_content() for style in page.iter("style")]
        styles += [element.get("style") for element in page.iterfind(".//*[@style]")]
        found += [f"{path.relative_to(site)}: {style}" for style in styles if _CSS_REMOTE.search(style)]
    for path in sorted(site.rglob("*.css")):
        found += [
            f"{path.relative_to(site)}: {match[0]}"
            for match in _CSS_REMOTE.finditer(path.read_text(encoding="utf-8"))
        ]
    return found


def broken_links(site: Path) -> list[str]:
    """Return links and sources within the site that lead to no file or no element."""
    found = {path.resolve(): parse(path) for path in pages(site)}
    anchors = {
        path: {value for element in page.iter("*") for value in (element.get("id"), element.get("name"))}
        for path, page in found.items()
    }
    broken = []
    for path, page in found.items():
        for element in page.iter("a", "link", "script", "img"):
            target = element.get("href") or element.get("src") or ""
            parts = urlsplit(target)
            if not target or parts.scheme or parts.netloc:
                continue
            there = (path.parent / unquote(parts.path)).resolve() if parts.path else path
            if parts.path.startswith("/"):  # on the 404 page, which is shown at any address
                there = (site / unquote(parts.path).removeprefix(BASE)).resolve()
            if there.is_dir():
                there /= "index.html"
            fragment = unquote(parts.fragment)
            if there.name == "practice.html" and re.fullmatch(r"\w+\.\d+\.\d+", fragment):
                fragment = ""  # names problems, which a script makes
            if there in [site.resolve() / name for name in MADE_LATER]:
                continue
            if not there.is_file() or (fragment and there in anchors and fragment not in anchors[there]):
                broken.append(f"{path.relative_to(site.resolve())}: {target}")
    return broken


def without_description(site: Path) -> list[str]:
    """Return images and drawings that say nothing to those who cannot see them."""
    found = []
    for path in pages(site):
        page = parse(path)
        silent = [image for image in page.iter("img") if not image.get("alt", "").strip()]
        silent += [
            drawing
            for drawing in page.cssselect("article svg")
            if not (drawing.get("role") == "img" and drawing.get("aria-label", "").strip())
        ]
        found += [f"{path.relative_to(site)}: {markup(element)[:120]}" for element in silent]
    return found


def sideways(page) -> int:
    """Return by how many pixels a page is wider than its window; Furo's menu lies outside, and is cut off."""
    return page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
