"""The history of a training: loss and accuracy after each epoch, as a table and as curves."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["Epoch", "History"]

HEADS = ("Epoch", "Train loss", "Train accuracy", "Valid loss", "Valid accuracy")
QUANTITIES = ("loss", "accuracy")


@dataclass(frozen=True)
class Epoch:
    """Metrics of one epoch.

    Attributes
    ----------
    train_loss : float
        Cross-entropy in nats, the mean over the training images, each taken when its batch was used.
    train_accuracy : float
        The fraction of those classified correctly, from 0 to 1.
    valid_loss, valid_accuracy : float
        The same for the validation images, after the epoch.
    seconds : float
        Duration of the epoch. It is ignored when two epochs are compared.

    Examples
    --------
    >>> Epoch(0.5, 0.8, 0.25, 0.9)
    Epoch(train_loss=0.5, train_accuracy=0.8, valid_loss=0.25, valid_accuracy=0.9)
    """

    train_loss: float
    train_accuracy: float
    valid_loss: float
    valid_accuracy: float
    seconds: float = field(default=0.0, compare=False, repr=False)


class History:
    """The epochs of a training, in order. Prints as a table.

    Parameters
    ----------
    epochs : iterable of Epoch
        The epochs so far.

    Attributes
    ----------
    epochs : list of Epoch
        Epoch 1 is ``epochs[0]``.

    Examples
    --------
    >>> history = History([Epoch(1.5, 0.5, 0.75, 0.75), Epoch(0.5, 0.8, 0.25, 0.9)])
    >>> history.epochs.append(Epoch(0.3, 0.9, 0.3, 0.9))
    >>> history
    Epoch  Train loss  Train accuracy  Valid loss  Valid accuracy
    ─────────────────────────────────────────────────────────────
        1       1.500           0.500       0.750           0.750
        2       0.500           0.800       0.250           0.900
        3       0.300           0.900       0.300           0.900
    >>> history.best_epoch, history.best.valid_accuracy
    (2, 0.9)
    >>> len(history), history[-1].train_loss
    (3, 0.3)
    >>> [epoch.train_loss for epoch in history]
    [1.5, 0.5, 0.3]
    """

    def __init__(self, epochs: Iterable[Epoch] = ()) -> None:
        self.epochs = list(epochs)

    @property
    def best_epoch(self) -> int:
        """The number, from 1, of the first epoch with the smallest validation loss. 0 if none."""
        losses = [epoch.valid_loss for epoch in self.epochs]
        return losses.index(min(losses)) + 1 if losses else 0

    @property
    def best(self) -> Epoch:
        """The epoch with the smallest validation loss.

        Raises
        ------
        ValueError
            If there are no epochs.
        """
        if not self.epochs:
            raise ValueError("the history has no epochs yet, so none is the best")
        return self.epochs[self.best_epoch - 1]

    def plot(self, quantity: str = "loss", ax: Axes | None = None) -> Axes:
        """Draw the loss or the accuracy of training and validation, epoch by epoch.

        Parameters
        ----------
        quantity : {"loss", "accuracy"}
            What to draw.
        ax : matplotlib.axes.Axes, optional
            Where to draw; a new figure if not given.

        Returns
        -------
        matplotlib.axes.Axes
            The axes, with a curve for training and one for validation.

        Raises
        ------
        ValueError
            If `quantity` is another word, or there are no epochs.
        """
        if quantity not in QUANTITIES:
            raise ValueError(f"quantity must be one of {', '.join(map(repr, QUANTITIES))}, got {quantity!r}")
        from d2lconv.plotting import draw_curves  # training itself needs no Matplotlib

        names = ("train", "valid")
        curves = {name: [getattr(epoch, f"{name}_{quantity}") for epoch in self.epochs] for name in names}
        label = "cross-entropy / nats" if quantity == "loss" else "accuracy"
        return draw_curves(curves, ylabel=label, ax=ax)

    def __len__(self) -> int:
        return len(self.epochs)

    def __iter__(self) -> Iterator[Epoch]:
        return iter(self.epochs)

    def __getitem__(self, index: int) -> Epoch:
        return self.epochs[index]

    def __eq__(self, other: object) -> bool:
        return isinstance(other, History) and self.epochs == other.epochs

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        head = "  ".join(HEADS)
        lines = ["  ".join(map(str.rjust, cells, map(len, HEADS))) for cells in self._cells()]
        return "\n".join([head, "─" * len(head), *lines])

    def _repr_html_(self) -> str:
        right = ' style="text-align: right"'
        head = "".join(f'<th scope="col"{right}>{name}</th>' for name in HEADS)
        rows = "".join(
            f'<tr><th scope="row"{right}>{number}</th>'
            + "".join(f"<td{right}>{cell}</td>" for cell in cells)
            + "</tr>\n"
            for number, *cells in self._cells()
        )
        return f"<table>\n<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}</tbody>\n</table>"

    def _cells(self) -> Iterator[tuple[str, ...]]:
        for number, epoch in enumerate(self.epochs, start=1):
            values = (epoch.train_loss, epoch.train_accuracy, epoch.valid_loss, epoch.valid_accuracy)
            yield str(number), *(f"{value:.3f}" for value in values)
