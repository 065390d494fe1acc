"""Regression, mixtures, epidemics, reactions, power flow, images, wavelets, filters, inference."""

import dataclasses
import itertools

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(7)
A5 = rng.normal(size=(5, 5))
X8 = rng.normal(size=(8, 3))
y8 = (X8[:, 0] > 0).astype(int)
y8f = X8 @ np.array([1.0, -2, 0.5]) + 0.1 * rng.normal(size=8)


# boosting / EM / bayes / epidemiology...
@program(np.array([0.1, 0.2, -0.1, 0.3]))
def logreg_bayes(w):
    z = X8 @ w[1:] + w[0]
    ll = np.where(y8, -np.log1p(np.exp(-z)), -np.log1p(np.exp(z)))
    prior = -0.5 * np.dot(w, w) / 10 - 0.5 * w.size * np.log(2 * np.pi * 10)
    H = (X8.T * (1 / (1 + np.exp(-z)) * (1 - 1 / (1 + np.exp(-z))))) @ X8 + np.eye(3) / 10
    return -(ll.sum() + prior) + 0.5 * np.linalg.slogdet(H).logabsdet


@program({"mu": np.array([-1.0, 1.0]), "logs": np.array([0.0, 0.2]), "pi": np.array([0.3, -0.3])})
def gmm_em_step(th):
    x = y8f[:, None]
    lp = -0.5 * ((x - th["mu"]) / np.exp(th["logs"])) ** 2 - th["logs"] - 0.5 * np.log(2 * np.pi)
    w = np.exp(th["pi"]) / np.exp(th["pi"]).sum()
    r = np.exp(lp) * w
    r /= r.sum(axis=1)[:, None]
    Nk = r.sum(0)
    mu = (r * x).sum(0) / Nk
    var = (r * (x - mu) ** 2).sum(0) / Nk
    return (mu**2).sum() + np.log(var).sum() + Nk.std()


@program(np.array([0.4, 0.1, 0.01]))
def seir_rk4(p):
    beta, gamma, i0 = p
    state = np.array([1 - i0, 0, i0, 0])
    traj = []

    def rhs(s):
        S, E, ill, _ = s
        return np.array(
            [-beta * S * ill, beta * S * ill - 0.2 * E, 0.2 * E - gamma * ill, gamma * ill]
        )

    for _ in range(12):
        k1 = rhs(state)
        k2 = rhs(state + k1 / 2)
        k3 = rhs(state + k2 / 2)
        k4 = rhs(state + k3)
        state = state + (k1 + 2 * k2 + 2 * k3 + k4) / 6
        traj.append(state.copy())
    traj = np.array(traj)
    return traj[:, 2].max() + np.log(traj[-1, 3])


@program(np.array([1.0, 0.5, 2.0]))
def chem_newton(k):
    x = np.array([0.1, 0.1])
    for _ in range(30):
        F = np.array([k[0] * x[0] ** 2 + x[1] - 1, k[1] * x[1] * x[0] + x[1] * k[2] - 0.5])
        J = np.array([[2 * k[0] * x[0], 1], [k[1] * x[1], k[1] * x[0] + k[2]]])
        dx = np.linalg.solve(J, -F)
        x = x + dx
        if np.linalg.norm(dx) < 1e-13:
            break
    return x[0] * x[1]


@program(np.array([0.1, 0.2, 0.05]), tolerance=1e-5)
def power_flow(load):
    Y = np.array(
        [[3 - 9j, -1 + 3j, -2 + 6j], [-1 + 3j, 2 - 6j, -1 + 3j], [-2 + 6j, -1 + 3j, 3 - 9j]]
    )
    V = np.ones(3, complex)
    for _ in range(20):
        for i in (1, 2):
            S = -(load[i] + 0.5j * load[0])
            V[i] = (np.conj(S / V[i]) - (Y[i] @ V - Y[i, i] * V[i])) / Y[i, i]
    return np.abs(V).sum() + np.angle(V[2])


@program(rng.normal(size=(4, 4)))
def deconv_fft(im):
    k = np.zeros((4, 4))
    k[:2, :2] = 0.25
    B = np.real(np.fft.ifft2(np.fft.fft2(im) * np.fft.fft2(k)))
    tv = np.abs(np.diff(im, axis=0)).sum() + np.abs(np.diff(im, axis=1)).sum()
    return ((B - np.eye(4)) ** 2).sum() + 0.1 * tv


@program(rng.normal(size=8))
def haar(x):
    c = []
    a = x
    while len(a) > 1:
        s, d = (a[0::2] + a[1::2]) / np.sqrt(2), (a[0::2] - a[1::2]) / np.sqrt(2)
        c.append(d)
        a = s
    c.append(a)
    w = np.concatenate(c[::-1])
    return np.sum(np.sign(w) * np.maximum(np.abs(w) - 0.1, 0) ** 2) + np.abs(w).sum()


@program(np.array([0.2, 0.5]))
def biquad(p):
    w0 = 2 * np.pi * p[0]
    al = np.sin(w0) / (2 * p[1])
    b = np.array([(1 - np.cos(w0)) / 2, 1 - np.cos(w0), (1 - np.cos(w0)) / 2])
    a = np.array([1 + al, -2 * np.cos(w0), 1 - al])
    b, a = b / a[0], a / a[0]
    x = np.sin(np.arange(20) * 0.5)
    y = np.zeros_like(x)
    d1 = d2 = 0.0
    for n in range(len(x)):
        y[n] = b[0] * x[n] + d1
        d1 = b[1] * x[n] - a[1] * y[n] + d2
        d2 = b[2] * x[n] - a[2] * y[n]
    H = np.polyval(b, np.exp(1j * np.linspace(0.1, 3, 5))) / np.polyval(
        a, np.exp(1j * np.linspace(0.1, 3, 5))
    )
    return (y**2).sum() + 20 * np.log10(np.abs(H)).sum() / 100


# --- survival with ties, item responses, hierarchies, flows, attention, alignments, networks
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
