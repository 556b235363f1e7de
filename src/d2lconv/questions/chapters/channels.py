"""Questions in the chapter *Channels*."""

from torch import nn

from d2lconv.questions.kinds import Choice, Value


def weights_and_biases() -> tuple[int, int]:
    """Count those of the layer in the text."""
    layer = nn.Conv2d(2, 3, kernel_size=2)
    assert layer.bias is not None
    return layer.weight.numel(), layer.bias.numel()


QUESTIONS = (
    Choice(
        "channels.reshape",
        "`stored` is a photograph of shape (600, 512, 3). `stored.reshape(3, 600, 512)` has the same shape as "
        "`stored.permute(2, 0, 1)`. Does it show the same picture?",
        "no, a scrambled one",
        "`reshape` keeps the numbers in their stored order, so red, green and blue of a pixel become neighbours.",
        {
            "yes, the shapes agree": "A shape says how many numbers each axis has, not which number goes where.",
            "yes, but with red and blue swapped": "That takes two channels exchanged. Here pixels and colours are mixed.",
            "yes, but lying on its side": "`permute` could turn it. `reshape` moves no axis; it cuts at other positions.",
        },
        tests="the difference between reshape and permute",
    ),
    Choice(
        "channels.grey",
        "Three kernels for colour pictures find vertical edges, horizontal edges, and red minus blue. In a grey "
        "picture all three channels are equal. Which of the three kernels gives zeros only?",
        "red − blue",
        "Its slices add up to zero, so three equal channels cancel.",
        {
            "vertical": "A grey picture has vertical edges, too, and its three equal slices add up their responses.",
            "horizontal": "A grey picture has horizontal edges, too, and its three equal slices add up their responses.",
            "none of them": "Look for slices that cancel each other where the channels are equal.",
        },
        tests="a kernel adds up over the channels",
    ),
    Value(
        "channels.weights",
        "How many weights does `nn.Conv2d(2, 3, kernel_size=2)` have, and how many biases?",
        weights_and_biases,
        "three kernels, each with two slices of 2×2 numbers and one bias.",
        {
            "12 3": "A kernel has a slice for each input channel, so each of the three holds 2·2·2 numbers.",
            "8 1": "That is one kernel. The layer has one for each output channel.",
            "24 2": "There is a bias for each output channel, not for each input channel.",
            "24 6": "The bias is added after the sum over the input channels: one for each output channel.",
            "27 3": "You counted the biases among the weights.",
            "12 2": "`kernel_size=2` means 2×2. And there is a bias for each output channel.",
        },
        ("weights", "biases"),
        tests="the shape of a layer's weight, and its bias",
    ),
    Choice(
        "channels.digits",
        "For a channel, take the 50 images of digits with the strongest response. How many of the 50 will show "
        "the most frequent digit, on average, in the layers of edges, parts and wholes?",
        "about 20, about 20, 50",
        "Several digits share an edge or a part; only a channel of the last layer was trained for a single digit.",
        {
            "9, 9, 9": "So it would be at random. An edge is more frequent in some digits than in others.",
            "about 10, about 30, 50": "A part, such as a loop, belongs to several digits, too: hardly fewer than an edge.",
            "50, 50, 50": "A slanted stroke occurs in a 1, a 4 and a 7, so such a channel responds to all of them.",
        },
        tests="what channels of early and late layers stand for",
    ),
    Choice(
        "channels.vgg",
        "From layer 2 to layer 4 of VGG, height and width are halved, and the channels in and out are doubled. "
        "How do the MACs change, and how do the weights?",
        "MACs the same, weights times 4",
        "A quarter of the positions, and twice as many channels in and out: ¼ · 2 · 2 = 1.",
        {
            "MACs a quarter, weights times 4": "The quarter is right for the positions. At each, four times the weights work.",
            "MACs half, weights times 2": "Channels count twice, in and out: a kernel gets deeper, and there are more kernels.",
            "MACs times 4, weights times 4": "Four times the weights, but each is used at a quarter of the positions.",
        },
        tests="what MACs and weights depend on",
    ),
)
