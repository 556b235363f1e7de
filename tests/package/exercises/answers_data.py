"""Right and wrong answers to the exercises of *Image data*, each wrong one with the hint it must get."""

import struct

import numpy as np
import torch
from torch.nn import functional as F

SIZES = {8: 1, 9: 1, 11: 2, 12: 4, 13: 4, 14: 8}


def hits(scores, labels):
    return sum(int(row.argmax()) == int(label) for row, label in zip(scores, labels, strict=True))


def lengths_of(header, code=">"):
    return struct.unpack(f"{code}{header[3]}I", header[4:])


def length_by_struct(header):
    return 4 + 4 * header[3] + SIZES[header[2]] * int(np.prod(lengths_of(header)))


def length_by_hand(header):
    total = SIZES[header[2]]
    for at in range(4, len(header), 4):
        a, b, c, d = header[at : at + 4]
        total *= a * 256**3 + b * 256**2 + c * 256 + d
    return total + len(header)


def batch(X, y, order, size, i):
    rows = order[i * size : (i + 1) * size]
    return torch.cat([X[rows], y[rows, None]], dim=1)


def batch_by_loop(X, y, order, size, i):
    rows = []
    for place in range(i * size, min((i + 1) * size, len(X))):
        row = int(order[place])
        rows.append([*X[row].tolist(), float(y[row])])
    return rows


def batch_from_moved_data(X, y, order, size, i):
    return torch.hstack([X[order], y[order].unsqueeze(1)]).split(size)[i]


def batch_in_place(X, y, order, size, i):
    X[:], y[:] = X[order], y[order]
    return torch.cat([X, y[:, None]], 1)[i * size : (i + 1) * size]


def first_images_again(X, y, order, size, i):
    rows = [int(order[place % len(X)]) for place in range(i * size, (i + 1) * size)]
    return torch.cat([X[rows], y[rows][:, None]], 1)


def shift(image, down, right, outside=lambda image, r, c: 0.0):
    h, w = image.shape
    Y = torch.zeros(h, w)
    for r in range(h):
        for c in range(w):
            inside = 0 <= r - down < h and 0 <= c - right < w
            Y[r, c] = image[r - down, c - right] if inside else outside(image, r - down, c - right)
    return Y


def shift_by_window(image, down, right):
    h, w = image.shape
    m = max(abs(down), abs(right))
    padded = F.pad(image, (m, m, m, m))
    return padded[m - down : m - down + h, m - right : m - right + w]


def shift_by_numpy(image, down, right):
    h, w = image.shape
    Y = np.zeros((h, w))
    Y[max(down, 0) : h + min(down, 0), max(right, 0) : w + min(right, 0)] = image.numpy()[
        max(-down, 0) : h - max(down, 0), max(-right, 0) : w - max(right, 0)
    ]
    return Y


def shift_by_roll(image, down, right):
    Y = image.roll((down, right), (0, 1))
    rows, columns = torch.arange(image.shape[0]) - down, torch.arange(image.shape[1]) - right
    Y[(rows < 0) | (rows >= image.shape[0])] = 0
    Y[:, (columns < 0) | (columns >= image.shape[1])] = 0
    return Y


def nearest(image, r, c):
    return image[min(max(r, 0), image.shape[0] - 1), min(max(c, 0), image.shape[1] - 1)]


def reflected(image, r, c):
    h, w = image.shape
    return image[h - 1 - abs(h - 1 - abs(r)), w - 1 - abs(w - 1 - abs(c))]


def grown(image, down, right):
    Y = torch.zeros(image.shape[0] + abs(down), image.shape[1] + abs(right))
    top, left = max(down, 0), max(right, 0)
    Y[top : top + image.shape[0], left : left + image.shape[1]] = image
    return Y


def folds(labels, k, n):
    rows = [torch.where(labels == c)[0][k::n] for c in labels.unique()]
    return torch.cat(rows).sort().values


def folds_by_one_hot(labels, k, n):
    before = F.one_hot(labels, 20).cumsum(0)[torch.arange(len(labels)), labels] - 1
    return (before % n == k).nonzero()[:, 0]


def folds_by_numpy(labels, k, n):
    labels = labels.numpy()
    return np.sort(np.concatenate([np.flatnonzero(labels == c)[k::n] for c in np.unique(labels)]))


def by_class(labels, choose):
    return [x for c in sorted(set(labels.tolist())) for x in choose(torch.where(labels == c)[0].tolist())]


def piece(rows, k, n):
    """Return piece k of n pieces, the first of which are longer by one where they can't be equal."""
    return np.array_split(np.array(rows), n)[k].tolist()


def scale(train, valid, *, axes=(0, 2, 3), power=1):
    train, valid = np.asarray(train, float), np.asarray(valid, float)
    return (valid - train.mean(axes, keepdims=True)) / train.std(axes, keepdims=True) ** power


RIGHT = {
    "data.1": ["a", "A "],
    "data.2": [
        lambda scores, labels: hits(scores, labels) / len(labels),
        lambda scores, labels: (scores.argmax(dim=1) == labels).float().mean(),
        lambda scores, labels: (scores.max(1).indices == labels).sum() / len(labels),
        lambda scores, labels: np.mean(scores.numpy().argmax(1) == labels.numpy()),
        lambda scores, labels: (scores.gather(1, labels[:, None])[:, 0] == scores.amax(1)).double().mean(),
    ],
    "data.3": [length_by_struct, length_by_hand, lambda header: float(length_by_hand(header))],
    "data.4": [batch, batch_by_loop, batch_from_moved_data],
    "data.5": [shift, shift_by_window, shift_by_numpy, shift_by_roll],
    "data.6": [scale, lambda train, valid: scale(train.numpy(), valid.numpy())],
    "data.7": [folds, folds_by_one_hot, folds_by_numpy, lambda *case: folds(*case).tolist()],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "data.1": [("c", "c"), ("b", "b"), ("d", " D"), ("wrong kind", "e"), ("wrong kind", 0.95)],
    "data.2": [
        ("values instead of classes", lambda s, y: np.mean(s.numpy().max(1) == y.numpy())),
        ("count instead of fraction", hits),
        ("count instead of fraction", lambda scores, labels: (scores.argmax(1) == labels).sum()),
        ("error instead of accuracy", lambda scores, labels: (scores.argmax(1) != labels).float().mean()),
        ("percent", lambda scores, labels: hits(scores, labels) / len(labels) * 100),
        ("divided by the classes", lambda scores, labels: hits(scores, labels) / scores.size(1)),
        ("smallest score", lambda scores, labels: (scores.argmin(1) == labels).float().mean()),
        ("cut to a whole number", lambda scores, labels: hits(scores, labels) // len(labels)),
        ("cut to a whole number", lambda scores, labels: torch.equal(scores.argmax(1), labels)),
        ("error", lambda scores, labels: (scores.argmax(1) == labels).mean()),
        ("nothing returned", lambda scores, labels: print(hits(scores, labels))),
    ],
    "data.3": [
        (
            "last byte first",
            lambda header: len(header) + SIZES[header[2]] * np.prod(lengths_of(header, "<"), dtype=object),
        ),
        ("one byte for each value", lambda header: len(header) + int(np.prod(lengths_of(header)))),
        ("type code as size", lambda header: len(header) + header[2] * int(np.prod(lengths_of(header)))),
        ("number of values", lambda header: int(np.prod(lengths_of(header)))),
        ("header not counted", lambda header: length_by_hand(header) - len(header)),
        ("only four bytes of header", lambda header: length_by_hand(header) - 4 * header[3]),
        ("header of 16 bytes", lambda header: length_by_hand(header) - 4 * header[3] + 12),
        ("lengths added", lambda header: len(header) + SIZES[header[2]] * sum(lengths_of(header))),
        ("first axis only", lambda header: len(header) + SIZES[header[2]] * lengths_of(header)[0]),
        (
            "only the last byte of a length",
            lambda header: len(header) + SIZES[header[2]] * int(np.prod(list(header[7::4]))),
        ),
        ("error", lambda header: struct.unpack(">3I", header[4:])),
        ("wrong kind", 16),
    ],
    "data.4": [
        ("labels left out", lambda X, y, order, size, i: X[order[i * size : i * size + size]]),
        ("order ignored", lambda X, y, order, size, i: batch(X, y, torch.arange(len(X)), size, i)),
        (
            "images stay behind",
            lambda X, y, order, size, i: torch.cat([X, y[order, None]], 1)[i * size : i * size + size],
        ),
        (
            "neighbouring batches overlap",
            lambda X, y, order, size, i: torch.cat([X, y[:, None]], 1)[order[i : i + size]],
        ),
        (
            "last batch dropped",
            lambda X, y, order, size, i: batch(X, y, order[: len(X) - len(X) % size], size, i),
        ),
        ("last batch filled up", first_images_again),
        ("order undone", lambda X, y, order, size, i: batch(X, y, torch.argsort(order), size, i)),
        (
            "batches counted from 1",
            lambda X, y, order, size, i: batch_from_moved_data(X, y, order, size, i - 1),
        ),
        ("argument changed", batch_in_place),
        ("transposed", lambda X, y, order, size, i: batch(X, y, order, size, i).T),
    ],
    "data.5": [
        ("up instead of down", lambda image, down, right: shift(image, -down, right)),
        ("left instead of right", lambda image, down, right: shift(image, down, -right)),
        ("ones come in", lambda image, down, right: shift(image, down, right, lambda image, r, c: 1.0)),
        ("wraps around", lambda image, down, right: np.roll(image.numpy(), (down, right), axis=(0, 1))),
        ("opposite direction", lambda image, down, right: shift(image, -down, -right)),
        ("rows and columns swapped", lambda image, down, right: shift(image, right, down)),
        ("border repeated", lambda image, down, right: shift(image, down, right, nearest)),
        ("mirrored at the border", lambda image, down, right: shift(image, down, right, reflected)),
        ("negative shifts ignored", lambda image, down, right: shift(image, max(0, down), max(0, right))),
        ("sign lost", lambda image, down, right: shift_by_numpy(image, abs(down), abs(right))),
        ("moved down only", lambda image, down, right: shift_by_window(image, down, 0)),
        ("image grows", grown),
        ("wrong sign", lambda image, down, right: -shift(image, down, right)),
        ("nothing returned", lambda image, down, right: print(shift(image, down, right))),
    ],
    "data.6": [
        ("statistics of the validation images", lambda train, valid: scale(valid, valid)),
        ("statistics of all images", lambda train, valid: scale(np.concatenate([train, valid]), valid)),
        ("channels together", lambda train, valid: scale(train, valid, axes=(0, 1, 2, 3))),
        ("each pixel by itself", lambda train, valid: scale(train, valid, axes=0)),
        ("mean only", lambda train, valid: scale(train, valid, power=0)),
        ("variance instead of standard deviation", lambda train, valid: scale(train, valid, power=2)),
    ],
    "data.7": [
        (
            "ten classes only",
            lambda labels, k, n: sorted(
                i for c in range(10) for i in (labels == c).nonzero()[k::n, 0].tolist()
            ),
        ),
        ("not stratified", lambda labels, k, n: [row for row in range(len(labels)) if row % n == k]),
        (
            "one piece instead of every n-th",
            lambda labels, k, n: sorted(by_class(labels, lambda rows: piece(rows, k, n))),
        ),
        (
            "training part",
            lambda labels, k, n: [row for row in range(len(labels)) if row not in folds(labels, k, n)],
        ),
        ("class by class", lambda labels, k, n: by_class(labels, lambda rows: rows[k::n])),
        ("counted from 1", lambda labels, k, n: folds(labels, (k - 1) % n, n)),
        (
            "one image of each class",
            lambda labels, k, n: sorted(by_class(labels, lambda rows: rows[k : k + 1])),
        ),
        ("labels instead of numbers", lambda labels, k, n: labels[folds_by_one_hot(labels, k, n)]),
        (
            "positions within a class",
            lambda labels, k, n: sorted(by_class(labels, lambda rows: range(len(rows))[k::n])),
        ),
        ("arguments", lambda labels: labels),
        ("wrong kind", [0, 1]),
    ],
}
