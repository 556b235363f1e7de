"""The start page lists all chapters in order, and the page of exercises all exercises, without a hand."""

import shutil
from pathlib import Path

from d2lconv.exercises.engine.registry import every_exercise
from d2lconv_book import frame

ROOT = Path(__file__).parents[2]


def test_every_page_is_listed_in_order():
    lines = [line for line in frame.chapters(ROOT).splitlines() if "](" in line]
    assert lines[0].startswith("1. [Convolution](convolution.ipynb). How can a handful of weights find")
    assert lines[14] == "- [Exercises](exercises.md). Each chapter of the course ends in exercises."
    entries = [
        line.split("file: book/")[1]
        for line in (ROOT / "_toc.yml").read_text().splitlines()
        if "file:" in line
    ]
    assert [line.split("](")[1].split(".")[0] for line in lines] == entries


def test_a_new_chapter_is_listed(tmp_path):
    (tmp_path / "book").mkdir()
    shutil.copy(ROOT / "book/vgg.ipynb", tmp_path / "book/novelty.ipynb")
    (tmp_path / "book/index.md").write_text("# Start\n")
    toc = "format: jb-book\nroot: book/index\nparts:\n- caption: Part\n  chapters:\n  - file: book/novelty\n"
    (tmp_path / "_toc.yml").write_text(toc)
    assert frame.chapters(tmp_path).startswith(
        "\n### Part\n\n- [VGG](novelty.ipynb). How do you build a network of nineteen layers"
    )
    assert "novelty.ipynb#exercise-1--out-of-the-encoder-" in frame.exercises(tmp_path)


def test_every_exercise_is_listed():
    lines = [line for line in frame.exercises(ROOT).splitlines() if line[:1].isdigit()]
    assert len(lines) == len(every_exercise())
    for line, exercise in zip(lines, sorted(every_exercise(), key=_in_toc), strict=True):
        assert f"[{exercise.title}]({exercise.chapter}.ipynb#exercise-" in line
        assert line.endswith(f" {'★' * exercise.level}")


def _in_toc(exercise):
    return (ROOT / "_toc.yml").read_text("utf-8").index(f"book/{exercise.chapter}\n")
