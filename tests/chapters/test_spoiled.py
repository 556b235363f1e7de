"""Spoiled chapters are noticed, each kind by the test or by the comparison that should see it.

What nothing here can notice: wrong numbers in prose and formulas, alt texts that are wrong in good English,
code that shows nothing, and a cell that is missing as a whole.
"""

import copy
import re

import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output
from tests.chapters import test_exercises, test_form, test_outputs, test_prose
from tests.chapters.chapters import BOOK, Chapter, none_of, read
from tests.chapters.compare import STATE, VIEW, compare_outputs, compare_states
from tools.notebooks import dumps, normalise

REAL = BOOK.root / "book" / "convolution.ipynb"
SVG, HTML, PLAIN = "image/svg+xml", "text/html", "text/plain"
PNG = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR4nGP4z8DwHwAFAAH/iZk9HQAAAABJRU5ErkJggg=="  # red
)

# Positions in the good chapter (see conftest.py).
TITLE, OPENING, INSTALL, TEXT, PRINT, VALUE, FIGURE, SLIDER, SUMMARY, READING = range(10)


def comparison(chapter):
    """Compare a spoiled chapter with a run that gives what the chapter on disk shows."""
    before, now = chapter.nb, read(chapter.path).nb
    for cell, new in zip(before.cells, now.cells, strict=True):
        if cell.cell_type == "code":
            none_of(compare_outputs(cell.outputs, new.outputs))
    none_of(compare_states(*((shown(nb), models(nb)) for nb in (before, now))))


def outputs(nb, kind):
    return [
        output for cell in nb.cells for output in cell.get("outputs", []) if kind in output.get("data", {})
    ]


def shown(nb):
    return [output.data[VIEW].model_id for output in outputs(nb, VIEW)]


def models(nb):
    return nb.metadata.get("widgets", {}).get(STATE, {}).get("state", {})


def model(nb, name):
    return next(model.state for model in models(nb).values() if model.model_name == name)


def printed(nb):
    return next(out for cell in nb.cells for out in cell.get("outputs", []) if out.output_type == "stream")


# ---- ways to spoil ----


def change(index, **attributes):
    return lambda nb: nb.cells[index].update(copy.deepcopy(attributes))


def prose(source):
    return lambda nb: nb.cells[TEXT].update(source=f"{nb.cells[TEXT].source}\n\n{source}")


def code(source):
    return change(VALUE, source=source)


def text(value):
    return change(PRINT, outputs=[new_output("stream", name="stdout", text=value)])


def html(value):
    return change(VALUE, outputs=[new_output("display_data", data={HTML: value, PLAIN: "<HTML>"})])


def alt(value):
    return change(FIGURE, metadata={"mystnb": {"image": {"alt": value}}})


def edit(kind, pattern, new):
    """Change the first match in outputs of a kind."""

    def spoil(nb):
        data = next(one.data for one in outputs(nb, kind) if re.search(pattern, one.data[kind]))
        data[kind] = re.sub(pattern, new, data[kind], count=1)

    return spoil


def red(nb):
    """Replace a picture inside a drawing."""
    drawing = next(output for output in outputs(nb, SVG) if ";base64," in output.data[SVG])
    drawing.data[SVG] = re.sub(r"(?<=;base64,)[^\"]+", PNG, drawing.data[SVG], count=1)


def swap(nb):
    one, other = outputs(nb, SVG)[:2]
    one.data, other.data = other.data, one.data


def point_elsewhere(nb):
    """Let a view show another model."""
    outputs(nb, VIEW)[0].data[VIEW].model_id = next(
        name for name, one in models(nb).items() if one.model_name == "HBoxModel"
    )


def tidied(spoil):
    def spoil_and_tidy(nb):
        spoil(nb)
        nb.update(normalise(nb))

    return spoil_and_tidy


def cell(nb, name):
    return next(one for one in nb.cells if one.id == name)


def replace(name, old, new):
    def spoil(nb):
        assert old in cell(nb, name).source
        cell(nb, name).source = cell(nb, name).source.replace(old, new)

    return spoil


def say(name, value):
    return lambda nb: cell(nb, name).outputs[0].data.update({PLAIN: value})


ERROR = new_output("error", ename="ValueError", evalue="no", traceback=[])
STDERR = new_output("stream", name="stderr", text="UserWarning: x\n")

COMPARED = {
    "digit in printed text": (
        lambda nb: printed(nb).update(text="7" + printed(nb).text),
        "stdout, stored (-)",
    ),
    "digit in a value": (edit(PLAIN, r"\d", "77"), "text/plain, stored (-)"),
    "number in a table": (edit(HTML, r"0\.3em", "0.4em"), "text/html, stored (-)"),
    "coordinate": (edit(SVG, r"M (\d+)\.", r"M 9\1."), "pixels (allowed: 0.5)"),
    "color": (edit(SVG, "fill: #d6e9f5", "fill: #d6e9f6"), "style"),
    "letter": (edit(SVG, r'(<use xlink:href="#DejaVuSans-)13"', r'\g<1>14"'), "use"),
    "label": (edit(SVG, "<!-- X -->", "<!-- Y -->"), "label"),
    "pixels inside a drawing": (red, "a picture"),
    "all outputs lost": (
        lambda nb: [one.update(outputs=[]) for one in nb.cells if "outputs" in one],
        "stored: none",
    ),
    "outputs of a cell lost": (lambda nb: cell(nb, "exercise-1-yours").update(outputs=[]), "stored: none"),
    "figures swapped": (swap, "drawing, "),
    "PNG beside SVG": (
        lambda nb: outputs(nb, SVG)[0].data.update({"image/png": PNG}),
        "stored: image/png + image/svg",
    ),
    "output added": (lambda nb: cell(nb, "exercise-1-yours").outputs.append(STDERR), "stderr"),
    "HTML lost": (lambda nb: outputs(nb, HTML)[0].data.pop(HTML), "now:    text/html"),
    "metadata of an output": (lambda nb: outputs(nb, SVG)[0].update(metadata={"a": 1}), "metadata"),
    "state lost": (lambda nb: nb.metadata.pop("widgets"), "figure 1: only in the run"),
    "slider's value": (lambda nb: model(nb, "IntSliderModel").update(value=2), "value: stored 2, now 0"),
    "slider's bound": (lambda nb: model(nb, "IntSliderModel").update(max=7), "max: stored 7, now 8"),
    "number in a view": (
        lambda nb: model(nb, "AnyModel").kernel[0].__setitem__(0, 1.5),
        "kernel[0][0]: stored 1.5",
    ),
    "view of another class": (
        lambda nb: model(nb, "AnyModel").update(_anywidget_id="x"),
        "_anywidget_id: stored x",
    ),
    "link lost": (
        lambda nb: models(nb).pop(next(n for n, one in models(nb).items() if one.model_name == "LinkModel")),
        "in the run, but not in the file: LinkModel",
    ),
    "link to another control": (
        lambda nb: model(nb, "LinkModel").target.__setitem__(1, "min"),
        "not in the run: Link",
    ),
    "view shows another model": (point_elsewhere, "figure 1"),
    "view shows another model, tidied": (tidied(point_elsewhere), "figure 1"),
}


@pytest.mark.parametrize("kind", COMPARED)
def test_the_comparison_notices(kind):
    spoil, message = COMPARED[kind]
    chapter = Chapter(copy.deepcopy(read(REAL).nb), REAL)
    comparison(chapter)
    spoil(chapter.nb)
    with pytest.raises(AssertionError, match=re.escape(message)):
        comparison(chapter)


RULES = [
    (
        test_outputs.test_every_code_cell_was_run,
        change(PRINT, execution_count=None, outputs=[]),
        "was never run; run:",
    ),
    (
        test_outputs.test_every_code_cell_was_run,
        lambda nb: nb.cells.insert(4, new_code_cell("")),
        "delete it",
    ),
    (test_outputs.test_no_cell_hides_from_the_comparison, code("# NBVAL_IGNORE_OUTPUT\nx"), "is not allowed"),
    (test_outputs.test_no_cell_hides_from_the_comparison, code("x  # nbval_skip"), "is not allowed"),
    (
        test_outputs.test_no_cell_hides_from_the_comparison,
        change(VALUE, metadata={"tags": ["nbval-ignore-output"]}),
        "'nbval-ignore-output' is not allowed",
    ),
    (
        test_outputs.test_no_cell_hides_from_the_comparison,
        change(VALUE, metadata={"tags": ["raises-exception"]}),
        "'raises-exception' is not allowed",
    ),
    (test_outputs.test_no_errors_and_warnings, change(PRINT, outputs=[ERROR]), "raised ('no')"),
    (test_outputs.test_no_errors_and_warnings, change(PRINT, outputs=[STDERR]), "UserWarning: x"),
    (
        test_outputs.test_figures_are_svg,
        change(FIGURE, outputs=[new_output("display_data", data={"image/png": PNG})]),
        "draw it as SVG",
    ),
    *(
        (test_outputs.test_no_scripts_in_outputs, html(value), "runs no scripts")
        for value in (
            "<script>a()</script>",
            "<b onclick='a()'>x</b>",
            "<a href='javascript:a()'>x</a>",
            "<iframe>",
        )
    ),
    (
        test_outputs.test_no_scripts_in_outputs,
        change(VALUE, outputs=[new_output("display_data", data={"application/javascript": "a()"})]),
        "runs no scripts",
    ),
    *(
        (test_outputs.test_no_absolute_paths, spoil, f"'{path}' exists on one machine")
        for path in (
            *(
                "/home/ann/model.pt",
                "/opt/data",
                "/usr/local/lib",
                "/content",
                "/workspace/x",
                "/kaggle/input",
            ),
            *("~/data", "file:///srv/x", "/work"),
        )
        for spoil in (
            code(f"open('{path}')"),
            text(f"saved in {path}\n"),
            prose(f"It lies in {path}, of course."),
            lambda nb, path=path: nb.metadata.update(myst={"path": path}),
            lambda nb, path=path: nb.cells[VALUE].metadata.update(tags=[path]),
            lambda nb, path=path: next(iter(models(nb).values())).state.update(description=path),
        )
    ),
    (test_outputs.test_no_absolute_paths, code("open('C:\\\\Users\\\\Ann')"), "exists on one machine"),
    (test_outputs.test_no_absolute_paths, text("\\\\server\\data"), "exists on one machine"),
    *(
        (test_prose.test_figures_and_images_are_described, spoil, message)
        for spoil, message in (
            (change(FIGURE, metadata={}), "its figure's alt text is missing; set it"),
            (alt("book/edges_1.svg"), "is a file name (book/edges_1.svg)"),
            (alt("Figure 3"), "says only that it is a picture"),
            (alt("An image of a digit"), "says only that it is a picture"),
            (alt("Edges"), "has 5 characters"),
            (alt("A digit. " * 40), "has 359 characters"),
            (alt("A 3×3 kernel"), "is read aloud, so say '×' in words"),
            (
                lambda nb: nb.cells[FIGURE].outputs.append(nb.cells[FIGURE].outputs[0]),
                "shows 2 figures but has one",
            ),
            (prose("![](attachment:a.svg)"), "the alt text of attachment:a.svg is missing"),
            (prose("![A square with one black corner](attachment:a.svg)"), "its alt text is that of cell 4"),
        )
    ),
    (test_prose.test_figures_have_captions, alt("A digit, in grey"), "its figure's caption is missing"),
    *(
        (test_prose.test_images_lie_in_the_book, prose(source), "there is no image")
        for source in (
            "![A circle](https://x.org/a.svg)",
            "![A circle](none.svg)",
            "![A circle][c]\n\n[c]: none.svg",
        )
    ),
    *(
        (test_prose.test_commonmark_only, prose(source), f"{what} works in MyST only")
        for source, what in (
            ("```{note}\nHello\n```", "a directive ({note})"),
            (":::{tip}\nHello\n:::", "a ::: block"),
            ("As in {ref}`sums` before.", "a role ({ref})"),
            ("(sums)=\n## Sums", "a (label)= target"),
            ("So it is.[^1]", "a [^footnote]"),
        )
    ),
    (
        test_prose.test_formulas_stand_in_dollars,
        prose(r"So \(x + y\) is."),
        r"'\\(x + y\\)' isn't shown everywhere",
    ),
    (
        test_prose.test_formulas_stand_in_dollars,
        prose("\\begin{align}\nx\n\\end{align}"),
        "isn't shown everywhere",
    ),
    *(
        (test_prose.test_little_html, prose(source), f"<{tag}> isn't allowed")
        for source, tag in (
            ("<script>alert(1)</script>", "script"),
            ('So <img src="x.png"> it is', "img"),
            ('<a href="none.ipynb">x</a>', "a"),
        )
    ),
    *(
        (test_prose.test_links_resolve, prose(source), message)
        for source, message in (
            ("[this](missing.ipynb)", "leads to no page of the book; there are: index.md, good"),
            ("[this][m]\n\n[m]: missing.ipynb 'title'", "leads to no page of the book"),
            ("[m]\n\n[m]: <missing.ipynb>", "leads to no page of the book"),
            ("[![A square](attachment:a.svg)](missing.ipynb)", "leads to no page of the book"),
            ("| a |\n|---|\n| [this](missing.ipynb) |", "leads to no page of the book"),
            ("[this](other.ipynb#none)", "leads to no heading of other.ipynb"),
            ("[this](#none)", "leads to no heading of this chapter"),
            ("[this](bibliography.md#nobody2000)", "leads to no heading of bibliography.md"),
            ("[this][missing]", "stands as typed"),
            ("[this][]", "stands as typed"),
            ("[[other]]", "stands as typed"),
            ("[](other.ipynb)", "has no text"),
            ("[this](/other.ipynb)", "works on one machine or in MyST only"),
            ("<other.ipynb>", "stands as typed"),
            ("<file:other.ipynb>", "stands as typed"),
            ("[this](file:///other.ipynb)", "stands as typed"),
        )
    ),
    (
        test_form.test_canonical_form,
        change(PRINT, execution_count=7),
        "not in canonical form; run: make tidy",
    ),
    (
        test_form.test_canonical_form,
        lambda nb: nb.metadata.kernelspec.update(name="conda"),
        "not in canonical form",
    ),
    (test_form.test_canonical_form, change(TITLE, source="# Good"), "not in canonical form"),
    (test_form.test_canonical_form, lambda nb: nb.cells.pop(INSTALL), "not in canonical form"),
    (test_form.test_one_title_at_the_top, lambda nb: nb.cells.pop(TITLE), "its first cell, and no other"),
    (test_form.test_one_title_at_the_top, prose("# Another"), "its first cell, and no other"),
    (
        test_form.test_opening_says_what_to_learn_and_need_and_how_long_it_takes,
        change(OPENING, source="**You will learn** it; **you need** 2."),
        "**Time**",
    ),
    (test_form.test_closing, lambda nb: nb.cells.pop(SUMMARY), "but are Adding, Further reading"),
    (
        test_form.test_closing,
        lambda nb: nb.cells.append(new_markdown_cell("## More")),
        "Further reading, More",
    ),
]


@pytest.mark.parametrize(
    ("rule", "spoil", "message"), RULES, ids=[f"{one[0].__name__}-{one[2][:40]}" for one in RULES]
)
def test_the_rule_notices(good, good_path, rule, spoil, message):
    rule(Chapter(good, good_path))
    spoil(good)
    good_path.write_text(dumps(good), "utf-8")
    with pytest.raises(AssertionError, match=re.escape(message)) as raised:
        rule(Chapter(good, good_path))
    assert str(raised.value).startswith("good")


ACCEPTED = [
    (
        test_outputs.test_no_absolute_paths,
        prose("See https://x.org/home/ann/page and and/or, 1/2, h / w, `</b>`."),
    ),
    (test_outputs.test_no_absolute_paths, html('<img src="data:image/png;base64,ab/tmp/ab+/home/abc"/>')),
    (test_outputs.test_no_absolute_paths, code("x = a / b // c\nmean = total / len(x)")),
    (test_outputs.test_no_scripts_in_outputs, html("<p>A script, once on = 1, in a form</p>")),
    (
        test_prose.test_figures_and_images_are_described,
        alt("An image and its two feature maps, one a kernel"),
    ),
    (
        test_prose.test_commonmark_only,
        prose("```text\n:::\n{ref}`x`\n```\n\n`{ref}` and $x_{i}`$ and 50% and (a)=b"),
    ),
    (
        test_prose.test_formulas_stand_in_dollars,
        prose("$$\n\\begin{aligned} x \\end{aligned}\n$$\n\nand `\\(x\\)`"),
    ),
    (
        test_prose.test_little_html,
        prose("<details><summary>A</summary>\n\nH<sub>2</sub>O, x < y\n\n</details>"),
    ),
    (
        test_prose.test_links_resolve,
        prose(
            "<https://pytorch.org>, [`x`](other.ipynb), [o][o], `x[0][1]`, $a[0][1]$, [0]\n\n[o]: other.ipynb"
        ),
    ),
    (
        test_form.test_opening_says_what_to_learn_and_need_and_how_long_it_takes,
        change(OPENING, source="**You will learn:** it. **You need:** 2. **Time:** long."),
    ),
    (test_form.test_closing, lambda nb: nb.cells.insert(9, new_markdown_cell("## Exercises\n\n### One"))),
]


@pytest.mark.parametrize(("rule", "spoil"), ACCEPTED)
def test_what_only_looks_wrong_passes(good, good_path, rule, spoil):
    spoil(good)
    rule(Chapter(good, good_path))


def test_bytes_outside_the_canonical_form_are_noticed(good, good_path):
    good_path.write_bytes(good_path.read_bytes() + b"\n")
    with pytest.raises(AssertionError, match="not in canonical form"):
        test_form.test_canonical_form(Chapter(good, good_path))


def test_a_chapter_outside_the_table_of_contents_is_noticed(good, good_path):
    with pytest.raises(AssertionError, match=r"draft: add it to _toc\.yml"):
        test_form.test_listed_in_the_table_of_contents(Chapter(good, good_path.with_name("draft.ipynb")))


def drop_exercise(nb):
    for name in ("exercise-2", "exercise-2-yours", "exercise-2-solution"):
        nb.cells.remove(cell(nb, name))


YOURS, SOLUTION = "exercise-3-yours", "exercise-3-solution"
MATCH = test_exercises.test_exercises_match_the_package
OPEN = test_exercises.test_exercises_are_not_attempted
RIGHT = test_exercises.test_solutions_are_right
EXERCISES = [
    (MATCH, drop_exercise, "its exercises should be"),
    (MATCH, replace("exercise-3", "★★", "★"), "its exercises should be"),
    (MATCH, replace("exercise-3", "moves", "shifts"), "its exercises should be"),
    (OPEN, lambda nb: nb.cells.remove(cell(nb, YOURS)), "must be the reader's, and end in check(\"con"),
    (OPEN, replace(YOURS, "convolution.3", "convolution.2"), "must be the reader's"),
    (OPEN, say(YOURS, "Correct (convolution.3): 2"), "not attempted yet"),
    (OPEN, lambda nb: cell(nb, YOURS).update(outputs=[]), "not attempted yet"),
    (RIGHT, lambda nb: nb.cells.remove(cell(nb, SOLUTION)), "must be its solution, and begin with # @title"),
    (RIGHT, replace(SOLUTION, "# @title Solution", "# Here:"), "must be its solution"),
    (RIGHT, replace(SOLUTION, ", solution=True", ""), "it must end in check("),
    (RIGHT, replace(SOLUTION, "convolution.3", "convolution.4"), "must end in"),
    (RIGHT, say(SOLUTION, "Not yet (convolution.3): 2 of"), "say that it is correct"),
    (RIGHT, say(SOLUTION, "Correct (convolution.3): 20"), "say that it is correct"),
]


@pytest.mark.parametrize(("rule", "spoil", "message"), EXERCISES, ids=range(len(EXERCISES)))
def test_a_spoiled_exercise_is_noticed(rule, spoil, message):
    chapter = Chapter(copy.deepcopy(read(REAL).nb), REAL)
    spoil(chapter.nb)
    with pytest.raises(AssertionError, match=re.escape(message)) as raised:
        rule(chapter)
    assert str(raised.value).startswith("convolution")
