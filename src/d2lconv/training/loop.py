"""The training loop: learn from the training data, judge by the validation data, epoch by epoch."""

from __future__ import annotations

import math
import os
import time

from torch import Tensor, nn
from tqdm import tqdm  # type: ignore[import-untyped]

from d2lconv._arguments import integer
from d2lconv.data import Splits
from d2lconv.training._devices import Device, gradient_scaler, place
from d2lconv.training._learning import Augment, Learner
from d2lconv.training._optimizers import OptimizerLike, choose_optimizer
from d2lconv.training._processes import take_part
from d2lconv.training._random import own_random_numbers
from d2lconv.training._resuming import find_checkpoint, settings_of
from d2lconv.training._schedules import Rates, require_schedule
from d2lconv.training.checkpoints import Checkpoint, save_checkpoint
from d2lconv.training.evaluation import check_images, evaluate_together, keep_modes
from d2lconv.training.history import Epoch, History

__all__ = ["fit"]


def fit(
    model: nn.Module,
    data: Splits,
    *,
    epochs: int,
    lr: float | None = None,
    optimizer: OptimizerLike | None = None,
    schedule: str = "constant",
    batch_size: int = 64,
    device: Device = None,
    seed: int = 0,
    augment: Augment | None = None,
    patience: int | None = None,
    restore_best: bool = False,
    checkpoint: str | os.PathLike[str] | None = None,
    amp: bool = False,
    progress: bool | None = None,
) -> History:
    """Train a model to tell the classes of images apart.

    Every epoch goes once over ``data.train`` in a new order, batch by batch: scores, cross-entropy,
    gradients, a step of the optimiser. Then it takes loss and accuracy on ``data.valid``. It never looks at
    ``data.test``.

    Parameters
    ----------
    model : torch.nn.Module
        From images (N, C, H, W) to one score for each class, (N, classes), before the softmax. It is changed
        in place, and stays on the device on which it was trained.
    data : Splits
        Training and validation data. They are moved to the device as a whole.
    epochs : int
        How many there shall be in the end, with those of a checkpoint counted.
    lr : float, optional
        Learning rate of stochastic gradient descent with momentum 0.9. Give this or `optimizer`.
    optimizer : torch.optim.Optimizer or callable, optional
        Of the model's parameters, or a function that makes it of them:
        ``lambda parameters: torch.optim.Adam(parameters, lr=1e-3)``.
    schedule : {"constant", "linear", "cosine"}
        How the learning rate changes, step by step: not at all, or down to 0 at the end of the last epoch,
        along a line or half a cosine wave.
    batch_size : int
        Images in one step, over all processes. The last batch of an epoch may be smaller.
    device : torch.device or str, optional
        Where to train. By default on an accelerator, such as a GPU, if there is one, else on the CPU.
    seed : int
        The order of the images, `augment` and dropout depend on this number and the epoch's alone. The
        model's first weights are the caller's: call ``torch.manual_seed`` before building it.
    augment : callable, optional
        Changes each training batch: ``augment(images, generator=generator)``, for example
        ``functools.partial(d2lconv.data.random_shifts, most=2)``. It must draw all its random numbers
        from `generator`, a CPU generator.
    patience : int, optional
        Stop once the validation loss has not been smaller than its best for so many epochs.
    restore_best : bool
        Whether the model ends with the weights of the epoch with the smallest validation loss. Otherwise it
        ends with those of the last epoch.
    checkpoint : str or path-like, optional
        A file that holds the state after each epoch. If it exists, training goes on from there: a run that
        was killed ends with the same weights as one that was not. Its folder must exist.
    amp : bool
        Whether layers compute in 16 bits where that is safe. Faster on GPUs, less exact.
    progress : bool, optional
        Whether to draw a progress bar on stderr. By default only if that is a terminal.

    Returns
    -------
    History
        Loss and accuracy after each epoch.

    Raises
    ------
    TypeError
        If an argument has the wrong type.
    ValueError
        If an argument is out of range, a set has no image, the optimiser is another model's, or the
        checkpoint is damaged or of a run with other settings.
    OSError
        If the checkpoint cannot be written, or another process has died.
    FloatingPointError
        If the loss is no longer a finite number; it names the epoch and the step. The weights are lost then.

    Notes
    -----
    PyTorch's global random numbers go on after the call as if it had not been, and afterwards every layer is
    in the mode, training or evaluation, that it had. Resuming is exact to the last bit on the same CPU with
    the same number of threads; some GPU kernels differ in the last bits from run to run.

    Started by ``torchrun``, every process calls ``fit`` with the same arguments; all begin with the first
    one's weights. Each learns from its own share of every batch, and all end with the same weights, those of
    one process up to rounding. (Rounding grows in a long training, most where the loss falls steeply, so the
    numbers of two such runs may differ visibly in the end, as they do between two kinds of CPU.) Only two
    things differ from one process: each process draws its own random numbers for `augment` and dropout, and
    batch normalisation sees a share, not the whole batch. Only the first process writes checkpoints and draws
    the bar. They stay joined until the program ends.

    On CPUs and NVIDIA's GPUs the weights of convolutions are laid out with the channels last, which is
    faster. Shapes and values stay the same, but ``weight.view(...)`` may have to be ``weight.reshape(...)``.

    Introduced in: *LeNet*; checkpoints, mixed precision and processes in *Scaling*.

    Examples
    --------
    >>> from d2lconv.data import load_digits
    >>> _ = torch.manual_seed(0)
    >>> model = torch.nn.Sequential(torch.nn.Flatten(), torch.nn.Linear(28 * 28, 10))
    >>> data = load_digits()
    >>> history = fit(model, data, epochs=3, lr=0.03)
    >>> len(history), history.best.valid_accuracy >= 0.9
    (3, True)
    """
    epochs, batch_size = integer("epochs", epochs, 1), integer("batch_size", batch_size, 1)
    seed, schedule = integer("seed", seed, 0), require_schedule(schedule)
    patience = epochs if patience is None else integer("patience", patience, 1)
    check_images("data.train", data.train)
    check_images("data.valid", data.valid)
    with keep_modes(model), take_part(device) as processes, own_random_numbers(processes.device):
        place(model, processes.device)
        chosen = choose_optimizer(model, lr, optimizer)
        rates = Rates.of(chosen, schedule, epochs)
        scaler = gradient_scaler(processes.device, amp)
        learner = Learner(
            processes.joined(model),
            chosen,
            scaler,
            processes,
            batch_size,
            seed,
            augment,
            amp,
            rates,
        )
        history, best = History(), dict[str, Tensor]()
        settings = {} if checkpoint is None else settings_of(model, learner, data)
        if checkpoint is not None:
            saved = processes.from_first(lambda: find_checkpoint(checkpoint, settings, epochs))
            if saved is not None:
                model.load_state_dict(saved.last)
                chosen.load_state_dict(saved.optimizer)
                scaler.load_state_dict(saved.scaler)
                history, best = saved.history, saved.best
        train, valid = data.train.to(processes.device), data.valid.to(processes.device)
        steps = math.ceil(len(train) / batch_size)
        shown = progress if processes.is_first else False
        with tqdm(
            total=epochs * steps,
            initial=len(history) * steps,
            unit=" steps",
            disable=None if shown is None else not shown,  # None: not unless stderr is a terminal
        ) as bar:
            while len(history) < epochs and len(history) - history.best_epoch < patience:
                began = time.perf_counter()
                number = len(history) + 1
                loss, accuracy = learner.learn(train, number, bar)
                processes.share_buffers(model)
                result = evaluate_together(model, valid, processes, amp=amp)
                if not math.isfinite(result.loss):
                    raise FloatingPointError(
                        f"the validation loss is {result.loss} after epoch {number}: the weights have grown "
                        "out of bounds; try a smaller learning rate"
                    )
                seconds = time.perf_counter() - began
                history.epochs.append(Epoch(loss, accuracy, result.loss, result.accuracy, seconds))
                if (restore_best or checkpoint is not None) and history.best_epoch == number:
                    best = {name: tensor.clone() for name, tensor in model.state_dict().items()}
                if checkpoint is not None and processes.is_first:
                    states = model.state_dict(), best, chosen.state_dict(), scaler.state_dict()
                    save_checkpoint(checkpoint, Checkpoint(*states, history, settings))
        rates.reset(chosen)
        if restore_best:
            model.load_state_dict(best)
    return history
