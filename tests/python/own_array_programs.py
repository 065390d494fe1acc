"""Programs that use arrays of their own as plain arrays: functions of three numbers near 1."""

from __future__ import annotations

import copy
import io
import pickle

import numpy as np

import tapegrad as tg


def integer_indices(x):
    return np.sum(x[np.array([0, 2])]) + np.sum(x[np.array([0.0, 2.0]).astype(int)])


def masks(x):
    return np.sum(x[np.array([0.0, 2.0, 3.0]) > 1.0])


def sorted_places(x):
    return np.sum(x[np.argsort(np.array([3.0, 1.0, 2.0]))][:2])


def text(x):
    y = np.array([1.0, 2.0])
    return np.sum(x) * len(f"{y[0]:.2f} {y}") * len(str(y.tolist()))


def steps_of_a_loop(x):
    total = 0.0
    for t in np.linspace(0.0, 1.0, 5):
        total = total + np.sum(x) * t
    for _ in range(int(np.array([3.0])[0])):
        total = total + x[0]
    return total


def tests_of_content(x):
    y = np.zeros(3)
    return np.sum(x) if np.all(y == 0) and (y == 0).all() and not y.any() else 0.0 * np.sum(x)


def matrices(x):
    A = np.eye(3) * 2.0
    return np.sum(np.linalg.solve(A, x)) + np.linalg.det(A) + np.linalg.eigvalsh(A).sum()


def complex_buffer(x):
    z = np.zeros(3, complex)
    z[0] = 1j
    return np.sum(x) * abs(z[0])


def texts_and_objects(x):
    z = np.array(["a", "b"])
    w = np.array([x[0], None], dtype=object)
    return w[0] * len(z)


def grids(x):
    a, b = np.meshgrid(np.linspace(0.0, 1.0, 3), np.linspace(0.0, 1.0, 2))
    return np.sum(a * x) + np.sum(b)


def tables(x):
    return np.sum(np.interp(x, np.array([0.0, 1.0, 3.0]), np.array([0.0, 2.0, 3.0])))


def kernels(x):
    return np.sum(np.convolve(np.array([1.0, 2.0, 1.0]), x))


def counts(x):
    return np.sum(x) * np.unique(np.arange(3.0)).size * np.zeros((2, 3)).nbytes


def choices(x):
    return np.sum(np.where(x > 1, np.zeros(3), x))


def no_axes(x):
    y = np.zeros(())
    y += x[0]
    return y * 2


def items(x):
    y = np.zeros(3)
    y[0] = 2.0
    return np.sum(x) * (y.item(0) + y[:1].item())


def unpacked(x):
    a, b = np.arange(6.0).reshape(2, 3)
    return np.sum(a * x) - np.sum(b * x)


def copies(x):
    y = copy.deepcopy(np.ones(3))
    z = pickle.loads(pickle.dumps(np.ones(3)))
    y[0] = x[0]
    return np.sum(y * z)


def outputs(x):
    y, z = np.zeros(3), np.zeros(3)
    np.dot(np.eye(3), np.ones(3), out=y)
    np.add(np.ones(3), 1.0, out=z)
    np.copyto(z[:2], [1.0, 2.0])
    return np.sum(x * y * z)


def read_from_a_file(x):
    y = np.zeros(3)
    io.BytesIO(np.arange(3.0).tobytes()).readinto(y)
    with memoryview(y) as seen:
        seen[0] = 5.0
    return np.sum(x * y)


def slopes_at_own_arrays(x):
    y, total = np.zeros(3), np.sum(x)
    for _ in range(3):
        y = y - 0.1 * tg.grad(lambda q: np.sum((q - x) ** 2))(y)
    slope = tg.grad(lambda q: np.sum(q * q))(np.ones(3))
    return np.sum(y) + total * np.sum(slope) + np.sum(tg.hessian(np.prod)(np.ones(3)) @ x)


def loops(x):
    rates = np.linspace(0.1, 0.3, 3)
    last, seen = tg.scan(lambda s, r: (s * r + x, np.sum(s)), np.zeros(3), rates)
    return np.sum(last) + np.sum(seen)


def complex_tables(x):
    n = np.arange(3)
    F = np.exp(-2j * np.pi * np.outer(n, n) / 3)
    A = np.array([[2, 1j], [-1j, 3]])
    w, _ = np.linalg.eig(np.array([[0, 1j], [-2, 0]]))
    r = np.roots(np.array([1.0, 0.0, 1.0]))
    solved = np.linalg.solve(A, np.array([1.0, 1j]))
    return np.sum(np.abs(F @ x) ** 2) * abs(w[0]) * abs(r[0]) * abs(solved[0])


def complex_data(x):
    z = np.zeros(3, complex)
    z[1] = 2j
    total = float(z[1].imag) * int(z.imag.sum()) * len(str(z)) * len(f"{z[0]}")
    total = total * np.frombuffer(z.tobytes()).size * abs(np.fft.fft(z)[0])
    return np.sum(x) * total * np.sort(z)[-1].imag + x[np.argmax(np.abs(z))]


def complex_filled(x):
    z = np.zeros(3, complex)
    z[0] = x[0] * 1j
    z[1] = x[1]
    return np.abs(np.sum(z * z + z[0]))


def spectra(x):
    k = np.array([0.25, 0.5, 0.25])
    return np.sum(np.fft.ifft(np.fft.fft(x) * np.fft.fft(k)).real ** 2) + np.abs(np.fft.rfft(x))[1]


PROGRAMS = {name: f for name, f in globals().items() if getattr(f, "__module__", "") == __name__}

# Plain numbers that other libraries compute of arrays that the function makes.
ELSEWHERE = {
    "scipy.linalg": "sl.solve(np.eye(3) * 2, np.ones(3)).sum() + sl.cho_factor(np.eye(3))[0].sum()",
    "blas": "sl.blas.ddot(np.ones(3), np.ones(3)) + sl.lapack.dgetrf(np.eye(3) * 3)[0].sum()",
    "interpolate": "float(si.CubicSpline(np.arange(3.0), np.array([1.0, 2.0, 1.0]))(0.5))",
    "sparse": "ss.csr_matrix(np.eye(3)).dot(np.ones(3)).sum() + (ss.eye(3) @ np.ones(3)).sum()",
    "quad": "sg.quad(lambda t: t * np.array([2.0])[0], 0, 1)[0]",
    "solve_ivp": "sg.solve_ivp(lambda t, y: -y * np.ones(2), (0, 1), np.ones(2)).y[-1, -1]",
    "odeint": "sg.odeint(lambda y, t: -y, np.ones(2), np.linspace(0, 1, 3))[-1, 0]",
    "stats": "st.norm.pdf(np.linspace(0, 1, 3)).sum()",
    "minimize": "so.minimize(lambda z: np.sum((z - np.ones(2)) ** 2), np.zeros(2)).x.sum()",
    "least_squares": "so.least_squares(lambda z: z - np.ones(2), np.zeros(2)).x.sum()",
    "special": "sp.gamma(np.ones(3) * 2.5).sum()",
    "spatial": "spa.cKDTree(np.zeros((3, 2))).query(np.ones(2))[0]",
    "signal": "sig.lfilter(np.array([1.0]), np.array([1.0, 0.5]), np.ones(3)).sum()",
    "ndimage": "nd.gaussian_filter(np.ones((3, 3)), 1).sum()",
    "random": "np.random.default_rng(0).normal(np.zeros(3), np.ones(3)).sum()",
    "masked": "np.ma.masked_array(np.ones(3), mask=[0, 1, 0]).sum()",
    "matrix": "np.asmatrix(np.eye(2)).sum()",
    "strides": "np.lib.stride_tricks.as_strided(np.arange(4.0), (2, 2), (8, 8)).sum()",
    "iterators": "sum(float(v) for v in np.nditer(np.ones(3))) + len({v for v in np.ones(3)})",
    "bytes": "np.ones(3).view(np.int64)[0] % 7 + len(pickle.dumps(np.ones(3)))",
    "copies": "int(copy.copy(np.ones(3))[0]) + int(copy.deepcopy(np.ones(3))[1])",
    "files": "np.save(io.BytesIO(), np.ones(3)) or 1.0",
}
