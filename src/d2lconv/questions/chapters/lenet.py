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
        "LeNet's encoder has two convolutions, its head three fully connected layers. Which of the two holds most "
        "of the parameters, and which does most of the multiply-adds (MACs)?",
        largest_and_busiest,
        "A fully connected layer has a weight for each pair of numbers; a convolution's few weights are used at every position.",
        {
            "the encoder; the encoder": "Its two layers have 156 and 2,416 parameters: few, but used at every position.",
            "the head; the head": "Each weight of the head is used once for an image, each of the encoder a hundred times or more.",
            "the encoder; the head": "The other way round: sharing weights saves parameters, not work.",
        },
        tests="where parameters are, and where the work is",
    ),
    Choice(
        "lenet.sigmoid",
        "LeNet with sigmoids trains from PyTorch's own initial weights. There are ten classes, equally frequent. "
        "What accuracy does it reach in 10 epochs?",
        "0.10",
        "It gives the same answer to every image: it has stalled.",
        {
            "0.98": "The modern version gets near that. With sigmoids and these initial weights almost no gradient arrives.",
            "0.80": "That is what a linear classifier might do. This network does not even leave its start.",
            "0.50": "A network that stalls learns nothing, not half.",
        },
        tests="gradients that vanish in sigmoids",
    ),
    Choice(
        "lenet.weights",
        "Four LeNets train for four epochs each: with sigmoid, with tanh, with ReLU and maximum, and with sigmoid "
        "and initial weights that make up for its slope. Which of them learn?",
        "all but the first",
        "It was the initial weights that did not suit the sigmoid, not the sigmoid itself.",
        {
            "ReLU only": "The slope of tanh at 0 is 1, so its gradients do not vanish either.",
            "tanh and ReLU": "With initial weights that make up for its slope of 1/4, a network with sigmoids learns as well.",
            "all four": "The first is the one that stalled: nothing about it has changed.",
        },
        tests="initial weights that suit an activation",
    ),
    Choice(
        "lenet.remedy",
        "Shifted images, weight decay, or a schedule for the learning rate: if you may have only one of the "
        "three, which one helps LeNet most?",
        "schedule",
        "Smaller and smaller steps settle in a minimum around which larger ones keep jumping.",
        {
            "shifts": "They make training harder, which pays only if the training is long, or its last steps are small.",
            "decay": "It keeps weights small, but the last steps still jump about.",
            "all the same": "The spread of three seeds is smaller than the difference between one of them and the others.",
        },
        tests="changing one thing at a time",
    ),
    Choice(
        "lenet.test",
        "LeNet with 61,706 weights and 6,000 training images, or a support vector machine that keeps thousands of "
        "them: which is better on 2,000 new images?",
        "neither",
        "They differ by a few thousandths, less than the standard error of 0.008.",
        {
            "the network": "Not on 6,000 training images: a lead of so few of 2,000 images may be chance.",
            "the machine": "It is not behind, but a lead of so few images is no evidence either.",
        },
        tests="differences smaller than their standard error",
    ),
)
