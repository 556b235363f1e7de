"""Progress stays in one file: replaced in one step, set aside when damaged, and the command shows it."""

import json
import os
import sys

import pytest
import torch

from d2lconv.exercises import Result, check
from d2lconv.exercises.__main__ import main
from d2lconv.exercises.engine import progress as kept_progress

RIGHT = [[8, 2], [11, 13]]


def kept(progress):
    return json.loads(progress.read_text())["exercises"]


def test_an_attempt_is_kept_and_what_was_correct_stays_so(progress):
    check("convolution.1", [[1, 2], [3, 4]])
    assert kept(progress) == {"convolution.1": "not yet"}
    check("convolution.1", RIGHT)
    check("convolution.2", "a")
    assert kept(progress) == {"convolution.1": "correct", "convolution.2": "not yet"}
    check("convolution.1", [[1, 2], [3, 4]])
    assert kept(progress)["convolution.1"] == "correct"
    assert [path.name for path in progress.parent.iterdir()] == [progress.name]


def test_stubs_and_solutions_are_not_kept(progress):
    check("convolution.1", ...)
    check("convolution.5", lambda X, K: ...)
    check("convolution.1", RIGHT, solution=True)
    assert not progress.exists()


@pytest.mark.parametrize("content", ["{", "[]", '{"exercises": 3}', "\xff", "[" * 100_000])
def test_a_damaged_file_is_set_aside(progress, content):
    progress.parent.mkdir()
    for number in (1, 2):
        progress.write_text(content, encoding="latin-1")
        result = check("convolution.1", RIGHT)
        aside = progress.with_name(f"progress.broken-{number}.json")
        assert aside.read_text(encoding="latin-1") == content
        assert f"is now {aside}" in repr(result)
        assert str(aside) in result._repr_html_()
        assert kept(progress) == {"convolution.1": "correct"}


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
@pytest.mark.filterwarnings("ignore:This process:DeprecationWarning")
def test_two_processes_lose_nothing(progress):
    children = []
    for name in "ab":
        if not (child := os.fork()):
            notes = {kept_progress.record(Result(f"{name}.{n}", "correct", "")) for n in range(100)}
            os._exit(notes != {""})
        children.append(child)
    assert [os.waitpid(child, 0)[1] for child in children] == [0, 0]
    assert len(kept(progress)) == 200


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="other systems have no pipes among their files")
def test_what_cannot_be_read_stays_as_it_is(progress, monkeypatch):
    progress.parent.mkdir()
    progress.write_text('{"version": 99, "exercises": {}}')
    assert "another version of d2lconv wrote it" in repr(check("convolution.1", RIGHT))
    assert json.loads(progress.read_text())["version"] == 99
    progress.unlink()
    os.mkfifo(progress)
    assert "it is no ordinary file" in repr(check("convolution.1", RIGHT))
    assert progress.is_fifo()
    monkeypatch.setenv("D2LCONV_PROGRESS", "~nobody-of-this-name/progress.json")
    assert kept_progress.path().is_absolute()


def test_a_file_that_cannot_be_written_is_told_and_the_reply_stays(monkeypatch, tmp_path):
    (tmp_path / "file").touch()
    monkeypatch.setenv("D2LCONV_PROGRESS", str(tmp_path / "file" / "progress.json"))
    result = check("convolution.1", RIGHT)
    assert result.correct
    assert "Your progress" in repr(result)


def test_an_interrupted_write_leaves_the_old_file(progress, monkeypatch):
    check("convolution.1", RIGHT)

    def fail(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", fail)
    result = check("convolution.2", "a")
    assert "was not saved" in repr(result)
    assert "No space left" in repr(result)
    assert kept(progress) == {"convolution.1": "correct"}
    assert len(list(progress.parent.iterdir())) == 1


def test_the_list_shows_it(progress, capsys):
    check("convolution.1", RIGHT)
    check("convolution.5", torch.add)
    assert main([]) == 0
    printed = capsys.readouterr().out
    lines = {line.split()[0]: line for line in printed.splitlines() if line.startswith("conv")}
    assert lines["convolution.1"].split() == ["convolution.1", "★", "correct", "By", "hand"]
    assert lines["convolution.5"].split()[2:4] == ["not", "yet"]
    assert lines["convolution.6"].split()[1:3] == ["★★", "–"]
    assert "1 correct." in printed
    assert f"on this computer only, in {progress}" in printed


@pytest.mark.parametrize(
    ("platform", "variables", "place"),
    [
        ("linux", {}, ".local/share/d2lconv/progress.json"),
        ("linux", {"XDG_DATA_HOME": "~/data"}, "data/d2lconv/progress.json"),
        ("darwin", {}, "Library/Application Support/d2lconv/progress.json"),
        ("win32", {}, "AppData/Local/d2lconv/progress.json"),
    ],
)
def test_where_it_is_kept(monkeypatch, tmp_path, platform, variables, place):
    for name in ("D2LCONV_PROGRESS", "XDG_DATA_HOME", "LOCALAPPDATA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setattr(sys, "platform", platform)
    for name, value in variables.items():
        monkeypatch.setenv(name, value.replace("~", str(tmp_path)))
    assert kept_progress.path() == tmp_path / place
