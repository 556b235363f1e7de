"""Serve a built book as hosts do: compressed, from a folder of its own, with a page for what is missing."""

import gzip
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from mimetypes import guess_type
from pathlib import Path
from urllib.parse import unquote, urlsplit

_TEXT = ("text/", "application/javascript", "application/json", "application/xml", "image/svg+xml")
NOT_FOUND = "404.html"


@contextmanager
def serve(site: Path, *, under: str = "/") -> Iterator[str]:
    """Serve a folder on localhost while the block runs.

    Parameters
    ----------
    site
        Folder of the built book.
    under
        Folder of the host at which the book is, such as ``"/d2lconv/"`` on GitHub Pages.

    Yields
    ------
    str
        Address of the book, ending in ``/``.
    """

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            path = unquote(urlsplit(self.path).path)
            self._answer(_find(site, path.removeprefix(under)) if path.startswith(under) else None)

        def _answer(self, file: Path | None) -> None:
            status = 200 if file else 404
            file = file or site / NOT_FOUND
            body = file.read_bytes() if file.is_file() else b"not found"
            kind = guess_type(file.name)[0] or "application/octet-stream"
            packed = kind.startswith(_TEXT)
            if packed:
                body = gzip.compress(body)
            self.send_response(status)
            self.send_header("Content-Type", f"{kind}; charset=utf-8" if kind.startswith("text/") else kind)
            self.send_header("Content-Length", str(len(body)))
            if packed:
                self.send_header("Content-Encoding", "gzip")
            with suppress(ConnectionError):  # the reader left
                self.end_headers()
                self.wfile.write(body)

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}{under}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _find(site: Path, name: str) -> Path | None:
    """Return the file that an address names, never one outside the site."""
    file = (site / name.lstrip("/")).resolve()
    if file.is_dir():
        file /= "index.html"
    return file if file.is_file() and file.is_relative_to(site.resolve()) else None
