"""Drills: each result is PyTorch's, typical wrong results are wrong, and an address fixes the problems."""

import json
import re
from collections import defaultdict

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from d2lconv.language import catalogue
from d2lconv.questions import web

FAMILIES = ["size", "padding", "same", "parameters", "macs", "field", "cell", "pooling", "gradient"]
MANY = 150  # problems of each family and level

MAKE = """({FAMILIES, problem}, [seeds, levels]) => {
  const one = (family, level, seed) => ({family, level, seed, ...problem(family, level, seed)});
  const all = (family) => levels.flatMap((level) => seeds.map((seed) => one(family, level, seed)));
  return JSON.stringify(Object.keys(FAMILIES).flatMap(all));
}"""


@pytest.fixture(scope="module")
def make(browser):
    """Return a function that makes problems of all families, perhaps by a script that is changed."""
    page = browser.new_page()

    def run(seeds, *replaced, language="en"):
        script = web.script("drill.js", language)
        for good, bad in replaced:
            assert script.count(good) == 1, good
            script = script.replace(good, bad)
        inner = script.removesuffix("})();\n") + "return {FAMILIES, problem}; })()"
        return json.loads(page.evaluate(f"(data) => ({MAKE})({inner}, data)", [list(seeds), [1, 2, 3]]))

    yield run
    page.close()


@pytest.fixture(scope="module")
def problems(make):
    return make(range(MANY))


def image(rows):
    return torch.tensor(rows, dtype=torch.float64)[None, None]


def same(n, k, s, d):
    """Return the zeros before and after, by trying: the fewest with which enough windows fit."""
    windows = -(-n // s)
    for total in range(100):
        if (n + total - d * (k - 1) - 1) // s + 1 >= windows and n + total > d * (k - 1):
            return [total // 2, total - total // 2]
    return None


def padding(n, m, k, s, d):
    found = [p for p in range(2 * d * k) if layer(n, k, s, p, d) == m]
    assert len(found) == 1, "several paddings do it"
    return found[0]


def layer(n, k, s, p, d):
    return F.conv1d(torch.zeros(1, 1, n), torch.zeros(1, 1, k), stride=s, padding=p, dilation=d).shape[-1]


def parameters(a, b, h, w, groups):
    found = nn.Conv2d(a, b, (h, w), groups=groups)
    return [found.weight.numel(), found.bias.numel()]


def macs(a, b, k, n, s, p):
    found = nn.Conv2d(a, b, k, stride=s, padding=p, device="meta")
    return found.weight.numel() * found(torch.zeros(a, n, n, device="meta"))[0].numel()


def field(layers):
    X = torch.zeros(1, 1, 120, requires_grad=True)
    Y = X
    for k, s in layers:
        Y = F.conv1d(Y, torch.ones(1, 1, k), stride=s)
    (paths,) = torch.autograd.grad(Y[0, 0, 0], X)
    return int((paths > 0).sum())


def gradient(X, G, k, u, v):
    K = torch.zeros(1, 1, k, k, dtype=torch.float64, requires_grad=True)
    (slopes,) = torch.autograd.grad((F.conv2d(image(X), K) * image(G)).sum(), K)
    return slopes[0, 0, u, v].item()


WORKED_OUT = {
    "size": layer,
    "padding": padding,
    "same": same,
    "parameters": parameters,
    "macs": macs,
    "field": field,
    "cell": lambda X, K, r, c: F.conv2d(image(X), image(K))[0, 0, r, c].item(),
    "pooling": lambda n, k, s, p: F.max_pool1d(torch.zeros(1, n), k, s, p, ceil_mode=True).shape[-1],
    "gradient": gradient,
}


def wrong(problems):
    """Return the problems whose result is not what PyTorch gives."""
    return [one for one in problems if WORKED_OUT[one["family"]](**one["given"]) != one["right"]]


def test_results_are_those_of_pytorch(problems):
    assert {one["family"] for one in problems} == set(FAMILIES) == set(WORKED_OUT)
    assert wrong(problems) == []


@pytest.mark.parametrize(
    ("good", "bad"),
    [
        ("Math.floor((n + 2 * p - span(k, d)) / s) + 1", "Math.ceil((n + 2 * p - span(k, d)) / s) + 1"),
        ("(up - 1) * s >= n + p ? up - 1 : up", "up"),
        ("(b * a * h * w) / groups", "b * a * h * w"),
        (
            "const before = (n) => product(layers.slice(0, n)",
            "const before = (n) => product(layers.slice(0, n + 1)",
        ),
    ],
)
def test_a_wrong_result_is_noticed(make, good, bad):
    assert wrong(make(range(MANY), (good, bad)))


def test_typical_wrong_results_are_wrong_and_each_is_explained(problems):
    counts = defaultdict(list)
    for one in problems:
        results = [json.dumps(gives) for gives, _ in one["wrong"]]
        assert json.dumps(one["right"]) not in results
        assert len(set(results)) == len(results)
        assert all(text.endswith(".") for _, text in one["wrong"])
        assert 2 <= len(one["steps"]) <= 5
        assert "undefined" not in one["prompt"] + "".join(one["steps"])
        assert "NaN" not in one["prompt"] + "".join(one["steps"])
        counts[one["family"], one["level"]].append(len(results))
    few = {key: sum(found) / len(found) for key, found in counts.items()}
    assert min(few.values()) >= 1.5, few


def texts_of(one):
    """Return all that a problem says, in order."""
    return [one["prompt"], *one["steps"], *one.get("parts", ()), *(why for _, why in one["wrong"])]


def test_chinese_problems_are_the_same_and_say_the_same_in_chinese(make):
    seeds = range(40)
    for english, chinese in zip(make(seeds), make(seeds, language="zh"), strict=True):
        assert [chinese[key] for key in ("given", "right")] == [english[key] for key in ("given", "right")]
        assert [gives for gives, _ in chinese["wrong"]] == [gives for gives, _ in english["wrong"]]
        for text, said in zip(texts_of(english), texts_of(chinese), strict=True):
            assert sorted(re.findall(r"\d+", text)) == sorted(re.findall(r"\d+", said)), (text, said)
            assert bool(re.search(r"[\u4e00-\u9fff]", said)) == bool(re.search(r"[a-z]{2}", text)), (
                text,
                said,
            )
            assert not re.search(r"[A-Za-z]{2,} [a-z]{2,}", said), said


def test_no_sentence_is_translated_that_no_problem_says():
    script = web.script("drill.js", "zh")
    for text, said in catalogue("zh", "drills").items():
        assert re.split(r"\{\d*\}", said)[0] in script, text


def test_levels_add_something_and_problems_differ(problems):
    for family in FAMILIES:
        prompts = [
            [one["prompt"] for one in problems if one["family"] == family and one["level"] == n]
            for n in (1, 2, 3)
        ]
        shown = [
            [json.dumps(one["given"]) for one in problems if one["family"] == family and one["level"] == n]
            for n in (1, 2, 3)
        ]
        assert prompts[0] != prompts[1] or shown[0] != shown[1]
        assert shown[1] != shown[2]
        few = 4 if family == "padding" else 25
        assert all(len(set(given)) >= few for given in shown), (family, [len(set(given)) for given in shown])


def test_address_fixes_the_problems(make):
    assert make([350, 351]) == make([350, 351])
    assert make([350])[0]["prompt"] != make([351])[0]["prompt"]
