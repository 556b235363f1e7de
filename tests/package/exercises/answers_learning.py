"""Right and wrong answers to the exercises of *How a network learns*, each wrong one with its hint."""

import math

import numpy as np
import torch
from torch import nn
from torch.nn import functional as F

P = (0.5, 0.25, 0.125)


def gradient(scores, labels, axis=1):
    e = np.exp(scores.numpy())
    p = e / e.sum(axis=axis, keepdims=True)
    p[np.arange(len(labels)), labels.numpy()] -= 1
    return p / len(labels)


def gradient_row_by_row(scores, labels):
    rows = []
    for row, label in zip(scores, labels, strict=True):
        p = row.softmax(0)
        p[label] = p[label] - 1
        rows.append(p / len(labels))
    return torch.stack(rows)


def heavy(w, gradients, lr, momentum, new=1.0):
    v = torch.zeros_like(w)
    for g in gradients:
        v = momentum * v + new * g
        w = w - lr * v
    return w


def unrolled(w, gradients, lr, momentum):
    for t in range(len(gradients)):
        for s in range(t + 1):
            w = w - lr * momentum ** (t - s) * gradients[s]
    return w


def late(w, gradients, lr, momentum):
    v = torch.zeros_like(w)
    for g in gradients:
        w = w - lr * v
        v = momentum * v + g
    return w


def stop(losses, patience, better=lambda loss, best: loss < best):
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses.tolist(), start=1):
        if better(loss, best):
            best, waited = loss, 0
        else:
            waited += 1
        if waited == patience:
            return epoch
    return len(losses)


def stop_by_argmin(losses, patience):
    for epoch in range(1, len(losses) + 1):
        if epoch - 1 - int(np.argmin(losses[:epoch].numpy())) >= patience:
            return epoch
    return len(losses)


def best_epoch(losses, patience):
    return int(losses[: stop(losses, patience)].argmin()) + 1


def waiting_for_ever(losses, patience):
    best, waited = math.inf, 0
    for epoch, loss in enumerate(losses.tolist(), start=1):
        if loss < best:
            best = loss
        else:
            waited += 1
        if waited == patience:
            return epoch
    return len(losses)


def forward(X, K):
    h, w = X.shape[0] - K.shape[0] + 1, X.shape[1] - K.shape[1] + 1
    rows = [[(X[r : r + K.shape[0], c : c + K.shape[1]] * K).sum() for c in range(w)] for r in range(h)]
    return torch.tensor(rows)


def backward(X, K, gate=lambda Y: (Y > 0).float(), mean=True):
    Y = forward(X, K)
    G = gate(Y)
    made = forward(X, G)
    return made / Y.numel() if mean else made


def by_windows(X, K):
    Y = forward(X, K)
    made = torch.zeros_like(K)
    for r in range(Y.shape[0]):
        for c in range(Y.shape[1]):
            if Y[r, c] > 0:
                made += X[r : r + K.shape[0], c : c + K.shape[1]]
    return made / Y.numel()


class Deep(nn.Sequential):
    def __init__(self, n=8, norm=True, he=False, relu=nn.ReLU):
        layers = []
        for i in range(n):
            layers.append(nn.Conv2d(8 if i else 1, 8, 3, padding=1))
            if he:
                nn.init.kaiming_normal_(layers[-1].weight, nonlinearity="relu")
            if norm:
                layers.append(nn.BatchNorm2d(8))
            layers.append(relu())
            if i == 3:
                layers.append(nn.MaxPool2d(2))
        size = 4 if n > 3 else 8
        super().__init__(*layers, nn.Flatten(), nn.Linear(8 * size * size, 10))


RIGHT = {
    "learning.1": [2 * math.log(2), F.cross_entropy(torch.tensor([[0.0, 0.0]]), torch.tensor([0])) * 2],
    "learning.2": ["c", "C."],
    "learning.3": [gradient, gradient_row_by_row],
    "learning.4": [heavy, unrolled],
    "learning.5": [stop, stop_by_argmin],
    "learning.6": [backward, by_windows],
    "learning.7": [Deep, lambda: Deep(he=True)],
}
WRONG = {
    "learning.1": [
        ("logarithm to base 2", 2),
        ("added up", 6 * math.log(2)),
        ("sign forgotten", -2 * math.log(2)),
        ("logarithm of the mean", -math.log(np.mean(P))),
        ("distance from 1", 1 - np.mean(P)),
    ],
    "learning.2": [("a", "a"), ("b", "b"), ("d", "d"), ("wrong kind", 2), ("wrong kind", "e")],
    "learning.3": [
        ("added up instead of a mean", lambda s, y: gradient(s, y) * len(y)),
        ("uphill", lambda s, y: -gradient(s, y)),
        ("own class forgotten", lambda s, y: s.softmax(1) / len(y)),
        ("softmax over the images", lambda s, y: gradient(s, y, axis=0)),
        ("scores instead of probabilities", lambda s, y: (s - torch.eye(s.shape[1])[y]) / len(y)),
    ],
    "learning.4": [
        ("no momentum", lambda w, g, lr, m: w - lr * g.sum(0)),
        ("a mean of gradients", lambda w, g, lr, m: heavy(w, g, lr, m, new=1 - m)),
        ("one step late", late),
        ("nothing fades", lambda w, g, lr, m: heavy(w, g, lr, 1.0)),
        ("uphill", lambda w, g, lr, m: heavy(w, g, -lr, m)),
    ],
    "learning.5": [
        ("no new start after a better epoch", waiting_for_ever),
        ("the best epoch", best_epoch),
        ("one epoch too late", lambda losses, n: stop(losses, n + 1)),
        ("counted from 0", lambda losses, n: stop(losses, n) - 1),
        ("never stops", lambda losses, n: len(losses)),
    ],
    "learning.6": [
        ("ReLU passed by", lambda X, K: backward(X, K, gate=torch.ones_like)),
        ("added up instead of a mean", lambda X, K: backward(X, K, mean=False)),
        ("ReLU's output instead of its slope", lambda X, K: backward(X, K, gate=torch.relu)),
        ("gradient flipped", lambda X, K: backward(X.flip(0, 1), K.flip(0, 1))),
        ("ReLU of the gradient", lambda X, K: backward(X, K, gate=torch.ones_like).relu()),
        ("the output", lambda X, K: forward(X, K).relu().mean()),
    ],
    "learning.7": [
        ("score", lambda: Deep(norm=False)),
        ("too shallow", lambda: Deep(n=3)),
        ("too few ReLUs", lambda: Deep(relu=nn.Tanh)),
        ("output shape", lambda: nn.Sequential(*list(Deep())[:-1])),
        ("batch axis", lambda: nn.Sequential(nn.Flatten(0), nn.Linear(128, 10))),
    ],
}
