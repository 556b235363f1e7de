"""The two editions belong together: the same anchors, a way from one to the other, a search in Chinese."""

import json
import random
import re
import zipfile

import pytest
import yaml
from playwright.sync_api import expect
from tests.built_book import ROOT, pages, pages_in_toc, parse, sideways
from tests.site.test_pages import settle
from tools import translation

BASE = yaml.safe_load((ROOT / "_config.yml").read_text("utf-8"))["html"]["baseurl"]
ENGLISH_ONLY = {f"book/{name}" for name in translation.ENGLISH_ONLY}
HAN = re.compile(r"[\u3400-\u9fff]")
TRANSLATED = [name for name in pages_in_toc() if name not in ENGLISH_ONLY]


@pytest.mark.parametrize("name", pages_in_toc())
def test_sections_and_figures_have_the_same_anchors_and_no_id_stands_twice(site, name):
    found = []
    for edition in ("", "zh/"):
        page = parse(site / f"{edition}{name}.html")
        ids = page.xpath("//@id")
        assert len(ids) == len(set(ids))
        found.append(
            [part.get("id") for part in page.cssselect("article :is(section, figure, .math-wrapper)[id]")]
        )
    assert found[0] == found[1]


def test_pages_name_their_language_and_the_same_page_in_the_other(site):
    for path in pages(site):
        name = path.relative_to(site).with_suffix("").as_posix()
        page, plain = parse(path), name.removeprefix("zh/")
        links = page.findall("head/link[@rel='alternate']")
        found = {link.get("hreflang"): link.get("href") for link in links}
        if name != "index":
            assert page.get("lang") == ("zh-Hans" if name.startswith("zh/") else "en"), name
        if plain in TRANSLATED:
            english = f"{BASE}{plain}.html"
            assert found == {"en": english, "x-default": english, "zh-Hans": f"{BASE}zh/{plain}.html"}, name
            assert page.find("head/link[@rel='canonical']").get("href") == f"{BASE}{name}.html"
        else:
            assert found == {}, name


def test_what_is_in_english_says_so(site):
    page = parse(site / "zh/book/api.html")
    assert "只有英文" in page.find_class("d2l-translation")[0].text_content()
    paragraphs = [
        p for p in page.cssselect("article section > p") if re.search("[A-Za-z]{3}", p.text_content())
    ]
    assert len(paragraphs) > 10
    assert all(p.get("lang") == "en" for p in paragraphs)
    chinese = parse(site / "zh/book/pooling.html").cssselect("article p[lang=en]")
    assert [p for p in chinese if HAN.search(p.text_content())] == []


@pytest.mark.parametrize("name", TRANSLATED)
def test_marks_of_bold_text_are_not_shown(site, name):
    text = parse(site / f"zh/{name}.html").cssselect("article :is(p, h1, h2, h3, h4, li, td, th, figcaption)")
    shown = ["".join(one.xpath(".//text()[not(ancestor::code or ancestor::pre)]")) for one in text]
    assert [one for one in shown if "**" in one] == []


def test_frame_speaks_chinese(visit, site):
    page, problems = visit((site / "zh/book/padding_stride.html").as_uri(), width=360)
    assert page.locator("figcaption .caption-number").first.inner_text().strip() == "图2.1"
    assert page.locator(".d2l-optional > summary").first.inner_text() == "展开本节"
    assert page.locator(".copybtn").first.get_attribute("data-tooltip") == "复制"
    assert page.get_by_role("button", name="菜单").count() > 0
    said = page.locator("button, nav, aside, input, [title]").evaluate_all(
        "all => all.flatMap(one => [one.ariaLabel, one.title, one.placeholder]).filter(Boolean)"
    )
    assert len(said) > 10
    assert [one for one in said if not HAN.search(one)] == []
    assert problems == []


def test_chapters_say_to_search_engines_that_they_are_chinese(site):
    page = parse(site / "zh/book/convolution.html")
    said = json.loads(page.find(".//script[@type='application/ld+json']").text)
    assert said["inLanguage"] == "zh-Hans"
    assert re.fullmatch(r"PT[23]\dM", said["timeRequired"])
    assert HAN.search(page.find("head/meta[@name='description']").get("content"))


def test_chapter_leads_with_its_notebook_and_that_is_chinese(visit, site):
    page, _ = visit((site / "zh/book/pooling.html").as_uri())
    first, second = page.locator("article p > a").all()[:2]
    assert second.get_attribute("href").startswith("https://colab.research.google.com/")
    path = (site / "zh/book" / first.get_attribute("href")).resolve()
    nb = json.loads(path.read_text("utf-8"))
    assert HAN.search("".join(nb["cells"][0]["source"]))
    assert "%env D2LCONV_LANG=zh" in "".join("".join(cell["source"]) for cell in nb["cells"])


def test_packed_notebooks_are_chinese_and_lead_to_chinese_pages(site):
    with zipfile.ZipFile(site / "zh/_downloads/d2lconv-notebooks.zip") as packed:
        names = {name.partition("/")[2] for name in packed.namelist()}
        assert {"README.txt", "requirements.txt", "package/pyproject.toml", "pooling.ipynb"} <= names
        assert HAN.search(packed.read("d2lconv-notebooks/README.txt").decode())
        pooling = packed.read("d2lconv-notebooks/pooling.ipynb").decode()
    assert "还没有作答（pooling.1）：" in pooling
    links = re.findall(rf"\]\({BASE}(zh/[^)#]*)", pooling)
    assert links
    assert all((site / link).is_file() for link in links)


def test_pages_are_no_wider_than_a_phone(browser, site):
    page = browser.new_page(viewport={"width": 360, "height": 800})
    wide = {}
    for name in pages_in_toc():
        page.goto((site / f"zh/{name}.html").as_uri())
        settle(page)
        wide[name] = sideways(page)
    page.close()
    assert {name: by for name, by in wide.items() if by} == {}


# ---- from one to the other ----


@pytest.mark.parametrize("over", ["files", "http"])
def test_switch_keeps_page_and_section_both_ways(visit, serve, site, over):
    address = site.as_uri() if over == "files" else serve(site)
    page, problems = visit(f"{address}/book/pooling.html#tolerance-is-not-invariance")
    for edition in ("zh/book", "book"):
        link = page.locator(".d2l-edition:visible")
        assert link.get_attribute("lang") == ("zh-Hans" if edition.startswith("zh") else "en")
        link.focus()
        page.keyboard.press("Enter")
        page.wait_for_url(f"{address}/{edition}/pooling.html#tolerance-is-not-invariance")
    assert problems == []


def test_switch_keeps_the_section_that_a_reader_has_come_to(visit, site):
    page, _ = visit((site / "zh/book/pooling.html").as_uri())
    page.evaluate("document.getElementById('global-pooling').scrollIntoView()")
    page.wait_for_selector(".toc-tree li.scroll-current a[href='#global-pooling']")
    box, room = (page.locator(part).bounding_box() for part in (".d2l-brand .d2l-edition", ".sidebar-drawer"))
    assert room["x"] < box["x"] < box["x"] + box["width"] < room["x"] + room["width"]
    page.locator(".d2l-edition:visible").click()
    page.wait_for_url(f"{site.as_uri()}/book/pooling.html#global-pooling")


@pytest.mark.parametrize("over", ["files", "http"])
def test_chosen_language_is_remembered_for_the_start_page_alone(visit, serve, site, over):
    address = site.as_uri() if over == "files" else serve(site)
    page, problems = visit(f"{address}/book/index.html")
    start, chinese, chapter = "book/index.html", "zh/book/index.html", "book/pooling.html"

    def come_to(name, shown):
        page.goto(f"{address}/{name}")
        for wait in (0, 300):  # and nothing follows
            page.wait_for_timeout(wait)
            expect(page).to_have_url(f"{address}/{shown}")

    def choose(shown):
        page.locator(".d2l-edition:visible").click()
        page.wait_for_url(f"{address}/{shown}")

    for name in (start, chapter):  # nobody has chosen
        come_to(name, name)
    choose(f"zh/{chapter}")
    come_to(f"{start}#chapters", f"{chinese}#chapters")
    come_to("index.html", chinese)
    come_to(chapter, chapter)
    choose(f"zh/{chapter}")
    choose(chapter)
    come_to("zh/index.html", start)
    page.evaluate("localStorage.setItem('language', 'zh-Hans\\n')")
    come_to(start, start)
    come_to(chinese, chinese)
    assert problems == []


def test_start_page_is_shown_as_it_is_to_those_who_come_from_a_page_of_the_site(visit, serve, site):
    page, _ = visit(f"{serve(site)}/zh/book/pooling.html")
    page.evaluate("localStorage.setItem('language', 'en')")
    page.locator(".sidebar-brand").click()
    page.wait_for_url("**/zh/book/index.html")
    page.wait_for_timeout(200)
    assert page.url.endswith("/zh/book/index.html")


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("book/api.html", "zh/book/api.html"),
        ("zh/book/bibliography.html", "book/bibliography.html"),
        ("search.html?q=stride", "zh/search.html?q=stride"),
        ("zh/genindex.html", "genindex.html"),
    ],
)
def test_switch_on_pages_that_exist_in_one_language(visit, site, here, there):
    page, problems = visit(f"{site.as_uri()}/{here}")
    page.locator(".d2l-edition:visible").click()
    page.wait_for_url(f"{site.as_uri()}/{there}")
    assert problems == []


# ---- the search ----


@pytest.fixture(scope="module")
def search(browser, site):
    """Return a function that searches, and returns the addresses that are found."""
    page = browser.new_page()
    page.goto((site / "zh/search.html").as_uri())
    look = """query => {
      const field = document.getElementById("d2l-query");
      field.value = query;
      field.form.requestSubmit();
      return [...document.querySelectorAll("#d2l-results li > a")].map(a => a.getAttribute("href"));
    }"""
    yield lambda query: page.evaluate(look, query)
    page.close()


# What Chinese readers look for, and the entry of the glossary: of each word all that books and forums say.
TERMS = {
    "convolution": "卷积",
    "cross-correlation": "互相关 互相关运算",
    "kernel": "卷积核 滤波器 过滤器 filter 核",
    "pooling": "池化 汇聚 最大池化 最大汇聚 平均池化 均值池化 pooling",
    "global-pooling": "全局平均池化 全局平均汇聚 GAP",
    "padding": "填充 零填充 补零 padding",
    "stride": "步幅 步长 stride",
    "transposed-convolution": "转置卷积 反卷积",
    "full-padding": "宽卷积",
    "same-padding": "等宽卷积",
    "valid-padding": "窄卷积",
    "dilation": "空洞卷积 膨胀卷积 扩张卷积 扩张率 dilation",
    "receptive-field": "感受野 感知域 感受域",
    "effective-receptive-field": "有效感受野",
    "channel": "通道",
    "feature-map": "特征图 特征映射",
    "depthwise-separable-convolution": "深度可分离卷积",
    "depthwise-convolution": "深度卷积 逐通道卷积 逐深度卷积",
    "pointwise-convolution": "逐点卷积",
    "grouped-convolution": "分组卷积 组卷积",
    "fully-connected-layer": "全连接层 稠密层",
    "weight-sharing": "权重共享 权值共享 参数共享",
    "locality": "局部性 局部连接 稀疏连接",
    "translation-equivariance": "平移等变性",
    "translation-invariance": "平移不变性",
    "downsampling": "下采样 降采样 子采样",
    "bias": "偏置 偏差",
    "activation-function": "激活函数",
    "relu": "修正线性单元 线性整流 ReLU",
    "batch": "批量 批大小",
    "mini-batch": "小批量",
    "epoch": "轮 迭代周期 epoch",
    "accuracy": "准确率 精度",
    "loss": "损失 损失函数",
    "cross-entropy": "交叉熵",
    "gradient": "梯度",
    "vanishing-gradient": "梯度消失",
    "backward-pass": "反向传播 后向传播",
    "learning-rate": "学习率",
    "momentum": "动量",
    "weight-decay": "权重衰减 权重衰退",
    "dropout": "Dropout 暂退法 丢弃法",
    "batch-normalisation": "批量归一化 批量规范化 批归一化 BN",
    "augmentation": "图像增广 数据增强 数据增广",
    "overfitting": "过拟合",
    "he-initialisation": "Kaiming初始化 He初始化 凯明",
    "nin-block": "网络中的网络 NiN",
    "training-validation-and-test-set": "训练集 验证集 测试集",
    "fine-tuning": "微调",
    "freezing": "冻结",
    "skip-connection": "残差连接 跳跃连接 跨层连接 shortcut",
    "block": "块",
    "encoder": "编码器",
    "tensor": "张量",
    "module": "模块",
    "state-dictionary": "状态字典",
    "confusion-matrix": "混淆矩阵",
    "support-vector-machine": "支持向量机 SVM",
    "mac": "乘加运算 MAC",
    "flop": "浮点运算",
    "warm-up": "预热",
    "data-parallelism": "数据并行",
    "mixed-precision": "混合精度",
    "checkpoint": "检查点",
}


def test_each_word_finds_its_entry_of_the_glossary_or_its_chapter_and_then_that(search):
    missed = []
    for entry, words in TERMS.items():
        for word in words.split():
            found = search(word)
            if f"book/glossary.html#{entry}" not in found[:2]:
                missed.append((word, entry, found[:3]))
    assert missed == []


def test_what_is_copied_from_a_page_finds_the_page(search, site):
    """Any 2 to 6 characters: a search must not depend on where one word ends."""
    chance, missed, asked = random.Random(0), [], 0
    for name in TRANSLATED:
        paragraphs = parse(site / f"zh/{name}.html").cssselect("article section > p:not([class])")
        texts = [
            p.text_content()
            for p in paragraphs
            if HAN.search(p.text_content()) and not p.cssselect("math, code")
        ]
        for text in chance.choices(texts, k=8) if texts else []:
            length = chance.randint(2, 6)
            start = chance.randrange(max(1, len(text) - length))
            copied = text[start : start + length]
            if HAN.search(copied):
                asked += 1
                if not any(found.startswith(f"{name}.html") for found in search(copied)):
                    missed.append((name, copied))
    assert missed == []
    assert asked > 100


def test_a_search_without_result_helps_in_chinese(visit, site):
    page, _ = visit(f"{(site / 'zh/search.html').as_uri()}?q=瀛嬅")
    said = page.locator("#d2l-results").inner_text()
    assert "没有找到“瀛嬅”" in said
    assert not re.search("[A-Za-z]{3}", said)
