"""Variables while a function of this package calls the user's: arrays as JAX has them.

They have `at`; item assignment to them is refused, `x += y` binds a new one. Elsewhere, and in
tapegrad's own code, they are what they ever were. `x[i]` is left alone: where a class in Python
defines it, NumPy takes numbers for sequences.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable
from opcode import opname
from typing import Any

import numpy as np

from tapegrad import _tree
from tapegrad._core import Variable
from tapegrad.compat.jax.arrays import IN_PLACE, At, no_writes, rebinding
from tapegrad.complex.variable import ComplexVariable

__all__ = ["call", "size"]


class _Calls(threading.local):
    depth = 0


_calls = _Calls()


def call(f: Callable[..., Any], args: Any, kwargs: dict[str, Any]) -> Any:
    """`f` of these arguments, in which Variables are not written to."""
    _calls.depth += 1
    try:
        return f(*args, **kwargs)
    finally:
        _calls.depth -= 1


def _is_users_call() -> bool:
    """Whether the user's code, called by a transform of this package, is what writes."""
    if not _calls.depth:
        return False
    name = sys._getframe(2).f_globals.get("__name__", "")
    return name == __name__ or not name.startswith("tapegrad.")  # call() itself calls `abs`


def _is_statement() -> bool:
    """Whether the caller's caller is at `x[i] = v`, rather than at the call of a function."""
    frame = sys._getframe(2)
    return opname[frame.f_code.co_code[frame.f_lasti]] in ("STORE_SUBSCR", "STORE_SLICE")


def _protect(kind: Any) -> None:
    """Teaches Variables what JAX's arrays do, where the user's code is called by a transform."""
    assign = kind.__setitem__

    def set_item(self: Any, index: Any, value: Any) -> None:
        if _is_users_call():
            raise TypeError(no_writes("x", index))
        # The core asks whether rows are written by a statement or by a function in C; it would see
        # this function, and it doesn't ask where the index is a tuple.
        row = type(index) is int and _tree.is_variable(value) and self.ndim > 1
        assign(self, (index,) if row and _is_statement() else index, value)

    kind.__setitem__ = set_item
    for name in IN_PLACE:
        method = f"__i{name}__"
        if hasattr(kind, method):
            setattr(kind, method, _in_place(getattr(kind, method), rebinding(name)))
    if not issubclass(kind, ComplexVariable):
        kind.__abs__ = _sized(kind.__abs__)
    kind.at = property(At, doc="Changed copies: `x.at[i].set(v)`, `.add(v)` and so on.")
    kind.block_until_ready = lambda self: self


def size(x: Any) -> Any:
    """The size of a real Variable, whose derivative at 0 is 1 as JAX has it."""
    return np.where(x >= 0, x, -x) if x.dtype.kind == "f" else np.absolute(x)


def _sized(own: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def absolute(self: Any) -> Any:
        return size(self) if _is_users_call() else own(self)

    return absolute


def _in_place(own: Any, rebinding: Any) -> Callable[[Any, Any], Any]:
    def operate(self: Any, other: Any) -> Any:
        return rebinding(self, other) if _is_users_call() else own(self, other)

    return operate


for _kind in (Variable, ComplexVariable):
    _protect(_kind)
