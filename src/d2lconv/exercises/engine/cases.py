"""Cases that an answer is tried on: from small to large, then random ones, and how a failing one shrinks."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

import torch
from torch import Tensor

__all__ = ["Case", "Cases", "RandomInputs"]

_STEPS = 250  # most calls that shrinking one case may take
_TRIES = 2000  # most random settings looked at


class RandomInputs:
    """Draws the numbers of a case: halves from -4 to 9, or whole ones between bounds; the same in each run.

    Parameters
    ----------
    seed : int
        Which numbers.

    Examples
    --------
    >>> draw = RandomInputs(0)
    >>> draw(2, 3).shape, draw(4, low=0, high=1).dtype
    (torch.Size([2, 3]), torch.float32)
    """

    def __init__(self, seed: int) -> None:
        self._generator = torch.Generator().manual_seed(seed)

    def __call__(self, *shape: int, low: int | None = None, high: int = 9) -> Tensor:
        """Return halves from -4 to 9, or whole numbers from `low` to `high`."""
        if low is None:
            return torch.randint(-8, 2 * high + 1, shape, generator=self._generator).float() / 2
        return torch.randint(low, high + 1, shape, generator=self._generator).float()


Make = Callable[..., tuple[object, ...] | None]


@dataclass(frozen=True)
class Case:
    """One call.

    Attributes
    ----------
    positions : tuple of int
        Which value each setting has, counted from 0.
    arguments : tuple
        What the function is called with.
    """

    positions: tuple[int, ...]
    arguments: tuple[object, ...]


class Cases:
    """Cases made from a few settings, each with its values from the simplest to the largest.

    First come the combinations of the simplest values, then random ones; always the same.

    A failing case shrinks in simple steps, as long as it still fails in the same way: first each setting
    takes a simpler value, with new numbers; then numbers become 0, or else 1, all at once or one at a time.

    Parameters
    ----------
    make : callable
        ``make(draw, **settings)`` gives the tuple of arguments, or None where the settings do not go
        together. Tensors come from `draw`.
    small, large : int
        How many of the simplest combinations, and how many random ones.
    **settings : sequence
        The values of each setting, from the simplest to the largest.

    Examples
    --------
    >>> def window(draw, n, k):
    ...     return (draw(n), k) if k <= n else None
    >>> cases = Cases(window, small=3, large=2, n=range(1, 9), k=range(1, 4))
    >>> [(len(X), k) for X, k in (case.arguments for case in cases)][:3]
    [(1, 1), (2, 1), (2, 2)]
    """

    def __init__(self, make: Make, *, small: int = 20, large: int = 20, **settings: Sequence[object]) -> None:
        self._make, self._small, self._large = make, small, large
        self._names = list(settings)
        self._values = [list(values) for values in settings.values()]

    def __iter__(self) -> Iterator[Case]:
        seen: set[tuple[int, ...]] = set()
        for case in islice(self._simplest(), self._small):
            seen.add(case.positions)
            yield case
        chance = random.Random(0)
        found = 0
        for _ in range(_TRIES):
            positions = tuple(chance.randrange(len(values)) for values in self._values)
            if found == self._large:
                break
            if positions in seen:
                continue
            seen.add(positions)
            case_or_none = self._case(positions)
            if case_or_none is not None:
                found += 1
                yield case_or_none

    def shrink(self, case: Case, fails: Callable[[Case], bool]) -> Case:
        """Return a case that is as simple as small steps can make it while it still fails.

        Parameters
        ----------
        case : Case
            One that fails.
        fails : callable
            Whether another fails in the same way.

        Returns
        -------
        Case
            The simplest that was found.
        """
        left = _STEPS
        for simpler in (self._with_simpler_settings, _with_simpler_numbers):
            found: Case | None = case
            while found is not None:
                case, found = found, None
                for candidate in islice(simpler(case), max(left, 0)):
                    left -= 1
                    if fails(candidate):
                        found = candidate
                        break
        return case

    def _simplest(self) -> Iterator[Case]:
        largest = sum(len(values) - 1 for values in self._values)
        for total in range(largest + 1):
            for positions in _adding_up_to(total, [len(values) for values in self._values]):
                case = self._case(positions)
                if case is not None:
                    yield case

    def _case(self, positions: tuple[int, ...]) -> Case | None:
        seed = sum(position * 31**axis for axis, position in enumerate(positions)) % 2**31
        settings = {
            name: values[position]
            for name, values, position in zip(self._names, self._values, positions, strict=True)
        }
        arguments = self._make(RandomInputs(seed), **settings)
        return None if arguments is None else Case(positions, arguments)

    def _with_simpler_settings(self, case: Case) -> Iterator[Case]:
        for axis, position in enumerate(case.positions):
            for lower in range(position):
                simpler = self._case((*case.positions[:axis], lower, *case.positions[axis + 1 :]))
                if simpler is not None:
                    yield simpler


def _with_simpler_numbers(case: Case) -> Iterator[Case]:
    for index, argument in enumerate(case.arguments):
        if isinstance(argument, Tensor) and argument.is_floating_point():
            for simpler in _simpler(argument):
                yield Case(case.positions, (*case.arguments[:index], simpler, *case.arguments[index + 1 :]))


def _simpler(tensor: Tensor) -> Iterator[Tensor]:
    if tensor.count_nonzero() > 0:
        yield torch.zeros_like(tensor)
    for wanted in (0.0, 1.0):
        for position in range(tensor.numel()):
            now = float(tensor.flatten()[position])
            if now not in (0.0, wanted):
                changed = tensor.clone()
                changed.view(-1)[position] = wanted
                yield changed


def _adding_up_to(total: int, lengths: list[int]) -> Iterator[tuple[int, ...]]:
    """Yield the positions, one below each length, that add up to a total."""
    if not lengths:
        if total == 0:
            yield ()
        return
    for first in range(min(total, lengths[0] - 1) + 1):
        for rest in _adding_up_to(total - first, lengths[1:]):
            yield (first, *rest)
