"""A small book full of mistakes: each is reported, with file and line."""

import os
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_output

BOOK = Path(__file__).parents[2] / "book"
CONF = f"""
extensions = ["myst_nb", "sphinxcontrib.bibtex", "sphinx_copybutton", "sphinx.ext.autodoc", "d2lconv_book"]
html_theme = "furo"
html_static_path = ["{BOOK}/_static"]
html_math_renderer = "mathml"
myst_enable_extensions = ["dollarmath"]
nb_execution_mode = "off"
bibtex_bibfiles = ["references.bib"]
bibtex_cite_id = "{{key}}"
"""
PAGE = r"""# Page

```{math}
:label: sum
\sum_i x_i
```

The formula $\foo + 1$ is wrong. [Known](bibliography.md#lecun1998), [unknown](bibliography.md#nobody1999).

![](square.svg)

![A square](square.svg)

![A script](script.svg)

Text with <b onclick="go()">a handler</b>.

<script>go()</script>
"""
BIBLIOGRAPHY = "# Bibliography\n\n```{bibliography}\n:all:\n:list: bullet\n```\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" id="s">{}</svg>'


def chapter():
    output = new_output("display_data", data={"image/svg+xml": SVG.format("<circle/>"), "text/plain": "x"})
    markup = new_output("display_data", data={"text/html": "<p onload='go()'>x</p>", "text/plain": "x"})
    described = {"mystnb": {"image": {"alt": "A circle"}}}
    cells = [
        new_markdown_cell("# Chapter\n\nFirst line.\n\n$$\\bar{$$"),
        new_code_cell("draw()", execution_count=1, outputs=[output], metadata=described),
        new_code_cell("draw()", execution_count=2, outputs=[output]),
        new_code_cell("show()", execution_count=3, outputs=[markup]),
    ]
    return nbformat.v4.new_notebook(
        cells=cells, metadata={"language_info": {"name": "python", "pygments_lexer": "ipython3"}}
    )


@pytest.fixture(scope="module")
def built(tmp_path_factory):
    """Build the book of mistakes; return the folder of its pages and the log."""
    source = tmp_path_factory.mktemp("mistakes")
    (source / "conf.py").write_text(CONF)
    (source / "index.md").write_text("# Book\n\n```{toctree}\npage\nchapter\nbibliography\n```\n")
    (source / "page.md").write_text(PAGE)
    (source / "bibliography.md").write_text(BIBLIOGRAPHY)
    (source / "references.bib").write_text(
        "@book{lecun1998, title = {LeNet}, author = {A, B}, publisher = {C}, year = 1998}"
    )
    (source / "square.svg").write_text(SVG.format("<rect style='fill: #0072b2'/>"))
    (source / "script.svg").write_text(SVG.format("<script/>"))
    nbformat.write(chapter(), source / "chapter.ipynb")
    run = subprocess.run(
        [sys.executable, "-m", "sphinx", "-q", "-N", source, source / "_build"],
        stderr=subprocess.PIPE,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": f"{BOOK / '_ext'}{os.pathsep}{BOOK.parent / 'src'}"},
    )
    assert run.returncode == 0, run.stderr
    return source / "_build", run.stderr


@pytest.mark.parametrize(
    "expected",
    [
        r'page.md:8: WARNING: formula: Unknown command "\foo". In: \foo + 1',
        "page.md:8: WARNING: local id not found in doc 'bibliography': 'nobody1999'",
        "page.md:10: WARNING: image without a description (alt='')",
        "page.md:14: WARNING: drawing not put in the page: it has <script>",
        "page.md:16: WARNING: onclick= may not stand in a page",
        "page.md:18: WARNING: <script> may not stand in a page",
        "chapter.ipynb:40002: WARNING: onload= may not stand in a page",
        "chapter.ipynb:10006: WARNING: formula: Expected",
        "chapter.ipynb:30002: WARNING: image without a description",
    ],
)
def test_mistake_is_reported_where_it_is(built, expected):
    assert expected in built[1]


def test_nothing_else_is_reported(built):
    assert built[1].count("WARNING") == 9


def test_what_is_right_is_shown(built):
    page = (built[0] / "page.html").read_text()
    assert 'href="bibliography.html#lecun1998"' in page
    assert 'id="lecun1998"' in (built[0] / "bibliography.html").read_text()
    assert '<span class="eqno">(1)' in page
    assert '<svg class="d2l-figure" role="img" aria-label="A square">' in page
    assert "fill: var(--d2l-input, #0072b2)" in page
    assert "<script/>" not in page
    assert "Content-Security-Policy" in page
    assert 'aria-label="A circle"' in (built[0] / "chapter.html").read_text()
