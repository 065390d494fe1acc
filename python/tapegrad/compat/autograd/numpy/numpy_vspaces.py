"""The vector spaces of arrays and complex arrays."""

from tapegrad.compat.autograd.refusals import refusing
from tapegrad.compat.autograd.vspaces import ArrayVSpace, ComplexArrayVSpace, VSpace

__all__ = ["ArrayVSpace", "ComplexArrayVSpace", "VSpace"]

__getattr__ = refusing(__name__)
