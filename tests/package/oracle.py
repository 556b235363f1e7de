"""Compare an operator with PyTorch's own: the same result, or the same refusal."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor
from torch.autograd import forward_ad

TOLERANCE = {torch.float64: 1e-9, torch.float32: 1e-4, torch.float16: 2e-2, torch.bfloat16: 1e-1}


def assert_same(ours: Callable[..., Tensor], theirs: Callable[..., Tensor], *tensors: Tensor) -> None:
    """Fail unless both give the same shape, dtype, values and, for a random direction, gradients."""
    mine = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    others = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    Y, expected = ours(*mine), theirs(*others)
    assert Y.shape == expected.shape, f"shape {tuple(Y.shape)}, PyTorch {tuple(expected.shape)}"
    assert Y.dtype == expected.dtype, f"dtype {Y.dtype}, PyTorch {expected.dtype}"
    assert Y.device == expected.device
    assert_close(Y, expected, "values")
    with torch.no_grad():
        assert_close(ours(*tensors), expected, "values without gradients")

    direction = torch.randn(expected.shape, generator=torch.Generator().manual_seed(0)).to(expected.dtype)
    Y.backward(direction)
    expected.backward(direction)
    for tensor, other in zip(mine, others, strict=True):
        assert_close(tensor.grad, other.grad, "gradients")


def assert_same_tangents(
    ours: Callable[[Tensor], Tensor], theirs: Callable[[Tensor], Tensor], X: Tensor
) -> None:
    """Fail unless both give the same derivative in forward mode, for a random direction."""
    direction = torch.randn(X.shape, generator=torch.Generator().manual_seed(1)).to(X.dtype)
    with forward_ad.dual_level():
        results = [operator(forward_ad.make_dual(X, direction)) for operator in (ours, theirs)]
        tangent, expected = (forward_ad.unpack_dual(result).tangent for result in results)
    assert_close(tangent, expected, "tangents")


def assert_rounded_once(ours: Callable[..., Tensor], theirs: Callable[..., Tensor], *tensors: Tensor) -> None:
    """Fail unless values and gradients in 16 bits are PyTorch's in 64 bits, rounded once."""
    mine = [tensor.detach().clone().requires_grad_() for tensor in tensors]
    exact = [tensor.detach().double().requires_grad_() for tensor in tensors]
    Y, expected = ours(*mine), theirs(*exact)
    direction = torch.randn(Y.shape, generator=torch.Generator().manual_seed(0)).to(Y.dtype)
    Y.backward(direction)
    expected.backward(direction.double())
    pairs = [(Y, expected), *((one.grad, other.grad) for one, other in zip(mine, exact, strict=True))]
    for actual, right in pairs:
        assert actual is not None
        assert right is not None
        assert actual.dtype == tensors[0].dtype
        largest = right.abs().max().item()
        torch.testing.assert_close(actual.double(), right, rtol=0, atol=largest * torch.finfo(Y.dtype).eps)


def assert_close(actual: Tensor | None, expected: Tensor | None, what: str) -> None:
    """Fail unless two tensors agree to the precision of their type."""
    assert actual is not None
    assert expected is not None
    tolerance = TOLERANCE[expected.dtype]
    torch.testing.assert_close(
        actual, expected, rtol=tolerance, atol=tolerance, equal_nan=True, msg=lambda text: f"{what}: {text}"
    )


def assert_both_refuse(ours: Callable[[], Tensor], theirs: Callable[[], Tensor]) -> Exception:
    """Fail unless both raise; return our exception, which must be a TypeError or a ValueError."""
    error = refusal(ours)
    assert isinstance(error, TypeError | ValueError), f"ours gave {error!r}"
    assert refusal(theirs) is not None, f"PyTorch accepts what ours refuses: {error}"
    return error


def refusal(call: Callable[[], Tensor]) -> Exception | None:
    """Return what a call raises, or None."""
    try:
        call()
    except Exception as error:
        return error
    return None


def agree(ours: Callable[..., Tensor], theirs: Callable[..., Tensor], *tensors: Tensor) -> None:
    """Fail unless both refuse, or both accept and give the same."""
    with _safe_kernels(tensors[0].dtype):
        if refusal(lambda: theirs(*tensors)) is None:
            assert_same(ours, theirs, *tensors)
        else:
            assert_both_refuse(lambda: ours(*tensors), lambda: theirs(*tensors))


@contextmanager
def _safe_kernels(dtype: torch.dtype) -> Iterator[None]:
    """Let PyTorch compute with 16-bit floats by its own kernels rather than oneDNN's, which may crash.

    Those of oneDNN 3.12 (PyTorch 2.13) end the process on processors with AVX512-FP16, where a window of one
    column lies in the padding alone. An example, of the kind of uxlfoundation/oneDNN#5942::

        X, W = torch.ones(1, 1, 2, 1).half(), torch.ones(1, 1, 1, 1).half()
        F.conv2d(X, W, stride=2, padding=1, dilation=2)
    """
    before = torch.backends.mkldnn.enabled
    torch.backends.mkldnn.enabled = before and dtype.itemsize > 2
    try:
        yield
    finally:
        torch.backends.mkldnn.enabled = before


def distinct(*shape: int, dtype: torch.dtype = torch.float64, seed: int = 0) -> Tensor:
    """Return random numbers of a shape; small multiples of 1/8, so that half precision holds them exactly."""
    generator = torch.Generator().manual_seed(seed)
    return (torch.randint(-16, 17, shape, generator=generator) / 8).to(dtype)
