"""scipy.sparse with derivatives; what has none here is SciPy's own.

SciPy's own sparse matrices need nothing of this: `A @ v`, `v @ A`, `A.dot(v)`, `A.T @ v` and
`A * v` have their derivatives in v. The functions here make sparse matrices whose elements are
Variables.
"""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.sparse.constructors import (
    coo_array,
    coo_matrix,
    csc_array,
    csc_matrix,
    csr_array,
    csr_matrix,
    dia_array,
    dia_matrix,
    diags,
    diags_array,
)
from tapegrad.scipy.sparse.matrix import SparseVariable

__all__ = [
    "SparseVariable", "coo_array", "coo_matrix", "csc_array", "csc_matrix", "csr_array",
    "csr_matrix", "dia_array", "dia_matrix", "diags", "diags_array",
]  # fmt: skip

__getattr__ = others_of("scipy.sparse")
