"""Tell of the weekly checks that failed, in one issue: the last step of `.github/workflows/weekly.yml`.

    NEEDS='{"links": {"result": "failure"}}' python -m tools.weekly

`NEEDS` is what GitHub calls `toJSON(needs)`. While an issue with the label is open, later failures rewrite
its text and add a comment; otherwise one is opened. A week in which all goes well changes nothing: whoever
mended the cause closes the issue.
"""

import json
import os
import sys
from collections.abc import Mapping
from typing import Any

from tools.github import GitHubError, gh

LABEL = "weekly"
TITLE = "The weekly checks fail"

CHECKS = {
    "newest": ("The newest versions of all dependencies", "make test PINS=newest VENV=/tmp/newest"),
    "colab": ("The versions that Colab has", "make colab"),
    "fashion": ("The published accuracies on Fashion-MNIST", "make fashion"),
    "links": ("Links to other sites", "make links"),
    "advisories": ("Known weaknesses of the pinned packages", "make advisories"),
}
"""The jobs of the workflow: what each looks at, and the command that does the same on any machine."""


def failed(needs: Mapping[str, Mapping[str, Any]]) -> dict[str, str]:
    """Return the jobs that did not succeed, with what became of them.

    Raises
    ------
    ValueError
        If a job is missing, so that nobody would hear of its failure, or unknown.

    Examples
    --------
    >>> results = {name: {"result": "success"} for name in CHECKS}
    >>> failed(results | {"links": {"result": "cancelled"}})
    {'links': 'cancelled'}
    """
    if needs.keys() != CHECKS.keys():
        raise ValueError(f"the jobs are {', '.join(needs) or 'none'}; they should be {', '.join(CHECKS)}")
    return {name: needs[name]["result"] for name in CHECKS if needs[name]["result"] != "success"}


def body(results: Mapping[str, str], run: str) -> str:
    """Write the issue's text.

    Parameters
    ----------
    results : mapping
        What became of the jobs that did not succeed.
    run : str
        Address of the run that tells more.
    """
    lines = ["| check | result | the same on your machine |", "|:--|:--|:--|"]
    lines += [f"| {CHECKS[name][0]} | {result} | `{CHECKS[name][1]}` |" for name, result in results.items()]
    return "\n".join(
        [*lines, "", f"The latest run: {run}", "", "Close this issue when the cause is mended; no run does."]
    )


def tell(results: Mapping[str, str], run: str) -> str:
    """Open the issue, or rewrite the open one and add a comment; return what was done.

    Raises
    ------
    GitHubError
        If GitHub cannot be told.
    """
    text = body(results, run)
    listed = gh("issue", "list", "--label", LABEL, "--state", "open", "--limit", "1", "--json", "number")
    issues = json.loads(listed)
    if issues:
        number = str(issues[0]["number"])
        gh("issue", "edit", number, "--body-file", "-", text=text)
        gh("issue", "comment", number, "--body", f"Still failing: {', '.join(results)}. {run}")
        return f"issue {number} was brought up to date"
    gh("label", "create", LABEL, "--force", "--description", "Failures of the weekly checks")
    made = gh("issue", "create", "--title", TITLE, "--label", LABEL, "--body-file", "-", text=text)
    return f"opened {made.strip()}"


def main() -> int:
    """Read what became of the jobs, and tell of failures."""
    try:
        results = failed(json.loads(os.environ.get("NEEDS", "{}")))
        if not results:
            print("all checks went well")
            return 0
        print(tell(results, os.environ.get("RUN", "no address")))
    except (ValueError, GitHubError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
