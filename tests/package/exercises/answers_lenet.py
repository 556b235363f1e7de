"""Right and wrong answers to the exercises of *LeNet*, each wrong one with the hint it must get."""

import numpy as np
import torch

from d2lconv.models import LeNet


def count(c, n, conv1=6, conv2=2416, flat=400):
    return 150 * c + conv1 + conv2 + flat * 120 + 120 + 121 * 84 + 85 * n


def in_first(scores, labels, k):
    places = (-scores.numpy()).argsort(axis=1).argsort(axis=1)
    return float((places[np.arange(len(labels)), labels.numpy()] < k).mean())


def by_loop(labels, answers, n):
    table = torch.zeros(n, n)
    for i, j in zip(labels, answers, strict=True):
        table[i, j] += 1
    return table


def by_numpy(labels, answers, n):
    table = np.zeros((n, n), dtype=int)
    np.add.at(table, (labels.numpy(), answers.numpy()), 1)
    return table


def marked(labels, answers, n):
    table = torch.zeros(n, n)
    table[labels, answers] += 1
    return table


def judged(a, b, lost=1):
    a, b = np.asarray(a, float), np.asarray(b, float)
    return b.mean() - a.mean(), (a.var(ddof=lost) / len(a) + b.var(ddof=lost) / len(b)) ** 0.5


RIGHT = {
    "lenet.1": [(16, 8, 8), LeNet().encoder(torch.zeros(1, 1, 40, 40))[0].shape],
    "lenet.2": ["d", "D"],
    "lenet.3": [count, lambda c, n: 61_706 + 150 * (c - 1) + 85 * (n - 10)],
    "lenet.4": [
        in_first,
        lambda s, y, k: (s.topk(k, dim=1).indices == y[:, None]).any(1).float().mean(),
        lambda s, y, k: (
            sum(int(c) in row.argsort()[-k:].tolist() for row, c in zip(s, y, strict=True)) / len(y)
        ),
    ],
    "lenet.5": [by_loop, by_numpy],
    "lenet.6": [judged, lambda a, b: judged(a.numpy(), b.numpy())],
}
WRONG = {
    "lenet.1": [
        ("channels of the first convolution", (6, 8, 8)),
        ("first half only", (6, 20, 20)),
        ("padding forgotten", (16, 7, 7)),
        ("second padded too", (16, 10, 10)),
        ("last pooling forgotten", (16, 16, 16)),
        ("size of the chapter", (16, 5, 5)),
        ("flattened", 16 * 64),
        ("channels last", (8, 8, 16)),
    ],
    "lenet.2": [("a", "a"), ("b", "b"), ("c", "c"), ("wrong kind", 3), ("wrong kind", [1, 2])],
    "lenet.3": [
        ("first biases forgotten", lambda c, n: count(c, n, conv1=0)),
        ("last biases forgotten", lambda c, n: count(c, n) - n),
        ("biases of the convolutions forgotten", lambda c, n: count(c, n, conv1=0, conv2=2400)),
        ("first biases by input channel", lambda c, n: count(c, n, conv1=c)),
        ("second convolution padded", lambda c, n: count(c, n, flat=16 * 7 * 7)),
        ("biases forgotten", lambda c, n: count(c, n) - 6 - 16 - 120 - 84 - n),
        ("padding forgotten", lambda c, n: count(c, n, flat=16 * 4 * 4)),
        ("last pooling forgotten", lambda c, n: count(c, n, flat=16 * 10 * 10)),
        ("one map flattened", lambda c, n: count(c, n, flat=5 * 5)),
        ("kernels see one map", lambda c, n: count(c, n, conv2=416)),
        ("grey images only", lambda c, n: count(1, n)),
        ("ten classes only", lambda c, n: count(c, 10)),
        ("pooling has parameters", lambda c, n: count(c, n) + 2 * (6 + 16)),
    ],
    "lenet.4": [
        ("first rank only", lambda s, y, k: (s.argmax(1) == y).float().mean()),
        ("count instead of fraction", lambda s, y, k: in_first(s, y, k) * len(y)),
        ("errors counted", lambda s, y, k: 1 - in_first(s, y, k)),
        ("percent", lambda s, y, k: 100 * in_first(s, y, k)),
        ("divided by k", lambda s, y, k: in_first(s, y, k) / k),
        ("smallest scores", lambda s, y, k: in_first(-s, y, k)),
        ("values instead of classes", lambda s, y, k: (s.topk(k)[0] == y[:, None]).any(1).float().mean()),
        ("nothing returned", lambda s, y, k: print(in_first(s, y, k))),
    ],
    "lenet.5": [
        (
            "fractions of a row",
            lambda labels, answers, n: (
                by_loop(labels, answers, n) / by_loop(labels, answers, n).sum(1)[:, None]
            ),
        ),
        (
            "fractions of a row, 0/0 left out",
            lambda labels, answers, n: (
                by_loop(labels, answers, n) / by_loop(labels, answers, n).sum(1).clamp(min=1)[:, None]
            ),
        ),
        ("marked, rows and columns exchanged", lambda labels, answers, n: marked(answers, labels, n)),
        ("rows and columns exchanged", lambda labels, answers, n: by_loop(labels, answers, n).T),
        ("marked instead of counted", marked),
        ("fractions", lambda labels, answers, n: by_loop(labels, answers, n) / len(labels)),
        ("right predictions only", lambda labels, answers, n: by_loop(labels, answers, n) * torch.eye(n)),
        (
            "wrong predictions only",
            lambda labels, answers, n: by_loop(labels, answers, n) * (1 - torch.eye(n)),
        ),
    ],
    "lenet.6": [
        ("first minus second", lambda a, b: judged(b, a)),
        (
            "standard deviation instead of standard error",
            lambda a, b: (b.mean() - a.mean(), (a.var() + b.var()) ** 0.5),
        ),
        ("variance of the difference", lambda a, b: (judged(a, b)[0], judged(a, b)[1] ** 2)),
        (
            "errors added up",
            lambda a, b: (b.mean() - a.mean(), a.std() / len(a) ** 0.5 + b.std() / len(b) ** 0.5),
        ),
        ("divided by n", lambda a, b: judged(a, b, lost=0)),
        ("one variant only", lambda a, b: (b.mean() - a.mean(), b.std() / len(b) ** 0.5)),
        ("wrong shape", lambda a, b: b.mean() - a.mean()),
    ],
}
