"""Programs in JAX's way, each a function of the module `jax`: of JAX's, or of the one here.

They return nestings of arrays. `reference.py` writes what JAX gives into `expected.json`, with
which the tests compare.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

EXPECTED = Path(__file__).with_name("expected.json")
PROGRAMS: dict[str, Callable[[Any], Any]] = {}


def program(f):
    PROGRAMS[f.__name__] = f
    return f


def flat(jax, tree):
    """The leaves of a result, as NumPy's arrays."""
    return [np.asarray(x) for x in jax.tree_util.tree_leaves(tree)]


def written(x):
    """An array as JSON has it."""
    values = x.ravel().tolist()
    if x.dtype.kind == "c":
        values = [[value.real, value.imag] for value in values]
    return {"shape": x.shape, "dtype": str(x.dtype), "values": values}


def read(entry):
    """An array of JSON."""
    values = np.array(entry["values"])
    if entry["dtype"].startswith("complex"):
        values = values.reshape(-1, 2) @ np.array([1, 1j])
    return values.reshape(entry["shape"]).astype(entry["dtype"])
