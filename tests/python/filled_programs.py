"""Programs that fill arrays, as people write them: each a function of three numbers near 1."""

from __future__ import annotations

import numpy as np


def element_by_element(x):
    y = np.zeros(3)
    for i in range(3):
        y[i] = x[i] ** 2
    return np.sum(y)


def added_in_place(x):
    y = np.ones(3)
    y += x
    return np.sum(y * y)


def rotation(x):
    R = np.zeros((2, 2))
    R[0, 0] = R[1, 1] = np.cos(x[0])
    R[0, 1], R[1, 0] = -np.sin(x[0]), np.sin(x[0])
    return np.sum(R @ x[1:])


def rotation_of_lists(x):
    c, s = np.cos(x[0]), np.sin(x[0])
    return np.sum(np.array([[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]]) @ x)


def through_views(x):
    y = np.zeros((2, 3))
    row = y[1]
    row[:] = x
    y.T[0, 0] = x[0] * x[1]
    return np.sum(y**2)


def still_plain(x):
    q = np.zeros(3)
    p = q + 1.0
    n = int(np.sum(p)) + len(q)
    scale = float(p[0]) + q.max()
    p[0] = x[0]
    q[2] = 1.0
    return np.sum(p * x) + np.sum(q) * n * scale


def gram_schmidt(x):
    A = np.array([[2.0, 1.0, 0.0], [1.0, 3.0, 1.0], [0.0, 1.0, 4.0]]) * x
    n = 3
    Q, R = np.zeros((n, n)), np.zeros((n, n))
    for j in range(n):
        v = A[:, j].copy()
        for i in range(j):
            R[i, j] = np.dot(Q[:, i], A[:, j])
            v -= R[i, j] * Q[:, i]
        R[j, j] = np.linalg.norm(v)
        Q[:, j] = v / R[j, j]
    return np.sum(np.diag(R)) + Q[0, 1]


def heat(x):
    u = np.zeros(20)
    u[8:12] = x[0]
    for _ in range(10):
        new = u.copy()
        new[1:-1] = u[1:-1] + 0.1 * x[1] * (u[2:] - 2 * u[1:-1] + u[:-2])
        u = new
    return np.sum(u**2)


def euler(x):
    n = 20
    s = np.empty((n, 2))
    s[0] = [1.0, 0.0]
    for k in range(n - 1):
        s[k + 1] = s[k] + 0.1 * np.array([s[k, 1], -x[0] * s[k, 0] - x[1] * s[k, 1]])
    return s[-1, 0]


def runge_kutta(x):
    def slope(y):
        d = np.zeros_like(y)
        d[0] = x[0] * y[0] - x[1] * y[0] * y[1]
        d[1] = -x[2] * y[1] + y[0] * y[1]
        return d

    y, h = np.array([1.0, 0.5]), 0.1
    out = np.zeros((11, 2))
    out[0] = y
    for k in range(10):
        k1 = slope(y)
        k2 = slope(y + h / 2 * k1)
        k3 = slope(y + h / 2 * k2)
        k4 = slope(y + h * k3)
        y = y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
        out[k + 1] = y
    return np.sum(out**2)


def lu(x):
    A = np.eye(3) * 4 + np.outer(x, x)
    n = 3
    L, U = np.eye(n), A.copy()
    for k in range(n - 1):
        for i in range(k + 1, n):
            L[i, k] = U[i, k] / U[k, k]
            U[i, k:] -= L[i, k] * U[k, k:]
    return np.sum(np.log(np.diag(U))) + L[2, 0]


def tridiagonal(x):
    n = 6
    a, b, c = -np.ones(n), np.full(n, 2.0) + x[0], -np.ones(n)
    d = np.arange(n) * 1.0 * x[1]
    cp, dp, s = np.zeros(n), np.zeros(n), np.zeros(n)
    cp[0], dp[0] = c[0] / b[0], d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    s[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        s[i] = dp[i] - cp[i] * s[i + 1]
    return s.sum()


def masks_and_diagonals(x):
    y, z, w = np.full(3, 0.5), np.zeros((3, 3)), np.empty(3)
    m = x > 1.1
    y[m] = x[m] ** 2
    np.fill_diagonal(z, x)
    np.copyto(w, x * 2)
    np.add.at(y, [0, 0, 1], x)
    return np.sum(y) + np.sum(z @ w)


def swapped_rows(x):
    A = np.vstack([x, x * 2, np.ones(3)])
    A[[0, 2]] = A[[2, 0]]
    B = np.zeros_like(A)
    B[:] = A
    B[0], B[1] = B[1].copy(), B[0].copy()
    return np.sum(B * np.arange(9).reshape(3, 3))


def plain_parts(x):
    A = np.array([[2.0, 1.0], [1.0, 3.0]])
    w, V = np.linalg.eigh(A)
    c = np.interp(0.5, np.linspace(0, 1, 3), np.array([1.0, 2.0, 3.0]))
    h = np.histogram(np.linspace(0, 1, 9), bins=3)[0]
    return np.sum(w) * x[0] + np.sum(V @ np.diag(w) @ V.T) * x[1] + c * x[2] + h.sum() * x[0]


def kalman(x):
    F, H = np.array([[1.0, 1.0], [0.0, 1.0]]), np.array([[1.0, 0.0]])
    Q, R = np.eye(2) * x[0] ** 2, np.array([[x[1] ** 2]])
    m, P, total = np.zeros(2), np.eye(2), 0.0
    for z in np.linspace(0, 2, 5):
        m = F.dot(m)
        P = F.dot(P).dot(F.T) + Q
        S = H.dot(P).dot(H.T) + R
        K = P.dot(H.T).dot(np.linalg.inv(S))
        e = z - H.dot(m)
        m = m + K.dot(e)
        P = (np.eye(2) - K.dot(H)).dot(P)
        total -= 0.5 * (e @ np.linalg.solve(S, e) + np.log(np.linalg.det(S)))
    return total + x[2]


def gaussian_process(x):
    t = np.linspace(0, 1, 5)
    y, n = np.sin(3 * t), len(t)
    K = np.zeros((n, n))
    for i in range(n):
        for j in range(n):
            K[i, j] = x[0] * np.exp(-((t[i] - t[j]) ** 2) / x[1])
    K += x[2] * np.eye(n)
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L.T, np.linalg.solve(L, y))
    return 0.5 * y @ a + np.sum(np.log(np.diag(L)))


def finite_elements(x):
    n = 5
    K, f = np.zeros((n, n)), np.zeros(n)
    for e in range(n - 1):
        K[np.ix_([e, e + 1], [e, e + 1])] += x[e % 3] * np.array([[1, -1], [-1, 1]])
        f[[e, e + 1]] += 0.5
    K[0, :] = 0
    K[0, 0] = 1
    f[0] = 0
    return np.linalg.solve(K, f).sum()


def upper_triangle(x):
    M = np.zeros((3, 3))
    M[np.triu_indices(3)] = np.concatenate([x, x])
    M = M + M.T
    return np.trace(M @ M) + np.linalg.det(M + 5 * np.eye(3))


def vandermonde_of_lists(x):
    V = np.array([[x[i] ** k for k in range(3)] for i in range(3)])
    return np.linalg.det(V) + V.sum()


def lists_of_arrays(x):
    v, w = np.asarray([x[0], 2.0, x[2]]), np.array([x, x * 2])
    return v @ w.sum(0) + w.std()


def distances(x):
    P = np.array([[x[0], x[1]], [1.0, 2.0], [x[2], 0.5]])
    d, k = np.zeros(3), 0
    for i in range(3):
        for j in range(i + 1, 3):
            d[k] = np.sqrt(((P[i] - P[j]) ** 2).sum())
            k += 1
    return d.sum()


def quaternion(x):
    q = np.array([1.0, *x])
    q /= np.linalg.norm(q)
    w, a, b, c = q
    R = np.array(
        [
            [1 - 2 * (b * b + c * c), 2 * (a * b - c * w), 2 * (a * c + b * w)],
            [2 * (a * b + c * w), 1 - 2 * (a * a + c * c), 2 * (b * c - a * w)],
            [2 * (a * c - b * w), 2 * (b * c + a * w), 1 - 2 * (a * a + b * b)],
        ]
    )
    return (R @ np.array([1.0, 2.0, 3.0]))[0]


def piecewise_in_time(x):
    t = np.arange(0, 1, 0.25)
    y = np.zeros(t.shape)
    y[t < 0.5] = x[0]
    y[t >= 0.5] = x[1] * t[t >= 0.5]
    return np.trapezoid(y, t) * x[2] if hasattr(np, "trapezoid") else y.sum() * x[2]


def sorted_buffer(x):
    buffer = np.empty(3)
    buffer[:] = x[::-1]
    buffer.sort()
    return buffer[0] * 2 + buffer[-1]


def two_names(x):
    a = np.zeros(3)
    b = a
    b[0] = x[0]
    c = a.copy()
    c[1] = x[1]
    a += 1
    return (a * x).sum() + c.sum()


def hidden_markov(x):
    A = np.exp(np.array([[x[0], 0.0], [0.0, x[1]]]))
    A = A / A.sum(axis=1, keepdims=True)
    p, E = np.array([0.5, 0.5]), np.array([[0.9, 0.2], [0.1, 0.8]])
    seen = [0, 1, 1, 0]
    alpha = np.zeros((len(seen), 2))
    alpha[0] = p * E[seen[0]]
    for t in range(1, len(seen)):
        for j in range(2):
            alpha[t, j] = E[seen[t], j] * np.dot(alpha[t - 1], A[:, j])
    return np.log(alpha[-1].sum()) + x[2]


class Model:
    """What fills an array may be a method of an object that is held elsewhere."""

    def residuals(self, x):
        r = np.empty(4)
        for i in range(2):
            r[2 * i] = 10 * (x[i + 1] - x[i] ** 2)
            r[2 * i + 1] = 1 - x[i]
        return r


MODEL = Model()


def method(x):
    r = MODEL.residuals(x)
    return 0.5 * r.dot(r)


def full_of_rows(x):
    table = np.full((2, 3), x) * np.full((2, 1), x[0]) + np.full(3, [x[1], 1.0, x[2]])
    table[1, 2] = x[0]
    single = np.full((2, 3), x, np.float32, "F")
    assert single.dtype == np.float32
    single.ravel()[0] = 100.0  # of a copy
    assert np.max(single) < 10.0
    return np.sum(table**2)


def from_an_iterator(x):
    squares = np.fromiter((v * v for v in x), float)
    squares[0] *= x[1]
    return np.sum(squares) + np.sum(np.fromiter(iter([x[0], 2.0, x[2]]), np.float64, count=2))


def through_an_iterator(x):
    total = 0.0
    for v in np.nditer(x):
        total = total + v * v
    for u, v in np.nditer([x[:, None], np.array([1.0, 2.0])]):
        total = total + u * v
    return total + sum(float(v) for v in np.nditer(np.ones(2)))


def gradient_noise(x):
    slopes = np.array([0.3, -0.8, 0.5, 0.9])
    cell = np.floor(x).astype(int)
    inside = x - cell
    fade = inside**3 * (inside * (6.0 * inside - 15.0) + 10.0)
    left, right = slopes[cell % 4] * inside, slopes[(cell + 1) % 4] * (inside - 1.0)
    whole = np.array(x, dtype=np.int32)
    return np.sum(left + fade * (right - left)) + x[cell[0]] * whole[2] + np.sum(x.astype(bool))


PROGRAMS = {
    name: f
    for name, f in list(globals().items())
    if callable(f) and getattr(f, "__module__", "") == __name__ and name != "Model"
}
