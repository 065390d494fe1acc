"""Rows of the table of ops for Fourier transforms and correlations.

Complex arrays are pairs of real ones here.
"""

import numpy as np
from op_case import Case, normal

from tapegrad._core import apply

FOURIER_CASES: list[Case] = []
HALF, DOUBLED, WHOLE = range(3)


def row(name, f, make, reference, **options):
    FOURIER_CASES.append(Case(name, f, make, (name.split()[0],), reference, **options))


def parts(z, x):
    """Both parts, in the precision of the argument."""
    return z.real.astype(x.dtype), z.imag.astype(x.dtype)


def weights(spectrum, n):
    """How often each element counts that is written down."""
    k = np.arange(n // 2 + 1)
    return np.where((k == 0) | (2 * k == n) | (spectrum == HALF), 1.0, 2.0)


def along(w, axis, ndim):
    return w.reshape([-1 if i == axis % ndim else 1 for i in range(ndim)])


def complex_row(name, axis, n, is_inverse, shape):
    def reference(re, im):
        if is_inverse:
            return parts(2 * np.fft.ifft(re + 1j * im, n, axis, norm="forward"), re)
        return parts(2 * np.fft.fft(re + 1j * im, n, axis), re)

    row(
        name,
        lambda re, im: tuple(apply("fourier", (re, im), (axis, n, is_inverse, 2.0))),
        normal(shape, shape),
        reference,
        errors=((np.ones((2, 3)), np.ones((3, 2))),),
    )


def real_row(name, axis, n, is_inverse, spectrum, shape):
    def reference(x):
        z = 2 * (np.fft.ifft(x, n, axis, norm="forward") if is_inverse else np.fft.fft(x, n, axis))
        if spectrum != WHOLE:
            z = np.take(z, range(n // 2 + 1), axis)
            z = z * along(weights(spectrum, n), axis, x.ndim)
        return parts(z, x)

    row(
        name,
        lambda x: tuple(apply("real_fourier", (x,), (axis, n, is_inverse, 2.0, spectrum))),
        normal(shape),
        reference,
        errors=((np.float64(1.0),),),
    )


def back_row(name, axis, n, is_inverse, spectrum, shape):
    kept = n if spectrum == WHOLE else n // 2 + 1

    def reference(re, im):
        z = np.swapaxes(re + 1j * im, axis, -1)[..., :kept]
        if spectrum != WHOLE:
            z = z * weights(spectrum, n)[: z.shape[-1]]
        z = np.fft.fft(z, n) if is_inverse else np.fft.ifft(z, n, norm="forward")
        return np.swapaxes(2 * z.real, axis, -1).astype(re.dtype)

    row(
        name,
        lambda re, im: apply("real_fourier_back", (re, im), (axis, n, is_inverse, 2.0, spectrum)),
        normal(shape, shape),
        reference,
        errors=((np.ones((2, 3)), np.ones((3, 2))),),
    )


complex_row("fourier", -1, 4, False, (3, 4))
complex_row("fourier inverse", 0, 5, True, (5, 2))
complex_row("fourier cut", 1, 3, False, (2, 5, 2))
complex_row("fourier filled", -2, 6, True, (2, 4, 3))
complex_row("fourier large prime", -1, 37, False, (37,))
for spectrum, kind in enumerate(("half", "doubled", "whole")):
    real_row(f"real_fourier {kind}", -1, 6, False, spectrum, (2, 6))
    real_row(f"real_fourier {kind} odd", 0, 5, True, spectrum, (5, 3))
    real_row(f"real_fourier {kind} cut", -2, 4, False, spectrum, (2, 7, 2))
    real_row(f"real_fourier {kind} filled", -1, 8, False, spectrum, (5,))
    back_row(f"real_fourier_back {kind}", -1, 6, False, spectrum, (2, 6))
    back_row(f"real_fourier_back {kind} odd", 0, 5, True, spectrum, (5, 3))
    back_row(f"real_fourier_back {kind} cut", -2, 4, False, spectrum, (2, 7, 2))
    back_row(f"real_fourier_back {kind} filled", -1, 8, False, spectrum, (3,))


def windows_row(name, left, right, *shapes):
    def reference(a, v):
        a = np.pad(a, [(0, 0)] * (a.ndim - 1) + [(left, right)])
        windows = np.lib.stride_tricks.sliding_window_view(a, v.shape[-1], axis=-1)
        return np.sum(windows * v[..., None, :], axis=-1)

    row(
        name,
        lambda a, v: apply("correlate", (a, v), (left, right)),
        normal(*shapes),
        reference,
        errors=((np.ones((2, 3)), np.ones(3)),),
    )


windows_row("correlate", 0, 0, (7,), (3,))
windows_row("correlate full", 2, 2, (2, 5), (2, 3))
windows_row("correlate far", 4, 7, (2, 5), (2, 3))
windows_row("correlate long", 3, 0, (9,), (12,))
windows_row("correlate groups", 17, 18, (21,), (19,))

# Sparse matrices: elements with their rows and columns, of which two are at one place.

AT_ROWS, AT_COLUMNS = np.array([0, 1, 1, 4, 1]), np.array([2, 0, 2, 1, 0])


def sparse_sums(data, x):
    found = np.zeros((5, *x.shape[1:]), x.dtype)
    np.add.at(found, AT_ROWS, (data * x[AT_COLUMNS].T).T)
    return found


for shape in ((3,), (3, 2)):
    row(
        f"sparse_product {len(shape)}",
        lambda d, x: apply("sparse_product", (d, x, AT_ROWS, AT_COLUMNS), (5,)),
        normal((5,), shape),
        sparse_sums,
        errors=((np.ones(4), np.ones(shape)), (np.ones(5), np.ones((2, 2)))),
    )
    row(
        f"sparse_sample {len(shape)}",
        lambda u, v: apply("sparse_sample", (u, v, AT_ROWS, AT_COLUMNS)),
        normal((5, *shape[1:]), shape),
        lambda u, v: np.sum((u[AT_ROWS] * v[AT_COLUMNS]).reshape(5, -1), axis=-1),
        errors=((np.ones((5, 3)), np.ones((3, 2))),),
    )
