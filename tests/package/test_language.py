"""Sentences in the reader's language: the same by Python and by JavaScript."""

import pytest

from d2lconv import language

CATALOGUE = {
    "Not yet": "还不对",
    "row {}, column {}": "第{}行，第{}列",
    "{} of {} right": "{1}个中对了{0}个",
    "row {}": "第{}行",
    "It should be {}.": "应当是{}。",
    "a (b) [c] $1": "甲$1",
    ". ": "",
    "; ": "；",
    ", ": "，",
    "no row": "没有行",
    "{}-by-{}, [a] / (b)?": "{}乘{}",
    " or ": "还是",
}
SAID = {
    "Not yet": "还不对",
    "row 1, column 2": "第1行，第2列",
    "3 of 10 right": "10个中对了3个",
    "It should be row 4.": "应当是第4行。",
    "It should be nothing known.": "应当是nothing known。",
    "a (b) [c] $1": "甲$1",
    "2-by-3, [a] / (b)?": "2乘3",
    "row 1\n2": "第1\n2行",
    "unknown": "unknown",
    "Not yet, `x` or 高": "还不对，`x`还是高",
    "高, 宽": "高，宽",
    "x, y": "x, y",
    "x or y": "x还是y",
    "甲(r, c)": "甲(r, c)",
    "12": "12",
    "It should be row 4. It should be 5.0.": "应当是第4行。应当是5.0。",
    "5, row 1, column 2; no row": "5，第1行，第2列；没有行",
    "nobody; says this": "nobody; says this",
    "5, row 3 of 10 right": "5，10个中对了第3行个",
    "3 of 10, unknown right": "10, unknown个中对了3个",
}


@pytest.fixture
def chinese(monkeypatch):
    monkeypatch.setattr(language, "catalogue", lambda name, *parts: CATALOGUE if name == "zh" else {})
    for kept in (language._patterns, language._find):
        kept.cache_clear()
    yield
    for kept in (language._patterns, language._find):
        kept.cache_clear()


@pytest.mark.parametrize(("text", "said"), SAID.items())
def test_sentences_and_what_stands_in_their_gaps(chinese, text, said):
    assert language.translate(text, "zh") == said
    assert language.translate(text, "en") == text


@pytest.mark.parametrize(
    ("value", "meant"),
    [("zh", "zh"), ("zh_CN", "zh"), ("ZH-Hans", "zh"), ("en", "en"), ("fr", "en"), ("", "en")],
)
def test_environment_names_the_language(monkeypatch, value, meant):
    monkeypatch.setenv("D2LCONV_LANG", value)
    assert language.language() == meant


def test_gaps_of_a_translation_are_those_of_its_sentence():
    for name in language.LANGUAGES:
        for text, said in (language.catalogue(name) | language.catalogue(name, "figures")).items():
            gaps = [gap or str(number) for number, gap in enumerate(language._GAP.findall(said))]
            assert sorted(gaps) == [str(number) for number in range(text.count("{}"))], text


PAGE = """<p id=a aria-label="row 1, column 2">Not yet <b>3 of 10 right</b></p><pre>Not yet</pre>
<p lang=en>Not yet</p><input placeholder="Not yet">"""


def test_a_page_says_the_same_and_goes_on_to(browser, serve):
    page = browser.new_page()
    page.goto(f"{serve(language.FOLDER)}/zh/replies.json")
    say = """async ([catalogue, texts]) => {
        const {translator} = await import(new URL('/translate.js', location));
        return texts.map(translator(catalogue));
    }"""
    assert page.evaluate(say, [CATALOGUE, list(SAID)]) == list(SAID.values())
    page.set_content(PAGE)
    start = """async (catalogue) => {
        const {translator, translateAll} = await import(new URL('/translate.js', document.baseURI));
        translateAll(document.body, translator(catalogue));
    }"""
    page.evaluate(start, CATALOGUE)
    first = page.locator("#a")
    assert first.inner_text() == "还不对 10个中对了3个"
    assert first.get_attribute("aria-label") == "第1行，第2列"
    assert page.locator("pre").inner_text() == page.locator("[lang]").inner_text() == "Not yet"
    assert page.get_by_placeholder("还不对").count() == 1
    later = """async (a) => {
        a.textContent = 'row 7';
        a.setAttribute('aria-label', 'row 0, column 5');
        a.append(document.createElement('i'));
        a.lastChild.textContent = 'Not yet';
        await new Promise(requestAnimationFrame);
    }"""
    first.evaluate(later)
    assert (first.inner_text(), first.get_attribute("aria-label")) == ("第7行还不对", "第0行，第5列")
    page.close()
