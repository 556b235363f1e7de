"""Links to other sites: which are there, and what an answer means."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tools import links


@pytest.fixture(scope="module")
def other():
    """Serve another site: `/404` answers 404, `/later` fails once. Return its address and what was asked."""
    seen = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self):
            seen.append(self.path)
            code = 503 if self.path == "/later" and seen.count("/later") < 2 else self.path[1:]
            self.send_response(200 if code == "later" else int(code))
            self.end_headers()

        def log_message(self, *arguments):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}", seen
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("page", "state", "tries"),
    [
        ("200", "ok", 1),
        ("404", "broken", 1),
        ("410", "broken", 1),
        ("403", "refused", 1),
        ("429", "refused", 3),
        ("500", "broken", 3),
        ("later", "ok", 2),
    ],
)
def test_what_an_answer_means(other, page, state, tries):
    address, seen = other
    seen.clear()
    answer = links.follow(f"{address}/{page}", pause=0)
    assert answer.state == state
    assert state == "ok" or answer.reason.startswith(page)
    assert seen == [f"/{page}"] * tries


def test_a_site_that_is_not_there():
    answer = links.follow("http://127.0.0.1:9/", pause=0)
    assert answer.state == "broken"
    assert "refused" in answer.reason
    assert links.follow("http://[::1", pause=0).state == "broken"


def test_the_command_says_where_a_broken_link_stands(other, tmp_path, capsys, monkeypatch):
    address, _ = other
    site = tmp_path / "_build/html"
    (site / "_static").mkdir(parents=True)
    (site / "index.html").write_text(f'<a href="{address}/200#x">a</a><a href="b.html">b</a>')
    (site / "b.html").write_text(f'<a href="{address}/404">a</a><a href="{address}/403">a</a>')
    (site / "_static/theme.html").write_text(f'<a href="{address}/500">a template</a>')
    monkeypatch.setattr(links, "in_text", lambda text: set(text.split()))  # this site is on our own machine
    (tmp_path / "README.md").write_text(f"{address}/404")
    assert links.main([str(site)], root=tmp_path, pause=0) == 1
    assert capsys.readouterr().out.splitlines() == [
        f"refused: {address}/403 (403), in b.html",
        f"broken: {address}/404 (404 Not Found), in b.html and 1 more",
        "1 ok, 1 refused, 1 broken",
    ]
    (site / "b.html").unlink()
    (tmp_path / "README.md").unlink()
    assert links.main([str(site)], root=tmp_path, pause=0) == 0
    assert capsys.readouterr().out == "1 ok, 0 refused, 0 broken\n"


def test_without_a_book(tmp_path, capsys):
    with pytest.raises(SystemExit):
        links.main([str(tmp_path)], root=tmp_path)
    assert "has no index.html; run: make book" in capsys.readouterr().err
