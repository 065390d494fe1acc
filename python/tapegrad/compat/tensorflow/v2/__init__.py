"""TensorFlow 2's way: tensors have their values at once, and a tape watches them.

>>> import tapegrad.compat.tensorflow.v2 as tf
>>> w = tf.Variable([1.0, 2.0])
>>> optimizer = tf.optimizers.SGD(learning_rate=0.1)
>>> with tf.GradientTape() as tape:
...     loss = tf.reduce_sum(w**2)
>>> gradient = tape.gradient(loss, w)
>>> gradient.numpy()
array([2., 4.])
>>> steps = optimizer.apply_gradients([(gradient, w)])
>>> w.numpy()
array([0.8, 1.6])
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from types import FunctionType
from typing import Any

from tapegrad.compat.tensorflow.dispatch import Mode
from tapegrad.compat.tensorflow.refusals import refusing
from tapegrad.compat.tensorflow.training.gradients import UnconnectedGradients
from tapegrad.compat.tensorflow.v2 import keras, optimizers
from tapegrad.compat.tensorflow.v2.tape import GradientTape, custom_gradient
from tapegrad.compat.tensorflow.v2.tensors import EagerTensor as Tensor
from tapegrad.compat.tensorflow.v2.tensors import Variable

# Of version 1's names those that speak of graphs and sessions.
_GRAPHS = frozenset(
    [
        "AUTO_REUSE",
        "ConfigProto",
        "GPUOptions",
        "Graph",
        "GraphKeys",
        "InteractiveSession",
        "Operation",
        "Print",
        "Session",
        "VariableScope",
        "add_to_collection",
        "all_variables",
        "assign",
        "assign_add",
        "assign_sub",
        "control_dependencies",
        "disable_eager_execution",
        "disable_v2_behavior",
        "enable_eager_execution",
        "get_collection",
        "get_default_graph",
        "get_default_session",
        "get_variable",
        "get_variable_scope",
        "global_variables",
        "global_variables_initializer",
        "gradients",
        "hessians",
        "initialize_all_variables",
        "is_variable_initialized",
        "layers",
        "local_variables",
        "local_variables_initializer",
        "losses",
        "placeholder",
        "placeholder_with_default",
        "report_uninitialized_variables",
        "reset_default_graph",
        "scatter_add",
        "scatter_sub",
        "scatter_update",
        "set_random_seed",
        "train",
        "trainable_variables",
        "variable_scope",
        "variables_initializer",
    ]
)
_MODULES = frozenset({"linalg", "math", "nn", "random"})


def function(func: Any = None, **_: Any) -> Any:
    """The function itself: nothing is compiled. `tg.compile` does that for NumPy's arrays."""
    return func if func is not None else lambda f: f


def executing_eagerly() -> bool:
    """Whether tensors have their values at once."""
    return True


def enable() -> None:
    """Version 1's names are eager from here on."""
    Mode.set_everywhere(True)


def _eager(f: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(f)
    def called(*args: Any, **kwargs: Any) -> Any:
        before, Mode.eager = Mode.eager, True
        try:
            return f(*args, **kwargs)
        finally:
            Mode.eager = before

    return called


class _Namespace:
    """A module of version 1's, whose functions are eager."""

    def __init__(self, module: Any) -> None:
        self._module = module

    def __getattr__(self, name: str) -> Any:
        found = getattr(self._module, name)
        made = _eager(found) if isinstance(found, FunctionType) else found
        setattr(self, name, made)
        return made

    def __dir__(self) -> list[str]:
        return dir(self._module)


def __getattr__(name: str) -> Any:
    from tapegrad.compat import tensorflow as v1

    if name == "compat":
        return v1.compat
    if name.startswith("_") or name in _GRAPHS or name not in v1.__all__:
        return _missing(name)
    found = getattr(v1, name)
    if name in _MODULES:
        found = _Namespace(found)
    elif isinstance(found, FunctionType):
        found = _eager(found)
    globals()[name] = found
    return found


def __dir__() -> list[str]:
    from tapegrad.compat import tensorflow as v1

    return sorted((set(globals()) | set(v1.__all__)) - _GRAPHS)


_missing = refusing("", __dir__)

__all__ = [
    "GradientTape",
    "Tensor",
    "UnconnectedGradients",
    "Variable",
    "custom_gradient",
    "enable",
    "executing_eagerly",
    "function",
    "keras",
    "optimizers",
]
