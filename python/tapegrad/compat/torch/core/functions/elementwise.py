"""Functions of elements: a value each, with PyTorch's promotion and its choices at kinks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from tapegrad import _core
from tapegrad.compat.torch.core import dtypes
from tapegrad.compat.torch.core.call import call
from tapegrad.compat.torch.core.graph import INPUTS, NOTHING, RESULT
from tapegrad.compat.torch.core.operands import cast, floats
from tapegrad.compat.torch.core.registry import FUNCTIONS, public, register


def applied(name: str) -> Callable[[Any], Any]:
    """An operation of the core, also of plain arrays."""
    return lambda x: _core.apply(name, (x,))


def _unary(name: str, f: Any, saves: int = INPUTS, always_float: bool = True) -> None:
    title = name.title().replace("_", "")
    if always_float:

        def compute(x: Any) -> Any:
            return f(floats(x))
    else:
        compute = f

    def function(input: Any) -> Any:
        return call(title, compute, input, saves=saves)

    function.__name__ = name
    function.__doc__ = f"`{name}` of each element."
    register(name, function, in_place=True)


for _name, _f, _saves in (
    ("sin", np.sin, INPUTS),
    ("cos", np.cos, INPUTS),
    ("tan", np.tan, RESULT),
    ("asin", np.arcsin, INPUTS),
    ("acos", np.arccos, INPUTS),
    ("atan", np.arctan, INPUTS),
    ("arcsin", np.arcsin, INPUTS),
    ("arccos", np.arccos, INPUTS),
    ("arctan", np.arctan, INPUTS),
    ("sinh", np.sinh, INPUTS),
    ("cosh", np.cosh, INPUTS),
    ("tanh", np.tanh, RESULT),
    ("asinh", np.arcsinh, INPUTS),
    ("acosh", np.arccosh, INPUTS),
    ("atanh", np.arctanh, INPUTS),
    ("exp", np.exp, RESULT),
    ("exp2", np.exp2, RESULT),
    ("expm1", np.expm1, RESULT),
    ("log", np.log, INPUTS),
    ("log2", np.log2, INPUTS),
    ("log10", np.log10, INPUTS),
    ("log1p", np.log1p, INPUTS),
    ("sqrt", np.sqrt, RESULT),
    ("rsqrt", lambda x: 1.0 / np.sqrt(x), RESULT),
    ("reciprocal", lambda x: 1.0 / x, RESULT),
    ("sigmoid", applied("expit"), RESULT),
    ("logit", applied("logit"), INPUTS),
    ("erf", applied("erf"), INPUTS),
    ("erfc", applied("erfc"), INPUTS),
    ("lgamma", applied("gammaln"), INPUTS),
    ("digamma", applied("psi"), INPUTS),
    ("deg2rad", np.deg2rad, NOTHING),
    ("rad2deg", np.rad2deg, NOTHING),
):
    _unary(_name, _f, _saves)
for _name, _f, _saves in (
    ("neg", np.negative, NOTHING),
    ("abs", np.absolute, INPUTS),
    ("square", lambda x: x * x, INPUTS),
    ("sign", np.sign, NOTHING),
    ("floor", np.floor, NOTHING),
    ("ceil", np.ceil, NOTHING),
    ("trunc", np.trunc, NOTHING),
    ("frac", lambda x: x - np.trunc(x), NOTHING),
    ("positive", lambda x: +x, NOTHING),
):
    _unary(_name, _f, _saves, always_float=False)
_unary("relu", lambda x: np.where(x <= 0, np.zeros((), x.dtype), x), RESULT, always_float=False)
for _name, _other in (("negative", "neg"), ("absolute", "abs"), ("fix", "trunc"), ("sgn", "sign")):
    register(_name, FUNCTIONS[_other], in_place=True)


def _plain(name: str, f: Any) -> None:
    """A question to each element: masks, without a derivative."""

    def function(input: Any) -> Any:
        return call(name, f, input, saves=NOTHING)

    function.__name__ = name
    function.__doc__ = f"`{name}` of each element."
    register(name, function)


for _name, _f in (
    ("isnan", np.isnan),
    ("isinf", np.isinf),
    ("isfinite", np.isfinite),
    ("logical_not", np.logical_not),
    ("bitwise_not", np.invert),
    ("signbit", np.signbit),
    ("isposinf", np.isposinf),
    ("isneginf", np.isneginf),
):
    _plain(_name, _f)


@public(in_place=True)
def round(input: Any, *, decimals: int = 0) -> Any:
    """Rounds each element, halves to even."""
    return call("Round", lambda x: np.round(x, decimals), input, saves=NOTHING)


def astype(input: Any, kind: Any) -> Any:
    """The tensor in another dtype; itself where it has that already."""
    wanted = dtypes.as_dtype(kind).numpy
    if input._v.dtype == wanted:
        return input
    return call("ToCopy", lambda x: cast(x, wanted), input, saves=NOTHING)
