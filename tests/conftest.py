"""A browser, a local server, and reports of what a page does when it is opened."""

import functools
import threading
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

import pytest
from playwright.sync_api import sync_playwright
from tests.built_book import build_once
from tests.chromium import ARGUMENTS, do_without, find_browser


@pytest.fixture(scope="session")
def site(tmp_path_factory):
    """Folder of the built book."""
    return build_once(tmp_path_factory).site


@pytest.fixture(scope="session")
def engines():
    """Start what drives browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def browser(request):
    """Start a headless Chromium; skip where none is installed, but never in CI."""
    path = find_browser()  # before the engines: a thread can hold one Playwright
    if path is None:
        do_without()
    browser = request.getfixturevalue("engines").chromium.launch(executable_path=path, args=ARGUMENTS)
    yield browser
    browser.close()


class QuietHandler(SimpleHTTPRequestHandler):
    def log_message(self, *arguments):
        pass


@pytest.fixture(scope="session")
def serve():
    """Return a function that serves a folder on localhost and returns its address."""
    servers = []

    def start(folder):
        handler = functools.partial(QuietHandler, directory=folder)
        server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server, thread in servers:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def visit(browser):
    """Return a function that opens a page and reports what went wrong; it returns the page and the report."""
    contexts = []

    def open_page(url, *, width=1280, scheme="light"):
        context = browser.new_context(viewport={"width": width, "height": 900}, color_scheme=scheme)
        contexts.append(context)
        problems = []

        def route(route):
            address = route.request.url
            if address.startswith(("file:", "data:", "blob:", "http://127.0.0.1:")):
                route.continue_()
            else:
                problems.append(f"request to {address}")
                route.abort()

        context.route("**/*", route)
        page = context.new_page()
        page.on("console", lambda message: message.type == "error" and problems.append(message.text))
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.on(
            "response",
            lambda answer: answer.status >= 400 and problems.append(f"{answer.status}: {answer.url}"),
        )
        page.goto(url, wait_until="load")
        page.wait_for_timeout(100)
        return page, problems

    yield open_page
    for context in contexts:
        context.close()
