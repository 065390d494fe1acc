"""Complex numbers: a complex array is a pair of real Variables.

Kernels, tape and sweeps know real numbers alone; everything here is composed of real operations,
so derivatives of every order, lanes and programs follow.
"""

from tapegrad.complex import methods  # noqa: F401 - it gives the class its methods
from tapegrad.complex.parts import is_complex
from tapegrad.complex.variable import ComplexVariable

__all__ = ["ComplexVariable", "is_complex"]
