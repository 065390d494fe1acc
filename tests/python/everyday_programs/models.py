"""Structures, flows, transformers, splines, survival times, options, registration of points."""

import functools

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(1)


@program(np.array([0.3, 0.5]))
def canary(p):
    return p[0] ** 2 + float(p[1]) if False else p[0] ** 2 * p[1]


# structural
@program(np.array([1.0, 2.0, 1.5, 0.7, 1.2]))
def truss(p):
    A = p
    nodes = np.array([[0, 0], [1, 0], [0.5, 1.0], [1.5, 1.0]])
    els = [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]
    K = np.zeros((8, 8))
    for e, (i, j) in enumerate(els):
        d = nodes[j] - nodes[i]
        L = np.hypot(*d)
        c, s = d / L
        k = A[e] / L * np.outer([-c, -s, c, s], [-c, -s, c, s])
        dof = np.array([2 * i, 2 * i + 1, 2 * j, 2 * j + 1])
        K[np.ix_(dof, dof)] += k
    free = [2, 4, 5, 6, 7]
    f = np.zeros(8)
    f[7] = -1.0
    u = np.zeros(8)
    u[free] = np.linalg.solve(K[free][:, free], f[free])
    return f @ u


@program(np.array([1.0, 2.0, 0.5]))
def beam(p):
    n = 3
    K = np.zeros((2 * n + 2, 2 * n + 2))
    L = 0.5
    for e in range(n):
        k = (
            p[e]
            / L**3
            * np.array(
                [
                    [12, 6 * L, -12, 6 * L],
                    [6 * L, 4 * L * L, -6 * L, 2 * L * L],
                    [-12, -6 * L, 12, -6 * L],
                    [6 * L, 2 * L * L, -6 * L, 4 * L * L],
                ]
            )
        )
        sl = slice(2 * e, 2 * e + 4)
        K[sl, sl] += k
    u = np.linalg.solve(K[2:, 2:], np.r_[np.zeros(2 * n - 2), -1.0, 0.0])
    return u[-2] ** 2


@program(np.array([0.1, 0.2, 0.3, 0.4]))
def heat_assembly_add_at(p):
    K = np.zeros((5, 5))
    conn = np.array([[0, 1], [1, 2], [2, 3], [3, 4]])
    for a, b, s in [(0, 0, 1), (0, 1, -1), (1, 0, -1), (1, 1, 1)]:
        np.add.at(K, (conn[:, a], conn[:, b]), s * (1 + p) ** 2)
    K[0, :] = 0
    K[:, 0] = 0
    K[0, 0] = 1
    return np.linalg.solve(K, np.ones(5)).sum()


# flows
@program({"w": rng.normal(size=(2, 3)), "u": rng.normal(size=(2, 3)), "b": rng.normal(size=3)})
def planar_flow(p):
    z = np.random.default_rng(3).normal(size=(6, 2))
    ld = np.zeros(6)
    for k in range(3):
        w, u, b = p["w"][:, k], p["u"][:, k], p["b"][k]
        h = np.tanh(z @ w + b)
        ld += np.log(np.abs(1 + (1 - h**2) * (w @ u)))
        z = z + h[:, None] * u
    return np.mean(0.5 * (z**2).sum(1) - ld)


class Coupling:
    def __init__(self, rng, d):
        self.params = [rng.normal(size=(d // 2, d)) * 0.3, np.zeros(d)]

    def forward(self, x, params=None):
        W, b = params if params is not None else self.params
        a, c = np.split(x, 2, axis=-1)
        s, t = np.split(a @ W + b, 2, -1)
        s = np.tanh(s)
        return np.concatenate([a, c * np.exp(s) + t], -1), s.sum(-1)


LAYERS = [Coupling(np.random.default_rng(i), 4) for i in range(2)]


@program([layer.params for layer in LAYERS])
def realnvp(ps):
    x = np.random.default_rng(0).normal(size=(5, 4))
    total = 0.0
    for layer, p in zip(LAYERS, ps, strict=False):
        x, ld = layer.forward(x, p)
        total += ld
        x = x[:, ::-1]
    return (0.5 * (x**2).sum(-1) - total).mean()


# transformers
def softmax(x, axis=-1):
    e = np.exp(x - np.max(x, axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def gelu(x):
    return 0.5 * x * (1 + np.tanh(np.sqrt(2 / np.pi) * (x + 0.044715 * x**3)))


def layer_norm(x, g, b, eps=1e-5):
    return g * (x - np.mean(x, -1, keepdims=True)) / np.sqrt(np.var(x, -1, keepdims=True) + eps) + b


D = 4
BLOCK = {
    "attn": {
        "c_attn": {"w": rng.normal(size=(D, 3 * D)) * 0.5, "b": np.zeros(3 * D)},
        "c_proj": {"w": rng.normal(size=(D, D)) * 0.5, "b": np.zeros(D)},
    },
    "ln": {"g": np.ones(D), "b": np.zeros(D)},
    "mlp": {"w": rng.normal(size=(D, D)), "b": np.zeros(D)},
}
SEQ = rng.normal(size=(5, D))


@program(BLOCK)
def pico_gpt(params):
    def linear(x, w, b):
        return x @ w + b

    def attention(q, k, v, mask):
        return softmax(q @ k.T / np.sqrt(q.shape[-1]) + mask) @ v

    def mha(x, c_attn, c_proj, n_head):
        x = linear(x, **c_attn)
        qkv = np.split(x, 3, axis=-1)
        heads = [np.split(x, n_head, axis=-1) for x in qkv]
        causal = (1 - np.tri(x.shape[0], dtype=x.dtype)) * -1e10
        out = [attention(q, k, v, causal) for q, k, v in zip(*heads, strict=False)]
        return linear(np.hstack(out), **c_proj)

    x = SEQ + mha(layer_norm(SEQ, **params["ln"]), **params["attn"], n_head=2)
    x = x + gelu(linear(x, **params["mlp"]))
    logits = x @ SEQ.T
    return -np.log(softmax(logits)[np.arange(4), np.arange(1, 5)]).mean()


@program(rng.normal(size=(4, 4)))
def rope_attention(w):
    pos = np.arange(5)[:, None]
    fr = 10000 ** (-np.arange(2) / 2)
    th = pos * fr
    q = SEQ @ w
    rq = np.empty_like(q)
    rq[:, ::2] = q[:, ::2] * np.cos(th) - q[:, 1::2] * np.sin(th)
    rq[:, 1::2] = q[:, ::2] * np.sin(th) + q[:, 1::2] * np.cos(th)
    s = np.where(np.tril(np.ones((5, 5), bool)), rq @ rq.T, -np.inf)
    return (softmax(s) @ SEQ).var()


# splines
@program(rng.normal(size=6))
def natural_cubic_spline(y):
    n = len(y)
    x = np.arange(n, dtype=float)
    h = np.diff(x)
    A = (
        np.diag(np.r_[1, 2 * (h[:-1] + h[1:]), 1])
        + np.diag(np.r_[h[:-1], 0], -1)
        + np.diag(np.r_[0, h[1:]], 1)
    )
    b = np.zeros(n)
    b[1:-1] = 3 * (np.diff(y)[1:] / h[1:] - np.diff(y)[:-1] / h[:-1])
    c = np.linalg.solve(A, b)
    d = np.diff(c) / (3 * h)
    bb = np.diff(y) / h - h * (2 * c[:-1] + c[1:]) / 3
    xs = np.linspace(0.1, 4.9, 9)
    i = np.clip(np.searchsorted(x, xs) - 1, 0, n - 2)
    t = xs - x[i]
    return np.sum((y[i] + bb[i] * t + c[i] * t**2 + d[i] * t**3) ** 2)


@program(rng.normal(size=5))
def bspline_recursive(c):
    k = 2
    t = np.concatenate([[0] * k, np.linspace(0, 1, 4), [1] * k])

    @functools.cache
    def basis(x, k, i):
        if k == 0:
            return 1.0 if t[i] <= x < t[i + 1] else 0.0
        c1 = 0.0 if t[i + k] == t[i] else (x - t[i]) / (t[i + k] - t[i]) * basis(x, k - 1, i)
        c2 = (
            0.0
            if t[i + k + 1] == t[i + 1]
            else (t[i + k + 1] - x) / (t[i + k + 1] - t[i + 1]) * basis(x, k - 1, i + 1)
        )
        return c1 + c2

    return sum(sum(c[i] * basis(x, k, i) for i in range(5)) ** 2 for x in (0.1, 0.35, 0.8))


@program(np.array([0.1, 0.5, -0.3]))
def lru_cache_on_variable(p):
    @functools.cache
    def cheb(n, x):
        if n < 2:
            return x**n
        return 2 * x * cheb(n - 1, x) - cheb(n - 2, x)

    return sum(c * cheb(i, p[0]) for i, c in enumerate(p)) + cheb(5, p[1])


# survival
TIMES = np.array([5, 3, 8, 1, 9, 4.0])
EVENT = np.array([1, 0, 1, 1, 0, 1], bool)
Z = rng.normal(size=(6, 2))


@program(np.array([0.2, -0.3]))
def cox(beta):
    order = np.argsort(-TIMES)
    eta = (Z @ beta)[order]
    risk = np.logaddexp.accumulate(eta)
    return -np.sum((eta - risk)[EVENT[order]])


@program(np.log(np.array([1.5, 6.0])))
def weibull_censored(p):
    k, size = np.exp(p)
    z = (TIMES / size) ** k
    ll = np.where(EVENT, np.log(k / size) + (k - 1) * np.log(TIMES / size) - z, -z)
    return -ll.sum()


@program(np.array([0.1, 0.2, 0.3]))
def aalen_hazard_mask(p):
    h = np.zeros_like(TIMES)
    h[EVENT] = np.exp(p[0])
    h[~EVENT] = np.exp(p[1])
    h[TIMES > 5] *= p[2]
    return np.cumsum(h)[::-1].dot(TIMES) / 100


# options
@program(np.array([100.0, 0.2, 0.05]), tolerance=1e-5, has_second=False)
def crr_american(p):
    S, s, r = p
    n = 20
    dt = 1 / n
    u = np.exp(s * np.sqrt(dt))
    d = 1 / u
    q = (np.exp(r * dt) - d) / (u - d)
    disc = np.exp(-r * dt)
    ST = S * u ** np.arange(n, -n - 1, -2)
    V = np.maximum(101 - ST, 0)
    for _i in range(n - 1, -1, -1):
        V = disc * (q * V[:-1] + (1 - q) * V[1:])
        ST = ST[:-1] / u
        V = np.maximum(V, 101 - ST)
    return V[0]


@program(np.array([0.2, 0.05]))
def crank_nicolson_pde(p):
    s, r = p
    M = 12
    S = np.linspace(0, 200, M + 1)
    j = np.arange(1, M)
    dt = 0.1
    a = 0.25 * dt * (s**2 * j**2 - r * j)
    b = -0.5 * dt * (s**2 * j**2 + r)
    c = 0.25 * dt * (s**2 * j**2 + r * j)
    A = np.diag(1 - b) - np.diag(a[1:], -1) - np.diag(c[:-1], 1)
    B = np.diag(1 + b) + np.diag(a[1:], -1) + np.diag(c[:-1], 1)
    V = np.maximum(S - 100, 0)[1:-1]
    for k in range(5):
        rhs = B @ V
        rhs[-1] += c[-1] * 2 * (200 - 100 * np.exp(-r * k * dt))
        V = np.linalg.solve(A, rhs)
    return np.interp(105.0, S[1:-1], V)


@program(np.array([100.0, 0.2, 0.03]), tolerance=1e-5, has_second=False)
def mc_asian(p):
    S0, sig, r = p
    g = np.random.default_rng(42)
    z = g.standard_normal((50, 6))
    dt = 1 / 6
    paths = S0 * np.exp(np.cumsum((r - 0.5 * sig**2) * dt + sig * np.sqrt(dt) * z, axis=1))
    pay = np.maximum(paths.mean(axis=1) - 100, 0)
    return np.exp(-r) * pay.mean()


@program(np.array([2.0, 0.04, 0.3, -0.7, 0.04]))
def heston_cf(p):
    kappa, theta, sigma, rho, v0 = p
    u = np.linspace(0.5, 10, 12)
    xi = kappa - sigma * rho * 1j * u
    d = np.sqrt(xi**2 + sigma**2 * (u**2 + 1j * u))
    g2 = (xi - d) / (xi + d)
    C = kappa * theta / sigma**2 * ((xi - d) * 1 - 2 * np.log((1 - g2 * np.exp(-d)) / (1 - g2)))
    Dd = (xi - d) / sigma**2 * (1 - np.exp(-d)) / (1 - g2 * np.exp(-d))
    phi = np.exp(C + Dd * v0)
    return np.trapezoid(np.real(np.exp(-1j * u * 0.1) * phi / (1j * u)), u)


# registration
PA = rng.normal(size=(7, 3))
PB = rng.normal(size=(7, 3))


@program(PA)
def kabsch(P):
    Q = PB - PB.mean(0)
    P = P - P.mean(axis=0)
    H = P.T @ Q
    U, _S, Vt = np.linalg.svd(H)
    d = np.sign(np.linalg.det(Vt.T @ U.T))
    R = Vt.T @ np.diag([1, 1, d]) @ U.T
    return np.sqrt(((P @ R.T - Q) ** 2).sum() / len(P))


@program(np.array([0.1, 0.2, -0.1, 0.3]))
def icp(p):
    th, t = p[0], p[1:]
    R = np.array([[np.cos(th), -np.sin(th), 0], [np.sin(th), np.cos(th), 0], [0, 0, 1]])
    M = PA @ R.T + t
    d = np.linalg.norm(M[:, None] - PB[None], axis=-1)
    nn = d.argmin(axis=1)
    return d[range(len(M)), nn].sum()


@program(rng.normal(size=(5, 2)))
def chamfer(P):
    Q = PB[:, :2]
    D = ((P[:, np.newaxis] - Q) ** 2).sum(2)
    return D.min(0).mean() + D.min(1).mean()
