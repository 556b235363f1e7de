"""Training: one readable loop, in one process or many, that can be interrupted and resumed exactly.

`fit` learns from the training data and evaluates on the validation data; `evaluate` and `predict` use the
trained model. ``python -m d2lconv.training --help`` does the same from the command line.
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
