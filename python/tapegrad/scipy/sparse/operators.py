"""Operators of which one side is sparse and the other one a Variable.

The core hands them over. SciPy's own methods get there by Python's protocol: to what asks for a
plain array, a Variable says that it is none (`stands_aside`), and then Python asks the Variable.
"""

from __future__ import annotations

from types import FrameType
from typing import Any

import numpy as np

from tapegrad.scipy.arrays import ndim_of
from tapegrad.scipy.sparse.matrix import (
    SparseVariable,
    added,
    is_sparse,
    listed,
    multiplied,
    product,
    product_of_left,
)


def with_sparse(name: str, a: Any, b: Any) -> Any:
    """The operator `name` of a and b."""
    left = is_sparse(a)
    sparse, other = (a, b) if left else (b, a)
    if not is_sparse(sparse):
        return NotImplemented
    if isinstance(sparse, SparseVariable) and left:
        return NotImplemented  # its own method was asked
    is_product = name == "matmul" or (
        name == "multiply" and ndim_of(other) and not listed(sparse).is_array
    )
    if is_product:
        return product(a, b) if left else product_of_left(a, b)
    if name == "multiply":
        return multiplied(sparse, other)
    if name == "divide" and left:
        return multiplied(sparse, 1.0 / other)
    if name == "add":
        return added(listed(sparse), other, 1.0)
    if name == "subtract":
        return added(listed(sparse), other, -1.0) if left else -added(listed(sparse), other, -1.0)
    raise TypeError(
        f"np.{name} of a sparse matrix of shape {sparse.shape} and a Variable has no derivative; "
        "write a.toarray() for the sparse matrix a"
    )


# SciPy's code that leaves what is no array to the other operand.
_ASK_THE_OTHER = ("_matmul_dispatch", "_divide")


def stands_aside(frame: FrameType | None) -> bool:
    """Whether SciPy's code in this frame takes a Variable for what it leaves to the Variable."""
    if frame is None or not str(frame.f_globals.get("__name__", "")).startswith("scipy.sparse."):
        return False
    name = frame.f_code.co_name
    if name in _ASK_THE_OTHER:
        return True
    if name not in ("_multiply_2d_with_broadcasting", "multiply"):
        return False
    # a.multiply(v) would hand out what only a * v can use.
    caller = frame.f_back
    while caller is not None and caller.f_code.co_name == "multiply":
        caller = caller.f_back
    return (
        caller is not None
        and caller.f_code.co_name in ("__mul__", "__rmul__")
        and str(caller.f_globals.get("__name__", "")).startswith("scipy.sparse.")
    )


def wrapped(v: Any) -> Any:
    """A Variable as what NumPy makes of an object that is no array."""
    found = np.empty((), object)
    found[()] = v
    return found
