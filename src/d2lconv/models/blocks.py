"""Blocks that take the place of a convolutional layer: NiN's, and depthwise separable convolution."""

from __future__ import annotations

from torch import Tensor, nn

from d2lconv._arguments import IntOrPair, integer, padding_per_axis, per_axis

__all__ = ["DepthwiseSeparableConv2d", "nin_block"]


def nin_block(
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair,
    stride: IntOrPair = 1,
    padding: IntOrPair | str = 0,
) -> nn.Sequential:
    """Return a convolution and two 1×1 convolutions, a ReLU after each: one block of a network in network.

    The 1×1 convolutions are a small fully connected network applied to the channels of every pixel.

    Parameters
    ----------
    in_channels : int
        Channels of the input.
    out_channels : int
        Channels of the output and of the layers in between.
    kernel_size : int or (int, int)
        Size of the first convolution's kernel. At least 1.
    stride : int or (int, int)
        Of the first convolution. At least 1.
    padding : int, (int, int) or str
        Of the first convolution, as in ``torch.nn.Conv2d``.

    Returns
    -------
    torch.nn.Sequential
        From (N, in_channels, H, W) to (N, out_channels, H_out, W_out); sizes by
        `d2lconv.shapes.conv_output_size`.

    Raises
    ------
    TypeError
        If a setting is not an integer.
    ValueError
        If a setting is out of range.

    Notes
    -----
    Source: Lin, Chen and Yan, *Network in network* (2014), section 3. Introduced in: *1×1 convolution*.

    Examples
    --------
    >>> block = nin_block(1, 96, kernel_size=11, stride=4)
    >>> block(torch.ones(1, 1, 224, 224)).shape
    torch.Size([1, 96, 54, 54])
    """
    first = _convolution(in_channels, out_channels, kernel_size, stride, padding)
    return nn.Sequential(
        first,
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1),
        nn.ReLU(),
        nn.Conv2d(out_channels, out_channels, kernel_size=1),
        nn.ReLU(),
    )


class DepthwiseSeparableConv2d(nn.Module):
    """A convolution of each channel by itself, then a 1×1 convolution that mixes the channels.

    Only the second has a bias. One after the first would add nothing new: mixed by the second, it is one more
    number for each output channel.

    Parameters
    ----------
    in_channels : int
        Channels of the input, C_in.
    out_channels : int
        Channels of the output, C_out.
    kernel_size : int or (int, int)
        Size of the depthwise kernels. At least 1.
    stride, padding, dilation
        Of the depthwise convolution, as in ``torch.nn.Conv2d``.
    multiplier : int
        Depthwise kernels for each input channel. At least 1.
    bias : bool
        Whether to add a bias to each output channel.

    Attributes
    ----------
    depthwise : torch.nn.Conv2d
        With ``groups=in_channels``; weight of shape (C_in · multiplier, 1, k_h, k_w).
    pointwise : torch.nn.Conv2d
        Weight of shape (C_out, C_in · multiplier, 1, 1), bias of shape (C_out,).

    Raises
    ------
    TypeError
        If a setting is not an integer.
    ValueError
        If a setting is out of range.

    See Also
    --------
    d2lconv.ops.depthwise_separable_conv2d : The same as a function of the input and the two weights.

    Notes
    -----
    MobileNet puts batch normalisation and ReLU after each of the two convolutions; here they are left out,
    for comparison with one ``torch.nn.Conv2d``. Source: Howard et al., *MobileNets* (2017), section 3.1.
    Introduced in: *Depthwise separable convolution*.

    Examples
    --------
    >>> layer = DepthwiseSeparableConv2d(32, 128, kernel_size=3)
    >>> layer(torch.ones(1, 32, 8, 8)).shape
    torch.Size([1, 128, 6, 6])
    >>> sum(p.numel() for p in layer.parameters())  # 32 · 3 · 3 + 128 · 32 + 128
    4512
    """

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: IntOrPair,
        stride: IntOrPair = 1,
        padding: IntOrPair | str = 0,
        dilation: IntOrPair = 1,
        multiplier: int = 1,
        bias: bool = True,
    ) -> None:
        super().__init__()
        channels = integer("in_channels", in_channels, 1) * integer("multiplier", multiplier, 1)
        self.depthwise = _convolution(
            in_channels, channels, kernel_size, stride, padding, dilation, groups=in_channels, bias=False
        )
        self.pointwise = nn.Conv2d(channels, integer("out_channels", out_channels, 1), 1, bias=bias)

    def forward(self, X: Tensor) -> Tensor:
        """Convolve each channel, then mix them.

        Parameters
        ----------
        X : Tensor
            Shape (N, C_in, H, W), or (C_in, H, W).

        Returns
        -------
        Tensor
            Shape (N, C_out, H_out, W_out), without N for one image.
        """
        mixed: Tensor = self.pointwise(self.depthwise(X))
        return mixed


def _convolution(
    in_channels: int,
    out_channels: int,
    kernel_size: IntOrPair,
    stride: IntOrPair,
    padding: IntOrPair | str,
    dilation: IntOrPair = 1,
    groups: int = 1,
    bias: bool = True,
) -> nn.Conv2d:
    """Return a convolutional layer; raise unless its settings are valid."""
    kernel = per_axis("kernel_size", kernel_size, 2, 1)
    steps, distance = per_axis("stride", stride, 2, 1), per_axis("dilation", dilation, 2, 1)
    if isinstance(padding, str):
        if padding not in ("valid", "same"):
            raise ValueError(f"padding must be 'valid' or 'same', or made of integers, got {padding!r}")
        padding_per_axis(padding, kernel, steps, distance)  # refuses a strided "same"
    else:
        padding = per_axis("padding", padding, 2, 0)
    return nn.Conv2d(
        integer("in_channels", in_channels, 1),
        integer("out_channels", out_channels, 1),
        (kernel[0], kernel[1]),
        (steps[0], steps[1]),
        padding if isinstance(padding, str) else (padding[0], padding[1]),
        (distance[0], distance[1]),
        groups,
        bias,
    )
