"""What a model costs and sees, layer by layer: output shape, parameters, multiply-adds, receptive field.

One example goes through a copy of the model on PyTorch's *meta* device, where tensors have a shape but no
numbers. So nothing is computed or stored, however large the model, and the model itself is left alone.

Every PyTorch function, whether a layer calls it or a ``forward`` does, ends in a few basic operators, and
while the example runs we look at each of them:

- **Multiply-adds (MACs).** An output of a convolution or matrix product is a sum of products, and each is one
  MAC; the bias is not counted. Pooling, activations, normalisation and additions count 0. An operator's MACs
  go to the innermost layer that runs it; those that a ``forward`` of other layers runs itself, with
  ``F.conv2d`` or ``@``, stand in a row ``(functional)``.
- **Receptive fields.** Beside each tensor computed from the input we note which window of the input its
  numbers depend on. A convolution widens it, a stride makes it move faster, an addition or concatenation
  takes the smallest window around those of its operands. So fields follow the data, not the order of the
  layers. What is seen through an operator that has no rule here is unknown (None), not guessed.
"""

from d2lconv.summary.table import Row, Summary
from d2lconv.summary.tracing import summarize

__all__ = ["Row", "Summary", "summarize"]
