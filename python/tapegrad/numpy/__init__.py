"""NumPy's functions, ufuncs and array methods on Variables.

`table` holds one registration for each NumPy function; the other modules make them, family by
family, and `ufuncs` answers what the core's fast path does not.
"""

from tapegrad import _core
from tapegrad.numpy import (  # noqa: F401 - they register functions
    calls,
    creation,
    decompositions,
    fourier,
    histograms,
    interpolation,
    joining,
    linear_algebra,
    missing,
    order,
    polynomials,
    quantiles,
    queries,
    reductions,
    selection,
    sets,
    shapes,
    signals,
    spaces,
    special,
    statistics,
    windows,
    writes,
)
from tapegrad.numpy.methods import attach_methods
from tapegrad.numpy.table import array_function
from tapegrad.numpy.ufuncs import array_ufunc

_core.set_hooks(array_function=array_function, array_ufunc=array_ufunc)
attach_methods(_core.Variable)


def __getattr__(name: str) -> object:
    # `import tapegrad.numpy as np`: NumPy, with arrays that take Variables (transforms/blanks.py).
    if name.startswith("__"):
        raise AttributeError(name)
    from tapegrad.transforms.blanks import function

    return function(name)
