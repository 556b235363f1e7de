"""Questions stand in the text before what answers them; each teaches, and what it calls right is so.

What is right is computed here once more, in another way than in `d2lconv.questions`: with PyTorch, by
counting, or from what the chapter shows below the question.
"""

import math
import re
from collections import Counter

import pytest
import torch
from tests.chapters.chapters import BOOK, each_chapter, none_of, read
from torch import nn
from torch.nn import functional as F

from d2lconv.exercises.engine.registry import CHAPTERS as WITH_EXERCISES
from d2lconv.questions import ask
from d2lconv.questions.engine import CHAPTERS, questions_of
from d2lconv.questions.kinds import Choice, Value, numbers_of

LEAST = 3
QUESTIONS = [question for chapter in CHAPTERS for question in questions_of(chapter)]
CHOICES = [question for question in QUESTIONS if isinstance(question, Choice)]
VALUES = [question for question in QUESTIONS if isinstance(question, Value)]
ASK = re.compile(r'ask\("([\w.-]+)"\)')
ROWS = torch.tensor([[1, 2, 0, 3, 1], [0, 1, 2, 3, 1], [1, 2, 1, 0, 0], [5, 2, 3, 1, 1], [2, 1, 0, 1, 1.0]])


def name_of(question):
    return question.name


def below(name):
    """Return the numbers that the cell below a question prints, and all that it prints."""
    chapter = read(BOOK.root / f"book/{name.partition('.')[0]}.ipynb")
    code = [cell for _, cell in chapter.code()]
    place = next(n for n, cell in enumerate(code) if cell.source == f'ask("{name}")')
    text = "".join(output.get("text", "") for output in code[place + 1].outputs)
    return [float(number) for number in re.findall(r"-?\d+\.?\d*(?:e[-+]?\d+)?", text)], text


def fitting(size, kernel):
    """Count the layers that fit, one after another."""
    X, count = torch.zeros(1, 1, size, size), 0
    while X.shape[-1] >= kernel:
        X, count = F.conv2d(X, torch.ones(1, 1, kernel, kernel)), count + 1
    return count


def paths(*dilations):
    """Return the cells at which a path through layers of three kernel cells can start."""
    cells = {0}
    for dilation in dilations:
        cells = {cell + step * dilation for cell in cells for step in range(3)}
    return cells


def costs(*layers):
    """Count the multiply-adds of layers at one position of their output."""
    return sum(layer.weight.numel() for layer in layers)


def grouped_outputs():
    layer = nn.Conv2d(4, 6, 1, groups=2, bias=False)
    changes = layer(torch.eye(4)[0].reshape(1, 4, 1, 1)).flatten().nonzero().flatten()
    first, *middle, last = changes.tolist()
    return f"{first}, {', '.join(map(str, middle))} and {last}"


def relu_sums():
    z = torch.tensor([-1.0, 2.0])
    new = z.relu() + z
    old = z.relu_() + z
    return ", and ".join(f"({a:.0f}, {b:.0f})".replace("-", "−") for a, b in (new, old))


def label_if(label, is_so):
    return label if is_so else None


def mentioned(name, *labels):
    """Return the first of some labels whose numbers the cell below shows, in order."""
    shown, _ = below(name)
    for label in labels:
        wanted = [float(number) for number in re.findall(r"\d+\.\d+", label)]
        if all(any(round(number, 2) == round(one, 2) for number in shown) for one in wanted):
            return label
    return None


#: By name: what is right, worked out anew.
RIGHT = {
    "convolution.shared": lambda: 150,
    "convolution.shape": lambda: F.conv2d(torch.zeros(1, 5, 5), torch.zeros(1, 1, 3, 3)).shape[1:],
    "convolution.bricks": lambda: "the {} one".format(
        "horizontal" if below("convolution.bricks")[0][1] > below("convolution.bricks")[0][0] else "vertical"
    ),
    "convolution.brightness": lambda: "by {:.0f}, and by {}".format(
        *(below("convolution.brightness")[0][n] for n in (1, 3))
    ),
    "convolution.learned": lambda: [round(weight) for weight in below("convolution.learned")[0][-2:]] + [0],
    "padding_stride.layers": lambda: fitting(28, 5),
    "padding_stride.paper": lambda: label_if(
        "edges at the left and right border",
        F.conv2d(F.pad(torch.ones(1, 3, 3), (1, 1, 1, 1)), torch.tensor([[[[1.0, 0, -1]]]]))[0, 1].tolist()
        == [-1, 0, 1],
    ),
    "padding_stride.moves": lambda: label_if(
        "by 2: yes, by one cell; by 1: no, the map changes",
        [number == 0 for number in below("padding_stride.moves")[0][2::3]] == [False, True, False, False],
    ),
    "padding_stride.dropped": lambda: F.max_pool2d((torch.arange(8)[:, None] > 5).float().expand(1, 8, 9), 3)[
        0
    ],
    "channels.reshape": lambda: label_if(
        "no, a scrambled one",
        not torch.arange(24).reshape(2, 4, 3).permute(2, 0, 1).equal(torch.arange(24).reshape(3, 2, 4)),
    ),
    "channels.grey": lambda: next(
        line.split("  ")[0] for line in below("channels.grey")[1].splitlines() if line.endswith("0.00")
    ),
    "channels.weights": lambda: (3 * 2 * 2 * 2, 3),
    "channels.digits": lambda: label_if(
        "about 20, about 20, 50",
        all(15 <= a <= 27 and 15 <= b <= 27 and c == 50 for a, b, c in triples()),
    ),
    "channels.vgg": lambda: "MACs {}, weights times {:.0f}".format(
        {1: "the same"}[costs(nn.Conv2d(128, 128, 3)) / costs(nn.Conv2d(64, 64, 3)) / 4],
        costs(nn.Conv2d(128, 128, 3)) / costs(nn.Conv2d(64, 64, 3)),
    ),
    "one_by_one.back": lambda: "from three: {}; from grey: no".format(
        "yes" if below("one_by_one.back")[0][-1] == 0 else "no"
    ),
    "one_by_one.shuffled": lambda: "1×1: all of it; 3×3: noise",
    "one_by_one.bottleneck": lambda: str(
        min(
            (2, 4, 8, 16),
            key=lambda factor: abs(factor - 9 * 256 * 256 / (2 * 256 * 64 + 9 * 64 * 64)),
        )
    ),
    "pooling.columns": lambda: torch.arange(9).reshape(3, 3).amax(0),
    "pooling.stride": lambda: nn.MaxPool2d(2)(torch.zeros(1, 4, 4)).shape[1:],
    "pooling.shift": lambda: "after {} pooling".format(
        "maximum" if below("pooling.shift")[0][-2] < below("pooling.shift")[0][-1] else "average"
    ),
    "pooling.rows": lambda: label_if(
        "0 and 1, and 2 and 3",
        nn.MaxPool2d((1, 2))(torch.eye(8)[None, 2:7])[0].argmax(1).tolist() == [1, 1, 2, 2, 3],
    ),
    "pooling.ceil": lambda: [[ROWS[r : r + 3, c : c + 3].max() for c in (0, 3)] for r in (0, 3)],
    "receptive_field.paths": lambda: torch.outer(*[torch.tensor([1, 2, 1])] * 2),
    "receptive_field.order": lambda: "yes, the field is larger if the stride comes {}".format(
        "first" if 3 + 2 * 2 > 3 + 2 * 1 else "last"
    ),
    "receptive_field.gridding": lambda: label_if(
        "no, it leaves out every other cell",
        paths(1, 2, 4) == set(range(15)) and paths(2, 2, 2) == set(range(0, 13, 2)),
    ),
    "depthwise_separable.groups": grouped_outputs,
    "depthwise_separable.stars": lambda: label_if(
        "in output 1, red minus blue", sum((0.25, 0.5, 0.25)) != 0 == sum((1, 0, -1))
    ),
    "depthwise_separable.saving": lambda: round(1 / (1 / 128 + 1 / 9), 2),
    "depthwise_separable.time": lambda: label_if("less", below("depthwise_separable.time")[0][-1] < 7.9),
    "building_blocks.registered": lambda: (0, 2 * 3 + 2 * (3 * 3 + 3)),
    "building_blocks.dropout": lambda: label_if(
        "some zeros, the others twos; eight ones",
        set(below("building_blocks.dropout")[0][:8]) == {0, 2}
        and set(below("building_blocks.dropout")[0][8:]) == {1},
    ),
    "building_blocks.too-large": lambda: below("building_blocks.too-large")[0][-3],
    "building_blocks.joined": lambda: F.conv2d(
        torch.ones(1, 1, 2, 2), torch.ones(1, 1, 2, 2), padding=1
    ).shape[2:],
    "building_blocks.in-place": relu_sums,
    "building_blocks.other-pooling": lambda: label_if(
        "it loads, and reads somewhat fewer digits",
        0.5 < below("building_blocks.other-pooling")[0][1] < below("building_blocks.other-pooling")[0][0],
    ),
    "data.nearest": lambda: label_if(
        "about 295, and 0.80",
        below("data.nearest")[0][0] == 295 and round(below("data.nearest")[0][-1], 2) == 0.80,
    ),
    "data.batch": lambda: round(below("data.batch")[0][-3] / below("data.batch")[0][-1]),
    "data.winner": lambda: mentioned("data.winner", "0.17, and 0.10"),
    "data.reshape": lambda: "a scramble; red and blue are swapped",
    "data.range": lambda: mentioned("data.range", "0.309, and 0.100"),
    "learning.new-network": lambda: round(-math.log(1 / 10), 2),
    "learning.full": lambda: {1: "VALID", 2: "SAME", 3: "FULL"}[2 + 2 * 1 - 2 + 1],
    "learning.rates": lambda: "{:.2f} and {:.2f}; smaller ones are slow, larger ones jump".format(
        *(rate for rate, _, accuracy in triples("learning.rates") if accuracy > 0.9)
    ),
    "learning.long-run": lambda: label_if(
        "the first falls to 0, the second falls and then rises",
        below("learning.long-run")[0][0] < 0.05
        and below("learning.long-run")[0][2] > below("learning.long-run")[0][5],
    ),
    "learning.four-curves": lambda: label_if(
        "B overfits, D too small, A too large, C healthy",
        "histories = (fast, overfit, healthy, slow)" in cell("learning", "curves-quiz"),
    ),
    "lenet.parts": lambda: label_if(
        "the head; the encoder",
        400 * 120 > 6 * 26 + 16 * 151 and 6 * 25 * 784 + 16 * 150 * 100 > 400 * 120 + 120 * 84,
    ),
    "lenet.sigmoid": lambda: f"{below('lenet.sigmoid')[0][-1]:.2f}",
    "lenet.weights": lambda: label_if(
        "all but the first", [n > 0.5 for n in below("lenet.weights")[0]] == [False, True, True, True]
    ),
    "lenet.remedy": lambda: max(
        (float(line.split()[4]), line.split()[0]) for line in below("lenet.remedy")[1].splitlines()
    )[1],
    "lenet.test": lambda: label_if(
        "neither", abs(below("lenet.test")[0][-2] - below("lenet.test")[0][-1]) < 0.008
    ),
    "vgg.layers": lambda: label_if(
        "the first linear layer; the convolutions", 25088 * 4096 > 512 * 512 * 9 * 8 > 1000 * 4096
    ),
    "vgg.stall": lambda: label_if("0.10", "0.100" in shown_as_text("vgg", "stall-train")),
    "vgg.healthy": lambda: f"{below('vgg.healthy')[0][-1]:.2f}",
    "vgg.train-mode": lambda: label_if(
        "clearly less, about 0.85", 0.76 < below("vgg.train-mode")[0][7] < 0.92
    ),
    "vgg.skips": lambda: label_if(
        "less than a trillionth; it has grown",
        below("vgg.skips")[0][1] < 1e-12 and below("vgg.skips")[0][3] > 1.04,
    ),
    "scaling.mean": lambda: label_if("no, worker 1's images count too much", 1 / 2 / 12 > 1 / 2 / 20),
    "scaling.threads": lambda: label_if(
        "faster, but not twice", 1 < below("scaling.threads")[0][3] / below("scaling.threads")[0][1] < 2
    ),
    "scaling.two-processes": lambda: label_if("nearly", 0 < below("scaling.two-processes")[0][-1] < 0.01),
    "scaling.resumed": lambda: label_if("exactly", below("scaling.resumed")[0][-1] == 0),
}


def cell(chapter, name):
    return next(one.source for one in read(BOOK.root / f"book/{chapter}.ipynb").nb.cells if one.id == name)


def shown_as_text(chapter, name):
    found = next(one for one in read(BOOK.root / f"book/{chapter}.ipynb").nb.cells if one.id == name)
    return found.outputs[0]["data"]["text/plain"].splitlines()[-1]


def triples(name="channels.digits"):
    """Return the last three numbers of each line that ends in three of them."""
    lines = below(name)[1].splitlines()
    if name == "channels.digits":
        lines = [line for line in lines if line.startswith("  ")]
        return [[float(n) for n in re.findall(r"\d+", line)[:3]] for line in lines]
    return [[float(n) for n in re.findall(r"\d+\.\d+", line)] for line in lines]


# ---- in the text ----


@each_chapter
def test_chapter_asks_its_questions_once_and_in_order(chapter):
    name = chapter.path.stem
    asked = [found for _, cell in chapter.code() for found in ASK.findall(cell.source)]
    assert asked == ([question.name for question in questions_of(name)] if name in CHAPTERS else [])
    none_of(
        chapter.problem(index, "a question has a cell of its own, tagged remove-input")
        for index, cell in chapter.code()
        if ASK.search(cell.source)
        and not (ASK.fullmatch(cell.source) and "remove-input" in cell.metadata.get("tags", []))
    )


def test_chapters_with_exercises_ask_at_least_three():
    assert set(CHAPTERS) == set(WITH_EXERCISES)
    few = {chapter: len(questions_of(chapter)) for chapter in CHAPTERS}
    assert min(few.values()) >= LEAST, few


# ---- what is right ----


@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_right_answer_is_right(question):
    right = RIGHT[question.name]()
    if isinstance(question, Choice):
        label = next(option for option, _, is_right in question.options() if is_right)
        assert label == right
    else:
        assert question.check(right).correct, question.check(right)


def test_table_names_questions_that_exist():
    assert set(RIGHT) == {question.name for question in QUESTIONS}


# ---- what is wrong ----


@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_every_wrong_answer_has_an_explanation_of_its_own(question):
    told = [question.because, *question.wrong.values()]
    assert len(question.wrong) >= 2 if isinstance(question, Choice) else question.wrong
    assert len(set(told)) == len(told)
    for text in told:
        assert 15 <= len(text) <= 170, text
        assert re.search(r"[.?]$", text), text
        assert "—" not in text
        assert "!" not in text
    assert 10 <= len(question.tests) <= 80
    assert question.prompt.endswith("?")


@pytest.mark.parametrize("question", CHOICES, ids=name_of)
def test_chosen_option_is_explained(question):
    for letter, (_, why, is_right) in zip("abcdef", question.options(), strict=False):
        result = question.check(letter)
        assert result.correct == is_right
        assert why == (result.summary if is_right else result.hint)


@pytest.mark.parametrize("question", VALUES, ids=name_of)
def test_typical_wrong_numbers_are_recognised(question):
    for numbers, why in question.wrong.items():
        result = question.check(numbers_of(numbers))
        assert not result.correct
        assert result.hint == why


def test_no_letter_gives_the_answer_away():
    """Each letter is right about as often as chance would have it, and so is the longest option."""
    letters = Counter("abcd"[question.place] for question in CHOICES)
    expected = Counter()
    for question in CHOICES:
        options = len(question.options())
        expected.update(dict.fromkeys("abcd"[:options], 1 / options))
    assert all(abs(letters[letter] - expected[letter]) <= 4 for letter in "abcd"), (letters, expected)
    longest = sum(max(question.options(), key=lambda option: len(option[0]))[2] for question in CHOICES)
    assert longest <= len(CHOICES) / 2, longest


# ---- what is shown ----


@pytest.mark.parametrize("question", QUESTIONS, ids=name_of)
def test_all_of_it_stands_in_the_page_without_scripts(question):
    page = question._repr_html_()
    words = re.sub(r"<[^>]+>", "", page).replace("&nbsp;", " ")
    told = question.options() if isinstance(question, Choice) else question.wrong.items()
    for text in [question.prompt, question.because, *(why for _, why, *_ in told)]:
        plain = re.sub(r"[`*]", "", text).replace("<", "&lt;")
        assert plain in words
    assert "<details" in page


def test_question_that_is_not_there_names_its_neighbours():
    with pytest.raises(ValueError, match=r"'channels\.weight'; did you mean channels\.weights"):
        ask("channels.weight")
    with pytest.raises(ValueError, match=r"'chanels\.grey'; did you mean channels"):
        ask("chanels.grey")
