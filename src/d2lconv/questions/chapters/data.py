"""Questions in the chapter *Image data*."""

from d2lconv.questions.kinds import Choice, Value

QUESTIONS = (
    Choice(
        "data.nearest",
        "How many of 300 new handwritten digits does the nearest neighbour get right, and what fraction of 1,000 "
        "new images of clothes?",
        "about 295, and 0.80",
        "Digits are nearly solved before any network sees them. Shirts, coats and pullovers differ less than a 3 and a 4.",
        {
            "about 30, and 0.10": "That is a guess. Images of the same class do look alike, pixel by pixel.",
            "about 200, and 0.95": "Clothes are the harder ones: a shirt and a coat share most of their pixels.",
            "all 300, and all": "Some digits are written so that their nearest neighbour is another digit.",
        },
        tests="a baseline without training",
    ),
    Value(
        "data.batch",
        "Four times as many images in a batch cost four times the work. By which factor does the error of the gradient fall?",
        lambda: 4**0.5,
        "the error of a mean of *n* random examples falls like 1 / √*n*.",
        {
            "4": "The errors of single images partly cancel, but only partly: the error falls like 1 / √*n*.",
            "16": "More work gains less and less: the error falls like 1 / √*n*.",
            "1": "A mean over more images is less noisy.",
            "0.5": "The error becomes half as large: it falls by a factor of 2.",
        },
        tests="the noise of a batch's gradient",
    ),
    Choice(
        "data.winner",
        "Each of 1,000 methods guesses, and gets 0.10 right on average. What does the best of the 1,000 reach on "
        "300 validation images, and what does this winner reach on the test images?",
        "0.17, and 0.10",
        "The best of many is lucky on the images that chose it. On new ones it is an average guesser.",
        {
            "0.10, and 0.10": "With 1,000 guessers, some are well above the mean by luck alone.",
            "0.17, and 0.17": "It was chosen for its luck on the validation images. Luck does not carry over.",
            "0.50, and 0.10": "On 300 images a guesser seldom strays far: the standard deviation is about 0.017.",
        },
        tests="why a test set is kept apart from validation",
    ),
    Choice(
        "data.reshape",
        "A photograph of shape (600, 512, 3) should get the shape (3, 600, 512). What does the image look like "
        "after `reshape(3, 600, 512)`? And what has gone wrong if the skin is blue?",
        "a scramble; red and blue are swapped",
        "`reshape` cuts the same sequence of numbers at other positions. OpenCV returns blue first.",
        {
            "the same picture; red and blue are swapped": "`reshape` does not move axes: pixels and colours get mixed.",
            "a scramble; the numbers go to 255": "Too large numbers make an image white. Blue skin has its colours in another order.",
            "the picture on its side; two axes are swapped": "Swapped axes turn a picture, but skin keeps its colour.",
        },
        tests="orders of axes and of colours",
    ),
    Choice(
        "data.range",
        "On images of clothes from 0 to 1, the nearest neighbour had an accuracy of 0.800. What accuracy is left "
        "if the new images go from 0 to 255, or were divided by 255 twice?",
        "0.309, and 0.100",
        "Times 255, only bright images are near. Divided twice, the darkest training image is nearest to all.",
        {
            "0.800, both times": "Distances compare numbers, not shapes: another range is another image.",
            "0.100, and 0.800": "Nearly black images are all nearest to the darkest training image.",
            "an error, both times": "Nothing raises an error: every array of numbers has distances.",
        },
        tests="the range of pixels in training and in use",
    ),
)
