"""Figures in Chinese: all words, and the same numbers, on pages of the Chinese edition and in notebooks."""

import pytest
from playwright.sync_api import expect
from tests.explorers.test_every_figure import KEPT, PAGES, RIGHT, figures_on
from tests.explorers.widgets_book import FigureOnPage

from d2lconv import widgets
from d2lconv_book.explorers import add_translation

# Names, code, keys and units stay as they are.
NAMES = (
    "PyTorch|ReLU|LeNet|VGG [A-E]|VALID|SAME|FULL|Sobel|sigmoid|tanh|softmax|ceil_mode|[XKYZG][.]grad|Shift|"
    "Backspace|Delete|nat|JPEG|PNG|MB"
)
#: Keeps what the view wrote, before it is translated: the page's first observer is called first.
LISTEN = """(() => {
  const SPOKEN = ["aria-label", "aria-valuetext", "title", "placeholder", "alt"];
  const [written, problems] = [new WeakMap(), new Set()];
  const keep = (node, name, text) => {
    if (!/[\\u3400-\\u9fff]/.test(text)) written.set(node, { ...written.get(node), [name]: text });
  };
  const all = (node, call) => {
    if (node.nodeType === Node.TEXT_NODE) return call(node, "text", node.data);
    if (node.nodeType !== Node.ELEMENT_NODE || node.matches("pre, style, [lang] [lang]")) return;
    for (const name of SPOKEN) if (node.hasAttribute(name)) call(node, name, node.getAttribute(name));
    for (const child of node.childNodes) all(child, call);
  };
  new MutationObserver((changes) => {
    for (const { type, target, addedNodes, attributeName } of changes) {
      if (type === "childList") addedNodes.forEach((node) => all(node, keep));
      else if (type === "characterData") keep(target, "text", target.data);
      else keep(target, attributeName, target.getAttribute(attributeName) ?? "");
    }
  }).observe(document, { subtree: true, childList: true, characterData: true, attributeFilter: SPOKEN });

  const numbers = (text) => (text.match(/\\d+(?:[.,]\\d+)*/g) ?? []).sort().join(" ");
  const names = /NAMES/g;
  /** Note what is not Chinese, and what has other numbers than in English. */
  window.listen = () => {
    for (const figure of document.querySelectorAll(".d2l-live")) {
      all(figure, (node, name, text) => {
        const english = written.get(node)?.[name] ?? text;
        if (/[A-Za-z]{2}/.test(text.replaceAll(names, ""))) problems.add(`not translated: ${text}`);
        if (numbers(english) !== numbers(text)) problems.add(`other numbers: ${english} -> ${text}`);
      });
    }
    return [...problems];
  };
})()"""
#: Sets controls at random, points at cells and takes them, and types numbers that are and are not allowed.
USE = """async ([place, count]) => {
  let seed = 7;
  const draw = (below) => Math.floor(((seed = (seed * 16807) % 2147483647) / 2147483647) * below);
  const frame = () => new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(listen()))));
  const send = (to, type, more = {}) => to.dispatchEvent(new PointerEvent(type, { bubbles: true, ...more }));
  const controls = [...place.querySelectorAll(".d2l-control :is(input, select)")];
  for (let i = 0; i < count; i++) {
    const control = controls[draw(controls.length)];
    if (control.type === "checkbox") control.click();
    else if (control.type === "range") {
      const steps = (control.max - control.min) / control.step;
      control.value = Number(control.min) + draw(steps + 1) * control.step;
      send(control, "input");
    } else {
      control.selectedIndex = draw(control.options.length);
      send(control, "change");
    }
    await frame();
    const cells = [...place.querySelectorAll("[role=gridcell], [role=radio], tbody tr, [data-term], canvas")];
    const cell = cells.filter((one) => one.getBoundingClientRect().width)[draw(cells.length)] ?? cells[0];
    if (!cell) continue;
    send(cell, "pointerover");
    send(cell, "pointermove");
    await frame();
    const target = cell.matches("[tabindex]") ? cell : cell.querySelector("[tabindex], input");
    target?.focus({ preventScroll: true });
    send(cell, "click");
    const typed = cell.querySelector("input[type=text], input[type=number]");
    for (const text of typed && !typed.readOnly ? ["?", "", "2"] : []) {
      typed.value = text;
      send(typed, "input");
      await frame();
    }
    for (let one = cell; one !== place; one = one.parentElement) {
      send(one, "pointerleave", { bubbles: false });
    }
    await frame();
  }
}"""
CLIPPED = """figure => [...figure.querySelectorAll('*')].filter((part) => {
    const frame = part.closest('svg:not(:scope)')?.getBoundingClientRect();
    const box = part.getBoundingClientRect();
    if (part.tagName === 'text' && frame) return box.left < frame.left - 1 || box.right > frame.right + 1;
    const isHidden = ['hidden', 'clip'].includes(getComputedStyle(part).overflowX);
    return isHidden && part.innerText?.trim() && box.width > 2 && part.scrollWidth > part.clientWidth + 1;
}).map((part) => part.outerHTML.slice(0, 200))"""


@pytest.fixture(scope="session")
def listening(browser, book):
    """Open one tab that keeps what views write in English."""
    with browser.new_context() as context:
        page, problems = context.new_page(), []
        page.on("pageerror", lambda error: problems.append(str(error)))
        page.add_init_script(LISTEN.replace("NAMES", NAMES))

        def open_page(name, *, width=1280, scheme="light"):
            page.set_viewport_size({"width": width, "height": 900})
            page.emulate_media(color_scheme=scheme)
            page.goto((book / f"book/{name}-zh.html").as_uri())
            return page

        yield open_page
        assert problems == []


@pytest.mark.parametrize("name", PAGES)
def test_all_is_chinese_with_the_same_numbers_and_fits_a_phone(listening, name):
    page = listening(name, width=360, scheme="dark")
    for figure in figures_on(page):
        place = figure.place
        page.evaluate(USE, [place.element_handle(), 5])
        assert page.evaluate("listen()") == []
        assert place.evaluate(RIGHT) <= 360
        assert place.evaluate(CLIPPED) == []
        assert place.evaluate(f"place => ({KEPT})(place) * 16 >= place.firstElementChild.clientHeight - 2")


def test_buttons_and_links_speak_chinese(listening):
    page = listening("pooling")
    figure = FigureOnPage(page)
    for name, said in (("此状态的链接", "链接在地址栏里。"), ("PyTorch代码", "文字已选中，请复制。")):
        figure.place.get_by_role("button", name=name).click()
        figure.place.get_by_text(said).first.wait_for()
    assert "import torch" in figure.place.locator("pre").inner_text()
    figure.place.get_by_role("button", name="关闭").click()
    page.goto(f"{page.url.partition('#')[0]}#figure=0&stride=9")
    page.get_by_text("这个链接指向的状态无法显示：stride应当是1到4的整数，得到的是9。").first.wait_for()


FRAMES = """async ([place, slider]) => {
  const said = place.querySelector("[aria-live]");
  const heard = [];
  place.querySelector("select").focus(); // a slider would speak for itself
  for (const value of [1, 2, 3]) {
    slider.value = value;
    slider.dispatchEvent(new Event("input"));
    for (let i = 0; i < 20; i++) {
      await new Promise((done) => requestAnimationFrame(() => setTimeout(done)));
      if (said.textContent !== heard.at(-1)) heard.push(said.textContent);
    }
    await new Promise((done) => setTimeout(done, 200));
    if (said.textContent !== heard.at(-1)) heard.push(said.textContent);
  }
  return heard;
}"""


def test_what_is_spoken_is_never_english_and_said_once(listening):
    page = listening("padding")
    figure = FigureOnPage(page)
    slider = figure.control("高方向步幅").element_handle()
    heard = page.evaluate(FRAMES, [figure.place.element_handle(), slider])
    heard = [text for text in heard if text]
    assert len(heard) == 3
    assert all(text.startswith("输出") for text in heard)


def test_what_is_not_possible_is_told_in_chinese(listening):
    page = listening("padding")
    figure = FigureOnPage(page)
    figure.control("填充").select_option("SAME")
    figure.control("高方向步幅").press("ArrowRight")
    figure.place.get_by_text("无法计算：PyTorch只在步幅为1时才有SAME填充。").wait_for()
    figure.place.get_by_role("button", name="把步幅改为1").click()
    expect(figure.place.locator(".d2l-alert")).to_have_count(0)
    assert figure.control("高方向步幅").input_value() == "1"


# ---- pages load no more than they need ----


def loaded_by(tmp_path, language, body):
    """Return the scripts that translate a page with some body."""
    files = []

    class App:
        outdir = tmp_path
        config = type("Config", (), {"language": language})

        def add_js_file(self, file, **_):
            files.append((tmp_path / "_static" / file).read_text(encoding="utf-8"))

    add_translation(App(), "page", "page.html", {"body": body}, None)
    return files


def test_a_page_loads_only_the_sentences_that_it_needs(tmp_path, book):
    figure, question = '<div class="d2l-live" data-model="">', '<div class="d2l-ask" data-ask="">'
    assert loaded_by(tmp_path, "en", figure + question) == []
    assert loaded_by(tmp_path, "zh_CN", "<p>d2l-live</p>") == []
    assert loaded_by(tmp_path, "zh_CN", question) == []  # its script has its words
    (one,) = loaded_by(tmp_path, "zh_CN", figure + question)
    assert "重置" in one
    assert "还不对" not in one
    assert "zh-figures" not in (book / "book/cost.html").read_text(encoding="utf-8")


# ---- in a notebook ----

RENDER = """async ([code, state]) => {
  const {default: view} = await import(URL.createObjectURL(new Blob([code], {type: "text/javascript"})));
  const set = (name, value) => (state[name] = value);
  const model = {get: (name) => state[name], set, on() {}, off() {}, save_changes() {}};
  const el = document.body.appendChild(document.createElement("div"));
  const end = view.render({model, el});
  await new Promise((done) => setTimeout(done));
  const shown = [el.lang, el.innerText];
  end();
  return shown;
}"""


def test_a_notebook_speaks_chinese_where_the_environment_says_so(monkeypatch, browser):
    english = widgets.pooling_explorer()
    monkeypatch.setenv("D2LCONV_LANG", "zh")
    chinese = widgets.pooling_explorer()
    control = chinese.controls["mode_index"]
    assert (control.description, control.options) == ("池化", ("最大值", "平均值"))
    page = browser.new_page()
    shown = []
    for figure in (english, chinese):
        state = {
            name: figure.view.get_state()[name] for name in figure.view.traits(sync=True) if name[0] != "_"
        }
        shown.append(page.evaluate(RENDER, [figure.view._esm, state]))
    page.close()
    assert [tag for tag, _ in shown] == ["", "zh-Hans"]
    assert "Not shifted" in shown[0][1]
    assert "没有平移：移动滑块“平移”来比较。" in shown[1][1]
