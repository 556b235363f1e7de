"""A notebook in a real JupyterLab: a server, a page in the browser, and a second client of its kernel."""

import ast
import json
import os
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from pathlib import Path

import nbformat
from jupyter_client import BlockingKernelClient
from nbformat.v4 import new_code_cell, new_notebook
from playwright.sync_api import TimeoutError as TooLate
from tests.built_book import ROOT

KERNEL = {"kernelspec": {"name": "python3", "display_name": "Python 3", "language": "python"}}
QUIET = {"disabledExtensions": {"@jupyterlab/apputils-extension:announcements": True}}  # asks for news
PATIENCE = 180  # seconds until a server or kernel must have answered; they start slowly on a busy machine
_RAN = "/[\\d*]/.test(document.querySelector('.jp-InputPrompt').textContent)"


def wait_for(find, seconds=PATIENCE):
    """Call until there is an answer, and return it."""
    end = time.monotonic() + seconds
    while not (found := find()):
        if time.monotonic() > end:
            raise AssertionError(f"nothing after {seconds} s")
        time.sleep(0.1)
    return found


@contextmanager
def start_lab(folder: Path, python, code):
    """Start JupyterLab with one notebook of one cell and its kernel; yield its address and a client.

    Parameters
    ----------
    folder
        Where everything is kept: the user's own settings are neither read nor written.
    python
        The interpreter of the environment whose JupyterLab and kernel are used.
    code
        What stands in the cell.
    """
    for name in ("notebooks", "config/labconfig", "runtime"):
        (folder / name).mkdir(parents=True)
    sockets = tempfile.TemporaryDirectory(prefix="d2lconv-")  # a socket's path may not be long
    nbformat.write(new_notebook(cells=[new_code_cell(code)], metadata=KERNEL), folder / "notebooks/one.ipynb")
    (folder / "config/labconfig/page_config.json").write_text(json.dumps(QUIET), encoding="utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("JUPYTER")}
    environment |= {
        "IPYTHONDIR": str(folder / "ipython"),
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_DATA_DIR": str(folder / "data"),
        "JUPYTER_RUNTIME_DIR": str(folder / "runtime"),
        "PYTHONPATH": str(ROOT / "src"),
    }
    settings = {"ip": "127.0.0.1", "port": 0, "token": "secret", "root_dir": folder / "notebooks"}
    options = [f"--ServerApp.{name}={value}" for name, value in settings.items()]
    # Through files, since another process may take a port between its choice and the kernel's start.
    options += ["--KernelManager.transport=ipc", f"--KernelManager.ip={sockets.name}/kernel"]
    command = [python, "-m", "jupyterlab", "--no-browser", "--allow-root", *options]
    with sockets, (folder / "log").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(command, env=environment, stdout=log, stderr=subprocess.STDOUT)
        try:

            def address():
                assert server.poll() is None, (folder / "log").read_text(encoding="utf-8")[-2000:]
                files = list((folder / "runtime").glob("jpserver-*.json"))
                return files and files[0].read_text(encoding="utf-8")

            url = json.loads(wait_for(address))["url"]
            client = _start_kernel(url, folder / "runtime")
            yield f"{url}doc/tree/one.ipynb?token=secret", client
            client.stop_channels()
        finally:
            server.terminate()  # its kernels end with it
            server.wait(30)


def _start_kernel(url, runtime):
    """Start the kernel that the notebook will find when it is opened, and return a client of it."""
    session = {"path": "one.ipynb", "name": "one", "type": "notebook", "kernel": {"name": "python3"}}
    request = urllib.request.Request(
        f"{url}api/sessions",
        data=json.dumps(session).encode(),
        headers={"Authorization": "token secret", "Content-Type": "application/json"},
    )

    def start():
        try:
            with urllib.request.urlopen(request, timeout=PATIENCE) as answer:
                return json.load(answer)["kernel"]["id"]
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:  # it does not listen yet
            return None

    kernel = wait_for(start)
    client = BlockingKernelClient(connection_file=str(runtime / f"kernel-{kernel}.json"))
    client.load_connection_file()
    client.start_channels()

    def ready():
        try:
            client.wait_for_ready(timeout=PATIENCE)
        except RuntimeError:  # a kernel that has not started yet counts as dead
            return False
        return True

    wait_for(ready)
    return client


class Notebook:
    """The notebook, opened and run, and a second client of its kernel."""

    def __init__(self, page, address, client, shows=".d2l-view"):
        self.page = page
        self.client = client
        page.goto(address)
        self.run()
        page.locator(shows).wait_for(timeout=1000 * PATIENCE)

    def run(self):
        """Run the cell; several tries may be needed until all of the page is there."""
        # A cell run before the page knows its kernel is lost, and opens a dialog over the page.
        self.page.get_by_text("Python 3 (ipykernel) | Idle").wait_for(timeout=1000 * PATIENCE)
        editor = self.page.locator(".jp-CodeCell .jp-InputArea-editor").first
        for _ in range(PATIENCE // 2):
            try:
                editor.click(timeout=5000)  # a spinner may cover it for a while
                self.page.keyboard.press("Control+Enter")
                self.page.wait_for_function(_RAN, timeout=2000)
                return
            except TooLate:
                continue
        raise AssertionError(f"the cell was never run, the page shows: {self.page.inner_text('body')}")

    def ask(self, expression="None", after=""):
        """Run code in the kernel beside the notebook, as another client, and return an expression's value.

        The value comes with the reply: what a kernel prints is told to all clients, and may be missed.
        """
        asked = {"value": expression}
        reply = self.client.execute(after, user_expressions=asked, reply=True, timeout=PATIENCE)["content"]
        assert reply["status"] == "ok", reply
        value = reply["user_expressions"]["value"]
        assert value["status"] == "ok", value
        return ast.literal_eval(value["data"]["text/plain"])

    def do(self, code):
        """Run code in the kernel beside the notebook."""
        self.ask(after=code)

    def expect(self, expression, value):
        """Wait until an expression has some value in the kernel, where changes of the page arrive later."""
        wait_for(lambda: self.ask(expression) == value)

    def slider(self, name):
        """Return what the arrow keys move: ipywidgets 8 and 7 have different sliders."""
        box = self.page.locator(".widget-hslider", has_text=name)
        return box.locator(".noUi-handle, .ui-slider-handle")

    def readout(self, name):
        return self.page.locator(".widget-hslider", has_text=name).locator(".widget-readout")
