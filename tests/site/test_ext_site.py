"""What surrounds the pages: their heads, the policy, the map, the page for what is missing."""

import doctest

import pytest
from docutils import nodes
from docutils.utils import new_document

import not_found
import page_head
import security_policy
import sitemap
from social_card import SIZE, card


@pytest.mark.parametrize("module", [not_found, security_policy, sitemap], ids=lambda m: m.__name__)
def test_examples(module):
    assert doctest.testmod(module).failed == 0


def document(*paragraphs):
    made = new_document("page")
    made.extend(paragraphs)
    return made


def test_description_is_the_first_paragraph_that_says_something():
    link = nodes.paragraph("", "", nodes.reference("", "Open in Colab", refuri="https://example.org"))
    promise = nodes.paragraph("", "", nodes.Text("A kernel\nmoves over "), nodes.reference("", "an image"))
    assert page_head.description(document(link, promise)) == "A kernel moves over an image"
    assert page_head.description(document(link)) == ""


def test_long_description_ends_between_words():
    said = page_head.description(document(nodes.paragraph("", "kernel " * 60)))
    assert len(said) <= page_head.LONGEST
    assert said.endswith("kernel …")


@pytest.mark.parametrize(
    "title", ["Pooling", "Depthwise separable convolution, step by step and in code " * 2]
)
def test_card_has_the_size_that_sites_ask_for(title):
    picture = card(title, "d2lconv")
    assert picture.size == SIZE
    assert picture.convert("RGB").getpixel((1190, 10)) == (255, 255, 255)  # the title ends before the border
    colours = {colour for _, colour in picture.convert("RGB").getcolors()}
    assert (0xFD, 0xE5, 0xCC) in colours  # the cover's kernel


def test_policy_lets_scripts_of_the_page_run_and_no_others():
    page = (
        '<script src="a.js"></script><script>go()</script><script>go()</script>'
        '<script type="application/json">{}</script>'
    )
    rule = security_policy.policy(page).split("; ")[1]
    assert rule == f"script-src 'self' {security_policy.hash_of('go()')}"


def test_only_pages_with_figures_may_run_views():
    assert "blob:" not in security_policy.policy("<p>")
    assert "blob:" in security_policy.policy('<div class="d2l-live" data-model="1">')


def test_policy_comes_first_and_once():
    page = security_policy.protect('<head><meta charset="utf-8" /><script>go()</script></head>')
    assert page.index("Content-Security-Policy") < page.index("<script>")
    assert security_policy.protect(page) == page


def test_page_for_what_is_missing_is_changed_once():
    page = not_found.anchored('<meta charset="utf-8" /><a href="#a">', "/b/")
    assert not_found.anchored(page, "/b/") == page
