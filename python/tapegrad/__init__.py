"""Exact derivatives of ordinary NumPy programs, recorded on a C++ tape.

>>> import numpy as np
>>> import tapegrad as tg
>>> tg.grad(lambda x: np.sum(np.exp(-x) * x))(np.array([0.0, 1.0]))
array([1., 0.])
"""

from typing import TYPE_CHECKING, Any

from tapegrad import _blas
from tapegrad import numpy as _numpy  # noqa: F401 - registers what NumPy functions do
from tapegrad._core import SGD, Variable
from tapegrad._threads import get_num_threads, set_num_threads
from tapegrad.compile import compile
from tapegrad.numpy.operands import of_objects as _pack  # noqa: F401 - the core calls it
from tapegrad.transforms.blanks import patch_numpy
from tapegrad.transforms.gradients import elementwise_grad, grad, value_and_grad, vjp
from tapegrad.transforms.trace import stop_gradient, value

if TYPE_CHECKING:
    from tapegrad.complex import ComplexVariable
    from tapegrad.inspect.trace_table import trace_table
    from tapegrad.operations.custom import custom_jvp, custom_vjp
    from tapegrad.operations.functions import (
        def_linear,
        defjvp,
        defjvp_argnum,
        defjvp_argnums,
        defvjp,
        defvjp_argnum,
        defvjp_argnums,
    )
    from tapegrad.operations.primitive import notrace_primitive, primitive
    from tapegrad.transforms.anomaly import AnomalyError, detect_anomaly
    from tapegrad.transforms.checkpoint import checkpoint
    from tapegrad.transforms.holomorphic import holomorphic_grad
    from tapegrad.transforms.jacobians import hessian, hvp, jacobian, jvp
    from tapegrad.transforms.recording import no_grad
    from tapegrad.transforms.scan import scan
    from tapegrad.transforms.vmap import vmap

__version__ = "0.1.0"

_blas.use_own_library()

__all__ = [
    "SGD",
    "AnomalyError",
    "ComplexVariable",
    "Variable",
    "__version__",
    "checkpoint",
    "compile",
    "custom_jvp",
    "custom_vjp",
    "def_linear",
    "defjvp",
    "defjvp_argnum",
    "defjvp_argnums",
    "defvjp",
    "defvjp_argnum",
    "defvjp_argnums",
    "detect_anomaly",
    "elementwise_grad",
    "get_num_threads",
    "grad",
    "hessian",
    "holomorphic_grad",
    "hvp",
    "inspect",
    "jacobian",
    "jvp",
    "memory",
    "no_grad",
    "notrace_primitive",
    "numerical",
    "optim",
    "patch_numpy",
    "primitive",
    "scan",
    "scipy",
    "set_num_threads",
    "stop_gradient",
    "symbolic",
    "testing",
    "trace_table",
    "value",
    "value_and_grad",
    "vjp",
    "vmap",
]

# What is loaded at its first use: the modules, and where the functions are.
_MODULES = frozenset({"inspect", "memory", "numerical", "optim", "scipy", "symbolic", "testing"})
_FUNCTIONS = {
    "AnomalyError": "transforms.anomaly",
    "ComplexVariable": "complex",
    "checkpoint": "transforms.checkpoint",
    "custom_jvp": "operations.custom",
    "custom_vjp": "operations.custom",
    "def_linear": "operations.functions",
    "defjvp": "operations.functions",
    "defjvp_argnum": "operations.functions",
    "defjvp_argnums": "operations.functions",
    "defvjp": "operations.functions",
    "defvjp_argnum": "operations.functions",
    "defvjp_argnums": "operations.functions",
    "detect_anomaly": "transforms.anomaly",
    "hessian": "transforms.jacobians",
    "holomorphic_grad": "transforms.holomorphic",
    "hvp": "transforms.jacobians",
    "jacobian": "transforms.jacobians",
    "jvp": "transforms.jacobians",
    "no_grad": "transforms.recording",
    "notrace_primitive": "operations.primitive",
    "primitive": "operations.primitive",
    "scan": "transforms.scan",
    "trace_table": "inspect.trace_table",
    "vmap": "transforms.vmap",
}


def _near(name: str) -> str:
    """What may have been meant by a name that is not there."""
    if name.startswith("_"):
        return ""
    from difflib import get_close_matches

    near = get_close_matches(name, [n for n in __dir__() if not n.startswith("_")], 2)
    return f"; did you mean {' or '.join(near)}?" if near else ""


def __getattr__(name: str) -> Any:
    if name not in _MODULES and name not in _FUNCTIONS:
        raise AttributeError(f"module 'tapegrad' has no attribute {name!r}{_near(name)}")
    from importlib import import_module

    if name in _MODULES:
        return import_module(f"tapegrad.{name}")
    module = import_module(f"tapegrad.{_FUNCTIONS[name]}")
    found = globals()[name] = getattr(module, name)
    return found


def __dir__() -> list[str]:
    return sorted(set(globals()) | _MODULES | set(_FUNCTIONS))
