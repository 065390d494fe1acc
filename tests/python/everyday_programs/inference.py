"""Survival with ties, item responses, hierarchies, flows, attention, alignments, networks."""

import dataclasses
import itertools

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(4)


TIMES = np.array([1, 2, 2, 3, 3, 3, 5, 6])
EV = np.array([1, 1, 1, 0, 1, 1, 0, 1], bool)
XS = rng.normal(size=(8, 3))


@program(np.array([0.2, -0.4, 0.1]))
def cox_efron(beta):
    eta = XS @ beta
    w = np.exp(eta)
    ll = 0
    for t, grp in itertools.groupby(
        sorted(range(8), key=TIMES.__getitem__), key=lambda i: TIMES[i]
    ):
        grp = list(grp)
        dead = [i for i in grp if EV[i]]
        if not dead:
            continue
        risk = w[t <= TIMES].sum()
        dw = w[dead].sum()
        m = len(dead)
        ll += eta[dead].sum() - sum(np.log(risk - k / m * dw) for k in range(m))
    return -ll


RESP = (rng.random((6, 4)) > 0.4).astype(int)


@program(
    {
        "a": np.array([1.0, 1.2, 0.7, 1.5]),
        "b": np.array([-0.5, 0, 0.3, 1.0]),
        "c": np.array([0.1, 0.2, 0.15, 0.05]),
    }
)
def irt_3pl(p):
    x, w = np.polynomial.hermite_e.hermegauss(7)
    w = w / w.sum()
    P = p["c"] + (1 - p["c"]) / (1 + np.exp(-p["a"] * (x[:, None] - p["b"])))
    like = np.prod(np.where(RESP[:, None, :] == 1, P, 1 - P), axis=-1)
    return -np.log(like @ w).sum()


@dataclasses.dataclass
class Hier:
    mu: float
    log_tau: float
    z: np.ndarray

    @property
    def theta(self):
        return self.mu + np.exp(self.log_tau) * self.z


Y8 = np.array([28, 8, -3, 7, -1, 1, 18, 12.0])
S8 = np.array([15, 10, 16, 11, 9, 11, 10, 18.0])


@program(Hier(4.4, 0.8, rng.normal(size=8)))
def eight_schools(h):
    lp = -0.5 * np.sum(((Y8 - h.theta) / S8) ** 2) - 0.5 * np.dot(h.z, h.z) - 0.5 * (h.mu / 5) ** 2
    lp += h.log_tau - np.log1p((np.exp(h.log_tau) / 5) ** 2)
    return -lp


@program(
    {
        "w": rng.normal(size=4),
        "h": rng.normal(size=4),
        "d": rng.normal(size=3),
        "x": np.array([-0.7, 0.1, 0.62]),
    }
)
def rq_spline_flow(p):
    B = 1.0

    def sm(v):
        return np.exp(v - v.max()) / np.exp(v - v.max()).sum()

    widths, heights = 2 * B * sm(p["w"]), 2 * B * sm(p["h"])
    der = np.concatenate([[1.0], np.log1p(np.exp(p["d"])), [1.0]])
    kx = np.concatenate([[-B], -B + np.cumsum(widths)])
    ky = np.concatenate([[-B], -B + np.cumsum(heights)])
    idx = np.clip(np.searchsorted(kx, p["x"]) - 1, 0, 3)
    xi = (p["x"] - kx[idx]) / widths[idx]
    s = heights[idx] / widths[idx]
    d0, d1 = der[idx], der[idx + 1]
    den = s + (d1 + d0 - 2 * s) * xi * (1 - xi)
    y = ky[idx] + heights[idx] * (s * xi**2 + d0 * xi * (1 - xi)) / den
    ld = np.log(s**2 * (d1 * xi**2 + 2 * s * xi * (1 - xi) + d0 * (1 - xi) ** 2)) - 2 * np.log(den)
    return np.sum(y**2) - ld.sum()


@program(
    {
        "x": rng.normal(size=(5, 4)),
        "wq": rng.normal(size=(4, 4)),
        "wk": rng.normal(size=(4, 2)),
        "wv": rng.normal(size=(4, 2)),
    }
)
def gqa_alibi(p):
    q = (p["x"] @ p["wq"]).reshape(5, 2, 2).transpose(1, 0, 2)
    k, v = p["x"] @ p["wk"], p["x"] @ p["wv"]
    pos = np.arange(5)
    bias = -np.abs(pos[:, None] - pos)[None] * np.array([0.5, 0.25])[:, None, None]
    mask = (pos[:, None] < pos) | (pos[:, None] - pos > 2)
    s = np.einsum("hqd,kd->hqk", q, k) / np.sqrt(2) + bias
    s = np.where(mask, -np.inf, s)
    s -= s.max(-1, keepdims=True)
    a = np.exp(s)
    a /= a.sum(-1, keepdims=True)
    return np.tanh(np.einsum("hqk,kd->qhd", a, v)).sum()


def lse(*a):
    m = max(a)
    if m == -np.inf:
        return m
    return m + np.log(sum(np.exp(x - m) for x in a))


@program(rng.normal(size=(6, 4)))
def ctc_loss(logits):
    lp = logits - np.log(np.exp(logits).sum(1, keepdims=True))
    lab = [1, 2, 2]
    ext = [0]
    for c in lab:
        ext += [c, 0]
    S = len(ext)
    alpha = [lp[0, ext[0]], lp[0, ext[1]]] + [-np.inf] * (S - 2)
    for t in range(1, 6):
        new = []
        for s in range(S):
            terms = [alpha[s]]
            if s > 0:
                terms.append(alpha[s - 1])
            if s > 1 and ext[s] != 0 and ext[s] != ext[s - 2]:
                terms.append(alpha[s - 2])
            new.append(lse(*terms) + lp[t, ext[s]])
        alpha = new
    return -lse(alpha[-1], alpha[-2])


SRC = np.array([0, 0, 1, 2, 3, 3])
DST = np.array([1, 2, 2, 3, 0, 1])


@program({"x": rng.normal(size=(4, 3)), "W": rng.normal(size=(3, 3)), "a": rng.normal(size=6)})
def gat_scatter_softmax(p):
    h = p["x"] @ p["W"]
    e = np.concatenate([h[SRC], h[DST]], -1) @ p["a"]
    e = np.where(e > 0, e, 0.2 * e)
    mx = np.array([e[i == DST].max() for i in range(4)])
    ex = np.exp(e - mx[DST])
    den = np.bincount(DST, weights=ex, minlength=4)
    att = ex / den[DST]
    out = np.zeros((4, 3))
    np.add.at(out, DST, att[:, None] * h[SRC])
    return np.sum(np.tanh(out) ** 2)


@program([rng.normal(size=(2, 3)), rng.normal(size=(3, 2, 3)), rng.normal(size=(3, 2))])
def mps_norm(T):
    a, b, c = T
    env = np.einsum("ia,ib->ab", a, a)
    env = np.einsum("ab,aic,bid->cd", env, b, b, optimize=True)
    n = np.einsum("cd,ci,di", env, c, c)
    psi = np.einsum("ia,ajb,bk->ijk", a, b, c)
    assert np.isclose(np.vdot(psi, psi), n)
    rho = np.tensordot(psi, psi, axes=([1, 2], [1, 2]))
    return np.log(n) + np.linalg.eigvalsh(rho)[-1]


@program({"mu": np.array([0.1, -0.2]), "L": np.array([[1.0, 0], [0.3, 0.7]])})
def unscented_transform(p):
    n, k = 2, 1.0
    S = np.linalg.cholesky((n + k) * p["L"] @ p["L"].T)
    X = np.vstack([p["mu"], p["mu"] + S.T, p["mu"] - S.T])
    W = np.r_[k / (n + k), np.full(4, 0.5 / (n + k))]
    Y = np.c_[np.sin(X[:, 0]) * X[:, 1], X[:, 0] ** 2]
    m = W @ Y
    C = (Y - m).T @ np.diag(W) @ (Y - m)
    return m.sum() + np.linalg.slogdet(C + np.eye(2))[1]


@program(rng.random(7) + 0.2)
def wavelet_lifting(x):
    x = np.pad(x, (0, 1), mode="edge")
    co = []
    while len(x) > 1:
        e, o = x[::2].copy(), x[1::2].copy()
        o -= 0.5 * (e + np.roll(e, -1))
        e += 0.25 * (o + np.roll(o, 1))
        co.append(o)
        x = e
    d = np.concatenate(co[::-1])
    thr = 0.1
    d = np.sign(d) * np.maximum(np.abs(d) - thr, 0)
    return d @ d + x[0] ** 2
