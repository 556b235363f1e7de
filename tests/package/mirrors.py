"""Web servers on this machine that deliver files, or fail to in a chosen way."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Mirror:
    """Serves ``files``, contents by name, and counts in ``asked`` what it was asked for.

    ``faults`` says for a name what goes wrong: an HTTP status, ``"truncated"`` (the connection ends half
    way), ``"corrupted"`` (one byte is another), ``"stalled"`` (half of it comes, and no more until
    ``go_on`` is set), ``"endless"`` (more and more comes, and nothing says how much), or ``"trickle"`` (a
    byte at a time).
    """

    def __init__(self, files):
        self.files = files
        self.faults = {}
        self.asked = []
        self.go_on = threading.Event()
        self.half_sent = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.url = f"http://127.0.0.1:{self._server.server_port}/"

    def break_all(self, fault):
        self.faults = dict.fromkeys(self.files, fault)

    def _handler(mirror):  # noqa: N805 - self is the request's
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self):
                mirror._answer(self)

            def log_message(self, *_):
                pass

        return Handler

    def _answer(self, request):
        name = request.path[1:]
        self.asked.append(name)
        fault = self.faults.get(name)
        content = self.files.get(name)
        if isinstance(fault, int) or content is None:
            request.send_error(fault or 404)
            return
        if fault == "corrupted":
            content = content[:-1] + bytes([content[-1] ^ 1])
        request.send_response(200)
        if fault != "endless":
            request.send_header("Content-Length", str(len(content)))
        request.end_headers()
        half = len(content) // 2 if fault in {"truncated", "stalled"} else len(content)
        with contextlib.suppress(OSError):  # the other side is gone
            while fault in {"endless", "trickle"} and not self.go_on.wait(0.01):
                request.wfile.write(bytes(1 if fault == "trickle" else 2**16))
                request.wfile.flush()
            request.wfile.write(content[:half])
            if fault == "stalled":
                request.wfile.flush()
                self.half_sent.set()
                self.go_on.wait(60)
                request.wfile.write(content[half:])

    def __enter__(self):
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(self, *_):
        self.go_on.set()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def dead_address():
    """Return an address at which nobody listens."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{free.getsockname()[1]}/"
