"""How many images a second the page's own training learns from, beside PyTorch on one thread and ConvNetJS.

All train LeNet on the digits in batches of 32, with momentum and without validation, by turns in one run.
What counts is the processor time of the one thread that computes, so the numbers hold on a machine that does
other things too. Nothing asserts on them.

    python -m benchmarks.training_in_the_page
    npm pack convnetjs && tar xzf convnetjs-*.tgz
    python -m benchmarks.training_in_the_page package/build/convnet.js    # beside ConvNetJS
"""

import argparse
import functools
import statistics
import threading
import time
from collections.abc import Callable
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import torch
from playwright.sync_api import CDPSession, Page, sync_playwright
from tools.browser import ARGUMENTS, find_browser
from torch.nn import functional as F

from d2lconv.data import batches, load_digits
from d2lconv.models import LeNet
from d2lconv.widgets.base import FOLDER
from d2lconv.widgets.training import packed

ROUNDS = 3
NETWORKS = [("relu", "max"), ("relu", "avg"), ("sigmoid", "max"), ("sigmoid", "avg"), ("tanh", "avg")]

SET_UP = """async ({pixels, labels}) => {
  const digits = await import("../lenet/digits.js");
  const {Training} = await import("../lenet/sgd.js");
  const train = {images: digits.readDigits(pixels).map(digits.enlarge), labels: Array.from(labels, Number)};
  const images = train.images.length;
  window.ours = (activation, pooling) => {
    const sgd = {lr: 0.02, momentum: 0.9, batch_size: 32, weight_decay: 0, shifts: false, seed: 0};
    const work = new Training({activation, pooling, ...sgd}, train, {images: [], labels: []}).run();
    return () => {
      for (let step = 0; step < Math.ceil(images / 32) - 1; ) step += work.next().value ? 1 : 0;
      while (!work.next().value);
    };
  };
  window.theirs = (activation, kind) => {
    const net = new convnetjs.Net();
    const pool = {type: "pool", sx: 2, stride: 2};
    net.makeLayers([
      {type: "input", out_sx: 28, out_sy: 28, out_depth: 1},
      {type: "conv", sx: 5, filters: 6, stride: 1, pad: 2, activation}, pool,
      {type: "conv", sx: 5, filters: 16, stride: 1, activation}, pool,
      {type: "fc", num_neurons: 120, activation}, {type: "fc", num_neurons: 84, activation},
      {type: "softmax", num_classes: 10},
    ]);
    const trainer = new convnetjs.SGDTrainer(net, {learning_rate: 0.02, momentum: 0.9, batch_size: 32});
    const volumes = train.images.map((image) => {
      const volume = new convnetjs.Vol(28, 28, 1, 0);
      volume.w.set(image);
      return volume;
    });
    return () => volumes.forEach((volume, i) => trainer.train(volume, train.labels[i]));
  };
}"""


class QuietHandler(SimpleHTTPRequestHandler):
    """Serves without a word."""

    def log_message(self, *arguments: object) -> None:
        pass


def in_chromium(page: Page, session: CDPSession, maker: str, network: tuple[str, str]) -> Callable[[], float]:
    """Return a function that trains for an epoch and returns the processor time that it took."""
    name = f"{maker} {network}"
    page.evaluate(
        "([name, maker, network]) => void (window[name] = window[maker](...network))", [name, maker, network]
    )

    def spent() -> float:
        metrics = {one["name"]: one["value"] for one in session.send("Performance.getMetrics")["metrics"]}
        return float(metrics["ScriptDuration"])

    def epoch() -> float:
        before = spent()
        page.evaluate("(name) => new Promise((done) => setTimeout(() => done(window[name]())))", name)
        return spent() - before

    return epoch


def in_pytorch(network: tuple[str, str], dtype: torch.dtype) -> Callable[[], float]:
    """Return the same for PyTorch."""
    torch.manual_seed(0)
    model = LeNet(activation=network[0], pooling=network[1]).to(dtype)
    optimizer = torch.optim.SGD(model.parameters(), lr=0.02, momentum=0.9)
    ready = list(batches(load_digits().train, 32, generator=torch.Generator().manual_seed(0)))

    def epoch() -> float:
        began = time.thread_time()
        for images, labels in ready:
            optimizer.zero_grad()
            F.cross_entropy(model(images.to(dtype)), labels).backward()
            optimizer.step()
        return time.thread_time() - began

    return epoch


def main() -> None:
    """Measure all by turns, and print a line for each."""
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("convnetjs", nargs="?", type=Path, help="the script of ConvNetJS")
    options = parser.parse_args()
    torch.set_num_threads(1)
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(QuietHandler, directory=FOLDER))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_browser(), args=ARGUMENTS)
        page = browser.new_page()
        page.goto(f"http://127.0.0.1:{server.server_port}/shared/base.css")
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable", {"timeDomain": "threadTicks"})
        page.evaluate(SET_UP, packed(load_digits(size=8).train))
        ways = {f"page, {' '.join(one)}": in_chromium(page, session, "ours", one) for one in NETWORKS}
        if options.convnetjs:
            page.add_script_tag(path=options.convnetjs)
            ways["ConvNetJS, relu max"] = in_chromium(page, session, "theirs", ("relu", "max"))
        for one in NETWORKS[:2]:
            ways[f"PyTorch, 64 bits, {' '.join(one)}"] = in_pytorch(one, torch.float64)
        ways["PyTorch, 32 bits, relu max"] = in_pytorch(NETWORKS[0], torch.float32)
        seconds: dict[str, list[float]] = {name: [] for name in ways}
        for turn in range(ROUNDS + 1):
            for name, epoch in ways.items():
                spent = epoch()
                if turn:  # the first one is compiled on the way
                    seconds[name].append(spent)
        browser.close()
    server.shutdown()
    images = len(load_digits().train)
    print(f"{'images per second of processor time':36}  median    best")
    for name, values in seconds.items():
        print(f"{name:36}{images / statistics.median(values):8.0f}{images / min(values):8.0f}")


if __name__ == "__main__":
    main()
