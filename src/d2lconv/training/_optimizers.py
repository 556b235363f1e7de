"""The optimiser of a training: plain momentum for a learning rate, or the caller's own."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator

from torch import nn
from torch.optim import SGD, Optimizer

from d2lconv.training.checkpoints import Setting

OptimizerLike = Optimizer | Callable[[Iterator[nn.Parameter]], Optimizer]
"""An optimiser of the model's parameters, or what makes one of them."""

MOMENTUM = 0.9


def choose_optimizer(model: nn.Module, lr: float | None, optimizer: OptimizerLike | None) -> Optimizer:
    """Return stochastic gradient descent for a learning rate, or the optimiser that was given."""
    if (lr is None) == (optimizer is None):
        raise ValueError(f"give lr or optimizer, exactly one of them; got lr={lr!r}, optimizer={optimizer!r}")
    if lr is not None:
        if isinstance(lr, bool) or not isinstance(lr, (int, float)):
            raise TypeError(f"lr must be a number, got {lr!r} of type {type(lr).__name__}")
        if not 0 < lr < math.inf:
            raise ValueError(f"lr must be positive and finite, got {lr}")
        return SGD(model.parameters(), lr=lr, momentum=MOMENTUM)
    chosen = optimizer if isinstance(optimizer, Optimizer) else optimizer(model.parameters())  # type: ignore[misc]
    if not isinstance(chosen, Optimizer):
        raise TypeError(
            "optimizer must be a torch.optim.Optimizer, or return one for the model's parameters, got "
            f"{type(chosen).__name__}"
        )
    own = set(model.parameters())
    foreign = sum(p not in own for group in chosen.param_groups for p in group["params"])
    if foreign:
        raise ValueError(
            f"optimizer must hold parameters of the model only, but {foreign} of those it holds are not in it"
        )
    chosen.load_state_dict(chosen.state_dict())  # moves what it remembers to where the weights now are
    return chosen


def optimizer_settings(optimizer: Optimizer) -> dict[str, Setting]:
    """Return an optimiser's settings by name, such as ``"SGD.lr"``."""
    settings: dict[str, Setting] = {"optimizer": type(optimizer).__name__}
    for number, group in enumerate(optimizer.param_groups):
        place = f"[{number}]" if number else ""
        settings |= {
            f"{settings['optimizer']}{place}.{name}": (
                value if value is None or isinstance(value, (bool, int, float, str)) else str(value)
            )
            for name, value in group.items()
            if name != "params"
        }
    return settings
