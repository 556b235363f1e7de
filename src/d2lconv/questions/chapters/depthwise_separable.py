"""Questions in the chapter *Depthwise separable convolution*."""

from torch import nn

from d2lconv.models import DepthwiseSeparableConv2d
from d2lconv.questions.kinds import Choice, Value
from d2lconv.summary import summarize


def saving() -> float:
    """Return how many times fewer MACs the separable layer of the text needs."""
    layers = nn.Conv2d(32, 128, 3, padding=1), DepthwiseSeparableConv2d(32, 128, 3, padding=1)
    more, less = (summarize(layer, (32, 28, 28)).total_macs for layer in layers)
    return round(more / less, 2)


QUESTIONS = (
    Choice(
        "depthwise_separable.groups",
        "We change input channel 0 of a layer with 4 input channels, 6 output channels and 2 groups. Which output "
        "channels change?",
        "0, 1 and 2",
        "Channel 0 belongs to the first group, which makes the first half of the six output channels.",
        {
            "all six": "So it is without groups. With two, an output channel sees only the inputs of its own group.",
            "0 only": "So it is with a group for each channel. Here a group has two inputs and three outputs.",
            "0 and 1": "Two is the number of *inputs* in the group. Six outputs in two groups make three.",
            "0, 2 and 4": "Groups are blocks, not every second channel.",
        },
        tests="which channels a group connects",
    ),
    Choice(
        "depthwise_separable.stars",
        "A pointwise step makes two outputs of a flag's colours: output 0, a mean of red, green and blue, and "
        "output 1, red minus blue. In which of the two do the white stars nearly disappear?",
        "in output 1, red minus blue",
        "At the border of a white star, red and blue change by about the same amount, and the two changes cancel.",
        {
            "in output 0, the mean": "At the border of a white star all three channels change, and a mean adds the changes up.",
            "in both": "A mean of three equal changes is that change: it does not cancel.",
            "in neither": "White is red, green and blue in equal parts. Which mixture subtracts equal parts?",
        },
        tests="what the pointwise step of a separable layer does",
    ),
    Value(
        "depthwise_separable.saving",
        "A 3×3 layer from 32 to 128 channels becomes a separable one. So how many times fewer MACs does it need?",
        saving,
        "36,864 weights against 4,384; with h·w as a factor of both, the MACs have the same ratio.",
        {
            "9": "Nearly: that is *k*². The pointwise layer costs a little extra, so a bit less is saved.",
            "128": "That leaves out the pointwise layer, which has most of the weights.",
            "8.2": "You counted parameters. The biases do not count as MACs.",
        },
        asked="a number such as 3.5, to one or two digits after the point",
        tests="the cost of a separable layer",
    ),
    Choice(
        "depthwise_separable.time",
        "An early layer of MobileNet goes from 32 to 64 channels, here on maps of 56×56. The separable layer does 7.9 times "
        "fewer MACs than a full one. Is it about 8 times as fast, more than that, or less?",
        "less",
        "Numbers must also be loaded and stored, and the depthwise step does little with each number that it loads.",
        {
            "about 8 times": "So it would be if time were arithmetic alone. Each number must also come from memory.",
            "more than 8 times": "There are two layers now, and the maps between them are written and read once more.",
            "not faster at all": "It is faster, on most machines. But MACs are not the only thing that takes time.",
        },
        tests="fewer MACs are not as much less time",
    ),
)
