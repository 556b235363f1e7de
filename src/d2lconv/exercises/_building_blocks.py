"""Rules and score of the network that the exercises of *Building blocks* ask for."""

from __future__ import annotations

import copy

import torch
from torch import nn
from torch.nn import functional as F

from d2lconv.data import load_digits
from d2lconv.exercises.kinds import Rule
from d2lconv.summary import Summary

_STEPS, _BATCH, _RATE = 120, 64, 0.01


def frozen_parameters(model: nn.Module, summary: Summary) -> str:
    """Say how many parameters ask for no gradient."""
    frozen = summary.total_params - summary.trainable_params
    return f"{frozen:,} of its {summary.total_params:,} parameters do not learn" if frozen else ""


def linear_in_disguise(model: nn.Module, summary: Summary) -> str:
    """Say whether f(x) + f(-x) = 2 f(0), as for a linear layer."""
    model = copy.deepcopy(model).double().eval()
    X = torch.randn(4, 1, 8, 8, generator=torch.Generator().manual_seed(0), dtype=torch.double)
    with torch.no_grad():
        both, still = model(X) + model(-X), 2 * model(torch.zeros_like(X))
        linear = torch.allclose(both, still, rtol=1e-9, atol=1e-9)
    return "it computes what a single linear layer could compute" if linear else ""


DISGUISE_RULES = (
    Rule(
        "frozen layer",
        frozen_parameters,
        "Here everything is to learn: let each parameter ask for a gradient.",
    ),
    Rule("linear in disguise", linear_in_disguise, "Put something that is not linear between the layers."),
)


def accuracy_after_training(model: nn.Module) -> float:
    """Train briefly on digits of 8×8 pixels, and return the fraction of validation digits that it reads."""
    train, valid, _ = load_digits(size=8)
    optimizer = torch.optim.Adam(model.parameters(), lr=_RATE)
    for _ in range(_STEPS):
        rows = torch.randint(len(train), (_BATCH,))
        loss = F.cross_entropy(model(train.images[rows]), train.labels[rows])
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
    model.eval()
    with torch.no_grad():
        right = model(valid.images).argmax(dim=1) == valid.labels
    return float(right.double().mean())
