"""Questions in the chapter *From one core to many*."""

from d2lconv.questions.kinds import Choice

QUESTIONS = (
    Choice(
        "scaling.mean",
        "Worker 0 has 20 images of a batch, worker 1 has 12, and each takes its mean gradient. Is the plain mean "
        "of the two gradients still the gradient of the batch?",
        "no, worker 1's images count too much",
        "Each of its 12 images gets 1/24 of the sum, each of the 20 of worker 0 only 1/40.",
        {
            "yes, as with equal shards": "With equal shards each gradient has the weight 1/2 by right. Here they are 20/32 and 12/32.",
            "no, worker 0's images count too much": "Worker 0 has more images, which share the same half.",
            "no, it is half as large": "A mean of two means has the right size. Only the weights are wrong.",
        },
        tests="means over unequal shards",
    ),
    Choice(
        "scaling.threads",
        "LeNet on 256 digits: are two threads twice as fast as one?",
        "faster, but not twice",
        "Small layers are cut into parts that hardly pay for being handed out.",
        {
            "twice as fast": "Handing out the parts takes time, and some steps have nothing to hand out.",
            "as fast as one": "The larger layers do gain: their parts take longer than handing them out.",
            "more than twice": "Two threads do not do more than twice the work of one.",
        },
        tests="why two threads are not twice as fast",
    ),
    Choice(
        "scaling.two-processes",
        "Two processes train a network on halves of each batch, one process trains it on whole batches. Do the "
        "two trainings end with the same weights: exactly, nearly, or not at all?",
        "nearly",
        "The gradients are the same sums, but added in another order, and each addition is rounded.",
        {
            "exactly": "The sums have the same terms, but another order, and computers round after each addition.",
            "not at all": "Batches, initial weights and steps are the same; only the last bits differ.",
        },
        tests="the order of a sum, and rounding",
    ),
    Choice(
        "scaling.resumed",
        "A training stops and is resumed from its checkpoint. Does the resumed run end with the weights of the "
        "undisturbed one: exactly, nearly, or not at all?",
        "exactly",
        "The file holds weights, the optimizer's state and the epoch, and each epoch's random numbers depend on its number.",
        {
            "nearly": "The same operations in the same order round in the same way. Here nothing differs.",
            "not at all": "The other random weights at the start are overwritten by those of the file.",
        },
        tests="what a checkpoint must hold",
    ),
)
