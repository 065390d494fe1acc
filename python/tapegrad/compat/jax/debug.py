"""jax.debug: printing. A program prints while it is recorded, and no more."""

from __future__ import annotations

from typing import Any

from tapegrad.compat.jax.refusals import refusing
from tapegrad.transforms.trace import value

__getattr__ = refusing(__name__, "debug.")


def print(fmt: str, *args: Any, ordered: bool = False, **kwargs: Any) -> None:
    """Prints a text with values in it.

    >>> from tapegrad.compat import jax
    >>> jax.debug.print("x = {x}", x=jax.numpy.arange(2.0))
    x = [0. 1.]
    """
    import builtins

    builtins.print(fmt.format(*map(_told, args), **{k: _told(x) for k, x in kwargs.items()}))


def _told(x: Any) -> Any:
    import numpy as np

    found = value(x)
    return np.asarray(found) if isinstance(found, np.ndarray) else found
