"""`theano.tensor.extra_ops`: what programs take from it most."""

from __future__ import annotations

from typing import Any

import numpy as np

from tapegrad.compat.theano.refusals import refusing
from tapegrad.compat.theano.tensor.elementwise import cumprod, cumsum
from tapegrad.compat.theano.tensor.shaping import repeat
from tapegrad.compat.theano.variables import apply, config


def to_one_hot(y: Any, nb_class: Any, dtype: Any = None) -> Any:
    """A row for each number, with a one at its place."""
    return apply(_one_hot, y, nb_class, dtype or config.floatX, cuts=True)


def _one_hot(y: Any, n: Any, dtype: str) -> Any:
    return (np.expand_dims(y, -1) == np.arange(int(n))).astype(dtype)


__all__ = ["cumprod", "cumsum", "repeat", "to_one_hot"]
__getattr__ = refusing("tensor.extra_ops", globals())
