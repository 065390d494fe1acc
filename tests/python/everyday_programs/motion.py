"""Graphs, robots, orbits, hidden states, embeddings."""

import functools

import numpy as np

from everyday_programs.models import softmax
from everyday_programs.registry import program

rng = np.random.default_rng(7)
# graph
ADJ = np.array([[0, 1, 1, 0], [1, 0, 1, 0], [1, 1, 0, 1], [0, 0, 1, 0.0]])


@program(np.array([0.5, 0.6, 0.7, 0.8]))
def laplacian(w):
    W = np.zeros((4, 4))
    iu = np.transpose(np.nonzero(np.triu(ADJ)))
    for (i, j), x in zip(iu, w, strict=False):
        W[i, j] = W[j, i] = x
    L = np.diag(W.sum(0)) - W
    ev = np.linalg.eigvalsh(L)
    return ev[1] + np.log(np.prod(ev[1:]))


@program(rng.normal(size=(4, 3)))
def gcn(W):
    A = ADJ + np.eye(4)
    dinv = np.diag(A.sum(1) ** -0.5)
    H = np.maximum(0, dinv @ A @ dinv @ W)
    return np.linalg.norm(H, "fro") ** 2


@program(np.array([0.85, 0.1]), has_lanes=False)
def pagerank(p):
    P = ADJ / ADJ.sum(1, keepdims=True)
    r = np.full(4, 0.25)
    prev = None
    for _ in range(100):
        prev = r
        r = p[0] * (P.T @ r) + (1 - p[0]) / 4
        if np.abs(r - prev).max() < 1e-12:
            break
    else:
        raise RuntimeError
    return (r**2).sum() + p[1] ** 2


# robotics
class Quaternion:
    __slots__ = ("w", "x", "y", "z")

    def __init__(self, w, x, y, z):
        self.w, self.x, self.y, self.z = w, x, y, z

    def __mul__(self, b):
        return Quaternion(
            self.w * b.w - self.x * b.x - self.y * b.y - self.z * b.z,
            self.w * b.x + self.x * b.w + self.y * b.z - self.z * b.y,
            self.w * b.y - self.x * b.z + self.y * b.w + self.z * b.x,
            self.w * b.z + self.x * b.y - self.y * b.x + self.z * b.w,
        )

    def conj(self):
        return Quaternion(self.w, -self.x, -self.y, -self.z)

    def __iter__(self):
        return iter((self.w, self.x, self.y, self.z))

    @classmethod
    def exp(cls, v):
        th = np.linalg.norm(v)
        return cls(np.cos(th / 2), *(np.sin(th / 2) * v / th))

    def rotate(self, v):
        return np.array(list(self * Quaternion(0, *v) * self.conj()))[1:]


@program(np.array([0.3, -0.5, 0.7]))
def quaternions(p):
    q = Quaternion.exp(p)
    v = q.rotate(np.array([1.0, 2, 3]))
    return v[0] * v[1] + np.arctan2(v[2], v[0])


DH = [(0.1, np.pi / 2, 0.3), (0.4, 0, 0), (0.2, -np.pi / 2, 0.1)]


@program(np.array([0.1, 0.2, 0.3]))
def dh_arm(q):
    def joint(th, a, al, d):
        ct, st, ca, sa = np.cos(th), np.sin(th), np.cos(al), np.sin(al)
        return np.array(
            [
                [ct, -st * ca, st * sa, a * ct],
                [st, ct * ca, -ct * sa, a * st],
                [0, sa, ca, d],
                [0, 0, 0, 1],
            ]
        )

    M = functools.reduce(lambda A, B: A @ B, (joint(t, *dh) for t, dh in zip(q, DH, strict=False)))
    return np.linalg.norm(M[:3, 3] - [0.3, 0.2, 0.4]) + 0.1 * np.arccos(
        np.clip((np.trace(M[:3, :3]) - 1) / 2, -1, 1)
    )


@program(np.array([0.3, 0.2, 0.5, 0.1, 0.2, 0.3]))
def twist_exp(xi):
    def hat(w):
        return np.array([[0, -w[2], w[1]], [w[2], 0, -w[0]], [-w[1], w[0], 0]])

    w, v = xi[:3], xi[3:]
    t = np.sqrt(w @ w)
    W = hat(w / t)
    R = np.eye(3) + np.sin(t) * W + (1 - np.cos(t)) * W @ W
    V = np.eye(3) * t + (1 - np.cos(t)) * W + (t - np.sin(t)) * W @ W
    T = np.block([[R, (V @ (v / t))[:, None]], [np.zeros((1, 3)), np.ones((1, 1))]])
    return T[0, 3] * T[1, 2] + np.log(np.abs(np.linalg.det(T + np.eye(4))))


# orbital
@program(np.array([1.0, 0.0, 0.1, 0.9]))
def leapfrog(s):
    x, v = s[:2].copy(), s[2:].copy()
    dt = 0.1

    def acc(x):
        return -x / np.linalg.norm(x) ** 3

    a = acc(x)
    for _ in range(10):
        v += 0.5 * dt * a
        x += dt * v
        a = acc(x)
        v += 0.5 * dt * a
    return 0.5 * v @ v - 1 / np.linalg.norm(x)


@program(np.array([0.3, 1.2]))
def kepler_newton(p):
    e, M = p
    E = M
    while abs(f := E - e * np.sin(E) - M) > 1e-14:
        E -= f / (1 - e * np.cos(E))
    return 2 * np.arctan(np.sqrt((1 + e) / (1 - e)) * np.tan(E / 2))


@program(np.array([1.0, 0, 0.1, 0, 0.95, 0.1]))
def orbital_elements(s):
    r, v = s[:3], s[3:]
    h = np.cross(r, v)
    n = np.cross([0, 0, 1], h)
    ev = (v @ v - 1 / np.linalg.norm(r)) * r - (r @ v) * v
    e = np.linalg.norm(ev)
    i = np.arccos(h[2] / np.linalg.norm(h))
    Om = np.arccos(n[0] / np.linalg.norm(n))
    if n[1] < 0:
        Om = 2 * np.pi - Om
    return e + i + 0.1 * Om + np.degrees(i) / 100


# HMM CRF
@program({"A": rng.normal(size=(3, 3)), "B": rng.normal(size=(3, 4)), "pi": rng.normal(size=3)})
def hmm(th):
    obs = [0, 2, 1, 3, 3, 0]

    def ls(x):
        return x - np.log(np.exp(x).sum(-1, keepdims=True))

    A, B, pi = map(ls, (th["A"], th["B"], th["pi"]))
    al = pi + B[:, obs[0]]
    for o in obs[1:]:
        al = np.logaddexp.reduce(al[:, None] + A, axis=0) + B[:, o]
    return -np.logaddexp.reduce(al)


@program({"A": rng.normal(size=(3, 3)), "B": rng.normal(size=(3, 4))})
def hmm_scaled_backward(th):
    A = softmax(th["A"])
    B = softmax(th["B"])
    obs = np.array([0, 2, 1, 3])
    T = len(obs)
    alpha = np.zeros((T, 3))
    c = np.zeros(T)
    alpha[0] = B[:, obs[0]] / 3
    c[0] = alpha[0].sum()
    alpha[0] /= c[0]
    for t in range(1, T):
        alpha[t] = (alpha[t - 1] @ A) * B[:, obs[t]]
        c[t] = alpha[t].sum()
        alpha[t] /= c[t]
    beta = np.ones((T, 3))
    for t in range(T - 2, -1, -1):
        beta[t] = (A * B[:, obs[t + 1]] * beta[t + 1]).sum(1) / c[t + 1]
    gamma = alpha * beta
    gamma /= gamma.sum(1, keepdims=True)
    return -np.log(c).sum() + gamma[1, 2]


@program({"trans": rng.normal(size=(3, 3)), "emit": rng.normal(size=(5, 3))})
def crf(p):
    tags = [0, 1, 2, 1, 0]
    s = p["emit"][range(5), tags].sum() + p["trans"][tags[:-1], tags[1:]].sum()
    a = p["emit"][0]
    for e in p["emit"][1:]:
        m = a[:, None] + p["trans"] + e[None]
        mx = m.max(0)
        a = mx + np.log(np.exp(m - mx).sum(0))
    return np.log(np.exp(a).sum()) - s


@program(rng.normal(size=(4, 3)))
def viterbi_path_score(em):
    T, K = em.shape
    d = np.empty((T, K))
    bp = np.zeros((T, K), int)
    d[0] = em[0]
    tr = np.array([[0.1, 0.2, 0.3], [0.3, 0.1, 0.2], [0.2, 0.3, 0.1]])
    for t in range(1, T):
        s = d[t - 1][:, None] + tr
        bp[t] = s.argmax(0)
        d[t] = s[bp[t], np.arange(K)] + em[t]
    path = [int(d[-1].argmax())]
    for t in range(T - 1, 0, -1):
        path.insert(0, bp[t][path[0]])
    return sum(em[t, k] ** 2 for t, k in enumerate(path)) + d[-1].max()


# embeddings
HIGH = rng.normal(size=(6, 4))


@program(rng.normal(size=(6, 2)))
def tsne(Yl):
    D = np.square(HIGH[:, None] - HIGH).sum(-1)
    P = np.exp(-D / 2)
    np.fill_diagonal(P, 0)
    P /= P.sum(1, keepdims=True)
    P = (P + P.T) / 12
    P = np.maximum(P, 1e-12)
    num = 1 / (1 + np.square(Yl[:, None] - Yl[None]).sum(-1))
    num[range(6), range(6)] = 0.0
    Q = np.maximum(num / num.sum(), 1e-12)
    return np.sum(P * np.log(P / Q))


@program(rng.normal(size=(6, 2)))
def umap_loss(Yl):
    i, j = np.triu_indices(6, 1)
    d2 = ((Yl[i] - Yl[j]) ** 2).sum(1)
    w = 1 / (1 + 1.58 * d2**0.9)
    p = np.exp(-np.linalg.norm(HIGH[i] - HIGH[j], axis=1))
    return -(p * np.log(w) + (1 - p) * np.log1p(-w)).sum()


@program(rng.normal(size=(3, 3)))
def ica_infomax(W):
    S = np.random.default_rng(5).laplace(size=(3, 40))
    Yl = W @ S
    return -np.log(np.abs(np.linalg.det(W))) + np.logaddexp(Yl, -Yl).mean(axis=1).sum()


@program(rng.normal(size=4))
def svm_hinge(w):
    y = np.sign(HIGH[:, 0])
    m = 1 - y * (HIGH @ w)
    return 0.5 * w @ w + np.where(m > 0, m, 0).sum() + np.maximum(0, m).max()
