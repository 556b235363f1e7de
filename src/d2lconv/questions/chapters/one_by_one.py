"""Questions in the chapter *1×1 convolution*."""

from torch import nn

from d2lconv.questions.kinds import Choice
from d2lconv.summary import summarize


def nearest_factor() -> int:
    """Return which of the options is nearest to how many times fewer MACs the bottleneck has."""
    bottleneck = nn.Sequential(nn.Conv2d(256, 64, 1), nn.Conv2d(64, 64, 3, padding=1), nn.Conv2d(64, 256, 1))
    direct = nn.Conv2d(256, 256, kernel_size=3, padding=1)
    full, less = (summarize(net, (256, 14, 14)).total_macs for net in (direct, bottleneck))
    return min((2, 4, 8, 16), key=lambda factor: abs(factor - full / less))


QUESTIONS = (
    Choice(
        "one_by_one.back",
        "A 1×1 convolution has turned the photograph into these three channels, another one into the grey "
        "channel. Can a second 1×1 convolution bring back the photograph from the three? And from the grey one?",
        "from three: yes; from grey: no",
        "The 3×3 matrix has an inverse. From three channels to one there is none: many colours have the same grey.",
        {
            "yes, both times": "Two colours with the same grey value cannot be told apart afterwards.",
            "no, neither": "The mixing of three channels into three loses nothing if its matrix has an inverse.",
            "from three: no; from grey: yes": "It is the grey channel that has lost something: two numbers of three.",
        },
        tests="a 1×1 convolution is a matrix, which may have an inverse",
        alone=False,
    ),
    Choice(
        "one_by_one.shuffled",
        "Shuffle all pixels of a photograph, convolve, and put the pixels back in order. What is left of the "
        "picture with a 1×1 kernel, and what with a 3×3 one?",
        "1×1: all of it; 3×3: noise",
        "A 1×1 kernel sees one pixel at a time. The 3×3 kernel met neighbours that chance had put there.",
        {
            "all of it, both times": "The order comes back, but the 3×3 kernel had mixed each pixel with strangers.",
            "noise, both times": "A 1×1 kernel computes each output from one pixel, whatever stands beside it.",
            "1×1: noise; 3×3: all of it": "Which of the two looks at neighbours? That one is disturbed by new ones.",
        },
        tests="a 1×1 kernel sees no neighbours",
    ),
    Choice(
        "one_by_one.bottleneck",
        "A bottleneck takes the place of a 3×3 convolution from 256 to 256 channels. By what factor does the "
        "number of MACs fall if it has 64 channels? Closest to 2, 4, 8 or 16?",
        nearest_factor,
        "The 3×3 layer becomes 16 times cheaper, but the two 1×1 layers cost almost as much again.",
        {
            "4": "A quarter of the channels, but both in and out: the 3×3 layer alone becomes 16 times cheaper.",
            "16": "That is the 3×3 layer alone. The two 1×1 layers have 256·64 weights each.",
            "2": "Count the weights: 9·256·256 in the direct layer, 9·64·64 + 2·256·64 in the bottleneck.",
        },
        tests="what a bottleneck saves, and what its 1×1 layers cost",
    ),
)
