"""Tests of the exercises keep their progress to themselves."""

import pytest


@pytest.fixture(autouse=True)
def progress(tmp_path, monkeypatch):
    """Let progress be kept in a file of this test's own; return its path."""
    path = tmp_path / "progress" / "progress.json"
    monkeypatch.setenv("D2LCONV_PROGRESS", str(path))
    return path
