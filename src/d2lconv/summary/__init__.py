"""A model layer by layer: output shape, parameters, multiply-adds, receptive field.

One example goes through a copy of the model on PyTorch's *meta* device, where tensors have a shape but no
numbers. So nothing is computed or stored, however large the model, and the model itself is left alone.

Every PyTorch function, whether a layer calls it or a ``forward`` does, ends in a few basic operators. Each
of them is watched while the example runs:

- **Multiply-adds (MACs).** An output of a convolution or matrix product is a sum of products, and each is one
  MAC; the bias is not counted. Pooling, activations, normalisation and additions count 0. An operator's MACs
  belong to the innermost layer that runs it; those that a model's own ``forward`` runs, with ``F.conv2d``
  or ``@``, stand in a row ``(functional)``.
- **Receptive fields.** For each tensor computed from the input, the window of the input that its numbers
  depend on is recorded. A convolution widens it, a stride makes it move faster, an addition or concatenation
  takes the smallest window around those of its operands. So fields follow the data, not the order of the
  layers. The field after an operator without a rule is unknown (None), not guessed.
"""

from d2lconv.summary.table import Row, Summary
from d2lconv.summary.tracing import summarize

__all__ = ["Row", "Summary", "summarize"]
