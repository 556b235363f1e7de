"""Right and wrong answers to the exercises of *From one core to many*, each wrong one with its hint."""

import math

import numpy as np
import torch


def weighted_by_loops(gradients, images):
    total = torch.zeros(gradients.shape[1])
    for gradient, count in zip(gradients, images, strict=True):
        total += gradient * count / sum(images)
    return total


def summed_over_workers(gradients, images):
    return sum(gradient * count for gradient, count in zip(gradients, images, strict=True)) / len(images)


def rows_by_loops(n, rank, count):
    sizes = [n // count + (r < n % count) for r in range(count)]
    return list(range(sum(sizes[:rank]), sum(sizes[: rank + 1])))


def rate_by_hand(step, rate, k, warmup):
    return k * rate if step >= warmup else rate + (k - 1) * rate * step / warmup


def step_time(compute, transfer, latency, n):
    return compute / n + (n - 1) / n * transfer + (n - 1) * latency


def fastest(compute, transfer, latency, most):
    exact = math.sqrt(max(compute - transfer, 0) / latency)
    near = {min(most, max(1, n)) for n in (math.floor(exact), math.ceil(exact))}
    return min(near, key=lambda n: step_time(compute, transfer, latency, n))


def fastest_by_descent(compute, transfer, latency, most):
    n = 1
    while n < most and step_time(compute, transfer, latency, n + 1) < step_time(
        compute, transfer, latency, n
    ):
        n += 1
    return n


def fastest_of_ten_times(compute, transfer, latency, most):
    return fastest(compute, transfer, latency, 10 * most)


def resumed(w, gradients, stop, rate, momentum, *, keep=1, again=0):
    velocity = torch.zeros_like(w)
    for gradient in gradients[:stop]:
        velocity = momentum * velocity + gradient
        w = w - rate * velocity
    velocity = keep * velocity
    for gradient in gradients[max(stop - again, 0) :]:
        velocity = momentum * velocity + gradient
        w = w - rate * velocity
    return w


RIGHT = {
    "scaling.1": [
        weighted_by_loops,
        lambda gradients, images: np.average(gradients.numpy(), axis=0, weights=images),
        lambda gradients, images: images.float() @ gradients / sum(images),
    ],
    "scaling.2": ["b", "B"],
    "scaling.3": [
        lambda workers, parameters: 2 * (workers - 1) * 4 * parameters,
        lambda workers, parameters: sum(4 * parameters for _ in range(workers - 1)) * 2,
    ],
    "scaling.4": [
        rows_by_loops,
        lambda n, rank, count: np.array_split(np.arange(n), count)[rank],
        lambda n, rank, count: range(
            rank * (n // count) + min(rank, n % count), (rank + 1) * (n // count) + min(rank + 1, n % count)
        ),
    ],
    "scaling.5": [
        rate_by_hand,
        lambda step, rate, k, warmup: rate * (1 + (k - 1) * min(1, step / warmup)),
    ],
    "scaling.6": [
        resumed,
        lambda w, gradients, stop, rate, momentum: resumed(w, gradients, 0, rate, momentum),
    ],
    "scaling.7": [fastest, fastest_by_descent],
}

# Pairs: the misconception that the reply must name, and an answer that has it.
WRONG = {
    "scaling.1": [
        ("plain mean", lambda gradients, images: sum(gradients) / len(images)),
        ("not divided", lambda gradients, images: images.float() @ gradients),
        ("divided by the workers", summed_over_workers),
        ("divided twice", lambda gradients, images: weighted_by_loops(gradients, images) / len(images)),
        (
            "weights upside down",
            lambda gradients, images: np.average(gradients, axis=0, weights=[1 / n for n in images]),
        ),
        ("wrong sign", lambda gradients, images: -weighted_by_loops(gradients, images)),
        ("nothing returned", lambda gradients, images: print(end="")),
    ],
    "scaling.2": [("a", "a"), ("c", "c"), ("d", "D"), ("wrong kind", "e"), ("wrong kind", 2)],
    "scaling.3": [
        ("first half only", lambda workers, parameters: (workers - 1) * parameters * 4),
        ("numbers instead of bytes", lambda workers, parameters: (workers - 1) * parameters * 2),
        ("one worker only", lambda workers, parameters: 2 * (workers - 1) / workers * parameters * 4),
        ("one step too many", lambda workers, parameters: 2 * workers * 4 * parameters),
        ("arguments", lambda workers: 8 * workers),
    ],
    "scaling.4": [
        (
            "rest to the last",
            lambda n, rank, count: [i for i in range(n) if min(i // (n // count), count - 1) == rank],
        ),
        (
            "rounded up",
            lambda n, rank, count: [i for i in range(n) if i // math.ceil(n / count) == rank],
        ),
        ("spread in between", lambda n, rank, count: range(n)[n * rank // count : n * (rank + 1) // count]),
        ("every n-th image", lambda n, rank, count: list(range(n))[rank::count]),
        (
            "starts not moved",
            lambda n, rank, count: [
                rank * (n // count) + i for i in range(n // count + (1 if rank < n % count else 0))
            ],
        ),
        ("nothing returned", lambda n, rank, count: print(end="")),
    ],
    "scaling.5": [
        (
            "one step ahead",
            lambda step, rate, k, warmup: rate + rate * (k - 1) * min(step + 1, warmup) / warmup,
        ),
        (
            "begins at zero, one step ahead",
            lambda step, rate, k, warmup: k * rate * min(step + 1, warmup) / warmup,
        ),
        ("no warm-up", lambda step, rate, k, warmup: rate * k),
        ("not scaled", lambda step, rate, k, warmup: rate),
        ("begins at zero", lambda step, rate, k, warmup: k * rate * min(step, warmup) / warmup),
        ("grows without end", lambda step, rate, k, warmup: rate * (1 + (k - 1) * step / warmup)),
        ("jumps at the end", lambda step, rate, k, warmup: rate * (k if step >= warmup else 1)),
        ("error", lambda step, rate, k, warmup: rate[step]),
    ],
    "scaling.6": [
        ("step taken twice", lambda *case: resumed(*case, again=1)),
        ("step left out", lambda *case: resumed(*case, again=-1)),
        ("from the beginning", lambda *case: resumed(*case, again=case[2])),
        ("velocity doubled", lambda *case: resumed(*case, keep=2)),
        ("no momentum at all", lambda w, gradients, stop, rate, momentum: w - rate * gradients.sum(0)),
    ],
    "scaling.7": [
        ("always all", lambda compute, transfer, latency, most: most),
        ("transfer forgotten", lambda compute, transfer, latency, most: fastest(compute, 0, latency, most)),
        (
            "latency forgotten",
            lambda compute, transfer, latency, most: most if compute > transfer else 1,
        ),
        ("more than there are", fastest_of_ten_times),
        (
            "rounded down",
            lambda compute, transfer, latency, most: min(
                most, max(1, int((max(0, compute - transfer) / latency) ** 0.5))
            ),
        ),
        ("counted from zero", lambda *cost: fastest(*cost) - 1),
    ],
}  # fmt: skip
