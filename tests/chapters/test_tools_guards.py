"""Each guard passes a good chapter, and fails on one that breaks its rule."""

import copy

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from tools.guards import GUARDS
from tools.notebooks import WIDGET_VIEW

# Positions in the good chapter (see conftest.py).
TITLE, OPENING, INSTALL, TEXT, PRINT, VALUE, FIGURE, SLIDER, SUMMARY, READING = range(10)


def prose(source):
    def spoil(nb):
        nb.cells[TEXT].source += f"\n\n{source}"

    return spoil


def code(source):
    def spoil(nb):
        nb.cells[VALUE].source = source

    return spoil


def output(text):
    def spoil(nb):
        nb.cells[PRINT].outputs[0].text = text

    return spoil


def alt(text):
    def spoil(nb):
        nb.cells[FIGURE].metadata.mystnb.image.alt = text

    return spoil


def change(index, **attributes):
    def spoil(nb):
        nb.cells[index].update(copy.deepcopy(attributes))

    return spoil


def do(statement):
    """Spoil by a statement about `nb`."""

    def spoil(nb):
        exec(statement, {"nb": nb, "new_code_cell": new_code_cell, "new_markdown_cell": new_markdown_cell})

    return spoil


ERROR = new_output("error", ename="ValueError", evalue="no", traceback=[])
STDERR = new_output("stream", name="stderr", text="UserWarning: x\n")
PNG = new_output("display_data", data={"image/png": "iVBO", "text/plain": "<Figure>"})

SPOILED = [
    (
        "every_cell_was_run",
        change(PRINT, execution_count=None, outputs=[]),
        "was never run; run: make execute",
    ),
    ("every_cell_was_run", do("nb.cells.insert(4, new_code_cell(''))"), "code cell [2] (empty): delete it"),
    (
        "cells_ran_in_order",
        change(PRINT, execution_count=7),
        "code cell [2] (print(1 + 1)): it was run as number 7",
    ),
    ("no_errors", change(PRINT, outputs=[ERROR]), "it raised ValueError"),
    ("no_errors", change(PRINT, outputs=[STDERR]), "it wrote to stderr ('UserWarning: x')"),
    ("results_are_shown", change(PRINT, outputs=[]), "shows a result, but none is stored"),
    ("results_are_shown", change(VALUE, outputs=[]), "shows a result, but none is stored"),
    ("widget_state_is_saved", do("del nb.metadata['widgets']"), "its widget has no saved state"),
    ("no_memory_addresses", output("<object at 0x7f945d4d7ed0>"), "shows the address 0x7f945d4d7ed0"),
    ("no_local_paths", output("saved in /home/ann/model.pt"), "it names /home/ann/model.pt"),
    ("no_local_paths", code("open('C:\\\\Users')"), "it names C:"),
    ("no_local_paths", prose("It lies in /work/main."), "it names /work/main"),
    ("no_timings", output("trained in 12.3 s"), "shows a time (12.3 s)"),
    ("no_timings", output("3 ms per image"), "shows a time (3 ms)"),
    ("nbval_can_compare", code("clear_output()"), "clear_output"),
    ("nbval_can_compare", code("Out[3]"), "without history"),
    ("nbval_can_compare", code("%%time\nf()"), "a time differs"),
    ("nbval_can_compare", code("x = %timeit -o f()"), "a time differs"),
    ("nbval_can_compare", code("display(x, display_id='x')"), "updates of a display"),
    ("nbval_can_compare", code("out = widgets.Output()"), "an Output widget"),
    ("nbval_can_compare", code("for x in tqdm(data):\n    pass"), "progress bar"),
    ("nbval_can_compare", code("plt.imshow(X);"), "or write _ = …"),
    ("nbval_markers_work", code("x  # NBVAL_IGNORE_OUTPUT"), "a marker is a whole line"),
    ("nbval_markers_work", code("# NBVAL_SKIP\nx"), "hides it from nbval"),
    ("nbval_markers_work", do("nb.cells[4].metadata.tags = ['nbval-ignore-outputs']"), "doesn't know"),
    ("nbval_markers_work", do("nb.cells[4].metadata.tags = ['raises-exception']"), "hides it from nbval"),
    ("figures_are_svg", change(FIGURE, outputs=[PNG]), "stored as image/png"),
    ("figures_have_alt_text", change(FIGURE, metadata={}), "its figure's alt text is missing; set it"),
    ("figures_have_alt_text", alt("book/edges_1.svg"), "is a file name (book/edges_1.svg)"),
    ("figures_have_alt_text", alt("Figure 3"), "says only that it is a picture"),
    ("figures_have_alt_text", alt("An image of a digit"), "says only that it is a picture"),
    ("figures_have_alt_text", alt("Edges"), "is too short"),
    ("figures_have_alt_text", alt("A digit. " * 40), "has 360 characters"),
    ("figures_have_alt_text", do("nb.cells[6].outputs *= 2"), "shows 2 figures but has one alt text"),
    ("images_are_described", prose("![](attachment:a.svg)"), "the alt text of attachment:a.svg is missing"),
    ("images_are_described", prose("![A square and a circle](https://x.org/a.svg)"), "asks another server"),
    ("images_are_described", prose("![A square and a circle](none.svg)"), "there is no image none.svg"),
    (
        "alt_texts_differ",
        prose("![A square with one black corner](a.svg)"),
        "its alt text is that of cell 4 (## Adding)",
    ),
    ("commonmark_only", prose("```{note}\nHello\n```"), "a directive ({note})"),
    ("commonmark_only", prose(":::{tip}\nHello\n:::"), "a ::: block"),
    ("commonmark_only", prose("As in {ref}`sums` before."), "a role ({ref})"),
    ("commonmark_only", prose("(sums)=\n## Sums"), "a (label)= target"),
    ("commonmark_only", prose("So it is.[^1]"), "a [^footnote]"),
    ("formulas_in_dollars", prose(r"So \(x + y\) is."), r"'\\(x + y\\)' isn't shown everywhere"),
    ("formulas_in_dollars", prose("\\begin{align}\nx\n\\end{align}"), "isn't shown everywhere"),
    ("little_html", prose("<script>alert(1)</script>"), "<script> isn't allowed"),
    ("little_html", prose('So <img src="x.png"> it is'), "<img> isn't allowed"),
    (
        "links_resolve",
        prose("[this](missing.ipynb)"),
        "leads to no page of the book; there are: index.md, good",
    ),
    ("links_resolve", prose("[this](other.ipynb#none)"), "leads to no heading of other.ipynb"),
    ("links_resolve", prose("[this](#none)"), "leads to no heading of this chapter"),
    ("links_resolve", prose("[this](bibliography.md#nobody2000)"), "leads to no heading of bibliography.md"),
    ("links_resolve", prose("[](other.ipynb)"), "has no text"),
    ("links_resolve", prose("[this](/other.ipynb)"), "works on one machine or in MyST only"),
    ("python_kernel", do("nb.metadata.kernelspec.name = 'conda-env'"), "its kernel is 'conda-env'"),
    ("title_and_colab_link", do("nb.cells.pop(0)"), "the first cell must be the title"),
    ("title_and_colab_link", change(TITLE, source="# Good"), "the Colab link differs from _config.yml"),
    ("opening", change(OPENING, source="**You will do** it; **you need** 2."), "What you will learn"),
    ("install_cell", do("nb.cells.pop(2)"), "the install cell, which is missing"),
    ("install_cell", do("nb.cells.insert(2, nb.cells.pop(3))"), "the install cell, which is cell 4"),
    ("install_cell", do("nb.cells[2].source += '@v1'"), "it differs from what _config.yml asks for"),
    ("headings_in_order", prose("#### Deep"), "the heading 'Deep' skips a level after 'Adding'"),
    ("headings_in_order", prose("# Another"), "a second title, 'Another'; use ##"),
    ("closing", do("nb.cells.pop(8)"), "but are Adding, Further reading"),
    (
        "closing",
        do("nb.cells.append(new_markdown_cell('## More'))"),
        "but are Summary, Further reading, More",
    ),
]

ACCEPTED = [
    ("results_are_shown", code("x.fill_(1)")),
    ("results_are_shown", code("%pip install x\nx")),
    ("no_local_paths", prose("See https://x.org/home/ann/page and and/or.")),
    ("no_local_paths", output('<image xlink:href="data:image/png;base64,ab/tmp/ab+/home/abc"/>')),
    ("no_timings", output("3 x 3 s, 28 months, 5 maps")),
    ("nbval_can_compare", code("x = 1;")),
    ("nbval_can_compare", code("Output = namedtuple('Output', 'h w')")),
    ("nbval_markers_work", code("# NBVAL_IGNORE_OUTPUT\nx")),
    ("figures_have_alt_text", alt("An image and its two feature maps, one for each kernel")),
    ("commonmark_only", prose("```text\n:::\n{ref}`x`\n```\n\n`{ref}` and $x_{i}`$ and 50% and (a)=b")),
    ("formulas_in_dollars", prose("$$\n\\begin{aligned} x \\end{aligned}\n$$\n\nand `\\(x\\)`, f\\[0\\")),
    ("little_html", prose("<details><summary>Answer</summary>\n\nH<sub>2</sub>O, x < y\n\n</details>")),
    (
        "links_resolve",
        prose("<https://pytorch.org> and [`Conv2d`](https://pytorch.org) and [`x`](other.ipynb)"),
    ),
    ("opening", change(OPENING, source="## What you'll do\n## What you'll learn\n## What you'll need")),
    ("closing", do("nb.cells.insert(9, new_markdown_cell('## Exercises\\n\\n### One'))")),
]


def test_a_good_chapter_passes_every_guard(good, good_path):
    assert {name: guard(good, good_path) for name, guard in GUARDS.items()} == {name: [] for name in GUARDS}


@pytest.mark.parametrize(("name", "spoil", "message"), SPOILED, ids=[f"{n}-{m[:30]}" for n, _, m in SPOILED])
def test_a_spoiled_chapter_fails(good, good_path, name, spoil, message):
    spoil(good)
    problems = GUARDS[name](good, good_path)
    assert any(message in problem for problem in problems), problems
    assert all(problem.startswith("good") for problem in problems)


@pytest.mark.parametrize(("name", "spoil"), ACCEPTED)
def test_what_only_looks_wrong_passes(good, good_path, name, spoil):
    spoil(good)
    assert GUARDS[name](good, good_path) == []


def test_canonical_form_looks_at_the_bytes(good, good_path):
    good_path.write_bytes(good_path.read_bytes() + b"\n")
    assert "isn't in canonical form; run: make tidy CHAPTER=good" in "".join(
        GUARDS["canonical_form"](good, good_path)
    )


def test_a_chapter_outside_the_table_of_contents_fails(good, good_path):
    draft = good_path.with_name("draft.ipynb")
    assert GUARDS["listed_in_toc"](good, draft) == ["draft: add it to _toc.yml, or move it out of the book"]


def test_every_guard_is_seen_failing():
    spoiled = {name for name, _, _ in SPOILED} | {"canonical_form", "listed_in_toc"}
    elsewhere = {"exercises_match_registry", "exercises_are_not_attempted", "solutions_are_right"}
    assert spoiled | elsewhere == set(GUARDS)  # elsewhere: tests/package/exercises/test_exercises_guards.py


def test_the_widget_state_guard_looks_for_the_shown_widget(good, good_path):
    good.cells[SLIDER].outputs[0].data[WIDGET_VIEW].model_id = "another"
    assert len(GUARDS["widget_state_is_saved"](good, good_path)) == 1
