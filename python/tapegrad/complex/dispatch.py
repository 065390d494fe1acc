"""What the core hands over: calls in which something is complex."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad._core import Variable, value
from tapegrad.complex.functions import array_function
from tapegrad.complex.parts import is_pair, real_dtype
from tapegrad.complex.ufuncs import array_ufunc
from tapegrad.complex.variable import ComplexVariable, as_pythons


def leaf(x: Any, name: Any = None, dtype: Any = None) -> ComplexVariable:
    """tg.Variable(x, name, dtype) of complex numbers."""
    if is_pair(x):
        raise TypeError(
            "Variable: got a complex Variable, whose derivative a new leaf would drop; use z "
            "itself, or tg.Variable(tg.value(z)) for a leaf of its value"
        )
    content = value(x)
    array = np.asarray(content)
    if array.dtype == object:
        raise TypeError(
            "Variable: got a list of Variables, whose derivatives a new leaf would drop; use "
            "np.stack(the list)"
        )
    part = real_dtype(dtype or array.dtype)
    numbers = array if isinstance(content, np.ndarray) else array[()]
    parts = ("", "") if name is None else (f"{name}.real", f"{name}.imag")
    return ComplexVariable(
        *(
            Variable(x, text or None, part)
            for x, text in zip((numbers.real, numbers.imag), parts, strict=True)
        )
    )


def operator(name: str, a: Any, b: Any) -> Any:
    """What an operator of a real Variable and a complex number gives."""
    return as_pythons(array_ufunc(getattr(np, name), "__call__", (a, b), {}), a, b)


def method(function: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """A method of a real Variable, which was given something complex."""
    numpys = getattr(function, "function", None)
    if numpys is not None:
        return array_function(numpys, args, kwargs)
    if function.__name__ == "astype":
        return np.astype(args[0], *args[1:], **kwargs)
    raise TypeError(
        f"v.{function.__name__}: a complex number has no place in a real Variable; give its real "
        "part, z.real, or call the method of v.astype(complex)"
    )


__all__ = ["array_function", "array_ufunc", "leaf", "method", "operator"]
