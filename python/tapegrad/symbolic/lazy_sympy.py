"""SymPy, which is installed with the extra `symbolic`."""

from typing import Any

try:
    import sympy as _sympy
except ImportError as error:
    raise ImportError(
        "tapegrad.symbolic: formulas are SymPy's, which is not installed; "
        "pip install tapegrad[symbolic]"
    ) from error

sympy: Any = _sympy
