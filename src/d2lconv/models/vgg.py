"""VGG: one block of small convolutions and a pooling, repeated."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from torch import Tensor, nn

from d2lconv._arguments import integer
from d2lconv.models._checks import choose, fraction, require_images

__all__ = ["CONFIGURATIONS", "VGG", "vgg_block"]

CONFIGURATIONS = {
    "A": ((1, 64), (1, 128), (2, 256), (2, 512), (2, 512)),
    "B": ((2, 64), (2, 128), (2, 256), (2, 512), (2, 512)),
    "D": ((2, 64), (2, 128), (3, 256), (3, 512), (3, 512)),
    "E": ((2, 64), (2, 128), (4, 256), (4, 512), (4, 512)),
}
"""The paper's networks: for each block its number of convolutions and their channels."""


def vgg_block(
    num_convs: int, in_channels: int, out_channels: int, *, batch_norm: bool = False
) -> nn.Sequential:
    """Return 3×3 convolutions with a ReLU after each, then a 2×2 max pooling that halves height and width.

    Parameters
    ----------
    num_convs : int
        Number of convolutions. At least 1.
    in_channels : int
        Channels of the input. At least 1.
    out_channels : int
        Channels of the output of each convolution. At least 1.
    batch_norm : bool
        Whether batch normalisation stands between each convolution and its ReLU.

    Returns
    -------
    torch.nn.Sequential
        From (N, in_channels, H, W) to (N, out_channels, ⌊H/2⌋, ⌊W/2⌋).

    Raises
    ------
    TypeError
        If a number is not an integer, or `batch_norm` is not a bool.
    ValueError
        If a number is less than 1.

    Notes
    -----
    Source: Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition*
    (2015), section 2.1. Batch normalisation is younger: Ioffe and Szegedy, *Batch normalization* (2015).
    Introduced in: *VGG*.

    Examples
    --------
    >>> block = vgg_block(2, 3, 64)
    >>> block(torch.zeros(1, 3, 224, 224)).shape
    torch.Size([1, 64, 112, 112])
    """
    repeats = integer("num_convs", num_convs, 1)
    channels_in = integer("in_channels", in_channels, 1)
    channels_out = integer("out_channels", out_channels, 1)
    layers: list[nn.Module] = []
    normalised = _boolean("batch_norm", batch_norm)
    for _ in range(repeats):
        layers.append(nn.Conv2d(channels_in, channels_out, kernel_size=3, padding=1))
        if normalised:
            layers.append(nn.BatchNorm2d(channels_out))
        layers.append(nn.ReLU())
        channels_in = channels_out
    return nn.Sequential(*layers, nn.MaxPool2d(kernel_size=2))


class VGG(nn.Module):
    """Blocks of 3×3 convolutions, the encoder, then three fully connected layers, the head.

    Parameters
    ----------
    configuration : {"A", "B", "D", "E"} or sequence of (int, int)
        A network of the paper (VGG-11, 13, 16, 19), or for each block its number of convolutions and their
        channels.
    in_channels : int
        Channels of the images. At least 1.
    num_classes : int
        Number of classes. At least 1.
    image_size : int
        Height and width of the images. Each block halves it; at least one pixel must be left.
    hidden : int
        Width of the two hidden layers of the head. At least 1.
    dropout : float
        The fraction of each hidden layer's outputs that is set to 0 at random in training, from 0 to 1.
    batch_norm : bool
        Whether batch normalisation follows each convolution, as in the networks known as VGG-11-BN to
        VGG-19-BN. The paper had none.

    Attributes
    ----------
    encoder : torch.nn.Sequential
        One `vgg_block` for each entry of the configuration.
    head : torch.nn.Sequential
        From feature maps to scores (N, num_classes), before the softmax.

    Raises
    ------
    TypeError
        If a number or `batch_norm` has the wrong type, or `configuration` is not made of pairs.
    ValueError
        If a number is out of range, `configuration` is none of the letters above or empty, or the images are
        too small for so many blocks.

    Notes
    -----
    Source: Simonyan and Zisserman, *Very deep convolutional networks for large-scale image recognition*
    (2015), table 1. The paper trained on 224×224 crops of larger pictures, and began the deeper networks from
    the weights of the shallower.

    Here weights are initialised as in He et al., *Delving deep into rectifiers* (2015), section 2.2: at
    random with variance 2 / fan-in, biases at 0. With PyTorch's own, smaller initial weights the scores
    of a network as deep as this hardly depend on the image, and hardly any gradient reaches its first layers.

    Introduced in: *VGG*.

    Examples
    --------
    >>> with torch.device("meta"):  # shapes without memory
    ...     model = VGG("A")
    >>> sum(parameter.numel() for parameter in model.parameters())
    132863336
    >>> narrow = VGG([(1, 8), (2, 16)], in_channels=1, num_classes=10, image_size=32, hidden=64)
    >>> narrow.encoder(torch.zeros(1, 1, 32, 32)).shape
    torch.Size([1, 16, 8, 8])
    """

    def __init__(
        self,
        configuration: str | Sequence[tuple[int, int]] = "A",
        in_channels: int = 3,
        num_classes: int = 1000,
        *,
        image_size: int = 224,
        hidden: int = 4096,
        dropout: float = 0.5,
        batch_norm: bool = False,
    ) -> None:
        super().__init__()
        blocks = _blocks(configuration)
        channels = integer("in_channels", in_channels, 1)
        classes = integer("num_classes", num_classes, 1)
        width = integer("hidden", hidden, 1)
        rate = fraction("dropout", dropout)
        self.in_channels, self.image_size = channels, integer("image_size", image_size, 1)
        left = self.image_size >> len(blocks)
        if left == 0:
            least = f"2**{len(blocks)} = {2 ** len(blocks)}"
            raise ValueError(
                f"image_size must be at least {least}, since each block halves it, got {self.image_size}"
            )
        self.encoder = nn.Sequential()
        for repeats, channels_out in blocks:
            self.encoder.append(vgg_block(repeats, channels, channels_out, batch_norm=batch_norm))
            channels = channels_out
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(channels * left * left, width),
            nn.ReLU(),
            nn.Dropout(rate),
            nn.Linear(width, width),
            nn.ReLU(),
            nn.Dropout(rate),
            nn.Linear(width, classes),
        )
        for layer in self.modules():
            if isinstance(layer, (nn.Conv2d, nn.Linear)):
                nn.init.kaiming_normal_(layer.weight, nonlinearity="relu")
                nn.init.zeros_(cast(Tensor, layer.bias))

    def forward(self, X: Tensor) -> Tensor:
        """Score images.

        Parameters
        ----------
        X : Tensor
            Shape (N, in_channels, image_size, image_size).

        Returns
        -------
        Tensor
            Shape (N, num_classes), before the softmax.

        Raises
        ------
        ValueError
            If `X` has another shape.
        """
        require_images(X, self.in_channels, self.image_size)
        scores: Tensor = self.head(self.encoder(X))
        return scores


def _boolean(name: str, value: object) -> bool:
    """Return True or False; raise TypeError for anything else."""
    if not isinstance(value, bool):
        raise TypeError(f"{name} must be True or False, got {value!r}")
    return value


def _blocks(configuration: object) -> list[tuple[int, int]]:
    """Return each block's number of convolutions and their channels."""
    given = (
        choose("configuration", configuration, CONFIGURATIONS)
        if isinstance(configuration, str)
        else configuration
    )
    if not isinstance(given, Sequence):
        raise TypeError(
            f"configuration must be one of {', '.join(map(repr, CONFIGURATIONS))} or a sequence of pairs "
            f"(num_convs, out_channels), got {given!r}"
        )
    if not given:
        raise ValueError("configuration must hold at least one block, got none")
    return [_block(f"configuration[{i}]", block) for i, block in enumerate(given)]


def _block(name: str, pair: object) -> tuple[int, int]:
    """Return one block's number of convolutions and their channels."""
    if not isinstance(pair, Sequence) or isinstance(pair, str) or len(pair) != 2:
        raise TypeError(f"{name} must be a pair (num_convs, out_channels), got {pair!r}")
    return integer(f"{name}[0]", pair[0], 1), integer(f"{name}[1]", pair[1], 1)
