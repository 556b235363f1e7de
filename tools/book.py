"""What the book says about itself: which pages it has, where its repository is, which works it cites."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml  # type: ignore[import-untyped]

_BIBTEX_KEY = re.compile(r"^\s*@\w+\s*\{\s*([^\s,]+)\s*,", re.MULTILINE)


class BookError(Exception):
    """The book's own files (`_toc.yml`, `_config.yml`) lack something that the tools need."""


@dataclass(frozen=True)
class Repository:
    """Where the book's source lives, as `_config.yml` says it.

    Attributes
    ----------
    url : str
        Address of the repository, such as ``https://github.com/d2lconv/d2lconv``.
    branch : str
        Branch that readers' copies are taken from.
    folder : str
        Folder of `_config.yml` inside the repository, empty at its top.
    """

    url: str
    branch: str = "main"
    folder: str = ""

    def colab_url(self, page: str) -> str:
        """Address at which Colab opens a notebook of the book.

        Parameters
        ----------
        page : str
            Path of the notebook from the folder of `_config.yml`, with ``/``.

        Raises
        ------
        BookError
            If the repository isn't on GitHub, the only host that Colab opens notebooks from.

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
        path = "/".join(part for part in (self.folder, page) if part)
        return f"https://colab.research.google.com/github/{match[1]}/blob/{self.branch}/{path}"


@dataclass(frozen=True)
class Book:
    """A Jupyter Book: a folder with `_toc.yml` and `_config.yml`.

    Attributes
    ----------
    root : Path
        The folder.
    """

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
        """Entries of `_toc.yml` in reading order, as they stand there."""
        return list(_entries(_read_yaml(self.root / "_toc.yml")))

    def page(self, entry: str) -> Path | None:
        """Return the file that an entry of `_toc.yml` names, or None if there is none."""
        for suffix in ("", ".ipynb", ".md"):
            path = self.root / f"{entry}{suffix}"
            if path.is_file():
                return path
        return None

    def pages(self) -> list[Path]:
        """Files of the book in reading order; entries without a file are left out."""
        return [path for path in map(self.page, self.entries()) if path is not None]

    def chapters(self) -> list[Path]:
        """Notebooks of the book in reading order."""
        return [path for path in self.pages() if path.suffix == ".ipynb"]

    def drafts(self) -> list[Path]:
        """Notebooks that lie beside the chapters, but that `_toc.yml` doesn't name."""
        folders = {page.parent for page in self.pages()} - {self.root}
        found = {path for folder in folders for path in folder.glob("*.ipynb")}
        return sorted(found - set(self.chapters()))

    def repository(self) -> Repository:
        """Where the book's source lives, from `_config.yml`: the one place where that address stands."""
        config = _read_yaml(self.root / "_config.yml")
        found = (config or {}).get("repository") or {}
        if not found.get("url"):
            raise BookError("_config.yml: 'repository: url:' is missing; Colab links are made from it")
        url = found["url"].rstrip("/").removesuffix(".git")
        return Repository(url, found.get("branch") or "main", (found.get("path_to_book") or "").strip("/"))

    def citation_keys(self) -> set[str]:
        """Keys of the works in the BibTeX files beside the pages."""
        folders = {page.parent for page in self.pages()}
        texts = [path.read_text("utf-8") for folder in folders for path in folder.glob("*.bib")]
        return {key for text in texts for key in _BIBTEX_KEY.findall(text)}


def _read_yaml(path: Path) -> Any:
    try:
        return yaml.safe_load(path.read_text("utf-8"))
    except FileNotFoundError:
        raise BookError(f"{path.name} is missing in {path.parent}") from None


def _entries(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key in ("root", "file") and isinstance(value, str):
                yield value
            else:
                yield from _entries(value)
    elif isinstance(node, list):
        for item in node:
            yield from _entries(item)
