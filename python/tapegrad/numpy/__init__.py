"""NumPy's functions, ufuncs and array methods on Variables.

There is one registration for each NumPy function (`table`), made by the module of its family; those
that most programs do without are loaded at the first call (`families`). `ufuncs` answers what the
core's fast path does not.
"""

from tapegrad import _core
from tapegrad.numpy import (  # noqa: F401 - what methods and the core are made of
    linear_algebra,
    order,
    queries,
    reductions,
    selection,
    shapes,
)
from tapegrad.numpy.families import publish
from tapegrad.numpy.methods import attach_methods
from tapegrad.numpy.sequences import install
from tapegrad.numpy.table import array_function
from tapegrad.numpy.ufuncs import array_ufunc

publish()
_core.set_hooks(array_function=array_function, array_ufunc=array_ufunc)
attach_methods(_core.Variable)
install()


def __getattr__(name: str) -> object:
    # `import tapegrad.numpy as np`: NumPy, with arrays that take Variables (transforms/blanks.py).
    if name.startswith("__"):
        raise AttributeError(name)
    from tapegrad.transforms.blanks import function

    return function(name)
