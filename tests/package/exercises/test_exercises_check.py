"""What `check` replies, whatever it is given: the smallest case, errors, endless loops, changed arguments."""

import contextlib
import dataclasses
import itertools
import re
import subprocess
import sys
import threading
import time

import numpy as np
import pytest
import torch
from torch import nn

from d2lconv.exercises import Result, check, kinds
from d2lconv.exercises.engine import sandbox
from d2lconv.exercises.kinds import (
    Cases,
    Choice,
    Debug,
    Function,
    Misconception,
    Network,
    RandomInputs,
    Rule,
    Setting,
    Value,
    numbers_named,
    tensor_of_shape,
)
from d2lconv.summary import summarize

SUM = Function(
    id="toy.1",
    title="Sum",
    level=1,
    right=lambda X: X.sum(),
    cases=Cases(lambda draw, h, w: (draw(h, w),), h=range(1, 6), w=range(1, 6), small=8, large=8),
    wrong=(Misconception("first row only", lambda X: X[0].sum(), "Add all rows."),),
)
SHAPE = Value(
    id="toy.2",
    title="Shape",
    level=1,
    right=lambda: (4, 6, 8),
    parts=("channels", "height", "width"),
    wrong=(Misconception("channels last", (6, 8, 4), "Channels come first."),),
)
NET = Network(
    id="toy.3",
    title="Small",
    level=3,
    input_shape=(1, 8, 8),
    output_shape=(10,),
    max_params=1000,
    max_macs=5000,
    rules=(
        Rule(
            "no convolution",
            lambda model, run: (
                "" if any(row.kind == "Conv2d" for row in run.rows) else "it has no convolution"
            ),
            "Begin with nn.Conv2d.",
        ),
    ),
)


def small_net():
    return nn.Sequential(
        nn.Conv2d(1, 4, 3), nn.ReLU(), nn.AdaptiveAvgPool2d(2), nn.Flatten(), nn.Linear(16, 10)
    )


def wide_net():
    return nn.Sequential(
        nn.Conv2d(1, 24, 5), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(24, 10, bias=False)
    )


def detail(result, name):
    return dict(result.details)[name]


# ---- not attempted ------------------------------------------------------------


def stub_of_dots(X): ...


def stub_with_docstring(X):
    """Add all numbers."""


def stub_that_passes(X):
    pass


def stub_that_returns_dots(X):
    total = X.sum()  # noqa: F841
    return ...


def stub_that_raises(X):
    raise NotImplementedError("later")


@pytest.mark.parametrize(
    "answer",
    [
        ...,
        None,
        NotImplemented,
        NotImplementedError,
        NotImplementedError("x"),
        [..., ...],
        stub_of_dots,
        stub_with_docstring,
        stub_that_passes,
        stub_that_returns_dots,
        stub_that_raises,
        lambda X: None,
        lambda X: ...,
    ],
)
def test_stub_is_not_attempted(answer):
    result = SUM.check(answer)
    assert result.status == "not attempted"
    assert repr(result).startswith("Not attempted yet (toy.1)")


class LaterNet(nn.Module):
    def forward(self, X):
        raise NotImplementedError


class EmptyNet(nn.Module):
    def forward(self, X): ...


@pytest.mark.parametrize(
    "answer",
    [nn.Module, nn.Module(), LaterNet, EmptyNet(), lambda: ..., lambda: None, (None, 1), {"height": ...}],
)
def test_stub_of_other_kinds_is_not_attempted(answer):
    exercise = SHAPE if isinstance(answer, tuple | dict) else NET
    assert exercise.check(answer).status == "not attempted"


# ---- right and wrong ------------------------------------------------------------


@pytest.mark.parametrize(
    "answer",
    [
        torch.sum,
        lambda X: X.numpy().sum(),
        lambda X: float(X.sum()),
        lambda X: [X.sum()],
    ],
)
def test_same_numbers_in_another_form_pass(answer):
    assert repr(SUM.check(answer)) == "Correct (toy.1): 16 cases."


def test_a_generator_of_numbers_is_an_answer():
    assert SHAPE.check(n for n in (4, 6, 8)).correct
    assert SHAPE.check(map(int, "468")).correct
    numbers = Function(
        id="toy.7",
        title="Numbers",
        level=1,
        right=lambda n: torch.arange(n),
        cases=Cases(lambda draw, n: (n,), n=range(1, 5)),
    )
    assert numbers.check(lambda n: (i for i in range(n))).correct
    assert numbers.check(lambda n: itertools.count()).misconception == "wrong shape"
    assert SHAPE.check(itertools.count()).summary.startswith("you gave 10000 numbers")
    assert "ZeroDivisionError" in SHAPE.check(1 / n for n in (0, 1, 2)).summary


def test_a_module_as_answer_stays_as_it_is():
    class Count(nn.Module):
        def __init__(self):
            super().__init__()
            self.calls = 0

        def forward(self, X):
            self.calls += 1
            return X.sum()

    answer = Count()
    assert SUM.check(answer).correct
    assert answer.calls == 0


def test_smallest_case_is_small_and_the_same_each_time():
    results = [SUM.check(lambda X: X.sum() + 0.5 * X[:, 2:].sum()) for _ in range(3)]
    assert detail(results[0], "X") == "[[0, 0, 1]]"
    assert (detail(results[0], "expected"), detail(results[0], "given")) == ("1", "1.5")
    assert results[0] == results[1] == results[2]


def test_shrinking_keeps_the_kind_of_fault():
    """On a small case this answer raises, on a large one its numbers are wrong: what came first is shown."""

    def answer(X):
        if X.shape[0] > 2:
            raise ValueError("too high")
        return X.sum()

    result = SUM.check(answer)
    assert detail(result, "X") == "[[0],\n [0],\n [0]]"
    assert detail(result, "your code raised").startswith(
        "ValueError: too high\nin the line: raise ValueError"
    )
    assert result.misconception == "error"


def test_hint_without_a_misconception_is_about_the_case_that_is_shown():
    def answer(X):
        return X.sum() if X.numel() == 1 else X[0] @ X[:, 0]  # raises, or gives a wrong number

    result = SUM.check(answer)
    assert "RuntimeError" in detail(result, "your code raised")
    assert result.misconception == "error"


def test_shrinking_does_not_turn_wrong_numbers_into_a_wrong_shape():
    def answer(X):
        total = X.sum() + (X.shape[0] > 2)
        return total.repeat(2) if X.shape[0] == 4 else total

    result = SUM.check(answer)
    assert detail(result, "given") == "1"
    assert detail(result, "X") == "[[0],\n [0],\n [0]]"


def test_misconception_is_named_only_where_it_explains_the_answer():
    assert SUM.check(lambda X: X[0].sum()).misconception == "first row only"
    assert SUM.check(lambda X: X[-1].sum()).misconception == ""
    assert SUM.check(lambda X: 2 * X.sum()).misconception == "wrong factor"
    assert SUM.check(lambda X: X).misconception == "wrong shape"


def test_a_misconception_that_shows_in_some_cases_only_is_named():
    def answer(X):
        return X[0].sum() if X.shape[0] > 3 else X.sum()

    assert SUM.check(answer).misconception == "first row only"


@pytest.mark.parametrize(
    ("answer", "misconception", "words"),
    [
        (lambda X: print(X.sum()), "nothing returned", "your code printed: tensor(0.)"),
        (lambda X: X.zero_().sum(), "", "your code changed: X"),
        (lambda X: [X.sum(), X.add_(1)][0], "argument changed", "your code changed: X"),
        (lambda X, K: X, "arguments", "It is called with X, in this order."),
        (lambda X: "many", "wrong kind", "given: 'many'"),
        (lambda X: X.sum() / 0 * 0, "not finite", "given: nan"),
        (lambda X: exit(), "error", "SystemExit"),
        (torch.zeros(3), "wrong kind", "You gave a tensor of shape (3,). Give the function itself"),
        (3, "wrong kind", "You gave the number 3. Give the function itself"),
        (nn.ReLU, "wrong kind", "You gave the class ReLU, which still has to be called"),
    ],
)
def test_wrong_function(answer, misconception, words):
    result = SUM.check(answer)
    assert result.status == "not yet"
    assert result.misconception == misconception
    assert words in repr(result)


def test_the_solution_is_never_printed():
    """A value that was to be found stays hidden, however near the answer is."""
    for answer in [
        (4, 6, 9),
        (6, 8, 4),
        [4, 8, 6],
        5,
        (1, 2),
        np.zeros((3, 1)),
        {"channels": 4, "height": 1, "width": 1},
    ]:
        given = str(answer)
        shown = repr(SHAPE.check(answer)) + SHAPE.check(answer)._repr_html_()
        assert "4, 6, 8" not in shown, given


def test_parts_of_a_value():
    assert SHAPE.check((4, 2, 8)).summary == "right: channels, width; not right: height."
    assert SHAPE.check(torch.Size([4, 6, 8])).correct
    assert SHAPE.check({"width": 8, "height": 6, "channels": 4}).correct
    assert SHAPE.check({"h": 8}).misconception == "wrong kind"
    assert SHAPE.check((6, 8, 4)).hint == "Channels come first."


def test_one_wrong_number_of_a_matrix_is_named_by_its_place():
    exercise = Value(id="toy.5", title="Matrix", level=1, right=lambda: [[1, 2, 3], [4, 5, 6]])
    assert exercise.check([[1, 2, 3], [9, 5, 6]]).summary == (
        "5 of 6 numbers are right. Look again at row 1, column 0, counted from 0."
    )
    assert exercise.check([[1, 2, 9], [9, 5, 6]]).summary == "4 of 6 numbers are right."


def test_a_missing_term_of_large_counts_is_no_factor():
    exercise = Function(
        id="toy.6",
        title="Count",
        level=1,
        right=lambda n: 60_000 + 85 * n,
        cases=Cases(lambda draw, n: (n,), n=range(2, 12)),
    )
    assert exercise.check(lambda n: 59_994 + 85 * n).misconception == "wrong offset"
    assert exercise.check(lambda n: 59_994 + 84 * n).misconception == ""
    assert exercise.check(lambda n: (60_000 + 85 * n) * 0.5).misconception == "wrong factor"


def test_large_counts_are_compared_exactly():
    exercise = Value(id="toy.4", title="Count", level=1, right=lambda: 2_709_504)
    assert exercise.check(2_709_504.0).correct
    assert exercise.check(2_709_505).misconception == "off by one"
    assert exercise.check(2_709_510).status == "not yet"


def test_choice():
    exercise = Choice(
        id="toy.5", title="x", level=1, right="b", because="Yes.", wrong={"a": "No: a.", "c": "No: c."}
    )
    assert exercise.check("B").summary == "Yes."
    assert exercise.check("c").hint == "No: c."
    assert exercise.check("d").summary == "You gave 'd'; the letters are a, b, c."


def test_setting_accepts_any_that_does_it():
    exercise = Setting(
        id="toy.6",
        title="Halve",
        level=2,
        answer_description="kernel_size, stride and padding",
        read=numbers_named("kernel_size", "stride", "padding"),
        use=lambda setting, n: (n + 2 * setting["padding"] - setting["kernel_size"]) // setting["stride"] + 1,
        right=lambda n: n // 2,
        cases=Cases(lambda draw, n: (n,), n=range(8, 40, 2)),
        wrong=(Misconception("stride forgotten", lambda n: n, "Halving needs a stride."),),
    )
    for answer in [
        (2, 2, 0),
        (4, 2, 1),
        {"kernel_size": 3, "stride": 2, "padding": 1},
        nn.Conv2d(1, 1, 3, 2, 1),
    ]:
        assert exercise.check(answer).correct, answer
    assert exercise.check((3, 1, 1)).misconception == "stride forgotten"
    assert exercise.check((5, 2, 1)).misconception == ""
    assert "3 numbers are asked for" in exercise.check((5, 2)).summary
    assert "padding should be at least 0, you gave -1" in exercise.check((5, 2, -1)).summary
    assert "stride should be one whole number, you gave 0.5" in exercise.check((5, 0.5, 1)).summary
    with pytest.raises(ValueError, match=r"Shape \(2, 2\) is asked for"):
        tensor_of_shape(2, 2)([1, 2])


def test_debug_counts_as_not_attempted_until_its_behaviour_changes():
    exercise = Debug(
        id="toy.7", title="Mean", level=2, right=lambda X: X.mean(), given=lambda X: X.sum(), cases=SUM.cases
    )
    result = exercise.check(lambda X: X.sum())
    assert result.status == "not attempted"
    assert detail(result, "X") == "[[0, 1]]"
    assert exercise.check(lambda X: X.max()).status == "not yet"
    assert exercise.check(lambda X: print(X.mean())).misconception == "nothing returned"
    assert exercise.check(lambda X: str(X)).misconception == "wrong kind"
    assert exercise.check(lambda X: X.sum() / X.numel()).correct


@pytest.mark.parametrize("right", [lambda X, scale=1: X, lambda X, Y: X, lambda *X: X, lambda: 0])
def test_function_whose_arguments_are_not_those_of_its_cases_is_refused_when_made(right):
    words = r"toy\.1: right\(.*\) must have the arguments of a case, 1 here"
    with pytest.raises(ValueError, match=words):
        dataclasses.replace(SUM, right=right)


def test_loading_for_a_summary_is_not_the_reader_s_time(monkeypatch):
    """The first summary in a process takes seconds, in which PyTorch loads: before the clock starts."""
    done = []

    def clock(seconds):
        done.append("clock")
        return contextlib.nullcontext()

    monkeypatch.setattr(sandbox, "time_limit", clock)
    monkeypatch.setattr(sandbox, "_load_for_summaries", lambda: done.append("loaded"))
    sandbox.call(lambda: summarize(nn.Linear(2, 3), (2,)), ())
    sandbox.call(lambda: 3, ())
    assert done == ["loaded", "clock", "clock"]


@pytest.mark.parametrize(
    ("held", "words"),
    [
        (lambda layers: layers, "the list `layers`"),
        (tuple, "the tuple `layers`"),
        (lambda layers: dict(enumerate(layers)), "the dict `layers`"),
    ],
)
def test_layers_in_a_list_are_named(held, words):
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = held([nn.Flatten(), nn.Linear(64, 10)])

        def forward(self, X):
            for layer in self.layers.values() if isinstance(self.layers, dict) else self.layers:
                X = layer(X)
            return X

    result = NET.check(Net)
    assert (result.status, result.misconception) == ("not yet", "layers in a list")
    assert words in str(result)
    assert "nn.ModuleList" in result.hint


def test_list_of_layers_that_are_registered_too_is_no_fault():
    class Net(nn.Sequential):
        def __init__(self):
            super().__init__(nn.Conv2d(1, 2, 3, stride=2), nn.Flatten(), nn.Linear(18, 10))
            self.order = list(self)

    assert NET.check(Net).correct


def test_network():
    assert NET.check(small_net()).correct
    assert NET.check(small_net).correct
    for answer, misconception in [
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten()), "output shape"),
        (nn.Sequential(nn.Flatten(), nn.Linear(64, 10)), "no convolution"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Flatten(), nn.Linear(144, 10)), "too many parameters"),
        (wide_net(), "too many MACs"),
        (nn.Sequential(nn.Conv2d(1, 4, 3), nn.Linear(5, 10)), "error"),
        (lambda: 1 / 0, "error"),
        (lambda: 3, "wrong kind"),
        (3, "wrong kind"),
    ]:
        result = NET.check(answer)
        assert result.misconception == misconception, result


def test_network_that_trains():
    def score(model):
        X = torch.eye(2)
        for _ in range(20):
            loss = ((model(X) - X) ** 2).sum()
            for parameter, gradient in zip(
                model.parameters(), torch.autograd.grad(loss, [*model.parameters()]), strict=True
            ):
                parameter.data -= 0.2 * gradient
        return 1 - float(loss.detach())

    exercise = Network(
        id="toy.8", title="x", level=3, input_shape=(2,), output_shape=(2,), score=score, min_score=0.9
    )
    model = nn.Linear(2, 2)
    before = model.weight.tolist()
    assert exercise.check(model).correct
    assert model.weight.tolist() == before
    assert exercise.check(lambda: nn.Linear(2, 2)).summary == exercise.check(lambda: nn.Linear(2, 2)).summary
    assert exercise.check(nn.Sequential(nn.Linear(2, 2), nn.Sigmoid())).misconception == "score"


def test_former_names_still_work():
    with pytest.warns(DeprecationWarning, match="Wrong is now called Misconception"):
        assert kinds.Wrong is Misconception
    with pytest.warns(DeprecationWarning, match="Draw is now called RandomInputs"):
        assert kinds.Draw is RandomInputs
    with pytest.raises(AttributeError, match="no attribute 'Right'"):
        kinds.Right  # noqa: B018
    with pytest.warns(DeprecationWarning, match="wants is now called answer_description"):
        exercise = Value(id="toy.9", title="x", level=1, right=lambda: 3, wants="a number")
    assert exercise.answer_description == "a number"
    with pytest.warns(DeprecationWarning, match="judge is now called check"):
        assert exercise.judge(3).correct


# ---- what must not happen ------------------------------------------------------------


def endless(X):
    while True:
        pass


def endless_and_deaf(X):
    while True:
        try:
            X = X + 1
        except Exception:
            continue


@pytest.mark.parametrize("answer", [endless, endless_and_deaf])
def test_endless_loop_is_stopped(monkeypatch, answer):
    limited(monkeypatch)
    result = SUM.check(answer)
    assert result.misconception == "endless loop"
    assert result.summary.startswith("the code did not end, and was stopped")
    assert SUM.check(torch.sum).correct, "the timer stays quiet afterwards"


def test_endless_loop_is_stopped_in_another_thread(monkeypatch):
    limited(monkeypatch)
    results = []
    thread = threading.Thread(target=lambda: results.append(SUM.check(endless)), daemon=True)
    thread.start()
    thread.join(60)
    assert [result.misconception for result in results] == ["endless loop"]


def limited(monkeypatch):
    original = sandbox.time_limit
    monkeypatch.setattr(sandbox, "time_limit", lambda seconds: original(0.3))


def test_a_loop_that_only_waits_is_stopped(monkeypatch):
    limited(monkeypatch)
    assert SUM.check(lambda X: [time.sleep(0.01) for _ in range(10**6)]).misconception == "endless loop"


def test_another_timer_goes_on():
    signal = pytest.importorskip("signal")
    if not hasattr(signal, "setitimer"):
        pytest.skip("no timers here")
    rings = []
    handler = signal.signal(signal.SIGALRM, lambda *_: rings.append(1))
    signal.setitimer(signal.ITIMER_REAL, 500)
    try:
        with sandbox.time_limit(5):
            pass
        assert 400 < signal.getitimer(signal.ITIMER_REAL)[0] <= 500
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, handler)


def test_the_reader_s_random_numbers_stay_as_they_are():
    torch.manual_seed(7)
    before = torch.get_rng_state()
    SUM.check(lambda X: X.sum() + torch.rand(1))
    assert torch.equal(torch.get_rng_state(), before)


def test_random_answers_give_the_same_reply():
    first, second = (SUM.check(lambda X: X.sum() + torch.rand(())) for _ in range(2))
    assert first == second


# ---- bad use ------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("convolutoin.2", 1), ValueError, "no exercise 'convolutoin.2'; did you mean convolution.2?"),
        (("convolution.99", 1), ValueError, "no exercise 'convolution.99'; convolution has convolution.1, "),
        (("convolution", 1), ValueError, "no exercise 'convolution'; convolution has convolution.1, "),
        (("Convolution.2", 1), ValueError, "did you mean convolution.2?"),
        (("xyz.2", 1), ValueError, "no exercise 'xyz.2'; the chapters are convolution"),
        (
            ("convolution.5",),
            TypeError,
            'check("convolution.5", answer): the answer is missing; it should be a ',
        ),
        ((torch.sum, "convolution.2"), TypeError, "first the exercise's name, then your answer"),
    ],
)
def test_bad_use_is_told(arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        check(*arguments)


# ---- the reply ------------------------------------------------------------


def test_html_says_in_words_what_the_text_says():
    result = check("convolution.5", lambda X, K: X)
    page = re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", result._repr_html_()))
    assert "Not yet (convolution.5):" in page
    for name, text in result.details:
        assert name in page
        assert re.sub(r"\s+", " ", text) in page
    assert result.hint.replace("'", "&#x27;") in page


def test_html_escapes_what_a_reader_wrote():
    result = SUM.check(lambda X: "<script>")
    assert "<script>" in repr(result)
    assert "<script>" not in result._repr_html_()


def test_import_is_light():
    code = "import sys, d2lconv.exercises; print('torch' in sys.modules, 'numpy' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_result_tells_whether_it_is_correct():
    assert Result("a.1", "correct", "1 case.").correct
    assert not Result("a.1", "not yet", "no.").correct
