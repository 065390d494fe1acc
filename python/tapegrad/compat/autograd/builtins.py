"""Python's own containers and type tests, which hold Variables and know them.

Autograd needs containers of its own for what a function returns; here any nesting of Python's does.
"""

from __future__ import annotations

import builtins
from typing import Any

from tapegrad.compat.autograd.vspaces import ContainerVSpace

dict, list, tuple, isinstance = (
    builtins.dict,
    builtins.list,
    builtins.tuple,
    builtins.isinstance,
)

__all__ = ["ContainerVSpace", "dict", "isinstance", "list", "tuple", "type"]


def type(x: object) -> Any:  # noqa: A001 - Autograd's name
    """The type of `x`; of a Variable, that of what it stands for.

    >>> import tapegrad as tg
    >>> from tapegrad.compat.autograd.builtins import type
    >>> type(tg.Variable(1.0))
    <class 'float'>
    """
    return x.__class__
