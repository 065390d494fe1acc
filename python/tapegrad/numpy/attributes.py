"""The names of an array or a NumPy number that a Variable refuses, each with what to write.

They raise AttributeError, so that `hasattr(v, name)` is false and code that asks first goes another
way. Each text of `ATTRIBUTES` begins with code as it can be run; a test runs it.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad._core import Variable
from tapegrad.numpy.operands import describe

_MEMORY = "it tells of memory, which a Variable does not show"
_NUMBER = "a plain result would lose the derivative"
_BYTES = "plain bytes would lose the derivative"

# Name: the call in mind, why it is refused, and the code that does what was meant.
ATTRIBUTES: dict[str, tuple[str, str, str]] = {
    "as_integer_ratio": ("()", _NUMBER, "float(tg.value(v)).as_integer_ratio()"),
    "base": ("", _MEMORY, "np.array(tg.value(v)).base"),
    "byteswap": ("()", _BYTES, "tg.value(v).byteswap()"),
    "ctypes": ("", _MEMORY, "np.asarray(tg.value(v)).ctypes"),
    "data": ("", _MEMORY, "np.asarray(tg.value(v)).data"),
    "device": ("", _MEMORY, "np.asarray(tg.value(v)).device"),
    "dump": ("(file)", _BYTES, "np.asarray(tg.value(v)).dump(file)"),
    "dumps": ("()", _BYTES, "np.asarray(tg.value(v)).dumps()"),
    "flags": ("", _MEMORY, "np.asarray(tg.value(v)).flags"),
    "fromhex": ("(text)", "it is float's own", "float.fromhex(text)"),
    "getfield": ("(np.float64)", _BYTES, "v.astype(np.float64)"),
    "hex": ("()", _NUMBER, "float(tg.value(v)).hex()"),
    "is_integer": ("()", "it has no derivative", "v == np.floor(v)"),
    "itemset": ("(i, x)", "NumPy 2 has none", "v[i] = x"),
    "newbyteorder": ("()", _BYTES, "tg.value(v).view(v.dtype.newbyteorder())"),
    "ptp": ("()", "NumPy 2 has the function alone", "np.ptp(v)"),
    "resize": ("(shape)", "the shape of a Variable does not change", "v = np.resize(v, shape)"),
    "setfield": ("(x, np.float64)", _BYTES, "v[...] = x"),
    "setflags": ("(write=False)", _MEMORY, "v = v.copy()"),
    "strides": ("", _MEMORY, "np.asarray(tg.value(v)).strides"),
    "to_device": ("('cpu')", "Variables live on the CPU", "v"),
    "tobytes": ("()", _BYTES, "np.asarray(tg.value(v)).tobytes()"),
    "tofile": ("(file)", _BYTES, "np.asarray(tg.value(v)).tofile(file)"),
    "tostring": ("()", _BYTES, "np.asarray(tg.value(v)).tobytes()"),
}

# What else the code does that is not what the name says.
_MORE = {
    "setflags": ", which what writes to the original leaves alone",
}


class RefusedAttribute:
    """What stands in the class under a refused name.

    It is read only where the object has no attribute of its own: classes of users may use the name.
    """

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, v: Any, owner: Any = None) -> Any:
        if v is None:
            return self
        if _core.is_blank(v):
            return getattr(np.asarray(v), self.name)
        told = self.text(f" of {describe(v)}")
        if told.startswith("statistics."):  # which goes on without the name, and names nothing then
            raise TypeError(told)
        raise AttributeError(told)

    def text(self, whose: str) -> str:
        """Operation, why not, and the remedy."""
        from tapegrad.numpy import refusals

        told = refusals.of_calling_library(f"it would lose the derivative{whose}")
        if told:
            return told
        call, why, code = ATTRIBUTES[self.name]
        more = _MORE.get(self.name, "")
        return f"v.{self.name}{call}{whose}: {why}; write {code}{more}"


def attach_refusals(cls: type[Variable]) -> None:
    """Gives the core's Variable the names that it refuses."""
    for name in ATTRIBUTES:
        if not hasattr(cls, name):
            setattr(cls, name, RefusedAttribute(name))
