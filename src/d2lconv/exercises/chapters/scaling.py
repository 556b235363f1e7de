"""Exercises of the chapter *From one core to many*."""

from __future__ import annotations

import math
from fractions import Fraction

import numpy as np
import torch
from torch import Tensor

from d2lconv.exercises.kinds import Cases, Choice, Debug, Function, Misconception, RandomInputs

__all__ = ["EXERCISES"]


# ---- 1: gradients of unequal shards ------------------------------------------------------------


def shards(draw: RandomInputs, workers: int, parameters: int) -> tuple[Tensor, Tensor]:
    """Make a gradient for each worker, and the number of its images."""
    images = draw(workers, low=1, high=9).long()
    return draw(workers, parameters), images


def of_the_whole(gradients: Tensor, images: Tensor) -> Tensor:
    """Return the mean over all images, each of which has its worker's gradient."""
    return gradients.repeat_interleave(images, dim=0).mean(0)


WEIGHTED = Function(
    id="scaling.1",
    title="Gradients of unequal shards",
    level=1,
    right=of_the_whole,
    cases=Cases(shards, workers=range(1, 6), parameters=range(1, 4)),
    wrong=(
        Misconception(
            "plain mean",
            lambda gradients, images: gradients.mean(0),
            "This is the plain mean, in which a worker with few images weighs as much as one with many.",
        ),
        Misconception(
            "not divided",
            lambda gradients, images: (gradients * images[:, None]).sum(0),
            "The weighted gradients are added, but the result is not yet a mean over all images.",
        ),
        Misconception(
            "divided by the workers",
            lambda gradients, images: (gradients * images[:, None]).mean(0),
            "The sum of the weighted gradients is divided by the number of workers. How much do all weights "
            "make together?",
        ),
        Misconception(
            "divided twice",
            lambda gradients, images: of_the_whole(gradients, images) / len(images),
            "The weights make 1 together already, so there is nothing left to divide by.",
        ),
        Misconception(
            "weights upside down",
            lambda gradients, images: (gradients / images[:, None]).sum(0) / (1 / images).sum(),
            "Here a worker with few images weighs more than one with many.",
        ),
    ),
)


# ---- 2: what a checkpoint must hold ------------------------------------------------------------

OPTIMIZER = Choice(
    id="scaling.2",
    title="A checkpoint of weights alone",
    level=1,
    right="b",
    because="Momentum adds up past gradients. Without them, the first steps after the restart are others.",
    wrong={
        "a": "The learning rate is a setting: it is given again with the same command.",
        "c": "The order of an epoch's images comes from the seed and the epoch's number, not from the file.",
        "d": "Weights are saved as they are, with all of their bits.",
    },
)


# ---- 3: bytes around the ring ------------------------------------------------------------


def sent_by_all(workers: int, parameters: int) -> int:
    """Return the bytes that all workers send together, piece by piece."""
    pieces = [len(piece) for piece in torch.arange(parameters).tensor_split(workers)]
    steps = 2 * (workers - 1)
    return sum(4 * pieces[(worker - step) % workers] for step in range(steps) for worker in range(workers))


RING = Function(
    id="scaling.3",
    title="All bytes around the ring",
    level=2,
    kind="count",
    right=sent_by_all,
    cases=Cases(
        lambda draw, workers, parameters: (workers, parameters), workers=range(1, 9), parameters=range(1, 30)
    ),
    wrong=(
        Misconception(
            "first half only",
            lambda workers, parameters: 4 * (workers - 1) * parameters,
            "After so many bytes each piece is complete at one worker, but the others don't have it yet.",
        ),
        Misconception(
            "numbers instead of bytes",
            lambda workers, parameters: 2 * (workers - 1) * parameters,
            "These are numbers, not bytes. How large is a float32?",
        ),
        Misconception(
            "one worker only",
            lambda workers, parameters: 8 * (workers - 1) * parameters / workers,
            "This is what one worker sends. All of them together are asked for.",
        ),
        Misconception(
            "one step too many",
            lambda workers, parameters: 8 * workers * parameters,
            "A worker does not send to itself: how many steps does a piece need to come to all others?",
        ),
    ),
)


# ---- 4: images that nobody sees ------------------------------------------------------------


def rows_of(n: int, rank: int, world_size: int) -> Tensor:
    """Return the rows of one worker; the first ones get one more where they don't come out even."""
    return torch.arange(n).tensor_split(world_size)[rank]


LOST = Debug(
    id="scaling.4",
    title="Images that nobody sees",
    level=2,
    right=rows_of,
    given=lambda n, rank, world_size: torch.arange(rank * (n // world_size), (rank + 1) * (n // world_size)),
    cases=Cases(
        lambda draw, world_size, rank, more: (
            (world_size + more, rank, world_size) if rank < world_size else None
        ),
        world_size=range(2, 6),
        rank=range(5),
        more=range(7),
        small=30,
        large=30,
    ),
    wrong=(
        Misconception(
            "rest to the last",
            lambda n, rank, world_size: torch.arange(
                rank * (n // world_size), n if rank == world_size - 1 else (rank + 1) * (n // world_size)
            ),
            "All that is left over goes to the last worker, and the others wait for it. Spread it out.",
        ),
        Misconception(
            "rounded up",
            lambda n, rank, world_size: torch.arange(n)[
                rank * -(-n // world_size) : (rank + 1) * -(-n // world_size)
            ],
            "The shard is rounded up for everyone, so the last workers get too little, or nothing.",
        ),
        Misconception(
            "spread in between",
            lambda n, rank, world_size: torch.arange(n * rank // world_size, n * (rank + 1) // world_size),
            "Each image is there once, and shards differ by one at most. But the larger ones come first.",
        ),
        Misconception(
            "every n-th image",
            lambda n, rank, world_size: torch.arange(rank, n, world_size),
            "These are the right numbers of images. But a shard is a piece without gaps.",
        ),
        Misconception(
            "starts not moved",
            lambda n, rank, world_size: torch.arange(
                rank * (n // world_size), (rank + 1) * (n // world_size) + (rank < n % world_size)
            ),
            "The shards have the right sizes, but overlap: after a longer shard the next starts later.",
        ),
    ),
)


# ---- 5: the learning rate of a large batch ------------------------------------------------------------


def steps_of_a_warm_up(draw: RandomInputs, k: int, warmup: int, step: int) -> tuple[int, float, int, int]:
    """Make a step's number and the settings of a warm-up."""
    return step, 0.25 * int(draw(1, low=1, high=4)), k, warmup


WARM_UP = Function(
    id="scaling.5",
    title="Learning rate of a large batch",
    level=2,
    right=lambda step, rate, k, warmup: float(np.interp(step, [0, warmup], [rate, k * rate])),
    cases=Cases(steps_of_a_warm_up, k=(1, 2, 4, 8), warmup=(1, 2, 5, 10), step=range(13), small=40, large=40),
    wrong=(
        Misconception(
            "no warm-up",
            lambda step, rate, k, warmup: k * rate,
            "This is the rate of the large batch from the first step on. It should grow first.",
        ),
        Misconception(
            "not scaled",
            lambda step, rate, k, warmup: rate,
            "This is the rate of the small batch throughout.",
        ),
        Misconception(
            "begins at zero",
            lambda step, rate, k, warmup: min(step / warmup, 1) * k * rate,
            "It grows from 0. The first step should have the rate of the small batch.",
        ),
        Misconception(
            "grows without end",
            lambda step, rate, k, warmup: rate + (k - 1) * rate * step / warmup,
            "After the warm-up it goes on growing.",
        ),
        Misconception(
            "jumps at the end",
            lambda step, rate, k, warmup: rate if step < warmup else k * rate,
            "It jumps at the end of the warm-up. It should grow a little with every step.",
        ),
        Misconception(
            "one step ahead",
            lambda step, rate, k, warmup: rate * (1 + (k - 1) * min((step + 1) / warmup, 1)),
            "It is one step ahead: in step 0 the rate is still that of the small batch.",
        ),
        Misconception(
            "begins at zero, one step ahead",
            lambda step, rate, k, warmup: min((step + 1) / warmup, 1) * k * rate,
            "It grows from 0. In step 0 it should be the rate of the small batch.",
        ),
    ),
)


# ---- 6: exact resume ------------------------------------------------------------


def steps_of(
    w: Tensor,
    gradients: Tensor,
    stop: int,
    rate: float,
    momentum: float,
    *,
    keep: float = 1,
    again: int = 0,
    skip: int = 0,
) -> Tensor:
    """Take steps with momentum; at the break keep a fraction of the velocity, repeat or skip steps."""
    w, velocity = w.clone(), torch.zeros_like(w)
    order = [*range(stop), *range(max(stop - again, 0) + skip, len(gradients))]
    for number, row in enumerate(order):
        velocity = momentum * (keep if number == stop else 1) * velocity + gradients[row]
        w = w - rate * velocity
    return w


def undisturbed(w: Tensor, gradients: Tensor, stop: int, rate: float, momentum: float) -> Tensor:
    """Let PyTorch's optimizer take all steps without a break."""
    w = w.clone().requires_grad_()
    optimizer = torch.optim.SGD([w], rate, momentum)
    for row in gradients:
        w.grad = row.clone()
        optimizer.step()
    return w.detach()


RESUME = Debug(
    id="scaling.6",
    title="As if nothing had happened",
    level=2,
    right=undisturbed,
    given=lambda w, gradients, stop, rate, momentum: steps_of(w, gradients, stop, rate, momentum, keep=0),
    cases=Cases(
        lambda draw, n, d, stop, rate, momentum: (
            (draw(d), draw(n, d), stop, rate, momentum) if stop <= n else None
        ),
        n=range(1, 6),
        d=range(1, 4),
        stop=range(5),
        rate=(0.5, 0.25),
        momentum=(0.5, 0.75),
        small=25,
        large=15,
    ),
    wrong=(
        Misconception(
            "step taken twice",
            lambda w, gradients, stop, rate, momentum: steps_of(w, gradients, stop, rate, momentum, again=1),
            "The step before the break is taken again after it.",
        ),
        Misconception(
            "step left out",
            lambda w, gradients, stop, rate, momentum: steps_of(w, gradients, stop, rate, momentum, skip=1),
            "After the break one step is missing.",
        ),
        Misconception(
            "from the beginning",
            lambda w, gradients, stop, rate, momentum: steps_of(
                w, gradients, stop, rate, momentum, again=stop
            ),
            "After the break all steps are taken again from the first one.",
        ),
        Misconception(
            "velocity doubled",
            lambda w, gradients, stop, rate, momentum: steps_of(w, gradients, stop, rate, momentum, keep=2),
            "The velocity comes back, but is counted twice.",
        ),
        Misconception(
            "no momentum at all",
            lambda w, gradients, stop, rate, momentum: w - rate * gradients.sum(0),
            "Now it takes plain steps. Keep the momentum, and let it survive the break.",
        ),
    ),
)


# ---- 7: where adding workers stops paying ------------------------------------------------------------


def step_time(compute: int, transfer: int, latency: int, n: int) -> Fraction:
    """Return the exact time of a step of n workers."""
    return Fraction(compute + (n - 1) * transfer, n) + (n - 1) * latency


def fastest(compute: int, transfer: int, latency: int, most: int) -> int:
    """Search among all numbers of workers: by halves, since the time first falls and then grows."""
    low, high = 1, most
    while low < high:
        n = (low + high) // 2
        if step_time(compute, transfer, latency, n + 1) < step_time(compute, transfer, latency, n):
            low = n + 1
        else:
            high = n
    return low


def a_cost(
    draw: RandomInputs, compute: int, transfer: int, latency: int, most: int
) -> tuple[int, int, int, int] | None:
    """Make a cost for which one number of workers is clearly the fastest."""
    n = fastest(compute, transfer, latency, most)
    near = [step_time(compute, transfer, latency, one) for one in (n, n + 1, max(n - 1, 1))]
    clear = abs(near[1] - near[0]) > near[0] / 10**6 and (n == 1 or near[2] - near[0] > near[0] / 10**6)
    return (compute, transfer, latency, most) if clear else None


FASTEST = Function(
    id="scaling.7",
    title="Where adding workers stops paying",
    level=3,
    right=fastest,
    cases=Cases(
        a_cost,
        compute=(10, 100, 450, 1000, 5000),
        transfer=(0, 7, 30, 200),
        latency=(1, 3, 10),
        most=(1, 4, 16, 10**15, 64, 256),
        small=30,
        large=30,
    ),
    wrong=(
        Misconception(
            "always all",
            lambda compute, transfer, latency, most: most,
            "More workers are not always faster: each one adds messages.",
        ),
        Misconception(
            "transfer forgotten",
            lambda compute, transfer, latency, most: fastest(compute, 0, latency, most),
            "The transfer is left out. Alone, a worker has none.",
        ),
        Misconception(
            "latency forgotten",
            lambda compute, transfer, latency, most: fastest(compute, transfer, 0, most),
            "The latency is left out, and it grows with every worker.",
        ),
        Misconception(
            "more than there are",
            lambda compute, transfer, latency, most: fastest(compute, transfer, latency, 10 * most),
            "This is fastest, but there are not so many workers.",
        ),
        Misconception(
            "rounded down",
            lambda compute, transfer, latency, most: min(
                most, max(1, math.isqrt(max(compute - transfer, 0) // latency))
            ),
            "The formula rarely gives a whole number. Which of the two neighbours is faster?",
        ),
        Misconception(
            "counted from zero",
            lambda compute, transfer, latency, most: fastest(compute, transfer, latency, most) - 1,
            "This is a position in a list that begins at 0, and the number of workers begins at 1.",
        ),
    ),
)


EXERCISES = (WEIGHTED, OPTIMIZER, RING, LOST, WARM_UP, RESUME, FASTEST)
