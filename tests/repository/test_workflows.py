"""GitHub's workflows run pinned code with few rights, and their tools say what they find.

Each rule is a function from text to a list of faults, so that tests can show it a bad one.
"""

import json
import re
import sys
from pathlib import Path

import pytest
import torch
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from tools import published, weekly
from tools.github import GitHubError, gh

from d2lconv.training import __main__ as command

ROOT = Path(__file__).parents[2]
FOLDER = ROOT / ".github" / "workflows"
NAMES = ("ci", "pages", "weekly")
TEXTS = {name: (FOLDER / f"{name}.yml").read_text(encoding="utf-8") for name in NAMES}
WORKFLOWS = {name: yaml.safe_load(text) for name, text in TEXTS.items()}

# What a job may do beyond reading the repository.
RIGHTS = {
    ("pages", "deploy"): {"pages": "write", "id-token": "write"},
    ("weekly", "report"): {"contents": "read", "issues": "write"},
}
COMMANDS = re.compile(r"make [\w./-]+( [a-z]+)*( PINS=\w+)?|(\.venv/bin/python|python3) -m [\w.]+( [\w-]+)*")


def pin_faults(text):
    """List actions that are not pinned by a commit with its version beside it."""
    used = re.findall(r"^\s*(?:- )?uses:\s*(.*?)\s*$", text, flags=re.MULTILINE)
    return [use for use in used if not re.fullmatch(r"[\w.-]+/[\w./-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)]


def pins(text):
    """Return pairs of an action and its commit and version."""
    return re.findall(r"uses:\s*([^@\s]+)@(\S+ # \S+)", text)


def steps(workflow):
    """Yield every step with its job's name."""
    for name, job in workflow["jobs"].items():
        yield from ((name, step) for step in job["steps"])


def command_faults(workflow):
    """List commands that are no single make target or tool, so that nobody could run them elsewhere."""
    return [
        f"{name}: {step['run']}"
        for name, step in steps(workflow)
        if "run" in step and not COMMANDS.fullmatch(step["run"].strip())
    ]


def right_faults(name, workflow):
    """List jobs that have more rights than reading, or keep the token where later steps could read it."""
    faults = [] if workflow["permissions"] == {} else [f"{name}: rights for all jobs"]
    for key, job in workflow["jobs"].items():
        if job.get("permissions") != RIGHTS.get((name, key), {"contents": "read"}):
            faults.append(f"{name}, {key}: rights {job.get('permissions')}")
        for step in job["steps"]:
            if (
                "actions/checkout@" in step.get("uses", "")
                and step["with"]["persist-credentials"] is not False
            ):
                faults.append(f"{name}, {key}: checkout leaves its token behind")
    return faults


def hashed(lock):
    """Return what a lock pins, as lines of requirements, and the names that have no hash."""
    entries = re.split(r"\n(?=[^\s#])", "\n" + re.sub(r"^\s*#.*\n", "", lock, flags=re.MULTILINE))
    lines, bare = set(), []
    for entry in filter(None, map(str.strip, entries)):
        line, *hashes = (part.strip() for part in entry.split("\\\n"))
        lines.add(line)
        if not hashes or not all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", part) for part in hashes):
            bare.append(line)
    return lines, bare


def lock_faults(lock, requirements):
    """List where a lock differs from requirements.txt; only PyTorch and the package itself have no hash."""
    wanted = {line.strip() for line in requirements.splitlines() if line and line[0] not in " #"} - {"-e ."}
    wanted = {line for line in wanted if Requirement(line).name != "torch"}
    lines, bare = hashed(lock)
    faults = [f"not in the lock: {line}" for line in sorted(wanted - lines)]
    faults += [f"not in requirements.txt: {line}" for line in sorted(lines - wanted)]
    return faults + [f"without a hash: {line}" for line in bare]


# ---- the workflows obey ------------------------------------------------------------


def test_all_workflows_are_looked_at():
    assert {path.stem for path in FOLDER.iterdir()} == set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_actions_are_pinned_by_commit(name):
    assert pins(TEXTS[name])
    assert pin_faults(TEXTS[name]) == []


def test_an_action_has_one_version_everywhere():
    found = {pin for text in TEXTS.values() for pin in pins(text)}
    assert len(found) == len({action for action, _ in found})
    assert all(action.startswith("actions/") for action, _ in found)  # GitHub's own


@pytest.mark.parametrize("name", NAMES)
def test_commands_can_be_run_elsewhere(name):
    assert command_faults(WORKFLOWS[name]) == []
    targets = set(re.findall(r"^([a-z]+|\$\(READY\)):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE))
    runs = [step["run"].split() for _, step in steps(WORKFLOWS[name]) if "run" in step]
    used = {word for words in runs if words[0] == "make" for word in words[1:] if "=" not in word}
    assert used - {".venv/.ready"} <= targets


@pytest.mark.parametrize("name", NAMES)
def test_jobs_have_the_rights_that_they_need(name):
    assert right_faults(name, WORKFLOWS[name]) == []


@pytest.mark.parametrize("name", NAMES)
def test_packages_come_from_the_lock(name):
    for key, job in WORKFLOWS[name]["jobs"].items():
        installs = [step["run"] for step in job["steps"] if "/.ready" in step.get("run", "")]
        assert all(
            run == f"make .venv/.ready PINS={'newest' if key == 'newest' else 'locked'}" for run in installs
        )
        runs = [step["run"] for step in job["steps"] if "run" in step]
        alone = runs in (["make workflows"], ["make advisories"], ["python3 -m tools.weekly"], [])
        assert installs or alone, key


def test_only_the_main_branch_is_published():
    jobs = WORKFLOWS["pages"]["jobs"]
    assert jobs["deploy"]["if"] == "github.ref == 'refs/heads/main'"
    assert jobs["deploy"]["needs"] == "build"
    assert [step["uses"].split("@")[0] for step in jobs["deploy"]["steps"]] == ["actions/deploy-pages"]
    handed = [step for step in jobs["build"]["steps"] if "pages-artifact" in step.get("uses", "")]
    assert [step["if"] for step in handed] == ["github.ref == 'refs/heads/main'"]


def test_weekly_hears_of_every_job():
    jobs = WORKFLOWS["weekly"]["jobs"]
    assert jobs["report"]["if"] == "always()"
    assert jobs["report"]["needs"] == list(weekly.CHECKS) == [name for name in jobs if name != "report"]


def test_versions_of_actions_and_packages_are_kept_up():
    config = yaml.safe_load((ROOT / ".github/dependabot.yml").read_text(encoding="utf-8"))
    assert [(update["package-ecosystem"], update["directory"]) for update in config["updates"]] == [
        ("github-actions", "/"),
        ("pip", "/"),
    ]


def test_the_lock_is_that_of_requirements():
    lock, requirements = (ROOT / name for name in ("locks/course.txt", "requirements.txt"))
    assert lock_faults(lock.read_text(), requirements.read_text()) == []


def test_every_tool_is_locked():
    lines, bare = hashed((ROOT / "locks/tools.txt").read_text())
    assert bare == []
    assert {"pip-audit", "uv", "zizmor"} <= {canonicalize_name(Requirement(line).name) for line in lines}


# ---- and the rules see who does not ------------------------------------------------------------

GOOD = "      - uses: actions/checkout@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2\n"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("@de0fac2e4500dabe0009e67214ff5f5447ce83dd # v6.0.2", "@v6"),
        ("83dd", ""),
        (" # v6.0.2", ""),
        ("v6.0.2", "v6"),
        ("actions/checkout", "checkout"),
    ],
)
def test_pin_faults(old, new):
    assert pin_faults(GOOD) == []
    assert len(pin_faults(GOOD.replace(old, new))) == 1


@pytest.mark.parametrize(
    ("run", "good"),
    [
        ("make test", True),
        ("make .venv/.ready PINS=locked", True),
        (".venv/bin/python -m playwright install --with-deps chromium firefox", True),
        ("make test && rm -r x", False),
        ("make test\necho done", False),
        ("echo ${{ github.event.pull_request.title }}", False),
        ("pip install x", False),
    ],
)
def test_command_faults(run, good):
    assert (command_faults({"jobs": {"a": {"steps": [{"run": run}]}}}) == []) is good


def test_right_faults():
    checkout = {"uses": "actions/checkout@0", "with": {"persist-credentials": False}}
    job = {"permissions": {"contents": "read"}, "steps": [checkout]}
    good = {"permissions": {}, "jobs": {"a": job}}
    assert right_faults("ci", good) == []
    assert right_faults("ci", good | {"permissions": {"contents": "write"}}) == ["ci: rights for all jobs"]
    more = {"a": job | {"permissions": {"contents": "write"}}}
    assert right_faults("ci", good | {"jobs": more}) == ["ci, a: rights {'contents': 'write'}"]
    leaves = {"a": job | {"steps": [checkout | {"with": {"persist-credentials": True}}]}}
    assert right_faults("ci", good | {"jobs": leaves}) == ["ci, a: checkout leaves its token behind"]


def test_lock_faults():
    requirements = "# by make\na==1\n    # via b\nb==2 ; sys_platform == 'win32'\ntorch==2.13.0\n-e .\n"
    one, two = "0" * 64, "f" * 64
    lock = f"# by make\na==1 \\\n    --hash=sha256:{one} \\\n    --hash=sha256:{two}\n"
    lock += f"b==2 ; sys_platform == 'win32' \\\n    --hash=sha256:{two}\n"
    assert lock_faults(lock, requirements) == []
    assert lock_faults(lock.replace("a==1", "a==2"), requirements) == [
        "not in the lock: a==1",
        "not in requirements.txt: a==2",
    ]
    bare = lock.replace(f" \\\n    --hash=sha256:{two}\n", "\n")
    assert lock_faults(bare, requirements) == ["without a hash: b==2 ; sys_platform == 'win32'"]
    assert lock_faults(lock.replace("sha256:f", "md5:f"), requirements)[0] == "without a hash: a==1"


# ---- one issue for what fails ------------------------------------------------------------

GH = f"""#!{sys.executable}
import json, os, pathlib, sys
log = pathlib.Path(__file__).with_name("log")
text = sys.stdin.read() if "--body-file" in sys.argv else ""
with log.open("a") as file:
    print(json.dumps([*sys.argv[1:], text]), file=file)
if os.environ.get("REFUSE") in sys.argv[1:]:
    sys.exit("HTTP 403")
if sys.argv[1:3] == ["issue", "list"]:
    print(os.environ["OPEN"])
if sys.argv[1:3] == ["issue", "create"]:
    print("https://github.example/issues/8")
"""
RUN = "https://github.example/runs/1"


@pytest.fixture
def asked(tmp_path, monkeypatch):
    """Put a `gh` in the path that notes what it is asked; return a function that reads its notes."""
    path = tmp_path / "gh"
    path.write_text(GH)
    path.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("OPEN", "[]")
    monkeypatch.setenv("RUN", RUN)
    log = tmp_path / "log"
    return lambda: [json.loads(line) for line in log.read_text().splitlines()] if log.exists() else []


def needs(**results):
    return json.dumps({name: {"result": results.get(name, "success")} for name in weekly.CHECKS})


def test_a_good_week_tells_nobody(asked, monkeypatch, capsys):
    monkeypatch.setenv("NEEDS", needs())
    assert weekly.main() == 0
    assert capsys.readouterr().out == "all checks went well\n"
    assert asked() == []


def test_a_failure_opens_an_issue(asked, monkeypatch, capsys):
    monkeypatch.setenv("NEEDS", needs(links="failure", fashion="cancelled"))
    assert weekly.main() == 0
    assert capsys.readouterr().out == "opened https://github.example/issues/8\n"
    listed, label, created = asked()
    assert listed[:6] == ["issue", "list", "--label", "weekly", "--state", "open"]
    assert label[:3] == ["label", "create", "weekly"]
    assert created[:6] == ["issue", "create", "--title", "The weekly checks fail", "--label", "weekly"]
    text = created[-1]
    assert "| Links to other sites | failure | `make links` |" in text
    assert "| The published accuracies on Fashion-MNIST | cancelled | `make fashion` |" in text
    assert "make colab" not in text
    assert RUN in text


def test_the_next_failure_updates_the_open_issue(asked, monkeypatch, capsys):
    monkeypatch.setenv("NEEDS", needs(advisories="failure"))
    monkeypatch.setenv("OPEN", '[{"number": 7}]')
    assert weekly.main() == 0
    assert capsys.readouterr().out == "issue 7 was brought up to date\n"
    _, edited, comment = asked()
    assert edited[:3] == ["issue", "edit", "7"]
    assert "make advisories" in edited[-1]
    assert comment[:5] == ["issue", "comment", "7", "--body", f"Still failing: advisories. {RUN}"]


@pytest.mark.parametrize(
    "given", ["{}", '{"links": {"result": "success"}}', needs()[:-1] + ', "more": {"result": "success"}}']
)
def test_jobs_that_nobody_would_hear_of(asked, monkeypatch, capsys, given):
    monkeypatch.setenv("NEEDS", given)
    assert weekly.main() == 1
    assert "they should be newest, colab, fashion, links, advisories\n" in capsys.readouterr().err
    assert asked() == []


def test_a_refusal_is_told(asked, monkeypatch, capsys):
    monkeypatch.setenv("NEEDS", needs(links="failure"))
    monkeypatch.setenv("REFUSE", "create")
    assert weekly.main() == 1
    assert capsys.readouterr().err == "error: gh label create: HTTP 403\n"


def test_no_gh(tmp_path, monkeypatch):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(GitHubError, match="gh is not installed; see https://"):
        gh("issue", "list")


# ---- published results ------------------------------------------------------------


def test_the_run_for_lenet_is_the_one_that_the_chapter_gives():
    chapter = (ROOT / "book/lenet.ipynb").read_text(encoding="utf-8")
    text = " ".join(re.sub(r'\\\\\\n|\\n|"|,$', " ", chapter, flags=re.MULTILINE).split())
    assert f"python -m d2lconv.training {published.RUNS['lenet'].options} ```" in text


def test_bounds_are_those_of_the_published_figures():
    assert {name: run.above for name, run in published.RUNS.items()} == {"lenet": 0.83, "vgg": 0.919}


@pytest.mark.parametrize(
    ("reached", "code", "said"),
    [
        (0.895, 0, "lenet: 0.895 is above 0.830, the best of 130"),
        (0.830, 1, "lenet: 0.830 is not above 0.830, the best of 130"),
        (0.940, 1, "lenet: 0.940 is too good: no such network has reached 0.940"),
    ],
)
def test_accuracies_are_compared(monkeypatch, capsys, reached, code, said):
    monkeypatch.setattr(published, "train", lambda options: reached)
    assert published.main(["lenet"]) == code
    assert capsys.readouterr().out.startswith(said)


def test_one_result_out_of_bounds_is_enough(monkeypatch, capsys):
    monkeypatch.setattr(published, "train", lambda options: 0.9)  # enough for LeNet alone
    assert published.main([]) == 1
    assert [line[:5] for line in capsys.readouterr().out.splitlines()] == ["lenet", "vgg: "]


def test_a_network_that_nobody_knows(capsys):
    with pytest.raises(SystemExit):
        published.main(["alexnet"])
    assert "no network is named 'alexnet'; there are: lenet, vgg" in capsys.readouterr().err


@pytest.mark.parametrize("printed", ["", "test loss 0.301, accuracy nan (0 of 10)", "accuracy 0.9"])
def test_a_run_without_a_result(printed):
    with pytest.raises(ValueError, match="expected one test accuracy, found 0 in:"):
        published.accuracy(printed)


def test_what_the_command_line_prints_is_understood(capsys):
    torch_state = torch.get_rng_state()
    command.main(["--model", "lenet", "--epochs", "1", "--test"])
    torch.set_rng_state(torch_state)
    printed = capsys.readouterr().out
    assert f", accuracy {published.accuracy(printed):.3f} (" in printed


@pytest.mark.parametrize(("code", "result"), [(0, 0.893), (1, None)])
def test_the_command_line_is_run_with_the_options(monkeypatch, tmp_path, capsys, code, result):
    path = tmp_path / "python"
    printed = "test loss 0.301, accuracy 0.893 (8931 of 10000)"
    path.write_text(f'#!/bin/sh\necho "$@"\necho "{printed}"\nexit {code}\n')
    path.chmod(0o755)
    monkeypatch.setattr(published.sys, "executable", str(path))
    if result is None:
        with pytest.raises(
            ValueError, match=r"(?s)training ended with 1: -m d2lconv\.training --model lenet"
        ):
            published.train("--model lenet")
    else:
        assert published.train("--model lenet --test") == result
    assert "-m d2lconv.training --model lenet" in capsys.readouterr().out
