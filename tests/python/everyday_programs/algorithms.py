"""Objects of one's own, generators, errors as control, classical algorithms written out."""

import collections
import functools
import io
import itertools
import math
import operator

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(5)


@program(np.array([0.3, 0.4, 0.5]))
def getset_slots(p):
    class Pt:
        __slots__ = ("_v",)

        def __init__(self, v):
            self._v = v

        @property
        def v(self):
            return self._v

        @v.setter
        def v(self, x):
            self._v = np.clip(x, 0, 1)

    a = Pt(p[0])
    a.v = a.v * 3
    b = Pt(p)
    b.v = b.v + 0.2
    return a.v + b.v.sum()


@program(np.array([0.3, 0.4, 0.5]))
def descriptors_getattr(p):
    class Cfg(dict):
        __getattr__ = dict.__getitem__
        __setattr__ = dict.__setitem__

    c = Cfg(w=p, b=p[0])
    c.s = c.w.sum() * c.b
    return c.s**2 + c["w"][1]


@program(np.array([0.3, 0.4, 0.5]))
def operator_overload_matrix(p):
    class Mat:
        def __init__(self, rows):
            self.rows = rows

        def __matmul__(self, o):
            return Mat(
                [
                    [
                        sum(a * b for a, b in zip(r, c, strict=False))
                        for c in zip(*o.rows, strict=False)
                    ]
                    for r in self.rows
                ]
            )

        def __getitem__(self, ij):
            return self.rows[ij[0]][ij[1]]

        def __iter__(self):
            return iter(self.rows)

        def __len__(self):
            return len(self.rows)

    m = Mat([[p[0], p[1]], [1.0, p[2]]])
    q = m @ m @ m
    return q[0, 1] + len(q) * sum(r[0] for r in q)


@program(np.array([0.3, 0.4, 0.5]))
def mixin_super(p):
    class A:
        def f(self, x):
            return x**2

    class B(A):
        def f(self, x):
            return super().f(x) + np.sin(x)

    class C(B):
        def f(self, x):
            return 2 * super().f(x)

    return C().f(p).sum()


@program(np.array([0.3, 0.4, 0.5]))
def coroutine_pipeline(p):
    def averager():
        tot, n = 0.0, 0
        avg = None
        while True:
            x = yield avg
            tot += x
            n += 1
            avg = tot / n

    g = averager()
    next(g)
    out = [g.send(t * t) for t in p]
    g.close()
    return out[-1] + out[0]


@program(rng.normal(size=(3, 4)))
def structured_unpack(M):
    (a, b, *c), (d, *_), row = M
    (x,) = row[:1]
    return a * b + sum(c) * d + x**2


@program(np.array([1.0, 2.0, 3.0, 4.0]))
def deque_window(p):
    d = collections.deque(maxlen=2)
    s = 0.0
    for t in p:
        d.append(t)
        s += sum(d) / len(d) * t
    return s


@program(np.array([1.0, 2.0, 3.0, 4.0]))
def dict_of_lists(p):
    d = {}
    [d.setdefault(("even", "odd")[i % 2], []).append(t) for i, t in enumerate(p)]
    return np.prod(d["even"]) + np.mean(d["odd"]) ** 2 + np.stack(d["odd"]) @ np.array(d["even"])


@program(np.array([0.1, 0.2, 0.3]))
def exception_control(p):
    class FoundError(Exception):
        pass

    def search():
        acc = 0.0
        for i in itertools.count():
            acc += p[i % 3] * (i + 1)
            if acc > 1.0:
                raise FoundError(acc, i)

    try:
        search()
    except FoundError as d:
        acc, i = d.args
    return acc * i


@program(np.array([0.1, 0.2, 0.3]))
def partial_pipe(p):
    def compose(*fs):
        return functools.reduce(lambda f, g: lambda x: g(f(x)), fs)

    return compose(
        functools.partial(np.multiply, 2.0),
        np.tanh,
        operator.itemgetter(slice(1, None)),
        np.sum,
        lambda x: x**2,
    )(p)


@program(np.array([2.0, 3.0]))
def newton_sqrt_bits(p):
    x = p.copy()
    for _ in range(8):
        x = 0.5 * (x + p / x)
    return x.sum()


@program(np.array([2.0, 3.0, 0.5]))
def continued_fraction(p):
    f = p[-1]
    for a in reversed(p[:-1]):
        f = a + 1 / f
    return f


@program(np.array([0.5, 0.2]))
def bernoulli_series(p):
    return sum((-1) ** k * p[0] ** (2 * k + 1) / math.factorial(2 * k + 1) for k in range(8)) * sum(
        p[1] ** k / math.factorial(k) for k in range(10)
    )


@program(np.array([0.5, 0.2, 0.7]))
def bezier(p):
    def dc(c, t):
        c = list(c)
        while len(c) > 1:
            c = [(1 - t) * a + t * b for a, b in itertools.pairwise(c)]
        return c[0]

    return sum(dc(p, t) ** 2 for t in np.linspace(0, 1, 5))


@program(np.array([1.0, 0.5]))
def shoelace(p):
    t = np.linspace(0, 2 * np.pi, 9)[:-1]
    x, y = p[0] * np.cos(t), p[1] * np.sin(t)
    return 0.5 * abs(np.dot(x, np.roll(y, 1)) - np.dot(y, np.roll(x, 1)))


@program(np.array([0.2, 0.3, 0.5]))
def entropy_kl(p):
    q = np.array([0.3, 0.3, 0.4])
    p = p / p.sum()
    return -np.sum(p * np.log(p)) + np.sum(np.where(p > 0, p * np.log(p / q), 0))


@program(rng.normal(size=(5, 3)))
def pca_power(X):
    Xc = X - X.mean(0, keepdims=True)
    C = Xc.T @ Xc / len(X)
    v = np.ones(3)
    for _ in range(60):
        v = C @ v
        v /= np.sqrt(v @ v)
    return v @ C @ v


@program(np.array([0.5, 1.0]))
def arnoldi_gmres(p):
    A = np.array([[4, 1, 0], [1, 3, p[0]], [0, p[1], 2.0]])
    b = np.ones(3)
    Q = [b / np.linalg.norm(b)]
    H = np.zeros((4, 3))
    for k in range(3):
        w = A @ Q[k]
        for j in range(k + 1):
            H[j, k] = Q[j] @ w
            w = w - H[j, k] * Q[j]
        H[k + 1, k] = np.linalg.norm(w)
        if k < 2:
            Q.append(w / H[k + 1, k])
    y = np.linalg.solve(H[:3], np.array([np.linalg.norm(b), 0, 0]))
    return (np.stack(Q, 1) @ y)[1]


@program(np.array([0.5, 1.0]))
def conj_grad(p):
    A = np.array([[4, 1, 0], [1, 3, p[0]], [0, p[0], 2.0]])
    x = np.zeros(3)
    r = np.array([1.0, p[1], 1])
    d = r.copy()
    rs = r @ r
    for _ in range(3):
        Ad = A @ d
        al = rs / (d @ Ad)
        x += al * d
        r -= al * Ad
        rn = r @ r
        d = r + (rn / rs) * d
        rs = rn
        if rs < 1e-20:
            break
    return x @ x


@program(rng.normal(size=6))
def lu_inplace(v):
    A = np.outer(v[:3], v[3:]) + 3 * np.eye(3)
    n = 3
    A = A.copy()
    for k in range(n - 1):
        A[k + 1 :, k] /= A[k, k]
        A[k + 1 :, k + 1 :] -= np.outer(A[k + 1 :, k], A[k, k + 1 :])
    return np.sum(np.log(np.abs(np.diag(A))))


@program(rng.normal(size=(3, 3)))
def gram_schmidt(M):
    Q = np.zeros_like(M)
    for i in range(3):
        q = M[:, i] - Q[:, :i] @ (Q[:, :i].T @ M[:, i])
        Q[:, i] = q / np.linalg.norm(q)
    return Q[0, 2] + np.abs(Q).sum()


@program(np.array([0.3, 0.7]))
def thomas(p):
    n = 5
    a = np.full(n, -1.0)
    b = np.full(n, 2.0 + p[0])
    c = np.full(n, -1.0) * p[1]
    d = np.ones(n)
    cp = np.empty(n)
    dp = np.empty(n)
    cp[0] = c[0] / b[0]
    dp[0] = d[0] / b[0]
    for i in range(1, n):
        m = b[i] - a[i] * cp[i - 1]
        cp[i] = c[i] / m
        dp[i] = (d[i] - a[i] * dp[i - 1]) / m
    x = np.empty(n)
    x[-1] = dp[-1]
    for i in range(n - 2, -1, -1):
        x[i] = dp[i] - cp[i] * x[i + 1]
    return x.sum()


@program(np.array([0.3, 0.7]))
def wave_2d_inplace(p):
    u = np.zeros((5, 5))
    u[2, 2] = p[0]
    v = np.zeros_like(u)
    for _ in range(4):
        lap = -4 * u
        lap[1:] += u[:-1]
        lap[:-1] += u[1:]
        lap[:, 1:] += u[:, :-1]
        lap[:, :-1] += u[:, 1:]
        v += p[1] * lap * 0.1
        u += 0.1 * v
        u[0] = u[-1] = 0
        u[:, [0, -1]] = 0
    return (u**2).sum()


@program(np.array([0.3, 0.7, 1.1]))
def dtw(p):
    q = np.array([0.2, 0.9, 1.0, 1.2])
    D = np.full((4, 5), np.inf)
    D[0, 0] = 0
    for i in range(1, 4):
        for j in range(1, 5):
            D[i, j] = (p[i - 1] - q[j - 1]) ** 2 + min(D[i - 1, j], D[i, j - 1], D[i - 1, j - 1])
    return D[3, 4]


@program(np.array([0.3, 0.7, 1.1]))
def edit_soft(p):
    D = np.zeros((4, 4))
    D[0] = np.arange(4) * p[0]
    D[:, 0] = np.arange(4) * p[1]
    for i, j in np.ndindex(3, 3):
        D[i + 1, j + 1] = -np.logaddexp.reduce(
            -np.array([D[i, j + 1] + p[0], D[i + 1, j] + p[1], D[i, j] + p[2] * (i != j)])
        )
    return D[-1, -1]


@program(np.array([0.3, 0.7, 1.1]))
def string_weights(p):
    table = dict(zip("abc", p, strict=False))
    word = "abacab"
    return functools.reduce(lambda acc, ch: acc * table[ch] + 1, word, 1.0) + sum(
        table[c] * word.count(c) for c in sorted(set(word))
    )


@program(np.array([0.3, 0.7, 1.1]))
def fmt_and_print(p):
    buf = io.StringIO()
    print(f"loss: {p[0]:.3f}", f"{p[1]:.2e}", f"{p[2]:>8.3f}", p, file=buf)
    assert len(buf.getvalue()) > 10
    return (p**2).sum()


@program(np.array([0.3, 0.7, 1.1]))
def complex_roots_poly(p):
    z = np.roots(np.array([1.0, p[0], p[1], p[2]]))
    return np.sum(np.abs(z) ** 2) + np.max(z.real)


@program(np.array([0.3, 0.7]))
def mandelbrot_smooth(p):
    c = complex(0, 0) + p[0] + 1j * p[1]
    z = 0j
    n = 0
    while abs(z) < 1e3 and n < 50:
        z = z * z + c
        n += 1
    return n + 1 - np.log(np.log(np.abs(z))) / np.log(2)


@program(np.array([0.3, 0.7]))
def joukowski(p):
    t = np.linspace(0, 2 * np.pi, 12)
    c = -0.1 + 0.1j * p[0]
    R = np.abs(1 - c)
    z = c + R * np.exp(1j * t)
    w = z + p[1] / z
    return np.sum(w.real * np.roll(w.imag, 1)) + np.max(np.abs(w))
