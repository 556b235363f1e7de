"""Questions in the chapter *LeNet*."""

from d2lconv.models import LeNet
from d2lconv.questions.kinds import Choice
from d2lconv.summary import summarize


def largest_and_busiest() -> str:
    """Return which part of LeNet has most of the parameters, and which most of the MACs."""
    rows = summarize(LeNet(activation="sigmoid", pooling="avg"), (1, 28, 28)).rows
    costs = [(row.name.startswith("head"), row.params, row.macs) for row in rows]
    shares = [
        sum(in_head * cost[n] for in_head, *cost in costs) / sum(cost[n] for _, *cost in costs)
        for n in (0, 1)
    ]
    return "; ".join(f"the {'head' if share > 0.5 else 'encoder'}" for share in shares)


QUESTIONS = (
    Choice(
        "lenet.parts",
        "The encoder has two convolutions, the head three fully connected layers. Which of the two holds most of the parameters, and which does most of the multiply-adds (MACs)?",
        largest_and_busiest,
        "A fully connected layer has a weight for each pair of numbers; a convolution's few weights are used at every position.",
        {
            "the encoder; the encoder": "Its two layers have 156 and 2,416 parameters: few, but used at every position.",
            "the head; the head": "Each weight of the head is used once for an image, each of the encoder a hundred times or more.",
            "the encoder; the head": "The other way round: sharing weights saves parameters, not work.",
        },
    ),
    Choice(
        "lenet.sigmoid",
        "There are ten classes, equally frequent. What accuracy does the network reach in 10 epochs?",
        "0.10",
        "It gives the same answer to every image: it has stalled.",
        {
            "0.98": "The modern version gets near that. With sigmoids and these initial weights almost no gradient arrives.",
            "0.80": "That is what a linear classifier might do. This network does not even leave its start.",
            "0.50": "A network that stalls learns nothing, not half.",
        },
    ),
    Choice(
        "lenet.weights",
        "Four networks train for four epochs each: sigmoid, tanh, ReLU with maximum, and sigmoid with these new initial weights. Which of them learn?",
        "all but the first",
        "It was the initial weights that did not suit the sigmoid, not the sigmoid itself.",
        {
            "ReLU only": "The slope of tanh at 0 is 1, so its gradients do not vanish either.",
            "tanh and ReLU": "With initial weights that make up for its slope of 1/4, a network with sigmoids learns as well.",
            "all four": "The first is the one that stalled: nothing about it has changed.",
        },
    ),
    Choice(
        "lenet.remedy",
        "If you may have only one of the three, shifts, decay or schedule, which one helps most?",
        "schedule",
        "Smaller and smaller steps settle in a minimum around which larger ones keep jumping.",
        {
            "shifts": "They make training harder, which pays only if the training is long, or its last steps are small.",
            "decay": "It keeps weights small, but the last steps still jump about.",
            "all the same": "The spread of three seeds is smaller than the difference between one of them and the others.",
        },
    ),
    Choice(
        "lenet.test",
        "A network of 61,706 weights, or a machine that keeps thousands of the training images: which is better on 2,000 new images?",
        "neither",
        "They differ by a few thousandths, less than the standard error of 0.008.",
        {
            "the network": "Not on 6,000 training images: a lead of so few of 2,000 images may be chance.",
            "the machine": "It is not behind, but a lead of so few images is no evidence either.",
        },
    ),
)
