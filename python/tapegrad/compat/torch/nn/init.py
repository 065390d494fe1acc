"""First values of parameters, by PyTorch's formulas, from this library's generators."""

from __future__ import annotations

import math
import warnings
from typing import Any

import numpy as np

from tapegrad.compat.torch.core.call import new
from tapegrad.compat.torch.core.modes import no_grad
from tapegrad.compat.torch.random import numpy_generator

_GAINS = {"tanh": 5.0 / 3.0, "relu": math.sqrt(2.0), "selu": 3.0 / 4.0}
_ONES = ("linear", "conv1d", "conv2d", "conv3d", "conv_transpose1d", "conv_transpose2d", "sigmoid")


def _put(tensor: Any, values: Any) -> Any:
    with no_grad():
        return tensor.copy_(new(np.asarray(values, tensor._v.dtype)))


def _draw(generator: Any) -> Any:
    return numpy_generator(generator)


def uniform_(tensor: Any, a: float = 0.0, b: float = 1.0, generator: Any = None) -> Any:
    """Uniform numbers from a to b."""
    return _put(tensor, _draw(generator).uniform(a, b, tuple(tensor.shape)))


def normal_(tensor: Any, mean: float = 0.0, std: float = 1.0, generator: Any = None) -> Any:
    """Normal numbers."""
    return _put(tensor, _draw(generator).normal(mean, std, tuple(tensor.shape)))


def trunc_normal_(
    tensor: Any, mean: float = 0.0, std: float = 1.0, a: float = -2.0, b: float = 2.0,
    generator: Any = None,
) -> Any:  # fmt: skip
    """Normal numbers, drawn again until they lie between a and b."""
    g = _draw(generator)
    values = g.normal(mean, std, tuple(tensor.shape))
    while True:
        outside = (values < a) | (values > b)
        if not outside.any():
            return _put(tensor, values)
        values = np.where(outside, g.normal(mean, std, values.shape), values)


def constant_(tensor: Any, val: float) -> Any:
    """One number everywhere."""
    return _put(tensor, np.full(tuple(tensor.shape), val))


def ones_(tensor: Any) -> Any:
    """Ones."""
    return constant_(tensor, 1.0)


def zeros_(tensor: Any) -> Any:
    """Zeros."""
    return constant_(tensor, 0.0)


def eye_(tensor: Any) -> Any:
    """Ones on the diagonal of a matrix."""
    if tensor.ndim != 2:
        raise ValueError(f"eye_: a tensor of shape {list(tensor.shape)} is no matrix")
    return _put(tensor, np.eye(*tensor.shape))


def dirac_(tensor: Any, groups: int = 1) -> Any:
    """Kernels that pass their channels through."""
    shape = tuple(tensor.shape)
    values = np.zeros(shape)
    per = shape[0] // groups
    middle = tuple(n // 2 for n in shape[2:])
    for g in range(groups):
        for d in range(min(per, shape[1])):
            values[(g * per + d, d, *middle)] = 1.0
    return _put(tensor, values)


def calculate_gain(nonlinearity: str, param: Any = None) -> float:
    """How much a layer before a nonlinearity is scaled up."""
    if nonlinearity in _ONES:
        return 1.0
    if nonlinearity == "leaky_relu":
        return math.sqrt(2.0 / (1 + (0.01 if param is None else param) ** 2))
    if nonlinearity not in _GAINS:
        raise ValueError(f"calculate_gain: {nonlinearity!r} is none of {[*_GAINS, *_ONES]}")
    return _GAINS[nonlinearity]


def _fans(tensor: Any) -> tuple[int, int]:
    """How many inputs reach an output, and how many outputs an input reaches."""
    shape = tuple(tensor.shape)
    if len(shape) < 2:
        raise ValueError(
            f"fan_in and fan_out are of two axes or more, and shape {list(shape)} has "
            f"{len(shape)}; torch.nn.init.normal_ and uniform_ fill any"
        )
    field = int(np.prod(shape[2:], dtype=int))
    return shape[1] * field, shape[0] * field


_calculate_fan_in_and_fan_out = _fans


def xavier_uniform_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Uniform numbers by Glorot and Bengio (2010)."""
    bound = math.sqrt(3.0) * gain * math.sqrt(2.0 / sum(_fans(tensor)))
    return uniform_(tensor, -bound, bound, generator)


def xavier_normal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Normal numbers by Glorot and Bengio (2010)."""
    return normal_(tensor, 0.0, gain * math.sqrt(2.0 / sum(_fans(tensor))), generator)


def _kaiming_std(tensor: Any, a: float, mode: str, nonlinearity: str) -> float:
    if mode not in ("fan_in", "fan_out"):
        raise ValueError(
            f"kaiming_normal_ or kaiming_uniform_: mode is 'fan_in' or 'fan_out', not {mode!r}"
        )
    fan = _fans(tensor)[mode == "fan_out"]
    return calculate_gain(nonlinearity, a) / math.sqrt(fan)


def kaiming_uniform_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Any:  # fmt: skip
    """Uniform numbers by He et al. (2015)."""
    if 0 in tensor.shape:
        warnings.warn("init: a tensor of no elements is left as it is", stacklevel=2)
        return tensor
    bound = math.sqrt(3.0) * _kaiming_std(tensor, a, mode, nonlinearity)
    return uniform_(tensor, -bound, bound, generator)


def kaiming_normal_(
    tensor: Any, a: float = 0, mode: str = "fan_in", nonlinearity: str = "leaky_relu",
    generator: Any = None,
) -> Any:  # fmt: skip
    """Normal numbers by He et al. (2015)."""
    return normal_(tensor, 0.0, _kaiming_std(tensor, a, mode, nonlinearity), generator)


def orthogonal_(tensor: Any, gain: float = 1.0, generator: Any = None) -> Any:
    """Orthogonal rows or columns (Saxe et al., 2013)."""
    if tensor.ndim < 2:
        raise ValueError(f"orthogonal_: shape {list(tensor.shape)} has no rows and columns")
    rows = tensor.shape[0]
    columns = tensor.numel() // rows
    a = _draw(generator).normal(size=(max(rows, columns), min(rows, columns)))
    q, r = np.linalg.qr(a)
    q = q * np.sign(np.diag(r))
    return _put(tensor, gain * (q.T if rows < columns else q).reshape(tuple(tensor.shape)))


def sparse_(tensor: Any, sparsity: float, std: float = 0.01, generator: Any = None) -> Any:
    """Normal numbers with a share of zeros in each column."""
    g = _draw(generator)
    values = g.normal(0.0, std, tuple(tensor.shape))
    n = math.ceil(sparsity * values.shape[0])
    for column in values.T:
        column[g.permutation(len(column))[:n]] = 0.0
    return _put(tensor, values)
