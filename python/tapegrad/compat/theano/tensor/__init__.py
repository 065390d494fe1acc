"""`theano.tensor`: inputs of every kind, and functions of expressions."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.theano.gradients import (
    Lop as Lop,
)
from tapegrad.compat.theano.gradients import (
    Rop as Rop,
)
from tapegrad.compat.theano.gradients import (
    disconnected_grad as disconnected_grad,
)
from tapegrad.compat.theano.gradients import (
    grad as grad,
)
from tapegrad.compat.theano.gradients import (
    hessian as hessian,
)
from tapegrad.compat.theano.gradients import (
    jacobian as jacobian,
)
from tapegrad.compat.theano.gradients import (
    verify_grad as verify_grad,
)
from tapegrad.compat.theano.refusals import refusing as _refusing
from tapegrad.compat.theano.tensor.elementwise import *  # noqa: F403 - one module in Theano
from tapegrad.compat.theano.tensor.shaping import *  # noqa: F403 - one module in Theano
from tapegrad.compat.theano.variables import (
    SharedVariable as TensorSharedVariable,  # noqa: F401 - a name of theano.tensor
)
from tapegrad.compat.theano.variables import (
    TensorVariable,
    Type,
    config,
)
from tapegrad.compat.theano.variables import (
    as_tensor_variable as as_tensor_variable,
)
from tapegrad.compat.theano.variables import (
    constant as constant,
)

TensorType = Type
Variable = TensorVariable
_AXES = {"scalar": 0, "vector": 1, "matrix": 2, "tensor3": 3, "tensor4": 4, "tensor5": 5}
_LETTERS = {
    "d": "float64", "f": "float32", "i": "int32", "l": "int64", "b": "int8", "w": "int16",
}  # fmt: skip


def _maker(ndim: int, kind: str | None) -> Any:
    def make(name: str | None = None, dtype: Any = None) -> Any:
        made = Type(str(np.dtype(dtype or kind or config.floatX)), ndim)(name)
        made.name = name
        return made

    return make


def _several(make: Any) -> Any:
    def several(*names: Any) -> list[Any]:
        if len(names) == 1 and isinstance(names[0], int):
            return [make() for _ in range(names[0])]
        words = names[0].split() if len(names) == 1 else names
        return [make(word) for word in words]

    return several


for _word, _ndim in _AXES.items():
    _plural = {"matrix": "matrices"}.get(_word, _word + "s")
    for _letter, _kind in (("", None), *_LETTERS.items()):
        globals()[_letter + _word] = _maker(_ndim, _kind)
        globals()[_letter + _plural] = _several(globals()[_letter + _word])


def _with_length_one(name: str | None, dtype: Any, shape: Any) -> Any:
    made = globals()["matrix"](name, dtype)
    made.operation.shape = shape
    return made


def row(name: str | None = None, dtype: Any = None) -> Any:
    """A matrix of one row."""
    return _with_length_one(name, dtype, (1, None))


def col(name: str | None = None, dtype: Any = None) -> Any:
    """A matrix of one column."""
    return _with_length_one(name, dtype, (None, 1))


def __getattr__(name: str) -> Any:
    if name in ("nnet", "shared_randomstreams", "nlinalg", "extra_ops"):
        from importlib import import_module

        return import_module(f"tapegrad.compat.theano.tensor.{name}")
    return _missing(name)


_missing = _refusing("tensor", globals())
__all__ = [n for n in globals() if not n.startswith("_") and n not in ("annotations", "Any", "np")]
