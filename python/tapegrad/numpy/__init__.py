"""NumPy's functions, ufuncs and array methods on Variables.

`table` maps each NumPy function to an implementation with the same signature; the other modules
fill it, family by family, and `ufuncs` answers what the core's fast path does not.
"""

from tapegrad import _core
from tapegrad.numpy import joining, linear_algebra, order, plain, reductions, selection, shapes
from tapegrad.numpy.methods import attach_methods
from tapegrad.numpy.table import array_function
from tapegrad.numpy.ufuncs import array_ufunc

__all__ = ["joining", "linear_algebra", "order", "plain", "reductions", "selection", "shapes"]

_core.set_hooks(array_function=array_function, array_ufunc=array_ufunc)
attach_methods(_core.Variable)
