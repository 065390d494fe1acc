"""NumPy's functions, ufuncs and array methods on Variables.

`table` holds one registration for each NumPy function; the other modules make them, family by
family, and `ufuncs` answers what the core's fast path does not.
"""

from tapegrad import _core
from tapegrad.numpy import (  # noqa: F401 - they register functions
    creation,
    decompositions,
    joining,
    linear_algebra,
    order,
    queries,
    reductions,
    selection,
    shapes,
)
from tapegrad.numpy.methods import attach_methods
from tapegrad.numpy.table import array_function
from tapegrad.numpy.ufuncs import array_ufunc

_core.set_hooks(array_function=array_function, array_ufunc=array_ufunc)
attach_methods(_core.Variable)
