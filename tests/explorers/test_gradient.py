"""gradient_explorer on a page without a kernel: its gradients against PyTorch's, and driven in a browser."""

import re

import pytest
import torch
from tests.explorers.widgets_book import GridFigure
from torch.nn import functional as F

SCRIPT = "gradient/gradients.js"
LAYERS = ["nothing", "ReLU", "max pooling"]


def behind(Y, layer):
    if layer == "max pooling":
        return F.max_pool2d(Y[None], 2)[0]
    return Y.relu() if layer == "ReLU" else Y


def settings(count):
    """Draw settings; whole numbers, so that ties and zeros are frequent."""
    generator = torch.Generator().manual_seed(0)

    def whole(low, high, *size):
        return torch.randint(low, high + 1, size or (1,), generator=generator)

    for number in range(count):
        layer = LAYERS[number % 3]
        K = whole(-3, 3, int(whole(1, 4)), int(whole(1, 4))).double()
        least = [k + (layer == "max pooling") for k in K.shape]
        X = whole(-3, 3, *(min(int(whole(k, 8)), 8) for k in least)).double()
        size = behind(F.conv2d(X[None, None], K[None, None])[0, 0], layer).shape
        given = whole(-3, 3, *size).double()
        yield {"X": X, "K": K, "given": given, "layer": layer, "learns": number % 2 == 1}


def by_autograd(case):
    """Return what the view shows of a setting, as PyTorch computes it."""
    X, K = case["X"].clone().requires_grad_(), case["K"].clone().requires_grad_()
    Y = F.conv2d(X[None, None], K[None, None])[0, 0]
    Z = behind(Y, case["layer"])
    loss = F.mse_loss(Z, case["given"]) if case["learns"] else (Z * case["given"]).sum()
    G, dY, dK, dX = torch.autograd.grad(loss, (Z, Y, K, X))
    shown = {"Y": Y.detach(), "Z": Z.detach(), "G": G, "dY": dY, "dK": dK, "dX": dX}
    return shown | ({"loss": loss.detach()} if case["learns"] else {})


def as_sent(case):
    kind = "target" if case["learns"] else "above"
    sent = {"input": case["X"], "kernel": case["K"], kind: case["given"]}
    return {name: M.tolist() for name, M in sent.items()} | {"layer": case["layer"]}


def worst(run, cases, replaced=()):
    """Return the largest difference from PyTorch over some settings."""
    passes = "({ pass }, cases) => cases.map((one) => pass(one))"
    found = run(SCRIPT, passes, [as_sent(case) for case in cases], replaced)
    largest = 0.0
    for case, shown in zip(cases, found, strict=True):
        for name, right in by_autograd(case).items():
            number = torch.tensor(shown[name], dtype=torch.float64)
            assert number.shape == right.shape, name
            largest = max(largest, float((number - right).abs().max()))
    return largest


def test_every_gradient_is_pytorchs(run):
    assert worst(run, list(settings(1200))) < 1e-12


@pytest.mark.parametrize(
    "replaced",
    [
        ("value > 0 ? G", "value >= 0 ? G"),
        ("back[r + u][c + v] += value * weight", "back[r + K.length - 1 - u][c + v] += value * weight"),
        ("Y[cell[0]][cell[1]] > Y", "Y[cell[0]][cell[1]] >= Y"),
        ("(2 * (z - T[r][c])) / Z.flat().length", "2 * (z - T[r][c])"),
    ],
    ids=["ReLU at 0", "kernel flipped", "the last of equals", "a sum, no mean"],
)
def test_a_wrong_gradient_is_noticed(run, replaced):
    assert worst(run, list(settings(60)), [replaced]) > 1e-3


def test_steps_are_those_of_sgd(run):
    X = torch.tensor([[1.0, 1, 0, 0, 1, 1], [0, 1, 1, 0, 0, 1]], dtype=torch.float64)
    target = X[:, :-1] - X[:, 1:]
    K = torch.tensor([[-1, -1.5]], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.SGD([K], lr=0.4)
    kernels, losses = [], []
    for _ in range(41):
        loss = F.mse_loss(F.conv2d(X[None, None], K[None, None])[0, 0], target)
        kernels.append(K.tolist())
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    case = {"input": X.tolist(), "kernel": kernels[0], "target": target.tolist(), "layer": "nothing"}
    learned = run(SCRIPT, "({ learn }, [one, rate, steps]) => learn(one, rate, steps)", [case, 0.4, 40])
    assert learned["losses"] == pytest.approx(losses, abs=1e-12)
    assert torch.tensor(learned["kernels"]).allclose(torch.tensor(kernels), atol=1e-12)
    assert learned["kernels"][-1][0] == pytest.approx([1, -1], abs=0.02)


class Gradients(GridFigure):
    """The figure with some number on a page."""

    def grid(self, name):
        return self.place.get_by_role("grid", name=re.compile(rf"^{re.escape(name)}(,| |$)"))

    def numbers(self, name):
        read = """grid => [...grid.querySelectorAll('[role=row]')].map(row => [...row.children].map(cell =>
            Number((cell.firstElementChild?.value ?? cell.textContent).replace("−", "-"))))"""
        return self.grid(name).evaluate(read)

    def note(self):
        return self.place.locator(".d2l-note").text_content()


@pytest.fixture
def figures(show):
    page = show("gradient")
    return Gradients(page), Gradients(page, 1)


def test_numbers_of_the_text(figures):
    first, _ = figures
    assert first.numbers("K.grad") == [[5, 7], [11, 13]]
    assert first.numbers("X.grad") == [[0, 1, 0], [2, 2, 2], [-2, 1, 6]]
    assert first.formula() == "1·0 + 0·1 + (−1)·3 + 2·4 = 5"


def test_pointing_at_a_gradient_writes_it_out(figures):
    first, _ = figures
    first.grid("X.grad").get_by_role("gridcell").nth(4).hover()
    assert first.note() == "Input X[1, 1] is seen by 4 outputs, so its gradient is"
    assert first.formula() == "2·0 + (−1)·1 + 0·2 + 1·3 = 2"
    corner = first.grid("X.grad").get_by_role("gridcell").nth(0)
    corner.hover()
    assert first.formula() == "1·0 = 0"


def test_walking_by_keyboard_keeps_the_gradient(figures):
    first, _ = figures
    first.grid("K.grad").get_by_role("gridcell").nth(0).focus()
    first.place.page.keyboard.press("ArrowDown")
    first.place.page.keyboard.press("ArrowRight")
    first.place.page.keyboard.press("Tab")
    assert first.note().startswith("Weight K[1, 1]")
    assert first.formula().endswith("= 13")


def test_layers_behind_stop_and_lead_the_gradient(figures):
    first, _ = figures
    first.control("After the convolution").select_option("max pooling")
    assert first.numbers("Z") == [[43]]
    assert first.numbers("Y.grad") == [[0, 0], [0, 1]]
    first.grid("Y.grad").get_by_role("gridcell").nth(0).hover()
    assert first.note() == "Y[0, 0] is 19: not the largest of its window, so it gets nothing."
    first.control("After the convolution").select_option("ReLU")
    assert first.numbers("Y.grad") == first.numbers("G = Z.grad")


def test_a_kernel_learns_and_can_be_typed_anew(figures):
    _, second = figures
    second.place.get_by_role("button", name="10 steps").click()
    second.place.get_by_role("button", name="10 steps").click()
    assert second.numbers("K")[0] == pytest.approx([1, -1], abs=0.2)
    assert "Step 20 of 60" in second.place.locator(".d2l-loss").text_content()
    weight = second.grid("K").get_by_role("textbox").nth(0)
    weight.fill("2")
    assert "Step 0 of 60" in second.place.locator(".d2l-loss").text_content()
    second.control("Learning rate").evaluate(
        "(input) => { input.value = 3; input.dispatchEvent(new Event('input')); }"
    )
    second.slide("Steps", 60)
    assert "this learning rate is too large" in second.place.inner_text()
