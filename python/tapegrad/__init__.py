"""Exact derivatives of ordinary NumPy programs, recorded on a C++ tape.

>>> import numpy as np
>>> import tapegrad as tg
>>> tg.grad(lambda x: np.sum(np.exp(-x) * x))(np.array([0.0, 1.0]))
array([1., 0.])
"""

from typing import Any

from tapegrad import _blas
from tapegrad import numpy as _numpy  # noqa: F401 - registers what NumPy functions do
from tapegrad._core import SGD, Variable
from tapegrad._threads import get_num_threads, set_num_threads
from tapegrad.compile import compile
from tapegrad.transforms.blanks import patch_numpy
from tapegrad.transforms.checkpoint import checkpoint
from tapegrad.transforms.gradients import elementwise_grad, grad, value_and_grad, vjp
from tapegrad.transforms.holomorphic import holomorphic_grad
from tapegrad.transforms.jacobians import hessian, hvp, jacobian, jvp
from tapegrad.transforms.recording import no_grad
from tapegrad.transforms.scan import scan
from tapegrad.transforms.trace import pack_array as _pack  # noqa: F401 - the core calls it
from tapegrad.transforms.trace import stop_gradient, value
from tapegrad.transforms.vmap import vmap

__version__ = "0.1.0"

_blas.use_own_library()

__all__ = [
    "SGD",
    "Variable",
    "__version__",
    "checkpoint",
    "compile",
    "elementwise_grad",
    "get_num_threads",
    "grad",
    "hessian",
    "holomorphic_grad",
    "hvp",
    "jacobian",
    "jvp",
    "memory",
    "no_grad",
    "numerical",
    "optim",
    "patch_numpy",
    "scan",
    "set_num_threads",
    "stop_gradient",
    "testing",
    "value",
    "value_and_grad",
    "vjp",
    "vmap",
]

_LAZY = frozenset({"memory", "numerical", "optim", "testing"})


def __getattr__(name: str) -> Any:
    if name == "ComplexVariable":
        from tapegrad.complex import ComplexVariable

        return ComplexVariable
    if name in _LAZY:
        import importlib

        return importlib.import_module(f"tapegrad.{name}")
    raise AttributeError(f"module 'tapegrad' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(set(globals()) | _LAZY | {"ComplexVariable"})
