"""Follow the links to other sites, from the rendered book and the texts beside it: `make links`.

    python -m tools.links [SITE]

A link is broken if its site says so (404, 410 and the like) or cannot be reached three times. Sites that
answer people and refuse programs (401, 403, 429) are listed, and do not count as broken. Of a DOI it is asked
whether it exists, since many publishers refuse programs; of a link to Colab, whether the notebook lies where
it leads. Places within a page (`#…`) are not looked for.
"""

import argparse
import http.client
import re
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from bs4 import BeautifulSoup

ROOT = Path(__file__).parents[1]
TEXTS = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md", "CITATION.cff")
HEADERS = {"User-Agent": "Mozilla/5.0 (compatible; d2lconv link check)", "Accept": "*/*"}
TRIES, PAUSE, TIMEOUT = 3, 5.0, 30.0
REFUSED = (401, 403, 405, 406, 418, 429)

_IN_TEXT = re.compile(r"https?://(?!127\.0\.0\.1|localhost)[^\s<>()\"'`\]]+")
_INSTEAD = (
    (re.compile(r"https?://(?:dx\.)?doi\.org/(10\..+)"), r"https://doi.org/api/handles/\1"),
    (
        re.compile(r"https://colab\.research\.google\.com/github/([^/]+/[^/]+/blob/.+)"),
        r"https://github.com/\1",
    ),
)


class Answer(NamedTuple):
    """What became of one link: ``ok``, ``refused`` or ``broken``, and why."""

    state: str
    reason: str = ""


def in_text(text: str) -> set[str]:
    """Return the addresses of other sites in a plain text or Markdown, not those of the reader's own machine.

    >>> in_text("make serve, then <http://127.0.0.1:8000>")
    set()
    >>> sorted(in_text("[a](https://a.example/b_(c)#d), <http://e.example/>. See https://f.example."))
    ['http://e.example/', 'https://a.example/b_', 'https://f.example']
    """
    return {address.partition("#")[0].rstrip(".,;:") for address in _IN_TEXT.findall(text)}


def in_page(html: str) -> set[str]:
    """Return the addresses of other sites that a page's links lead to.

    >>> in_page('<a href="https://a.example/b_(c)#d">x</a> <a href="other.html">y</a> http://e.example/')
    {'https://a.example/b_(c)'}
    """
    found = BeautifulSoup(html, "html.parser").find_all("a", href=True)
    addresses = {str(element["href"]).partition("#")[0] for element in found}
    return {address for address in addresses if address.startswith(("https://", "http://"))}


def asked(address: str) -> str:
    """Return the address that tells whether a link leads somewhere.

    >>> asked("https://doi.org/10.24432/C50P49")
    'https://doi.org/api/handles/10.24432/C50P49'
    >>> asked("https://colab.research.google.com/github/ann/d2lconv/blob/main/book/vgg.ipynb")
    'https://github.com/ann/d2lconv/blob/main/book/vgg.ipynb'
    """
    for pattern, instead in _INSTEAD:
        if found := pattern.fullmatch(address):
            return found.expand(instead)
    return address


def follow(address: str, *, pause: float = PAUSE) -> Answer:
    """Follow one link, more than once where that may help.

    Parameters
    ----------
    address : str
        The link.
    pause : float
        Seconds before the second try; before the third it is twice as long.
    """
    answer = Answer("broken")
    for number in range(TRIES):
        time.sleep(pause * number)
        try:
            with urllib.request.urlopen(
                urllib.request.Request(asked(address), headers=HEADERS), timeout=TIMEOUT
            ):
                return Answer("ok")
        except urllib.error.HTTPError as error:
            if error.code in REFUSED and error.code != 429:
                return Answer("refused", str(error.code))
            answer = Answer("refused" if error.code == 429 else "broken", f"{error.code} {error.reason}")
            if error.code < 500 and error.code != 429:
                return answer
        except (OSError, ValueError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            answer = Answer("broken", f"{type(error).__name__}: {reason}")
    return answer


def collect(site: Path, texts: Iterable[Path]) -> dict[str, list[str]]:
    """Return the links of a rendered book and of texts, with the places where each stands."""
    places: dict[str, list[str]] = {}
    pages = (path for path in sorted(site.rglob("*.html")) if "_static" not in path.relative_to(site).parts)
    found = [(path.relative_to(site).as_posix(), in_page(path.read_text("utf-8"))) for path in pages]
    found += [(path.name, in_text(path.read_text("utf-8"))) for path in texts if path.exists()]
    for place, addresses in found:
        for address in sorted(addresses):
            places.setdefault(address, []).append(place)
    return places


def main(arguments: Sequence[str] | None = None, *, root: Path = ROOT, pause: float = PAUSE) -> int:
    """Follow all links; return 1 if one is broken."""
    parser = argparse.ArgumentParser(prog="python -m tools.links", description="Follow links to other sites.")
    parser.add_argument("site", nargs="?", type=Path, default=root / "_build/html", help="the rendered book")
    site = parser.parse_args(arguments).site
    if not (site / "index.html").is_file():
        parser.error(f"{site} has no index.html; run: make book")
    places = collect(site, (root / name for name in TEXTS))
    with ThreadPoolExecutor(8) as pool:
        answers = dict(
            zip(places, pool.map(lambda address: follow(address, pause=pause), places), strict=True)
        )
    for state in ("refused", "broken"):
        for address, answer in answers.items():
            if answer.state == state:
                more = f" and {len(places[address]) - 1} more" if len(places[address]) > 1 else ""
                print(f"{state}: {address} ({answer.reason}), in {places[address][0]}{more}")
    states = [answer.state for answer in answers.values()]
    print(f"{states.count('ok')} ok, {states.count('refused')} refused, {states.count('broken')} broken")
    return 1 if "broken" in states else 0


if __name__ == "__main__":
    sys.exit(main())
