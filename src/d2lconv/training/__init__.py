"""Training: one readable loop, on one process or many, that can be stopped and goes on exactly.

`fit` learns from the training data and judges by the validation data; `evaluate` and `predict` use what it
has learned. ``python -m d2lconv.training --help`` does the same from the command line.
"""

from d2lconv.training.checkpoints import Checkpoint, load_checkpoint, save_checkpoint
from d2lconv.training.evaluation import Evaluation, evaluate, predict
from d2lconv.training.history import Epoch, History
from d2lconv.training.loop import fit

__all__ = [
    "Checkpoint",
    "Epoch",
    "Evaluation",
    "History",
    "evaluate",
    "fit",
    "load_checkpoint",
    "predict",
    "save_checkpoint",
]
