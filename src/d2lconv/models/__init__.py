"""Networks and their building blocks, as PyTorch modules."""

from d2lconv.models.blocks import DepthwiseSeparableConv2d, nin_block
from d2lconv.models.lenet import LeNet
from d2lconv.models.vgg import VGG, vgg_block

__all__ = ["VGG", "DepthwiseSeparableConv2d", "LeNet", "nin_block", "vgg_block"]
