"""Questions in the chapter *How a network learns*."""

import math

from d2lconv.questions.kinds import Choice, Value

QUESTIONS = (
    Value(
        "learning.new-network",
        "A new network has not learned anything yet, and gives all ten digits nearly the same score. What is its loss?",
        lambda: round(math.log(10), 2),
        "each class gets the probability 1/10, and −log 1/10 = log 10 ≈ 2.303.",
        {
            "0.1": "That is the probability of the true class. The loss is minus its logarithm.",
            "1": "That would be −log₁₀ 1/10. The loss takes the natural logarithm.",
            "0.9": "That is the fraction of wrong guesses. The loss is −log of the true class's probability.",
            "0": "A loss of 0 means that the true class has probability 1.",
            "3.32": "That is the logarithm to base 2. The loss takes the natural one.",
            "10": "That is the number of classes. The loss is its logarithm.",
        },
        asked="a number with two digits after the point",
        tests="cross-entropy of equal scores",
    ),
    Choice(
        "learning.full",
        "Each number of a gradient *G* lays down a copy of the kernel *K*, multiplied by it, and the copies add "
        "up. Written as one operation on *G* and *K*, this must turn a 2×2 and a 2×2 matrix into a 3×3 one. Which "
        "padding of *G* does that, VALID, SAME or FULL?",
        "FULL",
        "With a border of one cell the 2×2 kernel has 2 + 2·1 − 2 + 1 = 3 positions along each axis.",
        {
            "VALID": "Without padding a 2×2 kernel has one position on a 2×2 matrix.",
            "SAME": "SAME keeps the size: 2×2. Here it grows.",
        },
        tests="the gradient of a convolution's input",
    ),
    Choice(
        "learning.rates",
        "Six trainings on digits differ in the learning rate alone. Which of 0.0005, 0.005, 0.02, 0.05, 0.1 and "
        "0.4 end above an accuracy of 0.9, and what do the others do?",
        "0.02 and 0.05; smaller ones are slow, larger ones jump",
        "Too small a rate hardly moves; too large a rate steps over the valley, and 0.4 ends at a guess.",
        {
            "the three largest; the others are slow": "Larger steps are faster only as long as the loss still falls with each.",
            "the three smallest; the others jump": "Small steps are safe, but eight epochs of them do not get far.",
            "all six, some sooner": "After eight epochs one of them is still at 0.22, and another at 0.10.",
        },
        tests="learning rates that are too small and too large",
    ),
    Choice(
        "learning.long-run",
        "A network gets 100 training images and 80 epochs. What do the training loss and the validation loss do "
        "in the long run?",
        "the first falls to 0, the second falls and then rises",
        "The network learns its 100 images by heart, and grows more certain of its mistakes on others.",
        {
            "both fall to 0": "On 100 images it can learn everything that is in them, noise too. New images have other noise.",
            "both fall and level off together": "So it is with enough images. A hundred can be learned by heart.",
            "both fall and then rise": "The training loss is what each step lowers; it goes on falling.",
        },
        tests="overfitting in a learning curve",
    ),
    Choice(
        "learning.four-curves",
        "Which of the four is overfitting, which one has too small and which one too large a learning rate, and which one is healthy?",
        "B overfits, D too small, A too large, C healthy",
        "A jumps and ends at log 10; B's curves part; C's fall together; D's never leave log 10.",
        {
            "C overfits, D too small, A too large, B healthy": "In B the validation loss turns upwards while training goes on to 0.",
            "B overfits, A too small, D too large, C healthy": "Too large a rate jumps at the start. Too small a rate makes a flat line.",
            "A overfits, D too small, B too large, C healthy": "Overfitting shows in two curves that part, not in jumps of both.",
        },
        tests="reading learning curves",
        alone=False,
    ),
)
