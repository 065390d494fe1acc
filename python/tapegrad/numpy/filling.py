"""Arrays that take Variables: NumPy's creation functions inside `tg.patch_numpy()`.

A plain array can't hold a Variable, so `y = np.zeros(3); y[0] = v` is refused. Inside the block
`np.zeros` and its like make *blanks*: Variables that count as plain arrays until a Variable is
written to them. What is computed of blanks alone is plain.
"""

from __future__ import annotations

import functools
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.numpy import shapes
from tapegrad.numpy.operands import lift

# Functions of shapes and numbers, whose results are new arrays.
_NEW = (
    "zeros", "ones", "empty", "full", "eye", "identity", "arange", "linspace", "logspace",
    "geomspace", "tri", "zeros_like", "ones_like", "empty_like", "full_like", "fromfunction",
    "fromiter", "copy",
)  # fmt: skip
# Functions that take what there is for an array.
_CONVERSIONS = ("array", "asarray", "asanyarray", "ascontiguousarray", "asfortranarray")


class _Here(threading.local):
    depth = 0


_here = _Here()
_lock = threading.Lock()
_blocks = 0  # of all threads
_originals: dict[str, Any] = {}


_LIBRARIES = ("numpy", "scipy", "tapegrad")


def _is_active() -> bool:
    """Whether the call comes from this thread's block, and from the user's code."""
    if not _here.depth:
        return False
    name = sys._getframe(2).f_globals.get("__name__", "")
    return str(name).partition(".")[0] not in _LIBRARIES


def _blank(found: Any) -> Any:
    return _core.blank(found) if type(found) is np.ndarray and found.dtype.kind == "f" else found


def new(original: Callable[..., Any], active: Callable[[], bool]) -> Callable[..., Any]:
    """`original`, whose results take Variables."""

    @functools.wraps(original)
    def creation(*args: Any, **kwargs: Any) -> Any:
        if not active():
            return original(*args, **kwargs)
        return _blank(original(*args, **kwargs))

    return creation


def conversion(original: Callable[..., Any], active: Callable[[], bool]) -> Callable[..., Any]:
    """`original`, which joins Variables in lists, and whose new arrays take Variables."""
    copies = original is np.array

    @functools.wraps(original)
    def convert(a: Any, dtype: Any = None, *args: Any, **kwargs: Any) -> Any:
        if not active():
            return original(a, dtype, *args, **kwargs)
        packed = _joined(a) if dtype is None or np.dtype(dtype).kind == "f" else None
        if packed is None:
            found = original(a, dtype, *args, **kwargs)
            return found if found is a or _shares(found, a) else _blank(found)
        copy = kwargs.pop("copy", copies)
        ndmin = kwargs.pop("ndmin", 0)
        if packed is a and copy:
            packed = shapes.copy(packed)
        if dtype is not None and packed.dtype != np.dtype(dtype):
            packed = packed.astype(dtype)
        missing = ndmin - packed.ndim
        return packed.reshape((1,) * missing + packed.shape) if missing > 0 else packed

    return convert


def _joined(a: Any) -> Any:
    """`a` as a Variable where it is one or holds some; None where all of it is plain."""
    if isinstance(a, Variable):
        return a
    if isinstance(a, (list, tuple)) or (isinstance(a, np.ndarray) and a.dtype == object):
        found = lift(a)
        return found if type(found) is Variable else None
    return None


def _shares(found: Any, a: Any) -> bool:
    return isinstance(a, np.ndarray) and np.may_share_memory(found, a)


def _install() -> None:
    for make, names in ((new, _NEW), (conversion, _CONVERSIONS)):
        for name in names:
            _originals[name] = original = getattr(np, name)
            setattr(np, name, make(original, _is_active))


def _remove() -> None:
    for name, original in _originals.items():
        setattr(np, name, original)
    _originals.clear()


@contextmanager
def patch_numpy() -> Iterator[None]:
    """Inside the block, arrays that NumPy's creation functions make take Variables.

    `np.zeros`, `ones`, `empty`, `full`, `eye`, `arange`, `linspace` and the like, and `np.array`,
    `np.asarray` of lists that hold Variables: for this thread only, and where they are called as
    attributes of the module (`np.zeros`, not a name imported before). The arrays are plain, and
    what is computed of them is, until a Variable is written to them. Also a decorator.

    >>> import numpy as np, tapegrad as tg
    >>> @tg.patch_numpy()
    ... def f(x):
    ...     y = np.zeros(2)
    ...     y[0] = x[0] * x[1]
    ...     rotation = np.array([[np.cos(x[0]), -np.sin(x[0])], [np.sin(x[0]), np.cos(x[0])]])
    ...     return np.sum(rotation @ y)
    >>> tg.grad(f)(np.array([0.0, 2.0]))
    array([2., 0.])
    """
    global _blocks
    with _lock:
        if _blocks == 0:
            _install()
        _blocks += 1
    _here.depth += 1
    try:
        yield
    finally:
        _here.depth -= 1
        with _lock:
            _blocks -= 1
            if _blocks == 0:
                _remove()


@functools.cache
def function(name: str) -> Any:
    """What `tapegrad.numpy` has under a name: NumPy's own, or the function whose arrays fill."""
    original = _originals.get(name) or getattr(np, name)
    if name in _NEW:
        return new(original, lambda: True)
    return conversion(original, lambda: True) if name in _CONVERSIONS else original
