"""The rule by which images are held out of training."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def evenly_spaced(labels: NDArray[np.uint8], classes: int, number: int) -> NDArray[np.intp]:
    """Return ``number`` row numbers of each class, at equal distances among the rows of that class.

    The result has shape ``(classes, number)``, each row ascending. Sources list images in the order in which
    they were collected, so rows at equal distances come from every part of the collection.
    """
    places = np.arange(number)
    rows = (np.flatnonzero(labels == label) for label in range(classes))
    return np.stack([of_class[places * len(of_class) // number] for of_class in rows])
