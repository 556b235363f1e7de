"""What the book says about itself: which pages it has, where its repository is, which works it cites."""

import difflib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import yaml  # type: ignore[import-untyped]
from sphinx_external_toc.parsing import MalformedError, parse_toc_yaml

_BIBTEX_KEY = re.compile(r"^\s*@\w+\s*\{\s*([^\s,]+)\s*,", re.MULTILINE)


class BookError(ValueError):
    """The book's own files (`_toc.yml`, `_config.yml`) lack something that the tools need."""


@dataclass(frozen=True)
class Repository:
    """Where the book's source lives, as `_config.yml` says: address and branch."""

    url: str
    branch: str = "main"

    def colab_url(self, page: str) -> str:
        """Return the address at which Colab opens a notebook, given by its path in the repository.

        Examples
        --------
        >>> Repository("https://github.com/d2lconv/d2lconv").colab_url("book/vgg.ipynb")
        'https://colab.research.google.com/github/d2lconv/d2lconv/blob/main/book/vgg.ipynb'
        """
        match = re.fullmatch(r"https://github\.com/([^/]+/[^/]+)", self.url)
        if match is None:
            raise BookError(
                f"_config.yml: repository url is {self.url!r}, but Colab opens notebooks only from "
                "https://github.com/<owner>/<name>"
            )
        return f"https://colab.research.google.com/github/{match[1]}/blob/{self.branch}/{page}"


@dataclass(frozen=True)
class Book:
    """A Jupyter Book: the folder of `_toc.yml` and `_config.yml`."""

    root: Path

    @classmethod
    def around(cls, path: Path) -> "Book":
        """Return the book that a file or folder belongs to: the nearest `_toc.yml` at or above it."""
        path = path.resolve()
        for folder in (path, *path.parents):
            if (folder / "_toc.yml").is_file():
                return cls(folder)
        raise BookError(f"no _toc.yml in {path} or above it")

    def entries(self) -> list[str]:
        """Return the entries of `_toc.yml` in reading order, as they stand there."""
        try:
            toc = parse_toc_yaml(self.root / "_toc.yml")
        except MalformedError as error:
            raise BookError(f"_toc.yml: {error}") from None

        def walk(name: str) -> Iterator[str]:
            yield name
            for child in toc[name].child_files():
                yield from walk(child)

        return list(walk(toc.root.docname))

    def page(self, entry: str) -> Path | None:
        """Return the file that an entry of `_toc.yml` names, or None if there is none."""
        paths = (self.root / f"{entry}{suffix}" for suffix in ("", ".ipynb", ".md"))
        return next((path for path in paths if path.is_file()), None)

    def pages(self) -> list[Path]:
        """Return the files of the book in reading order, without entries that have no file."""
        return [path for path in map(self.page, self.entries()) if path is not None]

    def chapters(self) -> list[Path]:
        """Return the notebooks of the book in reading order."""
        return [path for path in self.pages() if path.suffix == ".ipynb"]

    def drafts(self) -> list[Path]:
        """Return the notebooks beside the chapters that `_toc.yml` doesn't name."""
        folders = {page.parent for page in self.pages()} - {self.root}
        return sorted({path for folder in folders for path in folder.glob("*.ipynb")} - set(self.chapters()))

    def select(self, names: Sequence[str]) -> list[Path]:
        """Return the chapters and drafts with these names or paths, or without names every chapter."""
        missing = [entry for entry in self.entries() if self.page(entry) is None]
        if missing:
            raise BookError(f"_toc.yml names pages that don't exist: {', '.join(missing)}")
        known = {path.stem: path for path in [*self.chapters(), *self.drafts()]}
        stems = list(dict.fromkeys(Path(name).stem for name in names))
        for stem in stems:
            if stem not in known:
                near = sorted(known, key=lambda other: -difflib.SequenceMatcher(None, stem, other).ratio())
                raise BookError(f"no chapter is named {stem!r}; there are: {', '.join(near) or 'none'}")
        return [known[stem] for stem in stems] or self.chapters()

    def repository(self) -> Repository:
        """Return where the book's source lives, from `_config.yml`, the one place that says it."""
        path = self.root / "_config.yml"
        config = yaml.safe_load(path.read_text("utf-8")) if path.is_file() else {}
        found = (config or {}).get("repository") or {}
        if not found.get("url"):
            raise BookError("_config.yml: 'repository: url:' is missing; Colab links are made from it")
        return Repository(found["url"].rstrip("/").removesuffix(".git"), found.get("branch") or "main")

    def citation_keys(self) -> set[str]:
        """Return the keys of the works in the BibTeX files beside the pages."""
        folders = {page.parent for page in self.pages()}
        texts = [path.read_text("utf-8") for folder in folders for path in folder.glob("*.bib")]
        return {key for text in texts for key in _BIBTEX_KEY.findall(text)}
