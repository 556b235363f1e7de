"""LeNet: the network that read handwritten digits on cheques."""

from __future__ import annotations

from torch import Tensor, nn

from d2lconv._arguments import integer
from d2lconv.models._checks import choose, require_images

__all__ = ["LeNet"]

SIZE = 28
ACTIVATIONS = {"relu": nn.ReLU, "sigmoid": nn.Sigmoid, "tanh": nn.Tanh}
POOLINGS = {"max": nn.MaxPool2d, "avg": nn.AvgPool2d}


class LeNet(nn.Module):
    """Two convolutions with pooling, the encoder, then three fully connected layers, the head.

    Parameters
    ----------
    in_channels : int
        Channels of the images: 1 for grey, 3 for colour. At least 1.
    num_classes : int
        Number of classes. At least 1.
    activation : {"relu", "sigmoid", "tanh"}
        The nonlinearity after each convolution, and after each fully connected layer but the last.
    pooling : {"max", "avg"}
        Whether the maximum or the average of each 2×2 window is kept.

    Attributes
    ----------
    encoder : torch.nn.Sequential
        From images (N, in_channels, 28, 28) to feature maps (N, 16, 5, 5).
    head : torch.nn.Sequential
        From feature maps to scores (N, num_classes), before the softmax.

    Raises
    ------
    TypeError
        If a number is not an integer.
    ValueError
        If a number is less than 1, or `activation` or `pooling` is none of the words above.

    Notes
    -----
    Source: LeCun, Bottou, Bengio and Haffner, *Gradient-based learning applied to document recognition*
    (1998), section II.B, in the form that is taught today. The network of 1998 had 32×32 inputs, a scaled
    tanh, pooling with two learned numbers for each channel, a second convolution in which most channels saw
    only some of the six before them, and an output layer that measured distances to drawn patterns.
    Introduced in: *LeNet*.

    Examples
    --------
    >>> model = LeNet()
    >>> model(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 10])
    >>> model.encoder(torch.zeros(2, 1, 28, 28)).shape
    torch.Size([2, 16, 5, 5])
    >>> sum(parameter.numel() for parameter in model.parameters())
    61706
    """

    def __init__(
        self, in_channels: int = 1, num_classes: int = 10, *, activation: str = "relu", pooling: str = "max"
    ) -> None:
        super().__init__()
        self.in_channels = integer("in_channels", in_channels, 1)
        classes = integer("num_classes", num_classes, 1)
        nonlinearity = choose("activation", activation, ACTIVATIONS)
        pool = choose("pooling", pooling, POOLINGS)
        self.encoder = nn.Sequential(
            nn.Conv2d(self.in_channels, 6, kernel_size=5, padding=2),
            nonlinearity(),
            pool(kernel_size=2),
            nn.Conv2d(6, 16, kernel_size=5),
            nonlinearity(),
            pool(kernel_size=2),
        )
        self.head = nn.Sequential(
            nn.Flatten(),
            nn.Linear(16 * 5 * 5, 120),
            nonlinearity(),
            nn.Linear(120, 84),
            nonlinearity(),
            nn.Linear(84, classes),
        )

    def forward(self, X: Tensor) -> Tensor:
        """Score images.

        Parameters
        ----------
        X : Tensor
            Shape (N, in_channels, 28, 28).

        Returns
        -------
        Tensor
            Shape (N, num_classes), before the softmax.

        Raises
        ------
        ValueError
            If `X` has another shape.
        """
        require_images(X, self.in_channels, SIZE)
        scores: Tensor = self.head(self.encoder(X))
        return scores
