"""What a training loop costs beside the arithmetic that no loop can do without.

Four ways through one epoch of the digits with the same LeNet on one thread: the limit, which is forward and
backward pass and optimizer on batches that lie ready, once with the channels first in memory, as PyTorch
begins, and once with the channels last, as ``fit`` trains; ``fit``; and the loop of textbooks: a
``DataLoader`` over single images with a transform each, and a look at the loss in each step. None of them
draws a bar, and validation is one image. Run with ``make bench``. Machines differ: read the ratios, not the
times.
"""

import pytest
import torch
from torch.nn import functional as F
from torch.utils.data import DataLoader, Dataset

from d2lconv.data import ImageData, batches, load_digits
from d2lconv.models import LeNet
from d2lconv.training import fit

BATCH_SIZES = (32, 128)
LR = 0.02


def model():
    torch.manual_seed(0)
    return LeNet()


class SingleImages(Dataset):
    """Images as their files hold them, each turned into numbers from 0 to 1 when it is asked for."""

    def __init__(self, data):
        self.pixels, self.labels = (data.images * 255).to(torch.uint8), data.labels

    def __len__(self):
        return len(self.labels)

    def __getitem__(self, index):
        return self.pixels[index].float().div(255), self.labels[index]


def limit(batch_size, memory_format):
    ready = list(batches(load_digits().train, batch_size, generator=torch.Generator().manual_seed(0)))
    network = model().to(memory_format=memory_format)
    optimizer = torch.optim.SGD(network.parameters(), lr=LR, momentum=0.9)

    def epoch():
        for images, labels in ready:
            optimizer.zero_grad()
            F.cross_entropy(network(images), labels).backward()
            optimizer.step()

    return epoch


def limit_channels_first(batch_size):
    return limit(batch_size, torch.contiguous_format)


def limit_channels_last(batch_size):
    return limit(batch_size, torch.channels_last)


def ours(batch_size):
    data = load_digits()
    one = ImageData(data.valid.images[:1], data.valid.labels[:1], data.valid.class_names)
    data, network = data._replace(valid=one), model()
    return lambda: fit(network, data, epochs=1, lr=LR, batch_size=batch_size)


def textbook(batch_size):
    loader = DataLoader(SingleImages(load_digits().train), batch_size, shuffle=True)
    network = model()
    optimizer = torch.optim.SGD(network.parameters(), lr=LR, momentum=0.9)

    def epoch():
        loss_sum, correct = 0.0, 0
        for images, labels in loader:
            optimizer.zero_grad()
            scores = network(images)
            loss = F.cross_entropy(scores, labels)
            loss.backward()
            optimizer.step()
            loss_sum += loss.item() * len(labels)
            correct += (scores.argmax(1) == labels).sum().item()
        return loss_sum, correct

    return epoch


@pytest.mark.parametrize("who", [limit_channels_first, limit_channels_last, ours, textbook])
@pytest.mark.parametrize("batch_size", BATCH_SIZES)
def test_one_epoch(benchmark, batch_size, who):
    benchmark.group = f"an epoch of LeNet, 1,197 images in batches of {batch_size}"
    benchmark.pedantic(who(batch_size), rounds=15, warmup_rounds=2)
