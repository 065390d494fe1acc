"""scipy.linalg with derivatives; what has none here is SciPy's own."""

from tapegrad.scipy.functions import others_of
from tapegrad.scipy.linalg.decompositions import (
    cholesky,
    eigh,
    eigvalsh,
    null_space,
    orth,
    polar,
    qr,
    svd,
    svdvals,
)
from tapegrad.scipy.linalg.matrix_functions import expm, expm_frechet
from tapegrad.scipy.linalg.solving import (
    cho_factor,
    cho_solve,
    det,
    inv,
    lstsq,
    norm,
    pinv,
    pinvh,
    solve,
    solve_toeplitz,
    solve_triangular,
)
from tapegrad.scipy.linalg.special_matrices import (
    block_diag,
    circulant,
    companion,
    convolution_matrix,
    diagsvd,
    hankel,
    khatri_rao,
    matmul_toeplitz,
    toeplitz,
)

__all__ = [
    "block_diag",
    "cho_factor",
    "cho_solve",
    "cholesky",
    "circulant",
    "companion",
    "convolution_matrix",
    "det",
    "diagsvd",
    "eigh",
    "eigvalsh",
    "expm",
    "expm_frechet",
    "hankel",
    "inv",
    "khatri_rao",
    "lstsq",
    "matmul_toeplitz",
    "norm",
    "null_space",
    "orth",
    "pinv",
    "pinvh",
    "polar",
    "qr",
    "solve",
    "solve_toeplitz",
    "solve_triangular",
    "svd",
    "svdvals",
    "toeplitz",
]

__getattr__ = others_of("scipy.linalg")
