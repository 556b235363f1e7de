"""Images and the class of each, and the three sets that they are divided into."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

import torch
from torch import Tensor

__all__ = ["ImageData", "Splits"]


@dataclass(frozen=True, eq=False, repr=False)
class ImageData:
    """Images and the class of each.

    Parameters
    ----------
    images : Tensor
        Floating-point images, shape ``(N, C, H, W)``.
    labels : Tensor
        The class of each image as an index into `class_names`, int64, shape ``(N,)``.
    class_names : tuple of str
        What the classes are called.

    Raises
    ------
    TypeError
        If the images are not floating-point or the labels are not int64.
    ValueError
        If the shapes are not those above, or there are not as many labels as images.

    Examples
    --------
    >>> import torch
    >>> from d2lconv.data import ImageData
    >>> data = ImageData(torch.zeros(2, 3, 4, 5), torch.tensor([0, 1]), ("cat", "dog"))
    >>> data
    ImageData(images=(2, 3, 4, 5) float32, labels=(2,) int64, classes=2)
    >>> len(data)
    2
    >>> data.class_names[data.labels[1]]
    'dog'
    """

    images: Tensor
    labels: Tensor
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        if not self.images.is_floating_point():
            raise TypeError(f"images must be floating-point, got {self.images.dtype}")
        if self.labels.dtype != torch.int64:
            raise TypeError(f"labels must be torch.int64, got {self.labels.dtype}")
        if self.images.ndim != 4:
            raise ValueError(f"images must have shape (N, C, H, W), got {tuple(self.images.shape)}")
        if self.labels.shape != self.images.shape[:1]:
            raise ValueError(
                f"labels must have shape ({len(self.images)},), one for each image of "
                f"{tuple(self.images.shape)}, got {tuple(self.labels.shape)}"
            )

    def __len__(self) -> int:
        return len(self.labels)

    def __repr__(self) -> str:
        images, labels = (
            f"{tuple(tensor.shape)} {str(tensor.dtype).removeprefix('torch.')}"
            for tensor in (self.images, self.labels)
        )
        device = "" if self.images.device.type == "cpu" else f", device='{self.images.device}'"
        return f"ImageData(images={images}, labels={labels}, classes={len(self.class_names)}{device})"

    def to(self, device: torch.device | str) -> ImageData:
        """Return the same data on another device.

        Parameters
        ----------
        device : torch.device or str
            Where the tensors should be, for example ``"cuda"``.

        Returns
        -------
        ImageData
            Shares its tensors with this one where they are on `device` already.
        """
        return ImageData(self.images.to(device), self.labels.to(device), self.class_names)


class Splits(NamedTuple):
    """Data to train with, to choose settings with, and to judge the result with.

    Parameters
    ----------
    train, valid, test : ImageData
        Three sets that have no image in common.
    """

    train: ImageData
    valid: ImageData
    test: ImageData

    def __repr__(self) -> str:
        return "Splits(\n" + "".join(f"  {name}={part},\n" for name, part in self._asdict().items()) + ")"
