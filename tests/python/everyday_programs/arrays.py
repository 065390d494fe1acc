"""Ways with arrays: masks, views, out=, ufunc.at, einsum, linear algebra, sorting."""

import copy
from collections import defaultdict
from functools import partial, reduce, total_ordering

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(7)


@program(rng.normal(size=(4, 4)))
def masked_fancy(M):
    B = M.copy()
    r, c = np.where(M > 0)
    B[r, c] = np.sqrt(M[r, c])
    B[[0, 2]] = B[[2, 0]]
    B[:, -1] *= 2
    B[np.tril_indices(4, -1)] **= 2
    B[..., 0] -= B[..., 1]
    m = np.isnan(B) | (B > 3)
    B[m] = 0
    return (
        (B[B > 0] ** 2).sum()
        + B.ravel()[::3].sum()
        + np.take(B, [0, 5, 5]).sum()
        + B[np.ix_([0, 1], [2, 3])].prod()
    )


@program({"a": rng.normal(size=(3, 4)), "b": rng.normal(size=(4, 5)), "c": rng.normal(size=(5, 3))})
def einsum_paths(p):
    path, _ = np.einsum_path("ij,jk,kl->il", p["a"], p["b"], p["c"], optimize="optimal")
    M = np.einsum("ij,jk,kl->il", *p.values(), optimize=path)
    t = np.einsum("ii->", M)
    d = np.einsum("ii->i", M)
    s = np.einsum("...ij,...ij->...", M, M)
    o = np.einsum("i,j", d, d)
    e = np.einsum(M, [0, 1], d, [1], [0])
    return t + d.prod() + s + o.sum() + e.max()


@program(rng.normal(size=(3, 3)))
def linalg_kitchen(M):
    S = M @ M.T + 3 * np.eye(3)
    _q, r = np.linalg.qr(M)
    _u, s, _v = np.linalg.svd(M, full_matrices=False)
    w = np.linalg.eigvalsh(S)
    return (
        np.linalg.matrix_power(S, 3).trace() / 1000
        + np.abs(np.diag(r)).prod()
        + s[0] / s[-1]
        + w[-1]
        + np.linalg.cond(S) / 10
        + np.linalg.multi_dot([M, S, M]).sum() / 10
        + np.linalg.norm(M, 2)
        + np.linalg.norm(M, "nuc")
        + np.linalg.lstsq(S, M[0], rcond=None)[0].sum()
        + np.linalg.pinv(M)[0, 0]
        + np.linalg.inv(S)[1, 2]
        + np.linalg.tensorsolve(S, M[1]).sum()
    )


@program(np.array([0.5, 0.2]))
def recursion_memo(p):
    memo = {}

    def f(n):
        if n in memo:
            return memo[n]
        memo[n] = r = p[n] if n < 2 else f(n - 1) * 0.5 + np.sin(f(n - 2))
        return r

    return f(15)


@program(np.array([0.5, 0.2, 0.9]))
def class_state_mutation(p):
    class Adam:
        def __init__(self, lr=0.1):
            self.lr, self.m, self.v, self.t = lr, 0.0, 0.0, 0

        def step(self, w, g):
            self.t += 1
            self.m = 0.9 * self.m + 0.1 * g
            self.v = 0.999 * self.v + 0.001 * g**2
            return w - self.lr * (self.m / (1 - 0.9**self.t)) / (
                np.sqrt(self.v / (1 - 0.999**self.t)) + 1e-8
            )

    opt = Adam()
    w = p
    for _ in range(4):
        w = opt.step(w, 2 * (w - np.array([1.0, 2, 3])) + p)
    return (w**2).sum()


@program(np.array([0.5, 0.2, 0.9]))
def rng_generators(p):
    g = np.random.default_rng(3)
    r = np.random.RandomState(0)
    z = g.standard_normal((4, 3))
    u = r.rand(3)
    i = g.integers(0, 3, 5)
    perm = g.permutation(3)
    ch = r.choice(3, 2, replace=False)
    n = p + 0.1 * g.standard_normal(3)
    np.random.seed(1)
    v = np.random.randn(3)
    k = g.multivariate_normal(np.zeros(2), np.eye(2))
    return (
        ((z * p).sum(1) ** 2).mean()
        + (p[perm] * u).sum()
        + p[i].prod()
        + p[ch].sum()
        + n.sum()
        + (v * p).sum()
        + k[0] * p[0]
    )


@program(np.array([0.5, 0.2, 0.9]))
def walrus_while(p):
    x = p.copy()
    n = 0
    while (r := np.linalg.norm(x)) > 0.3 and (n := n + 1) < 50:
        x = x * 0.7
    return r + n * x[0]


def kw(*args, scale=1.0, **opts):
    return sum(args) * scale + sum(v * len(k) for k, v in opts.items())


@program({"aa": 0.3, "b": 0.4, "c": np.array([1.0, 2.0])})
def kwargs_prog(p):
    return kw(p["aa"], p["b"], scale=p["c"][0], **{k: v for k, v in p.items() if k != "c"})


CONST = {"g": 9.81}
SCHEDULE = [0.1 * i for i in range(5)]


@program(np.array([10.0, 0.1]))
def globals_prog(p):
    v, dr = p
    y = 0.0
    for dt in SCHEDULE:
        y += v * dt
        v -= (CONST["g"] + dr * v * abs(v)) * dt
    return y


class Vec(np.ndarray):
    pass


@total_ordering
class Num:
    def __init__(self, v, d=0):
        self.v, self.d = v, d

    def __add__(self, o):
        o = o if isinstance(o, Num) else Num(o)
        return Num(self.v + o.v, self.d + o.d)

    __radd__ = __add__

    def __mul__(self, o):
        o = o if isinstance(o, Num) else Num(o)
        return Num(self.v * o.v, self.v * o.d + self.d * o.v)

    __rmul__ = __mul__

    def __lt__(self, o):
        return self.v < (o.v if isinstance(o, Num) else o)

    def __eq__(self, o):
        return self.v == (o.v if isinstance(o, Num) else o)


@program(np.array([0.5, 2.0]))
def own_dual_numbers(p):
    x = Num(p[0], 1.0)
    y = x * x * p[1] + 3 * x
    z = max([y, x])
    return z.d + z.v


@program(np.array([0.5, 2.0, 1.0]))
def polynomials(p):
    return (
        np.polyval(p, 2.0)
        + np.polynomial.polynomial.polyval(0.5, p)
        + np.polynomial.chebyshev.chebval(0.3, p)
        + np.polyder(p)[0]
        + np.polyint(p)[-2]
        + np.convolve(p, p)[1]
        + np.roots(p + np.array([1.0, 0, 5])).real.sum()
    )


@program(rng.normal(size=(6,)), has_lanes=False)
def sorting(p):
    i = np.argsort(p)
    s = np.sort(p)[::-1]
    k = np.partition(p, 2)[2]
    r = np.empty(6)
    r[i] = np.arange(6)
    return (
        (s * np.arange(6)).sum()
        + k**2
        + (r * p).sum()
        + np.median(p)
        + np.percentile(p, 30)
        + np.quantile(p, [0.1, 0.9]).sum()
        + np.searchsorted(np.sort(p), 0.0) * p[0]
        + sorted(p)[0]
        + p[np.lexsort((p, np.round(p)))][0]
    )


@program(rng.normal(size=(2, 3)))
def iterate_everything(P):
    t = 0.0
    for i, row in enumerate(P):
        for j, x in enumerate(row):
            t += x * (i + j)
    for idx, x in np.ndenumerate(P):
        t += x**2 * idx[0]
    for x in P.flat:
        t += np.sin(x)
    for a, b in zip(P.T, P.T[::-1], strict=False):
        t += a @ b
    for ij in np.ndindex(P.shape):
        t += P[ij]
    return t + sum(map(np.sum, np.split(P, 3, axis=1))) + sum(P[..., k].prod() for k in range(3))


@program(np.array([0.4, 0.5]))
def lambdas_closures(p):
    fs = [(lambda x, k=k: x * k + p[k % 2]) for k in range(4)]

    def comp(*g):
        return lambda x: reduce(lambda a, h: h(a), g, x)

    adders = [partial(np.add, p[0] * k) for k in range(3)]
    return comp(*fs)(p[1]) + sum(a(1.0) for a in adders)


@program(rng.normal(size=(3, 3)))
def string_dispatch(M):
    r = 0.0
    for name, w in [
        ("sum", 1.0),
        ("prod", 0.5),
        ("mean", 2.0),
        ("std", 1.0),
        ("max", 1.0),
        ("min", 0.3),
        ("ptp" if False else "var", 0.1),
        ("trace", 1.0),
    ]:
        r += w * getattr(M, name)()
    for fn in ["sin", "cos", "tanh", "exp", "arctan"]:
        r += getattr(np, fn)(M).sum()
    return r


@program(rng.normal(size=5))
def pad_roll_stencil(u):
    up = np.pad(u, 1, mode="wrap")
    lap = up[2:] - 2 * u + up[:-2]
    v = np.roll(u, 1) - np.roll(u, -1)
    w = np.pad(u, (2, 1), "edge")
    c = np.convolve(u, [0.25, 0.5, 0.25], "same")
    sl = np.lib.stride_tricks.sliding_window_view(u, 3) @ np.array([1, 0, -1.0])
    return lap @ lap + v @ u + w.sum() + c[0] * c[-1] + (sl**2).sum()


@program(np.array([0.1, 0.2, 0.3]))
def nested_dict_update(p):
    cfg = {"model": {"w": p, "opts": [p[0], {"deep": p[1]}]}}
    new = copy.deepcopy(cfg)
    new["model"]["opts"][1]["deep"] *= 2
    cfg["model"].update(w=new["model"]["w"] ** 2)
    cfg |= {"extra": p[2]}
    d = defaultdict(list)
    [d[i % 2].append(x) for i, x in enumerate(p)]
    return (
        cfg["model"]["w"].sum()
        + new["model"]["opts"][1]["deep"] * cfg["extra"]
        + sum(map(len, d.values())) * d[0][1]
    )


@program(rng.normal(size=(4, 3)))
def batchnorm_conv(X):
    mu, sd = X.mean(0), X.std(0, ddof=1)
    Z = (X - mu) / (sd + 1e-5)
    k = np.array([[1, 0], [0, -1.0]])
    out = np.zeros((3, 2))
    for i in range(3):
        for j in range(2):
            out[i, j] = np.sum(Z[i : i + 2, j : j + 2] * k)
    pool = out.reshape(3, 1, 2).max(axis=2)
    return (pool**2).sum() + np.clip(out, -0.5, 0.5).sum()


@program(np.array([1.0, 2.0, 0.5]))
def lotka_ode_adaptive(p):
    y = np.array([1.0, 1.0])
    t = 0.0
    h = 0.1
    n = 0

    def f(y):
        return np.array([p[0] * y[0] - p[1] * y[0] * y[1], -y[1] + p[2] * y[0] * y[1]])

    while t < 1.0 and n < 200:
        k1 = f(y)
        k2 = f(y + h * k1)
        e = np.max(np.abs(h / 2 * (k2 - k1)))
        n += 1
        if e < 1e-2:
            y = y + h / 2 * (k1 + k2)
            t += h
        h = min(h, 1.0 - t) if t < 1.0 else h
    return y.sum()
