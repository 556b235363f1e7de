"""Right and wrong answers to the exercises of *LeNet*, each wrong one with the hint it must get."""

import numpy as np
import torch

from d2lconv.models import LeNet


def count(c, n, conv1=6, conv2=2416, flat=400):
    return 150 * c + conv1 + conv2 + flat * 120 + 120 + 121 * 84 + 85 * n


def share(scores, labels):
    return (scores.argmax(dim=1) == labels).float().mean()


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


RIGHT = {
    "lenet.1": [(16, 8, 8), LeNet().encoder(torch.zeros(1, 1, 40, 40))[0].shape],
    "lenet.2": ["c", "C"],
    "lenet.3": [count, lambda c, n: 61_706 + 150 * (c - 1) + 85 * (n - 10)],
    "lenet.4": [
        share,
        lambda s, y: sum(int(row.argmax()) == int(k) for row, k in zip(s, y, strict=True)) / len(y),
        lambda s, y: share(s.softmax(dim=1).double() + s.double(), y),
    ],
    "lenet.5": [by_loop, by_numpy],
}
WRONG = {
    "lenet.1": [
        ("padding forgotten", (16, 7, 7)),
        ("second padded too", (16, 10, 10)),
        ("last pooling forgotten", (16, 16, 16)),
        ("size of the chapter", (16, 5, 5)),
        ("flattened", 16 * 64),
        ("channels last", (8, 8, 16)),
    ],
    "lenet.2": [("a", "a"), ("b", "b"), ("d", "d"), ("wrong kind", 3), ("wrong kind", [1, 2])],
    "lenet.3": [
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
        ("count instead of fraction", lambda s, y: (s.argmax(1) == y).sum()),
        ("errors counted", lambda s, y: (s.argmax(1) != y).float().mean()),
        ("percent", lambda s, y: 100 * share(s, y)),
        ("divided by classes", lambda s, y: (s.argmax(1) == y).sum() / s.shape[1]),
        ("smallest score", lambda s, y: (s.argmin(1) == y).float().mean()),
        ("nothing returned", lambda s, y: print(share(s, y))),
    ],
    "lenet.5": [
        ("rows and columns exchanged", lambda labels, answers, n: by_loop(labels, answers, n).T),
        ("marked instead of counted", marked),
        ("fractions", lambda labels, answers, n: by_loop(labels, answers, n) / len(labels)),
        ("right answers only", lambda labels, answers, n: by_loop(labels, answers, n) * torch.eye(n)),
        ("wrong answers only", lambda labels, answers, n: by_loop(labels, answers, n) * (1 - torch.eye(n))),
    ],
}
