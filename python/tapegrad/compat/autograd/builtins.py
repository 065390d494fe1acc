"""Python's own containers and type tests, which hold Variables and know them.

Autograd needs containers of its own for what a function returns; here any nesting of Python's does.
"""

from __future__ import annotations

import builtins
from typing import Any

from tapegrad import _tree
from tapegrad.compat.autograd.vspaces import ContainerVSpace

dict, list, tuple, isinstance = (
    builtins.dict,
    builtins.list,
    builtins.tuple,
    builtins.isinstance,
)

__all__ = [
    "ContainerVSpace",
    "DictBox",
    "SequenceBox",
    "dict",
    "isinstance",
    "list",
    "tuple",
    "type",
]


class _Holding(builtins.type):
    """A class whose instances are the containers of a kind that hold Variables."""

    kind: Any

    def __instancecheck__(cls, instance: object) -> bool:
        found = builtins.isinstance(instance, cls.kind)
        return found and any(_tree.is_variable(x) for _, x in _tree.leaves(instance))


class DictBox(metaclass=_Holding):
    """`isinstance(x, DictBox)`: whether `x` is a dict with a Variable in it."""

    kind = dict


class SequenceBox(metaclass=_Holding):
    """`isinstance(x, SequenceBox)`: whether `x` is a list or tuple with a Variable in it."""

    kind = (list, tuple)


def type(x: object) -> Any:
    """The type of `x`; of a Variable, that of what it stands for: a scalar is NumPy's.

    >>> import numpy as np
    >>> import tapegrad as tg
    >>> from tapegrad.compat.autograd.builtins import type
    >>> type(tg.Variable(np.ones(2)))
    <class 'numpy.ndarray'>
    """
    return x.__class__
