"""The table of ops, continued: eigenvalues, singular values, QR, pseudo-inverses."""

import numpy as np
from op_case import Case, normal

from tapegrad._core import apply

DECOMPOSE_CASES: list[Case] = []


def row(name, f, make, *ops, **options):
    options = {"rtol": 1e-12, **options}
    DECOMPOSE_CASES.append(Case(name, f, make, ops or (name.split()[0],), **options))


def symmetric(x):
    return x + np.swapaxes(x, -1, -2)


NOT_SQUARE = ((np.ones((2, 3)),), (np.ones(3),))
NO_MATRIX = ((np.ones(3),),)


def apart(*shape):
    """A matrix whose singular values are apart, so that float32 tells them from each other."""

    def make(rng):
        u, _, vt = np.linalg.svd(rng.standard_normal(shape), full_matrices=False)
        return ((u * np.linspace(3.0, 1.0, u.shape[-1])) @ vt,)

    return make


def apart_symmetric(*shape):
    def make(rng):
        v = np.linalg.qr(rng.standard_normal(shape))[0]
        a = (v * np.linspace(-1.0, 2.0, shape[-1])) @ np.swapaxes(v, -1, -2)
        return (np.tril(a) - 0.5 * np.eye(shape[-1]) * a,)

    return make


row("eigh", lambda x: tuple(np.linalg.eigh(symmetric(x))), apart_symmetric(3, 3))
row("eigh U", lambda x: tuple(np.linalg.eigh(symmetric(x), "U")), apart_symmetric(3, 3))
row("eigh stack", lambda x: np.linalg.eigh(symmetric(x))[1], apart_symmetric(2, 3, 3))
row("eigh one", lambda x: tuple(np.linalg.eigh(x)), normal((1, 1)), errors=NOT_SQUARE)
row("eigvalsh", lambda x: np.linalg.eigvalsh(symmetric(x)), apart_symmetric(3, 3))
row("eigvalsh U", lambda x: np.linalg.eigvalsh(symmetric(x), "U"), apart_symmetric(2, 3, 3))
row(
    "eigvalsh_alone",
    lambda x: apply("eigvalsh_alone", (symmetric(x),), (True,)),
    apart_symmetric(2, 3, 3),
    reference=lambda x: np.linalg.eigvalsh(symmetric(x)),
)
row("eigvalsh one", np.linalg.eigvalsh, normal((1, 1)), errors=NOT_SQUARE)

row("svd", lambda x: tuple(np.linalg.svd(x)), apart(3, 3), errors=NO_MATRIX)
row("svd tall", lambda x: tuple(np.linalg.svd(x, full_matrices=False)), apart(4, 3))
row("svd wide", lambda x: tuple(np.linalg.svd(x, full_matrices=False)), apart(2, 4))
row("svd stack", lambda x: np.linalg.svd(x, full_matrices=False)[0], apart(2, 3, 2))
row("svd right", lambda x: np.linalg.svd(x, full_matrices=False)[2], apart(2, 3, 2))
row("svdvals", np.linalg.svdvals, apart(3, 4), errors=NO_MATRIX)
row(
    "svdvals_alone",
    lambda x: apply("svdvals_alone", (x,), (False,)),
    apart(2, 3, 4),
    reference=np.linalg.svdvals,
)
row("svdvals stack", lambda x: np.linalg.svd(x, compute_uv=False), apart(2, 3, 2), "svdvals")
for order in (2, -2, "nuc"):
    row(
        f"norm matrix {order}",
        lambda x, p=order: np.linalg.norm(x, p, (2, 0), keepdims=True),
        normal((3, 2, 4)),
        "norm",
        "svdvals",
    )

row("qr", lambda x: tuple(np.linalg.qr(x)), apart(3, 3), "qr", "qr_tall", errors=NO_MATRIX)
row("qr tall", lambda x: tuple(np.linalg.qr(x)), apart(4, 2), "qr", "qr_tall")
row("qr wide", lambda x: tuple(np.linalg.qr(x, "complete")), apart(2, 4), "qr", "qr_tall")
row("qr stack", lambda x: np.linalg.qr(x, "r"), apart(2, 3, 2), "qr", "qr_tall")
row("qr wide stack", lambda x: np.linalg.qr(x).Q, apart(2, 2, 3), "qr", "qr_tall")


def parts(*found):
    """Real and imaginary parts of complex results, which a table of real functions holds."""
    return tuple(part for x in found for part in (np.real(x), np.imag(x)))


def both(f):
    """f of the complex array of these parts."""
    return lambda x, y: f(x + 1j * y)


def rest_of(x, of_rows=False):
    """The projection on what a matrix does not reach, by the vectors of a whole basis."""
    u, _, vt = np.linalg.svd(x)
    rest = np.swapaxes(vt[x.shape[0] :], 0, 1) if of_rows else u[:, x.shape[1] :]
    return rest @ np.conj(rest.T)


def without_phases(z):
    w, v = np.linalg.eigh(z)
    return (w, *parts(v * np.conj(v[:1])))


def polar(z):
    u, s, vh = np.linalg.svd(z, full_matrices=False)
    return (s, *parts(u @ vh))


def rotating(n):
    """A matrix with one real eigenvalue, or none, and conjugate pairs."""

    def make(rng):
        a = np.diag(np.arange(1.0, n + 1)) + np.diag(np.full(n - 1, 3.0), 1)
        return (a - np.diag(np.full(n - 1, 2.5), -1) + 0.1 * rng.standard_normal((n, n)),)

    return make


row("eig", lambda x: parts(*np.linalg.eig(x)), rotating(3), "eig", "real_places", errors=NOT_SQUARE)
row(
    "eig real",
    lambda x: tuple(np.real(part) for part in np.linalg.eig(symmetric(x))),
    apart_symmetric(3, 3),
    "eig",
)
row(
    "eig values",
    lambda x: parts(np.linalg.eigvals(x)),
    rotating(4),
    "eigvals",
    "share_complex_ties",
)
row(
    "eig complex stack",
    both(lambda z: parts(*np.linalg.eig(z))),
    normal((2, 3, 3), (2, 3, 3)),
    "eig",
    "divide_by_complex_gaps",
)
row(
    "eigvals_alone",
    both(lambda z: apply("eigvals_alone", (z.real, z.imag), (False,))),
    normal((2, 3, 3), (2, 3, 3)),
    reference=both(lambda z: parts(np.linalg.eigvals(z))),
)
row(
    "slogdet_complex",
    both(lambda z: (*parts(np.linalg.slogdet(z)[0]), np.linalg.slogdet(z)[1])),
    normal((2, 3, 3), (2, 3, 3)),
)
row("roots", lambda x: parts(np.roots(x)), lambda rng: (np.array([1.0, -1.0, 2.0, 0.5]),))
row("roots real", np.roots, lambda rng: (np.array([1.0, -6.0, 11.0, -6.0]),))
row("roots complex", both(lambda z: parts(np.roots(z))), normal((4,), (4,)))
row("eigh_complex", both(without_phases), normal((3, 3), (3, 3)))
row("eigh_complex U", both(lambda z: np.linalg.eigvalsh(z, "U")), normal((2, 3, 3), (2, 3, 3)))
row("svd_complex tall", both(polar), normal((4, 2), (4, 2)))
row("svd_complex wide", both(np.linalg.svdvals), normal((2, 2, 3), (2, 2, 3)))
row("svd_rest", rest_of, apart(4, 2))
row("svd_rest wide", lambda x: rest_of(x, True), apart(2, 4))
row("svd_complex_rest", both(lambda z: parts(rest_of(z))), normal((4, 2), (4, 2)))
row("svd_complex_rest wide", both(lambda z: parts(rest_of(z, True))), normal((1, 3), (1, 3)))
row(
    "qr_rest",
    lambda x: np.linalg.qr(x, "complete").Q[:, 2:] @ np.linalg.qr(x, "complete").Q[:, 2:].T,
    apart(4, 2),
)

row("pinv", np.linalg.pinv, apart(4, 3), errors=NO_MATRIX)
row("pinv wide stack", np.linalg.pinv, apart(2, 3, 4))
row(
    "pinv of low rank",
    lambda x, y: np.linalg.pinv(x @ y, rtol=1e-6),
    normal((4, 2), (2, 3)),
)
row("pinv cut", lambda x: np.linalg.pinv(x, 0.5), apart(4, 3), "pinv", "solve_stein")
row("pinv cut wide", lambda x: np.linalg.pinv(x, 0.5), apart(2, 3, 4), "pinv", "solve_stein")
row(
    "solve_stein",
    lambda m, n, c: apply("solve_stein", (symmetric(m) * 0.1, symmetric(n), c)),
    normal((2, 3, 3), (2, 2, 2), (2, 3, 2)),
    reference=lambda m, n, c: np.stack(
        [
            np.linalg.solve(np.eye(6) - np.kron(a, b), x.ravel()).reshape(3, 2)
            for a, b, x in zip(symmetric(m) * 0.1, symmetric(n), c, strict=True)
        ]
    ),
    errors=(
        (np.eye(3), np.eye(3), np.ones((2, 3))),
        (np.ones((2, 3)), np.eye(3), np.ones((2, 3))),
    ),
)
row("cond", np.linalg.cond, apart(3, 3), "svdvals")
row("lstsq", lambda a, b: np.linalg.lstsq(a, b)[:2], normal((4, 2), (4,)), "lstsq")
row("lstsq wide", lambda a, b: np.linalg.lstsq(a, b)[0], normal((2, 4), (2, 3)), "lstsq")

# What their derivatives use.
W = np.array([[1.0, 2.5, 4.0], [-3.0, 0.5, 0.75]])
W_OF = {np.dtype(dtype): W.astype(dtype) for dtype in (np.float32, np.float64)}


def gaps(w, k, d):
    w = w + W
    with np.errstate(all="ignore"):
        return np.where(np.eye(3) == 1, 0, k / (w[..., None, :] - w[..., :, None]))


def small(*shapes):
    return lambda rng: tuple(rng.uniform(-0.1, 0.1, shape) for shape in shapes)


row(
    "divide_by_gaps",
    lambda w, k: apply("divide_by_gaps", (w + W_OF[w.dtype], k, np.zeros((2, 3), w.dtype))),
    small((2, 3), (2, 3, 3)),
    reference=lambda w, k: gaps(w, k, None),
)
row(
    "share_ties",
    lambda d: apply("share_ties", (np.array([1.0, 2.0, 2.0, 3.0], d.dtype), d)),
    normal((4,)),
    reference=lambda d: np.array([d[0], (d[1] + d[2]) / 2, (d[1] + d[2]) / 2, d[3]]),
)
row(
    "scaled_product",
    lambda u, d, vt: apply("scaled_product", (u, d, vt)),
    normal((2, 4, 3), (2, 3), (2, 3, 2)),
    reference=lambda u, d, vt: (u * d[..., None, :]) @ vt,
)
