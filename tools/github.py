"""GitHub's own command, `gh`, which its runners have: it knows the repository and how to sign in."""

import subprocess


class GitHubError(Exception):
    """`gh` is missing or refused; the message is what it said."""


def gh(*arguments: str, text: str = "") -> str:
    """Run a command of `gh` and return what it prints.

    Parameters
    ----------
    *arguments : str
        Such as ``"issue", "list"``.
    text : str
        What the command reads from its standard input.

    Raises
    ------
    GitHubError
        If there is no `gh`, or the command fails.
    """
    try:
        done = subprocess.run(["gh", *arguments], input=text, capture_output=True, encoding="utf-8")
    except FileNotFoundError:
        raise GitHubError("gh is not installed; see https://cli.github.com") from None
    if done.returncode:
        raise GitHubError(f"gh {' '.join(arguments[:2])}: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
