"""JAX's names over tapegrad: a program moves by its imports.

Use `from tapegrad.compat import jax` and `import tapegrad.compat.jax.numpy as jnp`; the page
docs/moving_from_jax.md says what is there and what differs.

>>> import tapegrad.compat.jax.numpy as jnp
>>> from tapegrad.compat import jax
>>> jax.grad(lambda x: jnp.sum(jnp.sin(x) ** 2))(jnp.array([0.0, 0.5]))
Array([0.        , 0.84147098], dtype=float64)
"""

from __future__ import annotations

from typing import Any

from tapegrad.compat.jax import core as core
from tapegrad.compat.jax import tree as tree
from tapegrad.compat.jax import tree_util as tree_util
from tapegrad.compat.jax.arrays import Array
from tapegrad.compat.jax.config import config
from tapegrad.compat.jax.core import (
    ShapeDtypeStruct,
    block_until_ready,
    default_backend,
    device_get,
    device_put,
    devices,
    eval_shape,
    named_call,
    named_scope,
)
from tapegrad.compat.jax.functions.arguments import float0
from tapegrad.compat.jax.functions.batching import vmap
from tapegrad.compat.jax.functions.jitting import disable_jit, jit
from tapegrad.compat.jax.functions.rules import (
    checkpoint,
    custom_jvp,
    custom_vjp,
    pure_callback,
    remat,
)
from tapegrad.compat.jax.functions.transforms import (
    grad,
    hessian,
    jacfwd,
    jacobian,
    jacrev,
    jvp,
    linear_transpose,
    linearize,
    value_and_grad,
    vjp,
)
from tapegrad.compat.jax.refusals import refusing as _refusing

__version__ = "0.10"
_MODULES = (
    "debug", "example_libraries", "flatten_util", "lax", "nn", "numpy", "ops", "random", "scipy",
    "test_util", "typing",
)  # fmt: skip
_missing = _refusing(__name__)

__all__ = [
    "Array",
    "ShapeDtypeStruct",
    "block_until_ready",
    "checkpoint",
    "config",
    "custom_jvp",
    "custom_vjp",
    "default_backend",
    "device_get",
    "device_put",
    "devices",
    "disable_jit",
    "eval_shape",
    "float0",
    "grad",
    "hessian",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "linear_transpose",
    "linearize",
    "named_call",
    "named_scope",
    "pure_callback",
    "remat",
    "value_and_grad",
    "vjp",
    "vmap",
]


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        from importlib import import_module

        return import_module(f"{__name__}.{name}")
    if name == "tree_map":
        return tree_util.tree_map
    return _missing(name)


def __dir__() -> list[str]:
    return sorted({*__all__, *_MODULES, "tree", "tree_util", "core"})
