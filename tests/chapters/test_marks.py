"""Cells whose results are compared within a tolerance: few, and each for a reason."""

from tests.chapters.chapters import each_chapter
from tests.chapters.compare import EXACT, tolerance_of

LABELS = "Matplotlib 3.10 gives labels other heights, which moves axes by about a pixel"
ROUNDING = "two digits are printed, and processors round in another order"
STALLED = "a training in 32 bits, which stalls: processors round in another order"
TIMES = "times"
TRAINED = "a training in 32 bits that learns: it magnifies what rounding does"

MARKED = {
    "building_blocks": {
        "cell-61a0bda0": TRAINED,
        "cell-a1ec2f32": TRAINED,
        "cell-49be6113": TRAINED,
        "cell-032ae734": TRAINED,
        "cell-0a89a488": TRAINED,
        "reuse-data": TRAINED,
        "cell-c648a457": TRAINED,
        "reuse-curves": TRAINED,
        "cell-212e846c": TRAINED,
    },
    "channels": {
        "cell-4f9e059c": TRAINED,
        "cell-3b6f2904": TRAINED,
        "cell-b845d5a2": TRAINED,
        "cell-71d86a7c": TRAINED,
        "cell-e4932ef0": TRAINED,
        "cell-dbbd5662": TRAINED,
        "cell-376b25c4": ROUNDING,
        "cell-5e80b139": TRAINED,
    },
    "data": {"cell-b312e014": TIMES},
    "depthwise_separable": {"two-networks": TRAINED, "cell-56b3efef": TIMES},
    "gallery": {"cell-64ca89c7": TRAINED, "cell-27c80169": TRAINED, "own-figure": TRAINED},
    "learning": {
        "loop": TRAINED,
        "loop-is-fit": TRAINED,
        "batch-noise-figure": TRAINED,
        "sweep": TRAINED,
        "sweep-figure": TRAINED,
        "dead": TRAINED,
        "overfit": TRAINED,
        "overfit-figure": TRAINED,
        "answers": TRAINED,
        "answers-figure": TRAINED,
        "curves-quiz": TRAINED,
        "baseline": TRAINED,
        "start-and-heart": TRAINED,
        "remedies": TRAINED,
        "remedies-figure": TRAINED,
        "batch-norm-modes-measured": f"{TRAINED}; scores of a network that is sure grow far apart",
        "exercise-7-solution": TRAINED,
    },
    "lenet": {
        "cell-c94126ed": STALLED,
        "cell-f2276fe7": STALLED,
        "tanh-in-64-bits": "the sixth decimal: without vector instructions, tanh rounds otherwise",
        "cell-d25ec503": ROUNDING,
        "cell-d5364d79": ROUNDING,
        "cell-e4b2fdf9": TRAINED,
        "ablation-none": TRAINED,
        "ablation": f"{TRAINED}; at a constant rate the last epoch's loss is a matter of luck",
        "ablation-all": TRAINED,
        "ablation-curves": TRAINED,
        "cell-27a0ab03": TRAINED,
        "clothes-train": TRAINED,
        "cell-92e490c9": TRAINED,
        "cell-953cc911": f"{TRAINED}; the table marks the wrong answers, and leaves out each 0",
        "by-class": TRAINED,
        "cell-6bff1f84": f"{TRAINED}; other images may be the hardest, and be taken for another class",
        "cell-d428178c": "an image whose votes are nearly even: processors round in another order",
        "test-clothes": f"{TRAINED}; the best of three varies most",
        "cell-8741d36f": TRAINED,
        "cell-5c6ad738": f"{TRAINED}; the height hangs on the numbers beside the colors",
        "kernel-sums": TRAINED,
        "cell-6adddae3": f"{TRAINED}; the height hangs on the numbers beside the colors",
        "cell-4c2dcb8d": TRAINED,
        "own-figure": TRAINED,
    },
    "one_by_one": {"cell-64ecca87": TRAINED, "cell-8d50f2ed": TRAINED},
    "scaling": {
        "cell-fd8c824e": TIMES,
        "half-error": "sixteen bits: processors round in another order",
        "cell-b64ee8e3": TIMES,
        "cell-4175ccde": TRAINED,
        "cell-55a5976e": TIMES,
        "cell-35a1ff35": "how many epochs are done when a run is killed",
        "cell-6f2290f7": TRAINED,
    },
    "vgg": {
        "stall-train": STALLED,
        "healthy-train": TRAINED,
        "healthy-curves": TRAINED,
        "digits-test": TRAINED,
        "modes": TRAINED,
        "clothes-curves": TRAINED,
        "clothes-test": TRAINED,
        "exercise-7-solution": TRAINED,
    },
}


@each_chapter
def test_marked_cells_are_listed_with_a_reason(chapter):
    marked = {cell.id for _, cell in chapter.code() if tolerance_of(cell) != EXACT}
    assert marked == set(MARKED.get(chapter.path.stem, {})), (
        f"{chapter.path.stem}: list in MARKED what is marked, and why"
    )
