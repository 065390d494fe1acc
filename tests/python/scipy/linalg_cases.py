"""Calls of scipy.linalg with Variables, by name: the function and its arguments."""

import numpy as np
import scipy

from tapegrad.scipy import linalg

SCIPY = tuple(map(int, scipy.__version__.split(".")[:2]))


def rng():
    return np.random.default_rng(7)


def matrix(n=3, m=None):
    return rng().standard_normal((n, m or n)) + (0 if m else 2.0 * np.eye(n))


def symmetric(n=3):
    a = matrix(n)
    return a + a.T


def positive(n=3):
    a = matrix(n)
    return a @ a.T + np.eye(n)


def sym(f):
    """`f` of the symmetric part, in which it is smooth however the argument moves."""
    return lambda a, *rest: f((a + a.T) / 2.0, *rest)


def whole(q, r):
    """Of a square basis: the space that is left beside the first columns, and what they span."""
    n = r.shape[-1]
    return q[:, n:] @ q[:, n:].T, q[:, :n] @ q[:, :n].T, r


def projectors(w, v):
    """What does not depend on the signs of the vectors, which NumPy and SciPy choose apart."""
    return w, v.T[:, :, None] * v.T[:, None, :]


def parts(w, v=None):
    """Real and imaginary parts of eigenvalues, and of vectors up to their sign."""
    found = (w,) if v is None else (w, v[..., None, :] * v[..., None, :, :])
    return tuple(part for z in found for part in (np.real(z), np.imag(z) + 0.0 * np.real(z)))


A, P, S, B, V = matrix(), positive(), symmetric(), matrix(3, 2), matrix(1, 3)[0]
TALL, WIDE, STACK = matrix(4, 3), matrix(3, 4), np.stack([matrix(), matrix().T + 1.0])

E2 = np.array([0.6, -0.9])
REAL = A @ np.diag([2.0, -1.0, 0.5]) @ np.linalg.inv(A)  # with real eigenvalues

# Name: the function of Variables, and its arguments.
CASES = {
    "schur": (linalg.schur, (REAL,)),
    "schur sorted": (lambda a: linalg.schur(a, sort="lhp")[:2], (REAL,)),
    "solve": (linalg.solve, (A, B)),
    "solve vector": (linalg.solve, (A, V)),
    "solve stack": (linalg.solve, (STACK, B)),
    "solve transposed": (lambda a, b: linalg.solve(a, b, transposed=True), (A, B)),
    "solve number": (linalg.solve, (np.array([[2.0]]), V)),
    "solve sym": (sym(lambda a, b: linalg.solve(a, b, assume_a="sym")), (S, B)),
    "solve her": (sym(lambda a, b: linalg.solve(a, b, assume_a="her", lower=True)), (S, B)),
    "solve pos": (sym(lambda a, b: linalg.solve(a, b, assume_a="pos")), (P, B)),
    "solve pos lower": (sym(lambda a, b: linalg.solve(a, b, lower=True, assume_a="pos")), (P, V)),
    "solve upper": (lambda a, b: linalg.solve(a, b, assume_a="upper triangular"), (A, B)),
    "solve lower": (
        lambda a, b: linalg.solve(a, b, assume_a="lower triangular", transposed=True),
        (A, V),
    ),
    "solve diagonal": (lambda a, b: linalg.solve(a, b, assume_a="diagonal"), (A, B)),
    "solve diagonal vector": (lambda a, b: linalg.solve(a, b, assume_a="diagonal"), (A, V)),
    "solve tridiagonal": (lambda a, b: linalg.solve(a, b, assume_a="tridiagonal"), (P, V)),
    "solve banded": (lambda a, b: linalg.solve(a, b, assume_a="banded"), (A, V)),
    "solve_triangular": (linalg.solve_triangular, (A, B)),
    "solve_triangular T": (lambda a, b: linalg.solve_triangular(a, b, trans="T"), (A, V)),
    "solve_triangular lower unit": (
        lambda a, b: linalg.solve_triangular(a, b, 1, True, True),
        (A, B),
    ),
    "inv": (linalg.inv, (A,)),
    "inv stack": (linalg.inv, (STACK,)),
    "inv pos": (sym(lambda a: linalg.inv(a, assume_a="pos", lower=True)), (P,)),
    "inv lower": (lambda a: linalg.inv(a, assume_a="lower triangular"), (A,)),
    "det": (linalg.det, (A,)),
    "det stack": (linalg.det, (STACK,)),
    "norm": (linalg.norm, (A,)),
    "norm 1": (lambda a: linalg.norm(a, 1, axis=0, keepdims=True), (A,)),
    "norm nuc": (lambda a: linalg.norm(a, "nuc"), (A,)),
    "lstsq": (lambda a, b: linalg.lstsq(a, b)[:2], (TALL, matrix(4, 2))),
    "lstsq vector": (lambda a, b: linalg.lstsq(a, b)[:2], (TALL, matrix(1, 4)[0])),
    "lstsq wide": (lambda a, b: linalg.lstsq(a, b, 1e-12)[0], (WIDE, V)),
    "pinv": (linalg.pinv, (TALL,)),
    "pinv cutoff": (lambda a: linalg.pinv(a, atol=0.1, rtol=0.01), (TALL,)),
    "pinvh": (sym(lambda a: linalg.pinvh(a, lower=False)), (S,)),
    "cho_factor": (sym(lambda a: linalg.cho_factor(a)[0]), (P,)),
    "cho_factor lower": (sym(lambda a: linalg.cho_factor(a, lower=True)[0]), (P,)),
    "cho_solve": (lambda c, b: linalg.cho_solve((c, False), b), (A, B)),
    "cho_solve lower": (lambda c, b: linalg.cho_solve((c, True), b), (A, V)),
    "cholesky": (sym(linalg.cholesky), (P,)),
    "cholesky lower": (sym(lambda a: linalg.cholesky(a, True)), (P,)),
    "qr": (linalg.qr, (A,)),
    "qr wide": (linalg.qr, (WIDE,)),
    "qr full": (lambda a: whole(*linalg.qr(a)), (TALL,)),
    "qr economic": (lambda a: linalg.qr(a, mode="economic"), (TALL,)),
    "qr r": (lambda a: linalg.qr(a, mode="r"), (TALL,)),
    "qr pivoting": (lambda a: linalg.qr(a, mode="economic", pivoting=True)[:2], (TALL,)),
    "svd": (linalg.svd, (A,)),
    "svd full": (lambda a: whole(linalg.svd(a)[0], linalg.svd(a)[1]), (TALL,)),
    "svd tall": (lambda a: linalg.svd(a, full_matrices=False), (TALL,)),
    "svd values": (lambda a: linalg.svd(a, compute_uv=False), (TALL,)),
    "svdvals": (linalg.svdvals, (TALL,)),
    "eigh": (sym(lambda a: projectors(*linalg.eigh(a))), (S,)),
    "eigh upper": (sym(lambda a: projectors(*linalg.eigh(a, lower=False))), (S,)),
    "eigh pair": (lambda a, b: projectors(*linalg.eigh((a + a.T) / 2, (b + b.T) / 2)), (S, P)),
    "eigh pair 2": (
        lambda a, b: projectors(*linalg.eigh((a + a.T) / 2, (b + b.T) / 2, type=2)),
        (S, P),
    ),
    "eigh pair 3": (
        lambda a, b: projectors(*linalg.eigh((a + a.T) / 2, (b + b.T) / 2, type=3)),
        (S, P),
    ),
    "eigvalsh": (sym(linalg.eigvalsh), (S,)),
    "eigvalsh pair": (lambda a, b: linalg.eigvalsh((a + a.T) / 2, (b + b.T) / 2), (S, P)),
    "polar": (linalg.polar, (A,)),
    "polar left": (lambda a: linalg.polar(a, "left"), (TALL,)),
    "orth": (linalg.orth, (TALL,)),
    "null_space": (lambda a: linalg.null_space(a), (WIDE,)),
    "expm": (linalg.expm, (A,)),
    "expm small": (lambda a: linalg.expm(a * 1e-3), (A,)),
    "expm middle": (lambda a: linalg.expm(a * 0.2), (A,)),
    "expm stack": (linalg.expm, (STACK,)),
    "expm_frechet": (linalg.expm_frechet, (A, S)),
    "toeplitz": (linalg.toeplitz, (V, matrix(1, 4)[0])),
    "toeplitz one": (linalg.toeplitz, (V,)),
    "circulant": (linalg.circulant, (V,)),
    "circulant stack": (linalg.circulant, (B,)),
    "hankel": (linalg.hankel, (V, matrix(1, 4)[0])),
    "hankel one": (linalg.hankel, (V,)),
    "block_diag": (linalg.block_diag, (A, B, V)),
    "companion": (linalg.companion, (matrix(1, 4)[0] + 2.0,)),
    "convolution_matrix": (lambda a: linalg.convolution_matrix(a, 4), (V,)),
    "convolution_matrix same": (lambda a: linalg.convolution_matrix(a, 4, "same"), (V,)),
    "convolution_matrix valid": (lambda a: linalg.convolution_matrix(a, 2, "valid"), (V,)),
    "khatri_rao": (linalg.khatri_rao, (A, TALL)),
    "diagsvd": (lambda s: linalg.diagsvd(s, 3, 4), (V,)),
    "matmul_toeplitz": (lambda c, x: linalg.matmul_toeplitz(c, x), (V, B)),
    "solve_toeplitz": (lambda c, r, b: linalg.solve_toeplitz((c, r), b), (V, V[::-1], B)),
    "solve_circulant": (linalg.solve_circulant, (V + np.array([3.0, 0, 0]), B)),
    "solve_circulant axes": (
        lambda c, b: linalg.solve_circulant(c, b, baxis=1, outaxis=-1),
        (V + np.array([3.0, 0, 0]), B.T),
    ),
    "eig": (lambda a: parts(*linalg.eig(a)), (matrix(4),)),
    "eig real": (lambda a: parts(*linalg.eig(a)), (REAL,)),
    "eig stack": (lambda a: parts(*linalg.eig(a)), (STACK,)),
    "eigvals": (lambda a: parts(linalg.eigvals(a)), (matrix(4),)),
    "eigvals alone": (lambda a: parts(linalg.eig(a, right=False)), (matrix(4),)),
    "eig pair": (lambda a, b: parts(*linalg.eig(a, b)), (REAL, np.diag([1.0, 1.1, 1.3]))),
    "eigvals pair": (lambda a, b: parts(linalg.eigvals(a, b)), (matrix(4), positive(4))),
    "eigh_tridiagonal": (lambda d, e: projectors(*linalg.eigh_tridiagonal(d, e)), (V, E2)),
    "eigh_tridiagonal places": (
        lambda d, e: projectors(*linalg.eigh_tridiagonal(d, e, select="i", select_range=(1, 2))),
        (V, E2),
    ),
    "eigvalsh_tridiagonal": (linalg.eigvalsh_tridiagonal, (V, E2)),
    "eigvalsh_tridiagonal values": (
        lambda d, e: linalg.eigvalsh_tridiagonal(d, e, "v", (-0.5, 9.0)),
        (V, E2),
    ),
    "eig_banded": (lambda a: projectors(*linalg.eig_banded(a)), (WIDE,)),
    "eig_banded lower": (lambda a: projectors(*linalg.eig_banded(a, lower=True)), (WIDE,)),
    "eigvals_banded": (
        lambda a: linalg.eigvals_banded(a, select="i", select_range=(0, 1)),
        (WIDE,),
    ),
    "orthogonal_procrustes": (linalg.orthogonal_procrustes, (TALL, matrix(3, 4).T)),
    "subspace_angles": (linalg.subspace_angles, (TALL[:, :2], matrix(2, 4).T)),
    "subspace_angles apart": (linalg.subspace_angles, (np.eye(5, 1) + 0.1, np.eye(5, 2, -1))),
}

BAND = np.random.default_rng(2).uniform(0.2, 0.8, (4, 5)) + np.array([[0], [0], [3.0], [0]])
UPPER = np.random.default_rng(3).uniform(0.2, 0.6, (3, 5)) + np.array([[0], [0], [3.0]])
LOWER, RIGHT = UPPER[::-1].copy(), matrix(5, 2)
SMALL = 0.3 * A / np.linalg.norm(A)
SOLVED_BY_SCIPY = {
    "solve_sylvester": (linalg.solve_sylvester, (P, matrix(2) + 2 * np.eye(2), B)),
    "solve_continuous_lyapunov": (linalg.solve_continuous_lyapunov, (P, S)),
    "solve_lyapunov": (linalg.solve_lyapunov, (P, A)),
    "solve_discrete_lyapunov": (linalg.solve_discrete_lyapunov, (SMALL, A)),
    "solve_discrete_lyapunov bilinear": (
        lambda a, q: linalg.solve_discrete_lyapunov(a, q, "bilinear"),
        (SMALL, S),
    ),
    "sqrtm": (linalg.sqrtm, (P + 0.3 * A,)),
    "logm": (linalg.logm, (P + 0.3 * A,)),
    **{
        name: (lambda a, name=name: getattr(linalg, name)(a), (0.4 * A,))
        for name in ("cosm", "sinm", "tanm", "coshm", "sinhm", "tanhm")
    },
    "signm": (linalg.signm, (REAL,)),
    "fractional_matrix_power": (
        lambda a, t: linalg.fractional_matrix_power(a, t),
        (P + 0.3 * A, np.array(0.4)),
    ),
    "fractional_matrix_power negative": (
        lambda a: linalg.fractional_matrix_power(a, -1.3),
        (P + 0.3 * A,),
    ),
    "fractional_matrix_power whole": (
        lambda a: linalg.fractional_matrix_power(a, 3),
        (A,),
    ),
    "solve_continuous_are": (
        lambda a, b, q, r: linalg.solve_continuous_are(a, b, q + q.T, r + r.T),
        (0.3 * A, B, P, positive(2)),
    ),
    "solve_discrete_are": (
        lambda a, b, q, r: linalg.solve_discrete_are(a, b, q + q.T, r + r.T),
        (A, B, P, positive(2)),
    ),
    "lu": (lambda a: linalg.lu(a)[1:], (A,)),
    "lu tall": (lambda a: linalg.lu(a)[1:], (TALL,)),
    "lu wide": (lambda a: linalg.lu(a)[1:], (WIDE,)),
    "lu permuted": (lambda a: linalg.lu(a, permute_l=True), (A,)),
    "lu_factor": (lambda a: linalg.lu_factor(a)[0], (A,)),
    "lu_factor tall": (lambda a: linalg.lu_factor(a)[0], (TALL,)),
    "lu_factor wide": (lambda a: linalg.lu_factor(a)[0], (WIDE,)),
    "lu_solve": (lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), (A, B)),
    "lu_solve vector": (lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b), (A[::-1], V)),
    "lu_solve transposed": (lambda a, b: linalg.lu_solve(linalg.lu_factor(a), b, 1), (A[::-1], B)),
    "solve_banded": (lambda ab, b: linalg.solve_banded((1, 2), ab, b), (BAND, RIGHT)),
    "solve_banded vector": (
        lambda ab, b: linalg.solve_banded((2, 1), ab, b),
        (np.roll(BAND, -1, 0), RIGHT[:, 0]),
    ),
    "solveh_banded": (linalg.solveh_banded, (UPPER, RIGHT)),
    "solveh_banded lower": (
        lambda ab, b: linalg.solveh_banded(ab, b, lower=True),
        (LOWER, RIGHT[:, 0]),
    ),
    "cho_solve_banded": (lambda c, b: linalg.cho_solve_banded((c, False), b), (UPPER, RIGHT)),
    "cho_solve_banded lower": (
        lambda c, b: linalg.cho_solve_banded((c, True), b),
        (LOWER, RIGHT[:, 0]),
    ),
    "cholesky_banded": (lambda ab: linalg.cholesky_banded(ab), (UPPER,)),
    "cholesky_banded lower": (lambda ab: linalg.cholesky_banded(ab, lower=True), (LOWER,)),
}

# Those that choose by the value of the whole argument, which lanes do not share.
ONE_BY_ONE = {
    "pinv cutoff", "qr pivoting", "null_space", "schur", "schur sorted", "eig pair", "eigvals pair",
    "subspace_angles", "subspace_angles apart", "eigvalsh_tridiagonal values",
}  # fmt: skip
if SCIPY < (1, 16):  # which takes one matrix, not a stack
    del CASES["solve stack"], CASES["inv stack"], CASES["eig stack"]
if SCIPY < (1, 17):  # which has no such parameters
    del CASES["inv pos"], CASES["inv lower"]
