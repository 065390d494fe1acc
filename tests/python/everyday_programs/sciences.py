"""Pharmacokinetics, Gaussian processes, Kalman filters, rays, lenses, quantum circuits."""

import functools
import operator
import typing
from dataclasses import dataclass

import numpy as np

from everyday_programs.registry import program

rng = np.random.default_rng(0)

# --- pharmacokinetics
T_OBS = np.array([0.5, 1, 2, 4, 6, 8, 12.0])
C_OBS = np.array([1.2, 2.0, 2.3, 1.9, 1.4, 1.0, 0.5])


@program({"ka": 1.1, "ke": 0.2, "V": 10.0, "dose": 50.0})
def pk_one_compartment(p):
    ka, ke, V, dose = (p[k] for k in ("ka", "ke", "V", "dose"))
    conc = dose * ka / (V * (ka - ke)) * (np.exp(-ke * T_OBS) - np.exp(-ka * T_OBS))
    return np.mean((np.log(conc) - np.log(C_OBS)) ** 2)


class TwoCompartment:
    def __init__(self, k10, k12, k21):
        self.k10, self.k12, self.k21 = k10, k12, k21

    @functools.cached_property
    def matrix(self):
        return np.array([[-(self.k10 + self.k12), self.k21], [self.k12, -self.k21]])

    def simulate(self, dose, times, n=20):
        a = np.array([dose, 0.0])
        t = 0.0
        out = []
        for t1 in times:
            h = (t1 - t) / n
            for _ in range(n):
                k1 = self.matrix @ a
                k2 = self.matrix @ (a + h / 2 * k1)
                a = a + h * k2
            t = t1
            out.append(a[0])
        return np.array(out)


@program(np.array([0.3, 0.1, 0.2]), has_second=False)
def pk_two_compartment_class(p):
    m = TwoCompartment(*p)
    pred = m.simulate(5.0, T_OBS[:4], 5)
    return ((pred - C_OBS[:4]) ** 2).sum()


@program(np.array([0.3, 0.12, 0.2]))
def pk_eig(p):
    k10, k12, k21 = p
    b = k10 + k12 + k21
    d = np.sqrt(b * b - 4 * k10 * k21)
    al, be = (b + d) / 2, (b - d) / 2
    A = (al - k21) / (al - be)
    B = (k21 - be) / (al - be)
    c = A * np.exp(np.outer(-al, T_OBS))[0] + B * np.exp(np.multiply.outer(-be, T_OBS))
    w = 1 / np.maximum(C_OBS, 1.0) ** 2
    return float_sum(w * (c - C_OBS) ** 2)


def float_sum(a):
    return functools.reduce(operator.add, a)


# --- GPs
X = np.linspace(0, 3, 8)[:, None]
Y = np.sin(2 * X[:, 0]) + 0.1 * rng.normal(size=8)


def rbf(a, b, scale, s):
    d = ((a[:, None, :] - b[None, :, :]) / scale) ** 2
    return s**2 * np.exp(-0.5 * d.sum(-1))


def matern32(a, b, scale, s):
    r = np.sqrt(np.maximum(((a[:, None] - b[None]) ** 2).sum(-1), 1e-12)) / scale
    return s**2 * (1 + np.sqrt(3) * r) * np.exp(-np.sqrt(3) * r)


def periodic(a, b, scale, s):
    return s**2 * np.exp(-2 * np.sin(np.pi * np.abs(a - b.T) / 2.3) ** 2 / scale**2)


KERNELS = {"rbf": rbf, "m32": matern32, "per": periodic}


@program(np.log(np.array([0.8, 1.1, 0.2])))
def gp_rbf(p):
    scale, s, n = np.exp(p)
    K = rbf(X, X, scale, s) + n**2 * np.eye(len(X))
    L = np.linalg.cholesky(K)
    a = np.linalg.solve(L.T, np.linalg.solve(L, Y))
    return 0.5 * Y @ a + np.log(np.diag(L)).sum() + 0.5 * len(X) * np.log(2 * np.pi)


@program(
    {
        "rbf": np.array([0.1, 0.2]),
        "m32": np.array([0.3, -0.2]),
        "per": np.array([0.2, -0.4]),
        "noise": -1.0,
    }
)
def gp_sum_of_kernels(p):
    K = sum(KERNELS[k](X, X, *np.exp(v)) for k, v in p.items() if k != "noise")
    K[np.diag_indices_from(K)] += np.exp(2 * p["noise"])
    sign, ld = np.linalg.slogdet(K)
    assert sign > 0
    return 0.5 * (Y @ np.linalg.inv(K) @ Y + ld)


@program(np.array([0.5, 0.1, 0.2, 0.3, -0.5]))
def gp_ard_predict(p):
    Xs = np.stack([X[:, 0], np.cos(X[:, 0]), X[:, 0] ** 2], 1)
    scale = np.exp(p[:3])
    Z = Xs / scale
    sq = (Z**2).sum(1)
    D = sq[:, None] + sq[None, :] - 2 * Z @ Z.T
    K = np.exp(-0.5 * np.clip(D, 0, None)) + np.exp(p[4]) * np.identity(8)
    m = K[:3, 3:] @ np.linalg.solve(K[3:, 3:], Y[3:] + p[3])
    return np.linalg.norm(m - Y[:3])


# --- Kalman
OBS = np.cumsum(rng.normal(size=10))


@program(np.array([0.1, -0.5]))
def kalman_rts(p):
    q, r = np.exp(p)
    F = np.array([[1, 1], [0, 1.0]])
    H = np.array([[1.0, 0]])
    Q = q * np.array([[1 / 3, 1 / 2], [1 / 2, 1]])
    R = np.array([[r]])
    m = np.zeros(2)
    P = np.eye(2) * 10
    ms, Ps, mps, Pps = [], [], [], []
    ll = 0
    for y in OBS:
        m, P = F @ m, F @ P @ F.T + Q
        mps.append(m)
        Pps.append(P)
        S = H @ P @ H.T + R
        K = P @ H.T @ np.linalg.inv(S)
        v = y - H @ m
        m = m + K @ v
        P = P - K @ S @ K.T
        ms.append(m)
        Ps.append(P)
        ll = ll - 0.5 * (v @ np.linalg.solve(S, v) + np.log(np.linalg.det(2 * np.pi * S)))
    s = ms[-1]
    tot = 0
    for k in reversed(range(len(OBS) - 1)):
        G = Ps[k] @ F.T @ np.linalg.inv(Pps[k + 1])
        s = ms[k] + G @ (s - mps[k + 1])
        tot += s[0] ** 2
    return -ll + 0.01 * tot


@program(np.array([0.9, 0.3, 0.5]))
def ekf_scalar_generator(p):
    def filt(a, q, r):
        x, P = 0.1, 1.0
        for z in OBS:
            xp = a * np.sin(x) + x
            J = a * np.cos(x) + 1
            Pp = J * P * J + q
            k = Pp / (Pp + r)
            x = xp + k * (z - xp)
            P = (1 - k) * Pp
            yield x, P

    return sum(x**2 + np.log(P) for x, P in filt(*p))


# --- ray tracing
class Ray(typing.NamedTuple):
    o: np.ndarray
    d: np.ndarray


@dataclass
class Sphere:
    centre: np.ndarray
    radius: float

    def hit(self, ray):
        oc = ray.o - self.centre
        b = np.dot(oc, ray.d)
        c = oc.dot(oc) - self.radius**2
        disc = b * b - c
        if disc < 0:
            return None
        return -b - np.sqrt(disc)


@program(np.array([0.1, -0.2, 4.0, 1.0]))
def ray_sphere(p):
    sp = Sphere(centre=p[:3], radius=p[3])
    light = np.array([1, 1, -1]) / np.sqrt(3)
    img = np.zeros((4, 4))
    for i, yy in enumerate(np.linspace(-0.4, 0.4, 4)):
        for j, xx in enumerate(np.linspace(-0.4, 0.4, 4)):
            d = np.array([xx, yy, 1.0])
            d /= np.linalg.norm(d)
            ray = Ray(np.zeros(3), d)
            if (t := sp.hit(ray)) is not None:
                n = (ray.o + t * ray.d - sp.centre) / sp.radius
                img[i, j] = max(0.0, n @ light)
    return img.sum()


def reflect(d, n):
    return d - 2 * np.dot(d, n) * n


@program(np.array([0.3, 0.2, 1.0]))
def mirror_bounces(p):
    def trace(o, d, depth):
        if depth == 0:
            return o @ o
        n = np.array([np.sin(0.3 * depth), 0.0, np.cos(0.3 * depth)])
        t = (1.0 - o @ n) / (d @ n)
        return trace(o + t * d, reflect(d, n), depth - 1) + t**2

    return trace(np.zeros(3), p / np.linalg.norm(p), 3)


# --- optics
@program(np.array([0.1, 1.5, 0.02]))
def abcd_lens(p):
    M = functools.reduce(
        np.matmul,
        [
            np.array([[1, p[0]], [0, 1]]),
            np.array([[1, 0], [-1 / p[1], 1]]),
            np.array([[1, 0.5 + p[2]], [0, 1]]),
        ],
    )
    q = 1j * 0.3
    q2 = (M[0, 0] * q + M[0, 1]) / (M[1, 0] * q + M[1, 1])
    return np.abs(q2) ** 2 + q2.imag


@program(np.array([1.38, 2.1, 0.11, 0.07]))
def thin_film(p):
    lam = np.linspace(0.4, 0.7, 5)
    R = []
    for scale in lam:
        M = np.eye(2, dtype=complex)
        for n, d in zip(p[:2], p[2:], strict=False):
            de = 2 * np.pi * n * d / scale
            M = M @ np.array([[np.cos(de), 1j * np.sin(de) / n], [1j * n * np.sin(de), np.cos(de)]])
        B, C = M @ np.array([1, 1.52])
        r = (B - C) / (B + C)
        R.append(np.abs(r) ** 2)
    return np.mean(R)


@program(np.array([0.3, 0.8, 0.2]))
def fraunhofer(p):
    x = np.linspace(-1, 1, 32)
    ap = np.exp(-((x / p[1]) ** 4)) * np.exp(1j * (p[0] * x**2 + p[2] * x))
    power = np.abs(np.fft.fftshift(np.fft.fft(ap))) ** 2
    power /= power.sum()
    k = np.arange(32) - 16
    return np.sum(power * k**2)


# --- quantum
SX = np.array([[0, 1], [1, 0]], complex)
SY = np.array([[0, -1j], [1j, 0]])
SZ = np.diag([1, -1]).astype(complex)
I2 = np.eye(2)


def rot(P, t):
    return np.cos(t / 2) * I2 - 1j * np.sin(t / 2) * P


CNOT = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 0, 1], [0, 0, 1, 0]], complex)


@program(np.array([0.3, 0.7, -0.4, 1.1]))
def vqe(p):
    psi = np.zeros(4, complex)
    psi[0] = 1
    for a, b in p.reshape(2, 2):
        psi = CNOT @ (np.kron(rot(SY, a), rot(SZ, b)) @ psi)
    H = np.kron(SZ, SZ) + 0.5 * np.kron(SX, I2)
    return np.real(psi.conj() @ H @ psi)


@program(np.array([0.3, 0.7, -0.4]))
def quantum_einsum(p):
    state = np.zeros((2,) * 3, dtype=np.complex128)
    state[0, 0, 0] = 1.0
    for q, t in enumerate(p):
        state = np.moveaxis(np.tensordot(rot(SX, t), state, axes=(1, q)), 0, q)
    state = np.einsum("abcd,cde->abe", CNOT.reshape(2, 2, 2, 2), state)
    probs = np.abs(state) ** 2
    return probs.sum(axis=(1, 2))[1] - probs[:, 0, :].sum() * 0.5


@program(np.array([0.5, 0.2, 0.1]))
def density_matrix_entropy(p):
    H = p[0] * SX + p[1] * SY + p[2] * SZ
    w, v = np.linalg.eigh(H)
    rho = v @ np.diag(np.exp(-w) / np.exp(-w).sum()) @ v.conj().T
    lam = np.linalg.eigvalsh(rho)
    return -(lam * np.log(lam)).sum() + np.trace(rho @ SZ).real


@program(np.array([0.4, 0.9]))
def evolve_expm_taylor(p):
    H = p[0] * SX + p[1] * SZ
    U = np.eye(2, dtype=complex)
    term = np.eye(2, dtype=complex)
    for k in range(1, 15):
        term = term @ (-1j * H) / k
        U += term
    return abs(U[1, 0]) ** 2
