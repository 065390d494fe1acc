"""A Variable as an array of objects, its elements: for plain code that computes with objects.

NumPy's method `a.dot(v)` of a plain array `a` asks nobody whether it is overridden. What it makes
of objects is right, since products and sums of elements are recorded one by one, and slow for the
same reason: a warning names `a @ v`.
"""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any

import numpy as np

from tapegrad._tree import is_array
from tapegrad.numpy import refusals
from tapegrad.numpy.operands import cast
from tapegrad.numpy.rebinding import value_of
from tapegrad.transforms.trace import warn_user

# NumPy's code that does with objects what it does with numbers.
_OF_OBJECTS = ("np.vectorize", "np.polynomial.", "np.ndenumerate")
_MOST_PRODUCTS = 5_000  # that are recorded without a word: about two milliseconds


def array_of(v: Any, shape: str, of_objects: bool) -> Any:
    """An array of objects, each an element of the Variable, which is still differentiated.

    It is given to who asks for objects, to code of NumPy that computes with them, and to
    `a.dot(v)` of a plain array `a`.
    """
    frame = refusals.outside()
    if _is_sparse_code(frame):
        from tapegrad.scipy.sparse.operators import stands_aside, wrapped

        if stands_aside(frame):
            return wrapped(v)
    call = _dot_at(frame)  # whose method asks twice, the second time for objects
    if call is not None and frame is not None:
        array = _array_of_dot(call, frame)
        # Of nothing NumPy makes a plain zero, and numbers would take the precision of a float32.
        if not v.size or (array is None and v.dtype != np.float64):
            raise TypeError(refusals.array_refusal(shape))
        if of_objects:
            _warn_of_products(v, call, array)
        if array is not None and array.dtype != object:
            v = cast(v, np.result_type(array, v.dtype))
    elif not of_objects and not refusals.owner_of(frame).startswith(_OF_OBJECTS):
        raise TypeError(refusals.array_refusal(shape))
    found = np.empty(tuple(v.shape), object)
    for at in np.ndindex(*found.shape):
        found[at] = v[at]
    return found


def _is_sparse_code(frame: FrameType | None) -> bool:
    """Whether a sparse matrix of SciPy asks."""
    return frame is not None and frame.f_globals.get("__name__", "").startswith("scipy.sparse.")


def _dot_at(frame: FrameType | None) -> ast.Call | None:
    """The call `a.dot(v)` that the frame is at, which is no library's."""
    if frame is None or refusals.owner_of(frame):
        return None
    call = refusals.expression_of(frame)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute):
        return None
    is_method = not refusals.is_numpy(ast.unparse(call.func.value), frame)
    return call if call.func.attr == "dot" and is_method else None


def _array_of_dot(call: ast.Call, frame: FrameType) -> Any:
    """The array whose method it is; None where only running the code could tell."""
    assert isinstance(call.func, ast.Attribute)
    owner, turned = call.func.value, False
    if isinstance(owner, ast.Attribute) and owner.attr == "T":
        owner, turned = owner.value, True
    found = value_of(owner, frame)
    if not is_array(found):
        return None
    return found.T if turned else found


def _warn_of_products(v: Any, call: ast.Call, array: Any) -> None:
    assert isinstance(call.func, ast.Attribute)
    last = v.shape[-1] if v.ndim else 1
    rows = array.size // last if array is not None and last else 1
    n = rows * v.size
    if n > _MOST_PRODUCTS or v.size > _MOST_PRODUCTS // 5:
        of = refusals.operand(call.func)
        to = refusals.operand(call.args[0]) if call.args else "v"
        warn_user(
            f"{ast.unparse(call)}: the method of a plain array multiplies this Variable of shape "
            f"{tuple(v.shape)} element by element, {n} recorded products or more; write "
            f"{of} @ {to}, which is one operation"
        )
