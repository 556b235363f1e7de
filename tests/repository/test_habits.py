"""The repository keeps its habits: style, types, pins, versions, and instructions that can be followed."""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]

# Where packages come from is each reader's own choice (a mirror, for example), so no file may name a place.
# The names are put together here so that this file passes its own test.
REGISTRIES = re.compile(
    "|".join(
        (
            r"py" + r"pi\.org",
            r"python" + r"hosted\.org",
            r"download\." + r"pytorch\.org",
            r"(?:registry|www)\." + r"npm" + r"js\.(?:org|com)",
            r"registry\." + r"yarn" + r"pkg\.com",
            r"ana" + r"conda\.org",
            r"(?:deb|ftp)[\w.]*\." + r"debian\.org",
            r"archive\." + r"ubuntu\.com",
            r"https?://[\w.-]*(?:" + "py" + "pi|artifactory|devpi)",
        )
    )
)

CUDA = re.compile(r"^(nvidia|cuda|triton|pytorch-triton)\b")


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def files():
    """Yield every file of the repository, leaving out hidden folders, environments and what builds leave."""
    for folder, folders, names in os.walk(ROOT):
        here = Path(folder)
        folders[:] = [
            name
            for name in folders
            if (name[0] != "." or name in {".ci", ".github"})
            and name not in {"_build", "dist", "__pycache__", "node_modules"}
            and not (here / name / "pyvenv.cfg").exists()
        ]
        yield from (here / name for name in names)


def registry_faults(text):
    """List package registries that a text names."""
    return [match.group() for match in REGISTRIES.finditer(text)]


def pins_of(requirements):
    """Return what each line of requirements.txt requires, or None where it is no requirement."""
    lines = [line.split(" #")[0].strip() for line in requirements.splitlines()]
    pins = {}
    for line in lines:
        if line and line[0] != "#":
            try:
                pins[line] = Requirement(line)
            except InvalidRequirement:
                pins[line] = None
    return pins


def requirement_faults(requirements, pyproject):
    """List what keeps requirements.txt from being a complete, portable set of pins for pyproject.toml."""
    faults, versions = [], {}
    for line, pin in pins_of(requirements).items():
        if line == "-e .":
            continue
        if pin is None or not re.fullmatch(r"==[\w.]+", str(pin.specifier)):
            faults.append(f"not a plain pin: {line}")
        elif CUDA.match(canonicalize_name(pin.name)):
            faults.append(f"only for some machines: {line}")
        else:
            versions[canonicalize_name(pin.name)] = str(pin.specifier)[2:]
    project = tomllib.loads(pyproject)["project"]
    extras = project["optional-dependencies"].values()
    for text in [*project["dependencies"], *(text for extra in extras for text in extra)]:
        wanted = Requirement(text)
        version = versions.get(canonicalize_name(wanted.name))
        if version is None:
            faults.append(f"no pin for {text}")
        elif not wanted.specifier.contains(version, prereleases=True):
            faults.append(f"{wanted.name}=={version} is not {text}")
    if "-e ." not in requirements.splitlines():
        faults.append("the package itself is missing")
    if "make requirements" not in requirements.partition("==")[0]:
        faults.append("does not name the command that made it")
    return faults


def precommit_faults(config, requirements):
    """List tools that pre-commit would run in another version than requirements.txt has."""
    pins = {str(pin) for pin in pins_of(requirements).values() if pin is not None}
    tools = {canonicalize_name(pin.partition("==")[0]): pin for pin in pins}
    faults = []
    for repo in yaml.safe_load(config)["repos"]:
        if repo["repo"] != "local":
            name = (
                repo["repo"].rstrip("/").split("/")[-1].removesuffix("-pre-commit").removeprefix("mirrors-")
            )
            wanted = f"{name}=={repo['rev'].removeprefix('v')}"
            if tools.get(name) != wanted:
                faults.append(f"{wanted} is not {tools.get(name)}")
        for hook in repo["hooks"]:
            faults += [
                f"{text} is no pin" for text in hook.get("additional_dependencies", ()) if text not in pins
            ]
    return faults


def code_of(text):
    """Return the code in Markdown: its fenced blocks and code spans."""
    return "\n".join(re.findall(r"^```.*?^```|`[^`\n]+`", text, flags=re.MULTILINE | re.DOTALL))


def target_faults(code, makefile):
    """List targets that a text tells the reader to make and that the Makefile does not have."""
    targets = set(re.findall(r"^([a-z][\w-]*):", makefile, flags=re.MULTILINE))
    return sorted(set(re.findall(r"(?<![\w-])make ([a-z][\w-]*)", code)) - targets)


def version_faults(pyproject, citation, changelog):
    """List places that state another version than pyproject.toml."""
    version = tomllib.loads(pyproject)["project"]["version"]
    cited = str(yaml.safe_load(citation)["version"])
    newest = re.search(r"^## \[?(\d[^\]\s]*)", changelog, flags=re.MULTILINE)
    stated = {"CITATION.cff": cited, "CHANGELOG.md": newest.group(1) if newest else None}
    return [f"{name}: {other}, not {version}" for name, other in stated.items() if other != version]


def run(*command):
    done = subprocess.run(
        [sys.executable, "-m", *command],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    return done.returncode, done.stdout


# ---- the repository obeys ------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    ["ruff check --output-format=concise .", "ruff format --check .", "mypy", "pre_commit validate-config"],
)
def test_tools_have_nothing_to_say(command):
    code, output = run(*command.split())
    assert code == 0, output


def test_no_file_names_a_registry():
    found = {}
    for path in files():
        try:
            faults = registry_faults(path.read_text(encoding="utf-8"))
        except UnicodeDecodeError:
            continue  # a picture, a font, the digits
        if faults:
            found[str(path.relative_to(ROOT))] = faults
    assert found == {}


def test_files_sees_the_repository():
    names = {str(path.relative_to(ROOT)) for path in files()}
    assert {"README.md", ".github/workflows/ci.yml", ".ci/run", "tests/repository/test_habits.py"} <= names
    assert not any(name.startswith((".venv", ".git/")) for name in names)


def test_requirements():
    assert requirement_faults(read("requirements.txt"), read("pyproject.toml")) == []


def test_precommit():
    assert precommit_faults(read(".pre-commit-config.yaml"), read("requirements.txt")) == []


@pytest.mark.parametrize("name", ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"])
def test_instructions_name_real_targets(name):
    assert target_faults(code_of(read(name)), read("Makefile")) == []


@pytest.mark.parametrize("name", [".ci/run", ".github/workflows/ci.yml", ".pre-commit-config.yaml"])
def test_scripts_name_real_targets(name):
    assert target_faults(read(name), read("Makefile")) == []


@pytest.mark.parametrize("name", [".ci/run", ".github/workflows/ci.yml"])
def test_ci_runs_the_test_command(name):
    assert re.search(r"make test$", read(name), flags=re.MULTILINE)


def test_ci_script_can_be_run():
    assert os.access(ROOT / ".ci" / "run", os.X_OK)


def test_workflows_get_no_more_than_they_need():
    for path in (ROOT / ".github" / "workflows").glob("*.yml"):
        workflow = yaml.safe_load(path.read_text(encoding="utf-8"))
        assert workflow["permissions"] in ({}, {"contents": "read"}), path.name
        for job in workflow["jobs"].values():
            assert job["timeout-minutes"] <= 60, path.name


def test_versions_agree():
    assert version_faults(read("pyproject.toml"), read("CITATION.cff"), read("CHANGELOG.md")) == []


@pytest.mark.parametrize("name", ["LICENSE", "LICENSE-text", "src/d2lconv/assets/LICENSE-digits"])
def test_licences_stand_and_go_with_the_package(name):
    assert "licen" in read(name).lower()
    assert name in tomllib.loads(read("pyproject.toml"))["project"]["license-files"]


# ---- and the rules see who does not ------------------------------------------------------------


@pytest.mark.parametrize(
    "text",
    [
        "--index-url https://" + "py" + "pi.org/simple",
        "https://files.python" + "hosted.org/packages/ab/cd",
        "pip install torch --index-url https://download." + "pytorch.org/whl/cpu",
        "https://registry.npm" + "js.org/anywidget",
        "https://conda.ana" + "conda.org/conda-forge",
        "deb http://deb." + "debian.org/debian bookworm main",
        "http://py" + "pi.mirror.example/simple",
    ],
)
def test_registry_faults(text):
    assert len(registry_faults(text)) >= 1


def test_registry_faults_lets_other_addresses_pass():
    assert registry_faults("https://docs.pytorch.org https://doi.org/10.24432/C50P49 pip conda npm") == []


PYPROJECT = """
[project]
version = "0.2.0"
dependencies = ["torch>=2.6"]
[project.optional-dependencies]
book = ["jupyter-book>=1.0.4.post1,<2"]
test = ["PyYAML"]
"""
REQUIREMENTS = """# made by: make requirements
colorama==0.4.6 ; sys_platform == 'win32'
    # via pytest
jupyter-book==1.0.4.post1
pyyaml==6.0.3
torch==2.13.0
-e .
"""


def test_requirement_faults_lets_good_pins_pass():
    assert requirement_faults(REQUIREMENTS, PYPROJECT) == []


@pytest.mark.parametrize(
    ("old", "new", "fault"),
    [
        ("pyyaml==6.0.3\n", "", "no pin for PyYAML"),
        ("torch==2.13.0", "torch==2.5.1", "torch==2.5.1 is not torch>=2.6"),
        ("book==1.0.4.post1", "book==2.1.0", "jupyter-book==2.1.0 is not jupyter-book>=1.0.4.post1,<2"),
        ("torch==2.13.0", "torch>=2.13.0", "not a plain pin: torch>=2.13.0"),
        ("torch==2.13.0", "torch==2.13.0+cpu", "not a plain pin: torch==2.13.0+cpu"),
        ("pyyaml==6.0.3", "pyyaml==6.0.3 --hash=sha256:0", "not a plain pin: pyyaml==6.0.3 --hash=sha256:0"),
        ("-e .", "--extra-index-url x\n-e .", "not a plain pin: --extra-index-url x"),
        ("-e .", "-f wheels\n-e .", "not a plain pin: -f wheels"),
        ("-e .", "nvidia-nccl-cu12==2.27\n-e .", "only for some machines: nvidia-nccl-cu12==2.27"),
        ("-e .", "triton==3.5.0\n-e .", "only for some machines: triton==3.5.0"),
        ("-e .", "", "the package itself is missing"),
        ("make requirements", "hand", "does not name the command that made it"),
    ],
)
def test_requirement_faults(old, new, fault):
    assert fault in requirement_faults(REQUIREMENTS.replace(old, new), PYPROJECT)


@pytest.mark.parametrize(
    ("config", "faults"),
    [
        ("repos: [{repo: 'https://x/ruff-pre-commit', rev: v0.17.6, hooks: []}]", []),
        (
            "repos: [{repo: 'https://x/ruff-pre-commit', rev: v0.9.0, hooks: []}]",
            ["ruff==0.9.0 is not ruff==0.17.6"],
        ),
        (
            "repos: [{repo: 'https://x/mirrors-mypy', rev: v2.4.1, hooks: []}]",
            ["mypy==2.4.1 is not None"],
        ),
        (
            "repos: [{repo: local, hooks: [{id: a, additional_dependencies: [ruff==0.17.6]}]}]",
            [],
        ),
        (
            "repos: [{repo: local, hooks: [{id: a, additional_dependencies: [ruff]}]}]",
            ["ruff is no pin"],
        ),
    ],
)
def test_precommit_faults(config, faults):
    assert precommit_faults(config, "ruff==0.17.6\n") == faults


def test_target_faults():
    makefile = "VENV := .venv\nbook: ready  ## render\ntest: ready\n"
    page = (
        "Do make sure.\n\n```sh\nmake book\nmake tset\n```\n\n`make test` or `make PORT=80 serve`, `cmake x`"
    )
    assert target_faults(code_of(page), makefile) == ["tset"]


def test_version_faults():
    good = (
        PYPROJECT,
        "version: 0.2.0",
        "# Changelog\n\n## [Unreleased]\n\n## [0.2.0] - 2027-01-01\n\n## [0.1.0]",
    )
    assert version_faults(*good) == []
    assert version_faults(good[0], "version: 0.1.0", good[2]) == ["CITATION.cff: 0.1.0, not 0.2.0"]
    assert version_faults(*good[:2], "## [0.1.0]") == ["CHANGELOG.md: 0.1.0, not 0.2.0"]


def test_run_reports_a_fault(tmp_path):
    (tmp_path / "bad.py").write_text("import os\n")
    code, output = run("ruff", "check", "--isolated", "--no-cache", str(tmp_path / "bad.py"))
    assert code == 1
    assert "F401" in output
