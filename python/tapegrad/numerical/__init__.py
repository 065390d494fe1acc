"""Derivatives by finite differences: slow and inexact, for comparison and checking only.

from tapegrad import numerical
numerical.grad(lambda x: x**3)(2.0)  # 12.0000000000...
"""

from tapegrad.numerical.functions import (
    derivative,
    directional,
    grad,
    hessian,
    jacobian,
    jvp,
)

__all__ = ["derivative", "directional", "grad", "hessian", "jacobian", "jvp"]
