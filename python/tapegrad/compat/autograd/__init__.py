"""The names of HIPS Autograd, over tapegrad's own derivatives.

>>> import tapegrad.compat.autograd.numpy as np
>>> from tapegrad.compat.autograd import grad
>>> grad(lambda x: np.sum(np.tanh(x)))(np.array([0.0, 1.0]))
array([1.        , 0.41997434])
"""

from tapegrad.compat.autograd.builtins import dict, isinstance, list, tuple, type
from tapegrad.compat.autograd.core import primitive
from tapegrad.compat.autograd.differential_operators import (
    checkpoint,
    deriv,
    elementwise_grad,
    grad,
    grad_and_aux,
    grad_named,
    hessian,
    hessian_tensor_product,
    hessian_vector_product,
    holomorphic_grad,
    jacobian,
    make_ggnvp,
    make_hvp,
    make_jvp,
    make_vjp,
    multigrad_dict,
    tensor_jacobian_product,
    value_and_grad,
    vector_jacobian_product,
)

__all__ = [
    "checkpoint",
    "deriv",
    "dict",
    "elementwise_grad",
    "grad",
    "grad_and_aux",
    "grad_named",
    "hessian",
    "hessian_tensor_product",
    "hessian_vector_product",
    "holomorphic_grad",
    "isinstance",
    "jacobian",
    "list",
    "make_ggnvp",
    "make_hvp",
    "make_jvp",
    "make_vjp",
    "multigrad_dict",
    "primitive",
    "tensor_jacobian_product",
    "tuple",
    "type",
    "value_and_grad",
    "vector_jacobian_product",
]
