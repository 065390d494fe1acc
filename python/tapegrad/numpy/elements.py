"""A Variable as an array of objects, its elements: for plain code that computes with objects.

NumPy's method `a.dot(v)` of a plain array `a` asks nobody whether it is overridden. What it makes
of objects is right, since products and sums of elements are recorded one by one, and slow for the
same reason: a warning names `a @ v`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from types import CodeType, FrameType
from typing import Any

import numpy as np

from tapegrad._core import Variable
from tapegrad._tree import is_array
from tapegrad.numpy import refusals
from tapegrad.numpy.operands import cast
from tapegrad.numpy.rebinding import value_of
from tapegrad.transforms.trace import warn_user

_MOST_PRODUCTS = 5_000  # that are recorded without a word: about two milliseconds
_MAKE_ARRAYS = ("array", "asarray", "asanyarray")
_MOST_PLACES = 10_000
# Where arrays of objects were made: by the code's address and the place.
_places: dict[tuple[int, int], CodeType] = {}


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
    elif not of_objects and not refusals.asked_by_objects_code():
        raise TypeError(refusals.array_refusal(shape))
    elif frame is not None and _reads_precision(v, frame):
        raise TypeError(
            f"{refusals.owner_of(frame)}: without rcond= it asks for the precision of x, which an "
            "array of the elements of a Variable does not have; give rcond=len(x) * 2e-16"
        )
    found = np.empty(tuple(v.shape), object)
    for at in np.ndindex(*found.shape):
        found[at] = v[at]
    return found


def _reads_precision(v: Any, frame: FrameType) -> bool:
    """Whether fits of np.polynomial ask, who take the precision of their points."""
    given = frame.f_locals
    return frame.f_code.co_name == "_fit" and given.get("x") is v and given.get("rcond", 0) is None


def check_element() -> None:
    """Warns where a float32 Variable stands beside other dtypes in `np.array([...])`.

    NumPy's array would have one dtype. Here each keeps its own: functions and operators take the
    array in NumPy's dtype, its methods and elements do not.
    """
    frame = refusals.outside()
    if frame is None or refusals.owner_of(frame):
        return
    key = id(frame.f_code), frame.f_lasti
    if _places.get(key) is frame.f_code:
        return
    if len(_places) >= _MOST_PLACES:
        _places.clear()
    _places[key] = frame.f_code
    call = refusals.expression_of(frame)
    if not isinstance(call, ast.Call) or not isinstance(call.func, ast.Attribute) or not call.args:
        return
    owner = ast.unparse(call.func.value)
    if call.func.attr not in _MAKE_ARRAYS or not refusals.is_numpy(owner, frame):
        return
    dtypes = list(_dtypes_in(call.args[0], frame))
    common = np.result_type(np.float32, *dtypes)
    if common != np.float32:
        warn_user(
            f"{ast.unparse(call)}: an array of objects, in which float32 Variables stay float32 "
            f"beside others where NumPy's array is of {common}; NumPy's functions and operators "
            f"see to that, but its methods and elements don't; write "
            f"np.stack({ast.unparse(call.args[0])})"
        )


def _dtypes_in(x: ast.expr, frame: FrameType) -> Iterator[Any]:
    """Of the items of a list, as far as they are known without running code."""
    if isinstance(x, (ast.List, ast.Tuple)):
        for item in x.elts:
            yield from _dtypes_in(item, frame)
        return
    if isinstance(x, ast.UnaryOp):
        x = x.operand
    found: Any
    if isinstance(x, ast.Constant):
        found = x.value
    elif isinstance(x, ast.Subscript):
        found = value_of(x.value, frame)
        # Of a list all items are looked at.
        found = found if type(found) in (list, tuple) else getattr(found, "dtype", None)
    elif isinstance(x, ast.Call) and isinstance(x.func, ast.Attribute):  # np.float64(1.0)
        is_numpy = refusals.is_numpy(ast.unparse(x.func.value), frame)
        found = getattr(np, x.func.attr, None) if is_numpy else None
        is_dtype = isinstance(found, type) and issubclass(found, np.generic)
        found = np.dtype(found) if is_dtype else None
    else:
        found = value_of(x, frame)
    yield from _dtypes_of(found)


def _dtypes_of(x: Any) -> Iterator[Any]:
    if isinstance(x, (list, tuple)):
        for item in x:
            yield from _dtypes_of(item)
    elif isinstance(x, np.dtype):
        yield x
    elif isinstance(x, (bool, int, float, complex, np.generic, np.ndarray, Variable)):
        dtype = getattr(x, "dtype", None)
        yield np.asarray(x).dtype if dtype is None else dtype


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
