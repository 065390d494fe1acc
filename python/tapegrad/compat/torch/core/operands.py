"""Operands of functions: their values, brought to one dtype by PyTorch's rules."""

from __future__ import annotations

import re
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.compat.torch.core import dtypes

_NUMBERS = (bool, int, float)


def meet(values: list[Any]) -> list[Any]:
    """Operands in one dtype by PyTorch's rules: arrays with axes decide, then those without."""
    dims: list[Any] = []
    zeros: list[Any] = []
    numbers: list[type] = []
    for v in values:
        if type(v) in _NUMBERS:
            numbers.append(type(v))
        else:
            (dims if v.ndim else zeros).append(v.dtype)
    kind = dtypes.result_numpy(dims, zeros, numbers)
    return [v if type(v) in _NUMBERS else cast(v, kind) for v in values]


def cast(v: Any, kind: Any) -> Any:
    """An array or Variable in a dtype of NumPy's; to integers without a derivative."""
    if v.dtype == kind:
        return v
    if type(v) is Variable and kind.kind != "f":
        v = np.asarray(_core.value(v))
    return v.astype(kind)


def table(x: Any, *indices: Any) -> Any:
    """An array that a lane's own index may read: under vmap the index is a Variable."""
    lanes = any(type(i) is Variable for i in indices)
    return Variable(x) if lanes and type(x) is not Variable and x.dtype.kind == "f" else x


def floats(v: Any) -> Any:
    """An operand of a function that gives floats: integers become the default dtype."""
    if type(v) in _NUMBERS or v.dtype.kind == "f":
        return v
    return v.astype(dtypes.get_default_dtype().numpy)


def same_kind(a: Any, b: Any) -> tuple[Any, Any]:
    """Two operands, brought together only where their dtypes ask for it."""
    if type(b) in _NUMBERS:
        if type(a) in _NUMBERS or (a.dtype.kind == "f" or type(b) is bool):
            return a, b
        if type(b) is int and a.dtype.kind in "iu":
            return a, b
    elif (type(a) not in _NUMBERS and a.dtype == b.dtype) or (
        type(a) in _NUMBERS and b.dtype.kind == "f"
    ):
        return a, b
    x, y = meet([a, b])
    return x, y


def function_name(name: str) -> str:
    """The function of a node's name: `log_softmax` of `LogSoftmax`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def broadcast_complaint(name: str, a: Any, b: Any) -> None:
    """Raises, as PyTorch does, where two operands have no common shape."""
    x, y = np.shape(a), np.shape(b)
    for k in range(1, min(len(x), len(y)) + 1):
        m, n = x[-k], y[-k]
        if m != n and 1 not in (m, n):
            raise RuntimeError(
                f"{function_name(name)}: the lengths {m} and {n} of dimension "
                f"{max(len(x), len(y)) - k} do not broadcast: the shapes are "
                f"{list(x)} and {list(y)}; insert axes with unsqueeze, or transpose one of them"
            )
