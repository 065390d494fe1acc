"""Theano's names: expressions of variables become functions.

>>> import tapegrad.compat.theano as theano
>>> import tapegrad.compat.theano.tensor as T
>>> x, y = T.dvectors("x", "y")
>>> f = theano.function([x, y], T.dot(x, y))
>>> f([1.0, 2.0], [3.0, 4.0])
array(11.)
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tapegrad.compat.theano import gradients as gradient
from tapegrad.compat.theano import printing, tensor
from tapegrad.compat.theano import scan as scan_module
from tapegrad.compat.theano.function import (
    Function,
    In,
    MissingInputError,
    Out,
    Param,
    UnusedInputError,
    function,
)
from tapegrad.compat.theano.gradients import Lop, Rop, grad
from tapegrad.compat.theano.printing import pp
from tapegrad.compat.theano.refusals import refusing as _refusing
from tapegrad.compat.theano.scan import foldl, foldr, ifelse, map, reduce, scan
from tapegrad.compat.theano.updates import OrderedUpdates
from tapegrad.compat.theano.variables import (
    SharedVariable,
    TensorVariable,
    as_tensor_variable,
    config,
    shared,
)
from tapegrad.graph.operations import Substituted as _Substituted

Variable = TensorVariable
__version__ = "1.0.5"


def clone(output: Any, replace: Any = None, **_: Any) -> Any:
    """The expression with other variables, or expressions, in place of some."""
    if isinstance(output, list | tuple):
        return [clone(x, replace) for x in output]
    pairs = list(replace.items() if isinstance(replace, Mapping) else replace or ())
    if not pairs:
        return output
    old, new = zip(*pairs, strict=True)
    by = [as_tensor_variable(x) for x in new]
    return output.graph.node(_Substituted(output, old, by))


__getattr__ = _refusing("", globals())

__all__ = [
    "Function",
    "In",
    "Lop",
    "MissingInputError",
    "OrderedUpdates",
    "Out",
    "Param",
    "Rop",
    "SharedVariable",
    "UnusedInputError",
    "Variable",
    "as_tensor_variable",
    "clone",
    "config",
    "foldl",
    "foldr",
    "function",
    "grad",
    "gradient",
    "ifelse",
    "map",
    "pp",
    "printing",
    "reduce",
    "scan",
    "scan_module",
    "shared",
    "tensor",
]
